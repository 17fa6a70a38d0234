/*
 * The wire layer: one case's connections, on sockets, under a libuv loop.
 *
 * It owns accept and connect, taps bytes, cuts them into HTTP messages and
 * carries out what it is told, faults included. It knows nothing of BOSH and
 * decides nothing: every request and every answer is handed to the sink, and
 * waits until one of the acts below says what becomes of it. An act never
 * calls the sink back from inside the call; news comes from the loop.
 *
 * Two uses. As a relay (wire_listen) clients connect to it, and a request
 * that is forwarded goes to the inside: an fd from a callback, in practice
 * one end of a socketpair whose other end libmicrohttpd serves. As a client
 * (wire_request) it sends what it is given to a server.
 *
 * Limits of a relay: a connection beyond WIRE_MAX_CONNS is opened and reset
 * (opened(), closed() by us); a request with a body of more than WIRE_MAX_BODY
 * bytes is a WIRE_PART with a problem, and its connection is closed.
 *
 * Exchanges are numbered from 1 in the order in which their request began,
 * connections likewise. Times are clock_now_ms(). One thread: the loop's.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "delivery.h"
#include "err.h"

struct wire;

#define WIRE_MAX_CONNS 256              /* of a relay, at once */
#define WIRE_MAX_BODY (2 * 1024 * 1024) /* of a request to a relay */

/* How much of something got there. */
enum wire_part { WIRE_NONE, WIRE_PART, WIRE_WHOLE, WIRE_UNKNOWN };

/* How a connection to a relay with TLS turned out. */
enum wire_secure {
    WIRE_SECURE,   /* the handshake is over */
    WIRE_IN_CLEAR, /* it began with something else, and is taken as it is */
    WIRE_INSECURE, /* the handshake failed; closed() follows */
};

struct wire_sink {
    void *ctx;
    /* A TCP connection is there (relay: accepted; client: connected). */
    void (*opened)(void *ctx, int64_t now_ms, unsigned conn);
    /* It is gone for good. by_us: an act of ours ended it. Exchanges still
     * open on it have been reported before: request(part) or
     * response(part/none). */
    void (*closed)(void *ctx, int64_t now_ms, unsigned conn,
                   enum delivery_end how, bool by_us);
    /* Relay with TLS, before the first request: which is it? problem: why the
     * handshake failed, or NULL. Not called when the client hangs up before a
     * word. */
    void (*secured)(void *ctx, int64_t now_ms, unsigned conn,
                    enum wire_secure how, const char *problem);
    /* Relay: the head of a request is whole, the body is not there yet. */
    void (*head)(void *ctx, int64_t now_ms, unsigned x, unsigned conn,
                 const char *bytes, size_t len);
    /* Relay: a request is whole, or the connection ended inside it
     * (WIRE_PART), or its bytes are no HTTP (WIRE_PART, problem says why).
     * begun_ms: when its first byte was read. */
    void (*request)(void *ctx, int64_t now_ms, int64_t begun_ms, unsigned x,
                    unsigned conn, const char *bytes, size_t len,
                    enum wire_part arrived, const char *problem);
    /* Relay: the inside's answer to a forwarded request is whole, in raw
     * bytes; or, said only while the client is still there, there is none.
     * WIRE_NONE without problem: the inside closed its connection, in good
     * order and without a byte, as one that means it does. With a problem, or
     * WIRE_PART: it broke, or there is no inside. Client: the server's answer,
     * whole or as far as it came (WIRE_PART; WIRE_NONE: the connection ended or
     * never came to be; problem says which). */
    void (*response)(void *ctx, int64_t now_ms, unsigned x, const char *bytes,
                     size_t len, enum wire_part came, const char *problem);
    /* Relay: what became of an answer after wire_deliver(). WHOLE: every byte
     * was acknowledged before any RST, and the bytes are a whole answer in
     * HTTP's eyes (wire_plan_part()). UNKNOWN: acknowledged, but a RST came
     * before we looked. Said before the client's next request is. */
    void (*delivered)(void *ctx, int64_t now_ms, unsigned x,
                      enum wire_part how);
    /* Client: the request's bytes are all written. */
    void (*sent)(void *ctx, int64_t now_ms, unsigned x);
    /* Relay: the client closed or reset its side while x was unanswered. A
     * FIN is taken for the end of both directions, as clients on HTTP
     * libraries mean it: one that only shut its sending side down, which HTTP
     * does allow, gets no answer to what was open. */
    void (*abandoned)(void *ctx, int64_t now_ms, unsigned x,
                      enum delivery_end how);
    /* We can't do our part, of which the peer is innocent: no descriptor for
     * a connection that waits or is wanted, a port that can't be refused or
     * listened on again. Said once; what can go on does. */
    void (*failed)(void *ctx, int64_t now_ms, const char *problem);
};

