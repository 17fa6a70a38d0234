/* What is known to fail: files that are refused, and what entries do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "common/buf.h"
#include "harness/baseline.h"

int suite_baseline(void);

static char *path; /* of the file under test */

static void write_file(const char *text)
{
    FILE *f = fopen(path, "we");

    CHECK(f != NULL && fputs(text, f) >= 0);
    if (f)
        fclose(f);
}

/* ------------------------------------------------------------- files */

#define XML(entries)                                                           \
    "<baseline xmlns='urn:boshspec:baseline:1'>\n" entries "</baseline>\n"
#define KNOWN(c, a, r, why)                                                    \
    "<known case='" c "' assert='" a "' requirement='" r "' reason='" why      \
    "'/>\n"
#define JSON(entries) "{\"format\": 1,\n\"known\": [\n" entries "\n]}\n"
#define OBJECT(c, a, r, why)                                                   \
    "{\"case\": \"" c "\", \"assert\": \"" a "\", \"requirement\": \"" r       \
    "\", \"reason\": \"" why "\"}"

static const struct {
    const char *text, *why; /* why: behind the path */
} refused[] = {
    {"", ":1: "},
    {"<baseline/>", ":1: the root is no <baseline xmlns=\""},
    {XML("<unknown/>"), ":2: <unknown> is not known here; <known> is"},
    {XML("<known because='x'/>"), ":2: attribute 'because' is not known"},
    {XML(KNOWN("a", "b", "c", "d") KNOWN("a", "b", "c", "")),
     ":3: an entry without a 'reason': say why it is known to fail"},
    {XML(KNOWN("a", "b", "c", " \t")), ":2: an entry without a 'reason'"},
    {XML(KNOWN("", "b", "c", "d")), ":2: an entry without a 'case'"},
    {XML("<known case='a' requirement='c' reason='d'/>"),
     ":2: an entry without a 'assert'"},
    {XML("<known case='a' assert='b' reason='d'/>"),
     ":2: an entry without a 'requirement'"},
    {XML(KNOWN("a", "b", "c", "d") "\n" KNOWN("a", "b", "c", "e")),
     ":4: assert 'b' of 'a' is in line 2 already"},
    {"{", ":1: "},
    {"{}", ": {\"format\": 1, \"known\": [...]} is wanted"},
    {"{\"format\": 2, \"known\": []}", ": {\"format\": 1, "},
    {JSON("17"), ": an entry that is no object"},
    {JSON(OBJECT("a", "b", "c", "{[\\\"") ",\n\n" OBJECT("a", "c", "c", "")),
     ":5: an entry without a 'reason'"},
    {JSON(OBJECT("a", "b", "c", "d") ",\n" OBJECT("a", "b", "c", "d")),
     ":4: assert 'b' of 'a' is in line 3 already"},
    {JSON("{\"cases\": \"x\"}"), ":3: 'cases' is not known here"},
};

static void test_a_bad_file_is_refused_with_its_line(void)
{
    size_t i;

    for (i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct baseline b;
        struct err e = {""};
        size_t n = strlen(path);

        write_file(refused[i].text);
        CHECK_ROW(baseline_load(path, &b, &e) < 0, refused[i].text);
        CHECK_ROW(strncmp(e.text, path, n) == 0 &&
                      strncmp(e.text + n, refused[i].why,
                              strlen(refused[i].why)) == 0,
                  e.text);
    }
}

static void test_both_forms_say_the_same(void)
{
    static const char *const texts[] = {
        XML(KNOWN("client/a", "soon", "x124-a", "bug 17")
                KNOWN("client/b", "invariant/rid", "x124-b", "bug 18")),
        JSON(OBJECT("client/a", "soon", "x124-a", "bug 17") ",\n" OBJECT(
            "client/b", "invariant/rid", "x124-b", "bug 18")),
    };
    size_t i;

    for (i = 0; i < 2; i++) {
        struct baseline b;
        struct err e = {""};

        write_file(texts[i]);
        CHECK_INT(baseline_load(path, &b, &e), 0);
        CHECK_STR(e.text, "");
        CHECK_INT(b.count, 2);
        if (b.count == 2) {
            CHECK_STR(b.entries[0].assert_id, "soon");
            CHECK_STR(b.entries[1].reason, "bug 18");
            CHECK_INT(b.entries[1].line, i == 0 ? 3 : 4);
        }
        baseline_release(&b);
    }
}

