/*
 * The reports that programs read: TAP, JUnit XML, Markdown. Each is read back
 * by somebody strict, whatever a peer put into it.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "check.h"
#include "common/xml.h"
#include "harness/schema.h"
#include "reports/junit.h"
#include "reports/markdown.h"
#include "reports/shown.h"
#include "reports/tap.h"
#include "reports/text.h"
#include "tap_reader.h"

int suite_reports(void);

/* ------------------------------------------------------------- results */

static struct result_case *add(struct result *r, const char *id,
                               const char *verdict, const char *reason)
{
    struct result_case c = {.rev = 1, .duration_ms = 1234, .attempts = 1};

    c.id = mem_dup(id);
    c.title = mem_dup("A title");
    c.verdict = mem_dup(verdict);
    c.reason = mem_dup(reason);
    c.log = mem_printf("cases/%s.log", id);
    c.requirements = mem_alloc(sizeof(char *));
    c.requirements[0] = mem_dup("x124-a");
    c.requirement_count = 1;
    result_add(r, &c);
    r->selected++;
    return &r->cases[r->case_count - 1];
}

/* The case fails with this value. */
static void add_miss(struct result_case *c, const char *verdict,
                     const char *got)
{
    struct result_assert *a = result_case_assert(c);
    struct result_exchange *x = result_assert_exchange(a);

    a->id = mem_dup("soon");
    a->requirement = mem_dup("x124-a");
    a->verdict = mem_dup(verdict);
    a->says = mem_dup("it comes soon");
    a->expected = mem_dup("at most 4000");
    a->got = mem_dup(got);
    x->n = 7;
    x->t_ms = 12345;
    x->kind = mem_dup("poll");
    x->rid = mem_dup("42");
    x->first_line = mem_dup("POST /http-bind");
    result_case_reseal(c);
}

static void begin(struct result *r)
{
    result_init(r);
    r->version = mem_dup("0.1.0");
    r->suite_hash = mem_dup("abc");
    r->started = mem_dup("2026-01-02T03:04:05Z");
    r->role = mem_dup("client");
    r->peer_name = mem_dup("toy");
    r->finished = true;
    r->wall_ms = 41200;
    result_add_requirement(r, "x124-a", "XEP-0124 14.2", "MUST", "Words.");
}

/* One case of each verdict. */
static void begin_all(struct result *r)
{
    begin(r);
    add(r, "client/a/pass", "pass", "");
    add_miss(add(r, "client/a/fail", "fail", ""), "fail", "22010");
    add_miss(add(r, "client/a/warn", "warn", ""), "warn", "22010");
    add(r, "client/b.1/na", "na", "no such verb");
    add(r, "client/a/error", "error", "no driver");
    add_miss(add(r, "client/a/xfail", "xfail", "bug 17"), "fail", "22010");
    add(r, "client/a/xpass", "xpass", "'soon' holds");
    add(r, "flaky", "flaky", "pass, fail");
}

/* ------------------------------------------------------------- TAP */

static void read_tap(const struct result *r, struct tap *t)
{
    struct buf out = BUF_INIT;
    struct err e = {""};

    tap_write(&out, r, "out");
    CHECK_INT(tap_read(buf_str(&out), t, &e), 0);
    CHECK_STR(e.text, "");
    buf_release(&out);
}

static void value_is(const struct tap_point *p, const char *key, size_t n,
                     const char *want)
{
    char *value = tap_value(p, key, n);

    CHECK_STR(value, want);
    free(value);
}

