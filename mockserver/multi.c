/* Requests and answers of a session with several streams: see manager.h. */
#include "manager.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/xml.h"

/* So long after a server closed a stream, what comes for it may have crossed
 * the news (§16.4). */
#define JUST_CLOSED_MS 5000

static int withheld(enum mock_features when)
{
    switch (when) {
    case MOCK_FEATURES_CREATION:
        return 0;
    case MOCK_FEATURES_NEXT:
        return 1;
    case MOCK_FEATURES_POLLED:
        return 2;
    }
    return 0;
}

/* -------------------------------------------------------------- opening */

static bool is_taken(const struct mock *m, const char *name)
{
    for (const struct cmsession *s = m->first; s; s = s->next) {
        if (cmstream_named(&s->streams, name))
            return true;
    }
    return false;
}

/* Unique among all streams of the manager (§16.2). */
static void give_name(struct mock *m, struct cmstream *st)
{
    char name[CMSTREAM_NAME_LEN + 1];

    do
        options_random_hex(&m->options, name, CMSTREAM_NAME_LEN / 2);
    while (is_taken(m, name));
    memcpy(st->name, name, sizeof name);
}

static struct cmstream *add(struct mock *m, struct cmsession *s)
{
    struct cmstream *st = cmstream_add(&s->streams, s);

    if (m->options.set.streams)
        give_name(m, st);
    return st;
}

/* Its first features are queued meanwhile. */
static void begin(struct mock *m, struct cmstream *st)
{
    st->withheld = withheld(m->options.set.features);
    st->backend = backend_open(m->backend, st);
}

void multi_open_first(struct mock *m, struct cmsession *s)
{
    begin(m, add(m, s));
}

bool multi_is_addition(const struct cmsession *s, const struct request *req)
{
    return s->mock->options.set.streams && req->to && !req->restart &&
           request_is_empty(req);
}

/* Why no such stream can be opened; NULL: it can. */
static const char *objection(const struct mock *m, const struct cmsession *s,
                             const struct request *req)
{
    if (strcasecmp(req->to, m->options.set.domain) != 0)
        return *req->to ? "host-unknown" : "improper-addressing";
    return s->streams.count >= MOCK_MAX_STREAMS ? "policy-violation" : NULL;
}

/* What cannot be opened has a name all the same: a condition without one would
 * end the streams that there are (§16.6). */
void multi_add(struct mock *m, struct cmsession *s, struct held *h)
{
    const char *condition = objection(m, s, &h->req);

    h->opened = add(m, s);
    if (condition)
        cmstream_end(h->opened, condition, NULL, 0);
    else
        begin(m, h->opened);
    h->answer_now = true;
}

/* ------------------------------------------------------------- incoming */

static bool is_named(const struct cmsession *s, const struct request *req)
{
    return s->mock->options.set.streams && req->stream;
}

bool multi_closes_one(const struct cmsession *s, const struct request *req)
{
    return req->terminate && is_named(s, req);
}

const char *multi_objection(const struct mock *m, const struct cmsession *s,
                            const struct request *req)
{
    const struct cmstream *st;

    if (!is_named(s, req) || (request_is_empty(req) && !req->restart))
        return NULL;
    st = cmstream_named(&s->streams, req->stream);
    if (!st || !st->announced)
        return "item-not-found";
    if (cmstream_is_open(st) || (st->ending && !st->by_client))
        return NULL;
    if (!st->by_client && m->now_ms - st->closed_ms < JUST_CLOSED_MS)
        return NULL;
    return "item-not-found";
}

static bool is_meant(const struct cmsession *s, const struct request *req,
                     const struct cmstream *st)
{
    if (!cmstream_is_open(st))
        return false;
    return !is_named(s, req) || strcmp(st->name, req->stream) == 0;
}

static bool is_over(const struct cmsession *s)
{
    return s->state == MOCK_SESSION_ENDING || s->state == MOCK_SESSION_GONE;
}

static void forward_to(struct cmstream *st, const xmlNode *body)
{
    for (xmlNodePtr n = xml_child(body, NULL, NULL); n; n = xml_next(n)) {
        if (is_over(st->session))
            return;
        backend_receive(st->backend, n);
    }
}

