/* One assert over one journal: see judge.h. */
#include "judge_parts.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

/* One node's judgement. The texts are made for the first miss only. */
struct check {
    const struct assertion *a;
    struct journal *j;
    xmlNodePtr it; /* or NULL */
    struct finding *f;
    struct blame guilty;
    size_t missed, erred, passed;
};

static bool is_nothing(xmlXPathObjectPtr value)
{
    return value->type == XPATH_NODESET &&
           xmlXPathNodeSetIsEmpty(value->nodesetval);
}

/* ------------------------------------------------------------------ words */

/* As a person reads it: strings in quotes, numbers without. */
static void print_value(struct buf *out, xmlXPathObjectPtr value)
{
    bool quote = value->type == XPATH_STRING ||
                 (value->type == XPATH_NODESET && !is_nothing(value));

    if (quote)
        buf_addc(out, '\'');
    value_print(out, value);
    if (quote)
        buf_addc(out, '\'');
}

/* The expression itself, on one line. */
static void print_expr(struct buf *out, const struct expr *ex)
{
    bool space = false;

    for (const char *p = expr_text(ex); *p; p++) {
        if (isspace((unsigned char)*p)) {
            space = out->len > 0;
            continue;
        }
        if (space)
            buf_addc(out, ' ');
        space = false;
        buf_addc(out, *p);
    }
}

static void missed(struct check *c, struct buf *expected, struct buf *got)
{
    if (!c->f->expected) {
        c->f->expected = buf_take(expected);
        c->f->got = buf_take(got);
    }
    buf_release(expected);
    buf_release(got);
}

static enum check_result say(struct check *c, enum check_result result,
                             const char *reason)
{
    if (!c->f->reason)
        c->f->reason = mem_dup(reason);
    return result;
}

/* --------------------------------------------------------- the three kinds */

static enum check_result check_test(struct check *c)
{
    struct buf expected = BUF_INIT, got = BUF_INIT;
    struct err e = {""};

    if (expr_true(c->a->test, c->j, NULL, &e))
        return CHECK_PASSED;
    if (e.text[0])
        return say(c, CHECK_ERROR, e.text);
    print_expr(&expected, c->a->test);
    buf_adds(&got, "not so");
    missed(c, &expected, &got);
    return CHECK_MISSED;
}

/* XPath's string(), whole numbers exactly. Yours. */
static char *text_of(xmlXPathObjectPtr value)
{
    struct buf text = BUF_INIT;
    xmlChar *s;

    if (value->type == XPATH_NUMBER) {
        expr_print_number(&text, value->floatval);
        return buf_take(&text);
    }
    s = xmlXPathCastToString(value);
    buf_adds(&text, (const char *)s);
    xmlFree(s);
    return buf_take(&text);
}

static bool same_text(xmlXPathObjectPtr a, xmlXPathObjectPtr b)
{
    char *a_text = text_of(a), *b_text = text_of(b);
    bool same = strcmp(a_text, b_text) == 0;

    free(a_text);
    free(b_text);
    return same;
}

static enum check_result check_is(struct check *c, xmlXPathObjectPtr got)
{
    struct buf expected = BUF_INIT, text = BUF_INIT;
    struct err e = {""};
    bool hit = false;

    for (size_t i = 0; i < c->a->is_count && !hit && !e.text[0]; i++) {
        xmlXPathObjectPtr is = expr_eval(c->a->is[i], c->j, NULL, &e);

        if (is && !is_nothing(is)) {
            hit = same_text(got, is);
            buf_adds(&expected, expected.len ? " or " : "");
            print_value(&expected, is);
        }
        xmlXPathFreeObject(is);
    }
    if (hit || e.text[0] || !expected.len) {
        buf_release(&expected);
        if (hit)
            return CHECK_PASSED;
        return e.text[0] ? say(c, CHECK_ERROR, e.text)
                         : say(c, CHECK_NA, "there is nothing to compare with");
    }
    print_value(&text, got);
    missed(c, &expected, &text);
    return CHECK_MISSED;
}

static enum check_result check_is_not(struct check *c, xmlXPathObjectPtr got)
{
    struct buf expected = BUF_INIT, text = BUF_INIT;
    struct err e = {""};
    xmlXPathObjectPtr is = expr_eval(c->a->is_not, c->j, NULL, &e);
    enum check_result result = CHECK_PASSED;

