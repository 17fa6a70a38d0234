/*
 * What the runner's files share; nobody else includes it.
 *
 * run.c         the loop, signals, lag
 * run_queue.c   which case starts next
 * run_judge.c   from a finished play to a verdict, on a worker thread
 * run_rounds.c  several plays of a case, one verdict
 * run_probe.c   server role: can the server be tested at all
 * run_screen.c  what a person sees while it goes on; result.json
 */
#ifndef HARNESS_RUN_PARTS_H
#define HARNESS_RUN_PARTS_H

#include <uv.h>

#include "driver_watch.h"
#include "outcome.h"
#include "reports/live.h"
#include "reports/text.h"
#include "run.h"
#include "signals.h"
#include "stage_sockets.h"

#define RUN_MAX_ACCOUNTS 16

enum item_state { ITEM_QUEUED, ITEM_RUNNING, ITEM_JUDGING, ITEM_DONE };

/* One case on its way to a verdict. */
struct item {
    struct run *run;
    const struct testcase *tc;
    enum item_state state;
    unsigned attempts;
    bool own;   /* in a process of its own: its last one crashed */
    bool apart; /* it may harm the server, and with it all others */
    bool alone; /* with nothing beside it: so, or our lag spoiled it */
    struct stage_sockets *stage;
    int64_t started_ms;
    unsigned logins[RUN_MAX_ACCOUNTS]; /* server role: sessions an account */
    bool logs_in;
    size_t first_account; /* which of ours is the case's first */

    /* what the play left, for the judge */
    struct item *next_to_judge;
    struct journal *journal;
    struct judge_context judge;
    char *because;
    int64_t took_ms;
    bool driver_lost;
    struct judgement judgement;
    struct result_case verdict;

    /* what earlier rounds left */
    struct result_case worst; /* the first of the worst, with all rounds */
};

struct run {
    const struct knowledge *knowledge;
    const struct run_options *options;
    struct result *result;
    uv_loop_t loop;
    struct stage_world world;
    struct driver_pool *pool;
    struct certs *certs;        /* client role, when a case wants TLS */
    struct driver_watch *watch; /* of programs */

    struct item *items; /* the longest first */
    size_t item_count;
    size_t done;
    unsigned running;                  /* stages that are not gone */
    struct testcase *probe;            /* server role */
    struct stage_sockets *probe_stage; /* nothing starts before it is gone */
    char *lost;           /* the server is gone, in words; NULL: it is there */
    int64_t lost_ms;      /* when that was last seen */
    unsigned losses;      /* plays that lost an answer one after the other, */
    int64_t losses_ms;    /* the last one then */
    int64_t slow_ms;      /* up to then we know how slow it was */
    unsigned probes_left; /* to see whether it comes back, */
    int64_t probe_ms;     /* the next not before */
    unsigned logins[RUN_MAX_ACCOUNTS];
    bool stopping;
    bool closing;
    bool given_up; /* a second signal: nobody waits for what still runs */

    uv_timer_t start_timer; /* the next batch */
    uv_timer_t lag_timer;
    uv_timer_t save_timer;
    struct signals signals;
    int64_t lag_ms; /* when the lag timer ran last */
    int64_t begun_ms;

    uv_work_t work;
    struct item *judging; /* by the worker; NULL: it is idle */
    struct item *to_judge, **to_judge_end;

    struct text_style style;
    struct live live; /* with options->debug */
    bool screen;      /* the text goes to a terminal: a live line */
    bool drawn;
    bool dirty;         /* result.json is behind */
    char *path;         /* of result.json */
    struct err trouble; /* it could not be written */
};

/* ---- run.c ---- */
int64_t run_now(const struct run *run);
/* The worker is through with it: count it, or queue it again. */
void run_judged(struct item *it);
/* No more case is played: each is ERROR. log: of why, relative to the folder.
 */
void run_refuse(struct run *run, const char *reason, const char *log);
/* What runs is of no use any more: it is played again if there is time. */
void run_end_plays(struct run *run, const char *because);
/* The next batch starts so much later. */
void run_start_later(struct run *run, int64_t after_ms);
/* Nothing is played and nothing judged. */
bool run_quiet(const struct run *run);
/* Go on with the queue, or end. */
void run_go_on(struct run *run);

/* ---- run_queue.c ---- */
/* An item for each case, the longest first. */
void queue_fill(struct run *run, const struct selection *sel);
/* Chooses its accounts, too. */
bool queue_may_start(const struct run *run, struct item *it);
/* Its sessions count, from here on or no more. */
void queue_began(struct run *run, const struct item *it);
void queue_ended(struct run *run, const struct item *it);
/* The next of those that want to be alone, when everything else is done. */
struct item *queue_next_alone(struct run *run);

/* ---- run_probe.c ---- */
void probe_start(struct run *run);
/* The server was gone at the end of this play. alone: it had no other. */
void probe_lost(struct run *run, const struct item *it, bool alone);
/* It may have come back: try again when it is time. True: nothing is to be
 * started now. */
bool probe_again(struct run *run);

/* ---- run_judge.c ---- */
void run_judge(struct item *it);
/* Free what the play left. */
void run_judge_release(struct item *it);

/* ---- run_rounds.c ---- */
/* A play has its verdict, in it->verdict. true: the case has one too, now in
 * it->verdict; false: it is to be played again, and it->verdict is empty. */
bool rounds_add(struct item *it);
/* The run is over: make a verdict of the rounds that there were. */
void rounds_conclude(struct item *it);

/* ---- run_screen.c ---- */
void screen_case(struct run *run, const struct result_case *c);
/* An event of a play, for a person who watches; ctx is the run. */
void screen_event(void *ctx, const struct event *ev);
void screen_tick(struct run *run);
void screen_summary(struct run *run);
void screen_save(struct run *run);

#endif
