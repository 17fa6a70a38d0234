/*
 * A client under test that is only told where to go: a program that finds URL,
 * JID and password in its environment (docs/drivers.md, --driver=url).
 *
 * It has no protocol. stdin is empty; what it writes goes to a file, up to a
 * limit. It and what it has started are one process group: a launcher may
 * end and leave its client behind. Loop's thread only.
 */
#ifndef HARNESS_DRIVER_PROGRAM_H
#define HARNESS_DRIVER_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "common/err.h"
#include "driver_watch.h"

#define PROGRAM_MAX_OUTPUT (1u << 20) /* bytes kept */
#define PROGRAM_MAX_ENV 12

struct program;

struct program_options {
    char *const *argv; /* NULL-terminated; borrowed for the call */
    /* Beside our own environment, without what is BOSHSPEC_... there; a value
     * NULL is left out. */
    struct {
        const char *name, *value;
    } env[PROGRAM_MAX_ENV];
    /* stdout and stderr; appended. The file appears with the first byte. */
    const char *output_path;
    int quit_ms;                /* from SIGTERM to SIGKILL */
    struct driver_watch *watch; /* borrowed until gone(); may be NULL */
};

struct program_sink {
    void *ctx;
    /* It has ended, and nothing of its group is left. how is for a person:
     * "ended with status 3; it wrote: ...". Once at most, not after
     * program_free(). */
    void (*ended)(void *ctx, const char *how);
    /* No handle is left, and the program is freed. The last call. */
    void (*gone)(void *ctx);
};

/* Start it. NULL with e set when there is no process to be had; gone() is
 * called then as well, from the loop. */
struct program *program_start(uv_loop_t *loop, const struct program_options *o,
                              const struct program_sink *sink, struct err *e);

/* SIGTERM to its group, then SIGKILL. May be called again. */
void program_stop(struct program *p);

/* Has it ended, and all of its group? */
bool program_over(const struct program *p);

/* No more ended(); whatever lives is stopped, and gone() follows. Accepts
 * NULL. */
void program_free(struct program *p);

#endif