    if (!is)
        return say(c, CHECK_ERROR, e.text);
    if (is_nothing(is)) {
        result = say(c, CHECK_NA, "there is nothing to compare with");
    } else if (same_text(got, is)) {
        buf_adds(&expected, "not ");
        print_value(&expected, is);
        print_value(&text, got);
        missed(c, &expected, &text);
        result = CHECK_MISSED;
    }
    xmlXPathFreeObject(is);
    return result;
}

/* By how much got is beyond the bound; NAN: got is nothing. */
static double beyond(double got, double bound, bool least)
{
    return isnan(got) ? (double)NAN : least ? bound - got : got - bound;
}

/* Could our own lag explain the miss? Says so if it could. */
static bool blame_ourselves(struct check *c, const struct bound *b, double got,
                            double miss)
{
    int64_t lag;
    char *reason;

    if (!b->clock || isnan(miss))
        return false;
    lag = blame_lag(c->a, c->j, c->it, got);
    if (miss > (double)lag)
        return false;
    reason = mem_printf("missed by %.0f ms, while our own loop lagged, or "
                        "connecting or logging in took longer, by up to %lld "
                        "ms",
                        miss, (long long)lag);
    say(c, CHECK_ERROR, reason);
    free(reason);
    c->f->lagged = true;
    return true;
}

static void print_bound(struct buf *out, const char *words, double number)
{
    buf_printf(out, "%s%s ", out->len ? " and " : "", words);
    expr_print_number(out, number);
}

static enum check_result check_bounds(struct check *c, xmlXPathObjectPtr value)
{
    const struct bound *bounds[2] = {&c->a->at_least, &c->a->at_most};
    struct buf expected = BUF_INIT, text = BUF_INIT;
    double got = xmlXPathCastToNumber(value);
    enum check_result result = CHECK_PASSED;

    for (size_t i = 0; i < 2; i++) {
        struct err e = {""};
        double bound, miss;

        if (!bounds[i]->expr)
            continue;
        bound = expr_number(bounds[i]->expr, c->j, NULL, &e);
        if (e.text[0] || isnan(bound)) {
            result = e.text[0]
                         ? say(c, CHECK_ERROR, e.text)
                         : say(c, CHECK_NA, "there is no bound to hold it to");
            break;
        }
        print_bound(&expected, i == 0 ? "at least" : "at most", bound);
        miss = beyond(got, bound, i == 0);
        if (miss <= 0)
            continue;
        result = blame_ourselves(c, bounds[i], got, miss) ? CHECK_ERROR
                                                          : CHECK_MISSED;
        if (result == CHECK_MISSED)
            break;
    }
    if (result == CHECK_MISSED) {
        expr_print_number(&text, got);
        if (isnan(got)) {
            buf_clear(&text);
            buf_adds(&text, "nothing");
        }
        missed(c, &expected, &text);
    }
    buf_release(&expected);
    return result;
}

static enum check_result check_got(struct check *c)
{
    struct err e = {""};
    xmlXPathObjectPtr got = expr_eval(c->a->got, c->j, NULL, &e);
    enum check_result result;

    if (!got)
        return say(c, CHECK_ERROR, e.text);
    if (c->a->is_count)
        result = check_is(c, got);
    else if (c->a->is_not)
        result = check_is_not(c, got);
    else
        result = check_bounds(c, got);
    xmlXPathFreeObject(got);
    return result;
}

/* ------------------------------------------------------- once, or for each */

static void check_node(struct check *c, xmlNodePtr it)
{
    c->it = it;
    journal_set_it(c->j, it);
    switch (c->a->test ? check_test(c) : check_got(c)) {
    case CHECK_PASSED:
        c->passed++;
        break;
    case CHECK_MISSED:
        c->missed++;
        if (it)
            blame_node(&c->guilty, it);
        break;
    case CHECK_NA:
        break;
    case CHECK_ERROR:
        c->erred++;
        if (it)
            blame_node(&c->guilty, it);
        break;
    }
}

