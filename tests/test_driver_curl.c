/* The libcurl driver against a manager of a few lines, on a real socket: what
 * each request gets is written down in the test, one after the other. */
#include "bosh_peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "client-under-test/bosh.h"
#include "common/coding.h"

int suite_driver_curl(void);

#define REPLIES_MAX 16
#define TIME_OUT_MS 5000

enum how { PLAIN, GZIP, DEFLATE, COOKIE, RESET, HOLD, REDIRECT };

struct reply {
    enum how how;
    const char *text; /* the entity, or where a redirect leads */
    int status;       /* 0: 200 */
};

/* One thread a connection; all share the list of replies. */
struct server {
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t mutex;
    const struct reply *replies;
    size_t count;
    size_t used;
    int conn_count;
    int conn_of[REPLIES_MAX];     /* on which connection a request came */
    struct buf seen[REPLIES_MAX]; /* and its bytes */
};

struct conn {
    struct server *server;
    int fd;
    int number;
};

/* One whole request. False when the client went away. */
static bool read_request(int fd, struct buf *out)
{
    char piece[4096];
    const char *end;

    for (;;) {
        const char *length = strcasestr(buf_str(out), "content-length:");
        ssize_t got;

        end = strstr(buf_str(out), "\r\n\r\n");
        if (end && length &&
            out->len >=
                (size_t)(end + 4 - out->data) + strtoul(length + 15, NULL, 10))
            return true;
        got = recv(fd, piece, sizeof piece, 0);
        if (got <= 0)
            return false;
        buf_add(out, piece, (size_t)got);
    }
}

static void pack(struct buf *out, const char *text, enum how how)
{
    z_stream z = {0};
    unsigned char packed[4096];

    CHECK_INT(deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED,
                           how == GZIP ? MAX_WBITS + 16 : MAX_WBITS, 8,
                           Z_DEFAULT_STRATEGY),
              Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)strlen(text);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_add(out, packed, sizeof packed - z.avail_out);
    deflateEnd(&z);
}

static void write_reply(int fd, const struct reply *r)
{
    struct buf entity = BUF_INIT;
    struct buf out = BUF_INIT;

    if (r->how == GZIP || r->how == DEFLATE)
        pack(&entity, r->text, r->how);
    else if (r->how == PLAIN || r->how == COOKIE)
        buf_adds(&entity, r->text);
    buf_printf(&out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n",
               r->status ? r->status : 200, entity.len);
    if (r->how == REDIRECT)
        buf_printf(&out, "Location: %s\r\n", r->text);
    if (r->how == GZIP || r->how == DEFLATE)
        buf_printf(&out, "Content-Encoding: %s\r\n",
                   r->how == GZIP ? "gzip" : "deflate");
    if (r->how == COOKIE)
        buf_adds(&out, "Set-Cookie: its=own\r\n");
    buf_adds(&out, "\r\n");
    buf_add(&out, entity.data, entity.len);
    send(fd, out.data, out.len, MSG_NOSIGNAL);
    buf_release(&entity);
    buf_release(&out);
}

/* The next reply, and the request is noted; NULL when all are used. */
static const struct reply *next_reply(struct conn *c, struct buf *request)
{
    struct server *s = c->server;
    const struct reply *r = NULL;

    pthread_mutex_lock(&s->mutex);
    if (s->used < s->count) {
        s->conn_of[s->used] = c->number;
        buf_add(&s->seen[s->used], request->data, request->len);
        r = &s->replies[s->used++];
    }
    pthread_mutex_unlock(&s->mutex);
    return r;
}

static void *serve_connection(void *ctx)
{
    struct conn *c = ctx;
    struct buf request = BUF_INIT;
    const struct reply *r;

    while (read_request(c->fd, &request)) {
        r = next_reply(c, &request);
        buf_clear(&request);
        if (r && r->how == RESET) {
            struct linger hard = {1, 0};

            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            break;
        }
        if (r && r->how != HOLD)
            write_reply(c->fd, r);
    }
    close(c->fd);
    buf_release(&request);
    free(c);
    return NULL;
}

