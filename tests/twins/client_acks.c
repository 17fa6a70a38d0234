/* Client twins: what they acknowledge, XEP-0124 §9.2. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

static bool opens(const struct client_shim *cs)
{
    return !cs->sid; /* of the newest request, this one */
}

static bool announce_nothing(struct client_shim *cs, struct shim_request *r)
{
    if (opens(cs))
        entity_set(&r->body, "ack", NULL);
    return true;
}

static bool stop_acking(struct client_shim *cs, struct shim_request *r)
{
    if (!opens(cs))
        entity_set(&r->body, "ack", NULL);
    return true;
}

/* cs->rid: the highest that was answered. */
static bool note_answer(struct client_shim *cs, struct shim_answer *a)
{
    if (a->rid > cs->rid)
        cs->rid = a->rid;
    return true;
}

static bool ack_the_newest(struct client_shim *cs, struct shim_request *r)
{
    if (!opens(cs) && entity_number(&r->body, "ack") && r->attempt == 1)
        entity_set_number(&r->body, "ack", cs->rid);
    return true;
}

static bool ack_always(struct client_shim *cs, struct shim_request *r)
{
    if (!opens(cs) && !entity_number(&r->body, "ack"))
        entity_set_number(&r->body, "ack", r->rid - 1);
    return true;
}

static bool end_at_report(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (entity_number(&a->body, "report"))
        entity_empty(&a->body, "terminate");
    return true;
}

const struct twin twins_client_acks[] = {
    {"acks-unannounced", TWIN_FAULTY,
     "acknowledges without an ack in its creation",
     CLIENT(.request = announce_nothing)},
    {"stops-acking", TWIN_FAULTY,
     "announces acknowledgements, and never makes one",
     CLIENT(.request = stop_acking)},
    {"acks-beyond-a-gap", TWIN_FAULTY,
     "acknowledges the newest answer although an older one is missing",
     CLIENT(.request = ack_the_newest, .answer = note_answer)},
    {"acks-needlessly", TWIN_FAULTY,
     "acknowledges also where it has all the answers",
     CLIENT(.request = ack_always)},
    {"takes-a-report-for-the-end", TWIN_FAULTY,
     "ends its session when an answer has a report",
     CLIENT(.answer = end_at_report)},
    {0},
};
