/* Verdicts on hand-made journals: asserts, levels, lag, guilty exchanges. */
#include <stdlib.h>

#include "check.h"
#include "harness/judge.h"
#include "journal_maker.h"
#include "suites.h"

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' "
#define EMPTY BODY "/>"

/* A catalogue of three rows, one for each weight. */
static char words[][12] = {"r-advice", "r-interop", "r-record", "advice",
                           "interop",  "record",    "-"};
static struct requirement rows[] = {
    {words[0], words[6], words[6], words[6], words[3], words[6], NULL, 0},
    {words[1], words[6], words[6], words[6], words[4], words[6], NULL, 0},
    {words[2], words[6], words[6], words[6], words[5], words[6], NULL, 0},
};

/* An assert as a case would have it; NULL for what it has not. */
struct sketch {
    const char *each, *test, *got, *is, *is_2, *is_not, *at_least, *at_most;
    bool clock;
    const char *req; /* NULL: r-interop */
    enum level level;
    enum assert_needs needs;
    const char *show;
};

static struct expr *compile(const char *text)
{
    struct err e = {""};
    struct expr *ex = text ? expr_new(text, "case.xml", 9, &e) : NULL;

    CHECK_STR(e.text, "");
    return ex;
}

static void draw(const struct sketch *from, struct assertion *a)
{
    memset(a, 0, sizeof *a);
    a->id = mem_dup("it");
    a->req = mem_dup(from->req ? from->req : "r-interop");
    a->says = mem_dup("it holds");
    a->level = from->level;
    a->needs = from->needs;
    a->each = compile(from->each);
    a->test = compile(from->test);
    a->got = compile(from->got);
    if (from->is)
        a->is[a->is_count++] = compile(from->is);
    if (from->is_2)
        a->is[a->is_count++] = compile(from->is_2);
    a->is_not = compile(from->is_not);
    a->at_least.expr = compile(from->at_least);
    a->at_most.expr = compile(from->at_most);
    a->calm_ms = -1; /* nothing said of it */
    a->at_least.clock = a->at_most.clock = from->clock;
    a->show = compile(from->show);
}

/* What the judge is given besides the asserts. */
struct scene {
    struct maker maker;
    struct knowledge knowledge;
    struct invariants invariants;
    struct judge_context ctx;
    struct judgement out;
    struct testcase tc;
    struct assertion asserts[4];
};

static void scene_init(struct scene *s, enum role role)
{
    memset(s, 0, sizeof *s);
    maker_init(&s->maker, role);
    s->knowledge.catalogue.rows = rows;
    s->knowledge.catalogue.count = sizeof rows / sizeof rows[0];
    s->ctx.knowledge = &s->knowledge;
    s->ctx.end = PLAY_DONE;
    s->ctx.has_status = s->ctx.has_stanza = true;
    s->tc.role = role;
    s->tc.asserts = s->asserts;
}

static void scene_add(struct scene *s, const struct sketch *sketch)
{
    draw(sketch, &s->asserts[s->tc.assert_count++]);
}

static void scene_judge(struct scene *s)
{
    judgement_release(&s->out);
    judge_case(&s->tc, s->maker.journal, &s->ctx, &s->out);
}

static void scene_release(struct scene *s)
{
    judgement_release(&s->out);
    for (size_t i = 0; i < s->tc.assert_count; i++)
        assertion_release(&s->asserts[i]);
    maker_release(&s->maker);
}

/* Rid 101, a copy of it, 102; all answered; two messages, one status. */
static void fill(struct maker *m)
{
    maker_session(m, 0, "");
    maker_request(m, 1000, 2, 1, BODY "sid='abc' rid='101'/>");
    maker_request(m, 1500, 3, 2, BODY "sid='abc' rid='101'/>");
    maker_exchange_end(m, 2000, 3, EMPTY);
    maker_request(m, 3000, 4, 1, BODY "sid='abc' rid='102'/>");
    maker_exchange_end(m, 7000, 4, EMPTY);
    maker_event(m, 7100, "ev", NULL, "client", "0", "kind", "status", "value",
                "connected", NULL);
    maker_event(m, 7200, "name", NULL, "as", "N", "x", "2", NULL);
    maker_event(m, 7200, "name", NULL, "as", "M", "x", "4", NULL);
}

struct row {
    const char *name;
    struct sketch sketch;
    enum verdict verdict;
    const char *expected, *got, *reason;
};

