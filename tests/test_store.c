/* A session that is kept and taken up again, in memory and in a file. */
#include "bosh_peer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-under-test/bosh.h"

int suite_store(void);

/* A place in memory. */
struct place {
    char *text; /* NULL: nothing is kept */
    int saves;
    bool broken;
};

static int place_save(void *ctx, const char *text)
{
    struct place *place = ctx;

    free(place->text);
    place->text = mem_dup(text);
    place->saves++;
    return place->broken ? -1 : 0;
}

static char *place_load(void *ctx)
{
    return mem_dup(((struct place *)ctx)->text);
}

static struct bosh_options kept_in(struct place *place)
{
    struct bosh_options o;

    memset(place, 0, sizeof *place);
    bosh_options_init(&o);
    o.store = (struct bosh_store){place_save, place_load, place};
    return o;
}

static void test_a_session_is_kept_from_login_to_its_end(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;
    char rid[32];

    peer_init(&p, &o);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK_INT(place.saves, 0);
    bosh_reset(p.s);
    peer_log_in(&p);
    CHECK(place.text && strstr(place.text, "sid='s1'"));
    for (int i = 0; i < 3; i++) {
        CHECK(peer_next(&p));
        snprintf(rid, sizeof rid, " rid='%" PRIu64 "'", p.rid + 1);
        CHECK(strstr(place.text, rid) != NULL); /* before it is sent */
        peer_answer(&p, WITH("m"));
    }
    peer_answer(&p, END);
    CHECK(peer_next(&p));
    peer_answer(&p, END);
    CHECK(bosh_ended(p.s));
    CHECK(place.text == NULL);
    peer_release(&p);
}

static void test_a_repeat_is_not_kept_anew(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;
    int saves;

    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    saves = place.saves;
    bosh_fail(p.s, p.now, p.id, "reset");
    CHECK(peer_next(&p));
    CHECK_INT(place.saves, saves);
    CHECK_INT(bosh_reset(p.s), 0);
    CHECK(place.text == NULL);
    peer_release(&p);
    free(place.text);
}

static void test_restore_goes_on_where_the_other_stopped(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;
    uint64_t rid;
    char *kept;

    o.keys = true;
    peer_init(&p, &o);
    peer_log_in_with(&p, LOGGED_IN("wait='50' hold='2' requests='3' "
                                   "inactivity='40' polling='4' "
                                   "maxpause='90'"));
    CHECK(peer_next(&p));
    rid = p.rid;
    kept = mem_dup(bosh_keys(p.s));
    peer_release(&p); /* without a word */
    peer_init(&p, &o);
    CHECK_INT(bosh_restore(p.s, p.now, "ann@example.org"), 0);
    CHECK_STR(peer_seen(&p), "attached");
    CHECK_STR(bosh_jid(p.s), "ann@example.org/r1");
    CHECK_INT(bosh_wait_s(p.s), 50);
    CHECK_INT(bosh_hold(p.s), 2);
    CHECK_INT(bosh_requests(p.s), 3);
    CHECK_INT(bosh_inactivity_s(p.s), 40);
    CHECK_INT(bosh_polling_s(p.s), 4);
    CHECK_INT(bosh_maxpause_s(p.s), 90);
    CHECK_STR(bosh_keys(p.s), kept);
    CHECK(peer_next(&p));
    CHECK(p.rid == rid && peer_sent(&p, "sid='s1'"));
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    CHECK(p.rid == rid + 1 && peer_sent(&p, "sid='s1'"));
    CHECK_INT(bosh_restore(p.s, p.now, NULL), BOSH_E_STATE);
    peer_release(&p);
    free(kept);
    free(place.text);
}

/* Its process ends; another one takes the session up. */
static void die_and_restore(struct peer *p, const struct bosh_options *o)
{
    peer_release(p);
    peer_init(p, o);
    CHECK_INT(bosh_restore(p->s, p->now, NULL), 0);
    CHECK_STR(peer_seen(p), "attached");
}

static void test_restore_sends_again_what_was_open(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct buf poll = BUF_INIT, message = BUF_INIT;
    struct peer p;

    o.ack = true;
    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    buf_add(&poll, p.body.data, p.body.len);
    CHECK_INT(peer_send(&p, "<message id='\"q\"'><body>&lt;\xc3\xa9</body>"
                            "</message>"),
              0);
    CHECK(peer_next(&p));
    buf_add(&message, p.body.data, p.body.len);
    die_and_restore(&p, &o);
    CHECK(peer_next(&p));
    CHECK_STR(buf_str(&p.body), buf_str(&poll));
    peer_answer(&p, WITH("missed"));
    CHECK(peer_next(&p));
    CHECK_STR(buf_str(&p.body), buf_str(&message));
    CHECK_STR(peer_seen(&p), "<missed>");
    CHECK_INT(bosh_open_count(p.s), 1);
    peer_answer(&p, EMPTY);
    /* And it goes on to acknowledge: the answers of both are known here. */
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, " ack="));
    peer_release(&p);
    buf_release(&poll);
    buf_release(&message);
    free(place.text);
}

