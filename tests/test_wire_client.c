/* The wire layer as a client: against a raw listening socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "wire_fixture.h"

int suite_wire_client(void);

#define REQUEST "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* A server's listening socket, and the connections it accepted. */
struct server {
    struct fx fx;
    int fd;
    int port;
    struct fx_client conns[8];
    size_t count;
};

static void start(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;

    memset(s, 0, sizeof *s);
    fx_start_plain(&s->fx);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(s->fd, (struct sockaddr *)&address, sizeof address), 0);
    listen(s->fd, 16);
    getsockname(s->fd, (struct sockaddr *)&address, &len);
    s->port = ntohs(address.sin_port);
}

static void stop(struct server *s)
{
    for (size_t i = 0; i < s->count; i++)
        fx_close(&s->conns[i]);
    close(s->fd);
    fx_stop(&s->fx);
}

static bool take(struct fx *f, void *arg)
{
    struct server *s = arg;
    int fd = accept(s->fd, NULL, NULL);

    (void)f;
    if (fd < 0)
        return false;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    memset(&s->conns[s->count], 0, sizeof s->conns[0]);
    s->conns[s->count++].fd = fd;
    return true;
}

static struct fx_client *next_conn(struct server *s)
{
    CHECK(fx_run(&s->fx, take, s, 2000));
    return &s->conns[s->count - 1];
}

static unsigned ask(struct server *s, const char *conn, const char *bytes,
                    enum delivery_end end)
{
    struct wire_target target = {.host = "127.0.0.1", .port = s->port};
    struct delivery plan;
    unsigned x;

    delivery_init(&plan);
    if (*bytes)
        delivery_add(&plan, 0, bytes, strlen(bytes));
    plan.end = end;
    x = wire_request(s->fx.wire, &target, conn, &plan);
    delivery_release(&plan);
    return x;
}

