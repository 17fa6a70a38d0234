/* The player's server role: the raw client's steps, its logins and polls,
 * against a server fed by hand, and against the mock. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http.h"
#include "common/xml.h"
#include "harness/play_parts.h"
#include "harness/raw_body.h"
#include "harness/sasl_client.h"
#include "tests/check.h"
#include "tests/suites.h"

#define NS "xmlns='http://jabber.org/protocol/httpbind'"
#define CREATED(more)                                                          \
    "<body " NS " sid='S' ver='1.11' wait='10' hold='1' requests='2' " more
#define FEATURES_SASL(mechanisms)                                              \
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"        \
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" mechanisms         \
    "</mechanisms></stream:features>"
#define PLAIN "<mechanism>PLAIN</mechanism>"
#define FEATURES_BIND(more)                                                    \
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"        \
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" more                    \
    "</stream:features>"
#define SUCCESS "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
#define BODY(payload) "<body " NS ">" payload "</body>"
#define EMPTY "<body " NS "/>"

#define MAX_SENT 600

/* A play, its stage, and what went over it. */
struct rig {
    struct testcase tc;
    struct step steps[8];
    struct play_setting setting;
    struct play *play;
    int64_t now_ms;
    uint64_t chance;
    struct mock *mock; /* answers, or NULL: the test does */
    struct sent {
        char *bytes; /* the HTTP request */
        size_t len;
        char *entity;
        char conn[16];
        size_t pieces;
        bool answered;
        bool held;
    } sent[MAX_SENT]; /* by exchange number */
    unsigned count;
    unsigned aborted;
    enum delivery_end aborted_how;
    struct buf log;
};

static uint64_t chance(void *ctx)
{
    struct rig *r = ctx;

    r->chance = r->chance * UINT64_C(6364136223846793005) + 1442695041;
    return r->chance >> 8;
}

static void chance_bytes(void *ctx, void *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = (unsigned char)chance(ctx);
}

static unsigned do_request(void *stage, const char *conn,
                           const struct delivery *plan)
{
    struct rig *r = stage;
    struct sent *s;
    struct buf bytes = BUF_INIT;
    struct http_message m;
    size_t used;

    if (r->count + 1 == MAX_SENT)
        abort();
    s = &r->sent[++r->count];
    for (size_t i = 0; i < plan->piece_count; i++)
        buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
    snprintf(s->conn, sizeof s->conn, "%s", conn ? conn : "");
    s->pieces = plan->piece_count;
    if (http_read(HTTP_REQUEST, buf_str(&bytes), bytes.len, false, false, &m,
                  &used, NULL) == HTTP_WHOLE)
        s->entity = mem_dup(buf_str(&m.body));
    http_message_release(&m);
    s->len = bytes.len;
    s->bytes = buf_take(&bytes);
    return r->count;
}

static void do_abort(void *stage, unsigned x, enum delivery_end how)
{
    struct rig *r = stage;

    r->aborted = x;
    r->aborted_how = how;
}

static void add_event(void *ctx, const struct event *ev)
{
    event_write(&((struct rig *)ctx)->log, ev);
}

static const struct stage_ops ops = {
    .request = do_request,
    .abort = do_abort,
};

static const struct account accounts[] = {{"alice@localhost", "secret"},
                                          {"eve@localhost", "wrong"}};

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->now_ms = 1000000;
    r->chance = 7;
    r->tc.id = (char *)"server/test";
    r->tc.role = ROLE_SERVER;
    r->tc.rev = 1;
    r->setting.timeout_factor = 1;
    r->setting.random = chance;
    r->setting.random_ctx = r;
    r->setting.host_header = "localhost:5280";
    r->setting.path = "/http-bind";
    r->setting.domain = "localhost";
    r->setting.accounts = accounts;
    r->setting.account_count = 2;
    r->setting.anonymous = true;
}

static struct step *rig_step(struct rig *r, enum step_kind kind)
{
    struct step *st = &r->steps[r->tc.step_count++];

    st->kind = kind;
    st->line = (int)(10 + r->tc.step_count);
    st->within.ms = st->until.ms = st->send_every.ms = -1;
    st->stop_after_bytes = -1;
    st->http_minor = 1;
    st->account = 1;
    return st;
}

static struct avt *avt(const char *text)
{
    return avt_new(text, "test", 1, NULL);
}

static void step_attr(struct step *st, const char *name, const char *value)
{
    st->attrs = mem_grow(st->attrs, (st->attr_count + 1) * sizeof *st->attrs);
    st->attrs[st->attr_count].name = mem_dup(name);
    st->attrs[st->attr_count++].value = avt(value);
}

static void step_header(struct step *st, const char *name, const char *value)
{
    st->options =
        mem_grow(st->options, (st->option_count + 1) * sizeof *st->options);
    st->options[st->option_count].name = mem_dup(name);
    st->options[st->option_count++].value = avt(value);
}

static struct step *rig_login(struct rig *r, const char *as)
{
    struct step *st = rig_step(r, STEP_LOGIN);

    st->as = (char *)as;
    return st;
}

static struct step *rig_request(struct rig *r, const char *as,
                                const char *session, const char *payload)
{
    struct step *st = rig_step(r, STEP_REQUEST);

    st->as = (char *)as;
    st->session = (char *)session;
    st->payload.text = payload ? avt(payload) : NULL;
    return st;
}

static struct step *rig_await(struct rig *r, const char *expr, int64_t ms)
{
    struct step *st = rig_step(r, STEP_AWAIT);

