/* A session of libbosh in a storm: see storm.h. */
#include "tests/storm.h"

#include <stdlib.h>
#include <string.h>

#include "tests/storm_answer.h"
#include "tests/storm_watch.h"

/* So much of a failing manager ends any session. */
#define CALM_TURNS 400

struct storm {
    struct fuel fuel;
    struct watch watch;
    struct storm_manager manager;
    struct bosh *s;
    struct bosh_options options;
    int64_t now;
    uint64_t chance;
    char *kept;      /* what the store has; NULL: nothing */
    int store_fails; /* 1: to forget; 2: in all */
    size_t tapped;
};

/* ---- What the session is given --------------------------------------------
 */

static void give_random(void *ctx, void *out, size_t len)
{
    struct storm *st = ctx;
    unsigned char *p = out;

    for (size_t i = 0; i < len; i++) {
        st->chance = st->chance * UINT64_C(6364136223846793005) + 1442695041;
        p[i] = (unsigned char)(st->chance >> 40);
    }
}

static int save(void *ctx, const char *text)
{
    struct storm *st = ctx;

    free(st->kept);
    st->kept = mem_dup(text);
    return st->store_fails && (!text || st->store_fails > 1) ? -1 : 0;
}

static char *load(void *ctx)
{
    struct storm *st = ctx;

    return mem_dup(st->kept);
}

/* Reads all of it, for the sanitizers' sake. */
static void tap(void *ctx, const char *data, size_t len)
{
    struct storm *st = ctx;

    for (size_t i = 0; i < len; i++)
        st->tapped += (unsigned char)data[i];
}

static void choose_numbers(struct bosh_options *o, struct fuel *f)
{
    static const int WAITS[] = {60, 1, 2, 5, 0, 65535};
    static const int HOLDS[] = {1, 2, 0, 255};
    static const int OPEN[] = {2, 1, 3, 8};
    static const int ERRORS[] = {5, 1, 2, 0};
    static const int COUNTS[] = {0, 2, 3, 10};
    static const double TIMEOUTS[] = {1.1, 0, 0.01, 3};
    static const double SECONDARIES[] = {0.1, 0, 0.001};
    static const size_t QUEUES[] = {BOSH_QUEUE_MAX, 300, 60, 1};
    static const int ENDS[] = {3000, 0, 50};

    o->wait_s = FUEL_PICK(f, WAITS);
    o->hold = FUEL_PICK(f, HOLDS);
    o->max_open = FUEL_PICK(f, OPEN);
    o->max_errors = FUEL_PICK(f, ERRORS);
    o->keys_count = FUEL_PICK(f, COUNTS);
    o->timeout = FUEL_PICK(f, TIMEOUTS);
    o->secondary_timeout = FUEL_PICK(f, SECONDARIES);
    o->secondary_min_ms = fuel_seldom(f, 2) ? 0 : 1000;
    o->queue_max = FUEL_PICK(f, QUEUES);
    o->disconnect_ms = FUEL_PICK(f, ENDS);
}

static void choose_options(struct storm *st)
{
    struct bosh_options *o = &st->options;
    struct fuel *f = &st->fuel;
    uint8_t flags = fuel_byte(f);
    uint8_t more = fuel_byte(f);

    bosh_options_init(o);
    o->ack = flags & 1;
    o->keys = flags & 2;
    o->explicit_bind = flags & 4;
    o->back_off = !(flags & 8);
    o->taps.strip = flags & 16;
    o->token = flags & 32 ? "token" : NULL;
    o->cert_file = flags & 64 ? "cert.pem" : NULL;
    o->mechanisms = flags & 128 ? "SCRAM-SHA-1 PLAIN" : NULL;
    if (more & 1)
        o->store = (struct bosh_store){save, load, st};
    st->store_fails = more & 2 ? 1 + (more & 32 ? 1 : 0) : 0;
    if (more & 4)
        o->taps = (struct bosh_taps){tap, tap, tap, tap, o->taps.strip, st};
    o->route = more & 8 ? "xmpp:a:1" : NULL;
    o->compress = more & 64;
    if (more & 16)
        choose_numbers(o, f);
    o->random = (struct bosh_random){give_random, st};
}

