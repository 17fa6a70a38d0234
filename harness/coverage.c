/* Which cases and invariants judge which requirement: see coverage.h. */
#include "coverage.h"

#include <stdlib.h>
#include <string.h>

const char *coverage_state_name(enum coverage_state s)
{
    static const char *const names[] = {"judged", "not judged", "nothing yet"};

    return names[s];
}

static int by_line(const void *a, const void *b)
{
    return ((const struct coverage_row *)a)->row->line -
           ((const struct coverage_row *)b)->row->line;
}

/* A list of ids, each once. They come sorted. */
static void add_id(const char ***ids, size_t *count, const char *id)
{
    if (*count > 0 && strcmp((*ids)[*count - 1], id) == 0)
        return;
    *ids = mem_grow(*ids, (*count + 1) * sizeof **ids);
    (*ids)[(*count)++] = id;
}

static bool judges(const struct assertion *a, const struct requirement *row)
{
    bool control = a->level == LEVEL_MAY && strcmp(row->breaks, "record") != 0;

    return !control && strcmp(a->req, row->id) == 0;
}

static void find_judges(const struct knowledge *k,
                        struct testcase *const *cases, size_t case_count,
                        struct coverage_row *r)
{
    size_t i, a;

    for (i = 0; i < case_count; i++)
        for (a = 0; a < cases[i]->assert_count; a++)
            if (judges(&cases[i]->asserts[a], r->row))
                add_id(&r->cases, &r->case_count, cases[i]->id);
    for (i = 0; i < k->invariants.count; i++)
        if (judges(&k->invariants.items[i].assertion, r->row))
            add_id(&r->invariants, &r->invariant_count,
                   k->invariants.items[i].assertion.id);
}

void coverage_make(const struct knowledge *k, struct testcase *const *cases,
                   size_t case_count, struct coverage *out)
{
    size_t i;

    out->count = k->catalogue.count;
    out->rows = mem_alloc((out->count + 1) * sizeof *out->rows);
    memset(out->rows, 0, (out->count + 1) * sizeof *out->rows);
    for (i = 0; i < out->count; i++)
        out->rows[i].row = &k->catalogue.rows[i];
    qsort(out->rows, out->count, sizeof *out->rows, by_line);
    for (i = 0; i < out->count; i++)
        find_judges(k, cases, case_count, &out->rows[i]);
}

void coverage_release(struct coverage *c)
{
    size_t i;

    for (i = 0; i < c->count; i++) {
        free(c->rows[i].cases);
        free(c->rows[i].invariants);
    }
    free(c->rows);
    memset(c, 0, sizeof *c);
}

enum coverage_state coverage_state(const struct coverage_row *r)
{
    if (r->case_count + r->invariant_count > 0)
        return COVERAGE_JUDGED;
    return r->row->unjudged ? COVERAGE_UNJUDGED : COVERAGE_OPEN;
}

bool coverage_binds(const struct coverage_row *r, enum role role)
{
    const char *subject = role == ROLE_CLIENT ? "client" : "cm";

    return strcmp(r->row->subject, subject) == 0 ||
           strcmp(r->row->subject, "both") == 0;
}

size_t coverage_lint(const struct coverage *c,
                     void (*say)(void *ctx, const char *finding), void *ctx)
{
    size_t found = 0, i;

    for (i = 0; i < c->count; i++) {
        const struct coverage_row *r = &c->rows[i];
        char *words;

        if (!r->row->unjudged || coverage_state(r) != COVERAGE_JUDGED)
            continue;
        words = mem_printf(
            "requirements.xml:%d: '%s' says why nothing judges it, and %s does",
            r->row->line, r->row->id,
            r->case_count ? r->cases[0] : r->invariants[0]);
        say(ctx, words);
        free(words);
        found++;
    }
    return found;
}

/* ------------------------------------------------------------- markdown */

#define LEVELS 5

static const char *const level_names[LEVELS] = {"MUST (NOT)", "SHOULD (NOT)",
                                                "IMPLIED", "MAY", "PRACTICE"};

static size_t level_of(const struct requirement *row)
{
    static const char *const begins[LEVELS] = {"MUST", "SHOULD", "IMPLIED",
                                               "MAY", "PRACTICE"};
    size_t i = 0;

    while (i < LEVELS - 1 &&
           strncmp(row->level, begins[i], strlen(begins[i])) != 0)
        i++;
    return i;
}

static void add_counts(const struct coverage *c, enum role role,
                       struct buf *out)
{
    size_t counts[LEVELS][COVERAGE_STATES] = {{0}};
    size_t i, s;

    for (i = 0; i < c->count; i++)
        if (coverage_binds(&c->rows[i], role))
            counts[level_of(c->rows[i].row)][coverage_state(&c->rows[i])]++;
    buf_printf(out, "\n| binds the %s |",
               role == ROLE_CLIENT ? "client" : "manager");
    for (s = 0; s < COVERAGE_STATES; s++)
        buf_printf(out, " %s |", coverage_state_name((enum coverage_state)s));
    buf_adds(out, "\n|---|---|---|---|\n");
    for (i = 0; i < LEVELS; i++) {
        buf_printf(out, "| %s |", level_names[i]);
        for (s = 0; s < COVERAGE_STATES; s++)
            buf_printf(out, " %zu |", counts[i][s]);
        buf_addc(out, '\n');
    }
}

static void add_ids(struct buf *out, const char *what, const char *const *ids,
                    size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        buf_printf(out, "%s%s%s", i ? ", " : "", i ? "" : what, ids[i]);
}

static void add_row(const struct coverage_row *r, struct buf *out)
{
    buf_printf(out, "| %s | %s | %s | ", r->row->id, r->row->level,
               r->row->subject);
    switch (coverage_state(r)) {
    case COVERAGE_JUDGED:
        add_ids(out, "", r->cases, r->case_count);
        if (r->case_count && r->invariant_count)
            buf_adds(out, "; ");
        add_ids(out, r->invariant_count > 1 ? "invariants " : "invariant ",
                r->invariants, r->invariant_count);
        break;
    case COVERAGE_UNJUDGED:
        buf_printf(out, "not judged: %s", r->row->unjudged);
        break;
    case COVERAGE_OPEN:
    case COVERAGE_STATES:
        buf_adds(out, "nothing yet");
        break;
    }
    buf_adds(out, " |\n");
}

void coverage_markdown(const struct coverage *c, struct buf *out)
{
    const char *section = "";
    size_t i;

    buf_adds(out,
             "# Coverage\n\nWritten by `make coverage`. Every requirement of "
             "the catalogue, and what judges it: cases, rules that watch "
             "every\ncase (invariants), the reason why nothing can, or nothing "
             "yet.\n");
    add_counts(c, ROLE_CLIENT, out);
    add_counts(c, ROLE_SERVER, out);
    for (i = 0; i < c->count; i++) {
        if (strcmp(c->rows[i].row->section, section) != 0) {
            section = c->rows[i].row->section;
            buf_printf(out,
                       "\n## %s\n\n| requirement | level | binds | judged by "
                       "|\n|---|---|---|---|\n",
                       section);
        }
        add_row(&c->rows[i], out);
    }
}
