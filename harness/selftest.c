/*
 * The self-test: see selftest.h.
 *
 * Cells are shared out among worker processes, not threads: a twin that
 * crashes then spoils its own cells only, and cases need no locks.
 */
#include "selftest_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "tests/twins/twins.h"
#include "virtual.h"

/* ---- one cell ---- */

static struct client_peer *make_client(void *ctx)
{
    return twin_client_peer(ctx);
}

static struct server_peer *make_server(void *ctx)
{
    return twin_server_peer(ctx);
}

void selftest_play(const struct knowledge *k, const struct testcase *tc,
                   const char *twin, const struct event_sink *log,
                   struct judgement *out)
{
    struct judge_context ctx = {
        .knowledge = k, .has_status = true, .has_stanza = true};
    struct virtual_result r = {0};
    void *peer = twin ? (void *)(uintptr_t)twin_find(tc->role, twin) : NULL;

    if (tc->role == ROLE_CLIENT)
        virtual_play_client(tc, make_client, peer, log, &r);
    else
        virtual_play_server(tc, make_server, peer, log, &r);
    ctx.end = r.end;
    ctx.because = r.because;
    judge_case(tc, r.journal, &ctx, out);
    virtual_release(&r);
}

static bool finds_fault(const struct finding *f)
{
    return f->verdict == VERDICT_FAIL || f->verdict == VERDICT_WARN;
}

bool selftest_is_practice(const struct knowledge *k, const char *req)
{
    const struct requirement *r = catalogue_find(&k->catalogue, req);

    return r && strcmp(r->level, "PRACTICE") == 0;
}

static bool has_word(const char *list, const char *prefix, const char *word)
{
    char *spaced = mem_printf(" %s%s ", prefix, word);
    bool found = strstr(list, spaced) != NULL;

    free(spaced);
    return found;
}

/* True when a rule was to find fault, and did. */
static bool play_cell(const struct selftest_job *job, size_t index, FILE *to)
{
    const struct selftest_cell *cell = &job->st->cells[index];
    struct judgement j;
    struct buf faults = BUF_INIT;
    unsigned advised = 0;
    bool found;

    selftest_play(job->knowledge, job->cases[cell->tc], cell->twin, NULL, &j);
    buf_addc(&faults, ' ');
    for (size_t i = 0; i < j.finding_count; i++) {
        if (!finds_fault(&j.findings[i]))
            continue;
        buf_printf(&faults, "%s ", j.findings[i].id);
        advised += !selftest_is_practice(job->knowledge, j.findings[i].req);
    }
    selftest_tell(to, index, j.verdict, advised, buf_str(&faults), j.reason);
    found = cell->want == WANT_RULE &&
            has_word(buf_str(&faults), "invariant/", cell->by);
    buf_release(&faults);
    judgement_release(&j);
    return found;
}

/* Cells of one rule and one twin stand together; once it was caught, the rest
 * of them need not be played. */
static bool goes_on(const struct selftest *st, size_t i)
{
    const struct selftest_cell *a = &st->cells[i], *b = &st->cells[i - 1];

    return a->want == WANT_RULE && b->want == WANT_RULE &&
           strcmp(a->by, b->by) == 0 && strcmp(a->twin, b->twin) == 0;
}

static void play_share(const struct selftest_job *job, unsigned share,
                       unsigned shares, FILE *to)
{
    size_t group = 0;
    bool caught = false;

    for (size_t i = 0; i < job->st->count; i++) {
        if (i > 0 && !goes_on(job->st, i)) {
            group++;
            caught = false;
        }
        if (group % shares == share && !caught)
            caught = play_cell(job, i, to);
    }
}

/* ---- the plan ---- */

static void add_cell(struct selftest *st, size_t tc, const char *twin,
                     const char *by, enum selftest_want want)
{
    struct selftest_cell *cell;

    st->cells = mem_grow(st->cells, (st->count + 1) * sizeof *st->cells);
    cell = &st->cells[st->count++];
    memset(cell, 0, sizeof *cell);
    cell->tc = tc;
    cell->twin = twin;
    cell->by = by;
    cell->want = want;
}

