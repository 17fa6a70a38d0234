/* A shim around libbosh's session core: see client_shim.h. */
#include "client_shim.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/xml.h"
#include "entity.h"
#include "twins.h"

/* Transmissions of the twin's own have numbers from here on. */
#define OWN_IDS (UINT64_C(1) << 48)

/* A request that waits for its time. */
struct parcel {
    struct parcel *next;
    int64_t due_ms;
    struct shim_open what;
    struct buf body;
    const char *coding;
    struct buf http;
    bool pipelined;
};

/* An answer that the twin has not looked at yet. */
struct unread {
    struct unread *next;
    int64_t due_ms;
    uint64_t id;
    int status;
    char *content_type;
    struct buf body;
};

/* An event of the twin's own. */
struct saying {
    struct saying *next;
    const char *kind;
    char *value, *condition, *text;
};

static struct client_shim *shim(struct client_peer *cp)
{
    return (struct client_shim *)cp;
}

static void parcel_free(struct parcel *p)
{
    if (!p)
        return;
    buf_release(&p->body);
    buf_release(&p->http);
    free(p);
}

static void unread_free(struct unread *u)
{
    free(u->content_type);
    buf_release(&u->body);
    free(u);
}

static void saying_free(struct saying *s)
{
    if (!s)
        return;
    free(s->value);
    free(s->condition);
    free(s->text);
    free(s);
}

/* ---- what is open ---- */

static struct shim_open *find_open(struct client_shim *cs, uint64_t id)
{
    for (size_t i = 0; i < cs->open_count; i++) {
        if (cs->open[i].id == id)
            return &cs->open[i];
    }
    return NULL;
}

static void close_open(struct client_shim *cs, struct shim_open *o)
{
    size_t at = (size_t)(o - cs->open);

    cs->open_count--;
    memmove(o, o + 1, (cs->open_count - at) * sizeof *o);
}

bool client_shim_note_failure(struct client_shim *cs, int64_t now_ms,
                              uint64_t id, uint64_t rid)
{
    (void)now_ms;
    (void)id;
    (void)rid;
    cs->flag = cs->online;
    return true;
}

bool client_shim_lower_open(const struct client_shim *cs, uint64_t rid)
{
    for (size_t i = 0; i < cs->open_count; i++) {
        if (cs->open[i].rid < rid)
            return true;
    }
    return false;
}

bool client_shim_is_open(const struct client_shim *cs, uint64_t rid)
{
    for (size_t i = 0; i < cs->open_count; i++) {
        if (cs->open[i].rid == rid)
            return true;
    }
    return false;
}

static void give_up(struct client_shim *cs, uint64_t id)
{
    struct shim_open *o = find_open(cs, id);

    if (!o)
        return;
    close_open(cs, o);
    if (cs->gone_count < SHIM_OPEN_MAX)
        cs->gone[cs->gone_count++] = id;
}

/* ---- requests ---- */

static void move(struct buf *to, struct buf *from)
{
    *to = *from;
    memset(from, 0, sizeof *from);
}

static struct parcel *post(struct client_shim *cs, int64_t due_ms,
                           const struct shim_open *what, struct buf *body,
                           struct buf *http)
{
    struct parcel **at = &cs->out;
    struct parcel *p = mem_alloc(sizeof *p);

    while (*at && (*at)->due_ms <= due_ms)
        at = &(*at)->next;
    p->due_ms = due_ms;
    p->what = *what;
    move(&p->body, body);
    move(&p->http, http);
    p->next = *at;
    *at = p;
    return p;
}

void client_shim_hurry(struct client_shim *cs, int64_t now_ms)
{
    for (struct parcel *p = cs->out; p; p = p->next) {
        if (p->due_ms > now_ms)
            p->due_ms = now_ms;
    }
}

void client_shim_send(struct client_shim *cs, int64_t due_ms, uint64_t rid,
                      const struct buf *body)
{
    struct shim_open what = {
        .id = OWN_IDS + ++cs->own_id, .rid = rid, .attempt = 1};
    struct buf copy = BUF_INIT;
    struct buf http = BUF_INIT;

    buf_add(&copy, buf_str(body), body->len);
    post(cs, due_ms, &what, &copy, &http);
}

