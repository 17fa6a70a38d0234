/*
 * Server role of the player: the steps that only a raw client takes. See
 * play_parts.h; what is open in which session, play_sessions.h; what a login
 * says, play_login.h; how it is carried out, play_entry.c.
 */
#include "faults.h"
#include "play_sessions.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/buf.h"
#include "common/xml.h"
#include "raw_answer.h"
#include "play_entry.h"
#include "play_sending.h"
#include "play_sign_off.h"

/* A drain on its way: a thread's extra. */
struct drain {
    int64_t until_ms;
};

struct play_server *play_server_new(struct play *p)
{
    (void)p;
    return mem_alloc(sizeof(struct play_server));
}

void play_server_free(struct play_server *ps)
{
    if (!ps)
        return;
    sessions_free(ps);
    free(ps);
}

static enum went no_session(struct play *p, int64_t now_ms,
                            const struct step *st)
{
    char *because = mem_printf("there is no session '%s'", st->session);
    enum went went = play_end_at(p, now_ms, PLAY_ERROR, because, st->line);

    free(because);
    return went;
}

/* ---- polls ---- */

static enum went keep_polling_step(struct play *p, const struct step *st,
                                   int64_t now_ms)
{
    struct raw_session *s = sessions_find(p, st->session);

    if (!s)
        return no_session(p, now_ms, st);
    s->keep_polling = true;
    sessions_tick(p, now_ms);
    return WENT_ON;
}

/* Where the drain began: its end is set. False when the play has ended. */
static bool begin_drain(struct play *p, struct thread *th,
                        const struct step *st, const struct raw_session *s,
                        int64_t now_ms)
{
    int64_t ms = play_duration(p, now_ms, &st->within, st->line);
    struct drain *d;

    if (ms < 0)
        return false;
    if (s->polls && s->polling_ms > 0)
        ms += 2 * s->polling_ms; /* §12: the next poll must wait */
    d = mem_alloc(sizeof *d);
    d->until_ms = now_ms + (int64_t)((double)ms * p->setting->timeout_factor);
    th->extra = d;
    th->extra_free = free;
    return true;
}

static enum went drain_step(struct play *p, struct thread *th,
                            const struct step *st, int64_t now_ms)
{
    struct raw_session *s = sessions_find(p, st->session);
    const struct drain *d;
    struct err e = {""};
    int64_t due;
    bool holds;

    if (!s)
        return no_session(p, now_ms, st);
    if (!th->extra && !begin_drain(p, th, st, s, now_ms))
        return WENT_OVER;
    d = th->extra;
    holds = expr_true(st->expr, p->journal, NULL, &e);
    if (e.text[0])
        return play_end_broken(p, now_ms, st->line, &e);
    if (holds)
        return WENT_ON;
    if (now_ms >= d->until_ms)
        return play_end_else(p, now_ms, st, "a drain was in vain");
    if (sessions_poll_due(s) <= now_ms)
        sessions_poll(p, now_ms, s);
    due = sessions_poll_due(s);
    th->deadline_ms = due < d->until_ms ? due : d->until_ms;
    return WENT_WAIT;
}

/* ---- request ---- */

static bool add_text(struct play *p, int64_t now_ms, const struct step *st,
                     const struct avt *text, struct buf *out)
{
    struct err e = {""};
    char *s = avt_eval_xml(text, p->journal, &e);

    if (e.text[0]) {
        play_end_broken(p, now_ms, st->line, &e);
        return false;
    }
    buf_adds(out, s ? s : "");
    free(s);
    return true;
}

