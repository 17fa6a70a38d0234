/* The result document: see result.h. */
#include "result.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

static const char *const count_names[COUNT_KINDS] = {
    "pass", "fail", "warn", "na", "error", "xfail", "xpass", "flaky"};

const char *result_count_name(enum result_count c)
{
    return count_names[c];
}

enum result_count result_count_of(const char *verdict)
{
    size_t i;

    for (i = 0; i < COUNT_KINDS; i++)
        if (strcmp(count_names[i], verdict) == 0)
            break;
    return (enum result_count)i;
}

/* ------------------------------------------------------------- memory */

void result_init(struct result *r)
{
    memset(r, 0, sizeof *r);
    r->options.timeout_factor = 1.0;
    r->options.repeat = 1;
}

static void release_assert(struct result_assert *a)
{
    size_t i;

    for (i = 0; i < a->exchange_count; i++) {
        free(a->exchanges[i].kind);
        free(a->exchanges[i].rid);
        free(a->exchanges[i].first_line);
        free(a->exchanges[i].answer);
    }
    free(a->exchanges);
    free(a->id);
    free(a->requirement);
    free(a->verdict);
    free(a->says);
    free(a->expected);
    free(a->got);
    free(a->reason);
    free(a->baseline);
}

void result_case_release(struct result_case *c)
{
    size_t i;

    for (i = 0; i < c->assert_count; i++)
        release_assert(&c->asserts[i]);
    for (i = 0; i < c->requirement_count; i++)
        free(c->requirements[i]);
    for (i = 0; i < c->round_count; i++) {
        free(c->rounds[i].verdict);
        free(c->rounds[i].reason);
        free(c->rounds[i].log);
    }
    free(c->rounds);
    free(c->asserts);
    free(c->requirements);
    free(c->id);
    free(c->title);
    free(c->verdict);
    free(c->reason);
    free(c->log);
    free(c->json);
    memset(c, 0, sizeof *c);
}

void result_case_reseal(struct result_case *c)
{
    free(c->json);
    c->json = NULL;
    result_case_seal(c);
}

void result_release(struct result *r)
{
    size_t i;

    for (i = 0; i < r->case_count; i++)
        result_case_release(&r->cases[i]);
    for (i = 0; i < r->requirement_count; i++) {
        free(r->requirements[i].id);
        free(r->requirements[i].section);
        free(r->requirements[i].level);
        free(r->requirements[i].text);
    }
    free(r->cases);
    free(r->requirements);
    free(r->version);
    free(r->suite_hash);
    free(r->started);
    free(r->role);
    free(r->peer_name);
    free(r->peer_version);
    free(r->peer_command);
    free(r->peer_url);
    free(r->slowest);
    memset(r, 0, sizeof *r);
}

struct result_assert *result_case_assert(struct result_case *c)
{
    struct result_assert *a;

    c->asserts =
        mem_grow(c->asserts, (c->assert_count + 1) * sizeof *c->asserts);
    a = &c->asserts[c->assert_count++];
    memset(a, 0, sizeof *a);
    return a;
}

struct result_exchange *result_assert_exchange(struct result_assert *a)
{
    struct result_exchange *x;

    a->exchanges =
        mem_grow(a->exchanges, (a->exchange_count + 1) * sizeof *a->exchanges);
    x = &a->exchanges[a->exchange_count++];
    memset(x, 0, sizeof *x);
    return x;
}

struct result_round *result_case_round(struct result_case *c)
{
    struct result_round *round;

    c->rounds = mem_grow(c->rounds, (c->round_count + 1) * sizeof *c->rounds);
    round = &c->rounds[c->round_count++];
    memset(round, 0, sizeof *round);
    return round;
}

void result_add(struct result *r, struct result_case *c)
{
    result_case_seal(c);
    r->cases = mem_grow(r->cases, (r->case_count + 1) * sizeof *r->cases);
    r->cases[r->case_count++] = *c;
    memset(c, 0, sizeof *c);
}

const struct result_requirement *result_find_requirement(const struct result *r,
                                                         const char *id)
{
    size_t i;

    for (i = 0; i < r->requirement_count; i++)
        if (strcmp(r->requirements[i].id, id) == 0)
            return &r->requirements[i];
    return NULL;
}

void result_add_requirement(struct result *r, const char *id,
                            const char *section, const char *level,
                            const char *text)
{
    struct result_requirement *q;

    if (result_find_requirement(r, id))
        return;
    r->requirements = mem_grow(r->requirements, (r->requirement_count + 1) *
                                                    sizeof *r->requirements);
    q = &r->requirements[r->requirement_count++];
    q->id = mem_dup(id);
    q->section = mem_dup(section);
    q->level = mem_dup(level);
    q->text = mem_dup(text);
}

size_t result_count(const struct result *r, enum result_count c)
{
    size_t n = 0, i;

    for (i = 0; i < r->case_count; i++)
        n += result_count_of(r->cases[i].verdict) == c;
    return n;
}

size_t result_judged(const struct result *r)
{
    return r->case_count - result_count(r, COUNT_NA) -
           result_count(r, COUNT_ERROR);
}

bool result_is_failure(const struct result *r, const struct result_case *c)
{
    switch (result_count_of(c->verdict)) {
    case COUNT_FAIL:
    case COUNT_XPASS:
    case COUNT_FLAKY:
        return true;
    case COUNT_WARN:
        return r->options.strict;
    case COUNT_PASS:
    case COUNT_NA:
    case COUNT_ERROR:
    case COUNT_XFAIL:
    case COUNT_KINDS:
        break;
    }
    return false;
}

bool result_assert_matters(const struct result_case *c,
                           const struct result_assert *a)
{
    if (strcmp(a->verdict, "error") == 0)
        return !a->reason || !c->reason || strcmp(a->reason, c->reason) != 0;
    return !a->baseline &&
           (strcmp(a->verdict, "fail") == 0 || strcmp(a->verdict, "warn") == 0);
}

const char *result_unfinished(const struct result *r)
{
    size_t i;

    if (r->interrupted)
        return "interrupted";
    for (i = 0; r->options.fail_fast && i < r->case_count; i++)
        if (result_is_failure(r, &r->cases[i]))
            return "stopped at the first failure";
    return "the run did not finish";
}

const char *result_one_reason(const struct result *r)
{
    const char *reason = NULL;
    size_t i;

    for (i = 0; i < r->case_count; i++) {
        const struct result_case *c = &r->cases[i];

        if (strcmp(c->verdict, "na") == 0)
            continue;
        if (strcmp(c->verdict, "error") != 0 || !c->reason ||
            (reason && strcmp(reason, c->reason) != 0))
            return NULL;
        reason = c->reason;
    }
    return reason;
}
