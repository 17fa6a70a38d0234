/* Server twins: a rid that comes again, XEP-0124 §14.3. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

#define FAR 1000000

/* ---- what was answered ---- */

static void refuse(struct server_request *r)
{
    entity_set_number(&r->body, "rid", r->rid + FAR);
}

static bool keep_nothing(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->answered)
        refuse(r);
    return true;
}

static bool keep_newest(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->answered && r->rid < shim_session_answered(r->session))
        refuse(r);
    return true;
}

static bool make_anew(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->replay)
        entity_empty(&a->body, NULL);
    return true;
}

/* An 'ack' as of now; the payload is what it was. */
static bool acknowledge(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation && a->status == 200)
        entity_set_number(&a->body, "ack", a->session->low);
    return true;
}

/* The core's rids run ahead of the client's by count. */
static bool run_again(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;
    struct call *first;

    if (!s)
        return true;
    if (!r->repeat) {
        server_session_call(s, r->rid)->inner_rid = r->rid + s->count;
        entity_set_number(&r->body, "rid", r->rid + s->count);
        return true;
    }
    first = server_session_first_call(s, r->rid);
    entity_set_number(&r->body, "rid", first->inner_rid);
    server_shim_pass(ss, r);
    if (entity_has_payload(&r->body)) {
        entity_set_number(&r->body, "rid", s->low + ++s->count);
        server_shim_inject(ss, r->now_ms, &r->body);
    }
    return false;
}

/* The core must remember more than it says, since its own runs count too. */
static void remember_more(struct mock_options *o)
{
    o->requests = 9;
}

static bool carry_over(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    (void)ss;
    if (a->creation)
        entity_set(&a->body, "requests", "2");
    if (s && a->own) {
        entity_take_payload(&a->body, &s->carry);
    } else if (s && !a->replay && s->carry.len) {
        entity_put_payload(&a->body, &s->carry);
        buf_clear(&s->carry);
    }
    return true;
}

/* After a repeat the next rid is thought to be the one after that. */
static bool move_the_rid(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;

    (void)ss;
    if (!s)
        return true;
    if (r->answered) {
        s->flag = true;
        s->rid = r->rid;
        return true;
    }
    return !s->flag || r->rid <= s->rid + 1;
}

/* ---- what is held ---- */

static bool is_held(const struct server_request *r)
{
    return r->session && r->repeat && !r->answered && !r->early;
}

static bool stay_with_old(struct server_shim *ss, struct server_request *r)
{
    if (!is_held(r))
        return true;
    server_shim_answer_empty(ss, r->now_ms, r->token, NULL);
    return false;
}

static bool ignore_copy(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !is_held(r);
}

/* The old copy gets what the new one gets: its token waits in rid. */
static bool answer_both(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    if (!a->call || a->own)
        return true;
    if (entity_has(&a->body, "type", "error")) {
        s->flag = true;
        s->rid = a->token;
        return false;
    }
    if (s->flag)
        server_shim_answer(ss, a->now_ms, s->rid, a->status, &a->body);
    s->flag = false;
    return true;
}

static bool leave_old_open(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return !a->call || !entity_has(&a->body, "type", "error");
}

const struct twin twins_server_repeats[] = {
    {"leaves-the-old-copy-open", TWIN_FAULTY,
     "never answers the first copy of a held request",
     SERVER(.answer = leave_old_open)},
    {"no-replay-buffer", TWIN_FAULTY,
     "has no answer left for a rid that comes again",
     SERVER(.request = keep_nothing)},
    {"replay-buffer-of-one", TWIN_FAULTY, "keeps the newest answer only",
     SERVER(.request = keep_newest)},
    {"acknowledges-in-replays", TWIN_UNADVISED,
     "acknowledges, in a replay too, what it has by now",
     SERVER(.answer = acknowledge)},
    {"replay-made-anew", TWIN_FAULTY,
     "answers a repeat with what there is now: nothing",
     SERVER(.answer = make_anew)},
    {"runs-a-repeat-again", TWIN_FAULTY,
     "runs the payload of a repeat once more",
     SERVER(.options = remember_more, .request = run_again,
            .answer = carry_over)},
    {"replay-moves-the-rid", TWIN_FAULTY,
     "waits for the rid after the one that it gave again",
     SERVER(.request = move_the_rid)},
    {"data-to-the-old-copy", TWIN_FAULTY,
     "lets the first copy of a held request wait on, and get the data",
     SERVER(.request = stay_with_old)},
    {"ignores-the-copy", TWIN_FAULTY,
     "never answers the second copy of a held request",
     SERVER(.request = ignore_copy)},
    {"answers-both-copies", TWIN_FAULTY,
     "gives both copies of a held request the same data",
     SERVER(.answer = answer_both)},
    {0},
};