/* A request of a session that we know: rid and sid are filled in. */
static bool session_entity(struct play *p, int64_t now_ms,
                           const struct step *st, struct buf *out)
{
    struct raw_session *s = sessions_find(p, st->session);
    struct buf stanzas = BUF_INIT;
    struct raw_body body;
    bool ok;

    if (!s) {
        no_session(p, now_ms, st);
        return false;
    }
    if (!s->sid) { /* what its creation brought, the judge knows */
        play_end_at(p, now_ms, PLAY_STOPPED, "the session has no sid",
                    st->line);
        return false;
    }
    raw_body_init(&body);
    sessions_address(s, &body);
    if (st->restart) {
        raw_body_set(&body, "to", p->setting->domain);
        raw_body_set(&body, "xml:lang", "en");
        raw_body_set(&body, "xmpp:restart", "true");
    }
    raw_body_set(&body, "type", st->terminate ? "terminate" : NULL);
    ok = entry_set_attrs(p, now_ms, &body, st->attrs, st->attr_count,
                         st->line) &&
         entry_set_attrs(p, now_ms, &body, st->body_attrs, st->body_attr_count,
                         st->line) &&
         add_text(p, now_ms, st, st->payload.text, &stanzas);
    if (ok)
        raw_body_write(out, &body, stanzas.data, stanzas.len);
    buf_release(&stanzas);
    raw_body_release(&body);
    return ok;
}

/* Bytes of the case's own, or text that is worked out once. */
static bool add_raw(struct play *p, int64_t now_ms, const struct step *st,
                    const struct raw *raw, struct buf *out)
{
    struct buf piece = BUF_INIT;
    bool ok = true;

    if (raw->text)
        ok = add_text(p, now_ms, st, raw->text, &piece);
    else if (raw->len)
        buf_add(&piece, raw->data, raw->len);
    for (unsigned i = 0; ok && piece.len && i < raw->times; i++)
        buf_add(out, piece.data, piece.len);
    buf_release(&piece);
    return ok;
}

static bool build_entity(struct play *p, int64_t now_ms, const struct step *st,
                         struct buf *out)
{
    if (st->session)
        return session_entity(p, now_ms, st, out);
    if (st->body.text)
        return add_text(p, now_ms, st, st->body.text, out);
    for (size_t i = 0; i < st->raw_count; i++) {
        if (!add_raw(p, now_ms, st, &st->raws[i], out))
            return false;
    }
    return true;
}

static enum went request_step(struct play *p, const struct step *st,
                              int64_t now_ms)
{
    struct buf entity = BUF_INIT;
    struct sending how;
    bool ok = sending_read(p, now_ms, st, &how) &&
              build_entity(p, now_ms, st, &entity);

    if (ok)
        play_name_x(
            p, now_ms, st->as,
            sessions_send(p, now_ms, &how, buf_str(&entity), entity.len));
    buf_release(&entity);
    sending_release(&how);
    return ok ? WENT_ON : WENT_OVER;
}

/* ---- resend, abort ---- */

/* The last exchange that of= gives; 0 with the play ended. */
static unsigned selected(struct play *p, int64_t now_ms, const struct step *st)
{
    unsigned xs[256];
    int count =
        play_select(p, now_ms, st->of, st->line, xs, sizeof xs / sizeof *xs);

    if (count > 0 && sessions_exchange(p->server, xs[count - 1]))
        return xs[count - 1];
    if (count >= 0)
        play_end_at(p, now_ms, PLAY_ERROR, "of= gives no exchange", st->line);
    return 0;
}

static enum went resend_step(struct play *p, const struct step *st,
                             int64_t now_ms)
{
    struct sending how = SENDING_INIT;
    unsigned x = selected(p, now_ms, st);

    if (!x)
        return WENT_OVER;
    how.conn = st->conn;
    play_name_x(p, now_ms, st->as, sessions_resend(p, now_ms, &how, x));
    return WENT_ON;
}

static enum went abort_step(struct play *p, const struct step *st,
                            int64_t now_ms)
{
    enum delivery_end how = faults_cut_end(st->how);
    unsigned x = selected(p, now_ms, st);
    struct event ev;

    if (!x)
        return WENT_OVER;
    if (!sessions_open(p->server, x))
        return WENT_ON; /* answered already: there is nothing to give up */
    event_init(&ev, "fault");
    event_setf(&ev, "x", "%u", x);
    event_setf(&ev, "name", "abort-%s", delivery_end_name(how));
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    sessions_give_up(p, x);
    p->ops->abort(p->stage, x, how);
    return WENT_ON;
}

