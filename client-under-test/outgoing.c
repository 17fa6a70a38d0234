/* New requests: see outgoing.h. */
#include "outgoing.h"

#include <stdlib.h>

#include "store.h"
#include "tap.h"
#include "times.h"

/* The rid window when the manager names none: §11 sets no limit then. */
#define DEFAULT_WINDOW 5

/* A key sequence is so long, and up to 255 longer. */
#define KEYS_COUNT_LEAST 256

/* ---- What may go, and when ------------------------------------------------
 */

int outgoing_window(const struct bosh *s)
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
    uint64_t span = (uint64_t)outgoing_window(s);
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

/* When a poll may go, with nothing open: §12, unless the session would be dead
 * by then. */
static int64_t poll_ms(const struct bosh *s)
{
    return s->poll_from_ms < times_silence_ms(s) - 1 ? s->poll_from_ms
                                                     : times_wake_ms(s);
}

/*
 * When an empty request may make the manager let go of stanzas' own, which it
 * holds like any other. Two requests that fill `requests` may not come within
 * `polling` of each other if the second is empty, §11; the network moves them.
 * What is said at a login has an answer, and its restart would have to wait
 * for such a request.
 */
static int64_t release_ms(const struct bosh *s)
{
    const struct exchange *x = s->window.first;

    if (!s->hurry || s->state == SESSION_LOGIN || s->hold == 0 ||
        s->wait_s == 0 || !may_open(s, 0) || !window_is_busy(&s->window))
        return BOSH_NEVER;
    while (x->next)
        x = x->next;
    if (x->state == EXCHANGE_DUE)
        return BOSH_NEVER; /* it has to be there first */
    return s->polling_s > 0 ? x->sent_ms + s->polling_s * INT64_C(1100) : 0;
}

/* It closes with its last piece, so those before that go first. */
static bool may_close(const struct bosh *s, const struct stream *st)
{
    return st->close_unsent && queue_count(&s->queue, st->number) < 2 &&
           queue_count(&s->queue, BOSH_ALL_STREAMS) == 0;
}

/* The first stream that wants to say something of its own: open, log in,
 * close. */
static struct stream *speaker(const struct bosh *s)
{
    struct stream *st = s->streams;

    while (st && !(st->open_unsent || st->restart || st->out.len > 0 ||
                   may_close(s, st)))
        st = st->next;
    return st;
}

/* A login is one request after another; in a session of one stream nothing
 * else is open then, and the restart waits for what is. */
static bool may_speak(const struct bosh *s, const struct stream *st)
{
    if (st->restart && !streams_are_several(s))
        return window_unanswered(&s->window) == 0;
    return may_open(s, 0);
}

/* The first piece whose stream can take it. None passes a broadcast, and that
 * waits until no stream is at its login. */
static struct piece *ready_piece(const struct bosh *s)
{
    struct piece *p;

    for (p = s->queue.first; p && p->stream != BOSH_ALL_STREAMS; p = p->next) {
        if (!stream_is_logging_in(stream_at(s, p->stream)))
            return p;
    }
    return p == s->queue.first && !streams_log_in(s) ? p : NULL;
}

/* Pause and end take one piece along; those before it go first. So does one
 * for a single stream of several: an end would give it to all of them, §16.5.
 */
static bool has_more_pieces(const struct bosh *s)
{
    const struct piece *p = s->queue.first;

    if (s->state == SESSION_CLOSING && p && streams_are_several(s) &&
        p->stream != BOSH_ALL_STREAMS)
        return true;
    return queue_pieces(&s->queue) > 1;
}

static int64_t last_word_ms(const struct bosh *s)
{
    return now_if(may_open(s, has_more_pieces(s) ? 0 : 1));
}

/* When there is something to say. */
static int64_t wish_ms(const struct bosh *s)
{
    bool open = window_unanswered(&s->window) > 0;
    const struct stream *st = speaker(s);

    if (session_is_over(s) || s->state == SESSION_CREATING || s->over ||
        s->end_by_ms > 0)
        return BOSH_NEVER;
    if (s->state == SESSION_CLOSING)
        return s->end_sent ? BOSH_NEVER : last_word_ms(s);
    if (s->state == SESSION_PAUSED && s->pause_unsent)
        return last_word_ms(s);
    if (st && may_speak(s, st))
        return 0;
    if (s->state == SESSION_PAUSED || s->held_back)
        return open ? BOSH_NEVER : times_wake_ms(s);
    if (s->state == SESSION_ONLINE && ready_piece(s))
        return now_if(may_open(s, 0));
    if (st)
        return BOSH_NEVER;
    return open ? release_ms(s) : poll_ms(s);
}

int64_t outgoing_next_ms(const struct bosh *s)
{
    int64_t wish = wish_ms(s);
    int64_t arrival = window_arrival_ms(&s->window);

    return wish > arrival ? wish : arrival;
}

/* ---- Keys and acks ------------------------------------------------------ */

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

/* ---- Making it -------------------------------------------------------------
 */

/* The request bytes, taken, becomes the newest one. */
static struct exchange *add(struct bosh *s, enum exchange_kind kind,
                            struct buf *bytes, int64_t now_ms)
{
    size_t len = bytes->len;
    uint64_t rid = s->rid++; /* not for a repeat: it keeps its rid, §14.3 */

    tap_xml_output(&s->options.taps, buf_str(bytes), len);
    return window_add(&s->window, rid, kind, buf_take(bytes), len, now_ms);
}

