/* Key sequences by themselves and in a session's requests: XEP-0124 §15. */
#include "bosh_peer.h"

#include "client-under-test/keys.h"

int suite_keys(void);

static void check_hash_of(const char *text, const char *want)
{
    char hash[KEYS_HEX_LEN + 1];

    keys_hash(text, strlen(text), hash);
    CHECK_STR(hash, want);
}

static void test_the_examples_chain_as_the_xep_prints_them(void)
{
    check_hash_of("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_hash_of("bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d",
                  "ca393b51b682f61f98e7877d61146407f3d0a770");
    check_hash_of("6f825e81f4532b2c5fa2d12457d8a1f22e8f838e",
                  "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d");
}

static void test_a_sequence_is_used_from_its_end(void)
{
    struct keys k;
    char newkey[KEYS_HEX_LEN + 1];
    char key[KEYS_HEX_LEN + 1];
    char last[KEYS_HEX_LEN + 1];

    keys_start(&k, "seed", 4, 3, newkey);
    CHECK(keys_take(&k, key));
    check_hash_of(key, newkey);
    CHECK(keys_take(&k, last));
    check_hash_of(last, key);
    check_hash_of("seed", last);
    CHECK(!keys_take(&k, key));
}

static void test_a_sequence_can_be_written_and_read(void)
{
    static const char *const BAD[] = {
        "",
        ":",
        "abc:1",
        "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d",
        "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d:",
        "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d:0",
        "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d:"
        "10000",
        "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d:"
        "2x"};
    struct keys k, read;
    char text[KEYS_TEXT_LEN + 1];
    char key[KEYS_HEX_LEN + 1], again[KEYS_HEX_LEN + 1];

    keys_start(&k, "seed", 4, KEYS_COUNT_MAX, key);
    keys_write(&k, text);
    CHECK_INT(keys_read(&read, text), 0);
    CHECK(keys_take(&k, key) && keys_take(&read, again));
    CHECK_STR(again, key);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        CHECK_ROW(keys_read(&read, BAD[i]) == -1, BAD[i]);
}

/* ---- In a session ---------------------------------------------------------
 */

/* An attribute of the latest request, "" when it has none. */
static const char *sent(const struct peer *p, const char *name)
{
    static char value[KEYS_HEX_LEN + 1];
    const char *at = strstr(buf_str(&p->body), name);

    value[0] = '\0';
    if (at)
        snprintf(value, sizeof value, "%s", at + strlen(name));
    return value;
}

static struct bosh_options with_keys(int count)
{
    struct bosh_options o;

    bosh_options_init(&o);
    o.keys = true;
    o.keys_count = count;
    return o;
}

/* Each request's key is what hashes to the value before it. */
static void check_chain(struct peer *p, char value[KEYS_HEX_LEN + 1])
{
    const char *key = sent(p, " key='");

    check_hash_of(key, value);
    strcpy(value, key);
    if (peer_sent(p, " newkey='"))
        strcpy(value, sent(p, " newkey='"));
}

static void test_each_request_has_the_next_key(void)
{
    static const char *const LOGIN[] = {LOGGED_IN(USUAL), SUCCESS,
                                        BIND_FEATURES, BOUND};
    struct bosh_options o = with_keys(3);
    char value[KEYS_HEX_LEN + 1];
    struct peer p;
    int new_keys = 0;

    peer_init(&p, &o);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, " key='"));
    strcpy(value, sent(&p, " newkey='"));
    CHECK_INT(strlen(value), KEYS_HEX_LEN);
    for (int i = 0; i < 20; i++) {
        peer_answer(&p, i < 4 ? LOGIN[i] : WITH("m"));
        CHECK(peer_next(&p));
        check_chain(&p, value);
        new_keys += peer_sent(&p, " newkey='");
    }
    CHECK_INT(new_keys, 10); /* K(2) and K(1), then the next sequence */
    peer_release(&p);
}

static void test_a_repeat_keeps_its_key(void)
{
    struct bosh_options o = with_keys(2);
    struct buf first = BUF_INIT;
    struct peer p;

    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    buf_add(&first, p.body.data, p.body.len);
    bosh_fail(p.s, p.now, p.id, "reset");
    CHECK(peer_next(&p));
    CHECK_INT(p.attempt, 2);
    CHECK_STR(buf_str(&p.body), buf_str(&first));
    buf_release(&first);
    peer_release(&p);
}

static void test_the_terminate_has_a_key_too(void)
{
    struct bosh_options o = with_keys(0);
    struct peer p;

    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK_INT(bosh_disconnect(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "type='terminate'") && peer_sent(&p, " key='"));
    peer_release(&p);
}

static void test_the_length_is_unpredictable_unless_it_was_set(void)
{
    struct peer p;
    struct bosh_options o = with_keys(0);

    peer_init(&p, &o);
    peer_log_in(&p);
    /* 256, what the random callback gives, less those of the login. */
    CHECK_STR(strchr(bosh_keys(p.s), ':'), ":269");
    peer_release(&p);
}

static void test_an_attached_session_goes_on_with_its_keys(void)
{
    struct bosh_options o = with_keys(5);
    struct bosh_attach known = {.jid = "ann@example.org/r",
                                .sid = "s1",
                                .rid = 7,
                                .wait_s = -1,
                                .hold = -1,
                                .requests = -1,
                                .inactivity_s = -1,
                                .polling_s = -1,
                                .maxpause_s = -1};
    char keys[KEYS_TEXT_LEN + 1], want[KEYS_HEX_LEN + 1];
    struct peer p;

    peer_init(&p, &o);
    peer_log_in(&p);
    strcpy(keys, bosh_keys(p.s));
    CHECK(peer_next(&p));
    strcpy(want, sent(&p, " key='"));
    peer_release(&p);
    peer_init(&p, NULL);
    CHECK(!bosh_keys(p.s));
    known.keys = "none";
    CHECK_INT(bosh_attach(p.s, p.now, &known), BOSH_E_ARG);
    known.keys = keys;
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    CHECK(peer_next(&p));
    CHECK_STR(sent(&p, " key='"), want);
    peer_release(&p);
}

static void test_without_the_option_there_are_no_keys(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "key='") && !bosh_keys(p.s));
    peer_release(&p);
}

static const struct peer_test TESTS[] = {
    {"the examples chain as the XEP prints them",
     test_the_examples_chain_as_the_xep_prints_them},
    {"a sequence is used from its end", test_a_sequence_is_used_from_its_end},
    {"a sequence can be written and read",
     test_a_sequence_can_be_written_and_read},
    {"each request has the next key", test_each_request_has_the_next_key},
    {"a repeat keeps its key", test_a_repeat_keeps_its_key},
    {"the terminate has a key too", test_the_terminate_has_a_key_too},
    {"the length is unpredictable unless it was set",
     test_the_length_is_unpredictable_unless_it_was_set},
    {"an attached session goes on with its keys",
     test_an_attached_session_goes_on_with_its_keys},
    {"without the option there are no keys",
     test_without_the_option_there_are_no_keys},
};

int suite_keys(void)
{
    return peer_suite("keys", TESTS, PEER_COUNT(TESTS));
}
