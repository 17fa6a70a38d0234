/* boshspec coverage: what judges each requirement. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"
#include "coverage.h"
#include "reports/text.h"

enum { KEY_MARKDOWN = 0x600, KEY_OPEN, KEY_ROLE, KEY_CASES };

struct options {
    struct cmd_words words, dirs;
    bool markdown, open;
    const char *role; /* "client", "server"; NULL: both */
};

static const struct argp_option option_list[] = {
    {"role", KEY_ROLE, "ROLE", 0, "client or server: what binds that side", 0},
    {"open", KEY_OPEN, NULL, 0, "Only what nothing judges yet", 0},
    {"markdown", KEY_MARKDOWN, NULL, 0, "All of it, as docs/coverage.md has it",
     0},
    {"cases", KEY_CASES, "DIR", 0,
     "Cases from this folder in place of the bundled ones", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_ROLE:
        if (strcmp(arg, "client") != 0 && strcmp(arg, "server") != 0)
            argp_error(state, "--role '%s': client or server is wanted", arg);
        o->role = arg;
        return 0;
    case KEY_OPEN:
        o->open = true;
        return 0;
    case KEY_MARKDOWN:
        o->markdown = true;
        return 0;
    case KEY_CASES:
        cmd_words_add(&o->dirs, arg);
        return 0;
    case ARGP_KEY_ARG:
        cmd_words_add(&o->words, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    option_list,
    parse,
    "[REQUIREMENT|SECTION...]",
    "Says for each requirement of the catalogue which cases and invariants "
    "judge it, why none can, or that nothing does yet.",
    NULL,
    NULL,
    NULL};

/* ------------------------------------------------------------- text */

static bool wanted(const struct options *o, const struct coverage_row *r)
{
    size_t i;

    if (o->open && coverage_state(r) != COVERAGE_OPEN)
        return false;
    if (o->role &&
        !coverage_binds(r, strcmp(o->role, "client") == 0 ? ROLE_CLIENT
                                                          : ROLE_SERVER))
        return false;
    for (i = 0; i < o->words.count; i++)
        if (select_matches_requirement(r->row, o->words.items[i]))
            return true;
    return o->words.count == 0;
}

static void add_row(struct buf *out, const struct text_style *st,
                    const struct coverage_row *r)
{
    size_t i;

    buf_printf(out, "%s  %s, %s\n    ", r->row->id, r->row->section,
               r->row->level);
    text_wrap(out, st, 4, r->row->text);
    buf_addc(out, '\n');
    for (i = 0; i < r->case_count; i++)
        buf_printf(out, "  case       %s\n", r->cases[i]);
    for (i = 0; i < r->invariant_count; i++)
        buf_printf(out, "  invariant  %s\n", r->invariants[i]);
    if (coverage_state(r) == COVERAGE_UNJUDGED) {
        buf_adds(out, "  not judged ");
        text_wrap(out, st, 13, r->row->unjudged);
        buf_addc(out, '\n');
    } else if (coverage_state(r) == COVERAGE_OPEN) {
        buf_adds(out, "  nothing yet\n");
    }
}

/* Returns how many rows there were. */
static size_t add_text(struct buf *out, const struct options *o,
                       const struct coverage *c)
{
    struct text_style st = text_style_for(STDOUT_FILENO);
    size_t counts[COVERAGE_STATES] = {0}, rows = 0, i;

    for (i = 0; i < c->count; i++) {
        if (!wanted(o, &c->rows[i]))
            continue;
        add_row(out, &st, &c->rows[i]);
        counts[coverage_state(&c->rows[i])]++;
        rows++;
    }
    buf_printf(
        out,
        "\n%zu requirements: %zu judged, %zu cannot be, %zu: nothing yet\n",
        rows, counts[COVERAGE_JUDGED], counts[COVERAGE_UNJUDGED],
        counts[COVERAGE_OPEN]);
    return rows;
}

static void complain(void *ctx, const char *finding)
{
    (void)ctx;
    fprintf(stderr, "boshspec: %s\n", finding);
}

static int print(const struct options *o, const struct cmd_cases *cases)
{
    struct coverage c;
    struct buf out = BUF_INIT;
    size_t rows = 1;
    int status = 0;

    coverage_make(&cases->knowledge, cases->selection.cases,
                  cases->selection.count, &c);
    if (o->markdown)
        coverage_markdown(&c, &out);
    else
        rows = add_text(&out, o, &c);
    fputs(buf_str(&out), stdout);
    buf_release(&out);
    if (rows == 0)
        status = EXIT_TOO_FEW;
    if (coverage_lint(&c, complain, NULL) > 0)
        status = EXIT_USAGE;
    coverage_release(&c);
    return status;
}

int cmd_coverage(int argc, char **argv)
{
    struct options o = {.role = NULL};
    struct select_options all = {.any_role = true};
    struct cmd_cases cases;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    all.dirs = o.dirs.items;
    all.dir_count = o.dirs.count;
    status = cmd_cases_load(&cases, NULL, &all);
    if (status == 0)
        status = print(&o, &cases);
    cmd_cases_release(&cases);
    cmd_words_release(&o.words);
    cmd_words_release(&o.dirs);
    return status;
}
