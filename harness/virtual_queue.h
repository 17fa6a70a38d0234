/* Things that happen at a moment of virtual time, in order of time, and of
 * being put in where times are equal. */
#ifndef HARNESS_VIRTUAL_QUEUE_H
#define HARNESS_VIRTUAL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/delivery.h"

struct happening {
    struct happening *next;
    int64_t at_ms;
    int kind; /* the stage's own enum */
    unsigned x;
    unsigned conn;
    enum delivery_end how;
    bool flag;
    char *bytes;
    size_t len;
    unsigned pieces; /* in which the bytes came */
    const char *why; /* a literal */
};

struct happenings {
    struct happening *first;
};

/* A new one, put in its place; fill in the rest. Owned by the queue. */
struct happening *happenings_add(struct happenings *q, int64_t at_ms, int kind,
                                 unsigned x);
int64_t happenings_deadline(const struct happenings *q);
/* The first one that is due; yours, happening_free(). NULL: none. */
struct happening *happenings_take(struct happenings *q, int64_t now_ms);
void happening_free(struct happening *h);
void happenings_release(struct happenings *q);

#endif
