/* A shim around the mock's core: see server_shim.h. */
#include "server_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http.h"
#include "entity.h"
#include "twins.h"

/* Requests of the twin's own have tokens from here on. */
#define OWN_TOKENS (UINT64_C(1) << 48)
#define MAX_CREATIONS 64

/* An answer that waits for its time. */
struct outgoing {
    struct outgoing *next;
    int64_t due_ms;
    uint64_t token;
    int status;
    char *content_type;
    char lengths[2][24]; /* of Content-Length; "": the stage's own */
    struct buf body;
};

struct server_shim {
    struct server_peer base;
    struct server_peer *inner;
    const struct server_hooks *hooks;
    struct server_session *sessions;
    struct outgoing *out;   /* by due time */
    struct outgoing *taken; /* lent to the caller */
    struct mock_header headers[3];
    struct creation {
        uint64_t token;
        struct buf asked;
    } creations[MAX_CREATIONS]; /* without an answer yet */
    size_t creation_count;
    uint64_t own_token;
};

static struct server_shim *shim(struct server_peer *sp)
{
    return (struct server_shim *)sp;
}

/* ---- sessions ---- */

static struct server_session *find_session(const struct server_shim *ss,
                                           const char *sid)
{
    struct server_session *s = sid ? ss->sessions : NULL;

    while (s && strcmp(s->sid, sid) != 0)
        s = s->next;
    return s;
}

struct server_session *server_shim_newest(const struct server_shim *ss)
{
    return ss->sessions;
}

static struct call *find_token(const struct server_session *s, uint64_t token)
{
    for (unsigned i = 0; i < s->call_count; i++) {
        if (s->calls[i].token == token)
            return &s->calls[i];
    }
    return NULL;
}

struct call *server_session_call(const struct server_session *s, uint64_t rid)
{
    for (unsigned i = s->call_count; i-- > 0;) {
        if (s->calls[i].rid == rid)
            return &s->calls[i];
    }
    return NULL;
}

struct call *server_session_first_call(const struct server_session *s,
                                       uint64_t rid)
{
    for (unsigned i = 0; i < s->call_count; i++) {
        if (s->calls[i].rid == rid)
            return &s->calls[i];
    }
    return NULL;
}

struct call *server_session_higher_open(const struct server_session *s,
                                        uint64_t rid)
{
    for (unsigned i = 0; i < s->call_count; i++) {
        if (s->calls[i].rid > rid && !s->calls[i].answered)
            return &s->calls[i];
    }
    return NULL;
}

uint64_t shim_session_answered(const struct server_session *s)
{
    uint64_t highest = 0;

    for (unsigned i = 0; i < s->call_count; i++) {
        if (s->calls[i].answered && s->calls[i].rid > highest)
            highest = s->calls[i].rid;
    }
    return highest;
}

/* asked is taken. */
static void add_session(struct server_shim *ss, const char *sid, uint64_t rid,
                        struct buf *asked)
{
    struct server_session *s = mem_alloc(sizeof *s);

    s->asked = *asked;
    *asked = (struct buf)BUF_INIT;

    s->sid = mem_dup(sid);
    s->first = s->low = rid;
    s->next = ss->sessions;
    ss->sessions = s;
}

static bool rid_answered(const struct server_session *s, uint64_t rid)
{
    for (unsigned i = 0; i < s->call_count; i++) {
        if (s->calls[i].rid == rid && s->calls[i].answered)
            return true;
    }
    return false;
}

/* What the books say of a request; then it is in them. */
static void book(struct server_request *r)
{
    struct server_session *s = r->session;
    struct call *before = server_session_call(s, r->rid);
    struct call *c;

    r->repeat = before || r->rid == s->first;
    r->answered = rid_answered(s, r->rid);
    r->early = !r->repeat && r->rid > s->low + 1;
    s->calls = mem_grow(s->calls, (s->call_count + 1) * sizeof *s->calls);
    c = &s->calls[s->call_count++];
    memset(c, 0, sizeof *c);
    c->token = c->to = r->token;
    c->rid = c->inner_rid = r->rid;
    c->order = s->call_count;
    c->terminate = r->terminate;
    c->pause = r->pause;
    while (server_session_call(s, s->low + 1))
        s->low++;
}

/* ---- answers ---- */

static void queue(struct server_shim *ss, const struct server_answer *a)
{
    struct outgoing **at = &ss->out;
    struct outgoing *o = mem_alloc(sizeof *o);

    while (*at && (*at)->due_ms <= a->due_ms)
        at = &(*at)->next;
    o->due_ms = a->due_ms;
    o->token = a->token;
    o->status = a->status;
    o->content_type = mem_dup(a->content_type);
    for (size_t i = 0; a->two_lengths && i < 2; i++)
        snprintf(o->lengths[i], sizeof o->lengths[i], "%zu",
                 a->body.len + 2 * i);
    buf_add(&o->body, buf_str(&a->body), a->body.len);
    o->next = *at;
    *at = o;
}

