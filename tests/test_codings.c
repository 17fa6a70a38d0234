/* Content codings of what a session sends, XEP-0124 §7.2, with answers written
 * by hand. What the bytes become is the driver's affair: test_driver_curl.c. */
#include "bosh_peer.h"
#include "suites.h"

#define LONG                                                                   \
    "<message id='long'><body>" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY            \
    "</body></message>"
#define FIFTY "0123456789012345678901234567890123456789 012345678"

static void start(struct peer *p, bool compress, const char *created)
{
    struct bosh_options o;

    bosh_options_init(&o);
    o.compress = compress;
    peer_init(p, &o);
    peer_log_in_with(p, created);
}

static void start_accepted(struct peer *p)
{
    start(p, true, LOGGED_IN(USUAL " accept='deflate,gzip'"));
}

/* What the next request is to be packed in; "" for nothing. */
static const char *next_coding(struct peer *p)
{
    if (!peer_next(p))
        return "no request";
    return p->coding ? p->coding : "";
}

static void test_only_what_was_offered_is_used(void)
{
    static const struct {
        const char *name;
        bool compress;
        const char *created;
        const char *want;
    } rows[] = {
        {"offered", true, LOGGED_IN(USUAL " accept='deflate,gzip'"), "gzip"},
        {"alone", true, LOGGED_IN(USUAL " accept='GZIP'"), "gzip"},
        {"not asked for", false, LOGGED_IN(USUAL " accept='gzip'"), ""},
        {"another", true, LOGGED_IN(USUAL " accept='deflate'"), ""},
        {"empty", true, LOGGED_IN(USUAL " accept=''"), ""},
        {"none", true, LOGGED_IN(USUAL), ""},
    };

    for (size_t i = 0; i < PEER_COUNT(rows); i++) {
        struct peer p;

        start(&p, rows[i].compress, rows[i].created);
        CHECK_INT(peer_send(&p, LONG), 0);
        CHECK_ROW(strcmp(next_coding(&p), rows[i].want) == 0, rows[i].name);
        peer_release(&p);
    }
}

static void test_a_creation_never_has_a_coding(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.compress = true;
    o.route = "xmpp:a-host-with-a-name-of-some-length.example.org:5222";
    o.content = "text/xml; charset=utf-8; and-some-more=0123456789012345678";
    peer_init(&p, &o);
    for (int round = 0; round < 2; round++) {
        CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
        CHECK_STR(next_coding(&p), "");
        CHECK(p.body.len >= 256);
        peer_answer(&p, LOGGED_IN(USUAL " accept='gzip'"));
        CHECK(peer_next(&p));
        peer_answer(&p, END); /* and once more: the offer is forgotten */
    }
    peer_release(&p);
}

static void test_what_is_short_is_sent_as_it_is(void)
{
    struct peer p;

    start_accepted(&p);
    CHECK_STR(next_coding(&p), ""); /* a poll */
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK_STR(next_coding(&p), "");
    CHECK(p.body.len < 256);
    peer_release(&p);
}

static void test_a_repeat_is_coded_alike(void)
{
    struct buf first = BUF_INIT;
    struct peer p;

    start_accepted(&p);
    CHECK_INT(peer_send(&p, LONG), 0);
    CHECK_STR(next_coding(&p), "gzip");
    buf_add(&first, p.body.data, p.body.len);
    bosh_fail(p.s, p.now, p.id, "reset");
    CHECK_STR(next_coding(&p), "gzip");
    CHECK_INT(p.attempt, 2);
    CHECK_STR(buf_str(&p.body), buf_str(&first));
    buf_release(&first);
    peer_release(&p);
}

static void test_415_sends_it_plain_and_ends_the_coding(void)
{
    struct buf first = BUF_INIT;
    struct peer p;
    uint64_t rid;

    start_accepted(&p);
    CHECK_INT(peer_send(&p, LONG), 0);
    CHECK_STR(next_coding(&p), "gzip");
    buf_add(&first, p.body.data, p.body.len);
    rid = p.rid;
    peer_status(&p, 415);
    CHECK_STR(next_coding(&p), "");
    CHECK(p.rid == rid);
    CHECK_INT(p.attempt, 2);
    CHECK_STR(buf_str(&p.body), buf_str(&first));
    CHECK_INT(peer_aborts(&p), 0);
    CHECK_INT(bosh_errors(p.s), 0);
    peer_answer(&p, EMPTY);
    CHECK_INT(peer_send(&p, LONG), 0);
    CHECK_STR(next_coding(&p), "");
    CHECK_STR(peer_seen(&p), "");
    peer_status(&p, 415); /* now it is about something else */
    CHECK_STR(peer_seen(&p), "connfail disconnected");
    buf_release(&first);
    peer_release(&p);
}

/* Both were on their way when the first 415 came. */
static void test_415_may_come_for_each_that_was_coded(void)
{
    struct peer p;
    uint64_t first;

    start_accepted(&p);
    CHECK_INT(peer_send(&p, LONG), 0);
    CHECK_STR(next_coding(&p), "gzip");
    first = p.id;
    CHECK_INT(peer_send(&p, LONG), 0);
    CHECK_STR(next_coding(&p), "gzip");
    peer_status(&p, 415);
    CHECK_STR(next_coding(&p), "");
    bosh_answer(p.s, p.now, first, 415, "text/html", "", 0);
    CHECK_STR(next_coding(&p), "");
    CHECK_STR(peer_seen(&p), "");
    peer_release(&p);
}

static void test_400_for_a_coded_request_is_the_end(void)
{
    struct peer p;

    start_accepted(&p);
    CHECK_INT(peer_send(&p, LONG), 0);
    CHECK_STR(next_coding(&p), "gzip");
    peer_status(&p, 400);
    CHECK_STR(peer_seen(&p), "connfail:bad-request disconnected:bad-request");
    peer_release(&p);
}

static void test_an_attached_session_codes_nothing(void)
{
    struct bosh_attach known = {.jid = "ann@example.org/r",
                                .sid = "s",
                                .rid = 5,
                                .wait_s = -1,
                                .hold = -1,
                                .requests = -1,
                                .inactivity_s = -1,
                                .polling_s = -1,
                                .maxpause_s = -1};
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.compress = true;
    peer_init(&p, &o);
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK_INT(peer_send(&p, LONG), 0);
    CHECK_STR(next_coding(&p), "");
    peer_release(&p);
}

static const struct peer_test TESTS[] = {
    {"only what was offered is used", test_only_what_was_offered_is_used},
    {"a creation never has a coding", test_a_creation_never_has_a_coding},
    {"what is short is sent as it is", test_what_is_short_is_sent_as_it_is},
    {"a repeat is coded alike", test_a_repeat_is_coded_alike},
    {"415 sends it plain and ends the coding",
     test_415_sends_it_plain_and_ends_the_coding},
    {"415 may come for each that was coded",
     test_415_may_come_for_each_that_was_coded},
    {"400 for a coded request is the end",
     test_400_for_a_coded_request_is_the_end},
    {"an attached session codes nothing",
     test_an_attached_session_codes_nothing},
};

int suite_codings(void)
{
    return peer_suite("codings", TESTS, PEER_COUNT(TESTS));
}
