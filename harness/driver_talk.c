/* Driver processes, the messages: see driver.h and docs/drivers.md. */
#include "driver_parts.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/clock.h"

#define PROTOCOL 1

/* How often a process that plays is asked how late it is. */
#define PING_EVERY_MS 250
/* Answers this quick say nothing about lag. */
#define PING_QUICK_MS 15

/* ------------------------------------------------------------- asking */

static void ask(struct driver *d, enum ask_kind kind, json_t *message,
                const char *verb, struct driver_session *session)
{
    int64_t now_ms = driver_now(d);
    struct ask *a = mem_alloc(sizeof *a);
    struct buf line = BUF_INIT;
    char *text;

    a->kind = kind;
    a->id = ++d->next_id;
    a->verb = mem_dup(verb);
    a->session = session;
    a->sent_ms = now_ms;
    a->deadline_ms = now_ms + (kind <= ASK_PROBE ? d->hello_ms : d->verb_ms);
    *d->asks_end = a;
    d->asks_end = &a->next;

    json_object_set_new(message, "id", json_integer(a->id));
    json_object_set_new(message, "verb", json_string(verb));
    text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    if (!text) {
        driver_break(d, "verb '%s' cannot be said in JSON", verb);
        return;
    }
    buf_adds(&line, text);
    buf_addc(&line, '\n');
    free(text);
    size_t len = line.len;

    driver_write(d, buf_take(&line), len);
    driver_arm(d);
}

static void free_ask(struct ask *a)
{
    free(a->verb);
    free(a);
}

static struct ask *take_ask(struct driver *d, long long id)
{
    struct ask **at = &d->asks;

    for (; *at; at = &(*at)->next) {
        struct ask *a = *at;

        if (a->id != id)
            continue;
        *at = a->next;
        if (!a->next)
            d->asks_end = at;
        return a;
    }
    return NULL;
}

void talk_hello(struct driver *d)
{
    json_t *m = json_object();

    json_object_set_new(m, "protocol", json_integer(PROTOCOL));
    ask(d, ASK_HELLO, m, "hello", NULL);
}

static void talk_probe(struct driver *d)
{
    json_t *m = json_object();

    snprintf(d->probe, sizeof d->probe, "x-%04x", d->salt & 0xffff);
    json_object_set_new(m, "session", json_integer(0));
    ask(d, ASK_PROBE, m, d->probe, NULL);
}

void talk_quit(struct driver *d)
{
    ask(d, ASK_QUIT, json_object(), "quit", NULL);
}

/* Numbers are numbers in JSON; rids are not, few languages hold them. */
static json_t *argument(const char *name, const char *value)
{
    static const char *const numbers[] = {"wait", "hold", "seconds", "stream"};
    char *end;
    size_t i;

    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        long n;

        if (strcmp(name, numbers[i]) != 0)
            continue;
        n = strtol(value, &end, 10);
        if (*value && !*end)
            return json_integer(n);
    }
    return json_string(value);
}

void driver_session_verb(struct driver_session *s, const struct verb *verb,
                         const char *state)
{
    struct driver *d = s->driver;
    json_t *m = json_object();
    json_t *options;
    size_t i;

    if (d->why) {
        json_decref(m);
        return; /* lost() is on its way */
    }
    json_object_set_new(m, "session", json_integer(s->number));
    for (i = 0; i < verb->arg_count; i++)
        json_object_set_new(m, verb->args[i].name,
                            argument(verb->args[i].name, verb->args[i].value));
    if (verb->option_count > 0) {
        options = json_object();
        for (i = 0; i < verb->option_count; i++)
            json_object_set_new(options, verb->options[i].name,
                                json_string(verb->options[i].value));
        json_object_set_new(m, "options", options);
    }
    if (state)
        json_object_set_new(m, "state",
                            json_loads(state, JSON_DECODE_ANY, NULL));
    ask(d, ASK_VERB, m, verb->name, s);
}

/* ------------------------------------------------------------- sessions */

struct driver_session *
driver_session_open(struct driver *d, const struct driver_session_sink *sink,
                    unsigned client)
{
    struct driver_session *s;

    if (!d->ready || d->why)
        return NULL;
    s = mem_alloc(sizeof *s);
    s->driver = d;
    s->sink = *sink;
    s->client = client;
    s->number = ++d->next_session;
    s->next = d->sessions;
    d->sessions = s;
    d->session_count++;
    if (!d->pinging)
        d->pinged_ms = driver_now(d);
    driver_arm(d);
    return s;
}

void driver_session_own_up(struct driver_session *s)
{
    int64_t now_ms;
    const struct ask *a;

    if (!s || !s->sink.late)
        return;
    now_ms = driver_now(s->driver);
    for (a = s->driver->asks; a; a = a->next) {
        if (a->kind == ASK_PING && now_ms - a->sent_ms >= PING_QUICK_MS)
            s->sink.late(s->sink.ctx, now_ms, now_ms - a->sent_ms);
    }
}

