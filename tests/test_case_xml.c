/*
 * The reader of cases: files that it refuses, with the line and what is
 * allowed, and what it makes of good ones.
 */
#include <stdlib.h>

#include "check.h"
#include "common/buf.h"
#include "common/xml.h"
#include "harness/case_xml.h"

int suite_case_xml(void);

static struct knowledge knowledge;

static int set_up(void)
{
    struct err e = {""};

    if (knowledge_load(&knowledge, "cases", &e) == 0)
        return 0;
    fprintf(stderr, "%s\n", e.text);
    return -1;
}

static int tear_down(void)
{
    knowledge_release(&knowledge);
    return 0;
}

/* ---------------------------------------------------------------- refused */

static const struct {
    const char *file; /* tests/data/bad-<file>.xml */
    int line;
    const char *says; /* how the message begins */
} refused[] = {
    {"xml", 3, "Opening and ending tag mismatch: why line 3 and wy"},
    {"doctype", 1, "a document type declaration is not allowed"},
    {"namespace", 1,
     "the document is 'case', it must be <case xmlns='urn:boshspec:case:1'>"},
    {"root", 1,
     "the document is 'suite', it must be <case xmlns='urn:boshspec:case:1'>"},
    {"role", 1, "role='proxy' on 'case': allowed are client server"},
    {"element", 10,
     "unknown element 'awiat' in 'play' (did you mean 'await'?): allowed are "
     "let require await elapse silence do push on off lose withhold release "
     "answer cut bytes certificate repeat when together in-order"},
    {"element-of-other-role", 8,
     "unknown element 'login' in 'play': allowed are let require await"},
    {"manager-in-server-case", 6,
     "unknown element 'manager' in 'case': allowed are title why covers tag "
     "origin needs caught spares play judge"},
    {"attribute", 12,
     "unknown attribute 'witin' on 'await' (did you mean 'within'?): allowed "
     "are as within else because event stream client"},
    {"attribute-of-other-verb", 8,
     "unknown attribute 'route' on 'do': allowed are client verb"},
    {"go-on", 12, "else='go-on' on 'silence'"},
    {"size", 12, "unknown attribute 'size' on 'bytes'"},
    {"size-missing", 12, "'bytes' needs the attribute 'size'"},
    {"header-of-other-kind", 12, "unknown element 'header' in 'bytes'"},
    {"uri", 12, "unknown element 'uri' in 'push'"},
    {"verb", 8,
     "verb='conect' on 'do': allowed are connect send add-stream close-stream "
     "attach restore pause disconnect resume flush reset save ping "
     "restart-process"},
    {"status", 9, "event='online' on 'await': allowed are connecting "},
    {"duration", 9,
     "within='10 s' on 'await' must be a duration: 300ms, 5s, or "
     "{milliseconds}"},
    {"number", 6, "hold='one' on 'manager' must be a whole number up to 65535"},
    {"no-attribute", 9,
     "'await' needs the attribute 'within': a duration: 300ms, 5s"},
    {"because", 9, "'await' needs the attribute 'because': some words"},
    {"no-element", 4, "'case' needs the element 'covers' before 'caught'"},
    {"no-judge", 1, "'case' needs the element 'judge'"},
    {"empty-play", 7, "'play' is empty: it needs at least one of let "},
    {"order", 2, "'case' needs the element 'title' before 'why'"},
    {"twice", 3, "'title' may stand only once in 'case'"},
    {"blank-title", 2, "'title' is empty: it must be some words"},
    {"blank-expression", 10,
     "'await' is empty: it must be an XPath expression"},
    {"stray-text", 7, "'play' holds text: allowed are only let require"},
    {"bound", 16,
     "unknown element 'equals' in 'assert': allowed are test show got is "
     "is-not at-least at-most"},
    {"stanza-without-namespace", 11,
     "unknown element 'message' in 'push': allowed are elements with an xmlns "
     "of their own"},
    {"xpath", 10, "expression '$x[@kind='poll'' does not parse"},
    {"function", 10, "function 'bs:last' in 'bs:last($x)' is not known"},
    {"prefix", 12, "prefix 'jabber' in "},
    {"brace", 11, "'{$x/@n\""},
    {"hex", 9, "'raw' holds something else than pairs of hex digits"},
    {"base64", 9, "'raw' does not hold base64"},
    {"of", 10, "of='{$first}{$first}' must be one handle or one {expression}"},
};

