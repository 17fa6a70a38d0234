/* A request of a session, in and out: see manager.h. */
#include "manager.h"

#include <string.h>

#include "common/xml.h"

/* How far below 'polling' two polls may arrive: the network shifts them. */
#define POLLING_SLACK_PERCENT 10

/* -------------------------------------------------------------- answering */

static void settle(struct mock *m, struct cmsession *s)
{
    deadlines_set(&m->deadlines, &s->deadline, cmsession_deadline_ms(s));
}

/* The oldest open request gets what waits for the client (§8), but a pause
 * request gets no payload (§10). */
static void answer_oldest(struct mock *m, struct cmsession *s)
{
    struct held *h = held_list_pop(&s->open);
    struct answer_parts parts = {0};
    struct buf extra = BUF_INIT;
    struct answer_bytes *body;
    struct cmstream *st = NULL;

    if (!h->pause)
        st = multi_speak(m, s, h, &extra, &parts);
    if (s->acks && s->rid != h->rid)
        parts.ack = s->rid;
    if (h->report) {
        parts.report = h->report;
        parts.report_age_ms = m->now_ms - h->report_sent_ms;
    }
    body = manager_answer_held(m, h, &parts);
    s->answered = h->rid;
    s->last_answer_empty = !parts.payload_len && !parts.payload2_len;
    if (!h->pause)
        multi_spoken(m, s, st);
    s->idle_since_ms = m->now_ms;
    replay_add(&s->replay, h->rid, m->now_ms, h->pause, body,
               s->client_acks ? s->acked : UINT64_MAX);
    answer_bytes_drop(body);
    buf_release(&extra);
    held_free(h);
}

/* Answers go out in rid order (§14.2): when a later one must, so must all
 * before it. */
static bool must_answer(const struct mock *m, const struct cmsession *s)
{
    size_t limit = s->polling_session ? 0 : (size_t)s->hold;

    if (s->open.count > limit || cmstream_is_withholding(&s->streams))
        return true;
    if (cmstream_to_speak(&s->streams) && !s->open.first->pause)
        return true;
    for (const struct held *h = s->open.first; h; h = h->next) {
        if (h->answer_now || h->due_ms <= m->now_ms)
            return true;
    }
    return false;
}

void traffic_answer_ready(struct mock *m, struct cmsession *s)
{
    if (s->state == MOCK_SESSION_GONE)
        return;
    if (s->state == MOCK_SESSION_ENDING && s->open.count) {
        ending_tell(m, s);
        return;
    }
    while (s->open.count && must_answer(m, s))
        answer_oldest(m, s);
    settle(m, s);
}

void traffic_time_passed(struct mock *m, struct cmsession *s)
{
    if (s->open.count)
        traffic_answer_ready(m, s);
    else
        ending_by_silence(m, s);
}

/* ------------------------------------------------------------- processing */

static bool is_poll(const struct cmsession *s, const struct request *req)
{
    return request_is_empty(req) && !multi_is_addition(s, req);
}

/* For its features, and while the login goes on, a client must poll (A27). */
static bool must_poll(const struct cmsession *s)
{
    return !multi_all_bound(s) &&
           (s->login_begun || cmstream_queued_len(&s->streams) > 0);
}

/* Two empty polls too near each other, the first answered without payloads
 * (§12). */
static bool polls_too_fast(const struct cmsession *s, const struct held *h)
{
    int64_t least_ms =
        (int64_t)s->polling_s * 10 * (100 - POLLING_SLACK_PERCENT);

    return s->polling_s > 0 && s->last_empty && s->last_answer_empty &&
           !must_poll(s) && is_poll(s, &h->req) &&
           h->arrived_ms - s->last_arrival_ms < least_ms;
}

/* §11 to the letter. Well-behaved by default we release beyond hold first,
 * and then neither can happen (A4). */
static bool overactive(const struct cmsession *s, const struct held *h)
{
    size_t unanswered = s->open.count + s->parked.count + 1;
    size_t limit = (size_t)s->requests;
    int64_t polling_ms = (int64_t)s->polling_s * 1000;

    if (!limit || h->req.terminate || h->req.pause_s >= 0)
        return false;
    if (unanswered > limit)
        return true;
    return !s->polling_session && unanswered == limit && s->polling_s > 0 &&
           is_poll(s, &h->req) &&
           h->arrived_ms - s->last_arrival_ms < polling_ms;
}

static bool is_violation(const struct mock *m, const struct cmsession *s,
                         const struct held *h)
{
    if (s->polling_session && polls_too_fast(s, h))
        return true;
    return m->options.set.literal_overactivity && overactive(s, h);
}

