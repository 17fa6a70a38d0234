/* A mock behind libmicrohttpd: over the relay, and listening by itself. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xml.h"
#include "mockserver/http_mhd.h"
#include "wire_fixture.h"

int suite_http_mhd(void);

#define BODY "xmlns='http://jabber.org/protocol/httpbind'"

struct served {
    struct fx fx;
    struct mock *mock;
    struct http_mhd *http;
    bool freed;
};

static void start(struct served *s, bool relay)
{
    struct mock_options options = mock_options_default();
    struct err e = {""};

    memset(s, 0, sizeof *s);
    xml_init();
    fx_start_plain(&s->fx);
    s->mock = mock_new(&options);
    s->http = http_mhd_new(&s->fx.loop, s->mock, &e);
    CHECK_ROW(s->http != NULL, e.text);
    s->fx.port = relay ? wire_listen(s->fx.wire, "127.0.0.1", 0, NULL,
                                     http_mhd_connect, s->http, &e)
                       : http_mhd_listen(s->http, "127.0.0.1", 0, &e);
    CHECK_ROW(s->fx.port > 0, e.text);
}

static void freed(void *ctx)
{
    ((struct served *)ctx)->freed = true;
}

static void stop(struct served *s)
{
    http_mhd_free(s->http, freed, s);
    fx_stop(&s->fx);
    CHECK(s->freed);
    mock_free(s->mock);
}

static void create(struct fx_client *c, int wait_s)
{
    char body[512];

    snprintf(body, sizeof body,
             "<body " BODY " rid='100' to='localhost' wait='%d' hold='1' "
             "ver='1.11' xml:lang='en' xmpp:version='1.0' "
             "xmlns:xmpp='urn:xmpp:xbosh'/>",
             wait_s);
    fx_post(c, body);
}

/* The sid of the creation response that c got. */
static bool created(struct served *s, struct fx_client *c, char *sid,
                    size_t size)
{
    const char *at;
    size_t len;

    if (!fx_gets(&s->fx, c, " sid='") && !fx_gets(&s->fx, c, " sid=\""))
        return false;
    at = strstr(buf_str(&c->in), " sid=") + 6;
    len = strcspn(at, "'\"");
    snprintf(sid, size, "%.*s", (int)len, at);
    buf_clear(&c->in);
    return true;
}

static void poll_session(struct fx_client *c, const char *sid, unsigned rid)
{
    char body[512];

    snprintf(body, sizeof body, "<body " BODY " rid='%u' sid='%.200s'/>", rid,
             sid);
    fx_post(c, body);
}

static size_t held(const struct served *s)
{
    struct mock_session_info info;

    return mock_next_session(s->mock, NULL, &info) ? info.open : 0;
}

static bool holds_one(struct fx *f, void *arg)
{
    (void)f;
    return held(arg) == 1;
}

/* A session with its features taken and one poll held. */
static bool hold(struct served *s, struct fx_client *c, char *sid, size_t size,
                 int wait_s)
{
    fx_connect(&s->fx, c);
    create(c, wait_s);
    if (!created(s, c, sid, size))
        return false;
    poll_session(c, sid, 101);
    return fx_run(&s->fx, holds_one, s, 1000);
}

static void test_session_is_created_over_relay_and_mhd(void)
{
    struct served s;
    struct fx_client c;
    char sid[200];

    start(&s, true);
    fx_connect(&s.fx, &c);
    create(&c, 60);
    CHECK(created(&s, &c, sid, sizeof sid));
    CHECK(fx_news(&s.fx, "delivered 1 whole"));
    fx_close(&c);
    stop(&s);
}

static void test_held_request_is_answered_by_a_push(void)
{
    static const char message[] =
        "<message xmlns='jabber:client'><body>pushed</body></message>";
    struct served s;
    struct fx_client c;
    char sid[200];

    start(&s, true);
    CHECK(hold(&s, &c, sid, sizeof sid, 60));
    CHECK_INT(
        mock_push(s.mock, clock_now_ms(), NULL, message, sizeof message - 1),
        0);
    http_mhd_changed(s.http);
    CHECK(fx_gets(&s.fx, &c, "pushed"));
    CHECK(fx_news(&s.fx, "delivered 2 whole"));
    fx_close(&c);
    stop(&s);
}

