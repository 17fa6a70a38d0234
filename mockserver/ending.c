/* Every way in which a session ends: see manager.h. */
#include "manager.h"

#include <stdlib.h>

/* What the requests hear that are open beside the one it is about. */
static const struct answer_parts plain_empty = {0};
static const struct answer_parts other_request = {.type = "terminate",
                                                  .condition = "other-request"};

/* h is taken. Endings are not kept for a repeat (§14.3). */
static void close_one(struct mock *m, struct cmsession *s, struct held *h,
                      const struct answer_parts *parts)
{
    const char *reason;

    if (!s->legacy || !parts->condition || parts->payload_len ||
        parts->payload2_len || !manager_legacy_code(parts->condition, &reason))
        answer_bytes_drop(manager_answer_held(m, h, parts));
    else if (!h->gone)
        manager_refuse(m, s, h->token, h->rid, true, parts->condition);
    manager_unwatch(m, h);
    held_free(h);
}

static void close_all(struct mock *m, struct cmsession *s,
                      struct held_list *list, const struct answer_parts *parts)
{
    struct held *h;

    while ((h = held_list_pop(list)))
        close_one(m, s, h, parts);
}

static void retire(struct mock *m, struct cmsession *s, const char *reason)
{
    script_add_fact(m, s, MOCK_FACT_ENDED, reason ? reason : "terminate");
    manager_retire(m, s);
}

/* In rid order: those open, the one it is about, those beyond a gap. */
static void close_around(struct mock *m, struct cmsession *s, struct held *h,
                         const struct answer_parts *its,
                         const struct answer_parts *others)
{
    close_all(m, s, &s->open, others);
    close_one(m, s, h, its);
    close_all(m, s, &s->parked, others);
}

void ending_fatal(struct mock *m, struct cmsession *s, struct held *offender,
                  const char *condition)
{
    const struct answer_parts parts = {.type = "terminate",
                                       .condition = condition};

    cmsession_move(s, CMSESSION_FATAL);
    close_around(m, s, offender, &parts, &other_request);
    retire(m, s, condition);
}

/* A1: the oldest open one hears terminate, all others an empty body. */
void ending_by_client(struct mock *m, struct cmsession *s)
{
    const struct answer_parts parts = {.type = "terminate"};

    cmsession_move(s, CMSESSION_TERMINATE);
    if (s->state == MOCK_SESSION_ENDING) {
        ending_tell(m, s);
        return;
    }
    close_one(m, s, held_list_pop(&s->open), &parts);
    close_all(m, s, &s->open, &plain_empty);
    close_all(m, s, &s->parked, &plain_empty);
    retire(m, s, NULL);
}

/* Only noted here, since the server may still be at work: told when the
 * running call ends. */
bool ending_by_server(struct mock *m, struct cmsession *s,
                      const char *condition, const char *xml, size_t len)
{
    if (!cmsession_move(s, CMSESSION_SERVER_END))
        return false;
    s->end_condition = mem_dup(condition);
    buf_add(&s->end_xml, xml, xml ? len : 0);
    manager_touch(m, s);
    return true;
}

/* What was queued comes before the reason (XEP-0206 §6). Where there were
 * several streams, an element must have a name with it, and what has a name
 * ends that stream only (§16.4, §16.6): so it is the last one's, or there is
 * none. */
static void fill_parts(struct answer_parts *parts, const struct cmsession *s,
                       const char *condition, const struct buf *xml)
{
    const struct cmstream *st = s->end_stream;

    parts->type = "terminate";
    parts->condition = condition;
    if (s->streams.count == 1)
        st = s->streams.first;
    else if (st)
        parts->stream = st->name;
    if (st) {
        parts->payload = st->queue.data;
        parts->payload_len = st->queue.len;
    }
    parts->payload2 = xml->data;
    parts->payload2_len = xml->len;
}

void ending_tell(struct mock *m, struct cmsession *s)
{
    struct answer_parts first = {0};
    const struct answer_parts others = {.type = "terminate",
                                        .condition = s->end_condition};

    cmsession_move(s, CMSESSION_TOLD);
    fill_parts(&first, s, s->end_condition, &s->end_xml);
    close_one(m, s, held_list_pop(&s->open), &first);
    close_all(m, s, &s->open, &others);
    close_all(m, s, &s->parked, &others);
    retire(m, s, s->end_condition);
}

void ending_by_override(struct mock *m, struct cmsession *s, struct held *h)
{
    struct override *o = h->end;
    struct answer_parts its = {0};
    const struct answer_parts others = {.type = "terminate",
                                        .condition = o->condition};

    h->end = NULL;
    cmsession_move(s, CMSESSION_FATAL);
    fill_parts(&its, s, o->condition, &o->xml);
    close_around(m, s, h, &its, &others);
    retire(m, s, o->condition);
    override_free(o);
}

/* Nobody is told (§10), but what waits beyond a gap is not left hanging. */
void ending_by_silence(struct mock *m, struct cmsession *s)
{
    const struct answer_parts parts = {.type = "terminate",
                                       .condition = "item-not-found"};

    cmsession_move(s, CMSESSION_SILENCE);
    close_all(m, s, &s->parked, &parts);
    script_add_fact(m, s, MOCK_FACT_EXPIRED, "");
    manager_retire(m, s);
}
