/* The requests of a session that are not over yet: see window.h. */
#include "window.h"

#include <stdlib.h>

#include "bosh.h"

/* Repeats after which the secondary limit no longer doubles; by then the
 * primary one binds anyway. */
#define DOUBLINGS_MAX 16

/* For a repeat to arrive. */
#define OVERTAKE_MS 100

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    body_free(x->answer);
    free(x->bytes);
    free(x);
}

static void abort_id(struct window *w, uint64_t id)
{
    w->aborts = mem_grow(w->aborts, (w->abort_count + 1) * sizeof *w->aborts);
    w->aborts[w->abort_count++] = id;
}

/* Off the wire, if it is on it. */
static void give_up(struct window *w, const struct exchange *x)
{
    if (x->state == EXCHANGE_SENT)
        abort_id(w, x->id);
}

void window_clear(struct window *w)
{
    while (w->first) {
        struct exchange *x = w->first;

        w->first = x->next;
        give_up(w, x);
        exchange_free(x);
    }
}

void window_release(struct window *w)
{
    window_clear(w);
    free(w->aborts);
    w->aborts = NULL;
    w->abort_count = 0;
}

struct exchange *window_add(struct window *w, uint64_t rid,
                            enum exchange_kind kind, char *bytes, size_t len,
                            int64_t now_ms)
{
    struct exchange *x = mem_alloc(sizeof *x);
    struct exchange **end = &w->first;

    x->rid = rid;
    x->kind = kind;
    x->state = EXCHANGE_DUE;
    x->bytes = bytes;
    x->len = len;
    x->due_ms = now_ms;
    x->passed_ms = -1;
    while (*end)
        end = &(*end)->next;
    *end = x;
    return x;
}

/* When the repeats below end should have arrived, those too that are still to
 * go; 0: there are none. */
static int64_t arrival_ms(const struct window *w, const struct exchange *end)
{
    const struct exchange *x;
    int64_t from = 0;

    for (x = w->first; x != end; x = x->next) {
        int64_t at = x->due_ms > from ? x->due_ms : from;

        if (x->state == EXCHANGE_SENT)
            at = x->sent_ms;
        if (x->state != EXCHANGE_ANSWERED && x->again &&
            from < at + OVERTAKE_MS)
            from = at + OVERTAKE_MS;
    }
    return from;
}

int64_t window_arrival_ms(const struct window *w)
{
    return arrival_ms(w, NULL);
}

static int64_t due_of(const struct window *w, const struct exchange *x)
{
    int64_t at = arrival_ms(w, x);

    return at > x->due_ms ? at : x->due_ms;
}

struct exchange *window_due(const struct window *w, int64_t now_ms)
{
    struct exchange *x;

    for (x = w->first; x; x = x->next) {
        if (x->state == EXCHANGE_DUE && due_of(w, x) <= now_ms)
            return x;
    }
    return NULL;
}

void window_sent(struct exchange *x, uint64_t id, int64_t now_ms)
{
    x->state = EXCHANGE_SENT;
    x->id = id;
    x->sent_ms = now_ms;
    x->attempts++;
}

struct exchange *window_find(const struct window *w, uint64_t id)
{
    struct exchange *x;

    for (x = w->first; x; x = x->next) {
        if (x->state == EXCHANGE_SENT && x->id == id)
            return x;
    }
    return NULL;
}

void window_answer(struct window *w, struct exchange *x, struct body *answer,
                   int64_t now_ms)
{
    struct exchange *lower;

    x->state = EXCHANGE_ANSWERED;
    x->answer = answer;
    for (lower = w->first; lower && lower != x; lower = lower->next) {
        if (lower->state != EXCHANGE_ANSWERED && lower->passed_ms < 0)
            lower->passed_ms = now_ms;
    }
}

void window_again(struct window *w, struct exchange *x, int64_t due_ms)
{
    give_up(w, x);
    x->state = EXCHANGE_DUE;
    x->due_ms = due_ms;
    x->again = true;
}

void window_hurry(struct window *w, int64_t now_ms)
{
    struct exchange *x;

    for (x = w->first; x; x = x->next) {
        if (x->state == EXCHANGE_DUE && x->due_ms > now_ms)
            x->due_ms = now_ms;
    }
}

static bool any_answered(const struct window *w)
{
    const struct exchange *x;

    for (x = w->first; x; x = x->next) {
        if (x->state == EXCHANGE_ANSWERED)
            return true;
    }
    return false;
}

struct exchange *window_take(struct window *w, bool skip)
{
    struct exchange *x;

    while (skip && any_answered(w) && w->first->state != EXCHANGE_ANSWERED) {
        x = w->first;
        w->first = x->next;
        give_up(w, x);
        exchange_free(x);
    }
    x = w->first;
    if (!x || x->state != EXCHANGE_ANSWERED)
        return NULL;
    w->first = x->next;
    x->next = NULL;
    return x;
}

int window_unanswered(const struct window *w)
{
    const struct exchange *x;
    int count = 0;

    for (x = w->first; x; x = x->next)
        count += x->state != EXCHANGE_ANSWERED;
    return count;
}

int window_on_wire(const struct window *w)
{
    const struct exchange *x;
    int count = 0;

    for (x = w->first; x; x = x->next)
        count += x->state == EXCHANGE_SENT;
    return count;
}

bool window_is_busy(const struct window *w)
{
    const struct exchange *x;

    for (x = w->first; x; x = x->next) {
        if (x->state != EXCHANGE_ANSWERED && x->kind != EXCHANGE_POLL)
            return true;
    }
    return false;
}

int window_next_abort(struct window *w, uint64_t *id)
{
    if (w->abort_count == 0)
        return 0;
    *id = w->aborts[--w->abort_count];
    return 1;
}

static int64_t doubled(int64_t ms, int times, int64_t max)
{
    if (times > DOUBLINGS_MAX)
        times = DOUBLINGS_MAX;
    ms <<= times;
    return max > 0 && ms > max ? max : ms;
}

int64_t window_expiry(const struct exchange *x,
                      const struct window_limits *limits)
{
    int64_t expiry = BOSH_NEVER;

    if (x->state != EXCHANGE_SENT)
        return BOSH_NEVER;
    if (limits->primary_ms > 0)
        expiry = x->sent_ms + limits->primary_ms;
    if (limits->secondary_ms > 0 && x->passed_ms >= 0) {
        int64_t from = x->passed_ms > x->sent_ms ? x->passed_ms : x->sent_ms;
        int64_t second = from + doubled(limits->secondary_ms, x->attempts - 1,
                                        limits->primary_ms);

        if (second < expiry)
            expiry = second;
    }
    return expiry;
}

struct exchange *window_expired(const struct window *w, int64_t now_ms,
                                const struct window_limits *limits)
{
    struct exchange *x;

    for (x = w->first; x; x = x->next) {
        if (window_expiry(x, limits) <= now_ms)
            return x;
    }
    return NULL;
}

int64_t window_deadline(const struct window *w,
                        const struct window_limits *limits)
{
    const struct exchange *x;
    int64_t deadline = BOSH_NEVER;

    for (x = w->first; x; x = x->next) {
        int64_t at =
            x->state == EXCHANGE_DUE ? due_of(w, x) : window_expiry(x, limits);

        if (at < deadline)
            deadline = at;
    }
    return deadline;
}
