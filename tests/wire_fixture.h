/*
 * For tests on the wire: a loop, a wire that listens on 127.0.0.1, an inside
 * that answers, plain client sockets, and a log of the wire's news in short
 * words ("request 1 whole"). One thread: fx_run() turns the loop and serves
 * the inside until something holds, for at most two seconds.
 */
#ifndef TESTS_WIRE_FIXTURE_H
#define TESTS_WIRE_FIXTURE_H

#include "check.h"
#include "common/buf.h"
#include "common/http.h"
#include "common/wire.h"

#define FX_INSIDES 300

struct fx_inside {
    int fd; /* -1: closed */
    struct buf in;
};

struct fx {
    uv_loop_t loop;
    struct wire *wire;
    int port;
    int fds_before;
    struct buf news; /* lines */
    char problem[256];
    bool keep_requests;  /* do not forward by yourself */
    bool keep_responses; /* do not deliver by yourself */
    bool silent_inside;  /* takes requests and does not answer */
    bool inside_hangs_up;
    bool no_inside; /* none is given */
    bool cut_on_open;
    size_t inside_requests; /* whole ones it got */
    size_t inside_gone;     /* connections whose other end closed */
    struct buf inside_last; /* the last of them, raw */
    struct buf response;    /* the last told, raw */
    /* Called from within the news of a response; may be NULL. */
    void (*responded)(struct fx *f);
    struct fx_inside insides[FX_INSIDES];
    size_t inside_count;
    bool freed; /* the wire is */
};

/* A client's socket: non-blocking, what came is collected. */
struct fx_client {
    int fd;
    struct buf in;
    bool eof;
    int error; /* errno of recv or connect */
};

void fx_start(struct fx *f);
void fx_start_tls(struct fx *f, const struct wire_identity *identity);
/* The same without listening. */
void fx_start_plain(struct fx *f);
/* Ends all, and checks that no descriptor is left. */
void fx_stop(struct fx *f);
/* Until holds(f, c), at most timeout_ms; whether it does. */
bool fx_run(struct fx *f, bool (*holds)(struct fx *f, void *arg), void *arg,
            int timeout_ms);
/* Until this line is among the news. */
bool fx_news(struct fx *f, const char *line);
bool fx_has(const struct fx *f, const char *line);
void fx_pass(struct fx *f, int ms);

/* plan: one piece at once. */
void fx_deliver(struct fx *f, unsigned x, const char *bytes,
                enum delivery_end end);

void fx_connect(struct fx *f, struct fx_client *c);
/* receive_buffer: its size, or 0. */
void fx_connect_with(struct fx *f, struct fx_client *c, int receive_buffer);
void fx_send(struct fx_client *c, const char *bytes);
void fx_post(struct fx_client *c, const char *body);
void fx_read(struct fx_client *c);
/* Until this text came to the client; its end; its reset. */
bool fx_gets(struct fx *f, struct fx_client *c, const char *text);
bool fx_gets_eof(struct fx *f, struct fx_client *c);
bool fx_gets_reset(struct fx *f, struct fx_client *c);
void fx_close(struct fx_client *c);

int fx_count_fds(void);
/* No descriptor is left from here on, or there are as many as before. */
void fx_starve(bool starve);

#endif