    st->expr = expr_new(expr, "test", 1, NULL);
    st->within.ms = ms;
    return st;
}

static void rig_start(struct rig *r)
{
    const struct event_sink log = {r, add_event};

    r->tc.steps = r->steps;
    r->play = play_new(&r->tc, &ops, r, &r->setting, &log);
    play_start(r->play, r->now_ms);
}

static void free_attrs(struct named_avt *attrs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(attrs[i].name);
        avt_free(attrs[i].value);
    }
    free(attrs);
}

static void rig_release(struct rig *r)
{
    play_finish(r->play, r->now_ms);
    play_free(r->play);
    mock_free(r->mock);
    for (unsigned i = 1; i <= r->count; i++) {
        free(r->sent[i].bytes);
        free(r->sent[i].entity);
    }
    for (size_t i = 0; i < r->tc.step_count; i++) {
        struct step *st = &r->steps[i];

        expr_free(st->expr);
        avt_free(st->of);
        avt_free(st->payload.text);
        avt_free(st->body.text);
        free_attrs(st->attrs, st->attr_count);
        free_attrs(st->options, st->option_count);
        free_attrs(st->body_attrs, st->body_attr_count);
    }
    buf_release(&r->log);
}

/* ---- the server fed by hand ---- */

static void answer_http(struct rig *r, int status, const char *type,
                        const char *entity)
{
    const struct http_header headers[] = {{"Content-Type", type}};
    struct buf bytes = BUF_INIT;

    http_write_response(&bytes, status, NULL, headers, 1, entity,
                        strlen(entity));
    r->now_ms += 5;
    r->sent[r->count].answered = true;
    play_response(r->play, r->now_ms, r->count, bytes.data, bytes.len,
                  PLAY_WHOLE, NULL);
    buf_release(&bytes);
}

/* Answer the request that was sent last. */
static void answer(struct rig *r, const char *entity)
{
    answer_http(r, 200, "text/xml; charset=utf-8", entity);
}

static void close_it(struct rig *r)
{
    r->sent[r->count].answered = true;
    play_response(r->play, r->now_ms, r->count, "", 0, PLAY_NONE,
                  "closed without an answer");
}

/* Let time pass, deadline by deadline. */
static void pass(struct rig *r, int64_t ms)
{
    int64_t end = r->now_ms + ms;

    while (play_deadline_ms(r->play) <= end) {
        if (play_deadline_ms(r->play) > r->now_ms)
            r->now_ms = play_deadline_ms(r->play);
        play_tick(r->play, r->now_ms);
    }
    r->now_ms = end;
    play_tick(r->play, r->now_ms);
}

static const char *last(const struct rig *r)
{
    return r->count && r->sent[r->count].entity ? r->sent[r->count].entity : "";
}

static bool last_has(const struct rig *r, const char *text)
{
    return strstr(last(r), text) != NULL;
}

/* An attribute of the <body/> of exchange x; yours. */
static char *attr_of(const struct rig *r, unsigned x, const char *name)
{
    const char *entity = x <= r->count ? r->sent[x].entity : NULL;
    xmlDocPtr doc =
        entity ? xml_parse(entity, strlen(entity), NULL, NULL) : NULL;
    char *value = NULL;

    if (doc)
        value = mem_dup(xml_attr(xmlDocGetRootElement(doc), NULL, name));
    xmlFreeDoc(doc);
    return value;
}

static uint64_t rid_of(const struct rig *r, unsigned x)
{
    char *text = attr_of(r, x, "rid");
    uint64_t rid = raw_rid(text);

    free(text);
    return rid;
}

/* A login by hand up to the bind request. */
static void hand_login_to_bind(struct rig *r, const char *features)
{
    answer(r, CREATED(">") FEATURES_SASL(PLAIN) "</body>");
    answer(r, BODY(SUCCESS));
    answer(r, features);
}

/* The result of the iq that was sent last. */
static void answer_iq(struct rig *r, const char *type, const char *inside)
{
    const char *id = strstr(last(r), " id='");
    char *body;

    CHECK(id != NULL);
    id = id ? id + 5 : "";
    body = mem_printf("<body " NS "><iq xmlns='jabber:client' type='%s' "
                      "id='%.*s'>%s</iq></body>",
                      type, (int)strcspn(id, "'"), id, inside);
    answer(r, body);
    free(body);
}

#define BOUND                                                                  \
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"                          \
    "<jid>alice@localhost/x</jid></bind>"

static void hand_login(struct rig *r)
{
    hand_login_to_bind(r, BODY(FEATURES_BIND("")));
    answer_iq(r, "result", BOUND);
}

/* ---- bytes ---- */

static void test_a_body_is_written_as_it_is_asked_for(void)
{
    struct buf out = BUF_INIT;
    struct raw_body b;

    raw_body_init(&b);
    raw_body_set(&b, "rid", "1");
    raw_body_set(&b, "to", "a&'b");
    raw_body_set(&b, "rid", "x");
    raw_body_set(&b, "sid", NULL);
    raw_body_write(&out, &b, NULL, 0);
    CHECK_STR(buf_str(&out), "<body " NS " rid='x' to='a&amp;&#39;b'/>");
    buf_clear(&out);
    raw_body_set(&b, "xmpp:restart", "true");
    raw_body_write(&out, &b, "<a/>", 4);
    CHECK(strstr(buf_str(&out), "xmlns:xmpp='urn:xmpp:xbosh'><a/></body>") !=
          NULL);
    raw_body_release(&b);
    buf_release(&out);
}

