/* What a session sends and when: polls, repeats, time-outs, pauses; with
 * answers written by hand and the clock moved by hand. */
#include "bosh_peer.h"

int suite_flow(void);

/* ---- Polls and stanzas
 * --------------------------------------------------------- */

static void test_exactly_one_poll_is_held(void)
{
    struct buf want = BUF_INIT;
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    for (int i = 0; i < 3; i++) {
        uint64_t rid = bosh_rid(p.s);

        CHECK(peer_next(&p));
        buf_clear(&want);
        buf_printf(&want, "<body rid='%llu' sid='s1' " NS_BODY "/>",
                   (unsigned long long)rid);
        CHECK_STR(buf_str(&p.body), buf_str(&want));
        CHECK(!peer_next(&p));
        CHECK_INT(bosh_deadline_ms(p.s) - p.now, 66000);
        p.now += 48000;
        peer_answer(&p, EMPTY);
    }
    buf_release(&want);
    peer_release(&p);
}

static void test_stanzas_go_out_beside_a_held_poll_and_gather(void)
{
    struct peer p;
    uint64_t poll;
    uint64_t stanza;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN("wait='60' hold='1' requests='5'"));
    CHECK(peer_next(&p));
    poll = p.id;
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    stanza = p.id;
    CHECK(peer_sent(&p, "<message xmlns=\"jabber:client\" id=\"a\">"));
    CHECK_INT(peer_send(&p, MESSAGE("b") MESSAGE("c")), 0);
    CHECK_INT(peer_send(&p, MESSAGE("d")), 0);
    CHECK(!peer_next(&p)); /* two at once are enough */
    CHECK(bosh_queue_len(p.s) > 0);
    peer_answer_to(&p, poll, EMPTY);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "id=\"b\"") && peer_sent(&p, "id=\"d\""));
    CHECK_INT(bosh_queue_len(p.s), 0);
    CHECK(!peer_next(&p));
    peer_answer_to(&p, stanza, EMPTY);
    CHECK(!peer_next(&p)); /* the other one serves as the poll */
    peer_release(&p);
}

static void test_stanzas_wait_for_the_login(void)
{
    const char *const answers[] = {LOGGED_IN(USUAL), SUCCESS, BIND_FEATURES,
                                   BOUND, NULL};
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    for (int i = 0; answers[i]; i++) {
        CHECK(peer_next(&p));
        CHECK(!peer_sent(&p, "message"));
        peer_answer(&p, answers[i]);
    }
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "id=\"a\""));
    peer_release(&p);
}

static void test_requests_of_one_makes_it_serial(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN("wait='60' hold='1' requests='1'"));
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(!peer_next(&p));
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "id=\"a\""));
    peer_release(&p);
}

static void test_no_rid_runs_ahead_of_the_replay_buffer(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p); /* requests='2' */
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, EMPTY); /* the poll's answer is still missing */
    CHECK_INT(peer_send(&p, MESSAGE("b")), 0);
    CHECK(!peer_next(&p));
    peer_release(&p);
}

static void test_polls_keep_the_polling_interval(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN("wait='0' hold='0' requests='1' polling='5' "
                                   "inactivity='60'"));
    CHECK(peer_next(&p));
    peer_answer(&p, EMPTY);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 5000);
    p.now += 4999;
    CHECK(!peer_next(&p));
    p.now += 1;
    CHECK(peer_next(&p));
    peer_answer(&p, WITH("m")); /* brought something: no need to wait */
    CHECK(peer_next(&p));
    peer_answer(&p, EMPTY);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p)); /* nor with something to say */
    peer_release(&p);
}

static void test_a_manager_that_does_not_hold_is_not_flooded(void)
{
    struct peer p;
    int polls = 0;

    peer_init(&p, NULL);
    peer_log_in(&p);
    for (int64_t until = p.now + 10000; p.now < until; p.now += 10) {
        if (!peer_next(&p))
            continue;
        polls++;
        peer_answer(&p, EMPTY);
    }
    CHECK(polls >= 10 && polls <= 20);
    peer_release(&p);
}