void driver_session_close(struct driver_session *s)
{
    struct driver_session **at;
    struct ask *a;

    if (!s)
        return;
    for (at = &s->driver->sessions; *at && *at != s; at = &(*at)->next)
        ;
    if (*at)
        *at = s->next;
    for (a = s->driver->asks; a; a = a->next)
        if (a->session == s)
            a->session = NULL;
    s->driver->session_count--;
    free(s);
}

static struct driver_session *find_session(struct driver *d, json_int_t number)
{
    struct driver_session *s = d->sessions;

    while (s && (json_int_t)s->number != number)
        s = s->next;
    return s;
}

/* Has this number ever been given out? */
static bool was_session(const struct driver *d, json_int_t number)
{
    return number > 0 && number <= (json_int_t)d->next_session;
}

/* ------------------------------------------------------------- answers */

static char **string_list(const json_t *array)
{
    size_t n = json_array_size(array), i, used = 0;
    char **list = mem_alloc((n + 1) * sizeof *list);

    for (i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(array, i));

        if (s)
            list[used++] = mem_dup(s);
    }
    return list;
}

static void free_list(char **list)
{
    size_t i;

    for (i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static bool in_list(char *const *list, const char *word)
{
    size_t i;

    for (i = 0; list && list[i]; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

static void take_hello(struct driver *d, const json_t *m, const char *result)
{
    json_int_t protocol = json_integer_value(json_object_get(m, "protocol"));
    const char *name = json_string_value(json_object_get(m, "name"));
    const char *version = json_string_value(json_object_get(m, "version"));
    json_int_t sessions = json_integer_value(json_object_get(m, "sessions"));

    if (strcmp(result, "ok") != 0) {
        driver_break(d, "the driver refuses hello: '%s'", result);
    } else if (protocol != PROTOCOL) {
        driver_break(d, "the driver speaks protocol %lld, not %d",
                     (long long)protocol, PROTOCOL);
    } else if (!name || !json_is_array(json_object_get(m, "verbs"))) {
        driver_break(d, "driver broken: hello without 'name' or 'verbs'");
    } else {
        d->hello.name = mem_dup(name);
        d->hello.version = mem_dup(version ? version : "");
        d->hello.verbs = string_list(json_object_get(m, "verbs"));
        d->hello.events = string_list(json_object_get(m, "events"));
        d->hello.options = string_list(json_object_get(m, "options"));
        d->hello.sessions = sessions > 0 ? (unsigned)sessions : 0;
        if (in_list(d->hello.verbs, "connect"))
            talk_probe(d);
        else
            driver_break(d, "driver broken: hello without the verb 'connect'");
    }
}

static void take_pong(struct driver *d, const struct ask *a)
{
    int64_t now_ms = driver_now(d);
    int64_t late_ms = now_ms - a->sent_ms;
    struct driver_session *s, *next;

    d->pinging = false;
    d->pinged_ms = now_ms;
    if (late_ms < PING_QUICK_MS)
        return;
    for (s = d->sessions; s; s = next) {
        next = s->next;
        if (s->sink.late)
            s->sink.late(s->sink.ctx, now_ms, late_ms);
    }
}

static void take_verb(struct driver *d, const struct ask *a, const json_t *m,
                      const char *result)
{
    const char *reason = json_string_value(json_object_get(m, "reason"));
    const json_t *state = json_object_get(m, "state");
    char *text =
        state ? json_dumps(state, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    if (a->session)
        a->session->sink.result(a->session->sink.ctx, driver_now(d),
                                a->session->client, a->verb, result, reason,
                                text);
    free(text);
}

static void take_answer(struct driver *d, const json_t *m)
{
    json_int_t id = json_integer_value(json_object_get(m, "id"));
    const char *result = json_string_value(json_object_get(m, "result"));
    struct ask *a = take_ask(d, id);

    if (!a) {
        driver_break(d,
                     "driver broken: an answer to id %lld, which was not "
                     "asked",
                     (long long)id);
        return;
    }
    if (!result ||
        (strcmp(result, "ok") != 0 && strcmp(result, "unsupported") != 0 &&
         strcmp(result, "error") != 0)) {
        driver_break(d, "driver broken: '%s' answered with '%s'", a->verb,
                     result ? result : "no result");
        free_ask(a);
        return;
    }
    switch (a->kind) {
    case ASK_HELLO:
        take_hello(d, m, result);
        break;
    case ASK_PROBE:
        if (strcmp(result, "unsupported") != 0) {
            driver_break(d,
                         "driver broken: it answers '%s' to a verb that "
                         "does not exist",
                         result);
        } else {
            d->ready = true;
            d->sink.ready(d->sink.ctx);
        }
        break;
    case ASK_VERB:
        take_verb(d, a, m, result);
        break;
    case ASK_PING:
        take_pong(d, a);
        break;
    case ASK_QUIT:
        break;
    }
    free_ask(a);
}

/* ------------------------------------------------------------- events */

/* Fill in what kind of event it is. Returns the field that is missing, or
 * NULL. */
static const char *read_event(const json_t *m, struct said *said)
{
    said->condition = json_string_value(json_object_get(m, "condition"));
    if (strcmp(said->kind, "status") == 0) {
        said->value = json_string_value(json_object_get(m, "status"));
        return said->value ? NULL : "status";
    }
    if (strcmp(said->kind, "stanza") == 0) {
        said->text = json_string_value(json_object_get(m, "xml"));
        return said->text ? NULL : "xml";
    }
    said->text = json_string_value(json_object_get(m, "reason"));
    return said->text ? NULL : "reason";
}

static void take_event(struct driver *d, const json_t *m, const char *event)
{
    json_t *number = json_object_get(m, "session");
    struct driver_session *s;
    struct said said = {0};
    const char *missing;

    said.kind = event;
    if (strcmp(event, "status") != 0 && strcmp(event, "stanza") != 0 &&
        strcmp(event, "error") != 0) {
        driver_break(d, "driver broken: unknown event '%s'", event);
        return;
    }
    missing = json_is_integer(number) ? read_event(m, &said) : "session";
    if (missing) {
        driver_break(d, "driver broken: event '%s' without '%s'", event,
                     missing);
        return;
    }
    s = find_session(d, json_integer_value(number));
    if (!s && !was_session(d, json_integer_value(number))) {
        driver_break(d,
                     "driver broken: event '%s' of session %lld, which there "
                     "never was",
                     event, (long long)json_integer_value(number));
        return;
    }
    if (!s)
        return; /* closed: its last words */
    said.client = s->client;
    said.stream = (unsigned)json_integer_value(json_object_get(m, "stream"));
    s->sink.said(s->sink.ctx, driver_now(d), &said);
}

/* What a person needs to recognise the line. */
static void garbage(struct driver *d, const char *line, size_t len,
                    const char *what)
{
    char shown[61];
    size_t i, n = len < sizeof shown - 1 ? len : sizeof shown - 1;

    for (i = 0; i < n; i++)
        shown[i] = line[i] >= 0x20 && line[i] < 0x7f ? line[i] : '?';
    shown[n] = '\0';
    driver_break(d, "driver broken: line %u of its stdout is %s: '%s%s'",
                 d->line_count, what, shown, n < len ? "..." : "");
}

void talk_line(struct driver *d, const char *line, size_t len)
{
    json_t *m = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *event;

    if (!m || !json_is_object(m)) {
        garbage(d, line, len, m ? "no object" : "no JSON");
        json_decref(m);
        return;
    }
    event = json_string_value(json_object_get(m, "event"));
    if (event)
        take_event(d, m, event);
    else if (json_is_integer(json_object_get(m, "id")))
        take_answer(d, m);
    else
        garbage(d, line, len, "neither answer nor event");
    json_decref(m);
}

/* ------------------------------------------------------------- time */

void talk_tick(struct driver *d, int64_t now_ms)
{
    const struct ask *a;

    for (a = d->asks; a; a = a->next)
        if (now_ms >= a->deadline_ms) {
            driver_break(d, "the driver did not answer '%s' within %lld s",
                         a->verb,
                         (long long)((a->deadline_ms - a->sent_ms) / 1000));
            return;
        }
    if (d->ready && d->sessions && !d->pinging && d->ending == RUNNING &&
        now_ms - d->pinged_ms >= PING_EVERY_MS) {
        d->pinging = true;
        ask(d, ASK_PING, json_object(), "ping", NULL);
    }
}

int64_t talk_deadline(const struct driver *d)
{
    int64_t at = CLOCK_NEVER;
    const struct ask *a;

    for (a = d->asks; a; a = a->next)
        if (a->deadline_ms < at)
            at = a->deadline_ms;
    if (d->ready && d->sessions && !d->pinging && d->ending == RUNNING &&
        d->pinged_ms + PING_EVERY_MS < at)
        at = d->pinged_ms + PING_EVERY_MS;
    return at;
}

void talk_release(struct driver *d)
{
    while (d->asks) {
        struct ask *a = d->asks;

        d->asks = a->next;
        free_ask(a);
    }
    free(d->hello.name);
    free(d->hello.version);
    free_list(d->hello.verbs);
    free_list(d->hello.events);
    free_list(d->hello.options);
}

const struct driver_hello *driver_hello(const struct driver *d)
{
    return d->ready ? &d->hello : NULL;
}

bool driver_knows_verb(const struct driver *d, const char *verb)
{
    return d->ready && in_list(d->hello.verbs, verb);
}

bool driver_knows_event(const struct driver *d, const char *kind)
{
    return d->ready && in_list(d->hello.events, kind);
}

bool driver_knows_option(const struct driver *d, const char *option)
{
    return d->ready && in_list(d->hello.options, option);
}
