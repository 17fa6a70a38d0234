/* What a scripted case wants of the mock, and what it can see: see mock.h. */
#include "manager.h"

#include <stdlib.h>
#include <string.h>

static void free_fact(struct fact *f)
{
    if (!f)
        return;
    free(f->jid);
    free(f->reason);
    free(f);
}

void script_release(struct mock *m)
{
    while (m->overrides) {
        struct override *next = m->overrides->next;

        override_free(m->overrides);
        m->overrides = next;
    }
    while (m->facts) {
        struct fact *next = m->facts->next;

        free_fact(m->facts);
        m->facts = next;
    }
    free_fact(m->fact_taken);
}

static const char *stream_jid(const struct cmstream *st)
{
    return backend_jid(st ? st->backend : NULL);
}

static const char *bound_jid(const struct cmsession *s)
{
    const struct cmstream *st = s->streams.first;

    while (st && !*stream_jid(st))
        st = st->next;
    return stream_jid(st);
}

static struct cmsession *live_session(const struct mock *m, const char *sid)
{
    struct cmsession *s;

    if (sid) {
        s = manager_find(m, sid);
        return s && s->state != MOCK_SESSION_GONE ? s : NULL;
    }
    for (s = m->last; s && s->state == MOCK_SESSION_GONE; s = s->prev)
        ;
    return s;
}

/* Open, of a live session. */
static struct cmstream *open_stream(const struct mock *m, const char *sid,
                                    size_t number)
{
    struct cmsession *s = live_session(m, sid);
    struct cmstream *st = s ? cmstream_numbered(&s->streams, number) : NULL;

    return st && cmstream_is_open(st) ? st : NULL;
}

int mock_push_stream(struct mock *m, int64_t now_ms, const char *sid,
                     size_t stream, const char *xml, size_t len)
{
    struct cmstream *st = open_stream(m, sid, stream);

    m->now_ms = now_ms;
    if (!st || st->session->state == MOCK_SESSION_ENDING ||
        !manager_queue(st, xml, len))
        return -1;
    manager_finish_call(m);
    return 0;
}

int mock_push(struct mock *m, int64_t now_ms, const char *sid, const char *xml,
              size_t len)
{
    return mock_push_stream(m, now_ms, sid, 0, xml, len);
}

static struct override *add_override(struct mock *m)
{
    struct override **link = &m->overrides;

    while (*link)
        link = &(*link)->next;
    *link = mem_alloc(sizeof **link);
    return *link;
}

int mock_override_stream(struct mock *m, const char *sid, const char *rid,
                         size_t stream, const char *condition, const char *xml,
                         size_t len)
{
    struct override *o;

    if (mock_override(m, sid, rid, MOCK_TERMINATE, condition, xml, len) < 0)
        return -1;
    for (o = m->overrides; o->next; o = o->next)
        ;
    o->one_stream = true;
    o->stream = stream;
    return 0;
}

int mock_override(struct mock *m, const char *sid, const char *rid,
                  enum mock_override_kind kind, const char *condition,
                  const char *xml, size_t len)
{
    struct override *o;
    uint64_t number = 0;

    if (rid && request_parse_rid(rid, &number) < 0)
        return -1;
    o = add_override(m);
    o->sid = mem_dup(sid);
    o->rid = number;
    o->kind = kind;
    o->condition = mem_dup(condition);
    buf_add(&o->xml, xml, xml ? len : 0);
    return 0;
}

struct override *script_take_override(struct mock *m, const char *sid,
                                      uint64_t rid)
{
    for (struct override **link = &m->overrides; *link; link = &(*link)->next) {
        struct override *o = *link;

        if ((o->one_stream && !sid) ||
            (o->sid && (!sid || strcmp(o->sid, sid) != 0)) ||
            (o->rid && o->rid != rid))
            continue;
        *link = o->next;
        o->next = NULL;
        return o;
    }
    return NULL;
}

int mock_end_session(struct mock *m, int64_t now_ms, const char *sid,
                     const char *condition, const char *xml, size_t len)
{
    struct cmsession *s = live_session(m, sid);

    m->now_ms = now_ms;
    if (!s || !ending_by_server(m, s, condition, xml, len))
        return -1;
    manager_finish_call(m);
    return 0;
}

int mock_end_stream(struct mock *m, int64_t now_ms, const char *sid,
                    size_t stream, const char *condition, const char *xml,
                    size_t len)
{
    struct cmstream *st = open_stream(m, sid, stream);

    m->now_ms = now_ms;
    if (!st || st->session->state == MOCK_SESSION_ENDING)
        return -1;
    multi_server_end(m, st, condition, xml, len);
    manager_finish_call(m);
    return 0;
}

int mock_next_session(const struct mock *m, const char *after,
                      struct mock_session_info *out)
{
    const struct cmsession *s = m->first;

    if (after) {
        s = manager_find(m, after);
        s = s ? s->next : NULL;
    }
    if (!s)
        return 0;
    out->sid = s->sid;
    out->jid = bound_jid(s);
    out->state = s->state;
    out->rid = s->rid;
    out->open = s->open.count;
    out->parked = s->parked.count;
    out->queued = cmstream_queued_len(&s->streams);
    out->streams = cmstream_open_count(&s->streams);
    return 1;
}

/* ----------------------------------------------------------------- facts */

static struct fact *pop_fact(struct mock *m)
{
    struct fact *f = m->facts;

    if (!f)
        return NULL;
    m->facts = f->next;
    if (!m->facts)
        m->facts_end = &m->facts;
    m->fact_count--;
    return f;
}

static void add_fact(struct mock *m, const struct cmstream *st,
                     enum mock_fact_kind kind, const char *reason)
{
    struct fact *f = mem_alloc(sizeof *f);

    f->kind = kind;
    f->at_ms = m->now_ms;
    memcpy(f->sid, st->session->sid, sizeof f->sid);
    f->jid = mem_dup(stream_jid(st));
    f->reason = mem_dup(reason);
    *m->facts_end = f;
    m->facts_end = &f->next;
    if (++m->fact_count > MOCK_MAX_FACTS)
        free_fact(pop_fact(m));
}

void script_add_fact(struct mock *m, const struct cmsession *s,
                     enum mock_fact_kind kind, const char *reason)
{
    add_fact(m, s->streams.first, kind, reason);
}

void script_add_bound(struct mock *m, const struct cmstream *st)
{
    add_fact(m, st, MOCK_FACT_BOUND, "");
}

int mock_next_fact(struct mock *m, struct mock_fact *out)
{
    free_fact(m->fact_taken);
    m->fact_taken = pop_fact(m);
    if (!m->fact_taken)
        return 0;
    out->kind = m->fact_taken->kind;
    out->at_ms = m->fact_taken->at_ms;
    out->sid = m->fact_taken->sid;
    out->jid = m->fact_taken->jid;
    out->reason = m->fact_taken->reason;
    return 1;
}
