/* The wire layer as a relay: what becomes of an answer, each fault seen from a
 * real socket. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "wire_fixture.h"

int suite_wire(void);
/* parts of this one, in files of their own */
int suite_wire_conns(void);
int suite_wire_client(void);
int suite_wire_limits(void);
int suite_wire_tls(void);

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static void test_request_and_answer_pass(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_gets(&f, &c, "answer 1"));
    CHECK(fx_news(&f, "delivered 1 whole"));
    CHECK(strstr(buf_str(&f.inside_last), "\r\n\r\none") != NULL);
    fx_post(&c, "two"); /* the connection is kept, on both sides */
    CHECK(fx_gets(&f, &c, "answer 2"));
    CHECK_INT(f.inside_count, 1);
    fx_close(&c);
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    CHECK_STR(buf_str(&f.news),
              "opened 1\nrequest 1 on 1 whole\nresponse 1 whole\n"
              "delivered 1 whole\nrequest 2 on 1 whole\nresponse 2 whole\n"
              "delivered 2 whole\nclosed 1 fin by peer\n");
    fx_stop(&f);
}

static void test_lost_request_is_never_forwarded(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.keep_requests = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    wire_ignore(f.wire, 1);
    fx_pass(&f, 50);
    fx_read(&c);
    CHECK_INT(f.inside_requests, 0);
    CHECK(!c.eof && !c.error && c.in.len == 0);
    fx_close(&c);
    CHECK(fx_news(&f, "abandoned 1 fin"));
    fx_stop(&f);
}

static void test_lost_response_leaves_the_connection_open(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.keep_responses = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "response 1 whole"));
    wire_ignore(f.wire, 1);
    fx_pass(&f, 50);
    fx_read(&c);
    CHECK_INT(f.inside_requests, 1);
    CHECK(!c.eof && !c.error && c.in.len == 0);
    fx_close(&c);
    fx_stop(&f);
}

static void test_answer_is_delayed(void)
{
    struct fx f;
    struct fx_client c;
    struct delivery plan;
    int64_t begun_ms;

    fx_start(&f);
    f.keep_responses = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "response 1 whole"));
    delivery_init(&plan);
    delivery_add(&plan, 80, f.response.data, f.response.len);
    begun_ms = clock_now_ms();
    wire_deliver(f.wire, 1, &plan);
    delivery_release(&plan);
    CHECK(fx_gets(&f, &c, "answer 1"));
    CHECK(clock_now_ms() - begun_ms >= 80);
    CHECK(clock_now_ms() - begun_ms < 1000);
    fx_close(&c);
    fx_stop(&f);
}

static void test_any_status_and_body(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.keep_requests = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    fx_deliver(&f, 1,
               "HTTP/1.1 503 Gone Fishing\r\nContent-Length: 3\r\n\r\nnay",
               DELIVERY_KEEP);
    CHECK(fx_gets(&f, &c, "503 Gone Fishing\r\nContent-Length: 3\r\n\r\nnay"));
    CHECK(fx_news(&f, "delivered 1 whole"));
    CHECK_INT(f.inside_requests, 0);
    fx_close(&c);
    fx_stop(&f);
}

/* x = 1 gets these bytes and this end. */
static void deliver_one(struct fx *f, struct fx_client *c, const char *bytes,
                        enum delivery_end end)
{
    fx_start(f);
    f->keep_responses = true;
    fx_connect(f, c);
    fx_post(c, "one");
    CHECK(fx_news(f, "response 1 whole"));
    fx_deliver(f, 1, bytes, end);
}