static void test_mistakes_are_told_with_their_line(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char *path = mem_printf("tests/data/bad-%s.xml", refused[i].file);
        char *want =
            mem_printf("%s:%d: %s", path, refused[i].line, refused[i].says);
        struct testcase *tc = NULL;
        struct err e = {""};
        int rv = case_read(&knowledge, path, "bad", &tc, &e);

        CHECK_ROW(rv == -1 && tc == NULL, refused[i].file);
        CHECK_ROW(strncmp(e.text, want, strlen(want)) == 0, e.text);
        CHECK_ROW(strchr(e.text, '\n') == NULL, refused[i].file);
        testcase_free(tc);
        free(want);
        free(path);
    }
}

static void test_a_file_that_is_not_there_is_told(void)
{
    struct testcase *tc = NULL;
    struct err e = {""};

    CHECK_INT(case_read(&knowledge, "tests/data/none.xml", "x", &tc, &e), -1);
    CHECK_STR(e.text, "tests/data/none.xml: cannot be opened");
}

static void test_knowledge_that_is_not_there_is_told(void)
{
    struct knowledge k;
    struct err e = {""};

    CHECK_INT(knowledge_load(&k, "tests/data", &e), -1);
    CHECK_STR(e.text, "tests/data/schema/case.rng: cannot be opened");
}

/* ------------------------------------------------------------------- good */

static struct testcase *read_good(const char *id)
{
    char *path = mem_printf("tests/data/read/%s.xml", id);
    struct testcase *tc = NULL;
    struct err e = {""};

    case_read(&knowledge, path, id, &tc, &e);
    CHECK_STR(e.text, "");
    CHECK(tc != NULL);
    free(path);
    return tc;
}

/* Without expressions in it, an avt gives its text. */
static void check_plain(const struct avt *a, const char *want)
{
    struct err e = {""};
    char *got = a ? avt_eval(a, NULL, &e) : NULL;

    CHECK_STR(got, want);
    free(got);
}

static void check_head(const struct testcase *tc)
{
    CHECK_STR(tc->id, "client/timeouts/secondary");
    CHECK_STR(tc->path, "tests/data/read/client/timeouts/secondary.xml");
    CHECK_INT(tc->role, ROLE_CLIENT);
    CHECK_INT(tc->rev, 1);
    CHECK(strncmp(tc->title, "Once a later", 12) == 0);
    CHECK_INT(tc->cover_count, 4);
    CHECK_STR(tc->covers[3], "x124-client-process-order");
    CHECK_INT(tc->cover_lines[0], 6);
    CHECK_INT(tc->tag_count, 2);
    CHECK_STR(tc->tags[1], "retransmission");
    CHECK_STR(tc->origin_implementation, "Strophe.js before 1.5.0");
    CHECK_INT(tc->needs_count, 1);
    CHECK_STR(tc->needs[0].verb, "send");
    CHECK(tc->needs[0].event == NULL);
    CHECK_INT(tc->caught_count, 5);
    CHECK_STR(tc->caught[4].twin, "delivers-on-arrival");
    CHECK_STR(tc->caught[4].by, "order");
    CHECK_INT(tc->spares_count, 1);
    CHECK_STR(tc->sockets_only, "");
}

static void check_grant(const struct manager_grant *g)
{
    CHECK_INT(g->wait_s, 20);
    CHECK_INT(g->hold, 1);
    CHECK_INT(g->requests, 2);
    CHECK_INT(g->inactivity_s, 60);
    CHECK_INT(g->polling_s, -1);
    CHECK_INT(g->ack, -1);
    CHECK(g->ver == NULL && g->tls == NULL);
}

