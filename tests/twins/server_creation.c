/* Server twins: what is granted, XEP-0124 §7.2. */
#include "server_twins.h"

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

TWIN(twin_grants_more_wait, .answer = more_wait)
TWIN(twin_grants_more_hold, .answer = more_hold)
TWIN(twin_requests_equal_hold, .answer = no_room_beside_hold)
TWIN(twin_forgets_requests_attribute, .answer = forget_requests)
TWIN(twin_creates_without_wait, .answer = forget_wait)
TWIN(twin_says_sid_every_time, .answer = sid_everywhere)
TWIN(twin_says_requests_in_words, .answer = requests_in_words)
TWIN(twin_allows_no_requests, .answer = no_requests)
TWIN(twin_grants_negative_hold, .answer = negative_hold)
TWIN(twin_speaks_a_later_version, .answer = later_version)
TWIN(twin_grants_less, .options = grant_little)
TWIN(twin_creates_without_sid, .answer = forget_sid)
