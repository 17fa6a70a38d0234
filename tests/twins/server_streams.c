/* Server twins: several streams in one session, XEP-0124 §16. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

static void offer(struct mock_options *o)
{
    o->streams = true;
}

/* The creation's answer names none, and a stream is opened all the same. */
static void offer_in_secret(struct mock_options *o)
{
    static const struct mock_attribute none[] = {{"stream", NULL}};

    o->streams = true;
    o->creation = none;
    o->creation_count = 1;
}

static bool has(const struct buf *body, const char *name)
{
    char *value = entity_attr(body, name);

    free(value);
    return value != NULL;
}

/* The answer to a request for one more stream, as our core writes it. */
static bool names_new(const struct server_answer *a)
{
    return a->session && !a->creation && has(&a->body, "from") &&
           has(&a->body, "stream");
}

static bool open_nothing(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (names_new(a))
        entity_set(&a->body, "stream", NULL);
    return true;
}

/* session->carry: the first stream's name. */
static bool name_the_first(struct server_shim *ss, struct server_answer *a)
{
    char *name = a->creation ? entity_attr(&a->body, "stream") : NULL;

    (void)ss;
    if (name)
        buf_adds(&a->session->carry, name);
    if (names_new(a))
        entity_set(&a->body, "stream", buf_str(&a->session->carry));
    free(name);
    return true;
}

static bool answer_like_a_creation(struct server_shim *ss,
                                   struct server_answer *a)
{
    (void)ss;
    if (names_new(a)) {
        entity_set(&a->body, "wait", "60");
        entity_set(&a->body, "requests", "2");
    }
    return true;
}

static bool forget_version(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (names_new(a))
        entity_set(&a->body, "xmpp:version", NULL);
    return true;
}

static bool forget_names(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation && !names_new(a))
        entity_set(&a->body, "stream", NULL);
    return true;
}

static bool name_empty_answers(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !entity_has_payload(&a->body) && !has(&a->body, "type"))
        entity_set(&a->body, "stream", "any");
    return true;
}

/* To our core a name matters where there is a payload. */
static bool mind_names_on_polls(struct server_shim *ss,
                                struct server_request *r)
{
    struct buf message = BUF_INIT;

    (void)ss;
    if (r->session && has(&r->body, "stream") &&
        !entity_has_payload(&r->body)) {
        buf_adds(&message, "<message xmlns='jabber:client'/>");
        entity_put_payload(&r->body, &message);
    }
    buf_release(&message);
    return true;
}

static bool choke_on_to(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && !r->creation && has(&r->body, "to") &&
        !has(&r->body, "xmpp:restart"))
        entity_set(&r->body, "sid", "never-was");
    return true;
}

const struct twin twins_server_streams[] = {
    {"offers-streams", TWIN_RIGHT, "lets a session have several streams",
     SERVER(.options = offer)},
    {"opens-streams-in-secret", TWIN_FAULTY,
     "opens a second stream though it never named the first",
     SERVER(.options = offer_in_secret)},
    {"opens-nothing", TWIN_FAULTY,
     "names streams, and gives no name to the second",
     SERVER(.options = offer, .answer = open_nothing)},
    {"uses-a-name-twice", TWIN_FAULTY,
     "gives the second stream the name of the first",
     SERVER(.options = offer, .answer = name_the_first)},
    {"opens-like-a-session", TWIN_FAULTY,
     "says wait and requests once more when it opens a stream",
     SERVER(.options = offer, .answer = answer_like_a_creation)},
    {"opens-without-version", TWIN_FAULTY,
     "does not say the version of XMPP when it opens a stream",
     SERVER(.options = offer, .answer = forget_version)},
    {"answers-without-names", TWIN_FAULTY,
     "does not say whose the stanzas are that it brings",
     SERVER(.options = offer, .answer = forget_names)},
    {"names-empty-answers", TWIN_FAULTY,
     "names a stream in answers that bring nothing",
     SERVER(.options = offer, .answer = name_empty_answers)},
    {"minds-names-on-polls", TWIN_FAULTY,
     "ends the session for a poll with a name that it does not know",
     SERVER(.options = offer, .request = mind_names_on_polls)},
    {"chokes-on-to", TWIN_FAULTY,
     "takes a request for one more stream for one of an unknown session",
     SERVER(.request = choke_on_to)},
    {0},
};