static void storm_init(struct storm *st, const uint8_t *data, size_t size,
                       struct storm_sights *sights, struct err *e)
{
    memset(st, 0, sizeof *st);
    st->fuel = (struct fuel){data, size};
    st->now = 1000000;
    st->chance = size;
    storm_manager_init(&st->manager);
    choose_options(st);
    st->s = bosh_new(&st->options);
    st->watch.s = st->s;
    st->watch.e = e;
    st->watch.sights = sights;
    st->watch.max_open = st->options.max_open;
    st->watch.queue_max = st->options.queue_max;
    st->watch.keys = st->options.keys;
    st->watch.compress = st->options.compress;
}

static void storm_release(struct storm *st)
{
    bosh_free(st->s);
    watch_release(&st->watch);
    storm_manager_release(&st->manager);
    free(st->kept);
}

/* ---- Answers --------------------------------------------------------------
 */

static void answer(struct storm *st, uint64_t id, int http_status,
                   const struct buf *body, bool good)
{
    /* Of its own size, so that a byte read too much is noticed. */
    char *copy = mem_dupn(buf_str(body), body->len);
    char *exact = realloc(copy, body->len ? body->len : 1);

    watch_aborts(&st->watch);
    watch_answered(&st->watch, id, good);
    bosh_answer(st->s, st->now, id, http_status, NULL, exact, body->len);
    free(exact);
}

static void answer_well(struct storm *st, unsigned n)
{
    struct watch_request *r = watch_on_wire(&st->watch, n);
    struct buf body = BUF_INIT;

    if (!r)
        return;
    storm_answer_good(&body, &st->manager, r->bytes, &st->fuel);
    answer(st, r->id, 200, &body, true);
    buf_release(&body);
}

static void on_good(struct storm *st)
{
    answer_well(st, fuel_byte(&st->fuel));
}

static void on_spoiled(struct storm *st)
{
    struct watch_request *r = watch_on_wire(&st->watch, fuel_byte(&st->fuel));
    struct buf body = BUF_INIT;

    if (!r)
        return;
    storm_answer_good(&body, &st->manager, r->bytes, &st->fuel);
    for (unsigned i = fuel_below(&st->fuel, 3); i > 0; i--)
        storm_spoil(&body, &st->fuel);
    answer(st, r->id, 200, &body, false);
    buf_release(&body);
}

static void on_built(struct storm *st)
{
    struct watch_request *r = watch_on_wire(&st->watch, fuel_byte(&st->fuel));
    struct buf body = BUF_INIT;

    if (!r)
        return;
    storm_answer_built(&body, r->rid, &st->fuel);
    if (fuel_seldom(&st->fuel, 8))
        storm_spoil(&body, &st->fuel);
    answer(st, r->id, 200, &body, false);
    buf_release(&body);
}

static void on_raw(struct storm *st)
{
    struct watch_request *r = watch_on_wire(&st->watch, fuel_byte(&st->fuel));
    struct buf body = BUF_INIT;
    size_t len;
    const char *bytes = fuel_bytes(&st->fuel, 255, &len);

    buf_add(&body, bytes, len);
    /* Also to what is not open, or never was. */
    answer(st, r ? r->id : fuel_number(&st->fuel), 200, &body, false);
    buf_release(&body);
}

static void on_http_status(struct storm *st)
{
    static const int STATUSES[] = {503, 400, 404, 403, 415, 200, 204,
                                   302, 408, 429, 500, 0,   -1,  999};
    struct watch_request *r = watch_on_wire(&st->watch, fuel_byte(&st->fuel));
    struct buf none = BUF_INIT;

    if (r)
        answer(st, r->id, FUEL_PICK(&st->fuel, STATUSES), &none, false);
}

static void on_fail(struct storm *st)
{
    struct watch_request *r = watch_on_wire(&st->watch, fuel_byte(&st->fuel));
    uint64_t id = r ? r->id : fuel_number(&st->fuel);

    watch_aborts(&st->watch);
    watch_answered(&st->watch, id, false);
    bosh_fail(st->s, st->now, id, fuel_seldom(&st->fuel, 2) ? "reset" : NULL);
}