static void *serve(void *ctx)
{
    struct server *s = ctx;
    pthread_t threads[REPLIES_MAX];
    int count = 0;
    int fd;

    while (count < REPLIES_MAX &&
           (fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct conn *c = mem_alloc(sizeof *c);

        c->server = s;
        c->fd = fd;
        c->number = count;
        pthread_create(&threads[count++], NULL, serve_connection, c);
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return NULL;
}

static void server_start(struct server *s, const struct reply *replies,
                         size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    memset(s, 0, sizeof *s);
    s->replies = replies;
    s->count = count;
    pthread_mutex_init(&s->mutex, NULL);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(s->listener, (struct sockaddr *)&at, len), 0);
    CHECK_INT(listen(s->listener, REPLIES_MAX), 0);
    getsockname(s->listener, (struct sockaddr *)&at, &len);
    s->port = ntohs(at.sin_port);
    pthread_create(&s->thread, NULL, serve, s);
}

/* Only after the client has closed its connections. */
static void server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    pthread_mutex_destroy(&s->mutex);
    for (size_t i = 0; i < REPLIES_MAX; i++)
        buf_release(&s->seen[i]);
}

static size_t used(struct server *s)
{
    size_t n;

    pthread_mutex_lock(&s->mutex);
    n = s->used;
    pthread_mutex_unlock(&s->mutex);
    return n;
}

static bool seen(const struct server *s, size_t i, const char *text)
{
    return strstr(buf_str(&s->seen[i]), text) != NULL;
}

/* ---- The client ------------------------------------------------------------
 */

struct client {
    struct bosh_driver *driver;
    struct bosh *session;
    struct buf told; /* statuses and details, by spaces */
};

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    struct client *c = ctx;

    (void)s;
    buf_printf(&c->told, " %s",
               event->kind == BOSH_EVENT_STATUS
                   ? bosh_status_name(event->status)
                   : "stanza");
}

static void client_start(struct client *c, int port,
                         const struct bosh_options *options)
{
    struct bosh_options o = *options;
    char *url = mem_printf("http://127.0.0.1:%d/bosh", port);

    memset(c, 0, sizeof *c);
    o.url = url;
    c->driver = bosh_driver_new();
    c->session = bosh_new(&o);
    free(url);
    CHECK_INT(
        bosh_driver_add(c->driver, c->session, (struct bosh_hook){on_event, c}),
        0);
    CHECK_INT(
        bosh_connect(c->session, bosh_driver_now_ms(), "example.org", NULL), 0);
}

static void client_stop(struct client *c)
{
    bosh_driver_free(c->driver);
    bosh_free(c->session);
    buf_release(&c->told);
}

/* Until all replies were asked for. */
static void run(struct client *c, struct server *s)
{
    int64_t until = bosh_driver_now_ms() + TIME_OUT_MS;

    while (used(s) < s->count && bosh_driver_now_ms() < until)
        bosh_driver_turn(c->driver, 20);
    CHECK_INT(used(s), s->count);
    bosh_driver_turn(c->driver, 20);
}