static void test_empty_poll_is_answered_in_time(void)
{
    struct served s;
    struct fx_client c;
    char sid[200];
    int64_t begun_ms;

    start(&s, true);
    CHECK(hold(&s, &c, sid, sizeof sid, 1));
    begun_ms = clock_now_ms();
    CHECK(fx_gets(&s.fx, &c, "200 OK"));
    CHECK(clock_now_ms() - begun_ms > 600);
    CHECK(clock_now_ms() - begun_ms < 1000);
    fx_close(&c);
    stop(&s);
}

static bool holds_none(struct fx *f, void *arg)
{
    (void)f;
    return held(arg) == 0;
}

static void test_client_that_hangs_up_is_gone_for_the_mock(void)
{
    for (int relay = 0; relay < 2; relay++) {
        static const char message[] =
            "<message xmlns='jabber:client'><body>late</body></message>";
        struct served s;
        struct fx_client c;
        struct fx_client again;
        char sid[200];
        int fds;

        start(&s, relay);
        fds = fx_count_fds();
        CHECK(hold(&s, &c, sid, sizeof sid, 60));
        fx_close(&c);
        fx_pass(&s.fx, 50);
        CHECK_INT(fx_count_fds(), fds); /* closed, though nothing was sent */
        mock_push(s.mock, clock_now_ms(), sid, message, sizeof message - 1);
        http_mhd_changed(s.http);
        CHECK(fx_run(&s.fx, holds_none, &s, 1000));
        fx_connect(&s.fx, &again); /* the same rid once more: §14.3 */
        poll_session(&again, sid, 101);
        CHECK(fx_gets(&s.fx, &again, "late"));
        fx_close(&again);
        stop(&s);
    }
}

static void test_last_words_are_heard(void)
{
    struct served s;
    struct fx_client c;
    struct fx_client last;
    struct mock_session_info info;
    char sid[200];
    char body[512];

    start(&s, true);
    fx_connect(&s.fx, &c);
    create(&c, 60);
    CHECK(created(&s, &c, sid, sizeof sid));
    snprintf(body, sizeof body,
             "<body " BODY " rid='101' sid='%s' type='terminate'/>", sid);
    fx_connect(&s.fx, &last);
    fx_post(&last, body);
    fx_close(&last); /* it does not wait for the answer */
    CHECK(fx_news(&s.fx, "request 2 on 2 whole"));
    fx_pass(&s.fx, 50);
    CHECK(!mock_next_session(s.mock, NULL, &info) ||
          info.state == MOCK_SESSION_GONE);
    fx_close(&c);
    stop(&s);
}

static void test_too_big_a_body_is_refused(void)
{
    struct served s;
    struct fx_client c;
    struct buf out = BUF_INIT;
    size_t len = MOCK_MAX_BODY + 1;
    char *body = mem_alloc(len);
    size_t at = 0;

    memset(body, 'x', len);
    start(&s, true);
    fx_connect(&s.fx, &c);
    http_write_request(&out, "POST", "/http-bind", 1, NULL, 0, body, len);
    while (at < out.len) {
        ssize_t n = send(c.fd, out.data + at, out.len - at, MSG_NOSIGNAL);

        if (n > 0)
            at += (size_t)n;
        fx_pass(&s.fx, 0);
    }
    CHECK(fx_gets(&s.fx, &c, "HTTP/1.1 413 "));
    buf_release(&out);
    free(body);
    fx_close(&c);
    stop(&s);
}

static void test_long_head_is_refused(void)
{
    struct served s;
    struct fx_client c;

    start(&s, false);
    fx_connect(&s.fx, &c);
    fx_send(&c, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 300; i++)
        fx_send(&c, "X-Header-That-Is-Long: 0123456789012345678901234567\r\n");
    CHECK(fx_gets(&s.fx, &c, "HTTP/1.1 431 "));
    fx_close(&c);
    stop(&s);
}

static void test_many_sessions_side_by_side(void)
{
    static const char message[] =
        "<message xmlns='jabber:client'><body>for you</body></message>";
    static struct fx_client clients[200];
    static char sids[200][200];

    for (int relay = 0; relay < 2; relay++) {
        struct served s;

        start(&s, relay);
        for (int i = 0; i < 200; i++) {
            fx_connect(&s.fx, &clients[i]);
            create(&clients[i], 60);
        }
        for (int i = 0; i < 200; i++) {
            CHECK(created(&s, &clients[i], sids[i], sizeof sids[i]));
            poll_session(&clients[i], sids[i], 101);
        }
        fx_pass(&s.fx, 100);
        for (int i = 0; i < 200; i++)
            mock_push(s.mock, clock_now_ms(), sids[i], message,
                      sizeof message - 1);
        http_mhd_changed(s.http);
        for (int i = 0; i < 200; i++)
            CHECK(fx_gets(&s.fx, &clients[i], "for you"));
        for (int i = 0; i < 200; i++)
            fx_close(&clients[i]);
        stop(&s);
    }
}

