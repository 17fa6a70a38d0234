/*
 * The sessions' deadlines, soonest first: a binary heap whose members know
 * their place, so that a deadline can be moved or taken out at any time.
 */
#ifndef MOCKSERVER_DEADLINES_H
#define MOCKSERVER_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in whoever has a deadline; zeroed at the start. */
struct deadline {
    int64_t at_ms;
    size_t place; /* 0: not in the heap; else 1 + index */
};

struct deadlines {
    struct deadline **heap;
    size_t count;
    size_t cap;
};

void deadlines_release(struct deadlines *h);

/* Set or move; CLOCK_NEVER takes it out. */
void deadlines_set(struct deadlines *h, struct deadline *d, int64_t at_ms);

/* The soonest, or NULL. Stays in the heap until it is moved. */
struct deadline *deadlines_first(const struct deadlines *h);

#endif