/* A held-back session makes no new request that would keep it anew. */
static void test_what_was_handed_over_is_not_asked_for_again(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;
    uint64_t rid;

    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(peer_next(&p));
    rid = p.rid;
    CHECK_INT(bosh_pause_local(p.s), 0);
    peer_answer(&p, WITH("seen"));
    CHECK(!peer_next(&p)); /* the application does not know of it yet */
    CHECK(strstr(place.text, "<request ") != NULL);
    CHECK_STR(peer_seen(&p), "<seen>");
    CHECK(!peer_next(&p));
    CHECK(strstr(place.text, "<request ") == NULL);
    die_and_restore(&p, &o);
    CHECK(peer_next(&p));
    CHECK(p.rid == rid + 1);
    peer_release(&p);
    free(place.text);
}

/* Damaged, or left out because they were too long. */
static void test_open_requests_that_do_not_fit_are_left_alone(void)
{
#define REQUEST(rid) "<request rid='" rid "' kind='poll'>&lt;body/></request>"
    static const char *const ROWS[] = {"",
                                       REQUEST("3"),
                                       REQUEST("3") REQUEST("5"),
                                       REQUEST("5"),
                                       REQUEST("4") "<other/>",
                                       "<request rid='4x'/>",
                                       REQUEST("0")};
    struct bosh_options o;
    struct place place;
    struct peer p;

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        o = kept_in(&place);
        place.text = mem_printf("<bosh-session version='1' jid='a@b/c' sid='s' "
                                "rid='5'>%s</bosh-session>",
                                ROWS[i]);
        peer_init(&p, &o);
        CHECK_INT(bosh_restore(p.s, p.now, NULL), 0);
        CHECK(peer_next(&p));
        CHECK_ROW(p.rid == 5, ROWS[i]);
        peer_release(&p);
        free(place.text);
    }
}

static void test_streams_are_kept_and_restored(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;

    peer_init(&p, &o);
    place.text = mem_dup("<bosh-session version='1' jid='a@b/c' sid='s' rid='5'"
                         " stream='one'><stream name='two' jid='d@e/f'/>"
                         "<stream name='three'/></bosh-session>");
    CHECK_INT(bosh_restore(p.s, p.now, "a@b"), 0);
    for (int i = 0; i < 2; i++) {
        CHECK(bosh_stream_connected(p.s, 1) && !bosh_stream_connected(p.s, 2));
        CHECK_STR(bosh_stream_name(p.s, 0), "one");
        CHECK_STR(bosh_stream_jid(p.s, 1), "d@e/f");
        CHECK_STR(bosh_stream_name(p.s, 2), "three");
        die_and_restore(&p, &o);
    }
    peer_release(&p);
    free(place.text);
}

/* Nothing need be open for that. */
static void test_acks_go_on_after_restore(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;
    char ack[32];

    o.ack = true;
    peer_init(&p, &o);
    peer_log_in(&p);
    CHECK(strstr(place.text, "<request ") == NULL);
    die_and_restore(&p, &o);
    CHECK(peer_next(&p));
    snprintf(ack, sizeof ack, " ack='%" PRIu64 "'", p.rid - 1);
    CHECK_INT(peer_send(&p, MESSAGE("a")), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, ack));
    peer_release(&p);
    free(place.text);
}

/* Closed ones are kept as well, so there may be more than can be open. */
static void test_any_number_of_streams_is_restored(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct buf text = BUF_INIT;
    struct peer p;

    buf_adds(&text, "<bosh-session version='1' jid='a@b/c' sid='s' rid='5' "
                    "stream='one'>");
    for (int i = 1; i < 40; i++)
        buf_printf(&text, "<stream name='n%d'/>", i);
    buf_adds(&text, "<stream name='last' jid='d@e/f'/></bosh-session>");
    place.text = buf_take(&text);
    peer_init(&p, &o);
    CHECK_INT(bosh_restore(p.s, p.now, NULL), 0);
    CHECK_STR(bosh_stream_name(p.s, 39), "n39");
    CHECK(bosh_stream_connected(p.s, 40));
    peer_release(&p);
    free(place.text);
}