static void check_client_steps(const struct testcase *tc)
{
    const struct step *st = tc->steps;

    CHECK_INT(tc->step_count, 9);
    CHECK_INT(st[0].kind, STEP_DO);
    CHECK_STR(st[0].name, "connect");
    CHECK_INT(st[0].attr_count, 1);
    CHECK_STR(st[0].attrs[0].name, "wait");
    check_plain(st[0].attrs[0].value, "20");
    CHECK_INT(st[1].kind, STEP_AWAIT);
    CHECK_STR(st[1].name, "connected");
    CHECK_INT(st[1].within.ms, 10000);
    CHECK_INT(st[1].otherwise, ELSE_ERROR);
    CHECK_STR(st[1].because, "the login did not succeed");
    CHECK(st[1].expr == NULL);
    CHECK_STR(st[2].as, "N");
    CHECK_STR(expr_text(st[2].expr), "$x[@kind='poll' or @kind='payload']"
                                     "[@session][not(res)][last()]");
    CHECK_INT(st[3].kind, STEP_ACT);
    CHECK_STR(st[3].name, "N");
    CHECK_STR(expr_text(avt_expr(st[3].of, 0)), "$N");
    CHECK_INT(st[3].action_count, 1);
    CHECK_INT(st[3].actions[0].kind, ACTION_LOSE);
    CHECK_INT(st[3].actions[0].part, PART_RESPONSE);
    CHECK_INT(st[4].kind, STEP_PUSH);
    check_plain(st[4].payload.text,
                "<message xmlns=\"jabber:client\" from=\"robot@localhost\" "
                "type=\"chat\" id=\"one\"><body>1</body></message>");
    CHECK_STR(st[5].name, "send");
    CHECK_INT(st[6].otherwise, ELSE_NA);
    CHECK_STR(expr_text(st[7].within.expr), "1300 * $s/@wait");
    CHECK_INT(st[8].otherwise, ELSE_STOP);
}

static void check_client_asserts(const struct testcase *tc)
{
    const struct assertion *a = tc->asserts;

    CHECK_INT(tc->assert_count, 4);
    CHECK_STR(a[0].id, "again");
    CHECK_INT(a[0].level, LEVEL_PRACTICE);
    CHECK_STR(expr_text(a[0].test), "$again");
    CHECK(a[0].each == NULL && a[0].got == NULL);
    CHECK_INT(a[1].level, LEVEL_CATALOGUE);
    CHECK_STR(expr_text(a[1].each), "$again[1]");
    CHECK_STR(expr_text(a[1].at_most.expr), "100 * $s/@wait + 2000");
    CHECK(a[1].at_most.clock);
    CHECK(a[1].at_least.expr == NULL);
    CHECK_INT(a[2].is_count, 1);
    CHECK_STR(expr_text(a[2].is[0]), "$N/req/@body-id");
    CHECK_INT(a[3].needs, NEEDS_STANZA);
}

static void test_a_client_case_is_read_in_every_detail(void)
{
    struct testcase *tc = read_good("client/timeouts/secondary");

    if (!tc)
        return;
    check_head(tc);
    check_grant(&tc->manager);
    check_client_steps(tc);
    check_client_asserts(tc);
    CHECK(tc->worst_ms >= 30000);
    testcase_free(tc);
}

static void test_rules_and_their_actions_are_read(void)
{
    struct testcase *tc = read_good("client/errors/success-resets-the-count");
    const struct step *on;

    if (!tc)
        return;
    on = &tc->steps[2];
    CHECK_INT(on->kind, STEP_ON);
    CHECK_STR(on->name, "bad-at-first");
    CHECK(!on->optional);
    CHECK_STR(expr_text(on->expr), "@kind = 'poll'");
    CHECK_INT(on->action_count, 1);
    CHECK_INT(on->actions[0].kind, ACTION_RESPOND);
    CHECK_STR(on->actions[0].as, "first");
    CHECK_INT(on->actions[0].times, 4);
    CHECK_INT(on->actions[0].reply.status, 503);
    CHECK_STR(on->actions[0].reply.reason, "Service Unavailable");
    CHECK(on->actions[0].reply.body.text == NULL);
    CHECK(tc->asserts[0].show != NULL);
    testcase_free(tc);
}

