/* HTTP messages: framing, reading, composing (common/http.h). */
#include <stdlib.h>

#include "check.h"
#include "common/http.h"

int suite_http(void);

#define REQ HTTP_REQUEST
#define RES HTTP_RESPONSE

struct row {
    const char *name;
    enum http_kind kind;
    const char *bytes;
    size_t len; /* 0: strlen */
    enum http_progress want;
    size_t rest; /* bytes behind the message */
    const char *body;
    bool keep_alive;
    bool eof;
};

static const struct row rows[] = {
    {"request without body", REQ, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0,
     HTTP_WHOLE, 0, "", true, false},
    {"post", REQ, "POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcXY", 0,
     HTTP_WHOLE, 2, "abc", true, false},
    {"bare LF", REQ, "POST /b HTTP/1.1\nContent-Length: 3\n\nabc", 0,
     HTTP_WHOLE, 0, "abc", true, false},
    {"mixed line ends", REQ, "POST /b HTTP/1.1\nContent-Length: 1\r\n\na", 0,
     HTTP_WHOLE, 0, "a", true, false},
    {"empty lines before", REQ, "\r\n\nPOST / HTTP/1.1\r\n\r\n", 0, HTTP_WHOLE,
     0, "", true, false},
    {"empty lines before a response", RES,
     "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, HTTP_WHOLE, 0, "",
     true, false},
    {"folded header", REQ,
     "POST / HTTP/1.1\r\nX: a\r\n  b\r\nContent-Length: 1\r\n\r\nz", 0,
     HTTP_WHOLE, 0, "z", true, false},
    {"folded length", REQ, "POST / HTTP/1.1\r\nContent-Length:\r\n 2\r\n\r\nzz",
     0, HTTP_WHOLE, 0, "zz", true, false},
    {"fold of blanks", REQ, "POST / HTTP/1.1\r\nX: a\r\n \r\n\r\n", 0,
     HTTP_WHOLE, 0, "", true, false},
    {"fold before any header", REQ, "POST / HTTP/1.1\r\n X: a\r\n\r\n", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"two equal lengths", REQ,
     "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nzz", 0,
     HTTP_WHOLE, 0, "zz", true, false},
    {"length list", REQ, "POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\nzz", 0,
     HTTP_WHOLE, 0, "zz", true, false},
    {"two different lengths", REQ,
     "POST / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\nzzz", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"signed length", REQ, "POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\nzz", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"empty length", REQ, "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"length beyond 64 bits", REQ,
     "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"length beyond the limit", REQ,
     "POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 0, HTTP_BAD, 0,
     NULL, false, false},
    {"body to come", REQ, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", 0,
     HTTP_HEAD, 0, NULL, true, false},
    {"body cut by the end", REQ,
     "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", 0, HTTP_HEAD, 0, NULL,
     true, true},
    {"head to come", REQ, "POST / HTTP/1.1\r\nContent-Len", 0, HTTP_MORE, 0,
     NULL, true, false},
    {"nothing", REQ, "", 0, HTTP_MORE, 0, NULL, true, false},
    {"chunks", REQ,
     "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n"
     "0123456789\r\n0\r\n\r\nnext",
     0, HTTP_WHOLE, 4, "abc0123456789", true, false},
    {"chunk extensions and trailers", RES,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
     "3;a=b;c\r\nabc\r\n1 ;x=\"y\"\nd\n000\r\nX-T: 1\r\nY: 2\r\n\r\n!",
     0, HTTP_WHOLE, 1, "abcd", true, false},
    {"chunk that holds a NUL", RES,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\na\0b\r\n0\r\n\r\n",
     60, HTTP_WHOLE, 0, NULL, true, false},
    {"no chunk size", RES,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 0,
     HTTP_BAD, 0, NULL, true, false},
    {"chunk longer than said", RES,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", 0,
     HTTP_BAD, 0, NULL, true, false},
    {"huge chunk", RES,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff",
     0, HTTP_HEAD, 0, NULL, true, false},
    {"huge chunk, whole line", RES,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\n",
     0, HTTP_BAD, 0, NULL, true, false},
    {"length beside chunks in a request", REQ,
     "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "3\r\n\r\n0\r\n\r\n",
     0, HTTP_BAD, 0, NULL, false, false},
    {"unknown coding in a request", REQ,
     "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 0, HTTP_BAD, 0, NULL,
     false, false},
    {"response to the end", RES, "HTTP/1.1 200 OK\r\n\r\nabc", 0, HTTP_HEAD, 0,
     NULL, true, false},
    {"response ended", RES, "HTTP/1.1 200 OK\r\n\r\nabc", 0, HTTP_WHOLE, 0,
     "abc", false, true},
    {"no reason", RES, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 0,
     HTTP_WHOLE, 0, "", true, false},
    {"204", RES, "HTTP/1.1 204 No Content\r\n\r\nX", 0, HTTP_WHOLE, 1, "", true,
     false},
    {"100", RES, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1", 0, HTTP_WHOLE, 8, "",
     true, false},
    {"two digits", RES, "HTTP/1.1 20 OK\r\n\r\n", 0, HTTP_BAD, 0, NULL, false,
     false},
    {"1.0", REQ, "GET / HTTP/1.0\r\n\r\n", 0, HTTP_WHOLE, 0, "", false, false},
    {"1.0 that stays", REQ,
     "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", 0, HTTP_WHOLE, 0,
     "", true, false},
    {"1.1 that closes", REQ,
     "GET / HTTP/1.1\r\nConnection: x\r\nconnection: CLOSE\r\n\r\n", 0,
     HTTP_WHOLE, 0, "", false, false},
    {"NUL in the head", REQ, "GET / HTTP/1.1\r\nX: \0\r\n\r\n", 24, HTTP_BAD, 0,
     NULL, false, false},
    {"bare CR in the head", REQ, "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"blank before the colon", REQ, "GET / HTTP/1.1\r\nX : a\r\n\r\n", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"blank before a response's colon", RES,
     "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na", 0, HTTP_WHOLE, 0, "a",
     true, false},
    {"no colon", REQ, "GET / HTTP/1.1\r\nabc\r\n\r\n", 0, HTTP_BAD, 0, NULL,
     false, false},
    {"no version", REQ, "GET /\r\n\r\n", 0, HTTP_BAD, 0, NULL, false, false},
    {"HTTP/2", REQ, "PRI * HTTP/2.0\r\n\r\n", 0, HTTP_BAD, 0, NULL, false,
     false},
    {"TLS on a plain port", REQ, "\x16\x03\x01\x02", 0, HTTP_BAD, 0, NULL,
     false, false},
    {"endless method", REQ, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0,
     HTTP_BAD, 0, NULL, false, false},
    {"no HTTP response", RES, "SSH-2.0-x\r\n", 0, HTTP_BAD, 0, NULL, false,
     false},
};

