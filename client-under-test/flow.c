/* What a session sends, and when: see flow.h. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "store.h"
#include "tap.h"

/* The rid window when the manager names none: §11 sets no limit then. */
#define DEFAULT_WINDOW 5

/* Without a wait to go by (polling sessions) an answer may take so long. */
#define POLLING_TIMEOUT_MS 10000

/* A polling session whose manager sets no `polling`, or 0. */
#define DEFAULT_POLLING_MS 1000

/* The part of the manager's inactivity after which we do not stay silent. */
#define INACTIVITY_NUMERATOR 4
#define INACTIVITY_DENOMINATOR 5

/* A manager that answers empty polls sooner than this does not hold them; a
 * few are free, since a newer request makes it let go of an older one. */
#define HASTY_MS 100
#define HASTY_FREE 3
#define HASTY_FIRST_MS 100
#define HASTY_MAX_MS 1000

/* A key sequence is so long, and up to 255 longer. */
#define KEYS_COUNT_LEAST 256

/* ---- Limits of time ------------------------------------------------------ */

static struct window_limits limits_of(const struct bosh *s)
{
    double wait_ms = s->wait_s > 0 ? s->wait_s * 1000.0 : POLLING_TIMEOUT_MS;
    struct window_limits limits = {0, 0};

    if (s->options.timeout > 0)
        limits.primary_ms = (int64_t)(wait_ms * s->options.timeout + 0.5);
    if (s->options.secondary_timeout > 0) {
        limits.secondary_ms =
            (int64_t)(wait_ms * s->options.secondary_timeout + 0.5);
        if (limits.secondary_ms < s->options.secondary_min_ms)
            limits.secondary_ms = s->options.secondary_min_ms;
    }
    return limits;
}

/* How long the manager keeps a session that is silent; -1: for ever. */
static int64_t inactivity_ms(const struct bosh *s)
{
    if (s->state == SESSION_PAUSED && !s->pause_unsent)
        return s->pause_s * INT64_C(1000);
    /* 0 cannot be kept by anybody. */
    return s->inactivity_s > 0 ? s->inactivity_s * INT64_C(1000) : -1;
}

/* When silence must be broken. */
static int64_t wake_ms(const struct bosh *s)
{
    int64_t limit = inactivity_ms(s);

    if (limit < 0)
        return BOSH_NEVER;
    return s->quiet_ms + limit * INACTIVITY_NUMERATOR / INACTIVITY_DENOMINATOR;
}

/* When silence has killed the session; only with nothing on the wire. */
static int64_t silence_ms(const struct bosh *s)
{
    int64_t limit = inactivity_ms(s);

    if (!s->sid || limit < 0 || window_on_wire(&s->window) > 0)
        return BOSH_NEVER;
    return s->quiet_ms + limit + 1;
}

/* First repeat at once, then n cubed seconds, at most the primary time-out,
 * and never so long that the session dies meanwhile. */
static int64_t back_off_ms(const struct bosh *s, int attempts)
{
    int64_t delay = (int64_t)attempts * attempts * attempts * 1000;
    int64_t longest = limits_of(s).primary_ms;
    int64_t limit = inactivity_ms(s);

    if (!s->options.back_off || attempts < 2)
        return 0;
    if (longest > 0 && delay > longest)
        delay = longest;
    limit = limit * INACTIVITY_NUMERATOR / INACTIVITY_DENOMINATOR;
    return limit > 0 && delay > limit ? limit : delay;
}

/* ---- New requests -------------------------------------------------------- */

static bool is_polling_session(const struct bosh *s)
{
    return s->wait_s == 0 || s->hold == 0 || s->requests == 1;
}

int flow_window(const struct bosh *s)
{
    if (s->requests < 0)
        return DEFAULT_WINDOW;
    return s->requests > 0 ? s->requests : 1;
}

/*
 * May one more be open? §11: never more than `requests`, one more for a pause
 * or a terminate. And no rid may run so far ahead that the answer to the
 * oldest open one falls out of the manager's buffer, §14.3.
 */
static bool may_open(const struct bosh *s, int extra)
{
    uint64_t span = (uint64_t)flow_window(s);
    int open = window_unanswered(&s->window);

    if (open >= s->options.max_open + extra)
        return false;
    if (open == 0)
        return true;
    return (uint64_t)open < span + (uint64_t)extra &&
           s->rid - s->window.first->rid < span + (uint64_t)extra;
}

static int64_t now_if(bool yes)
{
    return yes ? 0 : BOSH_NEVER;
}

