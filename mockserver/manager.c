/* The mock's public calls, HTTP methods and time: see mock.h, manager.h. */
#include "manager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"

#define DEFAULT_CONTENT_TYPE "text/xml; charset=utf-8"
#define TEXT_CONTENT_TYPE "text/plain; charset=utf-8"
#define GREETING "This is a BOSH connection manager for tests. POST to it.\n"
#define ALLOWED_HEADER "Content-Type"

/* ----------------------------------------------------- the server's words */

/* A client that takes nothing for so long that its queue is full is treated
 * as gone. */
bool manager_queue(struct cmstream *st, const char *xml, size_t len)
{
    struct cmsession *s = st->session;

    if (cmstream_queued_len(&s->streams) + len > MOCK_MAX_QUEUE)
        return false;
    cmstream_queue(&s->streams, st, xml, len);
    manager_touch(s->mock, s);
    return true;
}

static void on_stream_error(void *owner, const char *xml, size_t len)
{
    struct cmstream *st = owner;

    multi_server_end(st->session->mock, st, "remote-stream-error", xml, len);
}

static void on_deliver(void *owner, const char *xml, size_t len)
{
    static const char full[] =
        "<stream:error><resource-constraint "
        "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    struct cmstream *st = owner;

    if (st->session->state == MOCK_SESSION_GONE || st->ending)
        return;
    if (!manager_queue(st, xml, len))
        on_stream_error(owner, full, strlen(full));
}

static void on_bound(void *owner)
{
    const struct cmstream *st = owner;

    script_add_bound(st->session->mock, st);
}

static const struct backend_events backend_events = {on_deliver,
                                                     on_stream_error, on_bound};

/* ------------------------------------------------------------- lifecycle */

struct mock *mock_new(const struct mock_options *options)
{
    struct mock *m = mem_alloc(sizeof *m);
    uint64_t seed;

    options_copy(&m->options, options);
    m->options.set.random(m->options.set.random_arg, &seed, sizeof seed);
    keytable_init(&m->by_sid, seed);
    keytable_init(&m->by_token, seed);
    m->backend = backend_new(&m->options.set, &backend_events);
    m->facts_end = &m->facts;
    return m;
}

static void free_all_sessions(struct mock *m)
{
    while (m->first) {
        struct cmsession *next = m->first->next;

        cmsession_free(m->first);
        m->first = next;
    }
}

void mock_free(struct mock *m)
{
    if (!m)
        return;
    free_all_sessions(m);
    backend_free(m->backend);
    script_release(m);
    keytable_release(&m->by_sid);
    keytable_release(&m->by_token);
    deadlines_release(&m->deadlines);
    answer_box_release(&m->box);
    buf_release(&m->scratch);
    buf_release(&m->entity);
    options_release(&m->options);
    free(m);
}

/* -------------------------------------------------------------- sessions */

struct cmsession *manager_find(const struct mock *m, const char *sid)
{
    return keytable_get(&m->by_sid, sid, strlen(sid));
}

void manager_add(struct mock *m, struct cmsession *s)
{
    keytable_put(&m->by_sid, s->sid, strlen(s->sid), s);
    s->prev = m->last;
    if (m->last)
        m->last->next = s;
    else
        m->first = s;
    m->last = s;
    m->live_count++;
}

static void forget_oldest_gone(struct mock *m)
{
    struct cmsession *s = m->first_gone;

    m->first_gone = s->next_gone;
    if (!m->first_gone)
        m->last_gone = NULL;
    m->gone_count--;
    keytable_remove(&m->by_sid, s->sid, strlen(s->sid));
    if (s->prev)
        s->prev->next = s->next;
    else
        m->first = s->next;
    if (s->next)
        s->next->prev = s->prev;
    else
        m->last = s->prev;
    cmsession_free(s);
}

void manager_retire(struct mock *m, struct cmsession *s)
{
    deadlines_set(&m->deadlines, &s->deadline, CLOCK_NEVER);
    cmsession_strip(s);
    if (m->last_gone)
        m->last_gone->next_gone = s;
    else
        m->first_gone = s;
    m->last_gone = s;
    m->live_count--;
    m->gone_count++;
}

void manager_touch(struct mock *m, struct cmsession *s)
{
    if (s->dirty || s->state == MOCK_SESSION_GONE)
        return;
    s->dirty = true;
    s->next_dirty = m->dirty;
    m->dirty = s;
}