/* ------------------------------------------------------------- cases */

static char case_a[] = "client/a", soon[] = "soon", req_a[] = "x124-a",
            rid[] = "rid", req_rid[] = "x124-rid";

static void check_says(const char *text, const char *want)
{
    struct assertion a = {.id = soon, .req = req_a};
    struct testcase tc = {.id = case_a, .asserts = &a, .assert_count = 1};
    struct testcase *cases[] = {&tc};
    struct selection sel = {.cases = cases, .count = 1};
    struct case_file items[] = {{NULL, case_a}, {NULL, soon}};
    struct case_files files = {items, 2};
    struct invariant inv = {.assertion = {.id = rid, .req = req_rid}};
    struct knowledge k = {.invariants = {&inv, 1}};
    struct baseline b;
    struct err e = {""};

    write_file(text);
    CHECK_INT(baseline_load(path, &b, &e), 0);
    CHECK_INT(baseline_check(&b, &k, &files, &sel, &e), *want ? -1 : 0);
    CHECK_ROW(strstr(e.text, want) != NULL, e.text);
    baseline_release(&b);
}

static void test_an_entry_must_speak_of_what_is_there(void)
{
    check_says(XML(KNOWN("client/a", "soon", "x124-a", "d")), "");
    check_says(XML(KNOWN("client/a", "invariant/rid", "x124-rid", "d")), "");
    check_says(XML(KNOWN("soon", "whatever", "not selected", "d")), "");
    check_says(XML("\n" KNOWN("client/z", "soon", "x124-a", "d")),
               ":3: there is no case 'client/z'");
    check_says(XML(KNOWN("client/a", "later", "x124-a", "d")),
               ":2: case 'client/a' has no assert 'later'");
    check_says(XML(KNOWN("client/a", "invariant/sid", "x124-rid", "d")),
               ":2: case 'client/a' has no assert 'invariant/sid'");
    check_says(XML(KNOWN("client/a", "soon", "x124-b", "d")),
               ":2: assert 'soon' of 'client/a' is about 'x124-a', not "
               "'x124-b'");
}

/* ------------------------------------------------------------- verdicts */

/* A case with asserts a, b, c: one letter a verdict, '-' for none. */
static void make(struct result_case *c, const char *verdict,
                 const char *asserts)
{
    static const char *const names[] = {"a", "b", "c"};
    size_t i;

    memset(c, 0, sizeof *c);
    c->id = mem_dup("client/a");
    c->verdict = mem_dup(verdict);
    c->reason = mem_dup("");
    for (i = 0; asserts[i]; i++) {
        struct result_assert *a;
        const char *word = asserts[i] == 'p'   ? "pass"
                           : asserts[i] == 'f' ? "fail"
                           : asserts[i] == 'w' ? "warn"
                           : asserts[i] == 'n' ? "na"
                           : asserts[i] == 'i' ? "info"
                                               : "error";

        if (asserts[i] == '-')
            continue;
        a = result_case_assert(c);
        a->id = mem_dup(names[i]);
        a->requirement = mem_dup("r");
        a->verdict = mem_dup(word);
        a->reason = mem_dup("why");
    }
}

static const struct {
    const char *row;
    const char *verdict, *asserts; /* as judged */
    const char *pinned;            /* of a, b, c */
    const char *becomes, *reason;
    size_t unjudged;
} applied[] = {
    {"nothing is pinned", "fail", "fpp", "", "fail", "", 0},
    {"the only miss", "fail", "fpp", "a", "xfail", "known a", 0},
    {"the only warning", "warn", "wpp", "a", "xfail", "known a", 0},
    {"both of two", "fail", "fpw", "ac", "xfail", "known a; known c", 0},
    {"one of two", "fail", "ffp", "a", "fail", "", 0},
    {"a warning is left", "fail", "fwp", "a", "warn", "", 0},
    {"an error is left", "fail", "fep", "a", "error", "why", 0},
    {"it holds", "pass", "ppp", "a", "xpass", "'a' (r)", 0},
    {"it no longer counts", "pass", "ipp", "a", "xpass", "'a' (r)", 0},
    {"an invariant that holds", "pass", "-pp", "a", "xpass", "'a' (r)", 0},
    {"one holds, one is missed", "fail", "fpp", "ab", "xpass", "'b' (r)", 0},
    {"one holds, one beyond it fails", "fail", "pfp", "a", "fail", "", 0},
    {"it is na in a case that passes", "pass", "npp", "a", "pass", "", 1},
    {"the case is na", "na", "nnn", "ab", "na", "", 2},
    {"the case is an error", "error", "eee", "a", "error", "", 1},
};

