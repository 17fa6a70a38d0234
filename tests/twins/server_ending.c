/* Server twins: the client's terminate, XEP-0124 §13. */
#include "server_twins.h"

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

TWIN(twin_terminate_is_an_error, .request = note_end,
     .answer = call_it_an_error)
TWIN(twin_terminate_takes_its_time, .request = note_end, .answer = take_time)
TWIN(twin_terminate_is_another_request, .request = note_end,
     .answer = say_other_request)
TWIN(twin_terminate_hangs, .answer = never_answer)
TWIN(twin_terminate_answered_with_nothing, .answer = answer_nothing)
TWIN(twin_terminate_forgets_the_held, .request = forget_held)
TWIN(twin_sid_survives_terminate, .request = live_on, .answer = say_it_there)
TWIN(twin_drops_the_last_words, .request = drop_last)
TWIN(twin_terminate_on_the_request_itself, .request = note_end,
     .answer = say_it_there)
TWIN(twin_terminate_on_all, .request = note_end, .answer = say_it_everywhere)