static void check_server_steps(const struct testcase *tc)
{
    const struct step *st = tc->steps;

    CHECK_INT(tc->step_count, 8);
    CHECK_INT(st[0].kind, STEP_LOGIN);
    CHECK_STR(st[0].as, "s");
    CHECK_INT(st[0].account, 1);
    CHECK_INT(st[0].attr_count, 2);
    CHECK_INT(st[1].kind, STEP_REQUIRE);
    CHECK_STR(st[2].name, "Q");
    CHECK_INT(st[3].kind, STEP_REPEAT);
    CHECK_STR(st[3].index, "i");
    CHECK_STR(expr_text(avt_expr(st[3].times, 0)), "$Q");
    CHECK_INT(st[3].step_count, 2);
    CHECK_INT(st[3].steps[0].kind, STEP_REQUEST);
    CHECK_STR(st[3].steps[0].session, "s");
    CHECK_INT(st[3].steps[0].http_minor, 1);
    CHECK_INT(st[3].steps[0].stop_after_bytes, -1);
    CHECK_INT(st[3].steps[0].send_every.ms, -1);
    CHECK_INT(avt_count(st[3].steps[0].payload.text), 4);
    CHECK(st[3].steps[0].body.text == NULL);
    CHECK_INT(st[4].steps[0].kind, STEP_RESEND);
    CHECK_STR(expr_text(avt_expr(st[4].steps[0].of, 0)),
              "$first[position() = $Q + 1 - $i]");
    CHECK_INT(st[7].kind, STEP_DRAIN);
    CHECK_STR(st[7].session, "s");
    CHECK_INT(st[7].within.ms, 12000);
}

static void test_a_server_case_is_read_in_every_detail(void)
{
    struct testcase *tc = read_good("server/retransmission/"
                                    "replay-buffer-depth");

    if (!tc)
        return;
    CHECK_INT(tc->role, ROLE_SERVER);
    CHECK_INT(tc->needs[0].accounts, 1);
    CHECK_INT(tc->assert_count, 4);
    CHECK_INT(tc->manager.wait_s, -1);
    check_server_steps(tc);
    testcase_free(tc);
}

static void test_together_and_elapse_are_read(void)
{
    struct testcase *tc = read_good("server/inactivity/expires-in-time");

    if (!tc)
        return;
    CHECK_INT(tc->steps[0].kind, STEP_TOGETHER);
    CHECK_INT(tc->steps[0].step_count, 2);
    CHECK_STR(tc->steps[0].steps[1].as, "late");
    CHECK_INT(tc->steps[8].kind, STEP_ELAPSE);
    CHECK_INT(tc->steps[8].within.ms, -1);
    CHECK_STR(expr_text(tc->steps[8].until.expr), "$since + $before");
    testcase_free(tc);
}

/* ------------------------------------------------- everything there can be */

static void check_payloads(const struct testcase *tc)
{
    const struct step *st = tc->steps;

    check_plain(st[0].payload.text,
                "<message xmlns=\"\" a=\"&lt;&amp;&quot;\"><x> {} kept "
                "</x></message><p:y xmlns:p=\"urn:p\"><p:z/></p:y>");
    CHECK_STR(expr_text(avt_expr(st[1].payload.text, 0)),
              "$x[@n < 3 and @rid != '}']/@rid");
    CHECK_INT(st[2].actions[0].at, 7);
    CHECK_INT(st[2].actions[0].bytes, BYTES_TRUNCATE);
    CHECK_INT(st[2].actions[1].times, 0);
    CHECK_INT(st[2].actions[1].how, CUT_RST);
    CHECK_INT(st[2].actions[1].when, CUT_RESPONSE_BODY);
    CHECK_INT(st[2].actions[1].after_bytes, 10);
    CHECK_STR(st[2].actions[2].condition, "policy-violation");
    check_plain(st[2].actions[2].payload.text,
                "<a xmlns=\"urn:a\"/><uri "
                "xmlns=\"http://jabber.org/protocol/httpbind\">u</uri>");
    CHECK_INT(st[2].actions[3].reply.header_count, 1);
    CHECK_STR(st[2].actions[3].reply.headers[0].name, "Location");
    CHECK_INT(st[2].actions[3].reply.raw.times, 3);
    CHECK_INT(st[2].actions[3].reply.raw.len, 2);
    CHECK(memcmp(st[2].actions[3].reply.raw.data, "\x00\xff", 2) == 0);
    CHECK(st[2].optional);
    CHECK_STR(st[3].attrs[0].name, "for");
    check_plain(st[3].attrs[0].value, "1.500");
    CHECK_STR(st[4].attrs[0].name, "for");
    CHECK_STR(expr_text(avt_expr(st[4].attrs[0].value, 0)),
              "(1000 * $s/@maxpause) div 1000");
    CHECK_STR(st[5].options[0].name, "contentType");
    check_plain(st[5].options[0].value, "text/plain");
    CHECK_INT(st[2].actions[4].bytes, BYTES_HUGE);
    CHECK_INT(st[2].actions[4].size, 1000);
    CHECK_INT(st[2].actions[5].bytes, BYTES_HEADER);
    CHECK_INT(st[2].actions[5].reply.header_count, 2);
    CHECK_STR(st[2].actions[5].reply.headers[1].name, "X-B");
    CHECK_INT(st[6].otherwise, ELSE_STOP);
    CHECK_INT(st[9].otherwise, ELSE_GO_ON);
    CHECK_STR(st[6].client, "b");
    CHECK_INT(st[7].actions[0].kind, ACTION_RESPOND);
    check_plain(st[7].actions[0].reply.body.text,
                "<body xmlns=\"http://jabber.org/protocol/httpbind\" "
                "type=\"terminate\"/>");
}

