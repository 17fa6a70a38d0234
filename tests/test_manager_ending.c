/* The manager: pauses and endings of every kind: XEP-0124 §10, §13, §17, §19;
 * XEP-0206 §6. */
#include "mockserver/cmsession.h"
#include "tests/check.h"
#include "tests/mockrig.h"

int suite_manager_ending(void);

#define PUSH                                                                   \
    "<message xmlns='jabber:client' from='robot@localhost' "                   \
    "id='push'><body>x</body></message>"
#define EMPTY "<body xmlns='http://jabber.org/protocol/httpbind'/>"
#define TERMINATE                                                              \
    "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"
#define PING                                                                   \
    "<iq xmlns='jabber:client' type='get' id='p'><ping "                       \
    "xmlns='urn:xmpp:ping'/></iq>"

static bool is_held(const struct rig *r, uint64_t token)
{
    return rig_answer(r, token) == NULL;
}

static void start(struct rig *r, const char *attributes)
{
    rig_init(r, mock_options_default());
    rig_login(r, "alice", attributes, NULL);
}

static void test_terminate_is_told_to_the_oldest(void)
{
    uint64_t poll, last;
    struct mock_fact fact;
    struct rig r;

    start(&r, "wait='60' hold='1'");
    poll = rig_send(&r, "", "");
    last = rig_send(&r, "type='terminate'",
                    "<presence xmlns='jabber:client' type='unavailable'/>");
    CHECK_STR(rig_body(&r, poll), TERMINATE);
    CHECK_STR(rig_body(&r, last), EMPTY);
    CHECK_INT(r.answers[r.answer_count - 1].token, last);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    while (mock_next_fact(r.mock, &fact) && fact.kind != MOCK_FACT_ENDED)
        ;
    CHECK_STR(fact.reason, "terminate");
    rig_release(&r);
}

static void test_lone_terminate_is_told_itself(void)
{
    struct rig r;

    start(&r, "wait='60' hold='1'");
    CHECK_STR(rig_body(&r, rig_send(&r, "type='terminate'", "")), TERMINATE);
    rig_release(&r);
}

static void test_terminate_waits_for_its_turn(void)
{
    uint64_t last, missing;
    struct rig r;

    start(&r, "wait='60' hold='1'");
    last = rig_send_rid(&r, r.rid + 2, "type='terminate'", "");
    CHECK(is_held(&r, last));
    missing = rig_send_rid(&r, r.rid + 1, "", "");
    CHECK_STR(rig_body(&r, missing), TERMINATE);
    CHECK_STR(rig_body(&r, last), EMPTY);
    rig_release(&r);
}

static void test_payloads_of_terminate_reach_the_server(void)
{
    char first_sid[64];
    uint64_t poll;
    struct rig r;

    start(&r, "wait='60' hold='1'");
    snprintf(first_sid, sizeof first_sid, "%s", r.sid);
    poll = rig_send(&r, "", "");
    r.rid = 1000;
    rig_login(&r, "bob", "wait='60' hold='1'", NULL);
    rig_send(&r, "type='terminate'",
             "<message xmlns='jabber:client' to='alice@localhost' "
             "id='bye'><body>x</body></message>");
    CHECK(rig_has(&r, poll, "bye"));
    CHECK(strcmp(first_sid, r.sid) != 0);
    rig_release(&r);
}

