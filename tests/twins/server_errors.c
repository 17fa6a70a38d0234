/* Server twins: what is refused, how it is said and what comes of it,
 * XEP-0124 §17. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

static bool has(const struct buf *body, const char *name)
{
    char *value = entity_attr(body, name);

    free(value);
    return value != NULL;
}

static bool refuse(struct server_shim *ss, const struct server_request *r,
                   const char *condition)
{
    struct buf body = BUF_INIT;

    entity_empty(&body, "terminate");
    entity_set(&body, "condition", condition);
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    buf_release(&body);
    return false;
}

static bool fail_with(struct server_shim *ss, const struct server_request *r,
                      int status)
{
    struct buf nothing = BUF_INIT;

    server_shim_answer(ss, r->now_ms, r->token, status, &nothing);
    return false;
}

/* ---- values that are none ---- */

static bool is_number(const struct buf *body, const char *name)
{
    char *value = entity_attr(body, name);
    bool is = !value || (*value && value[strspn(value, "0123456789")] == '\0' &&
                         strlen(value) < 17);

    free(value);
    return is;
}

static bool is_odd(const struct server_request *r)
{
    return r->creation &&
           !(is_number(&r->body, "wait") && is_number(&r->body, "hold"));
}

static bool break_on_odd_numbers(struct server_shim *ss,
                                 struct server_request *r)
{
    return !is_odd(r) || fail_with(ss, r, 500);
}

static bool hang_on_odd_numbers(struct server_shim *ss,
                                struct server_request *r)
{
    (void)ss;
    return !is_odd(r);
}

static bool repair(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->creation && !is_number(&r->body, "wait"))
        entity_set(&r->body, "wait", "5");
    if (r->creation && !is_number(&r->body, "hold"))
        entity_set(&r->body, "hold", "1");
    return true;
}

/* ---- a rid that is none, in a session ---- */

static bool lacks_rid(const struct server_request *r)
{
    return r->session && !r->rid;
}

static bool break_without_rid(struct server_shim *ss, struct server_request *r)
{
    return !lacks_rid(r) || fail_with(ss, r, 500);
}

static bool hang_without_rid(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !lacks_rid(r);
}

static bool code_without_rid(struct server_shim *ss, struct server_request *r)
{
    return !lacks_rid(r) || fail_with(ss, r, 400);
}

/* ---- a sid that nobody was given ---- */

static bool has_odd_sid(const struct server_request *r)
{
    char *sid = r->creation ? NULL : entity_attr(&r->body, "sid");
    bool odd = sid && (strpbrk(sid, "&'%") || (unsigned char)*sid > 126);

    free(sid);
    return odd;
}

static bool break_on_odd_sids(struct server_shim *ss, struct server_request *r)
{
    return !has_odd_sid(r) || fail_with(ss, r, 500);
}

static bool hang_on_odd_sids(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !has_odd_sid(r);
}

/* The first half will do. */
static bool take_part_of_sid(struct server_shim *ss, struct server_request *r)
{
    const struct server_session *s = server_shim_newest(ss);
    char *sid = entity_attr(&r->body, "sid");

    if (s && sid && !r->session &&
        strncmp(sid, s->sid, strlen(s->sid) / 2) == 0)
        entity_set(&r->body, "sid", s->sid);
    free(sid);
    return true;
}

static bool take_empty_sid_for_none(struct server_shim *ss,
                                    struct server_request *r)
{
    (void)ss;
    if (entity_has(&r->body, "sid", ""))
        entity_set(&r->body, "sid", NULL);
    return true;
}

/* ---- a rid far away ---- */

#define FAR 90

static bool is_far(const struct server_request *r)
{
    return r->session && !r->repeat && r->rid > r->session->low + FAR;
}

static bool live_on(struct server_shim *ss, struct server_request *r)
{
    return !is_far(r) || refuse(ss, r, "item-not-found");
}

static bool forget_held(struct server_shim *ss, struct server_request *r)
{
    struct server_session *s = r->session;

    for (unsigned i = 0; is_far(r) && i < s->call_count; i++) {
        if (!s->calls[i].answered && s->calls[i].token != r->token)
            server_shim_forget(ss, r->now_ms, s->calls[i].token);
    }
    return true;
}

static bool held_at_the_end(const struct server_answer *a)
{
    return a->call && entity_has(&a->body, "condition", "other-request");
}

static bool give_any_reason(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (held_at_the_end(a))
        entity_set(&a->body, "condition", "system-shutdown");
    return true;
}

static bool let_go_empty(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (held_at_the_end(a)) {
        entity_set(&a->body, "condition", NULL);
        entity_set(&a->body, "type", NULL);
    }
    return true;
}

static bool give_nothing(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (held_at_the_end(a))
        buf_clear(&a->body);
    return true;
}

#define LATE_MS 2800

static bool end_the_held_late(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (held_at_the_end(a))
        a->due_ms = a->now_ms + LATE_MS;
    return true;
}

