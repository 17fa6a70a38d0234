/* Several XMPP streams in one session, XEP-0124 §16. */
#include "bosh_peer.h"

int suite_streams(void);

#define OFFERS USUAL " stream='one'"

#define ON(name, payload)                                                      \
    "<body " NS_BODY " " NS_STREAM " stream='" name "'>" payload "</body>"
#define MECHANISMS_ON(name) ON(name, MECHANISMS(MECHANISM("ANONYMOUS")))
#define SUCCESS_ON(name)                                                       \
    ON(name, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
#define BIND_FEATURES_ON(name)                                                 \
    ON(name, "<stream:features><bind "                                         \
             "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>")
#define BOUND_ON(name, jid)                                                    \
    ON(name, "<iq " NS_CLIENT " type='result' id='bind'>"                      \
             "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"                 \
             "<jid>" jid "</jid></bind></iq>")
#define STANZA_ON(name, id) ON(name, "<message " NS_CLIENT " id='" id "'/>")
#define END_OF(name, condition)                                                \
    "<body " NS_BODY " type='terminate' condition='" condition                 \
    "' stream='" name "'/>"

/* Logged in to a manager that offers more, with a poll open. */
static void start(struct peer *p)
{
    peer_init(p, NULL);
    peer_log_in_with(p, LOGGED_IN(OFFERS));
    CHECK(bosh_streams_offered(p->s));
    CHECK(peer_next(p));
}

/* Its second stream as well; the poll that was open was answered meanwhile. */
static void add_second(struct peer *p)
{
    static const char *const ANSWERS[] = {
        MECHANISMS_ON("two"), SUCCESS_ON("two"), BIND_FEATURES_ON("two"),
        BOUND_ON("two", "eve@example.net/r2"), NULL};
    uint64_t poll = p->id;

    CHECK_INT(bosh_stream_add(p->s, "example.net", NULL, NULL), 1);
    for (int i = 0; ANSWERS[i]; i++) {
        CHECK(peer_next(p));
        if (i == 0)
            peer_answer_to(p, poll, EMPTY);
        peer_answer(p, ANSWERS[i]);
    }
    CHECK(bosh_stream_connected(p->s, 1));
    CHECK_STR(peer_seen(p), "connecting#1 authenticating#1 connected#1");
    CHECK(peer_next(p));
}

static int send_on(struct peer *p, int stream, const char *xml)
{
    return bosh_stream_send(p->s, stream, xml, strlen(xml));
}

/* ---- Opening
 * ---------------------------------------------------------------- */

static void test_without_the_offer_there_is_one_stream(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(!bosh_streams_offered(p.s));
    CHECK_INT(bosh_stream_add(p.s, "example.net", NULL, NULL), BOSH_E_STATE);
    CHECK_STR(bosh_last_error(p.s), "the manager offers no further streams");
    CHECK(peer_next(&p));
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "stream="));
    /* A name that nobody gave is not looked at. */
    peer_answer(&p, STANZA_ON("bogus", "m"));
    CHECK_INT(bosh_open_count(p.s), 1);
    CHECK_STR(peer_seen(&p), "");
    peer_release(&p);
}

static void test_one_named_stream_is_not_named_by_us(void)
{
    struct peer p;

    start(&p);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "stream="));
    CHECK_STR(bosh_stream_name(p.s, 0), "one");
    CHECK(bosh_stream_name(p.s, 1) == NULL && bosh_stream_jid(p.s, 1) == NULL);
    peer_release(&p);
}

static void test_a_stream_is_asked_for_by_an_empty_body(void)
{
    struct peer p;
    uint64_t rid;

    start(&p);
    rid = p.rid;
    CHECK_INT(
        bosh_stream_add(p.s, "bob@example.net/r", "pw", "xmpp:example.net:9"),
        1);
    CHECK(peer_next(&p));
    CHECK(p.rid == rid + 1);
    CHECK(peer_sent(&p, "sid='s1'") && peer_sent(&p, "to='example.net'"));
    CHECK(peer_sent(&p, "route='xmpp:example.net:9'"));
    CHECK(peer_sent(&p, "xml:lang='en'") &&
          peer_sent(&p, "xmpp:version='1.0'"));
    CHECK(!peer_sent(&p, " ver=") && !peer_sent(&p, "wait=") &&
          !peer_sent(&p, "hold=") && !peer_sent(&p, "content="));
    CHECK(!peer_sent(&p, "stream=") && !peer_sent(&p, "restart"));
    CHECK(peer_sent(&p, "/>"));
    peer_release(&p);
}