static void test_answers_are_handed_over_in_rid_order(void)
{
    struct peer p;
    uint64_t poll;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    poll = p.id;
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, WITH("two"));
    CHECK_STR(peer_seen(&p), "");
    p.now += 500;
    peer_answer_to(&p, poll, WITH("one"));
    CHECK_STR(peer_seen(&p), "<one> <two>");
    peer_answer_to(&p, poll, WITH("again"));
    CHECK_STR(peer_seen(&p), "");
    peer_release(&p);
}

/* ---- Time-outs and errors
 * -------------------------------------------------------- */

static void test_primary_timeout_repeats_the_same_bytes(void)
{
    struct buf first = BUF_INIT;
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN("wait='1' hold='1' requests='2'"));
    CHECK(peer_next(&p));
    buf_add(&first, p.body.data, p.body.len);
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 1100); /* not floored */
    p.now += 1099;
    CHECK(!peer_next(&p));
    CHECK_INT(peer_aborts(&p), 0);
    p.now += 1;
    CHECK(peer_next(&p));
    CHECK_INT(peer_aborts(&p), 1);
    CHECK_STR(buf_str(&p.body), buf_str(&first));
    CHECK_INT(p.attempt, 2);
    buf_release(&first);
    peer_release(&p);
}

static void check_secondary(const char *created, int64_t want_ms)
{
    struct peer p;
    uint64_t rid;
    int64_t at;

    peer_init(&p, NULL);
    peer_log_in_with(&p, created);
    CHECK(peer_next(&p));
    rid = p.rid;
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    p.now += 300;
    peer_answer(&p, WITH("two"));
    at = bosh_deadline_ms(p.s);
    CHECK_INT(at - p.now, want_ms);
    p.now = at;
    CHECK(peer_next(&p));
    CHECK(p.rid == rid && p.attempt == 2);
    peer_answer(&p, WITH("one"));
    CHECK_STR(peer_seen(&p), "<one> <two>");
    peer_release(&p);
}

static void test_secondary_timeout_is_a_tenth_of_wait_and_active(void)
{
    check_secondary(LOGGED_IN("wait='60' hold='1' requests='2'"), 6000);
    check_secondary(LOGGED_IN("wait='20' hold='1' requests='2'"), 2000);
    check_secondary(LOGGED_IN("wait='5' hold='1' requests='2'"), 1000);
}

static void test_multipliers_are_settable(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_default_timeout = 1.5;
    bosh_options_init(&o);
    bosh_default_timeout = 1.1;
    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 90000);
    peer_release(&p);
    o.timeout = 0;
    peer_init(&p, &o);
    peer_log_in_with(&p, LOGGED_IN("wait='60' hold='1' requests='2'"));
    CHECK(peer_next(&p));
    CHECK(bosh_deadline_ms(p.s) == BOSH_NEVER);
    peer_release(&p);
}

/* Fail every attempt at once; note when each was made, in seconds. */
static void schedule(struct peer *p, struct buf *out)
{
    int64_t start = p->now;

    for (;;) {
        while (peer_next(p)) {
            buf_printf(out, "%s%lld", out->len ? " " : "",
                       (long long)(p->now - start) / 1000);
            peer_status(p, 503);
        }
        if (bosh_deadline_ms(p->s) == BOSH_NEVER)
            break;
        p->now = bosh_deadline_ms(p->s);
    }
}

static void check_schedule(const char *created, bool back_off, const char *want)
{
    struct buf got = BUF_INIT;
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.back_off = back_off;
    peer_init(&p, &o);
    peer_log_in_with(&p, created);
    schedule(&p, &got);
    CHECK_STR(buf_str(&got), want);
    CHECK_STR(peer_seen(&p), "conntimeout disconnected");
    CHECK(!peer_next(&p));
    buf_release(&got);
    peer_release(&p);
}