/* When a poll may go, with nothing open. */
static int64_t poll_ms(const struct bosh *s)
{
    int64_t wake = wake_ms(s);

    return s->poll_from_ms < wake ? s->poll_from_ms : wake;
}

/* When a new request may be made; 0: now; BOSH_NEVER: not before something
 * else has changed. */
static int64_t next_new_ms(const struct bosh *s)
{
    bool open = window_unanswered(&s->window) > 0;

    if (session_is_over(s) || s->state == SESSION_CREATING || s->over ||
        s->end_by_ms > 0)
        return BOSH_NEVER;
    if (s->state == SESSION_CLOSING)
        return now_if(!s->end_sent && may_open(s, 1));
    if (s->state == SESSION_PAUSED && s->pause_unsent)
        return now_if(may_open(s, 1));
    if (s->restart)
        return now_if(!open);
    if (s->next.len > 0)
        return now_if(may_open(s, 0));
    if (s->state == SESSION_PAUSED || s->held_back)
        return open ? BOSH_NEVER : wake_ms(s);
    if (s->queue.len > 0 && s->state == SESSION_ONLINE)
        return now_if(may_open(s, 0));
    return open ? BOSH_NEVER : poll_ms(s);
}

static void add(struct bosh *s, enum exchange_kind kind, struct buf *bytes,
                int64_t now_ms)
{
    size_t len = bytes->len;

    tap_xml_output(&s->options.taps, buf_str(bytes), len);
    window_add(&s->window, s->rid, kind, buf_take(bytes), len, now_ms);
    s->rid++; /* not for a repeat: it keeps its rid, §14.3 */
}

/* How many keys: §15.3 wants a number that cannot be guessed. */
static int key_count(const struct bosh *s)
{
    uint8_t more = 0;

    if (s->options.keys_count > 0)
        return s->options.keys_count;
    s->options.random.fill(s->options.random.ctx, &more, sizeof more);
    return KEYS_COUNT_LEAST + more;
}

static void start_keys(struct bosh *s, char newkey[KEYS_HEX_LEN + 1])
{
    uint8_t seed[KEYS_SEED_LEN];

    s->options.random.fill(s->options.random.ctx, seed, sizeof seed);
    keys_start(&s->keys, seed, sizeof seed, key_count(s), newkey);
}

/* §15.5: the last key goes along with the first of the next sequence. */
static void add_keys(struct bosh *s, struct body_request *r,
                     char key[KEYS_HEX_LEN + 1], char newkey[KEYS_HEX_LEN + 1])
{
    if (!keys_take(&s->keys, key))
        return;
    r->key = key;
    if (s->keys.next > 0)
        return;
    start_keys(s, newkey);
    r->newkey = newkey;
}

/* §9.2: left out when all answers have come. */
static uint64_t ack_of(const struct bosh *s)
{
    return s->acks && s->window.first ? s->window.first->rid - 1 : 0;
}

void flow_create(struct bosh *s, int64_t now_ms)
{
    struct buf bytes = BUF_INIT;
    char newkey[KEYS_HEX_LEN + 1];
    struct body_creation c = {
        .rid = s->rid,
        .to = login_domain(s->login),
        .wait_s = s->options.wait_s,
        .hold = s->options.hold,
        .lang = s->options.lang,
        .route = s->options.route,
        .content = s->options.content,
        .ack = s->options.ack,
    };

    if (s->options.keys) {
        start_keys(s, newkey);
        c.newkey = newkey;
    }
    s->acks = c.ack;
    body_write_creation(&bytes, &c);
    add(s, EXCHANGE_CREATE, &bytes, now_ms);
}

/* Payloads of r are taken out of from. */
static void make(struct bosh *s, enum exchange_kind kind,
                 struct body_request *r, struct buf *from, int64_t now_ms)
{
    struct buf bytes = BUF_INIT;
    char key[KEYS_HEX_LEN + 1];
    char newkey[KEYS_HEX_LEN + 1];

    r->rid = s->rid;
    r->sid = s->sid;
    r->ack = ack_of(s);
    add_keys(s, r, key, newkey);
    r->payload = buf_str(from);
    r->payload_len = from->len;
    body_write(&bytes, r);
    r->key = r->newkey = NULL; /* which are on our stack */
    buf_clear(from);
    if (s->send_refused && s->queue.len == 0) {
        s->send_refused = false;
        events_add_drained(&s->events);
    }
    add(s, kind, &bytes, now_ms);
}

