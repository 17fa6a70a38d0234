/* The raw client's exchanges and sessions: see play_sessions.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "play_sessions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/xml.h"

/* Two clocks and a network lie between our interval and the manager's. */
#define POLLING_MARGIN_MS 250
/* A manager that answers polls at once and empty is not flooded. */
#define IDLE_GAP_MS 100
/* A poll beside something that is open already, where no 'polling' is known. */
#define BESIDE_GAP_MS 1000
/* A broken poll is sent again this often, each time after a longer rest. */
#define MAX_FAILURES 3
#define FAILURE_GAP_MS 500
/* A request that drips a byte at a time has at most so many pieces. */
#define MAX_PIECES 4096

void sessions_free(struct play_server *ps)
{
    while (ps->sessions) {
        struct raw_session *s = ps->sessions;

        ps->sessions = s->next;
        free(s->handle);
        free(s->sid);
        free(s);
    }
    for (size_t i = 0; i < ps->exchange_count; i++) {
        free(ps->exchanges[i].bytes);
        free(ps->exchanges[i].method);
    }
    free(ps->exchanges);
    journal_free(ps->after);
}

struct journal *sessions_journal(const struct play *p)
{
    return p->server->after ? p->server->after : p->journal;
}

static struct raw_exchange *exchange_at(struct play_server *ps, unsigned x)
{
    return x < ps->exchange_count && ps->exchanges[x].bytes ? &ps->exchanges[x]
                                                            : NULL;
}

const struct raw_exchange *sessions_exchange(const struct play_server *ps,
                                             unsigned x)
{
    return x < ps->exchange_count && ps->exchanges[x].bytes ? &ps->exchanges[x]
                                                            : NULL;
}

bool sessions_open(const struct play_server *ps, unsigned x)
{
    const struct raw_exchange *ex = sessions_exchange(ps, x);

    return ex && ex->open;
}

/* A place for a new exchange; one of that number is overwritten never. */
static struct raw_exchange *exchange_new(struct play_server *ps, unsigned x)
{
    if (x >= ps->exchange_count) {
        size_t count = (size_t)x + 1;

        ps->exchanges = mem_grow(ps->exchanges, count * sizeof *ps->exchanges);
        memset(ps->exchanges + ps->exchange_count, 0,
               (count - ps->exchange_count) * sizeof *ps->exchanges);
        ps->exchange_count = count;
    }
    return &ps->exchanges[x];
}

/* ---- sessions ---- */

static struct raw_session *session_new(struct play_server *ps)
{
    struct raw_session *s = mem_alloc(sizeof *s);

    s->polling_ms = -1;
    s->next = ps->sessions;
    ps->sessions = s;
    return s;
}

static struct raw_session *session_by_sid(const struct play_server *ps,
                                          const char *sid)
{
    for (struct raw_session *s = ps->sessions; s; s = s->next) {
        if (s->sid && strcmp(s->sid, sid) == 0)
            return s;
    }
    return NULL;
}

static struct raw_session *session_by_creation(const struct play_server *ps,
                                               unsigned x)
{
    for (struct raw_session *s = ps->sessions; s; s = s->next) {
        if (s->creation == x)
            return s;
    }
    return NULL;
}

/* A handle that an await bound: its last session. */
static struct raw_session *session_by_node(struct play *p, const char *handle)
{
    xmlXPathObjectPtr value = journal_variable(p->journal, handle);
    const char *creation = NULL;

    if (value && value->type == XPATH_NODESET && value->nodesetval) {
        for (int i = 0; i < value->nodesetval->nodeNr; i++) {
            const xmlNode *node = value->nodesetval->nodeTab[i];

            if (node->type == XML_ELEMENT_NODE && xml_is(node, NULL, "s"))
                creation = xml_attr(node, NULL, "create");
        }
    }
    xmlXPathFreeObject(value);
    return creation ? session_by_creation(p->server,
                                          (unsigned)strtoul(creation, NULL, 10))
                    : NULL;
}

struct raw_session *sessions_find(struct play *p, const char *handle)
{
    for (struct raw_session *s = p->server->sessions; s; s = s->next) {
        if (s->handle && handle && strcmp(s->handle, handle) == 0)
            return s;
    }
    return handle ? session_by_node(p, handle) : NULL;
}

