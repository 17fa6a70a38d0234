/*
 * The stage on sockets, client role, where the client under test is only told
 * where to go: a program gets it in its environment, a person on the terminal.
 *
 * Nothing is said back. A connect is through when a connection comes, and
 * what else there is to know is on the wire.
 */
#include "stage_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

#define QUIT_MS 2000
/* The play's own limit for a verb is there for drivers that fall silent. */
#define SPARE_MS 10000

static bool by_hand(const struct stage_sockets *st)
{
    return st->world->driver == DRIVER_MANUAL;
}

/* It is over before it began. A person who is asked twice may be tired. */
static void never_connected(struct stage_sockets *st, int64_t now_ms, char *why)
{
    st->no_driver = true; /* these words are better than any other */
    play_abort(st->play, now_ms,
               by_hand(st) && st->conns > 0 ? PLAY_NA : PLAY_ERROR, why);
    free(why);
}

/* ------------------------------------------------------------- programs */

/* Its end is a fact of the case, unless we or the case wished for it. */
static void on_ended(void *ctx, const char *how)
{
    struct stage_told *t = ctx;
    struct stage_sockets *st = t->stage;
    char *text = mem_printf("the program %s", how);
    struct said said = {.client = t->client, .kind = "error", .text = text};

    st->clients[t->client].active = false;
    free(t->how);
    t->how = mem_dup(how);
    if (!t->unwanted && !t->verb &&
        (st->phase == STAGE_PLAYING || st->phase == STAGE_SETTLING))
        play_said(st->play, stage_now(st), &said);
    free(text);
    stage_turn(st);
}

static void on_gone(void *ctx)
{
    stage_closed(((struct stage_told *)ctx)->stage);
}

static const char *arg(const struct verb *v, const char *name)
{
    size_t i;

    for (i = 0; i < v->arg_count; i++)
        if (strcmp(v->args[i].name, name) == 0)
            return v->args[i].value;
    return NULL;
}

static char *output_path(const struct stage_sockets *st)
{
    return mem_printf("%s/cases/%s.out", st->world->dir, st->tc->id);
}

static int start_program(struct stage_sockets *st, struct stage_told *t,
                         const struct verb *v, struct err *e)
{
    const struct stage_world *w = st->world;
    struct program_sink sink = {t, on_ended, on_gone};
    char *output = output_path(st);
    struct program_options o = {
        .argv = w->argv,
        .env = {{"BOSHSPEC_URL", arg(v, "url")},
                {"BOSHSPEC_JID", arg(v, "jid")},
                {"BOSHSPEC_PASSWORD", arg(v, "password")},
                {"BOSHSPEC_CA", arg(v, "ca")},
                {"BOSHSPEC_WAIT", arg(v, "wait")},
                {"BOSHSPEC_HOLD", arg(v, "hold")},
                {"BOSHSPEC_CASE", st->tc->id}},
        .output_path = output,
        .quit_ms = QUIT_MS,
        .watch = w->watch,
    };

    st->handles++; /* on_gone() comes in any case */
    t->unwanted = false;
    t->program = program_start(w->loop, &o, &sink, e);
    st->clients[t->client].active = t->program != NULL;
    free(output);
    return t->program ? 0 : -1;
}

static void forget_program(struct stage_sockets *st, struct stage_told *t)
{
    t->unwanted = true;
    program_free(t->program);
    t->program = NULL;
    st->clients[t->client].active = false;
}

/* ------------------------------------------------------------- a person */

static void tell_person(const struct stage_sockets *st, const struct verb *v)
{
    const char *password = arg(v, "password");

    fprintf(stderr, "\n%s: %s\n  URL       %s\n  JID       %s\n", st->tc->id,
            st->tc->title, arg(v, "url"), arg(v, "jid"));
    if (password)
        fprintf(stderr, "  password  %s\n", password);
    fprintf(stderr, "Please log in there within %d s%s.\n",
            st->world->patience_ms / 1000,
            st->keys_open ? " (Enter: skip this case)" : "");
}

static void on_key(uv_poll_t *keys, int status, int events)
{
    struct stage_sockets *st = keys->data;
    char typed[256];
    ssize_t n = status == 0 ? read(STDIN_FILENO, typed, sizeof typed) : 0;

    (void)events;
    if (n <= 0) {
        uv_poll_stop(keys);
        return;
    }
    if (st->phase == STAGE_PLAYING)
        play_abort(st->play, stage_now(st), PLAY_NA, "skipped by hand");
    stage_turn(st);
}

/* Only a terminal that is ours: reading another's would stop us. */
static void watch_keys(struct stage_sockets *st)
{
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
        uv_poll_init(st->world->loop, &st->keys, STDIN_FILENO) < 0)
        return;
    st->keys.data = st;
    st->keys_open = true;
    st->handles++;
    uv_poll_start(&st->keys, UV_READABLE, on_key);
}

static void keys_closed(uv_handle_t *handle)
{
    stage_closed(handle->data);
}

/* ------------------------------------------------------------- verbs */

/* What a connect wants that can't be told, or NULL. */
static const char *too_much(const struct verb *v)
{
    static const char *const told[] = {"url",  "jid",  "password",
                                       "wait", "hold", "ca"};
    size_t i, k;

    for (i = 0; i < v->arg_count; i++) {
        for (k = 0; k < sizeof told / sizeof *told; k++)
            if (strcmp(v->args[i].name, told[k]) == 0)
                break;
        if (k == sizeof told / sizeof *told)
            return v->args[i].name;
    }
    return v->option_count > 0 ? v->options[0].name : NULL;
}