/* ---- Time -----------------------------------------------------------------
 */

static void on_moment(struct storm *st)
{
    st->now += fuel_byte(&st->fuel);
}

static void on_long_time(struct storm *st)
{
    st->now += (int64_t)(fuel_number(&st->fuel) % (INT64_C(1) << 32));
}

static void on_deadline(struct storm *st)
{
    int64_t deadline = bosh_deadline_ms(st->s);

    if (deadline != BOSH_NEVER && deadline > st->now)
        st->now = deadline;
}

static void on_tick(struct storm *st)
{
    bosh_tick(st->s, st->now);
}

/* ---- Verbs ----------------------------------------------------------------
 */

#define CALL(st, call)                                                         \
    do {                                                                       \
        struct watch_look look_;                                               \
                                                                               \
        watch_look(&(st)->watch, &look_);                                      \
        watch_returned(&(st)->watch, (call), &look_);                          \
    } while (0)

/* What was told before belongs to the last session. */
static void before_beginning(struct storm *st, struct watch_look *look)
{
    watch_turn(&st->watch, st->now);
    watch_look(&st->watch, look);
}

static void after_beginning(struct storm *st, int rc, bool created,
                            const struct watch_look *look)
{
    watch_returned(&st->watch, rc, look);
    if (rc == 0)
        watch_begin(&st->watch, created);
}

static void on_connect(struct storm *st)
{
    static const char *const JIDS[] = {
        "ann@example.org",
        "example.org",
        "ann@example.org/r&'",
        "",
        "@",
        "a@/b",
        "/r",
        "a@b@c/d@e",
    };
    const char *jid = FUEL_PICK(&st->fuel, JIDS);
    const char *password = fuel_seldom(&st->fuel, 4) ? NULL : STORM_PASSWORD;
    struct watch_look look;

    before_beginning(st, &look);
    after_beginning(st, bosh_connect(st->s, st->now, jid, password), true,
                    &look);
}

static int number_or_none(struct fuel *f)
{
    return (int)((int64_t)(fuel_number(f) % ((uint64_t)INT32_MAX + 2)) - 1);
}

static void note_streams(struct storm *st, const struct bosh_attach *known)
{
    if (known->stream_closed)
        watch_close_first(&st->watch);
    for (size_t i = 0; i < known->more_count; i++)
        watch_add_stream(&st->watch, known->more[i].jid, false);
}

static void on_attach(struct storm *st)
{
    static const char *const KEYS[] = {
        NULL, "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d:5",
        "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d:1", "none"};
    static const char *const SIDS[] = {"old", "<&'\">\n", "", NULL};
    static const char *const NAMES[] = {NULL, "n0", "n1", "<"};
    struct fuel *f = &st->fuel;
    struct bosh_attach known = {.jid = "ann@example.org/r",
                                .sid = FUEL_PICK(f, SIDS),
                                .rid = 7,
                                .keys = FUEL_PICK(f, KEYS)};
    struct bosh_known_stream more[2] = {{FUEL_PICK(f, NAMES), "b@c/d"},
                                        {FUEL_PICK(f, NAMES), NULL}};
    struct watch_look look;
    int rc;

    if (fuel_seldom(f, 2))
        known.rid = BOSH_RID_MAX + 1 - fuel_below(f, 8);
    known.wait_s = number_or_none(f);
    known.hold = number_or_none(f);
    known.requests = number_or_none(f);
    known.inactivity_s = number_or_none(f);
    known.polling_s = number_or_none(f);
    known.maxpause_s = number_or_none(f);
    known.stream = FUEL_PICK(f, NAMES);
    known.more = more;
    known.more_count = fuel_below(f, 3);
    known.stream_closed = fuel_seldom(f, 4);
    before_beginning(st, &look);
    rc = bosh_attach(st->s, st->now, &known);
    after_beginning(st, rc, false, &look);
    if (rc == 0)
        note_streams(st, &known);
}