static void check_streams(const struct step *st)
{
    const struct action *a = st[2].actions;

    CHECK_INT(a[2].stream, -1);
    CHECK_INT(a[6].bytes, BYTES_ATTRIBUTE);
    CHECK_STR(a[6].reply.headers[0].name, "stream");
    CHECK_STR(expr_text(avt_expr(a[6].reply.headers[0].value, 0)), "$s/@sid");
    check_plain(a[7].reply.headers[0].value, "");
    CHECK_INT(a[8].stream, 2);
    CHECK_INT(st[6].stream, 0);
    CHECK_INT(st[10].stream, 3);
    CHECK_STR(st[11].attrs[0].name, "stream");
    check_plain(st[11].attrs[0].value, "-1");
    CHECK_INT(st[12].attr_count, 3);
    CHECK_STR(st[13].name, "close-stream");
    CHECK_INT(st[14].stream, 1);
}

static void check_all_grants(const struct manager_grant *g)
{
    CHECK_INT(g->requests, GRANT_NONE);
    CHECK_INT(g->inactivity_s, GRANT_NONE);
    CHECK_STR(g->ver, "none");
    CHECK_INT(g->ack, 0);
    CHECK_INT(g->keys, 1);
    CHECK_INT(g->streams, 1);
    CHECK_INT(g->overactivity_literal, 1);
    CHECK_INT(g->report_ms, 1500);
    CHECK_INT(g->empty_at_percent, 50);
    CHECK_STR(g->features, "polled");
    CHECK_STR(g->conflict, "refuse");
    CHECK_STR(g->mechanisms, "SCRAM-SHA-1 PLAIN");
    CHECK_INT(g->attribute_count, 3);
    CHECK_STR(g->attributes[0].name, "xmpp:x");
    CHECK_STR(g->attributes[0].value, "y");
    CHECK_STR(g->attributes[1].value, "");
    CHECK_STR(g->attributes[2].name, "authid");
    CHECK(g->attributes[2].value == NULL);
    CHECK_INT(g->attribute_lines[2], 10);
}

static void test_every_kind_of_payload_and_action_is_read(void)
{
    struct testcase *tc = NULL;
    struct err e = {""};

    case_read(&knowledge, "tests/data/good-client.xml", "good", &tc, &e);
    CHECK_STR(e.text, "");
    if (!tc)
        return;
    check_payloads(tc);
    check_streams(tc->steps);
    check_all_grants(&tc->manager);
    CHECK_STR(tc->needs[0].option, "keys");
    testcase_free(tc);
}

