/* The result as plain text: what a person must find in it. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "common/buf.h"
#include "reports/text.h"

int suite_text(void);

static const struct text_style plain = {false, 80};

static void fill(struct result *r, const char *got)
{
    struct result_case c = {.rev = 1, .duration_ms = 2050, .attempts = 1};
    struct result_assert *a = result_case_assert(&c);
    struct result_exchange *x = result_assert_exchange(a);

    result_init(r);
    r->finished = true;
    r->role = mem_dup("client");
    r->wall_ms = 41234;
    r->slowest_ms = 40100;
    r->slowest = mem_dup("client/timeouts/secondary");
    result_add_requirement(r, "x124-soon", "XEP-0124 14.3 Broken Connections",
                           "MUST",
                           "A request whose answer got lost is sent again, and "
                           "that without undue delay.");
    c.id = mem_dup("client/timeouts/secondary");
    c.title = mem_dup("A lost answer is fetched again");
    c.verdict = mem_dup("fail");
    c.reason = mem_dup("");
    c.log = mem_dup("cases/client/timeouts/secondary.log");
    a->id = mem_dup("soon");
    a->requirement = mem_dup("x124-soon");
    a->verdict = mem_dup("fail");
    a->says = mem_dup("that happens soon");
    a->expected = mem_dup("at most 4000");
    a->got = mem_dup(got);
    x->n = 7;
    x->t_ms = 12345;
    x->kind = mem_dup("poll");
    x->rid = mem_dup("42");
    x->first_line = mem_dup("POST /http-bind");
    result_add(r, &c);
}

static size_t widest(const char *text)
{
    size_t most = 0, n = 0;

    for (; *text; text++) {
        n = *text == '\n' ? 0 : n + (((unsigned char)*text & 0xc0) != 0x80);
        most = n > most ? n : most;
    }
    return most;
}

static void test_a_failure_says_all_that_is_needed(void)
{
    static const char want[] =
        "FAIL  client/timeouts/secondary\n"
        "      A lost answer is fetched again\n"
        "  FAIL  soon: that happens soon\n"
        "    rule      x124-soon, XEP-0124 14.3 Broken Connections, MUST\n"
        "              A request whose answer got lost is sent again, and that "
        "without\n"
        "              undue delay.\n"
        "    expected  at most 4000\n"
        "    got       22010\n"
        "    exchange  7 at 12.345 s: poll rid=42, POST /http-bind -> no "
        "answer\n"
        "    log       out/cases/client/timeouts/secondary.log\n"
        "\n";
    struct buf out = BUF_INIT;
    struct result r;

    fill(&r, "22010");
    text_why(&out, &plain, &r, &r.cases[0], "out");
    CHECK_STR(buf_str(&out), want);
    buf_release(&out);
    result_release(&r);
}

static void test_the_summary_counts_and_times(void)
{
    struct buf out = BUF_INIT;
    struct result r;

    fill(&r, "22010");
    text_summary(&out, &plain, &r, "out");
    CHECK(strstr(buf_str(&out), "\n0 pass, 1 fail\n") != NULL);
    CHECK(strstr(buf_str(&out),
                 "\nclient suite: 1 case in 41.2 s\n"
                 "slowest: client/timeouts/secondary 40.1 s\n") != NULL);
    buf_clear(&out);
    r.wall_ms = 0; /* judged once more */
    text_summary(&out, &plain, &r, "out");
    CHECK(strstr(buf_str(&out), "\nclient suite: 1 case\n") != NULL);
    buf_release(&out);
    result_release(&r);
}

static void add_case(struct result *r, const char *verdict, const char *reason)
{
    struct result_case c = {.rev = 1, .attempts = 1};

    c.id = mem_printf("client/%zu", r->case_count);
    c.verdict = mem_dup(verdict);
    c.reason = mem_dup(reason);
    c.log = mem_printf("cases/%s.log", c.id);
    result_add(r, &c);
}

static void test_what_all_cases_suffer_from_is_said_once(void)
{
    static const char want[] = "\nERROR 2 cases, all alike\n"
                               "    because   no driver\n"
                               "    first log out/cases/client/1.log\n"
                               "\n0 pass, 0 fail, 1 na, 2 error\n";
    struct buf out = BUF_INIT;
    struct result r;

    result_init(&r);
    r.finished = true;
    add_case(&r, "na", "no such verb");
    add_case(&r, "error", "no driver");
    add_case(&r, "error", "no driver");
    text_summary(&out, &plain, &r, "out");
    CHECK(strncmp(buf_str(&out), want, strlen(want)) == 0);
    buf_clear(&out);
    add_case(&r, "error", "another");
    text_summary(&out, &plain, &r, "out");
    CHECK(strstr(buf_str(&out), "all alike") == NULL);
    CHECK(strstr(buf_str(&out), "ERROR client/3\n") != NULL);
    buf_clear(&out);
    add_case(&r, "error", "no driver");
    text_summary(&out, &plain, &r, "out");
    CHECK(strstr(buf_str(&out), "ERROR 3 cases, all alike\n") != NULL);
    CHECK(strstr(buf_str(&out), "ERROR client/3\n") != NULL);
    buf_release(&out);
    result_release(&r);
}

