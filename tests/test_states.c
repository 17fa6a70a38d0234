/* The state tables of libbosh, said a second time, and every cell tried. */
#include "bosh_peer.h"

#include "client-under-test/session.h"

int suite_states(void);

/*
 * What may happen in which state: x where a cell is filled. Columns in the
 * order of enum session_event:
 *
 *   verbs: connect attach add disconnect pause local resume flush reset
 *   answers: created logged-in unknown-stream terminated end-answered
 *            all-closed
 *   else: refused too-many silence close-late rids-spent
 */
static const char *const SESSION_CELLS[SESSION_STATE_COUNT] = {
    /*                     verbs     answers else */
    [SESSION_IDLE] = "xx......x ...... .....",
    [SESSION_CREATING] = "...x...xx x..x.. xx...",
    [SESSION_LOGIN] = "...x...xx .xxx.x xxx.x",
    [SESSION_ONLINE] = "..xxxxxxx .xxx.x xxx.x",
    [SESSION_PAUSED] = "..xxxxxxx .xxx.x xxx.x",
    [SESSION_CLOSING] = "........x ...xx. xxxxx",
    [SESSION_DEAD] = "xx......x ...... .....",
};

/*
 * The same for a stream, in the order of enum stream_event:
 *
 *   verbs: send bind close
 *   answers: opened features challenge success failure reply stream-error
 *            stanza stream-ended
 *   to ours: open-answered close-answered
 */
static const char *const STREAM_CELLS[STREAM_STATE_COUNT] = {
    /*                     verbs answers */
    [STREAM_OPENING] = "x.x x.....x.. x.",
    [STREAM_FEATURES] = "x.x .x....x.x ..",
    [STREAM_SASL] = "x.x ..xxx.x.x ..",
    [STREAM_RESTARTED] = "x.x .x....x.x ..",
    [STREAM_UNBOUND] = "xxx ......xxx ..",
    [STREAM_BINDING] = "x.x .....xxxx ..",
    [STREAM_STARTING] = "x.x .....xxxx ..",
    [STREAM_ONLINE] = "x.x .....xxxx ..",
    [STREAM_CLOSING] = "... .....xxxx .x",
    [STREAM_CLOSED] = "... ......... ..",
};

static bool is_filled(const char *row, int event)
{
    for (int column = 0; *row; row++) {
        if (*row != ' ' && column++ == event)
            return *row == 'x';
    }
    CU_FAIL("a row is too short");
    return false;
}

/* ---- Ways to a state ------------------------------------------------------
 */

#define WITH_STREAM USUAL " stream='one'"

static const char FEATURES_BOTH[] =
    "<body " NS_BODY " " NS_STREAM " sid='s1' wait='60'><stream:features>"
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS"
    "</mechanism></mechanisms>"
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features></body>";

static const char SESSION_FEATURE[] =
    "<body " NS_BODY " " NS_STREAM "><stream:features><bind "
    "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session "
    "xmlns='urn:ietf:params:xml:ns:xmpp-session'/></stream:features>"
    "</body>";

/* Answers that lead to a stream's state, one a request. */
static const char *const NO_WAY[] = {NULL};
static const char *const TO_FEATURES[] = {CREATED(WITH_STREAM, ""), NULL};
static const char *const TO_SASL[] = {LOGGED_IN(WITH_STREAM), NULL};
static const char *const TO_RESTARTED[] = {LOGGED_IN(WITH_STREAM), SUCCESS,
                                           NULL};
static const char *const TO_BINDING[] = {LOGGED_IN(WITH_STREAM), SUCCESS,
                                         BIND_FEATURES, NULL};
static const char *const TO_STARTING[] = {LOGGED_IN(WITH_STREAM), SUCCESS,
                                          SESSION_FEATURE, BOUND, NULL};
static const char *const TO_ONLINE[] = {LOGGED_IN(WITH_STREAM), SUCCESS,
                                        BIND_FEATURES, BOUND, NULL};

static const char *const *const STREAM_WAYS[STREAM_STATE_COUNT] = {
    [STREAM_OPENING] = NO_WAY,       [STREAM_FEATURES] = TO_FEATURES,
    [STREAM_SASL] = TO_SASL,         [STREAM_RESTARTED] = TO_RESTARTED,
    [STREAM_UNBOUND] = TO_BINDING,   [STREAM_BINDING] = TO_BINDING,
    [STREAM_STARTING] = TO_STARTING, [STREAM_ONLINE] = TO_ONLINE,
    [STREAM_CLOSING] = TO_ONLINE,
};

static const char *const *const SESSION_WAYS[SESSION_STATE_COUNT] = {
    [SESSION_CREATING] = NO_WAY,   [SESSION_LOGIN] = TO_SASL,
    [SESSION_ONLINE] = TO_ONLINE,  [SESSION_PAUSED] = TO_ONLINE,
    [SESSION_CLOSING] = TO_ONLINE, [SESSION_DEAD] = NO_WAY,
};

