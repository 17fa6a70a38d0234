/* HTTP in front of a mock, by libmicrohttpd: see http_mhd.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "http_mhd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/buf.h"
#include "common/clock.h"

#define MAX_CONNECTIONS 20000
#define MAX_HEADERS 64
/* Per connection: its head must fit, a body need not. A held request costs
 * about as much. */
#define CONNECTION_MEMORY (8 * 1024)
#define ACCEPTS_AT_ONCE 64

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
    int listen_fd; /* -1: none */
    unsigned handles;
    struct slot *slots;
    size_t slot_count;
    size_t *free_slots;
    size_t free_count;
    bool turning;
    bool again; /* something was resumed: MHD_run() once more */
    bool freed;
    bool tls;
    void (*after_turn)(void *ctx, int64_t now_ms);
    void *after_turn_ctx;
    void (*done)(void *ctx);
    void *done_ctx;
};

static void turn(struct http_mhd *h);

/* ---- tokens ---- */

static void take_slot(struct http_mhd *h, struct call *call)
{
    size_t i;

    if (h->free_count) {
        i = h->free_slots[--h->free_count];
    } else {
        i = h->slot_count++;
        h->slots = mem_grow(h->slots, h->slot_count * sizeof *h->slots);
        h->free_slots =
            mem_grow(h->free_slots, h->slot_count * sizeof *h->free_slots);
        h->slots[i].uses = 0;
    }
    h->slots[i].call = call;
    h->slots[i].uses++;
    call->token = (uint64_t)h->slots[i].uses << 32 | i;
}

static void give_slot(struct call *call)
{
    size_t i = (size_t)(call->token & 0xffffffff);

    call->h->slots[i].call = NULL;
    call->h->free_slots[call->h->free_count++] = i;
}

static struct call *find_call(const struct http_mhd *h, uint64_t token)
{
    size_t i = (size_t)(token & 0xffffffff);

    if (i >= h->slot_count || h->slots[i].uses != token >> 32)
        return NULL;
    return h->slots[i].call;
}

/* ---- suspended requests ---- */

static void handle_closed(struct http_mhd *h)
{
    if (--h->handles > 0)
        return;
    free(h->slots);
    free(h->free_slots);
    if (h->done)
        h->done(h->done_ctx);
    free(h);
}

static void watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct http_mhd *h = w->h;

    free(w);
    handle_closed(h);
}

static void unwatch(struct call *call)
{
    if (!call->watch)
        return;
    call->watch->call = NULL;
    uv_poll_stop(&call->watch->poll);
    uv_close((uv_handle_t *)&call->watch->poll, watch_closed);
    call->watch = NULL;
}

static void resume(struct call *call)
{
    if (!call->suspended)
        return;
    unwatch(call);
    call->suspended = false;
    call->h->again = true;
    MHD_resume_connection(call->connection);
}

static void hung_up(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct http_mhd *h = w->h;

    (void)status;
    (void)events;
    if (!w->call)
        return;
    w->call->state = CALL_GONE;
    mock_gone(h->mock, clock_now_ms(), w->call->token);
    resume(w->call);
    turn(h);
}

static void suspend(struct call *call)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        call->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct watch *w = mem_alloc(sizeof *w);

    MHD_suspend_connection(call->connection);
    call->suspended = true;
    w->h = call->h;
    w->call = call;
    w->poll.data = w;
    if (!info || uv_poll_init(call->h->loop, &w->poll, info->connect_fd) < 0) {
        free(w);
        return;
    }
    call->h->handles++;
    call->watch = w;
    uv_poll_start(&w->poll, UV_DISCONNECT, hung_up);
}

/* ---- answers ---- */

static void set_answer(struct call *call, const struct mock_answer *a)
{
    call->state = CALL_ANSWERED;
    call->status = (unsigned)a->status;
    if (a->status == 0)
        return;
    /* libmicrohttpd copies, whatever the parameter's type says */
    call->response = MHD_create_response_from_buffer(
        a->body_len, (void *)(uintptr_t)a->body, MHD_RESPMEM_MUST_COPY);
    for (size_t i = 0; call->response && i < a->header_count; i++)
        MHD_add_response_header(call->response, a->headers[i].name,
                                a->headers[i].value);
}

static void take_answers(struct http_mhd *h)
{
    struct mock_answer a;

    while (mock_next_answer(h->mock, clock_now_ms(), &a)) {
        struct call *call = find_call(h, a.token);

        if (!call || call->state != CALL_ASKED)
            continue;
        set_answer(call, &a);
        resume(call);
    }
}

static enum MHD_Result send_answer(struct call *call)
{
    enum MHD_Result rc;

    if (!call->response)
        return MHD_NO;
    rc = MHD_queue_response(call->connection, call->status, call->response);
    MHD_destroy_response(call->response);
    call->response = NULL;
    return rc;
}

