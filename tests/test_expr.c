/* Expressions: what parses, what is refused and how it is said, values. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "journal_maker.h"
#include "suites.h"

static void test_values_are_printed_exactly(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"1 + 1", "2"},
        {"0.1 + 0.2", "0.3"},
        {"2147483647 + 1", "2147483648"},
        {"9007199254740990 + 1", "9007199254740991"},
        {"-1", "-1"},
        {"0 * -1", "0"},
        {"1 div 0", "Infinity"},
        {"number('x')", "NaN"},
        {"'a b'", "a b"},
        {"1 = 1", "true"},
        {"bs:int(9007199254740991)", "9007199254740991"},
        {"bs:int(7.9)", "7"},
        {"bs:min(3, 1, 2)", "1"},
        {"bs:max(3, 1, '20')", "20"},
        {"bs:max(3, 'x')", "NaN"},
        {"bs:max(3, $nothing)", "NaN"},
        {"bs:join($nothing, ' ')", ""},
        {"bs:sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"bs:rid-cmp('99', '100')", "-1"},
        {"bs:rid-cmp('0100', '100')", "0"},
        {"bs:rid-cmp('90071992547409920', '90071992547409919')", "1"},
        {"count($nothing)", "0"},
        {"count($x)", "1"},
        {"bs:join($x/@rid | $x/req/b:body/@to, '+')", "100+localhost"},
        {"bs:max($x/@rid | $x/@n)", "100"},
        {"name($journal)", "journal"},
    };
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = maker_eval(&m, rows[i].text);

        CHECK_STR(got, rows[i].want);
    }
    maker_release(&m);
}

/* A union is in document order, whatever the order of its parts. */
static void test_join_keeps_document_order(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    maker_request(&m, 1, 2, 1,
                  "<body xmlns='http://jabber.org/protocol/"
                  "httpbind' sid='abc' rid='101'/>");
    MAKER_STR(&m, "bs:join($x[2]/@rid | $x[1]/@rid, ' ')", "100 101");
    MAKER_STR(&m, "bs:join($x[2]/req/@method | $x[1]/res/@status, ' ')",
              "200 POST");
    maker_release(&m);
}

/* A counter in whatever it is wrapped, and hexadecimal digits of chance. */
static void test_spread_counts_places_that_differ(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    MAKER_STR(&m, "bs:spread($nothing)", "0");
    MAKER_STR(&m, "bs:spread($x/req/@method)", "0");
    for (unsigned i = 0; i < 4; i++) {
        char body[120];

        snprintf(body, sizeof body,
                 "<body xmlns='http://jabber.org/protocol/httpbind' sid='abc'"
                 " rid='%u' to='a-%u-%x-z'/>",
                 101 + i, i, 7 * i);
        maker_request(&m, 1 + i, 2 + i, 1 + i, body);
    }
    MAKER_STR(&m, "bs:spread($x[2]/req/b:body/@to)", "0");
    MAKER_STR(&m, "bs:spread($x[2]/req/b:body/@to | $x[3]/req/b:body/@to)",
              "2");
    maker_release(&m);
}

static void test_bad_expressions_are_refused(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"1 +", "test:7: expression '1 +' does not parse"},
        {"$x[", "does not parse"},
        {"q:body", "prefix 'q' in 'q:body' is not known"},
        {"$x/q:*", "prefix 'q'"},
        {"conut($x)", "function 'conut' in 'conut($x)' is not known"},
        {"bs:sum($x)", "function 'bs:sum'"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {""};

        CHECK_ROW(!expr_new(rows[i].text, "test", 7, &e), rows[i].text);
        CHECK_ROW(strstr(e.text, rows[i].says) != NULL, e.text);
    }
}

static void test_good_expressions_are_accepted(void)
{
    static const char *const rows[] = {
        "child::x[position() = last()]/@*",
        "$a and ($b or $c) and not($d)",
        "2 * (3) div 4 mod 5",
        "* * *",
        "'a:b(' = \"q:c(\"",
        "//b:*[self::node()]/text()",
        "$first[@rid = $it/@rid]/res/@body-id",
        "@xml:lang",
        "..//.",
        "processing-instruction('x') | comment()",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {""};
        struct expr *ex = expr_new(rows[i], "test", 1, &e);

        CHECK_ROW(ex != NULL, rows[i]);
        CHECK_STR(e.text, "");
        expr_free(ex);
    }
}

static void test_variables_are_listed_once(void)
{
    struct err e = {""};
    struct expr *ex =
        expr_new("$N/@rid + $s/@rid > $N_2 and '$no'", "test", 1, &e);
    const char *const *names = expr_variables(ex);

    CHECK_STR(names[0], "N");
    CHECK_STR(names[1], "s");
    CHECK_STR(names[2], "N_2");
    CHECK(names[3] == NULL);
    expr_free(ex);
    ex = expr_new("1", "test", 1, &e);
    CHECK(expr_variables(ex)[0] == NULL);
    expr_free(ex);
}