enum went play_server_step(struct play *p, struct thread *th,
                           const struct step *st, int64_t now_ms)
{
    switch (st->kind) {
    case STEP_LOGIN:
        return entry_login(p, th, st, now_ms);
    case STEP_CREATE:
        return entry_create(p, th, st, now_ms);
    case STEP_KEEP_POLLING:
        return keep_polling_step(p, st, now_ms);
    case STEP_DRAIN:
        return drain_step(p, th, st, now_ms);
    case STEP_REQUEST:
        return request_step(p, st, now_ms);
    case STEP_RESEND:
        return resend_step(p, st, now_ms);
    case STEP_ABORT:
        return abort_step(p, st, now_ms);
    case STEP_LET:
    case STEP_REQUIRE:
    case STEP_AWAIT:
    case STEP_ELAPSE:
    case STEP_SILENCE:
    case STEP_REPEAT:
    case STEP_WHEN:
    case STEP_TOGETHER:
    case STEP_IN_ORDER:
    case STEP_DO:
    case STEP_PUSH:
    case STEP_ON:
    case STEP_OFF:
    case STEP_ACT:
    case STEP_CERTIFICATE:
        break;
    }
    return play_end_at(p, now_ms, PLAY_ERROR,
                       "this step is not of the server role", st->line);
}

void play_server_tick(struct play *p, int64_t now_ms)
{
    sessions_tick(p, now_ms);
    sign_off_tick(p, now_ms);
}

int64_t play_server_deadline(const struct play *p)
{
    int64_t polls = sessions_deadline(p);
    int64_t end = sign_off_deadline(p);

    return polls < end ? polls : end;
}

/* The condition of an answer that ends a session: BOSH's, or for a stream
 * error the one inside. NULL: none. */
static const char *end_condition(const struct raw_answer *a)
{
    const xmlNode *error = xml_child(a->body, XML_NS_STREAM, "error");
    const xmlNode *inner = error ? xml_child(error, NULL, NULL) : NULL;

    return inner ? (const char *)inner->name : a->condition;
}

/* Does this exchange belong to a session that has bound a resource? Before
 * that the login has its own words for what went wrong. */
static bool is_logged_in(const struct play *p, const xmlNode *x)
{
    const char *session = x ? xml_attr(x, NULL, "session") : NULL;
    xmlNodePtr n = xml_child(journal_root(p->journal), NULL, "s");

    for (; session && n; n = xml_next(n)) {
        if (xml_is(n, NULL, "s") &&
            strcmp(xml_attr(n, NULL, "n"), session) == 0)
            return xml_attr(n, NULL, "jid") != NULL;
    }
    return false;
}

/* What a server does to protect itself, and what it asks us to repeat, says
 * nothing about what the case wants to know, unless the case provokes it. */
static void look_for_limits(struct play *p, int64_t now_ms, unsigned x)
{
    struct raw_answer a = raw_answer_read(p->journal, x);
    const xmlNode *node = journal_x(p->journal, x);
    char *why;

    if (!a.type || !is_logged_in(p, node) || testcase_has_tag(p->tc, "limits"))
        return;
    if (strcmp(a.type, "terminate") == 0 && end_condition(&a) &&
        raw_is_limit(end_condition(&a))) {
        why = mem_printf("the server limits us: %s", end_condition(&a));
        play_end_at(p, now_ms, PLAY_ERROR, why, 0);
        free(why);
    } else if (strcmp(a.type, "error") == 0 &&
               !xml_attr(node, NULL, "copy-of") &&
               !xml_attr(node, NULL, "copies")) {
        play_end_at(p, now_ms, PLAY_ERROR,
                    "the manager asked us to repeat a request", 0);
    }
}

int64_t play_take_slowness(struct play *p)
{
    int64_t ms = p->server ? p->server->slow_ms : 0;

    if (ms)
        p->server->slow_ms = 0;
    return ms;
}

void play_server_response(struct play *p, int64_t now_ms, unsigned x)
{
    look_for_limits(p, now_ms, x);
    sessions_answered(p, x);
    sessions_tick(p, now_ms);
    sign_off_answered(p, now_ms, x);
}