static void test_a_second_stream_logs_in_by_its_name(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    poll = p.id;
    CHECK_INT(bosh_stream_add(p.s, "example.net", NULL, NULL), 1);
    CHECK(peer_next(&p));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, MECHANISMS_ON("two"));
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'") && peer_sent(&p, "<auth"));
    peer_answer(&p, SUCCESS_ON("two"));
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'") && peer_sent(&p, "restart='true'") &&
          peer_sent(&p, "to='example.net'"));
    peer_answer(&p, BIND_FEATURES_ON("two"));
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'") && peer_sent(&p, "<bind"));
    CHECK(!bosh_stream_connected(p.s, 1));
    peer_answer(&p, BOUND_ON("two", "eve@example.net/r2"));
    CHECK_STR(peer_seen(&p), "connecting#1 authenticating#1 connected#1");
    CHECK_STR(bosh_stream_jid(p.s, 1), "eve@example.net/r2");
    CHECK_STR(bosh_jid(p.s), "ann@example.org/r1");
    peer_release(&p);
}

/* The name comes with our own answer, the features only later; meanwhile the
 * first stream goes on. */
static void test_features_may_come_with_another_answer(void)
{
    struct peer p;
    uint64_t poll, open;

    start(&p);
    poll = p.id;
    CHECK_INT(bosh_stream_add(p.s, "example.net", NULL, NULL), 1);
    CHECK(peer_next(&p));
    open = p.id;
    peer_answer_to(&p, poll, STANZA_ON("one", "a"));
    peer_answer_to(&p, open, ON("two", ""));
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "stream="));
    peer_answer(&p, MECHANISMS_ON("two"));
    CHECK_STR(peer_seen(&p), "connecting#1 <a> authenticating#1");
    peer_release(&p);
}

static void test_a_manager_that_opens_none_fails_the_stream_alone(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    poll = p.id;
    CHECK_INT(bosh_stream_add(p.s, "example.net", NULL, NULL), 1);
    CHECK(peer_next(&p));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p), "connecting#1 connfail#1 disconnected#1");
    CHECK(bosh_connected(p.s));
    CHECK(peer_next(&p));
    peer_release(&p);
}

static void test_a_login_that_fails_closes_its_stream_alone(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    poll = p.id;
    CHECK_INT(bosh_stream_add(p.s, "example.net", NULL, NULL), 1);
    CHECK(peer_next(&p));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, MECHANISMS_ON("two"));
    CHECK(peer_next(&p));
    peer_answer(&p, ON("two", "<failure "
                              "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                              "<not-authorized/></failure>"));
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'") && peer_sent(&p, "type='terminate'"));
    CHECK(!peer_sent(&p, "presence"));
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p),
              "connecting#1 authenticating#1 authfail:not-authorized#1 "
              "disconnecting:not-authorized#1 disconnected#1");
    CHECK(bosh_connected(p.s));
    peer_release(&p);
}

/* ---- Payloads
 * --------------------------------------------------------------- */

static void test_a_body_has_one_streams_payloads(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    add_second(&p);
    poll = p.id;
    CHECK_INT(send_on(&p, 0, MESSAGE("a")), 0);
    CHECK_INT(send_on(&p, 1, MESSAGE("b")), 0);
    CHECK_INT(send_on(&p, 1, MESSAGE("c")), 0);
    CHECK_INT(send_on(&p, 0, MESSAGE("d")), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='one'") && peer_sent(&p, "id=\"a\"") &&
          !peer_sent(&p, "id=\"b\"") && !peer_sent(&p, "id=\"d\""));
    CHECK(!peer_next(&p));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'") && peer_sent(&p, "id=\"b\"") &&
          peer_sent(&p, "id=\"c\"") && !peer_sent(&p, "id=\"d\""));
    peer_release(&p);
}

