/*
 * The result as TAP 14 (testanything.org): one test point a case, in the
 * order in which they ended. Pure.
 */
#ifndef REPORTS_TAP_H
#define REPORTS_TAP_H

#include "common/buf.h"
#include "result.h"

/*
 * Append the report.
 *
 * dir  where the logs' paths start; "" when they are whole
 *
 * NA is "ok # SKIP", XFAIL "not ok # TODO", each with its reason. FAIL, ERROR,
 * XPASS and FLAKY are "not ok", WARN is with --strict. What went wrong stands
 * in a YAML block below: each assert with its requirement, section, expected,
 * got and exchanges, and the log. A run that did not finish ends with
 * "Bail out!".
 */
void tap_write(struct buf *out, const struct result *r, const char *dir);

#endif
