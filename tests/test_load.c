/* Many sessions at once, on one thread, against our mock in another: each
 * exchanges numbered messages with a partner while every tenth of its
 * exchanges goes wrong. Nothing may be lost, come twice or change places. */
#include "bosh_peer.h"

#include <sys/resource.h>

#include "load_manager.h"

int suite_load(void);

#define TALKERS 1000
#define MESSAGES 20
#define ALL_NUMBERS " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"
#define ALL_STATUSES                                                           \
    " connecting authenticating connected disconnecting disconnected"
#define FDS_A_SESSION 12 /* client, relay and mock are all in here */
#define STALL_MS (30 * 1000)
#define FILLER_MAX 64
#define SHOWN_MAX 3 /* of those that went wrong */

struct crowd;

/* Its partner's number is the same but for the lowest bit. */
struct talker {
    struct crowd *crowd;
    struct bosh *session;
    size_t number;
    int sent;
    struct buf got;  /* the numbers that came, by spaces */
    struct buf told; /* statuses, by spaces */
};

struct crowd {
    struct bosh_driver *driver;
    struct load_manager *manager;
    struct rlimit files; /* as they were */
    struct talker *talkers;
    size_t count;
    size_t connected, received, ended;
    size_t made, sent; /* requests, and transmissions: repeats count here */
};

/* ---- Messages --------------------------------------------------------------
 */

/* No two are alike, and each says whose it is. */
static void write_text(struct buf *out, size_t sender, int number)
{
    size_t filler = (sender * 31 + (size_t)number * 7) % FILLER_MAX;

    buf_printf(out, "<body>%zu:%d:", sender, number);
    for (size_t i = 0; i < filler; i++)
        buf_addc(out, (char)('a' + (sender + i * (size_t)number) % 26));
    buf_adds(out, "</body>");
}

static void say_next(struct talker *t)
{
    struct buf xml = BUF_INIT;

    buf_printf(&xml, "<message to='u%zu@localhost' type='chat'>",
               t->number ^ 1);
    write_text(&xml, t->number, ++t->sent);
    buf_adds(&xml, "</message>");
    CHECK_INT(bosh_send(t->session, xml.data, xml.len), 0);
    buf_release(&xml);
}

/* 0 when it is none of the partner's. */
static int number_of(const struct talker *t, const char *xml)
{
    const char *text = strstr(xml, "<body>");
    struct buf want = BUF_INIT;
    int number = 0;

    if (text && sscanf(text, "<body>%*u:%d:", &number) == 1) {
        write_text(&want, t->number ^ 1, number);
        if (strncmp(text, want.data, want.len) != 0)
            number = 0;
    }
    buf_release(&want);
    return number;
}

/* Each of the partner's is answered by one of ours. */
static void on_message(struct talker *t, const char *xml)
{
    int number = number_of(t, xml);

    t->crowd->received++;
    if (number == 0)
        buf_printf(&t->got, " [%.300s]", xml);
    else
        buf_printf(&t->got, " %d", number);
    if (t->sent < MESSAGES)
        say_next(t);
}

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    struct talker *t = ctx;

    (void)s;
    if (event->kind == BOSH_EVENT_STANZA)
        on_message(t, event->xml);
    if (event->kind != BOSH_EVENT_STATUS)
        return;
    buf_printf(&t->told, " %s", bosh_status_name(event->status));
    t->crowd->connected += event->status == BOSH_CONNECTED;
    t->crowd->ended += event->status == BOSH_DISCONNECTED;
}

static void on_made(void *ctx, const char *xml, size_t len)
{
    (void)xml;
    (void)len;
    ((struct crowd *)ctx)->made++;
}

static void on_sent(void *ctx, const char *data, size_t len)
{
    (void)data;
    (void)len;
    ((struct crowd *)ctx)->sent++;
}

/* ---- The crowd -------------------------------------------------------------
 */

static void talker_start(struct crowd *crowd, size_t number)
{
    struct talker *t = &crowd->talkers[number];
    char *url = load_manager_url(crowd->manager, number);
    char *jid = mem_printf("u%zu@localhost", number);
    struct bosh_options o;

    bosh_options_init(&o);
    o.url = url;
    o.mechanisms = "PLAIN"; /* the cheapest that names a user */
    o.taps = (struct bosh_taps){
        .xml_output = on_made, .raw_output = on_sent, .ctx = crowd};
    t->crowd = crowd;
    t->number = number;
    t->session = bosh_new(&o);
    CHECK_INT(bosh_driver_add(crowd->driver, t->session,
                              (struct bosh_hook){on_event, t}),
              0);
    CHECK_INT(bosh_connect(t->session, bosh_driver_now_ms(), jid, "secret"), 0);
    free(jid);
    free(url);
}

/* The machine may well allow this process fewer than it takes. */
static void allow_files(struct crowd *crowd)
{
    rlim_t need = crowd->count * FDS_A_SESSION + 100;
    struct rlimit more;

    CHECK_INT(getrlimit(RLIMIT_NOFILE, &crowd->files), 0);
    more = crowd->files;
    if (more.rlim_cur < need)
        more.rlim_cur = need;
    CHECK_ROW(more.rlim_max >= need, "too few descriptors: see ulimit -Hn");
    setrlimit(RLIMIT_NOFILE, &more);
}

