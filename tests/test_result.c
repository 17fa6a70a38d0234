/* The result document: what goes in comes back, and counts are right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "check.h"
#include "common/buf.h"
#include "harness/outcome.h"
#include "reports/merge.h"
#include "reports/result.h"

int suite_result(void);

static void add(struct result *r, const char *id, const char *verdict,
                const char *reason)
{
    struct result_case c = {.rev = 2, .duration_ms = 1234, .attempts = 1};

    c.id = mem_dup(id);
    c.title = mem_dup("A title");
    c.verdict = mem_dup(verdict);
    c.reason = mem_dup(reason);
    c.log = mem_printf("cases/%s.log", id);
    result_add(r, &c);
}

/* A case with all that one can have. */
static void add_full(struct result *r)
{
    struct result_case c = {
        .rev = 3, .duration_ms = 40100, .attempts = 2, .lagged = true};
    struct result_assert *a = result_case_assert(&c);
    struct result_exchange *x = result_assert_exchange(a);

    c.id = mem_dup("client/a/full");
    c.title = mem_dup("Umlauts: \xc3\xa4\xc3\xb6\xc3\xbc");
    c.verdict = mem_dup("fail");
    c.reason = mem_dup("");
    c.log = mem_dup("cases/client/a/full.log");
    c.requirements = mem_alloc(sizeof(char *));
    c.requirements[0] = mem_dup("x124-a");
    c.requirement_count = 1;
    a->id = mem_dup("soon");
    a->requirement = mem_dup("x124-a");
    a->verdict = mem_dup("fail");
    a->says = mem_dup("it comes soon");
    a->expected = mem_dup("at most 4000");
    a->got = mem_dup("22010\nand \"more\"");
    a->line = 31;
    x->n = 7;
    x->t_ms = 12345;
    x->kind = mem_dup("poll");
    x->rid = mem_dup("9007199254740991");
    x->first_line = mem_dup("POST /http-bind");
    x->answer = mem_dup("200 OK");
    result_add(r, &c);
}

static void begin(struct result *r)
{
    result_init(r);
    r->version = mem_dup("0.1.0");
    r->suite_hash = mem_dup("abc");
    r->started = mem_dup("2026-01-02T03:04:05Z");
    r->role = mem_dup("client");
    r->peer_name = mem_dup("toy");
    r->peer_version = mem_dup("7");
    r->peer_command = mem_dup("node toy.js");
    r->options.seed = 42;
    r->options.min = 1;
    r->options.timeout_factor = 1.5;
    r->selected = 3;
    r->finished = true;
    r->wall_ms = 41200;
    r->slowest_ms = 40100;
    r->slowest = mem_dup("client/a/full");
    result_add_requirement(r, "x124-a", "XEP-0124 14.2", "MUST", "Words.");
    result_add_requirement(r, "x124-a", "twice", "twice", "twice");
}

static char *temp_dir(void)
{
    char *dir = mem_dup("/tmp/boshspec-test-XXXXXX");

    CHECK(mkdtemp(dir) != NULL);
    return dir;
}

static void test_what_is_saved_comes_back(void)
{
    char *dir = temp_dir(), *path = mem_printf("%s/result.json", dir);
    struct result r, back;
    struct err e = {""};
    char *first, *second;

    begin(&r);
    add_full(&r);
    add(&r, "client/b", "pass", "");
    CHECK_INT(result_save(&r, path, &e), 0);
    CHECK_INT(result_load(path, &back, &e), 0);
    CHECK_STR(e.text, "");
    first = result_json(&r);
    second = result_json(&back);
    CHECK_STR(second, first);
    CHECK_STR(back.cases[0].asserts[0].exchanges[0].rid, "9007199254740991");
    CHECK_STR(back.requirements[0].section, "XEP-0124 14.2");
    CHECK_INT(back.requirement_count, 1);
    free(first);
    free(second);
    result_release(&r);
    result_release(&back);
    unlink(path);
    rmdir(dir);
    free(path);
    free(dir);
}

static void test_a_document_of_no_cases_is_whole(void)
{
    struct result r;
    char *text;
    json_t *o;

    begin(&r);
    text = result_json(&r);
    o = json_loads(text, 0, NULL);
    CHECK(o != NULL);
    CHECK_INT(json_array_size(json_object_get(o, "cases")), 0);
    CHECK_INT(json_integer_value(
                  json_object_get(json_object_get(o, "summary"), "total")),
              0);
    json_decref(o);
    free(text);
    result_release(&r);
}

static void test_bytes_that_are_no_text_are_shown(void)
{
    struct result r;
    char *text;
    json_t *o;

    begin(&r);
    add(&r, "client/x", "error", "latin \xe4 here");
    text = result_json(&r);
    o = json_loads(text, 0, NULL);
    CHECK(o != NULL);
    CHECK(strstr(text, "latin \\\\xe4 here") != NULL);
    json_decref(o);
    free(text);
    result_release(&r);
}

