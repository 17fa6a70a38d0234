/* The wire layer at its limits: too many connections, too big a body, no
 * descriptor left, nobody inside. What is our failure is told as one. */
#include <sys/socket.h>

#include "common/clock.h"
#include "wire_fixture.h"

int suite_wire_limits(void);

static void test_one_connection_too_many_is_reset(void)
{
    static struct fx_client clients[WIRE_MAX_CONNS];
    struct fx f;
    struct fx_client surplus;

    fx_start(&f);
    for (int i = 0; i < WIRE_MAX_CONNS; i++)
        fx_connect(&f, &clients[i]);
    CHECK(fx_news(&f, "opened 256"));
    fx_connect(&f, &surplus);
    CHECK(fx_gets_reset(&f, &surplus));
    CHECK(fx_has(&f, "opened 257"));
    CHECK(fx_has(&f, "closed 257 rst by us"));
    CHECK(!fx_has(&f, "failed")); /* the client's doing */
    fx_close(&surplus);
    fx_close(&clients[0]);
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    fx_connect(&f, &clients[0]); /* there is room again */
    fx_post(&clients[0], "x");
    CHECK(fx_gets(&f, &clients[0], "answer"));
    for (int i = 0; i < WIRE_MAX_CONNS; i++)
        fx_close(&clients[i]);
    fx_stop(&f);
}

/* Send bytes again and again until the other end has closed; at most max. */
static void pour(struct fx *f, struct fx_client *c, const char *bytes,
                 size_t max)
{
    size_t len = strlen(bytes);

    for (size_t sent = 0; sent < max && !fx_has(f, "closed 1 fin by us");) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);

        if (n > 0)
            sent += (size_t)n;
        fx_pass(f, 0);
    }
}

static void test_too_big_a_body_is_cut_off(void)
{
    static const char chunk[] = "10\r\n0123456789abcdef\r\n";
    struct buf chunks = BUF_INIT;

    for (int i = 0; i < 1000; i++)
        buf_add(&chunks, chunk, sizeof chunk - 1);
    for (int chunked = 0; chunked < 2; chunked++) {
        struct fx f;
        struct fx_client c;

        fx_start(&f);
        fx_connect(&f, &c);
        fx_send(&c, chunked
                        ? "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                          "\r\n"
                        : "POST / HTTP/1.1\r\nContent-Length: 2097153\r\n\r\n");
        pour(&f, &c, buf_str(&chunks), 2 * WIRE_MAX_BODY);
        CHECK(fx_news(&f, "closed 1 fin by us"));
        CHECK(fx_has(&f, "request 1 on 1 part"));
        CHECK_STR(f.problem, "body beyond the limit of 2097152 bytes");
        CHECK_INT(f.inside_count, 0);
        fx_close(&c);
        fx_stop(&f);
    }
    buf_release(&chunks);
}

static void test_nobody_inside_is_not_a_hang_up(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.no_inside = true;
    fx_connect(&f, &c);
    fx_post(&c, "one");
    CHECK(fx_news(&f, "response 1 none"));
    CHECK_STR(f.problem, "nobody answers inside: no descriptor is left");
    fx_close(&c);
    fx_stop(&f);
}

static void test_last_words_without_an_inside_are_a_failure(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    f.keep_requests = true;
    f.no_inside = true;
    fx_connect(&f, &c);
    fx_post(&c, "last words");
    fx_close(&c);
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    wire_forward(f.wire, 1);
    CHECK(fx_news(&f, "failed"));
    fx_stop(&f);
}

/* Rounds of the loop within ms, each of which waits until there is work. */
static int rounds(struct fx *f, int ms)
{
    int64_t until_ms = clock_now_ms() + ms;
    int n = 0;

    while (clock_now_ms() < until_ms) {
        uv_run(&f->loop, UV_RUN_ONCE);
        n++;
    }
    return n;
}

static void test_accepting_rests_without_descriptors(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_connect(&f, &c);
    fx_post(&c, "patience");
    fx_starve(true);
    CHECK(rounds(&f, 250) < 20);
    fx_starve(false);
    CHECK(fx_has(&f, "failed"));
    CHECK(strstr(f.problem, "is not accepted: ") != NULL);
    CHECK(fx_gets(&f, &c, "answer 1"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_refusing_without_descriptors(void)
{
    struct fx f;
    struct fx_client c;

    fx_start(&f);
    fx_starve(true);
    wire_refuse(f.wire, true); /* it goes on listening */
    CHECK(!fx_has(&f, "failed"));
    fx_starve(false);
    CHECK(fx_news(&f, "failed"));
    CHECK(strstr(f.problem, "connections can't be refused: ") != NULL);
    fx_connect(&f, &c);
    CHECK_INT(c.error, 0);
    fx_close(&c);
    wire_refuse(f.wire, true);
    fx_starve(true);
    wire_refuse(f.wire, false); /* takes none */
    fx_starve(false);
    fx_connect(&f, &c);
    CHECK_INT(c.error, 0);
    fx_post(&c, "x");
    CHECK(fx_gets(&f, &c, "answer"));
    fx_close(&c);
    fx_stop(&f);
}

static void test_no_descriptor_for_a_request_of_ours(void)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    struct wire_target target = {.host = "127.0.0.1", .port = 1};
    struct delivery plan;
    struct fx f;

    fx_start_plain(&f);
    delivery_init(&plan);
    delivery_add(&plan, 0, request, sizeof request - 1);
    wire_request(f.wire, &target, NULL, &plan);
    delivery_release(&plan);
    fx_starve(true);
    fx_pass(&f, 10);
    fx_starve(false);
    CHECK(fx_news(&f, "response 1 none"));
    CHECK(fx_has(&f, "failed"));
    fx_stop(&f);
}

int suite_wire_limits(void)
{
    CU_pSuite s = CU_add_suite("wire limits", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_one_connection_too_many_is_reset) ||
        !CU_ADD_TEST(s, test_too_big_a_body_is_cut_off) ||
        !CU_ADD_TEST(s, test_nobody_inside_is_not_a_hang_up) ||
        !CU_ADD_TEST(s, test_last_words_without_an_inside_are_a_failure) ||
        !CU_ADD_TEST(s, test_accepting_rests_without_descriptors) ||
        !CU_ADD_TEST(s, test_refusing_without_descriptors) ||
        !CU_ADD_TEST(s, test_no_descriptor_for_a_request_of_ours))
        return -1;
    return 0;
}
