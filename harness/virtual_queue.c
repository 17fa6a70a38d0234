/* Things that happen at a moment of virtual time: see virtual_queue.h. */
#include "virtual_queue.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"

struct happening *happenings_add(struct happenings *q, int64_t at_ms, int kind,
                                 unsigned x)
{
    struct happening **at = &q->first;
    struct happening *h = mem_alloc(sizeof *h);

    h->at_ms = at_ms;
    h->kind = kind;
    h->x = x;
    while (*at && (*at)->at_ms <= at_ms)
        at = &(*at)->next;
    h->next = *at;
    *at = h;
    return h;
}

int64_t happenings_deadline(const struct happenings *q)
{
    return q->first ? q->first->at_ms : CLOCK_NEVER;
}

struct happening *happenings_take(struct happenings *q, int64_t now_ms)
{
    struct happening *h = q->first;

    if (!h || h->at_ms > now_ms)
        return NULL;
    q->first = h->next;
    return h;
}

void happening_free(struct happening *h)
{
    if (!h)
        return;
    free(h->bytes);
    free(h);
}

void happenings_release(struct happenings *q)
{
    while (q->first) {
        struct happening *h = q->first;

        q->first = h->next;
        happening_free(h);
    }
}
