/*
 * Sessions driven by libcurl: any number of them, one thread, one loop.
 *
 * The only file of the library that does I/O and looks at the clock. Each
 * session has connections of its own, kept alive between requests, so that
 * one session's broken connection is no other's. HTTP/1.1; nothing is taken
 * from the environment, such as a proxy; certificates are checked; answers may
 * be gzip or deflate.
 *
 * Redirects: 307 and 308 are followed with the POST kept, as long as scheme,
 * host and port stay the same. All others count as failures, for they would
 * turn the POST into a GET, or show our sid to somebody else.
 *
 * libcurl would repeat a POST by itself when a connection that it had kept
 * open turns out to be dead before a byte of the answer came. It may not once
 * it has sent any of the body: repeats are the session's affair, which counts
 * them.
 */
#ifndef CLIENT_DRIVER_CURL_H
#define CLIENT_DRIVER_CURL_H

#include "bosh.h"

struct driver;

/* NULL when the system has no descriptors left. Free with driver_free(),
 * which removes all sessions but does not free them. */
struct driver *driver_new(void);
void driver_free(struct driver *d);

/* Called from driver_turn() and driver_pump(). It may call verbs of s, but
 * neither free s nor remove it. */
struct driver_hook {
    void (*event)(void *ctx, struct bosh *s, const struct bosh_event *event);
    void *ctx;
};

/* Drive s: its options say where to. Borrowed until driver_remove(). Returns
 * 0, or -1 when its address is none for BOSH; driver_last_error() says why. */
int driver_add(struct driver *d, struct bosh *s, struct driver_hook hook);

/* "" when nothing went wrong. Borrowed until the next driver_add(). */
const char *driver_last_error(const struct driver *d);

/* Stop driving s, at once and without a word; connections are closed. */
void driver_remove(struct driver *d, struct bosh *s);

/* Do what s wants right now; after each verb. */
void driver_pump(struct driver *d, struct bosh *s);

/* Also watch a descriptor: readable is called when it can be read. One only;
 * -1 ends it. */
void driver_watch(struct driver *d, int fd, void (*readable)(void *ctx),
                  void *ctx);

/* Wait until something happens, at most max_ms (negative: as long as it
 * takes), and deal with it. Returns 0, or -1 with errno set. */
int driver_turn(struct driver *d, int64_t max_ms);

/* The clock that sessions of this driver go by. */
int64_t driver_now_ms(void);

#endif