static void note_request(struct client_shim *cs, const struct shim_request *r)
{
    char *sid = entity_attr(&r->body, "sid");

    if (r->rid > cs->top_rid || !sid)
        cs->top_rid = r->rid;
    free(cs->sid);
    cs->sid = sid;
}

static void fetch_requests(struct client_shim *cs, int64_t now_ms)
{
    struct peer_request from;

    while (!cs->ended &&
           cs->inner->ops->next_request(cs->inner, now_ms, &from)) {
        struct shim_request r = {.now_ms = now_ms,
                                 .due_ms = now_ms,
                                 .id = from.id,
                                 .rid = from.rid,
                                 .attempt = from.attempt,
                                 .coding = from.coding};
        struct shim_open what = {
            .id = from.id, .rid = from.rid, .attempt = from.attempt};

        buf_add(&r.body, from.body, from.len);
        note_request(cs, &r);
        if (!cs->hooks->request || cs->hooks->request(cs, &r)) {
            struct parcel *p = post(cs, r.due_ms, &what, &r.body, &r.http);

            p->coding = r.coding;
            p->pipelined = r.pipelined;
        }
        buf_release(&r.body);
        buf_release(&r.http);
    }
}

static int shim_next_request(struct client_peer *cp, int64_t now_ms,
                             struct peer_request *out)
{
    struct client_shim *cs = shim(cp);
    struct parcel *p;

    fetch_requests(cs, now_ms);
    p = cs->out;
    if (!p || p->due_ms > now_ms || cs->open_count == SHIM_OPEN_MAX)
        return 0;
    cs->out = p->next;
    parcel_free(cs->taken);
    cs->taken = p;
    cs->open[cs->open_count++] = p->what;
    out->id = p->what.id;
    out->rid = p->what.rid;
    out->attempt = p->what.attempt;
    out->body = buf_str(&p->body);
    out->len = p->body.len;
    out->coding = p->coding;
    out->http = p->http.len ? p->http.data : NULL;
    out->http_len = p->http.len;
    out->pipelined = p->pipelined;
    return 1;
}

static bool drop_parcel(struct client_shim *cs, uint64_t id)
{
    for (struct parcel **at = &cs->out; *at; at = &(*at)->next) {
        struct parcel *p = *at;

        if (p->what.id != id)
            continue;
        *at = p->next;
        parcel_free(p);
        return true;
    }
    return false;
}

static bool keeps(struct client_shim *cs, uint64_t id)
{
    struct shim_open *o = find_open(cs, id);

    return o && cs->hooks->abort && !cs->hooks->abort(cs, id, o->rid);
}

static int shim_next_abort(struct client_peer *cp, uint64_t *id)
{
    struct client_shim *cs = shim(cp);
    uint64_t gone;

    while (cs->inner->ops->next_abort(cs->inner, &gone)) {
        if (!keeps(cs, gone) && !drop_parcel(cs, gone))
            give_up(cs, gone);
    }
    if (!cs->gone_count)
        return 0;
    *id = cs->gone[--cs->gone_count];
    return 1;
}

/* ---- answers ---- */

static void keep_unread(struct client_shim *cs, struct shim_answer *a,
                        const char *content_type)
{
    struct unread **at = &cs->unread;
    struct unread *u = mem_alloc(sizeof *u);

    while (*at && (*at)->due_ms <= a->due_ms)
        at = &(*at)->next;
    u->due_ms = a->due_ms;
    u->id = a->id;
    u->status = a->status;
    u->content_type = mem_dup(content_type);
    move(&u->body, &a->body);
    u->next = *at;
    *at = u;
}

static void read_answers(struct client_shim *cs, int64_t now_ms)
{
    while (cs->unread && cs->unread->due_ms <= now_ms) {
        struct unread *u = cs->unread;

        cs->unread = u->next;
        if (!cs->ended)
            cs->inner->ops->answer(cs->inner, now_ms, u->id, u->status,
                                   u->content_type, buf_str(&u->body),
                                   u->body.len);
        unread_free(u);
    }
}

static void forget_answers(struct client_shim *cs)
{
    while (cs->unread) {
        struct unread *u = cs->unread;

        cs->unread = u->next;
        unread_free(u);
    }
}

