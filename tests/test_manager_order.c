/* The manager: rid order, window, repeats, acknowledgements, keys: XEP-0124
 * §9, §14, §15. */
#include <inttypes.h>

#include "tests/check.h"
#include "tests/mockrig.h"

int suite_manager_order(void);

#define ECHO(id)                                                               \
    "<message xmlns='jabber:client' to='echo@localhost' type='chat' id='" id   \
    "'><body>hi</body></message>"
#define PUSH                                                                   \
    "<message xmlns='jabber:client' from='robot@localhost' "                   \
    "id='push'><body>x</body></message>"
#define EMPTY "<body xmlns='http://jabber.org/protocol/httpbind'/>"
#define ERROR "<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>"

static bool is_held(const struct rig *r, uint64_t token)
{
    return rig_answer(r, token) == NULL;
}

static void start(struct rig *r, const char *attributes)
{
    rig_init(r, mock_options_default());
    rig_login(r, "alice", attributes, NULL);
}

static void test_requests_out_of_order_are_put_in_order(void)
{
    uint64_t late, missing;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    late = rig_send_rid(&r, r.rid + 2, "", ECHO("m2"));
    rig_pass(&r, 700);
    CHECK(is_held(&r, late));
    missing = rig_send_rid(&r, r.rid + 1, "", ECHO("m1"));
    CHECK(rig_has(&r, missing, "m1"));
    CHECK(rig_has(&r, late, "m2"));
    CHECK_INT(r.answers[r.answer_count - 1].token, late);
    CHECK_INT(rig_count(&r, "m1") + rig_count(&r, "m2"), 2);
    rig_release(&r);
}

static void test_gap_outlasts_wait(void)
{
    uint64_t parked;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    parked = rig_send_rid(&r, r.rid + 2, "", ECHO("m2"));
    rig_pass(&r, 30000);
    CHECK(is_held(&r, parked));
    rig_send_rid(&r, r.rid + 1, "", "");
    CHECK(rig_has(&r, parked, "m2") || rig_count(&r, "m2") == 1);
    CHECK_INT(rig_count(&r, "condition"), 0);
    rig_release(&r);
}

static void test_gap_that_stays_ends_the_session(void)
{
    uint64_t parked;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    parked = rig_send_rid(&r, r.rid + 2, "", "");
    rig_pass(&r, 10000 + 30000 + 501);
    CHECK(rig_has(&r, parked, "item-not-found"));
    rig_release(&r);
}