/* Take the rids that follow low without a gap into it. */
static void close_gaps(struct raw_session *s)
{
    for (size_t i = 0; i < s->above_count;) {
        if (s->above[i] > s->low + 1) {
            i++;
            continue;
        }
        if (s->above[i] == s->low + 1)
            s->low++;
        s->above[i] = s->above[--s->above_count];
        i = 0;
    }
}

static void use_rid(struct raw_session *s, uint64_t rid)
{
    if (rid > s->top)
        s->top = rid;
    if (rid <= s->low)
        return;
    if (s->above_count < SESSION_MAX_ABOVE)
        s->above[s->above_count++] = rid;
    close_gaps(s);
}

void sessions_address(const struct raw_session *s, struct raw_body *b)
{
    char rid[24];

    snprintf(rid, sizeof rid, "%" PRIu64, s->top + 1);
    raw_body_set(b, "rid", rid);
    raw_body_set(b, "sid", s->sid);
}

/* ---- sending ---- */

/* Up to where a request is sent before it rests: its end, if it does not. */
static size_t head_len(const struct sending *how, const char *bytes, size_t len)
{
    const char *end =
        how->entity_after_ms > 0 ? memmem(bytes, len, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - bytes) + 4 : len;
}

static void plan_bytes(struct delivery *plan, const struct sending *how,
                       const char *bytes, size_t len)
{
    size_t head = head_len(how, bytes, len);
    size_t step = len;

    delivery_init(plan);
    if (how->every_ms > 0)
        step = (len + MAX_PIECES - 1) / MAX_PIECES;
    for (size_t at = 0, size; at < len; at += size) {
        size_t end = at < head ? head : len;

        size = end - at < step ? end - at : step;
        delivery_add(plan,
                     at == 0      ? 0
                     : at == head ? how->entity_after_ms
                                  : how->every_ms,
                     bytes + at, size);
    }
}

