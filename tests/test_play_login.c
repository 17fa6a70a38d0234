/* The raw client's logins: against a server fed by hand, and the mock. */
#include <stdlib.h>
#include <string.h>

#include "common/http.h"
#include "harness/sasl_client.h"
#include "playrig.h"
#include "tests/check.h"
#include "tests/suites.h"

static void test_the_strongest_mechanism_left_is_picked(void)
{
    unsigned tried = 0;
    const char *all = "ANONYMOUS PLAIN SCRAM-SHA-1-PLUS SCRAM-SHA-1 X";

    CHECK_STR(sasl_client_pick(all, true, &tried), "SCRAM-SHA-1");
    CHECK_STR(sasl_client_pick(all, true, &tried), "PLAIN");
    CHECK(sasl_client_pick(all, true, &tried) == NULL);
    CHECK_STR(sasl_client_pick(all, false, &tried), "ANONYMOUS");
    tried = 0;
    CHECK(sasl_client_pick("SCRAM-SHA-1-PLUS", true, &tried) == NULL);
}

/* ---- login by hand ---- */

static void test_a_login_leaves_nothing_open(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_await(&r, "$s/@jid", 1);
    playrig_start(&r);
    CHECK_INT(r.count, 1);
    CHECK(playrig_last_has(&r, "to='localhost'"));
    CHECK(playrig_last_has(&r, "wait='60'"));
    CHECK(playrig_last_has(&r, "xmpp:version='1.0'"));
    CHECK(strstr(r.sent[1].bytes, "POST /http-bind HTTP/1.1\r\n"
                                  "Host: localhost:5280\r\n") != NULL);
    playrig_answer(&r, CREATED(">") FEATURES_SASL(PLAIN) "</body>");
    CHECK(
        playrig_last_has(&r, "mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>"));
    playrig_answer(&r, BODY(SUCCESS));
    CHECK(playrig_last_has(&r, "xmpp:restart='true'"));
    playrig_answer(&r, BODY(FEATURES_BIND("")));
    CHECK(playrig_last_has(&r, "<resource>boshspec-"));
    CHECK_INT(r.count, 4);
    CHECK(playrig_rid_of(&r, 4) == playrig_rid_of(&r, 1) + 3);
    playrig_answer_iq(&r, "result", BOUND);
    CHECK(play_over(r.play));
    CHECK_INT(play_how(r.play), PLAY_DONE);
    CHECK_INT(r.count, 4);
    playrig_release(&r);
}

static void test_late_features_success_and_result_are_polled_for(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    playrig_answer(&r, CREATED("/>"));
    CHECK_INT(r.count, 2); /* the creation was no poll: at once */
    playrig_answer(&r, EMPTY);
    CHECK_INT(r.count, 2);
    playrig_pass(&r, 100); /* an empty answer to a poll: not at once */
    CHECK_INT(r.count, 3);
    playrig_answer(&r, BODY(FEATURES_SASL(PLAIN)));
    playrig_answer(&r, EMPTY);
    CHECK_INT(r.count, 5);
    CHECK(!strchr(playrig_last(&r) + 1, '<')); /* a poll */
    playrig_answer(&r, BODY(SUCCESS FEATURES_BIND("")));
    CHECK(playrig_last_has(&r, "xmpp:restart"));
    playrig_answer(&r, EMPTY); /* the features came with the success */
    CHECK(playrig_last_has(&r, "<bind "));
    playrig_answer(&r, EMPTY);
    CHECK_INT(r.count, 8);
    r.count = 7; /* its id is in the request before the poll */
    char *id = mem_dup(strstr(playrig_last(&r), " id='"));
    r.count = 8;
    char *result = mem_printf(
        "<body " NS "><iq type='result' id='%.*s'>" BOUND "</iq></body>",
        id ? (int)strcspn(id + 5, "'") : 0, id ? id + 5 : "");
    playrig_answer(&r, result);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    CHECK(play_over(r.play));
    free(id);
    free(result);
    playrig_release(&r);
}

