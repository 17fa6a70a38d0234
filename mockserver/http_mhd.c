/* HTTP in front of a mock, by libmicrohttpd: see http_mhd.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "http_mhd_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

#define MAX_CONNECTIONS 20000
/* Per connection: its head must fit, a body need not. A held request costs
 * about as much. */
#define CONNECTION_MEMORY (8 * 1024)
#define ACCEPTS_AT_ONCE 64
#define ACCEPT_PAUSE_MS 100

/* ---- the loop ---- */

static void timer_due(uv_timer_t *timer)
{
    http_mhd_turn(timer->data);
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
void http_mhd_turn(struct http_mhd *h)
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
        http_mhd_take_answers(h);
        MHD_run(h->daemon);
        http_mhd_take_answers(h);
    } while (h->again && !h->freed);
    h->turning = false;
    if (!h->freed)
        arm_timer(h);
}

static void mhd_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    http_mhd_turn(poll->data);
}

void http_mhd_changed(struct http_mhd *h)
{
    http_mhd_turn(h);
}

bool http_mhd_hung_up(struct http_mhd *h)
{
    if (!h->hang_ups)
        return false;
    h->hang_ups--;
    return true;
}

/* ---- beginning and end ---- */

void http_mhd_handle_closed(struct http_mhd *h)
{
    if (--h->handles > 0)
        return;
    free(h->slots);
    free(h->free_slots);
    if (h->done)
        h->done(h->done_ctx);
    free(h);
}

static void log_nothing(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    (void)fmt;
    (void)ap;
}

/* A relay's connections rest as long as the relay wants: one that was closed
 * just as a request went in would look like a mock that hangs up. */
static void connection_begins(void *cls, struct MHD_Connection *connection,
                              void **place,
                              enum MHD_ConnectionNotificationCode what)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    (void)cls;
    (void)place;
    if (what == MHD_CONNECTION_NOTIFY_STARTED && info && info->client_addr &&
        info->client_addr->sa_family == AF_UNIX)
        MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                  0U);
}

static struct MHD_Daemon *start_daemon(struct http_mhd *h)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, http_mhd_handle, h, MHD_OPTION_EXTERNAL_LOGGER,
        log_nothing, NULL, MHD_OPTION_NOTIFY_COMPLETED, http_mhd_completed, h,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_NOTIFY_CONNECTION, connection_begins, NULL,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_MHD_IDLE_S,
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
    http_mhd_handle_closed(handle->data);
}

void http_mhd_free(struct http_mhd *h, void (*done)(void *ctx), void *ctx)
{
    if (!h || h->freed)
        return;
    h->freed = true;
    h->done = done;
    h->done_ctx = ctx;
    /* MHD_stop_daemon() aborts the process while anything is suspended */
    http_mhd_give_up_all(h);
    MHD_run(h->daemon);
    uv_poll_stop(&h->poll);
    MHD_stop_daemon(h->daemon);
    if (h->listen_fd >= 0) {
        uv_poll_stop(&h->listener);
        close(h->listen_fd);
        uv_close((uv_handle_t *)&h->listener, own_closed);
        uv_close((uv_handle_t *)&h->pause, own_closed);
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

static void listener_ready(uv_poll_t *poll, int status, int events);

static void pause_over(uv_timer_t *timer)
{
    struct http_mhd *h = timer->data;

    uv_poll_start(&h->listener, UV_READABLE, listener_ready);
}

/* The connection that could not be accepted still waits, and would wake the
 * loop at once. */
static void pause_accepting(struct http_mhd *h)
{
    uv_poll_stop(&h->listener);
    uv_timer_start(&h->pause, pause_over, ACCEPT_PAUSE_MS, 0);
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

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                       errno == ENOMEM))
            pause_accepting(h);
        if (fd < 0)
            break;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        add_connection(h, fd);
    }
    http_mhd_turn(h);
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
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.six = {.sin6_port = 0}};
    socklen_t len = sizeof address;

    if (getsockname(fd, &address.any, &len) < 0)
        return -1;
    return ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port
                                                   : address.four.sin_port);
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
    uv_timer_init(h->loop, &h->pause);
    h->listener.data = h;
    h->pause.data = h;
    h->handles += 2;
    uv_poll_start(&h->listener, UV_READABLE, listener_ready);
    return port_of(fd);
}