static void crowd_start(struct crowd *crowd, size_t count, bool harm)
{
    const struct load_setup setup = {.sessions = count, .harm = harm};
    struct err e = {""};

    memset(crowd, 0, sizeof *crowd);
    crowd->count = count;
    allow_files(crowd);
    crowd->manager = load_manager_start(&setup, &e);
    CHECK_ROW(crowd->manager != NULL, e.text);
    if (!crowd->manager)
        return;
    crowd->driver = bosh_driver_new();
    crowd->talkers = mem_alloc(count * sizeof *crowd->talkers);
    for (size_t i = 0; i < count; i++)
        talker_start(crowd, i);
}

/* Until so many of it have come about, or nothing comes about any more. */
static void run_until(struct crowd *crowd, const size_t *what, size_t count)
{
    int64_t until = bosh_driver_now_ms() + STALL_MS;
    size_t before = *what;

    while (*what < count && bosh_driver_now_ms() < until) {
        bosh_driver_turn(crowd->driver, 1000);
        if (*what != before)
            until = bosh_driver_now_ms() + STALL_MS;
        before = *what;
    }
}

static void talk(struct crowd *crowd)
{
    run_until(crowd, &crowd->connected, crowd->count);
    CHECK_INT(crowd->connected, crowd->count);
    for (size_t i = 0; i < crowd->count; i++) {
        say_next(&crowd->talkers[i]);
        bosh_driver_pump(crowd->driver, crowd->talkers[i].session);
    }
    run_until(crowd, &crowd->received, crowd->count * MESSAGES);
    for (size_t i = 0; i < crowd->count; i++)
        bosh_disconnect(crowd->talkers[i].session, bosh_driver_now_ms(), NULL);
    run_until(crowd, &crowd->ended, crowd->count);
}

static void check_text(const struct talker *t, const struct buf *text,
                       const char *want, int *shown)
{
    char *row;

    if (strcmp(buf_str(text), want) == 0)
        return;
    row = mem_printf("session %zu:%s (%s)", t->number, buf_str(text),
                     bosh_last_error(t->session));
    if (++*shown <= SHOWN_MAX)
        CHECK_ROW(false, row);
    free(row);
}

static void crowd_stop(struct crowd *crowd, struct load_tally *tally)
{
    int shown = 0;

    for (size_t i = 0; i < crowd->count; i++) {
        check_text(&crowd->talkers[i], &crowd->talkers[i].got, ALL_NUMBERS,
                   &shown);
        check_text(&crowd->talkers[i], &crowd->talkers[i].told, ALL_STATUSES,
                   &shown);
    }
    CHECK_INT(shown, 0);
    bosh_driver_free(crowd->driver);
    for (size_t i = 0; i < crowd->count; i++) {
        bosh_free(crowd->talkers[i].session);
        buf_release(&crowd->talkers[i].got);
        buf_release(&crowd->talkers[i].told);
    }
    load_manager_stop(crowd->manager, tally);
    CHECK_STR(tally->problem.text, "");
    buf_release(&tally->first);
    free(crowd->talkers);
    setrlimit(RLIMIT_NOFILE, &crowd->files);
}

static size_t harmed(const struct load_tally *tally)
{
    return tally->exchanges - tally->faults[LOAD_NONE];
}

static void test_a_thousand_sessions_lose_nothing_and_get_nothing_twice(void)
{
    struct crowd crowd;
    struct load_tally tally;

    crowd_start(&crowd, TALKERS, true);
    if (!crowd.manager)
        return;
    talk(&crowd);
    crowd_stop(&crowd, &tally);
    /* a tenth of each session's exchanges, but for its last few */
    CHECK(harmed(&tally) >= tally.exchanges / 10 - TALKERS);
    for (int fault = LOAD_NONE + 1; fault < LOAD_FAULT_COUNT; fault++)
        CHECK(tally.faults[fault] >= harmed(&tally) / LOAD_FAULT_COUNT);
    /* a session that is over repeats nothing */
    CHECK(crowd.sent - crowd.made >= harmed(&tally) - TALKERS);
}

static void test_without_faults_nothing_is_repeated(void)
{
    struct crowd crowd;
    struct load_tally tally;

    crowd_start(&crowd, TALKERS / 10, false);
    if (!crowd.manager)
        return;
    talk(&crowd);
    crowd_stop(&crowd, &tally);
    CHECK_INT(harmed(&tally), 0);
    CHECK_INT(crowd.sent, crowd.made);
    CHECK_INT(tally.exchanges, crowd.sent);
}

static const struct peer_test TESTS[] = {
    {"without faults nothing is repeated",
     test_without_faults_nothing_is_repeated},
    {"a thousand sessions lose nothing and get nothing twice",
     test_a_thousand_sessions_lose_nothing_and_get_nothing_twice},
};

int suite_load(void)
{
    return peer_suite("load", TESTS, PEER_COUNT(TESTS));
}
