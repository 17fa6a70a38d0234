/*
 * Journals from hand-written events, for the tests of journal and judge: each
 * call is one event of the log at a given time. Events also go through a line
 * of text and back, so that what is tested is what a log would give.
 */
#ifndef TESTS_JOURNAL_MAKER_H
#define TESTS_JOURNAL_MAKER_H

#include "common/coding.h"
#include "common/log_events.h"
#include "harness/expr.h"
#include "harness/journal.h"

struct maker {
    struct journal *journal;
    uint64_t seq;
    struct buf log; /* all lines so far */
};

void maker_init(struct maker *m, enum role role);
void maker_release(struct maker *m);

/* An event with "name value" pairs up to a NULL; data may be NULL. */
void maker_event(struct maker *m, int64_t t, const char *name, const char *data,
                 ...) __attribute__((sentinel));

/* A POST of body, begun and whole at t, on connection conn. */
void maker_request(struct maker *m, int64_t t, unsigned x, unsigned conn,
                   const char *body);
/* The same with a Content-Encoding of that name; in CODING_GZIP and
 * CODING_DEFLATE it is packed too. */
void maker_coded(struct maker *m, int64_t t, unsigned x, const char *name,
                 enum coding coding, const char *body);
/* Client role: forward; answer, res and delivered at the same moment. */
void maker_forward(struct maker *m, int64_t t, unsigned x);
void maker_answer(struct maker *m, int64_t t, unsigned x, const char *body);
void maker_put(struct maker *m, int64_t t, unsigned x);
void maker_delivered(struct maker *m, int64_t t, unsigned x, const char *how);
/* Client role: all four at once. Server role: res, whole. */
void maker_exchange_end(struct maker *m, int64_t t, unsigned x,
                        const char *body);
/* A creation (exchange 1, rid 100) and its answer at t: sid abc, wait 60,
 * hold 1, requests 2, inactivity 60, and what more is given. */
void maker_session(struct maker *m, int64_t t, const char *more);

/* The value of an expression as text; "error: ..." when it has none. */
const char *maker_eval(struct maker *m, const char *text);
#define MAKER_STR(m, text, want) CHECK_STR(maker_eval((m), (text)), (want))

#endif
