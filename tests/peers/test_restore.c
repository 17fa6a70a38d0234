/*
 * A session that goes on in another process: what is lost between the two, and
 * what comes twice, is what bosh_restore() says and no more.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "mortal.h"
#include "peers.h"
#include "tests/check.h"

#define BOB "bob@localhost/restore"
#define ALICE "alice@localhost/mortal"
#define SOME 5

/* Bob, who lives on, and Alice, in the one process or in the other. */
struct story {
    struct bosh_driver *d;
    struct talker bob;
    struct mortal before;
    struct talker after;
};

/* She first, or she would have Bob's descriptors too. */
static bool story_begin(struct story *y, enum moment moment, int max_open)
{
    struct bosh_options o;
    bool fine = mortal_begin(&y->before, moment, max_open, BOB);

    CHECK(fine);
    y->d = bosh_driver_new();
    peers_options(&o);
    talker_init(&y->bob, y->d, &o);
    CHECK_INT(peers_log_in(&y->bob, "BOB", "restore"), 0);
    return fine;
}

static void bob_says(struct story *y, const char *what, size_t from,
                     size_t count)
{
    char text[32];

    for (size_t i = from; i < from + count; i++) {
        snprintf(text, sizeof text, "%s %zu", what, i);
        CHECK_INT(talker_say(&y->bob, ALICE, text), 0);
    }
    CHECK_INT(bosh_driver_settle(y->d, y->bob.s, PATIENCE_MS), 0);
}

static void restore(struct story *y)
{
    struct bosh_options o;

    peers_options(&o);
    o.store = bosh_store_file(y->before.store);
    talker_init(&y->after, y->d, &o);
    CHECK_INT(bosh_restore(y->after.s, bosh_driver_now_ms(), "alice@localhost"),
              0);
    CHECK_STR(bosh_last_error(y->after.s), "");
    bosh_driver_pump(y->d, y->after.s);
}

static void story_end(struct story *y)
{
    CHECK_INT(bosh_errors(y->after.s), 0);
    peers_log_out(&y->after);
    CHECK_STR(buf_str(&y->after.seen), "attached disconnecting disconnected");
    peers_log_out(&y->bob);
    talker_release(&y->after);
    talker_release(&y->bob);
    bosh_driver_free(y->d);
    mortal_release(&y->before);
}

static void check_texts(const struct talker *t, size_t from, const char *what,
                        size_t count)
{
    CHECK_INT(t->count, from + count);
    for (size_t i = 0; i < count && from + i < t->count; i++) {
        char text[32];

        snprintf(text, sizeof text, "%s %zu", what, i);
        CHECK_STR(t->texts[from + i], text);
    }
}

/* ---- One moment after the other --------------------------------------------
 */

static const struct row {
    const char *name;
    enum moment moment;
    bool words_arrive;
    size_t heard; /* how often FOR_YOU is heard, both processes together */
} ROWS[] = {
    {"she leaves", SHE_LEAVES, false, 0},
    {"killed at rest", AT_REST, false, 0},
    {"killed with a stanza in the queue", QUEUED, false, 0},
    {"killed before the request was kept", NOT_KEPT_YET, false, 0},
    {"killed when it was kept", KEPT, true, 0},
    {"killed when it was made", MADE, true, 0},
    {"killed when libcurl had it", HANDED_OVER, true, 0},
    {"killed when an answer had come", ANSWERED, false, 1},
    /* The one that may come twice. */
    {"killed when it was heard", HEARD, false, 2},
};
#define ROW_COUNT (sizeof ROWS / sizeof ROWS[0])

static void bring_about(struct story *y, enum moment moment)
{
    switch (moment) {
    case SHE_LEAVES:
    case QUEUED:
    case NOT_KEPT_YET:
    case KEPT:
    case MADE:
    case HANDED_OVER:
        mortal_order(&y->before);
        break;
    case AT_REST:
        mortal_kill(&y->before);
        break;
    case ANSWERED:
    case HEARD:
        CHECK_INT(talker_say(&y->bob, ALICE, FOR_YOU), 0);
        CHECK_INT(bosh_driver_settle(y->d, y->bob.s, PATIENCE_MS), 0);
        break;
    }
    mortal_mourn(&y->before);
}

static void check_moment(const struct row *row)
{
    struct story y;
    size_t again;

    if (!story_begin(&y, row->moment, 2))
        return;
    bring_about(&y, row->moment);
    bob_says(&y, "meanwhile", 0, SOME);
    restore(&y);
    again = row->heard - (y.before.heard.len > 0);
    talker_listen(&y.after, again + SOME, PATIENCE_MS);
    CHECK_ROW(y.after.count == again + SOME, row->name);
    for (size_t i = 0; i < again && i < y.after.count; i++)
        CHECK_ROW(strcmp(y.after.texts[i], FOR_YOU) == 0, row->name);
    check_texts(&y.after, again, "meanwhile", SOME);
    /* In order: when Bob hears the second, he has heard what was before. */
    CHECK_INT(talker_say(&y.after, BOB, "back 0"), 0);
    talker_listen(&y.bob, row->words_arrive + 1, PATIENCE_MS);
    CHECK_ROW(!row->words_arrive ||
                  (y.bob.count && strcmp(y.bob.texts[0], LAST_WORDS) == 0),
              row->name);
    check_texts(&y.bob, row->words_arrive, "back", 1);
    story_end(&y);
}

static void test_nothing_else_is_lost_whenever_she_dies(void)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        check_moment(&ROWS[i]);
}

/* ---- In the middle of a conversation ---------------------------------------
 */

#define DEATHS 6
#define ASIDE_MS 2000

