/* Client twins: rid and sid, XEP-0124 §14.1 and §7.1. */
#include "client_twins.h"

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

TWIN(twin_skips_a_rid, .request = skip_one)
TWIN(twin_forgets_the_rid, .request = leave_out_rid)
TWIN(twin_begins_near_the_limit, .request = begin_high)
TWIN(twin_invents_a_sid, .request = invent_sid)
TWIN(twin_pads_its_rids, .request = pad_rid)
TWIN(twin_signs_its_rids, .request = sign_rid)
TWIN(twin_pauses_unasked, .request = pause_anyway)
