/*
 * The requests of a session that are not over yet, in the order of their rids.
 *
 * XEP-0124 §14. Holds each request's bytes unchanged until its answer was
 * taken, so that a repeat is an exact copy (§14.3); keeps answers that came
 * early until it is their turn (§14.2); knows when a request has been open
 * for too long. Decides nothing about what a session sends. Pure.
 */
#ifndef CLIENT_WINDOW_H
#define CLIENT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "body.h"

enum exchange_state {
    EXCHANGE_DUE,     /* to be sent at due_ms, first time or again */
    EXCHANGE_SENT,    /* on the wire since sent_ms */
    EXCHANGE_ANSWERED /* waits for those before it */
};

enum exchange_kind {
    EXCHANGE_CREATE,
    EXCHANGE_POLL, /* empty */
    EXCHANGE_PAYLOAD,
    EXCHANGE_RESTART,
    EXCHANGE_OPEN,  /* another stream, §16.3 */
    EXCHANGE_CLOSE, /* one of several streams, §16.5 */
    EXCHANGE_PAUSE,
    EXCHANGE_TERMINATE
};
#define EXCHANGE_KIND_COUNT 8

struct exchange {
    struct exchange *next; /* the next higher rid */
    uint64_t rid;
    enum exchange_kind kind;
    int stream; /* of EXCHANGE_OPEN and EXCHANGE_CLOSE: its number */
    enum exchange_state state;
    char *bytes;
    size_t len;
    int attempts;    /* transmissions so far */
    bool coded;      /* the latest one has a content coding */
    bool again;      /* the manager may have it already; see window_due() */
    uint64_t id;     /* of the latest one */
    int64_t sent_ms; /* when it was sent last */
    int64_t due_ms;
    int64_t passed_ms; /* a later one was answered then; -1: none was */
    struct body *answer;
};

struct window {
    struct exchange *first; /* lowest rid */
    uint64_t *aborts;       /* ids that somebody must give up */
    size_t abort_count;
};

void window_release(struct window *w);

/* Drop all requests; those on the wire go to the list of aborts. */
void window_clear(struct window *w);

/* A new request, due now; its rid is above all others'. bytes is taken.
 * Borrowed until it is taken or dropped. */
struct exchange *window_add(struct window *w, uint64_t rid,
                            enum exchange_kind kind, char *bytes, size_t len,
                            int64_t now_ms);

/*
 * The lowest one that is to be sent by now; NULL when there is none. Those
 * above a repeat wait for it, and a moment longer for it to arrive: to a
 * manager that knew that one, and has not answered it, and sees the next one
 * first, the repeat may be outside of its window (Prosody 0.12 is one).
 */
struct exchange *window_due(const struct window *w, int64_t now_ms);

/* No new request before, for the same reason; 0: at any time. */
int64_t window_arrival_ms(const struct window *w);

/* It is on the wire now, as transmission id. */
void window_sent(struct exchange *x, uint64_t id, int64_t now_ms);

/* The request whose latest transmission is id, and still on the wire; NULL
 * for any other. */
struct exchange *window_find(const struct window *w, uint64_t id);

/* Keep its answer, taken. Those below that are still open have been passed. */
void window_answer(struct window *w, struct exchange *x, struct body *answer,
                   int64_t now_ms);

/* Send it again at due_ms. A transmission on the wire is aborted. */
void window_again(struct window *w, struct exchange *x, int64_t due_ms);

/* A repeat may go at once, whatever its back-off. */
void window_hurry(struct window *w, int64_t now_ms);

/* Take the lowest one if it is answered: yours, free with exchange_free().
 * skip: also drop unanswered ones below an answered one. NULL when nothing
 * can be taken. */
struct exchange *window_take(struct window *w, bool skip);
void exchange_free(struct exchange *x);

/* Requests without an answer; and how many of these are on the wire. */
int window_unanswered(const struct window *w);
int window_on_wire(const struct window *w);

/* Is anything unanswered that is more than a poll? */
bool window_is_busy(const struct window *w);

/* Take an id that must be given up. Returns 1, or 0 when there is none. */
int window_next_abort(struct window *w, uint64_t *id);

/* How long a request may stay open, ms; 0 or less: for ever. */
struct window_limits {
    int64_t primary_ms;   /* since it was sent */
    int64_t secondary_ms; /* since a later one was answered; doubled with
                           * each repeat, up to primary_ms */
};

/* When that is over for x; BOSH_NEVER when x is not on the wire. */
int64_t window_expiry(const struct exchange *x,
                      const struct window_limits *limits);

/* The first one that is over by now, or NULL. */
struct exchange *window_expired(const struct window *w, int64_t now_ms,
                                const struct window_limits *limits);

/* The next moment at which one is due or over; BOSH_NEVER for none. */
int64_t window_deadline(const struct window *w,
                        const struct window_limits *limits);

#endif