/* Sessions that ended during the call are forgotten only now, when nobody up
 * the stack can still hold one. */
void manager_finish_call(struct mock *m)
{
    while (m->dirty) {
        struct cmsession *s = m->dirty;

        m->dirty = s->next_dirty;
        s->dirty = false;
        traffic_answer_ready(m, s);
    }
    while (m->gone_count > MOCK_MAX_GONE)
        forget_oldest_gone(m);
}

/* --------------------------------------------------------------- answers */

const char *manager_content_type(const struct mock *m)
{
    return m->options.set.content_type ? m->options.set.content_type
                                       : DEFAULT_CONTENT_TYPE;
}

static struct answer *add_answer(struct mock *m, uint64_t token, int status,
                                 const char *reason, const char *content_type)
{
    struct answer *a = answer_box_add(&m->box);

    a->token = token;
    a->status = status;
    a->reason = reason;
    a->cors = m->options.set.cors;
    snprintf(a->content_type, sizeof a->content_type, "%s", content_type);
    return a;
}

struct answer *manager_answer(struct mock *m, const struct cmsession *s,
                              uint64_t token, uint64_t rid,
                              struct answer_bytes *body)
{
    struct answer *a = add_answer(
        m, token, 200, "OK", s ? s->content_type : manager_content_type(m));

    a->rid = rid;
    a->body = answer_bytes_keep(body);
    if (s)
        memcpy(a->sid, s->sid, sizeof a->sid);
    return a;
}

void manager_answer_parts(struct mock *m, const struct cmsession *s,
                          uint64_t token, uint64_t rid,
                          const struct answer_parts *parts)
{
    struct answer_bytes *body;

    buf_clear(&m->scratch);
    answer_write(&m->scratch, parts);
    body = answer_bytes_new(m->scratch.data, m->scratch.len);
    manager_answer(m, s, token, rid, body);
    answer_bytes_drop(body);
}

void manager_watch(struct mock *m, struct held *h)
{
    keytable_put(&m->by_token, &h->token, sizeof h->token, h);
}

void manager_unwatch(struct mock *m, struct held *h)
{
    if (keytable_get(&m->by_token, &h->token, sizeof h->token) == h)
        keytable_remove(&m->by_token, &h->token, sizeof h->token);
}

struct answer_bytes *manager_answer_held(struct mock *m, struct held *h,
                                         const struct answer_parts *parts)
{
    struct answer_bytes *body;

    buf_clear(&m->scratch);
    answer_write(&m->scratch, parts);
    body = answer_bytes_new(m->scratch.data, m->scratch.len);
    if (!h->gone)
        manager_answer(m, h->session, h->token, h->rid, body);
    manager_unwatch(m, h);
    return body;
}

/* Text instead of a <body/>. */
static struct answer *answer_text(struct mock *m, uint64_t token, int status,
                                  const char *reason, const char *text)
{
    struct answer *a = add_answer(m, token, status, reason, TEXT_CONTENT_TYPE);

    a->body = answer_bytes_new(text, strlen(text));
    return a;
}

int manager_legacy_code(const char *condition, const char **reason)
{
    static const struct {
        const char *condition;
        int code;
        const char *reason;
    } codes[] = {
        {"bad-request", 400, "Bad Request"},
        {"policy-violation", 403, "Forbidden"},
        {"item-not-found", 404, "Not Found"},
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(codes[i].condition, condition) == 0) {
            *reason = codes[i].reason;
            return codes[i].code;
        }
    }
    return 0;
}

void manager_refuse(struct mock *m, const struct cmsession *s, uint64_t token,
                    uint64_t rid, bool legacy, const char *condition)
{
    const struct answer_parts parts = {.type = "terminate",
                                       .condition = condition};
    const char *reason = NULL;
    int code = legacy ? manager_legacy_code(condition, &reason) : 0;
    struct answer *a;

    if (!code) {
        manager_answer_parts(m, s, token, rid, &parts);
        return;
    }
    a = answer_text(m, token, code, reason, condition);
    a->rid = rid;
    if (s)
        memcpy(a->sid, s->sid, sizeof a->sid);
}

int mock_next_answer(struct mock *m, int64_t now_ms, struct mock_answer *out)
{
    m->now_ms = now_ms;
    return answer_box_take(&m->box, out);
}

/* ------------------------------------------------------------------ HTTP */

