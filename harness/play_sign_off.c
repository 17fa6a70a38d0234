/* The end of a play in the server role: see play_sign_off.h. */
#include "play_sign_off.h"

#include <inttypes.h>

#include "common/clock.h"
#include "play_entry.h"

/* How long each phase waits for its answers. */
#define PHASE_MS 5000

/* ---- farewells ---- */

/* End it with a terminate that the manager will take: in a gap, if there is
 * one, or else it would wait behind it for ever. Source: XEP-0124 §13 */
static void say_farewell(struct play *p, int64_t now_ms, struct raw_session *s)
{
    struct sending how = SENDING_INIT;
    struct buf entity = BUF_INIT;
    struct raw_body body;
    char rid[24];

    snprintf(rid, sizeof rid, "%" PRIu64,
             (s->above_count ? s->low : s->top) + 1);
    raw_body_init(&body);
    raw_body_set(&body, "rid", rid);
    raw_body_set(&body, "sid", s->sid);
    raw_body_set(&body, "type", "terminate");
    raw_body_write(&entity, &body, NULL, 0);
    sessions_send(p, now_ms, &how, entity.data, entity.len);
    buf_release(&entity);
    raw_body_release(&body);
}

/* Nothing more will come of it, or it has come. */
static bool session_settled(const struct play_server *ps,
                            const struct raw_session *s)
{
    return s->ended || !sessions_open(ps, s->sid ? s->farewell : s->creation);
}

static bool all_settled(const struct play_server *ps)
{
    for (const struct raw_session *s = ps->sessions; s; s = s->next) {
        if (!session_settled(ps, s))
            return false;
    }
    return true;
}

/* ---- health ---- */

/* Any answer will do. A creation is what each manager that can be tested at
 * all answers, and soon; to GET and the like some hang up. */
static void ask_for_health(struct play *p, int64_t now_ms)
{
    struct sending how = SENDING_INIT;
    struct buf entity = BUF_INIT;
    struct raw_body body;

    raw_body_init(&body);
    entry_plain_creation(p, &body);
    raw_body_write(&entity, &body, NULL, 0);
    p->server->health = sessions_send(p, now_ms, &how, entity.data, entity.len);
    buf_release(&entity);
    raw_body_release(&body);
}

/* Somebody in front who has nobody behind is no server. But 503 may be no more
 * than a limit of ours, as nginx says it. Source: RFC 9110 §15.6.3 to §15.6.5
 */
static bool is_alive(const struct raw_answer *a)
{
    return a->status && a->status != 502 && a->status != 504;
}

static void tell_health(struct play *p, int64_t now_ms)
{
    struct raw_answer a =
        raw_answer_read(sessions_journal(p), p->server->health);
    struct event ev;

    event_init(&ev, "health");
    event_setf(&ev, "x", "%u", p->server->health);
    event_set(&ev, "alive", is_alive(&a) ? "yes" : "no");
    event_set(&ev, "alone", p->setting->alone ? "yes" : "no");
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

/* ---- one after the other ---- */

static void enter(struct play *p, int64_t now_ms, enum sign_off_phase phase)
{
    p->server->sign_off = phase;
    p->server->sign_off_until_ms =
        now_ms + (int64_t)(PHASE_MS * p->setting->timeout_factor);
}

static void go_on(struct play *p, int64_t now_ms)
{
    struct play_server *ps = p->server;
    bool overdue = now_ms >= ps->sign_off_until_ms;

    if (ps->sign_off == SIGN_OFF_FAREWELLS && (overdue || all_settled(ps))) {
        if (ps->unanswered || overdue) {
            enter(p, now_ms, SIGN_OFF_HEALTH);
            ask_for_health(p, now_ms);
        } else {
            enter(p, now_ms, SIGN_OFF_THROUGH);
        }
    } else if (ps->sign_off == SIGN_OFF_HEALTH &&
               (overdue || !sessions_open(ps, ps->health))) {
        tell_health(p, now_ms);
        enter(p, now_ms, SIGN_OFF_LAST);
    }
    if (ps->sign_off == SIGN_OFF_LAST &&
        (overdue ||
         session_settled(ps, sessions_exchange(ps, ps->health)->session)))
        enter(p, now_ms, SIGN_OFF_THROUGH);
}

void play_sign_off(struct play *p, int64_t now_ms)
{
    struct play_server *ps = p->server;

    if (!ps || ps->sign_off != SIGN_OFF_NOT_YET)
        return;
    enter(p, now_ms, SIGN_OFF_FAREWELLS);
    for (struct raw_session *s = ps->sessions; s; s = s->next) {
        if (s->sid && !s->ended && !sessions_open(ps, s->farewell))
            say_farewell(p, now_ms, s);
    }
    go_on(p, now_ms);
}

bool play_lost_answer(const struct play *p)
{
    return p->server && p->server->unanswered;
}

bool play_signed_off(const struct play *p)
{
    const struct play_server *ps = p->server;

    return !ps || ps->sign_off == SIGN_OFF_NOT_YET ||
           ps->sign_off == SIGN_OFF_THROUGH;
}

void sign_off_answered(struct play *p, int64_t now_ms, unsigned x)
{
    const struct raw_exchange *ex = sessions_exchange(p->server, x);
    struct raw_session *s = ex ? ex->session : NULL;

    if (play_signed_off(p))
        return;
    if (s && ex->creation && s->sid && !s->ended && !s->farewell)
        say_farewell(p, now_ms, s);
    go_on(p, now_ms);
}

void sign_off_tick(struct play *p, int64_t now_ms)
{
    if (!play_signed_off(p))
        go_on(p, now_ms);
}

int64_t sign_off_deadline(const struct play *p)
{
    return play_signed_off(p) ? CLOCK_NEVER : p->server->sign_off_until_ms;
}
