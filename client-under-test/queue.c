/* What the application wants sent: see queue.h. */
#include "queue.h"

#include <stdlib.h>

void piece_free(struct piece *p)
{
    if (!p)
        return;
    buf_release(&p->xml);
    free(p);
}

void queue_add(struct queue *q, int stream, const char *xml, size_t len)
{
    struct piece **end = &q->first;
    struct piece *last = NULL;

    if (len == 0)
        return;
    for (; *end; end = &(*end)->next)
        last = *end;
    if (!last || last->stream != stream) {
        last = mem_alloc(sizeof *last);
        last->stream = stream;
        *end = last;
    }
    buf_add(&last->xml, xml, len);
    q->len += len;
}

void queue_take(struct queue *q, struct piece *p)
{
    struct piece **at = &q->first;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->next = NULL;
    q->len -= p->xml.len;
}

int queue_count(const struct queue *q, int stream)
{
    const struct piece *p;
    int count = 0;

    for (p = q->first; p; p = p->next)
        count += p->stream == stream;
    return count;
}

int queue_pieces(const struct queue *q)
{
    const struct piece *p;
    int count = 0;

    for (p = q->first; p; p = p->next)
        count++;
    return count;
}

struct piece *queue_first(const struct queue *q, int stream)
{
    struct piece *p = q->first;

    while (p && p->stream != stream)
        p = p->next;
    return p;
}

void queue_drop(struct queue *q, int stream)
{
    struct piece *p;

    while ((p = queue_first(q, stream)) != NULL) {
        queue_take(q, p);
        piece_free(p);
    }
}

void queue_clear(struct queue *q)
{
    while (q->first) {
        struct piece *p = q->first;

        queue_take(q, p);
        piece_free(p);
    }
}
