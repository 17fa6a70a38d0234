/*
 * A shim around the mock's core: every request and every answer passes through
 * a hook, which may change it, hold it back, drop it, or add to it. A hook
 * that is NULL lets everything through.
 *
 * The shim keeps its own books of each session, so that a twin can ask what
 * is open, what comes again and what comes too early.
 */
#ifndef TESTS_TWINS_SERVER_SHIM_H
#define TESTS_TWINS_SERVER_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/peer.h"

/* One request of a session, a copy included. */
struct call {
    uint64_t token;     /* as the core knows it */
    uint64_t to;        /* who gets its answer */
    uint64_t rid;       /* as the client counts */
    uint64_t inner_rid; /* as the core counts */
    unsigned order;     /* of arrival, from 1 */
    bool terminate;
    bool pause;
    bool answered;
    struct buf given; /* for a twin that replays by itself */
};

struct server_session {
    struct server_session *next;
    char *sid;
    struct buf asked; /* the creation request */
    uint64_t first;   /* rid of the creation */
    uint64_t low;     /* highest without a gap */
    int64_t last_ms;  /* of a request or an answer */
    bool over;        /* by a terminate, of either side */
    struct call *calls;
    unsigned call_count;
    /* for the twin's own use */
    uint64_t count, rid;
    bool flag;
    struct buf carry; /* payload for the next answer */
};

struct server_request {
    int64_t now_ms;
    uint64_t token;
    uint64_t rid;
    struct buf body;
    struct server_session *session; /* NULL: a creation, or an unknown sid */
    bool creation;
    bool terminate;
    bool pause;    /* it asks for one, §10: nothing may come in its answer */
    bool repeat;   /* this rid came before */
    bool answered; /* and was answered */
    bool early;    /* a lower rid is missing */
};

struct server_answer {
    int64_t now_ms;
    int64_t due_ms; /* when it leaves; now_ms at first */
    uint64_t token; /* who gets it */
    uint64_t rid;   /* as the core counts */
    int status;
    const char *content_type;
    bool two_lengths; /* a second Content-Length, and a wrong one */
    struct buf body;
    struct server_session *session; /* or NULL */
    struct call *call;              /* or NULL */
    bool creation;                  /* it made the session */
    bool own;                       /* to a request of server_shim_inject() */
    bool replay;
};

struct server_shim;

/* Each returns false to keep what goes by to itself. */
struct server_hooks {
    void (*options)(struct mock_options *o); /* the core's, or NULL */
    bool (*request)(struct server_shim *ss, struct server_request *r);
    bool (*answer)(struct server_shim *ss, struct server_answer *a);
};

/* In a table of twins (twins.h). */
#define SERVER(...)                                                            \
    .server = &(const struct server_hooks)                                     \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

/* The peer. Yours; ends with ops->free(). hooks must outlive it. */
struct server_peer *server_shim_new(const struct server_hooks *hooks);

/* Answer by ourselves, now. body is copied. */
void server_shim_answer(struct server_shim *ss, int64_t now_ms, uint64_t token,
                        int status, const struct buf *body);
/* The same with an empty <body/>; type may be NULL. */
void server_shim_answer_empty(struct server_shim *ss, int64_t now_ms,
                              uint64_t token, const char *type);
/* Take the payload out of an answer that has not left yet. False when it has,
 * or had none. */
bool server_shim_take_back(struct server_shim *ss, uint64_t token,
                           struct buf *payload);
/* A request that no client has sent. Its answer comes to the hook with own
 * set, and nobody else hears of it. */
void server_shim_inject(struct server_shim *ss, int64_t now_ms,
                        const struct buf *body);
/* Hand a request to the core now; its answer goes to nobody if token is 0. */
void server_shim_pass(struct server_shim *ss, const struct server_request *r);
/* Nobody waits for the core's answer to this token any more. */
void server_shim_forget(struct server_shim *ss, int64_t now_ms, uint64_t token);

/* The session that was made last, or NULL. */
struct server_session *server_shim_newest(const struct server_shim *ss);

/* The newest call with this rid, and the first; or NULL. */
struct call *server_session_call(const struct server_session *s, uint64_t rid);
struct call *server_session_first_call(const struct server_session *s,
                                       uint64_t rid);
/* An unanswered call with a higher rid, or NULL. */
struct call *server_session_higher_open(const struct server_session *s,
                                        uint64_t rid);
/* The highest rid that was answered; 0: none. */
uint64_t shim_session_answered(const struct server_session *s);

#endif
