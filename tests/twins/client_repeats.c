/* Client twins: what is sent again, how, and when. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "client-under-test/bosh.h"
#include "common/xml.h"
#include "entity.h"

static bool is_repeat(const struct shim_request *r)
{
    char *sid = entity_attr(&r->body, "sid");
    bool repeat = sid && r->attempt > 1;

    free(sid);
    return repeat;
}

/* ---- the copy, XEP-0124 §14.3 ---- */

static bool stamp_repeat(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_repeat(r))
        entity_set_number(&r->body, "attempt", (uint64_t)r->attempt);
    return true;
}

/* cs->count: how many rids the wire is ahead of the core. */
static bool renumber_repeat(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid)
        cs->count = 0;
    if (is_repeat(r))
        r->rid = cs->top_rid + (uint64_t)++cs->count;
    else
        r->rid += (uint64_t)cs->count;
    entity_set_number(&r->body, "rid", r->rid);
    return true;
}

static bool swallow_repeat(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return !is_repeat(r);
}

/* ---- when ---- */

static void no_secondary(struct bosh_options *o)
{
    o->secondary_timeout = 0;
}

static void secondary_at_once(struct bosh_options *o)
{
    o->secondary_timeout = 0.000001;
    o->secondary_min_ms = 1;
}

static void repeat_at_once(struct bosh_options *o)
{
    o->back_off = false;
}

static void early_time_out(struct bosh_options *o)
{
    o->timeout = 0.7;
    o->max_errors = 0;
}

static void late_time_out(struct bosh_options *o)
{
    o->timeout = 2.5;
    o->secondary_timeout = 0;
}

static void no_time_out(struct bosh_options *o)
{
    o->timeout = 0;
    o->secondary_timeout = 0;
}

#define SLOW_MS 8000

static bool repeat_slowly(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_repeat(r))
        r->due_ms = r->now_ms + SLOW_MS;
    return true;
}

/* ---- what was no answer at all ---- */

static void answer_empty(struct client_shim *cs, int64_t now_ms, uint64_t id)
{
    struct buf body = BUF_INIT;

    entity_empty(&body, NULL);
    cs->inner->ops->answer(cs->inner, now_ms, id, 200, "text/xml",
                           buf_str(&body), body.len);
    buf_release(&body);
}

static bool take_failure_for_answer(struct client_shim *cs, int64_t now_ms,
                                    uint64_t id, uint64_t rid)
{
    (void)rid;
    if (!cs->online)
        return true;
    answer_empty(cs, now_ms, id);
    return false;
}

static bool is_page(const struct shim_answer *a)
{
    return a->status == 200 && !strstr(buf_str(&a->body), XML_NS_HTTPBIND);
}

static bool take_any_200(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (is_page(a))
        entity_empty(&a->body, NULL);
    return true;
}

static bool report_page(struct client_shim *cs, struct shim_answer *a)
{
    if (is_page(a))
        client_shim_say(cs, "error", NULL);
    return take_any_200(cs, a);
}

static bool stop_at_page(struct client_shim *cs, struct shim_answer *a)
{
    if (is_page(a))
        client_shim_end(cs);
    return true;
}

/* What a parser makes of an answer that breaks off: a stanza and its first
 * children. The bytes themselves do not come here. */
static bool make_do_with_half(struct client_shim *cs, int64_t now_ms,
                              uint64_t id, uint64_t rid)
{
    struct buf half = BUF_INIT;

    (void)now_ms;
    (void)id;
    (void)rid;
    buf_adds(&half, "<message xmlns='" XML_NS_CLIENT "' type='chat' id='one'>"
                    "<body/></message>");
    if (cs->online)
        client_shim_say_stanzas(cs, &half);
    buf_release(&half);
    return true;
}

/* ---- what waits meanwhile ---- */

