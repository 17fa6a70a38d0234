/* Transmissions, their answers and failures, and time: see flow.h. */
#include "flow.h"

#include <stdio.h>

#include "answers.h"
#include "outgoing.h"
#include "store.h"
#include "tap.h"
#include "times.h"

/* A polling session whose manager sets no `polling`, or 0. */
#define DEFAULT_POLLING_MS 1000

/* A manager that answers empty polls sooner than this does not hold them; a
 * few are free, since a newer request makes it let go of an older one. */
#define HASTY_MS 100
#define HASTY_FREE 3
#define HASTY_FIRST_MS 100
#define HASTY_MAX_MS 1000

/* Bytes below which a coding is not worth it: its header takes 24, a poll of
 * 110 shrinks to 103, and a message of 260 to 195. */
#define CODED_MIN 256

/* Not the creation, nor anything in a session whose manager did not say that
 * it undoes it: XEP-0124 §7.2. A repeat is the same body, and so coded alike,
 * unless the manager has refused that meanwhile. */
static bool is_coded(const struct bosh *s, const struct exchange *x)
{
    return s->options.compress && s->takes_gzip && x->len >= CODED_MIN;
}

int flow_next_request(struct bosh *s, int64_t now_ms, struct bosh_request *req)
{
    struct exchange *x;

    flow_tick(s, now_ms);
    if (s->over || s->end_by_ms > 0)
        return 0;
    x = window_due(&s->window, now_ms);
    if (!x) {
        outgoing_make(s, now_ms);
        x = window_due(&s->window, now_ms);
    }
    if (!x) {
        store_refresh(s);
        return 0;
    }
    window_sent(x, ++s->next_id, now_ms);
    req->id = x->id;
    req->rid = x->rid;
    req->attempt = x->attempts;
    req->body = x->bytes;
    req->len = x->len;
    x->coded = is_coded(s, x);
    req->coding = x->coded ? "gzip" : NULL;
    tap_raw_output(&s->options.taps, x->bytes, x->len);
    return 1;
}

/* ---- Answers and failures ------------------------------------------------ */

static bool is_polling_session(const struct bosh *s)
{
    return s->wait_s == 0 || s->hold == 0 || s->requests == 1;
}

void flow_note_answer(struct bosh *s, const struct exchange *x, int64_t now_ms)
{
    int64_t wait = HASTY_FIRST_MS;

    s->poll_from_ms = 0;
    s->hurry = s->hurry && !bosh_settled(s);
    if (x->kind != EXCHANGE_POLL || body_has_payload(x->answer)) {
        s->hasty = 0;
        return;
    }
    if (is_polling_session(s)) {
        wait = s->polling_s > 0 ? s->polling_s * INT64_C(1000)
                                : DEFAULT_POLLING_MS;
        /* From the answer: the request came to the manager before that. */
        s->poll_from_ms = now_ms + wait;
        return;
    }
    s->hasty = now_ms - x->sent_ms < HASTY_MS ? s->hasty + 1 : 0;
    if (s->hasty <= HASTY_FREE)
        return;
    for (int i = HASTY_FREE + 1; i < s->hasty && wait < HASTY_MAX_MS; i++)
        wait *= 2;
    s->poll_from_ms = now_ms + (wait < HASTY_MAX_MS ? wait : HASTY_MAX_MS);
}

/* One more error in a row. True when it was the last. */
static bool count_error(struct bosh *s, int64_t now_ms, const char *reason)
{
    struct happening h = {.now_ms = now_ms, .text = reason};

    s->quiet_ms = now_ms;
    s->errors++;
    if (s->over) {
        /* Not worth another try: the manager has ended it already. */
        session_happen(s, ON_END_ANSWERED, &h);
        return true;
    }
    if (s->options.max_errors <= 0 || s->errors < s->options.max_errors)
        return false;
    session_happen(s, ON_TOO_MANY, &h);
    return true;
}

static void fail(struct bosh *s, struct exchange *x, int64_t now_ms,
                 const char *reason)
{
    /* Off the wire by itself: there is nothing to abort. */
    x->state = EXCHANGE_DUE;
    if (!count_error(s, now_ms, reason))
        window_again(&s->window, x, now_ms + times_back_off_ms(s, x->attempts));
}

/* §17.3: x and every earlier unanswered one again, unchanged. */
static void recover(struct bosh *s, struct exchange *x, int64_t now_ms)
{
    int64_t due_ms = now_ms + times_back_off_ms(s, x->attempts);
    struct exchange *lower;

    x->state = EXCHANGE_DUE;
    if (count_error(s, now_ms, "the manager answered type='error'"))
        return;
    for (lower = s->window.first; lower != x; lower = lower->next) {
        if (lower->state != EXCHANGE_ANSWERED)
            window_again(&s->window, lower, due_ms);
    }
    window_again(&s->window, x, due_ms);
}

