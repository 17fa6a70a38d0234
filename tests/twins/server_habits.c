/* Server twins that are in the right: what they grant and when they answer is
 * unusual, and within XEP-0124. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

/* ---- what is granted, §7.2, §10 to §12 ---- */

static void one_request(struct mock_options *o)
{
    o->requests = 1;
}

static void five_requests(struct mock_options *o)
{
    o->requests = 5;
}

static void sixty_requests(struct mock_options *o)
{
    o->requests = 60;
}

static void no_hold(struct mock_options *o)
{
    o->hold = 0;
}

static void no_wait(struct mock_options *o)
{
    o->wait_s = 0;
}

static void one_second(struct mock_options *o)
{
    o->wait_s = 1;
}

static void two_seconds(struct mock_options *o)
{
    o->wait_s = 2;
}

static void no_limits(struct mock_options *o)
{
    o->inactivity_s = o->polling_s = -1;
}

static void little_patience(struct mock_options *o)
{
    o->inactivity_s = 2;
}

static void slow_polls(struct mock_options *o)
{
    o->wait_s = 0;
    o->polling_s = 30;
    o->inactivity_s = 90;
}

static void quick_enough_polls(struct mock_options *o)
{
    o->requests = 1;
    o->polling_s = 15;
    o->inactivity_s = 60;
}

static void count_to_the_letter(struct mock_options *o)
{
    o->literal_overactivity = true;
}

static void features_next(struct mock_options *o)
{
    o->features = MOCK_FEATURES_NEXT;
}

static void features_polled(struct mock_options *o)
{
    o->features = MOCK_FEATURES_POLLED;
}

static void no_restartlogic(struct mock_options *o)
{
    o->restartlogic = false;
}

/* ---- when it answers ---- */

#define SLOW_MS 1500

static bool be_slow(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    a->due_ms = a->now_ms + SLOW_MS;
    return true;
}

/* The core counts silence from its own answer. */
#define CREATION_MS 20000

/* Nearly as long as 'wait' allows. */
static bool hold_creation(struct server_shim *ss, struct server_answer *a)
{
    int64_t ms = 900 * (int64_t)entity_number(&a->body, "wait");

    (void)ss;
    if (a->creation)
        a->due_ms = a->now_ms + (ms < CREATION_MS ? ms : CREATION_MS);
    return true;
}

/* ---- answers at once, and brings what comes of a request with the next ----
 *
 * The core is given such a request as one of our own: nobody waits for its
 * answer, which is kept in carry. So the core does not know what was given to
 * whom, and repeats are answered here. count is 'inactivity'. */

static void give(struct call *c, const struct buf *body)
{
    buf_clear(&c->given);
    buf_add(&c->given, buf_str(body), body->len);
}

/* A stream error brings its condition along. */
static void put_carry(struct server_session *s, struct buf *body)
{
    if (!s->carry.len)
        return;
    if (strstr(buf_str(&s->carry), "<stream:error")) {
        entity_set(body, "type", "terminate");
        entity_set(body, "condition", "remote-stream-error");
        entity_set(body, "xmlns:stream", XML_NS_STREAM);
    }
    entity_put_payload(body, &s->carry);
    buf_clear(&s->carry);
}

static void answer_with_carry(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;
    struct call *c = server_session_call(s, r->rid);
    struct buf body = BUF_INIT;

    entity_empty(&body, NULL);
    put_carry(s, &body);
    give(c, &body);
    c->answered = true;
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    server_shim_inject(ss, r->now_ms, &r->body);
    buf_release(&body);
}

static bool is_gone(const struct server_session *s, int64_t now_ms)
{
    return s->over || now_ms - s->last_ms > 1000 * (int64_t)s->count;
}

static bool waits_for_another(const struct server_session *s, uint64_t rid)
{
    for (unsigned i = 0; i < s->call_count; i++) {
        if (s->calls[i].rid < rid && !s->calls[i].answered)
            return true;
    }
    return false;
}

/* Whatever brings a payload is not held, nor is a poll for which there is
 * something. */
static bool answer_at_once(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;
    const struct call *first;

    if (!s || r->early || waits_for_another(s, r->rid))
        return true;
    first = server_session_first_call(s, r->rid);
    if (r->answered && first && first->given.len) {
        server_shim_answer(ss, r->now_ms, r->token, 200, &first->given);
        return false;
    }
    if (r->repeat || r->terminate || r->pause || is_gone(s, r->now_ms) ||
        (!entity_has_payload(&r->body) && !s->carry.len))
        return true;
    answer_with_carry(ss, r);
    return false;
}

static bool carry_over(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    (void)ss;
    if (a->creation)
        s->count = entity_number(&a->body, "inactivity");
    if (s && a->own) {
        entity_take_payload(&a->body, &s->carry);
        s->flag = entity_has(&a->body, "type", "terminate");
    } else if (a->call && !a->replay && a->status == 200 &&
               !entity_has(&a->body, "type", "error")) {
        if (!a->call->pause)
            put_carry(s, &a->body);
        if (s->flag && a->call->terminate)
            entity_set(&a->body, "type", "terminate");
        give(a->call, &a->body);
    }
    return true;
}

/* To the core the polls that brought something brought nothing: it must not
 * count how often they come. */
static void count_no_polls(struct mock_options *o)
{
    quick_enough_polls(o);
    o->polling_s = -1;
}

static bool show_polling(struct server_shim *ss, struct server_answer *a)
{
    if (a->creation)
        entity_set(&a->body, "polling", "15");
    return carry_over(ss, a);
}