static enum MHD_Result refuse_big(struct call *call)
{
    static char text[] = "too big";

    call->state = CALL_ANSWERED;
    call->status = MHD_HTTP_CONTENT_TOO_LARGE;
    call->response = MHD_create_response_from_buffer(sizeof text - 1, text,
                                                     MHD_RESPMEM_PERSISTENT);
    return send_answer(call);
}

/* ---- requests ---- */

struct header_list {
    struct mock_header headers[MAX_HEADERS];
    size_t count;
};

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    struct header_list *list = cls;

    (void)kind;
    if (list->count == MAX_HEADERS)
        return MHD_NO;
    list->headers[list->count].name = name;
    list->headers[list->count++].value = value ? value : "";
    return MHD_YES;
}

static void ask_mock(struct call *call, const char *method, const char *url)
{
    struct http_mhd *h = call->h;
    struct header_list list = {.count = 0};
    struct mock_request req = {
        .method = method,
        .path = url,
        .headers = list.headers,
        .body = buf_str(&call->body),
        .body_len = call->body.len,
        .tls = h->tls,
    };

    MHD_get_connection_values(call->connection, MHD_HEADER_KIND, add_header,
                              &list);
    req.header_count = list.count;
    call->state = CALL_ASKED;
    take_slot(h, call);
    mock_request(h->mock, clock_now_ms(), &req, call->token);
    buf_release(&call->body);
    take_answers(h);
}

static void collect(struct call *call, const char *data, size_t len)
{
    if (call->body.len + len > MOCK_MAX_BODY)
        call->too_big = true;
    if (call->too_big)
        buf_release(&call->body);
    else
        buf_add(&call->body, data, len);
}

static enum MHD_Result request_whole(struct call *call, const char *method,
                                     const char *url)
{
    if (call->state == CALL_READING && call->too_big)
        return refuse_big(call);
    if (call->state == CALL_READING)
        ask_mock(call, method, url);
    switch (call->state) {
    case CALL_READING:
    case CALL_GONE:
        return MHD_NO;
    case CALL_ASKED:
        suspend(call);
        return MHD_YES;
    case CALL_ANSWERED:
        return send_answer(call);
    }
    return MHD_NO;
}

/* MHD's handler: called with the head, with pieces of the body, with the whole
 * request, and again after it was resumed. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection,
                              const char *url, const char *method,
                              const char *version, const char *data,
                              size_t *len, void **place)
{
    struct call *call = *place;

    (void)version;
    if (!call) {
        call = mem_alloc(sizeof *call);
        call->h = cls;
        call->connection = connection;
        *place = call;
        return MHD_YES;
    }
    if (*len) {
        collect(call, data, *len);
        *len = 0;
        return MHD_YES;
    }
    return request_whole(call, method, url);
}

static void completed(void *cls, struct MHD_Connection *connection,
                      void **place, enum MHD_RequestTerminationCode why)
{
    struct http_mhd *h = cls;
    struct call *call = *place;

    (void)connection;
    (void)why;
    if (!call)
        return;
    *place = NULL;
    unwatch(call);
    if (call->state == CALL_ASKED)
        mock_gone(h->mock, clock_now_ms(), call->token);
    if (call->token)
        give_slot(call);
    if (call->response)
        MHD_destroy_response(call->response);
    buf_release(&call->body);
    free(call);
}

/* ---- the loop ---- */

static void timer_due(uv_timer_t *timer)
{
    turn(timer->data);
}

static void arm_timer(struct http_mhd *h)
{
    int64_t now_ms = clock_now_ms();
    int64_t due_ms = mock_deadline_ms(h->mock);
    int64_t in_ms = due_ms <= now_ms ? 0 : due_ms - now_ms;
    MHD_UNSIGNED_LONG_LONG mhd_ms;

    if (MHD_get_timeout(h->daemon, &mhd_ms) == MHD_YES &&
        (due_ms == CLOCK_NEVER || (int64_t)mhd_ms < in_ms)) {
        in_ms = (int64_t)mhd_ms;
        due_ms = now_ms + in_ms;
    }
    if (due_ms == CLOCK_NEVER) {
        uv_timer_stop(&h->timer);
        return;
    }
    uv_update_time(h->loop);
    uv_timer_start(&h->timer, timer_due, (uint64_t)in_ms, 0);
}

/* MHD forgets, when asked for its timeout, what was just resumed: it is run
 * again until nothing more was. */
static void turn(struct http_mhd *h)
{
    if (h->freed)
        return;
    if (h->turning) {
        h->again = true;
        return;
    }
    h->turning = true;
    do {
        int64_t now_ms = clock_now_ms();

        h->again = false;
        if (mock_deadline_ms(h->mock) <= now_ms)
            mock_tick(h->mock, now_ms);
        take_answers(h);
        MHD_run(h->daemon);
        take_answers(h);
        if (h->after_turn)
            h->after_turn(h->after_turn_ctx, clock_now_ms());
    } while (h->again && !h->freed);
    h->turning = false;
    if (!h->freed)
        arm_timer(h);
}

