/* The streams of a session: see cmstream.h. */
#include "cmstream.h"

#include <stdlib.h>
#include <string.h>

struct cmstream *cmstream_add(struct cmstreams *list, struct cmsession *s)
{
    struct cmstream **link = &list->first;
    struct cmstream *st = mem_alloc(sizeof *st);

    while (*link)
        link = &(*link)->next;
    *link = st;
    list->count++;
    st->session = s;
    return st;
}

static void release_end(struct cmstream *st)
{
    st->ending = false;
    free(st->end_condition);
    st->end_condition = NULL;
    buf_release(&st->end_xml);
}

void cmstream_release_all(struct cmstreams *list)
{
    while (list->first) {
        struct cmstream *next = list->first->next;

        cmstream_close(list->first, 0);
        free(list->first);
        list->first = next;
    }
    memset(list, 0, sizeof *list);
}

struct cmstream *cmstream_named(const struct cmstreams *list, const char *name)
{
    struct cmstream *st = list->first;

    while (st && strcmp(st->name, name) != 0)
        st = st->next;
    return st;
}

struct cmstream *cmstream_numbered(const struct cmstreams *list, size_t number)
{
    struct cmstream *st = list->first;

    while (st && number-- > 0)
        st = st->next;
    return st;
}

bool cmstream_is_open(const struct cmstream *st)
{
    return st->backend && !st->ending;
}

size_t cmstream_open_count(const struct cmstreams *list)
{
    size_t n = 0;

    for (const struct cmstream *st = list->first; st; st = st->next)
        n += cmstream_is_open(st) ? 1 : 0;
    return n;
}

void cmstream_queue(struct cmstreams *list, struct cmstream *st,
                    const char *xml, size_t len)
{
    if (!st->queue.len)
        st->turn = ++list->turn;
    buf_add(&st->queue, xml, len);
}

size_t cmstream_queued_len(const struct cmstreams *list)
{
    size_t len = 0;

    for (const struct cmstream *st = list->first; st; st = st->next)
        len += st->queue.len;
    return len;
}

/* What comes from a stream before the client knows its name would be for
 * nobody. */
struct cmstream *cmstream_to_speak(const struct cmstreams *list)
{
    struct cmstream *found = NULL;

    for (struct cmstream *st = list->first; st; st = st->next) {
        if (!st->announced)
            continue;
        if (st->ending)
            return st;
        if (st->queue.len && !st->withheld &&
            (!found || st->turn < found->turn))
            found = st;
    }
    return found;
}

bool cmstream_is_withholding(const struct cmstreams *list)
{
    const struct cmstream *st = list->first;

    while (st && !(st->announced && st->withheld))
        st = st->next;
    return st != NULL;
}

void cmstream_count_answer(struct cmstreams *list)
{
    for (struct cmstream *st = list->first; st; st = st->next) {
        if (st->announced && st->withheld)
            st->withheld--;
    }
}

void cmstream_end(struct cmstream *st, const char *condition, const char *xml,
                  size_t len)
{
    st->ending = true;
    st->end_condition = mem_dup(condition);
    buf_add(&st->end_xml, xml, xml ? len : 0);
}

void cmstream_close(struct cmstream *st, int64_t now_ms)
{
    backend_close(st->backend);
    st->backend = NULL;
    st->closed_ms = now_ms;
    st->withheld = 0;
    buf_release(&st->queue);
    release_end(st);
}
