/*
 * Long stories of one session in virtual time, by the public API: who waits
 * how long for what, to the millisecond. An hour must cost next to nothing.
 */
#include "bosh_peer.h"

#include <inttypes.h>
#include <time.h>

int suite_scenarios(void);

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* CPU time that an hour may cost; with sanitizers too. */
#define CPU_MAX_MS 500

static int64_t cpu_ms(void)
{
    return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

/* To the next moment at which the session wants to do something. */
static void to_deadline(struct peer *p)
{
    int64_t at = bosh_deadline_ms(p->s);

    CHECK(at != BOSH_NEVER && at > p->now);
    if (at != BOSH_NEVER)
        p->now = at;
}

/* Take all that is due, as "rid+attempt" counted from the first of the session
 * here, with ms after each; borrowed until the next call. */
static const char *sent_within(struct peer *p, uint64_t from_rid, int64_t ms)
{
    static char list[256];
    size_t len = 0;

    list[0] = '\0';
    for (;; p->now += ms) {
        if (!peer_next(p))
            return list;
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%d/%d",
                                len ? " " : "", (int)(p->rid - from_rid),
                                p->attempt);
    }
}

static const char *sent_now(struct peer *p, uint64_t from_rid)
{
    return sent_within(p, from_rid, 0);
}

/* None close behind a repeat: see window_due(). */
static const char *sent_in_a_row(struct peer *p, uint64_t from_rid)
{
    return sent_within(p, from_rid, 100);
}

static void start(struct peer *p, const struct bosh_options *o,
                  const char *created)
{
    peer_init(p, o);
    peer_log_in_with(p, created);
}

static const char *created_with(const char *attrs)
{
    static char text[600];

    snprintf(text, sizeof text, "%s%s%s",
             "<body " NS_BODY " " NS_STREAM " sid='s1' ver='1.11' ", attrs,
             ">" MECHANISMS(MECHANISM("ANONYMOUS")) "</body>");
    return text;
}

/* ---- Waiting --------------------------------------------------------------
 */

static void test_an_hour_of_polls_is_sixty_requests(void)
{
    int64_t before = cpu_ms();
    struct peer p;
    uint64_t rid;

    start(&p, NULL, LOGGED_IN("wait='60' hold='1' requests='2'"));
    rid = bosh_rid(p.s);
    for (int i = 0; i < 60; i++) {
        CHECK(peer_next(&p) && p.attempt == 1 && !peer_next(&p));
        p.now += MINUTE;
        bosh_tick(p.s, p.now);
        peer_answer(&p, EMPTY);
    }
    CHECK_INT(bosh_rid(p.s) - rid, 60);
    CHECK_INT(p.now - 1000000, HOUR);
    CHECK_STR(peer_seen(&p), "");
    CHECK_INT(peer_aborts(&p), 0);
    CHECK(cpu_ms() - before < CPU_MAX_MS);
    peer_release(&p);
}

/* A manager that takes all of wait, and a network that takes its time too. */
static void test_no_poll_that_is_answered_in_time_is_sent_twice(void)
{
    static const int WAITS[] = {1, 2, 3, 5, 9, 10, 60};
    char attrs[80];
    struct peer p;

    for (size_t i = 0; i < sizeof WAITS / sizeof WAITS[0]; i++) {
        snprintf(attrs, sizeof attrs, "wait='%d' hold='1' requests='2'",
                 WAITS[i]);
        start(&p, NULL, created_with(attrs));
        for (int n = 0; n < 100; n++) {
            CHECK_ROW(peer_next(&p) && p.attempt == 1, attrs);
            p.now += WAITS[i] * 1000 + WAITS[i] * 100 - 1;
            CHECK_ROW(!peer_next(&p), attrs);
            peer_answer(&p, EMPTY);
        }
        CHECK_ROW(peer_aborts(&p) == 0, attrs);
        peer_release(&p);
    }
}