static void outgoing_free(struct outgoing *o)
{
    if (!o)
        return;
    free(o->content_type);
    buf_release(&o->body);
    free(o);
}

void server_shim_answer(struct server_shim *ss, int64_t now_ms, uint64_t token,
                        int status, const struct buf *body)
{
    const struct server_answer a = {.due_ms = now_ms,
                                    .token = token,
                                    .status = status,
                                    .content_type = "text/xml; charset=utf-8",
                                    .body = *body};

    queue(ss, &a);
}

void server_shim_answer_empty(struct server_shim *ss, int64_t now_ms,
                              uint64_t token, const char *type)
{
    struct buf body = BUF_INIT;

    entity_empty(&body, type);
    server_shim_answer(ss, now_ms, token, 200, &body);
    buf_release(&body);
}

bool server_shim_take_back(struct server_shim *ss, uint64_t token,
                           struct buf *payload)
{
    for (struct outgoing *o = ss->out; o; o = o->next) {
        if (o->token != token || !entity_has_payload(&o->body))
            continue;
        entity_take_payload(&o->body, payload);
        return true;
    }
    return false;
}

/* What was asked goes to the caller. */
static bool take_creation(struct server_shim *ss, uint64_t token,
                          struct buf *asked)
{
    for (size_t i = 0; i < ss->creation_count; i++) {
        if (ss->creations[i].token != token)
            continue;
        *asked = ss->creations[i].asked;
        ss->creations[i] = ss->creations[--ss->creation_count];
        return true;
    }
    return false;
}

static const char *content_type_of(const struct mock_answer *from)
{
    for (size_t i = 0; i < from->header_count; i++) {
        if (strcmp(from->headers[i].name, "Content-Type") == 0)
            return from->headers[i].value;
    }
    return "";
}

/* The session that an answer belongs to, which it may have made. */
static void place_answer(struct server_shim *ss, struct server_answer *a,
                         const char *sid)
{
    char *made = entity_attr(&a->body, "sid");
    struct buf asked = BUF_INIT;

    a->creation = take_creation(ss, a->token, &asked) && made;
    if (a->creation)
        add_session(ss, made, a->rid, &asked);
    buf_release(&asked);
    a->session = find_session(ss, a->creation ? made : sid);
    if (a->session)
        a->call = find_token(a->session, a->token);
    free(made);
}

static void fetch_answer(struct server_shim *ss, int64_t now_ms,
                         const struct mock_answer *from)
{
    char *content_type = mem_dup(content_type_of(from));
    struct server_answer a = {.now_ms = now_ms,
                              .due_ms = now_ms,
                              .token = from->token,
                              .rid = from->rid,
                              .status = from->status,
                              .content_type = content_type,
                              .replay = from->replay,
                              .own = from->token > OWN_TOKENS};

    buf_add(&a.body, from->body, from->body_len);
    place_answer(ss, &a, from->sid);
    if (a.session) {
        a.session->last_ms = now_ms;
        a.session->over |= entity_has(&a.body, "type", "terminate");
    }
    if (a.call) {
        a.call->answered = true;
        a.token = a.call->to;
    }
    if ((!ss->hooks->answer || ss->hooks->answer(ss, &a)) && !a.own)
        queue(ss, &a);
    buf_release(&a.body);
    free(content_type);
}

static void fetch_answers(struct server_shim *ss, int64_t now_ms)
{
    struct mock_answer from;

    while (ss->inner->ops->next_answer(ss->inner, now_ms, &from))
        fetch_answer(ss, now_ms, &from);
}

static size_t write_headers(struct server_shim *ss, const struct outgoing *o)
{
    size_t count = 0;

    if (*o->content_type) {
        ss->headers[count].name = "Content-Type";
        ss->headers[count++].value = o->content_type;
    }
    for (size_t i = 0; i < 2 && o->lengths[i][0]; i++) {
        ss->headers[count].name = "Content-Length";
        ss->headers[count++].value = o->lengths[i];
    }
    return count;
}

static int shim_next_answer(struct server_peer *sp, int64_t now_ms,
                            struct mock_answer *out)
{
    struct server_shim *ss = shim(sp);
    struct outgoing *o;

    fetch_answers(ss, now_ms);
    o = ss->out;
    if (!o || o->due_ms > now_ms)
        return 0;
    ss->out = o->next;
    outgoing_free(ss->taken);
    ss->taken = o;
    memset(out, 0, sizeof *out);
    out->token = o->token;
    out->status = o->status;
    out->reason = http_reason(o->status);
    out->headers = ss->headers;
    out->header_count = write_headers(ss, o);
    out->body = buf_str(&o->body);
    out->body_len = o->body.len;
    out->sid = "";
    return 1;
}