#define PLAY(name, options, ...)                                               \
    const struct reply name##_replies[] = {__VA_ARGS__};                       \
    struct server name;                                                        \
    struct client c;                                                           \
    server_start(&name, name##_replies, PEER_COUNT(name##_replies));           \
    client_start(&c, name.port, options);                                      \
    run(&c, &name)

#define LOGIN_REPLIES                                                          \
    {PLAIN, LOGGED_IN(USUAL), 0}, {PLAIN, SUCCESS, 0},                         \
        {PLAIN, BIND_FEATURES, 0},                                             \
    {                                                                          \
        PLAIN, BOUND, 0                                                        \
    }

static struct bosh_options defaults(void)
{
    struct bosh_options o;

    bosh_options_init(&o);
    return o;
}

static void test_gzip_and_deflate_are_unpacked(void)
{
    struct bosh_options o = defaults();

    PLAY(s, &o, {GZIP, LOGGED_IN(USUAL), 0}, {DEFLATE, SUCCESS, 0},
         {GZIP, BIND_FEATURES, 0}, {DEFLATE, BOUND, 0}, {HOLD, NULL, 0});
    CHECK_STR(buf_str(&c.told), " connecting authenticating connected");
    CHECK(seen(&s, 0, "\r\nAccept-Encoding: gzip, deflate\r\n"));
    client_stop(&c);
    server_stop(&s);
}

/* A session with a stanza worth coding, which is on its way when the login is
 * done. */
static void play_coded(struct client *c, struct server *s,
                       const struct reply *replies, size_t count)
{
    static const char stanza[] =
        "<message to='bob@example.org' id='long'><body>"
        "\xC3\xA4 word, a word, one more word, and then a word more: these "
        "are words enough, for a word about words, to be worth a coding, "
        "word by word, and for the word to be in a word what it was, in so "
        "many words, before the words were coded</body></message>";
    struct bosh_options o = defaults();

    o.compress = true;
    server_start(s, replies, count);
    client_start(c, s->port, &o);
    CHECK_INT(bosh_send(c->session, stanza, strlen(stanza)), 0);
    run(c, s);
}

/* The entity of what was seen: yours, without its coding. */
static char *entity_of(const struct server *s, size_t i, bool coded)
{
    const struct buf *seen_it = &s->seen[i];
    const char *entity = strstr(buf_str(seen_it), "\r\n\r\n") + 4;
    size_t len = (size_t)(seen_it->data + seen_it->len - entity);
    char *length = mem_printf("\r\nContent-Length: %zu\r\n", len);
    struct buf plain = BUF_INIT;

    CHECK(seen(s, i, length));
    CHECK(seen(s, i, "\r\nContent-Encoding: gzip\r\n") == coded);
    CHECK(seen(s, i, "\r\nContent-Type: text/xml; charset=utf-8\r\n"));
    CHECK(!seen(s, i, "Expect:") && !seen(s, i, "Transfer-Encoding:"));
    if (coded)
        CHECK_INT(coding_decode(&plain, CODING_GZIP, entity, len, 100000, NULL),
                  0);
    else
        buf_add(&plain, entity, len);
    free(length);
    return buf_take(&plain);
}

static void test_a_request_is_packed_and_is_the_same_body(void)
{
    static const struct reply replies[] = {
        {PLAIN, LOGGED_IN(USUAL " accept='deflate, gzip'"), 0},
        {PLAIN, SUCCESS, 0},
        {GZIP, BIND_FEATURES, 0},
        {PLAIN, BOUND, 0},
        {RESET, NULL, 0},
        {REDIRECT, "/a", 307},
        {GZIP, EMPTY, 0},
        {HOLD, NULL, 0}};
    struct server s;
    struct client c;
    char *text[8];

    play_coded(&c, &s, replies, PEER_COUNT(replies));
    for (size_t i = 0; i < 8; i++)
        text[i] = entity_of(&s, i, i >= 4 && i <= 6);
    CHECK(strstr(text[4], "\xC3\xA4 word, a word") != NULL);
    CHECK(seen(&s, 6, "POST /a HTTP/1.1\r\n"));
    CHECK_STR(text[5], text[4]);
    CHECK_STR(text[6], text[4]);
    CHECK_INT(bosh_errors(c.session), 0);
    CHECK_STR(buf_str(&c.told), " connecting authenticating connected");
    for (size_t i = 0; i < 8; i++)
        free(text[i]);
    client_stop(&c);
    server_stop(&s);
}

static void test_a_refused_coding_is_left_off(void)
{
    static const struct reply replies[] = {
        {PLAIN, LOGGED_IN(USUAL " accept='gzip'"), 0},
        {PLAIN, SUCCESS, 0},
        {PLAIN, BIND_FEATURES, 0},
        {PLAIN, BOUND, 0},
        {PLAIN, "not so", 415},
        {PLAIN, EMPTY, 0},
        {HOLD, NULL, 0}};
    struct server s;
    struct client c;
    char *coded;
    char *plain;

    play_coded(&c, &s, replies, PEER_COUNT(replies));
    coded = entity_of(&s, 4, true);
    plain = entity_of(&s, 5, false);
    CHECK_STR(plain, coded);
    CHECK_INT(bosh_errors(c.session), 0);
    free(coded);
    free(plain);
    client_stop(&c);
    server_stop(&s);
}

static void test_a_post_is_followed_where_it_stays_at_home(void)
{
    struct bosh_options o = defaults();

    PLAY(s, &o, {REDIRECT, "/a", 307}, {REDIRECT, "/b", 308},
         {PLAIN, LOGGED_IN(USUAL), 0}, {HOLD, NULL, 0});
    CHECK(seen(&s, 1, "POST /a HTTP/1.1\r\n"));
    CHECK(seen(&s, 2, "POST /b HTTP/1.1\r\n"));
    CHECK_STR(strstr(buf_str(&s.seen[2]), "<body"),
              strstr(buf_str(&s.seen[0]), "<body"));
    CHECK(seen(&s, 3, "POST /bosh HTTP/1.1\r\n"));
    CHECK_INT(bosh_errors(c.session), 0);
    client_stop(&c);
    server_stop(&s);
}

static void test_no_other_redirect_is_followed(void)
{
    static const struct {
        const char *to;
        int status;
    } ROWS[] = {{"/a", 301},
                {"/a", 302},
                {"/a", 303},
                {"http://127.0.0.1:1/bosh", 307},
                {"http://example.invalid/", 308},
                {"file:///etc/passwd", 307}};

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        struct bosh_options o = defaults();

        PLAY(s, &o, {REDIRECT, ROWS[i].to, ROWS[i].status}, {HOLD, NULL, 0});
        CHECK_ROW(seen(&s, 1, "POST /bosh HTTP/1.1\r\n"), ROWS[i].to);
        CHECK_INT(bosh_errors(c.session), 1);
        client_stop(&c);
        server_stop(&s);
    }
}