static void test_a_save_that_fails_leaves_the_old_one(void)
{
    struct result r;
    struct err e = {""};

    begin(&r);
    CHECK_INT(result_save(&r, "/nonexistent/dir/result.json", &e), -1);
    CHECK(strncmp(e.text, "/nonexistent/dir/result.json", 28) == 0);
    result_release(&r);
}

static const struct {
    const char *text, *why;
} bad[] = {
    {"", "end of file"},
    {"{", "expected near end of file"},
    {"{}", "no result of boshspec in format 1"},
    {"{\"format\":1}", "no result of boshspec: it has no 'cases'"},
    {"{\"format\":1,\"cases\":[{\"id\":\"x\"}]}",
     "case 1 has no 'id', or no verdict that is known"},
    {"{\"format\":1,\"cases\":[{\"id\":\"x\",\"verdict\":\"fine\"}]}",
     "case 1 has no 'id', or no verdict that is known"},
};

static void test_what_is_no_result_is_refused(void)
{
    char *dir = temp_dir(), *path = mem_printf("%s/r.json", dir);
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct result r;
        struct err e = {""};
        FILE *f = fopen(path, "we");

        CHECK(f != NULL && fputs(bad[i].text, f) >= 0);
        if (f)
            fclose(f);
        CHECK_ROW(result_load(path, &r, &e) < 0, bad[i].text);
        CHECK_ROW(strstr(e.text, bad[i].why) != NULL, e.text);
    }
    unlink(path);
    rmdir(dir);
    free(path);
    free(dir);
}

/* ------------------------------------------------------------- status */

static const struct {
    const char *row;
    const char *cases; /* letter, then the reason's letter for errors */
    long min;
    bool strict, interrupted;
    int status;
} statuses[] = {
    {"all pass", "pp", 1, false, false, 0},
    {"a warning", "pw", 1, false, false, 0},
    {"a warning, strictly", "pw", 1, true, false, 1},
    {"a failure", "pf", 1, false, false, 1},
    {"flaky", "pl", 1, false, false, 1},
    {"unexpected pass", "px", 1, false, false, 1},
    {"expected failure", "pX", 1, false, false, 0},
    {"some errors", "pa", 1, false, false, 1},
    {"errors of one kind only", "aa", 1, false, false, 3},
    {"the same beside na", "naa", 1, false, false, 3},
    {"errors of two kinds", "ab", 0, false, false, 1},
    {"errors of two kinds, none judged", "ab", 1, false, false, 4},
    {"only na", "nn", 1, false, false, 4},
    {"only na, but none wanted", "nn", 0, false, false, 0},
    {"too few", "ppn", 3, false, false, 4},
    {"too few, but a failure", "pfn", 3, false, false, 1},
    {"interrupted", "pp", 1, false, true, 1},
    {"nothing ever came, whatever each says", "st", 1, false, false, 3},
    {"the same beside na", "snt", 1, false, false, 3},
    {"something came in one of them", "sa", 1, false, false, 4},
    {"one was judged after all", "spt", 1, false, false, 1},
};

static const char *verdict_of(char letter)
{
    switch (letter) {
    case 'p':
        return "pass";
    case 'f':
        return "fail";
    case 'w':
        return "warn";
    case 'n':
        return "na";
    case 'l':
        return "flaky";
    case 'x':
        return "xpass";
    case 'X':
        return "xfail";
    }
    return "error";
}

static void test_each_result_has_its_exit_status(void)
{
    size_t i, j;

    for (i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct result r;

        result_init(&r);
        r.options.min = statuses[i].min;
        r.options.strict = statuses[i].strict;
        r.finished = !statuses[i].interrupted;
        r.interrupted = statuses[i].interrupted;
        for (j = 0; statuses[i].cases[j]; j++) {
            char reason[] = {statuses[i].cases[j], '\0'};

            add(&r, "client/x", verdict_of(reason[0]), reason);
            r.cases[j].silent = strchr("st", reason[0]) != NULL;
        }
        CHECK_ROW(outcome_status(&r) == statuses[i].status, statuses[i].row);
        result_release(&r);
    }
}

/* ------------------------------------------------------------- merging */

/* A shard with one case. */
static void shard(struct result *r, int64_t n, int64_t of, const char *id)
{
    begin(r);
    r->selected = 1;
    r->options.shard = n;
    r->options.shards = of;
    if (id)
        add(r, id, "pass", "");
}

/* Merge two; what it says, "" when it is content. */
static void merge_two(struct result *a, struct result *b, const char *want)
{
    struct merge m;
    struct err e = {""};

    merge_init(&m);
    CHECK_INT(merge_add(&m, a, "a.json", "s1", &e), 0);
    CHECK_INT(merge_add(&m, b, "b.json", "s2", &e), *want ? -1 : 0);
    CHECK_STR(e.text, want);
    CHECK_INT(m.result.case_count, *want ? 1 : 2);
    merge_release(&m);
    result_release(a);
    result_release(b);
}