static void test_a_case_replaces_our_headers(void)
{
    const struct http_header headers[] = {{"content-type", "text/plain"},
                                          {"Host", ""}};
    struct raw_request r = {.target = "/x",
                            .host = "h",
                            .minor = 0,
                            .headers = headers,
                            .header_count = 2,
                            .entity = "hi",
                            .entity_len = 2};
    struct buf out = BUF_INIT;

    raw_request_write(&out, &r);
    CHECK_STR(buf_str(&out), "POST /x HTTP/1.0\r\n"
                             "User-Agent: boshspec/" BOSHSPEC_VERSION "\r\n"
                             "content-type: text/plain\r\n"
                             "Content-Length: 2\r\n\r\nhi");
    buf_release(&out);
}

static void test_a_rid_is_digits_that_fit(void)
{
    CHECK(raw_rid("9007199254740991") == UINT64_C(9007199254740991));
    CHECK(raw_rid("18446744073709551615") == UINT64_MAX);
    CHECK(raw_rid("18446744073709551616") == 0);
    CHECK(raw_rid("") == 0);
    CHECK(raw_rid("-1") == 0);
    CHECK(raw_rid("1e3") == 0);
    CHECK(raw_rid(NULL) == 0);
}

static void test_the_strongest_mechanism_left_is_picked(void)
{
    unsigned tried = 0;
    const char *all = "ANONYMOUS PLAIN SCRAM-SHA-1-PLUS SCRAM-SHA-1 X";

    CHECK_STR(sasl_client_pick(all, true, &tried), "SCRAM-SHA-1");
    CHECK_STR(sasl_client_pick(all, true, &tried), "PLAIN");
    CHECK(sasl_client_pick(all, true, &tried) == NULL);
    CHECK_STR(sasl_client_pick(all, false, &tried), "ANONYMOUS");
    tried = 0;
    CHECK(sasl_client_pick("SCRAM-SHA-1-PLUS", true, &tried) == NULL);
}

/* ---- login by hand ---- */

static void test_a_login_leaves_nothing_open(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_await(&r, "$s/@jid", 1);
    rig_start(&r);
    CHECK_INT(r.count, 1);
    CHECK(last_has(&r, "to='localhost'"));
    CHECK(last_has(&r, "wait='60'"));
    CHECK(last_has(&r, "xmpp:version='1.0'"));
    CHECK(strstr(r.sent[1].bytes, "POST /http-bind HTTP/1.1\r\n"
                                  "Host: localhost:5280\r\n") != NULL);
    answer(&r, CREATED(">") FEATURES_SASL(PLAIN) "</body>");
    CHECK(last_has(&r, "mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>"));
    answer(&r, BODY(SUCCESS));
    CHECK(last_has(&r, "xmpp:restart='true'"));
    answer(&r, BODY(FEATURES_BIND("")));
    CHECK(last_has(&r, "<resource>boshspec-"));
    CHECK_INT(r.count, 4);
    CHECK(rid_of(&r, 4) == rid_of(&r, 1) + 3);
    answer_iq(&r, "result", BOUND);
    CHECK(play_over(r.play));
    CHECK_INT(play_how(r.play), PLAY_DONE);
    CHECK_INT(r.count, 4);
    rig_release(&r);
}

static void test_late_features_success_and_result_are_polled_for(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    answer(&r, CREATED("/>"));
    CHECK_INT(r.count, 2); /* the creation was no poll: at once */
    answer(&r, EMPTY);
    CHECK_INT(r.count, 2);
    pass(&r, 100); /* an empty answer to a poll: not at once */
    CHECK_INT(r.count, 3);
    answer(&r, BODY(FEATURES_SASL(PLAIN)));
    answer(&r, EMPTY);
    CHECK_INT(r.count, 5);
    CHECK(!strchr(last(&r) + 1, '<')); /* a poll */
    answer(&r, BODY(SUCCESS FEATURES_BIND("")));
    CHECK(last_has(&r, "xmpp:restart"));
    answer(&r, EMPTY); /* the features came with the success */
    CHECK(last_has(&r, "<bind "));
    answer(&r, EMPTY);
    CHECK_INT(r.count, 8);
    r.count = 7; /* its id is in the request before the poll */
    char *id = mem_dup(strstr(last(&r), " id='"));
    r.count = 8;
    char *result = mem_printf(
        "<body " NS "><iq type='result' id='%.*s'>" BOUND "</iq></body>",
        id ? (int)strcspn(id + 5, "'") : 0, id ? id + 5 : "");
    answer(&r, result);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    CHECK(play_over(r.play));
    free(id);
    free(result);
    rig_release(&r);
}