static void test_a_dead_connection_is_one_error_and_one_repeat(void)
{
    struct bosh_options o = defaults();

    PLAY(s, &o, LOGIN_REPLIES, {RESET, NULL, 0}, {HOLD, NULL, 0});
    CHECK_INT(bosh_errors(c.session), 1);
    CHECK_STR(buf_str(&s.seen[5]), buf_str(&s.seen[4]));
    CHECK(s.conn_of[5] != s.conn_of[4]);
    client_stop(&c);
    server_stop(&s);
}

static void test_a_held_request_shares_its_connection_with_none(void)
{
    struct bosh_options o = defaults();
    int64_t until;
    const struct reply replies[] = {
        LOGIN_REPLIES, {HOLD, NULL, 0}, {PLAIN, EMPTY, 0}};
    struct server s;
    struct client c;

    server_start(&s, replies, PEER_COUNT(replies));
    client_start(&c, s.port, &o);
    until = bosh_driver_now_ms() + TIME_OUT_MS;
    while (used(&s) < 5 && bosh_driver_now_ms() < until)
        bosh_driver_turn(c.driver, 20);
    CHECK_INT(bosh_send(c.session, MESSAGE("a"), strlen(MESSAGE("a"))), 0);
    bosh_driver_pump(c.driver, c.session);
    run(&c, &s);
    CHECK(s.conn_of[5] != s.conn_of[4]);
    CHECK(s.conn_of[4] == s.conn_of[0]);
    client_stop(&c);
    server_stop(&s);
}

static void test_headers_of_the_application_are_on_every_request(void)
{
    static const char *const HEADERS[] = {"X-One: 1", "X-Two: 2", NULL};
    struct bosh_options o = defaults();

    o.headers = HEADERS;
    PLAY(s, &o, LOGIN_REPLIES, {HOLD, NULL, 0});
    for (size_t i = 0; i < 5; i++) {
        CHECK(seen(&s, i, "\r\nX-One: 1\r\n"));
        CHECK(seen(&s, i, "\r\nX-Two: 2\r\n"));
        CHECK(seen(&s, i, "\r\nContent-Type: text/xml; charset=utf-8\r\n"));
        CHECK(!seen(&s, i, "Expect:") && !seen(&s, i, "Transfer-Encoding:"));
    }
    client_stop(&c);
    server_stop(&s);
}