static void test_repeats_back_off_and_the_fifth_error_ends_it(void)
{
    check_schedule(LOGGED_IN("wait='60' hold='1' requests='2'"), true,
                   "0 0 8 35 99");
    check_schedule(LOGGED_IN("wait='2' hold='1' requests='2'"), true,
                   "0 0 2 4 6");
    check_schedule(LOGGED_IN("wait='60' hold='1' requests='2'"), false,
                   "0 0 0 0 0");
}

static void test_back_off_does_not_let_the_session_expire(void)
{
    check_schedule(LOGGED_IN("wait='60' hold='1' requests='2' inactivity='30'"),
                   true, "0 0 8 32 56");
}

static void test_a_success_starts_the_count_anew(void)
{
    struct peer p;
    uint64_t rid;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN("wait='1' hold='1' requests='2'"));
    for (int round = 0; round < 10; round++) {
        CHECK(peer_next(&p));
        rid = p.rid;
        for (int i = 0; i < 4; i++) {
            peer_status(&p, 503);
            p.now =
                bosh_deadline_ms(p.s) > p.now ? bosh_deadline_ms(p.s) : p.now;
            CHECK(peer_next(&p));
            CHECK(p.rid == rid);
        }
        CHECK_INT(bosh_errors(p.s), 4);
        peer_answer(&p, WITH("m"));
        CHECK_INT(bosh_errors(p.s), 0);
        CHECK_STR(peer_seen(&p), "<m>");
    }
    peer_release(&p);
}

static void test_silence_of_the_manager_ends_after_five_timeouts(void)
{
    struct peer p;
    int sent = 0;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN("wait='2' hold='1' requests='2'"));
    while (bosh_deadline_ms(p.s) != BOSH_NEVER) {
        if (bosh_deadline_ms(p.s) > p.now)
            p.now = bosh_deadline_ms(p.s);
        while (peer_next(&p))
            sent++;
        peer_aborts(&p);
    }
    CHECK_INT(sent, 5);
    CHECK_STR(peer_seen(&p), "conntimeout disconnected");
    peer_release(&p);
}

static void test_what_counts_as_an_error_is_sent_again(void)
{
    static const struct {
        int status;
        const char *body;
    } ROWS[] = {
        {500, ""},       {502, "<html/>"}, {503, EMPTY},
        {429, ""},       {408, ""},        {302, ""},
        {204, ""},       {200, ""},        {200, "<html><body/></html>"},
        {200, "<body "}, {200, "<body/>"}, {200, "\xff\xfe"},
    };
    struct peer p;

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        uint64_t rid;

        peer_init(&p, NULL);
        peer_log_in(&p);
        CHECK(peer_next(&p));
        rid = p.rid;
        bosh_answer(p.s, p.now, p.id, ROWS[i].status, NULL, ROWS[i].body,
                    strlen(ROWS[i].body));
        CHECK_INT(bosh_errors(p.s), 1);
        CHECK_ROW(peer_next(&p) && p.rid == rid && p.attempt == 2,
                  ROWS[i].body);
        CHECK_STR(peer_seen(&p), "");
        peer_release(&p);
    }
}

static void check_refused(int status, const char *want)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    peer_status(&p, status);
    CHECK_STR(peer_seen(&p), want);
    CHECK(!peer_next(&p));
    CHECK(bosh_sid(p.s) == NULL);
    CHECK(bosh_deadline_ms(p.s) == BOSH_NEVER);
    peer_release(&p);
}

static void test_a_4xx_ends_the_session(void)
{
    check_refused(404, "connfail:item-not-found disconnected:item-not-found");
    check_refused(403,
                  "connfail:policy-violation disconnected:policy-violation");
    check_refused(400, "connfail:bad-request disconnected:bad-request");
    check_refused(401, "connfail disconnected");
}

