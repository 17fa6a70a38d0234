/*
 * The append-only event log: everything that a play saw and did, one XML
 * element a line, readable however it was cut off. docs/event-log.md lists
 * the events and their attributes.
 */
#ifndef COMMON_LOG_EVENTS_H
#define COMMON_LOG_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "buf.h"
#include "err.h"

#define EVENT_MAX_ATTRS 24

struct event_attr {
    const char *name; /* a literal, or borrowed with the event */
    const char *value;
};

/* One event. Values given to event_set() are copied into the event. */
struct event {
    const char *name; /* element name: "req", "res", "ev", ... */
    uint64_t seq;     /* counts the events of one log from 1 */
    int64_t t_ms;     /* since the play began */
    struct event_attr attrs[EVENT_MAX_ATTRS];
    size_t attr_count;
    const char *data; /* raw bytes that go with it, borrowed; NULL: none */
    size_t data_len;
    struct buf store; /* the values */
    size_t offsets[EVENT_MAX_ATTRS];
};

void event_init(struct event *ev, const char *name);
void event_release(struct event *ev);
/* Add an attribute; a NULL value adds nothing. name must be a literal. */
void event_set(struct event *ev, const char *name, const char *value);
void event_setf(struct event *ev, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* An attribute's value, or NULL. Borrowed until the event changes. */
const char *event_get(const struct event *ev, const char *name);
long long event_int(const struct event *ev, const char *name,
                    long long otherwise);

/* Where events go. */
struct event_sink {
    void *ctx;
    void (*add)(void *ctx, const struct event *ev);
};

/* The event as one line, newline included. Data that would not survive an XML
 * parser (control characters, invalid UTF-8) is written as base64. */
void event_write(struct buf *out, const struct event *ev);

/*
 * Read one line.
 *
 * ev    filled in on 1; free with event_release(); data is borrowed from it
 *
 * Returns 1, 0 for a line that is empty or cut off, -1 with e set for one
 * that is no event.
 */
int event_read(const char *line, size_t len, struct event *ev, struct err *e);

/* All events of a file, in order; a last line that was cut off is left out
 * and said through *cut. Returns 0, or -1 with e (path:line: ...). */
int event_read_file(const char *path, const struct event_sink *sink, int *cut,
                    struct err *e);

#endif
