/* The servers of bench.h. */
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/http.h"
#include "mockserver/http_mhd.h"
#include "mockserver/mock.h"

#define EVENTS_MAX 64
#define BACKLOG 1024

#define ANSWER                                                                 \
    "<body xmlns='http://jabber.org/protocol/httpbind'>"                       \
    "<message xmlns='jabber:client' from='echo@localhost' "                    \
    "type='chat'><body>what is said</body></message></body>"

struct conn {
    struct conn *next;
    int fd; /* -1: closed */
    struct http_framer framer;
    struct buf in;
};

struct bench_server {
    enum bench_kind kind;
    pthread_t thread;
    int port;

    /* that costs nothing */
    int epoll;
    struct conn *conns; /* the last of them listens */
    struct buf answer;
    atomic_bool over;

    /* the mock */
    uv_loop_t loop;
    uv_async_t stop;
    struct mock *mock;
    struct http_mhd *front;
};

/* ---- The one that costs nothing --------------------------------------------
 */

static void add_conn(struct bench_server *s, int fd)
{
    struct conn *c = mem_alloc(sizeof *c);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->fd = fd;
    http_framer_init(&c->framer, HTTP_REQUEST);
    c->next = s->conns;
    s->conns = c;
    epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void close_conn(struct conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    buf_release(&c->in);
}

static void serve(struct bench_server *s, struct conn *c)
{
    char piece[16384];
    size_t used;
    ssize_t got = recv(c->fd, piece, sizeof piece, 0);

    if (got <= 0) {
        close_conn(c);
        return;
    }
    buf_add(&c->in, piece, (size_t)got);
    if (http_framer_look(&c->framer, c->in.data, c->in.len, false, &used,
                         NULL) != HTTP_WHOLE)
        return;
    buf_shift(&c->in, used);
    send(c->fd, s->answer.data, s->answer.len, MSG_NOSIGNAL);
}

static void *run(void *ctx)
{
    struct bench_server *s = ctx;
    struct epoll_event events[EVENTS_MAX];

    while (!atomic_load(&s->over)) {
        int count = epoll_wait(s->epoll, events, EVENTS_MAX, 100);

        for (int i = 0; i < count; i++) {
            struct conn *c = events[i].data.ptr;

            if (c->next)
                serve(s, c);
            else
                add_conn(s, accept4(c->fd, NULL, NULL, SOCK_CLOEXEC));
        }
    }
    return NULL;
}

static int start_nothing(struct bench_server *s)
{
    struct http_header type = {"Content-Type", "text/xml; charset=utf-8"};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
        listen(fd, BACKLOG) < 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&at, &len);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    http_write_response(&s->answer, 200, NULL, &type, 1, ANSWER,
                        strlen(ANSWER));
    add_conn(s, fd);
    pthread_create(&s->thread, NULL, run, s);
    return ntohs(at.sin_port);
}

static void stop_nothing(struct bench_server *s)
{
    atomic_store(&s->over, true);
    pthread_join(s->thread, NULL);
    while (s->conns) {
        struct conn *c = s->conns;

        s->conns = c->next;
        close_conn(c);
        free(c);
    }
    close(s->epoll);
    buf_release(&s->answer);
}

/* ---- The mock --------------------------------------------------------------
 */

static void on_stop(uv_async_t *async)
{
    struct bench_server *s = async->data;

    http_mhd_free(s->front, NULL, NULL);
    uv_close((uv_handle_t *)&s->stop, NULL);
}

static void *run_mock(void *ctx)
{
    uv_run(&((struct bench_server *)ctx)->loop, UV_RUN_DEFAULT);
    return NULL;
}

static int start_mock(struct bench_server *s)
{
    struct mock_options o = mock_options_default();
    int port;

    o.path = NULL;
    s->mock = mock_new(&o);
    uv_loop_init(&s->loop);
    uv_async_init(&s->loop, &s->stop, on_stop);
    s->stop.data = s;
    s->front = http_mhd_new(&s->loop, s->mock, NULL);
    port = s->front ? http_mhd_listen(s->front, "127.0.0.1", 0, NULL) : -1;
    pthread_create(&s->thread, NULL, run_mock, s);
    return port;
}

static void stop_mock(struct bench_server *s)
{
    uv_async_send(&s->stop);
    pthread_join(s->thread, NULL);
    uv_loop_close(&s->loop);
    mock_free(s->mock);
}

/* ---- Either ----------------------------------------------------------------
 */

struct bench_server *bench_server_start(enum bench_kind kind)
{
    struct bench_server *s = mem_alloc(sizeof *s);

    s->kind = kind;
    s->port = kind == BENCH_MOCK ? start_mock(s) : start_nothing(s);
    if (s->port > 0)
        return s;
    free(s); /* the program ends */
    return NULL;
}

char *bench_server_url(const struct bench_server *s)
{
    return mem_printf("http://127.0.0.1:%d/", s->port);
}

void bench_server_stop(struct bench_server *s)
{
    if (s->kind == BENCH_MOCK)
        stop_mock(s);
    else
        stop_nothing(s);
    free(s);
}
