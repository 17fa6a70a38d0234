/* A play in the server role for tests: see playrig.h. */
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "harness/raw_body.h"
#include "playrig.h"
#include "tests/check.h"

static uint64_t chance(void *ctx)
{
    struct playrig *r = ctx;

    r->chance = r->chance * UINT64_C(6364136223846793005) + 1442695041;
    return r->chance >> 8;
}

void playrig_chance_bytes(void *ctx, void *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = (unsigned char)chance(ctx);
}

static unsigned do_request(void *stage, const char *conn,
                           const struct delivery *plan)
{
    struct playrig *r = stage;
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
    struct playrig *r = stage;

    r->aborted = x;
    r->aborted_how = how;
}

static void add_event(void *ctx, const struct event *ev)
{
    event_write(&((struct playrig *)ctx)->log, ev);
}

static const struct stage_ops ops = {
    .request = do_request,
    .abort = do_abort,
};

static const struct account accounts[] = {{"alice@localhost", "secret"},
                                          {"eve@localhost", "wrong"}};

void playrig_init(struct playrig *r)
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

struct step *playrig_step(struct playrig *r, enum step_kind kind)
{
    struct step *st = &r->steps[r->tc.step_count++];

    st->kind = kind;
    st->line = (int)(10 + r->tc.step_count);
    st->within.ms = st->until.ms = st->send_every.ms = -1;
    st->entity_after.ms = -1;
    st->stop_after_bytes = -1;
    st->http_minor = 1;
    st->account = 1;
    return st;
}

struct avt *playrig_avt(const char *text)
{
    return avt_new(text, "test", 1, NULL);
}

void playrig_attr(struct step *st, const char *name, const char *value)
{
    st->attrs = mem_grow(st->attrs, (st->attr_count + 1) * sizeof *st->attrs);
    st->attrs[st->attr_count].name = mem_dup(name);
    st->attrs[st->attr_count++].value = value ? playrig_avt(value) : NULL;
}

void playrig_header(struct step *st, const char *name, const char *value)
{
    st->options =
        mem_grow(st->options, (st->option_count + 1) * sizeof *st->options);
    st->options[st->option_count].name = mem_dup(name);
    st->options[st->option_count++].value = playrig_avt(value);
}

struct step *playrig_login(struct playrig *r, const char *as)
{
    struct step *st = playrig_step(r, STEP_LOGIN);

    st->as = (char *)as;
    return st;
}

struct step *playrig_request(struct playrig *r, const char *as,
                             const char *session, const char *payload)
{
    struct step *st = playrig_step(r, STEP_REQUEST);

    st->as = (char *)as;
    st->session = (char *)session;
    st->payload.text = payload ? playrig_avt(payload) : NULL;
    return st;
}

struct step *playrig_await(struct playrig *r, const char *expr, int64_t ms)
{
    struct step *st = playrig_step(r, STEP_AWAIT);

    st->expr = expr_new(expr, "test", 1, NULL);
    st->within.ms = ms;
    return st;
}

void playrig_start(struct playrig *r)
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

void playrig_release(struct playrig *r)
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

void playrig_answer_http(struct playrig *r, int status, const char *type,
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
void playrig_answer(struct playrig *r, const char *entity)
{
    playrig_answer_http(r, 200, "text/xml; charset=utf-8", entity);
}

void playrig_close(struct playrig *r)
{
    r->sent[r->count].answered = true;
    play_response(r->play, r->now_ms, r->count, "", 0, PLAY_NONE,
                  "closed without an answer");
}

/* Let time pass, deadline by deadline. */
void playrig_pass(struct playrig *r, int64_t ms)
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

const char *playrig_last(const struct playrig *r)
{
    return r->count && r->sent[r->count].entity ? r->sent[r->count].entity : "";
}

bool playrig_last_has(const struct playrig *r, const char *text)
{
    return strstr(playrig_last(r), text) != NULL;
}

/* An attribute of the <body/> of exchange x; yours. */
char *playrig_attr_of(const struct playrig *r, unsigned x, const char *name)
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

uint64_t playrig_rid_of(const struct playrig *r, unsigned x)
{
    char *text = playrig_attr_of(r, x, "rid");
    uint64_t rid = raw_rid(text);

    free(text);
    return rid;
}

/* A login by hand up to the bind request. */
void playrig_hand_login_to_bind(struct playrig *r, const char *features)
{
    playrig_answer(r, CREATED(">") FEATURES_SASL(PLAIN) "</body>");
    playrig_answer(r, BODY(SUCCESS));
    playrig_answer(r, features);
}

/* The result of the iq that was sent last. */
void playrig_answer_iq(struct playrig *r, const char *type, const char *inside)
{
    const char *id = strstr(playrig_last(r), " id='");
    char *body;

    CHECK(id != NULL);
    id = id ? id + 5 : "";
    body = mem_printf("<body " NS "><iq xmlns='jabber:client' type='%s' "
                      "id='%.*s'>%s</iq></body>",
                      type, (int)strcspn(id, "'"), id, inside);
    playrig_answer(r, body);
    free(body);
}

void playrig_hand_login(struct playrig *r)
{
    playrig_hand_login_to_bind(r, BODY(FEATURES_BIND("")));
    playrig_answer_iq(r, "result", BOUND);
}

void playrig_drain(struct playrig *r, const char *expr, int64_t ms)
{
    struct step *st = playrig_step(r, STEP_DRAIN);

    st->session = (char *)"s";
    st->expr = expr_new(expr, "test", 1, NULL);
    st->within.ms = ms;
}
