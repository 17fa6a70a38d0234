/* Server twins: the window of rids and what belongs to whom, XEP-0124 §14.2.
 * count is 'requests'. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

/* So far ahead that no window reaches it. */
#define FAR 1000000
#define SECRET_LIMIT 5
#define LATE_MS 9000
#define PATIENCE_MS 1500

static bool note_requests(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        a->session->count = entity_number(&a->body, "requests");
    return true;
}

static bool is_beyond(const struct server_request *r)
{
    return r->session && r->early &&
           r->rid > r->session->low + r->session->count;
}

/* ---- beyond the window ---- */

static bool park_beyond(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !is_beyond(r);
}

static bool answer_beyond(struct server_shim *ss, struct server_request *r)
{
    if (!is_beyond(r))
        return true;
    server_shim_answer_empty(ss, r->now_ms, r->token, NULL);
    return false;
}

static bool threaten(struct server_shim *ss, struct server_request *r)
{
    struct buf body = BUF_INIT;

    if (!is_beyond(r))
        return true;
    entity_empty(&body, "terminate");
    entity_set(&body, "condition", "item-not-found");
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    buf_release(&body);
    return false;
}

static bool call_it_policy(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (entity_has(&a->body, "condition", "item-not-found"))
        entity_set(&a->body, "condition", "policy-violation");
    return true;
}

/* ---- inside the window ---- */

static bool take_two(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->early && r->rid > r->session->low + 2)
        entity_set_number(&r->body, "rid", r->rid + FAR);
    return true;
}

/* What came early is kept apart, and runs in one go with what was missing:
 * the last comer first. */
static bool run_backwards(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;

    (void)ss;
    if (!s || r->repeat)
        return true;
    if (r->early) {
        entity_take_payload(&r->body, &s->carry);
    } else if (s->carry.len) {
        entity_put_payload(&r->body, &s->carry);
        buf_clear(&s->carry);
    }
    return true;
}

static void name_no_limit(struct mock_options *o)
{
    o->requests = 0;
}

static bool limit_in_secret(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->early && r->rid > r->session->low + SECRET_LIMIT)
        entity_set_number(&r->body, "rid", r->rid + FAR);
    return true;
}

/* ---- whose it is ---- */

/* Messages of older sessions come in the newest. */
static bool mix_up(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *newest = server_shim_newest(ss);

    if (!a->session || a->creation || a->replay)
        return true;
    if (a->session != newest && strstr(buf_str(&a->body), "<message")) {
        entity_take_payload(&a->body, &newest->carry);
    } else if (a->session == newest && newest->carry.len) {
        entity_put_payload(&a->body, &newest->carry);
        buf_clear(&newest->carry);
    }
    return true;
}

/* ---- when it is brought ---- */

/* Nothing is brought that was not there when the request came, until most of
 * 'wait' is over: held as if nothing had come. */
static bool bring_late(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation && !a->replay &&
        strstr(buf_str(&a->body), "<message"))
        a->due_ms = a->now_ms + LATE_MS;
    return true;
}

/* s->rid is when the last poll came: what is there for it was there before. */
static bool note_poll(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session)
        r->session->rid =
            entity_has_payload(&r->body) ? 0 : (uint64_t)r->now_ms;
    return true;
}

static bool drop_between(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;
    struct buf dropped = BUF_INIT;

    (void)ss;
    if (s && !a->replay && (uint64_t)a->now_ms == s->rid &&
        strstr(buf_str(&a->body), "<message"))
        entity_take_payload(&a->body, &dropped);
    buf_release(&dropped);
    return true;
}

/* The second message of an answer goes before the first. */
static bool swap_messages(struct buf *body)
{
    const char *first = strstr(buf_str(body), "<message");
    const char *second = first ? strstr(first + 1, "<message") : NULL;
    const char *end = second ? strstr(second, "</message>") : NULL;
    struct buf out = BUF_INIT;

    if (!end)
        return false;
    end += strlen("</message>");
    buf_add(&out, buf_str(body), (size_t)(first - buf_str(body)));
    buf_add(&out, second, (size_t)(end - second));
    buf_add(&out, first, (size_t)(second - first));
    buf_adds(&out, end);
    buf_clear(body);
    buf_add(body, buf_str(&out), out.len);
    buf_release(&out);
    return true;
}