/* What is wrong is found out when the result is due: nobody may be called
 * from inside a verb. */
static void log_in(struct stage_sockets *st, struct stage_told *t,
                   const struct verb *v)
{
    const char *more = too_much(v);
    struct err e = {""};

    t->conns_before = st->conns;
    t->patience_ms = stage_now(st) + st->world->patience_ms;
    free(t->na);
    t->na = NULL;
    free(t->how);
    t->how = NULL;
    if (more)
        t->na = mem_printf("a client that is only told where to go cannot be "
                           "told '%s'",
                           more);
    else if (by_hand(st))
        tell_person(st, v);
    else if (t->program && !program_over(t->program))
        t->na = mem_dup("the program still runs: it cannot be told to connect "
                        "again");
    else {
        forget_program(st, t);
        if (start_program(st, t, v, &e) < 0)
            t->how = mem_dup(e.text);
    }
}

static void log_out(struct stage_sockets *st, struct stage_told *t)
{
    t->unwanted = true;
    if (by_hand(st))
        fprintf(stderr, "Please log out now.\n");
    else if (t->program)
        program_stop(t->program);
}

bool stage_told_knows(const char *verb)
{
    static const char *const verbs[] = {"connect", "disconnect",
                                        "restart-process"};
    size_t i;

    for (i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    return false;
}

void stage_told_verb(struct stage_sockets *st, const struct verb *v)
{
    struct stage_told *t = &st->told[v->client];

    free(t->verb);
    t->verb = mem_dup(v->name);
    if (strcmp(v->name, "connect") == 0)
        log_in(st, t, v);
    else if (strcmp(v->name, "disconnect") == 0)
        log_out(st, t);
    else if (strcmp(v->name, "restart-process") == 0 && by_hand(st))
        fprintf(stderr, "Please end the client, without logging out.\n");
    else if (strcmp(v->name, "restart-process") == 0)
        forget_program(st, t);
}

/* ------------------------------------------------------------- time */

static bool has_come(const struct stage_sockets *st, const struct stage_told *t)
{
    return st->conns > t->conns_before;
}

static bool is_due(const struct stage_sockets *st, const struct stage_told *t,
                   int64_t now_ms)
{
    return strcmp(t->verb, "connect") != 0 || t->na || t->how ||
           has_come(st, t) || now_ms >= t->patience_ms;
}

static char *why_not_connected(const struct stage_sockets *st,
                               const struct stage_told *t)
{
    if (t->how)
        return mem_printf("the client never connected: %s%s",
                          t->program ? "the program " : "", t->how);
    return mem_printf("the client never connected within %d s",
                      st->world->patience_ms / 1000);
}

static void give_result(struct stage_sockets *st, struct stage_told *t,
                        int64_t now_ms)
{
    char *verb = t->verb;
    bool known = stage_told_knows(verb);

    t->verb = NULL;
    if (t->na)
        play_abort(st->play, now_ms, PLAY_NA, t->na);
    else if (strcmp(verb, "connect") == 0 && !has_come(st, t))
        never_connected(st, now_ms, why_not_connected(st, t));
    else
        play_verb_result(st->play, now_ms, t->client, verb,
                         known ? "ok" : "unsupported", NULL);
    st->verb_refused = st->verb_refused || !known;
    free(verb);
}

void stage_told_tick(struct stage_sockets *st, int64_t now_ms)
{
    unsigned i;

    for (i = 0; i < st->client_count && st->phase == STAGE_PLAYING; i++)
        if (st->told[i].verb && is_due(st, &st->told[i], now_ms))
            give_result(st, &st->told[i], now_ms);
}

int64_t stage_told_deadline(const struct stage_sockets *st, int64_t now_ms)
{
    int64_t at = CLOCK_NEVER;
    unsigned i;

    for (i = 0; i < st->client_count && st->phase == STAGE_PLAYING; i++) {
        const struct stage_told *t = &st->told[i];

        if (t->verb && is_due(st, t, now_ms))
            at = now_ms;
        else if (t->verb && t->patience_ms < at)
            at = t->patience_ms;
    }
    return at;
}

/* ------------------------------------------------------------- start, end */

void stage_told_start(struct stage_sockets *st)
{
    char *output = output_path(st);
    unsigned i;

    unlink(output); /* of an earlier play */
    free(output);
    for (i = 0; i < st->client_count; i++) {
        st->told[i].stage = st;
        st->told[i].client = i;
    }
    st->setting.verb_ms = st->world->patience_ms + SPARE_MS;
    if (by_hand(st))
        watch_keys(st);
}

void stage_told_sign_off(struct stage_sockets *st)
{
    unsigned i;

    if (by_hand(st) && st->conns > 0)
        fprintf(stderr, "That is all; you may log out.\n");
    for (i = 0; i < st->client_count; i++) {
        st->told[i].unwanted = true;
        if (st->told[i].program)
            program_stop(st->told[i].program);
    }
}

void stage_told_close(struct stage_sockets *st)
{
    unsigned i;

    for (i = 0; i < st->client_count; i++)
        forget_program(st, &st->told[i]);
    if (st->keys_open)
        uv_close((uv_handle_t *)&st->keys, keys_closed);
    st->keys_open = false;
}

void stage_told_release(struct stage_sockets *st)
{
    unsigned i;

    for (i = 0; i < st->client_count; i++) {
        free(st->told[i].verb);
        free(st->told[i].na);
        free(st->told[i].how);
    }
}
