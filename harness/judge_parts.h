/*
 * What the files of the judge share: judge.c (verdicts), judge_check.c (one
 * assert), judge_blame.c (whose exchanges, and our own lag), judge_outage.c
 * (was the server there).
 */
#ifndef HARNESS_JUDGE_PARTS_H
#define HARNESS_JUDGE_PARTS_H

#include "judge.h"

/* How one node fared. */
enum check_result { CHECK_PASSED, CHECK_MISSED, CHECK_NA, CHECK_ERROR };

/* Judge one assert: fills in f but for id, req, says and line. miss: what a
 * miss weighs. */
void check_assertion(const struct assertion *a, struct journal *j,
                     const struct judge_context *ctx, enum verdict miss,
                     struct finding *f);

/* Fills in lost and gone. Why the play has nothing to say, yours; or NULL. */
char *judge_outage(struct journal *j, struct judgement *out);

/* Exchange numbers, each once, in the order in which they were added. */
struct blame {
    unsigned *exchanges;
    size_t count, cap;
};
/* The exchange that a node is, is in, or (ev, gap, s) belongs to; none for
 * others. */
void blame_node(struct blame *b, const xmlNode *node);
/* All nodes of an expression's value; a value of another kind adds none. */
void blame_expr(struct blame *b, const struct expr *ex, struct journal *j);
/* The exchanges behind the handles that the assert names. */
void blame_handles(struct blame *b, const struct assertion *a,
                   struct journal *j);

/*
 * The largest lateness of our own loop in the time that the assert is about:
 * from the first beginning to the last end of its exchanges, and as long
 * before as got says; without any exchange, the whole play.
 */
int64_t blame_lag(const struct assertion *a, struct journal *j,
                  const xmlNode *it, double got);

#endif
