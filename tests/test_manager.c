/* The manager: creation, holding, polling, HTTP: XEP-0124 §5 to §8, §10 to
 * §12; XEP-0206 §3 to §5. Order and repeats: test_manager_order.c; endings:
 * test_manager_ending.c. */
#include "common/buf.h"
#include "common/clock.h"
#include "tests/check.h"
#include "tests/mockrig.h"

int suite_manager(void);

#define PING                                                                   \
    "<iq xmlns='jabber:client' type='get' id='p'><ping "                       \
    "xmlns='urn:xmpp:ping'/></iq>"
#define ECHO(id)                                                               \
    "<message xmlns='jabber:client' to='echo@localhost' type='chat' id='" id   \
    "'><body>hi</body></message>"
#define PUSH(id)                                                               \
    "<message xmlns='jabber:client' from='robot@localhost' id='" id            \
    "'><body>x</body></message>"

static void push(struct rig *r, const char *xml)
{
    CHECK_INT(mock_push(r->mock, r->now_ms, NULL, xml, strlen(xml)), 0);
    rig_pass(r, 0);
}

static bool is_held(const struct rig *r, uint64_t token)
{
    return rig_answer(r, token) == NULL;
}

/* Several texts, all of which must stand in body. */
static void check_all(const char *body, const char *const *texts)
{
    for (; *texts; texts++)
        CHECK_ROW(strstr(body, *texts) != NULL, *texts);
}

static void test_creation_response_negotiates(void)
{
    static const char *const wanted[] = {
        " sid='",
        " wait='20'",
        " hold='1'",
        " requests='2'",
        " inactivity='30'",
        " polling='5'",
        " maxpause='120'",
        " ver='1.6'",
        " ack='1000'",
        " from='localhost'",
        " authid='",
        " xmlns:stream='http://etherx.jabber.org/streams'",
        " xmpp:version='1.0'",
        " xmpp:restartlogic='true'",
        "<stream:features><mechanisms ",
        "SCRAM-SHA-256",
        "ANONYMOUS",
        NULL};
    struct rig r;

    rig_init(&r, mock_options_default());
    check_all(rig_create(&r, "wait='20' hold='1' ack='1'"), wanted);
    CHECK_INT(r.answers[0].status, 200);
    CHECK_STR(r.answers[0].content_type, "text/xml; charset=utf-8");
    rig_release(&r);
}