static void test_rid_beyond_the_window_ends_the_session(void)
{
    uint64_t poll, far;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    poll = rig_send(&r, "", "");
    far = rig_send_rid(&r, r.rid + 3, "", "");
    CHECK(rig_has(&r, far, "condition='item-not-found'"));
    CHECK(rig_has(&r, poll, "condition='other-request'"));
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_pause_and_terminate_may_be_one_rid_further(void)
{
    uint64_t token;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    token = rig_send_rid(&r, r.rid + 3, "type='terminate'", "");
    CHECK(is_held(&r, token));
    rig_send_rid(&r, r.rid + 1, "", "");
    rig_send_rid(&r, r.rid + 2, "", "");
    CHECK(!is_held(&r, token));
    CHECK_INT(rig_count(&r, "condition"), 0);
    CHECK_INT(rig_count(&r, "type='terminate'"), 1);
    rig_release(&r);
}

static void test_without_requests_there_is_no_window(void)
{
    struct mock_options o = mock_options_default();
    uint64_t first, far;
    struct rig r;

    o.requests = 0;
    rig_init(&r, o);
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    first = r.rid;
    far = rig_send_rid(&r, first + 40, "", "");
    CHECK(is_held(&r, far));
    for (uint64_t rid = first + 1; rid < first + 40; rid++)
        rig_send_rid(&r, rid, "", "");
    CHECK_INT(rig_count(&r, "condition"), 0);
    CHECK(is_held(&r, far));
    rig_release(&r);
}

static void test_answered_rid_is_replayed_byte_for_byte(void)
{
    uint64_t first, second, again;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    first = rig_send(&r, "", ECHO("m1"));
    second = rig_send(&r, "", ECHO("m2"));
    again = rig_send_rid(&r, r.rid, "", ECHO("m2"));
    CHECK_STR(rig_body(&r, again), rig_body(&r, second));
    CHECK(rig_answer(&r, again)->replay);
    again = rig_send_rid(&r, r.rid - 1, "", ECHO("other"));
    CHECK_STR(rig_body(&r, again), rig_body(&r, first));
    CHECK_INT(rig_count(&r, "other"), 0);
    CHECK(rig_has(&r, rig_send(&r, "", ECHO("m3")), "m3"));
    rig_release(&r);
}

static void test_replay_takes_nothing_from_the_queue(void)
{
    uint64_t again;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    rig_send(&r, "", ECHO("m1"));
    CHECK_INT(mock_push(r.mock, r.now_ms, r.sid, PUSH, strlen(PUSH)), 0);
    again = rig_send_rid(&r, r.rid, "", ECHO("m1"));
    CHECK(!rig_has(&r, again, "push"));
    CHECK(rig_has(&r, rig_send(&r, "", ""), "push"));
    rig_release(&r);
}

static void test_too_old_a_rid_ends_the_session(void)
{
    struct rig r;

    start(&r, "wait='10' hold='1'");
    for (int i = 0; i < 3; i++)
        rig_send(&r, "", ECHO("m"));
    CHECK(!rig_has(&r, rig_send_rid(&r, r.rid - 1, "", ""), "condition"));
    CHECK(rig_has(&r, rig_send_rid(&r, r.rid - 2, "", ""), "item-not-found"));
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_pending_repeat_takes_the_place_of_the_old_copy(void)
{
    uint64_t old, copy;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    old = rig_send(&r, "", "");
    rig_pass(&r, 3000);
    copy = rig_send_rid(&r, r.rid, "", "");
    CHECK_STR(rig_body(&r, old), ERROR);
    CHECK(is_held(&r, copy));
    rig_pass(&r, 7999);
    CHECK(is_held(&r, copy));
    CHECK_INT(mock_push(r.mock, r.now_ms, r.sid, PUSH, strlen(PUSH)), 0);
    rig_pass(&r, 0);
    CHECK(rig_has(&r, copy, "push"));
    CHECK_INT(rig_count(&r, "push"), 1);
    rig_release(&r);
}

static void test_parked_repeat_runs_once(void)
{
    uint64_t old, copy;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    old = rig_send_rid(&r, r.rid + 2, "", ECHO("m2"));
    copy = rig_send_rid(&r, r.rid + 2, "", ECHO("m2"));
    CHECK_STR(rig_body(&r, old), ERROR);
    rig_send_rid(&r, r.rid + 1, "", ECHO("m1"));
    CHECK(rig_has(&r, copy, "m2"));
    CHECK_INT(rig_count(&r, "m2"), 1);
    rig_release(&r);
}

static void test_too_many_repeats_end_the_session(void)
{
    uint64_t token = 0;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    rig_send(&r, "", ECHO("m"));
    for (int i = 0; i <= MOCK_MAX_REPEATS; i++)
        token = rig_send_rid(&r, r.rid, "", ECHO("m"));
    CHECK(rig_has(&r, token, "policy-violation"));
    rig_release(&r);
}

static void test_broken_connection_loses_nothing(void)
{
    uint64_t held, again;
    int answers;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    held = rig_send(&r, "", "");
    mock_gone(r.mock, r.now_ms, held);
    answers = r.answer_count;
    CHECK_INT(mock_push(r.mock, r.now_ms, r.sid, PUSH, strlen(PUSH)), 0);
    rig_pass(&r, 100);
    CHECK_INT(r.answer_count, answers);
    again = rig_send_rid(&r, r.rid, "", "");
    CHECK(rig_has(&r, again, "push"));
    rig_release(&r);
}

static void test_gone_copy_is_not_told(void)
{
    uint64_t held, copy;
    struct rig r;

    start(&r, "wait='10' hold='1'");
    held = rig_send(&r, "", "");
    mock_gone(r.mock, r.now_ms, held);
    mock_gone(r.mock, r.now_ms, 999999);
    copy = rig_send_rid(&r, r.rid, "", "");
    CHECK(is_held(&r, held));
    rig_pass(&r, 8000);
    CHECK_STR(rig_body(&r, copy), EMPTY);
    rig_release(&r);
}

static void test_manager_acknowledges_what_runs_ahead(void)
{
    uint64_t first, second;
    struct rig r;
    char want[64];

    start(&r, "wait='10' hold='1' ack='1'");
    first = rig_send(&r, "", "");
    second = rig_send(&r, "", "");
    snprintf(want, sizeof want, "ack='%" PRIu64 "'", r.rid);
    CHECK(rig_has(&r, first, want));
    rig_pass(&r, 8000);
    CHECK_STR(rig_body(&r, second), EMPTY);
    rig_release(&r);
}

static void test_unacknowledged_answers_are_kept(void)
{
    uint64_t oldest;
    char ack[64];
    struct rig r;

    start(&r, "wait='60' hold='1' ack='1'");
    oldest = r.rid + 1;
    snprintf(ack, sizeof ack, "ack='%" PRIu64 "'", r.rid);
    for (int i = 0; i < 6; i++)
        rig_send(&r, ack, ECHO("m"));
    CHECK(rig_has(&r, rig_send_rid(&r, oldest, ack, ECHO("m")), "m"));
    CHECK_INT(rig_count(&r, "condition"), 0);
    rig_send(&r, "", ECHO("n"));
    rig_send(&r, "", ECHO("o"));
    CHECK(rig_has(&r, rig_send_rid(&r, oldest, ack, ""), "item-not-found"));
    rig_release(&r);
}

static void test_missing_answer_is_reported(void)
{
    uint64_t lost, token;
    char text[64];
    struct rig r;

    start(&r, "wait='60' hold='1' ack='1'");
    rig_send(&r, "", ECHO("m"));
    lost = r.rid;
    snprintf(text, sizeof text, "ack='%" PRIu64 "'", lost - 1);
    rig_pass(&r, 100);
    CHECK(is_held(&r, rig_send(&r, text, "")));
    rig_pass(&r, 1100);
    token = rig_send(&r, text, "");
    snprintf(text, sizeof text, "report='%" PRIu64 "' time='1200'", lost);
    CHECK(rig_has(&r, token, text));
    rig_release(&r);
}

/* The published chain of §15.5. */
#define K1 "6f825e81f4532b2c5fa2d12457d8a1f22e8f838e"
#define K2 "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d"
#define K3 "ca393b51b682f61f98e7877d61146407f3d0a770"

static void test_key_sequence_is_followed(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_create(&r, "newkey='" K3 "' hold='1'");
    CHECK(is_held(&r, rig_send(&r, "key='" K2 "'", "")));
    CHECK(is_held(&r, rig_send_rid(&r, r.rid, "key='" K2 "'", "")));
    rig_send(&r,
             "key='" K1 "' newkey='CA393B51B682F61F98E7877D61146407F3D0A770'",
             "");
    CHECK(is_held(&r, rig_send(&r, "key='" K2 "'", "")));
    CHECK_INT(rig_count(&r, "condition"), 0);
    rig_release(&r);
}

static void test_key_chain_is_in_rid_order(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_create(&r, "newkey='" K3 "' hold='1'");
    rig_send_rid(&r, r.rid + 2, "key='" K1 "'", "");
    rig_send_rid(&r, r.rid + 1, "key='" K2 "'", "");
    CHECK_INT(rig_count(&r, "condition"), 0);
    rig_release(&r);
}

static void test_wrong_or_missing_key_ends_the_session(void)
{
    static const char *const rows[] = {"", "key='" K1 "'", "key=''",
                                       "newkey='" K2 "'"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t token;
        struct rig r;

        rig_init(&r, mock_options_default());
        rig_create(&r, "newkey='" K3 "' hold='1'");
        token = rig_send(&r, rows[i],
                         "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                         "mechanism='ANONYMOUS'/>");
        CHECK_ROW(rig_has(&r, token, "item-not-found"), rows[i]);
        CHECK_ROW(rig_count(&r, "success") == 0, rows[i]);
        CHECK_ROW(
            rig_has(&r, rig_send(&r, "key='" K2 "'", ""), "item-not-found"),
            rows[i]);
        rig_release(&r);
    }
}

int suite_manager_order(void)
{
    CU_pSuite suite = CU_add_suite("manager order", NULL, NULL);

    if (!suite ||
        !CU_ADD_TEST(suite, test_requests_out_of_order_are_put_in_order) ||
        !CU_ADD_TEST(suite, test_gap_outlasts_wait) ||
        !CU_ADD_TEST(suite, test_gap_that_stays_ends_the_session) ||
        !CU_ADD_TEST(suite, test_rid_beyond_the_window_ends_the_session) ||
        !CU_ADD_TEST(suite, test_pause_and_terminate_may_be_one_rid_further) ||
        !CU_ADD_TEST(suite, test_without_requests_there_is_no_window) ||
        !CU_ADD_TEST(suite, test_answered_rid_is_replayed_byte_for_byte) ||
        !CU_ADD_TEST(suite, test_replay_takes_nothing_from_the_queue) ||
        !CU_ADD_TEST(suite, test_too_old_a_rid_ends_the_session) ||
        !CU_ADD_TEST(suite,
                     test_pending_repeat_takes_the_place_of_the_old_copy) ||
        !CU_ADD_TEST(suite, test_parked_repeat_runs_once) ||
        !CU_ADD_TEST(suite, test_too_many_repeats_end_the_session) ||
        !CU_ADD_TEST(suite, test_broken_connection_loses_nothing) ||
        !CU_ADD_TEST(suite, test_gone_copy_is_not_told) ||
        !CU_ADD_TEST(suite, test_manager_acknowledges_what_runs_ahead) ||
        !CU_ADD_TEST(suite, test_unacknowledged_answers_are_kept) ||
        !CU_ADD_TEST(suite, test_missing_answer_is_reported) ||
        !CU_ADD_TEST(suite, test_key_sequence_is_followed) ||
        !CU_ADD_TEST(suite, test_key_chain_is_in_rid_order) ||
        !CU_ADD_TEST(suite, test_wrong_or_missing_key_ends_the_session))
        return -1;
    return 0;
}
