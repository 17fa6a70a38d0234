/* Server twins: silence and pauses, XEP-0124 §10. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>

#include "entity.h"

/* So far ahead that no window reaches it. */
#define FAR 1000000
#define LATE_MS 500
#define SLOW_MS 4000

static void end_session(struct server_request *r)
{
    entity_set_number(&r->body, "rid", r->rid + FAR);
}

/* ---- silence: rid is 'inactivity', count when the clock was started ---- */

static bool note_inactivity(struct server_answer *a)
{
    if (a->creation)
        a->session->rid = entity_number(&a->body, "inactivity");
    return a->session && !a->own;
}

static bool is_expired(const struct server_request *r)
{
    const struct server_session *s = r->session;

    return s && s->count && s->rid &&
           (uint64_t)r->now_ms > s->count + 1000 * s->rid;
}

static bool start_clock(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (note_inactivity(a))
        a->session->count = (uint64_t)a->now_ms;
    return true;
}

static bool start_clock_when_replaced(struct server_shim *ss,
                                      struct server_answer *a)
{
    (void)ss;
    if (note_inactivity(a) && a->call &&
        server_session_higher_open(a->session, a->call->rid))
        a->session->count = (uint64_t)a->now_ms;
    return true;
}

static bool look_at_clock(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (is_expired(r))
        end_session(r);
    return true;
}

/* ---- pauses ---- */

static const struct call *last_pause(const struct server_session *s)
{
    for (unsigned i = s ? s->call_count : 0; i-- > 0;) {
        if (s->calls[i].pause)
            return &s->calls[i];
    }
    return NULL;
}

static bool is_pause(const struct server_answer *a)
{
    return a->call && a->call->pause;
}

/* An answer that a pause has caused, but not its own. */
static bool is_let_go(const struct server_answer *a)
{
    const struct call *pause = last_pause(a->session);

    return a->call && pause && a->call->rid < pause->rid;
}

static bool leave_the_held(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return !is_let_go(a);
}

static bool pause_slowly(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_pause(a))
        a->due_ms = a->now_ms + SLOW_MS;
    return true;
}

static bool let_go_late(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_let_go(a))
        a->due_ms = a->now_ms + LATE_MS;
    return true;
}

static bool pause_with_data(struct server_shim *ss, struct server_answer *a)
{
    struct buf data = BUF_INIT;

    (void)ss;
    if (is_pause(a) && !a->replay) {
        buf_adds(&data, "<message xmlns='jabber:client' from='localhost'>"
                        "<body>sleep well</body></message>");
        entity_put_payload(&a->body, &data);
    }
    buf_release(&data);
    return true;
}

static bool pause_briefly(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->pause)
        entity_set(&r->body, "pause", "1");
    return true;
}

static bool pause_for_long(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->pause)
        entity_set(&r->body, "pause", "119");
    return true;
}

/* Every request after a pause is one, too. */
static bool pause_again(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (last_pause(r->session) && !r->terminate)
        entity_set(&r->body, "pause", "119");
    return true;
}

const struct twin twins_server_idle[] = {
    {"counts-while-it-holds", TWIN_FAULTY,
     "counts the time in which it holds a request as silence",
     SERVER(.request = look_at_clock, .answer = start_clock)},
    {"counts-from-a-replaced-poll", TWIN_FAULTY,
     "counts silence from when a poll was replaced, and does not stop",
     SERVER(.request = look_at_clock, .answer = start_clock_when_replaced)},
    {"pause-leaves-the-held", TWIN_FAULTY,
     "grants a pause, and never answers what it holds",
     SERVER(.answer = leave_the_held)},
    {"pause-takes-its-time", TWIN_FAULTY, "grants a pause after four seconds",
     SERVER(.answer = pause_slowly)},
    {"pause-lets-go-late", TWIN_FAULTY,
     "grants a pause before it answers what it holds",
     SERVER(.answer = let_go_late)},
    {"pause-brings-something", TWIN_FAULTY,
     "has a message in the answer that grants a pause",
     SERVER(.answer = pause_with_data)},
    {"pauses-for-a-second", TWIN_FAULTY,
     "grants every pause, for one second only",
     SERVER(.request = pause_briefly)},
    {"pauses-for-long", TWIN_FAULTY, "makes every pause as long as it can be",
     SERVER(.request = pause_for_long)},
    {"keeps-pausing", TWIN_FAULTY,
     "does not end a pause when the client is back",
     SERVER(.request = pause_again)},
    {0},
};
