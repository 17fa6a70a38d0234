/*
 * What a session has to tell its application, in order. Pure.
 */
#ifndef CLIENT_EVENTS_H
#define CLIENT_EVENTS_H

#include "bosh.h"

struct event_item;

struct events {
    struct event_item *first;
    struct event_item *last;
    struct event_item *taken; /* lends its strings to the application */
};

void events_release(struct events *e);
void events_clear(struct events *e); /* what was taken stays lent */

/* stream is its number; condition and detail are copied; either may be NULL. */
void events_add_status(struct events *e, int stream, enum bosh_status status,
                       const char *condition, const char *detail);

/* xml is taken. */
void events_add_drained(struct events *e);
void events_add_stanza(struct events *e, int stream, uint64_t rid, char *xml,
                       size_t len);

/* See bosh_next_event(). */
int events_take(struct events *e, struct bosh_event *out);

#endif