static void test_a_content_type_of_the_application_is_the_only_one(void)
{
    static const char *const HEADERS[] = {"content-type: text/plain", NULL};
    struct bosh_options o = defaults();

    o.headers = HEADERS;
    PLAY(s, &o, {HOLD, NULL, 0});
    CHECK(seen(&s, 0, "\r\ncontent-type: text/plain\r\n"));
    CHECK(!seen(&s, 0, "text/xml; charset=utf-8\r\n"));
    client_stop(&c);
    server_stop(&s);
}

static void test_cookies_are_sent_and_kept_when_asked(void)
{
    static const char *const COOKIES[] = {"mine=abc; path=/bosh",
                                          "other=1; domain=b.example", NULL};
    for (int asked = 0; asked < 4; asked++) {
        bool given = asked & 1;
        bool kept = asked & 2;
        struct bosh_options o = defaults();

        o.with_credentials = kept;
        o.cookies = given ? COOKIES : NULL;
        PLAY(s, &o, {COOKIE, LOGGED_IN(USUAL), 0}, {COOKIE, SUCCESS, 0},
             {HOLD, NULL, 0});
        for (size_t i = 0; i < s.count; i++) {
            CHECK(seen(&s, i, "mine=abc") == given);
            CHECK(seen(&s, i, "its=own") == (kept && i > 0));
            CHECK(seen(&s, i, "Cookie:") == (given || (kept && i > 0)));
            CHECK(!seen(&s, i, "other=1"));
        }
        client_stop(&c);
        server_stop(&s);
    }
}

static void test_a_proxy_is_asked_for_the_whole_address(void)
{
    struct bosh_options o = defaults();
    const struct reply replies[] = {{PLAIN, LOGGED_IN(USUAL), 0},
                                    {HOLD, NULL, 0}};
    struct server s;
    struct client c;
    char *proxy;

    server_start(&s, replies, PEER_COUNT(replies));
    proxy = mem_printf("http://127.0.0.1:%d", s.port);
    o.proxy = proxy;
    client_start(&c, 1, &o);
    run(&c, &s);
    CHECK(seen(&s, 0, "POST http://127.0.0.1:1/bosh HTTP/1.1\r\n"));
    client_stop(&c);
    server_stop(&s);
    free(proxy);
}

static void test_blocking_calls_wait_for_what_they_ask(void)
{
    struct bosh_options o = defaults();
    const struct reply replies[] = {LOGIN_REPLIES,
                                    {HOLD, NULL, 0},   /* the poll */
                                    {PLAIN, EMPTY, 0}, /* the message */
                                    {PLAIN, END, 0}};
    static const char MESSAGE_A[] = MESSAGE("a");
    struct server s;
    struct client c;
    char *url;

    memset(&c, 0, sizeof c);
    server_start(&s, replies, PEER_COUNT(replies));
    url = mem_printf("http://127.0.0.1:%d/bosh", s.port);
    o.url = url;
    c.driver = bosh_driver_new();
    c.session = bosh_new(&o);
    CHECK_INT(
        bosh_driver_add(c.driver, c.session, (struct bosh_hook){on_event, &c}),
        0);
    CHECK_INT(bosh_driver_send(c.driver, c.session, "", 0, 1), BOSH_E_STATE);
    CHECK_INT(
        bosh_driver_connect(c.driver, c.session, "example.org", NULL, 4000), 0);
    CHECK(bosh_connected(c.session));
    /* the replies are for this order: the poll, then the message */
    for (int i = 0; i < 80 && bosh_open_count(c.session) == 0; i++)
        bosh_driver_turn(c.driver, 50);
    for (int i = 0; i < 4; i++)
        bosh_driver_turn(c.driver, 50);
    CHECK_INT(bosh_driver_send(c.driver, c.session, MESSAGE_A,
                               sizeof MESSAGE_A - 1, 4000),
              0);
    CHECK(bosh_settled(c.session) && seen(&s, 5, "id=\"a\""));
    CHECK_INT(bosh_driver_disconnect(c.driver, c.session, NULL, 4000), 0);
    CHECK(bosh_ended(c.session));
    CHECK_INT(bosh_driver_settle(c.driver, c.session, 0), 0);
    client_stop(&c);
    server_stop(&s);
    free(url);
}

