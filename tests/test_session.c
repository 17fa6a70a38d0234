/* A session's creation and its endings, with answers written
 * by hand and the clock moved by hand. */
#include "bosh_peer.h"

int suite_session(void);

/* ---- Creation
 * ---------------------------------------------------------------- */

static void test_rids_are_large_and_differ(void)
{
    int large = 0;
    uint64_t last = 0;

    for (int i = 0; i < 30; i++) {
        struct bosh *s = bosh_new(NULL);

        CHECK_INT(bosh_connect(s, 0, "example.org", NULL), 0);
        CHECK(bosh_rid(s) != last && bosh_rid(s) < BOSH_RID_MAX / 2 + 3);
        large += bosh_rid(s) > (1 << 20);
        last = bosh_rid(s);
        bosh_free(s);
    }
    CHECK(large > 25);
}

static void test_a_lost_creation_is_sent_again_unchanged(void)
{
    struct buf first = BUF_INIT;
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    CHECK(p.rid == FIRST_RID && p.attempt == 1);
    CHECK(peer_sent(&p, "to='example.org'") && !peer_sent(&p, "sid="));
    buf_add(&first, p.body.data, p.body.len);
    bosh_fail(p.s, p.now, p.id, "refused");
    CHECK(peer_next(&p));
    CHECK(p.rid == FIRST_RID && p.attempt == 2);
    CHECK_STR(buf_str(&p.body), buf_str(&first));
    buf_release(&first);
    peer_release(&p);
}

static void test_negotiated_values_are_taken_over(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in_with(&p,
                     LOGGED_IN("wait='20' hold='2' requests='3' polling='7'"));
    CHECK_INT(bosh_wait_s(p.s), 20);
    CHECK_INT(bosh_hold(p.s), 2);
    CHECK_INT(bosh_requests(p.s), 3);
    CHECK_INT(bosh_polling_s(p.s), 7);
    CHECK_INT(bosh_inactivity_s(p.s), -1);
    CHECK_INT(bosh_maxpause_s(p.s), -1);
    CHECK_STR(bosh_sid(p.s), "s1");
    CHECK(bosh_connected(p.s));
    peer_release(&p);
}

static void test_a_creation_without_sid_fails(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p), "connecting connfail disconnected");
    CHECK(!peer_next(&p));
    peer_release(&p);
}

static void test_a_refused_creation_hands_up_the_condition(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY
                    " type='terminate' condition='host-unknown'/>");
    CHECK_STR(peer_seen(&p),
              "connecting connfail:host-unknown disconnected:host-unknown");
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK_STR(peer_seen(&p), "connecting");
    peer_release(&p);
}

static void test_see_other_uri_is_handed_up(void)
{
    struct bosh_event ev;
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY " type='terminate' "
                    "condition='see-other-uri'><uri>https://b/</uri></body>");
    CHECK(bosh_next_event(p.s, &ev) && bosh_next_event(p.s, &ev));
    CHECK_INT(ev.status, BOSH_REDIRECT);
    CHECK_STR(ev.detail, "https://b/");
    CHECK_STR(peer_seen(&p), "disconnected:see-other-uri");
    peer_release(&p);
}

/* ---- Endings
 * ----------------------------------------------------------------------- */

static void test_a_terminate_delivers_its_payload_first(void)
{
    struct bosh_event ev;
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("late")), 0);
    peer_answer(&p, "<body " NS_BODY " " NS_STREAM " type='terminate' "
                    "condition='remote-stream-error'><message " NS_CLIENT
                    " id='last'/><stream:error><conflict xmlns='urn:ietf:"
                    "params:xml:ns:xmpp-streams'/></stream:error></body>");
    CHECK(bosh_next_event(p.s, &ev));
    CHECK_INT(ev.kind, BOSH_EVENT_STANZA);
    CHECK(bosh_next_event(p.s, &ev));
    CHECK_INT(ev.status, BOSH_CONNFAIL);
    CHECK_STR(ev.condition, "remote-stream-error");
    CHECK_STR(ev.detail, "conflict");
    CHECK_STR(peer_seen(&p), "disconnected:remote-stream-error");
    CHECK(!peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("later")), BOSH_E_STATE);
    CHECK(bosh_deadline_ms(p.s) == BOSH_NEVER);
    peer_release(&p);
}

