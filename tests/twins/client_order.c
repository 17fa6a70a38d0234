/* Client twins: answers out of order, how much is open, when polls come. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "client-under-test/bosh.h"
#include "entity.h"

/* ---- answers that overtake each other, XEP-0124 §14.2 ---- */

static bool is_early(const struct client_shim *cs, const struct shim_answer *a)
{
    return cs->online && a->status == 200 && client_shim_lower_open(cs, a->rid);
}

static bool deliver_at_once(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;

    if (is_early(cs, a)) {
        entity_take_payload(&a->body, &payload);
        client_shim_say_stanzas(cs, &payload);
    }
    buf_release(&payload);
    return true;
}

static bool drop_early(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;

    if (is_early(cs, a))
        entity_take_payload(&a->body, &payload);
    buf_release(&payload);
    return true;
}

/* ---- how much is open at once, §11 ---- */

#define MANY 9

static void open_many(struct bosh_options *o)
{
    o->max_open = MANY;
}

static bool read_many_requests(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (entity_number(&a->body, "requests"))
        entity_set_number(&a->body, "requests", MANY);
    return true;
}

static void open_one(struct bosh_options *o)
{
    o->max_open = 1;
}

/* ---- when the next poll comes, §10 ---- */

#define SLEEP_MS 8000
#define TICK_MS 1000

static bool is_poll(const struct client_shim *cs, const struct shim_request *r)
{
    return cs->online && r->attempt == 1 && !entity_has_payload(&r->body) &&
           !entity_has(&r->body, "type", "terminate");
}

static bool sleep_before_poll(struct client_shim *cs, struct shim_request *r)
{
    if (is_poll(cs, r))
        r->due_ms = r->now_ms + SLEEP_MS;
    return true;
}

static bool send_on_tick(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && r->attempt == 1)
        r->due_ms = (r->now_ms / TICK_MS + 1) * TICK_MS;
    return true;
}

static bool poll_on_tick(struct client_shim *cs, struct shim_request *r)
{
    if (is_poll(cs, r))
        r->due_ms = (r->now_ms / TICK_MS + 1) * TICK_MS;
    return true;
}

static bool read_no_polling(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (entity_number(&a->body, "polling"))
        entity_set(&a->body, "polling", "0");
    return true;
}

const struct twin twins_client_order[] = {
    {"delivers-on-arrival", TWIN_FAULTY,
     "hands over what an early answer brings, before that of lower rids",
     CLIENT(.answer = deliver_at_once)},
    {"drops-early-answer", TWIN_FAULTY,
     "throws away what an answer brings that came before one of a lower rid",
     CLIENT(.answer = drop_early)},
    {"ignores-requests", TWIN_FAULTY,
     "opens nine requests at once, whatever 'requests' says",
     CLIENT(.tweak = open_many, .answer = read_many_requests)},
    {"one-request-at-a-time", TWIN_UNADVISED,
     "never has more than one request open, though §4 advises a second",
     CLIENT(.tweak = open_one)},
    {"sleeps-past-inactivity", TWIN_FAULTY,
     "waits eight seconds before every poll, whatever 'inactivity' says",
     CLIENT(.request = sleep_before_poll)},
    {"polls-on-a-tick", TWIN_RIGHT, "sends polls once a second only",
     CLIENT(.request = poll_on_tick)},
    {"polls-without-rest", TWIN_FAULTY,
     "takes no rest between polls, whatever polling says",
     CLIENT(.answer = read_no_polling)},
    {"sends-on-a-tick", TWIN_RIGHT, "sends whatever it has once a second only",
     CLIENT(.request = send_on_tick)},
    {0},
};