/* A message alone waits for the next, and comes behind it; if there is none
 * for a while, it comes alone after all. s->count is when it came. */
static bool newest_first(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;
    bool message = strstr(buf_str(&a->body), "<message") != NULL;
    struct buf newer = BUF_INIT;

    (void)ss;
    if (!s || a->creation || a->replay || swap_messages(&a->body))
        return true;
    if (message && !s->carry.len) {
        entity_take_payload(&a->body, &s->carry);
        s->count = (uint64_t)a->now_ms;
    } else if (s->carry.len &&
               (message || (uint64_t)a->now_ms > s->count + PATIENCE_MS)) {
        entity_take_payload(&a->body, &newer);
        entity_put_payload(&a->body, &s->carry);
        if (newer.len)
            entity_put_payload(&a->body, &newer);
        buf_clear(&s->carry);
    }
    buf_release(&newer);
    return true;
}

/* ---- what is held ---- */

static void let_go_early(struct mock_options *o)
{
    o->empty_at_percent = 20;
}

/* An attribute that is "0" in a creation request becomes what no case asks
 * for, and is "0" again in the answer. */
static bool hold_anyway(struct server_request *r, const char *name,
                        const char *instead)
{
    if (r->creation && entity_has(&r->body, name, "0"))
        entity_set(&r->body, name, instead);
    return true;
}

static bool ask_to_wait(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return hold_anyway(r, "wait", "47");
}

static bool pretend_no_wait(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && entity_has(&a->body, "wait", "47"))
        entity_set(&a->body, "wait", "0");
    return true;
}

static bool ask_to_hold(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return hold_anyway(r, "hold", "7");
}

static bool pretend_no_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && entity_has(&a->body, "hold", "7"))
        entity_set(&a->body, "hold", "0");
    return true;
}

const struct twin twins_server_flow[] = {
    {"parks-beyond-the-window", TWIN_FAULTY,
     "waits for the rids before one that is beyond the window",
     SERVER(.request = park_beyond, .answer = note_requests)},
    {"answers-beyond-the-window", TWIN_FAULTY,
     "answers a rid beyond the window as any other",
     SERVER(.request = answer_beyond, .answer = note_requests)},
    {"threatens-and-goes-on", TWIN_FAULTY,
     "says item-not-found to a rid beyond the window, and keeps the session",
     SERVER(.request = threaten, .answer = note_requests)},
    {"calls-the-window-a-policy", TWIN_FAULTY,
     "says policy-violation where item-not-found is meant",
     SERVER(.answer = call_it_policy)},
    {"window-of-two", TWIN_FAULTY,
     "ends the session when a rid is more than two ahead",
     SERVER(.request = take_two)},
    {"runs-the-parked-backwards", TWIN_FAULTY,
     "runs what came early before what was missing",
     SERVER(.request = run_backwards)},
    {"names-no-limit", TWIN_UNADVISED,
     "does not say how many requests may be open",
     SERVER(.options = name_no_limit)},
    {"limits-in-secret", TWIN_FAULTY,
     "names no limit of open requests, and has one",
     SERVER(.options = name_no_limit, .request = limit_in_secret)},
    {"mixes-sessions-up", TWIN_FAULTY,
     "brings an older session's messages in the newest",
     SERVER(.answer = mix_up)},
    {"brings-when-wait-is-over", TWIN_FAULTY,
     "keeps every message for nine seconds", SERVER(.answer = bring_late)},
    {"drops-what-comes-between", TWIN_FAULTY,
     "throws away messages that came while no request was open",
     SERVER(.request = note_poll, .answer = drop_between)},
    {"brings-the-newest-first", TWIN_FAULTY,
     "brings each message behind the one that came after it",
     SERVER(.answer = newest_first)},
    {"lets-polls-go-early", TWIN_FAULTY,
     "answers polls when a fifth of 'wait' is over",
     SERVER(.options = let_go_early)},
    {"holds-without-wait", TWIN_FAULTY, "holds requests where wait is 0",
     SERVER(.request = ask_to_wait, .answer = pretend_no_wait)},
    {"holds-without-hold", TWIN_FAULTY, "holds requests where hold is 0",
     SERVER(.request = ask_to_hold, .answer = pretend_no_hold)},
    {0},
};
