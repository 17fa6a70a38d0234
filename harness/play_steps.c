/*
 * Threads of steps: what both roles know. See play_parts.h.
 *
 * A play is one thread; together= forks one for each of its children. Every
 * fact makes all threads try again: a step that cannot go on yet waits, with
 * a deadline, and is tried at the next fact or when the deadline has come.
 */
#include "play_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/xml.h"

static struct thread *thread_new(struct play *p, struct thread *parent,
                                 const struct step *steps, size_t count)
{
    struct thread *th = mem_alloc(sizeof *th);
    struct thread **end = &p->threads;

    th->parent = parent;
    th->deadline_ms = CLOCK_NEVER;
    th->stack[0].steps = steps;
    th->stack[0].count = count;
    th->stack[0].times = 1;
    th->depth = 1;
    while (*end)
        end = &(*end)->next;
    *end = th;
    return th;
}

static void thread_free(struct thread *th)
{
    if (th->extra_free)
        th->extra_free(th->extra);
    free(th);
}

void play_steps_start(struct play *p)
{
    thread_new(p, NULL, p->tc->steps, p->tc->step_count);
}

void play_steps_free(struct play *p)
{
    while (p->threads) {
        struct thread *th = p->threads;

        p->threads = th->next;
        thread_free(th);
    }
}

int64_t play_duration(struct play *p, int64_t now_ms, const struct duration *d,
                      int line)
{
    struct err e = {""};
    double ms;

    if (!d->expr)
        return d->ms;
    ms = expr_number(d->expr, p->journal, NULL, &e);
    if (e.text[0] || isnan(ms) || ms < 0 || ms > 86400000) {
        err_set(&e, "the duration '%s' is not a number of milliseconds",
                expr_text(d->expr));
        play_end_broken(p, now_ms, line, &e);
        return -1;
    }
    return (int64_t)ms;
}

char *play_attr(struct play *p, int64_t now_ms, const struct step *st,
                const char *name)
{
    struct err e = {""};

    for (size_t i = 0; i < st->attr_count; i++) {
        char *value;

        if (strcmp(st->attrs[i].name, name) != 0)
            continue;
        value = avt_eval(st->attrs[i].value, p->journal, &e);
        if (!value)
            play_end_broken(p, now_ms, st->line, &e);
        return value;
    }
    return NULL;
}

static int collect_xs(const xmlXPathObject *value, unsigned *xs, size_t max)
{
    size_t found = 0;

    if (!value || value->type != XPATH_NODESET || !value->nodesetval)
        return 0;
    for (int i = 0; i < value->nodesetval->nodeNr && found < max; i++) {
        const xmlNode *node = value->nodesetval->nodeTab[i];
        const char *n = node->type == XML_ELEMENT_NODE &&
                                strcmp((const char *)node->name, "x") == 0
                            ? xml_attr(node, NULL, "n")
                            : NULL;

        if (n)
            xs[found++] = (unsigned)strtoul(n, NULL, 10);
    }
    return (int)found;
}

int play_select(struct play *p, int64_t now_ms, const struct avt *of, int line,
                unsigned *xs, size_t max)
{
    xmlXPathObjectPtr value = NULL;
    struct err e = {""};
    int count;

    if (avt_count(of) == 1) {
        value = expr_eval(avt_expr(of, 0), p->journal, NULL, &e);
    } else {
        char *name = avt_eval(of, p->journal, &e);

        if (name)
            value =
                journal_variable(p->journal, name[0] == '$' ? name + 1 : name);
        free(name);
    }
    if (!value) {
        play_end_broken(p, now_ms, line, &e);
        return -1;
    }
    count = collect_xs(value, xs, max);
    xmlXPathFreeObject(value);
    return count;
}

/* ---- the steps that both roles know ---- */

