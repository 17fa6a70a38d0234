/* Two who talk through Prosody: nothing lost, nothing changed, in order. */
#include <stdlib.h>

#include "peers.h"
#include "phrases.h"
#include "tests/check.h"

#define EACH 400   /* messages */
#define ROUNDS 150 /* to and fro */

struct pair {
    struct bosh_driver *d;
    struct talker alice, bob;
};

static void pair_meet(struct pair *p, const struct bosh_options *o)
{
    p->d = bosh_driver_new();
    talker_init(&p->alice, p->d, o);
    talker_init(&p->bob, p->d, o);
    CHECK_INT(peers_log_in(&p->alice, "ALICE", "chat"), 0);
    CHECK_INT(peers_log_in(&p->bob, "BOB", "chat"), 0);
}

static void pair_part(struct pair *p)
{
    peers_log_out(&p->alice);
    peers_log_out(&p->bob);
    talker_release(&p->alice);
    talker_release(&p->bob);
    bosh_driver_free(p->d);
}

static void check_heard(const struct talker *t, const char *who)
{
    CHECK_INT(t->count, EACH);
    CHECK_INT(t->strays, 0);
    for (size_t i = 0; i < t->count; i++) {
        char *text = phrase(who, i);

        if (strcmp(t->texts[i], text) != 0)
            CHECK_STR(t->texts[i], text);
        free(text);
    }
}

static void say_phrase(struct talker *t, const char *to, const char *who,
                       size_t i)
{
    char *text = phrase(who, i);

    CHECK_INT(talker_say(t, to, text), 0);
    free(text);
}

static void chat(struct pair *p)
{
    for (size_t i = 0; i < EACH; i++) {
        say_phrase(&p->alice, bosh_jid(p->bob.s), "alice", i);
        if (i % 5 == 0)
            bosh_driver_turn(p->d, 0);
        say_phrase(&p->bob, bosh_jid(p->alice.s), "bob", i);
        if (i % 7 == 0)
            bosh_driver_turn(p->d, 0);
    }
    talker_listen(&p->alice, EACH, PATIENCE_MS);
    talker_listen(&p->bob, EACH, PATIENCE_MS);
    check_heard(&p->alice, "bob");
    check_heard(&p->bob, "alice");
}

static void test_hard_texts_arrive_as_they_were_and_in_order(void)
{
    struct bosh_options o;
    struct pair p;

    peers_options(&o);
    pair_meet(&p, &o);
    chat(&p);
    pair_part(&p);
}

/* ---- One answer after the other --------------------------------------------
 */

/* Each answers what it hears, until ROUNDS are through. */
static void answer_back(struct talker *t, const char *from, const char *text)
{
    struct buf more = BUF_INIT;

    (void)text;
    buf_printf(&more, "%s %zu", (const char *)t->ctx, t->count);
    if (t->count < ROUNDS)
        CHECK_INT(talker_say(t, from, buf_str(&more)), 0);
    buf_release(&more);
}

static void check_counted(const struct talker *t, const char *who, size_t from)
{
    for (size_t i = 0; i < t->count; i++) {
        char *text = mem_printf("%s %zu", who, i + from);

        if (strcmp(t->texts[i], text) != 0)
            CHECK_STR(t->texts[i], text);
        free(text);
    }
}

static void test_each_answers_what_it_hears(void)
{
    struct bosh_options o;
    struct pair p;

    peers_options(&o);
    pair_meet(&p, &o);
    p.alice.heard = p.bob.heard = answer_back;
    p.alice.ctx = "alice";
    p.bob.ctx = "bob";
    CHECK_INT(talker_say(&p.alice, bosh_jid(p.bob.s), "alice 0"), 0);
    CHECK_INT(talker_listen(&p.bob, ROUNDS, PATIENCE_MS), ROUNDS);
    CHECK_INT(talker_listen(&p.alice, ROUNDS - 1, PATIENCE_MS), ROUNDS - 1);
    check_counted(&p.bob, "alice", 0);
    check_counted(&p.alice, "bob", 1);
    pair_part(&p);
}

/* ---- As large as Prosody takes ---------------------------------------------
 */

/* The server of these tests takes request entities up to this one. It holds
 * no stanza of BOSH to c2s_stanza_size_limit, 256 KiB. */
#define ENTITY_MAX 1048576

static void note_longest(void *ctx, const char *data, size_t len)
{
    size_t *longest = ctx;

    (void)data;
    if (len > *longest)
        *longest = len;
}

/* How much longer the entity is than the text in it. */
static size_t overhead_of(struct pair *p, size_t *longest)
{
    *longest = 0;
    CHECK_INT(talker_say(&p->alice, bosh_jid(p->bob.s), "x"), 0);
    talker_listen(&p->bob, 1, PATIENCE_MS);
    CHECK_STR(p->bob.count ? p->bob.texts[0] : "", "x");
    talker_forget(&p->bob);
    return *longest - 1;
}

static void check_large(struct pair *p, size_t len)
{
    char *text = phrase_long(len);

    CHECK_INT(talker_say(&p->alice, bosh_jid(p->bob.s), text), 0);
    CHECK_INT(talker_listen(&p->bob, 1, PATIENCE_MS), 1);
    CHECK(p->bob.count == 1 && strcmp(p->bob.texts[0], text) == 0);
    talker_forget(&p->bob);
    free(text);
}

/* Above the limit Prosody answers with a redirect before it has read the
 * entity, or hangs up. */
static void check_too_large(struct pair *p, size_t len)
{
    char *text = phrase_long(len);

    talker_forget(&p->alice);
    CHECK_INT(talker_say(&p->alice, bosh_jid(p->bob.s), text), 0);
    CHECK(talker_wait_end(&p->alice, PATIENCE_MS));
    CHECK_STR(buf_str(&p->alice.seen), "conntimeout disconnected");
    CHECK_ROW(strstr(bosh_last_error(p->alice.s), "2 errors in a row"),
              bosh_last_error(p->alice.s));
    CHECK_INT(p->bob.count, 0);
    free(text);
}

static void test_a_stanza_as_large_as_prosody_takes(void)
{
    struct bosh_options o;
    size_t longest = 0;
    size_t overhead;
    struct pair p;

    peers_options(&o);
    o.taps = (struct bosh_taps){.raw_output = note_longest, .ctx = &longest};
    o.max_errors = 2;
    pair_meet(&p, &o);
    overhead = overhead_of(&p, &longest);
    check_large(&p, 262144);
    check_large(&p, ENTITY_MAX - overhead);
    CHECK_INT(longest, ENTITY_MAX);
    check_too_large(&p, ENTITY_MAX - overhead + 1);
    /* Bob has noticed nothing, and Alice may come back. */
    CHECK_INT(peers_log_in(&p.alice, "ALICE", "chat"), 0);
    check_large(&p, 100);
    pair_part(&p);
}

static CU_TestInfo TESTS[] = {
    {"hard texts arrive as they were, and in order",
     test_hard_texts_arrive_as_they_were_and_in_order},
    {"each answers what it hears", test_each_answers_what_it_hears},
    {"a stanza as large as Prosody takes",
     test_a_stanza_as_large_as_prosody_takes},
    CU_TEST_INFO_NULL,
};

int suite_chat(void)
{
    return peers_suite("chat", TESTS);
}