static void mhd_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    turn(poll->data);
}

void http_mhd_changed(struct http_mhd *h)
{
    turn(h);
}

void http_mhd_set_tls(struct http_mhd *h, bool tls)
{
    h->tls = tls;
}

void http_mhd_on_turn(struct http_mhd *h,
                      void (*after_turn)(void *ctx, int64_t now_ms), void *ctx)
{
    h->after_turn = after_turn;
    h->after_turn_ctx = ctx;
}

/* ---- beginning and end ---- */

static void log_nothing(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    (void)fmt;
    (void)ap;
}

static struct MHD_Daemon *start_daemon(struct http_mhd *h)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, handle, h, MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, completed, h, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
        MHD_OPTION_END);
}

struct http_mhd *http_mhd_new(uv_loop_t *loop, struct mock *mock, struct err *e)
{
    struct http_mhd *h = mem_alloc(sizeof *h);
    const union MHD_DaemonInfo *info;

    h->loop = loop;
    h->mock = mock;
    h->listen_fd = -1;
    h->daemon = start_daemon(h);
    info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)
                     : NULL;
    if (!info || uv_poll_init(loop, &h->poll, info->epoll_fd) < 0) {
        err_set(e, "libmicrohttpd does not start: %s", strerror(errno));
        if (h->daemon)
            MHD_stop_daemon(h->daemon);
        free(h);
        return NULL;
    }
    uv_timer_init(loop, &h->timer);
    h->handles = 2;
    h->poll.data = h;
    h->timer.data = h;
    uv_poll_start(&h->poll, UV_READABLE, mhd_ready);
    return h;
}

static void own_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

/* MHD_stop_daemon() aborts the process while anything is suspended. */
static void resume_all(struct http_mhd *h)
{
    for (size_t i = 0; i < h->slot_count; i++) {
        struct call *call = h->slots[i].call;

        if (!call || call->state != CALL_ASKED)
            continue;
        call->state = CALL_GONE;
        mock_gone(h->mock, clock_now_ms(), call->token);
        resume(call);
    }
    for (size_t i = 0; i < h->slot_count; i++)
        if (h->slots[i].call)
            resume(h->slots[i].call);
    MHD_run(h->daemon);
}

void http_mhd_free(struct http_mhd *h, void (*done)(void *ctx), void *ctx)
{
    if (!h || h->freed)
        return;
    h->freed = true;
    h->done = done;
    h->done_ctx = ctx;
    resume_all(h);
    uv_poll_stop(&h->poll);
    MHD_stop_daemon(h->daemon);
    if (h->listen_fd >= 0) {
        uv_poll_stop(&h->listener);
        close(h->listen_fd);
        uv_close((uv_handle_t *)&h->listener, own_closed);
    }
    uv_close((uv_handle_t *)&h->poll, own_closed);
    uv_close((uv_handle_t *)&h->timer, own_closed);
}

/* ---- connections ---- */

static int add_connection(struct http_mhd *h, int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    memset(&address, 0, sizeof address);
    getpeername(fd, (struct sockaddr *)&address, &len);
    if (MHD_add_connection(h->daemon, fd, (struct sockaddr *)&address, len) !=
        MHD_YES)
        return -1; /* it has closed fd */
    return 0;
}

int http_mhd_connect(void *http_mhd)
{
    struct http_mhd *h = http_mhd;
    int fds[2];

    if (h->freed ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   fds) < 0)
        return -1;
    if (add_connection(h, fds[1]) < 0) {
        close(fds[0]);
        return -1;
    }
    return fds[0];
}

static void listener_ready(uv_poll_t *poll, int status, int events)
{
    struct http_mhd *h = poll->data;
    int one = 1;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int fd =
            accept4(h->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            break;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        add_connection(h, fd);
    }
    turn(h);
}

static int listening_socket(const char *host, int port, struct err *e)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];
    int one = 1;
    int fd;
    int rc;

    snprintf(service, sizeof service, "%d", port);
    rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0)
        return err_set(e, "'%s': %s", host, gai_strerror(rc));
    fd =
        socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        err_set(e, "listen on '%s' port %d: %s", host, port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return -1;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int http_mhd_listen(struct http_mhd *h, const char *host, int port,
                    struct err *e)
{
    int fd;

    if (h->listen_fd >= 0)
        return err_set(e, "it listens already");
    fd = listening_socket(host, port, e);
    if (fd < 0)
        return -1;
    if (uv_poll_init(h->loop, &h->listener, fd) < 0) {
        close(fd);
        return err_set(e, "the loop takes no more descriptors");
    }
    h->listen_fd = fd;
    h->listener.data = h;
    h->handles++;
    uv_poll_start(&h->listener, UV_READABLE, listener_ready);
    return port_of(fd);
}