/* ---- requests ---- */

static void to_core(struct server_shim *ss, int64_t now_ms, uint64_t token,
                    const struct buf *body)
{
    struct mock_request req = {.method = "POST",
                               .path = "/http-bind",
                               .body = buf_str(body),
                               .body_len = body->len};

    ss->inner->ops->request(ss->inner, now_ms, &req, token);
}

void server_shim_pass(struct server_shim *ss, const struct server_request *r)
{
    to_core(ss, r->now_ms, r->token, &r->body);
}

void server_shim_inject(struct server_shim *ss, int64_t now_ms,
                        const struct buf *body)
{
    to_core(ss, now_ms, OWN_TOKENS + ++ss->own_token, body);
}

void server_shim_forget(struct server_shim *ss, int64_t now_ms, uint64_t token)
{
    ss->inner->ops->gone(ss->inner, now_ms, token);
}

static void note_creation(struct server_shim *ss,
                          const struct server_request *r)
{
    struct creation *c;

    if (ss->creation_count == MAX_CREATIONS)
        return;
    c = &ss->creations[ss->creation_count++];
    c->token = r->token;
    c->asked = (struct buf)BUF_INIT;
    buf_add(&c->asked, buf_str(&r->body), r->body.len);
}

static void take_post(struct server_shim *ss, int64_t now_ms,
                      const struct mock_request *req, uint64_t token)
{
    struct server_request r = {.now_ms = now_ms, .token = token};
    char *sid, *pause;

    buf_add(&r.body, req->body, req->body_len);
    sid = entity_attr(&r.body, "sid");
    r.rid = entity_number(&r.body, "rid");
    r.terminate = entity_has(&r.body, "type", "terminate");
    pause = entity_attr(&r.body, "pause");
    r.pause = pause != NULL;
    r.creation = !sid;
    r.session = find_session(ss, sid);
    if (r.session)
        book(&r);
    if (!ss->hooks->request || ss->hooks->request(ss, &r)) {
        free(sid);
        sid = entity_attr(&r.body, "sid"); /* the twin may have changed it */
        if (!sid)
            note_creation(ss, &r);
        server_shim_pass(ss, &r);
    }
    if (r.session)
        r.session->last_ms = now_ms;
    buf_release(&r.body);
    free(pause);
    free(sid);
}

static void shim_request(struct server_peer *sp, int64_t now_ms,
                         const struct mock_request *req, uint64_t token)
{
    struct server_shim *ss = shim(sp);

    if (strcmp(req->method, "POST") == 0 &&
        memchr(req->body, '\0', req->body_len) == NULL)
        take_post(ss, now_ms, req, token);
    else
        ss->inner->ops->request(ss->inner, now_ms, req, token);
}

static void shim_gone(struct server_peer *sp, int64_t now_ms, uint64_t token)
{
    server_shim_forget(shim(sp), now_ms, token);
}

static int64_t shim_deadline_ms(struct server_peer *sp)
{
    struct server_shim *ss = shim(sp);
    int64_t first = ss->inner->ops->deadline_ms(ss->inner);

    return ss->out && ss->out->due_ms < first ? ss->out->due_ms : first;
}

static void shim_tick(struct server_peer *sp, int64_t now_ms)
{
    struct server_shim *ss = shim(sp);

    ss->inner->ops->tick(ss->inner, now_ms);
}

static void shim_free(struct server_peer *sp)
{
    struct server_shim *ss = shim(sp);

    while (ss->sessions) {
        struct server_session *s = ss->sessions;

        ss->sessions = s->next;
        buf_release(&s->carry);
        buf_release(&s->asked);
        for (unsigned i = 0; i < s->call_count; i++)
            buf_release(&s->calls[i].given);
        free(s->calls);
        free(s->sid);
        free(s);
    }
    while (ss->out) {
        struct outgoing *o = ss->out;

        ss->out = o->next;
        outgoing_free(o);
    }
    for (size_t i = 0; i < ss->creation_count; i++)
        buf_release(&ss->creations[i].asked);
    outgoing_free(ss->taken);
    ss->inner->ops->free(ss->inner);
    free(ss);
}

static const struct server_peer_ops shim_ops = {
    .request = shim_request,
    .next_answer = shim_next_answer,
    .gone = shim_gone,
    .deadline_ms = shim_deadline_ms,
    .tick = shim_tick,
    .free = shim_free,
};

struct server_peer *server_shim_new(const struct server_hooks *hooks)
{
    struct server_shim *ss = mem_alloc(sizeof *ss);
    struct mock_options options = mock_options_default();

    if (hooks->options)
        hooks->options(&options);
    ss->base.ops = &shim_ops;
    ss->hooks = hooks;
    ss->inner = peer_mock(&options);
    return &ss->base;
}
