/*
 * The self-test: every case is played in virtual time against the good peer
 * of ours, against each twin that it says it catches, and against each peer
 * in the right that it says it spares. A case that cannot fail, or that blames
 * an innocent, is no case.
 */
#ifndef HARNESS_SELFTEST_H
#define HARNESS_SELFTEST_H

#include "case_xml.h"
#include "judge.h"

enum selftest_want {
    WANT_PASS,    /* the good peer, or one that is to be spared */
    WANT_CAUGHT,  /* the assert named by= must find fault */
    WANT_CALM,    /* a peer in the right in a case that does not name it: no
                     FAIL and no ERROR. It may be told of practices, which no
                     XEP demands, and of a XEP's advice only if it is made
                     not to follow it (TWIN_UNADVISED) */
    WANT_RULE,    /* an invariant must find fault in some case's journal */
    WANT_NOTHING, /* any other cell of the matrix: only looked at */
};

/* One cell of the matrix: a case and a peer. */
struct selftest_cell {
    size_t tc;        /* index in the cases */
    const char *twin; /* NULL: the good peer. Borrowed. */
    const char *by;   /* WANT_CAUGHT: assert; WANT_RULE: invariant */
    enum selftest_want want;
    bool unadvised; /* WANT_CALM: advice may be due */
    /* what came */
    bool played;
    enum verdict verdict;
    char *faults;     /* ids of the asserts and rules that found fault, by
                         spaces, with spaces at both ends */
    char *because;    /* of NA and ERROR */
    unsigned advised; /* faults that are no matter of practice */
    bool good;        /* as wanted */
};

struct selftest {
    struct selftest_cell *cells;
    size_t count;
};

/* Play all cells that prove the cases; whole: all cells that there are.
 * workers: processes. Results in *out, selftest_release(). 0, or -1 with e. */
int selftest_run(const struct knowledge *k, struct testcase *const *cases,
                 size_t count, bool whole, unsigned workers,
                 struct selftest *out, struct err *e);

/* The same of client cases on real sockets, for the twins that they name:
 * program is the twin-client of this build. */
int selftest_sockets(const struct knowledge *k, struct testcase *const *cases,
                     size_t count, const char *program, unsigned workers,
                     struct selftest *out, struct err *e);
void selftest_release(struct selftest *st);

/* Play one cell in this process and judge it. twin NULL: the good peer.
 * log may be NULL. */
void selftest_play(const struct knowledge *k, const struct testcase *tc,
                   const char *twin, const struct event_sink *log,
                   struct judgement *out);

#endif