static void test_a_recoverable_error_repeats_all_earlier_ones(void)
{
    struct buf first = BUF_INIT;
    struct buf second = BUF_INIT;
    struct peer p;
    uint64_t rid;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    rid = p.rid;
    buf_add(&first, p.body.data, p.body.len);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    buf_add(&second, p.body.data, p.body.len);
    peer_answer(&p, RECOVERABLE);
    CHECK_INT(peer_aborts(&p), 1); /* the poll's old transmission */
    CHECK(peer_next(&p));
    CHECK(p.rid == rid);
    CHECK_STR(buf_str(&p.body), buf_str(&first));
    CHECK(!peer_next(&p)); /* none overtakes a repeat */
    p.now = bosh_deadline_ms(p.s);
    CHECK(peer_next(&p));
    CHECK(p.rid == rid + 1);
    CHECK_STR(buf_str(&p.body), buf_str(&second));
    CHECK(!peer_next(&p));
    CHECK_STR(peer_seen(&p), "");
    buf_release(&first);
    buf_release(&second);
    peer_release(&p);
}

static void test_a_full_queue_says_when_it_has_room(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.queue_max = 100;
    peer_init(&p, &o);
    peer_log_in_with(&p, LOGGED_IN("wait='60' hold='1' requests='1'"));
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK_INT(peer_send(&p, MESSAGE("b")), BOSH_E_FULL);
    CHECK_STR(peer_seen(&p), "");
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "id=\"a\"") && !peer_sent(&p, "id=\"b\""));
    CHECK_STR(peer_seen(&p), "drained");
    CHECK_INT(peer_send(&p, MESSAGE("b")), 0);
    CHECK_INT(bosh_settled(p.s), false);
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK_INT(bosh_settled(p.s), false);
    CHECK_STR(peer_seen(&p), ""); /* once is enough */
    peer_answer(&p, EMPTY);
    CHECK_INT(bosh_settled(p.s), true);
    peer_release(&p);
}

/* The manager could not use it earlier, and some call the repeat out of their
 * window then: see window_due(). */
static void test_none_overtakes_what_backs_off(void)
{
    struct peer p;
    uint64_t rid;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    rid = p.rid;
    peer_status(&p, 503);
    CHECK(peer_next(&p));
    peer_status(&p, 503);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 8000);
    p.now += 8000;
    CHECK(peer_next(&p) && p.rid == rid);
    CHECK(!peer_next(&p));
    p.now = bosh_deadline_ms(p.s);
    CHECK(peer_next(&p) && p.rid == rid + 1);
    peer_release(&p);
}

static void test_flush_cuts_a_back_off_short(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    peer_status(&p, 503);
    CHECK(peer_next(&p));
    peer_status(&p, 503);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_flush(p.s), 0);
    CHECK(peer_next(&p));
    CHECK_INT(p.attempt, 3);
    peer_release(&p);
}

/* §11: not within `polling` of the one before. */
static void test_flush_makes_the_manager_let_go_of_stanzas(void)
{
    struct peer p;
    uint64_t held;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN(USUAL " polling='5'"));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "id=\"a\""));
    held = p.id;
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_flush(p.s), 0);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 5500);
    p.now += 5500;
    CHECK(peer_next(&p) && !peer_sent(&p, "<message"));
    CHECK(!bosh_settled(p.s));
    CHECK(!peer_next(&p)); /* `requests` is full */
    peer_answer_to(&p, held, EMPTY);
    CHECK(bosh_settled(p.s));
    CHECK_INT(peer_send(&p, MESSAGE("b")), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "id=\"b\""));
    peer_answer_to(&p, p.id - 1, EMPTY);
    p.now += 5500;
    CHECK(!peer_next(&p)); /* a flush is for what was there */
    peer_release(&p);
}

