/* A session under some thousands of storms, each from a seed of its own: what
 * the fuzz target fuzz_session does for hours, for a second. */
#include "bosh_peer.h"

#include <libxml/xmlerror.h>

#include "storm.h"

int suite_storm(void);

#define STORMS 500
#define STORM_LEN 600

static void brew(uint8_t *out, size_t len, uint64_t seed)
{
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = (uint8_t)(state >> 24);
    }
}

static void test_no_storm_breaks_a_rule(void)
{
    struct storm_sights sights = {0};
    uint8_t bytes[STORM_LEN];
    char row[1100];

    for (unsigned seed = 0; seed < STORMS; seed++) {
        struct err e = {""};
        size_t len = 20 + seed % (STORM_LEN - 20);

        brew(bytes, len, seed);
        storm_run(bytes, len, &sights, &e);
        snprintf(row, sizeof row, "seed %u: %s", seed, e.text);
        CHECK_ROW(!e.text[0], row);
    }
    /* They must lead somewhere, or they prove nothing. */
    CHECK(sights.sessions > STORMS && sights.endings > STORMS / 2);
    CHECK(sights.logins > STORMS / 10 && sights.stanzas > STORMS / 10);
    CHECK(sights.requests > 5 * STORMS && sights.repeats > STORMS);
    CHECK(sights.refusals > STORMS);
}

/* ---- What storms found ----------------------------------------------------
 */

static void test_the_queue_counts_what_goes_out(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.queue_max = 60;
    peer_init(&p, &o);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK_INT(peer_send(&p, "<a/><a/>"), 0);
    CHECK_INT(bosh_queue_len(p.s), strlen("<a xmlns=\"jabber:client\"/>") * 2);
    CHECK_INT(peer_send(&p, "<a/>"), BOSH_E_FULL);
    CHECK_INT(bosh_queue_len(p.s), strlen("<a xmlns=\"jabber:client\"/>") * 2);
    peer_release(&p);
}

static int cannot_forget(void *ctx, const char *text)
{
    (void)ctx;
    return text ? 0 : -1;
}

static void test_disconnected_is_the_last_even_if_the_store_fails(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.store.save = cannot_forget;
    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    peer_answer(&p, END);
    CHECK_STR(peer_seen(&p), "connfail error disconnected");
    peer_release(&p);
}

static void test_an_error_is_one_line_whatever_the_manager_says(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY " type='terminate' condition='a&#10;b'/>");
    CHECK_STR(bosh_last_error(p.s), "the manager ended the session: a?b");
    peer_release(&p);
}

/* r=x,s=MTIz,i=2000000000: a quarter of an hour on one processor. */
static void test_no_server_has_us_hash_for_hours(void)
{
    struct bosh_event ev = {.detail = NULL};
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "ann@example.org", "pencil"), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, CREATED(USUAL, MECHANISMS(MECHANISM("SCRAM-SHA-1"))));
    CHECK(peer_next(&p));
    CHECK_STR(peer_seen(&p), "connecting authenticating");
    peer_answer(&p, "<body " NS_BODY "><challenge "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                    "cj14LHM9TVRJeixpPTIwMDAwMDAwMDA=</challenge></body>");
    CHECK(bosh_next_event(p.s, &ev) && ev.status == BOSH_AUTHFAIL);
    CHECK_STR(ev.detail, "SCRAM-SHA-1: the server asks for more than 1000000 "
                         "iterations");
    CHECK_STR(peer_seen(&p), "disconnecting");
    peer_release(&p);
}

static struct bosh_attach two_streams(void)
{
    static const struct bosh_known_stream SECOND[] = {{"n1", "b@c/d"}};

    return (struct bosh_attach){.jid = "ann@example.org/r",
                                .sid = "s1",
                                .rid = 7,
                                .wait_s = 60,
                                .hold = 1,
                                .requests = 3,
                                .inactivity_s = -1,
                                .polling_s = -1,
                                .maxpause_s = -1,
                                .stream = "n0",
                                .more = SECOND,
                                .more_count = 1};
}

/* It would never tell its end. */
static void test_a_session_without_an_open_stream_is_not_attached_to(void)
{
    struct bosh_attach known = two_streams();
    struct peer p;

    peer_init(&p, NULL);
    known.stream_closed = true;
    known.more_count = 0;
    CHECK_INT(bosh_attach(p.s, p.now, &known), BOSH_E_ARG);
    CHECK_STR(bosh_last_error(p.s), "a session needs a stream that is open");
    known.more_count = 1;
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    peer_release(&p);
}

