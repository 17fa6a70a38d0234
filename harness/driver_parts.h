/*
 * What the driver's two files share; nobody else includes it.
 *
 * driver.c       the process: start, pipes, limits, the end
 * driver_talk.c  the messages: hello, verbs, answers, events
 */
#ifndef HARNESS_DRIVER_PARTS_H
#define HARNESS_DRIVER_PARTS_H

#include "driver.h"

#include "common/buf.h"

enum ask_kind { ASK_HELLO, ASK_PROBE, ASK_VERB, ASK_PING, ASK_QUIT };

/* A verb that is not answered yet. */
struct ask {
    struct ask *next;
    enum ask_kind kind;
    long long id;
    char *verb;
    struct driver_session *session; /* VERB: NULL once it is closed */
    int64_t sent_ms;
    int64_t deadline_ms;
};

struct driver_session {
    struct driver_session *next;
    struct driver *driver;
    struct driver_session_sink sink;
    unsigned client;
    unsigned number;
};

/* How far the end has come. */
enum driver_ending { RUNNING, ASKED_TO_QUIT, TERMINATED, KILLED };

struct driver {
    uv_loop_t *loop;
    struct driver_sink sink;
    int hello_ms, verb_ms, quit_ms;
    unsigned salt;
    char *stderr_path;

    uv_process_t process;
    uv_pipe_t in, out, err;
    uv_timer_t timer;
    unsigned handles; /* not closed yet */

    bool ready;
    char *why; /* set: it is lost, or will be as soon as the loop runs */
    bool told; /* ... and everybody knows */
    enum driver_ending ending;
    int64_t ending_ms; /* when the next stage of it is due */
    bool exited, out_ended, closing;
    int64_t exit_status;
    int exit_signal;
    /* Reaped: so long its last words are waited for; its stdout has ended: so
     * long its end is. */
    int64_t drained_ms;

    struct buf line; /* what came, from the line at hand on */
    size_t looked;   /* bytes of it without a newline */
    size_t total;
    int64_t second_ms; /* the rate's window */
    unsigned second_lines;
    unsigned line_count;
    int stderr_fd;
    size_t stderr_len;
    char words[200]; /* the last line of stderr */

    struct driver_hello hello;
    char probe[16];
    struct driver_session *sessions;
    size_t session_count;
    unsigned next_session;
    struct ask *asks, **asks_end; /* in the order of their sending */
    long long next_id;
    bool pinging;
    int64_t pinged_ms;
};

/* ---- driver.c ---- */
int64_t driver_now(const struct driver *d);
/* It is lost, why says so: everybody is told from the loop. */
void driver_break(struct driver *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes for its stdin; taken. */
void driver_write(struct driver *d, char *bytes, size_t len);
/* Set the timer for what is due next. */
void driver_arm(struct driver *d);

/* ---- driver_talk.c ---- */
void talk_hello(struct driver *d);
void talk_quit(struct driver *d);
/* One line of its stdout. */
void talk_line(struct driver *d, const char *line, size_t len);
/* Overdue answers, pings. */
void talk_tick(struct driver *d, int64_t now_ms);
int64_t talk_deadline(const struct driver *d);
void talk_release(struct driver *d);

#endif
