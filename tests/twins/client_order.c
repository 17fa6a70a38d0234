/* Client twins: answers out of order, how much is open, when polls come. */
#include "client_twins.h"

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

TWIN(twin_delivers_on_arrival, .answer = deliver_at_once)
TWIN(twin_drops_early_answer, .answer = drop_early)
TWIN(twin_ignores_requests, .tweak = open_many, .answer = read_many_requests)
TWIN(twin_one_request_at_a_time, .tweak = open_one)
TWIN(twin_sleeps_past_inactivity, .request = sleep_before_poll)
TWIN(twin_polls_on_a_tick, .request = poll_on_tick)
TWIN(twin_polls_without_rest, .answer = read_no_polling)
TWIN(twin_sends_on_a_tick, .request = send_on_tick)
