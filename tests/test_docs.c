/*
 * The worked example of docs/writing-cases.md is a case as it stands: lint
 * finds nothing, and its twins prove it. The driver that docs/drivers.md shows
 * is the one that is built, and what docs/libbosh.md shows is part of programs
 * that test_library.c runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "common/buf.h"
#include "harness/case_xml.h"
#include "harness/selftest.h"
#include "suites.h"
#include "tests/twins/twins.h"

#define PAGE "docs/writing-cases.md"
#define DRIVERS "docs/drivers.md"
#define MINIMAL "client-under-test/drivers/minimal.c"
#define LIBRARY "docs/libbosh.md"
#define EXAMPLES "client-under-test/examples/"
#define FENCE "```"
#define WORKED "docs-worked-example"

static bool read_page(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "r");
    char piece[4096];
    size_t got;

    while (f && (got = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(out, piece, got);
    if (f)
        fclose(f);
    return out->len > 0;
}

/* The page's block that is a whole case. Yours; NULL when there is none. */
static char *worked_example(void)
{
    struct buf page = BUF_INIT;
    char *found = NULL;
    const char *at, *end;

    if (read_page(PAGE, &page)) {
        at = strstr(buf_str(&page), FENCE "xml\n<case ");
        at = at ? strchr(at, '\n') + 1 : NULL;
        end = at ? strstr(at, "\n" FENCE) : NULL;
        found = end ? mem_dupn(at, (size_t)(end - at)) : NULL;
    }
    buf_release(&page);
    return found;
}

static bool write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    bool good = f && fputs(text, f) >= 0;

    if (f && fclose(f) != 0)
        good = false;
    return good;
}

static struct knowledge knowledge;

static void take(void *ctx, const char *finding)
{
    size_t *count = ctx;

    (*count)++;
    CHECK_STR(finding, "");
}

/* Lint and read it through a file, as a person would. */
static struct testcase *read_example(void)
{
    char path[] = "/tmp/boshspec-docs-XXXXXX";
    char *text = worked_example();
    struct testcase *tc = NULL;
    struct err e = {""};
    size_t findings = 0;
    int fd = mkstemp(path);

    CHECK(text && fd >= 0);
    if (text && fd >= 0 && write_file(path, text))
        case_read(&knowledge, path, WORKED, &tc, &e);
    CHECK_STR(e.text, "");
    if (tc)
        case_lint(&knowledge, tc, twin_name, take, &findings);
    CHECK_INT(findings, 0);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    free(text);
    return tc;
}

static void expect(const struct testcase *tc, const char *twin, const char *by)
{
    struct judgement j;
    bool found = false;

    selftest_play(&knowledge, tc, twin, NULL, &j);
    for (size_t i = 0; by && i < j.finding_count; i++)
        found |= strcmp(j.findings[i].id, by) == 0 &&
                 j.findings[i].verdict == VERDICT_FAIL;
    CHECK_ROW(by ? found : j.verdict == VERDICT_PASS,
              twin ? twin : "the good peer");
    judgement_release(&j);
}

static void test_worked_example_is_proven(void)
{
    struct err e = {""};
    struct testcase *tc;

    CHECK_INT(knowledge_load(&knowledge, "cases", &e), 0);
    tc = e.text[0] ? NULL : read_example();
    CHECK(tc != NULL);
    if (tc) {
        CHECK(tc->caught_count > 0 && tc->spares_count > 0);
        expect(tc, NULL, NULL);
        for (size_t i = 0; i < tc->caught_count; i++)
            expect(tc, tc->caught[i].twin, tc->caught[i].by);
        for (size_t i = 0; i < tc->spares_count; i++)
            expect(tc, tc->spares[i].twin, NULL);
    }
    testcase_free(tc);
    knowledge_release(&knowledge);
}

static void test_the_driver_shown_is_the_driver_built(void)
{
    struct buf page = BUF_INIT, built = BUF_INIT;

    CHECK(read_page(DRIVERS, &page) && read_page(MINIMAL, &built));
    CHECK(strstr(buf_str(&page), buf_str(&built)) != NULL);
    buf_release(&page);
    buf_release(&built);
}

static const char *const EXAMPLE[] = {EXAMPLES "first.c", EXAMPLES "echo.c",
                                      EXAMPLES "talk.c"};
#define EXAMPLE_COUNT (sizeof EXAMPLE / sizeof EXAMPLE[0])

/* The next block of C, and *at behind it. Yours; NULL: there is none. */
static char *next_block(const char **at)
{
    const char *start = strstr(*at, FENCE "c\n");
    const char *end = start ? strstr(start, "\n" FENCE "\n") : NULL;

    if (!end)
        return NULL;
    *at = end + 1 + strlen(FENCE);
    start += strlen(FENCE "c\n");
    return mem_dupn(start, (size_t)(end + 1 - start));
}

static bool is_of_an_example(const char *block, const struct buf *examples)
{
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        if (strstr(buf_str(&examples[i]), block))
            return true;
    }
    return false;
}

static void test_what_the_library_s_page_shows_is_run(void)
{
    struct buf page = BUF_INIT, examples[EXAMPLE_COUNT] = {{0}};
    const char *at;
    char *block;
    int count = 0;

    CHECK(read_page(LIBRARY, &page));
    for (size_t i = 0; i < EXAMPLE_COUNT; i++)
        CHECK_ROW(read_page(EXAMPLE[i], &examples[i]), EXAMPLE[i]);
    CHECK(strstr(buf_str(&page), buf_str(&examples[0])) != NULL);
    CHECK(strstr(buf_str(&page), buf_str(&examples[1])) != NULL);
    at = buf_str(&page);
    while ((block = next_block(&at)) != NULL) {
        CHECK_ROW(is_of_an_example(block, examples), block);
        free(block);
        count++;
    }
    CHECK(count >= 5);
    for (size_t i = 0; i < EXAMPLE_COUNT; i++)
        buf_release(&examples[i]);
    buf_release(&page);
}

int suite_docs(void)
{
    CU_pSuite s = CU_add_suite("docs", NULL, NULL);

    return s && CU_ADD_TEST(s, test_worked_example_is_proven) &&
                   CU_ADD_TEST(s, test_the_driver_shown_is_the_driver_built) &&
                   CU_ADD_TEST(s, test_what_the_library_s_page_shows_is_run)
               ? 0
               : -1;
}
