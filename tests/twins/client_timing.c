/*
 * Client twins: when a request is given up, how many are open, and how
 * connections are used.
 */
#include "client_shim.h"
#include "twins.h"

#include "client-under-test/bosh.h"
#include "entity.h"

/* ---- how long it waits for an answer, XEP-0124 §7.2 ---- */

static void short_time_out(struct bosh_options *o)
{
    o->timeout = 0.3;
    o->secondary_timeout = 0;
    o->back_off = false;
    o->max_errors = 0;
}

/* cs->count: what it asked for. */
static bool note_wait(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid)
        cs->count = (long)entity_number(&r->body, "wait");
    return true;
}

static bool read_own_wait(struct client_shim *cs, struct shim_answer *a)
{
    if (entity_number(&a->body, "wait"))
        entity_set_number(&a->body, "wait", (uint64_t)cs->count);
    return true;
}

/* ---- how many it opens, §11 ---- */

#define MANY 9

static void open_many(struct bosh_options *o)
{
    o->max_open = MANY;
}

/* ---- connections, §18.1 ---- */

/* Whatever comes while the poll is held goes behind it. */
static bool send_behind(struct client_shim *cs, struct shim_request *r)
{
    r->pipelined = cs->online && cs->open_count > 0;
    return true;
}

#define FRESH 4

/* Its fourth request after the login never leaves, and it does not notice. */
static bool write_into_the_dead(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && r->attempt == 1)
        cs->count++;
    return cs->count != FRESH;
}

static void no_time_out(struct bosh_options *o)
{
    o->timeout = 0;
    o->secondary_timeout = 0;
}

const struct twin twins_client_timing[] = {
    {"has-no-patience", TWIN_FAULTY,
     "gives a request up when a third of wait has passed",
     CLIENT(.tweak = short_time_out)},
    {"waits-as-it-asked", TWIN_FAULTY,
     "goes by the wait that it asked for, not by the one that it was given",
     CLIENT(.request = note_wait, .answer = read_own_wait)},
    {"opens-as-many-as-it-may", TWIN_RIGHT,
     "has as many requests open as the manager lets it",
     CLIENT(.tweak = open_many)},
    {"pipelines", TWIN_FAULTY,
     "sends requests on a connection whose last one is not answered",
     CLIENT(.request = send_behind)},
    {"writes-to-a-dead-connection", TWIN_FAULTY,
     "does not notice that a connection is closed, and waits for an answer",
     CLIENT(.tweak = no_time_out, .request = write_into_the_dead)},
    {0},
};
