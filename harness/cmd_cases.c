/* From SELECT to cases that may be played: see cmd.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "common/buf.h"
#include "tests/twins/twins.h"

struct select_options cmd_select_options(const struct cmd_run *c)
{
    return (struct select_options){
        .words = c->words.items,
        .word_count = c->words.count,
        .excludes = c->excludes.items,
        .exclude_count = c->excludes.count,
        .tags = c->tags.items,
        .tag_count = c->tags.count,
        .dirs = c->dirs.items,
        .dir_count = c->dirs.count,
        .role = c->run.role,
    };
}

/* ------------------------------------------------------------- lint */

size_t cmd_lint_invariants(const struct knowledge *k,
                           void (*say)(void *ctx, const char *finding))
{
    char *path = mem_printf("%s/invariants.xml", k->dir);
    size_t found = invariants_lint(k, path, twin_name, say, NULL);

    free(path);
    return found;
}

static void complain(void *ctx, const char *finding)
{
    (void)ctx;
    fprintf(stderr, "%s\n", finding);
}

/* Two cases that are called the same would share a log and a verdict. */
static size_t lint_ids(const struct selection *sel)
{
    size_t found = 0, i;

    for (i = 1; i < sel->count; i++) {
        const struct testcase *tc = sel->cases[i], *other = sel->cases[i - 1];

        if (strcmp(tc->id, other->id) != 0)
            continue;
        fprintf(stderr, "%s:1: the case in %s is called '%s' too\n", tc->path,
                other->path, tc->id);
        found++;
    }
    return found;
}

/* A case that lint refuses may pass without having looked at anything. */
int cmd_cases_lint(const struct cmd_cases *c)
{
    const struct selection *sel = &c->selection;
    size_t found = cmd_lint_invariants(&c->knowledge, complain), i;

    for (i = 0; i < sel->count; i++)
        found +=
            case_lint(&c->knowledge, sel->cases[i], twin_name, complain, NULL);
    found += lint_ids(sel);
    if (found > 0)
        fprintf(stderr, "boshspec: %zu finding%s in the cases: none is used\n",
                found, found == 1 ? "" : "s");
    return found > 0 ? EXIT_USAGE : 0;
}

/* ------------------------------------------------------------- cases */

int cmd_cases_load(struct cmd_cases *c, const char *dir,
                   const struct select_options *o)
{
    struct err e = {""};

    memset(c, 0, sizeof *c);
    if (cmd_knowledge(&c->knowledge, dir, &e) < 0 ||
        select_cases(&c->knowledge, o, &c->selection, &e) < 0)
        return cmd_fail(EXIT_USAGE, &e);
    if (selection_check(&c->selection, o, &e) < 0)
        return cmd_fail(EXIT_TOO_FEW, &e);
    return 0;
}

void cmd_cases_release(struct cmd_cases *c)
{
    selection_release(&c->selection);
    knowledge_release(&c->knowledge);
}