/* No ack from a client that announced them: all came (§9.2). */
static void note_ack(struct mock *m, struct cmsession *s, struct held *h)
{
    uint64_t ack = h->req.ack ? h->req.ack : s->answered;
    const struct replay_item *missing;
    int after_ms = m->options.set.report_after_ms;

    if (!s->client_acks)
        return;
    if (ack > s->answered)
        ack = s->answered;
    if (ack > s->acked)
        s->acked = ack;
    if (ack == s->answered || after_ms < 0)
        return;
    missing = replay_find(&s->replay, ack + 1);
    /* a younger one may have crossed this request on its way (A25) */
    if (!missing || m->now_ms - missing->sent_ms < after_ms)
        return;
    h->report = ack + 1;
    h->report_sent_ms = missing->sent_ms;
    h->answer_now = true;
}

static bool may_pause(const struct cmsession *s, const struct request *req)
{
    return s->maxpause_s >= 0 && req->pause_s <= s->maxpause_s;
}

/* The session's new state, and what is for the server. A payload in a restart
 * is left alone (XEP-0206 §5). */
static void process(struct mock *m, struct cmsession *s, struct held *h)
{
    const struct request *req = &h->req;

    if (req->pause_s >= 0 && !req->terminate) {
        s->pause_s = req->pause_s;
        h->pause = h->answer_now = true;
        cmsession_move(s, CMSESSION_PAUSE);
    } else {
        cmsession_move(s, CMSESSION_REQUEST);
    }
    if (multi_is_addition(s, req))
        multi_add(m, s, h);
    else if (req->restart && !req->terminate)
        multi_restart(s, req);
    else
        multi_forward(s, req);
    if (multi_closes_one(s, req)) {
        multi_close_one(s, req);
        h->answer_now = true;
    }
}

/* Why this request, whose turn it is, ends the session; NULL: it does not. */
static const char *objection(const struct mock *m, struct cmsession *s,
                             const struct held *h)
{
    const struct request *req = &h->req;

    if (m->options.set.keys && !keycheck_pass(&s->keys, req->key, req->newkey))
        return "item-not-found"; /* §15.4 */
    if (s->state == MOCK_SESSION_ENDING || (h->end && !h->end->one_stream))
        return NULL;
    if (is_violation(m, s, h))
        return "policy-violation";
    if (req->pause_s >= 0 && !req->terminate && !may_pause(s, req))
        return "policy-violation"; /* A9 */
    return multi_objection(m, s, req);
}

/* An order of the case. Where there is no such stream, nothing happens. */
static void end_one_stream(struct mock *m, struct cmsession *s, struct held *h)
{
    const struct override *o = h->end;
    struct cmstream *st = cmstream_numbered(&s->streams, o->stream);

    if (st && cmstream_is_open(st))
        multi_server_end(m, st, o->condition, o->xml.data, o->xml.len);
    h->answer_now = true;
}

/* The next request in rid order. h is taken. */
static void run(struct mock *m, struct cmsession *s, struct held *h)
{
    const char *condition;
    bool ends;

    s->rid = h->rid;
    condition = objection(m, s, h);
    if (condition) {
        ending_fatal(m, s, h, condition);
        return;
    }
    if (h->end && !h->end->one_stream) {
        ending_by_override(m, s, h);
        return;
    }
    note_ack(m, s, h);
    s->last_arrival_ms = h->arrived_ms;
    s->last_empty = is_poll(s, &h->req);
    s->login_begun |= !s->last_empty;
    if (s->state != MOCK_SESSION_ENDING)
        process(m, s, h);
    if (h->end)
        end_one_stream(m, s, h);
    ends = h->req.terminate &&
           (!multi_closes_one(s, &h->req) || !cmstream_open_count(&s->streams));
    request_release(&h->req);
    held_list_insert(&s->open, h);
    if (ends)
        ending_by_client(m, s);
    else
        traffic_answer_ready(m, s);
}

static void run_parked(struct mock *m, struct cmsession *s)
{
    while (s->state != MOCK_SESSION_GONE && s->parked.first &&
           s->parked.first->rid == s->rid + 1)
        run(m, s, held_list_pop(&s->parked));
}

/* ---------------------------------------------------------------- repeats */

static int64_t due(const struct mock *m, const struct cmsession *s)
{
    return m->now_ms +
           (int64_t)s->wait_s * 10 * m->options.set.empty_at_percent;
}

/* The newest copy gets the answer, the older one is told that there is none
 * for it (§14.3, A2). */
