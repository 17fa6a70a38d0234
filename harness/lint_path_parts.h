/*
 * One step on the specimen journal; for lint_path.c.
 */
#ifndef HARNESS_LINT_PATH_PARTS_H
#define HARNESS_LINT_PATH_PARTS_H

#include <stdbool.h>

#include "journal.h"

struct lint_step {
    const char *base; /* path of the nodes it starts from; "" for the root */
    bool deep;        /* behind "//" */
    const char *axis; /* "child" when none is written */
    const char *test; /* "x", "b:body", "*", "node()" */
    const char *text; /* the whole expression, for messages */
};

/*
 * Take the step.
 *
 * Returns the path it leads to, yours; NULL when it leads into a payload, or
 * nowhere: then *message says so, yours.
 */
char *lint_step_check(struct journal *specimen, const struct lint_step *step,
                      char **message);

/* The attributes that path selects are compared with a word. Returns NULL, or
 * why they can never be equal, yours. */
char *lint_word_check(struct journal *specimen, const char *path,
                      const char *word);

#endif
