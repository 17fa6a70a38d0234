/*
 * The player, client role: orders to the driver, standing rules, and what
 * becomes of each exchange. See play_parts.h.
 *
 * Every request waits here for one decision: a rule's action, or on to the
 * manager. Every answer of the manager's likewise. A rule decides when the
 * request arrives; an act on an exchange that the case holds by name decides
 * later.
 */
#include "play_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/xml.h"
#include "faults.h"

struct rule {
    struct rule *next;
    const struct step *step;
    size_t at;     /* the action whose turn it is */
    unsigned used; /* how often it was used */
    bool matched;
    bool off;
};

/* An exchange that is not through yet. */
struct exchange {
    struct exchange *next;
    unsigned x;
    unsigned conn;
    const struct action *action; /* what its answer will suffer, or NULL */
    bool forwarded;
    bool withheld;
    bool settled; /* the answer's fate is decided; later ones are dropped */
    char *answer; /* the manager's, while it waits */
    size_t answer_len;
    int64_t due_ms; /* a delayed request or answer; CLOCK_NEVER: none */
    bool due_request;
};

struct doomed {
    struct doomed *next;
    unsigned conn; /* cut when its next request begins */
    enum cut_how how;
};

struct play_client {
    struct rule *rules;
    struct exchange *exchanges;
    struct doomed *doomed;
};

struct play_client *play_client_new(struct play *p)
{
    struct play_client *pc = mem_alloc(sizeof *pc);

    (void)p;
    return pc;
}

static void exchange_free(struct exchange *ex)
{
    free(ex->answer);
    free(ex);
}

void play_client_free(struct play_client *pc)
{
    if (!pc)
        return;
    while (pc->rules) {
        struct rule *r = pc->rules;

        pc->rules = r->next;
        free(r);
    }
    while (pc->exchanges) {
        struct exchange *ex = pc->exchanges;

        pc->exchanges = ex->next;
        exchange_free(ex);
    }
    while (pc->doomed) {
        struct doomed *d = pc->doomed;

        pc->doomed = d->next;
        free(d);
    }
    free(pc);
}

/* ---- exchanges ---- */

static struct exchange *exchange_of(struct play *p, unsigned x)
{
    struct exchange *ex;

    for (ex = p->client->exchanges; ex; ex = ex->next) {
        if (ex->x == x)
            return ex;
    }
    return NULL;
}

/* Forget what is through: answers that still come for it are ignored. */
static void sweep(struct play_client *pc)
{
    struct exchange **at = &pc->exchanges;

    while (*at) {
        struct exchange *ex = *at;

        if (!ex->settled) {
            at = &ex->next;
            continue;
        }
        *at = ex->next;
        exchange_free(ex);
    }
}

