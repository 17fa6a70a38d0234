/*
 * Judges a journal by a case's asserts and by the invariants. A pure function
 * of (case, journal); only here does FAIL come from.
 */
#ifndef HARNESS_JUDGE_H
#define HARNESS_JUDGE_H

#include "case_xml.h"

enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_WARN,
    VERDICT_INFO, /* of an assert only */
    VERDICT_NA,
    VERDICT_XFAIL,
    VERDICT_XPASS,
    VERDICT_FLAKY,
    VERDICT_ERROR,
};
const char *verdict_name(enum verdict v); /* "pass": lower case, for files */

/* What became of one assert or invariant. Owned by the judgement. */
struct finding {
    const char *id; /* "order"; an invariant: "invariant/rid-plus-one" */
    const char *req;
    const char *says;
    int line;
    enum verdict verdict;
    bool lagged;    /* ERROR because our own lag could explain it */
    char *expected; /* for a person: "'one two three'", "at most 4000" */
    char *got;
    char *reason;        /* NA, ERROR: why; else NULL */
    unsigned *exchanges; /* the guilty ones first, then those to show */
    size_t exchange_count;
};

struct judgement {
    enum verdict verdict; /* the case's */
    char *reason;         /* NA, ERROR: why; "" otherwise */
    bool lagged;          /* worth playing once more, alone */
    struct finding *findings;
    size_t finding_count;
};

/* How a play ended; from the log's "end" event, or what the runner knows. */
enum play_end { PLAY_DONE, PLAY_STOPPED, PLAY_NA, PLAY_ERROR };

struct judge_context {
    const struct knowledge *knowledge;
    enum play_end end;
    const char *because; /* NA, ERROR; or NULL */
    bool has_status;     /* the peer's driver reports these events */
    bool has_stanza;
};

/* Judge. The journal is finished already. Free with judgement_release(). */
void judge_case(const struct testcase *tc, struct journal *j,
                const struct judge_context *ctx, struct judgement *out);
void judgement_release(struct judgement *jt);

#endif
