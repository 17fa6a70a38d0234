/* What the libcurl driver takes, and what it refuses before anything is sent.
 */
#include "bosh_peer.h"

#include "client-under-test/bosh.h"

int suite_driver_add(void);

static const struct bosh_hook NOBODY = {NULL, NULL};

static struct bosh_options defaults(void)
{
    struct bosh_options o;

    bosh_options_init(&o);
    return o;
}

static void test_addresses_are_resolved_or_refused(void)
{
    static const struct {
        const char *url;
        const char *base;
        const char *want; /* in the error; NULL: there is none */
    } ROWS[] = {
        {"http://a.example/b", NULL, NULL},
        {"HTTPS://a.example/b", NULL, NULL},
        {"/http-bind/", "https://a.example/page", NULL},
        {"http-bind", "https://a.example/page", NULL},
        {"http://b.example/", "https://a.example/page", NULL},
        {"/http-bind/", NULL, "must begin with http://"},
        {"/http-bind/", "ftp://a.example/", "must begin with http://"},
        {"ws://a.example/", NULL, "WebSocket"},
        {"WSS://a.example/", "https://a.example/", "WebSocket"},
        {"ftp://a.example/", NULL, "must begin with http://"},
        {"file:///etc/passwd", NULL, "must begin with http://"},
        {"", NULL, "no URL"},
        {NULL, NULL, "no URL"},
    };
    struct bosh_driver *d = bosh_driver_new();

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        struct bosh_options o = defaults();
        struct bosh *session;
        int rc;

        o.url = ROWS[i].url;
        o.base_url = ROWS[i].base;
        session = bosh_new(&o);
        rc = bosh_driver_add(d, session, NOBODY);
        CHECK_ROW(rc == (ROWS[i].want ? -1 : 0), ROWS[i].url);
        CHECK_ROW(strstr(bosh_driver_last_error(d),
                         ROWS[i].want ? ROWS[i].want : "") != NULL,
                  ROWS[i].url);
        bosh_driver_remove(d, session);
        bosh_free(session);
    }
    bosh_driver_free(d);
}

static void test_headers_and_cookies_are_checked(void)
{
    static const struct {
        const char *header;
        const char *cookie;
        bool good;
    } ROWS[] = {
        {"X-One: 1", "a=b; path=/", true},
        {"X-One:1", "a=", true},
        {"X-One: 1\r\nX-Two: 2", NULL, false},
        {"Authorization: Bearer x\n", NULL, false},
        {"X-One", NULL, false},
        {": 1", NULL, false},
        {"X One: 1", NULL, false},
        {"", NULL, false},
        {NULL, "a", false},
        {NULL, "=b", false},
        {NULL, "a; path=/", false},
        {NULL, "a=b\r\nX-Two: 2", false},
        {NULL, "", false},
    };
    struct bosh_driver *d = bosh_driver_new();

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        const char *const headers[] = {ROWS[i].header, NULL};
        const char *const cookies[] = {ROWS[i].cookie, NULL};
        const char *row = ROWS[i].header ? ROWS[i].header : ROWS[i].cookie;
        struct bosh_options o = defaults();
        struct bosh *s;
        int rc;

        o.url = "http://127.0.0.1:1/";
        o.headers = headers;
        o.cookies = cookies;
        s = bosh_new(&o);
        rc = bosh_driver_add(d, s, NOBODY);
        CHECK_ROW(rc == (ROWS[i].good ? 0 : -1), row);
        CHECK_ROW((*bosh_driver_last_error(d) == '\0') == ROWS[i].good, row);
        bosh_driver_remove(d, s);
        bosh_free(s);
    }
    bosh_driver_free(d);
}

static void test_a_session_is_added_once_and_first(void)
{
    struct bosh_driver *d = bosh_driver_new();
    struct bosh_options o = defaults();
    struct bosh *s;

    o.url = "http://127.0.0.1:1/";
    s = bosh_new(&o);
    CHECK_INT(bosh_driver_connect(d, s, "example.org", NULL, -1), BOSH_E_ARG);
    CHECK_INT(bosh_driver_send(d, s, "<a/>", 4, -1), BOSH_E_ARG);
    CHECK_INT(bosh_driver_settle(d, s, -1), BOSH_E_ARG);
    CHECK_INT(bosh_driver_disconnect(d, s, NULL, -1), BOSH_E_ARG);
    CHECK_STR(bosh_driver_last_error(d),
              "the session was not added to this driver");
    CHECK_INT(bosh_driver_add(d, s, NOBODY), 0);
    CHECK_INT(bosh_driver_add(d, s, NOBODY), -1);
    CHECK_STR(bosh_driver_last_error(d), "the session was added before");
    bosh_driver_remove(d, s);
    CHECK_INT(bosh_driver_add(d, s, NOBODY), 0);
    bosh_driver_free(d);
    bosh_free(s);
}

static const struct peer_test TESTS[] = {
    {"addresses are resolved or refused",
     test_addresses_are_resolved_or_refused},
    {"headers and cookies are checked", test_headers_and_cookies_are_checked},
    {"a session is added once and first",
     test_a_session_is_added_once_and_first},
};

int suite_driver_add(void)
{
    return peer_suite("driver_add", TESTS, PEER_COUNT(TESTS));
}
