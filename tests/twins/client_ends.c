/* Client twins: what they make of an end, and how they take their leave. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "client-under-test/bosh.h"
#include "common/xml.h"
#include "entity.h"

static bool terminates(const struct shim_answer *a)
{
    return a->status == 200 && entity_has(&a->body, "type", "terminate");
}

/* ---- the manager ends it, XEP-0124 §17.2 ---- */

/* Not for ever: the manager says each time that there is no such session. */
#define OVERLOOKED 20

/* Those of a client that was written against an old version. */
static bool is_familiar(const struct buf *body)
{
    static const char *const words[] = {
        "bad-request", "host-unknown", "item-not-found", "remote-stream-error"};
    bool found = false;
    char *condition = entity_attr(body, "condition");

    for (size_t i = 0; condition && i < sizeof words / sizeof words[0]; i++)
        found |= strcmp(condition, words[i]) == 0;
    free(condition);
    return found;
}

static bool know_some(struct client_shim *cs, struct shim_answer *a)
{
    if (terminates(a) && !is_familiar(&a->body) && cs->count++ < OVERLOOKED) {
        entity_set(&a->body, "type", NULL);
        entity_set(&a->body, "condition", NULL);
    }
    return true;
}

static bool mistake_condition(struct client_shim *cs, struct said *said)
{
    (void)cs;
    if (said->condition)
        said->condition = "undefined-condition";
    return true;
}

static bool say_twice(struct client_shim *cs, struct said *said)
{
    if (said->value && strcmp(said->value, "disconnected") == 0)
        client_shim_say(cs, said->value, said->condition);
    return true;
}

/* The end is told to the application, and to nobody else in the program. */
static bool keep_the_other(struct client_shim *cs, struct shim_answer *a)
{
    if (!cs->online || !terminates(a) || !client_shim_is_open(cs, a->rid + 1))
        return true;
    client_shim_say(cs, "disconnected", NULL);
    return false;
}

static bool invent_session(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->sid || !terminates(a) || cs->count++ > 0)
        return true;
    entity_empty(&a->body, NULL);
    entity_set(&a->body, "sid", "none");
    return true;
}

const struct twin twins_client_ends[] = {
    {"knows-some-conditions", TWIN_FAULTY,
     "takes a type='terminate' for an ordinary answer unless it knows the "
     "condition",
     CLIENT(.answer = know_some)},
    {"mistakes-the-condition", TWIN_FAULTY,
     "says undefined-condition whatever the condition is",
     CLIENT(.event = mistake_condition)},
    {"says-it-twice", TWIN_RIGHT, "says twice that it is disconnected",
     CLIENT(.event = say_twice)},
    {"keeps-the-other-request", TWIN_FAULTY,
     "keeps on with the other open request when one brings the end",
     CLIENT(.answer = keep_the_other)},
    {"takes-a-refusal-for-a-session", TWIN_FAULTY,
     "goes on when its creation was answered with type='terminate'",
     CLIENT(.answer = invent_session)},
    {0},
};
