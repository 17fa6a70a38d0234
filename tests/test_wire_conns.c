/* The wire layer as a relay: connections refused, cut, shared, left alone. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "wire_fixture.h"

int suite_wire_conns(void);

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static void test_refused_and_accepted_again(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    for (int i = 0; i < 2; i++) {
        wire_refuse(f.wire, true);
        fx_connect(&f, &c);
        CHECK_INT(c.error, ECONNREFUSED);
        fx_close(&c);
        wire_refuse(f.wire, false);
        fx_connect(&f, &c);
        CHECK_INT(c.error, 0);
        fx_post(&c, "x");
        CHECK(fx_gets(&f, &c, "answer"));
        fx_close(&c);
    }
    wire_refuse(f.wire, true);
    fx_stop(&f);
}

static void test_two_wires_do_not_share_a_port(void)
{
    struct fx f;
    struct wire_sink nothing = {.ctx = NULL};
    struct err e = {""};
    struct wire *other;

    fx_start(&f);
    other = wire_new(&f.loop, &nothing);
    CHECK_INT(wire_listen(other, "127.0.0.1", f.port, NULL, NULL, NULL, &e),
              -1);
    CHECK(strstr(e.text, "in use") != NULL);
    wire_free(other, NULL, NULL);
    fx_stop(&f);
}

static void test_accept_then_rst(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.cut_on_open = true;
    fx_connect(&f, &c);
    CHECK_INT(c.error, 0);
    CHECK(fx_gets_reset(&f, &c));
    CHECK_STR(buf_str(&f.news), "opened 1\nclosed 1 rst by us\n");
    fx_close(&c);
    fx_stop(&f);
}

static void test_cut_while_the_request_is_on_its_way(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    fx_send(&c, "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc");
    CHECK(fx_news(&f, "head 1 40"));
    wire_cut(f.wire, 1, DELIVERY_RST);
    CHECK(fx_gets_reset(&f, &c));
    CHECK(strstr(buf_str(&f.news),
                 "request 1 on 1 part\nclosed 1 rst by us\n") != NULL);
    fx_close(&c);
    fx_stop(&f);
}

static void test_pipelined_requests_keep_their_order(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.keep_responses = true;
    fx_connect(&f, &c);
    fx_send(&c, "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n1"
                "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n2"
                "GET /3 HTTP/1.1\r\n\r\n");
    CHECK(fx_news(&f, "response 3 whole"));
    CHECK_INT(f.inside_count, 1);
    fx_deliver(&f, 3, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthird",
               DELIVERY_KEEP);
    fx_pass(&f, 20);
    fx_read(&c);
    CHECK_INT(c.in.len, 0);
    fx_deliver(&f, 1, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst",
               DELIVERY_KEEP);
    CHECK(fx_gets(&f, &c, "first"));
    CHECK(strstr(buf_str(&c.in), "third") == NULL);
    fx_deliver(&f, 2, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond",
               DELIVERY_KEEP);
    CHECK(fx_gets(&f, &c, "third"));
    CHECK(strstr(buf_str(&c.in), "second") < strstr(buf_str(&c.in), "third"));
    CHECK(fx_news(&f, "delivered 3 whole"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_pipelined_request_waits_for_the_answer_before_it(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.silent_inside = true;
    fx_connect(&f, &c);
    fx_post(&c, "1");
    fx_post(&c, "2");
    CHECK(fx_news(&f, "request 2 on 1 whole"));
    fx_pass(&f, 30);
    CHECK_INT(f.inside_requests, 1);
    /* answered from outside, it no longer stands in the way */
    fx_deliver(&f, 1, ANSWER, DELIVERY_KEEP);
    CHECK(fx_gets(&f, &c, "hello"));
    fx_pass(&f, 30);
    CHECK_INT(f.inside_requests, 2);
    fx_close(&c);
    fx_stop(&f);
}

static void test_too_many_pipelined_requests_wait(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.keep_requests = true;
    fx_connect(&f, &c);
    for (int i = 0; i < 100; i++)
        fx_send(&c, "GET / HTTP/1.1\r\n\r\n");
    CHECK(fx_news(&f, "request 64 on 1 whole"));
    fx_pass(&f, 20);
    CHECK(!fx_has(&f, "request 65 on 1 whole"));
    for (unsigned x = 1; x <= 64; x++)
        fx_deliver(&f, x, ANSWER, DELIVERY_KEEP);
    CHECK(fx_news(&f, "request 100 on 1 whole"));
    for (unsigned x = 65; x <= 100; x++)
        fx_deliver(&f, x, ANSWER, DELIVERY_KEEP);
    CHECK(fx_news(&f, "delivered 100 whole"));
    fx_close(&c);
    fx_stop(&f);
}

static bool inside_left(struct fx *f, void *arg)
{
    return f->inside_gone == *(size_t *)arg;
}

