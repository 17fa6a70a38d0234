/*
 * A shim around libbosh's session core: everything that goes by passes through
 * hooks, which may change it, hold it back, drop it, or add to it. A hook that
 * is NULL lets everything through. A twin is a struct client_hooks and a few
 * lines for each fault.
 */
#ifndef TESTS_TWINS_CLIENT_SHIM_H
#define TESTS_TWINS_CLIENT_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/peer.h"

struct bosh_options;

/* A request that leaves the core. Hooks change what they like. */
struct shim_request {
    int64_t now_ms;
    int64_t due_ms; /* when it leaves; now_ms at first */
    uint64_t id;
    uint64_t rid; /* as the core counts */
    int attempt;  /* above 1: a repeat */
    struct buf body;
    const char *coding; /* of static life: gzip, deflate; NULL: none */
    struct buf http;    /* the whole message instead, if it is not empty */
    bool pipelined;     /* on a connection that has one open already */
};

/* An answer on its way to the core. Hooks change what they like. */
struct shim_answer {
    int64_t now_ms;
    int64_t due_ms; /* when the core is given it; now_ms at first */
    uint64_t id;
    uint64_t rid;
    bool own; /* to a request of client_shim_send() */
    int status;
    struct buf body;
    const struct peer_message *message; /* as the wire brought it, or NULL */
};

/* A transmission without an answer. */
struct shim_open {
    uint64_t id;
    uint64_t rid;
    int attempt;
};

#define SHIM_OPEN_MAX 32

struct client_shim {
    struct client_peer base;
    struct client_peer *inner;
    const struct client_hooks *hooks;
    struct shim_open open[SHIM_OPEN_MAX]; /* by age */
    size_t open_count;
    uint64_t top_rid; /* highest that the core has used */
    bool online;      /* the core has said "connected" */
    uint64_t streams; /* that are not over, by the bit */
    bool ended; /* client_shim_end() was called: nothing passes any more */
    char *jid, *password; /* of the last connect */
    char *sid;            /* in the newest request; NULL at first */
    /* for the twin's own use */
    long count;
    uint64_t rid, rid2;
    bool flag;
    struct buf text;
    /* private */
    struct parcel *out;    /* requests, by due time */
    struct unread *unread; /* answers, by due time */
    struct saying *events; /* of the twin's own */
    struct parcel *taken;  /* lent to the caller */
    struct saying *said;
    uint64_t gone[SHIM_OPEN_MAX]; /* transmissions to give up */
    size_t gone_count;
    uint64_t own_id;
    const struct peer_message *message;
};

/* Each returns false to keep what goes by to itself. */
struct client_hooks {
    void (*tweak)(struct bosh_options *o); /* the core's options, or NULL */
    bool (*request)(struct client_shim *cs, struct shim_request *r);
    bool (*answer)(struct client_shim *cs, struct shim_answer *a);
    bool (*fail)(struct client_shim *cs, int64_t now_ms, uint64_t id,
                 uint64_t rid);
    /* The core gives a transmission up. False: its connection stays open, and
     * its answer comes to the hook above; the core ignores it. */
    bool (*abort)(struct client_shim *cs, uint64_t id, uint64_t rid);
    bool (*event)(struct client_shim *cs, struct said *said);
    bool (*verb)(struct client_shim *cs, int64_t now_ms, const struct verb *v);
    /* On sockets only: tests/twin-client carries these out. */
    bool trusts_all;      /* takes any certificate */
    bool drops_the_s;     /* given https, it speaks http */
    bool follows_to_http; /* a redirect leads it there for good */
};

/* In a table of twins (twins.h). */
#define CLIENT(...)                                                            \
    .client = &(const struct client_hooks)                                     \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

/* The peer. Yours; ends with ops->free(). hooks must outlive it. */
struct client_peer *client_shim_new(const struct client_hooks *hooks);

/* A request of the twin's own: the core knows nothing of it, nor of its
 * answer. body is copied. */
void client_shim_send(struct client_shim *cs, int64_t due_ms, uint64_t rid,
                      const struct buf *body);
/* Requests that wait for their time need not wait any longer. */
void client_shim_hurry(struct client_shim *cs, int64_t now_ms);
/* Let the core believe that a transmission failed. */
void client_shim_core_fails(struct client_shim *cs, int64_t now_ms,
                            uint64_t id);
/* Say something to the application; condition may be NULL. */
void client_shim_say(struct client_shim *cs, const char *status,
                     const char *condition);
void client_shim_say_stanzas(struct client_shim *cs, const struct buf *payload);
/* The client stops here: gives up what is open and does nothing more. */
void client_shim_end(struct client_shim *cs);
/* Stanzas as if the application had given them. */
void client_shim_core_send(struct client_shim *cs, int64_t now_ms,
                           const char *xml);
/* A verb for the core without arguments, or a connect as before. */
void client_shim_core_verb(struct client_shim *cs, int64_t now_ms,
                           const char *name);

/* A .fail hook: cs->flag says from here on that a request of the session has
 * failed. */
bool client_shim_note_failure(struct client_shim *cs, int64_t now_ms,
                              uint64_t id, uint64_t rid);

/* Is a request with a lower rid unanswered? */
bool client_shim_lower_open(const struct client_shim *cs, uint64_t rid);
/* Has this rid a transmission that is open? */
bool client_shim_is_open(const struct client_shim *cs, uint64_t rid);
#endif
