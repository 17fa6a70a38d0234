/* Server twins: the client's terminate, XEP-0124 §13. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

static bool never_answer(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return !(a->call && a->call->terminate);
}

static bool answer_nothing(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->call && a->call->terminate)
        buf_clear(&a->body);
    return true;
}

static bool forget_held(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;

    for (unsigned i = 0; s && r->terminate && i < s->call_count; i++) {
        if (!s->calls[i].answered)
            server_shim_forget(ss, r->now_ms, s->calls[i].token);
    }
    return true;
}

/* To the core it is a pause: all is answered, and the session waits. */
static bool live_on(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->terminate && !r->repeat) {
        r->session->flag = true;
        entity_set(&r->body, "type", NULL);
        entity_set(&r->body, "pause", "60");
    }
    return true;
}

static bool drop_last(struct server_shim *ss, struct server_request *r)
{
    struct buf payload = BUF_INIT;

    (void)ss;
    if (r->session && r->terminate)
        entity_take_payload(&r->body, &payload);
    buf_release(&payload);
    return true;
}

static bool note_end(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->terminate)
        r->session->flag = true;
    return true;
}

static bool ends(const struct server_answer *a)
{
    return a->call && a->session->flag && a->status == 200 &&
           !entity_has(&a->body, "condition", "item-not-found");
}

/* As if the client had done something wrong. */
static bool call_it_an_error(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (!ends(a))
        return true;
    entity_set(&a->body, "type", a->call->terminate ? "terminate" : NULL);
    if (a->call->terminate)
        entity_set(&a->body, "condition", "internal-server-error");
    return true;
}

#define LATE_MS 4000

static bool take_time(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (ends(a))
        a->due_ms = a->now_ms + LATE_MS;
    return true;
}

/* ---- in the right: A1 reads either way ---- */

static bool say_it_there(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (ends(a))
        entity_set(&a->body, "type", a->call->terminate ? "terminate" : NULL);
    return true;
}

static bool say_it_everywhere(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (ends(a))
        entity_set(&a->body, "type", "terminate");
    return true;
}

static bool say_other_request(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (!ends(a))
        return true;
    entity_set(&a->body, "type", "terminate");
    if (!a->call->terminate)
        entity_set(&a->body, "condition", "other-request");
    return true;
}

/* ---- out of turn, and again ---- */

static bool terminate_early(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->early && r->terminate)
        entity_set_number(&r->body, "rid", r->session->low + 1);
    return true;
}

static bool hang_at_second(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !(r->session && r->repeat && r->terminate);
}

static bool go_on_at_second(struct server_shim *ss, struct server_request *r)
{
    if (!r->session || !r->repeat || !r->terminate)
        return true;
    server_shim_answer_empty(ss, r->now_ms, r->token, "error");
    return false;
}

const struct twin twins_server_ending[] = {
    {"terminates-on-arrival", TWIN_FAULTY,
     "ends the session as soon as it reads a terminate",
     SERVER(.request = terminate_early)},
    {"repeat-of-terminate-hangs", TWIN_FAULTY,
     "does not answer the second copy of a terminate",
     SERVER(.request = hang_at_second)},
    {"repeat-of-terminate-goes-on", TWIN_FAULTY,
     "asks whoever repeats a terminate to repeat it once more",
     SERVER(.request = go_on_at_second)},
    {"terminate-is-an-error", TWIN_FAULTY,
     "says at a terminate that it is broken itself",
     SERVER(.request = note_end, .answer = call_it_an_error)},
    {"terminate-takes-its-time", TWIN_FAULTY,
     "answers a terminate after four seconds",
     SERVER(.request = note_end, .answer = take_time)},
    {"terminate-is-another-request", TWIN_RIGHT,
     "says other-request on what is held at a terminate",
     SERVER(.request = note_end, .answer = say_other_request)},
    {"terminate-hangs", TWIN_FAULTY, "never answers a terminate",
     SERVER(.answer = never_answer)},
    {"terminate-answered-with-nothing", TWIN_FAULTY,
     "answers a terminate with HTTP 200 and not a byte",
     SERVER(.answer = answer_nothing)},
    {"terminate-forgets-the-held", TWIN_FAULTY,
     "leaves held requests open for ever at a terminate",
     SERVER(.request = forget_held)},
    {"sid-survives-terminate", TWIN_FAULTY,
     "confirms a terminate and keeps the session",
     SERVER(.request = live_on, .answer = say_it_there)},
    {"drops-the-last-words", TWIN_FAULTY,
     "does not pass on what a terminate brings", SERVER(.request = drop_last)},
    {"terminate-on-the-request-itself", TWIN_RIGHT,
     "says type='terminate' on the terminate, not on the oldest",
     SERVER(.request = note_end, .answer = say_it_there)},
    {"terminate-on-all", TWIN_RIGHT,
     "says type='terminate' on every open request",
     SERVER(.request = note_end, .answer = say_it_everywhere)},
    {0},
};
