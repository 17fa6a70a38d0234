/*
 * What the files of the lint share; nobody else includes it.
 *
 * case_lint.c   requirements, twins, rules, what asserts lean on
 * lint_names.c  handles and variables; sends each expression to lint_path.c
 */
#ifndef HARNESS_LINT_PARTS_H
#define HARNESS_LINT_PARTS_H

#include "case_xml.h"
#include "lint_path.h"

struct lint {
    const char *path; /* of the file, for messages */
    enum role role;
    struct journal *specimen;
    void (*say)(void *ctx, const char *finding);
    void *ctx;
    size_t findings;
};

/* Say what is wrong at a line. */
void lint_say(struct lint *l, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* All that case_lint() finds about names and expressions. */
void lint_names(struct lint *l, const struct testcase *tc);
/* The same for an invariant, whose only names are the standing ones. */
void lint_names_invariant(struct lint *l, const struct assertion *a);

#endif