static void log_request(struct play *p, int64_t now_ms, unsigned x,
                        const char *method, bool whole, const char *bytes,
                        size_t len)
{
    struct event ev;

    event_init(&ev, "req");
    event_setf(&ev, "x", "%u", x);
    if (p->ops->conn)
        event_setf(&ev, "conn", "%u", p->ops->conn(p->stage, x));
    event_set(&ev, "arrived", whole ? "whole" : "part");
    event_set(&ev, "method", method);
    ev.data = bytes;
    ev.data_len = len;
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

/* Put bytes on the wire and remember them. Takes bytes and method over. */
static struct raw_exchange *send_bytes(struct play *p, int64_t now_ms,
                                       const struct sending *how, char *bytes,
                                       size_t len, char *method, unsigned *x)
{
    struct raw_exchange *ex;
    struct delivery plan;
    size_t sent = how->stop_after >= 0 && (uint64_t)how->stop_after < len
                      ? (size_t)how->stop_after
                      : len;

    plan_bytes(&plan, how, bytes, sent);
    *x = p->ops->request(p->stage, how->conn, &plan);
    delivery_release(&plan);
    log_request(p, now_ms, *x, method, sent == len, bytes, sent);
    ex = exchange_new(p->server, *x);
    free(ex->bytes);
    free(ex->method);
    memset(ex, 0, sizeof *ex);
    ex->bytes = bytes;
    ex->len = len;
    ex->method = method;
    ex->open = true;
    return ex;
}

/* What goes out, in full; yours. */
static char *write_request(const struct play *p, const struct sending *how,
                           const char *entity, size_t len, size_t *bytes_len)
{
    struct raw_request request = {
        .method = how->method,
        .target = how->path ? how->path : p->setting->path,
        .host = p->setting->host_header,
        .minor = how->minor,
        .chunks = how->chunks,
        .coding = how->coding,
        .headers = how->headers,
        .header_count = how->header_count,
        .entity = entity,
        .entity_len = len,
    };
    struct buf bytes = BUF_INIT;

    if (how->whole)
        buf_add(&bytes, entity, len);
    else
        raw_request_write(&bytes, &request);
    *bytes_len = bytes.len;
    return buf_take(&bytes);
}

/* Of bytes that the case wrote itself, as far as they have one. */
static char *method_of(const struct sending *how, const char *entity,
                       size_t len)
{
    size_t n = 0;

    if (!how->whole)
        return mem_dup(how->method ? how->method : "POST");
    while (n < len && n < 32 && http_is_token_char((unsigned char)entity[n]))
        n++;
    return mem_dupn(entity, n);
}

/* Book an exchange in its session; s NULL: none. */
static void book(struct raw_exchange *ex, struct raw_session *s, int64_t now_ms,
                 unsigned x)
{
    ex->session = s;
    if (!s)
        return;
    s->open++;
    s->last_sent_ms = now_ms;
    s->idle_answer = false;
    if (ex->terminate)
        s->farewell = x;
}

unsigned sessions_send(struct play *p, int64_t now_ms,
                       const struct sending *how, const char *entity,
                       size_t len)
{
    struct raw_session *s = NULL;
    struct raw_exchange *ex;
    struct raw_facts facts;
    size_t bytes_len;
    char *bytes = write_request(p, how, entity, len, &bytes_len);
    unsigned x;

    ex = send_bytes(p, now_ms, how, bytes, bytes_len,
                    method_of(how, entity, len), &x);
    /* with another method it is no request of a session, §5 */
    raw_facts_read(&facts, entity, strcmp(ex->method, "POST") ? 0 : len);
    ex->empty = facts.empty;
    ex->terminate = facts.terminate;
    ex->creation = facts.is_body && !facts.sid;
    if (facts.sid)
        s = session_by_sid(p->server, facts.sid);
    else if (ex->creation)
        s = session_new(p->server);
    if (s && ex->creation) {
        s->creation = x;
        s->low = s->top = facts.rid;
    } else if (s && how->stop_after < 0) {
        use_rid(s, facts.rid); /* a request cut short uses none up */
    }
    book(ex, s, now_ms, x);
    raw_facts_release(&facts);
    return x;
}

unsigned sessions_resend(struct play *p, int64_t now_ms,
                         const struct sending *how, unsigned x)
{
    struct raw_exchange first = *exchange_at(p->server, x);
    struct raw_session *s = first.session;
    struct raw_exchange *ex;
    unsigned copy;

    ex = send_bytes(p, now_ms, how, mem_dupn(first.bytes, first.len), first.len,
                    mem_dup(first.method), &copy);
    ex->empty = first.empty;
    ex->terminate = first.terminate;
    ex->creation = first.creation;
    if (ex->creation) { /* nothing ties it to the first, §14.3 needs a sid */
        uint64_t rid = s ? s->low : 0;

        s = session_new(p->server);
        s->creation = copy;
        s->low = s->top = rid;
    }
    book(ex, s, now_ms, copy);
    return copy;
}

/* ---- polls ---- */

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t sessions_request_due(const struct raw_session *s)
{
    if (!s->polls || s->polling_ms < 0)
        return s->last_sent_ms;
    return s->last_sent_ms + s->polling_ms + POLLING_MARGIN_MS;
}

int64_t sessions_poll_due(const struct raw_session *s)
{
    int64_t polling = s->polling_ms + POLLING_MARGIN_MS;
    int64_t gap = 0;

    if (!s->sid || s->ended || s->poll || s->farewell ||
        s->failures > MAX_FAILURES || (s->requests && s->open >= s->requests))
        return CLOCK_NEVER;
    if (s->open) /* it may be held, or stuck: do not push it out at once */
        gap = s->polling_ms >= 0 ? polling : BESIDE_GAP_MS;
    else if (s->idle_answer)
        gap = IDLE_GAP_MS;
    gap = later_of(gap, (int64_t)s->failures * FAILURE_GAP_MS);
    return later_of(s->last_sent_ms + gap, sessions_request_due(s));
}

void sessions_poll(struct play *p, int64_t now_ms, struct raw_session *s)
{
    struct sending how = SENDING_INIT;

    if (s->broken) {
        s->poll = sessions_resend(p, now_ms, &how, s->broken);
    } else {
        struct raw_body body;
        struct buf entity = BUF_INIT;

        raw_body_init(&body);
        sessions_address(s, &body);
        raw_body_write(&entity, &body, NULL, 0);
        s->poll = sessions_send(p, now_ms, &how, entity.data, entity.len);
        buf_release(&entity);
        raw_body_release(&body);
    }
    s->broken = 0;
}

/* ---- answers ---- */

static int64_t seconds_attr(const xmlNode *body, const char *name,
                            int64_t otherwise_ms)
{
    const char *text = xml_attr(body, NULL, name);
    double s = text ? strtod(text, NULL) : -1;

    return text && s >= 0 && s < 1e6 ? (int64_t)(s * 1000) : otherwise_ms;
}

static bool is_zero(const xmlNode *body, const char *name)
{
    const char *text = xml_attr(body, NULL, name);

    return text && *text && strtod(text, NULL) == 0;
}

/* What the manager granted. Source: XEP-0124 §7.2, §12 */
static void learn_grant(struct raw_session *s, const xmlNode *body)
{
    const char *sid = xml_attr(body, NULL, "sid");
    const char *requests = xml_attr(body, NULL, "requests");

    if (!sid)
        return;
    s->sid = mem_dup(sid);
    s->legacy = !xml_attr(body, NULL, "ver");
    s->requests = requests ? (unsigned)strtoul(requests, NULL, 10) : 0;
    s->wait_ms = seconds_attr(body, "wait", s->wait_ms);
    s->polling_ms = seconds_attr(body, "polling", -1);
    s->polls =
        s->requests == 1 || is_zero(body, "wait") || is_zero(body, "hold");
}

static void poll_answered(struct raw_session *s, unsigned x,
                          const struct raw_answer *a)
{
    bool good = raw_answer_good(a);

    s->poll = 0;
    s->broken = good ? 0 : x;
    s->failures = good ? 0 : s->failures + 1;
}

void sessions_answered(struct play *p, unsigned x)
{
    struct raw_answer a = raw_answer_read(sessions_journal(p), x);
    struct raw_exchange *ex = exchange_at(p->server, x);
    struct raw_session *s = ex ? ex->session : NULL;

    if (!ex || !ex->open)
        return;
    ex->open = false;
    if (!a.status && !ex->given_up)
        p->server->unanswered = true;
    if (!s)
        return;
    s->open--;
    if (ex->creation && !s->sid && raw_answer_good(&a))
        learn_grant(s, a.body);
    s->idle_answer =
        ex->empty && raw_answer_good(&a) && !xml_child(a.body, NULL, NULL);
    if (raw_answer_ends(&a, s->legacy) || (ex->terminate && a.whole))
        s->ended = true;
    if (s->poll == x)
        poll_answered(s, x, &a);
}

void sessions_give_up(struct play *p, unsigned x)
{
    struct raw_exchange *ex = exchange_at(p->server, x);

    if (ex)
        ex->given_up = true;
}

/* What the sign-off brings about is no fact about the case: a request that the
 * manager has forgotten may be answered by our farewell. */
void sessions_over(struct play *p)
{
    struct play_server *ps = p->server;

    ps->after = journal_new(ROLE_SERVER);
    for (size_t x = 1; x < ps->exchange_count; x++) {
        const struct raw_exchange *ex = &ps->exchanges[x];
        struct event ev;

        if (!ex->open)
            continue;
        event_init(&ev, "req");
        event_setf(&ev, "x", "%zu", x);
        event_set(&ev, "method", ex->method);
        ev.data = ex->bytes;
        ev.data_len = ex->len;
        journal_add(ps->after, &ev);
        event_release(&ev);
    }
}

/* ---- time ---- */

void sessions_tick(struct play *p, int64_t now_ms)
{
    for (struct raw_session *s = p->server->sessions; s && !p->over;
         s = s->next) {
        if (s->keep_polling && sessions_poll_due(s) <= now_ms)
            sessions_poll(p, now_ms, s);
    }
}

int64_t sessions_deadline(const struct play *p)
{
    int64_t first = CLOCK_NEVER;

    for (const struct raw_session *s = p->server->sessions; s && !p->over;
         s = s->next) {
        int64_t due = s->keep_polling ? sessions_poll_due(s) : CLOCK_NEVER;

        if (due < first)
            first = due;
    }
    return first;
}