static void check_each(struct check *c)
{
    struct err e = {""};
    xmlXPathObjectPtr each = expr_eval(c->a->each, c->j, NULL, &e);

    if (!each) {
        c->erred++;
        say(c, CHECK_ERROR, e.text);
    } else if (each->type != XPATH_NODESET) {
        c->erred++;
        say(c, CHECK_ERROR, "'each' gives no nodes");
    } else if (is_nothing(each)) {
        say(c, CHECK_NA, "there is nothing to judge");
    } else {
        for (int i = 0; i < each->nodesetval->nodeNr; i++)
            check_node(c, each->nodesetval->nodeTab[i]);
    }
    journal_set_it(c->j, NULL);
    xmlXPathFreeObject(each);
}

static bool has_words(const struct expr *ex, const char *words)
{
    return ex && strstr(expr_text(ex), words) != NULL;
}

static bool mentions(const struct assertion *a, const char *words)
{
    for (size_t i = 0; i < a->is_count; i++)
        if (has_words(a->is[i], words))
            return true;
    return has_words(a->each, words) || has_words(a->test, words) ||
           has_words(a->got, words) || has_words(a->is_not, words) ||
           has_words(a->at_least.expr, words) ||
           has_words(a->at_most.expr, words);
}

/* Who says nothing must not be blamed for what it did not say. Of events only
 * a status has a value. */
static const char *unsaid(const struct assertion *a,
                          const struct judge_context *ctx)
{
    if (!ctx->has_status && !ctx->has_stanza)
        return "the driver reports no events";
    if (!ctx->has_status && mentions(a, "@value"))
        return "the driver reports no status events";
    if (!ctx->has_stanza && mentions(a, "'stanza'"))
        return "the driver reports no stanzas";
    return NULL;
}

static const char *unmet(const struct assertion *a,
                         const struct judge_context *ctx)
{
    switch (a->needs) {
    case NEEDS_STATUS:
        return ctx->has_status ? NULL : "the driver reports no status events";
    case NEEDS_STANZA:
        return ctx->has_stanza ? NULL : "the driver reports no stanzas";
    case NEEDS_NOTHING:
        break;
    }
    return mentions(a, "$ev") ? unsaid(a, ctx) : NULL;
}

/* Was the play too restless for a miss to count? Says so if it was. */
static bool too_restless(struct check *c)
{
    int64_t worst = journal_worst_lag(c->j);
    char *reason;

    if (c->a->calm_ms < 0 || worst <= c->a->calm_ms)
        return false;
    reason = mem_printf("missed, in a play in which we or the driver were up "
                        "to %lld ms late",
                        (long long)worst);
    free(c->f->reason);
    c->f->reason = reason;
    c->f->verdict = VERDICT_ERROR;
    c->f->lagged = true;
    return true;
}

/* The worst counts; its story goes with it, others' goes. */
static void conclude(struct check *c, enum verdict miss)
{
    struct finding *f = c->f;

    if (c->missed && too_restless(c)) {
        c->erred++;
    } else if (c->missed) {
        f->verdict = miss;
        f->lagged = false;
        if (c->missed > 1) {
            char *got =
                mem_printf("%s, and %zu more like it", f->got, c->missed - 1);

            free(f->got);
            f->got = got;
        }
    } else {
        f->verdict = c->erred    ? VERDICT_ERROR
                     : c->passed ? VERDICT_PASS
                                 : VERDICT_NA;
    }
    if (f->verdict != VERDICT_NA && f->verdict != VERDICT_ERROR) {
        free(f->reason);
        f->reason = NULL;
    }
    if (c->missed || c->erred) {
        blame_handles(&c->guilty, c->a, c->j);
        blame_expr(&c->guilty, c->a->show, c->j);
    }
    f->exchanges = c->guilty.exchanges;
    f->exchange_count = c->guilty.count;
}

void check_assertion(const struct assertion *a, struct journal *j,
                     const struct judge_context *ctx, enum verdict miss,
                     struct finding *f)
{
    struct check c = {.a = a, .j = j, .f = f};
    const char *reason = unmet(a, ctx);

    journal_set_it(j, NULL);
    if (reason)
        say(&c, CHECK_NA, reason);
    else if (a->each)
        check_each(&c);
    else
        check_node(&c, NULL);
    conclude(&c, miss);
}