/* s->rid is the time of the last message: what it caused is not ready yet. */
static bool note_message(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;

    if (s && !r->repeat && !r->early && !r->terminate &&
        strstr(buf_str(&r->body), "<message"))
        s->rid = (uint64_t)r->now_ms;
    return answer_at_once(ss, r);
}

static bool bring_later(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    if (s && !a->own && !a->replay && !a->creation &&
        s->rid == (uint64_t)a->now_ms &&
        strstr(buf_str(&a->body), "<message")) {
        struct buf payload = BUF_INIT;

        entity_take_payload(&a->body, &payload);
        carry_over(ss, a);
        buf_add(&s->carry, buf_str(&payload), payload.len);
        buf_release(&payload);
        return true;
    }
    return carry_over(ss, a);
}

static void put_headline(struct buf *body)
{
    struct buf headline = BUF_INIT;

    buf_adds(&headline, "<message xmlns='" XML_NS_CLIENT "' from='localhost'"
                        " type='headline'><body>Welcome</body></message>");
    entity_put_payload(body, &headline);
    buf_release(&headline);
}

/* The first answer that would be empty brings the message of the day; a repeat
 * of it does so too. s->rid is the request's that got it. */
static bool greet(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    (void)ss;
    if (!s || !a->call || a->status != 200 || a->call->pause ||
        entity_has(&a->body, "type", "error") || entity_has_payload(&a->body))
        return true;
    if (a->replay ? s->rid == a->call->rid : !s->rid) {
        s->rid = a->call->rid;
        put_headline(&a->body);
    }
    return true;
}

/* ---- not what is recommended, and no harm ---- */

static bool plain_for_old_copy(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (entity_has(&a->body, "type", "error"))
        entity_set(&a->body, "type", NULL);
    return true;
}

static bool refuse_stranger(struct server_shim *ss, struct server_request *r)
{
    struct buf nothing = BUF_INIT;

    if (r->creation || r->session)
        return true;
    server_shim_answer(ss, r->now_ms, r->token, 400, &nothing);
    return false;
}

const struct twin twins_server_habits[] = {
    {"grants-one-request", TWIN_UNADVISED,
     "makes every session a polling one, by requests='1'",
     SERVER(.options = one_request)},
    {"grants-five-requests", TWIN_RIGHT,
     "grants five requests where one is held",
     SERVER(.options = five_requests)},
    {"grants-sixty-requests", TWIN_RIGHT,
     "grants sixty requests where one is held",
     SERVER(.options = sixty_requests)},
    {"grants-no-hold", TWIN_UNADVISED,
     "makes every session a polling one, by hold='0'",
     SERVER(.options = no_hold)},
    {"grants-no-wait", TWIN_RIGHT,
     "makes every session a polling one, by wait='0'",
     SERVER(.options = no_wait)},
    {"waits-one-second", TWIN_RIGHT, "grants one second of wait",
     SERVER(.options = one_second)},
    {"waits-two-seconds", TWIN_RIGHT, "grants two seconds of wait",
     SERVER(.options = two_seconds)},
    {"sets-no-limits", TWIN_RIGHT, "says neither 'inactivity' nor 'polling'",
     SERVER(.options = no_limits)},
    {"has-little-patience", TWIN_RIGHT, "grants two seconds of inactivity",
     SERVER(.options = little_patience)},
    {"polls-every-half-minute", TWIN_RIGHT,
     "makes polling sessions, with half a minute between polls",
     SERVER(.options = slow_polls)},
    {"polls-every-quarter-minute", TWIN_UNADVISED,
     "makes polling sessions, with a quarter of a minute between polls",
     SERVER(.options = quick_enough_polls)},
    {"counts-to-the-letter", TWIN_RIGHT,
     "counts requests before it lets the oldest go",
     SERVER(.options = count_to_the_letter)},
    {"has-features-next", TWIN_RIGHT,
     "has the features of the stream in its second answer",
     SERVER(.options = features_next)},
    {"has-features-when-polled", TWIN_RIGHT,
     "has the features of the stream in its third answer",
     SERVER(.options = features_polled)},
    {"does-not-offer-restarts", TWIN_UNADVISED,
     "does not say that it can restart a stream, and can",
     SERVER(.options = no_restartlogic)},
    {"is-slow", TWIN_RIGHT, "needs a second and a half for every answer",
     SERVER(.answer = be_slow)},
    {"holds-the-creation", TWIN_RIGHT,
     "holds the creation for nearly as long as it may",
     SERVER(.answer = hold_creation)},
    {"answers-at-once", TWIN_UNADVISED,
     "answers a payload at once, and brings what comes of it later",
     SERVER(.request = answer_at_once, .answer = carry_over)},
    {"polls-and-answers-at-once", TWIN_UNADVISED, "does so in polling sessions",
     SERVER(.options = count_no_polls, .request = answer_at_once,
            .answer = show_polling)},
    {"brings-messages-later", TWIN_UNADVISED,
     "does so, and brings a message one answer later still",
     SERVER(.request = note_message, .answer = bring_later)},
    {"greets-its-users", TWIN_RIGHT, "has a message of the day for everybody",
     SERVER(.answer = greet)},
    {"plain-body-for-the-old-copy", TWIN_RIGHT,
     "lets the old copy of a held request go with an empty body",
     SERVER(.answer = plain_for_old_copy)},
    {"unknown-sid-is-http-400", TWIN_RIGHT,
     "says HTTP 400 where it does not know the sid",
     SERVER(.request = refuse_stranger)},
    {0},
};
