/*
 * What the player's files share; nobody else includes it.
 *
 * play.c        the facts, the log, the end of a play
 * play_steps.c  threads of steps: what both roles know
 * play_trace.c  what the log says of steps
 * play_client.c client role: rules, acts on exchanges
 * play_verbs.c  client role: orders to the driver, pushed stanzas
 * play_server.c server role: requests, logins, polling
 */
#ifndef HARNESS_PLAY_PARTS_H
#define HARNESS_PLAY_PARTS_H

#include "play.h"

#define PLAY_MAX_DEPTH 8
#define PLAY_MAX_CLIENTS 8

/* A list of steps being carried out. */
struct frame {
    const struct step *steps;
    size_t count;
    size_t at;
    unsigned times; /* repeat: rounds in all; 1 otherwise */
    unsigned round;
    const char *index; /* repeat: its variable, or NULL */
};

/* One line of steps. together= forks one for each of its children. */
struct thread {
    struct thread *next;
    struct thread *parent; /* waits until its children are through */
    unsigned children;
    struct frame stack[PLAY_MAX_DEPTH];
    size_t depth;
    /* the step at hand */
    bool begun;
    bool waits; /* and the log says so */
    int64_t deadline_ms;
    unsigned x;  /* server role: the exchange it waits for */
    int phase;   /* server role: how far a login has come */
    void *extra; /* server role: yours, freed through extra_free */
    void (*extra_free)(void *extra);
    bool answered; /* client role: the verb's result is there */
};

/* Did the step at hand get through? */
enum went { WENT_ON, WENT_WAIT, WENT_OVER };

/* Statuses that an await event= has used. */
struct consumed {
    char *value;
    unsigned client, stream;
    uint64_t seq; /* of the last; where the wire stands in: how many */
};

struct play {
    const struct testcase *tc;
    const struct stage_ops *ops;
    void *stage;
    const struct play_setting *setting;
    struct event_sink log;
    struct journal *journal;
    uint64_t seq;
    size_t bytes; /* of data in the log so far */
    int64_t start_ms;
    bool started;
    bool over;
    bool finished;
    bool advancing; /* play_advance() is at work: do not enter it again */
    enum play_end how;
    char *because;
    int line;
    struct thread *threads;
    struct consumed consumed[16];
    size_t consumed_count;
    const char *clients[PLAY_MAX_CLIENTS]; /* client= names, from 1 on */
    unsigned client_count;
    struct play_client *client; /* client role only */
    struct play_server *server; /* server role only */
};

/* ---- play.c ---- */
/* Stamp, log and take into the journal. */
void play_emit(struct play *p, int64_t now_ms, struct event *ev);
/* Bind a handle to exchange x. */
void play_name_x(struct play *p, int64_t now_ms, const char *as, unsigned x);
/* The steps end here. */
enum went play_end_at(struct play *p, int64_t now_ms, enum play_end how,
                      const char *because, int line);
/* End as its else= says: NA, ERROR, or just stopped. */
enum went play_end_else(struct play *p, int64_t now_ms, const struct step *st,
                        const char *what);
/* An expression went wrong: our fault or the case's. */
enum went play_end_broken(struct play *p, int64_t now_ms, int line,
                          const struct err *e);

/* ---- play_trace.c ---- */
/* "waits", "done". */
void play_trace_step(struct play *p, int64_t now_ms, const struct step *st,
                     const char *outcome);

/* ---- play_steps.c ---- */
void play_steps_start(struct play *p);
void play_steps_free(struct play *p);
/* Carry on wherever something can go on. Called after every fact. */
void play_advance(struct play *p, int64_t now_ms);
int64_t play_steps_deadline(const struct play *p);
/* A duration in ms, or -1 with the play ended. */
int64_t play_duration(struct play *p, int64_t now_ms, const struct duration *d,
                      int line);
/* The value of one of the step's attributes: yours, free(); NULL: not given,
 * or the play has ended (then play_over()). */
char *play_attr(struct play *p, int64_t now_ms, const struct step *st,
                const char *name);
/* Exchange numbers that an avt such as "$N" or "{$first[2]}" selects. Up to
 * max; returns how many, or -1 with the play ended. */
int play_select(struct play *p, int64_t now_ms, const struct avt *of, int line,
                unsigned *xs, size_t max);

/* ---- play_client.c ---- */
struct play_client *play_client_new(struct play *p);
void play_client_free(struct play_client *pc);
enum went play_client_step(struct play *p, struct thread *th,
                           const struct step *st, int64_t now_ms);
/* What the stage told, after it was logged. */
void play_client_opened(struct play *p, int64_t now_ms, unsigned conn);
void play_client_head(struct play *p, int64_t now_ms, unsigned x, unsigned conn,
                      const char *bytes, size_t len);
void play_client_request(struct play *p, int64_t now_ms, unsigned x,
                         unsigned conn, enum play_part arrived);
void play_client_answer(struct play *p, int64_t now_ms, unsigned x,
                        const char *bytes, size_t len);
/* The name and line of a rule that never matched, or NULL. */
const char *play_client_leftover(const struct play *p, int *line);
/* Things that are due: delayed requests and answers. */
void play_client_tick(struct play *p, int64_t now_ms);
int64_t play_client_deadline(const struct play *p);

/* ---- play_verbs.c ---- */
/* The number of a client= name; NULL: 0. */
unsigned play_client_number(struct play *p, const char *name);
enum went play_verbs_do(struct play *p, struct thread *th,
                        const struct step *st, int64_t now_ms);
enum went play_verbs_push(struct play *p, const struct step *st,
                          int64_t now_ms);
/* The driver's answer to a verb, after it was logged. */
void play_verbs_result(struct play *p, int64_t now_ms, unsigned client,
                       const char *verb, const char *result,
                       const char *reason);

/* ---- play_server.c ---- */
struct play_server *play_server_new(struct play *p);
void play_server_free(struct play_server *ps);
enum went play_server_step(struct play *p, struct thread *th,
                           const struct step *st, int64_t now_ms);
void play_server_tick(struct play *p, int64_t now_ms);
int64_t play_server_deadline(const struct play *p);
/* An answer came: keep-polling goes on, a login takes its next step. */
void play_server_response(struct play *p, int64_t now_ms, unsigned x);

#endif
