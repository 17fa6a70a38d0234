/*
 * One XMPP stream of a session, and the table that says what may happen in it:
 * its login, what it hands over, its end.
 *
 * XEP-0206 §4 and §5, XEP-0124 §16. A session has one stream, and more where
 * the manager offers that. For the library's own files and the tests. Pure.
 */
#ifndef CLIENT_STREAM_H
#define CLIENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

struct bosh;
struct happening;

enum stream_state {
    STREAM_OPENING,   /* asked for, by a creation or beside other streams */
    STREAM_FEATURES,  /* waits for the SASL mechanisms */
    STREAM_SASL,      /* <auth/> is out */
    STREAM_RESTARTED, /* waits for the features after SASL */
    STREAM_UNBOUND,   /* waits for bosh_stream_bind() */
    STREAM_BINDING,
    STREAM_STARTING, /* RFC 3921's session request is out */
    STREAM_ONLINE,
    STREAM_CLOSING, /* its end, or the session's, is on its way */
    STREAM_CLOSED
};
#define STREAM_STATE_COUNT 10

enum stream_event {
    /* The application's verbs. */
    ON_SEND,
    ON_BIND,
    ON_CLOSE,
    /* What an answer holds, in document order. */
    ON_OPENED,
    ON_FEATURES,
    ON_CHALLENGE,
    ON_SUCCESS,
    ON_FAILURE,
    ON_REPLY,
    ON_STREAM_ERROR,
    ON_STANZA,
    ON_STREAM_ENDED, /* type='terminate' of this stream alone, §16.6 */
    /* Our request to open or close it was answered. */
    ON_OPEN_ANSWERED,
    ON_CLOSE_ANSWERED
};
#define STREAM_EVENT_COUNT 14

struct stream {
    struct stream *next; /* the one that was asked for after it */
    int number;          /* 0: the session's first */
    enum stream_state state;
    char *name;          /* as the manager calls it, §16.2; NULL: not at all */
    char *jid;           /* as bound */
    struct login *login; /* NULL when attached, or closed */
    char *route;         /* of an added one; or NULL */
    char *error;         /* condition of a stream:error */

    /* What is to go out. */
    bool open_unsent;  /* the request to open it beside others */
    bool restart;      /* the stream is to be restarted */
    struct buf out;    /* the login's next element */
    bool close_unsent; /* the request to close it beside others */

    bool needs_session; /* RFC 3921 */
};

/* A closed one, behind all others of s. Freed by streams_clear(). */
struct stream *stream_new(struct bosh *s);

/* Free all but the first, which is closed; its jid stays. */
void streams_clear(struct bosh *s);
void streams_release(struct bosh *s);

/* The first one is asked for, or another, which is to be sent. 0 or the stream;
 * -1 or NULL with the session's error set for a bad JID. */
int stream_begin(struct bosh *s, const char *jid, const char *password);
struct stream *stream_add(struct bosh *s, const char *jid,
                          const char *password);

/* The session is being closed, and all of them with it. */
void streams_close(struct bosh *s);

/* By its number, or by the manager's name for it; NULL: there is none. */
struct stream *stream_at(const struct bosh *s, int number);
struct stream *stream_named(const struct bosh *s, const char *name);

/* The first that was asked for and has no name yet; NULL: there is none. */
struct stream *stream_awaited(const struct bosh *s);

bool stream_is_open(const struct stream *st);
bool stream_is_logging_in(const struct stream *st);

/* How many are open. Has there been more than one? Is any at its login? */
int streams_open(const struct bosh *s);
bool streams_are_several(const struct bosh *s);
bool streams_log_in(const struct bosh *s);

/* Is one online, and none at its login? */
bool streams_are_online(const struct bosh *s);

/* Has any something of its own to say: open, log in, close? */
bool streams_speak(const struct bosh *s);

/* As session_happen() and session_may(), for one stream. */
int stream_happen(struct bosh *s, struct stream *st, enum stream_event event,
                  const struct happening *h);
bool stream_may(enum stream_state state, enum stream_event event);

const char *stream_state_name(enum stream_state state);

#endif