static void take_place(struct mock *m, struct held *old, const struct held *h)
{
    const struct answer_parts parts = {.type = "error"};

    answer_bytes_drop(manager_answer_held(m, old, &parts));
    old->token = h->token;
    old->gone = false;
    old->due_ms = h->due_ms;
    manager_watch(m, old);
}

static void replay(struct mock *m, struct cmsession *s,
                   const struct replay_item *item, const struct held *h)
{
    manager_answer(m, s, h->token, h->rid, item->body)->replay = true;
    s->idle_since_ms = m->now_ms;
}

/* h is taken. */
static void repeat(struct mock *m, struct cmsession *s, struct held *h)
{
    struct held *old = held_list_find(&s->open, h->rid);
    struct replay_item *kept = NULL;

    if (!old)
        old = held_list_find(&s->parked, h->rid);
    if (!old)
        kept = replay_find(&s->replay, h->rid);
    if (!old && !kept) {
        ending_fatal(m, s, h, "item-not-found");
        return;
    }
    if (++*(old ? &old->repeats : &kept->repeats) > MOCK_MAX_REPEATS) {
        ending_fatal(m, s, h, "policy-violation");
        return;
    }
    if (old)
        take_place(m, old, h);
    else
        replay(m, s, kept, h);
    held_free(h);
    settle(m, s);
}

/* ---------------------------------------------------------------- arrival */

static struct held *hold_new(struct mock *m, struct cmsession *s,
                             struct arrival *a)
{
    struct held *h = mem_alloc(sizeof *h);

    h->session = s;
    h->req = a->req;
    memset(&a->req, 0, sizeof a->req);
    h->rid = h->req.rid;
    h->token = a->token;
    h->arrived_ms = m->now_ms;
    h->due_ms = due(m, s);
    return h;
}

/* A request of a secure session that comes in clear: its connection is
 * closed, the session is left alone (§19.1). */
static void close_insecure(struct mock *m, const struct cmsession *s,
                           const struct arrival *a)
{
    struct answer *answer = answer_box_add(&m->box);

    answer->token = a->token;
    answer->reason = "";
    answer->rid = a->req.rid;
    memcpy(answer->sid, s->sid, sizeof answer->sid);
}

/* h is taken. */
static void recoverable(struct mock *m, struct cmsession *s, struct held *h,
                        struct override *o)
{
    const struct answer_parts parts = {
        .type = "error", .payload = o->xml.data, .payload_len = o->xml.len};

    answer_bytes_drop(manager_answer_held(m, h, &parts));
    override_free(o);
    held_free(h);
    s->idle_since_ms = m->now_ms;
    settle(m, s);
}

/* Is there something about it that ends the session at once? */
static const char *arrival_objection(const struct cmsession *s,
                                     const struct held *h)
{
    bool extra = h->req.terminate || h->req.pause_s >= 0;

    if (h->rid > cmsession_window_end(s, extra))
        return "item-not-found"; /* §14.2 */
    if (h->rid > s->rid + 1 && s->parked.count >= MOCK_MAX_PARKED)
        return "policy-violation";
    return NULL;
}

/* h is taken. */
static void take_new(struct mock *m, struct cmsession *s, struct held *h)
{
    const char *condition = arrival_objection(s, h);

    if (condition) {
        ending_fatal(m, s, h, condition);
        return;
    }
    manager_watch(m, h);
    if (h->rid > s->rid + 1) {
        held_list_insert(&s->parked, h);
        settle(m, s);
        return;
    }
    run(m, s, h);
    run_parked(m, s);
}

static bool is_repeat(const struct cmsession *s, uint64_t rid)
{
    return rid <= s->rid || held_list_find(&s->parked, rid);
}

/* h is taken. */
static void take_held(struct mock *m, struct cmsession *s, struct held *h)
{
    struct override *o = script_take_override(m, s->sid, h->rid);

    if (o && o->kind == MOCK_RECOVERABLE) {
        recoverable(m, s, h, o);
        return;
    }
    h->end = o;
    if (!is_repeat(s, h->rid))
        take_new(m, s, h);
    else if (h->end && !h->end->one_stream)
        ending_by_override(m, s, h);
    else
        repeat(m, s, h);
}

void traffic_take(struct mock *m, struct cmsession *s, struct arrival *a)
{
    if (s->state == MOCK_SESSION_GONE)
        manager_refuse(m, s, a->token, a->req.rid, s->legacy, "item-not-found");
    else if (s->secure && !a->tls)
        close_insecure(m, s, a);
    else if (!a->req.rid)
        ending_fatal(m, s, hold_new(m, s, a), "bad-request");
    else
        take_held(m, s, hold_new(m, s, a));
}
