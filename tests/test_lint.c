/*
 * What lint finds in cases that are well written as far as their schema goes,
 * and that it is silent about good ones.
 */
#include <stdlib.h>

#include "check.h"
#include "common/buf.h"
#include "harness/case_xml.h"

int suite_lint(void);

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

struct findings {
    struct buf text; /* one a line */
    size_t count;
};

static void take(void *ctx, const char *finding)
{
    struct findings *f = ctx;

    buf_printf(&f->text, "%s\n", finding);
    f->count++;
}

static const char *twin_name(enum role role, size_t i)
{
    if (i > 0)
        return NULL;
    return role == ROLE_CLIENT ? "delivers-on-arrival"
                               : "answers-in-arrival-order";
}

/* Lint one file; its number of findings, and the first of them. Free with
 * buf_release(). */
static size_t lint(const char *path, struct findings *f,
                   const char *(*twin)(enum role role, size_t i))
{
    struct testcase *tc = NULL;
    struct err e = {""};
    size_t count = 0;

    memset(f, 0, sizeof *f);
    if (case_read(&knowledge, path, "x", &tc, &e) != 0)
        take(f, e.text);
    else
        count = case_lint(&knowledge, tc, twin, take, f);
    CHECK_INT(count, f->count);
    testcase_free(tc);
    return count;
}

static const struct {
    const char *file; /* tests/data/bad-<file>.xml */
    int line;
    const char *says; /* how the finding begins */
} found[] = {
    {"requirement", 4,
     "requirement 'x124-client-proces-order' is not in the catalogue (did you "
     "mean 'x124-client-process-order'?)"},
    {"requirement-of-other-side", 4,
     "requirement 'x124-respond-rid-order' binds the other side, 'cm': a "
     "client case judges 'client' or 'both'"},
    {"not-covered", 17,
     "assert 'same' is about 'x124-client-resend-identical', which no <covers> "
     "names"},
    {"not-judged", 5, "no assert is about 'x124-client-resend-identical'"},
    {"level", 15,
     "level='SHOULD' on 'order' weighs more than the catalogue's 'record'"},
    {"twin", 5,
     "no client twin is called 'delivers-on-arival' (did you mean "
     "'delivers-on-arrival'?): `boshspec selftest --list-twins' lists them"},
    {"by", 5, "by='ordre' names no assert of this case: it has order"},
    {"assert-twice", 17, "assert 'order' is there twice, first at line 15"},
    {"rule-twice", 11, "rule 'slow' is there twice, first at line 10"},
    {"off", 11, "no rule 'slwo' is standing here: there are slow"},
    {"match-on-answer", 10, "'res' never matches in 'res/@status = 200'"},
    {"unbound", 15, "no step binds $M: there are $N $x $ev $journal $s"},
    {"bound-later", 11, "$M is used before the step at line 13 binds it"},
    {"it-without-each", 16, "no step binds $it"},
    {"standing-name", 10, "'x' is a standing variable"},
    {"index-outside", 11, "no step binds $i"},
    {"not-a-session", 10, "'first' is an exchange, where a session is wanted"},
    {"no-session", 9, "no step binds $t"},
    {"two-kinds", 10, "'first' is a value here, and an exchange at line 9"},
    {"never-attribute", 10,
     "'@knid' never matches in '$x[@knid='poll'][not(res)]' (did you mean "
     "'@kind'?): there are @n @conn "},
    {"never-element", 16,
     "'rse' never matches in '$it/rse/@status' (did you mean 'res'?): there "
     "are req answer res"},
    {"never-deep", 16,
     "'@condtion' never matches in '$it/res/b:body/@condtion' (did you mean "
     "'@condition'?)"},
    {"never-in-predicate", 10, "'@metod' never matches in "},
    {"never-payload-there", 16,
     "'c:message' never matches in '$it/res/c:message': there are header "
     "b:body"},
    {"never-in-payload-text", 11, "'@jidd' never matches in '$s/@jidd'"},
    {"never-in-duration", 12, "'@wiat' never matches in '1100 * $s/@wiat'"},
    {"never-word", 10,
     "@kind is never 'pol': allowed are create poll payload restart"},
    {"never-root", 16, "'log' never matches in '/log/x/@n': there are journal"},
    {"string-of-rid", 8,
     "string() and concat() spoil the number of a long rid in "},
    {"concat-of-rid", 14,
     "string() and concat() spoil the number of a long rid in "},
    {"silence-then-go-on", 12,
     "nothing after this silence shows that the peer is alive"},
    {"framing", 12,
     "header 'Content-Length' of kind='header' would break the framing"},
    {"creation-twice", 8,
     "attribute 'from' of 'manager' is there twice, first at line 7"},
    {"creation-removed", 7,
     "our manager sends no attribute 'pooling' that could be removed (did you "
     "mean 'polling'?)"},
    {"certificate", 12,
     "there is no certificate: 'manager' must have tls='good'"},
    {"silence", 12, "nothing after this silence shows that the peer is alive"},
};

static void test_each_mistake_gives_one_finding(void)
{
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        char *path = mem_printf("tests/data/bad-%s.xml", found[i].file);
        char *want =
            mem_printf("%s:%d: %s", path, found[i].line, found[i].says);
        struct findings f;

        lint(path, &f, twin_name);
        CHECK_ROW(f.count == 1, found[i].file);
        CHECK_ROW(strncmp(buf_str(&f.text), want, strlen(want)) == 0,
                  buf_str(&f.text));
        buf_release(&f.text);
        free(want);
        free(path);
    }
}

static void test_good_cases_give_none(void)
{
    static const char *const good[] = {
        "cases/client/order/swapped-responses.xml",
        "cases/client/errors/success-resets-the-count.xml",
        "cases/client/timeouts/secondary.xml",
        "cases/server/order/requests-out-of-order.xml",
        "cases/server/inactivity/expires-in-time.xml",
        "cases/server/retransmission/replay-buffer-depth.xml",
        "tests/data/good-client.xml",
        "tests/data/good-server.xml",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct findings f;

        CHECK_ROW(lint(good[i], &f, NULL) == 0, good[i]);
        CHECK_STR(buf_str(&f.text), "");
        buf_release(&f.text);
    }
}

static void test_the_invariants_give_none(void)
{
    struct findings f = {BUF_INIT, 0};

    CHECK_INT(
        invariants_lint(&knowledge, "cases/invariants.xml", NULL, take, &f), 0);
    CHECK_STR(buf_str(&f.text), "");
    buf_release(&f.text);
}

int suite_lint(void)
{
    CU_pSuite s = CU_add_suite("lint", set_up, tear_down);

    if (!s ||
        !CU_add_test(s, "each mistake gives one finding",
                     test_each_mistake_gives_one_finding) ||
        !CU_add_test(s, "good cases give none", test_good_cases_give_none) ||
        !CU_add_test(s, "the invariants give none",
                     test_the_invariants_give_none))
        return -1;
    return 0;
}