static void test_a_terminate_aborts_what_is_open(void)
{
    struct peer p;
    uint64_t poll;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    poll = p.id;
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    peer_answer_to(&p, poll, END);
    CHECK_STR(peer_seen(&p), "connfail disconnected");
    CHECK_INT(peer_aborts(&p), 1);
    peer_release(&p);
}

static void test_an_early_terminate_waits_for_its_turn(void)
{
    struct peer p;
    uint64_t poll;

    for (int answered = 0; answered < 2; answered++) {
        peer_init(&p, NULL);
        peer_log_in(&p);
        CHECK(peer_next(&p));
        poll = p.id;
        CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
        CHECK(peer_next(&p));
        peer_answer(&p, END);
        CHECK_STR(peer_seen(&p), "");
        CHECK_INT(bosh_deadline_ms(p.s) - p.now, 1000);
        if (answered) {
            peer_answer_to(&p, poll, WITH("one"));
            CHECK_STR(peer_seen(&p), "<one> connfail disconnected");
        } else {
            bosh_fail(p.s, p.now, poll, "reset");
            CHECK(!peer_next(&p)); /* nothing after a terminate */
            p.now += 1000;
            bosh_tick(p.s, p.now);
            CHECK_STR(peer_seen(&p), "connfail disconnected");
        }
        peer_release(&p);
    }
}

static void test_our_terminate_takes_the_queue_and_presence_along(void)
{
    struct peer p;
    uint64_t poll;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    poll = p.id;
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("b")), 0);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_disconnect(p.s, p.now, "done"), 0);
    CHECK(peer_next(&p)); /* one more than `requests` */
    CHECK(peer_sent(&p, "type='terminate'") && peer_sent(&p, "id=\"b\""));
    CHECK(peer_sent(&p, "<presence xmlns='jabber:client' "
                        "type='unavailable'/></body>"));
    CHECK(!peer_next(&p));
    CHECK_STR(peer_seen(&p), "disconnecting:done");
    peer_answer_to(&p, poll, END);
    CHECK_STR(peer_seen(&p), "");
    peer_answer_to(&p, poll + 1, WITH("one"));
    CHECK_STR(peer_seen(&p), "<one>");
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p), "disconnected");
    CHECK(!peer_next(&p));
    CHECK_INT(peer_aborts(&p), 0);
    peer_release(&p);
}

static void test_a_terminate_without_answer_ends_in_time(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 3000);
    p.now += 3000;
    CHECK(!peer_next(&p));
    CHECK_STR(peer_seen(&p), "disconnecting conntimeout disconnected");
    CHECK_STR(bosh_last_error(p.s), "no answer to our terminate");
    CHECK_INT(peer_aborts(&p), 1);
    peer_release(&p);
}

/* The manager says on the poll that it is over, and our terminate's own answer
 * is lost, just before that or after it. */
static void test_a_terminate_whose_answer_is_lost_is_not_waited_for(void)
{
    struct peer p;
    uint64_t poll;

    for (int before = 0; before < 2; before++) {
        peer_init(&p, NULL);
        peer_log_in(&p);
        CHECK(peer_next(&p));
        poll = p.id;
        CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
        CHECK(peer_next(&p));
        if (before)
            bosh_fail(p.s, p.now, p.id, "reset");
        peer_answer_to(&p, poll, END);
        if (!before)
            bosh_fail(p.s, p.now, p.id, "reset");
        CHECK_STR(peer_seen(&p), "disconnecting disconnected");
        CHECK(!peer_next(&p) && bosh_deadline_ms(p.s) == BOSH_NEVER);
        peer_release(&p);
    }
}

static void test_leaving_before_creation_sends_nothing(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK_STR(peer_seen(&p), "connecting disconnecting disconnected");
    CHECK_INT(peer_aborts(&p), 1);
    CHECK(!peer_next(&p));
    peer_release(&p);
}

