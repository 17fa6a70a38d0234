/*
 * The player: carries out a case's steps against a stage, and makes facts.
 *
 * It writes every fact to a sink of events and keeps the journal that the
 * case's expressions look at. It never says FAIL: a step may end the play as
 * NA or ERROR, everything else is the judge's. Pure: events and now_ms in,
 * acts on the stage and a deadline out. Times given to it are the stage's
 * milliseconds; in the log they count from play_start().
 */
#ifndef HARNESS_PLAY_H
#define HARNESS_PLAY_H

#include "case.h"
#include "common/log_events.h"
#include "judge.h"
#include "mockserver/mock.h"
#include "stage.h"

struct play;

/* How much of a message got there. */
enum play_part { PLAY_NONE, PLAY_PART, PLAY_WHOLE, PLAY_UNKNOWN };

/* An account on the server under test. */
struct account {
    const char *jid; /* "alice@localhost" */
    const char *password;
};

/* What the player knows about the peer and its surroundings. Borrowed until
 * play_free(). */
struct play_setting {
    double timeout_factor; /* stretches within=; 1.0 */
    uint64_t (*random)(void *ctx);
    void *random_ctx;

    /* client role */
    struct mock *mock; /* the manager that answers; borrowed */
    const char *url;   /* what connect gets: http://127.0.0.1:4711/... */
    const char *jid;   /* unless the case says otherwise */
    const char *password;
    const char *ca_file; /* or NULL */
    int64_t verb_ms;     /* so long it may take to answer a verb; 0: 10 s */
    /* Does the driver know this verb? NULL: it knows all. */
    bool (*knows_verb)(void *ctx, const char *verb);
    /* Does its connect take this option? NULL: it takes all. */
    bool (*knows_option)(void *ctx, const char *option);
    void *knows_ctx;
    bool has_status; /* the driver reports statuses */
    bool has_stanza; /* the driver reports stanzas */

    /* server role */
    const char *host_header; /* "127.0.0.1:5280" */
    const char *path;        /* "/http-bind" */
    const char *domain;
    const struct account *accounts;
    size_t account_count;
    size_t first_account; /* which of them is the case's account 1; the others
                             follow, round and round */
    bool anonymous;       /* may ANONYMOUS be used */
    bool hostile;         /* may the server be harmed */
    bool alone;           /* nothing else is played against it meanwhile */
    int64_t max_wait_ms;  /* no step lets more time pass; 0: no limit */

    /* The URL is an https one; client role: what the case wants of the
     * manager can be had. */
    bool tls;
};

/* tc, ops, stage and setting are borrowed until play_free(); log may be NULL
 * (the journal is kept all the same). */
struct play *play_new(const struct testcase *tc, const struct stage_ops *ops,
                      void *stage, const struct play_setting *setting,
                      const struct event_sink *log);
void play_free(struct play *p);

/* The steps begin. Time 0 of the log is now. Before it the case's needs are
 * looked at: one that is not met ends the play as NA at once. */
void play_start(struct play *p, int64_t now_ms);

/* True when the steps have ended, one way or another. Facts are still taken
 * in afterwards (a sign-off is part of the journal). */
bool play_over(const struct play *p);
enum play_end play_how(const struct play *p);
const char *play_because(const struct play *p); /* "" when there is none */
/* The line of the step that ended the play early; 0 when none did. */
int play_line(const struct play *p);

/* When play_tick() wants to be called; CLOCK_NEVER: not at all. */
int64_t play_deadline_ms(const struct play *p);
void play_tick(struct play *p, int64_t now_ms);

/* End it from outside: a deadline passed, the driver died, ... No effect when
 * it is over already. */
void play_abort(struct play *p, int64_t now_ms, enum play_end how,
                const char *because);

/* No more facts: the journal's open ends are tied. Idempotent. */
void play_finish(struct play *p, int64_t now_ms);

/* Borrowed until play_free(), or yours after play_take_journal(). */
struct journal *play_journal(struct play *p);
struct journal *play_take_journal(struct play *p);

/* ---- what the stage tells it; x and conn are the stage's numbers ---- */

void play_opened(struct play *p, int64_t now_ms, unsigned conn);
void play_closed(struct play *p, int64_t now_ms, unsigned conn,
                 enum delivery_end how, bool by_us);
/* A manager that speaks TLS: "yes", "no" (the connection began in clear) or
 * "failed", with the problem. */
void play_secured(struct play *p, int64_t now_ms, unsigned conn,
                  const char *tls, const char *problem);
/* The loop was late by late_ms when it got to now_ms. */
void play_lag(struct play *p, int64_t now_ms, int64_t late_ms);

/* client role */
void play_head(struct play *p, int64_t now_ms, unsigned x, unsigned conn,
               const char *bytes, size_t len);
void play_request(struct play *p, int64_t now_ms, int64_t begun_ms, unsigned x,
                  unsigned conn, const char *bytes, size_t len,
                  enum play_part arrived, const char *problem);
void play_answer(struct play *p, int64_t now_ms, unsigned x, const char *bytes,
                 size_t len); /* the manager's */
void play_delivered(struct play *p, int64_t now_ms, unsigned x,
                    enum play_part how);
void play_abandoned(struct play *p, int64_t now_ms, unsigned x,
                    enum delivery_end how);
void play_verb_result(struct play *p, int64_t now_ms, unsigned client,
                      const char *verb, const char *result, const char *reason);
void play_said(struct play *p, int64_t now_ms, const struct said *said);

/* server role */
void play_sent(struct play *p, int64_t now_ms, unsigned x);
void play_response(struct play *p, int64_t now_ms, unsigned x,
                   const char *bytes, size_t len, enum play_part came,
                   const char *problem);

/* Was an answer lost that we did not give up? */
bool play_lost_answer(const struct play *p);

/* For how long a login waited for its last answer, when that was strangely
 * long, so that all that is timed meanwhile is in doubt; then 0 again. */
int64_t play_take_slowness(struct play *p);

/* The steps are over: end every session that the case left alive, each by a
 * terminate request on a connection of its own. Then, where an exchange got no
 * answer though we did not give it up, or a terminate is overdue (5 s, by
 * play_tick()), ask whether the server is still there: the "health" event says
 * so, at most 5 s later, and the session that this made is ended. Facts about
 * all that belong to the journal. No effect in the client role, or a second
 * time. */
void play_sign_off(struct play *p, int64_t now_ms);
/* Is all that done? True when play_sign_off() was never called. */
bool play_signed_off(const struct play *p);

#endif