static void run_rows(const struct row *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct scene s;
        const struct finding *f;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        scene_add(&s, &table[i].sketch);
        scene_judge(&s);
        f = &s.out.findings[0];
        CHECK_ROW(s.out.finding_count == 1, table[i].name);
        CHECK_ROW(f->verdict == table[i].verdict, table[i].name);
        CHECK_STR(f->expected, table[i].expected);
        CHECK_STR(f->got, table[i].got);
        CHECK_STR(f->reason, table[i].reason);
        scene_release(&s);
    }
}

#define PASSES VERDICT_PASS, NULL, NULL, NULL
#define MISSES(expected, got) VERDICT_FAIL, expected, got, NULL
#define IS_NA(why) VERDICT_NA, NULL, NULL, why

static void test_each_kind_of_assert(void)
{
    static const struct row table[] = {
        {"test holds", {.test = "$N"}, PASSES},
        {"test does not hold",
         {.test = "$N/@rid\n  > 200"},
         MISSES("$N/@rid > 200", "not so")},
        {"is", {.got = "$N/@rid", .is = "'101'"}, PASSES},
        {"is, as a number", {.got = "count($x)", .is = "4"}, PASSES},
        {"is, of two", {.got = "'b'", .is = "'a'", .is_2 = "'b'"}, PASSES},
        {"is not what was wanted",
         {.got = "bs:join($x/@rid, ' ')", .is = "'100 101'", .is_2 = "7"},
         MISSES("'100 101' or 7", "'100 101 101 102'")},
        {"an attribute is wanted",
         {.got = "$N/@rid", .is = "$M/@rid"},
         MISSES("'102'", "'101'")},
        {"nothing was got",
         {.got = "$N/@nope", .is = "'101'"},
         MISSES("'101'", "nothing")},
        {"nothing is an empty string", {.got = "$N/@nope", .is = "''"}, PASSES},
        {"nothing to compare with",
         {.got = "$N/@rid", .is = "$gone/@rid"},
         IS_NA("there is nothing to compare with")},
        {"is-not", {.got = "$N/@rid", .is_not = "'7'"}, PASSES},
        {"is-not missed",
         {.got = "$N/@rid", .is_not = "101"},
         MISSES("not 101", "'101'")},
        {"at most", {.got = "$N/@rid", .at_most = "101"}, PASSES},
        {"more than at most",
         {.got = "$M/@t1 - $M/@t0", .at_most = "3999"},
         MISSES("at most 3999", "4000")},
        {"less than at least",
         {.got = "1", .at_least = "2", .at_most = "5"},
         MISSES("at least 2", "1")},
        {"beyond both",
         {.got = "6", .at_least = "2", .at_most = "5"},
         MISSES("at least 2 and at most 5", "6")},
        {"no number",
         {.got = "$gone/@t1", .at_most = "5"},
         MISSES("at most 5", "nothing")},
        {"no bound",
         {.got = "5", .at_most = "$gone/@t1 + 5"},
         IS_NA("there is no bound to hold it to")},
    };

    run_rows(table, sizeof table / sizeof table[0]);
}

static void test_each_node_is_judged(void)
{
    static const struct row table[] = {
        {"all hold",
         {.each = "$x", .got = "$it/@rid", .at_least = "100"},
         PASSES},
        {"none there",
         {.each = "$x[@kind='pause']", .test = "false()"},
         IS_NA("there is nothing to judge")},
        {"one misses",
         {.each = "$x", .got = "$it/@rid", .at_most = "101"},
         MISSES("at most 101", "102")},
        {"two miss",
         {.each = "$x", .got = "$it/@copy", .is = "'3'"},
         MISSES("'3'", "'1', and 3 more like it")},
        {"a miss counts before nothing to compare with",
         {.each = "$x", .got = "$it/@rid", .is = "$x[@n = $it/@copy-of]/@n"},
         MISSES("'2'", "'101'")},
        {"each is no node-set",
         {.each = "1 + 1", .test = "true()"},
         VERDICT_ERROR,
         NULL,
         NULL,
         "'each' gives no nodes"},
        {"it cannot be evaluated",
         {.test = "count(1)"},
         VERDICT_ERROR,
         NULL,
         NULL,
         "case.xml:9: expression 'count(1)': a value has the wrong type"},
    };

    run_rows(table, sizeof table / sizeof table[0]);
}

