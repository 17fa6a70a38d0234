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

/* The next request is on its way before this answer is read. */
static bool send_before_reading(struct client_shim *cs, struct shim_answer *a)
{
    struct buf one = BUF_INIT;

    if (terminates(a) && cs->online && cs->sid && !a->own && !cs->flag) {
        cs->flag = true;
        buf_adds(&one, "<message xmlns='" XML_NS_CLIENT
                       "' to='echo@localhost' id='waited'/>");
        entity_empty(&cs->text, NULL);
        entity_set_number(&cs->text, "rid", cs->top_rid + 1);
        entity_set(&cs->text, "sid", cs->sid);
        entity_put_payload(&cs->text, &one);
        client_shim_send(cs, a->now_ms, cs->top_rid + 1, &cs->text);
    }
    buf_release(&one);
    return true;
}

static bool mistake_condition(struct client_shim *cs, struct said *said)
{
    (void)cs;
    if (said->condition)
        said->condition = "undefined-condition";
    return true;
}

static bool hush(struct client_shim *cs, struct said *said)
{
    (void)cs;
    return !said->value || (strcmp(said->value, "redirect") != 0 &&
                            strcmp(said->value, "connfail") != 0 &&
                            strcmp(said->value, "disconnected") != 0);
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

/* Only the address is changed, which is not seen here. */
static bool follow_with_sid(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (terminates(a) && entity_has(&a->body, "condition", "see-other-uri"))
        entity_empty(&a->body, NULL);
    return true;
}

static bool is_error(const struct shim_answer *a)
{
    return a->status == 200 && entity_has(&a->body, "type", "error");
}

/* §17.3 is not known here. */
static bool hang_at_error(struct client_shim *cs, struct shim_answer *a)
{
    if (is_error(a))
        client_shim_end(cs);
    return true;
}

/* ---- the client ends it, §13 ---- */

#define SOON_MS 50

static const char gone[] =
    "<presence xmlns='" XML_NS_CLIENT "' type='unavailable'/>";

static bool is_farewell(const struct shim_request *r)
{
    return entity_has(&r->body, "type", "terminate");
}

static void put_gone(struct shim_request *r)
{
    struct buf presence = BUF_INIT;

    buf_adds(&presence, gone);
    entity_put_payload(&r->body, &presence);
    buf_release(&presence);
}

static bool drop_queue(struct client_shim *cs, struct shim_request *r)
{
    struct buf payload = BUF_INIT;

    (void)cs;
    if (is_farewell(r)) {
        entity_take_payload(&r->body, &payload);
        put_gone(r);
    }
    buf_release(&payload);
    return true;
}

static bool take_back(struct client_shim *cs, struct shim_request *r)
{
    if (is_farewell(r) && !cs->online)
        put_gone(r);
    return true;
}

static bool repeat_farewell(struct client_shim *cs, struct shim_request *r)
{
    if (is_farewell(r) && r->attempt == 1)
        client_shim_send(cs, r->now_ms + SOON_MS, r->rid, &r->body);
    return true;
}

static bool leaves_early(const struct client_shim *cs, const struct verb *v)
{
    return !cs->sid && strcmp(v->name, "disconnect") == 0;
}

static bool leave_nameless(struct client_shim *cs, int64_t now_ms,
                           const struct verb *v)
{
    struct buf bye = BUF_INIT;

    if (leaves_early(cs, v)) {
        entity_empty(&bye, "terminate");
        entity_set_number(&bye, "rid", cs->top_rid + 1);
        client_shim_send(cs, now_ms, cs->top_rid + 1, &bye);
    }
    buf_release(&bye);
    return true;
}

static bool be_deaf(struct client_shim *cs, int64_t now_ms,
                    const struct verb *v)
{
    (void)now_ms;
    return !leaves_early(cs, v);
}

static void wait_for_ever(struct bosh_options *o)
{
    o->disconnect_ms = 600000;
    o->timeout = 0;
    o->secondary_timeout = 0;
}

/* cs->rid: of the farewell. */
static bool note_farewell(struct client_shim *cs, struct shim_request *r)
{
    if (is_farewell(r))
        cs->rid = r->rid;
    return true;
}

static bool poll_on_failure(struct client_shim *cs, struct shim_answer *a)
{
    struct buf poll = BUF_INIT;

    if (a->status != 200 && cs->rid && a->rid == cs->rid && cs->sid) {
        entity_empty(&poll, NULL);
        entity_set_number(&poll, "rid", cs->rid + 1);
        entity_set(&poll, "sid", cs->sid);
        client_shim_send(cs, a->now_ms + SOON_MS, cs->rid + 1, &poll);
    }
    buf_release(&poll);
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
    {"sends-first-and-reads-then", TWIN_FAULTY,
     "lets its next request go when one was answered, and reads the answer "
     "after that",
     CLIENT(.answer = send_before_reading)},
    {"says-it-twice", TWIN_RIGHT, "says twice that it is disconnected",
     CLIENT(.event = say_twice)},
    {"keeps-the-other-request", TWIN_FAULTY,
     "keeps on with the other open request when one brings the end",
     CLIENT(.answer = keep_the_other)},
    {"takes-a-refusal-for-a-session", TWIN_FAULTY,
     "goes on when its creation was answered with type='terminate'",
     CLIENT(.answer = invent_session)},
    {"follows-with-the-old-sid", TWIN_FAULTY,
     "takes its sid along to the address of see-other-uri",
     CLIENT(.answer = follow_with_sid)},
    {"keeps-the-address-to-itself", TWIN_FAULTY,
     "says nothing when it is sent to another address, and does not go there",
     CLIENT(.event = hush)},
    {"hangs-at-type-error", TWIN_FAULTY,
     "does and says nothing more when an answer has type='error'",
     CLIENT(.answer = hang_at_error)},
    {"drops-its-queue-at-goodbye", TWIN_FAULTY,
     "leaves out of its terminate what was still to be sent",
     CLIENT(.request = drop_queue)},
    {"takes-back-what-it-never-said", TWIN_FAULTY,
     "leaves with unavailable presence before it is logged in",
     CLIENT(.request = take_back)},
    {"repeats-its-terminate", TWIN_RIGHT,
     "sends its terminate twice, the same bytes",
     CLIENT(.request = repeat_farewell)},
    {"takes-leave-without-a-name", TWIN_FAULTY,
     "sends a terminate before it has been given a sid",
     CLIENT(.verb = leave_nameless)},
    {"cannot-be-stopped", TWIN_FAULTY,
     "does not hear that it shall leave while it creates a session",
     CLIENT(.verb = be_deaf)},
    {"waits-for-its-last-answer", TWIN_FAULTY,
     "says that it is over when its terminate was answered, never before",
     CLIENT(.tweak = wait_for_ever)},
    {"polls-when-its-goodbye-fails", TWIN_FAULTY,
     "sends one more poll when its terminate was not answered with 200",
     CLIENT(.request = note_farewell, .answer = poll_on_failure)},
    {0},
};