static void test_a_restored_close_is_no_close_of_ours(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;

    place.text = mem_dup(
        "<bosh-session version='1' jid='a@b/c' sid='s' rid='6' stream='one'>"
        "<stream name='two'/><stream name='three' jid='d@e/f'/>"
        "<request rid='5' kind='close'>&lt;body rid='5' sid='s' stream='two' "
        "type='terminate'/></request></bosh-session>");
    peer_init(&p, &o);
    CHECK_INT(bosh_restore(p.s, p.now, NULL), 0);
    CHECK(peer_next(&p) && peer_sent(&p, "stream='two'"));
    CHECK_INT(bosh_stream_close(p.s, p.now, 0, NULL), 0);
    peer_answer(&p, EMPTY);
    CHECK_STR(peer_seen(&p), "attached disconnecting");
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "stream='one'") && peer_sent(&p, "'terminate'"));
    peer_release(&p);
    free(place.text);
}

static void test_any_text_comes_back_as_it_was(void)
{
    static const char JID[] = "a@b/o'x\"&<>\xc3\xa9 &amp;";
    struct bosh_attach known = {
        .jid = JID, .sid = "s'&\"<", .rid = 7, .requests = 2, .wait_s = 60};
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;

    peer_init(&p, &o);
    CHECK_INT(bosh_attach(p.s, p.now, &known), 0);
    die_and_restore(&p, &o);
    CHECK_STR(bosh_jid(p.s), JID);
    CHECK_STR(bosh_sid(p.s), "s'&\"<");
    peer_release(&p);
    free(place.text);
}

static void test_restore_says_why_it_cannot(void)
{
#define STORED(attrs) "<bosh-session version='1' " attrs "/>"
    static const struct {
        const char *text;
        const char *jid;
        const char *why; /* "": it can */
    } ROWS[] = {
        {NULL, NULL, "no session is stored"},
        {"", NULL, "what is stored is no session"},
        {"{}", NULL, "what is stored is no session"},
        {"<other/>", NULL, "what is stored is no session"},
        {"<bosh-session version='2' jid='a@b/c' sid='s' rid='5'/>", NULL,
         "what is stored is no session"},
        {STORED("sid='s' rid='5'"), NULL,
         "the stored session lacks jid, sid or rid"},
        {STORED("jid='a@b/c' rid='5'"), NULL,
         "the stored session lacks jid, sid or rid"},
        {STORED("jid='a@b/c' sid='s'"), NULL,
         "the stored session lacks jid, sid or rid"},
        {STORED("jid='a@b/c' sid='s' rid='-5'"), NULL,
         "the stored session lacks jid, sid or rid"},
        {STORED("jid='a@b/c' sid='s' rid='5x'"), NULL,
         "the stored session lacks jid, sid or rid"},
        {STORED("jid='a@b/c' sid='s' rid='9007199254740992'"), NULL,
         "a session needs jid, sid and rid"},
        {STORED("jid='a@b/c' sid='s' rid='5' wait='x'"), NULL,
         "what is stored is no session"},
        {STORED("jid='a@b/c' sid='s' rid='5' keys='x'"), NULL,
         "these are no keys"},
        {STORED("jid='a@b/c' sid='s' rid='5'"), "a@bb",
         "the stored session is somebody else's"},
        {STORED("jid='a@b/c' sid='s' rid='5'"), "a@b/d",
         "the stored session is somebody else's"},
        {STORED("jid='a@b/c' sid='s' rid='5'"), "a@b/c", ""},
        {STORED("jid='a@b/c' sid='s' rid='5'"), "a@b", ""},
        {STORED("jid='a@b/c' sid='s' rid='5'"), NULL, ""},
    };

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        struct place place;
        struct bosh_options o = kept_in(&place);
        struct peer p;
        int rc;

        place.text = mem_dup(ROWS[i].text);
        peer_init(&p, &o);
        rc = bosh_restore(p.s, p.now, ROWS[i].jid);
        CHECK_INT(rc, ROWS[i].why[0] ? BOSH_E_ARG : 0);
        CHECK_STR(bosh_last_error(p.s), ROWS[i].why);
        CHECK(bosh_ended(p.s) == (rc != 0));
        peer_release(&p);
        free(place.text);
    }
}

static void test_a_place_that_fails_is_told_once(void)
{
    struct place place;
    struct bosh_options o = kept_in(&place);
    struct peer p;

    peer_init(&p, &o);
    place.broken = true;
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    peer_exchange(&p, (const char *const[]){LOGGED_IN(USUAL), SUCCESS,
                                            BIND_FEATURES, BOUND, NULL});
    CHECK_STR(peer_seen(&p), "connecting authenticating connected error");
    CHECK(peer_next(&p));
    CHECK_STR(peer_seen(&p), "");
    peer_release(&p);
    free(place.text);
}

/* ---- The file -------------------------------------------------------------
 */

struct folder {
    char name[32];
    char *path; /* of the file */
};

static void folder_make(struct folder *f)
{
    snprintf(f->name, sizeof f->name, "/tmp/bosh-store-XXXXXX");
    CHECK(mkdtemp(f->name) != NULL);
    f->path = mem_printf("%s/session", f->name);
}