/* Without a later answer to tell, 1.1 x wait after it was sent. */
static void test_a_lost_answer_is_asked_for_after_its_wait_and_a_tenth(void)
{
    static const struct {
        const char *attrs;
        int64_t ms;
    } ROWS[] = {
        {"wait='1' hold='1' requests='2'", 1100},
        {"wait='2' hold='1' requests='2'", 2200},
        {"wait='5' hold='1' requests='2'", 5500},
        {"wait='9' hold='1' requests='2'", 9900},
        {"wait='60' hold='1' requests='2'", 66000},
        {"wait='65535' hold='1' requests='2'", 72088500},
    };
    struct peer p;
    int64_t sent;

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        start(&p, NULL, created_with(ROWS[i].attrs));
        CHECK_ROW(peer_next(&p), ROWS[i].attrs);
        sent = p.now;
        to_deadline(&p);
        CHECK_ROW(p.now - sent == ROWS[i].ms, ROWS[i].attrs);
        CHECK_ROW(peer_next(&p) && p.attempt == 2, ROWS[i].attrs);
        CHECK_ROW(peer_aborts(&p) == 1, ROWS[i].attrs);
        peer_answer(&p, WITH("late"));
        CHECK_STR(peer_seen(&p), "<late>");
        CHECK_INT(bosh_errors(p.s), 0);
        peer_release(&p);
    }
}

/* The poll's answer was lost: the stanza's, sent later, has come. Returns how
 * long the session then waits. */
static int64_t passed_after(const struct bosh_options *o, const char *attrs)
{
    struct peer p;
    uint64_t rid;
    int64_t ms;

    start(&p, o, created_with(attrs));
    rid = bosh_rid(p.s);
    CHECK_STR(sent_now(&p, rid), "0/1");
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK_STR(sent_now(&p, rid), "1/1");
    p.now += 7;
    peer_answer(&p, EMPTY);
    CHECK_STR(sent_now(&p, rid), ""); /* §14.3: none may run ahead */
    ms = bosh_deadline_ms(p.s) - p.now;
    p.now += ms - 1;
    CHECK_STR(sent_now(&p, rid), "");
    p.now += 1;
    CHECK_STR(sent_now(&p, rid), "0/2");
    peer_release(&p);
    return ms;
}

static void test_a_passed_request_is_asked_for_after_a_tenth_of_wait(void)
{
    static const struct {
        const char *attrs;
        int64_t ms, with_min_ms;
    } ROWS[] = {
        {"wait='1' hold='1' requests='2'", 100, 1000},
        {"wait='2' hold='1' requests='2'", 200, 1000},
        {"wait='5' hold='1' requests='2'", 500, 1000},
        {"wait='9' hold='1' requests='2'", 900, 1000},
        {"wait='11' hold='1' requests='2'", 1100, 1100},
        {"wait='60' hold='1' requests='2'", 6000, 6000},
    };
    struct bosh_options o;

    bosh_options_init(&o);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        o.secondary_min_ms = 0;
        CHECK_INT(passed_after(&o, ROWS[i].attrs), ROWS[i].ms);
        o.secondary_min_ms = 1000;
        CHECK_INT(passed_after(&o, ROWS[i].attrs), ROWS[i].with_min_ms);
    }
}

/* Strophe's floor(0.1 x wait) is nothing below 10 s: each stanza then repeats
 * a poll that is only a little late. */
static void test_stanzas_do_not_repeat_a_held_poll_of_a_small_wait(void)
{
    struct peer p;
    uint64_t poll;

    for (int wait = 1; wait < 10; wait++) {
        char attrs[80];

        snprintf(attrs, sizeof attrs, "wait='%d' hold='2' requests='5'", wait);
        start(&p, NULL, created_with(attrs));
        CHECK_ROW(peer_next(&p), attrs);
        poll = p.id;
        for (int i = 0; i < 3; i++) {
            CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
            CHECK_ROW(peer_next(&p) && p.attempt == 1, attrs);
            CHECK_ROW(!peer_next(&p), attrs);
            p.now += 50;
            peer_answer(&p, EMPTY); /* overtakes the poll's */
        }
        CHECK_ROW(peer_aborts(&p) == 0, attrs);
        peer_answer_to(&p, poll, WITH("m"));
        CHECK_STR(peer_seen(&p), "<m>");
        peer_release(&p);
    }
}

