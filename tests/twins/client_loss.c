/*
 * Client twins: what becomes of the rest when a request or an answer is lost.
 * How a repeat looks, and when it comes, is in client_repeats.c.
 */
#include "client_shim.h"
#include "twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client-under-test/bosh.h"
#include "common/xml.h"
#include "entity.h"

static bool is_repeat(const struct shim_request *r)
{
    char *sid = entity_attr(&r->body, "sid");
    bool repeat = sid && r->attempt > 1;

    free(sid);
    return repeat;
}

static bool is_poll(const struct shim_request *r)
{
    return !entity_has_payload(&r->body) &&
           !entity_has(&r->body, "type", "terminate");
}

/* ---- which of them it repeats ---- */

/* cs->rid: of the newest poll. */
static bool note_poll(struct client_shim *cs, struct shim_request *r)
{
    if (is_poll(r))
        cs->rid = r->rid;
    return true;
}

static void answer_empty(struct client_shim *cs, int64_t now_ms, uint64_t id)
{
    struct buf body = BUF_INIT;

    entity_empty(&body, NULL);
    cs->inner->ops->answer(cs->inner, now_ms, id, 200, "text/xml",
                           buf_str(&body), body.len);
    buf_release(&body);
}

static bool think_poll_answered(struct client_shim *cs, int64_t now_ms,
                                uint64_t id, uint64_t rid)
{
    if (!cs->online || rid != cs->rid)
        return true;
    answer_empty(cs, now_ms, id);
    return false;
}

#define TOGETHER_MS 100

/* cs->rid: the last one that failed; cs->rid2: when. */
static bool note_one_of_two(struct client_shim *cs, int64_t now_ms, uint64_t id,
                            uint64_t rid)
{
    bool second = cs->online && cs->rid && cs->rid != rid &&
                  now_ms - (int64_t)cs->rid2 < TOGETHER_MS;

    cs->rid = rid;
    cs->rid2 = (uint64_t)now_ms;
    if (second)
        answer_empty(cs, now_ms, id);
    return !second;
}

/* cs->count: how many rids the wire is ahead of the core. */
static bool renumber_third(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid)
        cs->count = 0;
    if (is_repeat(r) && r->attempt > 2)
        r->rid = cs->top_rid + (uint64_t)++cs->count;
    else
        r->rid += (uint64_t)cs->count;
    entity_set_number(&r->body, "rid", r->rid);
    return true;
}

/* ---- what the application gives meanwhile ---- */

/* The first stanza after a failure. */
static bool drop_stanza(struct client_shim *cs, int64_t now_ms,
                        const struct verb *v)
{
    (void)now_ms;
    if (!cs->flag || strcmp(v->name, "send") != 0)
        return true;
    cs->flag = false;
    return false;
}

/* cs->text: what waits for the repeat. */
static bool keep_for_repeat(struct client_shim *cs, int64_t now_ms,
                            const struct verb *v)
{
    (void)now_ms;
    if (!cs->flag || strcmp(v->name, "send") != 0)
        return true;
    buf_adds(&cs->text, v->args[0].value);
    return false;
}

static bool put_into_repeat(struct client_shim *cs, struct shim_request *r)
{
    if (!is_repeat(r))
        return true;
    entity_put_payload(&r->body, &cs->text);
    buf_clear(&cs->text);
    cs->flag = false;
    return true;
}

/* ---- what came early meanwhile ---- */

/* cs->text: what answers brought that wait for a lower rid. */
static bool hold_back(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;

    if (!cs->online || a->status != 200)
        return true;
    if (client_shim_lower_open(cs, a->rid)) {
        entity_take_payload(&a->body, &cs->text);
        return true;
    }
    entity_take_payload(&a->body, &payload);
    buf_add(&payload, buf_str(&cs->text), cs->text.len);
    entity_put_payload(&a->body, &payload);
    buf_clear(&cs->text);
    buf_release(&payload);
    return true;
}

static bool flush_at_loss(struct client_shim *cs, int64_t now_ms, uint64_t id,
                          uint64_t rid)
{
    (void)now_ms;
    (void)id;
    (void)rid;
    client_shim_say_stanzas(cs, &cs->text);
    buf_clear(&cs->text);
    return true;
}

/* ---- two answers to one request ---- */

static bool keep_connection(struct client_shim *cs, uint64_t id, uint64_t rid)
{
    (void)id;
    (void)rid;
    return !cs->online;
}

/* cs->rid: the highest rid that was answered. */
static bool hand_over_again(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;
    bool again = cs->online && a->rid <= cs->rid &&
                 !client_shim_is_open(cs, a->rid) && cs->flag;

    cs->flag |= client_shim_is_open(cs, a->rid);
    if (a->rid > cs->rid)
        cs->rid = a->rid;
    if (again) {
        entity_take_payload(&a->body, &payload);
        client_shim_say_stanzas(cs, &payload);
    }
    buf_release(&payload);
    return !again;
}

