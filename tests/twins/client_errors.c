/* Client twins: errors in a row, and giving up. */
#include "client_shim.h"
#include "twins.h"

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

/* ---- clients that rather leave than put up with something ---- */

/* Takes it for an answer, so that the farewell has the next rid. */
static bool leave_at_error(struct client_shim *cs, struct shim_answer *a)
{
    if (!cs->online || a->status == 200 || cs->count++)
        return true;
    a->status = 200;
    entity_empty(&a->body, NULL);
    client_shim_core_verb(cs, a->now_ms, "disconnect");
    return true;
}

static bool leave_when_overtaken(struct client_shim *cs, struct shim_answer *a)
{
    if (!cs->online || entity_number(&a->body, "report"))
        return true;
    if (client_shim_lower_open(cs, a->rid))
        cs->flag = true;
    else if (cs->flag && cs->count++ == 0)
        client_shim_core_verb(cs, a->now_ms, "disconnect");
    return true;
}

const struct twin twins_client_errors[] = {
    {"errors-never-reset", TWIN_FAULTY, "ends at the fifth error of a session",
     CLIENT(.answer = count_answer, .fail = count_failure)},
    {"quits-at-fourth-error", TWIN_FAULTY, "ends at the fourth error in a row",
     CLIENT(.tweak = four_errors)},
    {"ends-at-first-error", TWIN_RIGHT, "ends, and says so, at the first error",
     CLIENT(.tweak = one_error)},
    {"leaves-at-first-error", TWIN_RIGHT,
     "says goodbye to the manager at the first status that is not 200",
     CLIENT(.answer = leave_at_error)},
    {"leaves-when-overtaken", TWIN_RIGHT,
     "says goodbye once it has got an answer that a later one overtook",
     CLIENT(.answer = leave_when_overtaken)},
    {"never-gives-up", TWIN_FAULTY, "repeats a request for ever",
     CLIENT(.tweak = endless_errors)},
    {"dies-silently", TWIN_FAULTY, "does not tell the application of an end",
     CLIENT(.event = hush_end)},
    {"says-goodbye-after-errors", TWIN_FAULTY,
     "sends a terminate to a manager that does not answer",
     CLIENT(.request = note_request, .event = say_goodbye)},
    {0},
};
