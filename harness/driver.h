/*
 * Driver processes: the client under test behind JSON Lines (docs/drivers.md).
 *
 * One process serves many sessions, each with a number that is never used
 * twice in its life. Everything here runs on the loop's thread. A process
 * that writes what it must not, does not answer in time or ends by itself is
 * broken: it is killed, and each of its sessions is told once that it is lost.
 *
 * Processes get a process group of their own, so that a shell and what it
 * started go together. The caller ignores SIGPIPE. Times are the loop's
 * milliseconds.
 */
#ifndef HARNESS_DRIVER_H
#define HARNESS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "common/err.h"
#include "stage.h"

/* What a process may say at most. */
#define DRIVER_MAX_LINE                                                        \
    ((1u << 20) + (64u << 10))        /* bytes: a stanza, and                  \
                                         what is around it */
#define DRIVER_MAX_TOTAL (256u << 20) /* bytes in its life */
#define DRIVER_MAX_RATE 20000u        /* lines in a second */
#define DRIVER_MAX_STDERR (1u << 20)  /* bytes kept */
#define DRIVER_MAX_UNREAD (16u << 20) /* bytes it has not read */

struct driver;
struct driver_session;

struct driver_options {
    char *const *argv; /* NULL-terminated; borrowed for the call */
    /* Where its stderr goes; copied. NULL: nowhere. The file appears with the
     * first byte. */
    const char *stderr_path;
    int hello_ms;  /* to answer hello and the verb that does not exist */
    int verb_ms;   /* to answer any other verb */
    int quit_ms;   /* to end after quit, then again after SIGTERM */
    unsigned salt; /* makes the verb that does not exist */
};

/* 20 s, 10 s, 2 s. */
struct driver_options driver_options_default(void);

/* What hello said; borrowed until the driver is gone. */
struct driver_hello {
    char *name;
    char *version;
    char **verbs; /* NULL-terminated, as are the next two */
    char **events;
    char **options;
    unsigned sessions; /* at once; 0: no limit */
};

struct driver_sink {
    void *ctx;
    /* Hello is answered well. Once at most. */
    void (*ready)(void *ctx);
    /* It is of no more use: broken, crashed or stopped. Sessions were told
     * before. Once; the process may still have to be reaped. why is for a
     * person; "" when driver_stop() asked for it. */
    void (*lost)(void *ctx, const char *why);
    /* The process is reaped, its pipes are closed, and the driver is freed
     * after this call. Once, the last call. */
    void (*gone)(void *ctx);
};

struct driver_session_sink {
    void *ctx;
    /* A verb is answered: "ok", "unsupported" or "error". state: JSON text
     * that came with save, or NULL. */
    void (*result)(void *ctx, int64_t now_ms, unsigned client, const char *verb,
                   const char *result, const char *reason, const char *state);
    void (*said)(void *ctx, int64_t now_ms, const struct said *said);
    /* A ping took that long: the process, or the machine, was busy. */
    void (*late)(void *ctx, int64_t now_ms, int64_t late_ms);
    /* The process is lost, and with it this session, which is freed after
     * the call. The last call. */
    void (*lost)(void *ctx, int64_t now_ms, const char *why);
};

/*
 * Start a process and say hello.
 *
 * Returns the driver, which frees itself once gone() was called; NULL with e
 * set when there is no such program, or no process to be had.
 */
struct driver *driver_start(uv_loop_t *loop, const struct driver_options *o,
                            const struct driver_sink *sink, struct err *e);

/* Ask it to quit, then SIGTERM, then SIGKILL, quit_ms apart. Its sessions are
 * lost. May be called twice. */
void driver_stop(struct driver *d);

/* The same without asking: SIGTERM at once. */
void driver_kill(struct driver *d);

/* NULL until ready. */
const struct driver_hello *driver_hello(const struct driver *d);
bool driver_knows_verb(const struct driver *d, const char *verb);
bool driver_knows_event(const struct driver *d, const char *kind);
bool driver_knows_option(const struct driver *d, const char *option);
int driver_pid(const struct driver *d);
size_t driver_session_count(const struct driver *d);

/*
 * Take a new session number.
 *
 * client  comes back in the sink's calls
 *
 * Returns the session, freed by driver_session_close() or after lost();
 * NULL when the driver is lost or not ready.
 */
struct driver_session *
driver_session_open(struct driver *d, const struct driver_session_sink *sink,
                    unsigned client);

/* While the process still owes the answer to a ping, it is as late as that
 * already: calls late(). Accepts NULL. */
void driver_session_own_up(struct driver_session *s);

/* No more calls for it; what the process still says of it is ignored.
 * Accepts NULL. */
void driver_session_close(struct driver_session *s);

/* Give it a verb; result() comes later. state: JSON text from save, for
 * restore, or NULL. */
void driver_session_verb(struct driver_session *s, const struct verb *verb,
                         const char *state);

#endif