static void emit_let(struct play *p, int64_t now_ms, const char *name,
                     const char *type, const char *value)
{
    struct event ev;

    event_init(&ev, "let");
    event_set(&ev, "name", name);
    event_set(&ev, "type", type);
    event_set(&ev, "value", value);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

static enum went step_let(struct play *p, const struct step *st, int64_t now_ms)
{
    struct err e = {""};
    xmlXPathObjectPtr value = expr_eval(st->expr, p->journal, NULL, &e);
    struct buf text = BUF_INIT;
    const char *type = "string";

    if (!value)
        return play_end_broken(p, now_ms, st->line, &e);
    if (value->type == XPATH_NUMBER)
        type = "number";
    else if (value->type == XPATH_BOOLEAN)
        type = "boolean";
    if (value->type == XPATH_NODESET) {
        xmlChar *s = xmlXPathCastToString(value);

        buf_adds(&text, (const char *)s);
        xmlFree(s);
    } else {
        value_print(&text, value);
    }
    emit_let(p, now_ms, st->name, type, buf_str(&text));
    buf_release(&text);
    xmlXPathFreeObject(value);
    return WENT_ON;
}

static enum went step_require(struct play *p, const struct step *st,
                              int64_t now_ms)
{
    struct err e = {""};
    bool holds = expr_true(st->expr, p->journal, NULL, &e);

    if (e.text[0])
        return play_end_broken(p, now_ms, st->line, &e);
    return holds ? WENT_ON : play_end_else(p, now_ms, st, "");
}

static void name_node(struct play *p, int64_t now_ms, const char *as,
                      const xmlNode *node)
{
    struct event ev;

    if (node->type != XML_ELEMENT_NODE)
        return;
    event_init(&ev, "name");
    event_set(&ev, "as", as);
    if (strcmp((const char *)node->name, "x") == 0)
        event_set(&ev, "x", xml_attr(node, NULL, "n"));
    else if (strcmp((const char *)node->name, "ev") == 0)
        event_set(&ev, "ev", xml_attr(node, NULL, "n"));
    else if (strcmp((const char *)node->name, "s") == 0)
        event_set(&ev, "session", xml_attr(node, NULL, "create"));
    if (ev.attr_count == 2)
        play_emit(p, now_ms, &ev);
    event_release(&ev);
}

/* Where an await has come for this status and client: how far its events are
 * used up. A new one has used nothing. NULL: there are too many. */
static struct consumed *consumed(struct play *p, const char *status,
                                 unsigned client, unsigned stream)
{
    struct consumed *c = p->consumed;

    for (; c < p->consumed + p->consumed_count; c++)
        if (c->client == client && c->stream == stream &&
            strcmp(c->value, status) == 0)
            return c;
    if (p->consumed_count == sizeof p->consumed / sizeof p->consumed[0])
        return NULL;
    p->consumed_count++;
    c->value = mem_dup(status);
    c->client = client;
    c->stream = stream;
    return c;
}

/* Is the number in that attribute, where it is 0 unless it is there? */
static bool is_of(const xmlNode *node, const char *name, unsigned number)
{
    const char *text = xml_attr(node, NULL, name);

    return (text ? strtoul(text, NULL, 10) : 0) == number;
}

/* Has the driver said this status, later than what an earlier await of the
 * same status used up? */
static bool status_came(struct play *p, const struct step *st)
{
    const char *status = st->name;
    unsigned client = play_client_number(p, st->client);
    struct consumed *c = consumed(p, status, client, st->stream);

    for (xmlNodePtr n = xml_child(journal_root(p->journal), NULL, "ev"); n;
         n = xml_next(n)) {
        const char *value = xml_attr(n, NULL, "value");
        const char *seq = xml_attr(n, NULL, "seq");

        if (strcmp((const char *)n->name, "ev") != 0 || !value || !seq ||
            strcmp(value, status) != 0 || !is_of(n, "client", client) ||
            !is_of(n, "stream", st->stream))
            continue;
        if (c && strtoull(seq, NULL, 10) <= c->seq)
            continue;
        if (c)
            c->seq = strtoull(seq, NULL, 10);
        return true;
    }
    return false;
}

/* A driver without statuses: what the wire shows must do. A resource was
 * bound: connected; the session ended: disconnected. The wire does not tell
 * clients apart; each such fact serves one await. */
static bool wire_shows(struct play *p, const char *status)
{
    const char *fact = strcmp(status, "connected") == 0      ? "jid"
                       : strcmp(status, "disconnected") == 0 ? "ended"
                                                             : NULL;
    struct consumed *c = fact ? consumed(p, status, 0, 0) : NULL;
    uint64_t shown = 0;

    for (xmlNodePtr n = xml_child(journal_root(p->journal), NULL, "s"); c && n;
         n = xml_next(n))
        shown +=
            strcmp((const char *)n->name, "s") == 0 && xml_attr(n, NULL, fact);
    if (!c || shown <= c->seq)
        return false;
    c->seq++;
    return true;
}

/* Is what the await wants there? Binds its handle when it is. */
static bool await_holds(struct play *p, const struct step *st, int64_t now_ms,
                        struct err *e)
{
    xmlXPathObjectPtr value;
    bool holds;

    if (st->name)
        return p->setting->has_status ? status_came(p, st)
                                      : wire_shows(p, st->name);
    value = expr_eval(st->expr, p->journal, NULL, e);
    if (!value)
        return false;
    holds = xmlXPathCastToBoolean(value);
    if (holds && st->as && value->type == XPATH_NODESET) {
        for (int i = 0; i < value->nodesetval->nodeNr; i++)
            name_node(p, now_ms, st->as, value->nodesetval->nodeTab[i]);
    }
    xmlXPathFreeObject(value);
    return holds;
}

static bool begin_wait(struct play *p, struct thread *th, const struct step *st,
                       int64_t now_ms, double factor)
{
    int64_t ms;

    if (th->begun)
        return true;
    ms = play_duration(p, now_ms, &st->within, st->line);
    if (ms < 0)
        return false;
    th->begun = true;
    th->deadline_ms = now_ms + (int64_t)((double)ms * factor);
    return true;
}

/* Without else= the words go into the verdict, if no assert sees why. */
static enum went await_in_vain(struct play *p, const struct step *st,
                               int64_t now_ms)
{
    char *what = mem_printf("nothing came of '%s'",
                            st->name ? st->name : expr_text(st->expr));
    enum went went = play_end_else(p, now_ms, st, what);

    free(what);
    return went;
}

static enum went step_await(struct play *p, struct thread *th,
                            const struct step *st, int64_t now_ms)
{
    struct err e = {""};

    if (!begin_wait(p, th, st, now_ms, p->setting->timeout_factor))
        return WENT_OVER;
    if (await_holds(p, st, now_ms, &e))
        return WENT_ON;
    if (e.text[0])
        return play_end_broken(p, now_ms, st->line, &e);
    if (now_ms < th->deadline_ms)
        return WENT_WAIT;
    return await_in_vain(p, st, now_ms);
}

/* More patience is wanted than we were given: --max-wait. */
static bool waits_too_long(struct play *p, const struct step *st,
                           int64_t now_ms, int64_t until_ms)
{
    int64_t most_ms = p->setting->max_wait_ms;
    char *because;

    if (most_ms <= 0 || until_ms - now_ms <= most_ms)
        return false;
    because = mem_printf("it would have to wait for %lld s, --max-wait is %lld",
                         (long long)(until_ms - now_ms + 999) / 1000,
                         (long long)most_ms / 1000);
    play_end_at(p, now_ms, PLAY_NA, because, st->line);
    free(because);
    return true;
}

static enum went step_silence(struct play *p, struct thread *th,
                              const struct step *st, int64_t now_ms)
{
    struct err e = {""};
    bool broken;

    if (!begin_wait(p, th, st, now_ms, 1) ||
        waits_too_long(p, st, now_ms, th->deadline_ms))
        return WENT_OVER;
    broken = expr_true(st->expr, p->journal, NULL, &e);
    if (e.text[0])
        return play_end_broken(p, now_ms, st->line, &e);
    if (broken) /* without else= the judge says what it means */
        return st->otherwise == ELSE_STOP ? WENT_ON
                                          : play_end_else(p, now_ms, st, "");
    return now_ms < th->deadline_ms ? WENT_WAIT : WENT_ON;
}

static enum went step_elapse(struct play *p, struct thread *th,
                             const struct step *st, int64_t now_ms)
{
    if (!th->begun) {
        bool moment = st->until.expr || st->until.ms >= 0;
        int64_t ms = play_duration(p, now_ms, moment ? &st->until : &st->within,
                                   st->line);

        if (ms < 0)
            return WENT_OVER;
        th->begun = true;
        th->deadline_ms = (moment ? p->start_ms : now_ms) + ms;
        if (waits_too_long(p, st, now_ms, th->deadline_ms))
            return WENT_OVER;
    }
    return now_ms < th->deadline_ms ? WENT_WAIT : WENT_ON;
}

/* ---- threads ---- */

static bool push_frame(struct play *p, struct thread *th, const struct step *st,
                       unsigned times, int64_t now_ms)
{
    struct frame *f;

    if (th->depth == PLAY_MAX_DEPTH) {
        play_end_at(p, now_ms, PLAY_ERROR, "blocks are nested too deeply",
                    st->line);
        return false;
    }
    f = &th->stack[th->depth++];
    memset(f, 0, sizeof *f);
    f->steps = st->steps;
    f->count = times ? st->step_count : 0;
    f->times = times;
    f->index = st->index;
    if (f->index && times)
        emit_let(p, now_ms, f->index, "number", "1");
    return true;
}

static enum went step_repeat(struct play *p, struct thread *th,
                             const struct step *st, int64_t now_ms)
{
    struct err e = {""};
    char *text = avt_eval(st->times, p->journal, &e);
    char *end;
    long times;

    if (!text)
        return play_end_broken(p, now_ms, st->line, &e);
    times = strtol(text, &end, 10);
    if (*end || end == text || times < 0 || times > 10000) {
        err_set(&e, "'%s' is no number of times", text);
        free(text);
        return play_end_broken(p, now_ms, st->line, &e);
    }
    free(text);
    th->stack[th->depth - 1].at++;
    return push_frame(p, th, st, (unsigned)times, now_ms) ? WENT_ON : WENT_OVER;
}

static enum went step_when(struct play *p, struct thread *th,
                           const struct step *st, int64_t now_ms)
{
    struct err e = {""};
    bool holds = expr_true(st->expr, p->journal, NULL, &e);

    if (e.text[0])
        return play_end_broken(p, now_ms, st->line, &e);
    th->stack[th->depth - 1].at++;
    return push_frame(p, th, st, holds, now_ms) ? WENT_ON : WENT_OVER;
}

static void fork_children(struct play *p, struct thread *th,
                          const struct step *st)
{
    th->stack[th->depth - 1].at++;
    for (size_t i = 0; i < st->step_count; i++)
        thread_new(p, th, &st->steps[i], 1);
    th->children = (unsigned)st->step_count;
}

static enum went try_step(struct play *p, struct thread *th,
                          const struct step *st, int64_t now_ms)
{
    switch (st->kind) {
    case STEP_LET:
        return step_let(p, st, now_ms);
    case STEP_REQUIRE:
        return step_require(p, st, now_ms);
    case STEP_AWAIT:
        return step_await(p, th, st, now_ms);
    case STEP_SILENCE:
        return step_silence(p, th, st, now_ms);
    case STEP_ELAPSE:
        return step_elapse(p, th, st, now_ms);
    case STEP_REPEAT:
        return step_repeat(p, th, st, now_ms);
    case STEP_WHEN:
        return step_when(p, th, st, now_ms);
    case STEP_TOGETHER:
        fork_children(p, th, st);
        return WENT_ON;
    case STEP_IN_ORDER:
        th->stack[th->depth - 1].at++;
        return push_frame(p, th, st, 1, now_ms) ? WENT_ON : WENT_OVER;
    case STEP_DO:
    case STEP_PUSH:
    case STEP_ON:
    case STEP_OFF:
    case STEP_ACT:
    case STEP_CERTIFICATE:
        return play_client_step(p, th, st, now_ms);
    case STEP_LOGIN:
    case STEP_CREATE:
    case STEP_KEEP_POLLING:
    case STEP_DRAIN:
    case STEP_REQUEST:
    case STEP_RESEND:
    case STEP_ABORT:
        return play_server_step(p, th, st, now_ms);
    }
    return WENT_OVER;
}

static bool is_block(const struct step *st)
{
    return st->kind == STEP_REPEAT || st->kind == STEP_WHEN ||
           st->kind == STEP_TOGETHER || st->kind == STEP_IN_ORDER;
}

static void forget_step(struct thread *th)
{
    if (th->extra_free)
        th->extra_free(th->extra);
    th->extra = NULL;
    th->extra_free = NULL;
    th->begun = false;
    th->waits = false;
    th->answered = false;
    th->phase = 0;
    th->x = 0;
    th->deadline_ms = CLOCK_NEVER;
}

/* The block at the top is through: another round, or out of it. False when
 * the thread has nothing left. */
static bool next_round(struct play *p, struct thread *th, int64_t now_ms)
{
    struct frame *f = &th->stack[th->depth - 1];

    if (++f->round < f->times) {
        f->at = 0;
        if (f->index) {
            char *number = mem_printf("%u", f->round + 1);

            emit_let(p, now_ms, f->index, "number", number);
            free(number);
        }
        return true;
    }
    return --th->depth > 0;
}

static void remove_thread(struct play *p, struct thread *th)
{
    struct thread **at = &p->threads;

    while (*at != th)
        at = &(*at)->next;
    *at = th->next;
    if (th->parent)
        th->parent->children--;
    thread_free(th);
}

/* Carry a thread on as far as it goes. Returns true when something moved;
 * *gone when the thread has ended and is freed. */
static bool thread_go(struct play *p, struct thread *th, int64_t now_ms,
                      bool *gone)
{
    bool moved = false;

    *gone = false;
    while (!p->over && !th->children) {
        struct frame *f = &th->stack[th->depth - 1];
        const struct step *st;

        if (f->at >= f->count) {
            moved = true;
            if (!next_round(p, th, now_ms)) {
                remove_thread(p, th);
                *gone = true;
                return true;
            }
            continue;
        }
        st = &f->steps[f->at];
        switch (try_step(p, th, st, now_ms)) {
        case WENT_WAIT:
            if (!th->waits)
                play_trace_step(p, now_ms, st, "waits");
            th->waits = true;
            return moved;
        case WENT_OVER:
            return true;
        case WENT_ON:
            break;
        }
        moved = true;
        play_trace_step(p, now_ms, st, "done");
        forget_step(th);
        if (!is_block(st))
            f->at++;
    }
    return moved;
}

/* All steps are through. A rule that was never needed means that the play was
 * not the one the case wanted. */
static void end_well(struct play *p, int64_t now_ms)
{
    int line = 0;
    const char *rule = p->client ? play_client_leftover(p, &line) : NULL;
    char *why;

    if (!rule) {
        play_end_at(p, now_ms, PLAY_DONE, NULL, 0);
        return;
    }
    why = mem_printf("the rule '%s' never matched a request", rule);
    play_end_at(p, now_ms, PLAY_ERROR, why, line);
    free(why);
}

void play_advance(struct play *p, int64_t now_ms)
{
    bool moved = true;

    if (p->advancing || !p->started || p->finished)
        return;
    p->advancing = true;
    while (moved && !p->over) {
        moved = false;
        for (struct thread *th = p->threads, *next; th && !p->over; th = next) {
            bool gone;

            next = th->next; /* forked threads are appended: seen next time */
            moved |= thread_go(p, th, now_ms, &gone);
        }
        if (!p->threads)
            end_well(p, now_ms);
    }
    p->advancing = false;
}

int64_t play_steps_deadline(const struct play *p)
{
    int64_t first = CLOCK_NEVER;

    for (const struct thread *th = p->threads; th; th = th->next) {
        if (!th->children && th->deadline_ms < first)
            first = th->deadline_ms;
    }
    return first;
}
