/* Several plays of a case: which verdict they make together. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "common/buf.h"
#include "harness/run_parts.h"

int suite_rounds(void);

static const char *word(char letter)
{
    return letter == 'p'   ? "pass"
           : letter == 'f' ? "fail"
           : letter == 'w' ? "warn"
           : letter == 'n' ? "na"
           : letter == 'x' ? "xfail"
           : letter == 'X' ? "xpass"
                           : "error";
}

/* A round with a reason that names it, and a log. */
static void set(struct result_case *c, char letter, size_t round)
{
    memset(c, 0, sizeof *c);
    c->id = mem_dup("client/a");
    c->verdict = mem_dup(word(letter));
    c->reason = mem_printf("why %zu", round);
    c->log = mem_printf("cases/client/a.%zu.log", round);
    c->duration_ms = (int64_t)round;
}

static const struct {
    const char *rounds;
    const char *verdict, *reason;
    size_t shown; /* the round whose asserts and log are kept */
} rows[] = {
    {"ppp", "pass", "why 1", 1},
    {"pfp", "flaky", "2 pass, 1 fail: pass fail pass", 2},
    {"fpf", "flaky", "1 pass, 2 fail: fail pass fail", 1},
    {"wpp", "flaky", "2 pass, 1 warn: warn pass pass", 1},
    {"wwf", "flaky", "1 fail, 2 warn: warn warn fail", 3},
    {"xpx", "flaky", "1 pass, 2 xfail: xfail pass xfail", 1},
    {"xXx", "flaky", "2 xfail, 1 xpass: xfail xpass xfail", 2},
    {"fff", "fail", "why 1", 1},
    {"ffe", "error", "round 3 of 3: why 3", 1},
    {"pep", "error", "round 2 of 3: why 2", 2},
    {"pfe", "flaky", "1 pass, 1 fail, 1 error: pass fail error", 2},
    {"pnp", "pass", "why 1", 1},
    {"nnn", "na", "why 1", 1},
    {"nep", "error", "round 2 of 3: why 2", 2},
};

static void test_verdicts_that_differ_make_it_flaky(void)
{
    size_t i, j;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run_options o = {.repeat = 3};
        struct run run = {.options = &o};
        struct item it = {.run = &run};
        char *log = mem_printf("cases/client/a.%zu.log", rows[i].shown);
        const char *row = rows[i].rounds;

        for (j = 0; j < 3; j++) {
            set(&it.verdict, row[j], j + 1);
            CHECK_ROW(rounds_add(&it) == (j == 2), row);
        }
        CHECK_ROW(strcmp(it.verdict.verdict, rows[i].verdict) == 0, row);
        CHECK_ROW(strcmp(it.verdict.reason, rows[i].reason) == 0, row);
        CHECK_ROW(strcmp(it.verdict.log, log) == 0, row);
        CHECK_INT(it.verdict.round_count, 3);
        for (j = 0; j < it.verdict.round_count; j++) {
            CHECK_ROW(strcmp(it.verdict.rounds[j].verdict, word(row[j])) == 0,
                      row);
            CHECK_INT(it.verdict.rounds[j].duration_ms, j + 1);
        }
        result_case_release(&it.verdict);
        result_case_release(&it.worst);
        free(log);
    }
}

static void test_a_run_that_is_stopped_judges_by_the_rounds_it_has(void)
{
    struct run_options o = {.repeat = 9};
    struct run run = {.options = &o};
    struct item it = {.run = &run};

    set(&it.verdict, 'p', 1);
    CHECK(!rounds_add(&it));
    run.stopping = true;
    set(&it.verdict, 'f', 2);
    CHECK(rounds_add(&it));
    CHECK_STR(it.verdict.verdict, "flaky");
    CHECK_INT(it.verdict.round_count, 2);
    result_case_release(&it.verdict);
}

static void test_one_play_is_no_round(void)
{
    struct run_options o = {.repeat = 1};
    struct run run = {.options = &o};
    struct item it = {.run = &run};

    set(&it.verdict, 'e', 1);
    CHECK(rounds_add(&it));
    CHECK_STR(it.verdict.reason, "why 1");
    CHECK_INT(it.verdict.round_count, 0);
    result_case_release(&it.verdict);
}

int suite_rounds(void)
{
    CU_pSuite s = CU_add_suite("rounds", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_verdicts_that_differ_make_it_flaky) ||
        !CU_ADD_TEST(s,
                     test_a_run_that_is_stopped_judges_by_the_rounds_it_has) ||
        !CU_ADD_TEST(s, test_one_play_is_no_round))
        return -1;
    return 0;
}
