/*
 * The XMPP streams of a session, by the names that its manager gave them: see
 * journal_parts.h. XEP-0124 §16.
 */
#include "journal_parts.h"

#include <stdlib.h>
#include <string.h>

static struct journal_stream *find(const struct journal_session *s,
                                   const char *name)
{
    for (size_t i = 0; i < s->stream_count; i++) {
        if (strcmp(s->streams[i].name, name) == 0)
            return &s->streams[i];
    }
    return NULL;
}

static void add(struct journal_session *s, const char *name)
{
    JOURNAL_ROOM(s->streams, s->stream_count, s->stream_cap);
    s->streams[s->stream_count++] =
        (struct journal_stream){.name = mem_dup(name)};
}

/* One that was asked for and not yet named may be open for all we know. */
static bool all_are_closed(const struct journal_session *s)
{
    for (size_t i = 0; i < s->stream_count; i++) {
        if (!s->streams[i].closed)
            return false;
    }
    return s->streams_asked < s->stream_count;
}

void journal_streams_begin(struct journal_session *s, const xmlNode *granted)
{
    const char *name = xml_attr(granted, NULL, "stream");

    if (!name)
        return;
    add(s, name);
    journal_put(s->node, "stream", name);
}

static void set_kind(struct journal_x *x, enum kind kind)
{
    x->kind = kind;
    journal_put(x->node, "kind", facts_kind_name(kind));
}

/* A repeat is what its first was, whatever has happened since. */
static bool is_repeat(const struct journal *j, const struct journal_session *s,
                      struct journal_x *x)
{
    bool hit = false;
    const char *rid = xml_attr(x->node, NULL, "rid");
    size_t at = facts_is_number(rid) ? rids_index(s, rid, &hit) : 0;

    if (!hit)
        return false;
    if (x->request_body == journal_x_of(j, s->rids[at]->first)->request_body)
        set_kind(x, journal_x_of(j, s->rids[at]->first)->kind);
    return true;
}

void journal_streams_request(const struct journal *j, struct journal_session *s,
                             struct journal_x *x)
{
    const xmlNode *body = facts_body(x->req);
    const char *name = xml_attr(body, NULL, "stream");
    struct journal_stream *st;

    if (!s->stream_count || is_repeat(j, s, x))
        return;
    if (x->kind == KIND_POLL && xml_attr(body, NULL, "to")) {
        set_kind(x, KIND_ADD_STREAM);
        s->streams_asked++;
    } else if (x->kind == KIND_TERMINATE && name) {
        st = find(s, name);
        if (st)
            st->closed = true;
        if (!st || !all_are_closed(s))
            set_kind(x, KIND_CLOSE_STREAM);
    }
}

/* A name that is new is that of a stream which was asked for: the answer to
 * the request that did so, or one that overtakes it. Others are of no stream.
 */
void journal_streams_answered(struct journal_session *s, struct journal_x *x,
                              const xmlNode *body, bool ends)
{
    const char *name = xml_attr(body, NULL, "stream");

    if (!s->stream_count || !name)
        return;
    if (!find(s, name) && s->stream_count <= s->streams_asked)
        add(s, name);
    if (ends && find(s, name))
        find(s, name)->closed = true;
    x->ends_last = ends && all_are_closed(s);
}

void journal_streams_release(struct journal_session *s)
{
    for (size_t i = 0; i < s->stream_count; i++)
        free(s->streams[i].name);
    free(s->streams);
}