static void test_a_session_is_established_only_when_it_must_be(void)
{
    static const struct {
        const char *features;
        bool wanted;
    } rows[] = {
        {BODY(FEATURES_BIND("<session xmlns='urn:ietf:params:xml:ns:"
                            "xmpp-session'/>")),
         true},
        {BODY(FEATURES_BIND("<session xmlns='urn:ietf:params:xml:ns:"
                            "xmpp-session'><optional/></session>")),
         false},
        {BODY(FEATURES_BIND("")), false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct playrig r;

        playrig_init(&r);
        playrig_login(&r, "s");
        playrig_start(&r);
        playrig_hand_login_to_bind(&r, rows[i].features);
        playrig_answer_iq(&r, "result", BOUND);
        CHECK_ROW(play_over(r.play) == !rows[i].wanted, rows[i].features);
        if (rows[i].wanted)
            playrig_answer_iq(&r, "result", "");
        CHECK_ROW(play_over(r.play), rows[i].features);
        CHECK_INT(play_how(r.play), PLAY_DONE);
        playrig_release(&r);
    }
}

#define FAILURE(condition)                                                     \
    BODY("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><" condition       \
         "/></failure>")

/* But the password is not said in clear to who has refused a proof of it. */
static void test_a_weaker_mechanism_is_tried_after_a_refusal(void)
{
    for (int secure = 0; secure < 2; secure++) {
        struct playrig r;

        playrig_init(&r);
        r.setting.tls = secure;
        playrig_login(&r, "s");
        playrig_start(&r);
        playrig_answer(&r,
                       CREATED(">") FEATURES_SASL(
                           "<mechanism>PLAIN</mechanism>"
                           "<mechanism>SCRAM-SHA-1</mechanism>"
                           "<mechanism>SCRAM-SHA-256</mechanism>") "</body>");
        CHECK(playrig_last_has(&r, "SCRAM-SHA-256"));
        playrig_answer(&r, FAILURE("not-authorized"));
        CHECK(playrig_last_has(&r, "SCRAM-SHA-1"));
        playrig_answer(&r, FAILURE("not-authorized"));
        if (secure) {
            CHECK(playrig_last_has(&r, "mechanism='PLAIN'"));
            playrig_answer(&r, FAILURE("not-authorized"));
        }
        CHECK_INT(play_how(r.play), PLAY_ERROR);
        CHECK_STR(play_because(r.play),
                  secure ? "login failed: SASL PLAIN: not-authorized"
                         : "login failed: SASL SCRAM-SHA-1: not-authorized");
        CHECK_INT(play_line(r.play), 11);
        playrig_release(&r);
    }
}

/* Whatever comes in place of a good answer is a fact, and its words say it. */
static void test_a_failed_login_says_what_came(void)
{
    static const struct {
        int status;
        const char *type;
        const char *entity;
        const char *because;
    } rows[] = {
        {500, "text/html", "<html>oops",
         "login failed: session creation: HTTP 500 (text/html)"},
        {200, "text/html", "<html><p>hello</html>",
         "login failed: session creation: HTTP 200 without a <body/> "
         "(text/html)"},
        {200, "text/xml", "",
         "login failed: session creation: HTTP 200 without a <body/> "
         "(text/xml)"},
        {200, "text/xml", "<body " NS "/>",
         "login failed: session creation: the answer has no sid"},
        {200, "text/xml",
         "<body " NS " type='terminate' condition='host-unknown'/>",
         "login failed: session creation: host-unknown"},
        {200, "text/xml", "<body " NS " type='terminate'/>",
         "login failed: session creation: terminate"},
        {200, "text/xml",
         "<body " NS " type='terminate' condition='policy-violation'/>",
         "the server limits us: login failed: session creation: "
         "policy-violation"},
        {200, "text/xml",
         "<body " NS " type='terminate' condition='remote-stream-error'>"
         "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
         "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
         "</stream:error></body>",
         "the server limits us: login failed: session creation: "
         "remote-stream-error: policy-violation"},
        {200, "text/xml", CREATED(">") FEATURES_SASL("") "</body>",
         "login failed: SASL: no mechanisms offered"},
        {200, "text/xml",
         CREATED(">") FEATURES_SASL("<mechanism>X</mechanism>") "</body>",
         "login failed: SASL: no mechanism of ours is offered"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct playrig r;

        playrig_init(&r);
        playrig_login(&r, "s");
        playrig_start(&r);
        playrig_answer_http(&r, rows[i].status, rows[i].type, rows[i].entity);
        CHECK_INT(play_how(r.play), PLAY_ERROR);
        CHECK_STR(play_because(r.play), rows[i].because);
        playrig_release(&r);
    }
}

static void test_a_limit_during_the_login_is_said_to_be_one(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    playrig_hand_login_to_bind(&r, BODY(FEATURES_BIND("")));
    playrig_answer_iq(
        &r, "error",
        "<error type='cancel'><text/><conflict xmlns='urn:ietf:params:"
        "xml:ns:xmpp-stanzas'/></error>");
    CHECK_STR(play_because(r.play),
              "the server limits us: login failed: resource binding: "
              "conflict");
    playrig_release(&r);

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    playrig_answer(&r, CREATED(">") FEATURES_SASL(PLAIN) "</body>");
    playrig_answer(&r, FAILURE("temporary-auth-failure"));
    CHECK_STR(play_because(r.play), "the server limits us: login failed: "
                                    "SASL PLAIN: temporary-auth-failure");
    playrig_release(&r);
}

static void test_a_login_does_not_wait_for_ever(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_attr(playrig_login(&r, "s"), "wait", "5");
    playrig_start(&r);
    playrig_pass(&r, 20001);
    CHECK_STR(play_because(r.play),
              "login failed: session creation: nothing came in time");
    playrig_release(&r);

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    playrig_close(&r);
    CHECK_STR(play_because(r.play),
              "login failed: session creation: closed without an answer");
    playrig_release(&r);

    /* each poll is answered, and nothing ever comes */
    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    playrig_answer(&r, CREATED("/>"));
    for (int i = 0; i < 500 && !play_over(r.play); i++) {
        playrig_answer(&r, EMPTY);
        playrig_pass(&r, 100);
    }
    CHECK_STR(play_because(r.play),
              "login failed: stream features: nothing came in time");
    playrig_release(&r);
}

static void test_a_polling_session_is_not_hurried(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_attr(playrig_login(&r, "s"), "hold", "0");
    playrig_start(&r);
    CHECK(playrig_last_has(&r, "hold='0'"));
    playrig_answer(&r, "<body " NS " sid='S' ver='1.11' wait='0' hold='0' "
                       "requests='1' polling='5'/>");
    CHECK_INT(r.count, 1);
    playrig_pass(&r, 5000);
    CHECK_INT(r.count, 1);
    playrig_pass(&r, 300);
    CHECK_INT(r.count, 2);
    playrig_answer(&r, BODY(FEATURES_SASL(PLAIN)));
    CHECK_INT(r.count, 2);
    playrig_pass(&r, 5300);
    CHECK(playrig_last_has(&r, "<auth"));
    playrig_release(&r);
}

/* ---- against the mock ---- */

static void serve(struct playrig *r, unsigned x)
{
    struct http_message m;
    struct mock_request req = {0};
    size_t used;

    r->sent[x].held = true;
    if (http_read(HTTP_REQUEST, r->sent[x].bytes, r->sent[x].len, false, false,
                  &m, &used, NULL) == HTTP_WHOLE) {
        req.method = m.method;
        req.path = m.target;
        req.body = buf_str(&m.body);
        req.body_len = m.body.len;
        mock_request(r->mock, r->now_ms, &req, x);
    }
    http_message_release(&m);
}

static bool hand_over(struct playrig *r)
{
    struct mock_answer a;
    struct buf bytes = BUF_INIT;
    unsigned x;

    if (!mock_next_answer(r->mock, r->now_ms, &a))
        return false;
    x = (unsigned)a.token;
    http_write_response(&bytes, a.status, a.reason,
                        (const struct http_header *)NULL, 0, a.body,
                        a.body_len);
    r->sent[x].answered = true;
    play_response(r->play, r->now_ms, x, bytes.data, bytes.len, PLAY_WHOLE,
                  NULL);
    buf_release(&bytes);
    return true;
}

/* Play against the mock until the end, or for a virtual hour. */
static void playrig_play(struct playrig *r, struct mock_options o)
{
    int64_t end = r->now_ms + 3600000;
    unsigned served = 0;

    o.random = playrig_chance_bytes;
    o.random_arg = r;
    r->mock = mock_new(&o);
    playrig_start(r);
    while (r->now_ms < end) {
        int64_t next;

        if (served < r->count) {
            serve(r, ++served);
            continue;
        }
        if (hand_over(r))
            continue;
        if (play_over(r->play))
            break;
        next = mock_deadline_ms(r->mock);
        if (play_deadline_ms(r->play) < next)
            next = play_deadline_ms(r->play);
        if (next > r->now_ms)
            r->now_ms = next;
        mock_tick(r->mock, r->now_ms);
        play_tick(r->play, r->now_ms);
    }
    CHECK(play_over(r->play));
}

static void test_every_mechanism_logs_in_at_the_mock(void)
{
    static const char *const rows[] = {"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN",
                                       "ANONYMOUS"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mock_options o = mock_options_default();
        char *attr = mem_printf("mechanism='%s'", rows[i]);
        struct playrig r;

        o.mechanisms = rows[i];
        o.anonymous = strcmp(rows[i], "ANONYMOUS") == 0;
        playrig_init(&r);
        playrig_login(&r, "s")->account = o.anonymous ? 0 : 1;
        playrig_await(&r, "$s/@jid", 1);
        playrig_play(&r, o);
        CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
        CHECK_ROW(strstr(r.sent[2].entity, attr) != NULL, rows[i]);
        playrig_release(&r);
        free(attr);
    }
}

static void test_late_features_are_awaited_at_the_mock(void)
{
    static const enum mock_features rows[] = {
        MOCK_FEATURES_CREATION, MOCK_FEATURES_NEXT, MOCK_FEATURES_POLLED};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mock_options o = mock_options_default();
        struct playrig r;

        o.features = rows[i];
        playrig_init(&r);
        playrig_login(&r, "s");
        playrig_play(&r, o);
        CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
        playrig_release(&r);
    }
}

static void test_a_polling_login_at_the_mock_is_no_policy_violation(void)
{
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_login(&r, "s");
    playrig_attr(st, "wait", "0");
    playrig_attr(st, "hold", "0");
    playrig_request(&r, "ping", "s",
                    "<iq xmlns='jabber:client' type='get' id='p'>"
                    "<ping xmlns='urn:xmpp:ping'/></iq>");
    playrig_drain(&r, "$s/down/c:iq[@id = 'p']", 60000);
    playrig_play(&r, mock_options_default());
    CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
    playrig_release(&r);
}

static void test_a_wrong_password_is_told(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s")->account = 2;
    playrig_play(&r, mock_options_default());
    CHECK_INT(play_how(r.play), PLAY_ERROR);
    CHECK_STR(play_because(r.play),
              "login failed: SASL SCRAM-SHA-1: not-authorized");
    playrig_release(&r);
}

static void test_a_message_to_oneself_comes_back_by_drain(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_attr(playrig_login(&r, "s"), "wait", "10");
    playrig_request(&r, "m", "s",
                    "<message xmlns='jabber:client' to='{$s/@jid}' type='chat' "
                    "id='m1'><body>1</body></message>");
    playrig_drain(&r, "$s/down/c:message[@id = 'm1']", 15000);
    playrig_play(&r, mock_options_default());
    CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
    playrig_release(&r);
}

int suite_play_login(void)
{
    static const struct {
        const char *name;
        CU_TestFunc test;
    } tests[] = {
        {"the strongest mechanism left is picked",
         test_the_strongest_mechanism_left_is_picked},
        {"a login leaves nothing open", test_a_login_leaves_nothing_open},
        {"late features, success and result are polled for",
         test_late_features_success_and_result_are_polled_for},
        {"a session is established only when it must be",
         test_a_session_is_established_only_when_it_must_be},
        {"a weaker mechanism is tried after a refusal",
         test_a_weaker_mechanism_is_tried_after_a_refusal},
        {"a failed login says what came", test_a_failed_login_says_what_came},
        {"a limit during the login is said to be one",
         test_a_limit_during_the_login_is_said_to_be_one},
        {"a login does not wait for ever", test_a_login_does_not_wait_for_ever},
        {"a polling session is not hurried",
         test_a_polling_session_is_not_hurried},
        {"every mechanism logs in at the mock",
         test_every_mechanism_logs_in_at_the_mock},
        {"late features are awaited at the mock",
         test_late_features_are_awaited_at_the_mock},
        {"a polling login at the mock is no policy-violation",
         test_a_polling_login_at_the_mock_is_no_policy_violation},
        {"a wrong password is told", test_a_wrong_password_is_told},
        {"a message to oneself comes back by drain",
         test_a_message_to_oneself_comes_back_by_drain},
    };
    CU_pSuite suite = CU_add_suite("play_login", NULL, NULL);

    for (size_t i = 0; suite && i < sizeof tests / sizeof *tests; i++) {
        if (!CU_add_test(suite, tests[i].name, tests[i].test))
            return -1;
    }
    return suite ? 0 : -1;
}
