/* Client twins: errors in a row, and giving up. */
#include "client_twins.h"

#include <string.h>

#include "client-under-test/bosh.h"
#include "entity.h"

#define ENOUGH 5

/* ---- counting ---- */

static void count_for_ever(struct client_shim *cs, int64_t now_ms)
{
    if (++cs->count != ENOUGH)
        return;
    client_shim_core_verb(cs, now_ms, "reset");
    client_shim_end(cs);
    client_shim_say(cs, "conntimeout", NULL);
    client_shim_say(cs, "disconnected", NULL);
}

static bool count_answer(struct client_shim *cs, struct shim_answer *a)
{
    if (a->status != 200)
        count_for_ever(cs, a->now_ms);
    return !cs->ended;
}

static bool count_failure(struct client_shim *cs, int64_t now_ms, uint64_t id,
                          uint64_t rid)
{
    (void)id;
    (void)rid;
    count_for_ever(cs, now_ms);
    return !cs->ended;
}

static void four_errors(struct bosh_options *o)
{
    o->max_errors = 4;
}

static void one_error(struct bosh_options *o)
{
    o->max_errors = 1;
}

static void endless_errors(struct bosh_options *o)
{
    o->max_errors = 0;
}

/* ---- the end ---- */

static bool is_end(const struct said *said)
{
    return said->value && (strcmp(said->value, "conntimeout") == 0 ||
                           strcmp(said->value, "connfail") == 0 ||
                           strcmp(said->value, "disconnected") == 0);
}

static bool hush_end(struct client_shim *cs, struct said *said)
{
    (void)cs;
    return !is_end(said);
}

/* cs->text keeps the newest request, to be made a farewell of. */
static bool note_request(struct client_shim *cs, struct shim_request *r)
{
    buf_clear(&cs->text);
    buf_add(&cs->text, buf_str(&r->body), r->body.len);
    return true;
}

static bool say_goodbye(struct client_shim *cs, struct said *said)
{
    uint64_t rid = cs->top_rid + 1;
    struct buf payload = BUF_INIT;

    if (!said->value || strcmp(said->value, "conntimeout") != 0)
        return true;
    entity_take_payload(&cs->text, &payload);
    entity_set_number(&cs->text, "rid", rid);
    entity_set(&cs->text, "type", "terminate");
    client_shim_send(cs, 0, rid, &cs->text);
    buf_release(&payload);
    return true;
}

TWIN(twin_errors_never_reset, .answer = count_answer, .fail = count_failure)
TWIN(twin_quits_at_fourth_error, .tweak = four_errors)
TWIN(twin_ends_at_first_error, .tweak = one_error)
TWIN(twin_never_gives_up, .tweak = endless_errors)
TWIN(twin_dies_silently, .event = hush_end)
TWIN(twin_says_goodbye_after_errors, .request = note_request,
     .event = say_goodbye)
