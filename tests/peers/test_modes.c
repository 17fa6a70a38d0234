/* Ways to use a session on Prosody: blocking, polling, idle, many at once, and
 * with options that it knows nothing of. */
#include <stdlib.h>

#include "peers.h"
#include "tests/check.h"

#define SOME 20

/* Say back what was heard. */
static void echo(struct talker *t, const char *from, const char *text)
{
    CHECK_INT(talker_say(t, from, text), 0);
}

static void say_number(struct talker *t, const char *to, size_t i)
{
    char text[32];

    snprintf(text, sizeof text, "number %zu", i);
    CHECK_INT(talker_say(t, to, text), 0);
}

static void check_numbers(const struct talker *t, size_t count)
{
    CHECK_INT(t->count, count);
    for (size_t i = 0; i < t->count; i++) {
        char text[32];

        snprintf(text, sizeof text, "number %zu", i);
        if (strcmp(t->texts[i], text) != 0)
            CHECK_STR(t->texts[i], text);
    }
}

/* Alice talks to herself, which goes through Prosody like all else. */
static void check_monologue(struct talker *t)
{
    for (size_t i = 0; i < SOME; i++) {
        say_number(t, bosh_jid(t->s), i);
        talker_listen(t, i + 1, PATIENCE_MS);
    }
    check_numbers(t, SOME);
    CHECK_INT(bosh_errors(t->s), 0);
    CHECK_STR(buf_str(&t->seen), "connecting authenticating connected");
}

static void alone(struct talker *t, const struct bosh_options *o)
{
    talker_init(t, bosh_driver_new(), o);
    CHECK_INT(peers_log_in(t, "ALICE", "modes"), 0);
}

static void gone(struct talker *t)
{
    struct bosh_driver *d = t->d;

    peers_log_out(t);
    talker_release(t);
    bosh_driver_free(d);
}

/* ---- Blocking ---------------------------------------------------------------
 */

static int block(struct talker *t, const char *to, size_t i)
{
    struct buf xml = BUF_INIT;
    int rc;

    buf_printf(&xml, "<message to='%s'><body>number %zu</body></message>", to,
               i);
    rc = bosh_driver_send(t->d, t->s, xml.data, xml.len, PATIENCE_MS);
    buf_release(&xml);
    return rc;
}

/* A manager holds the request with the stanza for as long as `wait`: that is
 * not what a blocking call waits for. (But for `polling`, which is 0 here.) */
static void test_blocking_calls_and_events_mix(void)
{
    int64_t began = bosh_driver_now_ms();
    struct bosh_options o;
    struct talker alice, bob;

    peers_options(&o);
    alone(&alice, &o);
    talker_init(&bob, alice.d, &o);
    CHECK_INT(peers_log_in(&bob, "BOB", "modes"), 0);
    bob.heard = echo;
    for (size_t i = 0; i < SOME; i++) {
        if (i % 2)
            say_number(&alice, bosh_jid(bob.s), i);
        else
            CHECK_INT(block(&alice, bosh_jid(bob.s), i), 0);
        if (i % 3 == 0)
            CHECK_INT(bosh_driver_settle(alice.d, alice.s, PATIENCE_MS), 0);
    }
    CHECK_INT(talker_listen(&alice, SOME, PATIENCE_MS), SOME);
    check_numbers(&alice, SOME);
    check_numbers(&bob, SOME);
    CHECK(bosh_driver_now_ms() - began < bosh_wait_s(alice.s) * 1000 / 2);
    peers_log_out(&bob);
    talker_release(&bob);
    gone(&alice);
}

/* ---- What Prosody grants ----------------------------------------------------
 */

