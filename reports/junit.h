/*
 * The result as JUnit XML, for those who show it: Jenkins, GitLab, Gradle and
 * their kin. tests/data/junit.rng is what they read. Pure.
 */
#ifndef REPORTS_JUNIT_H
#define REPORTS_JUNIT_H

#include "common/buf.h"
#include "result.h"

/*
 * Append the report: one testsuite, one testcase a case.
 *
 * dir  where the logs' paths start; "" when they are whole
 *
 * A case's classname is its folders with dots, its name what is left of its
 * id; requirements and sections are properties. FAIL, XPASS, FLAKY and, with
 * --strict, WARN hold a failure with all there is to say; ERROR an error; NA
 * and XFAIL are skipped with the reason. system-out names the log.
 */
void junit_write(struct buf *out, const struct result *r, const char *dir);

#endif