/* cs->text: the stanza at the bottom of the stack. */
static bool stack_stanzas(struct client_shim *cs, int64_t now_ms,
                          const struct verb *v)
{
    if (!cs->flag || strcmp(v->name, "send") != 0)
        return true;
    if (!cs->text.len) {
        buf_adds(&cs->text, v->args[0].value);
        return false;
    }
    client_shim_core_send(cs, now_ms, v->args[0].value);
    client_shim_core_send(cs, now_ms, buf_str(&cs->text));
    cs->flag = false;
    return false;
}

/* ---- type='error', §17.3 ---- */

static bool is_error(const struct shim_answer *a)
{
    return a->status == 200 && entity_has(&a->body, "type", "error");
}

static bool repeat_only_this(struct client_shim *cs, struct shim_answer *a)
{
    if (!is_error(a))
        return true;
    client_shim_core_fails(cs, a->now_ms, a->id);
    return false;
}

static bool overlook_error(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (is_error(a))
        entity_set(&a->body, "type", NULL);
    return true;
}

static bool note_error(struct client_shim *cs, struct shim_answer *a)
{
    cs->flag |= is_error(a);
    return true;
}

const struct twin twins_client_repeats[] = {
    {"edits-the-resend", TWIN_FAULTY,
     "writes the number of the attempt into every repeat",
     CLIENT(.request = stamp_repeat)},
    {"skips-the-lost-rid", TWIN_FAULTY,
     "gives a request that it sends again the next rid",
     CLIENT(.request = renumber_repeat)},
    {"never-resends", TWIN_FAULTY, "never sends a request again",
     CLIENT(.request = swallow_repeat)},
    {"primary-timeout-only", TWIN_FAULTY,
     "does not care that a later request was answered",
     CLIENT(.tweak = no_secondary)},
    {"resends-at-once", TWIN_RIGHT,
     "repeats a request as soon as a later one was answered",
     CLIENT(.tweak = secondary_at_once)},
    {"no-back-off", TWIN_RIGHT, "repeats without any delay",
     CLIENT(.tweak = repeat_at_once)},
    {"takes-failure-for-an-answer", TWIN_FAULTY,
     "goes on after a broken connection as if the answer had been empty",
     CLIENT(.fail = take_failure_for_answer)},
    {"takes-any-200-for-an-answer", TWIN_FAULTY,
     "goes on after a web page as if the answer had been empty",
     CLIENT(.answer = take_any_200)},
    {"repeats-only-the-failed-one", TWIN_FAULTY,
     "repeats after type='error' that request, but none before it",
     CLIENT(.answer = repeat_only_this)},
    {"ignores-type-error", TWIN_FAULTY,
     "goes on after type='error' as if the answer had been empty",
     CLIENT(.answer = overlook_error)},
    {"has-a-short-time-out", TWIN_UNADVISED,
     "gives a request up before 'wait' is over, and repeats it for ever",
     CLIENT(.tweak = early_time_out)},
    {"has-a-long-time-out", TWIN_RIGHT,
     "repeats a request after two and a half times 'wait', never sooner",
     CLIENT(.tweak = late_time_out)},
    {"repeats-slowly", TWIN_RIGHT, "waits eight seconds before every repeat",
     CLIENT(.tweak = no_time_out, .request = repeat_slowly)},
    {"reports-and-goes-on", TWIN_RIGHT,
     "says that an answer was a web page, and goes on without it",
     CLIENT(.answer = report_page)},
    {"hangs-at-a-web-page", TWIN_FAULTY,
     "does and says nothing more when a web page came",
     CLIENT(.answer = stop_at_page)},
    {"makes-do-with-half", TWIN_FAULTY,
     "hands over what it has of an answer that breaks off",
     CLIENT(.fail = make_do_with_half)},
    {"last-in-first-out", TWIN_FAULTY,
     "turns the order of what waits behind a failed request around",
     CLIENT(.answer = note_error, .fail = client_shim_note_failure,
            .verb = stack_stanzas)},
    {0},
};
