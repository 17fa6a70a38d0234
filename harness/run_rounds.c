/* Several plays of a case, one verdict (--repeat): see run_parts.h. */
#include "run_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

#define MAX_LISTED 20 /* rounds in a line; the result has all */

/* Which round a person wants to see. */
static int badness(const char *verdict)
{
    switch (result_count_of(verdict)) {
    case COUNT_FAIL:
        return 6;
    case COUNT_XPASS:
        return 5;
    case COUNT_ERROR:
        return 4;
    case COUNT_WARN:
        return 3;
    case COUNT_XFAIL:
        return 2;
    case COUNT_PASS:
        return 1;
    case COUNT_NA:
    case COUNT_FLAKY: /* a case is, a round is not */
    case COUNT_KINDS:
        break;
    }
    return 0;
}

static void note(struct result_case *to, const struct result_case *c)
{
    struct result_round *round = result_case_round(to);

    round->verdict = mem_dup(c->verdict);
    round->reason = mem_dup(c->reason);
    round->log = mem_dup(c->log);
    round->duration_ms = c->duration_ms;
}

/* Make c the round that is shown; the list of all goes with it. */
static void show_instead(struct result_case *shown, struct result_case *c)
{
    c->rounds = shown->rounds;
    c->round_count = shown->round_count;
    shown->rounds = NULL;
    shown->round_count = 0;
    result_case_release(shown);
    *shown = *c;
    memset(c, 0, sizeof *c);
}

/* ------------------------------------------------------------- verdict */

static size_t count_of(const struct result_case *c, enum result_count kind)
{
    size_t n = 0, i;

    for (i = 0; i < c->round_count; i++)
        n += result_count_of(c->rounds[i].verdict) == kind;
    return n;
}

/* Do two rounds that were judged differ? */
static bool differ(const struct result_case *c)
{
    size_t kinds = 0;
    int i;

    for (i = 0; i < COUNT_KINDS; i++)
        if (i != COUNT_NA && i != COUNT_ERROR)
            kinds += count_of(c, (enum result_count)i) > 0;
    return kinds > 1;
}

/* "2 pass, 1 fail: pass fail pass". Yours. */
static char *list(const struct result_case *c)
{
    struct buf out = BUF_INIT;
    size_t i;

    for (i = 0; i < COUNT_KINDS; i++) {
        size_t n = count_of(c, (enum result_count)i);

        if (n > 0)
            buf_printf(&out, "%s%zu %s", out.len > 0 ? ", " : "", n,
                       result_count_name((enum result_count)i));
    }
    buf_addc(&out, ':');
    for (i = 0; i < c->round_count && i < MAX_LISTED; i++)
        buf_printf(&out, " %s", c->rounds[i].verdict);
    if (i < c->round_count)
        buf_adds(&out, " ...");
    return buf_take(&out);
}

static void replace(char **to, char *with)
{
    free(*to);
    *to = with;
}

/* An ERROR in one round is not made good by the others. */
static void conclude_error(struct result_case *c)
{
    size_t i;

    for (i = 0; i < c->round_count; i++)
        if (result_count_of(c->rounds[i].verdict) == COUNT_ERROR)
            break;
    replace(&c->reason,
            mem_printf("round %zu of %zu: %s", i + 1, c->round_count,
                       c->rounds[i].reason ? c->rounds[i].reason : ""));
    replace(&c->verdict, mem_dup("error"));
}

void rounds_conclude(struct item *it)
{
    struct result_case *c = &it->worst;

    if (differ(c)) {
        replace(&c->reason, list(c));
        replace(&c->verdict, mem_dup("flaky"));
    } else if (count_of(c, COUNT_ERROR) > 0 && c->round_count > 1) {
        conclude_error(c);
    }
    it->verdict = *c;
    memset(c, 0, sizeof *c);
}

bool rounds_add(struct item *it)
{
    unsigned repeat = it->run->options->repeat;

    if (repeat <= 1)
        return true;
    note(&it->worst, &it->verdict);
    if (!it->worst.id ||
        badness(it->verdict.verdict) > badness(it->worst.verdict))
        show_instead(&it->worst, &it->verdict);
    else
        result_case_release(&it->verdict);
    if (it->worst.round_count < repeat && !it->run->stopping)
        return false;
    rounds_conclude(it);
    return true;
}
