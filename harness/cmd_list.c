/* boshspec list, boshspec show: what cases there are, and one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"
#include "reports/text.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct cmd_run *c = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        cmd_words_add(&c->words, arg);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&cmd_select_argp, 0, "Which cases", 1},
    {0},
};

static const struct argp list_argp = {
    NULL,     parse, "[SELECT...]", "Lists cases of both roles: id and title.",
    children, NULL,  NULL};
static const struct argp show_argp = {
    NULL,     parse, "SELECT...", "Says all that a case says about itself.",
    children, NULL,  NULL};

/* ------------------------------------------------------------- words */

static void add_words(struct buf *out, const struct text_style *st,
                      const char *name, const char *words)
{
    buf_printf(out, "%-9s ", name);
    text_wrap(out, st, 10, words);
    buf_addc(out, '\n');
}

static void add_requirement(struct buf *out, const struct text_style *st,
                            const struct knowledge *k, const char *id)
{
    const struct requirement *r = catalogue_find(&k->catalogue, id);
    char *words =
        r ? mem_printf("%s, %s, %s: %s", id, r->section, r->level, r->text)
          : mem_dup(id);

    add_words(out, st, "covers", words);
    free(words);
}

static void add_need(struct buf *out, const struct text_style *st,
                     const struct needs *n)
{
    char *words = n->verb           ? mem_printf("verb %s", n->verb)
                  : n->event        ? mem_printf("event %s", n->event)
                  : n->option       ? mem_printf("option %s", n->option)
                  : n->own_process  ? mem_dup("a process of its own")
                  : n->accounts > 0 ? mem_printf("%u accounts", n->accounts)
                  : n->anonymous    ? mem_dup("anonymous login")
                                    : mem_dup("TLS");

    add_words(out, st, "needs", words);
    free(words);
}

static void add_case(struct buf *out, const struct text_style *st,
                     const struct knowledge *k, const struct testcase *tc)
{
    char *line;
    size_t i;

    buf_printf(out, "%s (rev %u)\n", tc->id, tc->rev);
    buf_printf(out, "%-9s %s\n", "file", tc->path);
    add_words(out, st, "title", tc->title);
    add_words(out, st, "why", tc->why);
    if (tc->origin_url)
        add_words(out, st, "origin", tc->origin_url);
    for (i = 0; i < tc->cover_count; i++)
        add_requirement(out, st, k, tc->covers[i]);
    for (i = 0; i < tc->tag_count; i++)
        add_words(out, st, "tag", tc->tags[i]);
    for (i = 0; i < tc->needs_count; i++)
        add_need(out, st, &tc->needs[i]);
    for (i = 0; i < tc->assert_count; i++) {
        const struct assertion *a = &tc->asserts[i];

        line = mem_printf("%s: %s (%s)", a->id, a->says, a->req);
        add_words(out, st, "assert", line);
        free(line);
    }
    for (i = 0; i < tc->caught_count; i++) {
        line = mem_printf("%s, by %s", tc->caught[i].twin, tc->caught[i].by);
        add_words(out, st, "catches", line);
        free(line);
    }
    for (i = 0; i < tc->spares_count; i++)
        add_words(out, st, "spares", tc->spares[i].twin);
    if (tc->sockets_only[0])
        add_words(out, st, "sockets", tc->sockets_only);
}

static void add_line(struct buf *out, const struct testcase *tc)
{
    buf_printf(out, "%s\n    ", tc->id);
    for (const char *c = tc->title; *c; c++)
        buf_addc(out, *c == '\n' ? ' ' : *c);
    buf_addc(out, '\n');
}

/* ------------------------------------------------------------- both */

static int print(struct cmd_run *c, bool whole)
{
    struct select_options o = cmd_select_options(c);
    struct text_style st = text_style_for(STDOUT_FILENO);
    struct cmd_cases cases;
    struct buf out = BUF_INIT;
    int status;
    size_t i;

    o.any_role = true;
    status = cmd_cases_load(&cases, NULL, &o);
    for (i = 0; i < cases.selection.count && status == 0; i++) {
        const struct testcase *tc = cases.selection.cases[i];

        if (whole && i > 0)
            buf_addc(&out, '\n');
        if (whole)
            add_case(&out, &st, &cases.knowledge, tc);
        else
            add_line(&out, tc);
    }
    fputs(buf_str(&out), stdout);
    buf_release(&out);
    cmd_cases_release(&cases);
    cmd_run_release(c);
    return status;
}

int cmd_list(int argc, char **argv)
{
    struct cmd_run c;

    cmd_run_init(&c, ROLE_CLIENT);
    argp_parse(&list_argp, argc, argv, 0, NULL, &c);
    return print(&c, false);
}

int cmd_show(int argc, char **argv)
{
    struct cmd_run c;
    struct err e = {"which case?"};

    cmd_run_init(&c, ROLE_CLIENT);
    argp_parse(&show_argp, argc, argv, 0, NULL, &c);
    if (c.words.count == 0) {
        cmd_run_release(&c);
        return cmd_fail(EXIT_USAGE, &e);
    }
    return print(&c, true);
}