/* Nor before it: stanzas may have to wait behind a repeat. */
static void test_flush_waits_for_stanzas_that_wait(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.max_open = 3;
    peer_init(&p, &o);
    peer_log_in_with(&p, LOGGED_IN("hold='1' requests='3' polling='5'"));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    bosh_fail(p.s, p.now, p.id, "reset");
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("b")), 0);
    CHECK_INT(bosh_flush(p.s), 0);
    CHECK(!peer_next(&p));
    p.now = bosh_deadline_ms(p.s);
    CHECK(peer_next(&p) && peer_sent(&p, "id=\"b\""));
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 5500);
    peer_release(&p);
}

static void test_flush_waits_for_nothing_where_polling_is_not_named(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK_INT(bosh_flush(p.s), 0);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "id=\"a\""));
    CHECK(peer_next(&p) && !peer_sent(&p, "<message"));
    CHECK(!peer_next(&p));
    peer_release(&p);
}

/* §12: it may be little shorter than inactivity, and counts all the same. */
static void test_polling_counts_as_long_as_the_session_lives(void)
{
    static const struct {
        const char *attrs;
        int64_t want_ms;
    } ROWS[] = {{"polling='5' inactivity='60'", 5000},
                {"polling='5' inactivity='6'", 5000},
                {"polling='5' inactivity='5'", 4000},
                {"polling='9' inactivity='5'", 4000}};

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        char *created = mem_printf(
            LOGGED_IN("wait='0' hold='0' requests='2' %s"), ROWS[i].attrs);
        struct peer p;

        peer_init(&p, NULL);
        peer_log_in_with(&p, created);
        CHECK(peer_next(&p));
        peer_answer(&p, EMPTY);
        CHECK_INT(bosh_deadline_ms(p.s) - p.now, ROWS[i].want_ms);
        peer_release(&p);
        free(created);
    }
}

/* ---- Inactivity and pauses
 * ---------------------------------------------------------- */

static void test_local_pause_keeps_the_session_alive(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK_INT(bosh_pause_local(p.s), 0);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 48000); /* 0.8 x inactivity */
    p.now += 48000;
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "message"));
    CHECK_INT(bosh_resume(p.s), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "id=\"a\""));
    peer_release(&p);
}

static void test_silence_beyond_inactivity_ends_the_session(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    p.now += 60000; /* nobody asked for the poll */
    bosh_tick(p.s, p.now);
    CHECK_STR(peer_seen(&p), "");
    p.now += 1;
    CHECK(!peer_next(&p));
    CHECK_STR(peer_seen(&p), "disconnected:item-not-found");
    CHECK(strstr(bosh_last_error(p.s), "longer") != NULL);
    peer_release(&p);
}

static void test_pause_is_announced_kept_and_ended_in_time(void)
{
    struct peer p;
    uint64_t poll;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    poll = p.id;
    CHECK_INT(bosh_pause(p.s, 121), BOSH_E_ARG);
    CHECK_INT(bosh_pause(p.s, 0), BOSH_E_ARG);
    CHECK_INT(bosh_pause(p.s, 100), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "pause='100'"));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 80000);
    p.now += 79999;
    CHECK(!peer_next(&p));
    p.now += 1;
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "pause"));
    peer_release(&p);
}

static void test_a_stanza_ends_a_pause(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK_INT(bosh_pause(p.s, 100), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, EMPTY);
    CHECK(!peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "id=\"a\""));
    peer_release(&p);
}

/* A pause of 120 s that has lasted for longer than inactivity, and not for so
 * long that the session would end it. */
static void start_long_pause(struct peer *p)
{
    peer_init(p, NULL);
    peer_log_in(p);
    CHECK_INT(bosh_pause(p->s, 120), 0);
    CHECK(peer_next(p));
    peer_answer(p, EMPTY);
    p->now += 90000;
    CHECK(!peer_next(p));
}

static int end_by_stanza(struct peer *p)
{
    return peer_send(p, MESSAGE("a"));
}

static int end_by_resume(struct peer *p)
{
    return bosh_resume(p->s);
}

static int end_by_disconnect(struct peer *p)
{
    return bosh_disconnect(p->s, p->now, NULL);
}