/* way: NULL: not even connected. */
static void go(struct peer *p, const char *const *way, bool explicit_bind)
{
    struct bosh_options o;

    bosh_options_init(&o);
    o.explicit_bind = explicit_bind;
    peer_init(p, &o);
    if (!way)
        return;
    CHECK_INT(bosh_connect(p->s, p->now, "example.org", NULL), 0);
    peer_exchange(p, way);
}

static void reach_session(struct peer *p, enum session_state state)
{
    go(p, SESSION_WAYS[state], false);
    if (state == SESSION_PAUSED)
        CHECK_INT(bosh_pause(p->s, 10), 0);
    if (state == SESSION_CLOSING || state == SESSION_DEAD)
        CHECK_INT(bosh_disconnect(p->s, p->now, NULL), 0);
    CHECK_ROW(p->s->state == state, session_state_name(p->s));
}

static void reach_stream(struct peer *p, enum stream_state state)
{
    go(p, STREAM_WAYS[state], state == STREAM_UNBOUND);
    if (state == STREAM_CLOSING)
        CHECK_INT(bosh_disconnect(p->s, p->now, NULL), 0);
    CHECK_ROW(p->s->streams->state == state, stream_state_name(state));
}

/* ---- Every cell ------------------------------------------------------------
 */

/* What serves every event's action. */
struct props {
    struct body *body;
    struct bosh_attach known;
    struct happening h;
};

static void props_init(struct props *props, const char *answer, bool sends,
                       const struct peer *p)
{
    memset(props, 0, sizeof *props);
    props->body = body_read(answer, strlen(answer), NULL);
    props->known = (struct bosh_attach){.jid = "a@b/c", .sid = "x", .rid = 7};
    props->h = (struct happening){
        .now_ms = p->now,
        .text = sends ? "<presence/>" : "example.org",
        .len = 11,
        .known = &props->known,
        .number = sends ? 0 : 10,
        .body = props->body,
        .element = xml_child(props->body->root, NULL, NULL),
        .stream = p->s->streams,
    };
}

static void check_session_cell(enum session_state state,
                               enum session_event event)
{
    bool filled = is_filled(SESSION_CELLS[state], (int)event);
    struct props props;
    struct bosh before;
    struct peer p;
    char row[80];
    int rc;

    reach_session(&p, state);
    snprintf(row, sizeof row, "%s, event %d", session_state_name(p.s),
             (int)event);
    props_init(&props, FEATURES_BOTH, false, &p);
    CHECK_ROW(session_may(state, event) == filled, row);
    memcpy(&before, p.s, sizeof before);
    rc = session_happen(p.s, event, &props.h);
    CHECK_ROW(rc == (filled ? event == ON_ADD : BOSH_E_STATE), row);
    if (!filled)
        CHECK_ROW(memcmp(&before, p.s, sizeof before) == 0, row);
    body_free(props.body);
    peer_release(&p);
}

static const char *answer_for(enum stream_event event)
{
    switch ((int)event) {
    case ON_CHALLENGE:
        return "<body " NS_BODY "><challenge "
               "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</challenge></body>";
    case ON_SUCCESS:
        return SUCCESS;
    case ON_REPLY:
        return BOUND;
    }
    return FEATURES_BOTH;
}

static void check_stream_cell(enum stream_state state, enum stream_event event)
{
    bool filled = is_filled(STREAM_CELLS[state], (int)event);
    struct stream before;
    struct props props;
    struct peer p;
    char row[80];
    int rc;

    snprintf(row, sizeof row, "%s, event %d", stream_state_name(state),
             (int)event);
    reach_stream(&p, state);
    props_init(&props, answer_for(event), event == ON_SEND, &p);
    CHECK_ROW(stream_may(state, event) == filled, row);
    memcpy(&before, p.s->streams, sizeof before);
    rc = stream_happen(p.s, p.s->streams, event, &props.h);
    CHECK_ROW(rc == (filled ? 0 : BOSH_E_STATE), row);
    if (!filled)
        CHECK_ROW(memcmp(&before, p.s->streams, sizeof before) == 0, row);
    body_free(props.body);
    peer_release(&p);
}

static void test_every_cell_of_the_session_table(void)
{
    for (int state = 0; state < SESSION_STATE_COUNT; state++) {
        for (int event = 0; event < SESSION_EVENT_COUNT; event++)
            check_session_cell((enum session_state)state,
                               (enum session_event)event);
    }
}

static void test_every_cell_of_the_stream_table(void)
{
    for (int state = 0; state < STREAM_STATE_COUNT; state++) {
        for (int event = 0; event < STREAM_EVENT_COUNT; event++)
            check_stream_cell((enum stream_state)state,
                              (enum stream_event)event);
    }
}

int suite_states(void)
{
    static const struct peer_test TESTS[] = {
        {"every cell of the session's table",
         test_every_cell_of_the_session_table},
        {"every cell of the stream's table",
         test_every_cell_of_the_stream_table},
    };

    return peer_suite("states", TESTS, PEER_COUNT(TESTS));
}
