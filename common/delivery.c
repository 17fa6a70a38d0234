/* A plan for bytes on their way: see delivery.h. */
#include "delivery.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

void delivery_init(struct delivery *d)
{
    memset(d, 0, sizeof *d);
}

void delivery_release(struct delivery *d)
{
    for (size_t i = 0; i < d->piece_count; i++)
        free(d->pieces[i].bytes);
    free(d->pieces);
    delivery_init(d);
}

void delivery_add(struct delivery *d, int64_t after_ms, const char *bytes,
                  size_t len)
{
    struct delivery_piece *piece;

    d->pieces = mem_grow(d->pieces, (d->piece_count + 1) * sizeof *d->pieces);
    piece = &d->pieces[d->piece_count++];
    piece->after_ms = after_ms;
    piece->bytes = mem_dupn(bytes, len);
    piece->len = len;
}

void delivery_copy(struct delivery *to, const struct delivery *from)
{
    delivery_init(to);
    for (size_t i = 0; i < from->piece_count; i++)
        delivery_add(to, from->pieces[i].after_ms, from->pieces[i].bytes,
                     from->pieces[i].len);
    to->end = from->end;
    to->end_after_ms = from->end_after_ms;
}

size_t delivery_len(const struct delivery *d)
{
    size_t len = 0;

    for (size_t i = 0; i < d->piece_count; i++)
        len += d->pieces[i].len;
    return len;
}

const char *delivery_end_name(enum delivery_end end)
{
    switch (end) {
    case DELIVERY_KEEP:
        return "keep";
    case DELIVERY_FIN:
        return "fin";
    case DELIVERY_RST:
        return "rst";
    case DELIVERY_HALF:
        return "half-close";
    case DELIVERY_HANG:
        return "hang";
    }
    return "";
}
