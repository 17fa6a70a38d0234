/* The manager: several streams in one session: XEP-0124 §16. */
#include <stdio.h>
#include <string.h>

#include "tests/check.h"
#include "tests/mockrig.h"

int suite_manager_streams(void);

#define EMPTY "<body xmlns='http://jabber.org/protocol/httpbind'/>"
#define ADD "to='localhost' xml:lang='en' xmpp:version='1.0' " RIG_XBOSH
#define HELLO(to, id) "<message xmlns='jabber:client' to='" to "' id='" id "'/>"
#define PUSH(id)                                                               \
    "<message xmlns='jabber:client' from='robot@localhost' id='" id "'/>"

struct name {
    char text[64];
};

/* What the answer's stream attribute is; "" when it has none. */
static struct name stream_of(const char *body)
{
    const char *at = strstr(body, " stream='");
    struct name n = {""};

    if (at) {
        at += strlen(" stream='");
        snprintf(n.text, sizeof n.text, "%.*s", (int)strcspn(at, "'"), at);
    }
    return n;
}

static bool is_of(const struct rig *r, uint64_t token, const struct name *n)
{
    return strcmp(stream_of(rig_body(r, token)).text, n->text) == 0;
}

static uint64_t send_on(struct rig *r, const struct name *n,
                        const char *attributes, const char *payload)
{
    char text[160];

    snprintf(text, sizeof text, "stream='%s' %s", n->text, attributes);
    return rig_send(r, text, payload);
}

static struct name add(struct rig *r)
{
    return stream_of(rig_body(r, rig_send(r, ADD, "")));
}

