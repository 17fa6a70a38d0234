/*
 * Peers that live in this process under a virtual clock: a client (libbosh's
 * session core, or a twin around it) and a server (the mock's core, or a twin
 * around it). A twin is a shim: it has the same functions, owns the peer that
 * it is wrapped around, and changes what goes by.
 */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/http.h"
#include "mockserver/mock.h"
#include "stage.h"

/* One POST that a client wants to send. Borrowed until the next call. */
struct peer_request {
    uint64_t id; /* of this transmission */
    uint64_t rid;
    int attempt; /* above 1: a repeat */
    const char *body;
    size_t len;
    const char *coding; /* NULL, or what its bytes are to be packed in: gzip,
                         * deflate; not with http */
    /* The whole HTTP message, from a twin that writes it itself; NULL: the
     * stage does, as it should be. */
    const char *http;
    size_t http_len;
    bool pipelined; /* from a twin: on a connection that is busy already */
};

/* An answer as the wire brought it. Borrowed for the call. */
struct peer_message {
    const struct http_message *http;
    unsigned pieces;   /* in which it came */
    const char *after; /* bytes on the connection that belong to no request */
    size_t after_len;
};

struct client_peer {
    const struct client_peer_ops *ops;
};

/* Every shim begins with a struct client_peer. */
struct client_peer_ops {
    /* "ok", "unsupported" or "error", and then why. */
    const char *(*verb)(struct client_peer *cp, int64_t now_ms,
                        const struct verb *v, struct buf *reason);
    int (*next_request)(struct client_peer *cp, int64_t now_ms,
                        struct peer_request *out); /* 1 or 0 */
    int (*next_abort)(struct client_peer *cp, uint64_t *id);
    void (*answer)(struct client_peer *cp, int64_t now_ms, uint64_t id,
                   int status, const char *content_type, const char *body,
                   size_t len);
    void (*fail)(struct client_peer *cp, int64_t now_ms, uint64_t id,
                 const char *reason);
    int (*next_event)(struct client_peer *cp, struct said *out);
    int64_t (*deadline_ms)(struct client_peer *cp);
    void (*tick)(struct client_peer *cp, int64_t now_ms);
    void (*free)(struct client_peer *cp);
    /* The message that the next answer() is of; NULL: not wanted. */
    void (*message)(struct client_peer *cp, const struct peer_message *m);
};

struct server_peer {
    const struct server_peer_ops *ops;
};

/* What a connection knows of a request, and no struct mock_request. Borrowed
 * for the call. */
struct server_arrival {
    const char *bytes; /* HTTP and everything, as far as it came */
    size_t len;
    bool whole;
    unsigned pieces; /* in which it came */
    bool behind;     /* others on its connection are not answered yet */
};

/* What a server makes of it. */
enum server_course {
    COURSE_IN_TURN,  /* serves it when those before it are answered */
    COURSE_AT_ONCE,  /* serves it, and answers when that is done */
    COURSE_NEVER,    /* nobody hears of it again */
    COURSE_HANGS_UP, /* closes the connection in place of an answer */
    COURSE_CLOSES,   /* in turn; then closes the connection without a word */
    COURSE_STAYS,    /* in turn; then leaves it open, whatever it said */
};

/* As the functions of mock.h. */
struct server_peer_ops {
    void (*request)(struct server_peer *sp, int64_t now_ms,
                    const struct mock_request *req, uint64_t token);
    int (*next_answer)(struct server_peer *sp, int64_t now_ms,
                       struct mock_answer *out);
    void (*gone)(struct server_peer *sp, int64_t now_ms, uint64_t token);
    int64_t (*deadline_ms)(struct server_peer *sp);
    void (*tick)(struct server_peer *sp, int64_t now_ms);
    void (*free)(struct server_peer *sp);
    /* A request is there, or as much of it as will come; request() is called
     * afterwards. NULL: whole ones are served in turn. */
    enum server_course (*arrives)(struct server_peer *sp, int64_t now_ms,
                                  const struct server_arrival *a);
    /* The client said that it sends nothing more on the connection of an
     * unanswered request. NULL: that is no matter. */
    void (*half_closed)(struct server_peer *sp, int64_t now_ms, uint64_t token);
};

#endif