static void check_requests(const struct step *st)
{
    CHECK_INT(st[0].account, 0);
    CHECK_STR(st[0].exchange, "c");
    CHECK_INT(st[0].body_attr_count, 3);
    CHECK_STR(st[0].body_attrs[0].name, "newkey");
    check_plain(st[0].body_attrs[0].value, "abc");
    CHECK_STR(st[0].body_attrs[1].name, "xmpp:version");
    CHECK_STR(st[0].body_attrs[2].name, "ver");
    CHECK(st[0].body_attrs[2].value == NULL);
    CHECK_INT(st[1].kind, STEP_REQUEST);
    CHECK_STR(st[1].body_attrs[0].name, "key");
    CHECK_STR(st[1].options[0].name, "Content-Type");
    CHECK(st[1].terminate && !st[1].restart);
    CHECK_STR(st[1].conn, "a");
    CHECK_INT(avt_count(st[2].body.text), 1);
    CHECK_INT(st[3].stop_after_bytes, 20);
    CHECK_INT(st[3].send_every.ms, 5);
    CHECK_INT(st[3].entity_after.ms, 7);
    CHECK_INT(st[3].chunks, 3);
    CHECK_STR(st[3].encoding, "gzip");
    CHECK(st[3].whole);
    CHECK_INT(st[3].http_minor, 0);
    CHECK_INT(st[3].raw_count, 2);
    CHECK_STR(st[3].raws[0].data, "<body/>");
    CHECK_INT(avt_count(st[3].raws[1].text), 1);
    CHECK_INT(st[3].raws[1].times, 2);
    CHECK_INT(st[4].kind, STEP_ABORT);
    CHECK_INT(st[4].how, CUT_RST);
    CHECK_STR(expr_text(avt_expr(st[4].of, 0)), "$r");
}

static void test_every_kind_of_request_is_read(void)
{
    struct testcase *tc = NULL;
    struct err e = {""};

    case_read(&knowledge, "tests/data/good-server.xml", "good", &tc, &e);
    CHECK_STR(e.text, "");
    if (!tc)
        return;
    check_requests(tc->steps);
    CHECK_STR(tc->sockets_only, "");
    CHECK_INT(tc->asserts[0].is_count, 2);
    testcase_free(tc);
}

/* -------------------------------------------------------------- knowledge */

static void test_a_requirement_is_found_by_its_id(void)
{
    const struct requirement *row =
        catalogue_find(&knowledge.catalogue, "x124-client-process-order");

    CHECK(knowledge.catalogue.count > 400);
    CHECK(row != NULL);
    if (row) {
        CHECK_STR(row->subject, "client");
        CHECK_STR(row->breaks, "interop");
        CHECK(row->text[0] != '\0');
    }
    CHECK(catalogue_find(&knowledge.catalogue, "x124-nothing") == NULL);
}

static void test_invariants_are_read(void)
{
    const struct invariants *list = &knowledge.invariants;

    CHECK(list->count > 0);
    for (size_t i = 0; i < list->count; i++) {
        CHECK(list->items[i].assertion.id != NULL);
        CHECK(list->items[i].assertion.test || list->items[i].assertion.got);
    }
}

int suite_case_xml(void)
{
    CU_pSuite s = CU_add_suite("case_xml", set_up, tear_down);

    if (!s ||
        !CU_add_test(s, "mistakes are told with their line",
                     test_mistakes_are_told_with_their_line) ||
        !CU_add_test(s, "a file that is not there is told",
                     test_a_file_that_is_not_there_is_told) ||
        !CU_add_test(s, "knowledge that is not there is told",
                     test_knowledge_that_is_not_there_is_told) ||
        !CU_add_test(s, "a client case is read in every detail",
                     test_a_client_case_is_read_in_every_detail) ||
        !CU_add_test(s, "rules and their actions are read",
                     test_rules_and_their_actions_are_read) ||
        !CU_add_test(s, "a server case is read in every detail",
                     test_a_server_case_is_read_in_every_detail) ||
        !CU_add_test(s, "together and elapse are read",
                     test_together_and_elapse_are_read) ||
        !CU_add_test(s, "every kind of payload and action is read",
                     test_every_kind_of_payload_and_action_is_read) ||
        !CU_add_test(s, "every kind of request is read",
                     test_every_kind_of_request_is_read) ||
        !CU_add_test(s, "a requirement is found by its id",
                     test_a_requirement_is_found_by_its_id) ||
        !CU_add_test(s, "invariants are read", test_invariants_are_read))
        return -1;
    return 0;
}