static void test_abandoned_request_is_told_and_hung_up(void)
{
    for (int reset = 0; reset < 2; reset++) {
        struct linger now = {1, 0};
        struct fx f;
        struct fx_client c;
        size_t one = 1;

        fx_start(&f);
        f.silent_inside = true;
        fx_connect(&f, &c);
        fx_post(&c, "one");
        CHECK(fx_news(&f, "request 1 on 1 whole"));
        fx_pass(&f, 10);
        CHECK_INT(f.inside_requests, 1);
        if (reset)
            setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        fx_close(&c);
        CHECK(fx_news(&f, reset ? "abandoned 1 rst" : "abandoned 1 fin"));
        CHECK(fx_news(&f,
                      reset ? "closed 1 rst by peer" : "closed 1 fin by peer"));
        CHECK(fx_run(&f, inside_left, &one, 1000));
        fx_deliver(&f, 1, ANSWER, DELIVERY_KEEP);
        CHECK(fx_news(&f, "delivered 1 none"));
        fx_stop(&f);
    }
}

static void test_request_of_a_client_that_left_still_arrives(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.keep_requests = true;
    fx_connect(&f, &c);
    fx_post(&c, "last words");
    fx_close(&c);
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    CHECK(fx_has(&f, "request 1 on 1 whole"));
    wire_forward(f.wire, 1);
    CHECK(fx_news(&f, "response 1 whole"));
    CHECK(strstr(buf_str(&f.inside_last), "last words") != NULL);
    fx_stop(&f);
}

static void test_inside_that_hangs_up_is_told(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.inside_hangs_up = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "response 1 none"));
    CHECK_STR(f.problem, ""); /* it may well mean it */
    wire_cut(f.wire, 1, DELIVERY_FIN);
    CHECK(fx_gets_eof(&f, &c));
    fx_close(&c);
    fx_stop(&f);
}

static void test_connection_closes_when_http_says_so(void)
{
    static const char *const requests[] = {
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
    };
    static const char *const answers[] = {
        ANSWER,
        ANSWER,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\n\r\nno length",
    };

    for (int i = 0; i < 4; i++) {
        struct fx f;
        struct fx_client c;

        fx_start(&f);
        f.keep_requests = true;
        fx_connect(&f, &c);
        fx_send(&c, requests[i]);
        CHECK(fx_news(&f, "request 1 on 1 whole"));
        fx_deliver(&f, 1, answers[i], DELIVERY_KEEP);
        CHECK_ROW(fx_gets_eof(&f, &c), requests[i]);
        CHECK_STR(buf_str(&c.in), answers[i]);
        CHECK_ROW(fx_news(&f, "delivered 1 whole"), answers[i]);
        CHECK_ROW(fx_news(&f, "closed 1 fin by us"), answers[i]);
        fx_close(&c);
        fx_stop(&f);
    }
}

