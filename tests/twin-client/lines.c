/* JSON lines of the twin's driver program: see twin.h. */
#include "twin.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(list) (sizeof(list) / sizeof *(list))

static void take_argument(struct order *o, const char *name, json_t *value)
{
    struct verb *v = &o->verb;
    size_t n = v->arg_count;

    if (n >= LENGTH(v->args) || n >= LENGTH(o->numbers))
        return;
    if (json_is_integer(value)) {
        snprintf(o->numbers[n], sizeof o->numbers[n], "%lld",
                 (long long)json_integer_value(value));
        v->args[n].value = o->numbers[n];
    } else if (json_is_string(value)) {
        v->args[n].value = json_string_value(value);
    } else {
        return;
    }
    v->args[n].name = name;
    v->arg_count++;
}

static void take_options(struct order *o, json_t *options)
{
    struct verb *v = &o->verb;
    const char *name;
    json_t *value;

    json_object_foreach(options, name, value)
    {
        if (v->option_count >= LENGTH(v->options) || !json_is_string(value))
            continue;
        v->options[v->option_count].name = name;
        v->options[v->option_count++].value = json_string_value(value);
    }
}

int order_read(const char *line, struct order *out)
{
    const char *name;
    json_t *value;

    memset(out, 0, sizeof *out);
    out->json = json_loads(line, 0, NULL);
    out->name = json_string_value(json_object_get(out->json, "verb"));
    if (!out->name) {
        json_decref(out->json);
        return -1;
    }
    out->id = json_integer_value(json_object_get(out->json, "id"));
    out->session = json_integer_value(json_object_get(out->json, "session"));
    out->verb.name = out->name;
    json_object_foreach(out->json, name, value)
    {
        if (strcmp(name, "options") == 0)
            take_options(out, value);
        else if (strcmp(name, "id") != 0 && strcmp(name, "session") != 0 &&
                 strcmp(name, "verb") != 0)
            take_argument(out, name, value);
    }
    return 0;
}

void order_release(struct order *o)
{
    json_decref(o->json);
}

/* Takes message. */
static void say(json_t *message)
{
    json_dumpf(message, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(message);
}

/* hello, ping and quit go without saying. */
static const char *const verbs[] = {
    "connect", "send",  "disconnect", "pause",        "resume",
    "flush",   "reset", "attach",     "save",         "restore",
    "ping",    "quit",  "add-stream", "close-stream",
};

bool verb_known(const char *name)
{
    for (size_t i = 0; i < LENGTH(verbs); i++)
        if (strcmp(verbs[i], name) == 0)
            return true;
    return false;
}

static json_t *list(const char *const *words, size_t count)
{
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, json_string(words[i]));
    return out;
}

void say_hello(json_int_t id, const char *name)
{
    static const char *const events[] = {"status", "stanza"};
    static const char *const options[] = {"keys", "ack", "compress"};

    say(json_pack("{s:I,s:s,s:i,s:s,s:s,s:o,s:o,s:o,s:i}", "id", id, "result",
                  "ok", "protocol", 1, "name", name, "version", "1", "verbs",
                  list(verbs, LENGTH(verbs)), "events",
                  list(events, LENGTH(events)), "options",
                  list(options, LENGTH(options)), "sessions", 0));
}

void say_result(json_int_t id, const char *result, const char *reason)
{
    json_t *m = json_pack("{s:I,s:s}", "id", id, "result", result);

    if (reason && *reason)
        json_object_set_new(m, "reason", json_string(reason));
    say(m);
}

void say_event(json_int_t session, const struct said *said)
{
    json_t *m = json_pack("{s:s,s:I}", "event", said->kind, "session", session);

    if (said->stream)
        json_object_set_new(m, "stream", json_integer(said->stream));
    if (said->value)
        json_object_set_new(m, "status", json_string(said->value));
    if (said->condition)
        json_object_set_new(m, "condition", json_string(said->condition));
    if (said->text)
        json_object_set_new(
            m, strcmp(said->kind, "stanza") == 0 ? "xml" : "reason",
            json_string(said->text));
    say(m);
}
