/*
 * What is known to fail: a file that pins asserts of cases, each with a reason.
 * docs/reports.md shows both of its forms, XML and JSON.
 */
#ifndef HARNESS_BASELINE_H
#define HARNESS_BASELINE_H

#include "case_xml.h"
#include "reports/result.h"
#include "select.h"

#define BASELINE_NS "urn:boshspec:baseline:1"

struct baseline_entry {
    char *case_id;     /* "client/order/swapped-responses" */
    char *assert_id;   /* "order", "invariant/rid-plus-one" */
    char *requirement; /* "x124-client-process-order" */
    char *reason;
    int line; /* in its file */
};

struct baseline {
    char *path;
    struct baseline_entry *entries;
    size_t count;
};

/*
 * Read one. Returns 0 with *b filled in, free with baseline_release(); -1
 * with e (path:line: ...): not of either form, an entry without a case, an
 * assert, a requirement or a reason, or one that is there twice.
 */
int baseline_load(const char *path, struct baseline *b, struct err *e);
/* Accepts a zeroed one. */
void baseline_release(struct baseline *b);

/*
 * Does each entry speak of something that is there?
 *
 * files  all cases that are known, of both roles
 * sel    those that will be played: their asserts are looked at too
 *
 * 0, or -1 with e (path:line: ...): no such case, no such assert in it, or
 * one of another requirement.
 */
int baseline_check(const struct baseline *b, const struct knowledge *k,
                   const struct case_files *files, const struct selection *sel,
                   struct err *e);

/*
 * Apply it to a case that was judged; its JSON is not made yet.
 *
 * A FAIL or WARN whose every miss is pinned becomes XFAIL. One that is missed
 * beyond it stays what it is by the misses that are left. A pinned assert that
 * holds (or no longer counts) makes the case XPASS, unless it is FAIL. NA and
 * ERROR stay: nothing was seen. c->reason says why.
 */
void baseline_apply(const struct baseline *b, struct result_case *c);

/* How many entries speak of an assert that this case did not judge: the case
 * is NA or ERROR, or that assert is. */
size_t baseline_unjudged(const struct baseline *b, const struct result_case *c);

/*
 * Write the baseline that fits a result: an entry for each miss, with the
 * reason that `old` has for it, otherwise an empty one, which baseline_load()
 * refuses. Entries of `old` about what was not judged stay. JSON when the
 * path ends so, otherwise XML.
 *
 * old  may be NULL
 *
 * Returns how many reasons are to be filled in, or -1 with e.
 */
int baseline_save(const struct result *r, const struct baseline *old,
                  const char *path, struct err *e);

#endif
