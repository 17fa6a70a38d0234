/* Server twins: what is granted, XEP-0124 §7.2. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

static void scale(struct server_answer *a, const char *name, uint64_t by,
                  uint64_t plus)
{
    if (a->creation)
        entity_set_number(&a->body, name,
                          entity_number(&a->body, name) * by + plus);
}

static bool more_wait(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    scale(a, "wait", 2, 1);
    return true;
}

static bool more_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    scale(a, "hold", 1, 2);
    scale(a, "requests", 1, 2);
    return true;
}

static bool no_room_beside_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation) {
        entity_set(&a->body, "hold", "2");
        entity_set(&a->body, "requests", "2");
    }
    return true;
}

static bool forget_requests(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "requests", NULL);
    return true;
}

static bool forget_wait(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "wait", NULL);
    return true;
}

static bool forget_sid(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "sid", NULL);
    return true;
}

static bool sid_everywhere(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation && a->status == 200 && a->body.len)
        entity_set(&a->body, "sid", a->session->sid);
    return true;
}

static bool say(struct server_answer *a, const char *name, const char *value)
{
    if (a->creation)
        entity_set(&a->body, name, value);
    return true;
}

static bool requests_in_words(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "requests", "many");
}

static bool no_requests(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "requests", "0");
}

static bool negative_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "hold", "-1");
}

static bool later_version(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "ver", "1.100");
}

static void grant_little(struct mock_options *o)
{
    o->wait_s = 7;
    o->hold = 1;
    o->requests = 2;
}

const struct twin twins_server_creation[] = {
    {"grants-more-wait", TWIN_FAULTY, "grants a longer wait than was asked for",
     SERVER(.answer = more_wait)},
    {"grants-more-hold", TWIN_FAULTY, "grants a larger hold than was asked for",
     SERVER(.answer = more_hold)},
    {"requests-equal-hold", TWIN_FAULTY,
     "grants as many requests as it holds, and no more",
     SERVER(.answer = no_room_beside_hold)},
    {"forgets-requests-attribute", TWIN_FAULTY,
     "does not say how many requests may be open",
     SERVER(.answer = forget_requests)},
    {"creates-without-wait", TWIN_FAULTY,
     "does not say which wait it has granted", SERVER(.answer = forget_wait)},
    {"says-sid-every-time", TWIN_FAULTY, "has the sid in every answer",
     SERVER(.answer = sid_everywhere)},
    {"says-requests-in-words", TWIN_FAULTY, "says requests='many'",
     SERVER(.answer = requests_in_words)},
    {"allows-no-requests", TWIN_FAULTY, "says requests='0'",
     SERVER(.answer = no_requests)},
    {"grants-negative-hold", TWIN_FAULTY, "says hold='-1'",
     SERVER(.answer = negative_hold)},
    {"speaks-a-later-version", TWIN_FAULTY,
     "says a higher 'ver' than it was asked for",
     SERVER(.answer = later_version)},
    {"grants-less", TWIN_RIGHT,
     "grants seven seconds of wait, and a hold of one",
     SERVER(.options = grant_little)},
    {"creates-without-sid", TWIN_FAULTY, "gives no sid",
     SERVER(.answer = forget_sid)},
    {0},
};