static void test_pause_answers_all_and_extends_inactivity(void)
{
    uint64_t poll, pause;
    struct rig r;

    start(&r, "wait='60' hold='1'");
    poll = rig_send(&r, "", "");
    pause = rig_send(&r, "pause='100'", "");
    CHECK_STR(rig_body(&r, poll), EMPTY);
    CHECK_STR(rig_body(&r, pause), EMPTY);
    CHECK_INT(mock_push(r.mock, r.now_ms, r.sid, PUSH, strlen(PUSH)), 0);
    rig_pass(&r, 50000);
    CHECK_STR(rig_body(&r, rig_send_rid(&r, r.rid, "pause='100'", "")), EMPTY);
    rig_pass(&r, 99000);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "push"));
    rig_pass(&r, 30501);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_short_pause_shortens_inactivity(void)
{
    struct rig r;

    start(&r, "wait='60' hold='1'");
    rig_send(&r, "pause='5'", "");
    rig_pass(&r, 5501);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_pause_beyond_maxpause_is_refused(void)
{
    struct mock_options o = mock_options_default();
    struct rig r;

    start(&r, "wait='60' hold='1'");
    CHECK(rig_has(&r, rig_send(&r, "pause='121'", ""), "policy-violation"));
    rig_release(&r);
    o.maxpause_s = -1;
    rig_init(&r, o);
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    CHECK(rig_has(&r, rig_send(&r, "pause='1'", ""), "policy-violation"));
    rig_release(&r);
}

static void test_every_condition_can_end_a_session(void)
{
    static const char *const rows[] = {
        "bad-request",
        "host-gone",
        "host-unknown",
        "improper-addressing",
        "internal-server-error",
        "item-not-found",
        "other-request",
        "policy-violation",
        "remote-connection-failed",
        "remote-stream-error",
        "see-other-uri",
        "system-shutdown",
        "undefined-condition",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t first, second;
        struct rig r;

        start(&r, "wait='60' hold='2'");
        first = rig_send(&r, "", "");
        second = rig_send(&r, "", "");
        CHECK_INT(mock_end_session(r.mock, r.now_ms, r.sid, rows[i],
                                   "<x xmlns='u'/>", 14),
                  0);
        rig_pass(&r, 0);
        CHECK_ROW(rig_has(&r, first, rows[i]), rows[i]);
        CHECK_ROW(rig_has(&r, first, "><x xmlns='u'/></body>"), rows[i]);
        CHECK_ROW(rig_has(&r, second, rows[i]), rows[i]);
        CHECK_ROW(rig_has(&r, rig_send(&r, "", ""), "item-not-found"), rows[i]);
        CHECK_INT(mock_end_session(r.mock, r.now_ms, r.sid, NULL, NULL, 0), -1);
        rig_release(&r);
    }
}

static void test_ending_waits_for_a_request(void)
{
    static const char xml[] = "<stream:error><conflict "
                              "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                              "</stream:error>";
    uint64_t token;
    struct rig r;

    start(&r, "wait='60' hold='1'");
    CHECK_INT(mock_push(r.mock, r.now_ms, r.sid, PUSH, strlen(PUSH)), 0);
    CHECK_INT(mock_end_session(r.mock, r.now_ms, r.sid, "remote-stream-error",
                               xml, strlen(xml)),
              0);
    CHECK_INT(mock_push(r.mock, r.now_ms, r.sid, PUSH, strlen(PUSH)), -1);
    rig_pass(&r, 10000);
    token = rig_send(&r, "", PING);
    CHECK_STR(rig_body(&r, token),
              "<body xmlns='http://jabber.org/protocol/httpbind' "
              "xmlns:stream='http://etherx.jabber.org/streams' "
              "type='terminate' condition='remote-stream-error'>" PUSH
              "<stream:error><conflict "
              "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
              "</body>");
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_legacy_client_hears_http_codes(void)
{
    uint64_t token;
    struct rig r;

    rig_init(&r, mock_options_default());
    token = rig_post(&r, "<body to='localhost' " RIG_NS "/>");
    CHECK_INT(rig_answer(&r, token)->status, 400);
    token = rig_post(&r, "<body rid='1000' to='localhost' " RIG_NS "/>");
    CHECK_INT(rig_answer(&r, token)->status, 200);
    snprintf(r.sid, sizeof r.sid, "%.32s",
             strstr(rig_body(&r, token), " sid='") + 6);
    token = rig_send(&r, "pause='999'", "");
    CHECK_INT(rig_answer(&r, token)->status, 403);
    token = rig_send(&r, "", "");
    CHECK_INT(rig_answer(&r, token)->status, 404);
    CHECK(strstr(rig_answer(&r, token)->headers, "Allow-Origin: *") != NULL);
    rig_release(&r);
}

static void test_legacy_manager_speaks_http_codes_to_all(void)
{
    struct mock_options o = mock_options_default();
    uint64_t token;
    struct rig r;

    o.ver = NULL;
    rig_init(&r, o);
    token = rig_post(&r, "junk");
    CHECK_INT(rig_answer(&r, token)->status, 400);
    token = rig_post(&r, "<body rid='1' sid='x' " RIG_NS "/>");
    CHECK_INT(rig_answer(&r, token)->status, 404);
    rig_release(&r);
}

static void test_missing_rid_ends_a_session(void)
{
    uint64_t token;
    struct rig r;

    start(&r, "");
    token = rig_post(&r, "<body sid='%s' " RIG_NS "/>", r.sid);
    CHECK(rig_has(&r, token, "bad-request"));
    rig_release(&r);
}

static void test_override_ends_the_session_in_its_turn(void)
{
    uint64_t late, first;
    struct rig r;

    start(&r, "wait='60' hold='1'");
    CHECK_INT(mock_override(r.mock, r.sid, "1005", MOCK_TERMINATE,
                            "system-shutdown", PUSH, strlen(PUSH)),
              0);
    CHECK_INT(mock_override(r.mock, r.sid, "x", MOCK_TERMINATE, NULL, NULL, 0),
              -1);
    CHECK(r.rid == 1003);
    late = rig_send_rid(&r, 1005, "", "");
    CHECK(is_held(&r, late));
    first = rig_send_rid(&r, 1004, "", "");
    CHECK(rig_has(&r, late, "condition='system-shutdown'>" PUSH));
    CHECK(!is_held(&r, first));
    CHECK(rig_has(&r, rig_send_rid(&r, 1006, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_override_can_refuse_a_creation(void)
{
    uint64_t token;
    struct rig r;

    rig_init(&r, mock_options_default());
    mock_override(r.mock, NULL, NULL, MOCK_TERMINATE, "see-other-uri",
                  "<uri>http://a/</uri>", 20);
    token = rig_post(&r, "<body rid='5' to='localhost' ver='1.6' " RIG_NS "/>");
    CHECK(rig_has(&r, token, "condition='see-other-uri'><uri>"));
    CHECK(strstr(rig_create(&r, ""), " sid='") != NULL);
    rig_release(&r);
}

static void test_recoverable_error_leaves_the_rid_unused(void)
{
    uint64_t token;
    struct rig r;

    start(&r, "wait='60' hold='1'");
    mock_override(r.mock, r.sid, NULL, MOCK_RECOVERABLE, NULL, NULL, 0);
    token = rig_send(&r, "", PING);
    CHECK(rig_has(&r, token, "type='error'"));
    CHECK(!rig_has(&r, token, "condition"));
    token = rig_send_rid(&r, r.rid, "", PING);
    CHECK(rig_has(&r, token, "type='result'"));
    CHECK_INT(rig_count(&r, "type='result'"), 2); /* of bind and of ping */
    rig_release(&r);
}

static void test_secure_session_is_not_served_in_clear(void)
{
    uint64_t token;
    struct rig r;

    rig_init(&r, mock_options_default());
    r.tls = true;
    rig_create(&r, "hold='1'");
    r.tls = false;
    token = rig_send_rid(&r, r.rid + 1, "", "");
    CHECK_INT(rig_answer(&r, token)->status, 0);
    r.tls = true;
    CHECK(is_held(&r, rig_send(&r, "", "")));
    rig_release(&r);
}

static void test_many_sessions_end_and_are_forgotten(void)
{
    struct mock_session_info info = {0};
    int count = 0;
    struct rig r;

    rig_init(&r, mock_options_default());
    for (int i = 0; i < MOCK_MAX_GONE + 50; i++) {
        r.rid = 1000;
        for (int a = 0; a < r.answer_count; a++) {
            free(r.answers[a].content_type);
            free(r.answers[a].headers);
            free(r.answers[a].body);
        }
        r.answer_count = 0;
        rig_create(&r, "");
        rig_send(&r, "type='terminate'", "");
    }
    while (mock_next_session(r.mock, count ? info.sid : NULL, &info)) {
        CHECK(info.state == MOCK_SESSION_GONE);
        count++;
    }
    CHECK_INT(count, MOCK_MAX_GONE);
    rig_release(&r);
}

static void test_state_table_has_no_way_back_from_gone(void)
{
    static const enum mock_session_state states[] = {
        MOCK_SESSION_OPEN, MOCK_SESSION_PAUSED, MOCK_SESSION_ENDING,
        MOCK_SESSION_GONE};
    /* the next state, '-' where the cell is empty: Open Paused Ending Gone */
    static const char *const want[] = {"OPGGE-G", "OPGGE-G", "EEEG-GG",
                                       "-------"};
    static const char letters[] = "OPEG";

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        for (int e = 0; e < CMSESSION_EVENT_COUNT; e++) {
            struct cmsession *s = cmsession_new(NULL);
            bool moved;

            s->state = states[i];
            moved = cmsession_move(s, (enum cmsession_event)e);
            CHECK_ROW(moved == (want[i][e] != '-'), want[i]);
            CHECK_ROW(letters[s->state] ==
                          (moved ? want[i][e] : letters[states[i]]),
                      want[i]);
            cmsession_free(s);
        }
    }
}

int suite_manager_ending(void)
{
    CU_pSuite suite = CU_add_suite("manager ending", NULL, NULL);

    if (!suite || !CU_ADD_TEST(suite, test_terminate_is_told_to_the_oldest) ||
        !CU_ADD_TEST(suite, test_lone_terminate_is_told_itself) ||
        !CU_ADD_TEST(suite, test_terminate_waits_for_its_turn) ||
        !CU_ADD_TEST(suite, test_payloads_of_terminate_reach_the_server) ||
        !CU_ADD_TEST(suite, test_pause_answers_all_and_extends_inactivity) ||
        !CU_ADD_TEST(suite, test_short_pause_shortens_inactivity) ||
        !CU_ADD_TEST(suite, test_pause_beyond_maxpause_is_refused) ||
        !CU_ADD_TEST(suite, test_every_condition_can_end_a_session) ||
        !CU_ADD_TEST(suite, test_ending_waits_for_a_request) ||
        !CU_ADD_TEST(suite, test_legacy_client_hears_http_codes) ||
        !CU_ADD_TEST(suite, test_legacy_manager_speaks_http_codes_to_all) ||
        !CU_ADD_TEST(suite, test_missing_rid_ends_a_session) ||
        !CU_ADD_TEST(suite, test_override_ends_the_session_in_its_turn) ||
        !CU_ADD_TEST(suite, test_override_can_refuse_a_creation) ||
        !CU_ADD_TEST(suite, test_recoverable_error_leaves_the_rid_unused) ||
        !CU_ADD_TEST(suite, test_secure_session_is_not_served_in_clear) ||
        !CU_ADD_TEST(suite, test_many_sessions_end_and_are_forgotten) ||
        !CU_ADD_TEST(suite, test_state_table_has_no_way_back_from_gone))
        return -1;
    return 0;
}
