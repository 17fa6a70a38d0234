/* A session before managers that are unusual, old, broken, or about to end
 * it. */
#include "bosh_peer.h"

int suite_session_odd(void);

/* ---- Answers that are none ------------------------------------------------
 */

static const struct damage {
    const char *what;
    const char *entity;
} DAMAGES[] = {
    {"empty", ""},
    {"ill-formed", "<body " NS_BODY "><message " NS_CLIENT " id='x'/></body"},
    {"wrong namespace",
     "<body xmlns='urn:x'><message " NS_CLIENT " id='x'/></body>"},
    {"no namespace", "<body><message " NS_CLIENT " id='x'/></body>"},
    {"other root", "<html " NS_BODY "><message " NS_CLIENT " id='x'/></html>"},
    {"text", "<body " NS_BODY ">so<message " NS_CLIENT " id='x'/></body>"},
    {"comment",
     "<body " NS_BODY "><!--so--><message " NS_CLIENT " id='x'/></body>"},
    {"instruction",
     "<body " NS_BODY "><?so so?><message " NS_CLIENT " id='x'/></body>"},
    {"doctype",
     "<!DOCTYPE body><body " NS_BODY "><message " NS_CLIENT " id='x'/></body>"},
    {"entity", "<!DOCTYPE body [<!ENTITY e 'x'>]><body " NS_BODY
               "><message " NS_CLIENT " id='x'>&e;</message></body>"},
    {"two bodies", WITH("x") WITH("y")},
    {"garbage behind", WITH("x") "garbage"},
    {"garbage before", "garbage" WITH("x")},
};

static void test_a_damaged_answer_is_asked_for_again(void)
{
    for (size_t i = 0; i < PEER_COUNT(DAMAGES); i++) {
        const struct damage *d = &DAMAGES[i];
        struct buf first = BUF_INIT;
        struct peer p;

        peer_init(&p, NULL);
        peer_log_in(&p);
        CHECK(peer_next(&p));
        buf_add(&first, p.body.data, p.body.len);
        peer_answer(&p, d->entity);
        CHECK_ROW(strcmp(peer_seen(&p), "") == 0, d->what);
        CHECK_ROW(peer_next(&p) && p.attempt == 2, d->what);
        CHECK_STR(buf_str(&p.body), buf_str(&first));
        peer_answer(&p, WITH("good"));
        CHECK_STR(peer_seen(&p), "<good>");
        CHECK_INT(bosh_errors(p.s), 0);
        buf_release(&first);
        peer_release(&p);
    }
}

static void test_damage_without_end_ends_at_the_fifth_error(void)
{
    for (size_t i = 0; i < PEER_COUNT(DAMAGES); i++) {
        struct peer p;
        int sent = 0;

        peer_init(&p, NULL);
        peer_log_in(&p);
        while (!bosh_ended(p.s) && sent < 9) {
            if (peer_next(&p)) {
                sent++;
                peer_answer(&p, DAMAGES[i].entity);
            } else {
                p.now = bosh_deadline_ms(p.s);
            }
        }
        CHECK_ROW(sent == 5, DAMAGES[i].what);
        CHECK_STR(peer_seen(&p), "conntimeout disconnected");
        peer_release(&p);
    }
}

static void test_what_nobody_knows_is_passed_over(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in_with(
        &p, CREATED(USUAL " secure='true' authid='7' charsets='utf-8' "
                          "from='example.org' xmlns:v='urn:v' v:new='1' "
                          "accept='gzip' xmpp:restartlogic='true' "
                          "xmlns:xmpp='urn:xmpp:xbosh'",
                    MECHANISMS(MECHANISM("X-NEW") MECHANISM("ANONYMOUS"))));
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY " from='h' v:new='1' xmlns:v='urn:v'>"
                    "<new xmlns='urn:v' id='one'/><message " NS_CLIENT
                    " id='two'/></body>");
    CHECK_STR(peer_seen(&p), "<one> <two>");
    CHECK(peer_next(&p));
    peer_release(&p);
}

/* ---- Managers of other kinds ----------------------------------------------
 */

