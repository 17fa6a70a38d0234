/*
 * What the files of the stage on sockets share; nobody else includes it.
 *
 * stage_sockets.c  phases, the log, the clock, the end
 * stage_client.c   client role: the wire as a relay, the mock, the driver
 * stage_told.c     client role, where the client is only told where to go
 * stage_server.c   server role: the wire as a client
 */
#ifndef HARNESS_STAGE_PARTS_H
#define HARNESS_STAGE_PARTS_H

#include <stdio.h>

#include "driver_program.h"
#include "stage_sockets.h"

#define STAGE_MAX_CLIENTS 8

enum stage_phase {
    STAGE_WAITING, /* for a driver */
    STAGE_PLAYING,
    STAGE_SETTLING,
    STAGE_SIGNING_OFF,
    STAGE_CLOSING,
};

struct http_mhd;

/* One client of the case. */
struct stage_client {
    struct driver_session *session;
    bool active; /* it was told to connect, and has not said that it is over */
    uint64_t streams; /* which of them are not over, by the bit; §16 */
    char *state;      /* JSON text from save, or NULL */
};

/* The same where nobody obeys: a program or a person. */
struct stage_told {
    struct stage_sockets *stage;
    unsigned client;
    struct program *program; /* or NULL */
    char *verb;              /* the one whose result is due, or NULL */
    unsigned conns_before;   /* connect: there were so many connections */
    int64_t patience_ms;     /* connect: until then there must be another */
    char *na;                /* the case cannot be played, and why; or NULL */
    char *how;               /* how its program ended, or NULL */
    bool unwanted;           /* its end is no surprise */
};

struct stage_sockets {
    const struct stage_world *world;
    const struct testcase *tc;
    struct stage_sink sink;
    enum stage_phase phase;
    struct play *play;
    struct play_setting setting;
    FILE *log;
    char *log_path;
    uint64_t dice; /* the state of the play's random numbers */
    uv_timer_t timer;
    unsigned handles; /* the timer, the wire, the HTTP front */
    int64_t phase_ms; /* when the phase is to end at the latest */
    int64_t begun_ms, over_ms;
    bool hurry; /* aborted: no time for a sign-off */
    struct wire *wire;
    unsigned conns; /* that there have been */
    bool lost;      /* server role: told already */

    /* client role */
    struct mock *mock;
    struct http_mhd *front;
    char *url;
    char *peer; /* "bosh-client 0.1.0", from hello */
    bool own_process;
    struct driver_lease *lease;
    struct stage_client clients[STAGE_MAX_CLIENTS];
    unsigned client_count;
    struct stage_told told[STAGE_MAX_CLIENTS]; /* not DRIVER_LINE */
    uv_poll_t keys;                            /* MANUAL: the terminal */
    bool keys_open;
    bool restarting; /* restart-process: a new process is on its way */
    unsigned restart_client;
    bool no_driver;
    bool driver_lost;
    bool verb_refused;
    unsigned unanswered; /* verbs of the play */
    bool has_status, has_stanza;
};

/* ---- stage_sockets.c ---- */
enum play_part stage_part(enum wire_part part);
int64_t stage_now(const struct stage_sockets *st);
/* The play begins: setting is filled in. */
void stage_play(struct stage_sockets *st, const struct stage_ops *ops);
/* Something happened: look at the play, set the timer. Never calls back into
 * the play. */
void stage_turn(struct stage_sockets *st);
/* We can't do our part: the play ends as an ERROR. */
void stage_failed(void *stage, int64_t now_ms, const char *problem);
/* One of the handles is closed. */
void stage_closed(void *stage);

/* ---- stage_client.c ---- */
int stage_client_start(struct stage_sockets *st, struct err *e);
void stage_client_sign_off(struct stage_sockets *st);
bool stage_client_signed_off(const struct stage_sockets *st);
/* Before the end of the play: what is known by now of the driver's lag. */
void stage_client_own_up(struct stage_sockets *st);
/* Let go of the driver and begin to close. */
void stage_client_close(struct stage_sockets *st);
/* Everything is closed: free. */
void stage_client_release(struct stage_sockets *st);

/* ---- stage_told.c ---- */
void stage_told_start(struct stage_sockets *st);
bool stage_told_knows(const char *verb);
void stage_told_verb(struct stage_sockets *st, const struct verb *v);
/* Give the results that are due. */
void stage_told_tick(struct stage_sockets *st, int64_t now_ms);
int64_t stage_told_deadline(const struct stage_sockets *st, int64_t now_ms);
void stage_told_sign_off(struct stage_sockets *st);
void stage_told_close(struct stage_sockets *st);
void stage_told_release(struct stage_sockets *st);

/* ---- stage_server.c ---- */
int stage_server_start(struct stage_sockets *st, struct err *e);

#endif
