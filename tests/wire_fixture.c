/* See wire_fixture.h. */
#include "wire_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

#define PATIENCE_MS 2000

int fx_count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    if (!dir)
        return -1;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

void fx_starve(bool starve)
{
    static struct rlimit before;
    struct rlimit none;

    if (!starve) {
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
        return;
    }
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* ---- the sink ---- */

static const char *const parts[] = {"none", "part", "whole", "unknown"};

static void on_opened(void *ctx, int64_t now_ms, unsigned conn)
{
    struct fx *f = ctx;

    (void)now_ms;
    buf_printf(&f->news, "opened %u\n", conn);
    if (f->cut_on_open)
        wire_cut(f->wire, conn, DELIVERY_RST);
}

static void on_closed(void *ctx, int64_t now_ms, unsigned conn,
                      enum delivery_end how, bool by_us)
{
    struct fx *f = ctx;

    (void)now_ms;
    buf_printf(&f->news, "closed %u %s by %s\n", conn, delivery_end_name(how),
               by_us ? "us" : "peer");
}

static void on_head(void *ctx, int64_t now_ms, unsigned x, unsigned conn,
                    const char *bytes, size_t len)
{
    struct fx *f = ctx;

    (void)now_ms;
    (void)conn;
    (void)bytes;
    buf_printf(&f->news, "head %u %zu\n", x, len);
}

static void on_request(void *ctx, int64_t now_ms, int64_t begun_ms, unsigned x,
                       unsigned conn, const char *bytes, size_t len,
                       enum wire_part arrived, const char *problem)
{
    struct fx *f = ctx;

    (void)bytes;
    (void)len;
    CHECK(begun_ms <= now_ms);
    buf_printf(&f->news, "request %u on %u %s\n", x, conn, parts[arrived]);
    if (problem)
        snprintf(f->problem, sizeof f->problem, "%s", problem);
    if (!f->keep_requests && arrived == WIRE_WHOLE)
        wire_forward(f->wire, x);
}

static void on_response(void *ctx, int64_t now_ms, unsigned x,
                        const char *bytes, size_t len, enum wire_part came,
                        const char *problem)
{
    struct fx *f = ctx;
    struct delivery plan;

    (void)now_ms;
    buf_printf(&f->news, "response %u %s\n", x, parts[came]);
    if (problem)
        snprintf(f->problem, sizeof f->problem, "%s", problem);
    buf_clear(&f->response);
    buf_add(&f->response, bytes, len);
    if (f->responded)
        f->responded(f);
    if (f->keep_responses || came != WIRE_WHOLE || f->port == 0)
        return;
    delivery_init(&plan);
    delivery_add(&plan, 0, bytes, len);
    wire_deliver(f->wire, x, &plan);
    delivery_release(&plan);
}

static void on_delivered(void *ctx, int64_t now_ms, unsigned x,
                         enum wire_part how)
{
    (void)now_ms;
    buf_printf(&((struct fx *)ctx)->news, "delivered %u %s\n", x, parts[how]);
}

static void on_sent(void *ctx, int64_t now_ms, unsigned x)
{
    (void)now_ms;
    buf_printf(&((struct fx *)ctx)->news, "sent %u\n", x);
}

static void on_abandoned(void *ctx, int64_t now_ms, unsigned x,
                         enum delivery_end how)
{
    (void)now_ms;
    buf_printf(&((struct fx *)ctx)->news, "abandoned %u %s\n", x,
               delivery_end_name(how));
}

static void on_secured(void *ctx, int64_t now_ms, unsigned conn,
                       enum wire_secure how, const char *problem)
{
    static const char *const words[] = {"yes", "in clear", "no"};
    struct fx *f = ctx;

    (void)now_ms;
    buf_printf(&f->news, "secured %u %s\n", conn, words[how]);
    if (problem)
        snprintf(f->problem, sizeof f->problem, "%s", problem);
}

static void on_failed(void *ctx, int64_t now_ms, const char *problem)
{
    struct fx *f = ctx;

    (void)now_ms;
    buf_printf(&f->news, "failed\n");
    snprintf(f->problem, sizeof f->problem, "%s", problem);
}

static const struct wire_sink all_news = {
    .opened = on_opened,
    .closed = on_closed,
    .secured = on_secured,
    .head = on_head,
    .request = on_request,
    .response = on_response,
    .delivered = on_delivered,
    .sent = on_sent,
    .abandoned = on_abandoned,
    .failed = on_failed,
};

/* ---- the inside ---- */

static int new_inside(void *ctx)
{
    struct fx *f = ctx;
    int fds[2];

    if (f->no_inside || f->inside_count == FX_INSIDES ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return -1;
    f->insides[f->inside_count++].fd = fds[1];
    return fds[0];
}

static void inside_answer(struct fx *f, struct fx_inside *in)
{
    char body[64];
    struct buf out = BUF_INIT;

    if (f->silent_inside)
        return;
    snprintf(body, sizeof body, "answer %zu", f->inside_requests);
    http_write_response(&out, 200, NULL, NULL, 0, body, strlen(body));
    CHECK_INT(send(in->fd, out.data, out.len, MSG_NOSIGNAL), out.len);
    buf_release(&out);
}

static void inside_close(struct fx_inside *in)
{
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
    buf_release(&in->in);
}

static void inside_take(struct fx *f, struct fx_inside *in)
{
    struct http_framer framer;
    size_t used;

    http_framer_init(&framer, HTTP_REQUEST);
    if (http_framer_look(&framer, buf_str(&in->in), in->in.len, false, &used,
                         NULL) != HTTP_WHOLE)
        return;
    f->inside_requests++;
    buf_clear(&f->inside_last);
    buf_add(&f->inside_last, in->in.data, used);
    buf_shift(&in->in, used);
    if (f->inside_hangs_up)
        inside_close(in);
    else
        inside_answer(f, in);
}

static void inside_serve(struct fx *f, struct fx_inside *in)
{
    char data[16384];
    ssize_t n = -1;

    while (in->fd >= 0 &&
           (n = recv(in->fd, data, sizeof data, MSG_DONTWAIT)) > 0)
        buf_add(&in->in, data, (size_t)n);
    if (in->fd >= 0)
        inside_take(f, in);
    if (in->fd >= 0 && n == 0) {
        f->inside_gone++;
        inside_close(in);
    }
}

/* ---- running ---- */

void fx_start_plain(struct fx *f)
{
    struct wire_sink sink = all_news;

    memset(f, 0, sizeof *f);
    sink.ctx = f;
    uv_loop_init(&f->loop); /* the first one opens libuv's own descriptors */
    uv_loop_close(&f->loop);
    f->fds_before = fx_count_fds();
    uv_loop_init(&f->loop);
    f->wire = wire_new(&f->loop, &sink);
}

void fx_start(struct fx *f)
{
    fx_start_tls(f, NULL);
}

void fx_start_tls(struct fx *f, const struct wire_identity *identity)
{
    struct err e = {""};

    fx_start_plain(f);
    f->port = wire_listen(f->wire, "127.0.0.1", 0, identity, new_inside, f, &e);
    CHECK_ROW(f->port > 0, e.text);
}

static void freed(void *ctx)
{
    ((struct fx *)ctx)->freed = true;
}

static bool is_freed(struct fx *f, void *arg)
{
    (void)arg;
    return f->freed;
}

void fx_stop(struct fx *f)
{
    if (!f->freed)
        wire_free(f->wire, freed, f);
    CHECK(fx_run(f, is_freed, NULL, PATIENCE_MS));
    uv_run(&f->loop, UV_RUN_NOWAIT);
    CHECK_INT(uv_loop_close(&f->loop), 0);
    for (size_t i = 0; i < f->inside_count; i++)
        inside_close(&f->insides[i]);
    buf_release(&f->news);
    buf_release(&f->inside_last);
    buf_release(&f->response);
    CHECK_INT(fx_count_fds(), f->fds_before);
}

bool fx_run(struct fx *f, bool (*holds)(struct fx *f, void *arg), void *arg,
            int timeout_ms)
{
    int64_t until_ms = clock_now_ms() + timeout_ms;

    for (;;) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        for (size_t i = 0; i < f->inside_count; i++)
            inside_serve(f, &f->insides[i]);
        if (holds(f, arg))
            return true;
        if (clock_now_ms() >= until_ms)
            return false;
        usleep(200);
    }
}

static bool never(struct fx *f, void *arg)
{
    (void)f;
    (void)arg;
    return false;
}

void fx_pass(struct fx *f, int ms)
{
    fx_run(f, never, NULL, ms);
}

bool fx_has(const struct fx *f, const char *line)
{
    const char *at = buf_str(&f->news);
    size_t len = strlen(line);

    while ((at = strstr(at, line)) != NULL) {
        if ((at == f->news.data || at[-1] == '\n') && at[len] == '\n')
            return true;
        at += len;
    }
    return false;
}

static bool has_line(struct fx *f, void *arg)
{
    return fx_has(f, arg);
}

bool fx_news(struct fx *f, const char *line)
{
    bool there = fx_run(f, has_line, (void *)(size_t)line, PATIENCE_MS);

    if (!there)
        printf("no '%s' among:\n%s", line, buf_str(&f->news));
    return there;
}

void fx_deliver(struct fx *f, unsigned x, const char *bytes,
                enum delivery_end end)
{
    struct delivery plan;

    delivery_init(&plan);
    if (*bytes)
        delivery_add(&plan, 0, bytes, strlen(bytes));
    plan.end = end;
    wire_deliver(f->wire, x, &plan);
    delivery_release(&plan);
}

/* ---- clients ---- */

void fx_connect(struct fx *f, struct fx_client *c)
{
    fx_connect_with(f, c, 0);
}

void fx_connect_with(struct fx *f, struct fx_client *c, int receive_buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)f->port)};

    memset(c, 0, sizeof *c);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                   sizeof receive_buffer);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
        c->error = errno;
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