static void test_a_manager_may_say_nothing_but_sid(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in_with(&p, "<body " NS_BODY " " NS_STREAM " sid='s1'>" MECHANISMS(
                             MECHANISM("ANONYMOUS")) "</body>");
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p)); /* no limit was named */
    CHECK_INT(bosh_wait_s(p.s), 60);
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 66000);
    CHECK_INT(bosh_pause(p.s, 10), BOSH_E_ARG);
    peer_release(&p);
}

/* What makes it a polling session, and how long an empty answer lets rest. */
static void test_polling_sessions_rest_however_they_came_about(void)
{
    static const struct {
        const char *created;
        int rest_ms;
    } ROWS[] = {
        {LOGGED_IN("wait='60' hold='1' requests='1' polling='3'"), 3000},
        {LOGGED_IN("wait='0' hold='1' requests='2' polling='3'"), 3000},
        {LOGGED_IN("wait='60' hold='0' requests='2' polling='3'"), 3000},
        {LOGGED_IN("wait='60' hold='0' requests='1'"), 1000},
        {LOGGED_IN("wait='60' hold='0' requests='1' polling='0'"), 1000},
        /* Not so long that the session dies meanwhile. */
        {LOGGED_IN("wait='0' hold='0' polling='30' inactivity='10'"), 8000},
    };

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        struct peer p;

        peer_init(&p, NULL);
        peer_log_in_with(&p, ROWS[i].created);
        CHECK(peer_next(&p));
        peer_answer(&p, EMPTY);
        CHECK_ROW(!peer_next(&p), ROWS[i].created);
        CHECK_INT(bosh_deadline_ms(p.s) - p.now, ROWS[i].rest_ms);
        p.now = bosh_deadline_ms(p.s);
        CHECK_ROW(peer_next(&p), ROWS[i].created);
        peer_release(&p);
    }
}

static void test_late_features_are_polled_for_without_haste(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, CREATED("wait='0' hold='0' requests='1' polling='2'", ""));
    CHECK(peer_next(&p));
    peer_answer(&p, EMPTY);
    CHECK(!peer_next(&p));
    CHECK_INT(bosh_deadline_ms(p.s) - p.now, 2000);
    peer_release(&p);
}

/* With max_open to match, the manager's window is the limit. */
static void test_as_many_requests_as_the_manager_lets(void)
{
    static const struct {
        const char *created;
        int most;
    } ROWS[] = {
        {LOGGED_IN("wait='60' hold='1' requests='1'"), 1},
        {LOGGED_IN("wait='60' hold='1' requests='2'"), 2},
        {LOGGED_IN("wait='60' hold='4' requests='5'"), 5},
        {LOGGED_IN("wait='60' hold='1' requests='60'"), 60},
        {LOGGED_IN("wait='60' hold='1'"), 5}, /* ours: none was named */
    };

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        struct bosh_options o;
        struct peer p;
        int open = 0;

        bosh_options_init(&o);
        o.max_open = 100;
        peer_init(&p, &o);
        peer_log_in_with(&p, ROWS[i].created);
        for (int j = 0; j < 100; j++) {
            open += peer_next(&p);
            CHECK_INT(peer_send(&p, MESSAGE("m")), 0);
        }
        CHECK_INT(open, ROWS[i].most);
        CHECK_INT(bosh_open_count(p.s), ROWS[i].most);
        peer_release(&p);
    }
}

/* ---- Endings --------------------------------------------------------------
 */

/* XEP-0124 §17.2, none, and one that nobody has heard of. */
static void test_every_condition_ends_the_session(void)
{
    static const char *const CONDITIONS[] = {
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
        "x-new-condition",
    };

    for (size_t i = 0; i < PEER_COUNT(CONDITIONS); i++) {
        char *end = mem_printf("<body " NS_BODY " type='terminate' "
                               "condition='%s'><message " NS_CLIENT
                               " id='last'/></body>",
                               CONDITIONS[i]);
        char *want = mem_printf("<last> connfail:%s disconnected:%s",
                                CONDITIONS[i], CONDITIONS[i]);
        struct peer p;

        peer_init(&p, NULL);
        peer_log_in(&p);
        CHECK(peer_next(&p));
        peer_answer(&p, end);
        CHECK_STR(peer_seen(&p), want);
        CHECK_ROW(!peer_next(&p) && bosh_ended(p.s), CONDITIONS[i]);
        peer_release(&p);
        free(end);
        free(want);
    }
}