/* "AGJvYgBzZWNyZXQ=" is bob with his password. */
static void log_in_bob(struct rig *r, const struct name *n)
{
    uint64_t token = send_on(r, n, "",
                             "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                             "mechanism='PLAIN'>AGJvYgBzZWNyZXQ=</auth>");

    CHECK(rig_has(r, token, "<success ") && is_of(r, token, n));
    token = send_on(r, n, "xmpp:restart='true' " RIG_XBOSH, "");
    CHECK(rig_has(r, token, "<bind ") && is_of(r, token, n));
    token = send_on(r, n, "",
                    "<iq xmlns='jabber:client' type='set' id='b'>"
                    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                    "<resource>b</resource></bind></iq>");
    CHECK(rig_has(r, token, "<jid>bob@localhost/b") && is_of(r, token, n));
}

static void init(struct rig *r, enum mock_features features)
{
    struct mock_options o = mock_options_default();

    o.streams = true;
    o.features = features;
    rig_init(r, o);
}

/* alice on the first stream, bob on the second, nothing open. */
static void start(struct rig *r, struct name names[2])
{
    init(r, MOCK_FEATURES_CREATION);
    rig_login(r, "alice", "wait='60' hold='1'", "a");
    names[0] = stream_of(r->answers[0].body);
    names[1] = add(r);
    log_in_bob(r, &names[1]);
}

static size_t open_streams(const struct rig *r)
{
    struct mock_session_info info;

    return mock_next_session(r->mock, NULL, &info) ? info.streams : 0;
}

/* ------------------------------------------------------------ discovery */

static void test_a_manager_without_streams_ignores_their_attributes(void)
{
    uint64_t poll, token;
    struct rig r;

    rig_init(&r, mock_options_default());
    rig_login(&r, "alice", "wait='60' hold='1'", "a");
    CHECK(!strstr(r.answers[0].body, " stream="));
    poll = rig_send(&r, ADD " route='xmpp:localhost:9'", "");
    CHECK(rig_answer(&r, poll) == NULL);
    token = rig_send(&r, "stream='x'", HELLO("alice@localhost/a", "m"));
    CHECK(rig_has(&r, poll, "id=\"m\"") && rig_answer(&r, token) == NULL);
    CHECK_STR(stream_of(rig_body(&r, poll)).text, "");
    rig_send(&r, "stream='x' type='terminate'", "");
    CHECK_INT(open_streams(&r), 0);
    rig_release(&r);
}

static void test_stream_names_are_all_different(void)
{
    enum { SESSIONS = 50 };
    struct name names[2 * SESSIONS];
    struct rig r;

    init(&r, MOCK_FEATURES_CREATION);
    for (int i = 0; i < SESSIONS; i++) {
        r.rid = 1000;
        names[2 * i] = stream_of(rig_create(&r, ""));
        names[2 * i + 1] = add(&r);
    }
    for (int i = 0; i < 2 * SESSIONS; i++) {
        CHECK_INT(strlen(names[i].text), 32);
        for (int k = 0; k < i; k++)
            CHECK(strcmp(names[i].text, names[k].text) != 0);
    }
    rig_release(&r);
}

/* -------------------------------------------------------------- opening */

static void test_the_answer_to_an_addition_says_no_more_than_it_must(void)
{
    static const char *const session_attributes[] = {
        " sid=",      " requests=", " polling=",  " hold=", " inactivity=",
        " maxpause=", " accept=",   " charsets=", " ver=",  " wait=",
    };
    uint64_t token;
    struct rig r;

    init(&r, MOCK_FEATURES_CREATION);
    rig_login(&r, "alice", "wait='60' hold='1'", "a");
    token = rig_send(&r, ADD, "");
    for (size_t i = 0;
         i < sizeof session_attributes / sizeof session_attributes[0]; i++)
        CHECK_ROW(!rig_has(&r, token, session_attributes[i]),
                  session_attributes[i]);
    CHECK(rig_has(&r, token, " from='localhost'"));
    CHECK(rig_has(&r, token, " xmpp:version='1.0'"));
    CHECK(rig_has(&r, token, "<mechanisms "));
    CHECK(rig_answer(&r, token)->replay == false);
    CHECK_STR(rig_body(&r, rig_send_rid(&r, r.rid, ADD, "")),
              rig_body(&r, token));
    CHECK_INT(open_streams(&r), 2);
    rig_release(&r);
}

static void test_features_of_a_new_stream_may_come_later(void)
{
    uint64_t token, next;
    struct rig r;

    for (int when = MOCK_FEATURES_NEXT; when <= MOCK_FEATURES_POLLED; when++) {
        struct name n;

        init(&r, (enum mock_features)when);
        rig_create(&r, "wait='60' hold='1'");
        token = rig_send(&r, ADD, "");
        if (when == MOCK_FEATURES_POLLED) {
            CHECK_STR(stream_of(rig_body(&r, token)).text + 32, "");
            CHECK(rig_has(&r, rig_send(&r, "", ""), "<mechanisms "));
        }
        n = stream_of(rig_body(&r, token));
        CHECK(!rig_has(&r, token, "<mechanisms "));
        next = rig_send(&r, "", "");
        CHECK(rig_has(&r, next, "<mechanisms "));
        if (!is_of(&r, next, &n))
            next = rig_send(&r, "", "");
        CHECK(rig_has(&r, next, "<mechanisms ") && is_of(&r, next, &n));
        rig_release(&r);
    }
}

static void test_nothing_comes_from_a_stream_before_its_name(void)
{
    uint64_t poll, token;
    struct rig r;

    init(&r, MOCK_FEATURES_CREATION);
    rig_login(&r, "alice", "wait='60' hold='1'", "a");
    poll = rig_send(&r, "", "");
    token = rig_send(&r, ADD, "");
    CHECK_STR(rig_body(&r, poll), EMPTY);
    CHECK(rig_has(&r, token, "<mechanisms "));
    rig_release(&r);
}

static void test_what_cannot_be_opened_ends_only_itself(void)
{
    static const struct {
        const char *to;
        const char *condition;
    } rows[] = {
        {"elsewhere.example", "host-unknown"},
        {"", "improper-addressing"},
    };
    struct name names[2];
    struct rig r;

    start(&r, names);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[64], want[96];
        uint64_t token;

        snprintf(to, sizeof to, "to='%s'", rows[i].to);
        token = rig_send(&r, to, "");
        snprintf(want, sizeof want,
                 " type='terminate' condition='%s' stream=", rows[i].condition);
        CHECK_ROW(rig_has(&r, token, want), rows[i].condition);
    }
    CHECK_INT(open_streams(&r), 2);
    rig_release(&r);
}

static void test_a_session_cannot_open_streams_for_ever(void)
{
    struct rig r;

    init(&r, MOCK_FEATURES_CREATION);
    rig_create(&r, "");
    for (int i = 1; i < MOCK_MAX_STREAMS; i++)
        CHECK_INT(strlen(add(&r).text), 32);
    CHECK(rig_has(&r, rig_send(&r, ADD, ""), "policy-violation"));
    CHECK_INT(open_streams(&r), MOCK_MAX_STREAMS);
    rig_release(&r);
}

