/* Client twins: what is sent again, how, and when. */
#include "client_twins.h"

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

static bool note_failure(struct client_shim *cs, int64_t now_ms, uint64_t id,
                         uint64_t rid)
{
    (void)now_ms;
    (void)id;
    (void)rid;
    cs->flag = cs->online;
    return true;
}

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

TWIN(twin_edits_the_resend, .request = stamp_repeat)
TWIN(twin_skips_the_lost_rid, .request = renumber_repeat)
TWIN(twin_never_resends, .request = swallow_repeat)
TWIN(twin_primary_timeout_only, .tweak = no_secondary)
TWIN(twin_resends_at_once, .tweak = secondary_at_once)
TWIN(twin_no_back_off, .tweak = repeat_at_once)
TWIN(twin_takes_failure_for_an_answer, .fail = take_failure_for_answer)
TWIN(twin_takes_any_200_for_an_answer, .answer = take_any_200)
TWIN(twin_repeats_only_the_failed_one, .answer = repeat_only_this)
TWIN(twin_ignores_type_error, .answer = overlook_error)
TWIN(twin_has_a_short_time_out, .tweak = early_time_out)
TWIN(twin_has_a_long_time_out, .tweak = late_time_out)
TWIN(twin_repeats_slowly, .tweak = no_time_out, .request = repeat_slowly)
TWIN(twin_reports_and_goes_on, .answer = report_page)
TWIN(twin_hangs_at_a_web_page, .answer = stop_at_page)
TWIN(twin_makes_do_with_half, .fail = make_do_with_half)
TWIN(twin_last_in_first_out, .answer = note_error, .fail = note_failure,
     .verb = stack_stanzas)