static void test_tap_has_a_point_for_each_case(void)
{
    static const struct {
        bool ok;
        const char *words, *directive, *reason;
    } want[] = {
        {true, "client/a/pass", NULL, NULL},
        {false, "client/a/fail", NULL, NULL},
        {true, "client/a/warn", NULL, NULL},
        {true, "client/b.1/na", "SKIP", "no such verb"},
        {false, "client/a/error", NULL, NULL},
        {false, "client/a/xfail", "TODO", "bug 17"},
        {false, "client/a/xpass", NULL, NULL},
        {false, "flaky", NULL, NULL},
    };
    struct result r;
    struct tap t;
    size_t i;

    begin_all(&r);
    read_tap(&r, &t);
    CHECK_INT(t.count, sizeof want / sizeof *want);
    for (i = 0; i < t.count && i < sizeof want / sizeof *want; i++) {
        CHECK_ROW(t.points[i].ok == want[i].ok, want[i].words);
        CHECK_STR(t.points[i].words, want[i].words);
        CHECK_STR(t.points[i].directive, want[i].directive);
        CHECK_STR(t.points[i].reason, want[i].reason);
    }
    tap_release(&t);
    r.options.strict = true;
    read_tap(&r, &t);
    CHECK(t.count > 2 && !t.points[2].ok);
    tap_release(&t);
    result_release(&r);
}

static void test_tap_says_all_about_a_failure(void)
{
    struct result r;
    struct tap t;

    begin_all(&r);
    read_tap(&r, &t);
    value_is(&t.points[1], "severity", 0, "fail");
    value_is(&t.points[1], "requirement", 0, "x124-a");
    value_is(&t.points[1], "section", 0, "XEP-0124 14.2");
    value_is(&t.points[1], "says", 0, "it comes soon");
    value_is(&t.points[1], "expected", 0, "at most 4000");
    value_is(&t.points[1], "got", 0, "22010");
    value_is(&t.points[1], "duration_ms", 0, "1234");
    value_is(&t.points[1], "log", 0, "out/cases/client/a/fail.log");
    CHECK(strstr(buf_str(&t.points[1].yaml),
                 "- \"7 at 12.345 s: poll rid=42, POST /http-bind -> no "
                 "answer\"") != NULL);
    value_is(&t.points[4], "reason", 0, "no driver");
    CHECK_STR(buf_str(&t.points[0].yaml), "");
    tap_release(&t);
    result_release(&r);
}

static void test_tap_of_a_run_that_did_not_finish_bails_out(void)
{
    struct result r;
    struct tap t;

    begin(&r);
    add(&r, "client/a/pass", "pass", "");
    r.selected = 4;
    r.finished = false;
    r.interrupted = true;
    read_tap(&r, &t);
    CHECK(t.bailed_out);
    CHECK_INT(t.planned, 4);
    CHECK_INT(t.count, 1);
    tap_release(&t);
    result_release(&r);
    begin(&r); /* a shard that is empty */
    read_tap(&r, &t);
    CHECK_INT(t.planned, 0);
    CHECK(!t.bailed_out);
    tap_release(&t);
    result_release(&r);
}

/* ------------------------------------------------------------- JUnit */

/* Parsed and held to the schema. */
static xmlDocPtr read_junit(const struct result *r)
{
    struct err e = {""};
    struct schema *s = schema_load("tests/data", "junit.rng", &e);
    struct buf out = BUF_INIT;
    xmlDocPtr doc;

    CHECK(s != NULL);
    junit_write(&out, r, "out");
    doc = xml_parse(buf_str(&out), out.len, NULL, &e);
    CHECK_STR(e.text, "");
    if (s && doc)
        CHECK_INT(schema_check(s, doc, "junit", &e), 0);
    CHECK_STR(e.text, "");
    schema_free(s);
    buf_release(&out);
    return doc;
}

static const xmlNode *testcase_of(xmlDocPtr doc, const char *name)
{
    const xmlNode *suite =
        doc ? xml_child(xmlDocGetRootElement(doc), NULL, "testsuite") : NULL;
    const xmlNode *c = suite ? xml_child(suite, NULL, "testcase") : NULL;

    for (; c; c = xml_next(c))
        if (strcmp(xml_attr(c, NULL, "name"), name) == 0)
            return c;
    return NULL;
}

