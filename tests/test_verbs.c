/*
 * Every verb in every situation that an application can see, by the public
 * API: whether it is taken; and one that is not taken changes nothing.
 */
#include "bosh_peer.h"

#include <inttypes.h>

int suite_verbs(void);

/* ---- Situations -----------------------------------------------------------
 */

enum situation {
    NEVER_CONNECTED,
    CREATING,
    WAITING_FOR_FEATURES,
    AUTHENTICATING,
    RESTARTED,
    UNBOUND,
    BINDING,
    STARTING,
    ONLINE,
    ATTACHED,
    HELD_BACK,
    PAUSED,
    CLOSING,
    CLOSED,
    REFUSED,
    WAS_RESET
};
#define SITUATION_COUNT 16

static const char *const SITUATIONS[SITUATION_COUNT] = {
    "never connected", "creating",  "waiting for features",
    "authenticating",  "restarted", "unbound",
    "binding",         "starting",  "online",
    "attached",        "held back", "paused",
    "closing",         "closed",    "refused",
    "was reset",
};

/* Answers up to there, one a request. */
static const char *const *way_to(enum situation situation)
{
    static const char WITH_SESSION[] =
        "<body " NS_BODY " " NS_STREAM "><stream:features><bind "
        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session "
        "xmlns='urn:ietf:params:xml:ns:xmpp-session'/></stream:features>"
        "</body>";
    static const char *const NOTHING[] = {NULL};
    static const char *const FEATURES[] = {CREATED(USUAL, ""), NULL};
    static const char *const SASL[] = {LOGGED_IN(USUAL), NULL};
    static const char *const SUCCEEDED[] = {LOGGED_IN(USUAL), SUCCESS, NULL};
    static const char *const BIND[] = {LOGGED_IN(USUAL), SUCCESS, BIND_FEATURES,
                                       NULL};
    static const char *const SESSION[] = {LOGGED_IN(USUAL), SUCCESS,
                                          WITH_SESSION, BOUND, NULL};
    static const char *const LOGIN[] = {LOGGED_IN(USUAL), SUCCESS,
                                        BIND_FEATURES, BOUND, NULL};
    static const char *const NO[] = {
        "<body " NS_BODY " type='terminate' condition='host-unknown'/>", NULL};
    static const char *const *const WAYS[SITUATION_COUNT] = {
        [WAITING_FOR_FEATURES] = FEATURES,
        [AUTHENTICATING] = SASL,
        [RESTARTED] = SUCCEEDED,
        [UNBOUND] = BIND,
        [BINDING] = BIND,
        [STARTING] = SESSION,
        [ONLINE] = LOGIN,
        [HELD_BACK] = LOGIN,
        [PAUSED] = LOGIN,
        [CLOSING] = LOGIN,
        [CLOSED] = LOGIN,
        [REFUSED] = NO,
        [WAS_RESET] = LOGIN,
    };

    return WAYS[situation] ? WAYS[situation] : NOTHING;
}

static int attach(struct peer *p)
{
    struct bosh_attach known = {.jid = "ann@example.org/r",
                                .sid = "s1",
                                .rid = 500,
                                .wait_s = 60,
                                .hold = 1,
                                .requests = 2,
                                .inactivity_s = 60,
                                .polling_s = -1,
                                .maxpause_s = 120};

    return bosh_attach(p->s, p->now, &known);
}

/* The last step there, after the answers. */
static int last_step(struct peer *p, enum situation situation)
{
    switch (situation) {
    case HELD_BACK:
        return bosh_pause_local(p->s);
    case PAUSED:
        return bosh_pause(p->s, 10);
    case CLOSING:
        return bosh_disconnect(p->s, p->now, NULL);
    case CLOSED:
        CHECK_INT(bosh_disconnect(p->s, p->now, NULL), 0);
        peer_exchange(p, (const char *const[]){END, NULL});
        return 0;
    case WAS_RESET:
        return bosh_reset(p->s);
    case NEVER_CONNECTED:
    case CREATING:
    case WAITING_FOR_FEATURES:
    case AUTHENTICATING:
    case RESTARTED:
    case UNBOUND:
    case BINDING:
    case STARTING:
    case ONLINE:
    case ATTACHED:
    case REFUSED:
        break;
    }
    return 0;
}

/* One session that was kept, of somebody else's. */
static int keep(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return 0;
}

static char *kept(void *ctx)
{
    (void)ctx;
    return mem_dup("<bosh-session version='1' jid='a@b/c' sid='k' rid='7'/>");
}