static bool names_twin(const struct testcase *tc, const char *twin)
{
    for (size_t i = 0; i < tc->caught_count; i++) {
        if (strcmp(tc->caught[i].twin, twin) == 0)
            return true;
    }
    for (size_t i = 0; i < tc->spares_count; i++) {
        if (strcmp(tc->spares[i].twin, twin) == 0)
            return true;
    }
    return false;
}

/* The peers that a case does not name: those in the right must be left in
 * peace, the others are looked at when the whole matrix is wanted. So are all
 * by cases with floods and bombs, which take as long as many others. */
static void plan_others(struct selftest *st, const struct testcase *tc,
                        size_t index, bool whole)
{
    bool heavy = testcase_has_tag(tc, "hostile");
    const struct twin *t;

    for (size_t i = 0; (t = twin_at(tc->role, i)) != NULL; i++) {
        if (names_twin(tc, t->name) ||
            ((t->kind == TWIN_FAULTY || heavy) && !whole))
            continue;
        add_cell(st, index, t->name, NULL,
                 t->kind == TWIN_FAULTY ? WANT_NOTHING : WANT_CALM);
        st->cells[st->count - 1].unadvised = t->kind == TWIN_UNADVISED;
    }
}

void selftest_plan(struct selftest *st, const struct testcase *tc, size_t index,
                   bool whole, bool others)
{
    add_cell(st, index, NULL, NULL, WANT_PASS);
    for (size_t i = 0; i < tc->caught_count; i++)
        add_cell(st, index, tc->caught[i].twin, tc->caught[i].by, WANT_CAUGHT);
    for (size_t i = 0; i < tc->spares_count; i++)
        add_cell(st, index, tc->spares[i].twin, NULL, WANT_PASS);
    if (others)
        plan_others(st, tc, index, whole);
}

static void plan_rule(struct selftest *st, const struct invariant *inv,
                      const char *twin, struct testcase *const *cases,
                      size_t count, bool named)
{
    for (size_t c = 0; c < count; c++) {
        if (cases[c]->role == inv->binds && !cases[c]->sockets_only[0] &&
            names_twin(cases[c], twin) == named)
            add_cell(st, c, twin, inv->assertion.id, WANT_RULE);
    }
}

/* An invariant's twin is caught in some case of its role: most likely in one
 * that names it. */
static void plan_rules(struct selftest *st, const struct knowledge *k,
                       struct testcase *const *cases, size_t count)
{
    for (size_t i = 0; i < k->invariants.count; i++) {
        const struct invariant *inv = &k->invariants.items[i];

        for (size_t t = 0; t < inv->caught_count; t++) {
            plan_rule(st, inv, inv->caught[t].twin, cases, count, true);
            plan_rule(st, inv, inv->caught[t].twin, cases, count, false);
        }
    }
}

/* ---- what came, against what was wanted ---- */

void selftest_weigh(struct selftest_cell *cell)
{
    switch (cell->want) {
    case WANT_PASS:
        cell->good = cell->verdict == VERDICT_PASS;
        break;
    case WANT_CAUGHT:
        cell->good =
            (cell->verdict == VERDICT_FAIL || cell->verdict == VERDICT_WARN) &&
            has_word(cell->faults, "", cell->by);
        break;
    case WANT_CALM:
        cell->good = cell->verdict != VERDICT_FAIL &&
                     cell->verdict != VERDICT_ERROR &&
                     (!cell->advised || cell->unadvised);
        break;
    case WANT_RULE:
        cell->good = has_word(cell->faults, "invariant/", cell->by);
        break;
    case WANT_NOTHING:
        cell->good = true;
        break;
    }
}

int selftest_run(const struct knowledge *k, struct testcase *const *cases,
                 size_t count, bool whole, unsigned workers,
                 struct selftest *out, struct err *e)
{
    const struct selftest_job job = {play_share, k, cases, out, NULL};

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        if (!cases[i]->sockets_only[0])
            selftest_plan(out, cases[i], i, whole, true);
    }
    plan_rules(out, k, cases, count);
    return selftest_work(&job, workers ? workers : 1, e);
}

void selftest_release(struct selftest *st)
{
    for (size_t i = 0; i < st->count; i++) {
        free(st->cells[i].faults);
        free(st->cells[i].because);
    }
    free(st->cells);
    memset(st, 0, sizeof *st);
}
