/*
 * The raw client's exchanges and sessions: what was sent in which session,
 * what is open, which rids are used up, when a poll may go. play_server.c
 * carries out a case's steps with it. Pure.
 */
#ifndef HARNESS_PLAY_SESSIONS_H
#define HARNESS_PLAY_SESSIONS_H

#include "play_parts.h"
#include "raw_answer.h"
#include "raw_body.h"

/* Rids used above a gap that are remembered. */
#define SESSION_MAX_ABOVE 64

struct raw_session {
    struct raw_session *next; /* older */
    char *handle;             /* login or create as=, or NULL */
    unsigned creation;        /* the exchange */
    char *sid;                /* NULL until the manager gave one */
    bool ended;               /* by an answer, or by ours that was answered */

    /* granted */
    bool legacy;        /* no 'ver', §17.1 */
    bool polls;         /* a polling session, §12 */
    unsigned requests;  /* 0: no limit known */
    int64_t wait_ms;    /* asked for, then granted */
    int64_t polling_ms; /* -1: no limit */

    /* rids, §14.1: all up to low are used, and those above */
    uint64_t low;
    uint64_t top;
    uint64_t above[SESSION_MAX_ABOVE];
    size_t above_count;

    unsigned open; /* exchanges without an answer */
    int64_t last_sent_ms;
    bool idle_answer; /* the last answer was an empty one to a poll */

    /* our own polls, one at a time */
    bool keep_polling;
    unsigned poll;     /* the exchange; 0: none open */
    unsigned broken;   /* to be sent again: it got no good answer */
    unsigned failures; /* in a row */

    unsigned farewell; /* the last exchange with a terminate; 0: none */
};

struct raw_exchange {
    char *bytes; /* of the whole request */
    size_t len;
    char *method;
    struct raw_session *session; /* NULL: none that we know */
    bool creation;
    bool open;
    bool empty; /* a poll */
    bool terminate;
    bool given_up; /* by us, before its answer */
};

/* The phases of a sign-off: play_sign_off.c. */
enum sign_off_phase {
    SIGN_OFF_NOT_YET,
    SIGN_OFF_FAREWELLS, /* the terminates are on their way */
    SIGN_OFF_HEALTH,    /* the server is asked whether it is still there */
    SIGN_OFF_LAST,      /* the session that was made for it is ended */
    SIGN_OFF_THROUGH,
};

struct play_server {
    struct raw_session *sessions;   /* the newest first */
    struct raw_exchange *exchanges; /* by number; [0] is unused */
    size_t exchange_count;
    int64_t slow_ms; /* so long a login waited for an answer; 0: none did */
    bool unanswered; /* an exchange that we did not give up got no answer */
    struct journal *after; /* what comes after the steps; NULL until then */
    enum sign_off_phase sign_off;
    int64_t sign_off_until_ms; /* the bound of its phase */
    unsigned health;           /* the exchange that asks */
};

/* How a request goes out. */
struct sending {
    const char *conn;   /* NULL: a connection of its own */
    const char *method; /* NULL: POST */
    const char *path;   /* NULL: the setting's */
    int minor;
    const struct http_header *headers;
    size_t header_count;
    unsigned chunks;    /* of the entity; 0: not in chunks */
    enum coding coding; /* what the entity is packed in */
    bool whole;         /* the entity is all that goes out: no HTTP of ours */
    int64_t entity_after_ms; /* after the head; 0: at once */
    int64_t every_ms;        /* one byte each; 0: all at once */
    int64_t stop_after;      /* bytes of the whole request; -1: all */
};
#define SENDING_INIT                                                           \
    {                                                                          \
        .minor = 1, .stop_after = -1                                           \
    }

/* Send an entity; logs the req event. The session that it belongs to is told
 * by its sid; one without a sid begins a session. Returns the exchange. */
unsigned sessions_send(struct play *p, int64_t now_ms,
                       const struct sending *how, const char *entity,
                       size_t len);
/* The same bytes as exchange x once more. */
unsigned sessions_resend(struct play *p, int64_t now_ms,
                         const struct sending *how, unsigned x);
/* NULL when there was no such exchange. Borrowed until the next is sent. */
const struct raw_exchange *sessions_exchange(const struct play_server *ps,
                                             unsigned x);
/* Where answers are found: the play's journal, and once the steps are over one
 * of what is still open and what comes. Borrowed. */
struct journal *sessions_journal(const struct play *p);
/* The steps are over. */
void sessions_over(struct play *p);
/* Is x still without an answer? */
bool sessions_open(const struct play_server *ps, unsigned x);

/* The session that a handle means, the newest of several; NULL: none. */
struct raw_session *sessions_find(struct play *p, const char *handle);

/* sid, and the rid after the highest one used. b is initialised. */
void sessions_address(const struct raw_session *s, struct raw_body *b);

/* When the session's next request of our own may go without the manager
 * having reason to complain; may be in the past. Source: XEP-0124 §11, §12 */
int64_t sessions_request_due(const struct raw_session *s);
/* The same for a poll; CLOCK_NEVER while none is wanted or allowed. */
int64_t sessions_poll_due(const struct raw_session *s);
/* Send the poll: a new one, or the broken one again. */
void sessions_poll(struct play *p, int64_t now_ms, struct raw_session *s);

/* Exchange x is over; the journal has what came. */
void sessions_answered(struct play *p, unsigned x);
/* We give exchange x up before its answer. */
void sessions_give_up(struct play *p, unsigned x);

/* Polls of keep-polling sessions that are due. */
void sessions_tick(struct play *p, int64_t now_ms);
int64_t sessions_deadline(const struct play *p);

void sessions_free(struct play_server *ps);

#endif