static void set(char **to, const char *value)
{
    free(*to);
    *to = mem_dup(value);
}

static void test_shards_make_one_result(void)
{
    struct result a, b;
    struct merge m;
    struct err e = {""};

    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 2, "client/b");
    b.slowest_ms = 50000;
    set(&b.slowest, "client/b");
    set(&b.started, "2026-01-02T03:04:04Z");
    merge_init(&m);
    CHECK_INT(merge_add(&m, &a, "a.json", "s1", &e), 0);
    CHECK_INT(merge_add(&m, &b, "b.json", "s2", &e), 0);
    CHECK_INT(merge_complete(&m, &e), 0);
    CHECK_STR(e.text, "");
    CHECK_INT(m.result.case_count, 2);
    CHECK_INT(m.result.selected, 2);
    CHECK(m.result.finished);
    CHECK_INT(m.result.options.shards, 0);
    CHECK_STR(m.result.slowest, "client/b");
    CHECK_STR(m.result.started, "2026-01-02T03:04:04Z");
    CHECK_STR(m.result.cases[0].log, "s1/cases/client/a.log");
    CHECK(strstr(m.result.cases[1].json, "s2/cases/client/b.log") != NULL);
    merge_release(&m);
    result_release(&a);
    result_release(&b);
}

static void test_a_missing_shard_is_named(void)
{
    struct result a, b;
    struct merge m;
    struct err e = {""};

    shard(&a, 1, 3, "client/a");
    shard(&b, 3, 3, NULL); /* an empty one, which never met its peer */
    set(&b.peer_name, NULL);
    merge_init(&m);
    CHECK_INT(merge_add(&m, &a, "a.json", "", &e), 0);
    CHECK_INT(merge_add(&m, &b, "b.json", "", &e), 0);
    CHECK_INT(merge_complete(&m, &e), -1);
    CHECK_STR(e.text, "shard 2/3 is missing");
    CHECK_INT(outcome_status(&m.result), 1);
    merge_release(&m);
    result_release(&a);
    result_release(&b);
}

/* Or a job that lost the results of the others would be green. */
static void test_one_shard_alone_is_no_whole_run(void)
{
    struct result a;
    struct merge m;
    struct err e = {""};

    shard(&a, 1, 2, "client/a");
    merge_init(&m);
    CHECK_INT(merge_add(&m, &a, "a.json", "", &e), 0);
    CHECK_INT(merge_complete(&m, &e), -1);
    CHECK_STR(e.text, "shard 2/2 is missing");
    CHECK_INT(outcome_status(&m.result), 1);
    merge_release(&m);
    result_release(&a);
}

static void test_what_does_not_belong_together_is_not_merged(void)
{
    struct result a, b;

    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 2, "client/a");
    merge_two(&a, &b, "b.json: case 'client/a' is in another result too");
    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 2, "client/b");
    set(&b.suite_hash, "def");
    merge_two(&a, &b,
              "b.json: another suite of cases than those before it: 'def', "
              "not 'abc'");
    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 2, "client/b");
    set(&b.peer_version, "8");
    merge_two(&a, &b,
              "b.json: another version of the peer than those before it: "
              "'8', not '7'");
    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 2, "client/b");
    set(&b.peer_command, NULL);
    set(&b.peer_url, "http://x/");
    merge_two(&a, &b,
              "b.json: another command of the client than those before it: "
              "'(none)', not 'node toy.js'");
    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 2, "client/b");
    b.options.strict = true;
    merge_two(&a, &b,
              "b.json: --strict is on here, or in those before it, but not in "
              "both");
    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 3, "client/b");
    merge_two(&a, &b, "b.json: one of 3 shards, those before it of 2");
    shard(&a, 1, 2, "client/a");
    shard(&b, 2, 2, "client/b");
    merge_two(&a, &b, "");
}

int suite_result(void)
{
    CU_pSuite s = CU_add_suite("result", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_what_is_saved_comes_back) ||
        !CU_ADD_TEST(s, test_a_document_of_no_cases_is_whole) ||
        !CU_ADD_TEST(s, test_bytes_that_are_no_text_are_shown) ||
        !CU_ADD_TEST(s, test_a_save_that_fails_leaves_the_old_one) ||
        !CU_ADD_TEST(s, test_what_is_no_result_is_refused) ||
        !CU_ADD_TEST(s, test_each_result_has_its_exit_status) ||
        !CU_ADD_TEST(s, test_shards_make_one_result) ||
        !CU_ADD_TEST(s, test_a_missing_shard_is_named) ||
        !CU_ADD_TEST(s, test_one_shard_alone_is_no_whole_run) ||
        !CU_ADD_TEST(s, test_what_does_not_belong_together_is_not_merged))
        return -1;
    return 0;
}