/* Each repeat of it waits twice as long, at most 1.1 x wait; 5 in a row end
 * it. */
static void test_a_passed_request_that_stays_lost_ends_the_session(void)
{
    static const int64_t STEPS[] = {6000, 12000, 24000, 48000, 66000};
    struct peer p;
    uint64_t rid;

    start(&p, NULL, LOGGED_IN("wait='60' hold='1' requests='2'"));
    rid = bosh_rid(p.s);
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, WITH("two"));
    for (size_t i = 0; i < 5; i++) {
        char want[16];

        snprintf(want, sizeof want, i < 4 ? "0/%zu" : "", i + 2);
        CHECK_INT(bosh_deadline_ms(p.s) - p.now, STEPS[i]);
        to_deadline(&p);
        CHECK_STR(sent_now(&p, rid), want);
        CHECK_INT(peer_aborts(&p), 1);
    }
    CHECK_STR(peer_seen(&p), "conntimeout disconnected");
    CHECK(bosh_deadline_ms(p.s) == BOSH_NEVER);
    peer_release(&p);
}

/* ---- Errors ---------------------------------------------------------------
 */

/* When each attempt at one request was made, in s; each is refused at once. */
static void check_back_off(const char *attrs, int errors, const char *want)
{
    struct buf got = BUF_INIT;
    struct bosh_options o;
    struct peer p;
    int64_t from;

    bosh_options_init(&o);
    o.max_errors = errors;
    start(&p, &o, created_with(attrs));
    from = p.now;
    while (!bosh_ended(p.s)) {
        while (peer_next(&p)) {
            buf_printf(&got, "%s%" PRId64, got.len ? " " : "",
                       (p.now - from) / 1000);
            peer_status(&p, 503);
        }
        if (!bosh_ended(p.s))
            to_deadline(&p);
    }
    CHECK_STR(buf_str(&got), want);
    CHECK_STR(peer_seen(&p), "conntimeout disconnected");
    buf_release(&got);
    peer_release(&p);
}

static void test_repeats_wait_n_cubed_seconds(void)
{
    check_back_off("wait='3600' hold='1' requests='2'", 8,
                   "0 0 8 35 99 224 440 783");
    check_back_off("wait='60' hold='1' requests='2'", 8,
                   "0 0 8 35 99 165 231 297");
    check_back_off("wait='1' hold='1' requests='2'", 6, "0 0 1 2 3 4");
    check_back_off("wait='60' hold='1' requests='2' inactivity='10'", 5,
                   "0 0 8 16 24");
}

static void open_two(struct peer *p, uint64_t id[2])
{
    start(p, NULL, LOGGED_IN("wait='60' hold='1' requests='2'"));
    CHECK(peer_next(p));
    id[0] = p->id;
    CHECK_INT(peer_send(p, MESSAGE("a")), 0);
    CHECK(peer_next(p));
    id[1] = p->id;
}

static void fail_and_note(struct peer *p, uint64_t id[2], int which)
{
    uint64_t first = p->rid - 1;

    bosh_fail(p->s, p->now, id[which], "reset");
    while (!bosh_ended(p->s) && !peer_next(p))
        to_deadline(p);
    if (!bosh_ended(p->s))
        id[p->rid > first] = p->id;
}

static void test_five_errors_of_two_requests_end_it(void)
{
    static const int ORDER[] = {0, 1, 0, 1, 0};
    uint64_t id[2];
    struct peer p;

    open_two(&p, id);
    for (int i = 0; i < 5; i++) {
        uint64_t second = p.rid;

        CHECK_INT(bosh_errors(p.s), i);
        CHECK(!bosh_ended(p.s));
        bosh_fail(p.s, p.now, id[ORDER[i]], "reset");
        if (i < 4) {
            while (!peer_next(&p))
                to_deadline(&p);
            id[ORDER[i]] = p.id;
        }
        p.rid = second;
    }
    CHECK_STR(peer_seen(&p), "conntimeout disconnected");
    CHECK_INT(peer_aborts(&p), 1); /* the other one */
    CHECK(strstr(bosh_last_error(p.s), "5 errors in a row") != NULL);
    peer_release(&p);
}