static void emit_fault(struct play *p, int64_t now_ms, unsigned x,
                       const char *rule, const char *name)
{
    struct event ev;

    event_init(&ev, "fault");
    if (x)
        event_setf(&ev, "x", "%u", x);
    event_set(&ev, "rule", rule);
    event_set(&ev, "name", name);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

static void emit_plain(struct play *p, int64_t now_ms, const char *name,
                       unsigned x)
{
    struct event ev;

    event_init(&ev, name);
    event_setf(&ev, "x", "%u", x);
    if (strcmp(name, "delivered") == 0)
        event_set(&ev, "how", "none");
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

static void forward(struct play *p, int64_t now_ms, struct exchange *ex)
{
    ex->forwarded = true;
    emit_plain(p, now_ms, "forward", ex->x);
    p->ops->forward(p->stage, ex->x);
}

/* Put an answer on the wire. by: who made it. */
static void deliver(struct play *p, int64_t now_ms, struct exchange *ex,
                    const struct delivery *plan, const char *by)
{
    struct buf bytes = BUF_INIT;
    struct event ev;

    for (size_t i = 0; i < plan->piece_count; i++)
        buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
    event_init(&ev, "res");
    event_setf(&ev, "x", "%u", ex->x);
    event_set(&ev, "by", by);
    if (ex->answer && bytes.len == ex->answer_len &&
        memcmp(buf_str(&bytes), ex->answer, bytes.len) == 0) {
        event_set(&ev, "same", "yes");
    } else {
        ev.data = buf_str(&bytes);
        ev.data_len = bytes.len;
    }
    ex->settled = true;
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    buf_release(&bytes);
    p->ops->deliver(p->stage, ex->x, plan);
}

static void doom(struct play_client *pc, unsigned conn, enum cut_how how)
{
    struct doomed *d = mem_alloc(sizeof *d);

    d->conn = conn;
    d->how = how;
    d->next = pc->doomed;
    pc->doomed = d;
}

/* A reply's headers with their {expressions} evaluated. */
struct headers {
    struct http_header list[REPLY_MAX_HEADERS];
    size_t count;
};

static void headers_release(struct headers *h)
{
    for (size_t i = 0; i < h->count; i++)
        free((char *)(uintptr_t)h->list[i].value);
    h->count = 0;
}

/* 0, or -1 with e set; release it in any case. */
static int headers_eval(struct play *p, const struct http_reply *r,
                        struct headers *h, struct err *e)
{
    for (h->count = 0; h->count < r->header_count; h->count++) {
        char *value = avt_eval(r->headers[h->count].value, p->journal, e);

        if (!value)
            return -1;
        h->list[h->count].name = r->headers[h->count].name;
        h->list[h->count].value = value;
    }
    return 0;
}

/* What the manager's answer becomes. 0, or -1 with the play ended. */
static int plan_answer(struct play *p, int64_t now_ms,
                       const struct exchange *ex, struct delivery *plan)
{
    const struct action *a = ex->action;
    bool bytes = a && a->kind == ACTION_BYTES;
    struct fault_values values = {0};
    struct headers headers = {.count = 0};
    struct err e = {""};
    int rv = -1;

    if (bytes && a->bytes == BYTES_DRIP)
        values.every_ms = play_duration(p, now_ms, &a->every, a->line);
    if (!bytes || headers_eval(p, &a->reply, &headers, &e) == 0) {
        values.headers = headers.list;
        values.header_count = headers.count;
        rv = faults_plan(a, ex->answer, ex->answer_len, &values, plan, &e);
    }
    headers_release(&headers);
    if (rv < 0)
        play_end_broken(p, now_ms, a ? a->line : 0, &e);
    return rv;
}

/* The answer is there and may leave: do to it what is to be done. */
static void settle(struct play *p, int64_t now_ms, struct exchange *ex)
{
    const struct action *a = ex->action;
    struct delivery plan;

    if (a && a->kind == ACTION_LOSE) {
        ex->settled = true;
        emit_plain(p, now_ms, "delivered", ex->x);
        p->ops->ignore(p->stage, ex->x);
        return;
    }
    if (a && a->kind == ACTION_CUT && a->when == CUT_BEFORE_RESPONSE) {
        ex->settled = true;
        emit_plain(p, now_ms, "delivered", ex->x);
        p->ops->cut(p->stage, ex->conn, faults_cut_end(a->how));
        return;
    }
    if (plan_answer(p, now_ms, ex, &plan) < 0)
        return;
    if (a && a->kind == ACTION_CUT && a->when == CUT_NEXT_REQUEST)
        doom(p->client, ex->conn, a->how);
    deliver(p, now_ms, ex, &plan, "manager");
    delivery_release(&plan);
}

/* The entity of a stranger's answer. 0, or -1 with e set. */
static int stranger_entity(struct play *p, const struct http_reply *r,
                           struct buf *body, struct err *e)
{
    if (r->body.text) {
        char *text = avt_eval_xml(r->body.text, p->journal, e);

        if (!text)
            return -1;
        buf_adds(body, text);
        free(text);
    }
    for (unsigned i = 0; r->raw.data && i < r->raw.times; i++)
        buf_add(body, r->raw.data, r->raw.len);
    return 0;
}

/* Bytes of a stranger's answer. Yours; NULL with the play ended. */
static char *stranger_bytes(struct play *p, int64_t now_ms,
                            const struct action *a, size_t *len)
{
    const struct http_reply *r = &a->reply;
    struct headers headers = {.count = 0};
    struct buf body = BUF_INIT;
    struct buf out = BUF_INIT;
    struct err e = {""};

    if (headers_eval(p, r, &headers, &e) < 0 ||
        stranger_entity(p, r, &body, &e) < 0)
        play_end_broken(p, now_ms, a->line, &e);
    else
        http_write_response(
            &out, r->status, r->reason ? r->reason : http_reason(r->status),
            headers.list, headers.count, buf_str(&body), body.len);
    headers_release(&headers);
    buf_release(&body);
    *len = out.len;
    return out.len ? buf_take(&out) : NULL;
}

static void answer_as_stranger(struct play *p, int64_t now_ms,
                               struct exchange *ex, const struct action *a)
{
    struct delivery plan;
    size_t len;
    char *bytes = stranger_bytes(p, now_ms, a, &len);

    if (!bytes)
        return;
    delivery_init(&plan);
    delivery_add(&plan, 0, bytes, len);
    deliver(p, now_ms, ex, &plan, "between");
    delivery_release(&plan);
    free(bytes);
}

/* The manager itself is to answer this request in another way. */
static void override(struct play *p, int64_t now_ms, struct exchange *ex,
                     const struct action *a)
{
    const xmlNode *node = journal_x(p->journal, ex->x);
    struct err e = {""};
    char *xml = avt_eval_xml(a->payload.text, p->journal, &e);

    if (e.text[0])
        play_end_broken(p, now_ms, a->line, &e);
    if (a->kind == ACTION_TERMINATE && a->stream >= 0)
        mock_override_stream(p->setting->mock, xml_attr(node, NULL, "sid"),
                             xml_attr(node, NULL, "rid"), (size_t)a->stream,
                             a->condition, xml, xml ? strlen(xml) : 0);
    else
        mock_override(p->setting->mock, xml_attr(node, NULL, "sid"),
                      xml_attr(node, NULL, "rid"),
                      a->kind == ACTION_TERMINATE ? MOCK_TERMINATE
                                                  : MOCK_RECOVERABLE,
                      a->condition, xml, xml ? strlen(xml) : 0);
    free(xml);
}

static void lose_request(struct play *p, int64_t now_ms, struct exchange *ex)
{
    ex->settled = true;
    emit_plain(p, now_ms, "lost", ex->x);
}

/* A request has met an action. */
static void begin_action(struct play *p, int64_t now_ms, struct exchange *ex,
                         const struct action *a)
{
    if (a->kind == ACTION_PASS || faults_on_answer(a)) {
        ex->action = a->kind == ACTION_PASS ? NULL : a;
        forward(p, now_ms, ex);
        return;
    }
    switch (a->kind) {
    case ACTION_RESPOND:
        emit_plain(p, now_ms, "lost", ex->x);
        answer_as_stranger(p, now_ms, ex, a);
        break;
    case ACTION_LOSE:
        lose_request(p, now_ms, ex);
        p->ops->ignore(p->stage, ex->x);
        break;
    case ACTION_DELAY: {
        int64_t ms = play_duration(p, now_ms, &a->by, a->line);

        ex->due_request = true;
        ex->due_ms = ms < 0 ? now_ms : now_ms + ms;
        break;
    }
    case ACTION_CUT:
        lose_request(p, now_ms, ex);
        p->ops->cut(p->stage, ex->conn, faults_cut_end(a->how));
        break;
    case ACTION_TERMINATE:
    case ACTION_RECOVERABLE:
        override(p, now_ms, ex, a);
        forward(p, now_ms, ex);
        break;
    case ACTION_PASS:
    case ACTION_BYTES:
    case ACTION_WITHHOLD:
    case ACTION_RELEASE:
        break;
    }
}

/* ---- rules ---- */

static const struct action *rule_action(const struct rule *r)
{
    if (r->off || r->at >= r->step->action_count)
        return NULL;
    return &r->step->actions[r->at];
}

static void use_rule(struct rule *r)
{
    const struct action *a = rule_action(r);

    r->matched = true;
    if (a->times && ++r->used >= a->times) {
        r->at++;
        r->used = 0;
    }
}

/* Is this an action that must be taken before a request is whole? */
static bool is_early(const struct action *a)
{
    return a->kind == ACTION_CUT &&
           (a->when == CUT_ACCEPT || a->when == CUT_REQUEST_HEADERS);
}

/* The first rule whose turn it is and whose match holds, or NULL. */
static struct rule *find_rule(struct play *p, int64_t now_ms, xmlNodePtr x,
                              bool early, enum cut_when when)
{
    struct rule *r;

    if (p->over)
        return NULL;
    for (r = p->client->rules; r; r = r->next) {
        const struct action *a = rule_action(r);
        struct err e = {""};

        if (!a || is_early(a) != early || (early && a->when != when))
            continue;
        if (expr_true(r->step->expr, p->journal, x, &e))
            return r;
        if (e.text[0]) {
            play_end_broken(p, now_ms, r->step->line, &e);
            return NULL;
        }
    }
    return NULL;
}

static void cut_early(struct play *p, int64_t now_ms, unsigned conn,
                      enum cut_when when)
{
    struct rule *r = find_rule(p, now_ms, NULL, true, when);
    const struct action *a = r ? rule_action(r) : NULL;

    if (!a)
        return;
    emit_fault(p, now_ms, 0, r->step->name, faults_name(a));
    use_rule(r);
    p->ops->cut(p->stage, conn, faults_cut_end(a->how));
}

void play_client_opened(struct play *p, int64_t now_ms, unsigned conn)
{
    cut_early(p, now_ms, conn, CUT_ACCEPT);
}

void play_client_head(struct play *p, int64_t now_ms, unsigned x, unsigned conn,
                      const char *bytes, size_t len)
{
    struct doomed **at;

    (void)x;
    (void)bytes;
    (void)len;
    for (at = &p->client->doomed; *at; at = &(*at)->next) {
        struct doomed *d = *at;

        if (d->conn != conn)
            continue;
        p->ops->cut(p->stage, conn, faults_cut_end(d->how));
        *at = d->next;
        free(d);
        return;
    }
    cut_early(p, now_ms, conn, CUT_REQUEST_HEADERS);
}

void play_client_request(struct play *p, int64_t now_ms, unsigned x,
                         unsigned conn, enum play_part arrived)
{
    struct exchange *ex;
    const struct action *a;
    struct rule *r;

    if (arrived != PLAY_WHOLE)
        return; /* a broken request never gets to the manager */
    sweep(p->client);
    ex = mem_alloc(sizeof *ex);
    ex->x = x;
    ex->conn = conn;
    ex->due_ms = CLOCK_NEVER;
    ex->next = p->client->exchanges;
    p->client->exchanges = ex;

    r = find_rule(p, now_ms, journal_x(p->journal, x), false, CUT_ACCEPT);
    a = r ? rule_action(r) : NULL;
    if (!a) {
        forward(p, now_ms, ex);
        return;
    }
    use_rule(r);
    if (a->kind != ACTION_PASS)
        emit_fault(p, now_ms, x, r->step->name, faults_name(a));
    play_name_x(p, now_ms, a->as, x);
    begin_action(p, now_ms, ex, a);
}

void play_client_answer(struct play *p, int64_t now_ms, unsigned x,
                        const char *bytes, size_t len)
{
    struct exchange *ex = exchange_of(p, x);

    if (!ex || ex->settled)
        return; /* somebody else has answered, or nobody shall */
    free(ex->answer);
    ex->answer = mem_dupn(bytes, len);
    ex->answer_len = len;
    if (ex->withheld)
        return;
    if (ex->action && ex->action->kind == ACTION_DELAY) {
        int64_t ms =
            play_duration(p, now_ms, &ex->action->by, ex->action->line);

        ex->due_ms = ms < 0 ? now_ms : now_ms + ms;
        return;
    }
    settle(p, now_ms, ex);
}

int64_t play_client_deadline(const struct play *p)
{
    int64_t first = CLOCK_NEVER;
    const struct exchange *ex;

    for (ex = p->client->exchanges; ex; ex = ex->next) {
        if (ex->due_ms < first)
            first = ex->due_ms;
    }
    return first;
}

void play_client_tick(struct play *p, int64_t now_ms)
{
    struct exchange *ex;

    for (ex = p->client->exchanges; ex; ex = ex->next) {
        if (ex->due_ms > now_ms)
            continue;
        ex->due_ms = CLOCK_NEVER;
        if (ex->due_request)
            forward(p, now_ms, ex);
        else
            settle(p, now_ms, ex);
        ex->due_request = false;
    }
}

const char *play_client_leftover(const struct play *p, int *line)
{
    const struct rule *r;

    for (r = p->client->rules; r; r = r->next) {
        if (!r->matched && !r->step->optional) {
            *line = r->step->line;
            return r->step->name;
        }
    }
    return NULL;
}

/* ---- acts on an exchange held by name ---- */

static enum went act_late(struct play *p, int64_t now_ms, const struct step *st,
                          const char *what)
{
    char *text = mem_printf("cannot %s an exchange that is over", what);

    play_end_at(p, now_ms, PLAY_ERROR, text, st->line);
    free(text);
    return WENT_OVER;
}

static void act_on(struct play *p, int64_t now_ms, struct exchange *ex,
                   const struct action *a)
{
    if (a->kind != ACTION_RELEASE)
        emit_fault(p, now_ms, ex->x, NULL, faults_name(a));
    switch (a->kind) {
    case ACTION_WITHHOLD:
        ex->withheld = true;
        break;
    case ACTION_RELEASE:
        ex->withheld = false;
        if (ex->answer)
            settle(p, now_ms, ex);
        break;
    case ACTION_RESPOND:
        answer_as_stranger(p, now_ms, ex, a);
        break;
    case ACTION_CUT:
        if (a->when < CUT_BEFORE_RESPONSE) {
            ex->settled = true;
            emit_plain(p, now_ms, "delivered", ex->x);
            p->ops->cut(p->stage, ex->conn, faults_cut_end(a->how));
            break;
        }
        /* fall through */
    case ACTION_LOSE:
    case ACTION_BYTES:
        ex->action = a;
        ex->withheld = false; /* its answer may come only now */
        if (ex->answer)
            settle(p, now_ms, ex);
        break;
    case ACTION_PASS:
    case ACTION_DELAY:
    case ACTION_TERMINATE:
    case ACTION_RECOVERABLE:
        break;
    }
}

static enum went step_act(struct play *p, const struct step *st, int64_t now_ms)
{
    const struct action *a = &st->actions[0];
    unsigned xs[32];
    int count = play_select(p, now_ms, st->of, st->line, xs, 32);

    if (count < 0)
        return WENT_OVER;
    if (count == 0)
        return play_end_at(p, now_ms, PLAY_ERROR,
                           "no exchange of that name is there", st->line);
    for (int i = 0; i < count; i++) {
        struct exchange *ex = exchange_of(p, xs[i]);

        if (!ex || ex->settled)
            return act_late(p, now_ms, st, faults_name(a));
        act_on(p, now_ms, ex, a);
        if (p->over)
            return WENT_OVER;
    }
    return WENT_ON;
}

/* ---- the steps ---- */

/* Connections that are there keep what they began with. */
static enum went step_certificate(struct play *p, const struct step *st,
                                  int64_t now_ms)
{
    char *name = mem_printf("certificate-%s", st->name);

    emit_fault(p, now_ms, 0, NULL, name);
    free(name);
    p->ops->certificate(p->stage, st->name);
    return p->over ? WENT_OVER : WENT_ON;
}

static void add_rule(struct play_client *pc, const struct step *st)
{
    struct rule **end = &pc->rules;
    struct rule *r = mem_alloc(sizeof *r);

    r->step = st;
    while (*end)
        end = &(*end)->next;
    *end = r;
}

enum went play_client_step(struct play *p, struct thread *th,
                           const struct step *st, int64_t now_ms)
{
    struct rule *r;

    switch (st->kind) {
    case STEP_DO:
        return play_verbs_do(p, th, st, now_ms);
    case STEP_PUSH:
        return play_verbs_push(p, st, now_ms);
    case STEP_ON:
        add_rule(p->client, st);
        return WENT_ON;
    case STEP_OFF:
        for (r = p->client->rules; r; r = r->next) {
            if (strcmp(r->step->name, st->name) == 0)
                r->off = true;
        }
        return WENT_ON;
    case STEP_ACT:
        return step_act(p, st, now_ms);
    case STEP_CERTIFICATE:
        return step_certificate(p, st, now_ms);
    case STEP_LET:
    case STEP_REQUIRE:
    case STEP_AWAIT:
    case STEP_ELAPSE:
    case STEP_SILENCE:
    case STEP_REPEAT:
    case STEP_WHEN:
    case STEP_TOGETHER:
    case STEP_IN_ORDER:
    case STEP_LOGIN:
    case STEP_CREATE:
    case STEP_KEEP_POLLING:
    case STEP_DRAIN:
    case STEP_REQUEST:
    case STEP_RESEND:
    case STEP_ABORT:
        break; /* others carry these out */
    }
    return WENT_OVER;
}