static bool hand_over_twice(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;

    if (cs->online && a->status == 200 &&
        entity_has_child(&a->body, "message")) {
        entity_take_payload(&a->body, &payload);
        entity_put_payload(&a->body, &payload);
        entity_put_payload(&a->body, &payload);
    }
    buf_release(&payload);
    return true;
}

/* ---- what HTTP stacks do by themselves ---- */

#define STACK_MS 30

/* cs->text: "rid body" a line, for every request. */
static bool write_down(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && r->attempt == 1)
        buf_printf(&cs->text, "%llu %s\n", (unsigned long long)r->rid,
                   buf_str(&r->body));
    return true;
}

/* One more copy, besides that of the client itself. */
static bool repeat_below(struct client_shim *cs, int64_t now_ms, uint64_t id,
                         uint64_t rid)
{
    char *key = mem_printf("%llu ", (unsigned long long)rid);
    const char *line = buf_str(&cs->text);
    struct buf body = BUF_INIT;

    (void)id;
    while (line && *line && strncmp(line, key, strlen(key)) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (line && *line) {
        line += strlen(key);
        buf_add(&body, line, strcspn(line, "\n"));
        client_shim_send(cs, now_ms + STACK_MS, rid, &body);
    }
    buf_release(&body);
    free(key);
    return true;
}

/* ---- it leaves instead ---- */

static bool go_away(struct client_shim *cs, int64_t now_ms, uint64_t id,
                    uint64_t rid)
{
    (void)id;
    (void)rid;
    if (cs->online && !cs->flag) {
        cs->flag = true;
        client_shim_core_verb(cs, now_ms, "disconnect");
    }
    return true;
}

static bool no_repeats_then(struct client_shim *cs, struct shim_request *r)
{
    return !cs->flag || !is_repeat(r);
}

static bool vanish(struct client_shim *cs, int64_t now_ms, uint64_t id,
                   uint64_t rid)
{
    (void)now_ms;
    (void)id;
    (void)rid;
    if (cs->online)
        client_shim_end(cs);
    return true;
}

static bool begin_anew(struct client_shim *cs, int64_t now_ms, uint64_t id,
                       uint64_t rid)
{
    (void)id;
    (void)rid;
    if (!cs->online || cs->flag)
        return true;
    cs->flag = true;
    client_shim_say(cs, "disconnected", NULL);
    client_shim_core_verb(cs, now_ms, "reset");
    client_shim_core_verb(cs, now_ms, "connect");
    return false;
}

const struct twin twins_client_loss[] = {
    {"repeats-no-polls", TWIN_FAULTY,
     "polls with the next rid when a poll was lost",
     CLIENT(.request = note_poll, .fail = think_poll_answered)},
    {"repeats-one-of-two", TWIN_FAULTY,
     "repeats only the first when two requests are lost together",
     CLIENT(.fail = note_one_of_two)},
    {"renumbers-the-third-attempt", TWIN_FAULTY,
     "gives a request the next rid when it was lost twice",
     CLIENT(.request = renumber_third)},
    {"drops-what-waits", TWIN_FAULTY,
     "forgets a stanza that is given to it when a request was just lost",
     CLIENT(.fail = client_shim_note_failure, .verb = drop_stanza,
            .request = put_into_repeat)},
    {"adds-to-the-repeat", TWIN_FAULTY,
     "puts what was given to it meanwhile into a repeat",
     CLIENT(.fail = client_shim_note_failure, .verb = keep_for_repeat,
            .request = put_into_repeat)},
    {"hands-over-at-a-loss", TWIN_FAULTY,
     "hands over what waited for a lower rid when that one is lost",
     CLIENT(.answer = hold_back, .fail = flush_at_loss)},
    {"takes-both-answers", TWIN_FAULTY,
     "hands over a second answer to a request that it has sent again",
     CLIENT(.abort = keep_connection, .answer = hand_over_again)},
    {"lets-both-copies-live", TWIN_RIGHT,
     "repeats a request without giving its first connection up",
     CLIENT(.abort = keep_connection)},
    {"delivers-twice", TWIN_FAULTY, "hands each message over twice",
     CLIENT(.answer = hand_over_twice)},
    {"stack-repeats", TWIN_RIGHT,
     "has an HTTP library that sends a lost request once more by itself",
     CLIENT(.request = write_down, .fail = repeat_below)},
    {"leaves-at-a-loss", TWIN_RIGHT,
     "sends a terminate and nothing else when a request is lost",
     CLIENT(.request = no_repeats_then, .fail = go_away)},
    {"vanishes-at-a-loss", TWIN_UNADVISED,
     "does and says nothing more when a request is lost",
     CLIENT(.fail = vanish)},
    {"begins-anew-at-a-loss", TWIN_RIGHT,
     "forgets the session and makes a new one when a request is lost",
     CLIENT(.fail = begin_anew)},
    {0},
};
