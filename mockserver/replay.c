/* The replay buffer: see replay.h. */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

void replay_init(struct replay *r, size_t depth)
{
    memset(r, 0, sizeof *r);
    r->depth = depth && depth < MOCK_MAX_REPLAY ? depth : MOCK_MAX_REPLAY;
}

void replay_release(struct replay *r)
{
    for (size_t i = 0; i < r->count; i++)
        answer_bytes_drop(r->items[i].body);
    free(r->items);
    r->items = NULL;
    r->count = r->cap = 0;
}

static void drop_oldest(struct replay *r)
{
    answer_bytes_drop(r->items[0].body);
    r->count--;
    memmove(r->items, r->items + 1, r->count * sizeof *r->items);
}

/* Pause answers do not push others out, §14.3. */
static size_t counted(const struct replay *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->count; i++)
        n += !r->items[i].pause;
    return n;
}

static void trim(struct replay *r, uint64_t acked)
{
    while (r->count > MOCK_MAX_REPLAY)
        drop_oldest(r);
    while (r->count && counted(r) > r->depth && r->items[0].rid <= acked)
        drop_oldest(r);
}

void replay_add(struct replay *r, uint64_t rid, int64_t sent_ms, bool pause,
                struct answer_bytes *body, uint64_t acked)
{
    struct replay_item *item;

    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 4;
        r->items = mem_grow(r->items, r->cap * sizeof *r->items);
    }
    item = &r->items[r->count++];
    memset(item, 0, sizeof *item);
    item->rid = rid;
    item->sent_ms = sent_ms;
    item->pause = pause;
    item->body = answer_bytes_keep(body);
    trim(r, acked);
}

struct replay_item *replay_find(struct replay *r, uint64_t rid)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].rid == rid)
            return &r->items[i];
    }
    return NULL;
}