/* Each stream gets a copy of its own: the server changes what it takes. */
void multi_forward(struct cmsession *s, const struct request *req)
{
    for (struct cmstream *st = s->streams.first; st; st = st->next) {
        xmlDocPtr copy;

        if (!req->payload_count || !is_meant(s, req, st))
            continue;
        copy = xmlCopyDoc(req->doc, 1);
        if (copy)
            forward_to(st, xmlDocGetRootElement(copy));
        xmlFreeDoc(copy);
    }
}

/* Where several are open and none is named, the one that waits for it. */
static bool is_restarted(const struct cmsession *s, const struct request *req,
                         const struct cmstream *st)
{
    return is_meant(s, req, st) &&
           (is_named(s, req) || cmstream_open_count(&s->streams) == 1 ||
            backend_awaits_restart(st->backend));
}

void multi_restart(struct cmsession *s, const struct request *req)
{
    for (struct cmstream *st = s->streams.first; st; st = st->next) {
        if (is_restarted(s, req, st))
            backend_restart(st->backend);
    }
}

/* The oldest open request hears it, as when the session ends (§13). */
void multi_close_one(struct cmsession *s, const struct request *req)
{
    struct cmstream *st = cmstream_named(&s->streams, req->stream);

    if (!st || !cmstream_is_open(st))
        return;
    cmstream_end(st, NULL, NULL, 0);
    st->by_client = true;
    buf_clear(&st->queue);
    backend_close(st->backend);
    st->backend = NULL;
}

bool multi_all_bound(const struct cmsession *s)
{
    for (const struct cmstream *st = s->streams.first; st; st = st->next) {
        if (cmstream_is_open(st) && !backend_is_bound(st->backend))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------- outgoing */

static void announce(struct mock *m, struct cmstream *st, struct buf *extra)
{
    const char *prefix =
        m->options.set.other_prefixes ? MANAGER_OTHER_PREFIX : "xmpp";

    st->announced = true;
    if (st->ending)
        return;
    answer_add_attr(extra, "from", m->options.set.domain);
    buf_printf(extra, " xmlns:%s='" XML_NS_XBOSH "' %s:version='1.0'", prefix,
               prefix);
}

static void say_end(const struct cmstream *st, struct answer_parts *parts)
{
    parts->type = "terminate";
    parts->condition = st->end_condition;
    parts->payload2 = st->end_xml.data;
    parts->payload2_len = st->end_xml.len;
}

/* A session that never had but one stream names none. */
static void say(const struct cmstream *st, struct answer_parts *parts)
{
    if (st->session->streams.count > 1)
        parts->stream = st->name;
    if (!st->withheld) {
        parts->payload = st->queue.data;
        parts->payload_len = st->queue.len;
    }
    if (st->ending)
        say_end(st, parts);
}

struct cmstream *multi_speak(struct mock *m, struct cmsession *s,
                             const struct held *h, struct buf *extra,
                             struct answer_parts *parts)
{
    struct cmstream *st =
        h->opened ? h->opened : cmstream_to_speak(&s->streams);

    if (h->opened)
        announce(m, st, extra);
    parts->extra = extra->data;
    if (st)
        say(st, parts);
    return st;
}

void multi_spoken(struct mock *m, struct cmsession *s, struct cmstream *st)
{
    if (st && st->ending)
        cmstream_close(st, m->now_ms);
    else if (st && !st->withheld)
        buf_clear(&st->queue);
    cmstream_count_answer(&s->streams);
}

/* ------------------------------------------------------ the server's end */

void multi_server_end(struct mock *m, struct cmstream *st,
                      const char *condition, const char *xml, size_t len)
{
    struct cmsession *s = st->session;

    if (st->ending)
        return;
    if (cmstream_open_count(&s->streams) > (cmstream_is_open(st) ? 1 : 0)) {
        cmstream_end(st, condition, xml, len);
        manager_touch(m, s);
    } else if (ending_by_server(m, s, condition, xml, len)) {
        s->end_stream = st;
    }
}
