/*
 * What the parts of the self-test share; nobody else includes it.
 *
 * selftest.c          the plan, a cell in virtual time, what was wanted
 * selftest_workers.c  worker processes, and what they say
 * selftest_sockets.c  cells on real sockets, a twin's at a time
 */
#ifndef HARNESS_SELFTEST_PARTS_H
#define HARNESS_SELFTEST_PARTS_H

#include <stdio.h>

#include "selftest.h"

/* ---- selftest.c ---- */

/* Plan a case's cells; whole: every twin there is. others: also the peers in
 * the right that it does not name. */
void selftest_plan(struct selftest *st, const struct testcase *tc, size_t index,
                   bool whole, bool others);

/* Is what came to the cell as wanted? */
void selftest_weigh(struct selftest_cell *cell);

/* A practice is what an implementation documents, not a XEP. */
bool selftest_is_practice(const struct knowledge *k, const char *req);

/* ---- selftest_workers.c ---- */

/* What is to be played. work() is called in a process of its own, does every
 * share'th piece of it, and tells each cell with selftest_tell(). */
struct selftest_job {
    void (*work)(const struct selftest_job *job, unsigned share,
                 unsigned shares, FILE *to);
    const struct knowledge *knowledge;
    struct testcase *const *cases;
    struct selftest *st;
    void *ctx;
};

/* faults: ids by spaces, with spaces at both ends; advised: how many of them
 * are no matter of practice. */
void selftest_tell(FILE *to, size_t cell, enum verdict verdict,
                   unsigned advised, const char *faults, const char *because);

/* All of it, by so many processes at once. 0, or -1 with e. */
int selftest_work(const struct selftest_job *job, unsigned workers,
                  struct err *e);

#endif