static void test_a_session_is_established_only_when_it_must_be(void)
{
    static const struct {
        const char *features;
        bool wanted;
    } rows[] = {
        {BODY(FEATURES_BIND("<session xmlns='urn:ietf:params:xml:ns:"
                            "xmpp-session'/>")),
         true},
        {BODY(FEATURES_BIND("<session xmlns='urn:ietf:params:xml:ns:"
                            "xmpp-session'><optional/></session>")),
         false},
        {BODY(FEATURES_BIND("")), false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;

        rig_init(&r);
        rig_login(&r, "s");
        rig_start(&r);
        hand_login_to_bind(&r, rows[i].features);
        answer_iq(&r, "result", BOUND);
        CHECK_ROW(play_over(r.play) == !rows[i].wanted, rows[i].features);
        if (rows[i].wanted)
            answer_iq(&r, "result", "");
        CHECK_ROW(play_over(r.play), rows[i].features);
        CHECK_INT(play_how(r.play), PLAY_DONE);
        rig_release(&r);
    }
}

#define FAILURE(condition)                                                     \
    BODY("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><" condition       \
         "/></failure>")

static void test_a_weaker_mechanism_is_tried_after_a_refusal(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    answer(&r, CREATED(">") FEATURES_SASL(
                   "<mechanism>PLAIN</mechanism>"
                   "<mechanism>SCRAM-SHA-256</mechanism>") "</body>");
    CHECK(last_has(&r, "SCRAM-SHA-256"));
    answer(&r, FAILURE("not-authorized"));
    CHECK(last_has(&r, "mechanism='PLAIN'"));
    answer(&r, FAILURE("not-authorized"));
    CHECK_INT(play_how(r.play), PLAY_ERROR);
    CHECK_STR(play_because(r.play), "login failed: SASL PLAIN: not-authorized");
    CHECK_INT(play_line(r.play), 11);
    rig_release(&r);
}

/* Whatever comes in place of a good answer is a fact, and its words say it. */
static void test_a_failed_login_says_what_came(void)
{
    static const struct {
        int status;
        const char *type;
        const char *entity;
        const char *because;
    } rows[] = {
        {500, "text/html", "<html>oops",
         "login failed: session creation: HTTP 500 (text/html)"},
        {200, "text/html", "<html><p>hello</html>",
         "login failed: session creation: HTTP 200 without a <body/> "
         "(text/html)"},
        {200, "text/xml", "",
         "login failed: session creation: HTTP 200 without a <body/> "
         "(text/xml)"},
        {200, "text/xml", "<body " NS "/>",
         "login failed: session creation: the answer has no sid"},
        {200, "text/xml",
         "<body " NS " type='terminate' condition='host-unknown'/>",
         "login failed: session creation: host-unknown"},
        {200, "text/xml", "<body " NS " type='terminate'/>",
         "login failed: session creation: terminate"},
        {200, "text/xml",
         "<body " NS " type='terminate' condition='policy-violation'/>",
         "the server limits us: login failed: session creation: "
         "policy-violation"},
        {200, "text/xml",
         "<body " NS " type='terminate' condition='remote-stream-error'>"
         "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
         "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
         "</stream:error></body>",
         "the server limits us: login failed: session creation: "
         "remote-stream-error: policy-violation"},
        {200, "text/xml", CREATED(">") FEATURES_SASL("") "</body>",
         "login failed: SASL: no mechanisms offered"},
        {200, "text/xml",
         CREATED(">") FEATURES_SASL("<mechanism>X</mechanism>") "</body>",
         "login failed: SASL: no mechanism of ours is offered"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;

        rig_init(&r);
        rig_login(&r, "s");
        rig_start(&r);
        answer_http(&r, rows[i].status, rows[i].type, rows[i].entity);
        CHECK_INT(play_how(r.play), PLAY_ERROR);
        CHECK_STR(play_because(r.play), rows[i].because);
        rig_release(&r);
    }
}

static void test_a_limit_during_the_login_is_said_to_be_one(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    hand_login_to_bind(&r, BODY(FEATURES_BIND("")));
    answer_iq(&r, "error",
              "<error type='cancel'><text/><conflict xmlns='urn:ietf:params:"
              "xml:ns:xmpp-stanzas'/></error>");
    CHECK_STR(play_because(r.play),
              "the server limits us: login failed: resource binding: "
              "conflict");
    rig_release(&r);

    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    answer(&r, CREATED(">") FEATURES_SASL(PLAIN) "</body>");
    answer(&r, FAILURE("temporary-auth-failure"));
    CHECK_STR(play_because(r.play), "the server limits us: login failed: "
                                    "SASL PLAIN: temporary-auth-failure");
    rig_release(&r);
}

static void test_a_login_does_not_wait_for_ever(void)
{
    struct rig r;

    rig_init(&r);
    step_attr(rig_login(&r, "s"), "wait", "5");
    rig_start(&r);
    pass(&r, 20001);
    CHECK_STR(play_because(r.play),
              "login failed: session creation: nothing came in time");
    rig_release(&r);

    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    close_it(&r);
    CHECK_STR(play_because(r.play),
              "login failed: session creation: closed without an answer");
    rig_release(&r);

    /* each poll is answered, and nothing ever comes */
    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    answer(&r, CREATED("/>"));
    for (int i = 0; i < 500 && !play_over(r.play); i++) {
        answer(&r, EMPTY);
        pass(&r, 100);
    }
    CHECK_STR(play_because(r.play),
              "login failed: stream features: nothing came in time");
    rig_release(&r);
}

static void test_a_polling_session_is_not_hurried(void)
{
    struct rig r;

    rig_init(&r);
    step_attr(rig_login(&r, "s"), "hold", "0");
    rig_start(&r);
    CHECK(last_has(&r, "hold='0'"));
    answer(&r, "<body " NS " sid='S' ver='1.11' wait='0' hold='0' "
               "requests='1' polling='5'/>");
    CHECK_INT(r.count, 1);
    pass(&r, 5000);
    CHECK_INT(r.count, 1);
    pass(&r, 300);
    CHECK_INT(r.count, 2);
    answer(&r, BODY(FEATURES_SASL(PLAIN)));
    CHECK_INT(r.count, 2);
    pass(&r, 5300);
    CHECK(last_has(&r, "<auth"));
    rig_release(&r);
}

/* ---- requests ---- */

static void test_requests_take_the_next_rid_and_may_leave_a_gap(void)
{
    struct rig r;
    uint64_t first;

    rig_init(&r);
    rig_login(&r, "s");
    step_attr(rig_request(&r, "late", "s", "<m2/>"), "rid", "{$s/@rid + 2}");
    step_attr(rig_request(&r, "missing", "s", "<m1/>"), "rid",
              "{$late/@rid - 1}");
    rig_request(&r, "next", "s", NULL)->conn = (char *)"a";
    rig_start(&r);
    hand_login(&r);
    first = rid_of(&r, 4);
    CHECK_INT(r.count, 7);
    CHECK(rid_of(&r, 5) == first + 2);
    CHECK(rid_of(&r, 6) == first + 1);
    CHECK(rid_of(&r, 7) == first + 3);
    CHECK(strstr(r.sent[5].entity, "<m2/></body>") != NULL);
    CHECK_STR(r.sent[6].conn, "");
    CHECK_STR(r.sent[7].conn, "a");
    CHECK_INT(play_how(r.play), PLAY_DONE);
    rig_release(&r);
}

static void test_a_request_carries_what_the_case_sets(void)
{
    struct rig r;
    struct step *st;

    rig_init(&r);
    rig_login(&r, "s");
    st = rig_request(&r, "x1", "s", NULL);
    step_attr(st, "pause", "60");
    step_attr(st, "path", "/other");
    st = rig_request(&r, "x2", "s", NULL);
    st->restart = true;
    st = rig_request(&r, "x3", "s", NULL);
    step_attr(st, "method", "PUT");
    step_header(st, "X-Extra", "{1 + 1}");
    st->http_minor = 0;
    st = rig_request(&r, "x4", "s", NULL);
    st->terminate = true;
    rig_start(&r);
    hand_login(&r);
    CHECK(strstr(r.sent[5].entity, "pause='60'") != NULL);
    CHECK(strncmp(r.sent[5].bytes, "POST /other ", 12) == 0);
    CHECK(strstr(r.sent[6].entity, "xmpp:restart='true'") != NULL);
    CHECK(strncmp(r.sent[7].bytes, "PUT /http-bind HTTP/1.0\r\n", 25) == 0);
    CHECK(strstr(r.sent[7].bytes, "X-Extra: 2\r\n") != NULL);
    CHECK(strstr(r.sent[8].entity, "type='terminate'") != NULL);
    rig_release(&r);
}

static void test_raw_entities_are_sent_as_they_are(void)
{
    char junk[] = "\xff<no xml";
    struct rig r;
    struct step *st;

    rig_init(&r);
    st = rig_request(&r, "raw", NULL, NULL);
    st->raw.data = junk;
    st->raw.len = strlen(junk);
    st->raw.times = 2;
    st = rig_request(&r, "body", NULL, NULL);
    st->body.text = avt("<body " NS " rid='{1 + 2}'/>");
    rig_start(&r);
    CHECK_STR(r.sent[1].entity, "\xff<no xml\xff<no xml");
    CHECK_STR(r.sent[2].entity, "<body " NS " rid='3'/>");
    rig_release(&r);
}

static void test_a_request_may_drip_and_stop(void)
{
    struct rig r;
    struct step *st;

    rig_init(&r);
    st = rig_request(&r, "slow", NULL, NULL);
    st->body.text = avt("<body " NS "/>");
    st->send_every.ms = 10;
    st->stop_after_bytes = 7;
    rig_start(&r);
    CHECK_INT(r.sent[1].pieces, 7);
    CHECK_STR(r.sent[1].bytes, "POST /h");
    CHECK(strstr(buf_str(&r.log), "arrived=\"part\"") != NULL);
    rig_release(&r);
}

static void test_a_resend_has_the_same_bytes(void)
{
    struct rig r;
    struct step *st;

    rig_init(&r);
    rig_login(&r, "s");
    rig_request(&r, "first", "s", "<a/>");
    st = rig_step(&r, STEP_RESEND);
    st->of = avt("{$first}");
    st->as = (char *)"copy";
    rig_request(&r, "next", "s", "<b/>");
    st = rig_step(&r, STEP_ABORT);
    st->of = avt("{$copy}");
    st->how = CUT_RST;
    rig_start(&r);
    hand_login(&r);
    CHECK_STR(r.sent[6].bytes, r.sent[5].bytes);
    CHECK(rid_of(&r, 7) == rid_of(&r, 5) + 1);
    CHECK_INT(r.aborted, 6);
    CHECK_INT(r.aborted_how, DELIVERY_RST);
    CHECK(strstr(buf_str(&r.log), "abort-rst") != NULL);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    rig_release(&r);
}

static void test_a_resend_of_nothing_is_an_error(void)
{
    struct rig r;

    rig_init(&r);
    rig_step(&r, STEP_RESEND)->of = avt("{$nothing}");
    rig_start(&r);
    CHECK_INT(play_how(r.play), PLAY_ERROR);
    CHECK_INT(play_line(r.play), 11);
    rig_release(&r);
}

static void test_a_creation_ends_whatever_comes(void)
{
    struct rig r;
    struct step *st;

    rig_init(&r);
    st = rig_step(&r, STEP_CREATE);
    st->as = (char *)"s";
    st->exchange = (char *)"made";
    step_attr(st, "rid", "77");
    step_attr(st, "wait", "5");
    rig_await(&r, "$made/res", 1);
    rig_request(&r, "r", "s", NULL);
    rig_start(&r);
    CHECK(rid_of(&r, 1) == 77);
    CHECK(!play_over(r.play));
    answer_http(&r, 503, "text/plain", "busy");
    CHECK_INT(play_how(r.play), PLAY_STOPPED); /* no sid to go on with */
    CHECK_INT(play_line(r.play), 13);
    rig_release(&r);

    rig_init(&r);
    st = rig_step(&r, STEP_CREATE);
    st->as = (char *)"s";
    step_attr(st, "wait", "5");
    rig_start(&r);
    pass(&r, 19000);
    CHECK(!play_over(r.play));
    pass(&r, 2000);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    rig_release(&r);

    rig_init(&r);
    st = rig_step(&r, STEP_CREATE);
    st->as = (char *)"s";
    rig_await(&r, "$s/@sid = 'S'", 1);
    rig_start(&r);
    answer(&r, CREATED("/>"));
    CHECK_INT(play_how(r.play), PLAY_DONE);
    rig_release(&r);
}

static void test_an_unknown_session_is_an_error(void)
{
    struct rig r;

    rig_init(&r);
    rig_request(&r, "r", "nobody", NULL);
    rig_start(&r);
    CHECK_INT(play_how(r.play), PLAY_ERROR);
    CHECK_STR(play_because(r.play), "there is no session 'nobody'");
    rig_release(&r);
}

/* ---- polls ---- */

static void rig_drain(struct rig *r, const char *expr, int64_t ms)
{
    struct step *st = rig_step(r, STEP_DRAIN);

    st->session = (char *)"s";
    st->expr = expr_new(expr, "test", 1, NULL);
    st->within.ms = ms;
}

static void test_a_drain_polls_one_at_a_time(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_drain(&r, "$s/down/c:message", 15000);
    rig_start(&r);
    hand_login(&r);
    CHECK_INT(r.count, 5);
    CHECK(!strchr(last(&r) + 1, '<'));
    pass(&r, 8000);
    CHECK_INT(r.count, 5);
    answer(&r, EMPTY);
    pass(&r, 0);
    CHECK_INT(r.count, 6); /* the poll was long ago */
    answer(&r, BODY("<message xmlns='jabber:client' id='m'/>"));
    CHECK_INT(r.count, 6);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    CHECK(play_over(r.play));
    rig_release(&r);
}

static void test_a_drain_in_vain_ends_the_play(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_drain(&r, "$s/down/c:message", 3000);
    rig_start(&r);
    hand_login(&r);
    pass(&r, 2990);
    CHECK(!play_over(r.play));
    pass(&r, 20);
    CHECK_INT(play_how(r.play), PLAY_STOPPED);
    rig_release(&r);
}

static void test_a_drain_keeps_out_of_the_way_of_what_is_open(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_request(&r, "a", "s", "<a/>");
    rig_request(&r, "b", "s", "<b/>");
    rig_drain(&r, "$s/down/c:message", 60000);
    rig_start(&r);
    hand_login(&r);
    CHECK_INT(r.count, 6); /* requests='2' are open: no poll */
    pass(&r, 5000);
    CHECK_INT(r.count, 6);
    answer(&r, EMPTY); /* b; a may be stuck, so poll beside it */
    pass(&r, 1000);
    CHECK_INT(r.count, 7);
    rig_release(&r);
}

static void test_a_broken_poll_is_sent_again_with_its_rid(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_drain(&r, "$s/down/c:message", 60000);
    rig_start(&r);
    hand_login(&r);
    close_it(&r);
    CHECK_INT(r.count, 5);
    pass(&r, 500);
    CHECK_INT(r.count, 6);
    CHECK_STR(r.sent[6].bytes, r.sent[5].bytes);
    for (int i = 0; i < 10; i++) {
        if (!r.sent[r.count].answered)
            close_it(&r);
        pass(&r, 5000);
    }
    CHECK_INT(r.count, 8); /* and no more after three repeats */
    rig_release(&r);
}

static void test_keep_polling_goes_on_until_the_play_ends(void)
{
    struct rig r;
    unsigned before;

    rig_init(&r);
    rig_login(&r, "s");
    rig_step(&r, STEP_KEEP_POLLING)->session = (char *)"s";
    rig_await(&r, "$s/down/c:message[@id = 'end']", 60000);
    rig_start(&r);
    hand_login(&r);
    CHECK_INT(r.count, 5);
    for (int i = 0; i < 3; i++) {
        pass(&r, 8000);
        before = r.count;
        answer(&r, EMPTY);
        CHECK_INT(r.count, before + 1);
        CHECK(rid_of(&r, r.count) == rid_of(&r, before) + 1);
    }
    before = r.count;
    answer(&r, BODY("<message xmlns='jabber:client' id='end'/>"));
    CHECK(play_over(r.play));
    pass(&r, 60000);
    CHECK(r.count <= before + 1); /* one may go before the step looks */
    rig_release(&r);
}

static void test_keep_polling_ends_with_the_session(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_step(&r, STEP_KEEP_POLLING)->session = (char *)"s";
    rig_await(&r, "$s/down/c:message", 30000);
    rig_start(&r);
    hand_login(&r);
    answer(&r, "<body " NS " type='terminate'/>");
    pass(&r, 29000);
    CHECK_INT(r.count, 5);
    CHECK(!play_over(r.play));
    rig_release(&r);
}

/* ---- sign-off ---- */

static void test_sign_off_ends_what_is_alive(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    step_attr(rig_request(&r, "late", "s", "<a/>"), "rid", "{$s/@rid + 2}");
    rig_start(&r);
    hand_login(&r);
    CHECK(play_over(r.play));
    CHECK(play_signed_off(r.play)); /* not asked for yet */
    play_sign_off(r.play, r.now_ms);
    play_sign_off(r.play, r.now_ms);
    CHECK_INT(r.count, 6);
    CHECK(last_has(&r, "type='terminate'"));
    CHECK(rid_of(&r, 6) == rid_of(&r, 4) + 1); /* fills the gap */
    CHECK_STR(r.sent[6].conn, "");
    CHECK(!play_signed_off(r.play));
    answer(&r, "<body " NS " type='terminate'/>");
    CHECK(play_signed_off(r.play));
    CHECK(play_deadline_ms(r.play) == CLOCK_NEVER);
    rig_release(&r);
}

static void test_sign_off_spares_the_dead_and_does_not_wait_for_ever(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_request(&r, "bye", "s", NULL)->terminate = true;
    rig_start(&r);
    hand_login(&r);
    answer(&r, "<body " NS " type='terminate'/>");
    play_sign_off(r.play, r.now_ms);
    CHECK_INT(r.count, 5);
    CHECK(play_signed_off(r.play));
    rig_release(&r);

    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    hand_login(&r);
    play_sign_off(r.play, r.now_ms);
    CHECK(!play_signed_off(r.play));
    pass(&r, 5000);
    CHECK(play_signed_off(r.play));
    rig_release(&r);
}

static void test_sign_off_catches_a_creation_on_its_way(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s");
    rig_start(&r);
    play_abort(r.play, r.now_ms, PLAY_ERROR, "enough");
    play_sign_off(r.play, r.now_ms);
    CHECK(!play_signed_off(r.play));
    CHECK_INT(r.count, 1);
    answer(&r, CREATED("/>"));
    CHECK_INT(r.count, 2);
    CHECK(last_has(&r, "type='terminate'"));
    CHECK(!play_signed_off(r.play));
    answer(&r, "<body " NS " type='terminate'/>");
    CHECK(play_signed_off(r.play));
    rig_release(&r);
}

/* ---- against the mock ---- */

static void serve(struct rig *r, unsigned x)
{
    struct http_message m;
    struct mock_request req = {0};
    size_t used;

    r->sent[x].held = true;
    if (http_read(HTTP_REQUEST, r->sent[x].bytes, r->sent[x].len, false, false,
                  &m, &used, NULL) == HTTP_WHOLE) {
        req.method = m.method;
        req.path = m.target;
        req.body = buf_str(&m.body);
        req.body_len = m.body.len;
        mock_request(r->mock, r->now_ms, &req, x);
    }
    http_message_release(&m);
}

static bool hand_over(struct rig *r)
{
    struct mock_answer a;
    struct buf bytes = BUF_INIT;
    unsigned x;

    if (!mock_next_answer(r->mock, r->now_ms, &a))
        return false;
    x = (unsigned)a.token;
    http_write_response(&bytes, a.status, a.reason,
                        (const struct http_header *)NULL, 0, a.body,
                        a.body_len);
    r->sent[x].answered = true;
    play_response(r->play, r->now_ms, x, bytes.data, bytes.len, PLAY_WHOLE,
                  NULL);
    buf_release(&bytes);
    return true;
}

/* Play against the mock until the end, or for a virtual hour. */
static void rig_play(struct rig *r, struct mock_options o)
{
    int64_t end = r->now_ms + 3600000;
    unsigned served = 0;

    o.random = chance_bytes;
    o.random_arg = r;
    r->mock = mock_new(&o);
    rig_start(r);
    while (r->now_ms < end) {
        int64_t next;

        if (served < r->count) {
            serve(r, ++served);
            continue;
        }
        if (hand_over(r))
            continue;
        if (play_over(r->play))
            break;
        next = mock_deadline_ms(r->mock);
        if (play_deadline_ms(r->play) < next)
            next = play_deadline_ms(r->play);
        if (next > r->now_ms)
            r->now_ms = next;
        mock_tick(r->mock, r->now_ms);
        play_tick(r->play, r->now_ms);
    }
    CHECK(play_over(r->play));
}

static void test_every_mechanism_logs_in_at_the_mock(void)
{
    static const char *const rows[] = {"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN",
                                       "ANONYMOUS"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mock_options o = mock_options_default();
        char *attr = mem_printf("mechanism='%s'", rows[i]);
        struct rig r;

        o.mechanisms = rows[i];
        o.anonymous = strcmp(rows[i], "ANONYMOUS") == 0;
        rig_init(&r);
        rig_login(&r, "s")->account = o.anonymous ? 0 : 1;
        rig_await(&r, "$s/@jid", 1);
        rig_play(&r, o);
        CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
        CHECK_ROW(strstr(r.sent[2].entity, attr) != NULL, rows[i]);
        rig_release(&r);
        free(attr);
    }
}

static void test_late_features_are_awaited_at_the_mock(void)
{
    static const enum mock_features rows[] = {
        MOCK_FEATURES_CREATION, MOCK_FEATURES_NEXT, MOCK_FEATURES_POLLED};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mock_options o = mock_options_default();
        struct rig r;

        o.features = rows[i];
        rig_init(&r);
        rig_login(&r, "s");
        rig_play(&r, o);
        CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
        rig_release(&r);
    }
}

static void test_a_polling_login_at_the_mock_is_no_policy_violation(void)
{
    struct rig r;
    struct step *st;

    rig_init(&r);
    st = rig_login(&r, "s");
    step_attr(st, "wait", "0");
    step_attr(st, "hold", "0");
    rig_request(&r, "ping", "s",
                "<iq xmlns='jabber:client' type='get' id='p'>"
                "<ping xmlns='urn:xmpp:ping'/></iq>");
    rig_drain(&r, "$s/down/c:iq[@id = 'p']", 60000);
    rig_play(&r, mock_options_default());
    CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
    rig_release(&r);
}

static void test_a_wrong_password_is_told(void)
{
    struct rig r;

    rig_init(&r);
    rig_login(&r, "s")->account = 2;
    rig_play(&r, mock_options_default());
    CHECK_INT(play_how(r.play), PLAY_ERROR);
    CHECK_STR(play_because(r.play), "login failed: SASL PLAIN: not-authorized");
    rig_release(&r);
}

static void test_a_message_to_oneself_comes_back_by_drain(void)
{
    struct rig r;

    rig_init(&r);
    step_attr(rig_login(&r, "s"), "wait", "10");
    rig_request(&r, "m", "s",
                "<message xmlns='jabber:client' to='{$s/@jid}' type='chat' "
                "id='m1'><body>1</body></message>");
    rig_drain(&r, "$s/down/c:message[@id = 'm1']", 15000);
    rig_play(&r, mock_options_default());
    CHECK_ROW(play_how(r.play) == PLAY_DONE, play_because(r.play));
    rig_release(&r);
}

int suite_play_server(void)
{
    static const struct {
        const char *name;
        CU_TestFunc test;
    } tests[] = {
        {"a body is written as it is asked for",
         test_a_body_is_written_as_it_is_asked_for},
        {"a case replaces our headers", test_a_case_replaces_our_headers},
        {"a rid is digits that fit", test_a_rid_is_digits_that_fit},
        {"the strongest mechanism left is picked",
         test_the_strongest_mechanism_left_is_picked},
        {"a login leaves nothing open", test_a_login_leaves_nothing_open},
        {"late features, success and result are polled for",
         test_late_features_success_and_result_are_polled_for},
        {"a session is established only when it must be",
         test_a_session_is_established_only_when_it_must_be},
        {"a weaker mechanism is tried after a refusal",
         test_a_weaker_mechanism_is_tried_after_a_refusal},
        {"a failed login says what came", test_a_failed_login_says_what_came},
        {"a limit during the login is said to be one",
         test_a_limit_during_the_login_is_said_to_be_one},
        {"a login does not wait for ever", test_a_login_does_not_wait_for_ever},
        {"a polling session is not hurried",
         test_a_polling_session_is_not_hurried},
        {"requests take the next rid and may leave a gap",
         test_requests_take_the_next_rid_and_may_leave_a_gap},
        {"a request carries what the case sets",
         test_a_request_carries_what_the_case_sets},
        {"raw entities are sent as they are",
         test_raw_entities_are_sent_as_they_are},
        {"a request may drip and stop", test_a_request_may_drip_and_stop},
        {"a resend has the same bytes", test_a_resend_has_the_same_bytes},
        {"a resend of nothing is an error",
         test_a_resend_of_nothing_is_an_error},
        {"a creation ends whatever comes", test_a_creation_ends_whatever_comes},
        {"an unknown session is an error", test_an_unknown_session_is_an_error},
        {"a drain polls one at a time", test_a_drain_polls_one_at_a_time},
        {"a drain in vain ends the play", test_a_drain_in_vain_ends_the_play},
        {"a drain keeps out of the way of what is open",
         test_a_drain_keeps_out_of_the_way_of_what_is_open},
        {"a broken poll is sent again with its rid",
         test_a_broken_poll_is_sent_again_with_its_rid},
        {"keep-polling goes on until the play ends",
         test_keep_polling_goes_on_until_the_play_ends},
        {"keep-polling ends with the session",
         test_keep_polling_ends_with_the_session},
        {"sign-off ends what is alive", test_sign_off_ends_what_is_alive},
        {"sign-off spares the dead and does not wait for ever",
         test_sign_off_spares_the_dead_and_does_not_wait_for_ever},
        {"sign-off catches a creation on its way",
         test_sign_off_catches_a_creation_on_its_way},
        {"every mechanism logs in at the mock",
         test_every_mechanism_logs_in_at_the_mock},
        {"late features are awaited at the mock",
         test_late_features_are_awaited_at_the_mock},
        {"a polling login at the mock is no policy-violation",
         test_a_polling_login_at_the_mock_is_no_policy_violation},
        {"a wrong password is told", test_a_wrong_password_is_told},
        {"a message to oneself comes back by drain",
         test_a_message_to_oneself_comes_back_by_drain},
    };
    CU_pSuite suite = CU_add_suite("play_server", NULL, NULL);

    for (size_t i = 0; suite && i < sizeof tests / sizeof *tests; i++) {
        if (!CU_add_test(suite, tests[i].name, tests[i].test))
            return -1;
    }
    return suite ? 0 : -1;
}