static void test_evaluation_errors_are_said(void)
{
    struct err e = {""};
    struct expr *ex = expr_new("count('x')", "file.xml", 12, &e);
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    CHECK(expr_eval(ex, m.journal, NULL, &e) == NULL);
    CHECK_STR(e.text, "file.xml:12: expression 'count('x')': a value has the "
                      "wrong type");
    expr_free(ex);
    maker_release(&m);
}

static void test_the_context_is_what_a_match_sees(void)
{
    struct err e = {""};
    struct expr *ex = expr_new("@kind = 'create'", "test", 1, &e);
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    CHECK(expr_true(ex, m.journal, journal_x(m.journal, 1), &e));
    CHECK(!expr_true(ex, m.journal, NULL, &e));
    expr_free(ex);
    ex = expr_new("@nope", "test", 1, &e);
    CHECK(isnan(expr_number(ex, m.journal, NULL, &e)));
    CHECK_STR(e.text, "");
    expr_free(ex);
    maker_release(&m);
}

static void test_a_person_reads_values(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"$nothing", "nothing"},
        {"number($nothing)", "nothing"},
        {"$x", "exchange 1"},
        {"$x/@rid | $x/@n", "1 100"},
        {"$x/res/b:body/@wait = 60", "true"},
        {"1000000000000", "1000000000000"},
        {"$x/req/header[1]", "<header name=\"Host\" value=\"localhost\"/>"},
    };
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {""};
        struct expr *ex = expr_new(rows[i].text, "test", 1, &e);
        xmlXPathObjectPtr value = expr_eval(ex, m.journal, NULL, &e);
        struct buf out = BUF_INIT;

        value_print(&out, value);
        CHECK_STR(buf_str(&out), rows[i].want);
        buf_release(&out);
        xmlXPathFreeObject(value);
        expr_free(ex);
    }
    maker_release(&m);
}

static void test_text_with_expressions(void)
{
    static const struct {
        const char *text, *want, *says;
    } rows[] = {
        {"plain", "plain", ""},
        {"", "", ""},
        {"rid {$x/@rid + 1}!", "rid 101!", ""},
        {"{{literal}}", "{literal}", ""},
        {"{'}'}{\"{\"}", "}{", ""},
        {"{$x/@nope}", "", ""},
        {"{$x/@nope + 1}", NULL, "'{$x/@nope + 1}' gives no number"},
    };
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {""};
        struct avt *a = avt_new(rows[i].text, "test", 3, &e);
        char *got = avt_eval(a, m.journal, &e);

        CHECK_STR(got, rows[i].want);
        CHECK_ROW(strstr(e.text, rows[i].says) != NULL, rows[i].text);
        free(got);
        avt_free(a);
    }
    maker_release(&m);
}

static void test_bad_text_is_refused(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"{$x", "test:3: '{$x' has no closing brace"},
        {"a } b", "has a lone '}'"},
        {"{}", "does not parse"},
        {"{$x[}", "does not parse"},
        {"{'a}", "has no closing brace"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {""};

        CHECK_ROW(!avt_new(rows[i].text, "test", 3, &e), rows[i].text);
        CHECK_ROW(strstr(e.text, rows[i].says) != NULL, e.text);
    }
}

static void test_expressions_in_text_are_listed(void)
{
    struct err e = {""};
    struct avt *a = avt_new("a{1}b{2}", "test", 1, &e);

    CHECK_INT(avt_count(a), 2);
    CHECK_STR(expr_text(avt_expr(a, 1)), "2");
    CHECK(avt_expr(a, 2) == NULL);
    avt_free(a);
    CHECK(avt_eval(NULL, NULL, &e) == NULL);
    CHECK_STR(e.text, "");
}

int suite_expr(void)
{
    CU_pSuite suite = CU_add_suite("expr", NULL, NULL);

    if (!suite)
        return -1;
    CU_add_test(suite, "values are printed exactly",
                test_values_are_printed_exactly);
    CU_add_test(suite, "join keeps document order",
                test_join_keeps_document_order);
    CU_add_test(suite, "spread counts places that differ",
                test_spread_counts_places_that_differ);
    CU_add_test(suite, "bad expressions are refused",
                test_bad_expressions_are_refused);
    CU_add_test(suite, "good expressions are accepted",
                test_good_expressions_are_accepted);
    CU_add_test(suite, "variables are listed once",
                test_variables_are_listed_once);
    CU_add_test(suite, "evaluation errors are said",
                test_evaluation_errors_are_said);
    CU_add_test(suite, "the context is what a match sees",
                test_the_context_is_what_a_match_sees);
    CU_add_test(suite, "a person reads values", test_a_person_reads_values);
    CU_add_test(suite, "text with expressions", test_text_with_expressions);
    CU_add_test(suite, "bad text is refused", test_bad_text_is_refused);
    CU_add_test(suite, "expressions in text are listed",
                test_expressions_in_text_are_listed);
    return 0;
}