/* Else it stayed alive without any stream. */
static void test_closing_the_last_stream_beside_a_closing_one_ends_it(void)
{
    struct bosh_attach known = two_streams();
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK_INT(bosh_stream_close(p.s, p.now, 0, NULL), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "stream='n0'"));
    CHECK_INT(bosh_stream_close(p.s, p.now, 1, NULL), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "type='terminate'"));
    CHECK(!peer_sent(&p, "stream="));
    peer_answer_to(&p, p.id - 1,
                   "<body " NS_BODY " type='terminate' stream='n0'/>");
    peer_answer(&p, END);
    CHECK_STR(peer_seen(&p), "attached disconnecting disconnecting "
                             "disconnected#1 disconnected");
    CHECK(bosh_ended(p.s));
    peer_release(&p);
}

/* The other one was never opened: what is closed was the last. */
static void test_a_closed_stream_beside_one_that_failed_ends_the_session(void)
{
    struct bosh_attach known = two_streams();
    struct peer p;

    peer_init(&p, NULL);
    known.more_count = 0;
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK_INT(bosh_stream_add(p.s, "b@c", "pencil", NULL), 1);
    CHECK(peer_next(&p) && peer_sent(&p, "to='c'"));
    CHECK_INT(bosh_stream_close(p.s, p.now, 0, NULL), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "type='terminate'"));
    peer_answer_to(&p, p.id - 1, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p), "attached connecting#1 disconnecting connfail#1 "
                             "disconnected#1 disconnected");
    CHECK(bosh_ended(p.s) && !peer_next(&p));
    peer_release(&p);
}

static int words;

static void note_error(void *ctx, xmlErrorPtr error)
{
    (void)ctx;
    (void)error;
    words++;
}

static void note_text(void *ctx, const char *fmt, ...)
{
    (void)ctx;
    (void)fmt;
    words++;
}

/* Bytes that libxml2's converters choke on. */
static const struct odd_bytes {
    const char *bytes;
    size_t len;
} ODD[] = {
#define ODD_BYTES(text)                                                        \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }
    ODD_BYTES("\0\0\0<\177\0\377\377"),
    ODD_BYTES("<\0\0\0\377\377\0\0"),
    ODD_BYTES("<?xml version='1.0' encoding='EUC-JP'?>"
              "<body xmlns='http://jabber.org/protocol/httpbind'>"
              "<message xmlns='jabber:client'/>\377\377\377</body>"),
};

static void choke(struct peer *p, const struct odd_bytes *odd)
{
    peer_init(p, NULL);
    peer_log_in(p);
    CHECK(peer_next(p));
    bosh_answer(p->s, p->now, p->id, 200, NULL, odd->bytes, odd->len);
}

/* libxml2 tells its thread's listeners, or stderr, what a converter found. */
static void test_no_word_of_the_parser_gets_out(void)
{
    struct peer p;

    words = 0;
    for (size_t i = 0; i < sizeof ODD / sizeof ODD[0]; i++) {
        xmlSetStructuredErrorFunc(&p, note_error);
        xmlSetGenericErrorFunc(&p, note_text);
        choke(&p, &ODD[i]);
        CHECK_INT(words, 0);
        /* The application's, as before. */
        CHECK(xmlStructuredError == note_error);
        CHECK(xmlStructuredErrorContext == &p);
        CHECK(xmlGenericError == note_text && xmlGenericErrorContext == &p);
        xmlSetStructuredErrorFunc(NULL, NULL);
        xmlSetGenericErrorFunc(NULL, NULL);
        peer_release(&p);
    }
}

/* Their parser takes what came before the bad bytes for the whole. */
static void test_an_answer_that_is_cut_by_bad_bytes_is_asked_for_again(void)
{
    struct peer p;

    for (size_t i = 0; i < sizeof ODD / sizeof ODD[0]; i++) {
        choke(&p, &ODD[i]);
        CHECK_STR(peer_seen(&p), "");
        CHECK(peer_next(&p) && p.attempt == 2);
        peer_release(&p);
    }
}

static const struct peer_test TESTS[] = {
    {"the queue counts what goes out", test_the_queue_counts_what_goes_out},
    {"'disconnected' is the last even if the store fails",
     test_disconnected_is_the_last_even_if_the_store_fails},
    {"an error is one line, whatever the manager says",
     test_an_error_is_one_line_whatever_the_manager_says},
    {"no server has us hash for hours", test_no_server_has_us_hash_for_hours},
    {"a session without an open stream is not attached to",
     test_a_session_without_an_open_stream_is_not_attached_to},
    {"closing the last stream beside a closing one ends it",
     test_closing_the_last_stream_beside_a_closing_one_ends_it},
    {"a closed stream beside one that failed ends the session",
     test_a_closed_stream_beside_one_that_failed_ends_the_session},
    {"no word of the parser gets out", test_no_word_of_the_parser_gets_out},
    {"an answer that is cut by bad bytes is asked for again",
     test_an_answer_that_is_cut_by_bad_bytes_is_asked_for_again},
    {"no storm breaks a rule", test_no_storm_breaks_a_rule},
};

int suite_storm(void)
{
    return peer_suite("storm", TESTS, PEER_COUNT(TESTS));
}