static size_t row_len(const struct row *r)
{
    return r->len ? r->len : strlen(r->bytes);
}

static void test_messages_are_read(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct http_message m;
        struct err e = {""};
        size_t used;
        enum http_progress got = http_read(r->kind, r->bytes, row_len(r), false,
                                           r->eof, &m, &used, &e);

        CHECK_ROW(got == r->want, r->name);
        CHECK_ROW((got == HTTP_BAD) == (e.text[0] != 0), r->name);
        if (got == HTTP_WHOLE) {
            CHECK_ROW(used + r->rest == row_len(r), r->name);
            CHECK_ROW(m.keep_alive == r->keep_alive, r->name);
        }
        if (got == HTTP_WHOLE && r->body)
            CHECK_ROW(strcmp(buf_str(&m.body), r->body) == 0, r->name);
        http_message_release(&m);
    }
}

/* A copy of the right size, so that ASan sees a read behind its end. */
static enum http_progress read_prefix(const struct row *r, size_t len, bool eof,
                                      size_t *used)
{
    char *copy = mem_dupn(r->bytes, len);
    struct http_message m;
    enum http_progress got =
        http_read(r->kind, copy, len, false, eof, &m, used, NULL);

    http_message_release(&m);
    free(copy);
    return got;
}

static void test_framer_agrees_at_every_cut(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct http_framer f;
        size_t len = row_len(r);

        http_framer_init(&f, r->kind);
        for (size_t n = 0; n <= len; n++) {
            size_t used = 0;
            size_t used_read = 0;
            bool eof = r->eof && n == len;
            enum http_progress got =
                http_framer_look(&f, r->bytes, n, eof, &used, NULL);

            CHECK_ROW(got == read_prefix(r, n, eof, &used_read), r->name);
            if (got == HTTP_WHOLE)
                CHECK_ROW(used == used_read, r->name);
            if (got == HTTP_WHOLE || got == HTTP_BAD) {
                CHECK_ROW(got == read_prefix(r, len, r->eof, &used_read),
                          r->name);
                break;
            }
        }
    }
}

