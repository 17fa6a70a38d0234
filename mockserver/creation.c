/* A request without a sid: a new session (§7.1, §7.2, XEP-0206 §3, §4). */
#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/xml.h"

#define DEFAULT_WAIT_S 60
#define MAX_HOLD 16
#define AUTHID_LEN 8 /* bytes of chance */

static int lower(int a, int b)
{
    return a < b ? a : b;
}

/* What was asked for, or less; what was not asked for, as we like. */
static int grant(int asked, int limit, int otherwise)
{
    if (asked < 0)
        asked = limit >= 0 ? lower(limit, otherwise) : otherwise;
    return limit >= 0 ? lower(asked, limit) : asked;
}

/* hold stays below requests, or the client could never send (§7.2). No more
 * requests are granted than answers are kept for repeats (§14.3). */
static void negotiate_hold(struct cmsession *s, const struct mock_options *o,
                           int asked)
{
    s->hold =
        grant(asked, lower(o->hold < 0 ? MAX_HOLD : o->hold, MAX_HOLD), 1);
    s->requests =
        o->requests < 0 ? s->hold + 1 : lower(o->requests, MOCK_MAX_REPLAY);
    if (s->requests && s->hold >= s->requests)
        s->hold = s->requests - 1;
}

static void negotiate(struct cmsession *s, const struct mock_options *o,
                      const struct request *req)
{
    s->wait_s = grant(req->wait_s, o->wait_s, DEFAULT_WAIT_S);
    negotiate_hold(s, o, req->hold);
    s->polling_session = s->wait_s == 0 || s->hold == 0 || s->requests == 1;
    s->polling_s = o->polling_s;
    s->maxpause_s = o->maxpause_s;
    s->inactivity_s = o->inactivity_s;
    if (s->polling_session && s->inactivity_s >= 0 && s->polling_s > 0)
        s->inactivity_s = lower(s->inactivity_s + 2 * s->polling_s, 65535);
    s->client_acks = req->ack != 0;
    s->acks = o->ack && s->client_acks;
}

/* The client's word goes into a header: printable, and not without end. */
static bool is_content_type(const char *text)
{
    if (!*text || strlen(text) > MOCK_MAX_CONTENT)
        return false;
    for (; *text; text++) {
        if (*text < 0x20 || *text > 0x7e)
            return false;
    }
    return true;
}

/* Why there can be no session; NULL: there can. */
static const char *objection(const struct mock *m, const struct request *req)
{
    if (!req->rid || (req->content && !is_content_type(req->content)))
        return "bad-request";
    if (!req->to || !*req->to)
        return "improper-addressing";
    if (strcasecmp(req->to, m->options.set.domain) != 0)
        return "host-unknown";
    if (m->live_count >= MOCK_MAX_SESSIONS)
        return "policy-violation";
    return NULL;
}

/* Creation attributes on their way out: the options may want others. */
struct attributes {
    struct buf *out;
    const struct mock_options *set;
};

static const struct mock_attribute *wanted(const struct mock_options *set,
                                           const char *name)
{
    for (size_t i = 0; i < set->creation_count; i++) {
        if (strcmp(set->creation[i].name, name) == 0)
            return &set->creation[i];
    }
    return NULL;
}

/* "xmpp:version" with the prefix that is declared. */
static void write_one(const struct attributes *a, const char *name,
                      const char *value)
{
    char *other = NULL;

    if (a->set->other_prefixes && strncmp(name, "xmpp:", 5) == 0)
        other = mem_printf("%s:%s", MANAGER_OTHER_PREFIX, name + 5);
    answer_add_attr(a->out, other ? other : name, value);
    free(other);
}

static void add(const struct attributes *a, const char *name, const char *value)
{
    if (!wanted(a->set, name))
        write_one(a, name, value);
}

static void add_number(const struct attributes *a, const char *name, int n)
{
    char text[16];

    snprintf(text, sizeof text, "%d", n);
    if (n >= 0)
        add(a, name, text);
}

static void add_wanted(const struct attributes *a)
{
    for (size_t i = 0; i < a->set->creation_count; i++) {
        const struct mock_attribute *one = &a->set->creation[i];

        if (one->value)
            write_one(a, one->name, one->value);
    }
}

/* The lower of both, each part a number (§7.2); a client that sent none
 * hears ours (A17). */
static void add_ver(const struct attributes *a, const struct options *o,
                    const struct request *req)
{
    int major = o->ver_major, minor = o->ver_minor;
    char text[32];

    if (major < 0)
        return;
    if (req->ver_major >= 0 &&
        (req->ver_major < major ||
         (req->ver_major == major && req->ver_minor < minor))) {
        major = req->ver_major;
        minor = req->ver_minor;
    }
    snprintf(text, sizeof text, "%d.%d", major, minor);
    add(a, "ver", text);
}

