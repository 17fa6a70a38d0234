/* Server twins: when a silent session ends, XEP-0124 §10, and what is said
 * of it, §17. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

/* What the client is told. */
#define SHOWN_S 30

static void eighteen_seconds(struct mock_options *o)
{
    o->inactivity_s = 18;
}

static void one_hour(struct mock_options *o)
{
    o->inactivity_s = 3600;
}

static void three_seconds_more(struct mock_options *o)
{
    o->inactivity_s = SHOWN_S + 3;
}

static bool show_thirty(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set_number(&a->body, "inactivity", SHOWN_S);
    return true;
}

static bool show_three_less(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set_number(&a->body, "inactivity",
                          entity_number(&a->body, "inactivity") - 3);
    return true;
}

static bool is_not_found(const struct server_answer *a)
{
    return a->status == 200 && entity_has(&a->body, "type", "terminate") &&
           entity_has(&a->body, "condition", "item-not-found");
}

static bool say_500(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_not_found(a)) {
        a->status = 500;
        buf_clear(&a->body);
        buf_adds(&a->body, "Internal Server Error");
    }
    return true;
}

/* The core holds polls for nearly twice as long as it says. */
static bool show_short_wait(struct server_shim *ss, struct server_answer *a)
{
    uint64_t wait_s = a->creation ? entity_number(&a->body, "wait") : 0;

    (void)ss;
    if (wait_s >= 2)
        entity_set_number(&a->body, "wait", wait_s / 2);
    return true;
}

static void no_version(struct mock_options *o)
{
    o->ver = NULL;
}

/* ---- a sid that nobody has given out ---- */

static bool is_stranger(const struct server_request *r)
{
    return !r->creation && !r->session;
}

static bool ignore_stranger(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !is_stranger(r);
}

static bool welcome_stranger(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (is_stranger(r)) {
        entity_set(&r->body, "sid", NULL);
        entity_set(&r->body, "to", "localhost");
        entity_set(&r->body, "wait", "60");
        entity_set(&r->body, "hold", "1");
        entity_set(&r->body, "ver", "1.11");
    }
    return true;
}

#define THINKING_MS 2500

static bool think_first(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (!a->session && is_not_found(a))
        a->due_ms = a->now_ms + THINKING_MS;
    return true;
}

/* Whoever was logged in last pays for it. */
static bool end_another(struct server_shim *ss, struct server_request *r)
{
    struct server_session *newest = server_shim_newest(ss);

    if (is_stranger(r) && newest)
        newest->flag = true;
    if (r->session && r->session->flag)
        entity_set(&r->body, "sid", "none");
    return true;
}

/* ---- polls ---- */

static bool never_let_go(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return !a->call || a->call->terminate || entity_has_payload(&a->body) ||
           server_session_higher_open(a->session, a->call->rid);
}

const struct twin twins_server_time[] = {
    {"unknown-sid-after-a-while", TWIN_FAULTY,
     "thinks for 2.5 s about a sid that it does not know",
     SERVER(.answer = think_first)},
    {"unknown-sid-ends-another-session", TWIN_FAULTY,
     "ends a session that lives where it does not know the sid",
     SERVER(.request = end_another)},
    {"never-lets-polls-go", TWIN_FAULTY,
     "holds a poll until there is something for it, or another one",
     SERVER(.answer = never_let_go)},
    {"expires-early", TWIN_FAULTY,
     "ends a silent session after 60 % of 'inactivity'",
     SERVER(.options = eighteen_seconds, .answer = show_thirty)},
    {"never-expires", TWIN_FAULTY, "keeps silent sessions for an hour",
     SERVER(.options = one_hour, .answer = show_thirty)},
    {"expired-is-http-500", TWIN_FAULTY,
     "says HTTP 500 for a session that is not there",
     SERVER(.answer = say_500)},
    {"unknown-sid-hangs", TWIN_FAULTY,
     "does not answer where it knows no such session",
     SERVER(.request = ignore_stranger)},
    {"unknown-sid-opens-a-session", TWIN_FAULTY,
     "makes a new session where it knows none of that sid",
     SERVER(.request = welcome_stranger)},
    {"expires-some-seconds-late", TWIN_RIGHT,
     "ends silent sessions three seconds late",
     SERVER(.options = three_seconds_more, .answer = show_three_less)},
    {"legacy-http-codes", TWIN_RIGHT,
     "is older than 'ver' and says HTTP 400, 403, 404",
     SERVER(.options = no_version)},
    {"holds-beyond-wait", TWIN_FAULTY,
     "holds polls for nearly twice as long as it says",
     SERVER(.answer = show_short_wait)},
    {0},
};
