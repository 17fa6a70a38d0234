/*
 * The player, client role: orders to the driver, and stanzas that the server
 * behind the mock sends. See play_parts.h.
 */
#include "play_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

#define VERB_WITHIN_MS 10000

unsigned play_client_number(struct play *p, const char *name)
{
    if (!name)
        return 0;
    for (unsigned i = 1; i <= p->client_count; i++) {
        if (strcmp(p->clients[i - 1], name) == 0)
            return i;
    }
    if (p->client_count == PLAY_MAX_CLIENTS)
        return 0;
    p->clients[p->client_count++] = name;
    return p->client_count;
}

static void verb_arg(struct verb *v, const char *name, const char *value)
{
    if (!value || v->arg_count == sizeof v->args / sizeof v->args[0])
        return;
    v->args[v->arg_count].name = name;
    v->args[v->arg_count].value = value;
    v->arg_count++;
}

static bool has_attr(const struct step *st, const char *name)
{
    for (size_t i = 0; i < st->attr_count; i++) {
        if (strcmp(st->attrs[i].name, name) == 0)
            return true;
    }
    return false;
}

/* What every connection needs and the case did not say. */
static void default_args(struct play *p, const struct step *st, struct verb *v)
{
    bool connects = strcmp(st->name, "connect") == 0;

    if (!connects && strcmp(st->name, "attach") != 0 &&
        strcmp(st->name, "restore") != 0)
        return;
    verb_arg(v, "url", p->setting->url);
    verb_arg(v, "ca", p->setting->ca_file);
    if (!has_attr(st, "jid"))
        verb_arg(v, "jid", p->setting->jid);
    if (connects && !has_attr(st, "password"))
        verb_arg(v, "password", p->setting->password);
}