/* Only by what bosh.h promises: a descriptor and a time. */
static void test_the_driver_runs_in_another_loop(void)
{
    const struct reply replies[] = {
        LOGIN_REPLIES, {PLAIN, WITH("m"), 0}, {PLAIN, END, 0}};
    struct bosh_options o = defaults();
    int64_t until = bosh_driver_now_ms() + TIME_OUT_MS;
    struct server s;
    struct client c;

    server_start(&s, replies, PEER_COUNT(replies));
    client_start(&c, s.port, &o);
    while (!bosh_ended(c.session) && bosh_driver_now_ms() < until) {
        struct pollfd fd = {bosh_driver_fd(c.driver), POLLIN, 0};
        int64_t at = bosh_driver_deadline_ms(c.driver);
        int64_t now = bosh_driver_now_ms();

        if (at > until)
            at = until;
        poll(&fd, 1, at > now ? (int)(at - now) : 0);
        CHECK_INT(bosh_driver_turn(c.driver, 0), 0);
    }
    CHECK_STR(buf_str(&c.told), " connecting authenticating connected stanza "
                                "connfail disconnected");
    CHECK(bosh_driver_deadline_ms(c.driver) == BOSH_NEVER);
    client_stop(&c);
    server_stop(&s);
}

/* Nobody turns the driver of a session that is over. */
static void test_an_end_by_time_is_told_in_the_same_turn(void)
{
    struct bosh_options o = defaults();

    o.wait_s = 1;
    o.timeout = 0.1;
    o.max_errors = 1;
    PLAY(s, &o, {HOLD, NULL, 0});
    while (!bosh_ended(c.session))
        bosh_driver_turn(c.driver, TIME_OUT_MS);
    CHECK_STR(buf_str(&c.told), " connecting conntimeout disconnected");
    client_stop(&c);
    server_stop(&s);
}

static void test_a_blocking_call_ends_in_time(void)
{
    struct bosh_options o = defaults();
    int64_t began;

    PLAY(s, &o, {HOLD, NULL, 0});
    began = bosh_driver_now_ms();
    CHECK_INT(bosh_send(c.session, MESSAGE("a"), strlen(MESSAGE("a"))), 0);
    CHECK_INT(bosh_driver_settle(c.driver, c.session, 50), -1);
    CHECK(bosh_driver_now_ms() - began >= 50 &&
          bosh_driver_now_ms() - began < 2000);
    client_stop(&c);
    server_stop(&s);
}

static void test_what_an_end_leaves_unsent_is_not_sent(void)
{
    static const struct reply replies[] = {{REDIRECT, "/", 404}};
    static const char MESSAGE_A[] = MESSAGE("a");
    struct bosh_options o = defaults();
    struct server s;
    struct client c;

    server_start(&s, replies, PEER_COUNT(replies));
    client_start(&c, s.port, &o);
    CHECK_INT(bosh_driver_send(c.driver, c.session, MESSAGE_A,
                               sizeof MESSAGE_A - 1, 4000),
              -1);
    CHECK(bosh_ended(c.session));
    CHECK_STR(bosh_last_error(c.session), "the manager answered HTTP 404");
    client_stop(&c);
    server_stop(&s);
}

static void test_a_session_needs_no_hook(void)
{
    struct bosh_driver *d = bosh_driver_new();
    struct bosh_options o = defaults();
    struct bosh *s;

    o.url = "http://127.0.0.1:1/";
    o.max_errors = 1;
    s = bosh_new(&o);
    CHECK_INT(bosh_driver_add(d, s, (struct bosh_hook){NULL, NULL}), 0);
    CHECK_INT(bosh_driver_connect(d, s, "example.org", NULL, 4000), -1);
    CHECK(strstr(bosh_last_error(s), "1 errors in a row") != NULL);
    bosh_driver_free(d);
    bosh_free(s);
}