static void test_reset_forgets_without_a_word(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK_INT(bosh_reset(p.s), 0);
    CHECK_INT(peer_aborts(&p), 1);
    CHECK(!peer_next(&p) && bosh_sid(p.s) == NULL);
    CHECK_STR(peer_seen(&p), "");
    CHECK_INT(bosh_queue_len(p.s), 0);
    peer_log_in(&p);
    peer_release(&p);
}

/* ---- Attaching
 * ------------------------------------------------------------------------ */

static void test_attach_goes_on_with_the_next_rid(void)
{
    struct bosh_attach known = {.jid = "ann@example.org/r1",
                                .sid = "old",
                                .rid = 500,
                                .wait_s = 30,
                                .hold = -1,
                                .requests = -1,
                                .inactivity_s = 60,
                                .polling_s = -1};
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK_STR(peer_seen(&p), "attached");
    CHECK(peer_next(&p));
    CHECK_STR(buf_str(&p.body), "<body rid='500' sid='old' " NS_BODY "/>");
    CHECK_INT(bosh_rid(p.s), 501);
    CHECK_INT(bosh_wait_s(p.s), 30);
    peer_answer(&p, WITH("m"));
    CHECK_STR(peer_seen(&p), "<m>");
    peer_release(&p);
}

static void test_rids_end_at_their_maximum(void)
{
    struct bosh_attach known = {.jid = "a@b", .sid = "x", .rid = BOSH_RID_MAX};
    struct peer p;

    peer_init(&p, NULL);
    known.rid++;
    CHECK_INT(bosh_attach(p.s, p.now, &known), BOSH_E_ARG);
    known.rid--;
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, WITH("m"));
    CHECK(!peer_next(&p));
    CHECK_STR(peer_seen(&p), "attached <m> disconnected");
    peer_release(&p);
}

/* ---- Verbs that are refused --------------------------------------------
 */

static void test_a_refused_verb_says_why(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(peer_send(&p, MESSAGE("a")), BOSH_E_STATE);
    CHECK_STR(bosh_last_error(p.s), "not possible while the session is 'idle'");
    peer_log_in(&p);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), BOSH_E_STATE);
    CHECK_INT(peer_send(&p, "<a>"), BOSH_E_ARG);
    peer_release(&p);
}

int suite_session(void)
{
    static const struct peer_test TESTS[] = {
        {"rids are large and differ", test_rids_are_large_and_differ},
        {"a lost creation is sent again unchanged",
         test_a_lost_creation_is_sent_again_unchanged},
        {"negotiated values are taken over",
         test_negotiated_values_are_taken_over},
        {"a creation without sid fails", test_a_creation_without_sid_fails},
        {"a refused creation hands up the condition",
         test_a_refused_creation_hands_up_the_condition},
        {"see-other-uri is handed up", test_see_other_uri_is_handed_up},
        {"a terminate delivers its payload first",
         test_a_terminate_delivers_its_payload_first},
        {"a terminate aborts what is open",
         test_a_terminate_aborts_what_is_open},
        {"an early terminate waits for its turn",
         test_an_early_terminate_waits_for_its_turn},
        {"our terminate takes the queue and presence along",
         test_our_terminate_takes_the_queue_and_presence_along},
        {"a terminate without answer ends in time",
         test_a_terminate_without_answer_ends_in_time},
        {"a terminate whose answer is lost is not waited for",
         test_a_terminate_whose_answer_is_lost_is_not_waited_for},
        {"leaving before creation sends nothing",
         test_leaving_before_creation_sends_nothing},
        {"reset forgets without a word", test_reset_forgets_without_a_word},
        {"attach goes on with the next rid",
         test_attach_goes_on_with_the_next_rid},
        {"rids end at their maximum", test_rids_end_at_their_maximum},
        {"a refused verb says why", test_a_refused_verb_says_why},
    };

    return peer_suite("session", TESTS, PEER_COUNT(TESTS));
}