void fx_send(struct fx_client *c, const char *bytes)
{
    CHECK_INT(send(c->fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

void fx_post(struct fx_client *c, const char *body)
{
    struct http_header host = {"Host", "localhost"};
    struct buf out = BUF_INIT;

    http_write_request(&out, "POST", "/http-bind", 1, &host, 1, body,
                       strlen(body));
    fx_send(c, buf_str(&out));
    buf_release(&out);
}

void fx_read(struct fx_client *c)
{
    char data[16384];
    ssize_t n;

    while (!c->eof && !c->error) {
        n = recv(c->fd, data, sizeof data, 0);
        if (n > 0)
            buf_add(&c->in, data, (size_t)n);
        else if (n == 0)
            c->eof = true;
        else if (errno == EAGAIN)
            return;
        else
            c->error = errno;
    }
}

struct wanted {
    struct fx_client *client;
    const char *text;
};

static bool got_text(struct fx *f, void *arg)
{
    struct wanted *want = arg;

    (void)f;
    fx_read(want->client);
    return strstr(buf_str(&want->client->in), want->text) != NULL;
}

bool fx_gets(struct fx *f, struct fx_client *c, const char *text)
{
    struct wanted want = {c, text};

    return fx_run(f, got_text, &want, PATIENCE_MS);
}

static bool got_eof(struct fx *f, void *arg)
{
    (void)f;
    fx_read(arg);
    return ((struct fx_client *)arg)->eof;
}

bool fx_gets_eof(struct fx *f, struct fx_client *c)
{
    return fx_run(f, got_eof, c, PATIENCE_MS);
}

static bool got_reset(struct fx *f, void *arg)
{
    (void)f;
    fx_read(arg);
    return ((struct fx_client *)arg)->error == ECONNRESET;
}

bool fx_gets_reset(struct fx *f, struct fx_client *c)
{
    return fx_run(f, got_reset, c, PATIENCE_MS);
}

void fx_close(struct fx_client *c)
{
    close(c->fd);
    buf_release(&c->in);
}