/* ---- Hooks and time
 * --------------------------------------------------------- */

/* The manager never answers our terminate, and only time tells. */
static void test_what_time_brings_is_told_in_that_turn(void)
{
    struct bosh_options o = defaults();
    int64_t until = bosh_driver_now_ms() + TIME_OUT_MS;

    o.disconnect_ms = 100;
    PLAY(s, &o, LOGIN_REPLIES, {HOLD, NULL, 0});
    CHECK_INT(bosh_disconnect(c.session, bosh_driver_now_ms(), NULL), 0);
    while (!bosh_ended(c.session) && bosh_driver_now_ms() < until)
        bosh_driver_turn(c.driver, 1000);
    CHECK_STR(buf_str(&c.told), " connecting authenticating connected "
                                "disconnecting conntimeout disconnected");
    client_stop(&c);
    server_stop(&s);
}

struct nested {
    struct bosh_driver *driver;
    int depth;
    int deepest;
    struct buf told;
};

/* After each verb, as bosh.h says, in a hook as well. */
static void on_event_pump(void *ctx, struct bosh *s,
                          const struct bosh_event *event)
{
    struct nested *n = ctx;

    n->depth++;
    if (n->depth > n->deepest)
        n->deepest = n->depth;
    bosh_driver_pump(n->driver, s);
    buf_printf(&n->told, " %s:%s", bosh_status_name(event->status),
               event->condition ? event->condition : "");
    n->depth--;
}

static void test_a_hook_may_pump_and_keeps_its_event(void)
{
    struct bosh_options o = defaults();
    struct nested n = {.driver = bosh_driver_new()};
    struct bosh *s;

    o.url = "http://127.0.0.1:1/";
    s = bosh_new(&o);
    CHECK_INT(
        bosh_driver_add(n.driver, s, (struct bosh_hook){on_event_pump, &n}), 0);
    CHECK_INT(bosh_connect(s, bosh_driver_now_ms(), "example.org", NULL), 0);
    CHECK_INT(bosh_disconnect(s, bosh_driver_now_ms(), "bye"), 0);
    bosh_driver_pump(n.driver, s);
    CHECK_INT(n.deepest, 1);
    CHECK_STR(buf_str(&n.told), " connecting: disconnecting:bye disconnected:");
    bosh_driver_free(n.driver);
    bosh_free(s);
    buf_release(&n.told);
}

static int keep_text(void *ctx, const char *text)
{
    struct buf *kept = ctx;

    buf_clear(kept);
    buf_adds(kept, text ? text : "");
    return 0;
}

static void on_event_pause(void *ctx, struct bosh *s,
                           const struct bosh_event *event)
{
    (void)ctx;
    if (event->kind == BOSH_EVENT_STATUS && event->status == BOSH_CONNECTED)
        CHECK_INT(bosh_pause(s, 60), 0);
}

/* Else the one who restores it would repeat a pause, which a manager need not
 * remember: XEP-0124 §14.3. */
static void test_an_answered_pause_is_not_kept(void)
{
    static const struct reply replies[] = {LOGIN_REPLIES, {PLAIN, EMPTY, 0}};
    struct bosh_options o = defaults();
    struct buf kept = BUF_INIT;
    struct server s;
    struct client c = {.driver = bosh_driver_new()};
    char *url;

    server_start(&s, replies, PEER_COUNT(replies));
    url = mem_printf("http://127.0.0.1:%d/bosh", s.port);
    o.url = url;
    o.store = (struct bosh_store){keep_text, NULL, &kept};
    c.session = bosh_new(&o);
    CHECK_INT(bosh_driver_add(c.driver, c.session,
                              (struct bosh_hook){on_event_pause, NULL}),
              0);
    CHECK_INT(bosh_driver_connect(c.driver, c.session, "example.org", NULL,
                                  BOSH_NEVER),
              0);
    run(&c, &s);
    CHECK_INT(bosh_open_count(c.session), 0);
    CHECK(strstr(buf_str(&kept), "sid='s1'") != NULL);
    CHECK(strstr(buf_str(&kept), "<request") == NULL);
    client_stop(&c);
    server_stop(&s);
    buf_release(&kept);
    free(url);
}