/* A 4xx that speaks of the moment, not of the session. */
static bool is_passing(int http_status)
{
    return http_status == 408 || http_status == 429;
}

/* §9.2: the manager has answered that one, and we never saw it. A repeat that
 * went out since then has been seen to already. */
static void note_report(struct bosh *s, const struct body *b, int64_t now_ms)
{
    struct exchange *x = s->window.first;

    if (!s->acks || b->report == 0)
        return;
    while (x && x->rid != b->report)
        x = x->next;
    if (x && x->state == EXCHANGE_SENT && now_ms - x->sent_ms >= b->time_ms)
        window_again(&s->window, x, now_ms);
}

static void accept_body(struct bosh *s, struct exchange *x, const char *data,
                        size_t len, int64_t now_ms)
{
    struct err e = {""};
    struct body *b = body_read(data, len, &e);

    if (!b) {
        fail(s, x, now_ms, e.text);
    } else if (body_is_error(b)) {
        body_free(b);
        recover(s, x, now_ms);
    } else {
        s->errors = 0;
        window_answer(&s->window, x, b, now_ms);
        note_report(s, b, now_ms);
        answers_take(s, now_ms, false);
    }
}

/* HTTP 415: the manager, or somebody before it, undoes no coding after all, and
 * has not read that request. Again without one, as all that follow. A 400 is
 * not taken for that: §17.1 has another meaning for it. */
static bool is_about_the_coding(const struct bosh *s, const struct exchange *x,
                                int http_status)
{
    return http_status == 415 && x->coded && !s->over;
}

static void send_plain(struct bosh *s, struct exchange *x, int64_t now_ms)
{
    s->takes_gzip = false;
    x->state = EXCHANGE_DUE;
    window_again(&s->window, x, now_ms);
}

void flow_answer(struct bosh *s, int64_t now_ms, uint64_t id, int http_status,
                 const char *data, size_t len)
{
    struct exchange *x = window_find(&s->window, id);
    struct happening h = {.now_ms = now_ms, .number = http_status};
    char reason[64];

    if (!x)
        return;
    s->quiet_ms = now_ms;
    if (http_status == 200) {
        tap_raw_input(&s->options.taps, data, len);
        accept_body(s, x, data, len, now_ms);
    } else if (is_about_the_coding(s, x, http_status)) {
        send_plain(s, x, now_ms);
    } else if (http_status >= 400 && http_status < 500 &&
               !is_passing(http_status)) {
        x->state = EXCHANGE_DUE;
        session_happen(s, ON_REFUSED, &h);
    } else {
        snprintf(reason, sizeof reason, "HTTP status %d", http_status);
        fail(s, x, now_ms, reason);
    }
}

void flow_fail(struct bosh *s, int64_t now_ms, uint64_t id, const char *reason)
{
    struct exchange *x = window_find(&s->window, id);

    if (x)
        fail(s, x, now_ms, reason);
}

/* ---- Time ------------------------------------------------------------------
 */

/* Time-outs are repeated at once: the waiting has been done. */
static void expire(struct bosh *s, int64_t now_ms)
{
    struct window_limits limits = times_limits(s);
    struct exchange *x;

    while ((x = window_expired(&s->window, now_ms, &limits)) != NULL) {
        window_again(&s->window, x, now_ms);
        if (count_error(s, now_ms, "no answer in time"))
            return;
    }
}

void flow_tick(struct bosh *s, int64_t now_ms)
{
    struct happening h = {.now_ms = now_ms};

    if (session_is_over(s))
        return;
    if (s->end_by_ms > 0 && now_ms >= s->end_by_ms)
        answers_take(s, now_ms, true);
    if (s->state == SESSION_CLOSING && now_ms >= s->close_by_ms) {
        answers_take(s, now_ms, true);
        session_happen(s, ON_CLOSE_LATE, &h);
    }
    if (now_ms >= times_silence_ms(s)) {
        session_happen(s, ON_SILENCE, &h);
        return;
    }
    if (!s->over && s->end_by_ms == 0)
        expire(s, now_ms);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t flow_deadline(const struct bosh *s)
{
    struct window_limits limits = times_limits(s);
    int64_t deadline = outgoing_next_ms(s);

    if (session_is_over(s))
        return BOSH_NEVER;
    if (s->end_by_ms > 0)
        return s->end_by_ms;
    if (store_is_stale(s))
        return 0;
    if (s->state == SESSION_CLOSING)
        deadline = earlier(deadline, s->close_by_ms);
    if (!s->over)
        deadline = earlier(deadline, window_deadline(&s->window, &limits));
    return earlier(deadline, times_silence_ms(s));
}