/* ------------------------------------------------------------- payloads */

static void test_payloads_go_to_the_stream_they_name(void)
{
    struct name names[2];
    uint64_t token;
    struct rig r;

    start(&r, names);
    token = send_on(&r, &names[1], "", HELLO("alice@localhost/a", "m1"));
    CHECK(rig_has(&r, token, "from=\"bob@localhost/b\""));
    CHECK(is_of(&r, token, &names[0]));
    token = send_on(&r, &names[0], "", HELLO("bob@localhost/b", "m2"));
    CHECK(rig_has(&r, token, "from=\"alice@localhost/a\""));
    CHECK(is_of(&r, token, &names[1]));
    rig_release(&r);
}

static void test_payloads_without_a_name_go_to_all_streams(void)
{
    struct name names[2];
    uint64_t token, next;
    struct rig r;

    start(&r, names);
    token = rig_send(
        &r, "", HELLO("echo@localhost", "m1") HELLO("echo@localhost", "m2"));
    next = rig_send(&r, "", "");
    CHECK(is_of(&r, token, &names[0]) && is_of(&r, next, &names[1]));
    CHECK(rig_has(&r, token, "to=\"alice@localhost/a\""));
    CHECK(rig_has(&r, next, "to=\"bob@localhost/b\""));
    CHECK_INT(rig_count(&r, "id=\"m1\""), 2);
    CHECK_INT(rig_count(&r, "id=\"m2\""), 2);
    rig_release(&r);
}

static void test_an_answer_never_mixes_streams(void)
{
    struct name names[2];
    uint64_t one, two, three;
    struct rig r;

    start(&r, names);
    mock_push_stream(r.mock, r.now_ms, NULL, 1, PUSH("b1"), strlen(PUSH("b1")));
    mock_push_stream(r.mock, r.now_ms, NULL, 0, PUSH("a1"), strlen(PUSH("a1")));
    mock_push_stream(r.mock, r.now_ms, NULL, 1, PUSH("b2"), strlen(PUSH("b2")));
    one = rig_send(&r, "", "");
    two = rig_send(&r, "", "");
    three = rig_send(&r, "", "");
    CHECK(rig_has(&r, one, "b1") && rig_has(&r, one, "b2"));
    CHECK(!rig_has(&r, one, "a1") && is_of(&r, one, &names[1]));
    CHECK(rig_has(&r, two, "a1") && is_of(&r, two, &names[0]));
    CHECK(rig_answer(&r, three) == NULL);
    rig_pass(&r, 60000);
    CHECK_STR(rig_body(&r, three), EMPTY);
    rig_release(&r);
}

static void test_a_session_with_one_stream_names_none(void)
{
    struct rig r;

    init(&r, MOCK_FEATURES_CREATION);
    rig_login(&r, "alice", "wait='60' hold='1'", "a");
    CHECK_INT(rig_count(&r, " stream='"), 1);
    rig_release(&r);
}

static void test_an_unknown_name_ends_the_session(void)
{
    static const char *const attributes[] = {
        "", "xmpp:restart='true' " RIG_XBOSH, "type='terminate'"};

    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        struct name names[2], other = {"bogus"};
        uint64_t token;
        struct rig r;

        start(&r, names);
        token = send_on(&r, &other, attributes[i],
                        i ? "" : HELLO("echo@localhost", "m"));
        CHECK(rig_has(&r, token, "item-not-found"));
        CHECK(!rig_has(&r, token, " stream="));
        CHECK_INT(open_streams(&r), 0);
        rig_release(&r);
    }
}

static void test_the_name_on_an_empty_request_is_ignored(void)
{
    struct name names[2], other = {"bogus"};
    uint64_t token;
    struct rig r;

    start(&r, names);
    token = send_on(&r, &other, "", "");
    CHECK(rig_answer(&r, token) == NULL);
    rig_pass(&r, 60000);
    CHECK_STR(rig_body(&r, token), EMPTY);
    rig_release(&r);
}