static void test_never_more_is_granted_than_asked(void)
{
    static const struct {
        int wait, hold, requests;
        const char *asked;
        const char *got;
    } rows[] = {
        {60, -1, -1, "wait='300' hold='2'", "wait='60' requests='3' hold='2'"},
        {60, 1, -1, "wait='10' hold='2'", "wait='10' requests='2' hold='1'"},
        {-1, -1, -1, "wait='300' hold='1'", "wait='300' requests='2' hold='1'"},
        {60, -1, -1, "", "wait='60' requests='2' hold='1'"},
        {60, 2, 2, "wait='9' hold='2'", "wait='9' requests='2' hold='1'"},
        {60, -1, -1, "wait='0' hold='1'", "wait='0' requests='2' hold='1'"},
        {60, -1, -1, "wait='9' hold='0'", "wait='9' requests='1' hold='0'"},
        {60, -1, 0, "wait='9' hold='1'", "wait='9' hold='1'"},
        {60, -1, 1, "wait='9' hold='1'", "wait='9' requests='1' hold='0'"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mock_options o = mock_options_default();
        struct rig r;

        o.wait_s = rows[i].wait;
        o.hold = rows[i].hold;
        o.requests = rows[i].requests;
        rig_init(&r, o);
        CHECK_ROW(strstr(rig_create(&r, rows[i].asked), rows[i].got) != NULL,
                  rows[i].got);
        rig_release(&r);
    }
}

static void test_versions_compare_as_integers(void)
{
    static const struct {
        const char *ours, *theirs, *got;
    } rows[] = {
        {"1.11", "1.6", "ver='1.6'"},    {"1.6", "1.10", "ver='1.6'"},
        {"1.11", "1.100", "ver='1.11'"}, {"1.11", "99.0", "ver='1.11'"},
        {"2.0", "1.11", "ver='1.11'"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mock_options o = mock_options_default();
        struct rig r;
        uint64_t token;

        o.ver = rows[i].ours;
        rig_init(&r, o);
        token =
            rig_post(&r, "<body rid='7' to='localhost' ver='%s' " RIG_NS "/>",
                     rows[i].theirs);
        CHECK_ROW(rig_has(&r, token, rows[i].got), rows[i].got);
        rig_release(&r);
    }
}

static void test_what_is_not_set_is_left_out(void)
{
    struct mock_options o = mock_options_default();
    const char *body;
    struct rig r;

    o.inactivity_s = o.polling_s = o.maxpause_s = -1;
    o.ack = false;
    o.ver = NULL;
    rig_init(&r, o);
    body = rig_create(&r, "wait='9' hold='1' ack='1'");
    CHECK(strstr(body, "inactivity=") == NULL);
    CHECK(strstr(body, "polling=") == NULL);
    CHECK(strstr(body, "maxpause=") == NULL);
    CHECK(strstr(body, "ack=") == NULL);
    CHECK(strstr(body, " ver=") == NULL);
    rig_pass(&r, 3600 * 1000);
    CHECK(mock_deadline_ms(r.mock) == CLOCK_NEVER);
    CHECK(is_held(&r, rig_send(&r, "", "")));
    rig_release(&r);
}

static void test_creation_attributes_may_be_others(void)
{
    static const struct mock_attribute creation[] = {
        {"from", "a & b"}, {"xmpp:unknown", "yes"}, {"wait", ""},
        {"authid", NULL},  {"ack", NULL},
    };
    struct mock_options o = mock_options_default();
    struct rig r;
    const char *body;

    o.creation = creation;
    o.creation_count = sizeof creation / sizeof creation[0];
    rig_init(&r, o);
    body = rig_create(&r, "wait='20' hold='1' ack='1'");
    CHECK(strstr(body, " from='a &amp; b'") != NULL);
    CHECK(strstr(body, " xmpp:unknown='yes'") != NULL);
    CHECK(strstr(body, " wait=''") != NULL);
    CHECK(strstr(body, " hold='1'") != NULL);
    CHECK(strstr(body, " authid=") == NULL);
    CHECK(strstr(body, " ack=") == NULL);
    rig_release(&r);
}

static void test_bad_creations_are_refused(void)
{
    static const struct {
        const char *attributes, *condition;
    } rows[] = {
        {"rid='1'", "improper-addressing"},
        {"rid='1' to=''", "improper-addressing"},
        {"rid='1' to='elsewhere.example'", "host-unknown"},
        {"to='localhost'", "bad-request"},
        {"rid='1' to='localhost' content='a&#10;b'", "bad-request"},
        {"rid='1' to='localhost' sid=''", "item-not-found"},
        {"rid='1' to='localhost' sid='no-such'", "item-not-found"},
    };
    struct rig r;

    rig_init(&r, mock_options_default());
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t token =
            rig_post(&r, "<body ver='1.6' %s " RIG_NS "/>", rows[i].attributes);

        CHECK_ROW(rig_has(&r, token, rows[i].condition), rows[i].condition);
        CHECK_ROW(rig_has(&r, token, "type='terminate'"), rows[i].condition);
        CHECK_ROW(!rig_has(&r, token, "sid="), rows[i].condition);
    }
    rig_release(&r);
}

static void test_sids_are_not_repeated(void)
{
    char first[64];
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_create(&r, "");
    snprintf(first, sizeof first, "%s", r.sid);
    rig_create(&r, "");
    CHECK(strcmp(first, r.sid) != 0);
    CHECK_INT(strlen(first), 32);
    rig_release(&r);
}

static void test_features_can_come_later(void)
{
    struct mock_options o = mock_options_default();
    uint64_t first, second;
    struct rig r;

    o.features = MOCK_FEATURES_NEXT;
    rig_init(&r, o);
    CHECK(strstr(rig_create(&r, ""), "features") == NULL);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "<stream:features>"));
    rig_release(&r);

    o.features = MOCK_FEATURES_POLLED;
    rig_init(&r, o);
    CHECK(strstr(rig_create(&r, ""), "features") == NULL);
    first = rig_send(&r, "", "");
    second = rig_send(&r, "", "");
    CHECK(!is_held(&r, first));
    CHECK(!rig_has(&r, first, "features"));
    CHECK(rig_has(&r, second, "<stream:features>"));
    CHECK(
        rig_has(&r, second, "xmlns:stream='http://etherx.jabber.org/streams'"));
    rig_release(&r);
}