static void test_one_good_answer_of_either_starts_the_count_anew(void)
{
    uint64_t id[2];
    struct peer p;

    open_two(&p, id);
    for (int i = 0; i < 4; i++)
        fail_and_note(&p, id, 0);
    CHECK_INT(bosh_errors(p.s), 4);
    peer_answer_to(&p, id[1], WITH("two"));
    CHECK_INT(bosh_errors(p.s), 0);
    bosh_fail(p.s, p.now, id[0], "reset");
    CHECK(!bosh_ended(p.s));
    while (!peer_next(&p))
        to_deadline(&p);
    peer_answer(&p, WITH("one"));
    CHECK_STR(peer_seen(&p), "<one> <two>");
    peer_release(&p);
}

/* §17.3: the one that was refused and all before it, in their order. */
static void check_recovery(int refused, bool first_answered, const char *want)
{
    struct bosh_options o;
    struct buf bytes[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
    uint64_t id[3], rid;
    struct peer p;

    bosh_options_init(&o);
    o.max_open = 3;
    start(&p, &o, LOGGED_IN("wait='60' hold='2' requests='3'"));
    rid = bosh_rid(p.s);
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
        CHECK(peer_next(&p));
        id[i] = p.id;
        buf_add(&bytes[i], p.body.data, p.body.len);
    }
    if (first_answered)
        peer_answer_to(&p, id[1], WITH("two"));
    peer_answer_to(&p, id[refused], RECOVERABLE);
    CHECK_STR(sent_in_a_row(&p, rid), want);
    CHECK_STR(buf_str(&p.body), buf_str(&bytes[p.rid - rid]));
    CHECK_STR(peer_seen(&p), "");
    for (int i = 0; i < 3; i++)
        buf_release(&bytes[i]);
    peer_release(&p);
}

static void test_a_recoverable_error_repeats_it_and_all_before_it(void)
{
    check_recovery(0, false, "0/2");
    check_recovery(1, false, "0/2 1/2");
    check_recovery(2, false, "0/2 1/2 2/2");
    check_recovery(2, true, "0/2 2/2"); /* but for the one with its answer */
}

/* ---- Silence --------------------------------------------------------------
 */

static void test_an_hour_held_back_keeps_the_session_alive(void)
{
    int64_t before = cpu_ms();
    struct peer p;
    uint64_t rid;

    start(&p, NULL,
          LOGGED_IN("wait='60' hold='1' requests='2' "
                    "inactivity='60'"));
    rid = bosh_rid(p.s);
    CHECK_INT(bosh_pause_local(p.s), 0);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    while (p.now - 1000000 < HOUR) {
        CHECK(!peer_next(&p));
        CHECK_INT(bosh_deadline_ms(p.s) - p.now, 48000); /* 4/5 of it */
        to_deadline(&p);
        CHECK(peer_next(&p) && !peer_sent(&p, "<message"));
        peer_answer(&p, EMPTY);
    }
    CHECK_INT(bosh_rid(p.s) - rid, 75);
    CHECK_INT(bosh_resume(p.s), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "id=\"a\""));
    CHECK_STR(peer_seen(&p), "");
    CHECK(cpu_ms() - before < CPU_MAX_MS);
    peer_release(&p);
}

