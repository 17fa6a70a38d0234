/* Binary heap of deadlines: see deadlines.h. */
#include "deadlines.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"

void deadlines_release(struct deadlines *h)
{
    free(h->heap);
    memset(h, 0, sizeof *h);
}

static void put(struct deadlines *h, size_t i, struct deadline *d)
{
    h->heap[i] = d;
    d->place = i + 1;
}

static void sift_up(struct deadlines *h, size_t i)
{
    struct deadline *d = h->heap[i];

    while (i > 0 && h->heap[(i - 1) / 2]->at_ms > d->at_ms) {
        put(h, i, h->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, d);
}

static void sift_down(struct deadlines *h, size_t i)
{
    struct deadline *d = h->heap[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count &&
            h->heap[child + 1]->at_ms < h->heap[child]->at_ms)
            child++;
        if (h->heap[child]->at_ms >= d->at_ms)
            break;
        put(h, i, h->heap[child]);
        i = child;
    }
    put(h, i, d);
}

static void take_out(struct deadlines *h, struct deadline *d)
{
    size_t i = d->place - 1;
    struct deadline *last = h->heap[--h->count];

    d->place = 0;
    if (last == d)
        return;
    put(h, i, last);
    sift_up(h, i);
    sift_down(h, last->place - 1);
}

static void add(struct deadlines *h, struct deadline *d)
{
    if (h->count == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 16;
        h->heap = mem_grow(h->heap, h->cap * sizeof(struct deadline *));
    }
    put(h, h->count++, d);
    sift_up(h, d->place - 1);
}

void deadlines_set(struct deadlines *h, struct deadline *d, int64_t at_ms)
{
    if (at_ms == CLOCK_NEVER) {
        if (d->place)
            take_out(h, d);
        d->at_ms = at_ms;
        return;
    }
    d->at_ms = at_ms;
    if (!d->place) {
        add(h, d);
        return;
    }
    sift_up(h, d->place - 1);
    sift_down(h, d->place - 1);
}

struct deadline *deadlines_first(const struct deadlines *h)
{
    return h->count ? h->heap[0] : NULL;
}