static void test_expect_gets_100_continue(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    fx_send(&c, "POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
                "Content-Length: 3\r\n\r\n");
    CHECK(fx_gets(&f, &c, "HTTP/1.1 100 Continue\r\n\r\n"));
    fx_send(&c, "abc");
    CHECK(fx_gets(&f, &c, "answer 1"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_bytes_that_are_no_http(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    fx_send(&c, "\x16\x03\x01");
    CHECK(fx_news(&f, "request 1 on 1 part"));
    CHECK_STR(f.problem, "no request line");
    fx_deliver(&f, 1, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
               DELIVERY_KEEP);
    CHECK(fx_gets_eof(&f, &c));
    CHECK(strstr(buf_str(&c.in), "400") != NULL);
    fx_close(&c);
    fx_stop(&f);
}

static void test_client_that_leaves_inside_a_request(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    fx_send(&c, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    fx_close(&c);
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    CHECK(fx_has(&f, "request 1 on 1 part"));
    CHECK_INT(f.inside_count, 0);
    fx_stop(&f);
}

static bool read_all(struct fx *f, void *arg)
{
    (void)f;
    fx_read(arg);
    return ((struct fx_client *)arg)->in.len > 8 * 1024 * 1024;
}

static void test_big_bodies_pass(void)
{
    struct fx f;
    struct fx_client c;
    struct buf big = BUF_INIT;
    struct delivery plan;
    size_t len = 8 * 1024 * 1024;
    size_t request_len = WIRE_MAX_BODY;
    char *body = mem_alloc(len + 1);
    size_t at = 0;

    memset(body, 'x', len);
    fx_start(&f);
    f.keep_requests = true;
    fx_connect(&f, &c);
    http_write_request(&big, "POST", "/", 1, NULL, 0, body, request_len);
    while (at < big.len) {
        ssize_t n = send(c.fd, big.data + at, big.len - at, MSG_NOSIGNAL);

        if (n > 0)
            at += (size_t)n;
        fx_pass(&f, 0);
    }
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    buf_clear(&big);
    http_write_response(&big, 200, NULL, NULL, 0, body, len);
    delivery_init(&plan);
    delivery_add(&plan, 0, big.data, big.len);
    wire_deliver(f.wire, 1, &plan);
    delivery_release(&plan);
    fx_pass(&f, 30); /* nobody reads: it waits */
    CHECK(!fx_has(&f, "delivered 1 whole"));
    CHECK(fx_run(&f, read_all, &c, 5000));
    CHECK(fx_news(&f, "delivered 1 whole"));
    CHECK(c.in.len == big.len && memcmp(c.in.data, big.data, big.len) == 0);
    buf_release(&big);
    free(body);
    fx_close(&c);
    fx_stop(&f);
}

/* The kernel has taken all of it, the client's kernel has not. */
static void test_delivered_means_acknowledged(void)
{
    static char body[200 * 1024];
    struct fx f;
    struct fx_client c;
    struct buf big = BUF_INIT;
    struct delivery plan;
    int small = 4096;
    int patience = 3000; /* rounds of 1 ms */

    memset(body, 'x', sizeof body);
    fx_start(&f);
    f.keep_requests = true;
    fx_connect_with(&f, &c, small);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    http_write_response(&big, 200, NULL, NULL, 0, body, sizeof body);
    delivery_init(&plan);
    delivery_add(&plan, 0, big.data, big.len);
    wire_deliver(f.wire, 1, &plan);
    delivery_release(&plan);
    fx_pass(&f, 60);
    CHECK(!fx_has(&f, "delivered 1 whole"));
    while (!c.eof && !c.error && c.in.len < big.len && patience-- > 0) {
        fx_read(&c);
        fx_pass(&f, 1);
    }
    CHECK_INT(c.in.len, big.len);
    CHECK(fx_news(&f, "delivered 1 whole"));
    buf_release(&big);
    fx_close(&c);
    fx_stop(&f);
}

static void test_unread_bytes_do_not_turn_the_end_into_a_reset(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    CHECK(fx_news(&f, "opened 1"));
    wire_deafen(f.wire, 1, true);
    fx_pass(&f, 5);
    fx_post(&c, "never read");
    wire_free(f.wire, NULL, NULL);
    CHECK(fx_gets_eof(&f, &c));
    CHECK_INT(c.error, 0);
    fx_close(&c);
    f.freed = true;
    fx_stop(&f);
}

static void test_two_hundred_connections(void)
{
    static struct fx_client clients[200];
    struct fx f;

    fx_start(&f);
    for (int i = 0; i < 200; i++) {
        fx_connect(&f, &clients[i]);
        fx_post(&clients[i], "x");
    }
    for (int i = 0; i < 200; i++)
        CHECK(fx_gets(&f, &clients[i], "answer"));
    CHECK_INT(f.inside_requests, 200);
    for (int i = 0; i < 100; i++) /* the others are open when it ends */
        fx_close(&clients[i]);
    fx_pass(&f, 20);
    for (int i = 100; i < 200; i++)
        shutdown(clients[i].fd, SHUT_WR);
    fx_pass(&f, 20);
    for (int i = 100; i < 200; i++)
        fx_close(&clients[i]);
    fx_stop(&f);
}

static void test_freed_in_the_middle_of_everything(void)
{
    struct fx f;
    struct fx_client c[3];

    fx_start(&f);
    f.silent_inside = true;
    for (int i = 0; i < 3; i++)
        fx_connect(&f, &c[i]);
    fx_post(&c[0], "held");
    fx_send(&c[1], "POST / HTTP/1.1\r\nContent-Le");
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    fx_pass(&f, 10);
    fx_deliver(&f, 1, ANSWER, DELIVERY_RST);
    for (int i = 0; i < 3; i++)
        fx_close(&c[i]);
    fx_stop(&f);
}

int suite_wire_conns(void)
{
    CU_pSuite s = CU_add_suite("wire connections", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_refused_and_accepted_again) ||
        !CU_ADD_TEST(s, test_two_wires_do_not_share_a_port) ||
        !CU_ADD_TEST(s, test_accept_then_rst) ||
        !CU_ADD_TEST(s, test_cut_while_the_request_is_on_its_way) ||
        !CU_ADD_TEST(s, test_pipelined_requests_keep_their_order) ||
        !CU_ADD_TEST(s,
                     test_pipelined_request_waits_for_the_answer_before_it) ||
        !CU_ADD_TEST(s, test_too_many_pipelined_requests_wait) ||
        !CU_ADD_TEST(s, test_abandoned_request_is_told_and_hung_up) ||
        !CU_ADD_TEST(s, test_request_of_a_client_that_left_still_arrives) ||
        !CU_ADD_TEST(s, test_inside_that_hangs_up_is_told) ||
        !CU_ADD_TEST(s, test_connection_closes_when_http_says_so) ||
        !CU_ADD_TEST(s, test_expect_gets_100_continue) ||
        !CU_ADD_TEST(s, test_bytes_that_are_no_http) ||
        !CU_ADD_TEST(s, test_client_that_leaves_inside_a_request) ||
        !CU_ADD_TEST(s, test_big_bodies_pass) ||
        !CU_ADD_TEST(s, test_delivered_means_acknowledged) ||
        !CU_ADD_TEST(s, test_unread_bytes_do_not_turn_the_end_into_a_reset) ||
        !CU_ADD_TEST(s, test_two_hundred_connections) ||
        !CU_ADD_TEST(s, test_freed_in_the_middle_of_everything))
        return -1;
    return 0;
}