static void test_a_pause_is_kept_and_then_inactivity_is_as_before(void)
{
    struct peer p;
    uint64_t rid;

    start(&p, NULL,
          LOGGED_IN("wait='60' hold='1' requests='2' "
                    "inactivity='30' maxpause='600'"));
    rid = bosh_rid(p.s);
    CHECK_STR(sent_now(&p, rid), "0/1");
    CHECK_INT(bosh_pause(p.s, 601), BOSH_E_ARG);
    CHECK_INT(bosh_pause(p.s, 600), 0);
    CHECK_STR(sent_now(&p, rid), "1/1");
    peer_answer_to(&p, p.id - 1, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 480000);
    p.now += 480000 - 1;
    CHECK_STR(sent_now(&p, rid), "");
    p.now += 1;
    CHECK_STR(sent_now(&p, rid), "2/1");
    peer_answer(&p, EMPTY);
    CHECK_STR(sent_now(&p, rid), "3/1");
    bosh_fail(p.s, p.now, p.id, "reset");
    p.now += 30000; /* nobody asked for the repeat */
    bosh_tick(p.s, p.now);
    CHECK_STR(peer_seen(&p), "");
    p.now += 1;
    bosh_tick(p.s, p.now);
    CHECK_STR(peer_seen(&p), "disconnected:item-not-found");
    peer_release(&p);
}

static void test_an_hour_of_polling_keeps_the_interval(void)
{
    int64_t before = cpu_ms(), last = 0;
    struct peer p;
    int polls = 0;

    start(&p, NULL,
          LOGGED_IN("wait='0' hold='0' requests='1' polling='5' "
                    "inactivity='300'"));
    while (p.now - 1000000 < HOUR) {
        while (!peer_next(&p))
            to_deadline(&p);
        CHECK(last == 0 || p.now - last >= 5000);
        last = p.now;
        polls++;
        p.now += 20;
        peer_answer(&p, EMPTY);
    }
    CHECK_INT(polls, HOUR / 5020 + 2); /* with the first and the last */
    CHECK(cpu_ms() - before < CPU_MAX_MS);
    peer_release(&p);
}

/* §12 speaks of two empty requests with an empty answer between them. */
static void test_a_polling_session_sends_stanzas_at_once(void)
{
    struct peer p;

    start(&p, NULL, LOGGED_IN("wait='0' hold='0' requests='1' polling='5'"));
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(!peer_next(&p)); /* one at a time */
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p) && peer_sent(&p, "id=\"a\""));
    peer_answer(&p, WITH("m"));
    CHECK(peer_next(&p) && !peer_sent(&p, "<message"));
    peer_answer(&p, EMPTY);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 5000);
    peer_release(&p);
}

/* ---- Ends -----------------------------------------------------------------
 */

static void attach_at(struct peer *p, uint64_t rid)
{
    struct bosh_attach known = {.jid = "ann@example.org/r",
                                .sid = "s1",
                                .rid = rid,
                                .wait_s = 60,
                                .hold = 1,
                                .requests = 2,
                                .inactivity_s = -1,
                                .polling_s = -1,
                                .maxpause_s = -1};

    peer_init(p, NULL);
    CHECK_INT(bosh_attach(p->s, p->now, &known), 0);
    CHECK_STR(peer_seen(p), "attached");
}

static void test_the_last_rid_is_used_and_none_above_it(void)
{
    struct peer p;

    attach_at(&p, BOSH_RID_MAX - 1);
    CHECK(peer_next(&p) && p.rid == BOSH_RID_MAX - 1);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p) && p.rid == BOSH_RID_MAX);
    CHECK(peer_sent(&p, "rid='9007199254740991'"));
    peer_answer_to(&p, p.id - 1, WITH("one"));
    CHECK_STR(peer_seen(&p), "<one>");
    CHECK(!peer_next(&p)); /* its answer may still come */
    CHECK_STR(peer_seen(&p), "");
    bosh_fail(p.s, p.now, p.id, "reset");
    CHECK(peer_next(&p) && p.rid == BOSH_RID_MAX && p.attempt == 2);
    peer_answer(&p, WITH("two"));
    CHECK(!peer_next(&p));
    CHECK_STR(peer_seen(&p), "<two> disconnected");
    CHECK_STR(bosh_last_error(p.s), "the request numbers are used up");
    peer_release(&p);
}

