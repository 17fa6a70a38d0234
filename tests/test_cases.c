/*
 * Every bundled case as a CUnit test, played in virtual time: the good peer
 * passes, each twin is caught by the assert that is named, each peer in the
 * right is spared.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "common/buf.h"
#include "harness/select.h"
#include "harness/selftest.h"
#include "suites.h"

static struct knowledge knowledge;
static struct selection selection;

static const struct testcase *find(const char *id)
{
    for (size_t i = 0; i < selection.count; i++) {
        if (strcmp(selection.cases[i]->id, id) == 0)
            return selection.cases[i];
    }
    return NULL;
}

static void expect(const struct testcase *tc, const char *twin, const char *by)
{
    struct judgement j;
    char *row =
        mem_printf("%s against %s", tc->id, twin ? twin : "the good peer");
    bool found = false;

    selftest_play(&knowledge, tc, twin, NULL, &j);
    for (size_t i = 0; by && i < j.finding_count; i++) {
        found |= strcmp(j.findings[i].id, by) == 0 &&
                 (j.findings[i].verdict == VERDICT_FAIL ||
                  j.findings[i].verdict == VERDICT_WARN);
    }
    CHECK_ROW(by ? found : j.verdict == VERDICT_PASS, row);
    judgement_release(&j);
    free(row);
}

static void test_case_is_proven(void)
{
    const struct testcase *tc = find(CU_get_current_test()->pName);

    CHECK(tc != NULL);
    if (!tc)
        return;
    expect(tc, NULL, NULL);
    for (size_t i = 0; i < tc->caught_count; i++)
        expect(tc, tc->caught[i].twin, tc->caught[i].by);
    for (size_t i = 0; i < tc->spares_count; i++)
        expect(tc, tc->spares[i].twin, NULL);
}

static void test_there_are_cases(void)
{
    CHECK(selection.count >= 12);
}

static int forget(void)
{
    selection_release(&selection);
    knowledge_release(&knowledge);
    return 0;
}

int suite_cases(void)
{
    struct select_options wanted = {.any_role = true};
    CU_pSuite s = CU_add_suite("cases", NULL, forget);
    struct err e = {""};

    if (!s || knowledge_load(&knowledge, "cases", &e) < 0 ||
        select_cases(&knowledge, &wanted, &selection, &e) < 0) {
        fprintf(stderr, "cases: %s\n", e.text);
        return -1;
    }
    if (!CU_ADD_TEST(s, test_there_are_cases))
        return -1;
    for (size_t i = 0; i < selection.count; i++) {
        if (!selection.cases[i]->sockets_only[0] &&
            !CU_add_test(s, selection.cases[i]->id, test_case_is_proven))
            return -1;
    }
    return 0;
}
