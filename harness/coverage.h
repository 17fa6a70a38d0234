/*
 * Which cases and invariants judge which row of the catalogue. Pure.
 *
 * An assert judges its requirement unless the case lowers it to MAY: that is
 * a control, which shows that the case means anything.
 */
#ifndef HARNESS_COVERAGE_H
#define HARNESS_COVERAGE_H

#include "case_xml.h"
#include "common/buf.h"

enum coverage_state {
    COVERAGE_JUDGED,
    COVERAGE_UNJUDGED, /* nothing can; the catalogue says why */
    COVERAGE_OPEN,     /* nothing does yet */
    COVERAGE_STATES,
};
/* "judged", "not judged", "nothing yet". */
const char *coverage_state_name(enum coverage_state s);

struct coverage_row {
    const struct requirement *row;
    const char **cases; /* ids, in their order */
    size_t case_count;
    const char **invariants; /* ids */
    size_t invariant_count;
};

struct coverage {
    struct coverage_row *rows; /* as in the catalogue's file: by section */
    size_t count;
};

/* Borrows from k and cases. out is filled in; coverage_release(). */
void coverage_make(const struct knowledge *k, struct testcase *const *cases,
                   size_t case_count, struct coverage *out);
void coverage_release(struct coverage *c);

enum coverage_state coverage_state(const struct coverage_row *r);

/* Does this row bind that side? */
bool coverage_binds(const struct coverage_row *r, enum role role);

/* A table for each section, and counts before them; the same bytes for the
 * same knowledge. */
void coverage_markdown(const struct coverage *c, struct buf *out);

/* Words that are no longer true: rows that say why nothing can judge them, and
 * are judged. Returns how many; say gets a line for each. */
size_t coverage_lint(const struct coverage *c,
                     void (*say)(void *ctx, const char *finding), void *ctx);

#endif