static void test_verdicts_follow_from_what_is_pinned(void)
{
    size_t i, j;

    for (i = 0; i < sizeof applied / sizeof *applied; i++) {
        struct buf text = BUF_INIT;
        struct baseline b;
        struct result_case c;
        struct err e = {""};

        for (j = 0; applied[i].pinned[j]; j++)
            buf_printf(&text,
                       "<known case='client/a' assert='%c' requirement='r' "
                       "reason='known %c'/>",
                       applied[i].pinned[j], applied[i].pinned[j]);
        buf_adds(&text, KNOWN("client/other", "a", "r", "d"));
        {
            char *whole = mem_printf(XML("%s"), buf_str(&text));

            write_file(whole);
            free(whole);
        }
        CHECK_INT(baseline_load(path, &b, &e), 0);
        make(&c, applied[i].verdict, applied[i].asserts);
        CHECK_ROW(baseline_unjudged(&b, &c) == applied[i].unjudged,
                  applied[i].row);
        baseline_apply(&b, &c);
        CHECK_ROW(strcmp(c.verdict, applied[i].becomes) == 0, applied[i].row);
        CHECK_ROW(strstr(c.reason, applied[i].reason) != NULL, applied[i].row);
        result_case_release(&c);
        baseline_release(&b);
        buf_release(&text);
    }
}

/* ------------------------------------------------------------- writing */

static void add_to(struct result *r, const char *verdict, const char *asserts)
{
    struct result_case c;

    make(&c, verdict, asserts);
    result_add(r, &c);
}

static void test_a_baseline_is_written_and_wants_its_reasons(void)
{
    static const char *const names[] = {"/b.xml", "/b.json"};
    char *dir = mem_dup("/tmp/boshspec-base-XXXXXX");
    struct baseline old, b;
    struct result r;
    struct err e = {""};
    size_t i;

    CHECK(mkdtemp(dir) != NULL);
    write_file(XML(KNOWN("client/a", "a", "r", "R&amp;D &lt;17&gt;")
                       KNOWN("client/a", "b", "r", "held")
                           KNOWN("client/not-played", "x", "y", "kept")));
    CHECK_INT(baseline_load(path, &old, &e), 0);
    result_init(&r);
    add_to(&r, "fail", "fpw");
    for (i = 0; i < 2; i++) {
        char *file = mem_printf("%s%s", dir, names[i]);
        struct err refusal = {""};

        CHECK_INT(baseline_save(&r, NULL, file, &e), 2);
        CHECK_INT(baseline_load(file, &b, &refusal), -1);
        CHECK(strstr(refusal.text, "an entry without a 'reason'") != NULL);
        free(r.cases[0].asserts[2].verdict);
        r.cases[0].asserts[2].verdict = mem_dup("pass");
        CHECK_INT(baseline_save(&r, &old, file, &e), 0);
        CHECK_INT(baseline_load(file, &b, &e), 0);
        CHECK_INT(b.count, 2);
        if (b.count == 2) {
            CHECK_STR(b.entries[0].reason, "R&D <17>");
            CHECK_STR(b.entries[1].case_id, "client/not-played");
        }
        free(r.cases[0].asserts[2].verdict);
        r.cases[0].asserts[2].verdict = mem_dup("warn");
        baseline_release(&b);
        unlink(file);
        free(file);
    }
    CHECK_STR(e.text, "");
    baseline_release(&old);
    result_release(&r);
    rmdir(dir);
    free(dir);
}

static int begin(void)
{
    int fd;

    path = mem_dup("/tmp/boshspec-baseline-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int end(void)
{
    unlink(path);
    free(path);
    return 0;
}

int suite_baseline(void)
{
    CU_pSuite s = CU_add_suite("baseline", begin, end);

    if (!s || !CU_ADD_TEST(s, test_a_bad_file_is_refused_with_its_line) ||
        !CU_ADD_TEST(s, test_both_forms_say_the_same) ||
        !CU_ADD_TEST(s, test_an_entry_must_speak_of_what_is_there) ||
        !CU_ADD_TEST(s, test_verdicts_follow_from_what_is_pinned) ||
        !CU_ADD_TEST(s, test_a_baseline_is_written_and_wants_its_reasons))
        return -1;
    return 0;
}
