/* What judges each requirement, and docs/coverage.md, which says so. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "harness/coverage.h"
#include "harness/select.h"
#include "suites.h"

#define PAGE "docs/coverage.md"

static struct knowledge knowledge;
static struct selection all;
static struct coverage coverage;

static int open_coverage(void)
{
    struct select_options o = {.any_role = true};
    const char *const dirs[] = {"cases"};
    struct err e = {""};

    o.dirs = dirs;
    o.dir_count = 1;
    if (knowledge_load(&knowledge, "cases", &e) < 0 ||
        select_cases(&knowledge, &o, &all, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    coverage_make(&knowledge, all.cases, all.count, &coverage);
    return 0;
}

static int close_coverage(void)
{
    coverage_release(&coverage);
    selection_release(&all);
    knowledge_release(&knowledge);
    return 0;
}

static const struct coverage_row *row_of(const char *id)
{
    size_t i;

    for (i = 0; i < coverage.count; i++)
        if (strcmp(coverage.rows[i].row->id, id) == 0)
            return &coverage.rows[i];
    return NULL;
}

static bool has(const char *const *ids, size_t count, const char *id)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

static void test_a_row_names_its_judges(void)
{
    const struct coverage_row *r = row_of("x124-client-process-order");

    CHECK(r && has(r->cases, r->case_count, "client/order/swapped-responses"));
    r = row_of("x124-rid-increment");
    CHECK(r && has(r->invariants, r->invariant_count, "rid-plus-one"));
    CHECK(r && coverage_state(r) == COVERAGE_JUDGED);
    CHECK(r && coverage_binds(r, ROLE_CLIENT) &&
          !coverage_binds(r, ROLE_SERVER));
}

static void test_a_row_that_nothing_can_judge_says_why(void)
{
    const struct coverage_row *r = row_of("x124-key-n-seed-unpredictable");

    CHECK(r && coverage_state(r) == COVERAGE_UNJUDGED);
    CHECK(r && r->row->unjudged && r->row->unjudged[0]);
}

static void say(void *ctx, const char *finding)
{
    (void)ctx;
    CHECK_STR(finding, "");
}

static void test_no_reason_is_out_of_date(void)
{
    CHECK_INT(coverage_lint(&coverage, say, NULL), 0);
}

static void keep(void *ctx, const char *finding)
{
    buf_adds(ctx, finding);
}

static void test_a_reason_beside_a_judge_is_a_finding(void)
{
    struct requirement row = {.id = (char *)(uintptr_t) "x",
                              .unjudged = (char *)(uintptr_t) "because"};
    const char *id = "client/a";
    struct coverage_row r = {.row = &row, .cases = &id, .case_count = 1};
    const struct coverage c = {.rows = &r, .count = 1};
    struct buf said = BUF_INIT;

    CHECK_INT(coverage_lint(&c, keep, &said), 1);
    CHECK(strstr(buf_str(&said), "client/a") != NULL);
    buf_release(&said);
}

/* `make coverage` writes it. */
static void test_the_page_is_up_to_date(void)
{
    struct buf want = BUF_INIT, got = BUF_INIT;
    FILE *f = fopen(PAGE, "r");
    char piece[4096];
    size_t n;

    while (f && (n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&got, piece, n);
    if (f)
        fclose(f);
    coverage_markdown(&coverage, &want);
    CHECK(strcmp(buf_str(&got), buf_str(&want)) == 0);
    buf_release(&got);
    buf_release(&want);
}

int suite_coverage(void)
{
    CU_pSuite s = CU_add_suite("coverage", open_coverage, close_coverage);

    return s && CU_ADD_TEST(s, test_a_row_names_its_judges) &&
                   CU_ADD_TEST(s, test_a_row_that_nothing_can_judge_says_why) &&
                   CU_ADD_TEST(s, test_no_reason_is_out_of_date) &&
                   CU_ADD_TEST(s, test_a_reason_beside_a_judge_is_a_finding) &&
                   CU_ADD_TEST(s, test_the_page_is_up_to_date)
               ? 0
               : -1;
}
