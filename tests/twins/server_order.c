/* Server twins: the order of requests and answers, XEP-0124 §14.2, and how
 * many are held, §11. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

/* So far ahead that no window reaches it. */
#define FAR 1000000

/* ---- payloads run as they arrive, answers keep their order ---- */

/* The core is given the requests in the order of arrival: count of them so
 * far. The answer to its rid k is then the client's rid k's, who may not have
 * asked yet: what waits for it is kept in carry. */
static bool run_on_arrival(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;

    (void)ss;
    if (!s || r->repeat)
        return true;
    entity_set_number(&r->body, "rid", s->first + ++s->count);
    if (s->flag && r->rid == s->rid) {
        s->flag = false;
        server_shim_answer(ss, r->now_ms, r->token, 200, &s->carry);
        server_session_call(s, r->rid)->answered = true;
        buf_clear(&s->carry);
    }
    return true;
}

static bool answer_by_rid(struct server_shim *ss, struct server_answer *a)
{
    struct call *c = a->session && !a->creation
                         ? server_session_call(a->session, a->rid)
                         : NULL;

    (void)ss;
    if (!a->session || a->creation || entity_has(&a->body, "type", "error"))
        return true;
    if (a->call)
        a->call->answered = false;
    if (c) {
        c->answered = true;
        a->token = c->token;
        return true;
    }
    a->session->flag = true;
    a->session->rid = a->rid;
    buf_clear(&a->session->carry);
    buf_add(&a->session->carry, buf_str(&a->body), a->body.len);
    return false;
}

/* ---- other wrong orders ---- */

static bool answer_early_one(struct server_shim *ss, struct server_request *r)
{
    if (!r->session || !r->early)
        return true;
    server_shim_answer_empty(ss, r->now_ms, r->token, NULL);
    server_shim_inject(ss, r->now_ms, &r->body);
    return false;
}

/* What the core says to a request of our own is for the next answer. */
static bool carry_over(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    (void)ss;
    if (s && a->own) {
        entity_take_payload(&a->body, &s->carry);
    } else if (s && !a->replay && s->carry.len) {
        entity_put_payload(&a->body, &s->carry);
        buf_clear(&s->carry);
    }
    return true;
}

static bool refuse_early_one(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->early)
        entity_set_number(&r->body, "rid", r->rid + FAR);
    return true;
}

#define LATE_MS 500

static bool delay_late_comer(struct server_shim *ss, struct server_answer *a)
{
    const struct server_session *s = a->session;

    (void)ss;
    for (unsigned i = 0; a->call && i < s->call_count; i++) {
        if (s->calls[i].rid > a->call->rid &&
            s->calls[i].order < a->call->order)
            a->due_ms = a->now_ms + LATE_MS;
    }
    return true;
}

/* Not forgotten by the core, but by whoever writes to the connection. */
static bool forget_parked(struct server_shim *ss, struct server_answer *a)
{
    const struct server_session *s = a->session;

    (void)ss;
    for (unsigned i = 0; a->call && i < s->call_count; i++) {
        if (s->calls[i].rid < a->call->rid &&
            s->calls[i].order > a->call->order)
            return false;
    }
    return true;
}

/* ---- holding ---- */

static void let_go_early(struct mock_options *o)
{
    o->empty_at_percent = 1;
}

static void hold_two(struct mock_options *o)
{
    o->requests = 3;
}

static bool ask_for_two(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->creation && entity_number(&r->body, "hold") == 1)
        entity_set(&r->body, "hold", "2");
    return true;
}

static bool pretend_one(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation) {
        entity_set(&a->body, "hold", "1");
        entity_set(&a->body, "requests", "2");
    }
    return true;
}

/* The newest request gets the empty answer that lets the oldest go. */
static bool answer_newest(struct server_shim *ss, struct server_answer *a)
{
    struct call *higher;
    uint64_t to;

    (void)ss;
    if (!a->call || entity_has_payload(&a->body))
        return true;
    higher = server_session_higher_open(a->session, a->call->rid);
    if (!higher)
        return true;
    to = higher->to;
    higher->to = a->token;
    a->token = to;
    return true;
}

/* The oldest goes because a newer one came. */
static bool let_go_with_500(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->call && !a->call->terminate && !entity_has_payload(&a->body) &&
        server_session_higher_open(a->session, a->call->rid)) {
        a->status = 500;
        buf_clear(&a->body);
    }
    return true;
}

/* ---- in the right ---- */

#define MOMENT_MS 20

/* What a lower rid is to be answered with waits a moment: if a higher one is
 * answered meanwhile, that has it all. s->rid is the token that waits. */
static bool gather(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    if (!a->call || a->replay || a->call->terminate)
        return true;
    if (s->rid && server_shim_take_back(ss, s->rid, &s->carry)) {
        entity_put_payload(&a->body, &s->carry);
        a->due_ms = a->now_ms + MOMENT_MS;
    }
    buf_clear(&s->carry);
    s->rid = 0;
    if (entity_has_payload(&a->body) &&
        server_session_higher_open(s, a->call->rid)) {
        s->rid = a->token;
        a->due_ms = a->now_ms + MOMENT_MS;
    }
    return true;
}

const struct twin twins_server_order[] = {
    {"processes-on-arrival", TWIN_FAULTY,
     "runs payloads as they arrive, whatever their rids",
     SERVER(.request = run_on_arrival, .answer = answer_by_rid)},
    {"answers-before-the-gap-closes", TWIN_FAULTY,
     "answers a request although one before it is missing",
     SERVER(.request = answer_early_one, .answer = carry_over)},
    {"window-of-one", TWIN_FAULTY,
     "ends the session when a rid comes early, whatever 'requests' says",
     SERVER(.request = refuse_early_one)},
    {"forgets-the-parked", TWIN_FAULTY,
     "never answers a request that came before its turn",
     SERVER(.answer = forget_parked)},
    {"lets-go-with-http-500", TWIN_FAULTY,
     "says HTTP 500 to the oldest request that must go",
     SERVER(.answer = let_go_with_500)},
    {"answers-in-arrival-order", TWIN_FAULTY,
     "answers the request that came late half a second late",
     SERVER(.answer = delay_late_comer)},
    {"holds-too-many", TWIN_FAULTY, "holds one request more than 'hold' says",
     SERVER(.options = hold_two, .request = ask_for_two,
            .answer = pretend_one)},
    {"answers-the-newest", TWIN_FAULTY,
     "answers the newest request where the oldest must go",
     SERVER(.answer = answer_newest)},
    {"keeps-up", TWIN_UNADVISED,
     "hardly holds anything, so that nothing is ever too many",
     SERVER(.options = let_go_early)},
    {"two-stanzas-in-one-answer", TWIN_RIGHT,
     "saves what there is for the newest of the open requests",
     SERVER(.answer = gather)},
    {0},
};
