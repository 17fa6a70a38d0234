/*
 * Requests a second: libbosh's driver, and libcurl used bare in the same way
 * (one thread, socket actions, epoll), against the same server in another
 * thread of this process.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_MESSAGE                                                          \
    "<message xmlns='jabber:client' to='echo@localhost' type='chat'>"          \
    "<body>what is said</body></message>"

/* Each answers a message with a message. */
enum bench_kind {
    BENCH_NOTHING, /* always the same bytes, whatever the request: it costs
                    * as good as nothing */
    BENCH_MOCK     /* our mock */
};

struct bench_server;

/* NULL when there is no socket for it. */
struct bench_server *bench_server_start(enum bench_kind kind);
/* Yours, free with free(). */
char *bench_server_url(const struct bench_server *s);
/* Only after the clients have gone. */
void bench_server_stop(struct bench_server *s);

/* A session at the server, logged in by hand. */
struct bench_session {
    char sid[64];
    uint64_t rid; /* of the next request */
};
void bench_log_in(const char *url, struct bench_session *session);

/* So many sessions side by side, each sending again once it is answered, for
 * so long. The number of answers a second. */
double bench_libbosh(const char *url, size_t count, int64_t ms);
double bench_libcurl(const char *url, size_t count, int64_t ms);

#endif