static int end_by_another(struct peer *p)
{
    return bosh_pause(p->s, 50);
}

static void test_a_long_pause_can_be_ended_at_any_time(void)
{
    static const struct {
        int (*end)(struct peer *p);
        const char *request;
        const char *seen;
    } ROWS[] = {{end_by_stanza, "id=\"a\"", ""},
                {end_by_resume, "/>", ""},
                {end_by_disconnect, "'terminate'", "disconnecting"},
                {end_by_another, "pause='50'", ""}};

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        struct peer p;

        start_long_pause(&p);
        CHECK_INT(ROWS[i].end(&p), 0);
        CHECK_ROW(peer_next(&p) && peer_sent(&p, ROWS[i].request),
                  ROWS[i].request);
        CHECK_STR(peer_seen(&p), ROWS[i].seen);
        peer_release(&p);
    }
}

static void test_a_pause_that_a_stanza_forestalls_is_not_waited_for(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK_INT(bosh_pause(p.s, 100), 0);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p) && !peer_sent(&p, "pause"));
    peer_answer(&p, EMPTY);
    CHECK(bosh_settled(p.s));
    peer_release(&p);
}

/* It would be held while the restart waits for its answer. */
static void test_flush_sends_nothing_beside_a_login(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK_INT(bosh_flush(p.s), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, LOGGED_IN(USUAL));
    CHECK(peer_next(&p) && peer_sent(&p, "<auth"));
    CHECK(!peer_next(&p));
    peer_answer(&p, SUCCESS);
    CHECK(peer_next(&p) && peer_sent(&p, "restart"));
    peer_release(&p);
}

/* The manager does not look at a terminate before it has what comes before. */
static void test_disconnect_cuts_a_back_off_short(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    peer_status(&p, 503);
    CHECK(peer_next(&p));
    peer_status(&p, 503);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "id=\"a\""));
    CHECK(!peer_next(&p)); /* the repeat is to be there first */
    p.now = bosh_deadline_ms(p.s);
    CHECK(peer_next(&p) && peer_sent(&p, "'terminate'"));
    peer_release(&p);
}

static void test_no_pause_without_maxpause(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in_with(&p, LOGGED_IN("wait='60' hold='1' requests='2'"));
    CHECK_INT(bosh_pause(p.s, 10), BOSH_E_ARG);
    CHECK_STR(bosh_last_error(p.s), "the manager allows no pause");
    peer_release(&p);
}

/* What is out of bounds is brought back into them. */
static void test_no_option_stops_a_session_or_overflows(void)
{
    struct bosh_options o;
    struct peer p;
    int64_t deadline;

    bosh_options_init(&o);
    o.max_open = 0;
    o.timeout = 1e300;
    o.secondary_timeout = 1e300;
    o.secondary_min_ms = o.disconnect_ms = INT64_MAX;
    o.keys_count = -5;
    o.wait_s = 1 << 20;
    o.hold = -1;
    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    deadline = bosh_deadline_ms(p.s);
    CHECK(deadline > p.now && deadline < p.now + (INT64_C(1) << 40));
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(bosh_deadline_ms(p.s) > p.now);
    CHECK_INT(bosh_get_options(p.s)->wait_s, 65535);
    CHECK_INT(bosh_get_options(p.s)->hold, 0);
    peer_release(&p);
}

/* The manager could do nothing with it before that repeat, and some take the
 * repeat for a mistake then. But who leaves does not wait so long. */
static void test_a_stanza_does_not_pass_a_repeat_that_backs_off(void)
{
    struct peer p;
    uint64_t rid;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    rid = p.rid;
    for (int i = 0; i < 2; i++) {
        bosh_fail(p.s, p.now, p.id, "reset");
        CHECK(i == 1 || peer_next(&p));
    }
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(!peer_next(&p));
    CHECK(bosh_deadline_ms(p.s) == p.now + 8000);
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(p.rid == rid && p.attempt == 3);
    CHECK(!peer_next(&p));
    p.now += 100;
    CHECK(peer_next(&p));
    CHECK(p.rid == rid + 1 && peer_sent(&p, "terminate") &&
          peer_sent(&p, "id=\"a\""));
    peer_release(&p);
}