static void pass_answer(struct client_shim *cs, struct shim_answer *a,
                        const char *content_type)
{
    if (a->own || cs->ended)
        return;
    keep_unread(cs, a, content_type);
    read_answers(cs, a->now_ms);
}

static void shim_take_answer(struct client_peer *cp, int64_t now_ms,
                             uint64_t id, int status, const char *content_type,
                             const char *body, size_t len)
{
    struct client_shim *cs = shim(cp);
    struct shim_open *o = find_open(cs, id);
    struct shim_answer a = {
        .now_ms = now_ms, .due_ms = now_ms, .id = id, .status = status};

    a.message = cs->message;
    cs->message = NULL;
    if (!o)
        return;
    a.rid = o->rid;
    a.own = id > OWN_IDS;
    close_open(cs, o);
    buf_add(&a.body, body, len);
    if (!cs->hooks->answer || cs->hooks->answer(cs, &a))
        pass_answer(cs, &a, content_type);
    buf_release(&a.body);
}

static void shim_message(struct client_peer *cp, const struct peer_message *m)
{
    shim(cp)->message = m;
}

static void shim_take_failure(struct client_peer *cp, int64_t now_ms,
                              uint64_t id, const char *reason)
{
    struct client_shim *cs = shim(cp);
    struct shim_open *o = find_open(cs, id);
    uint64_t rid;

    if (!o)
        return;
    rid = o->rid;
    close_open(cs, o);
    if (cs->hooks->fail && !cs->hooks->fail(cs, now_ms, id, rid))
        return;
    if (id < OWN_IDS && !cs->ended)
        cs->inner->ops->fail(cs->inner, now_ms, id, reason);
}

void client_shim_core_fails(struct client_shim *cs, int64_t now_ms, uint64_t id)
{
    cs->inner->ops->fail(cs->inner, now_ms, id, "the twin wants it so");
}

/* ---- events ---- */

static struct saying *add_saying(struct client_shim *cs, const char *kind)
{
    struct saying **end = &cs->events;
    struct saying *s = mem_alloc(sizeof *s);

    s->kind = kind;
    while (*end)
        end = &(*end)->next;
    *end = s;
    return s;
}

void client_shim_say(struct client_shim *cs, const char *status,
                     const char *condition)
{
    struct saying *s = add_saying(cs, "status");

    s->value = mem_dup(status);
    s->condition = mem_dup(condition);
}

void client_shim_say_stanzas(struct client_shim *cs, const struct buf *payload)
{
    struct buf body = BUF_INIT;
    xmlDocPtr doc;
    xmlNodePtr n;

    entity_empty(&body, NULL);
    entity_put_payload(&body, payload);
    doc = xml_parse(buf_str(&body), body.len, NULL, NULL);
    for (n = doc ? xml_child(xmlDocGetRootElement(doc), NULL, NULL) : NULL; n;
         n = xml_next(n)) {
        struct buf xml = BUF_INIT;

        xml_write(&xml, n);
        add_saying(cs, "stanza")->text = buf_take(&xml);
    }
    xmlFreeDoc(doc);
    buf_release(&body);
}

static bool next_own(struct client_shim *cs, struct said *out)
{
    struct saying *s = cs->events;

    if (!s)
        return false;
    cs->events = s->next;
    saying_free(cs->said);
    cs->said = s;
    memset(out, 0, sizeof *out);
    out->kind = s->kind;
    out->value = s->value;
    out->condition = s->condition;
    out->text = s->text;
    return true;
}

static void note_status(struct client_shim *cs, const struct said *said)
{
    uint64_t bit = said->stream < 64 ? UINT64_C(1) << said->stream : 0;
    const char *status = said->value ? said->value : "";

    if (strcmp(status, "connected") == 0)
        cs->online = true;
    if (strcmp(status, "connecting") == 0 || strcmp(status, "attached") == 0)
        cs->streams |= bit;
    else if (strcmp(status, "disconnected") == 0)
        cs->streams &= ~bit;
}