static void test_freed_while_requests_are_held(void)
{
    for (int relay = 0; relay < 2; relay++) {
        struct served s;
        struct fx_client c;
        char sid[200];

        start(&s, relay);
        CHECK(hold(&s, &c, sid, sizeof sid, 60));
        fx_close(&c);
        stop(&s);
    }
}

/* It is read while all is being closed, and must not be held. */
static void test_freed_while_a_request_is_unread(void)
{
    struct served s;
    struct fx_client c;
    struct mock_session_info info;
    char sid[200];

    start(&s, false);
    fx_connect(&s.fx, &c);
    create(&c, 60);
    CHECK(created(&s, &c, sid, sizeof sid));
    poll_session(&c, sid, 101);
    http_mhd_free(s.http, freed, &s);
    fx_close(&c);
    fx_stop(&s.fx);
    CHECK(s.freed);
    CHECK(mock_next_session(s.mock, NULL, &info));
    CHECK_INT(info.rid, 100); /* the mock was not asked */
    mock_free(s.mock);
}

static bool has_text(struct fx *f, void *text)
{
    return strstr(buf_str(&f->news), text) != NULL;
}

/* libmicrohttpd has one piece of memory for a request's head and the head of
 * its answer; without room for both it closes the connection. */
static void test_hang_up_of_the_http_side_is_not_the_mocks(void)
{
    static char cookie[8201];
    struct served s;
    struct fx_client c;
    struct buf head = BUF_INIT;

    start(&s, true);
    for (int i = 1; i <= 30; i++) {
        int len = 7000 + 40 * i;
        char said[32];

        snprintf(said, sizeof said, "response %d ", i);
        memset(cookie, 'x', (size_t)len);
        buf_clear(&head);
        buf_printf(&head, "GET / HTTP/1.1\r\nCookie: %.*s\r\n\r\n", len,
                   cookie);
        fx_connect(&s.fx, &c);
        fx_send(&c, buf_str(&head));
        CHECK(fx_run(&s.fx, has_text, said, 1000));
        fx_close(&c);
    }
    CHECK(!http_mhd_hung_up(s.http));
    buf_release(&head);
    stop(&s);
}

static void test_listening_rests_without_descriptors(void)
{
    struct served s;
    struct fx_client c;
    char sid[200];
    int rounds = 0;
    int64_t until_ms;

    start(&s, false);
    fx_connect(&s.fx, &c);
    create(&c, 60);
    fx_starve(true);
    for (until_ms = clock_now_ms() + 250; clock_now_ms() < until_ms; rounds++)
        uv_run(&s.fx.loop, UV_RUN_ONCE);
    fx_starve(false);
    CHECK(rounds < 20);
    CHECK(created(&s, &c, sid, sizeof sid));
    fx_close(&c);
    stop(&s);
}

int suite_http_mhd(void)
{
    CU_pSuite s = CU_add_suite("http_mhd", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_session_is_created_over_relay_and_mhd) ||
        !CU_ADD_TEST(s, test_held_request_is_answered_by_a_push) ||
        !CU_ADD_TEST(s, test_empty_poll_is_answered_in_time) ||
        !CU_ADD_TEST(s, test_client_that_hangs_up_is_gone_for_the_mock) ||
        !CU_ADD_TEST(s, test_last_words_are_heard) ||
        !CU_ADD_TEST(s, test_too_big_a_body_is_refused) ||
        !CU_ADD_TEST(s, test_long_head_is_refused) ||
        !CU_ADD_TEST(s, test_many_sessions_side_by_side) ||
        !CU_ADD_TEST(s, test_freed_while_requests_are_held) ||
        !CU_ADD_TEST(s, test_freed_while_a_request_is_unread) ||
        !CU_ADD_TEST(s, test_hang_up_of_the_http_side_is_not_the_mocks) ||
        !CU_ADD_TEST(s, test_listening_rests_without_descriptors))
        return -1;
    return 0;
}