/* Its outcome, with a message. element NULL: it passed. */
static const xmlNode *outcome_is(xmlDocPtr doc, const char *name,
                                 const char *element, const char *message)
{
    static const char *const all[] = {"failure", "error", "skipped"};
    const xmlNode *c = testcase_of(doc, name), *found = NULL;
    size_t i;

    CHECK_ROW(c != NULL, name);
    for (i = 0; c && i < sizeof all / sizeof *all; i++) {
        const xmlNode *child = xml_child(c, NULL, all[i]);
        bool wanted = element && strcmp(element, all[i]) == 0;

        CHECK_ROW((child != NULL) == wanted, name);
        found = wanted ? child : found;
    }
    if (found)
        CHECK_STR(xml_attr(found, NULL, "message"), message);
    return found;
}

static void test_junit_has_true_failures_and_errors(void)
{
    struct result r;
    const xmlNode *node;
    xmlDocPtr doc;
    char *text;

    begin_all(&r);
    doc = read_junit(&r);
    outcome_is(doc, "pass", NULL, NULL);
    node = outcome_is(doc, "fail", "failure", "soon: it comes soon");
    CHECK_STR(node ? xml_attr(node, NULL, "type") : NULL, "x124-a");
    text = node ? xml_text(node) : mem_dup("");
    CHECK(strstr(text, "got       22010") != NULL);
    free(text);
    outcome_is(doc, "warn", NULL, NULL);
    outcome_is(doc, "na", "skipped", "no such verb");
    outcome_is(doc, "error", "error", "no driver");
    outcome_is(doc, "xfail", "skipped", "bug 17");
    outcome_is(doc, "xpass", "failure", "'soon' holds");
    outcome_is(doc, "flaky", "failure", "pass, fail");
    node = doc ? xmlDocGetRootElement(doc) : NULL;
    CHECK_STR(xml_attr(node, NULL, "tests"), "8");
    CHECK_STR(xml_attr(node, NULL, "failures"), "3");
    CHECK_STR(xml_attr(node, NULL, "errors"), "1");
    CHECK_STR(xml_attr(node, NULL, "skipped"), "2");
    CHECK_STR(xml_attr(node, NULL, "time"), "41.200");
    xmlFreeDoc(doc);
    r.options.strict = true;
    doc = read_junit(&r);
    outcome_is(doc, "warn", "failure", "soon: it comes soon");
    xmlFreeDoc(doc);
    result_release(&r);
}

static void test_junit_names_folder_requirement_section_and_log(void)
{
    struct result r;
    const xmlNode *c, *p;
    xmlDocPtr doc;
    char *text;

    begin_all(&r);
    doc = read_junit(&r);
    c = testcase_of(doc, "na");
    CHECK_STR(xml_attr(c, NULL, "classname"), "client.b_1");
    CHECK_STR(xml_attr(c, NULL, "time"), "1.234");
    p = xml_child(xml_child(c, NULL, "properties"), NULL, "property");
    CHECK_STR(xml_attr(p, NULL, "name"), "requirement");
    CHECK_STR(xml_attr(p, NULL, "value"), "x124-a");
    p = xml_next(p);
    CHECK_STR(xml_attr(p, NULL, "name"), "section");
    CHECK_STR(xml_attr(p, NULL, "value"), "XEP-0124 14.2");
    text = xml_text(xml_child(c, NULL, "system-out"));
    CHECK_STR(text, "log: out/cases/client/b.1/na.log\n");
    free(text);
    CHECK_STR(xml_attr(testcase_of(doc, "flaky"), NULL, "classname"), "cases");
    xmlFreeDoc(doc);
    result_release(&r);
}

/* ------------------------------------------------------------- Markdown */

