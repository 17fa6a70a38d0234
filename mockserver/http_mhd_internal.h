/*
 * What http_mhd.c (the loop, beginning and end, connections) and
 * http_mhd_call.c (one request from its head to its answer) share.
 */
#ifndef MOCKSERVER_HTTP_MHD_INTERNAL_H
#define MOCKSERVER_HTTP_MHD_INTERNAL_H

#include <microhttpd.h>

#include "common/buf.h"
#include "http_mhd.h"

enum call_state {
    CALL_READING,
    CALL_ASKED, /* the mock has it; suspended, unless it answers at once */
    CALL_ANSWERED,
    CALL_GONE, /* the peer hung up */
};

/* Watches the socket of a suspended request; outlives it until libuv has let
 * go. */
struct watch {
    uv_poll_t poll;
    struct http_mhd *h;
    struct call *call; /* NULL: no longer of interest */
};

/* One request. */
struct call {
    struct http_mhd *h;
    struct MHD_Connection *connection;
    uint64_t token;
    enum call_state state;
    bool suspended;
    bool too_big;
    struct buf body;
    struct MHD_Response *response; /* NULL and status 0: hang up */
    unsigned status;
    struct watch *watch;
};

/* Tokens are a place and how often it was used: found at once, never
 * mistaken. */
struct slot {
    struct call *call;
    uint32_t uses;
};

struct http_mhd {
    uv_loop_t *loop;
    struct mock *mock;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_poll_t listener;
    uv_timer_t pause; /* of accepting, when there is no descriptor left */
    int listen_fd;    /* -1: none */
    unsigned handles;
    struct slot *slots;
    size_t slot_count;
    size_t *free_slots;
    size_t free_count;
    bool turning;
    bool again; /* something was resumed: MHD_run() once more */
    bool freed;
    unsigned hang_ups; /* see http_mhd_hung_up() */
    void (*done)(void *ctx);
    void *done_ctx;
};

/* http_mhd.c: run MHD and the mock until neither has anything to do. */
void http_mhd_turn(struct http_mhd *h);
/* One of h->handles is closed; the last one ends h. */
void http_mhd_handle_closed(struct http_mhd *h);

/* http_mhd_call.c: MHD's two callbacks */
enum MHD_Result http_mhd_handle(void *cls, struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *data,
                                size_t *len, void **place);
void http_mhd_completed(void *cls, struct MHD_Connection *connection,
                        void **place, enum MHD_RequestTerminationCode why);
/* Give the mock's answers to their requests. */
void http_mhd_take_answers(struct http_mhd *h);
/* Every request that is held is gone; MHD is told to go on with it. */
void http_mhd_give_up_all(struct http_mhd *h);

#endif
