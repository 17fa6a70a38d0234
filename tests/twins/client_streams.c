/* Client twins: several streams in one session, XEP-0124 §16. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

#define NAME_MAX_LEN 80

/* ---- what the manager called its streams ---- */

/* cs->text: the names, each with a space behind it. */
static bool note_names(struct client_shim *cs, struct shim_answer *a)
{
    char *name = entity_attr(&a->body, "stream");

    if (name && !strstr(buf_str(&cs->text), name) &&
        strlen(name) < NAME_MAX_LEN) {
        buf_adds(&cs->text, name);
        buf_addc(&cs->text, ' ');
    }
    free(name);
    return true;
}

/* The first or the second; "" when there is none. */
static void name_at(struct client_shim *cs, int i, char out[NAME_MAX_LEN])
{
    const char *at = buf_str(&cs->text);
    size_t len;

    while (i-- > 0 && *at) {
        at += strcspn(at, " ");
        at += *at == ' ';
    }
    len = strcspn(at, " ");
    memcpy(out, at, len);
    out[len] = '\0';
}

static bool has(const struct buf *body, const char *name)
{
    char *value = entity_attr(body, name);

    free(value);
    return value != NULL;
}

/* Two names are known: there is something to choose. */
static bool has_choice(struct client_shim *cs)
{
    char second[NAME_MAX_LEN];

    name_at(cs, 1, second);
    return *second != '\0';
}

static bool is_named(const struct buf *body, const char *name)
{
    return *name && entity_has(body, "stream", name);
}

/* ---- opening ---- */

static bool is_addition(const struct shim_request *r)
{
    return has(&r->body, "to") && has(&r->body, "sid") &&
           !has(&r->body, "xmpp:restart");
}

static bool note_wish(struct client_shim *cs, int64_t now_ms,
                      const struct verb *v)
{
    (void)now_ms;
    if (strcmp(v->name, "add-stream") == 0)
        cs->flag = true;
    return true;
}

static bool add_all_the_same(struct client_shim *cs, struct shim_request *r)
{
    if (cs->flag && cs->online && !entity_has_payload(&r->body) &&
        cs->count == 0 && r->attempt == 1) {
        cs->count++;
        entity_set(&r->body, "to", "localhost");
        entity_set(&r->body, "xml:lang", "en");
    }
    return true;
}

static bool name_unoffered(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && entity_has_payload(&r->body) && !cs->text.len)
        entity_set(&r->body, "stream", "one");
    return true;
}

static bool add_without_lang(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_addition(r))
        entity_set(&r->body, "xml:lang", NULL);
    return true;
}

static bool add_without_version(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_addition(r))
        entity_set(&r->body, "xmpp:version", NULL);
    return true;
}

static bool add_like_a_creation(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (!is_addition(r))
        return true;
    entity_set(&r->body, "ver", "1.11");
    entity_set(&r->body, "wait", "60");
    entity_set(&r->body, "hold", "1");
    entity_set(&r->body, "content", "text/xml; charset=utf-8");
    return true;
}

/* cs->count: 1 from the addition on. */
static bool add_with_a_gap(struct client_shim *cs, struct shim_request *r)
{
    if (is_addition(r))
        cs->count = 1;
    if (!cs->online)
        cs->count = 0;
    entity_set_number(&r->body, "rid", r->rid + (uint64_t)cs->count);
    return true;
}

static bool name_additions(struct client_shim *cs, struct shim_request *r)
{
    char first[NAME_MAX_LEN];

    name_at(cs, 0, first);
    if (is_addition(r))
        entity_set(&r->body, "stream", first);
    return true;
}

/* ---- sending ---- */

static bool has_message(const struct shim_request *r)
{
    return entity_has_child(&r->body, "message");
}

static bool forget_name(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (has_message(r))
        entity_set(&r->body, "stream", NULL);
    return true;
}