static void test_markdown_counts_and_lists_what_went_wrong(void)
{
    struct buf out = BUF_INIT;
    struct result r;

    begin_all(&r);
    markdown_write(&out, &r, "out");
    CHECK(strstr(buf_str(&out),
                 "| pass | fail | warn | na | error | xfail | xpass | flaky |\n"
                 "|--:|--:|--:|--:|--:|--:|--:|--:|\n"
                 "| 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 |\n") != NULL);
    CHECK(strstr(buf_str(&out),
                 "| fail | ` client/a/fail ` | it comes soon | XEP-0124 14.2 "
                 "| ` at most 4000 ` | ` 22010 ` |\n") != NULL);
    CHECK(strstr(buf_str(&out), "| error | ` client/a/error ` | ` no driver ` "
                                "| | | |\n") != NULL);
    CHECK(strstr(buf_str(&out), "<code>client/a/fail</code>") != NULL);
    CHECK(strstr(buf_str(&out), "<code>client/a/xfail</code>") == NULL);
    buf_release(&out);
    result_release(&r);
}

/* Take code spans and blocks away, as CommonMark finds them: what is left is
 * markup. Yours. */
static char *without_code(const char *s)
{
    struct buf out = BUF_INIT;

    while (*s) {
        size_t n = strspn(s, "`"), m = 0;
        const char *end = s + n;

        if (n == 0) {
            buf_addc(&out, *s++);
            continue;
        }
        while (*end && m != n) {
            end += strcspn(end, "`");
            m = strspn(end, "`");
            end += m;
        }
        CHECK_ROW(m == n, "a code span without an end");
        s = end;
    }
    return buf_take(&out);
}

/* ------------------------------------------------------------- hostile */

#define MARK "HOSTILE"

static const char *const hostile[] = {
    MARK "\nnot ok 99 - more\nBail out! " MARK,
    MARK " # SKIP it \\# # TODO",
    "]]> <![CDATA[ " MARK " ]]> </failure> & &lt; \" '",
    "\x01\x02\x1b[2J\x7f " MARK "\b\f\v",
    "latin \xe4\xf6 " MARK " cut \xe2\x82",
    "overlong \xc0\x80 surrogate \xed\xa0\x80 " MARK " \xf4\x90\x80\x80 \xff",
    "\xef\xbf\xbe \xef\xbf\xbf \xef\xbb\xbf \xe2\x80\xa8 \xe2\x80\xae "
    "\xc2\x85 " MARK,
    "  ---\n  got: x\n  ...\n" MARK,
    "``` ` `` " MARK " ````\n```\n# a\n```` | \\| \\\\| |",
    MARK " <script>alert(1)</script> @somebody https://example.org/ ![x](y)",
    MARK "\r\nx\ty\r",
    "\\" MARK "\\",
    "",
};

static void harmless(const char *text, const char *row)
{
    size_t len = strlen(text), i = 0;

    while (i < len) {
        uint32_t c = 0;
        size_t n = shown_char(text + i, len - i, &c);
        bool good = n > 0 && (shown_harmless(c) || c == '\n' || c == '\t');

        CHECK_ROW(good, row);
        if (!good)
            return;
        i += n;
    }
}

static void make_hostile(struct result *r, const char *value)
{
    struct result_case *c;

    begin(r);
    r->peer_name = (free(r->peer_name), mem_dup(value));
    c = add(r, "client/a/fail", "fail", "");
    add_miss(c, "fail", value);
    free(c->asserts[0].exchanges[0].first_line);
    c->asserts[0].exchanges[0].first_line = mem_dup(value);
    result_case_reseal(c);
    add(r, "client/a/error", "error", value);
    add(r, "client/a/na", "na", value);
    add(r, "client/a/xfail", "xfail", value);
}

static void check_tap(const struct result *r, const char *value)
{
    struct buf shown = BUF_INIT;
    struct tap t;

    read_tap(r, &t);
    CHECK_INT(t.count, 4);
    CHECK(!t.bailed_out);
    if (t.count == 4 && *value) {
        shown_text(&shown, value, 4000);
        value_is(&t.points[0], "got", 0, buf_str(&shown));
        buf_clear(&shown);
        shown_line(&shown, value, 4000);
        CHECK_STR(t.points[2].reason, buf_str(&shown));
        CHECK_STR(t.points[2].directive, "SKIP");
    }
    buf_release(&shown);
    tap_release(&t);
}