/* A session in that situation, its events heard and its request on the wire. */
static void reach(struct peer *p, enum situation situation)
{
    struct bosh_options o;

    bosh_options_init(&o);
    o.explicit_bind = situation == UNBOUND;
    o.store = (struct bosh_store){keep, kept, NULL};
    peer_init(p, &o);
    if (situation == ATTACHED) {
        CHECK_INT(attach(p), 0);
    } else if (situation != NEVER_CONNECTED) {
        CHECK_INT(bosh_connect(p->s, p->now, "example.org", NULL), 0);
        peer_exchange(p, way_to(situation));
    }
    CHECK_INT(last_step(p, situation), 0);
    peer_next(p);
    peer_seen(p);
    peer_aborts(p);
}

/* ---- Verbs ----------------------------------------------------------------
 */

static int do_connect(struct peer *p)
{
    return bosh_connect(p->s, p->now, "example.org", NULL);
}

static int do_restore(struct peer *p)
{
    return bosh_restore(p->s, p->now, NULL);
}

static int do_send(struct peer *p)
{
    return peer_send(p, MESSAGE("verb"));
}

static int do_bind(struct peer *p)
{
    return bosh_bind(p->s, "r");
}

static int do_disconnect(struct peer *p)
{
    return bosh_disconnect(p->s, p->now, "verb");
}

static int do_pause(struct peer *p)
{
    return bosh_pause(p->s, 5);
}

static int do_pause_local(struct peer *p)
{
    return bosh_pause_local(p->s);
}

static int do_resume(struct peer *p)
{
    return bosh_resume(p->s);
}

static int do_flush(struct peer *p)
{
    return bosh_flush(p->s);
}

static int do_reset(struct peer *p)
{
    return bosh_reset(p->s);
}

/* where: a column for each situation, in groups of four, in the order of enum
 * situation; x where the verb is taken, else it returns BOSH_E_STATE. */
static const struct verb {
    const char *name;
    int (*call)(struct peer *p);
    const char *where;
} VERBS[] = {
    /* clang-format off */
    {"connect",     do_connect,     "x... .... .... .xxx"},
    {"attach",      attach,         "x... .... .... .xxx"},
    {"restore",     do_restore,     "x... .... .... .xxx"},
    {"send",        do_send,        ".xxx xxxx xxxx ...."},
    {"bind",        do_bind,        ".... .x.. .... ...."},
    {"disconnect",  do_disconnect,  ".xxx xxxx xxxx ...."},
    {"pause",       do_pause,       ".... .... xxxx ...."},
    {"pause_local", do_pause_local, ".... .... xxxx ...."},
    {"resume",      do_resume,      ".... .... xxxx ...."},
    {"flush",       do_flush,       ".xxx xxxx xxxx ...."},
    {"reset",       do_reset,       "xxxx xxxx xxxx xxxx"},
    /* clang-format on */
};
#define VERB_COUNT (sizeof VERBS / sizeof VERBS[0])

static bool is_taken(const struct verb *verb, enum situation situation)
{
    const char *column = verb->where;

    for (int i = 0; *column; column++) {
        if (*column != ' ' && i++ == (int)situation)
            return *column == 'x';
    }
    CU_FAIL("a row of VERBS is too short");
    return false;
}

/* ---- What a session is, from outside --------------------------------------
 */

/* All that can be asked of it. */
static void describe(struct bosh *s, struct buf *out)
{
    const char *sid = bosh_sid(s), *jid = bosh_jid(s), *keys = bosh_keys(s);

    buf_printf(out, "rid %" PRIu64 " sid %s jid %s keys %s", bosh_rid(s),
               sid ? sid : "none", jid ? jid : "none", keys ? keys : "none");
    buf_printf(out, " wait %d hold %d requests %d inactivity %d polling %d",
               bosh_wait_s(s), bosh_hold(s), bosh_requests(s),
               bosh_inactivity_s(s), bosh_polling_s(s));
    buf_printf(out, " window %d maxpause %d errors %d open %d queue %zu",
               bosh_window(s), bosh_maxpause_s(s), bosh_errors(s),
               bosh_open_count(s), bosh_queue_len(s));
    buf_printf(out, " %d%d%d deadline %" PRId64, bosh_connected(s),
               bosh_ended(s), bosh_settled(s), bosh_deadline_ms(s));
}