static void test_each_login_step_is_answered_with_its_result(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='1'", "desk");
    CHECK_INT(r.answer_count, 4);
    CHECK(strstr(r.answers[3].body, "<jid>alice@localhost/desk</jid>") != NULL);
    rig_release(&r);
}

static void test_poll_is_answered_empty_at_four_fifths_of_wait(void)
{
    struct rig r;
    uint64_t poll;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='10' hold='1'", NULL);
    poll = rig_send(&r, "", "");
    rig_pass(&r, 7999);
    CHECK(is_held(&r, poll));
    rig_pass(&r, 1);
    CHECK_STR(rig_body(&r, poll),
              "<body xmlns='http://jabber.org/protocol/httpbind'/>");
    rig_release(&r);
}

static void test_data_goes_to_the_oldest_held_request(void)
{
    uint64_t first, second, third;
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='2'", NULL);
    first = rig_send(&r, "", "");
    second = rig_send(&r, "", "");
    push(&r, PUSH("one"));
    CHECK(rig_has(&r, first, "id='one'"));
    CHECK(is_held(&r, second));
    push(&r, PUSH("two"));
    CHECK(rig_has(&r, second, "id='two'"));
    push(&r, PUSH("three"));
    push(&r, PUSH("four"));
    third = rig_send(&r, "", "");
    CHECK(rig_has(&r, third, PUSH("three") PUSH("four")));
    rig_release(&r);
}

static void test_newer_request_releases_the_oldest(void)
{
    uint64_t poll, data;
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    poll = rig_send(&r, "", "");
    data = rig_send(&r, "", "<presence xmlns='jabber:client'/>");
    CHECK_STR(rig_body(&r, poll),
              "<body xmlns='http://jabber.org/protocol/httpbind'/>");
    CHECK(is_held(&r, data));
    rig_release(&r);
}

static void test_echo_comes_back_on_the_held_poll(void)
{
    uint64_t poll, data;
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    poll = rig_send(&r, "", "");
    data = rig_send(&r, "", ECHO("m1"));
    CHECK(rig_has(&r, poll, "from=\"echo@localhost\"") ||
          rig_has(&r, poll, "from='echo@localhost'"));
    CHECK(rig_has(&r, poll, "jabber:client"));
    CHECK(is_held(&r, data));
    CHECK_INT(rig_count(&r, "m1"), 1);
    rig_release(&r);
}

static void test_session_attributes_come_once(void)
{
    uint64_t token;
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    token = rig_send(&r, "", PING);
    CHECK(rig_has(&r, token, "type='result'"));
    CHECK(!rig_has(&r, token, " sid="));
    CHECK(!rig_has(&r, token, " wait="));
    CHECK(!rig_has(&r, token, " requests="));
    rig_release(&r);
}

static void test_content_attribute_is_the_content_type(void)
{
    uint64_t token;
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_create(&r, "content='text/html; charset=utf-8'");
    token = rig_send(&r, "type='terminate'", "");
    CHECK_STR(r.answers[0].content_type, "text/html; charset=utf-8");
    CHECK_STR(rig_answer(&r, token)->content_type, "text/html; charset=utf-8");
    rig_release(&r);
}

static void test_session_expires_after_inactivity_not_before(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_create(&r, "wait='10' hold='1'");
    rig_pass(&r, 30000);
    CHECK(rig_has(&r, rig_send(&r, "", PING), "not-authorized"));
    rig_create(&r, "wait='10' hold='1'");
    r.rid = 1000;
    rig_pass(&r, 30501);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_held_request_stops_the_inactivity_clock(void)
{
    uint64_t poll;
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    poll = rig_send(&r, "", "");
    rig_pass(&r, 47000);
    CHECK(is_held(&r, poll));
    rig_pass(&r, 1000 + 29000);
    CHECK(!is_held(&r, poll));
    CHECK(rig_has(&r, rig_send(&r, "", PING), "type='result'"));
    rig_release(&r);
}

static void test_polling_session_never_holds(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='0'", NULL);
    CHECK(strstr(r.answers[0].body, "inactivity='40'") != NULL);
    rig_pass(&r, 5000);
    CHECK(!is_held(&r, rig_send(&r, "", "")));
    rig_pass(&r, 5000);
    CHECK(!is_held(&r, rig_send(&r, "", "")));
    rig_release(&r);
}

static void test_polling_too_fast_ends_the_session(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='0' hold='1'", NULL);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "<body"));
    rig_pass(&r, 4400);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "policy-violation"));
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_poll_after_data_may_come_at_once(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='0' hold='1'", NULL);
    push(&r, PUSH("one"));
    CHECK(rig_has(&r, rig_send(&r, "", ""), "id='one'"));
    CHECK(!rig_has(&r, rig_send(&r, "", ""), "condition"));
    CHECK(!rig_has(&r, rig_send(&r, "", PING), "condition"));
    rig_release(&r);
}