/* As bosh.h has it: a verb, and then a pump. */
static void verbs_in_hook(void *ctx, struct bosh *s,
                          const struct bosh_event *event)
{
    struct client *c = ctx;
    char *before = mem_dup(event->xml);

    bosh_send(s, MESSAGE("x"), strlen(MESSAGE("x")));
    bosh_driver_pump(c->driver, s);
    if (event->kind == BOSH_EVENT_STANZA)
        CHECK_STR(event->xml, before);
    on_event(ctx, s, event);
    free(before);
}

/* Which are refused in the end, but that does not spoil the farewell. */
static void test_a_hook_may_call_verbs_at_any_time(void)
{
    const struct reply replies[] = {
        LOGIN_REPLIES, {PLAIN, WITH("m"), 0}, {PLAIN, END, 0}};
    struct bosh_options o = defaults();
    struct server s;
    struct client c;

    server_start(&s, replies, PEER_COUNT(replies));
    client_start(&c, s.port, &o);
    bosh_driver_remove(c.driver, c.session);
    bosh_driver_add(c.driver, c.session, (struct bosh_hook){verbs_in_hook, &c});
    while (!bosh_connected(c.session) && !bosh_ended(c.session))
        bosh_driver_turn(c.driver, 100);
    CHECK_INT(bosh_driver_disconnect(c.driver, c.session, NULL, 4000), 0);
    CHECK_STR(buf_str(&c.told), " connecting authenticating connected "
                                "disconnecting stanza disconnected");
    client_stop(&c);
    server_stop(&s);
}

static const struct peer_test TESTS[] = {
    {"what time brings is told in that turn",
     test_what_time_brings_is_told_in_that_turn},
    {"a hook may pump and keeps its event",
     test_a_hook_may_pump_and_keeps_its_event},
    {"an answered pause is not kept", test_an_answered_pause_is_not_kept},
    {"a session needs no hook", test_a_session_needs_no_hook},
    {"what an end leaves unsent is not sent",
     test_what_an_end_leaves_unsent_is_not_sent},
    {"blocking calls wait for what they ask",
     test_blocking_calls_wait_for_what_they_ask},
    {"an end by time is told in the same turn",
     test_an_end_by_time_is_told_in_the_same_turn},
    {"a blocking call ends in time", test_a_blocking_call_ends_in_time},
    {"the driver runs in another loop", test_the_driver_runs_in_another_loop},
    {"a hook may call verbs at any time",
     test_a_hook_may_call_verbs_at_any_time},
    {"a content type of the application is the only one",
     test_a_content_type_of_the_application_is_the_only_one},
    {"cookies are sent and kept when asked",
     test_cookies_are_sent_and_kept_when_asked},
    {"a proxy is asked for the whole address",
     test_a_proxy_is_asked_for_the_whole_address},
    {"gzip and deflate are unpacked", test_gzip_and_deflate_are_unpacked},
    {"a request is packed and is the same body",
     test_a_request_is_packed_and_is_the_same_body},
    {"a refused coding is left off", test_a_refused_coding_is_left_off},
    {"a POST is followed where it stays at home",
     test_a_post_is_followed_where_it_stays_at_home},
    {"no other redirect is followed", test_no_other_redirect_is_followed},
    {"a dead connection is one error and one repeat",
     test_a_dead_connection_is_one_error_and_one_repeat},
    {"a held request shares its connection with none",
     test_a_held_request_shares_its_connection_with_none},
    {"headers of the application are on every request",
     test_headers_of_the_application_are_on_every_request},
};

int suite_driver_curl(void)
{
    return peer_suite("driver_curl", TESTS, PEER_COUNT(TESTS));
}