/* As it was kept, or spoiled, or anything. */
static void change_kept(struct storm *st)
{
    struct buf text = BUF_INIT;
    size_t len;
    const char *bytes;

    if (st->kept)
        buf_adds(&text, st->kept);
    for (unsigned i = fuel_below(&st->fuel, 3); i > 0; i--)
        storm_spoil(&text, &st->fuel);
    if (!st->kept) {
        bytes = fuel_bytes(&st->fuel, 255, &len);
        buf_add(&text, bytes, len);
    }
    free(st->kept);
    st->kept = mem_dup(buf_str(&text));
    buf_release(&text);
}

/* The streams that a restored session has, as the application sees them: one
 * that was at its login is closed. */
static void note_restored(struct storm *st)
{
    const struct bosh *s = st->s;

    if (!bosh_stream_connected(s, 0))
        watch_close_first(&st->watch);
    for (int i = 1; bosh_stream_name(s, i); i++)
        watch_add_stream(&st->watch, bosh_stream_connected(s, i), false);
}

static void on_restore(struct storm *st)
{
    static const char *const JIDS[] = {NULL, "ann@example.org",
                                       "ann@example.org/r", "bob@b"};
    const char *jid = FUEL_PICK(&st->fuel, JIDS);
    struct watch_look look;
    int rc;

    before_beginning(st, &look);
    if (fuel_seldom(&st->fuel, 4))
        change_kept(st);
    rc = bosh_restore(st->s, st->now, jid);
    after_beginning(st, rc, false, &look);
    if (rc == 0)
        note_restored(st);
}

/* The process ends without a word, and another one takes its place. */
static void on_new_process(struct storm *st)
{
    bosh_free(st->s);
    st->s = bosh_new(&st->options);
    watch_new_process(&st->watch, st->s);
    if (st->kept)
        on_restore(st);
}

/* What an application may want to send. */
static void choose_stanzas(struct buf *out, struct fuel *f)
{
    static const char *const STANZAS[] = {
        "<message id='a'><body>x</body></message>",
        "<presence/>",
        "<iq xmlns='jabber:client' type='get' id='1'/><presence/>",
        "<a:b xmlns:a='c' a:d='&lt;&#10;'/>",
        "<a/><a/><a/><a/><a/><a/><a/><a/>",
        "<x:body xmlns:x='http://jabber.org/protocol/httpbind'/>",
        "text",
        "<open>",
        "</stanzas><stanzas>",
        "<!-- x --><a/>",
        "",
    };

    buf_adds(out, FUEL_PICK(f, STANZAS));
    if (fuel_seldom(f, 4))
        storm_spoil(out, f);
}

static void on_send(struct storm *st)
{
    struct buf text = BUF_INIT;

    choose_stanzas(&text, &st->fuel);
    CALL(st, bosh_send(st->s, buf_str(&text), text.len));
    buf_release(&text);
}

static void on_pause(struct storm *st)
{
    CALL(st, bosh_pause(st->s, number_or_none(&st->fuel)));
}

static void on_pause_local(struct storm *st)
{
    CALL(st, bosh_pause_local(st->s));
}

static void on_resume(struct storm *st)
{
    CALL(st, bosh_resume(st->s));
}

static void on_flush(struct storm *st)
{
    CALL(st, bosh_flush(st->s));
}

static void on_bind(struct storm *st)
{
    CALL(st, bosh_bind(st->s, fuel_seldom(&st->fuel, 2) ? "r<&'" : NULL));
}

static void on_disconnect(struct storm *st)
{
    const char *reason = fuel_seldom(&st->fuel, 2) ? "done" : NULL;

    CALL(st, bosh_disconnect(st->s, st->now, reason));
}

static int some_stream(struct fuel *f)
{
    return (int)fuel_below(f, 5) - 1; /* BOSH_ALL_STREAMS is -1 */
}