static void test_a_broadcast_names_no_stream_and_keeps_its_place(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    add_second(&p);
    poll = p.id;
    CHECK_INT(send_on(&p, 1, MESSAGE("a")), 0);
    CHECK_INT(send_on(&p, BOSH_ALL_STREAMS, "<presence/>"), 0);
    CHECK_INT(send_on(&p, 0, MESSAGE("b")), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'"));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "stream=") && peer_sent(&p, "<presence"));
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='one'"));
    peer_release(&p);
}

static void test_a_broadcast_waits_for_logins(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    poll = p.id;
    CHECK_INT(bosh_stream_add(p.s, "example.net", NULL, NULL), 1);
    CHECK(peer_next(&p));
    peer_answer_to(&p, poll, EMPTY);
    CHECK_INT(send_on(&p, BOSH_ALL_STREAMS, "<presence/>"), 0);
    peer_answer(&p, ON("two", ""));
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "<presence"));
    CHECK(!peer_next(&p));
    peer_release(&p);
}

static void test_empty_requests_name_no_stream(void)
{
    struct peer p;

    start(&p);
    add_second(&p);
    CHECK(!peer_sent(&p, "stream=") && peer_sent(&p, "/>"));
    peer_answer(&p, ON("bogus", ""));
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "stream="));
    CHECK_STR(peer_seen(&p), "");
    peer_release(&p);
}

static void test_stanzas_say_whose_they_are(void)
{
    struct peer p;

    start(&p);
    add_second(&p);
    peer_answer(&p, STANZA_ON("two", "a"));
    CHECK(peer_next(&p));
    peer_answer(&p, STANZA_ON("one", "b"));
    CHECK(peer_next(&p));
    peer_answer(&p, WITH("c")); /* no name: the first stream's */
    CHECK_STR(peer_seen(&p), "<a>#1 <b> <c>");
    peer_release(&p);
}

static void test_an_unknown_stream_ends_the_session(void)
{
    struct peer p;

    start(&p);
    add_second(&p);
    peer_answer(&p, STANZA_ON("bogus", "a"));
    CHECK_STR(peer_seen(&p), "error disconnecting");
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "type='terminate'") && !peer_sent(&p, "stream="));
    peer_answer(&p, END);
    CHECK_STR(peer_seen(&p), "disconnected#1 disconnected");
    peer_release(&p);
}

/* ---- Endings
 * ---------------------------------------------------------------- */

static void test_one_stream_is_closed_by_its_name(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    add_second(&p);
    poll = p.id;
    CHECK_INT(send_on(&p, 1, MESSAGE("last")), 0);
    CHECK_INT(bosh_stream_close(p.s, p.now, 1, "bye"), 0);
    CHECK_INT(send_on(&p, 1, MESSAGE("late")), BOSH_E_STATE);
    CHECK_STR(bosh_last_error(p.s),
              "not possible while the stream is 'closing'");
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'") && peer_sent(&p, "type='terminate'") &&
          peer_sent(&p, "id=\"last\"") && peer_sent(&p, "unavailable"));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p), "disconnecting:bye#1 disconnected#1");
    CHECK(bosh_connected(p.s));
    CHECK(peer_next(&p)); /* a poll: the session lives */
    peer_answer(&p, STANZA_ON("two", "crossed"));
    CHECK_STR(peer_seen(&p), "");
    CHECK(peer_next(&p));
    CHECK_INT(send_on(&p, 0, MESSAGE("on")), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='one'"));
    peer_release(&p);
}

static void test_closing_the_last_stream_ends_the_session(void)
{
    struct peer p;
    uint64_t poll;

    start(&p);
    add_second(&p);
    poll = p.id;
    CHECK_INT(bosh_stream_close(p.s, p.now, 0, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='one'"));
    peer_answer_to(&p, poll, EMPTY);
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p), "disconnecting disconnected");
    CHECK(!bosh_ended(p.s));
    CHECK_INT(peer_send(&p, MESSAGE("a")), BOSH_E_STATE);
    CHECK_STR(bosh_last_error(p.s),
              "not possible while the stream is 'closed'");
    CHECK_INT(bosh_stream_close(p.s, p.now, 1, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "type='terminate'"));
    peer_answer(&p, END);
    CHECK_STR(peer_seen(&p), "disconnecting disconnected#1");
    CHECK(bosh_ended(p.s));
    peer_release(&p);
}

