/* The player's facts: what the stage tells becomes events. See play.h. */
#include "play_sessions.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"

static void ignore_event(void *ctx, const struct event *ev)
{
    (void)ctx;
    (void)ev;
}

struct play *play_new(const struct testcase *tc, const struct stage_ops *ops,
                      void *stage, const struct play_setting *setting,
                      const struct event_sink *log)
{
    struct play *p = mem_alloc(sizeof *p);

    p->tc = tc;
    p->ops = ops;
    p->stage = stage;
    p->setting = setting;
    if (log)
        p->log = *log;
    else
        p->log.add = ignore_event;
    p->journal = journal_new(tc->role);
    if (tc->role == ROLE_CLIENT)
        p->client = play_client_new(p);
    else
        p->server = play_server_new(p);
    return p;
}

void play_free(struct play *p)
{
    if (!p)
        return;
    play_steps_free(p);
    play_client_free(p->client);
    play_server_free(p->server);
    journal_free(p->journal);
    for (size_t i = 0; i < p->consumed_count; i++)
        free(p->consumed[i].value);
    free(p->because);
    free(p);
}

/* No peer may bloat us: beyond this one case is given up, and of what still
 * comes no bytes are kept. */
#define PLAY_MAX_BYTES (64u << 20)
#define PLAY_MAX_EVENTS 200000

void play_emit(struct play *p, int64_t now_ms, struct event *ev)
{
    bool full = p->bytes > PLAY_MAX_BYTES || p->seq > PLAY_MAX_EVENTS;

    if (full && p->over && strcmp(ev->name, "end") != 0)
        return;
    ev->seq = ++p->seq;
    ev->t_ms = p->started ? now_ms - p->start_ms : 0;
    p->bytes += ev->data_len;
    p->log.add(p->log.ctx, ev);
    if (p->journal && !p->finished)
        journal_add(p->journal, ev);
    if (p->server && p->server->after)
        journal_add(p->server->after, ev);
    if (full)
        play_end_at(p, now_ms, PLAY_ERROR,
                    "more came than one case is allowed to keep", 0);
}

