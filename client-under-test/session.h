/*
 * A session at the manager: its state, and the one table that says what may
 * happen to it as a whole. What happens in its XMPP streams is stream.h's.
 *
 * For the library's own files and the tests; applications use bosh.h. Pure.
 */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "body.h"
#include "bosh.h"
#include "events.h"
#include "keys.h"
#include "login.h"
#include "queue.h"
#include "stream.h"
#include "window.h"

enum session_state {
    SESSION_IDLE,     /* never connected, or reset */
    SESSION_CREATING, /* no sid yet */
    SESSION_LOGIN,    /* its first stream is not online yet */
    SESSION_ONLINE,
    SESSION_PAUSED,  /* the manager was asked for silence */
    SESSION_CLOSING, /* our terminate is to be sent, or is out */
    SESSION_DEAD     /* over; may be connected again */
};
#define SESSION_STATE_COUNT 7

enum session_event {
    /* The application's verbs. */
    ON_CONNECT,
    ON_ATTACH,
    ON_ADD,
    ON_DISCONNECT,
    ON_PAUSE,
    ON_PAUSE_LOCAL,
    ON_RESUME,
    ON_FLUSH,
    ON_RESET,
    /* What an answer is. */
    ON_CREATED,
    ON_LOGGED_IN,      /* a stream is online */
    ON_UNKNOWN_STREAM, /* it names a stream that is not ours, §16.4 */
    ON_TERMINATED,     /* type='terminate', after its payloads */
    ON_END_ANSWERED,   /* our terminate was answered */
    /* What happens to the transport, and time. */
    ON_REFUSED,    /* HTTP 4xx */
    ON_TOO_MANY,   /* errors in a row */
    ON_SILENCE,    /* nothing was open for longer than inactivity */
    ON_CLOSE_LATE, /* our terminate got no answer in time */
    ON_RIDS_SPENT  /* a request would need a rid above BOSH_RID_MAX */
};
#define SESSION_EVENT_COUNT 19

/* What an event comes with; each uses what it needs. */
struct happening {
    int64_t now_ms;
    const char *text; /* JID, stanzas, resource, reason */
    size_t len;
    const char *password;
    const char *route;
    const struct bosh_attach *known;
    int number; /* seconds, an HTTP status, or a stream */
    uint64_t rid;
    const struct body *body;
    xmlNodePtr element;
    const struct stream *stream; /* whose answer it is */
};

struct bosh {
    struct bosh_options options; /* strings are ours */
    enum session_state state;
    struct err error;
    bool error_is_verbs; /* why it was refused, and no reason for an end */
    bool failed;         /* it has ended, and not because it was left */
    struct events events;
    struct window window;
    struct stream *streams; /* the first is always there */

    uint64_t rid;     /* of the next new request */
    uint64_t next_id; /* of the next transmission */
    char *sid;
    int wait_s, hold;
    int requests, inactivity_s, polling_s, maxpause_s; /* -1: not given */
    int errors;                                        /* in a row */
    bool takes_gzip;  /* the manager does, §7.2; not known when attached */
    bool acks;        /* we said in the creation that we should, §9.2 */
    struct keys keys; /* XEP-0124 §15; next 0: not in use */
    char keys_text[KEYS_TEXT_LEN + 1];

    /* What is to go out. */
    struct queue queue; /* the application's stanzas */
    int pause_s;        /* asked for; */
    bool pause_unsent;  /* and the manager is still to be told */
    bool end_sent;      /* our terminate was made */
    bool held_back;     /* bosh_pause_local() */
    bool hurry;         /* bosh_flush(), till all is answered */
    bool send_refused;  /* for want of room: to be told when there is */

    /* How it ends. */
    bool over;           /* the manager has ended it; our terminate's
                          * answer is still awaited */
    int64_t end_by_ms;   /* an early terminate waits for answers below it
                          * until then; 0: there is none */
    int64_t close_by_ms; /* for the answer to our terminate */
    char *other_uri;     /* of see-other-uri */

    /* What options.store has of it. */
    bool stored;
    bool store_failed; /* and the application was told */
    bool store_stale;  /* answers have come since */

    /* Time. */
    int64_t quiet_ms;     /* when a transmission ended last */
    int64_t poll_from_ms; /* no empty request before */
    int hasty;            /* polls in a row that came back empty at once */
};

/*
 * Let something happen. Returns 0, or what the cell's action returns;
 * BOSH_E_STATE from an empty cell, which changes nothing.
 */
int session_happen(struct bosh *s, enum session_event event,
                   const struct happening *h);

/* Is that cell filled? */
bool session_may(enum session_state state, enum session_event event);

/* For a person; of a session at its login, the state of that. */
const char *session_state_name(const struct bosh *s);

/* Nothing alive: IDLE or DEAD. */
bool session_is_over(const struct bosh *s);

/* Where to say why it ends. What a verb was refused for is forgotten; what has
 * gone wrong before stays, for it explains the rest. */
struct err *session_why(struct bosh *s);

/* Free and clear all that belongs to one session at the manager; transmissions
 * become aborts. State and events stay. */
void session_forget(struct bosh *s);

#endif