static void make_restart(struct bosh *s, int64_t now_ms)
{
    struct buf nothing = BUF_INIT;
    char *from = login_restart_from(s->login);
    struct body_request r = {.restart_to = login_domain(s->login),
                             .from = from,
                             .lang = s->options.lang};

    s->restart = false;
    make(s, EXCHANGE_RESTART, &r, &nothing, now_ms);
    free(from);
}

static void make_pause(struct bosh *s, int64_t now_ms)
{
    struct body_request r = {.pause_s = s->pause_s};

    s->pause_unsent = false;
    make(s, EXCHANGE_PAUSE, &r, &s->queue, now_ms);
}

static void make_end(struct bosh *s, int64_t now_ms)
{
    struct body_request r = {.terminate = true};

    s->end_sent = true;
    make(s, EXCHANGE_TERMINATE, &r, &s->queue, now_ms);
}

static void make_plain(struct bosh *s, struct buf *from, int64_t now_ms)
{
    enum exchange_kind kind = from->len ? EXCHANGE_PAYLOAD : EXCHANGE_POLL;
    struct body_request r = {0};

    make(s, kind, &r, from, now_ms);
}

static void make_next(struct bosh *s, int64_t now_ms)
{
    struct buf nothing = BUF_INIT;

    if (s->state == SESSION_CLOSING)
        make_end(s, now_ms);
    else if (s->state == SESSION_PAUSED && s->pause_unsent)
        make_pause(s, now_ms);
    else if (s->restart)
        make_restart(s, now_ms);
    else if (s->next.len > 0)
        make_plain(s, &s->next, now_ms);
    else if (s->state == SESSION_ONLINE && !s->held_back)
        make_plain(s, &s->queue, now_ms);
    else
        make_plain(s, &nothing, now_ms);
}

/* A pause is over shortly before the manager would say so. */
static void end_pause(struct bosh *s)
{
    struct happening h = {0};
    bool held_back = s->held_back;

    if (s->state != SESSION_PAUSED || s->pause_unsent)
        return;
    session_happen(s, ON_RESUME, &h);
    s->held_back = held_back;
}

static void make_if_due(struct bosh *s, int64_t now_ms)
{
    struct happening h = {.now_ms = now_ms};

    if (next_new_ms(s) > now_ms)
        return;
    if (s->rid > BOSH_RID_MAX) {
        session_happen(s, ON_RIDS_SPENT, &h);
        return;
    }
    end_pause(s);
    make_next(s, now_ms);
    store_keep(s);
}

int flow_next_request(struct bosh *s, int64_t now_ms, struct bosh_request *req)
{
    struct exchange *x;

    flow_tick(s, now_ms);
    if (s->over || s->end_by_ms > 0)
        return 0;
    x = window_due(&s->window, now_ms);
    if (!x) {
        make_if_due(s, now_ms);
        x = window_due(&s->window, now_ms);
    }
    if (!x)
        return 0;
    window_sent(x, ++s->next_id, now_ms);
    req->id = x->id;
    req->rid = x->rid;
    req->attempt = x->attempts;
    req->body = x->bytes;
    req->len = x->len;
    req->coding = NULL;
    tap_raw_output(&s->options.taps, x->bytes, x->len);
    return 1;
}

/* ---- Answers and failures ------------------------------------------------ */

void flow_note_answer(struct bosh *s, const struct exchange *x, int64_t now_ms)
{
    int64_t wait = HASTY_FIRST_MS;

    s->poll_from_ms = 0;
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
        window_again(&s->window, x, now_ms + back_off_ms(s, x->attempts));
}

/* §17.3: x and every earlier unanswered one again, unchanged. */
static void recover(struct bosh *s, struct exchange *x, int64_t now_ms)
{
    int64_t due_ms = now_ms + back_off_ms(s, x->attempts);
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
        session_take_answers(s, now_ms, false);
    }
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
    struct window_limits limits = limits_of(s);
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
        session_take_answers(s, now_ms, true);
    if (s->state == SESSION_CLOSING && now_ms >= s->close_by_ms) {
        session_take_answers(s, now_ms, true);
        session_happen(s, ON_CLOSE_LATE, &h);
    }
    if (now_ms >= silence_ms(s)) {
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
    struct window_limits limits = limits_of(s);
    int64_t deadline = next_new_ms(s);

    if (session_is_over(s))
        return BOSH_NEVER;
    if (s->end_by_ms > 0)
        return s->end_by_ms;
    if (s->state == SESSION_CLOSING)
        deadline = earlier(deadline, s->close_by_ms);
    if (!s->over)
        deadline = earlier(deadline, window_deadline(&s->window, &limits));
    return earlier(deadline, silence_ms(s));
}
