/* Server twins: what is repeated after a loss, XEP-0124 §14.3. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

/* So far ahead that no window reaches it. */
#define FAR 1000000
/* Answers that are kept. */
#define KEPT 10

/* ---- what waits for its turn ---- */

static bool is_parked_copy(const struct server_request *r)
{
    return r->session && r->repeat && !r->answered &&
           r->rid > r->session->low + 1;
}

/* The copy's payload runs as well, with what was missing. */
static bool park_both(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;
    struct buf body = BUF_INIT;

    (void)ss;
    if (is_parked_copy(r)) {
        buf_add(&body, buf_str(&r->body), r->body.len);
        entity_take_payload(&body, &s->carry);
    } else if (s && !r->early && !r->repeat && s->carry.len) {
        entity_put_payload(&r->body, &s->carry);
        buf_clear(&s->carry);
    }
    buf_release(&body);
    return true;
}

static bool drop_parked_copy(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !is_parked_copy(r);
}

static bool refuse_held_copy(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && r->repeat && !r->answered)
        entity_set_number(&r->body, "rid", r->rid + FAR);
    return true;
}

/* ---- what was answered ---- */

static bool mind_other_content(struct server_shim *ss, struct server_request *r)
{
    struct call *first;

    (void)ss;
    if (!r->session)
        return true;
    first = server_session_first_call(r->session, r->rid);
    if (!r->repeat)
        buf_add(&first->given, buf_str(&r->body), r->body.len);
    else if (first && strcmp(buf_str(&first->given), buf_str(&r->body)) != 0)
        entity_set_number(&r->body, "rid", r->rid + FAR);
    return true;
}

static bool is_forgotten(const struct server_request *r)
{
    return r->session && r->answered &&
           r->rid + KEPT < shim_session_answered(r->session);
}

static bool hang_at_forgotten(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !is_forgotten(r);
}

static bool answer_forgotten(struct server_shim *ss, struct server_request *r)
{
    if (!is_forgotten(r))
        return true;
    server_shim_answer_empty(ss, r->now_ms, r->token, NULL);
    return false;
}

static bool refuse_forgotten(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (is_forgotten(r))
        entity_set_number(&r->body, "rid", r->rid + FAR);
    return true;
}

/* What it brings goes along with the next request. */
static bool run_forgotten(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;

    if (is_forgotten(r)) {
        entity_take_payload(&r->body, &s->carry);
        server_shim_answer_empty(ss, r->now_ms, r->token, NULL);
        return false;
    }
    if (s && !r->repeat && s->carry.len) {
        entity_put_payload(&r->body, &s->carry);
        buf_clear(&s->carry);
    }
    return true;
}

const struct twin twins_server_loss[] = {
    {"parks-both-copies", TWIN_FAULTY,
     "runs both copies of a request that came before its turn",
     SERVER(.request = park_both)},
    {"drops-a-copy-of-the-parked", TWIN_FAULTY,
     "never answers a copy of a request that came before its turn",
     SERVER(.request = drop_parked_copy)},
    {"refuses-a-copy-of-the-held", TWIN_FAULTY,
     "ends the session when a request is repeated that has no answer yet",
     SERVER(.request = refuse_held_copy)},
    {"ends-at-other-content", TWIN_FAULTY,
     "ends the session when a repeat is not what came before",
     SERVER(.request = mind_other_content)},
    {"hangs-at-forgotten-rids", TWIN_FAULTY,
     "does not answer a rid whose answer it no longer has",
     SERVER(.request = hang_at_forgotten)},
    {"answers-forgotten-rids-empty", TWIN_FAULTY,
     "answers a rid whose answer it no longer has by an empty body",
     SERVER(.request = answer_forgotten)},
    {"runs-forgotten-rids", TWIN_FAULTY,
     "runs what a rid brings whose answer it no longer has",
     SERVER(.request = run_forgotten)},
    {"forgets-old-answers", TWIN_RIGHT, "keeps ten answers, and no more",
     SERVER(.request = refuse_forgotten)},
    {0},
};
