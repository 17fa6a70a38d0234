/*
 * A plan for bytes on their way: pieces, each after a delay, and how it ends.
 *
 * The faults of the response side are all plans (a truncated answer is fewer
 * bytes and a FIN; a drip is many pieces); the wire layer, on sockets or
 * virtual, carries plans out and does not know what they mean. Pure data.
 */
#ifndef COMMON_DELIVERY_H
#define COMMON_DELIVERY_H

#include <stddef.h>
#include <stdint.h>

enum delivery_end {
    DELIVERY_KEEP, /* the connection goes on (or closes as HTTP says) */
    DELIVERY_FIN,
    DELIVERY_RST,
    DELIVERY_HALF, /* our FIN; go on reading */
    DELIVERY_HANG, /* stays open, and nothing more is ever sent on it */
};

struct delivery_piece {
    int64_t after_ms; /* since the piece before it, or the call */
    char *bytes;
    size_t len;
};

struct delivery {
    struct delivery_piece *pieces;
    size_t piece_count;
    enum delivery_end end;
    int64_t end_after_ms;
};

void delivery_init(struct delivery *d);
void delivery_release(struct delivery *d);
void delivery_add(struct delivery *d, int64_t after_ms, const char *bytes,
                  size_t len); /* copied */
void delivery_copy(struct delivery *to, const struct delivery *from);
size_t delivery_len(const struct delivery *d);

/* "keep", "fin", "rst", "half-close", "hang". */
const char *delivery_end_name(enum delivery_end end);

#endif
