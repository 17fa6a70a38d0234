/*
 * Which driver process plays which case: one process for as many sessions as
 * it takes, one of its own for a case that asks for that. Loop's thread only.
 */
#ifndef HARNESS_DRIVER_POOL_H
#define HARNESS_DRIVER_POOL_H

#include "driver.h"

/* So many processes at once, and so many of them that have not answered hello:
 * a start is work, a process that plays mostly waits. */
#define DRIVER_POOL_MAX_PROCESSES 32
#define DRIVER_POOL_MAX_STARTING 4

/* So many starts may fail in a row, before and after the first success; then
 * no more is tried. */
#define DRIVER_POOL_FAILURES_FIRST 2
#define DRIVER_POOL_FAILURES_LATER 4

struct driver_pool;
struct driver_lease;

/* What became of a wish. */
enum driver_grant {
    DRIVER_GRANTED,
    DRIVER_TOO_FEW, /* a process does not take so many sessions at once */
    DRIVER_NONE,    /* no process can be had */
};

/* Called once; lease is NULL unless granted, and why then says why not. */
typedef void (*driver_pool_fn)(void *ctx, enum driver_grant grant,
                               struct driver_lease *lease, const char *why);

/* options are borrowed until the pool is freed; but their stderr_path is not
 * used: each process writes to dir/driver-<n>.stderr. */
struct driver_pool *driver_pool_new(uv_loop_t *loop,
                                    const struct driver_options *options,
                                    const char *dir);

/* Stop all processes; done() once they are gone, then the pool is freed.
 * Nobody who waits is called any more; leases are given back before. */
void driver_pool_free(struct driver_pool *p, void (*done)(void *ctx),
                      void *ctx);

/* Start the first process, before memory grows. 0, or -1 with e. */
int driver_pool_warm(struct driver_pool *p, struct err *e);

/* Ask for room for so many sessions in one process. fn is called from the
 * loop, never from inside, and however long others take: there is no time
 * limit but theirs. ctx names the wish for driver_pool_forget(). */
void driver_pool_lease(struct driver_pool *p, unsigned sessions, bool own,
                       driver_pool_fn fn, void *ctx);
/* The same for a play that has begun and gave its process back: one of its
 * own, before all others and beyond the limit of processes. */
void driver_pool_lease_again(struct driver_pool *p, unsigned sessions,
                             driver_pool_fn fn, void *ctx);
/* No longer wanted: fn will not be called. */
void driver_pool_forget(struct driver_pool *p, const void *ctx);

/* The process, or NULL when it is lost. */
struct driver *driver_lease_driver(const struct driver_lease *l);
/* Give it back. A process of its own is stopped. Accepts NULL. */
void driver_lease_free(struct driver_lease *l);

/* What the first process said at hello; "" before. */
const char *driver_pool_peer_name(const struct driver_pool *p);
const char *driver_pool_peer_version(const struct driver_pool *p);

#endif