static int shim_next_event(struct client_peer *cp, struct said *out)
{
    struct client_shim *cs = shim(cp);

    if (next_own(cs, out))
        return 1;
    while (!cs->ended && cs->inner->ops->next_event(cs->inner, out)) {
        note_status(cs, out);
        if (!cs->hooks->event || cs->hooks->event(cs, out))
            return 1;
    }
    return next_own(cs, out); /* a hook may have said something instead */
}

/* ---- verbs and time ---- */

static const char *verb_arg(const struct verb *v, const char *name)
{
    for (size_t i = 0; i < v->arg_count; i++) {
        if (strcmp(v->args[i].name, name) == 0)
            return v->args[i].value;
    }
    return NULL;
}

static const char *shim_verb(struct client_peer *cp, int64_t now_ms,
                             const struct verb *v, struct buf *reason)
{
    struct client_shim *cs = shim(cp);

    if (strcmp(v->name, "connect") == 0) {
        free(cs->jid);
        free(cs->password);
        cs->jid = mem_dup(verb_arg(v, "jid"));
        cs->password = mem_dup(verb_arg(v, "password"));
        cs->ended = false;
        forget_answers(cs);
    }
    if (cs->hooks->verb && !cs->hooks->verb(cs, now_ms, v))
        return "ok";
    return cs->inner->ops->verb(cs->inner, now_ms, v, reason);
}

void client_shim_core_verb(struct client_shim *cs, int64_t now_ms,
                           const char *name)
{
    struct verb v = {.name = name};
    struct buf reason = BUF_INIT;

    if (strcmp(name, "connect") == 0) {
        v.args[0].name = "jid";
        v.args[0].value = cs->jid;
        v.args[1].name = "password";
        v.args[1].value = cs->password;
        v.arg_count = 2;
    }
    cs->inner->ops->verb(cs->inner, now_ms, &v, &reason);
    buf_release(&reason);
}

void client_shim_core_send(struct client_shim *cs, int64_t now_ms,
                           const char *xml)
{
    struct verb v = {.name = "send", .arg_count = 1};
    struct buf reason = BUF_INIT;

    v.args[0].name = "xml";
    v.args[0].value = xml;
    cs->inner->ops->verb(cs->inner, now_ms, &v, &reason);
    buf_release(&reason);
}

void client_shim_end(struct client_shim *cs)
{
    while (cs->open_count)
        give_up(cs, cs->open[0].id);
    while (cs->out)
        drop_parcel(cs, cs->out->what.id);
    cs->ended = true;
}

static int64_t shim_deadline_ms(struct client_peer *cp)
{
    struct client_shim *cs = shim(cp);
    int64_t first =
        cs->ended ? CLOCK_NEVER : cs->inner->ops->deadline_ms(cs->inner);

    if (cs->unread && cs->unread->due_ms < first)
        first = cs->unread->due_ms;
    return cs->out && cs->out->due_ms < first ? cs->out->due_ms : first;
}

static void shim_tick(struct client_peer *cp, int64_t now_ms)
{
    struct client_shim *cs = shim(cp);

    read_answers(cs, now_ms);
    if (!cs->ended)
        cs->inner->ops->tick(cs->inner, now_ms);
}

static void shim_free(struct client_peer *cp)
{
    struct client_shim *cs = shim(cp);

    while (cs->out)
        drop_parcel(cs, cs->out->what.id);
    while (cs->events) {
        struct saying *s = cs->events;

        cs->events = s->next;
        saying_free(s);
    }
    forget_answers(cs);
    parcel_free(cs->taken);
    saying_free(cs->said);
    cs->inner->ops->free(cs->inner);
    buf_release(&cs->text);
    free(cs->jid);
    free(cs->password);
    free(cs->sid);
    free(cs);
}

static const struct client_peer_ops shim_ops = {
    shim_verb,         shim_next_request, shim_next_abort,  shim_take_answer,
    shim_take_failure, shim_next_event,   shim_deadline_ms, shim_tick,
    shim_free,         shim_message,
};

struct client_peer *client_shim_new(const struct client_hooks *hooks)
{
    struct client_shim *cs = mem_alloc(sizeof *cs);

    cs->base.ops = &shim_ops;
    cs->hooks = hooks;
    cs->inner = peer_libbosh(hooks->tweak);
    return &cs->base;
}
