/*
 * One BOSH session as the connection manager sees it: its state, what was
 * negotiated, the requests it holds. (The client's session is another thing,
 * of other people's making.)
 *
 * Source: XEP-0124 §7 to §15
 */
#ifndef MOCKSERVER_CMSESSION_H
#define MOCKSERVER_CMSESSION_H

#include "common/buf.h"

#include "answer.h"
#include "cmstream.h"
#include "deadlines.h"
#include "keycheck.h"
#include "mock.h"
#include "replay.h"
#include "request.h"

/* What moves a session from one state to another. */
enum cmsession_event {
    CMSESSION_REQUEST,    /* a new request in its turn, §14.2 */
    CMSESSION_PAUSE,      /* a permitted pause, §10 */
    CMSESSION_TERMINATE,  /* the client ends it, §13 */
    CMSESSION_FATAL,      /* the client broke a rule, §17.2 */
    CMSESSION_SERVER_END, /* the server's side ends it, §17.2 */
    CMSESSION_TOLD,       /* a request was there to say so on */
    CMSESSION_SILENCE,    /* nothing came for too long, §10 */
    CMSESSION_EVENT_COUNT
};

/* An order for one request, from the case. */
struct override {
    struct override *next;
    char *sid;    /* NULL: any */
    uint64_t rid; /* 0: any */
    enum mock_override_kind kind;
    bool one_stream; /* not the session ends, but this stream */
    size_t stream;
    char *condition; /* NULL: none */
    struct buf xml;
};

/* Accepts NULL. */
void override_free(struct override *o);

/* A request that has no answer yet. */
struct held {
    struct held *next;
    struct cmsession *session;
    struct request req; /* released once its payloads are forwarded */
    uint64_t rid;
    uint64_t token;
    bool gone; /* its connection is; nobody waits for the answer */
    bool pause;
    bool answer_now;
    int64_t arrived_ms;
    int64_t due_ms; /* answered empty then */
    int repeats;
    uint64_t report; /* the rid to report with its answer, §9.2; 0: none */
    int64_t report_sent_ms;
    struct cmstream *opened; /* its answer tells the name, §16.3; or NULL */
    struct override *end;    /* the session ends with this one; NULL: no */
};

/* Releases the request too. Accepts NULL. */
void held_free(struct held *h);

struct held_list {
    struct held *first; /* by rising rid */
    size_t count;
};

void held_list_insert(struct held_list *list, struct held *h);
struct held *held_list_find(const struct held_list *list, uint64_t rid);
/* The first one, now the caller's; NULL when empty. */
struct held *held_list_pop(struct held_list *list);

struct cmsession {
    struct deadline deadline; /* first: the heap gives it back as this */
    struct cmsession *prev;   /* in order of creation */
    struct cmsession *next;
    struct cmsession *next_gone;
    struct cmsession *next_dirty;
    bool dirty; /* something happened that may allow an answer */

    struct mock *mock;
    char sid[ANSWER_SID_LEN + 1];
    enum mock_session_state state;

    /* negotiated, §7.2 */
    int wait_s;
    int hold;
    int requests;         /* 0: no limit */
    int inactivity_s;     /* -1: no limit */
    int polling_s;        /* -1: no limit */
    int maxpause_s;       /* -1: no pause */
    bool polling_session; /* §12 */
    bool legacy;          /* hears HTTP error codes, §17.1 */
    bool secure;          /* began over TLS, §19.1 */
    bool acks;            /* we acknowledge, §9.1 */
    bool client_acks;     /* the client does, §9.2 */
    char content_type[MOCK_MAX_CONTENT + 1];

    uint64_t rid;      /* highest received without a gap */
    uint64_t answered; /* highest answered */
    uint64_t acked;    /* highest answer that the client acknowledged */
    struct held_list open;
    struct held_list parked; /* beyond a gap */
    struct replay replay;
    struct keycheck keys;
    int pause_s; /* while paused */
    int64_t idle_since_ms;

    /* the newest request, for §11 and §12 */
    int64_t last_arrival_ms;
    bool last_empty;
    bool last_answer_empty;
    bool login_begun; /* the client has sent something that was no poll */

    struct cmstreams streams;

    char *end_condition; /* while ENDING; NULL: none */
    struct buf end_xml;
    struct cmstream *end_stream; /* whose error it is; NULL: of none */
};

/* Zeroed, with state OPEN. Free with cmsession_free(), which closes its streams
 * and does not take it out of any list. */
struct cmsession *cmsession_new(struct mock *m);
void cmsession_free(struct cmsession *s);

/* Let go of all that a session which is GONE needs no longer. */
void cmsession_strip(struct cmsession *s);

/* Change the state. Returns false, and changes nothing, where the table has
 * an empty cell. */
bool cmsession_move(struct cmsession *s, enum cmsession_event event);

/* The highest rid that may come now, §11 and §14.2; extra: it pauses or
 * terminates. */
uint64_t cmsession_window_end(const struct cmsession *s, bool extra);

/* When time alone has something to do here; CLOCK_NEVER: not at all. */
int64_t cmsession_deadline_ms(const struct cmsession *s);

#endif