static void test_what_a_miss_weighs(void)
{
    static const struct {
        const char *req;
        enum level level;
        enum verdict finding, verdict;
    } table[] = {
        {"r-interop", LEVEL_CATALOGUE, VERDICT_FAIL, VERDICT_FAIL},
        {"r-interop", LEVEL_SHOULD, VERDICT_WARN, VERDICT_WARN},
        {"r-interop", LEVEL_PRACTICE, VERDICT_WARN, VERDICT_WARN},
        {"r-interop", LEVEL_MAY, VERDICT_INFO, VERDICT_PASS},
        {"r-advice", LEVEL_CATALOGUE, VERDICT_WARN, VERDICT_WARN},
        {"r-advice", LEVEL_SHOULD, VERDICT_WARN, VERDICT_WARN},
        {"r-advice", LEVEL_MAY, VERDICT_INFO, VERDICT_PASS},
        {"r-record", LEVEL_CATALOGUE, VERDICT_INFO, VERDICT_PASS},
        {"r-record", LEVEL_PRACTICE, VERDICT_INFO, VERDICT_PASS},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sketch sketch = {
            .test = "false()", .req = table[i].req, .level = table[i].level};
        struct scene s;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        scene_add(&s, &sketch);
        scene_judge(&s);
        CHECK_ROW(s.out.findings[0].verdict == table[i].finding, table[i].req);
        CHECK_ROW(s.out.verdict == table[i].verdict, table[i].req);
        scene_release(&s);
    }
}

static void test_what_the_driver_cannot_say_is_na(void)
{
    struct sketch status = {.test = "false()", .needs = NEEDS_STATUS};
    struct sketch stanza = {.test = "false()", .needs = NEEDS_STANZA};
    struct scene s;

    scene_init(&s, ROLE_CLIENT);
    fill(&s.maker);
    scene_add(&s, &status);
    scene_add(&s, &stanza);
    s.ctx.has_status = false;
    scene_judge(&s);
    CHECK_INT(s.out.findings[0].verdict, VERDICT_NA);
    CHECK_STR(s.out.findings[0].reason, "the driver reports no status events");
    CHECK_INT(s.out.findings[1].verdict, VERDICT_FAIL);
    s.ctx.has_stanza = false;
    scene_judge(&s);
    CHECK_INT(s.out.verdict, VERDICT_NA);
    CHECK_STR(s.out.reason, "the driver reports no status events");
    scene_release(&s);
}

/* Also where the case does not say what it needs. */
static void test_silence_is_no_fault_of_a_driver_that_says_less(void)
{
    struct sketch status = {.got = "count($ev[@value = 'disconnected'])",
                            .at_least = "1"};
    struct sketch stanza = {.got = "count($ev[@kind = 'stanza'])",
                            .at_least = "100"};
    struct scene s;

    scene_init(&s, ROLE_CLIENT);
    fill(&s.maker);
    scene_add(&s, &status);
    scene_add(&s, &stanza);
    s.ctx.has_status = false;
    scene_judge(&s);
    CHECK_INT(s.out.findings[0].verdict, VERDICT_NA);
    CHECK_STR(s.out.findings[0].reason, "the driver reports no status events");
    CHECK_INT(s.out.findings[1].verdict, VERDICT_FAIL);
    s.ctx.has_status = true;
    s.ctx.has_stanza = false;
    scene_judge(&s);
    CHECK_INT(s.out.findings[0].verdict, VERDICT_FAIL);
    CHECK_INT(s.out.findings[1].verdict, VERDICT_NA);
    CHECK_STR(s.out.findings[1].reason, "the driver reports no stanzas");
    scene_release(&s);
}

/* The case's verdict: the worst of its asserts' in this order. */
static void test_the_worst_counts(void)
{
    static const struct sketch pass = {.test = "true()"},
                               fail = {.test = "false()"},
                               warn = {.test = "false()", .req = "r-advice"},
                               info = {.test = "false()", .req = "r-record"},
                               na = {.each = "$gone", .test = "true()"},
                               error = {.test = "count(1)"};
    static const struct {
        const char *name;
        const struct sketch *a, *b;
        enum verdict verdict;
    } table[] = {
        {"pass and na", &pass, &na, VERDICT_PASS},
        {"info and na", &info, &na, VERDICT_PASS},
        {"na and na", &na, &na, VERDICT_NA},
        {"pass and warn", &pass, &warn, VERDICT_WARN},
        {"warn and error", &warn, &error, VERDICT_ERROR},
        {"error and pass", &error, &pass, VERDICT_ERROR},
        {"error and fail", &error, &fail, VERDICT_FAIL},
        {"warn and fail", &warn, &fail, VERDICT_FAIL},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct scene s;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        scene_add(&s, table[i].a);
        scene_add(&s, table[i].b);
        scene_judge(&s);
        CHECK_ROW(s.out.verdict == table[i].verdict, table[i].name);
        CHECK_ROW((s.out.reason[0] != '\0') ==
                      (table[i].verdict == VERDICT_NA ||
                       table[i].verdict == VERDICT_ERROR),
                  table[i].name);
        CHECK_ROW(!s.out.lagged, table[i].name);
        scene_release(&s);
    }
}