static bool invent_name(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (has_message(r) && has(&r->body, "stream"))
        entity_set(&r->body, "stream", "invented");
    return true;
}

static bool swap_names(struct client_shim *cs, struct shim_request *r)
{
    char first[NAME_MAX_LEN], second[NAME_MAX_LEN];

    name_at(cs, 0, first);
    name_at(cs, 1, second);
    if (!has_message(r))
        return true;
    if (is_named(&r->body, first) && *second)
        entity_set(&r->body, "stream", second);
    else if (is_named(&r->body, second))
        entity_set(&r->body, "stream", first);
    return true;
}

/* One of the first stream's messages goes along with the second's. */
static bool mix(struct client_shim *cs, struct shim_request *r)
{
    struct buf payload = BUF_INIT;
    char second[NAME_MAX_LEN];

    name_at(cs, 1, second);
    if (!has_message(r) || !is_named(&r->body, second))
        return true;
    buf_adds(&payload, "<message xmlns='jabber:client' to='echo@localhost' "
                       "id='a1'/>");
    entity_put_payload(&r->body, &payload);
    buf_release(&payload);
    return true;
}

static bool name_polls(struct client_shim *cs, struct shim_request *r)
{
    char first[NAME_MAX_LEN];

    name_at(cs, 0, first);
    if (has_choice(cs) && !entity_has_payload(&r->body) &&
        !has(&r->body, "to") && !has(&r->body, "type"))
        entity_set(&r->body, "stream", first);
    return true;
}

static bool broadcast_to_one(struct client_shim *cs, struct shim_request *r)
{
    char first[NAME_MAX_LEN];

    name_at(cs, 0, first);
    if (has_choice(cs) && has_message(r) && !has(&r->body, "stream"))
        entity_set(&r->body, "stream", first);
    return true;
}

static bool close_without_name(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (entity_has(&r->body, "type", "terminate"))
        entity_set(&r->body, "stream", NULL);
    return true;
}

static bool restart_without_name(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (has(&r->body, "xmpp:restart"))
        entity_set(&r->body, "stream", NULL);
    return true;
}

static bool name_the_only_one(struct client_shim *cs, struct shim_request *r)
{
    char first[NAME_MAX_LEN];

    name_at(cs, 0, first);
    if (*first && !has_choice(cs) && entity_has_payload(&r->body))
        entity_set(&r->body, "stream", first);
    return true;
}

/* ---- receiving ---- */

static bool mind_empty_name(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && has(&a->body, "stream") &&
        !entity_has_payload(&a->body) && !has(&a->body, "type") &&
        !has(&a->body, "from"))
        client_shim_core_verb(cs, a->now_ms, "disconnect");
    return true;
}

static bool guess_second(struct client_shim *cs, struct shim_answer *a)
{
    char second[NAME_MAX_LEN];

    note_names(cs, a);
    name_at(cs, 1, second);
    if (*second && entity_has_payload(&a->body) && !has(&a->body, "stream"))
        entity_set(&a->body, "stream", second);
    return true;
}

static bool shrug(struct client_shim *cs, struct shim_answer *a)
{
    char first[NAME_MAX_LEN], second[NAME_MAX_LEN];

    name_at(cs, 0, first);
    name_at(cs, 1, second);
    if (*second && has(&a->body, "stream") && !is_named(&a->body, first) &&
        !is_named(&a->body, second))
        entity_set(&a->body, "stream", NULL);
    else
        note_names(cs, a);
    return true;
}

static bool is_end(const struct shim_answer *a)
{
    return entity_has(&a->body, "type", "terminate");
}

static bool end_with_stream(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (is_end(a))
        entity_set(&a->body, "stream", NULL);
    return true;
}

static bool keep_closed(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (is_end(a) && has(&a->body, "stream"))
        entity_empty(&a->body, NULL);
    return true;
}

#define SLOWLY_MS 1000

/* Believes that only its second stream is over; slowly, or it would ask a
 * manager that knows it no more thousands of times. */