static void test_a_restart_without_a_name_is_for_who_waits_for_it(void)
{
    struct name names[2];
    uint64_t token;
    struct rig r;

    init(&r, MOCK_FEATURES_CREATION);
    rig_login(&r, "alice", "wait='60' hold='1'", "a");
    names[0] = stream_of(r.answers[0].body);
    names[1] = add(&r);
    send_on(&r, &names[1], "",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
            "mechanism='PLAIN'>AGJvYgBzZWNyZXQ=</auth>");
    token = rig_send(&r, "xmpp:restart='true' " RIG_XBOSH, "");
    CHECK(rig_has(&r, token, "<bind ") && is_of(&r, token, &names[1]));
    token = send_on(&r, &names[0], "", HELLO("echo@localhost", "m"));
    CHECK(rig_has(&r, token, "to=\"alice@localhost/a\""));
    rig_release(&r);
}

/* --------------------------------------------------------------- closing */

static void test_closing_one_stream_keeps_the_session(void)
{
    struct name names[2];
    uint64_t poll, token;
    struct rig r;

    start(&r, names);
    poll = rig_send(&r, "", "");
    token = send_on(&r, &names[1], "type='terminate'",
                    HELLO("alice@localhost/a", "bye"));
    CHECK(rig_has(&r, poll, " type='terminate' stream='"));
    CHECK(is_of(&r, poll, &names[1]) && !rig_has(&r, poll, "condition"));
    CHECK(rig_has(&r, token, "id=\"bye\"") && is_of(&r, token, &names[0]));
    CHECK_INT(open_streams(&r), 1);
    token = send_on(&r, &names[0], "", HELLO("echo@localhost", "m"));
    CHECK(rig_has(&r, token, "to=\"alice@localhost/a\""));
    CHECK(is_of(&r, token, &names[0]));
    token = send_on(&r, &names[1], "", HELLO("echo@localhost", "m"));
    CHECK(rig_has(&r, token, "item-not-found"));
    rig_release(&r);
}

