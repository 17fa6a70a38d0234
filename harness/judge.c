/* From asserts and invariants to verdicts: see judge.h. */
#include "judge_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

const char *verdict_name(enum verdict v)
{
    switch (v) {
    case VERDICT_PASS:
        return "pass";
    case VERDICT_FAIL:
        return "fail";
    case VERDICT_WARN:
        return "warn";
    case VERDICT_INFO:
        return "info";
    case VERDICT_NA:
        return "na";
    case VERDICT_XFAIL:
        return "xfail";
    case VERDICT_XPASS:
        return "xpass";
    case VERDICT_FLAKY:
        return "flaky";
    case VERDICT_ERROR:
        return "error";
    }
    return "";
}

/* What a miss weighs: what it breaks, and no more than the assert's level. */
static enum verdict weight(const struct knowledge *k, const struct assertion *a)
{
    const struct requirement *r =
        k ? catalogue_find(&k->catalogue, a->req) : NULL;
    enum verdict miss = VERDICT_FAIL;

    if (r && strcmp(r->breaks, "advice") == 0)
        miss = VERDICT_WARN;
    else if (r && strcmp(r->breaks, "record") == 0)
        miss = VERDICT_INFO;
    switch (a->level) {
    case LEVEL_CATALOGUE:
        return miss;
    case LEVEL_SHOULD:
    case LEVEL_PRACTICE:
        return miss == VERDICT_FAIL ? VERDICT_WARN : miss;
    case LEVEL_MAY:
        return VERDICT_INFO;
    }
    return miss;
}

static struct finding *add_finding(struct judgement *out,
                                   const struct assertion *a)
{
    struct finding *f;

    out->findings = mem_grow(out->findings,
                             (out->finding_count + 1) * sizeof *out->findings);
    f = &out->findings[out->finding_count++];
    memset(f, 0, sizeof *f);
    f->id = a->id;
    f->req = a->req;
    f->says = a->says;
    f->line = a->line;
    return f;
}

static void finding_release(struct finding *f)
{
    free(f->id_text);
    free(f->expected);
    free(f->got);
    free(f->reason);
    free(f->exchanges);
}

static void judge_asserts(const struct testcase *tc, struct journal *j,
                          const struct judge_context *ctx,
                          struct judgement *out)
{
    for (size_t i = 0; i < tc->assert_count; i++) {
        struct finding *f = add_finding(out, &tc->asserts[i]);

        check_assertion(&tc->asserts[i], j, ctx,
                        weight(ctx->knowledge, &tc->asserts[i]), f);
    }
}

static void skip_asserts(const struct testcase *tc, enum verdict verdict,
                         const char *because, struct judgement *out)
{
    for (size_t i = 0; i < tc->assert_count; i++) {
        struct finding *f = add_finding(out, &tc->asserts[i]);

        f->verdict = verdict;
        f->reason = mem_dup(because);
    }
}

/* Rules for the peer that is tested; what our own side does is no finding. */
static void judge_invariants(const struct testcase *tc, struct journal *j,
                             const struct judge_context *ctx,
                             struct judgement *out)
{
    const struct invariants *all =
        ctx->knowledge ? &ctx->knowledge->invariants : NULL;

    journal_hide_names(j, true);
    for (size_t i = 0; all && i < all->count; i++) {
        const struct assertion *a = &all->items[i].assertion;
        struct finding *f;

        if (all->items[i].binds != tc->role)
            continue;
        f = add_finding(out, a);
        check_assertion(a, j, ctx, weight(ctx->knowledge, a), f);
        if (f->verdict == VERDICT_PASS || f->verdict == VERDICT_NA) {
            finding_release(f);
            out->finding_count--;
            continue;
        }
        f->id_text = mem_printf("invariant/%s", a->id);
        f->id = f->id_text;
    }
    journal_hide_names(j, false);
}

/* ----------------------------------------------------------- the case's own */

struct tally {
    size_t failed, warned, passed;
    const struct finding *first_na, *first_error;
    bool lagged;
};

/* The findings from one to before another; it points into them. */
static struct tally count(const struct judgement *out, size_t from, size_t to)
{
    struct tally t = {0, 0, 0, NULL, NULL, false};

    for (size_t i = from; i < to; i++) {
        const struct finding *f = &out->findings[i];

        t.failed += f->verdict == VERDICT_FAIL;
        t.warned += f->verdict == VERDICT_WARN;
        t.passed += f->verdict == VERDICT_PASS || f->verdict == VERDICT_INFO;
        t.lagged |= f->lagged;
        if (f->verdict == VERDICT_NA && !t.first_na)
            t.first_na = f;
        if (f->verdict == VERDICT_ERROR && !t.first_error)
            t.first_error = f;
    }
    return t;
}

static void conclude(struct judgement *out, enum verdict verdict,
                     const char *reason)
{
    free(out->reason);
    out->verdict = verdict;
    out->reason = mem_dup(reason ? reason : "");
}

static const xmlNode *end_of(struct journal *j)
{
    const xmlNode *n = journal_root(j)->last;

    while (n && !xml_is(n, NULL, "end"))
        n = n->prev;
    return n;
}

