/*
 * From a judgement to the case's place in the result document. Pure; used by
 * a run and by judging stored logs again.
 */
#ifndef HARNESS_OUTCOME_H
#define HARNESS_OUTCOME_H

#include "judge.h"
#include "reports/result.h"

/*
 * Fill in id, title, verdict, reason, requirements and asserts with the
 * exchanges that they point at; the rest is the caller's. out starts zeroed;
 * free with result_case_release().
 */
void outcome_case(const struct testcase *tc, const struct journal *j,
                  const struct judgement *jt, struct result_case *out);

/* A case that could not be judged. */
void outcome_error(const struct testcase *tc, const char *reason,
                   struct result_case *out);

/* The rows of the catalogue that a case or its asserts name. */
void outcome_requirements(const struct knowledge *k,
                          const struct result_case *c, struct result *r);

/* SHA-256 in hex over ids and bytes of the cases' files, the catalogue and
 * the invariants. Yours, free(). */
char *outcome_suite_hash(const struct knowledge *k,
                         struct testcase *const *cases, size_t count);

/* The exit status that a result stands for: 0, 1, 3 or 4. */
int outcome_status(const struct result *r);

#endif