const char *manager_header(const struct mock_request *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++) {
        if (strcasecmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    }
    return NULL;
}

/* The path without query, also of an absolute-form target as a proxy sends
 * it. */
static bool is_our_path(const struct mock *m, const char *target)
{
    const char *want = m->options.set.path;
    const char *scheme = strstr(target, "://");
    size_t len, want_len;

    if (!want)
        return true;
    if (*target != '/' && scheme) {
        target = strchr(scheme + strlen("://"), '/');
        if (!target)
            target = "/";
    }
    len = strcspn(target, "?#");
    want_len = strlen(want);
    if (len == want_len + 1 && target[want_len] == '/')
        len--;
    return len == want_len && memcmp(target, want, len) == 0;
}

static bool is_header_text(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    }
    return true;
}

static void answer_preflight(struct mock *m, const struct mock_request *req,
                             uint64_t token)
{
    const char *asked = manager_header(req, "Access-Control-Request-Headers");
    struct answer *a = answer_text(m, token, 200, "OK", "");

    if (!m->options.set.cors) {
        a->allow = true;
        return;
    }
    if (asked && *asked && is_header_text(asked))
        a->allow_headers = mem_dup(asked);
    else
        a->allow_headers = mem_dup(ALLOWED_HEADER);
}

static void take_body(struct mock *m, struct arrival *a)
{
    const char *sid = a->req.sid;
    struct cmsession *s = sid ? manager_find(m, sid) : NULL;

    if (!sid)
        creation_take(m, a);
    else if (s)
        traffic_take(m, s, a);
    else /* nobody knows what the client would understand: A16 */
        manager_refuse(m, NULL, a->token, a->req.rid, m->options.ver_major < 0,
                       "item-not-found");
}

/* HTTP's own words, for what is no <body/> yet: RFC 9110 §15.5. */
static bool refuse_coding(struct mock *m, uint64_t token, int status)
{
    const char *offered = m->options.set.accept;

    if (status == 415)
        answer_text(m, token, status, "Unsupported Media Type",
                    "this content coding was not offered\n")
            ->codings = offered ? offered : "identity";
    else if (status == 413)
        answer_text(m, token, status, "Content Too Large", "too big\n");
    else
        return false;
    return true;
}

static void take_post(struct mock *m, const struct mock_request *req,
                      uint64_t token)
{
    struct arrival a = {.token = token, .tls = req->tls};
    const char *body;
    size_t len;
    int wrong = codings_undo(m, req, &body, &len);

    if (refuse_coding(m, token, wrong))
        return;
    if (wrong || request_read(&a.req, body, len, NULL) < 0) {
        manager_refuse(m, NULL, token, 0, m->options.ver_major < 0,
                       "bad-request");
        return;
    }
    take_body(m, &a);
    request_release(&a.req);
}

void mock_request(struct mock *m, int64_t now_ms,
                  const struct mock_request *req, uint64_t token)
{
    m->now_ms = now_ms;
    if (!is_our_path(m, req->path))
        answer_text(m, token, 404, "Not Found", "nothing here\n");
    else if (strcmp(req->method, "POST") == 0)
        take_post(m, req, token);
    else if (strcmp(req->method, "OPTIONS") == 0)
        answer_preflight(m, req, token);
    else if (strcmp(req->method, "GET") == 0 ||
             strcmp(req->method, "HEAD") == 0)
        answer_text(m, token, 200, "OK", GREETING);
    else
        answer_text(m, token, 405, "Method Not Allowed", "POST is meant\n")
            ->allow = true;
    manager_finish_call(m);
}

void mock_gone(struct mock *m, int64_t now_ms, uint64_t token)
{
    struct held *h = keytable_get(&m->by_token, &token, sizeof token);

    m->now_ms = now_ms;
    if (!h)
        return;
    keytable_remove(&m->by_token, &token, sizeof token);
    h->gone = true;
}

/* ------------------------------------------------------------------ time */

int64_t mock_deadline_ms(const struct mock *m)
{
    const struct deadline *d = deadlines_first(&m->deadlines);

    return d ? d->at_ms : CLOCK_NEVER;
}

void mock_tick(struct mock *m, int64_t now_ms)
{
    struct deadline *d;

    m->now_ms = now_ms;
    while ((d = deadlines_first(&m->deadlines)) && d->at_ms <= now_ms)
        traffic_time_passed(m, (struct cmsession *)d);
    manager_finish_call(m);
}
