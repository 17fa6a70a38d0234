/* A play as a person watches it: one event, one line, and its body. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "common/buf.h"
#include "common/coding.h"
#include "reports/live.h"

int suite_live(void);

static const struct text_style plain = {false, 80};

static void show(struct live *l, struct buf *out, const char *name,
                 const char *x, const char *data, size_t len)
{
    struct event ev;

    event_init(&ev, name);
    ev.t_ms = 1234;
    event_set(&ev, "x", x);
    ev.data = data;
    ev.data_len = len;
    live_event(l, out, &ev);
    event_release(&ev);
}

static void test_an_exchange_is_told_with_its_rid_and_body(void)
{
    static const char req[] = "POST /b HTTP/1.1\r\nHost: h\r\n\r\n"
                              "<body rid='42'><a><b/></a></body>";
    struct buf out = BUF_INIT;
    struct live l;

    live_init(&l, &plain);
    show(&l, &out, "req", "7", req, strlen(req));
    show(&l, &out, "lost", "7", NULL, 0);
    show(&l, &out, "lost", "8", NULL, 0);
    CHECK_STR(buf_str(&out),
              "   1.234 s  x 7      rid 42 request POST /b HTTP/1.1\n"
              "            <body rid=\"42\">\n"
              "              <a>\n"
              "                <b/>\n"
              "              </a>\n"
              "            </body>\n"
              "   1.234 s  x 7      rid 42 lost\n"
              "   1.234 s  x 8      lost\n");
    buf_release(&out);
    live_release(&l);
}

static void test_what_is_packed_is_shown_as_it_is_meant(void)
{
    static const char body[] = "<body rid='42'/>";
    struct buf out = BUF_INIT, req = BUF_INIT;
    struct live l;

    live_init(&l, &plain);
    buf_adds(&req, "POST /b HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n");
    coding_encode(&req, CODING_GZIP, body, strlen(body));
    show(&l, &out, "req", "7", req.data, req.len);
    CHECK_STR(buf_str(&out),
              "   1.234 s  x 7      rid 42 request POST /b HTTP/1.1\n"
              "            <body rid=\"42\"/>\n");
    buf_clear(&out);
    req.len--; /* damaged: whatever there is */
    show(&l, &out, "req", "8", req.data, req.len);
    CHECK(strstr(buf_str(&out),
                 "   1.234 s  x 8      request POST /b HTTP/1.1\n") ==
          buf_str(&out));
    buf_release(&out);
    buf_release(&req);
    live_release(&l);
}

static void test_steps_and_drivers_have_their_words(void)
{
    struct buf out = BUF_INIT;
    struct live l;
    struct event ev;

    live_init(&l, &plain);
    event_init(&ev, "step");
    event_set(&ev, "line", "31");
    event_set(&ev, "what", "await");
    event_set(&ev, "outcome", "done");
    live_event(&l, &out, &ev);
    event_release(&ev);
    event_init(&ev, "ev");
    event_set(&ev, "client", "0");
    event_set(&ev, "kind", "status");
    event_set(&ev, "value", "con\nnected\033[2J");
    live_event(&l, &out, &ev);
    event_release(&ev);
    CHECK_STR(buf_str(&out),
              "   0.000 s  line 31  step what=await outcome=done\n"
              "   0.000 s  client 0 driver kind=status "
              "value=con nected\\x1b[2J\n");
    buf_release(&out);
    live_release(&l);
}

/* Whatever a peer sends: no byte of it moves the cursor, and it is clipped. */
static void test_what_a_peer_sends_is_shown_not_obeyed(void)
{
    static const char odd[] = "HTTP/1.1 200 \033]0;x\007\r\n\r\n<a>\0\r\033[2J";
    size_t len = 1 << 20, i;
    char *big = mem_alloc(len);
    struct buf out = BUF_INIT;
    struct live l;

    live_init(&l, &plain);
    show(&l, &out, "res", "1", odd, sizeof odd - 1);
    for (i = 0; i < out.len; i++)
        CHECK((unsigned char)out.data[i] >= 0x20 || out.data[i] == '\n');
    CHECK(strstr(buf_str(&out), "\\x1b[2J") != NULL);
    buf_clear(&out);
    memset(big, '\n', len);
    memcpy(big, "HTTP/1.1 200 OK\r\n\r\n", 19);
    show(&l, &out, "res", "1", big, len);
    CHECK(out.len < 6000);
    CHECK(strstr(buf_str(&out), "... (") != NULL);
    buf_release(&out);
    live_release(&l);
    free(big);
}

static void test_numbers_out_of_range_do_no_harm(void)
{
    static const char *const xs[] = {"0", "-1", "x", "99999999999999999999"};
    static const char req[] = "POST / HTTP/1.1\r\n\r\n<body rid='";
    struct buf out = BUF_INIT;
    struct live l;
    size_t i;

    live_init(&l, &plain);
    for (i = 0; i < sizeof xs / sizeof *xs; i++)
        show(&l, &out, "req", xs[i], req, strlen(req));
    show(&l, &out, "req", "3", req, strlen(req));
    CHECK_INT(l.rid_count, 3);
    CHECK(l.rid_count == 3 && l.rids[2] == NULL);
    buf_release(&out);
    live_release(&l);
}

int suite_live(void)
{
    CU_pSuite s = CU_add_suite("live", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_an_exchange_is_told_with_its_rid_and_body) ||
        !CU_ADD_TEST(s, test_what_is_packed_is_shown_as_it_is_meant) ||
        !CU_ADD_TEST(s, test_steps_and_drivers_have_their_words) ||
        !CU_ADD_TEST(s, test_what_a_peer_sends_is_shown_not_obeyed) ||
        !CU_ADD_TEST(s, test_numbers_out_of_range_do_no_harm))
        return -1;
    return 0;
}
