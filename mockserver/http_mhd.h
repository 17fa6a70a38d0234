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
 *
 * Times given to the mock are clock_now_ms().
 */
#ifndef MOCKSERVER_HTTP_MHD_H
#define MOCKSERVER_HTTP_MHD_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "common/err.h"
#include "mock.h"

struct http_mhd;

/* mock: borrowed until http_mhd_free(). NULL with e set on failure. */
struct http_mhd *http_mhd_new(uv_loop_t *loop, struct mock *mock,
                              struct err *e);

/* Closes every connection at once; requests still held are gone for the mock.
 * Memory goes when the loop has let go; then done, which may be NULL, is
 * called. Accepts NULL (done is not called). */
void http_mhd_free(struct http_mhd *h, void (*done)(void *ctx), void *ctx);

/* What each request says about encryption: struct mock_request's tls. For a
 * relay in front that ends TLS. false at the start. */
void http_mhd_set_tls(struct http_mhd *h, bool tls);

/* after_turn is called whenever the mock was given requests or time, so that
 * its facts can be taken. It may act on the mock, with http_mhd_changed(). */
void http_mhd_on_turn(struct http_mhd *h,
                      void (*after_turn)(void *ctx, int64_t now_ms), void *ctx);

/* A new connection: one end of a socketpair, yours; MHD serves the other.
 * -1 when there is no descriptor left. Fits wire_inside_fn. */
int http_mhd_connect(void *http_mhd);

/* Listen on host:port (0: any) without a relay in front. Once at most.
 * Returns the port, or -1 with e set. */
int http_mhd_listen(struct http_mhd *h, const char *host, int port,
                    struct err *e);

/* Somebody has acted on the mock (a push, an override): send the answers that
 * are ready and look at its deadline again. */
void http_mhd_changed(struct http_mhd *h);

#endif