static void test_closing_the_last_stream_ends_the_session(void)
{
    struct name names[2];
    uint64_t token;
    struct rig r;

    start(&r, names);
    send_on(&r, &names[0], "type='terminate'", "");
    token = send_on(&r, &names[1], "type='terminate'", "");
    CHECK(rig_has(&r, token, " type='terminate'/>"));
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_terminate_without_a_name_closes_all_streams(void)
{
    struct name names[2];
    struct rig r;

    start(&r, names);
    rig_send(&r, "type='terminate'",
             "<presence xmlns='jabber:client' type='unavailable'/>");
    CHECK_INT(open_streams(&r), 0);
    CHECK(rig_has(&r, rig_send(&r, "", ""), "item-not-found"));
    rig_release(&r);
}

static void test_a_server_that_ends_a_stream_keeps_the_session(void)
{
    struct name names[2];
    uint64_t token;
    struct rig r;

    start(&r, names);
    mock_push_stream(r.mock, r.now_ms, NULL, 1, PUSH("last"),
                     strlen(PUSH("last")));
    CHECK_INT(mock_end_stream(r.mock, r.now_ms, NULL, 1,
                              "remote-connection-failed", NULL, 0),
              0);
    token = rig_send(&r, "", "");
    CHECK(rig_has(&r, token, "condition='remote-connection-failed'"));
    CHECK(rig_has(&r, token, "id='last'") && is_of(&r, token, &names[1]));
    CHECK_INT(open_streams(&r), 1);
    CHECK_INT(mock_end_stream(r.mock, r.now_ms, NULL, 1, NULL, NULL, 0), -1);
    token = send_on(&r, &names[1], "", HELLO("echo@localhost", "late"));
    CHECK(rig_answer(&r, token) == NULL);
    rig_pass(&r, 10000);
    token = send_on(&r, &names[1], "", HELLO("echo@localhost", "later"));
    CHECK(rig_has(&r, token, "item-not-found"));
    CHECK_INT(rig_count(&r, "id=\"late\""), 0);
    rig_release(&r);
}

static void test_an_error_of_a_stream_ends_that_stream(void)
{
    struct name names[2];
    uint64_t token;
    struct rig r;

    start(&r, names);
    token = send_on(&r, &names[1], "", "<x xmlns='u'/>");
    CHECK(rig_has(&r, token, "condition='remote-stream-error'"));
    CHECK(rig_has(&r, token, "<unsupported-stanza-type "));
    CHECK(is_of(&r, token, &names[1]));
    CHECK_INT(open_streams(&r), 1);
    token = send_on(&r, &names[0], "", "<x xmlns='u'/>");
    CHECK(rig_has(&r, token, "<unsupported-stanza-type "));
    CHECK(is_of(&r, token, &names[0]));
    CHECK_INT(open_streams(&r), 0);
    rig_release(&r);
}

static void test_a_condition_without_a_name_ends_all(void)
{
    struct name names[2];
    uint64_t token;
    struct rig r;

    start(&r, names);
    mock_push_stream(r.mock, r.now_ms, NULL, 1, PUSH("b"), strlen(PUSH("b")));
    mock_end_session(r.mock, r.now_ms, NULL, "system-shutdown", NULL, 0);
    token = rig_send(&r, "", "");
    CHECK(rig_has(&r, token, "type='terminate' condition='system-shutdown'/>"));
    CHECK_INT(open_streams(&r), 0);
    rig_release(&r);
}

static void test_a_case_can_end_a_stream_in_one_answer(void)
{
    struct name names[2];
    uint64_t token, before;
    struct rig r;

    start(&r, names);
    CHECK_INT(mock_override_stream(r.mock, r.sid, NULL, 1, NULL, NULL, 0), 0);
    before = rig_send_rid(&r, r.rid, "", "");
    CHECK(rig_answer(&r, before)->replay);
    CHECK_INT(mock_override_stream(r.mock, r.sid, NULL, 1,
                                   "internal-server-error", NULL, 0),
              0);
    token = rig_send(&r, "", "");
    CHECK(rig_has(&r, token, "condition='internal-server-error' stream="));
    CHECK_INT(open_streams(&r), 1);
    mock_override_stream(r.mock, r.sid, NULL, 0, "internal-server-error", NULL,
                         0);
    token = rig_send(&r, "", "");
    CHECK(rig_has(&r, token, "condition='internal-server-error'"));
    CHECK_INT(open_streams(&r), 0);
    rig_release(&r);
}

int suite_manager_streams(void)
{
    CU_pSuite suite = CU_add_suite("manager streams", NULL, NULL);

    if (!suite ||
        !CU_ADD_TEST(suite,
                     test_a_manager_without_streams_ignores_their_attributes) ||
        !CU_ADD_TEST(suite, test_stream_names_are_all_different) ||
        !CU_ADD_TEST(
            suite, test_the_answer_to_an_addition_says_no_more_than_it_must) ||
        !CU_ADD_TEST(suite, test_features_of_a_new_stream_may_come_later) ||
        !CU_ADD_TEST(suite, test_nothing_comes_from_a_stream_before_its_name) ||
        !CU_ADD_TEST(suite, test_what_cannot_be_opened_ends_only_itself) ||
        !CU_ADD_TEST(suite, test_a_session_cannot_open_streams_for_ever) ||
        !CU_ADD_TEST(suite, test_payloads_go_to_the_stream_they_name) ||
        !CU_ADD_TEST(suite, test_payloads_without_a_name_go_to_all_streams) ||
        !CU_ADD_TEST(suite, test_an_answer_never_mixes_streams) ||
        !CU_ADD_TEST(suite, test_a_session_with_one_stream_names_none) ||
        !CU_ADD_TEST(suite, test_an_unknown_name_ends_the_session) ||
        !CU_ADD_TEST(suite, test_the_name_on_an_empty_request_is_ignored) ||
        !CU_ADD_TEST(suite,
                     test_a_restart_without_a_name_is_for_who_waits_for_it) ||
        !CU_ADD_TEST(suite, test_closing_one_stream_keeps_the_session) ||
        !CU_ADD_TEST(suite, test_closing_the_last_stream_ends_the_session) ||
        !CU_ADD_TEST(suite, test_terminate_without_a_name_closes_all_streams) ||
        !CU_ADD_TEST(suite,
                     test_a_server_that_ends_a_stream_keeps_the_session) ||
        !CU_ADD_TEST(suite, test_an_error_of_a_stream_ends_that_stream) ||
        !CU_ADD_TEST(suite, test_a_condition_without_a_name_ends_all) ||
        !CU_ADD_TEST(suite, test_a_case_can_end_a_stream_in_one_answer))
        return -1;
    return 0;
}