static void folder_remove(struct folder *f)
{
    unlink(f->path);
    CHECK_INT(rmdir(f->name), 0); /* nothing was left beside */
    free(f->path);
}

static void check_loaded(struct bosh_store *store, const char *want)
{
    char *text = store->load(store->ctx);

    CHECK_STR(text, want);
    free(text);
}

static void test_a_file_is_for_its_owner_and_replaced_whole(void)
{
    struct folder f;
    struct bosh_store store;
    struct stat st;

    folder_make(&f);
    store = bosh_store_file(f.path);
    CHECK(store.load(store.ctx) == NULL);
    CHECK_INT(store.save(store.ctx, "one"), 0);
    CHECK_INT(stat(f.path, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    check_loaded(&store, "one");
    CHECK_INT(store.save(store.ctx, "the second"), 0);
    check_loaded(&store, "the second");
    CHECK_INT(store.save(store.ctx, NULL), 0);
    CHECK(access(f.path, F_OK) != 0);
    CHECK_INT(store.save(store.ctx, NULL), 0); /* there was none */
    folder_remove(&f);
}

/* What a crash in the middle leaves is no hindrance, and does not stay. */
static void test_a_leftover_beside_the_file_goes_away(void)
{
    struct folder f;
    struct bosh_store store;
    char *beside;
    char *other;

    folder_make(&f);
    store = bosh_store_file(f.path);
    beside = mem_printf("%s.new", f.path);
    other = mem_printf("%s/other", f.name);
    CHECK_INT(symlink(other, beside), 0);
    CHECK_INT(store.save(store.ctx, "one"), 0);
    check_loaded(&store, "one");
    CHECK(access(other, F_OK) != 0); /* nothing went where it led */
    CHECK_INT(symlink(other, beside), 0);
    CHECK_INT(store.save(store.ctx, NULL), 0);
    folder_remove(&f);
    free(other);
    free(beside);
}

static void test_a_file_that_others_could_have_written_is_not_read(void)
{
    struct folder f;
    struct bosh_store store;
    char *other;

    folder_make(&f);
    store = bosh_store_file(f.path);
    CHECK_INT(store.save(store.ctx, "text"), 0);
    CHECK_INT(chmod(f.path, 0622), 0);
    CHECK(store.load(store.ctx) == NULL);
    other = mem_printf("%s/other", f.name);
    CHECK_INT(rename(f.path, other), 0);
    CHECK_INT(symlink(other, f.path), 0);
    CHECK(store.load(store.ctx) == NULL);
    unlink(other);
    unlink(f.path);
    free(other);
    CHECK_INT(mkfifo(f.path, 0600), 0);
    CHECK(store.load(store.ctx) == NULL); /* and does not wait for a writer */
    folder_remove(&f);
}

static void test_a_folder_that_is_not_there_is_an_error(void)
{
    struct bosh_store store = bosh_store_file("/nonexistent/x");

    CHECK_INT(store.save(store.ctx, "text"), -1);
    CHECK(store.load(store.ctx) == NULL);
}

static const struct peer_test TESTS[] = {
    {"a session is kept from login to its end",
     test_a_session_is_kept_from_login_to_its_end},
    {"a repeat is not kept anew", test_a_repeat_is_not_kept_anew},
    {"restore goes on where the other stopped",
     test_restore_goes_on_where_the_other_stopped},
    {"restore sends again what was open",
     test_restore_sends_again_what_was_open},
    {"what was handed over is not asked for again",
     test_what_was_handed_over_is_not_asked_for_again},
    {"open requests that do not fit are left alone",
     test_open_requests_that_do_not_fit_are_left_alone},
    {"streams are kept and restored", test_streams_are_kept_and_restored},
    {"restore says why it cannot", test_restore_says_why_it_cannot},
    {"a place that fails is told once", test_a_place_that_fails_is_told_once},
    {"a file is for its owner and replaced whole",
     test_a_file_is_for_its_owner_and_replaced_whole},
    {"a leftover beside the file goes away",
     test_a_leftover_beside_the_file_goes_away},
    {"a file that others could have written is not read",
     test_a_file_that_others_could_have_written_is_not_read},
    {"a folder that is not there is an error",
     test_a_folder_that_is_not_there_is_an_error},
    {"acks go on after restore", test_acks_go_on_after_restore},
    {"any number of streams is restored",
     test_any_number_of_streams_is_restored},
    {"a restored close is no close of ours",
     test_a_restored_close_is_no_close_of_ours},
    {"any text comes back as it was", test_any_text_comes_back_as_it_was},
};

int suite_store(void)
{
    return peer_suite("store", TESTS, PEER_COUNT(TESTS));
}