static void on_stream_add(struct storm *st)
{
    static const char *const JIDS[] = {"bob@example.org", "b@c/r", "@"};
    const char *jid = FUEL_PICK(&st->fuel, JIDS);
    const char *route = fuel_seldom(&st->fuel, 2) ? "xmpp:b:1" : NULL;
    struct watch_look look;
    int rc;

    watch_look(&st->watch, &look);
    rc = bosh_stream_add(st->s, jid, STORM_PASSWORD, route);
    watch_returned(&st->watch, rc, &look);
    if (rc >= 0 && rc < st->watch.stream_count)
        err_set(st->watch.e, "stream %d is added twice", rc);
    /* Some that nobody wants any more, of the process before, have numbers. */
    while (rc > st->watch.stream_count)
        watch_add_stream(&st->watch, false, false);
    if (rc >= 0)
        watch_add_stream(&st->watch, true, true);
}

static void on_stream_send(struct storm *st)
{
    struct buf text = BUF_INIT;
    int stream = some_stream(&st->fuel);

    choose_stanzas(&text, &st->fuel);
    CALL(st, bosh_stream_send(st->s, stream, buf_str(&text), text.len));
    buf_release(&text);
}

static void on_stream_bind(struct storm *st)
{
    CALL(st, bosh_stream_bind(st->s, some_stream(&st->fuel), "r"));
}

static void on_stream_close(struct storm *st)
{
    CALL(st, bosh_stream_close(st->s, st->now, some_stream(&st->fuel), "x"));
}

static void on_reset(struct storm *st)
{
    CALL(st, bosh_reset(st->s));
    watch_forget(&st->watch);
}

/* All goes well for a while, from wherever it stands, so that few bytes lead
 * far. */
static void on_fair_weather(struct storm *st)
{
    struct watch_look look;

    before_beginning(st, &look);
    if (bosh_ended(st->s))
        after_beginning(
            st,
            bosh_connect(st->s, st->now, "ann@example.org/r", STORM_PASSWORD),
            true, &look);
    for (unsigned i = 1 + fuel_below(&st->fuel, 8); i > 0; i--) {
        watch_turn(&st->watch, st->now);
        answer_well(st, 0);
        for (int n = 0; st->options.explicit_bind && n < 3; n++)
            CALL(st, bosh_stream_bind(st->s, n, NULL));
    }
}

/* ---- The storm ------------------------------------------------------------
 */

static void (*const OPERATIONS[])(struct storm *st) = {
    on_fair_weather, on_good,         on_spoiled,     on_built,
    on_raw,          on_fail,         on_http_status, on_moment,
    on_long_time,    on_deadline,     on_tick,        on_connect,
    on_attach,       on_restore,      on_send,        on_pause,
    on_pause_local,  on_resume,       on_flush,       on_bind,
    on_built,        on_send,         on_disconnect,  on_reset,
    on_fair_weather, on_new_process,  on_stream_add,  on_stream_send,
    on_stream_bind,  on_stream_close, on_stream_add,  on_good,
};
#define OPERATION_COUNT (sizeof OPERATIONS / sizeof OPERATIONS[0])

/* Nothing is answered any more: a session that gives up at all is soon over. */
static void calm_down(struct storm *st)
{
    bool ends = st->options.max_errors > 0 && st->options.timeout > 0;

    watch_turn(&st->watch, st->now);
    for (int i = 0; i < CALM_TURNS && !bosh_ended(st->s); i++) {
        if (bosh_deadline_ms(st->s) == BOSH_NEVER)
            return;
        on_deadline(st);
        watch_turn(&st->watch, st->now);
    }
    if (ends && !bosh_ended(st->s))
        err_set(st->watch.e, "a session that nobody answers does not end");
}

int storm_run(const uint8_t *data, size_t size, struct storm_sights *sights,
              struct err *e)
{
    struct storm st;

    storm_init(&st, data, size, sights, e);
    while (st.fuel.left > 0 && !e->text[0]) {
        uint8_t what = fuel_byte(&st.fuel);

        OPERATIONS[(what & 0x7f) % OPERATION_COUNT](&st);
        if (!(what & 0x80)) /* else the application is slow */
            watch_turn(&st.watch, st.now);
    }
    if (!e->text[0])
        calm_down(&st);
    storm_release(&st);
    return e->text[0] ? -1 : 0;
}