static void test_a_redirected_session_says_where_to(void)
{
    struct bosh_event ev;
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY " type='terminate' condition="
                    "'see-other-uri'><uri>https://b.example/</uri></body>");
    CHECK(bosh_next_event(p.s, &ev));
    CHECK_INT(ev.status, BOSH_REDIRECT);
    CHECK_STR(ev.condition, "see-other-uri");
    CHECK_STR(ev.detail, "https://b.example/");
    CHECK_STR(peer_seen(&p), "disconnected:see-other-uri");
    CHECK(!peer_next(&p));
    peer_release(&p);
}

/* Each stream error is told by its own name. */
static void test_a_stream_error_is_told_by_its_condition(void)
{
    static const char *const INNER[] = {
        "conflict", "system-shutdown", "not-authorized", "xml-not-well-formed"};

    for (size_t i = 0; i < PEER_COUNT(INNER); i++) {
        char *end = mem_printf(
            "<body " NS_BODY " " NS_STREAM " type='terminate' condition="
            "'remote-stream-error'><stream:error><text xmlns='urn:ietf:params:"
            "xml:ns:xmpp-streams'>so</text><%s xmlns='urn:ietf:params:xml:ns:"
            "xmpp-streams'/></stream:error></body>",
            INNER[i]);
        struct bosh_event ev;
        struct peer p;

        peer_init(&p, NULL);
        peer_log_in(&p);
        CHECK(peer_next(&p));
        peer_answer(&p, end);
        CHECK(bosh_next_event(p.s, &ev));
        CHECK_INT(ev.status, BOSH_CONNFAIL);
        CHECK_STR(ev.detail, INNER[i]);
        peer_release(&p);
        free(end);
    }
}

static void test_escaped_text_is_one_text(void)
{
    static const char TEXT[] = "</body> & 'x' \"y\"\n\xc3\xa9<a>";
    char *text = bosh_escape(TEXT);
    char *xml =
        mem_printf("<message to='%s'><body>%s</body></message>", text, text);
    char *bad = bosh_escape("\001");
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK_INT(bosh_send(p.s, xml, strlen(xml)), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "&lt;/body&gt; &amp; "));
    free(xml);
    xml = mem_printf("<message><body>%s</body></message>", bad);
    CHECK_INT(bosh_send(p.s, xml, strlen(xml)), BOSH_E_ARG);
    peer_release(&p);
    free(xml);
    free(bad);
    free(text);
}

static void test_what_was_refused_is_no_reason_for_an_end(void)
{
    struct bosh_event ev;
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, "<message>"), BOSH_E_ARG);
    peer_status(&p, 404);
    CHECK(bosh_next_event(p.s, &ev));
    CHECK_INT(ev.status, BOSH_CONNFAIL);
    CHECK_STR(ev.detail, "the manager answered HTTP 404");
    CHECK_STR(bosh_last_error(p.s), "the manager answered HTTP 404");
    peer_release(&p);
}

static const struct peer_test TESTS[] = {
    {"what was refused is no reason for an end",
     test_what_was_refused_is_no_reason_for_an_end},
    {"escaped text is one text", test_escaped_text_is_one_text},
    {"a damaged answer is asked for again",
     test_a_damaged_answer_is_asked_for_again},
    {"damage without end ends at the fifth error",
     test_damage_without_end_ends_at_the_fifth_error},
    {"what nobody knows is passed over", test_what_nobody_knows_is_passed_over},
    {"a manager may say nothing but sid",
     test_a_manager_may_say_nothing_but_sid},
    {"polling sessions rest however they came about",
     test_polling_sessions_rest_however_they_came_about},
    {"late features are polled for without haste",
     test_late_features_are_polled_for_without_haste},
    {"as many requests as the manager lets",
     test_as_many_requests_as_the_manager_lets},
    {"every condition ends the session", test_every_condition_ends_the_session},
    {"a redirected session says where to",
     test_a_redirected_session_says_where_to},
    {"a stream error is told by its condition",
     test_a_stream_error_is_told_by_its_condition},
};

int suite_session_odd(void)
{
    return peer_suite("session_odd", TESTS, PEER_COUNT(TESTS));
}