static bool say_which_way(struct server_shim *ss, struct server_request *r)
{
    return !is_far(r) || refuse(ss, r, "policy-violation");
}

/* ---- conditions ---- */

static bool name_an_address_in_text(struct server_shim *ss,
                                    struct server_answer *a)
{
    (void)ss;
    if (entity_has(&a->body, "condition", "item-not-found"))
        entity_set(&a->body, "condition", "see-other-uri");
    return true;
}

static bool leave_undefined(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (entity_has(&a->body, "condition", "item-not-found"))
        entity_set(&a->body, "condition", "undefined-condition");
    return true;
}

static bool no_type(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (entity_has(&a->body, "condition", "item-not-found"))
        entity_set(&a->body, "type", NULL);
    return true;
}

static bool say_gone(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (entity_has(&a->body, "condition", "item-not-found")) {
        a->status = 410;
        buf_clear(&a->body);
    }
    return true;
}

/* ---- legacy clients, §17.1 ---- */

static bool take_for_new(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->creation && !has(&r->body, "ver"))
        entity_set(&r->body, "ver", "1.11");
    return true;
}

static bool take_low_for_none(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->creation && entity_has(&r->body, "ver", "1.5"))
        entity_set(&r->body, "ver", NULL);
    return true;
}

const struct twin twins_server_errors[] = {
    {"breaks-on-odd-numbers", TWIN_FAULTY,
     "says HTTP 500 where 'wait' or 'hold' is no number",
     SERVER(.request = break_on_odd_numbers)},
    {"hangs-on-odd-numbers", TWIN_FAULTY,
     "never answers where 'wait' or 'hold' is no number",
     SERVER(.request = hang_on_odd_numbers)},
    {"repairs-odd-numbers", TWIN_RIGHT,
     "takes values of its own where 'wait' or 'hold' is no number",
     SERVER(.request = repair)},
    {"breaks-without-a-rid", TWIN_FAULTY,
     "says HTTP 500 where a request has no rid",
     SERVER(.request = break_without_rid)},
    {"hangs-without-a-rid", TWIN_FAULTY,
     "never answers where a request has no rid",
     SERVER(.request = hang_without_rid)},
    {"no-rid-is-http-400", TWIN_FAULTY,
     "says HTTP 400 to any client where a request has no rid",
     SERVER(.request = code_without_rid)},
    {"breaks-on-odd-sids", TWIN_FAULTY,
     "says HTTP 500 where a sid has quotes or letters from elsewhere",
     SERVER(.request = break_on_odd_sids)},
    {"hangs-on-odd-sids", TWIN_FAULTY, "never answers such a sid",
     SERVER(.request = hang_on_odd_sids)},
    {"takes-a-part-of-a-sid", TWIN_FAULTY,
     "knows a session by the first half of its sid",
     SERVER(.request = take_part_of_sid)},
    {"takes-an-empty-sid-for-none", TWIN_RIGHT,
     "takes a request with an empty sid for a creation",
     SERVER(.request = take_empty_sid_for_none)},
    {"fatal-errors-are-not", TWIN_FAULTY,
     "says item-not-found for a rid far away, and keeps the session",
     SERVER(.request = live_on)},
    {"forgets-the-held-at-an-error", TWIN_FAULTY,
     "leaves held requests open for ever at a fatal error",
     SERVER(.request = forget_held)},
    {"gives-the-held-any-reason", TWIN_FAULTY,
     "says system-shutdown on what is held at a fatal error",
     SERVER(.answer = give_any_reason)},
    {"answers-the-held-with-nothing", TWIN_FAULTY,
     "answers what is held at a fatal error with HTTP 200 and not a byte",
     SERVER(.answer = give_nothing)},
    {"ends-the-held-late", TWIN_FAULTY,
     "answers what is held at a fatal error nearly three seconds later",
     SERVER(.answer = end_the_held_late)},
    {"lets-the-held-go-empty", TWIN_RIGHT,
     "answers what is held at a fatal error with an empty body",
     SERVER(.answer = let_go_empty)},
    {"says-which-way", TWIN_FAULTY,
     "says another condition for a rid too high than for one too low",
     SERVER(.request = say_which_way)},
    {"says-no-other-uri", TWIN_FAULTY, "says see-other-uri without a URI",
     SERVER(.answer = name_an_address_in_text)},
    {"leaves-it-undefined", TWIN_FAULTY,
     "says undefined-condition and nothing more",
     SERVER(.answer = leave_undefined)},
    {"condition-without-an-end", TWIN_FAULTY,
     "says a condition and no type='terminate'", SERVER(.answer = no_type)},
    {"unknown-is-http-410", TWIN_FAULTY, "says HTTP 410 for item-not-found",
     SERVER(.answer = say_gone)},
    {"has-no-codes", TWIN_FAULTY,
     "tells clients without a version conditions, and no HTTP codes",
     SERVER(.request = take_for_new)},
    {"takes-a-low-version-for-none", TWIN_FAULTY,
     "tells a client of version 1.5 HTTP codes",
     SERVER(.request = take_low_for_none)},
    {0},
};