static void check_junit(const struct result *r, const char *value)
{
    struct buf shown = BUF_INIT;
    xmlDocPtr doc = read_junit(r);

    shown_line(&shown, value, 1000);
    outcome_is(doc, "na", "skipped", *value ? buf_str(&shown) : "A title");
    buf_release(&shown);
    xmlFreeDoc(doc);
}

static void check_markdown(const struct result *r, const char *row)
{
    struct buf out = BUF_INIT;
    char *markup;

    markdown_write(&out, r, "out");
    harmless(buf_str(&out), row);
    markup = without_code(buf_str(&out));
    CHECK_ROW(strstr(markup, MARK) == NULL, row);
    free(markup);
    buf_release(&out);
}

static void check_text_and_json(const struct result *r, const char *row)
{
    static const struct text_style plain = {false, 80};
    struct buf out = BUF_INIT;
    char *json = result_json(r);
    json_t *o = json_loads(json, 0, NULL);

    CHECK_ROW(o != NULL, row);
    json_decref(o);
    free(json);
    text_summary(&out, &plain, r, "out");
    harmless(buf_str(&out), row);
    buf_release(&out);
}

static void test_a_peers_bytes_are_escaped_in_every_format(void)
{
    size_t i;

    for (i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct result r;

        make_hostile(&r, hostile[i]);
        check_tap(&r, hostile[i]);
        check_junit(&r, hostile[i]);
        check_markdown(&r, hostile[i]);
        check_text_and_json(&r, hostile[i]);
        result_release(&r);
    }
}

/* 10 MB of a value: the log has it, a report need not. */
static void test_a_big_value_is_clipped(void)
{
    size_t len = 10 << 20;
    char *big = mem_alloc(len + 1);
    struct buf out = BUF_INIT;
    struct result r;

    memset(big, '`', len);
    make_hostile(&r, big);
    check_tap(&r, big);
    check_junit(&r, big);
    check_markdown(&r, "big");
    tap_write(&out, &r, "out");
    junit_write(&out, &r, "out");
    markdown_write(&out, &r, "out");
    CHECK(out.len < 100000);
    CHECK(strstr(buf_str(&out), "... (10485760 bytes)") != NULL);
    buf_release(&out);
    result_release(&r);
    free(big);
}

static void test_a_summary_stays_below_githubs_limit(void)
{
    struct buf out = BUF_INIT;
    char *got = mem_alloc(601);
    struct result r;
    int i;

    memset(got, 'x', 600);
    begin(&r);
    for (i = 0; i < 2000; i++) {
        char *id = mem_printf("client/a/%d", i);

        add_miss(add(&r, id, "fail", ""), "fail", got);
        free(id);
    }
    markdown_write(&out, &r, "out");
    CHECK(out.len < 1 << 20);
    CHECK(strstr(buf_str(&out), "... and 1800 more cases\n") != NULL);
    buf_release(&out);
    result_release(&r);
    free(got);
}

int suite_reports(void)
{
    CU_pSuite s = CU_add_suite("reports", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_tap_has_a_point_for_each_case) ||
        !CU_ADD_TEST(s, test_tap_says_all_about_a_failure) ||
        !CU_ADD_TEST(s, test_tap_of_a_run_that_did_not_finish_bails_out) ||
        !CU_ADD_TEST(s, test_junit_has_true_failures_and_errors) ||
        !CU_ADD_TEST(s, test_junit_names_folder_requirement_section_and_log) ||
        !CU_ADD_TEST(s, test_markdown_counts_and_lists_what_went_wrong) ||
        !CU_ADD_TEST(s, test_a_peers_bytes_are_escaped_in_every_format) ||
        !CU_ADD_TEST(s, test_a_big_value_is_clipped) ||
        !CU_ADD_TEST(s, test_a_summary_stays_below_githubs_limit))
        return -1;
    return 0;
}
