/*
 * The stage on sockets: one case, played once, with everything that belongs
 * to that play and to no other: a wire, the log, and in the client role a
 * mock, its HTTP front and sessions of a driver.
 *
 * A play goes through: started, over (the steps have ended), settling (what
 * is still on its way arrives), signing off, finished (played() is called),
 * closed (gone() is called). Everything happens on the loop's thread, each
 * phase under a bound.
 */
#ifndef HARNESS_STAGE_SOCKETS_H
#define HARNESS_STAGE_SOCKETS_H

#include <uv.h>

#include "common/log_events.h"
#include "common/wire.h"
#include "driver_pool.h"
#include "play.h"

/* What stands between us and the client under test. */
enum driver_kind {
    DRIVER_LINE,   /* a process that obeys: driver.h */
    DRIVER_URL,    /* a program that is told where to go: driver_program.h */
    DRIVER_MANUAL, /* a person who is told so */
};

/* What all plays of a run share. Borrowed until the last one is gone. */
struct stage_world {
    uv_loop_t *loop;
    double timeout_factor;
    uint64_t seed;
    const char *peer;    /* for the log: a command or a URL */
    const char *started; /* for the log: wall-clock time */

    /* each event as it happens, secrets redacted; add NULL: nobody looks */
    struct event_sink seen;

    /* client role */
    const struct certs *certs; /* for managers with TLS, or NULL */
    enum driver_kind driver;
    struct driver_pool *pool; /* LINE */
    char *const *argv;        /* URL: the program */
    struct driver_watch *watch;
    int patience_ms; /* URL, MANUAL: until the first connection */
    const char *dir; /* URL: for what the program writes */

    /* server role */
    struct wire_target target;
    const char *host_header;
    const char *path;
    const char *domain;
    const struct account *accounts;
    size_t account_count;
    bool anonymous;
    bool hostile;
    int64_t max_wait_ms;
};

/* One play. Strings are borrowed for the call, tc until gone(). */
struct stage_order {
    const struct testcase *tc;
    bool own_process;     /* a driver process of its own even if the case does
                             not ask for one */
    size_t first_account; /* see struct play_setting */
    bool alone;           /* the server has no other play to serve */
    const char *log_path; /* written as things happen, line by line */
};

/* How a play ended. Strings are borrowed for the call. */
struct stage_outcome {
    struct journal *journal; /* finished; yours, journal_free() */
    enum play_end end;
    const char *because;
    int line;
    int64_t took_ms;  /* from the start to the end of the steps */
    bool driver_lost; /* the process crashed, or broke the protocol */
    bool has_status;  /* what the driver reports */
    bool has_stanza;
};

struct stage_sink {
    void *ctx;
    /* Server role, while it goes on: an answer was lost, and we had not given
     * it up. Once; or NULL. */
    void (*lost)(void *ctx);
    /* Server role: it took so long to answer what is answered at once; or
     * NULL. */
    void (*slow)(void *ctx, int64_t now_ms, int64_t ms);
    /* The play is finished. Once; not when stage_sockets_start() failed. */
    void (*played)(void *ctx, const struct stage_outcome *outcome);
    /* No socket, timer or file is left, and the stage is freed. The last
     * call. */
    void (*gone)(void *ctx);
};

struct stage_sockets;

/* Start one play. Returns the stage, or NULL with e set (no socket, no log
 * file). */
struct stage_sockets *stage_sockets_start(const struct stage_world *w,
                                          const struct stage_order *order,
                                          const struct stage_sink *sink,
                                          struct err *e);

/* End the play from outside: played() and gone() follow from the loop, with
 * little time for a sign-off. */
void stage_sockets_abort(struct stage_sockets *st, const char *because);

/* Our loop was late. */
void stage_sockets_lag(struct stage_sockets *st, int64_t now_ms,
                       int64_t late_ms);

/* The longest that a play of this case may take before it is ended, and how
 * many driver sessions it needs. */
int64_t stage_sockets_bound_ms(const struct testcase *tc, double factor);
unsigned stage_sockets_clients(const struct testcase *tc);

#endif