static void test_fin_before_the_response(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, "", DELIVERY_FIN);
    CHECK(fx_gets_eof(&f, &c));
    CHECK_INT(c.in.len, 0);
    CHECK(fx_news(&f, "closed 1 fin by us"));
    CHECK(fx_has(&f, "delivered 1 none"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_rst_before_the_response(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, "", DELIVERY_RST);
    CHECK(fx_gets_reset(&f, &c));
    CHECK_INT(c.in.len, 0);
    CHECK(fx_news(&f, "closed 1 rst by us"));
    CHECK(fx_has(&f, "delivered 1 none"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_truncated_answer(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell",
                DELIVERY_FIN);
    CHECK(fx_gets_eof(&f, &c));
    CHECK(strstr(buf_str(&c.in), "\r\n\r\nhell") != NULL);
    CHECK(fx_news(&f, "delivered 1 part"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_rst_at_a_byte(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, "HTTP/1.1 200 OK\r\nCont", DELIVERY_RST);
    CHECK(fx_gets_reset(&f, &c));
    CHECK_STR(buf_str(&c.in), "HTTP/1.1 200 OK\r\nCont");
    CHECK(fx_news(&f, "closed 1 rst by us"));
    CHECK(fx_has(&f, "delivered 1 part"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_whole_answer_then_rst(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, ANSWER, DELIVERY_RST);
    CHECK(fx_gets_reset(&f, &c));
    CHECK_STR(buf_str(&c.in), ANSWER);
    CHECK(fx_has(&f, "delivered 1 whole"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_half_close_goes_on_reading(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, ANSWER, DELIVERY_HALF);
    CHECK(fx_gets_eof(&f, &c));
    CHECK_STR(buf_str(&c.in), ANSWER);
    fx_post(&c, "two");
    CHECK(fx_news(&f, "response 2 whole"));
    fx_deliver(&f, 2, ANSWER, DELIVERY_KEEP);
    CHECK(fx_news(&f, "delivered 2 none"));
    fx_close(&c);
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    fx_stop(&f);
}

static void test_hang_sends_nothing_more(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, "HTTP/1.1 200 OK\r\n", DELIVERY_HANG);
    CHECK(fx_gets(&f, &c, "200 OK\r\n"));
    fx_post(&c, "two");
    CHECK(fx_news(&f, "response 2 whole"));
    fx_deliver(&f, 2, ANSWER, DELIVERY_KEEP);
    CHECK(fx_news(&f, "delivered 2 none"));
    fx_read(&c);
    CHECK_STR(buf_str(&c.in), "HTTP/1.1 200 OK\r\n");
    CHECK(!c.eof && !c.error);
    fx_close(&c);
    fx_stop(&f);
}

static void test_black_hole_reads_nothing(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    CHECK(fx_news(&f, "opened 1"));
    wire_deafen(f.wire, 1, true);
    fx_post(&c, "one");
    fx_pass(&f, 50);
    CHECK(strstr(buf_str(&f.news), "request") == NULL);
    wire_deafen(f.wire, 1, false);
    CHECK(fx_gets(&f, &c, "answer 1"));
    wire_deafen(f.wire, 1, true);
    fx_post(&c, "two");
    fx_pass(&f, 20);
    fx_close(&c); /* that is seen all the same */
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    CHECK(strstr(buf_str(&f.news), "request 2") == NULL);
    fx_stop(&f);
}

static void test_two_answers_are_withheld_and_swapped(void)
{
    struct fx f;
    struct fx_client a;
    struct fx_client b;

    fx_start(&f);
    f.keep_responses = true;
    fx_connect(&f, &a);
    fx_post(&a, "a");
    CHECK(fx_news(&f, "response 1 whole"));
    fx_connect(&f, &b);
    fx_post(&b, "b");
    CHECK(fx_news(&f, "response 2 whole"));
    fx_deliver(&f, 2, ANSWER, DELIVERY_KEEP);
    CHECK(fx_gets(&f, &b, "hello"));
    fx_read(&a);
    CHECK_INT(a.in.len, 0);
    fx_deliver(&f, 1, ANSWER, DELIVERY_KEEP);
    CHECK(fx_gets(&f, &a, "hello"));
    CHECK(fx_news(&f, "delivered 1 whole"));
    fx_close(&a);
    fx_close(&b);
    fx_stop(&f);
}

static void test_raw_bytes_go_as_they_are(void)
{
    struct fx f;
    struct fx_client c;

    deliver_one(&f, &c, "\x01garbage\r\n\r\n\xff", DELIVERY_FIN);
    CHECK(fx_gets_eof(&f, &c));
    CHECK_STR(buf_str(&c.in), "\x01garbage\r\n\r\n\xff");
    CHECK(fx_news(&f, "delivered 1 part"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_drip(void)
{
    struct fx f;
    struct fx_client c;
    struct delivery plan;
    int64_t begun_ms = clock_now_ms();

    fx_start(&f);
    f.keep_requests = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    delivery_init(&plan);
    for (const char *s = ANSWER; *s; s++)
        delivery_add(&plan, 2, s, 1);
    wire_deliver(f.wire, 1, &plan);
    delivery_release(&plan);
    CHECK(fx_gets(&f, &c, "HTTP"));
    CHECK(strstr(buf_str(&c.in), "hello") == NULL);
    CHECK(fx_gets(&f, &c, "hello"));
    CHECK(clock_now_ms() - begun_ms >= 2 * (int64_t)strlen(ANSWER));
    CHECK(fx_news(&f, "delivered 1 whole"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_client_leaves_in_the_middle_of_a_drip(void)
{
    struct fx f;
    struct fx_client c;
    struct delivery plan;

    fx_start(&f);
    f.keep_requests = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    delivery_init(&plan);
    delivery_add(&plan, 0, ANSWER, 20);
    delivery_add(&plan, 1000, ANSWER, 20);
    wire_deliver(f.wire, 1, &plan);
    delivery_release(&plan);
    CHECK(fx_gets(&f, &c, "HTTP"));
    fx_close(&c);
    CHECK(fx_news(&f, "delivered 1 part"));
    CHECK(fx_has(&f, "abandoned 1 fin"));
    fx_stop(&f);
}

int suite_wire(void)
{
    CU_pSuite s = CU_add_suite("wire", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_request_and_answer_pass) ||
        !CU_ADD_TEST(s, test_lost_request_is_never_forwarded) ||
        !CU_ADD_TEST(s, test_lost_response_leaves_the_connection_open) ||
        !CU_ADD_TEST(s, test_answer_is_delayed) ||
        !CU_ADD_TEST(s, test_any_status_and_body) ||
        !CU_ADD_TEST(s, test_fin_before_the_response) ||
        !CU_ADD_TEST(s, test_rst_before_the_response) ||
        !CU_ADD_TEST(s, test_truncated_answer) ||
        !CU_ADD_TEST(s, test_rst_at_a_byte) ||
        !CU_ADD_TEST(s, test_whole_answer_then_rst) ||
        !CU_ADD_TEST(s, test_half_close_goes_on_reading) ||
        !CU_ADD_TEST(s, test_hang_sends_nothing_more) ||
        !CU_ADD_TEST(s, test_black_hole_reads_nothing) ||
        !CU_ADD_TEST(s, test_two_answers_are_withheld_and_swapped) ||
        !CU_ADD_TEST(s, test_raw_bytes_go_as_they_are) ||
        !CU_ADD_TEST(s, test_drip) ||
        !CU_ADD_TEST(s, test_client_leaves_in_the_middle_of_a_drip))
        return -1;
    if (suite_wire_conns() < 0 || suite_wire_limits() < 0 ||
        suite_wire_client() < 0)
        return -1;
    return suite_wire_tls();
}