static bool survive(struct client_shim *cs, struct shim_answer *a)
{
    char second[NAME_MAX_LEN];

    note_names(cs, a);
    name_at(cs, 1, second);
    if (*second && is_end(a) && !has(&a->body, "stream")) {
        entity_set(&a->body, "stream", second);
        a->due_ms = a->now_ms + SLOWLY_MS;
    }
    return true;
}

const struct twin twins_client_streams[] = {
    {"adds-unoffered", TWIN_FAULTY,
     "asks for a stream though the manager named none",
     CLIENT(.verb = note_wish, .request = add_all_the_same)},
    {"names-unoffered", TWIN_FAULTY,
     "names a stream though the manager named none",
     CLIENT(.answer = note_names, .request = name_unoffered)},
    {"adds-without-lang", TWIN_FAULTY,
     "asks for a stream without saying its language",
     CLIENT(.request = add_without_lang)},
    {"adds-without-version", TWIN_FAULTY,
     "asks for a stream without the version of XMPP",
     CLIENT(.request = add_without_version)},
    {"adds-like-a-creation", TWIN_FAULTY,
     "asks for a stream as if it created a session",
     CLIENT(.request = add_like_a_creation)},
    {"adds-with-a-gap", TWIN_FAULTY,
     "leaves out a rid where it asks for a stream",
     CLIENT(.request = add_with_a_gap)},
    {"names-its-additions", TWIN_FAULTY,
     "names its first stream where it asks for another",
     CLIENT(.answer = note_names, .request = name_additions)},
    {"forgets-the-stream", TWIN_FAULTY, "does not say whose its messages are",
     CLIENT(.request = forget_name)},
    {"invents-a-stream", TWIN_FAULTY,
     "gives its messages the name of a stream that never was",
     CLIENT(.request = invent_name)},
    {"swaps-streams", TWIN_FAULTY,
     "gives its messages the name of the other stream",
     CLIENT(.answer = note_names, .request = swap_names)},
    {"mixes-streams", TWIN_FAULTY,
     "sends messages of two streams in one request",
     CLIENT(.answer = note_names, .request = mix)},
    {"names-its-polls", TWIN_FAULTY, "names a stream in its polls",
     CLIENT(.answer = note_names, .request = name_polls)},
    {"broadcasts-to-one", TWIN_FAULTY,
     "sends what is for all streams on the first alone",
     CLIENT(.answer = note_names, .request = broadcast_to_one)},
    {"closes-all-for-one", TWIN_FAULTY,
     "does not say which stream its terminate is for",
     CLIENT(.request = close_without_name)},
    {"restarts-without-a-name", TWIN_RIGHT,
     "does not name the stream that it restarts",
     CLIENT(.request = restart_without_name)},
    {"names-its-only-stream", TWIN_RIGHT,
     "names its stream where there is but one",
     CLIENT(.answer = note_names, .request = name_the_only_one)},
    {"minds-empty-names", TWIN_FAULTY,
     "leaves when an empty answer names a stream",
     CLIENT(.answer = mind_empty_name)},
    {"guesses-the-stream", TWIN_FAULTY,
     "takes an answer without a name for the newest stream's",
     CLIENT(.answer = guess_second)},
    {"shrugs-at-unknown-streams", TWIN_FAULTY,
     "goes on when it is given something for a stream that it does not know",
     CLIENT(.answer = shrug)},
    {"ends-with-one-stream", TWIN_FAULTY,
     "takes the end of one stream for that of the session",
     CLIENT(.answer = end_with_stream)},
    {"keeps-closed-streams", TWIN_FAULTY,
     "goes on with a stream that the manager has closed",
     CLIENT(.answer = keep_closed)},
    {"survives-the-session", TWIN_FAULTY,
     "takes the end of the session for that of one stream",
     CLIENT(.answer = survive)},
    {0},
};
