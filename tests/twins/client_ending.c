/* Client twins: how a session ends, from either side. */
#include "client_twins.h"

#include <string.h>

#include "client-under-test/bosh.h"
#include "common/xml.h"
#include "entity.h"

/* ---- the manager ends it, XEP-0124 §17.2 ---- */

static bool terminates(const struct shim_answer *a)
{
    return a->status == 200 && entity_has(&a->body, "type", "terminate");
}

/* Not for ever: the manager says each time that there is no such session. */
#define OVERLOOKED 20

static bool overlook_terminate(struct client_shim *cs, struct shim_answer *a)
{
    if (terminates(a) && cs->count++ < OVERLOOKED) {
        entity_set(&a->body, "type", NULL);
        entity_set(&a->body, "condition", NULL);
    }
    return true;
}

static bool drop_last(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;

    (void)cs;
    if (terminates(a))
        entity_take_payload(&a->body, &payload);
    buf_release(&payload);
    return true;
}

static bool hide_condition(struct client_shim *cs, struct said *said)
{
    (void)cs;
    said->condition = NULL;
    return true;
}

static bool reconnect(struct client_shim *cs, struct said *said)
{
    if (said->value && strcmp(said->value, "disconnected") == 0 &&
        cs->count++ == 0)
        client_shim_core_verb(cs, (int64_t)cs->rid, "connect");
    return true;
}

/* cs->rid: the newest moment that we know of. */
static bool note_moment(struct client_shim *cs, struct shim_answer *a)
{
    cs->rid = (uint64_t)a->now_ms;
    return true;
}

/* ---- the client ends it, §13 ---- */

#define SOON_MS 600
#define LATER_MS 2500
#define PATIENCE_MS 60000

static bool is_farewell(const struct shim_request *r)
{
    return entity_has(&r->body, "type", "terminate");
}

static bool without_sid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_farewell(r))
        entity_set(&r->body, "sid", NULL);
    return true;
}

static bool skip_a_rid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_farewell(r))
        entity_set_number(&r->body, "rid", r->rid + 1);
    return true;
}

static bool without_presence(struct client_shim *cs, struct shim_request *r)
{
    struct buf payload = BUF_INIT;

    (void)cs;
    if (is_farewell(r))
        entity_take_payload(&r->body, &payload);
    buf_release(&payload);
    return true;
}

static bool ask_for_more(struct client_shim *cs, struct shim_request *r)
{
    struct buf iq = BUF_INIT;

    (void)cs;
    if (is_farewell(r)) {
        buf_adds(&iq, "<iq xmlns='" XML_NS_CLIENT "' type='get' id='last'>"
                      "<query xmlns='" XML_NS_ROSTER "'/></iq>");
        entity_put_payload(&r->body, &iq);
    }
    buf_release(&iq);
    return true;
}

/* cs->rid: of the farewell; cs->text: a poll for afterwards. */
static bool note_farewell(struct client_shim *cs, struct shim_request *r)
{
    if (!is_farewell(r) || r->attempt > 1)
        return true;
    cs->rid = r->rid;
    entity_empty(&cs->text, NULL);
    entity_set_number(&cs->text, "rid", r->rid + 1);
    entity_set(&cs->text, "sid", cs->sid);
    return true;
}

static void poll_again(struct client_shim *cs, const struct shim_answer *a,
                       int64_t after_ms)
{
    if (cs->rid && a->rid == cs->rid && !a->own)
        client_shim_send(cs, a->now_ms + after_ms, a->rid + 1, &cs->text);
}

static bool poll_afterwards(struct client_shim *cs, struct shim_answer *a)
{
    poll_again(cs, a, LATER_MS);
    return true;
}

static bool poll_soon(struct client_shim *cs, struct shim_answer *a)
{
    poll_again(cs, a, SOON_MS);
    return true;
}

static void have_patience(struct bosh_options *o)
{
    o->disconnect_ms = PATIENCE_MS;
}

static bool await_turn(struct client_shim *cs, struct shim_request *r)
{
    if (is_farewell(r) && client_shim_lower_open(cs, r->rid))
        r->due_ms = r->now_ms + PATIENCE_MS;
    return true;
}

static bool give_turn(struct client_shim *cs, struct shim_answer *a)
{
    client_shim_hurry(cs, a->now_ms);
    return true;
}

TWIN(twin_polls_after_terminate, .answer = overlook_terminate)
TWIN(twin_drops_the_last_stanzas, .answer = drop_last)
TWIN(twin_hides_the_condition, .event = hide_condition)
TWIN(twin_reconnects_at_once, .answer = note_moment, .event = reconnect)
TWIN(twin_terminate_without_sid, .request = without_sid)
TWIN(twin_terminate_skips_a_rid, .request = skip_a_rid)
TWIN(twin_terminate_without_presence, .request = without_presence)
TWIN(twin_terminate_with_a_question, .request = ask_for_more)
TWIN(twin_polls_after_goodbye, .request = note_farewell,
     .answer = poll_afterwards)
TWIN(twin_polls_soon_after_goodbye, .request = note_farewell,
     .answer = poll_soon)
TWIN(twin_terminates_after_the_poll, .tweak = have_patience,
     .request = await_turn, .answer = give_turn)