static void test_quick_polls_of_an_ordinary_session_are_kept_up_with(void)
{
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    for (int i = 0; i < 20; i++)
        rig_send(&r, "", "");
    CHECK_INT(rig_count(&r, "condition"), 0);
    CHECK_INT(r.answer_count, 4 + 19);
    rig_release(&r);
}

static void test_literal_reading_of_overactivity(void)
{
    struct mock_options o = mock_options_default();
    struct rig r;

    o.literal_overactivity = true;
    rig_init(&r, o);
    rig_login(&r, "alice", "wait='60' hold='1'", NULL);
    rig_send(&r, "", "");
    rig_pass(&r, 5000);
    CHECK(is_held(&r, rig_send(&r, "", "")));
    rig_pass(&r, 4999);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "policy-violation"));
    rig_release(&r);
}

static void test_methods_and_cors(void)
{
    uint64_t token;
    struct rig r;

    rig_init(&r, mock_options_default());
    token =
        rig_http(&r, "OPTIONS", "/http-bind", "access-control-request-headers",
                 "content-type,x-token", "");
    CHECK_INT(rig_answer(&r, token)->status, 200);
    CHECK(strstr(rig_answer(&r, token)->headers,
                 "Access-Control-Allow-Headers: content-type,x-token\n") !=
          NULL);
    CHECK(strstr(rig_answer(&r, token)->headers, "Allow-Origin: *\n") != NULL);
    token = rig_http(&r, "GET", "/http-bind", NULL, NULL, "");
    CHECK_INT(rig_answer(&r, token)->status, 200);
    token = rig_http(&r, "PUT", "/http-bind", NULL, NULL, "<body/>");
    CHECK_INT(rig_answer(&r, token)->status, 405);
    CHECK(strstr(rig_answer(&r, token)->headers, "Allow: ") != NULL);
    token = rig_http(&r, "POST", "/other", NULL, NULL, "");
    CHECK_INT(rig_answer(&r, token)->status, 404);
    token = rig_http(&r, "POST", "http://h:5280/http-bind/?x", NULL, NULL, "");
    CHECK(rig_has(&r, token, "bad-request"));
    CHECK(strstr(rig_answer(&r, token)->headers, "Allow-Origin: *\n") != NULL);
    rig_release(&r);
}

static void test_sessions_and_facts_can_be_looked_at(void)
{
    struct mock_session_info info;
    struct mock_fact fact;
    struct rig r;

    rig_init(&r, mock_options_default());
    CHECK_INT(mock_next_session(r.mock, NULL, &info), 0);
    rig_login(&r, "alice", "", "desk");
    rig_send(&r, "", "");
    CHECK_INT(mock_next_session(r.mock, NULL, &info), 1);
    CHECK_STR(info.sid, r.sid);
    CHECK_STR(info.jid, "alice@localhost/desk");
    CHECK(info.state == MOCK_SESSION_OPEN);
    CHECK(info.rid == r.rid);
    CHECK_INT(info.open, 1);
    CHECK_INT(mock_next_session(r.mock, r.sid, &info), 0);
    CHECK_INT(mock_next_fact(r.mock, &fact), 1);
    CHECK(fact.kind == MOCK_FACT_CREATED);
    CHECK_STR(fact.sid, r.sid);
    CHECK_INT(mock_next_fact(r.mock, &fact), 1);
    CHECK(fact.kind == MOCK_FACT_BOUND);
    CHECK_STR(fact.jid, "alice@localhost/desk");
    CHECK_INT(mock_next_fact(r.mock, &fact), 0);
    rig_release(&r);
}

