/*
 * The one result document of a run, result.json; every report is a view of
 * it. docs/result-schema.md says what each field means.
 *
 * Knows nothing of playing and judging: verdicts are their names in files,
 * "pass" and so on. Not for several threads at once, but for
 * result_case_seal(), which may run on any thread while nobody else uses the
 * case.
 */
#ifndef REPORTS_RESULT_H
#define REPORTS_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define RESULT_FORMAT 1
#define RESULT_MAX_SHARDS 1000

/* The order in which verdicts are counted and shown. */
enum result_count {
    COUNT_PASS,
    COUNT_FAIL,
    COUNT_WARN,
    COUNT_NA,
    COUNT_ERROR,
    COUNT_XFAIL,
    COUNT_XPASS,
    COUNT_FLAKY,
    COUNT_KINDS,
};
/* "pass", "fail", ... */
const char *result_count_name(enum result_count c);
/* COUNT_KINDS when there is no such verdict. */
enum result_count result_count_of(const char *verdict);

/* An exchange that an assert points at. */
struct result_exchange {
    unsigned n;
    int64_t t_ms;     /* when it began, since the case's play began */
    char *kind;       /* "poll", "payload", ...; NULL: not a BOSH request */
    char *rid;        /* as it stood there; NULL: none */
    char *first_line; /* of its request */
    char *answer;     /* first line of its answer; NULL: none */
};

struct result_assert {
    char *id;
    char *requirement;
    char *verdict; /* pass fail warn info na error */
    char *says;
    char *expected, *got, *reason; /* NULL where there is none */
    char *baseline;                /* a miss that is known: why; else NULL */
    struct result_exchange *exchanges; /* the guilty ones first */
    size_t exchange_count;
    int line; /* in the case file, or in the invariants */
};

/* One of several plays of a case, with --repeat. */
struct result_round {
    char *verdict, *reason;
    char *log; /* relative to the result's folder */
    int64_t duration_ms;
};

struct result_case {
    char *id, *title, *verdict;
    char *reason; /* NA, ERROR, XFAIL, XPASS, FLAKY; "" otherwise */
    unsigned rev;
    char **requirements;
    size_t requirement_count;
    struct result_assert *asserts;
    size_t assert_count;
    int64_t duration_ms; /* of the last attempt; of the round shown */
    char *log;           /* relative to the result's folder */
    bool lagged;         /* our own lag spoiled the last attempt */
    unsigned attempts;
    struct result_round *rounds; /* none: it was played once */
    size_t round_count;
    bool silent; /* nothing ever came from the peer */
    char *json;  /* result_case_seal()'s */
};

/* A row of the catalogue, for those that the cases name. */
struct result_requirement {
    char *id, *section, *level, *text;
};

struct result {
    char *version;    /* of boshspec */
    char *suite_hash; /* of the case files: SHA-256, hex */
    char *started;    /* UTC, ISO 8601 */
    char *role;       /* "client", "server" */
    char *peer_name, *peer_version;
    char *peer_command, *peer_url; /* one of them, the other NULL */
    struct {
        int64_t jobs; /* 0: all side by side */
        double timeout_factor;
        int64_t seed;
        int64_t min;
        int64_t shard, shards; /* which of how many; 0: not a shard */
        int64_t repeat;        /* plays of each case */
        bool strict, fail_fast;
    } options;
    size_t selected;  /* cases that were to be played, in this shard */
    bool finished;    /* false: killed, interrupted, or still running */
    bool interrupted; /* by a signal */
    int64_t wall_ms, slowest_ms;
    char *slowest; /* id, or NULL */
    struct result_requirement *requirements;
    size_t requirement_count;
    struct result_case *cases;
    size_t case_count;
};

void result_init(struct result *r);
void result_release(struct result *r);

/* Room for one more; zeroed. Valid until the next one. */
struct result_assert *result_case_assert(struct result_case *c);
struct result_exchange *result_assert_exchange(struct result_assert *a);
struct result_round *result_case_round(struct result_case *c);

/* Make the case's JSON once, so that saving a big result costs no more than
 * copying it. The case must not change afterwards. */
void result_case_seal(struct result_case *c);
/* It was changed after all. */
void result_case_reseal(struct result_case *c);
void result_case_release(struct result_case *c);

/* Add a case; *c is moved and zeroed. It is sealed if it was not. */
void result_add(struct result *r, struct result_case *c);
/* Strings are copied; a requirement that is there is not added twice. */
void result_add_requirement(struct result *r, const char *id,
                            const char *section, const char *level,
                            const char *text);
const struct result_requirement *result_find_requirement(const struct result *r,
                                                         const char *id);

size_t result_count(const struct result *r, enum result_count c);
/* pass, fail, warn, xfail, xpass, flaky: the cases that have been judged. */
size_t result_judged(const struct result *r);

/* Does it fail the run: FAIL, XPASS, FLAKY, and WARN with --strict? ERROR is a
 * matter of its own. */
bool result_is_failure(const struct result *r, const struct result_case *c);

/* Is it what a person must see: a miss that is not known, or an assert that
 * could not be judged for a reason that is not the whole case's? */
bool result_assert_matters(const struct result_case *c,
                           const struct result_assert *a);

/* Why a run did not finish, in a few words. */
const char *result_unfinished(const struct result *r);

/* The reason of every case, when all are ERROR for the same one (but for
 * those that are NA); otherwise NULL. Borrowed from r. */
const char *result_one_reason(const struct result *r);

/* The document, yours, free(). */
char *result_json(const struct result *r);

/* Write it so that a reader finds the old one or the new one, never half a
 * one. 0, or -1 with e. */
int result_save(const struct result *r, const char *path, struct err *e);

/* Read it back. 0 with *r filled in, free with result_release(); -1 with e
 * (path: ...). */
int result_load(const char *path, struct result *r, struct err *e);

#endif