void play_name_x(struct play *p, int64_t now_ms, const char *as, unsigned x)
{
    struct event ev;

    if (!as)
        return;
    event_init(&ev, "name");
    event_set(&ev, "as", as);
    event_setf(&ev, "x", "%u", x);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

static const char *end_name(enum play_end how)
{
    switch (how) {
    case PLAY_DONE:
        return "done";
    case PLAY_STOPPED:
        return "stopped";
    case PLAY_NA:
        return "na";
    case PLAY_ERROR:
        return "error";
    }
    return "";
}

enum went play_end_at(struct play *p, int64_t now_ms, enum play_end how,
                      const char *because, int line)
{
    struct event ev;

    if (p->over)
        return WENT_OVER;
    p->over = true;
    p->how = how;
    p->because = mem_dup(because);
    p->line = line;
    event_init(&ev, "end");
    event_set(&ev, "how", end_name(how));
    event_set(&ev, "because", because);
    if (line)
        event_setf(&ev, "line", "%d", line);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    if (p->server)
        sessions_over(p);
    return WENT_OVER;
}

enum went play_end_else(struct play *p, int64_t now_ms, const struct step *st,
                        const char *what)
{
    switch (st->otherwise) {
    case ELSE_NA:
        return play_end_at(p, now_ms, PLAY_NA, st->because, st->line);
    case ELSE_ERROR:
        return play_end_at(p, now_ms, PLAY_ERROR, st->because, st->line);
    case ELSE_GO_ON:
        return WENT_ON;
    case ELSE_STOP:
        break;
    }
    return play_end_at(p, now_ms, PLAY_STOPPED, what, st->line);
}

enum went play_end_broken(struct play *p, int64_t now_ms, int line,
                          const struct err *e)
{
    return play_end_at(p, now_ms, PLAY_ERROR,
                       e->text[0] ? e->text : "an expression went wrong", line);
}

/* Floods and bombs are for servers whose owner has agreed. */
static bool forbidden(const struct play *p)
{
    return p->tc->role == ROLE_SERVER && !p->setting->hostile &&
           testcase_has_tag(p->tc, "hostile");
}

/* Why this case cannot be played against this peer, or NULL. Yours. */
static char *unmet_need(const struct play *p)
{
    const struct play_setting *set = p->setting;

    if (testcase_has_tls(p->tc) && !set->tls)
        return mem_dup("TLS is there on sockets only");
    if (forbidden(p))
        return mem_dup("it may harm the server: give --hostile");
    for (size_t i = 0; i < p->tc->needs_count; i++) {
        const struct needs *n = &p->tc->needs[i];

        if (n->verb && set->knows_verb &&
            !set->knows_verb(set->knows_ctx, n->verb))
            return mem_printf("the driver has no verb '%s'", n->verb);
        if (n->event && p->tc->role == ROLE_CLIENT &&
            !(strcmp(n->event, "status") == 0 ? set->has_status
                                              : set->has_stanza))
            return mem_printf("the driver reports no %s events", n->event);
        if (n->option && p->tc->role == ROLE_CLIENT && set->knows_option &&
            !set->knows_option(set->knows_ctx, n->option))
            return mem_printf("the driver has no option '%s'", n->option);
        if (n->accounts > set->account_count && p->tc->role == ROLE_SERVER)
            return mem_printf("needs %u account%s, %zu given", n->accounts,
                              n->accounts == 1 ? "" : "s", set->account_count);
        if (n->anonymous && p->tc->role == ROLE_SERVER && !set->anonymous)
            return mem_dup("needs anonymous login");
        if (n->tls && p->tc->role == ROLE_SERVER && !set->tls)
            return mem_dup("needs https");
    }
    return NULL;
}

void play_start(struct play *p, int64_t now_ms)
{
    struct event ev;
    char *need;

    p->start_ms = now_ms;
    p->started = true;
    event_init(&ev, "log");
    event_set(&ev, "version", "1");
    event_set(&ev, "role", role_name(p->tc->role));
    event_set(&ev, "case", p->tc->id);
    event_setf(&ev, "rev", "%u", p->tc->rev);
    if (p->tc->role == ROLE_CLIENT)
        event_set(&ev, "url", p->setting->url);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    need = unmet_need(p);
    if (need)
        play_end_at(p, now_ms, PLAY_NA, need, 0);
    free(need);
    play_steps_start(p);
    play_advance(p, now_ms);
}

bool play_over(const struct play *p)
{
    return p->over;
}

enum play_end play_how(const struct play *p)
{
    return p->how;
}

const char *play_because(const struct play *p)
{
    return p->because ? p->because : "";
}

int play_line(const struct play *p)
{
    return p->line;
}

int64_t play_deadline_ms(const struct play *p)
{
    int64_t steps = p->over ? CLOCK_NEVER : play_steps_deadline(p);
    int64_t role =
        p->client ? play_client_deadline(p) : play_server_deadline(p);

    return steps < role ? steps : role;
}

void play_tick(struct play *p, int64_t now_ms)
{
    if (p->client)
        play_client_tick(p, now_ms);
    else
        play_server_tick(p, now_ms);
    play_advance(p, now_ms);
}

void play_abort(struct play *p, int64_t now_ms, enum play_end how,
                const char *because)
{
    play_end_at(p, now_ms, how, because, 0);
}

void play_finish(struct play *p, int64_t now_ms)
{
    if (p->finished)
        return;
    play_end_at(p, now_ms, PLAY_ERROR, "the play was not ended", 0);
    p->finished = true;
    journal_finish(p->journal, now_ms - p->start_ms);
}

struct journal *play_journal(struct play *p)
{
    return p->journal;
}

struct journal *play_take_journal(struct play *p)
{
    struct journal *j = p->journal;

    p->journal = NULL;
    p->finished = true;
    return j;
}

void play_opened(struct play *p, int64_t now_ms, unsigned conn)
{
    struct event ev;

    event_init(&ev, "open");
    event_setf(&ev, "conn", "%u", conn);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    if (p->client)
        play_client_opened(p, now_ms, conn);
    play_advance(p, now_ms);
}

void play_closed(struct play *p, int64_t now_ms, unsigned conn,
                 enum delivery_end how, bool by_us)
{
    struct event ev;

    event_init(&ev, "close");
    event_setf(&ev, "conn", "%u", conn);
    event_set(&ev, "how", delivery_end_name(how));
    event_set(&ev, "by", by_us ? "us" : "peer");
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    play_advance(p, now_ms);
}

void play_secured(struct play *p, int64_t now_ms, unsigned conn,
                  const char *tls, const char *problem)
{
    struct event ev;

    event_init(&ev, "tls");
    event_setf(&ev, "conn", "%u", conn);
    event_set(&ev, "how", tls);
    event_set(&ev, "problem", problem);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    play_advance(p, now_ms);
}

void play_lag(struct play *p, int64_t now_ms, int64_t late_ms)
{
    struct event ev;

    event_init(&ev, "lag");
    event_setf(&ev, "from", "%lld",
               (long long)(now_ms - late_ms - p->start_ms));
    event_setf(&ev, "to", "%lld", (long long)(now_ms - p->start_ms));
    event_setf(&ev, "ms", "%lld", (long long)late_ms);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

static const char *part_name(enum play_part part)
{
    switch (part) {
    case PLAY_NONE:
        return "none";
    case PLAY_PART:
        return "part";
    case PLAY_WHOLE:
        return "whole";
    case PLAY_UNKNOWN:
        return "unknown";
    }
    return "";
}

void play_head(struct play *p, int64_t now_ms, unsigned x, unsigned conn,
               const char *bytes, size_t len)
{
    if (p->client)
        play_client_head(p, now_ms, x, conn, bytes, len);
}

void play_request(struct play *p, int64_t now_ms, int64_t begun_ms, unsigned x,
                  unsigned conn, const char *bytes, size_t len,
                  enum play_part arrived, const char *problem)
{
    struct event ev;

    event_init(&ev, "req");
    event_setf(&ev, "x", "%u", x);
    event_setf(&ev, "conn", "%u", conn);
    event_setf(&ev, "begun", "%lld", (long long)(begun_ms - p->start_ms));
    event_set(&ev, "arrived", part_name(arrived));
    event_set(&ev, "problem", problem);
    ev.data = bytes;
    ev.data_len = len;
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    if (p->client)
        play_client_request(p, now_ms, x, conn, arrived);
    play_advance(p, now_ms);
}

void play_answer(struct play *p, int64_t now_ms, unsigned x, const char *bytes,
                 size_t len)
{
    struct event ev;

    event_init(&ev, "answer");
    event_setf(&ev, "x", "%u", x);
    ev.data = bytes;
    ev.data_len = len;
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    if (p->client)
        play_client_answer(p, now_ms, x, bytes, len);
    play_advance(p, now_ms);
}

/* An event of one exchange with one word. */
static void emit_x(struct play *p, int64_t now_ms, const char *name, unsigned x,
                   const char *attr, const char *value)
{
    struct event ev;

    event_init(&ev, name);
    event_setf(&ev, "x", "%u", x);
    if (attr)
        event_set(&ev, attr, value);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

void play_delivered(struct play *p, int64_t now_ms, unsigned x,
                    enum play_part how)
{
    emit_x(p, now_ms, "delivered", x, "how", part_name(how));
    play_advance(p, now_ms);
}

void play_abandoned(struct play *p, int64_t now_ms, unsigned x,
                    enum delivery_end how)
{
    emit_x(p, now_ms, "abandoned", x, "how", delivery_end_name(how));
    play_advance(p, now_ms);
}

void play_sent(struct play *p, int64_t now_ms, unsigned x)
{
    emit_x(p, now_ms, "sent", x, NULL, NULL);
    play_advance(p, now_ms);
}

void play_response(struct play *p, int64_t now_ms, unsigned x,
                   const char *bytes, size_t len, enum play_part came,
                   const char *problem)
{
    struct event ev;

    event_init(&ev, "res");
    event_setf(&ev, "x", "%u", x);
    event_set(&ev, "came", part_name(came));
    event_set(&ev, "problem", problem);
    ev.data = bytes;
    ev.data_len = len;
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    if (p->server)
        play_server_response(p, now_ms, x);
    play_advance(p, now_ms);
}

void play_said(struct play *p, int64_t now_ms, const struct said *said)
{
    struct event ev;

    event_init(&ev, "ev");
    event_setf(&ev, "client", "%u", said->client);
    if (said->stream)
        event_setf(&ev, "stream", "%u", said->stream);
    event_set(&ev, "kind", said->kind);
    event_set(&ev, "value", said->value);
    event_set(&ev, "condition", said->condition);
    if (said->text) {
        ev.data = said->text;
        ev.data_len = strlen(said->text);
    }
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    play_advance(p, now_ms);
}

void play_verb_result(struct play *p, int64_t now_ms, unsigned client,
                      const char *verb, const char *result, const char *reason)
{
    struct event ev;

    event_init(&ev, "do");
    event_setf(&ev, "client", "%u", client);
    event_set(&ev, "verb", verb);
    event_set(&ev, "result", result);
    event_set(&ev, "reason", reason);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
    if (p->client)
        play_verbs_result(p, now_ms, client, verb, result, reason);
    play_advance(p, now_ms);
}