static void test_a_polling_session_talks(void)
{
    struct bosh_options o;
    struct talker alice, bob;

    peers_options(&o);
    o.wait_s = o.hold = 0;
    alone(&alice, &o);
    CHECK_INT(bosh_wait_s(alice.s), 0);
    CHECK_INT(bosh_polling_s(alice.s), 0); /* as this server was told */
    peers_options(&o);
    talker_init(&bob, alice.d, &o);
    CHECK_INT(peers_log_in(&bob, "BOB", "modes"), 0);
    bob.heard = echo;
    for (size_t i = 0; i < 3; i++) {
        say_number(&alice, bosh_jid(bob.s), i);
        CHECK_INT(talker_listen(&alice, i + 1, PATIENCE_MS), i + 1);
    }
    check_numbers(&bob, 3);
    CHECK_INT(bosh_errors(alice.s), 0);
    peers_log_out(&bob);
    talker_release(&bob);
    gone(&alice);
}

static void count_requests(void *ctx, const char *data, size_t len)
{
    (void)data;
    (void)len;
    ++*(size_t *)ctx;
}

#define IDLE_WAIT_S 2
#define IDLE_MS 7000

static void test_an_idle_session_lives_on(void)
{
    size_t requests = 0;
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    o.wait_s = IDLE_WAIT_S;
    o.taps = (struct bosh_taps){.raw_output = count_requests, .ctx = &requests};
    alone(&t, &o);
    CHECK_INT(bosh_wait_s(t.s), IDLE_WAIT_S);
    requests = 0;
    talk_for(t.d, IDLE_MS);
    /* One after the other, each for `wait`. */
    CHECK(requests >= 2 && requests <= IDLE_MS / 1000 / IDLE_WAIT_S + 1);
    check_monologue(&t);
    gone(&t);
}

static void test_no_pause_where_none_is_offered(void)
{
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    alone(&t, &o);
    CHECK_INT(bosh_maxpause_s(t.s), -1);
    CHECK_INT(bosh_pause(t.s, 10), BOSH_E_ARG);
    CHECK_STR(bosh_last_error(t.s), "the manager allows no pause");
    check_monologue(&t);
    gone(&t);
}

static void test_a_local_pause_sends_together(void)
{
    struct bosh_options o;
    struct talker t;
    uint64_t rid;

    peers_options(&o);
    alone(&t, &o);
    CHECK_INT(bosh_driver_settle(t.d, t.s, PATIENCE_MS), 0);
    CHECK_INT(bosh_pause_local(t.s), 0);
    rid = bosh_rid(t.s);
    for (size_t i = 0; i < SOME; i++)
        say_number(&t, bosh_jid(t.s), i);
    talk_for(t.d, 100);
    CHECK_INT(t.count, 0);
    CHECK_INT(bosh_rid(t.s), rid);
    CHECK_INT(bosh_resume(t.s), 0);
    bosh_driver_pump(t.d, t.s);
    CHECK_INT(bosh_rid(t.s), rid + 1);
    CHECK_INT(talker_listen(&t, SOME, PATIENCE_MS), SOME);
    check_numbers(&t, SOME);
    gone(&t);
}

/* ---- Options that Prosody knows nothing of ----------------------------------
 */

static void test_options_that_it_ignores_do_no_harm(void)
{
    static const char *const headers[] = {"X-Rabbit: white", NULL};
    static const char *const cookies[] = {"a=b", NULL};
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    o.keys = o.ack = o.compress = o.with_credentials = true;
    o.keys_count = 7; /* several sequences */
    o.headers = headers;
    o.cookies = cookies;
    o.route = "xmpp:localhost:5222";
    o.lang = "de";
    alone(&t, &o);
    check_monologue(&t);
    gone(&t);
}

static void test_no_streams_are_offered(void)
{
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    alone(&t, &o);
    CHECK(!bosh_streams_offered(t.s));
    CHECK_INT(bosh_stream_add(t.s, "bob@localhost", "builder", NULL),
              BOSH_E_STATE);
    check_monologue(&t);
    gone(&t);
}

/* ---- Many -------------------------------------------------------------------
 */

