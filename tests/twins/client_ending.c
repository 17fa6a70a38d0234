/* Client twins: how a session ends, from either side. */
#include "client_shim.h"
#include "twins.h"

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
        !cs->streams && cs->count++ == 0)
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

const struct twin twins_client_ending[] = {
    {"polls-after-terminate", TWIN_FAULTY,
     "takes a type='terminate' for an ordinary answer",
     CLIENT(.answer = overlook_terminate)},
    {"drops-the-last-stanzas", TWIN_FAULTY,
     "throws away what comes along with type='terminate'",
     CLIENT(.answer = drop_last)},
    {"hides-the-condition", TWIN_FAULTY, "says that it is over, never why",
     CLIENT(.event = hide_condition)},
    {"reconnects-at-once", TWIN_RIGHT, "makes a new session when one has ended",
     CLIENT(.answer = note_moment, .event = reconnect)},
    {"terminate-without-sid", TWIN_FAULTY, "sends its terminate without a sid",
     CLIENT(.request = without_sid)},
    {"terminate-skips-a-rid", TWIN_FAULTY, "leaves a gap before its terminate",
     CLIENT(.request = skip_a_rid)},
    {"terminate-without-presence", TWIN_FAULTY,
     "leaves without unavailable presence",
     CLIENT(.request = without_presence)},
    {"terminate-with-a-question", TWIN_FAULTY,
     "asks for the roster in its terminate", CLIENT(.request = ask_for_more)},
    {"polls-after-goodbye", TWIN_FAULTY,
     "sends one more poll seconds after its terminate was answered",
     CLIENT(.request = note_farewell, .answer = poll_afterwards)},
    {"polls-soon-after-goodbye", TWIN_FAULTY,
     "says that it is over, and sends one more poll",
     CLIENT(.request = note_farewell, .answer = poll_soon)},
    {"terminates-after-the-poll", TWIN_RIGHT,
     "sends its terminate when the held poll has been answered",
     CLIENT(.tweak = have_patience, .request = await_turn,
            .answer = give_turn)},
    {0},
};