/* Both talk at once until Bob has heard so much. How much he has said. */
static size_t converse(struct story *y, size_t until_heard)
{
    size_t said = 0;

    mortal_chatter(&y->before);
    while (y->bob.count < until_heard && !bosh_ended(y->bob.s)) {
        char text[32];

        snprintf(text, sizeof text, "b %zu", said++);
        CHECK_INT(talker_say(&y->bob, ALICE, text), 0);
        bosh_driver_turn(y->d, 3);
    }
    mortal_kill(&y->before);
    mortal_mourn(&y->before);
    return said;
}

static size_t lines_of(const struct buf *b)
{
    size_t count = 0;

    for (size_t i = 0; i < b->len; i++)
        count += b->data[i] == '\n';
    return count;
}

/*
 * What the first process reported, and what the second has heard: in order;
 * the second may begin with what an answer brought just before. Returns how
 * many are missing.
 */
static size_t count_missing(const struct story *y, size_t said)
{
    size_t next = lines_of(&y->before.heard);
    size_t missing = 0;

    for (size_t i = 0; i < y->after.count; i++) {
        size_t number = strtoul(y->after.texts[i] + 2, NULL, 10);

        if (i == 0 && number < next)
            next = number;
        CHECK(number >= next);
        missing += number - next;
        next = number + 1;
    }
    return missing + (said - next);
}

static bool has_heard_last(const void *ctx)
{
    const struct talker *t = ctx;

    return bosh_ended(t->s) ||
           (t->count && strcmp(t->texts[t->count - 1], t->ctx) == 0);
}

static bool listen_for(struct talker *t, const char *text, int64_t max_ms)
{
    t->ctx = text;
    return talk_until(t->d, has_heard_last, t, max_ms);
}

/*
 * Prosody 0.12 puts a request that came before its predecessor aside. When the
 * connections go away meanwhile, it still takes it for open, writes all
 * answers to it, and keeps the last only: a loss that we can do nothing about.
 * Its log says so; rid is of the request that was late.
 */
static bool prosody_put_one_aside(const struct story *y)
{
    char line[64];

    snprintf(line, sizeof line, "rid skipped: %" PRIu64 ",",
             bosh_rid(y->after.s) - 2);
    return server_logged(peers_server(), bosh_sid(y->after.s), line);
}

static void hear_the_rest(struct story *y, size_t said)
{
    bool aside = prosody_put_one_aside(y);
    char last[32];
    size_t missing;

    snprintf(last, sizeof last, "b %zu", said - 1);
    listen_for(&y->after, last, aside ? ASIDE_MS : PATIENCE_MS);
    missing = count_missing(y, said);
    CHECK(missing == 0 || aside);
    if (missing)
        printf("\n    Prosody lost %zu of %zu, having put a request aside\n  ",
               missing, said);
}

static void check_death(size_t until_heard, int max_open)
{
    struct story y;
    size_t said;

    if (!story_begin(&y, AT_REST, max_open))
        return;
    said = converse(&y, until_heard);
    bob_says(&y, "b", said, SOME);
    restore(&y);
    hear_the_rest(&y, said + SOME);
    CHECK_INT(talker_say(&y.after, BOB, "back 0"), 0);
    CHECK(listen_for(&y.bob, "back 0", PATIENCE_MS));
    talker_forget_last(&y.bob);
    /* None lost but at her end, none twice, all in order. */
    check_texts(&y.bob, 0, "c", y.bob.count);
    story_end(&y);
}

/* With one request at a time none can overtake another. */
static void test_killed_in_the_middle_of_a_conversation(void)
{
    for (size_t i = 0; i < DEATHS; i++)
        check_death(1 + 7 * i, 1);
}

static void test_killed_with_two_requests_open(void)
{
    for (size_t i = 0; i < DEATHS; i++)
        check_death(3 + 7 * i, 2);
}

/* ---- What is in the file ----------------------------------------------------
 */

/* What bosh_restore() says to this file, and why. */
static void check_refused(const char *store, const char *jid, const char *why)
{
    struct bosh_options o;
    struct bosh *s;

    bosh_options_init(&o);
    o.store = bosh_store_file(store);
    s = bosh_new(&o);
    CHECK_INT(bosh_restore(s, bosh_driver_now_ms(), jid), BOSH_E_ARG);
    CHECK_ROW(strstr(bosh_last_error(s), why), bosh_last_error(s));
    bosh_free(s);
}

static void test_only_hers_and_only_while_it_lives(void)
{
    struct story y;

    if (!story_begin(&y, SHE_LEAVES, 2))
        return;
    mortal_order(&y.before);
    mortal_mourn(&y.before);
    check_refused(y.before.store, "bob@localhost", "somebody else's");
    restore(&y);
    CHECK_INT(talker_say(&y.after, BOB, "back 0"), 0);
    CHECK_INT(talker_listen(&y.bob, 1, PATIENCE_MS), 1);
    CHECK_INT(bosh_driver_disconnect(y.d, y.after.s, NULL, PATIENCE_MS), 0);
    check_refused(y.before.store, NULL, "no session is stored");
    talker_release(&y.after);
    peers_log_out(&y.bob);
    talker_release(&y.bob);
    bosh_driver_free(y.d);
    mortal_release(&y.before);
}

static CU_TestInfo TESTS[] = {
    {"nothing else is lost, whenever she dies",
     test_nothing_else_is_lost_whenever_she_dies},
    {"killed in the middle of a conversation",
     test_killed_in_the_middle_of_a_conversation},
    {"killed with two requests open", test_killed_with_two_requests_open},
    {"only hers, and only while it lives",
     test_only_hers_and_only_while_it_lives},
    CU_TEST_INFO_NULL,
};

int suite_restore(void)
{
    return peers_suite("restore", TESTS);
}