static void test_push_into_a_full_queue_is_refused(void)
{
    static char xml[1 << 20];
    struct rig r;
    int pushed = 0;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "", NULL);
    memset(xml, ' ', sizeof xml);
    while (mock_push(r.mock, r.now_ms, NULL, xml, sizeof xml) == 0)
        pushed++;
    CHECK_INT(pushed, MOCK_MAX_QUEUE / sizeof xml);
    rig_release(&r);
}

/* What others send to somebody who takes nothing has an end. */
static void test_full_queue_ends_the_session(void)
{
    struct buf message = BUF_INIT;
    char sid[64];
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "", NULL);
    snprintf(sid, sizeof sid, "%s", r.sid);
    r.rid = 5000;
    rig_login(&r, "bob", "", NULL);
    buf_adds(&message, "<message xmlns='jabber:client' to='alice@localhost'>"
                       "<body>");
    while (message.len < MOCK_MAX_QUEUE / 8)
        buf_adds(&message, "sixteen letters!");
    buf_adds(&message, "</body></message>");
    for (int i = 0; i < 9; i++)
        rig_send(&r, "", message.data);
    snprintf(r.sid, sizeof r.sid, "%s", sid);
    CHECK(rig_has(&r, rig_send_rid(&r, 1004, "", ""), "<resource-constraint "));
    CHECK(rig_has(&r, rig_send_rid(&r, 1005, "", ""), "item-not-found"));
    buf_release(&message);
    rig_release(&r);
}

int suite_manager_order(void);
int suite_manager_ending(void);
int suite_manager_random(void);

int suite_manager(void)
{
    CU_pSuite suite = CU_add_suite("manager", NULL, NULL);

    if (!suite || !CU_ADD_TEST(suite, test_creation_response_negotiates) ||
        !CU_ADD_TEST(suite, test_never_more_is_granted_than_asked) ||
        !CU_ADD_TEST(suite, test_versions_compare_as_integers) ||
        !CU_ADD_TEST(suite, test_what_is_not_set_is_left_out) ||
        !CU_ADD_TEST(suite, test_creation_attributes_may_be_others) ||
        !CU_ADD_TEST(suite, test_bad_creations_are_refused) ||
        !CU_ADD_TEST(suite, test_sids_are_not_repeated) ||
        !CU_ADD_TEST(suite, test_features_can_come_later) ||
        !CU_ADD_TEST(suite, test_each_login_step_is_answered_with_its_result) ||
        !CU_ADD_TEST(suite,
                     test_poll_is_answered_empty_at_four_fifths_of_wait) ||
        !CU_ADD_TEST(suite, test_data_goes_to_the_oldest_held_request) ||
        !CU_ADD_TEST(suite, test_newer_request_releases_the_oldest) ||
        !CU_ADD_TEST(suite, test_echo_comes_back_on_the_held_poll) ||
        !CU_ADD_TEST(suite, test_session_attributes_come_once) ||
        !CU_ADD_TEST(suite, test_content_attribute_is_the_content_type) ||
        !CU_ADD_TEST(suite, test_session_expires_after_inactivity_not_before) ||
        !CU_ADD_TEST(suite, test_held_request_stops_the_inactivity_clock) ||
        !CU_ADD_TEST(suite, test_polling_session_never_holds) ||
        !CU_ADD_TEST(suite, test_polling_too_fast_ends_the_session) ||
        !CU_ADD_TEST(suite, test_poll_after_data_may_come_at_once) ||
        !CU_ADD_TEST(
            suite, test_quick_polls_of_an_ordinary_session_are_kept_up_with) ||
        !CU_ADD_TEST(suite, test_literal_reading_of_overactivity) ||
        !CU_ADD_TEST(suite, test_methods_and_cors) ||
        !CU_ADD_TEST(suite, test_sessions_and_facts_can_be_looked_at) ||
        !CU_ADD_TEST(suite, test_push_into_a_full_queue_is_refused) ||
        !CU_ADD_TEST(suite, test_full_queue_ends_the_session))
        return -1;
    return suite_manager_order() < 0 || suite_manager_ending() < 0 ||
                   suite_manager_random() < 0
               ? -1
               : 0;
}