static void test_an_assert_that_is_na_says_why(void)
{
    struct result_case c = {.rev = 1};
    struct result_assert *a = result_case_assert(&c);
    struct buf out = BUF_INIT;

    a->id = mem_dup("order");
    a->says = mem_dup("stanzas come in order");
    a->verdict = mem_dup("na");
    a->reason = mem_dup("the driver reports no stanzas");
    text_asserts(&out, &plain, &c);
    CHECK_STR(buf_str(&out), "      NA    order: stanzas come in order\n"
                             "            the driver reports no stanzas\n");
    buf_release(&out);
    result_case_release(&c);
}

static void test_lines_stay_within_eighty_columns(void)
{
    struct buf out = BUF_INIT, got = BUF_INIT;
    struct result r;
    int i;

    for (i = 0; i < 90; i++)
        buf_adds(&got, i % 3 ? "w\xc3\xb6rter " : "einlangeswortohnepause");
    fill(&r, buf_str(&got));
    text_summary(&out, &plain, &r, "out");
    text_case(&out, &plain, &r.cases[0]);
    CHECK(widest(buf_str(&out)) <= 80);
    buf_release(&out);
    buf_release(&got);
    result_release(&r);
}

static void test_a_peers_control_characters_do_nothing(void)
{
    struct buf out = BUF_INIT;
    struct result r;

    fill(&r, "a\033[2Jb\rc\x7f\xc2\x9b"
             "d");
    text_why(&out, &plain, &r, &r.cases[0], "out");
    CHECK(strstr(buf_str(&out), "a\\x1b[2Jb\\x0dc\\x7f\\x9bd") != NULL);
    buf_release(&out);
    result_release(&r);
}

static void test_colour_is_only_where_it_is_wanted(void)
{
    static const struct text_style color = {true, 80};
    struct buf out = BUF_INIT;
    struct result r;

    fill(&r, "1");
    text_case(&out, &plain, &r.cases[0]);
    CHECK(strchr(buf_str(&out), '\033') == NULL);
    text_case(&out, &color, &r.cases[0]);
    CHECK(strstr(buf_str(&out), "\033[31mFAIL \033[0m") != NULL);
    buf_release(&out);
    result_release(&r);
}

static void test_a_reason_stands_below_its_case(void)
{
    struct result_case c = {.duration_ms = 90};
    struct buf out = BUF_INIT;

    c.id = mem_dup("client/x");
    c.verdict = mem_dup("na");
    c.reason = mem_dup("the driver has no verb 'pause'");
    text_case(&out, &plain, &c);
    CHECK(strstr(buf_str(&out), "0.0 s\n      the driver has no verb "
                                "'pause'\n") != NULL);
    CHECK(strncmp(buf_str(&out), "NA    client/x ", 15) == 0);
    buf_release(&out);
    result_case_release(&c);
}

static void test_progress_fits_in_one_line(void)
{
    struct buf out = BUF_INIT;
    struct text_style narrow = {false, 40};

    text_progress(&out, &plain, 12, 40, 9, 13400);
    CHECK_STR(buf_str(&out), "12 of 40 done, 9 running, at most 14 s left");
    buf_clear(&out);
    text_progress(&out, &narrow, 12, 40, 9, 13400);
    CHECK(out.len < 40 && !strchr(buf_str(&out), '\n'));
    buf_release(&out);
}

int suite_text(void)
{
    CU_pSuite s = CU_add_suite("text", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_a_failure_says_all_that_is_needed) ||
        !CU_ADD_TEST(s, test_the_summary_counts_and_times) ||
        !CU_ADD_TEST(s, test_what_all_cases_suffer_from_is_said_once) ||
        !CU_ADD_TEST(s, test_an_assert_that_is_na_says_why) ||
        !CU_ADD_TEST(s, test_lines_stay_within_eighty_columns) ||
        !CU_ADD_TEST(s, test_a_peers_control_characters_do_nothing) ||
        !CU_ADD_TEST(s, test_colour_is_only_where_it_is_wanted) ||
        !CU_ADD_TEST(s, test_a_reason_stands_below_its_case) ||
        !CU_ADD_TEST(s, test_progress_fits_in_one_line))
        return -1;
    return 0;
}