static void emit_do(struct play *p, int64_t now_ms, const struct verb *v,
                    const char *xml)
{
    struct event ev;

    event_init(&ev, "do");
    event_setf(&ev, "client", "%u", v->client);
    event_set(&ev, "verb", v->name);
    for (size_t i = 0; i < v->arg_count; i++) {
        /* the journal must know it for one that the manager gave */
        if (strcmp(v->args[i].name, "sid") == 0 ||
            strcmp(v->args[i].name, "stream") == 0)
            event_set(&ev, v->args[i].name, v->args[i].value);
    }
    if (xml) {
        ev.data = xml;
        ev.data_len = strlen(xml);
    }
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

/* "5" or "1.500", in place of the text: XEP-0124 §10 has whole seconds, and a
 * pause must not be shorter than the case wants it. */
static char *seconds_of(char *text)
{
    char *seconds = mem_printf("%.0f", ceil(strtod(text, NULL)));

    free(text);
    return seconds;
}

static enum went begin_verb(struct play *p, const struct step *st,
                            int64_t now_ms)
{
    struct verb v = {.client = play_client_number(p, st->client),
                     .name = st->name};
    char *owned[32];
    size_t owned_count = 0;
    struct err e = {""};
    char *xml = avt_eval_xml(st->payload.text, p->journal, &e);

    default_args(p, st, &v);
    for (size_t i = 0; i < st->attr_count && i < 16 && !e.text[0]; i++) {
        const char *name = st->attrs[i].name;
        char *value = avt_eval(st->attrs[i].value, p->journal, &e);

        if (value && strcmp(name, "for") == 0) {
            name = "seconds";
            value = seconds_of(value);
        }
        verb_arg(&v, name, value);
        owned[owned_count++] = value;
    }
    for (size_t i = 0; i < st->option_count && i < 16 && !e.text[0]; i++) {
        char *value = avt_eval(st->options[i].value, p->journal, &e);

        v.options[v.option_count].name = st->options[i].name;
        v.options[v.option_count++].value = value;
        owned[owned_count++] = value;
    }
    verb_arg(&v, "xml", xml);
    if (!e.text[0]) {
        emit_do(p, now_ms, &v, xml);
        p->ops->verb(p->stage, &v);
    }
    for (size_t i = 0; i < owned_count; i++)
        free(owned[i]);
    free(xml);
    return e.text[0] ? play_end_broken(p, now_ms, st->line, &e) : WENT_ON;
}

static int64_t verb_ms(const struct play *p)
{
    return p->setting->verb_ms > 0 ? p->setting->verb_ms : VERB_WITHIN_MS;
}

enum went play_verbs_do(struct play *p, struct thread *th,
                        const struct step *st, int64_t now_ms)
{
    if (p->setting->knows_verb &&
        !p->setting->knows_verb(p->setting->knows_ctx, st->name)) {
        char *why = mem_printf("the driver has no verb '%s'", st->name);

        play_end_at(p, now_ms, PLAY_NA, why, st->line);
        free(why);
        return WENT_OVER;
    }
    if (!th->begun) {
        th->begun = true;
        th->deadline_ms =
            now_ms + (int64_t)((double)verb_ms(p) * p->setting->timeout_factor);
        if (begin_verb(p, st, now_ms) != WENT_ON)
            return WENT_OVER;
    }
    if (th->answered)
        return WENT_ON;
    if (now_ms < th->deadline_ms)
        return WENT_WAIT;
    return play_end_at(p, now_ms, PLAY_ERROR,
                       "the driver did not answer a verb", st->line);
}

/* The step that this verb came from, or NULL. */
static struct thread *waiting_for(struct play *p, unsigned client,
                                  const char *verb)
{
    struct thread *th;

    for (th = p->threads; th; th = th->next) {
        const struct frame *f = &th->stack[th->depth - 1];
        const struct step *st = f->at < f->count ? &f->steps[f->at] : NULL;

        if (th->begun && !th->answered && !th->children && st &&
            st->kind == STEP_DO && strcmp(st->name, verb) == 0 &&
            play_client_number(p, st->client) == client)
            return th;
    }
    return NULL;
}

void play_verbs_result(struct play *p, int64_t now_ms, unsigned client,
                       const char *verb, const char *result, const char *reason)
{
    struct thread *th = waiting_for(p, client, verb);
    char *why = NULL;
    int line;

    if (!th)
        return;
    line = th->stack[th->depth - 1].steps[th->stack[th->depth - 1].at].line;
    th->answered = true;
    if (strcmp(result, "unsupported") == 0) {
        why = mem_printf("the driver has no verb '%s'", verb);
        play_end_at(p, now_ms, PLAY_NA, why, line);
    } else if (strcmp(result, "error") == 0 && strcmp(verb, "connect") == 0) {
        /* a client whose session is over may rightly refuse the others */
        why = mem_printf("the driver could not connect: %s",
                         reason ? reason : "it did not say why");
        play_end_at(p, now_ms, PLAY_ERROR, why, line);
    }
    free(why);
}

/* ---- push: the XMPP server behind the mock speaks ---- */

/* The live session that belongs to a client: they come in the order in which
 * the clients connected. Without a name the latest that has logged in is
 * meant: a creation sent twice leaves an orphan behind (XEP-0124 does not say
 * how to tell them apart). NULL: the latest of all. Borrowed until the mock
 * changes. */
static const char *session_of(struct play *p, const char *client)
{
    unsigned n = play_client_number(p, client);
    struct mock_session_info info;
    const char *after = NULL, *found = NULL;

    while (mock_next_session(p->setting->mock, after, &info)) {
        after = info.sid;
        if (info.state == MOCK_SESSION_GONE)
            continue;
        if (client && n-- == 0)
            return info.sid;
        if (!client && info.jid[0])
            found = info.sid;
    }
    return found;
}

enum went play_verbs_push(struct play *p, const struct step *st, int64_t now_ms)
{
    struct err e = {""};
    char *xml = avt_eval_xml(st->payload.text, p->journal, &e);
    int pushed;

    if (!xml)
        return play_end_broken(p, now_ms, st->line, &e);
    pushed =
        mock_push_stream(p->setting->mock, now_ms, session_of(p, st->client),
                         st->stream, xml, strlen(xml));
    free(xml);
    if (pushed < 0)
        return play_end_at(p, now_ms, PLAY_STOPPED,
                           "no live session is left to push to", st->line);
    p->ops->poke(p->stage);
    return WENT_ON;
}