static void add_ack(const struct attributes *a, const struct cmsession *s)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, s->rid);
    if (s->acks)
        add(a, "ack", text);
}

static void add_attributes(struct buf *out, const struct cmsession *s,
                           const struct options *o, const struct request *req)
{
    const struct attributes a = {out, &o->set};
    char authid[2 * AUTHID_LEN + 1];

    options_random_hex(o, authid, AUTHID_LEN);
    buf_printf(out,
               " xmlns:stream='" XML_NS_STREAM "' xmlns:%s='" XML_NS_XBOSH "'",
               o->set.other_prefixes ? MANAGER_OTHER_PREFIX : "xmpp");
    add(&a, "sid", s->sid);
    add_number(&a, "wait", s->wait_s);
    add_number(&a, "requests", s->requests ? s->requests : -1);
    add_number(&a, "hold", s->hold);
    add_number(&a, "inactivity", s->inactivity_s);
    add_number(&a, "polling", s->polling_s);
    add_number(&a, "maxpause", s->maxpause_s);
    add_ver(&a, o, req);
    add_ack(&a, s);
    if (o->set.accept)
        add(&a, "accept", o->set.accept);
    if (o->set.streams)
        add(&a, "stream", s->streams.first->name);
    add(&a, "from", o->set.domain);
    add(&a, "authid", authid);
    add(&a, "xmpp:version", "1.0");
    if (o->set.restartlogic)
        add(&a, "xmpp:restartlogic", "true");
    add_wanted(&a);
}

/* The creation response; it is kept like any other. */
static void respond(struct mock *m, struct cmsession *s, struct arrival *a)
{
    struct buf attributes = BUF_INIT;
    struct answer_parts parts = {0};
    struct answer_bytes *body;
    struct cmstream *st;

    add_attributes(&attributes, s, &m->options, &a->req);
    parts.extra = attributes.data;
    s->streams.first->announced = true;
    st = cmstream_to_speak(&s->streams);
    if (st) {
        parts.payload = st->queue.data;
        parts.payload_len = st->queue.len;
    }
    buf_clear(&m->scratch);
    answer_write(&m->scratch, &parts);
    body = answer_bytes_new(m->scratch.data, m->scratch.len);
    multi_spoken(m, s, st);
    manager_answer(m, s, a->token, s->rid, body);
    replay_add(&s->replay, s->rid, m->now_ms, false, body, UINT64_MAX);
    answer_bytes_drop(body);
    buf_release(&attributes);
}

static struct cmsession *create(struct mock *m, const struct arrival *a)
{
    struct cmsession *s = cmsession_new(m);
    const struct request *req = &a->req;

    do /* a sid is never used twice, §19.3 */
        options_random_hex(&m->options, s->sid, ANSWER_SID_LEN / 2);
    while (manager_find(m, s->sid));
    negotiate(s, &m->options.set, req);
    snprintf(s->content_type, sizeof s->content_type, "%s",
             req->content ? req->content : manager_content_type(m));
    s->legacy = m->options.ver_major < 0 || req->ver_major < 0;
    s->secure = a->tls;
    s->rid = s->answered = req->rid;
    s->idle_since_ms = s->last_arrival_ms = m->now_ms;
    replay_init(&s->replay, (size_t)s->requests);
    keycheck_pass(&s->keys, NULL, req->newkey);
    return s;
}

/* Returns true when the case wanted another answer than a session. */
static bool override(struct mock *m, const struct arrival *a)
{
    struct override *o = script_take_override(m, NULL, a->req.rid);
    struct answer_parts parts = {0};

    if (!o)
        return false;
    parts.type = o->kind == MOCK_TERMINATE ? "terminate" : "error";
    parts.condition = o->condition;
    parts.payload = o->xml.data;
    parts.payload_len = o->xml.len;
    manager_answer_parts(m, NULL, a->token, a->req.rid, &parts);
    override_free(o);
    return true;
}

void creation_take(struct mock *m, struct arrival *a)
{
    const char *condition = objection(m, &a->req);
    bool legacy = m->options.ver_major < 0 || a->req.ver_major < 0;
    struct cmsession *s;

    if (override(m, a))
        return;
    if (condition) {
        manager_refuse(m, NULL, a->token, a->req.rid, legacy, condition);
        return;
    }
    s = create(m, a);
    manager_add(m, s);
    multi_open_first(m, s);
    script_add_fact(m, s, MOCK_FACT_CREATED, "");
    multi_forward(s, &a->req);
    respond(m, s, a);
    traffic_answer_ready(m, s);
}