int suite_flow(void)
{
    static const struct peer_test TESTS[] = {
        {"a stanza does not pass a repeat that backs off",
         test_a_stanza_does_not_pass_a_repeat_that_backs_off},
        {"no option stops a session or overflows",
         test_no_option_stops_a_session_or_overflows},
        {"exactly one poll is held", test_exactly_one_poll_is_held},
        {"stanzas go out beside a held poll and gather",
         test_stanzas_go_out_beside_a_held_poll_and_gather},
        {"stanzas wait for the login", test_stanzas_wait_for_the_login},
        {"requests of one makes it serial",
         test_requests_of_one_makes_it_serial},
        {"no rid runs ahead of the replay buffer",
         test_no_rid_runs_ahead_of_the_replay_buffer},
        {"polls keep the polling interval",
         test_polls_keep_the_polling_interval},
        {"a manager that does not hold is not flooded",
         test_a_manager_that_does_not_hold_is_not_flooded},
        {"answers are handed over in rid order",
         test_answers_are_handed_over_in_rid_order},
        {"primary timeout repeats the same bytes",
         test_primary_timeout_repeats_the_same_bytes},
        {"secondary timeout is a tenth of wait and active",
         test_secondary_timeout_is_a_tenth_of_wait_and_active},
        {"multipliers are settable", test_multipliers_are_settable},
        {"repeats back off and the fifth error ends it",
         test_repeats_back_off_and_the_fifth_error_ends_it},
        {"back-off does not let the session expire",
         test_back_off_does_not_let_the_session_expire},
        {"a success starts the count anew",
         test_a_success_starts_the_count_anew},
        {"silence of the manager ends after five timeouts",
         test_silence_of_the_manager_ends_after_five_timeouts},
        {"what counts as an error is sent again",
         test_what_counts_as_an_error_is_sent_again},
        {"a 4xx ends the session", test_a_4xx_ends_the_session},
        {"a recoverable error repeats all earlier ones",
         test_a_recoverable_error_repeats_all_earlier_ones},
        {"a full queue says when it has room",
         test_a_full_queue_says_when_it_has_room},
        {"none overtakes what backs off", test_none_overtakes_what_backs_off},
        {"flush cuts a back-off short", test_flush_cuts_a_back_off_short},
        {"flush makes the manager let go of stanzas",
         test_flush_makes_the_manager_let_go_of_stanzas},
        {"flush waits for stanzas that wait",
         test_flush_waits_for_stanzas_that_wait},
        {"flush waits for nothing where polling is not named",
         test_flush_waits_for_nothing_where_polling_is_not_named},
        {"local pause keeps the session alive",
         test_local_pause_keeps_the_session_alive},
        {"silence beyond inactivity ends the session",
         test_silence_beyond_inactivity_ends_the_session},
        {"pause is announced, kept and ended in time",
         test_pause_is_announced_kept_and_ended_in_time},
        {"a stanza ends a pause", test_a_stanza_ends_a_pause},
        {"no pause without maxpause", test_no_pause_without_maxpause},
        {"a long pause can be ended at any time",
         test_a_long_pause_can_be_ended_at_any_time},
        {"a pause that a stanza forestalls is not waited for",
         test_a_pause_that_a_stanza_forestalls_is_not_waited_for},
        {"flush sends nothing beside a login",
         test_flush_sends_nothing_beside_a_login},
        {"disconnect cuts a back-off short",
         test_disconnect_cuts_a_back_off_short},
        {"polling counts as long as the session lives",
         test_polling_counts_as_long_as_the_session_lives},
    };

    return peer_suite("flow", TESTS, PEER_COUNT(TESTS));
}