/* Relay: a new inside connection; returns an fd (taken by the wire) or -1. */
typedef int (*wire_inside_fn)(void *ctx);

struct wire *wire_new(uv_loop_t *loop, const struct wire_sink *sink);
/* Ends every connection (FIN) and frees once libuv has let go. No news comes
 * after this call. done may be NULL. */
void wire_free(struct wire *w, void (*done)(void *ctx), void *ctx);

/* Who a listening side says that it is: PEM text. */
struct wire_identity {
    char *cert; /* its certificate, and those that lead to its root's */
    char *key;
};

/* Listen on host:port (port 0: any). Returns the port, or -1 with e set.
 * With an identity (NULL: none; borrowed for the call) it speaks TLS. */
int wire_listen(struct wire *w, const char *host, int port,
                const struct wire_identity *identity, wire_inside_fn inside,
                void *inside_ctx, struct err *e);

/* Connections that are accepted from here on see this identity, of a relay
 * that speaks TLS. 0, or -1 with e set and nothing changed. */
int wire_identify(struct wire *w, const struct wire_identity *identity,
                  struct err *e);

/* Stop accepting (connections are refused from here on), or accept again.
 * When the kernel does not play along nothing changes: failed(). */
void wire_refuse(struct wire *w, bool refuse);

/* ---- relay: what becomes of exchange x; each takes effect once ---- */

/* Give the request to the inside. */
void wire_forward(struct wire *w, unsigned x);

/* Send these bytes to the client as x's answer, or in place of one, by plan
 * (copied): pieces, delays, and how it ends. Answers on one connection leave
 * in the order of its requests (pipelining), whatever the order of calls. */
void wire_deliver(struct wire *w, unsigned x, const struct delivery *plan);

/* x gets no answer at all: its connection stays open, and silent for all that
 * comes after x on it. */
void wire_ignore(struct wire *w, unsigned x);

/* End a connection now, whatever is open on it. DELIVERY_HALF: our FIN, and
 * go on reading. */
void wire_cut(struct wire *w, unsigned conn, enum delivery_end how);

/* The fault 'black hole': stop reading from a connection, or go on. That the
 * client closes or resets it is still seen. */
void wire_deafen(struct wire *w, unsigned conn, bool deaf);

/* ---- client ---- */

struct wire_target {
    const char *host; /* a name or an address */
    int port;
    bool tls;
    bool insecure;       /* do not verify */
    const char *ca_file; /* NULL: the system's */
    const char *sni;     /* NULL: host */
};

/*
 * Send a request's raw bytes.
 *
 * conn_name  NULL or "": a connection of its own, closed after the answer;
 *            otherwise the connection of that name, opened when there is none
 *            or the last one was closed; on it requests are pipelined, and it
 *            is left to the server to close it, also if it said that it will
 * plan       the bytes, when they leave, and DELIVERY_KEEP to await an answer
 *
 * Returns the number of the exchange.
 */
unsigned wire_request(struct wire *w, const struct wire_target *target,
                      const char *conn_name, const struct delivery *plan);

/* The connection that x is on; 0 when x is over. */
unsigned wire_conn_of(struct wire *w, unsigned x);

/* Give x up: end its connection. response() is still called (WIRE_NONE or
 * WIRE_PART). */
void wire_abort(struct wire *w, unsigned x, enum delivery_end how);

/*
 * What a client has once all bytes of this answer reached it: WIRE_WHOLE one
 * whole HTTP response (behind 1xx ones), else WIRE_PART, or WIRE_NONE without
 * bytes.
 *
 * no_body  it answers a HEAD request
 * closes   NULL, or set to whether HTTP ends the connection after it
 */
enum wire_part wire_plan_part(const struct delivery *plan, bool no_body,
                              bool *closes);

#endif
