/*
 * A case played under a virtual clock: same player, same case, no sockets.
 *
 * HTTP messages are composed as bytes and read again, so that the journal is
 * made from bytes in both worlds, and plans of delivery (a truncated answer,
 * a drip) mean the same. Time jumps to the next deadline: a play of minutes
 * takes milliseconds. Everything travels for one millisecond.
 */
#ifndef HARNESS_VIRTUAL_H
#define HARNESS_VIRTUAL_H

#include "peer.h"
#include "play.h"

/* What came of a play. Free with virtual_release(). */
struct virtual_result {
    struct journal *journal; /* finished */
    enum play_end end;
    char *because; /* "" when there is none */
    int line;
    int64_t took_ms; /* of virtual time */
};

void virtual_release(struct virtual_result *r);

/* A new client for the case's n-th connection. */
typedef struct client_peer *(*client_maker)(void *ctx);
typedef struct server_peer *(*server_maker)(void *ctx);

/* Play a client case against the mock as the case wants it, and a client from
 * make. log may be NULL. */
void virtual_play_client(const struct testcase *tc, client_maker make,
                         void *ctx, const struct event_sink *log,
                         struct virtual_result *out);

/* Play a server case against a server from make, with the accounts alice and
 * bob of the mock's defaults. */
void virtual_play_server(const struct testcase *tc, server_maker make,
                         void *ctx, const struct event_sink *log,
                         struct virtual_result *out);

/* The mock's options for a client case: defaults and the case's <manager>. */
struct mock_options grant_options(const struct testcase *tc);

#endif