static void reset(struct fx_client *c)
{
    struct linger now = {1, 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(c->fd);
    c->fd = -1;
}

static void test_request_is_answered_and_closed(void)
{
    struct server s;
    struct fx_client *c;

    start(&s);
    CHECK_INT(ask(&s, NULL, REQUEST, DELIVERY_KEEP), 1);
    c = next_conn(&s);
    CHECK(fx_gets(&s.fx, c, REQUEST));
    CHECK(fx_news(&s.fx, "sent 1"));
    fx_send(c, ANSWER);
    CHECK(fx_news(&s.fx, "response 1 whole"));
    CHECK_STR(buf_str(&s.fx.response), ANSWER);
    CHECK(fx_gets_eof(&s.fx, c));
    CHECK_STR(buf_str(&s.fx.news), "opened 1\nsent 1\nresponse 1 whole\n"
                                   "closed 1 fin by us\n");
    stop(&s);
}

static void test_named_connection_is_pipelined(void)
{
    struct server s;
    struct fx_client *c;

    start(&s);
    ask(&s, "a", REQUEST, DELIVERY_KEEP);
    ask(&s, "a", "GET /2 HTTP/1.1\r\n\r\n", DELIVERY_KEEP);
    c = next_conn(&s);
    CHECK(fx_gets(&s.fx, c, REQUEST "GET /2"));
    fx_send(c, "HTTP/1.1 100 Continue\r\n\r\n" ANSWER);
    CHECK(fx_news(&s.fx, "response 1 whole"));
    CHECK_STR(buf_str(&s.fx.response), ANSWER);
    fx_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
    CHECK(fx_news(&s.fx, "response 2 whole"));
    ask(&s, "a", "GET /3 HTTP/1.1\r\n\r\n", DELIVERY_KEEP);
    CHECK(fx_gets(&s.fx, c, "GET /3"));
    fx_send(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrest");
    close(c->fd);
    c->fd = -1;
    CHECK(fx_news(&s.fx, "response 3 whole"));
    CHECK(strstr(buf_str(&s.fx.response), "rest") != NULL);
    CHECK(fx_news(&s.fx, "closed 1 fin by peer"));
    ask(&s, "a", "GET /4 HTTP/1.1\r\n\r\n", DELIVERY_KEEP);
    c = next_conn(&s); /* a new one of that name */
    CHECK(fx_gets(&s.fx, c, "GET /4"));
    stop(&s);
}

static void ask_once_more(struct fx *f)
{
    struct server *s = (struct server *)f; /* its first member */

    f->responded = NULL;
    ask(s, "a", "GET /2 HTTP/1.1\r\n\r\n", DELIVERY_KEEP);
}

/* Whoever asks again from within the news of an answer must not end up on a
 * connection that this answer closes. */
static void test_an_answer_that_closes_takes_no_request_along(void)
{
    struct server s;
    struct fx_client *c;

    start(&s);
    s.fx.responded = ask_once_more;
    ask(&s, "a", REQUEST, DELIVERY_KEEP);
    c = next_conn(&s);
    CHECK(fx_gets(&s.fx, c, REQUEST));
    fx_send(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
               "Content-Length: 5\r\n\r\nhello");
    CHECK(fx_news(&s.fx, "response 1 whole"));
    c = next_conn(&s);
    CHECK(fx_gets(&s.fx, c, "GET /2"));
    fx_send(c, ANSWER);
    CHECK(fx_news(&s.fx, "response 2 whole"));
    stop(&s);
}

/* Whether and when it closes a connection that a case named is the server's to
 * show. */
static void test_an_announced_close_is_left_to_the_server(void)
{
    struct server s;
    struct fx_client *c;

    start(&s);
    CHECK_INT(ask(&s, "a", REQUEST, DELIVERY_KEEP), 1);
    CHECK_INT(wire_conn_of(s.fx.wire, 1), 1);
    c = next_conn(&s);
    CHECK(fx_gets(&s.fx, c, REQUEST));
    fx_send(c, "HTTP/1.0 200 OK\r\nConnection: close\r\n"
               "Content-Length: 5\r\n\r\nhello");
    CHECK(fx_news(&s.fx, "response 1 whole"));
    CHECK_INT(wire_conn_of(s.fx.wire, 1), 0);
    fx_pass(&s.fx, 20);
    CHECK(!fx_has(&s.fx, "closed 1"));
    close(c->fd);
    c->fd = -1;
    CHECK(fx_news(&s.fx, "closed 1 fin by peer"));
    stop(&s);
}

static void test_requests_are_in_flight_side_by_side(void)
{
    struct server s;

    start(&s);
    for (int i = 0; i < 5; i++)
        ask(&s, NULL, REQUEST, DELIVERY_KEEP);
    for (int i = 0; i < 5; i++)
        CHECK(fx_gets(&s.fx, next_conn(&s), "abc"));
    for (int i = 4; i >= 0; i--)
        fx_send(&s.conns[i], ANSWER);
    for (unsigned i = 1; i <= 5; i++) {
        char line[40];

        snprintf(line, sizeof line, "response %u whole", i);
        CHECK(fx_news(&s.fx, line));
    }
    stop(&s);
}

/* However long a connection takes to come: see must_wait(). */
static void test_requests_set_out_in_the_order_they_were_made(void)
{
    struct wire_target nobody = {.host = "127.0.0.1", .port = 1};
    struct delivery plan;
    struct server s;

    start(&s);
    delivery_init(&plan);
    delivery_add(&plan, 0, REQUEST, strlen(REQUEST));
    wire_request(s.fx.wire, &nobody, NULL, &plan);
    delivery_release(&plan);
    for (int i = 0; i < 3; i++)
        ask(&s, NULL, REQUEST, DELIVERY_KEEP);
    for (int i = 0; i < 3; i++)
        CHECK(fx_gets(&s.fx, next_conn(&s), "abc"));
    CHECK(fx_news(&s.fx, "sent 4"));
    CHECK_STR(buf_str(&s.fx.news),
              "response 1 none\nopened 2\nsent 2\nopened 3\nsent 3\n"
              "opened 4\nsent 4\n");
    stop(&s);
}

static void test_answer_without_length_ends_with_the_connection(void)
{
    struct server s;
    struct fx_client *c;

    start(&s);
    ask(&s, NULL, REQUEST, DELIVERY_KEEP);
    c = next_conn(&s);
    CHECK(fx_gets(&s.fx, c, "abc"));
    fx_send(c, "HTTP/1.1 200 OK\r\n\r\nto the end");
    fx_pass(&s.fx, 20);
    CHECK(!fx_has(&s.fx, "response 1 whole"));
    shutdown(c->fd, SHUT_WR);
    CHECK(fx_news(&s.fx, "response 1 whole"));
    stop(&s);
}

struct trouble {
    const char *sends;
    bool resets;
    const char *news;
    const char *problem;
};

static void test_broken_answers_are_told_in_plain_words(void)
{
    static const struct trouble rows[] = {
        {"", false, "response 1 none", "closed without an answer"},
        {"", true, "response 1 none", "reset by peer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", false,
         "response 1 part", "closed in the middle of an answer"},
        {"SSH-2.0-hello\r\n", false, "response 1 part",
         "no HTTP: no status line"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct server s;
        struct fx_client *c;

        start(&s);
        ask(&s, NULL, REQUEST, DELIVERY_KEEP);
        c = next_conn(&s);
        CHECK(fx_gets(&s.fx, c, "abc"));
        fx_send(c, rows[i].sends);
        fx_pass(&s.fx, 10);
        if (rows[i].resets)
            reset(c);
        else
            shutdown(c->fd, SHUT_WR);
        CHECK_ROW(fx_news(&s.fx, rows[i].news), rows[i].problem);
        CHECK_STR(s.fx.problem, rows[i].problem);
        stop(&s);
    }
}

static void test_nobody_there(void)
{
    struct server s;

    start(&s);
    close(s.fd);
    s.fd = -1;
    ask(&s, NULL, REQUEST, DELIVERY_KEEP);
    CHECK(fx_news(&s.fx, "response 1 none"));
    CHECK_STR(s.fx.problem, "connection refused");
    CHECK_STR(buf_str(&s.fx.news), "response 1 none\n");
    s.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    stop(&s);
}

static void test_name_is_looked_up(void)
{
    struct server s;
    struct wire_target target = {.host = "localhost"};
    struct delivery plan;

    start(&s);
    target.port = s.port;
    delivery_init(&plan);
    delivery_add(&plan, 0, REQUEST, strlen(REQUEST));
    wire_request(s.fx.wire, &target, NULL, &plan);
    CHECK(fx_gets(&s.fx, next_conn(&s), "abc"));
    target.host = "no-such-host.invalid";
    CHECK_INT(wire_request(s.fx.wire, &target, NULL, &plan), 2);
    delivery_release(&plan);
    fx_run(&s.fx, take, &s, 0);
    stop(&s); /* perhaps in the middle of the second look-up */
}

static void test_request_is_cut(void)
{
    static const enum delivery_end ends[] = {DELIVERY_FIN, DELIVERY_RST};

    for (int i = 0; i < 2; i++) {
        struct server s;
        struct fx_client *c;

        start(&s);
        ask(&s, NULL, "POST / HT", ends[i]);
        c = next_conn(&s);
        CHECK(i ? fx_gets_reset(&s.fx, c) : fx_gets_eof(&s.fx, c));
        CHECK_STR(buf_str(&c->in), "POST / HT");
        CHECK(fx_news(&s.fx, "response 1 none"));
        CHECK_STR(s.fx.problem, "closed by us");
        stop(&s);
    }
}

static void test_half_closed_request_gets_its_answer(void)
{
    struct server s;
    struct fx_client *c;

    start(&s);
    ask(&s, NULL, REQUEST, DELIVERY_HALF);
    c = next_conn(&s);
    CHECK(fx_gets_eof(&s.fx, c));
    CHECK_STR(buf_str(&c->in), REQUEST);
    fx_send(c, ANSWER);
    CHECK(fx_news(&s.fx, "response 1 whole"));
    stop(&s);
}

static void test_request_that_drips(void)
{
    struct server s;
    struct fx_client *c;
    struct wire_target target = {.host = "127.0.0.1"};
    struct delivery plan;

    start(&s);
    target.port = s.port;
    delivery_init(&plan);
    delivery_add(&plan, 0, "GET / HT", 8);
    delivery_add(&plan, 60, "TP/1.1\r\n\r\n", 10);
    wire_request(s.fx.wire, &target, "d", &plan);
    delivery_release(&plan);
    ask(&s, "d", "GET /2 HTTP/1.1\r\n\r\n", DELIVERY_KEEP);
    c = next_conn(&s);
    CHECK(fx_gets(&s.fx, c, "GET / HT"));
    fx_pass(&s.fx, 20);
    fx_read(c);
    CHECK_STR(buf_str(&c->in), "GET / HT");
    CHECK(!fx_has(&s.fx, "sent 1"));
    CHECK(fx_gets(&s.fx, c, "TP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"));
    CHECK(fx_news(&s.fx, "sent 2"));
    stop(&s);
}

static void test_abort(void)
{
    static const enum delivery_end ends[] = {DELIVERY_FIN, DELIVERY_RST};

    for (int i = 0; i < 2; i++) {
        struct server s;
        struct fx_client *c;
        unsigned x;

        start(&s);
        x = ask(&s, "a", REQUEST, DELIVERY_KEEP);
        c = next_conn(&s);
        CHECK(fx_gets(&s.fx, c, "abc"));
        fx_send(c, "HTTP/1.1 200");
        fx_pass(&s.fx, 10);
        wire_abort(s.fx.wire, x, ends[i]);
        CHECK(fx_news(&s.fx, "response 1 part"));
        CHECK_STR(s.fx.problem, "given up");
        CHECK_STR(buf_str(&s.fx.response), "HTTP/1.1 200");
        CHECK(i ? fx_gets_reset(&s.fx, c) : fx_gets_eof(&s.fx, c));
        CHECK(fx_has(&s.fx, i ? "closed 1 rst by us" : "closed 1 fin by us"));
        stop(&s);
    }
}

static void test_tls_on_a_plain_port(void)
{
    struct server s;
    struct fx_client *c;
    struct wire_target target = {
        .host = "127.0.0.1", .tls = true, .insecure = true};
    struct delivery plan;

    start(&s);
    target.port = s.port;
    delivery_init(&plan);
    delivery_add(&plan, 0, REQUEST, strlen(REQUEST));
    wire_request(s.fx.wire, &target, NULL, &plan);
    delivery_release(&plan);
    c = next_conn(&s);
    fx_pass(&s.fx, 20);
    fx_send(c, "HTTP/1.1 400 Bad Request\r\n\r\n");
    CHECK(fx_news(&s.fx, "response 1 none"));
    CHECK(strncmp(s.fx.problem, "TLS: ", 5) == 0);
    stop(&s);
}

int suite_wire_client(void)
{
    CU_pSuite s = CU_add_suite("wire client", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_request_is_answered_and_closed) ||
        !CU_ADD_TEST(s, test_named_connection_is_pipelined) ||
        !CU_ADD_TEST(s, test_an_answer_that_closes_takes_no_request_along) ||
        !CU_ADD_TEST(s, test_an_announced_close_is_left_to_the_server) ||
        !CU_ADD_TEST(s, test_requests_are_in_flight_side_by_side) ||
        !CU_ADD_TEST(s, test_requests_set_out_in_the_order_they_were_made) ||
        !CU_ADD_TEST(s, test_answer_without_length_ends_with_the_connection) ||
        !CU_ADD_TEST(s, test_broken_answers_are_told_in_plain_words) ||
        !CU_ADD_TEST(s, test_nobody_there) ||
        !CU_ADD_TEST(s, test_name_is_looked_up) ||
        !CU_ADD_TEST(s, test_request_is_cut) ||
        !CU_ADD_TEST(s, test_half_closed_request_gets_its_answer) ||
        !CU_ADD_TEST(s, test_request_that_drips) ||
        !CU_ADD_TEST(s, test_abort) ||
        !CU_ADD_TEST(s, test_tls_on_a_plain_port))
        return -1;
    return 0;
}
