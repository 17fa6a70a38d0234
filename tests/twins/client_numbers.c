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

/* ---- where the next session begins ---- */

/* cs->count: sessions so far; cs->rid: what is added to the core's rids. */
static bool begin_session(struct client_shim *cs, const struct shim_request *r)
{
    if (!cs->sid && r->attempt == 1)
        cs->count++;
    return !cs->sid && r->attempt == 1;
}

/* cs->rid2: the highest rid of the session before. */
static bool go_on_counting(struct client_shim *cs, struct shim_request *r)
{
    if (begin_session(cs, r))
        cs->rid = cs->count > 1 ? cs->rid2 + 1 - r->rid : 0;
    cs->rid2 = r->rid + cs->rid;
    entity_set_number(&r->body, "rid", cs->rid2);
    return true;
}

static bool begin_at_one(struct client_shim *cs, struct shim_request *r)
{
    if (begin_session(cs, r))
        cs->rid = cs->count > 1 ? 1 - r->rid : 0;
    entity_set_number(&r->body, "rid", r->rid + cs->rid);
    return true;
}

#define FAVOURITE 1573741820

static bool begin_the_same(struct client_shim *cs, struct shim_request *r)
{
    if (begin_session(cs, r))
        cs->rid = FAVOURITE - r->rid;
    entity_set_number(&r->body, "rid", r->rid + cs->rid);
    return true;
}

/* cs->text: the first sid that it was given. */
static bool keep_old_sid(struct client_shim *cs, struct shim_request *r)
{
    if (cs->sid && !cs->text.len)
        buf_adds(&cs->text, cs->sid);
    if (cs->online && cs->sid)
        entity_set(&r->body, "sid", buf_str(&cs->text));
    return true;
}

/* ---- what a rid is kept in ---- */

static bool keep_32_bits(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    entity_set_number(&r->body, "rid", (uint32_t)r->rid);
    return true;
}

static bool keep_24_bits(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    entity_set_number(&r->body, "rid", (uint64_t)(float)r->rid);
    return true;
}

#define BYTE_FULL 48

static bool stumble_late(struct client_shim *cs, struct shim_request *r)
{
    if (is_new_online(cs, r))
        cs->count++;
    if (cs->count > BYTE_FULL)
        entity_set_number(&r->body, "rid", r->rid + 1);
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
    {"goes-on-counting", TWIN_FAULTY,
     "begins a session with the rid after the last one's",
     CLIENT(.request = go_on_counting)},
    {"begins-at-one", TWIN_FAULTY,
     "begins every session but the first at rid 1",
     CLIENT(.request = begin_at_one)},
    {"begins-at-the-same-rid", TWIN_FAULTY,
     "begins every session at the same rid", CLIENT(.request = begin_the_same)},
    {"keeps-the-old-sid", TWIN_FAULTY,
     "uses the first session's sid in all sessions, once logged in",
     CLIENT(.request = keep_old_sid)},
    {"counts-in-32-bits", TWIN_FAULTY, "keeps only 32 bits of a rid",
     CLIENT(.request = keep_32_bits)},
    {"counts-in-a-float", TWIN_FAULTY, "keeps a rid in too short a float",
     CLIENT(.request = keep_24_bits)},
    {"stumbles-late", TWIN_FAULTY, "leaves a rid out after 48 requests",
     CLIENT(.request = stumble_late)},
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