static void test_how_the_play_ended(void)
{
    static const struct sketch pass = {.test = "true()"},
                               warn = {.test = "false()", .req = "r-advice"};
    static const struct {
        enum play_end end;
        const char *because;
        const struct sketch *assert;
        enum verdict verdict;
        const char *reason;
    } table[] = {
        {PLAY_DONE, NULL, &pass, VERDICT_PASS, ""},
        {PLAY_STOPPED, NULL, &warn, VERDICT_WARN, ""},
        {PLAY_STOPPED, NULL, &pass, VERDICT_ERROR,
         "the play stopped at line 42 and no assert saw why"},
        {PLAY_NA, "it cannot send", &warn, VERDICT_NA, "it cannot send"},
        {PLAY_ERROR, "no login", &warn, VERDICT_ERROR, "no login"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct scene s;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        maker_event(&s.maker, 8000, "end", NULL, "how", "stopped", "line", "42",
                    NULL);
        scene_add(&s, table[i].assert);
        s.ctx.end = table[i].end;
        s.ctx.because = table[i].because;
        scene_judge(&s);
        CHECK_INT(s.out.verdict, table[i].verdict);
        CHECK_STR(s.out.reason, table[i].reason);
        if (table[i].because)
            CHECK_STR(s.out.findings[0].reason, table[i].because);
        scene_release(&s);
    }
}

/* Neither by an assert that does not say what it needs, nor by a step that
 * waited for a word. */
static void test_a_silent_client_is_not_blamed_for_its_silence(void)
{
    struct sketch leans = {.got = "count($ev[@kind='error'])", .at_least = "1"};
    struct sketch wire = {.test = "true()"};
    struct scene s;

    scene_init(&s, ROLE_CLIENT);
    fill(&s.maker);
    maker_event(&s.maker, 8000, "end", NULL, "how", "stopped", "line", "42",
                "because", "nothing came of '$ev/@value'", NULL);
    scene_add(&s, &leans);
    scene_add(&s, &wire);
    s.ctx.end = PLAY_STOPPED;
    scene_judge(&s);
    CHECK_INT(s.out.findings[0].verdict, VERDICT_FAIL);
    s.ctx.has_status = s.ctx.has_stanza = false;
    scene_judge(&s);
    CHECK_INT(s.out.findings[0].verdict, VERDICT_NA);
    CHECK_STR(s.out.findings[0].reason, "the driver reports no events");
    CHECK_INT(s.out.findings[1].verdict, VERDICT_PASS);
    CHECK_INT(s.out.verdict, VERDICT_NA);
    CHECK_STR(s.out.reason, "the driver reports no status events");
    scene_release(&s);
}

/* M was answered after 4000 ms, of which we slept 300 within it. */
static void test_our_own_lag_is_no_fault(void)
{
    static const struct {
        const char *name, *each, *got, *most;
        bool clock;
        enum verdict verdict;
    } table[] = {
        {"lag explains it", "$M", "$it/@t1 - $it/@t0", "3800", true,
         VERDICT_ERROR},
        {"exactly", "$M", "$it/@t1 - $it/@t0", "3700", true, VERDICT_ERROR},
        {"missed by more", "$M", "$it/@t1 - $it/@t0", "3699", true,
         VERDICT_FAIL},
        {"no clock", "$M", "$it/@t1 - $it/@t0", "3800", false, VERDICT_FAIL},
        {"held", "$M", "$it/@t1 - $it/@t0", "4000", true, VERDICT_PASS},
        {"another time", "$x[3]", "$it/@t1 - $it/@t0", "300", true,
         VERDICT_FAIL},
        {"by handle", NULL, "$M/@t1 - $M/@t0", "3800", true, VERDICT_ERROR},
        {"by handle, another time", NULL, "$N/@t0 - 500", "300", true,
         VERDICT_FAIL},
        {"nobody named", NULL, "4000", "3900", true, VERDICT_ERROR},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sketch sketch = {.each = table[i].each,
                                .got = table[i].got,
                                .at_most = table[i].most,
                                .clock = table[i].clock};
        struct scene s;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        maker_event(&s.maker, 5300, "lag", NULL, "from", "5000", "to", "5300",
                    "ms", "300", NULL);
        scene_add(&s, &sketch);
        scene_judge(&s);
        CHECK_ROW(s.out.verdict == table[i].verdict, table[i].name);
        CHECK_ROW(s.out.lagged == (table[i].verdict == VERDICT_ERROR),
                  table[i].name);
        CHECK_ROW(s.out.findings[0].lagged == s.out.lagged, table[i].name);
        if (s.out.lagged)
            CHECK_ROW(strstr(s.out.reason, "our own loop lagged") != NULL,
                      s.out.reason);
        scene_release(&s);
    }
}

/* A login that takes too long on a machine that stands still is played again.
 */
static void test_a_starved_play_is_played_again(void)
{
    static const struct sketch pass = {.test = "true()"};
    static const struct {
        const char *name, *lag_ms;
        enum play_end end;
        bool lagged;
    } table[] = {
        {"starved", "2000", PLAY_ERROR, true},
        {"starved, and stopped", "2000", PLAY_STOPPED, true},
        {"not for long", "1999", PLAY_ERROR, false},
        {"played to its end", "2000", PLAY_DONE, false},
        {"NA", "2000", PLAY_NA, false},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct scene s;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        maker_event(&s.maker, 9000, "lag", NULL, "from", "6000", "to", "9000",
                    "ms", table[i].lag_ms, NULL);
        scene_add(&s, &pass);
        s.ctx.end = table[i].end;
        s.ctx.because = "no login";
        scene_judge(&s);
        CHECK_ROW(s.out.lagged == table[i].lagged, table[i].name);
        scene_release(&s);
    }
}

/* Played as above; a count that hangs on clocks which it does not name. */
static void test_a_restless_play_counts_nothing(void)
{
    static const struct {
        const char *name;
        int64_t calm_ms;
        enum verdict verdict;
    } table[] = {
        {"nothing said", -1, VERDICT_FAIL},
        {"calm enough", 300, VERDICT_FAIL},
        {"too restless", 299, VERDICT_ERROR},
    };
    static const struct sketch miss = {.test = "false()"};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct scene s;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        maker_event(&s.maker, 5300, "lag", NULL, "from", "5000", "to", "5300",
                    "ms", "300", NULL);
        scene_add(&s, &miss);
        s.asserts[0].calm_ms = table[i].calm_ms;
        scene_judge(&s);
        CHECK_ROW(s.out.verdict == table[i].verdict, table[i].name);
        CHECK_ROW(s.out.lagged == (table[i].verdict == VERDICT_ERROR),
                  table[i].name);
        scene_release(&s);
    }
}

