/* libcurl used bare, as in its own examples: see bench.h. */
#include "bench.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

#define EVENTS_MAX 64

/* A session. */
struct bare {
    struct bench_session session;
    CURL *easy;
    struct buf request;
    struct buf answer;
};

struct loop {
    CURLM *multi;
    int epoll;
    int64_t timer_ms; /* CLOCK_NEVER: none */
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx,
                     void *known)
{
    struct loop *loop = ctx;
    struct epoll_event event = {.data.fd = fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events |= what & CURL_POLL_IN ? EPOLLIN : 0;
    event.events |= what & CURL_POLL_OUT ? EPOLLOUT : 0;
    epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    curl_multi_assign(loop->multi, fd, loop);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct loop *loop = ctx;

    (void)multi;
    loop->timer_ms = timeout_ms < 0 ? CLOCK_NEVER : clock_now_ms() + timeout_ms;
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    buf_add(ctx, data, size * count);
    return size * count;
}

static void ask(struct loop *loop, struct bare *b)
{
    buf_clear(&b->request);
    buf_clear(&b->answer);
    buf_printf(&b->request,
               "<body xmlns='http://jabber.org/protocol/httpbind' rid='%llu' "
               "sid='%s'>" BENCH_MESSAGE "</body>",
               (unsigned long long)b->session.rid++, b->session.sid);
    curl_easy_setopt(b->easy, CURLOPT_POSTFIELDS, b->request.data);
    curl_multi_add_handle(loop->multi, b->easy);
}

static void start(struct bare *b, const char *url, struct curl_slist *headers)
{
    bench_log_in(url, &b->session);
    b->easy = curl_easy_init();
    curl_easy_setopt(b->easy, CURLOPT_URL, url);
    curl_easy_setopt(b->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(b->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(b->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(b->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(b->easy, CURLOPT_WRITEDATA, &b->answer);
    curl_easy_setopt(b->easy, CURLOPT_PRIVATE, b);
}

/* Every one that is answered asks again. */
static size_t collect(struct loop *loop)
{
    size_t done = 0;
    struct bare *b;
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(loop->multi, &left)) != NULL) {
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&b);
        done += msg->data.result == CURLE_OK &&
                strstr(buf_str(&b->answer), "<message") != NULL;
        curl_multi_remove_handle(loop->multi, b->easy);
        ask(loop, b);
    }
    return done;
}

static size_t turn(struct loop *loop)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t wait_ms =
        loop->timer_ms == CLOCK_NEVER ? 1000 : loop->timer_ms - clock_now_ms();
    int count = epoll_wait(loop->epoll, events, EVENTS_MAX,
                           wait_ms > 0 ? (int)wait_ms : 0);
    int running;

    for (int i = 0; i < count; i++) {
        int what = events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0;

        what |= events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
        curl_multi_socket_action(loop->multi, events[i].data.fd, what,
                                 &running);
    }
    if (loop->timer_ms <= clock_now_ms()) {
        loop->timer_ms = CLOCK_NEVER;
        curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    return collect(loop);
}

static void loop_init(struct loop *loop)
{
    loop->multi = curl_multi_init();
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_ms = CLOCK_NEVER;
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
}

double bench_libcurl(const char *url, size_t count, int64_t ms)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    struct bare *all = mem_alloc(count * sizeof *all);
    struct loop loop;
    int64_t begun;
    size_t done = 0;

    headers = curl_slist_append(headers, "Content-Type: text/xml");
    loop_init(&loop);
    for (size_t i = 0; i < count; i++)
        start(&all[i], url, headers);
    begun = clock_now_ms();
    for (size_t i = 0; i < count; i++)
        ask(&loop, &all[i]);
    while (clock_now_ms() < begun + ms)
        done += turn(&loop);
    ms = clock_now_ms() - begun;
    for (size_t i = 0; i < count; i++) {
        curl_multi_remove_handle(loop.multi, all[i].easy);
        curl_easy_cleanup(all[i].easy);
        buf_release(&all[i].request);
        buf_release(&all[i].answer);
    }
    curl_multi_cleanup(loop.multi);
    close(loop.epoll);
    curl_slist_free_all(headers);
    free(all);
    return (double)done * 1000 / (double)ms;
}
