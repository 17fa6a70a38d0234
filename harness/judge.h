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

/*
 * What became of one assert or invariant. Owned by the judgement; id, req and
 * says are borrowed from the case and the knowledge, or from id_text.
 *
 * A miss weighs what the requirement breaks says: interop FAIL, advice WARN,
 * record INFO; and less where the assert's level is lower (SHOULD, PRACTICE:
 * WARN; MAY: INFO). INFO never changes the case's verdict. An assert is NA
 * when each= selects nothing, when the driver cannot say what it leans on, or
 * when what it compares with is not there; ERROR when our own lag could
 * explain the miss, or when it cannot be evaluated. Of several nodes the
 * worst counts: a miss, ERROR, PASS, NA.
 */
struct finding {
    const char *id; /* "order"; an invariant: "invariant/rid-plus-one" */
    char *id_text;  /* id, where it had to be made; else NULL */
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
    bool lagged;          /* an ERROR worth playing once more, alone */
    /* server role */
    bool lost; /* an answer was lost, and that was not our doing */
    bool gone; /* the server was not there at the end, or for a while */
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

/*
 * Judge. The journal is finished already.
 *
 * A play that ended na or error is that, with its reason, and its asserts are
 * not judged; invariants are, in every play, and one that was broken counts
 * unless the play ended error. Only those that found something are among the
 * findings. A play that stopped is judged by its asserts; when none of them
 * saw why, it is ERROR. A case of which every assert is NA is NA. Otherwise
 * FAIL counts before ERROR, that before WARN, that before PASS.
 *
 * Where the server was gone, and this play had not met it alive or was not
 * alone with it, everything is ERROR.
 * Free with judgement_release().
 */
void judge_case(const struct testcase *tc, struct journal *j,
                const struct judge_context *ctx, struct judgement *out);
void judgement_release(struct judgement *jt);

#endif