static void test_the_guilty_come_first(void)
{
    static const struct {
        const char *name, *each, *got, *is, *show;
        unsigned want[4];
    } table[] = {
        {"the node, then handles, then shown",
         "$x[@n = 3]",
         "$it/@rid + $N/@rid",
         "'x'",
         "$x[1]",
         {3, 2, 1, 0}},
        {"each once", "$x[@n = 2]", "$N/@n", "'x'", "$N | $M", {2, 4, 0}},
        {"inside an exchange", "$x[4]/res/b:body", "1", "'x'", NULL, {4, 0}},
        {"an attribute", "$x[4]/@rid", "1", "'x'", NULL, {4, 0}},
        {"a session's creation", "$s", "1", "'x'", NULL, {1, 0}},
        {"a gap's end", "/journal/gap[1]", "1", "'x'", NULL, {2, 0}},
        {"an event's exchange", "$ev", "1", "'x'", NULL, {4, 0}},
        {"by nobody in particular", NULL, "count($x)", "'x'", NULL, {0}},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sketch sketch = {.each = table[i].each,
                                .got = table[i].got,
                                .is = table[i].is,
                                .show = table[i].show};
        const struct finding *f;
        struct scene s;
        size_t count = 0;

        scene_init(&s, ROLE_CLIENT);
        fill(&s.maker);
        scene_add(&s, &sketch);
        scene_judge(&s);
        f = &s.out.findings[0];
        while (table[i].want[count])
            count++;
        CHECK_ROW(f->exchange_count == count, table[i].name);
        for (size_t k = 0; k < f->exchange_count && k < count; k++)
            CHECK_ROW(f->exchanges[k] == table[i].want[k], table[i].name);
        scene_release(&s);
    }
}

/* Rules that bind the other side are not judged; the rest count even when the
 * case itself has no say. */