static void test_a_condition_with_a_name_closes_that_stream(void)
{
    struct peer p;

    start(&p);
    add_second(&p);
    peer_answer(&p, END_OF("two", "remote-connection-failed"));
    CHECK_STR(peer_seen(&p), "connfail:remote-connection-failed#1 "
                             "disconnected:remote-connection-failed#1");
    CHECK(bosh_connected(p.s));
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "terminate"));
    CHECK_INT(send_on(&p, 1, MESSAGE("a")), BOSH_E_STATE);
    peer_release(&p);
}

static void test_a_condition_without_a_name_closes_all(void)
{
    struct peer p;

    start(&p);
    add_second(&p);
    peer_answer(&p, "<body " NS_BODY
                    " type='terminate' condition='system-shutdown'/>");
    CHECK_STR(peer_seen(&p),
              "connfail:system-shutdown disconnected:system-shutdown#1 "
              "disconnected:system-shutdown");
    CHECK(bosh_ended(p.s));
    CHECK(!peer_next(&p));
    peer_release(&p);
}

static void test_disconnect_says_good_bye_to_all(void)
{
    struct peer p;

    start(&p);
    add_second(&p);
    CHECK_INT(send_on(&p, 1, MESSAGE("last")), 0);
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='two'") && !peer_sent(&p, "terminate"));
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "type='terminate'") && peer_sent(&p, "unavailable") &&
          !peer_sent(&p, "stream="));
    peer_release(&p);
}

/* Opened at the manager, and at its login. */
static void add_opened(struct peer *p)
{
    uint64_t poll = p->id;

    CHECK_INT(bosh_stream_add(p->s, "example.net", NULL, NULL), 1);
    CHECK(peer_next(p));
    peer_answer_to(p, poll, EMPTY);
    peer_answer(p, ON("two", ""));
    CHECK_STR(peer_seen(p), "connecting#1");
}

/* §16.5: what goes along with an end of the session goes to all streams. */
static void test_disconnect_gives_a_streams_stanzas_to_no_other(void)
{
    struct peer p;

    start(&p);
    add_opened(&p);
    CHECK_INT(send_on(&p, 0, MESSAGE("a")), 0);
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "id=\"a\"") && peer_sent(&p, "stream='one'") &&
          !peer_sent(&p, "terminate"));
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "'terminate'") && !peer_sent(&p, "stream=") &&
          peer_sent(&p, "/>"));
    peer_release(&p);
}

static void test_a_broadcast_does_not_need_the_first_stream(void)
{
    struct peer p;

    start(&p);
    add_second(&p);
    CHECK_INT(bosh_stream_close(p.s, p.now, 0, NULL), 0);
    CHECK_INT(send_on(&p, BOSH_ALL_STREAMS, "<presence/>"), 0);
    CHECK_INT(bosh_stream_close(p.s, p.now, 1, NULL), 0);
    CHECK_INT(send_on(&p, BOSH_ALL_STREAMS, "<presence/>"), BOSH_E_STATE);
    peer_release(&p);
}

static void test_room_that_a_stream_leaves_is_told(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.queue_max = 100;
    peer_init(&p, &o);
    peer_log_in_with(&p, LOGGED_IN(OFFERS));
    CHECK(peer_next(&p));
    add_opened(&p);
    CHECK_INT(send_on(&p, 1, MESSAGE("a")), 0);
    CHECK_INT(send_on(&p, 0, MESSAGE("b")), BOSH_E_FULL);
    CHECK_INT(bosh_stream_close(p.s, p.now, 1, NULL), 0);
    CHECK_STR(peer_seen(&p), "disconnecting#1 drained");
    CHECK_INT(send_on(&p, 0, MESSAGE("b")), 0);
    peer_release(&p);
}