static void test_two_cuts_change_nothing(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        size_t len = row_len(r);

        for (size_t cut = 0; cut <= len; cut++) {
            struct http_framer f;
            size_t used;
            enum http_progress got;

            http_framer_init(&f, r->kind);
            got = http_framer_look(&f, r->bytes, cut, false, &used, NULL);
            if (got == HTTP_MORE || got == HTTP_HEAD)
                got = http_framer_look(&f, r->bytes, len, r->eof, &used, NULL);
            else if (got == HTTP_WHOLE)
                CHECK_ROW(used + r->rest == len, r->name);
            CHECK_ROW(got == r->want, r->name);
        }
    }
}

static void test_framer_goes_from_message_to_message(void)
{
    const char *two = "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\na"
                      "GET /x HTTP/1.1\r\n\r\n";
    struct http_framer f;
    size_t used;
    size_t first;

    http_framer_init(&f, HTTP_REQUEST);
    CHECK(http_framer_look(&f, two, strlen(two), false, &first, NULL) ==
          HTTP_WHOLE);
    CHECK(http_framer_look(&f, two + first, strlen(two) - first, false, &used,
                           NULL) == HTTP_WHOLE);
    CHECK_INT(first + used, strlen(two));
}

static void test_no_body_after_head_lasts_over_a_1xx(void)
{
    const char *bytes = "HTTP/1.1 100 Continue\r\n\r\n"
                        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
    struct http_framer f;
    size_t used;
    size_t first;

    http_framer_init(&f, HTTP_RESPONSE);
    f.no_body = true;
    CHECK(http_framer_look(&f, bytes, strlen(bytes), false, &first, NULL) ==
          HTTP_WHOLE);
    CHECK_INT(f.status, 100);
    CHECK(http_framer_look(&f, bytes + first, strlen(bytes) - first, false,
                           &used, NULL) == HTTP_WHOLE);
    CHECK(!f.no_body);
}

static void test_head_is_taken_apart(void)
{
    const char *bytes = "POST /http-bind?x=1 HTTP/1.1\r\nHost:  h:1 \r\n"
                        "X: a\r\n\t b\r\nEmpty:\r\n\r\n";
    struct http_message m;
    size_t used;

    CHECK(http_read(HTTP_REQUEST, bytes, strlen(bytes), false, false, &m, &used,
                    NULL) == HTTP_WHOLE);
    CHECK_STR(m.method, "POST");
    CHECK_STR(m.target, "/http-bind?x=1");
    CHECK_STR(http_header(&m, "hOST"), "h:1");
    CHECK_STR(http_header(&m, "x"), "a  \t b");
    CHECK_STR(http_header(&m, "Empty"), "");
    CHECK(http_header(&m, "Nothing") == NULL);
    CHECK_STR(m.reason, "");
    CHECK_INT(m.header_count, 3);
    http_message_release(&m);
    http_message_release(&m);
}