/* And all that it goes on to do when nothing more is heard. */
static void play_out(struct peer *p, struct buf *out)
{
    for (int i = 0; i < 12; i++) {
        describe(p->s, out);
        while (peer_next(p))
            buf_printf(out, "\n%" PRId64 " %s", p->now, buf_str(&p->body));
        buf_printf(out, "\n%d aborts, %s\n", peer_aborts(p), peer_seen(p));
        if (bosh_deadline_ms(p->s) == BOSH_NEVER)
            break;
        p->now = bosh_deadline_ms(p->s);
    }
}

/* A refused verb leaves a session like its twin that was never asked. */
static void check_unchanged(struct peer *p, enum situation situation,
                            const char *row)
{
    struct buf got = BUF_INIT, want = BUF_INIT;
    struct peer twin;

    reach(&twin, situation);
    play_out(p, &got);
    play_out(&twin, &want);
    CHECK_ROW(strcmp(buf_str(&got), buf_str(&want)) == 0, row);
    peer_release(&twin);
    buf_release(&got);
    buf_release(&want);
}

static void check(const struct verb *verb, enum situation situation)
{
    bool taken = is_taken(verb, situation);
    char row[80];
    struct peer p;
    int rc;

    snprintf(row, sizeof row, "%s, %s", verb->name, SITUATIONS[situation]);
    reach(&p, situation);
    rc = verb->call(&p);
    CHECK_ROW(rc == (taken ? 0 : BOSH_E_STATE), row);
    CHECK_ROW(taken == !*bosh_last_error(p.s), row);
    if (rc == BOSH_E_STATE)
        check_unchanged(&p, situation, row);
    peer_release(&p);
}

static void test_every_verb_in_every_situation(void)
{
    for (size_t verb = 0; verb < VERB_COUNT; verb++) {
        for (int situation = 0; situation < SITUATION_COUNT; situation++)
            check(&VERBS[verb], (enum situation)situation);
    }
}

/* Whatever a verb was taken for, the session comes to its end by itself when
 * nobody answers. */
static void test_every_verb_leaves_a_session_that_ends(void)
{
    for (size_t verb = 0; verb < VERB_COUNT; verb++) {
        for (int situation = 0; situation < SITUATION_COUNT; situation++) {
            struct buf out = BUF_INIT;
            char row[80];
            struct peer p;

            snprintf(row, sizeof row, "%s, %s", VERBS[verb].name,
                     SITUATIONS[situation]);
            reach(&p, (enum situation)situation);
            VERBS[verb].call(&p);
            for (int i = 0; i < 4 && !bosh_ended(p.s); i++)
                play_out(&p, &out);
            CHECK_ROW(bosh_ended(p.s), row);
            CHECK_ROW(bosh_deadline_ms(p.s) == BOSH_NEVER, row);
            buf_release(&out);
            peer_release(&p);
        }
    }
}

/* What is wrong by itself is said before anything is done. */
static void test_a_bad_argument_changes_nothing(void)
{
    for (int situation = 0; situation < SITUATION_COUNT; situation++) {
        struct peer p;

        reach(&p, (enum situation)situation);
        CHECK_ROW(bosh_connect(p.s, p.now, "@", NULL) < 0,
                  SITUATIONS[situation]);
        CHECK_ROW(bosh_connect(p.s, p.now, NULL, NULL) < 0,
                  SITUATIONS[situation]);
        CHECK_ROW(peer_send(&p, "<open>") < 0, SITUATIONS[situation]);
        CHECK_ROW(peer_send(&p, "") < 0, SITUATIONS[situation]);
        CHECK_ROW(bosh_pause(p.s, 0) < 0, SITUATIONS[situation]);
        CHECK_ROW(bosh_pause(p.s, 121) < 0, SITUATIONS[situation]);
        CHECK_ROW(bosh_restore(p.s, p.now, "b@other") < 0,
                  SITUATIONS[situation]);
        CHECK_ROW(*bosh_last_error(p.s), SITUATIONS[situation]);
        check_unchanged(&p, (enum situation)situation, SITUATIONS[situation]);
        peer_release(&p);
    }
}

static const struct peer_test TESTS[] = {
    {"every verb in every situation", test_every_verb_in_every_situation},
    {"every verb leaves a session that ends",
     test_every_verb_leaves_a_session_that_ends},
    {"a bad argument changes nothing", test_a_bad_argument_changes_nothing},
};

int suite_verbs(void)
{
    return peer_suite("verbs", TESTS, PEER_COUNT(TESTS));
}
