/* A client that acknowledges answers, and what it makes of a report: XEP-0124
 * §9.2. */
#include "bosh_peer.h"

#include <inttypes.h>

int suite_acks(void);

static void peer_init_acks(struct peer *p, int max_open)
{
    struct bosh_options o;

    bosh_options_init(&o);
    o.ack = true;
    o.max_open = max_open;
    peer_init(p, &o);
}

/* Is the latest request's ack the one of rid? 0: it has none. */
static bool acks(const struct peer *p, uint64_t rid)
{
    char want[48];

    snprintf(want, sizeof want, "<body ack='%" PRIu64 "' ", rid);
    return rid ? peer_sent(p, want) : !peer_sent(p, "ack='");
}

static void test_the_creation_announces_acks(void)
{
    struct peer p;

    peer_init_acks(&p, 2);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    CHECK_STR(buf_str(&p.body),
              "<body ack='1' content='text/xml; charset=utf-8' hold='1' "
              "rid='300239975158034' to='example.org' ver='1.11' wait='60' "
              "xml:lang='en' " NS_BODY " xmlns:xmpp='urn:xmpp:xbosh' "
              "xmpp:version='1.0'/>");
    peer_release(&p);
}

static void test_no_ack_when_all_answers_came(void)
{
    struct peer p;

    peer_init_acks(&p, 2);
    peer_log_in(&p);
    for (int i = 0; i < 3; i++) {
        CHECK(peer_next(&p));
        CHECK(acks(&p, 0));
        peer_answer(&p, WITH("m"));
    }
    peer_release(&p);
}

static void test_an_ack_is_the_last_answer_without_a_gap(void)
{
    struct peer p;
    uint64_t poll_rid, poll, second;

    peer_init_acks(&p, 3);
    peer_log_in_with(&p, LOGGED_IN("wait='60' hold='2' requests='3'"));
    CHECK(peer_next(&p));
    poll = p.id;
    poll_rid = p.rid;
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    second = p.id;
    CHECK(acks(&p, poll_rid - 1));
    peer_answer_to(&p, second, WITH("one")); /* early: the poll is missing */
    CHECK_INT(peer_send(&p, MESSAGE("b")), 0);
    CHECK(peer_next(&p));
    CHECK(acks(&p, poll_rid - 1));
    peer_answer_to(&p, poll, WITH("two"));
    CHECK_INT(peer_send(&p, MESSAGE("c")), 0);
    CHECK(peer_next(&p));
    CHECK(acks(&p, poll_rid + 1));
    peer_release(&p);
}

static void test_a_repeat_keeps_its_ack(void)
{
    struct buf first = BUF_INIT;
    struct peer p;
    uint64_t poll;

    peer_init_acks(&p, 2);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    poll = p.id;
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    buf_add(&first, p.body.data, p.body.len);
    peer_answer_to(&p, poll, WITH("one"));
    bosh_fail(p.s, p.now, p.id, "reset");
    CHECK(peer_next(&p));
    CHECK_STR(buf_str(&p.body), buf_str(&first));
    buf_release(&first);
    peer_release(&p);
}

static void test_the_end_is_acknowledged_as_well(void)
{
    struct peer p;
    uint64_t poll_rid;

    peer_init_acks(&p, 2);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    poll_rid = p.rid;
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "type='terminate'"));
    CHECK(acks(&p, poll_rid - 1));
    peer_release(&p);
}

/* Which answers came before nobody has told us. */
static void test_a_session_that_was_taken_up_gets_no_acks(void)
{
    struct bosh_attach known = {.jid = "a@example.org/x",
                                .sid = "s1",
                                .rid = 100,
                                .wait_s = 60,
                                .hold = 1,
                                .requests = 2,
                                .inactivity_s = 60,
                                .polling_s = -1,
                                .maxpause_s = -1};
    struct peer p;

    peer_init_acks(&p, 2);
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK(peer_next(&p));
    CHECK(acks(&p, 0));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    CHECK(acks(&p, 0));
    peer_release(&p);
}

/* ---- Reports --------------------------------------------------------------
 */

/* A poll and a message are open; the message's answer reports on the poll, so
 * many ms ago. */
static void report(struct peer *p, int64_t time_ms)
{
    char text[160];
    uint64_t poll_rid;

    CHECK(peer_next(p));
    poll_rid = p->rid;
    CHECK_INT(peer_send(p, MESSAGE("a")), 0);
    CHECK(peer_next(p));
    p->now += 1000;
    snprintf(text, sizeof text,
             "<body " NS_BODY " report='%" PRIu64 "' time='%" PRId64 "'/>",
             poll_rid, time_ms);
    peer_answer(p, text);
    p->rid = poll_rid;
}

static void test_a_reported_answer_is_fetched_again_at_once(void)
{
    struct peer p;
    uint64_t rid;

    peer_init_acks(&p, 2);
    peer_log_in(&p);
    report(&p, 852);
    rid = p.rid;
    CHECK_INT(peer_aborts(&p), 1);
    CHECK(peer_next(&p));
    CHECK(p.rid == rid && p.attempt == 2);
    CHECK_INT(bosh_errors(p.s), 0);
    peer_answer(&p, WITH("m"));
    CHECK_STR(peer_seen(&p), "<m>");
    peer_release(&p);
}

static void test_a_report_older_than_the_repeat_changes_nothing(void)
{
    struct peer p;

    peer_init_acks(&p, 2);
    peer_log_in(&p);
    report(&p, 1001);
    CHECK_INT(peer_aborts(&p), 0);
    CHECK(!peer_next(&p));
    peer_release(&p);
}

static void test_a_report_of_what_is_not_open_changes_nothing(void)
{
    static const char *const ODD[] = {"report='1' time='5'", "report=''",
                                      "report='x' time='y'",
                                      "report='99999999999999999999'"};

    for (size_t i = 0; i < PEER_COUNT(ODD); i++) {
        struct buf text = BUF_INIT;
        struct peer p;

        peer_init_acks(&p, 2);
        peer_log_in(&p);
        CHECK(peer_next(&p));
        buf_printf(&text, "<body " NS_BODY " %s/>", ODD[i]);
        peer_answer(&p, buf_str(&text));
        CHECK_ROW(peer_next(&p) && p.attempt == 1, ODD[i]);
        CHECK_INT(bosh_errors(p.s), 0);
        buf_release(&text);
        peer_release(&p);
    }
}

static void test_who_does_not_ack_takes_no_report(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    report(&p, 5);
    CHECK_INT(peer_aborts(&p), 0);
    CHECK(!peer_next(&p));
    peer_release(&p);
}

static const struct peer_test TESTS[] = {
    {"the creation announces acks", test_the_creation_announces_acks},
    {"no ack when all answers came", test_no_ack_when_all_answers_came},
    {"an ack is the last answer without a gap",
     test_an_ack_is_the_last_answer_without_a_gap},
    {"a repeat keeps its ack", test_a_repeat_keeps_its_ack},
    {"the end is acknowledged as well", test_the_end_is_acknowledged_as_well},
    {"a session that was taken up gets no acks",
     test_a_session_that_was_taken_up_gets_no_acks},
    {"a reported answer is fetched again at once",
     test_a_reported_answer_is_fetched_again_at_once},
    {"a report older than the repeat changes nothing",
     test_a_report_older_than_the_repeat_changes_nothing},
    {"a report of what is not open changes nothing",
     test_a_report_of_what_is_not_open_changes_nothing},
    {"who does not ack takes no report", test_who_does_not_ack_takes_no_report},
};

int suite_acks(void)
{
    return peer_suite("acks", TESTS, PEER_COUNT(TESTS));
}
