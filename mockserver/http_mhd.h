/*
 * HTTP in front of a mock, by libmicrohttpd: suspend, resume, bytes. No BOSH
 * rule is here.
 *
 * Threads: one. MHD runs without threads of its own: its epoll descriptor and
 * its timeout are watched by the caller's libuv loop, and all of its callbacks
 * come from inside MHD_run(), which only this file calls. The mock belongs to
 * the same thread.
 *
 * A request that the mock does not answer at once is suspended, and resumed
 * with its answer. While it is suspended MHD does not look at its socket, so
 * that this file does: when the peer hangs up, the mock is told (mock_gone()).
 * An answer with status 0 closes the connection without a byte.
 *
 * Times given to the mock are clock_now_ms().
 */
#ifndef MOCKSERVER_HTTP_MHD_H
#define MOCKSERVER_HTTP_MHD_H

#include <stdbool.h>

#include <uv.h>

#include "common/err.h"
#include "mock.h"

struct http_mhd;

/* For connections to http_mhd_listen(); others may rest for ever. */
#define HTTP_MHD_IDLE_S 120

/* mock: borrowed until http_mhd_free(). NULL with e set on failure. */
struct http_mhd *http_mhd_new(uv_loop_t *loop, struct mock *mock,
                              struct err *e);

/* Closes every connection at once; requests still held are gone for the mock.
 * Memory goes when the loop has let go; then done, which may be NULL, is
 * called. Accepts NULL (done is not called). */
void http_mhd_free(struct http_mhd *h, void (*done)(void *ctx), void *ctx);

/* A new connection: one end of a socketpair, yours; MHD serves the other.
 * -1 when there is no descriptor left. Fits wire_inside_fn. */
int http_mhd_connect(void *http_mhd);

/* Listen on host:port (0: any) without a relay in front. Once at most. A
 * connection on which nobody asks for HTTP_MHD_IDLE_S is closed, a held
 * request counts as asking. Without descriptors it accepts no more for a
 * while.
 * Returns the port, or -1 with e set. */
int http_mhd_listen(struct http_mhd *h, const char *host, int port,
                    struct err *e);

/* To ask when a connection has ended without an answer: was it the mock's wish
 * (status 0)? If not, it is a failure of the HTTP side: a request's head may
 * leave no room for that of the answer, say. Each wish counts once. */
bool http_mhd_hung_up(struct http_mhd *h);

/* Somebody has acted on the mock (a push, an override): send the answers that
 * are ready and look at its deadline again. */
void http_mhd_changed(struct http_mhd *h);

#endif
