/*
 * Finds location paths that can never select anything.
 *
 * Each path of an expression is followed step by step, without its
 * predicates, on a specimen journal that holds every element and attribute
 * once: a step that selects nothing there never will. Predicates are followed
 * from where they stand. What is inside payloads is anybody's vocabulary and
 * is not looked at. Pure.
 */
#ifndef HARNESS_LINT_PATH_H
#define HARNESS_LINT_PATH_H

#include "expr.h"
#include "journal.h"

#define LINT_PATH_X "/journal/x"
#define LINT_PATH_S "/journal/s"
#define LINT_PATH_EV "/journal/ev"
#define LINT_PATH_ROOT "/journal"

struct lint_paths {
    struct journal *specimen;
    /* The path that a variable stands for, borrowed; NULL: it holds no nodes,
     * or nobody knows which. */
    const char *(*variable)(void *ctx, const char *name);
    /* What was found: one message, without a place. */
    void (*say)(void *ctx, const char *message);
    void *ctx;
};

/*
 * Follow all paths of an expression that has been compiled, so that it is
 * known to parse.
 *
 * context  the path of ".", or NULL when nobody knows
 *
 * Returns the path of what it selects, without predicates, yours; NULL when
 * it is not a node-set, or nobody knows.
 */
char *lint_path_follow(const struct lint_paths *w, const struct expr *ex,
                       const char *context);

#endif