/* Did it wait for what this driver never says? */
static bool waited_for_events(const struct judge_context *ctx, const char *why)
{
    return !ctx->has_status && why && strstr(why, "$ev") != NULL;
}

static void conclude_stopped(struct journal *j, const struct judge_context *ctx,
                             struct judgement *out)
{
    const xmlNode *end = end_of(j);
    const char *line = end ? xml_attr(end, NULL, "line") : NULL;
    const char *why = end ? xml_attr(end, NULL, "because") : NULL;
    char *reason = mem_printf("the play stopped%s%s and no assert saw why%s%s",
                              line ? " at line " : "", line ? line : "",
                              why && *why ? ": " : "", why ? why : "");

    if (waited_for_events(ctx, why))
        conclude(out, VERDICT_NA, "the driver reports no status events");
    else
        conclude(out, VERDICT_ERROR, reason);
    free(reason);
}

static void conclude_played(struct journal *j, const struct judge_context *ctx,
                            const struct tally *all,
                            const struct tally *asserts, struct judgement *out)
{
    if (all->failed) {
        conclude(out, VERDICT_FAIL, NULL);
    } else if (all->first_error) {
        conclude(out, VERDICT_ERROR, all->first_error->reason);
        out->lagged = all->lagged;
    } else if (ctx->end == PLAY_STOPPED && !asserts->warned) {
        conclude_stopped(j, ctx, out);
    } else if (all->warned) {
        conclude(out, VERDICT_WARN, NULL);
    } else if (!asserts->passed) {
        conclude(out, VERDICT_NA,
                 asserts->first_na ? asserts->first_na->reason
                                   : "there is nothing to judge");
    } else {
        conclude(out, VERDICT_PASS, NULL);
    }
}

/* The case has no say; invariants that were broken have. */
static void conclude_na(const struct judge_context *ctx,
                        const struct tally *invariants, struct judgement *out)
{
    if (invariants->failed)
        conclude(out, VERDICT_FAIL, NULL);
    else if (invariants->warned)
        conclude(out, VERDICT_WARN, NULL);
    else
        conclude(out, VERDICT_NA,
                 ctx->because && *ctx->because ? ctx->because
                                               : "the case does not apply");
}

/* We could not set the scene, but a rule that was broken on the way there is
 * broken all the same. */
static void conclude_error(const struct judge_context *ctx,
                           const struct tally *invariants,
                           struct judgement *out)
{
    if (invariants->failed)
        conclude(out, VERDICT_FAIL, NULL);
    else
        conclude(out, VERDICT_ERROR,
                 ctx->because && *ctx->because
                     ? ctx->because
                     : "the case could not be played");
}

/* A machine, or a driver, that once did nothing for so long makes waits for a
 * login and the like end too early. */
#define STARVED_MS 2000

/* Is the ERROR perhaps no more than that? Then it is worth another play. */
static bool was_starved(const struct journal *j, const struct judgement *out)
{
    return out->verdict == VERDICT_ERROR &&
           journal_lag(j, 0, INT64_MAX) >= STARVED_MS;
}

/* Nothing that it shows says anything about the peer. */
static void judge_nothing(const struct testcase *tc, const char *reason,
                          struct judgement *out)
{
    skip_asserts(tc, VERDICT_ERROR, reason, out);
    conclude(out, VERDICT_ERROR, reason);
}

void judge_case(const struct testcase *tc, struct journal *j,
                const struct judge_context *ctx, struct judgement *out)
{
    struct tally asserts, invariants, all;
    bool skipped = ctx->end == PLAY_NA || ctx->end == PLAY_ERROR;
    char *gone;
    size_t own;

    memset(out, 0, sizeof *out);
    gone = tc->role == ROLE_SERVER ? judge_outage(j, out) : NULL;
    if (gone) {
        judge_nothing(tc, gone, out);
        free(gone);
        return;
    }
    if (skipped)
        skip_asserts(
            tc, ctx->end == PLAY_NA ? VERDICT_NA : VERDICT_ERROR,
            ctx->because ? ctx->because : "the play did not come so far", out);
    else
        judge_asserts(tc, j, ctx, out);
    own = out->finding_count;
    judge_invariants(tc, j, ctx, out);
    asserts = count(out, 0, own);
    invariants = count(out, own, out->finding_count);
    all = count(out, 0, out->finding_count);
    switch (ctx->end) {
    case PLAY_DONE:
    case PLAY_STOPPED:
        conclude_played(j, ctx, &all, &asserts, out);
        break;
    case PLAY_NA:
        conclude_na(ctx, &invariants, out);
        break;
    case PLAY_ERROR:
        conclude_error(ctx, &invariants, out);
        break;
    }
    out->lagged |= was_starved(j, out);
}

void judgement_release(struct judgement *jt)
{
    if (!jt)
        return;
    for (size_t i = 0; i < jt->finding_count; i++)
        finding_release(&jt->findings[i]);
    free(jt->findings);
    free(jt->reason);
    memset(jt, 0, sizeof *jt);
}