static void check_limit(struct buf *b, const char *name)
{
    struct http_framer f;
    struct err e = {""};
    size_t used;

    http_framer_init(&f, HTTP_REQUEST);
    CHECK_ROW(http_framer_look(&f, b->data, b->len, false, &used, &e) ==
                  HTTP_BAD,
              name);
    buf_clear(b);
}

static void test_limits_are_kept(void)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "GET / HTTP/1.1\r\nX: ");
    for (int i = 0; i < HTTP_MAX_HEAD; i++)
        buf_addc(&b, 'a');
    check_limit(&b, "long header");
    buf_adds(&b, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= HTTP_MAX_HEADERS; i++)
        buf_adds(&b, "A:b\r\n");
    buf_adds(&b, "\r\n");
    check_limit(&b, "many headers");
    for (int i = 0; i < HTTP_MAX_HEAD; i++)
        buf_adds(&b, "\r\n");
    check_limit(&b, "endless empty lines");
    buf_adds(&b, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;");
    for (int i = 0; i < 5000; i++)
        buf_addc(&b, 'x');
    check_limit(&b, "long chunk extension");
    buf_adds(&b, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    for (int i = 0; i < HTTP_MAX_HEAD / 4; i++)
        buf_adds(&b, "A:b\r\n");
    check_limit(&b, "long trailer");
    buf_adds(&b, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        buf_printf(&b, "%x\r\n", HTTP_MAX_BODY / 2 + 1);
        for (int j = 0; i == 0 && j <= HTTP_MAX_BODY / 2; j++)
            buf_addc(&b, 'x');
        buf_adds(&b, i == 0 ? "\r\n" : "");
    }
    check_limit(&b, "chunks beyond the limit together");
    buf_release(&b);
}

static void test_messages_are_composed(void)
{
    struct http_header type = {"Content-Type", "text/xml; charset=utf-8"};
    struct http_header length = {"Content-Length", "9"};
    struct buf b = BUF_INIT;

    http_write_request(&b, "POST", "/b", 1, &type, 1, "abc", 3);
    CHECK_STR(buf_str(&b), "POST /b HTTP/1.1\r\nContent-Type: text/xml; "
                           "charset=utf-8\r\nContent-Length: 3\r\n\r\nabc");
    buf_clear(&b);
    http_write_request(&b, "GET", "/", 0, NULL, 0, NULL, 0);
    CHECK_STR(buf_str(&b), "GET / HTTP/1.0\r\n\r\n");
    buf_clear(&b);
    http_write_response(&b, 503, NULL, NULL, 0, NULL, 0);
    CHECK_STR(buf_str(&b), "HTTP/1.1 503 Service Unavailable\r\n"
                           "Content-Length: 0\r\n\r\n");
    buf_clear(&b);
    http_write_response(&b, 200, "Fine", &length, 1, "abc", 3);
    CHECK_STR(buf_str(&b), "HTTP/1.1 200 Fine\r\nContent-Length: 9\r\n\r\nabc");
    buf_clear(&b);
    http_write_response(&b, 204, NULL, NULL, 0, NULL, 0);
    CHECK_STR(buf_str(&b), "HTTP/1.1 204 No Content\r\n\r\n");
    buf_release(&b);
}

int suite_http(void)
{
    CU_pSuite s = CU_add_suite("http", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_messages_are_read) ||
        !CU_ADD_TEST(s, test_framer_agrees_at_every_cut) ||
        !CU_ADD_TEST(s, test_two_cuts_change_nothing) ||
        !CU_ADD_TEST(s, test_framer_goes_from_message_to_message) ||
        !CU_ADD_TEST(s, test_no_body_after_head_lasts_over_a_1xx) ||
        !CU_ADD_TEST(s, test_head_is_taken_apart) ||
        !CU_ADD_TEST(s, test_limits_are_kept) ||
        !CU_ADD_TEST(s, test_messages_are_composed))
        return -1;
    return 0;
}
