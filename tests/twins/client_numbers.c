/* Client twins: rid and sid, XEP-0124 §14.1 and §7.1. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

/* Few enough requests below 2^53 for a login to use them up. */
#define NEAR_THE_LIMIT (UINT64_C(9007199254740991) - 2)

static bool is_new_online(const struct client_shim *cs,
                          const struct shim_request *r)
{
    return cs->online && r->attempt == 1;
}

/* From the second request after the login on. */
static bool skip_one(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid)
        cs->count = 0;
    if (is_new_online(cs, r))
        cs->count++;
    if (cs->count > 1)
        entity_set_number(&r->body, "rid", r->rid + 1);
    return true;
}

static bool leave_out_rid(struct client_shim *cs, struct shim_request *r)
{
    if (is_new_online(cs, r) && ++cs->count == 2)
        entity_set(&r->body, "rid", NULL);
    return true;
}

/* cs->rid: where the core began. */
static bool begin_high(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid)
        cs->rid = r->rid;
    entity_set_number(&r->body, "rid", r->rid - cs->rid + NEAR_THE_LIMIT);
    return true;
}

static bool invent_sid(struct client_shim *cs, struct shim_request *r)
{
    if (is_new_online(cs, r) && ++cs->count == 2)
        entity_set(&r->body, "sid", "0123456789abcdef");
    return true;
}

/* The same number, spelled as few would spell it. */
static void put_before_rid(struct shim_request *r, const char *what)
{
    char *rid = entity_attr(&r->body, "rid");
    char *odd = mem_printf("%s%s", what, rid ? rid : "");

    entity_set(&r->body, "rid", odd);
    free(odd);
    free(rid);
}

static bool pad_rid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    put_before_rid(r, "00");
    return true;
}

static bool sign_rid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    put_before_rid(r, "+");
    return true;
}

/* ---- attributes that the manager must have offered ---- */

static bool pause_anyway(struct client_shim *cs, struct shim_request *r)
{
    if (is_new_online(cs, r) && ++cs->count == 2)
        entity_set(&r->body, "pause", "2");
    return true;
}

const struct twin twins_client_numbers[] = {
    {"skips-a-rid", TWIN_FAULTY, "leaves one rid out",
     CLIENT(.request = skip_one)},
    {"forgets-the-rid", TWIN_FAULTY, "leaves the rid out of one request",
     CLIENT(.request = leave_out_rid)},
    {"begins-near-the-limit", TWIN_FAULTY,
     "begins so high that its rids pass 2^53", CLIENT(.request = begin_high)},
    {"invents-a-sid", TWIN_FAULTY,
     "has a sid in one request that nobody gave it",
     CLIENT(.request = invent_sid)},
    {"pads-its-rids", TWIN_FAULTY, "writes zeros before every rid",
     CLIENT(.request = pad_rid)},
    {"signs-its-rids", TWIN_FAULTY, "writes a plus before every rid",
     CLIENT(.request = sign_rid)},
    {"pauses-unasked", TWIN_FAULTY,
     "asks for a pause, whether one is allowed or not",
     CLIENT(.request = pause_anyway)},
    {0},
};
