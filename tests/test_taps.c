/* What options.taps shows of the wire. */
#include "bosh_peer.h"

int suite_taps(void);

/* What each was given, one behind the other, a | between. */
struct shown {
    struct buf raw_output, raw_input, xml_output, xml_input;
};

static void show(struct buf *out, const char *data, size_t len)
{
    if (out->len)
        buf_addc(out, '|');
    buf_add(out, data, len);
}

static void on_raw_output(void *ctx, const char *data, size_t len)
{
    show(&((struct shown *)ctx)->raw_output, data, len);
}

static void on_raw_input(void *ctx, const char *data, size_t len)
{
    show(&((struct shown *)ctx)->raw_input, data, len);
}

static void on_xml_output(void *ctx, const char *data, size_t len)
{
    show(&((struct shown *)ctx)->xml_output, data, len);
}

static void on_xml_input(void *ctx, const char *data, size_t len)
{
    show(&((struct shown *)ctx)->xml_input, data, len);
}

static void clear(struct shown *s)
{
    buf_clear(&s->raw_output);
    buf_clear(&s->raw_input);
    buf_clear(&s->xml_output);
    buf_clear(&s->xml_input);
}

/* Logged in, with a poll and two messages in one request open; the login is
 * forgotten. */
static void start(struct peer *p, struct shown *s, bool strip, uint64_t *poll)
{
    struct bosh_options o;

    memset(s, 0, sizeof *s);
    bosh_options_init(&o);
    o.taps = (struct bosh_taps){on_raw_output, on_raw_input, on_xml_output,
                                on_xml_input,  strip,        s};
    peer_init(p, &o);
    peer_log_in(p);
    clear(s);
    CHECK(peer_next(p));
    *poll = p->id;
    CHECK_INT(peer_send(p, MESSAGE("a") MESSAGE("b")), 0);
    CHECK(peer_next(p));
}

static void stop(struct peer *p, struct shown *s)
{
    peer_release(p);
    buf_release(&s->raw_output);
    buf_release(&s->raw_input);
    buf_release(&s->xml_output);
    buf_release(&s->xml_input);
}

static int count(const struct buf *in, const char *what)
{
    const char *at = buf_str(in);
    int n = 0;

    for (; (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

static void test_repeats_are_shown_raw_only(void)
{
    struct shown s;
    struct peer p;
    uint64_t poll;

    start(&p, &s, false, &poll);
    CHECK_INT(count(&s.raw_output, "id=\"a\""), 1);
    CHECK_INT(count(&s.xml_output, "id=\"a\""), 1);
    CHECK_INT(count(&s.xml_output, "<body "), 2);
    bosh_fail(p.s, p.now, p.id, "reset");
    CHECK(peer_next(&p));
    CHECK_INT(count(&s.raw_output, "id=\"a\""), 2);
    CHECK_INT(count(&s.xml_output, "id=\"a\""), 1);
    stop(&p, &s);
}

static void test_answers_are_shown_raw_as_they_come_and_read_in_order(void)
{
    struct shown s;
    struct peer p;
    uint64_t poll;

    start(&p, &s, false, &poll);
    peer_answer(&p, WITH("second"));
    CHECK_STR(buf_str(&s.raw_input), WITH("second"));
    CHECK_STR(buf_str(&s.xml_input), "");
    peer_answer_to(&p, poll, "<body>rubbish");
    CHECK_INT(count(&s.raw_input, "rubbish"), 1);
    CHECK(peer_next(&p));
    peer_answer(&p, WITH("first"));
    CHECK(strstr(buf_str(&s.xml_input), "first") != NULL);
    CHECK(strstr(strstr(buf_str(&s.xml_input), "first"), "second") != NULL);
    CHECK_INT(count(&s.xml_input, "<body "), 2);
    CHECK_INT(count(&s.xml_input, "rubbish"), 0);
    /* What a proxy says in the manager's place is none of the session's. */
    CHECK(peer_next(&p));
    clear(&s);
    peer_status(&p, 503);
    CHECK_STR(buf_str(&s.raw_input), "");
    stop(&p, &s);
}

static void test_stripped_each_payload_stands_by_itself(void)
{
    struct shown s;
    struct peer p;
    uint64_t poll;

    start(&p, &s, true, &poll);
    CHECK_STR(buf_str(&s.xml_output),
              "<message xmlns=\"jabber:client\" id=\"a\"><body>x</body>"
              "</message>|<message xmlns=\"jabber:client\" id=\"b\"><body>x"
              "</body></message>");
    CHECK_INT(count(&s.raw_output, "<body "), 2); /* as it is */
    peer_answer_to(&p, poll, WITH("m"));
    CHECK_STR(buf_str(&s.xml_input),
              "<message xmlns=\"jabber:client\" id=\"m\"/>");
    CHECK_STR(buf_str(&s.raw_input), WITH("m"));
    stop(&p, &s);
}

int suite_taps(void)
{
    static const struct peer_test TESTS[] = {
        {"repeats are shown raw only", test_repeats_are_shown_raw_only},
        {"answers are shown raw as they come, and read in order",
         test_answers_are_shown_raw_as_they_come_and_read_in_order},
        {"stripped, each payload stands by itself",
         test_stripped_each_payload_stands_by_itself},
    };

    return peer_suite("taps", TESTS, PEER_COUNT(TESTS));
}