#define MANY 50
#define MANY_EACH 10

static bool all_are_in(const void *ctx)
{
    const struct talker *many = ctx;

    for (size_t i = 0; i < MANY; i++) {
        if (!bosh_connected(many[i].s) && !bosh_ended(many[i].s))
            return false;
    }
    return true;
}

static bool all_have_heard(const void *ctx)
{
    const struct talker *many = ctx;

    for (size_t i = 0; i < MANY; i++) {
        if (many[i].count < MANY_EACH && !bosh_ended(many[i].s))
            return false;
    }
    return true;
}

static bool all_are_over(const void *ctx)
{
    const struct talker *many = ctx;

    for (size_t i = 0; i < MANY; i++) {
        if (!bosh_ended(many[i].s))
            return false;
    }
    return true;
}

static void many_log_in(struct talker *many, struct bosh_driver *d)
{
    char *password = server_password(peers_server(), "ALICE");
    struct bosh_options o;

    peers_options(&o);
    for (size_t i = 0; i < MANY; i++) {
        char resource[32];
        char *jid;

        snprintf(resource, sizeof resource, "many-%zu", i);
        jid = peers_jid("ALICE", resource);
        talker_init(&many[i], d, &o);
        CHECK_INT(bosh_connect(many[i].s, bosh_driver_now_ms(), jid, password),
                  0);
        bosh_driver_pump(d, many[i].s);
        free(jid);
    }
    free(password);
    CHECK(talk_until(d, all_are_in, many, PATIENCE_MS));
}

/* Each to its next neighbour, all at once. */
static void many_talk(struct talker *many, struct bosh_driver *d)
{
    char text[64];

    for (size_t k = 0; k < MANY_EACH; k++) {
        for (size_t i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "%zu from %zu", k, i);
            CHECK_INT(
                talker_say(&many[i], bosh_jid(many[(i + 1) % MANY].s), text),
                0);
        }
        bosh_driver_turn(d, 0);
    }
    CHECK(talk_until(d, all_have_heard, many, PATIENCE_MS));
    for (size_t i = 0; i < MANY; i++) {
        CHECK_INT(many[i].count, MANY_EACH);
        for (size_t k = 0; k < many[i].count; k++) {
            snprintf(text, sizeof text, "%zu from %zu", k,
                     (i + MANY - 1) % MANY);
            CHECK_STR(many[i].texts[k], text);
        }
    }
}

static void test_fifty_sessions_on_one_driver(void)
{
    struct bosh_driver *d = bosh_driver_new();
    struct talker many[MANY];

    many_log_in(many, d);
    many_talk(many, d);
    for (size_t i = 0; i < MANY; i++) {
        CHECK_INT(bosh_disconnect(many[i].s, bosh_driver_now_ms(), NULL), 0);
        bosh_driver_pump(d, many[i].s);
    }
    CHECK(talk_until(d, all_are_over, many, PATIENCE_MS));
    for (size_t i = 0; i < MANY; i++) {
        CHECK_STR(buf_str(&many[i].seen), "connecting authenticating connected "
                                          "disconnecting disconnected");
        talker_release(&many[i]);
    }
    bosh_driver_free(d);
}

static CU_TestInfo TESTS[] = {
    {"blocking calls and events mix", test_blocking_calls_and_events_mix},
    {"a polling session talks", test_a_polling_session_talks},
    {"an idle session lives on", test_an_idle_session_lives_on},
    {"no pause where none is offered", test_no_pause_where_none_is_offered},
    {"a local pause sends together", test_a_local_pause_sends_together},
    {"options that it ignores do no harm",
     test_options_that_it_ignores_do_no_harm},
    {"no streams are offered", test_no_streams_are_offered},
    {"fifty sessions on one driver", test_fifty_sessions_on_one_driver},
    CU_TEST_INFO_NULL,
};

int suite_modes(void)
{
    return peers_suite("modes", TESTS);
}