static void test_invariants_bind_the_peer(void)
{
    static const struct sketch broken = {.each = "$x", .test = "false()"},
                               held = {.each = "$x", .test = "true()"},
                               pass = {.test = "true()"};
    struct invariant list[3];
    struct scene s;

    memset(list, 0, sizeof list);
    draw(&broken, &list[0].assertion);
    draw(&broken, &list[1].assertion);
    draw(&held, &list[2].assertion);
    list[0].binds = ROLE_SERVER;
    list[1].binds = list[2].binds = ROLE_CLIENT;
    scene_init(&s, ROLE_CLIENT);
    fill(&s.maker);
    s.knowledge.invariants.items = list;
    s.knowledge.invariants.count = 3;
    scene_add(&s, &pass);
    scene_judge(&s);
    CHECK_INT(s.out.verdict, VERDICT_FAIL);
    CHECK_INT(s.out.finding_count, 2);
    CHECK_STR(s.out.findings[1].id, "invariant/it");
    CHECK_INT(s.out.findings[1].exchange_count, 4);
    s.ctx.end = PLAY_NA;
    s.ctx.because = "it cannot";
    scene_judge(&s);
    CHECK_INT(s.out.verdict, VERDICT_FAIL);
    CHECK_INT(s.out.findings[0].verdict, VERDICT_NA);
    s.ctx.end = PLAY_ERROR; /* what was broken is broken all the same */
    scene_judge(&s);
    CHECK_INT(s.out.verdict, VERDICT_FAIL);
    list[1].binds = ROLE_SERVER;
    s.ctx.end = PLAY_DONE;
    scene_judge(&s);
    CHECK_INT(s.out.verdict, VERDICT_PASS);
    CHECK_INT(s.out.finding_count, 1);
    for (size_t i = 0; i < 3; i++)
        assertion_release(&list[i].assertion);
    scene_release(&s);
}

static void test_judging_twice_says_the_same(void)
{
    static const struct sketch sketch = {
        .each = "$x", .got = "$it/@rid", .is = "'101'"};
    struct judgement second;
    struct scene s;

    scene_init(&s, ROLE_CLIENT);
    fill(&s.maker);
    scene_add(&s, &sketch);
    scene_judge(&s);
    judge_case(&s.tc, s.maker.journal, &s.ctx, &second);
    CHECK_INT(second.verdict, s.out.verdict);
    CHECK_STR(second.findings[0].got, s.out.findings[0].got);
    CHECK_INT(second.findings[0].exchange_count,
              s.out.findings[0].exchange_count);
    judgement_release(&second);
    judgement_release(NULL);
    scene_release(&s);
}

static void test_verdicts_have_names(void)
{
    CHECK_STR(verdict_name(VERDICT_PASS), "pass");
    CHECK_STR(verdict_name(VERDICT_XFAIL), "xfail");
    CHECK_STR(verdict_name(VERDICT_ERROR), "error");
}

int suite_judge(void)
{
    CU_pSuite suite = CU_add_suite("judge", NULL, NULL);

    if (!suite)
        return -1;
    CU_add_test(suite, "each kind of assert", test_each_kind_of_assert);
    CU_add_test(suite, "each node is judged", test_each_node_is_judged);
    CU_add_test(suite, "what a miss weighs", test_what_a_miss_weighs);
    CU_add_test(suite, "what the driver cannot say is NA",
                test_what_the_driver_cannot_say_is_na);
    CU_add_test(suite, "silence is no fault of a driver that says less",
                test_silence_is_no_fault_of_a_driver_that_says_less);
    CU_add_test(suite, "the worst counts", test_the_worst_counts);
    CU_add_test(suite, "how the play ended", test_how_the_play_ended);
    CU_add_test(suite, "a silent client is not blamed for its silence",
                test_a_silent_client_is_not_blamed_for_its_silence);
    CU_add_test(suite, "our own lag is no fault", test_our_own_lag_is_no_fault);
    CU_add_test(suite, "a restless play counts nothing",
                test_a_restless_play_counts_nothing);
    CU_add_test(suite, "a starved play is played again",
                test_a_starved_play_is_played_again);
    CU_add_test(suite, "the guilty come first", test_the_guilty_come_first);
    CU_add_test(suite, "invariants bind the peer",
                test_invariants_bind_the_peer);
    CU_add_test(suite, "judging twice says the same",
                test_judging_twice_says_the_same);
    CU_add_test(suite, "verdicts have names", test_verdicts_have_names);
    return 0;
}
