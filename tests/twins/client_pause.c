/* Client twins: what rests, and for how long: XEP-0124 §10. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

#define REST_MS 3000
#define LATE_MS 3000
#define BELIEF_MS 8000
#define LONG_S 3600
#define CUT_S "10"

static bool asks_pause(const struct shim_request *r)
{
    return entity_number(&r->body, "pause") > 0;
}

static bool is_poll(const struct client_shim *cs, const struct shim_request *r)
{
    return cs->online && r->attempt == 1 && !entity_has_payload(&r->body) &&
           !entity_has(&r->body, "type", "terminate") && !asks_pause(r);
}

static bool rest(struct client_shim *cs, struct shim_request *r)
{
    if (is_poll(cs, r))
        r->due_ms = r->now_ms + REST_MS;
    return true;
}

/* cs->rid: when the pause is over, ms. */
static bool oversleep(struct client_shim *cs, struct shim_request *r)
{
    if (asks_pause(r)) {
        cs->rid = (uint64_t)r->now_ms + entity_number(&r->body, "pause") * 1000;
    } else if (cs->rid && is_poll(cs, r)) {
        r->due_ms = (int64_t)cs->rid + LATE_MS;
        cs->rid = 0;
    }
    return true;
}

/* cs->flag: it has paused. */
static bool believe(struct client_shim *cs, struct shim_request *r)
{
    cs->flag |= asks_pause(r);
    if (cs->flag && is_poll(cs, r))
        r->due_ms = r->now_ms + BELIEF_MS;
    return true;
}

static bool read_no_limit(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (entity_number(&a->body, "maxpause"))
        entity_set_number(&a->body, "maxpause", LONG_S);
    return true;
}

static bool ask_for_long(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (asks_pause(r))
        entity_set_number(&r->body, "pause", LONG_S);
    return true;
}

/* cs->rid: of the pause. */
static bool note_pause(struct client_shim *cs, struct shim_request *r)
{
    if (asks_pause(r))
        cs->rid = r->rid;
    return true;
}

static bool come_back(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->rid && a->rid == cs->rid)
        client_shim_core_verb(cs, a->now_ms, "resume");
    return true;
}

static bool say_something(struct client_shim *cs, struct shim_request *r)
{
    struct buf presence = BUF_INIT;

    (void)cs;
    if (asks_pause(r) && r->attempt == 1) {
        buf_adds(&presence, "<presence xmlns='" XML_NS_CLIENT
                            "'><show>away</show></presence>");
        entity_put_payload(&r->body, &presence);
    }
    buf_release(&presence);
    return true;
}

static bool cut_down(struct client_shim *cs, int64_t now_ms,
                     const struct verb *v)
{
    struct buf reason = BUF_INIT;
    struct verb shorter = *v;

    if (strcmp(v->name, "pause") != 0 || !v->arg_count ||
        atoi(v->args[0].value) <= atoi(CUT_S))
        return true;
    shorter.args[0].value = CUT_S;
    cs->inner->ops->verb(cs->inner, now_ms, &shorter, &reason);
    buf_release(&reason);
    return false;
}

const struct twin twins_client_pause[] = {
    {"rests-before-polling", TWIN_FAULTY,
     "leaves nothing open for three seconds before every poll",
     CLIENT(.request = rest)},
    {"sleeps-through-its-pause", TWIN_FAULTY,
     "comes back three seconds after its pause was over",
     CLIENT(.request = oversleep)},
    {"believes-in-its-pause", TWIN_FAULTY,
     "takes its time before each poll once it has paused",
     CLIENT(.request = believe)},
    {"asks-for-the-longest-pause", TWIN_FAULTY,
     "asks for a pause of an hour, whatever maxpause says",
     CLIENT(.answer = read_no_limit, .request = ask_for_long)},
    {"polls-inside-its-pause", TWIN_RIGHT,
     "comes back from a pause as soon as it was granted",
     CLIENT(.request = note_pause, .answer = come_back)},
    {"pauses-with-a-payload", TWIN_RIGHT,
     "sends presence in the request that asks for a pause",
     CLIENT(.request = say_something)},
    {"cuts-its-pause-down", TWIN_RIGHT,
     "asks for ten seconds where it was told to pause for longer",
     CLIENT(.verb = cut_down)},
    {0},
};