void outgoing_create(struct bosh *s, int64_t now_ms)
{
    struct buf bytes = BUF_INIT;
    char newkey[KEYS_HEX_LEN + 1];
    struct body_creation c = {
        .rid = s->rid,
        .to = login_domain(s->streams->login),
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

/* The stream's name, where there is a choice: §16.4. */
static const char *name_of(const struct bosh *s, int number)
{
    const struct stream *st = stream_at(s, number);

    return st && streams_are_several(s) ? st->name : NULL;
}

/* All that is common. payload may be NULL. */
static struct exchange *make(struct bosh *s, enum exchange_kind kind,
                             struct body_request *r, const struct buf *payload,
                             int64_t now_ms)
{
    struct buf bytes = BUF_INIT;
    char key[KEYS_HEX_LEN + 1];
    char newkey[KEYS_HEX_LEN + 1];

    r->rid = s->rid;
    r->sid = s->sid;
    r->ack = ack_of(s);
    add_keys(s, r, key, newkey);
    if (payload) {
        r->payload = buf_str(payload);
        r->payload_len = payload->len;
    }
    body_write(&bytes, r);
    r->key = r->newkey = NULL; /* which are on our stack */
    s->granted_s = r->pause_s;
    return add(s, kind, &bytes, now_ms);
}

/* With a piece of the queue, if not NULL, which is taken out. */
static struct exchange *make_with(struct bosh *s, enum exchange_kind kind,
                                  struct body_request *r, struct piece *p,
                                  int64_t now_ms)
{
    struct exchange *x;

    if (p)
        queue_take(&s->queue, p);
    x = make(s, kind, r, p ? &p->xml : NULL, now_ms);
    piece_free(p);
    session_note_room(s);
    return x;
}

static void make_plain(struct bosh *s, struct piece *p, int64_t now_ms)
{
    struct body_request r = {.stream = p ? name_of(s, p->stream) : NULL};

    make_with(s, p ? EXCHANGE_PAYLOAD : EXCHANGE_POLL, &r, p, now_ms);
}

static void make_pause(struct bosh *s, int64_t now_ms)
{
    struct piece *p = s->queue.first;
    struct body_request r = {.pause_s = s->pause_s,
                             .stream = p ? name_of(s, p->stream) : NULL};

    s->pause_unsent = false;
    make_with(s, EXCHANGE_PAUSE, &r, p, now_ms);
}

/* Of all streams: none is named. */
static void make_end(struct bosh *s, int64_t now_ms)
{
    struct body_request r = {.terminate = true};

    s->end_sent = true;
    make_with(s, EXCHANGE_TERMINATE, &r, s->queue.first, now_ms);
}

/* A pause or a terminate, after the pieces that go first. */
static void make_last_word(struct bosh *s, int64_t now_ms)
{
    if (has_more_pieces(s))
        make_plain(s, s->queue.first, now_ms);
    else if (s->state == SESSION_CLOSING)
        make_end(s, now_ms);
    else
        make_pause(s, now_ms);
}

static void make_restart(struct bosh *s, struct stream *st, int64_t now_ms)
{
    char *from = login_restart_from(st->login);
    struct body_request r = {.restart_to = login_domain(st->login),
                             .stream = name_of(s, st->number),
                             .from = from,
                             .lang = s->options.lang};

    st->restart = false;
    make(s, EXCHANGE_RESTART, &r, NULL, now_ms);
    free(from);
}

static void make_open(struct bosh *s, struct stream *st, int64_t now_ms)
{
    struct body_request r = {.open_to = login_domain(st->login),
                             .route = st->route,
                             .lang = s->options.lang};

    st->open_unsent = false;
    make(s, EXCHANGE_OPEN, &r, NULL, now_ms)->stream = st->number;
}

static void make_close(struct bosh *s, struct stream *st, int64_t now_ms)
{
    struct body_request r = {.terminate = true, .stream = st->name};

    st->close_unsent = false;
    make_with(s, EXCHANGE_CLOSE, &r, queue_first(&s->queue, st->number), now_ms)
        ->stream = st->number;
}

static void make_login(struct bosh *s, struct stream *st, int64_t now_ms)
{
    struct body_request r = {.stream = name_of(s, st->number)};

    make(s, EXCHANGE_PAYLOAD, &r, &st->out, now_ms);
    buf_clear(&st->out);
}

static void make_own(struct bosh *s, struct stream *st, int64_t now_ms)
{
    if (st->open_unsent)
        make_open(s, st, now_ms);
    else if (st->close_unsent)
        make_close(s, st, now_ms);
    else if (st->restart)
        make_restart(s, st, now_ms);
    else
        make_login(s, st, now_ms);
}

static void make_next(struct bosh *s, int64_t now_ms)
{
    struct stream *st = speaker(s);

    if (s->state == SESSION_CLOSING ||
        (s->state == SESSION_PAUSED && s->pause_unsent))
        make_last_word(s, now_ms);
    else if (st && may_speak(s, st))
        make_own(s, st, now_ms);
    else if (s->state == SESSION_ONLINE && !s->held_back)
        make_plain(s, ready_piece(s), now_ms);
    else
        make_plain(s, NULL, now_ms);
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

void outgoing_make(struct bosh *s, int64_t now_ms)
{
    struct happening h = {.now_ms = now_ms};

    if (outgoing_next_ms(s) > now_ms)
        return;
    if (s->rid > BOSH_RID_MAX) {
        session_happen(s, ON_RIDS_SPENT, &h);
        return;
    }
    end_pause(s);
    make_next(s, now_ms);
    store_keep(s);
}
