/* A Prosody that dies, hangs and comes back. Last of all suites, for it takes
 * the others' sessions along. */
#include <signal.h>
#include <stdlib.h>

#include "peers.h"
#include "tests/check.h"

#define WAIT_S 1
#define WAIT_MS (WAIT_S * 1000)
#define PRIMARY_MS (WAIT_MS * 11 / 10)
#define SLACK_MS 8000

static void be_quick(struct bosh_options *o)
{
    peers_options(o);
    o->wait_s = WAIT_S;
    o->timeout = 1.1;
    o->secondary_min_ms = 200;
}

static void come(struct talker *t, const struct bosh_options *o)
{
    talker_init(t, bosh_driver_new(), o);
    CHECK_INT(peers_log_in(t, "ALICE", "crash"), 0);
    CHECK_INT(bosh_driver_settle(t->d, t->s, PATIENCE_MS), 0);
}

static void go(struct talker *t)
{
    struct bosh_driver *d = t->d;

    talker_release(t);
    bosh_driver_free(d);
}

/* The session object is as good as new. */
static void check_works_again(struct talker *t)
{
    talker_forget(t);
    CHECK_INT(peers_log_in(t, "ALICE", "crash"), 0);
    CHECK_INT(talker_say(t, bosh_jid(t->s), "here again"), 0);
    CHECK_INT(talker_listen(t, 1, PATIENCE_MS), 1);
    peers_log_out(t);
    CHECK_STR(buf_str(&t->seen), "connecting authenticating connected "
                                 "disconnecting disconnected");
}

static void check_five_errors(const struct talker *t)
{
    CHECK_STR(buf_str(&t->seen),
              "connecting authenticating connected conntimeout disconnected");
    CHECK_ROW(strstr(bosh_last_error(t->s), "5 errors in a row"),
              bosh_last_error(t->s));
}

/* How long it takes to the end. */
static int64_t time_to_end(struct talker *t)
{
    int64_t began = bosh_driver_now_ms();

    CHECK(talker_wait_end(t, PATIENCE_MS));
    return bosh_driver_now_ms() - began;
}

/* Two requests are open, and the first repeat of each is due at once. The fifth
 * error comes after a back-off, which the primary time-out bounds. */
static void test_five_errors_end_it_and_it_can_be_used_again(void)
{
    static const bool back_off[] = {false, true};

    for (size_t i = 0; i < 2; i++) {
        int64_t least = back_off[i] ? PRIMARY_MS : 0;
        struct bosh_options o;
        struct talker t;
        int64_t took;

        be_quick(&o);
        o.back_off = back_off[i];
        come(&t, &o);
        server_kill(peers_server());
        CHECK_INT(talker_say(&t, bosh_jid(t.s), "into the void"), 0);
        took = time_to_end(&t);
        CHECK(took >= least && took <= least + SLACK_MS);
        check_five_errors(&t);
        CHECK(server_start_again(peers_server()));
        check_works_again(&t);
        go(&t);
    }
}

/* Nothing comes back, not even an end of the connection. */
static void test_a_server_that_hangs_is_timed_out(void)
{
    struct bosh_options o;
    struct talker t;
    int64_t took;

    be_quick(&o);
    come(&t, &o);
    server_signal(peers_server(), SIGSTOP);
    took = time_to_end(&t);
    server_signal(peers_server(), SIGCONT);
    CHECK(took >= 4 * PRIMARY_MS && took <= 5 * PRIMARY_MS + SLACK_MS);
    check_five_errors(&t);
    CHECK(strstr(bosh_last_error(t.s), "no answer in time"));
    check_works_again(&t);
    go(&t);
}

/* A server that has started anew knows nothing of the session. */
static void test_a_server_that_came_back_says_item_not_found(void)
{
    struct bosh_options o;
    struct talker t;

    be_quick(&o);
    o.max_errors = 0;
    come(&t, &o);
    server_kill(peers_server());
    CHECK(server_start_again(peers_server()));
    CHECK(time_to_end(&t) < PATIENCE_MS);
    CHECK_STR(buf_str(&t.seen),
              "connecting authenticating connected connfail disconnected");
    CHECK_STR(t.condition, "item-not-found");
    check_works_again(&t);
    go(&t);
}

/* Nobody is there to say good-bye to. */
static void test_leaving_a_dead_server_takes_no_longer_than_allowed(void)
{
    struct bosh_options o;
    struct talker t;
    int64_t took;

    be_quick(&o);
    o.disconnect_ms = 500;
    come(&t, &o);
    server_kill(peers_server());
    CHECK_INT(bosh_disconnect(t.s, bosh_driver_now_ms(), NULL), 0);
    bosh_driver_pump(t.d, t.s);
    took = time_to_end(&t);
    CHECK(took <= 500 + SLACK_MS);
    CHECK_STR(buf_str(&t.seen), "connecting authenticating connected "
                                "disconnecting conntimeout disconnected");
    CHECK(server_start_again(peers_server()));
    check_works_again(&t);
    go(&t);
}

/* Nor may a creation wait for ever. */
static void test_no_server_at_all_is_five_errors_too(void)
{
    char *password = server_password(peers_server(), "ALICE");
    struct bosh_options o;
    struct talker t;

    be_quick(&o);
    o.back_off = false;
    talker_init(&t, bosh_driver_new(), &o);
    server_kill(peers_server());
    CHECK_INT(
        bosh_driver_connect(t.d, t.s, "alice@localhost", password, PATIENCE_MS),
        -1);
    CHECK_STR(buf_str(&t.seen), "connecting conntimeout disconnected");
    CHECK(strstr(bosh_last_error(t.s), "5 errors in a row"));
    CHECK(server_start_again(peers_server()));
    check_works_again(&t);
    go(&t);
    free(password);
}

static CU_TestInfo TESTS[] = {
    {"five errors end it, and it can be used again",
     test_five_errors_end_it_and_it_can_be_used_again},
    {"a server that hangs is timed out", test_a_server_that_hangs_is_timed_out},
    {"a server that came back says item-not-found",
     test_a_server_that_came_back_says_item_not_found},
    {"leaving a dead server takes no longer than allowed",
     test_leaving_a_dead_server_takes_no_longer_than_allowed},
    {"no server at all is five errors too",
     test_no_server_at_all_is_five_errors_too},
    CU_TEST_INFO_NULL,
};

int suite_crash(void)
{
    return peers_suite("crash", TESTS);
}