static void test_after_the_last_rid_there_is_none_to_take_leave(void)
{
    struct peer p;

    attach_at(&p, BOSH_RID_MAX);
    CHECK(peer_next(&p));
    CHECK_INT(bosh_disconnect(p.s, p.now, "done"), 0);
    CHECK(!peer_next(&p));
    CHECK_STR(peer_seen(&p), "disconnecting:done disconnected");
    CHECK_INT(peer_aborts(&p), 1);
    peer_release(&p);
}

static void test_who_was_sent_elsewhere_may_connect_again(void)
{
    struct peer p;

    start(&p, NULL, LOGGED_IN(USUAL));
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY " type='terminate' "
                    "condition='see-other-uri'><uri>https://b/</uri></body>");
    CHECK_STR(peer_seen(&p),
              "redirect:see-other-uri disconnected:see-other-uri");
    p.now += HOUR;
    peer_log_in(&p);
    CHECK(peer_next(&p));
    peer_release(&p);
}

/* A manager's end, on the oldest request, with what it still had for us. */
static void test_the_manager_ends_it_with_stanzas_and_nothing_follows(void)
{
    uint64_t id[2];
    struct peer p;

    open_two(&p, id);
    CHECK_INT(peer_send(&p, MESSAGE("lost")), 0);
    peer_answer_to(&p, id[0],
                   "<body " NS_BODY " type='terminate' condition='system-"
                   "shutdown'><message " NS_CLIENT
                   " id='a'/><presence " NS_CLIENT " id='b'/></body>");
    CHECK_STR(peer_seen(&p), "<a> <b> connfail:system-shutdown "
                             "disconnected:system-shutdown");
    CHECK_INT(peer_aborts(&p), 1);
    CHECK(bosh_ended(p.s) && bosh_queue_len(p.s) == 0);
    p.now += HOUR;
    CHECK(!peer_next(&p));
    peer_answer_to(&p, id[1], WITH("too late"));
    CHECK_STR(peer_seen(&p), "");
    peer_release(&p);
}

static const struct peer_test TESTS[] = {
    {"an hour of polls is sixty requests",
     test_an_hour_of_polls_is_sixty_requests},
    {"no poll that is answered in time is sent twice",
     test_no_poll_that_is_answered_in_time_is_sent_twice},
    {"a lost answer is asked for after its wait and a tenth",
     test_a_lost_answer_is_asked_for_after_its_wait_and_a_tenth},
    {"a passed request is asked for after a tenth of wait",
     test_a_passed_request_is_asked_for_after_a_tenth_of_wait},
    {"stanzas do not repeat a held poll of a small wait",
     test_stanzas_do_not_repeat_a_held_poll_of_a_small_wait},
    {"a passed request that stays lost ends the session",
     test_a_passed_request_that_stays_lost_ends_the_session},
    {"repeats wait n cubed seconds", test_repeats_wait_n_cubed_seconds},
    {"five errors of two requests end it",
     test_five_errors_of_two_requests_end_it},
    {"one good answer of either starts the count anew",
     test_one_good_answer_of_either_starts_the_count_anew},
    {"a recoverable error repeats it and all before it",
     test_a_recoverable_error_repeats_it_and_all_before_it},
    {"an hour held back keeps the session alive",
     test_an_hour_held_back_keeps_the_session_alive},
    {"a pause is kept, and then inactivity is as before",
     test_a_pause_is_kept_and_then_inactivity_is_as_before},
    {"an hour of polling keeps the interval",
     test_an_hour_of_polling_keeps_the_interval},
    {"a polling session sends stanzas at once",
     test_a_polling_session_sends_stanzas_at_once},
    {"the last rid is used and none above it",
     test_the_last_rid_is_used_and_none_above_it},
    {"after the last rid there is none to take leave",
     test_after_the_last_rid_there_is_none_to_take_leave},
    {"who was sent elsewhere may connect again",
     test_who_was_sent_elsewhere_may_connect_again},
    {"the manager ends it with stanzas and nothing follows",
     test_the_manager_ends_it_with_stanzas_and_nothing_follows},
};

int suite_scenarios(void)
{
    return peer_suite("scenarios", TESTS, PEER_COUNT(TESTS));
}
