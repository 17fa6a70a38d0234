/*
 * Stanzas that the application wants sent, each for a stream, in order.
 *
 * A request carries the stanzas of one stream (XEP-0124 §16.4), so what is
 * queued for the same stream in a row is one piece. Pure.
 */
#ifndef CLIENT_QUEUE_H
#define CLIENT_QUEUE_H

#include <stdbool.h>

#include "common/buf.h"

struct piece {
    struct piece *next;
    int stream; /* its number, or BOSH_ALL_STREAMS */
    struct buf xml;
};

struct queue {
    struct piece *first;
    size_t len; /* bytes of all pieces */
};

/* Behind all others. */
void queue_add(struct queue *q, int stream, const char *xml, size_t len);

/* Take a piece out of it: yours, free with piece_free(). */
void queue_take(struct queue *q, struct piece *p);
void piece_free(struct piece *p);

/* How many pieces there are for that stream; of all streams together. */
int queue_count(const struct queue *q, int stream);
int queue_pieces(const struct queue *q);

/* The first piece for that stream, or NULL. */
struct piece *queue_first(const struct queue *q, int stream);

void queue_drop(struct queue *q, int stream);
void queue_clear(struct queue *q);

#endif