static void test_an_end_is_answered_whatever_stream_it_names(void)
{
    struct peer p;

    start(&p);
    peer_answer(&p, EMPTY);
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "'terminate'"));
    peer_answer(&p, STANZA_ON("bogus", "x"));
    CHECK_STR(peer_seen(&p), "disconnecting disconnected");
    peer_release(&p);
    /* With one stream a name changes nothing: §16.6. */
    start(&p);
    peer_answer(&p, END_OF("bogus", "system-shutdown"));
    CHECK_STR(peer_seen(&p),
              "connfail:system-shutdown disconnected:system-shutdown");
    peer_release(&p);
}

/* ---- Another process
 * -------------------------------------------------------- */

static void test_attach_takes_all_streams_up(void)
{
    static const struct bosh_known_stream MORE[] = {
        {.name = "two", .jid = "eve@example.net/r2"}, {.name = "three"}};
    struct bosh_attach known = {.jid = "ann@example.org/r1",
                                .sid = "s1",
                                .rid = 7,
                                .requests = 2,
                                .inactivity_s = -1,
                                .stream = "one",
                                .more = MORE,
                                .more_count = 2};
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK(bosh_stream_connected(p.s, 0) && bosh_stream_connected(p.s, 1) &&
          !bosh_stream_connected(p.s, 2));
    CHECK(peer_next(&p));
    peer_answer(&p, STANZA_ON("two", "a"));
    CHECK(peer_next(&p));
    peer_answer(&p, STANZA_ON("three", "dropped"));
    CHECK(peer_next(&p));
    peer_answer(&p, WITH("b"));
    CHECK_STR(peer_seen(&p), "attached <a>#1 <b>");
    known.stream = NULL;
    peer_release(&p);
    peer_init(&p, NULL);
    CHECK_INT(bosh_attach(p.s, p.now, &known), BOSH_E_ARG);
    CHECK_STR(bosh_last_error(p.s), "streams need names");
    peer_release(&p);
}

int suite_streams(void)
{
    static const struct peer_test TESTS[] = {
        {"without the offer there is one stream",
         test_without_the_offer_there_is_one_stream},
        {"one named stream is not named by us",
         test_one_named_stream_is_not_named_by_us},
        {"a stream is asked for by an empty body",
         test_a_stream_is_asked_for_by_an_empty_body},
        {"a second stream logs in by its name",
         test_a_second_stream_logs_in_by_its_name},
        {"features may come with another answer",
         test_features_may_come_with_another_answer},
        {"a manager that opens none fails the stream alone",
         test_a_manager_that_opens_none_fails_the_stream_alone},
        {"a login that fails closes its stream alone",
         test_a_login_that_fails_closes_its_stream_alone},
        {"a body has one stream's payloads",
         test_a_body_has_one_streams_payloads},
        {"a broadcast names no stream and keeps its place",
         test_a_broadcast_names_no_stream_and_keeps_its_place},
        {"a broadcast waits for logins", test_a_broadcast_waits_for_logins},
        {"empty requests name no stream", test_empty_requests_name_no_stream},
        {"stanzas say whose they are", test_stanzas_say_whose_they_are},
        {"an unknown stream ends the session",
         test_an_unknown_stream_ends_the_session},
        {"one stream is closed by its name",
         test_one_stream_is_closed_by_its_name},
        {"closing the last stream ends the session",
         test_closing_the_last_stream_ends_the_session},
        {"a condition with a name closes that stream",
         test_a_condition_with_a_name_closes_that_stream},
        {"a condition without a name closes all",
         test_a_condition_without_a_name_closes_all},
        {"disconnect says good bye to all",
         test_disconnect_says_good_bye_to_all},
        {"attach takes all streams up", test_attach_takes_all_streams_up},
        {"disconnect gives a stream's stanzas to no other",
         test_disconnect_gives_a_streams_stanzas_to_no_other},
        {"a broadcast does not need the first stream",
         test_a_broadcast_does_not_need_the_first_stream},
        {"room that a stream leaves is told",
         test_room_that_a_stream_leaves_is_told},
        {"an end is answered whatever stream it names",
         test_an_end_is_answered_whatever_stream_it_names},
    };

    return peer_suite("streams", TESTS, PEER_COUNT(TESTS));
}
