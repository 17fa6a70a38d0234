/* The result document as JSON, and back: see result.h. */
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/buf.h"

/* ------------------------------------------------------------- to JSON */

/* A peer's bytes may stand in it: what is not UTF-8 is shown, not lost. */
static json_t *text(const char *s)
{
    struct buf shown = BUF_INIT;
    json_t *value;

    if (!s)
        return json_null();
    value = json_string(s);
    if (value)
        return value;
    for (; *s; s++)
        if ((unsigned char)*s < 0x80)
            buf_addc(&shown, *s);
        else
            buf_printf(&shown, "\\x%02x", (unsigned char)*s);
    value = json_string(buf_str(&shown));
    buf_release(&shown);
    return value;
}

static void put(json_t *o, const char *name, const char *value)
{
    json_object_set_new(o, name, text(value));
}

static void put_int(json_t *o, const char *name, int64_t value)
{
    json_object_set_new(o, name, json_integer(value));
}

static void put_bool(json_t *o, const char *name, bool value)
{
    json_object_set_new(o, name, json_boolean(value));
}

static json_t *assert_json(const struct result_assert *a)
{
    json_t *o = json_object(), *list = json_array();
    size_t i;

    put(o, "id", a->id);
    put(o, "requirement", a->requirement);
    put(o, "verdict", a->verdict);
    put(o, "says", a->says);
    put(o, "expected", a->expected);
    put(o, "got", a->got);
    put(o, "reason", a->reason);
    if (a->baseline)
        put(o, "baseline", a->baseline);
    for (i = 0; i < a->exchange_count; i++) {
        json_t *x = json_object();

        put_int(x, "n", a->exchanges[i].n);
        put_int(x, "t_ms", a->exchanges[i].t_ms);
        put(x, "kind", a->exchanges[i].kind);
        put(x, "rid", a->exchanges[i].rid);
        put(x, "first_line", a->exchanges[i].first_line);
        put(x, "answer", a->exchanges[i].answer);
        json_array_append_new(list, x);
    }
    json_object_set_new(o, "exchanges", list);
    put_int(o, "line", a->line);
    return o;
}

static json_t *rounds_json(const struct result_case *c)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < c->round_count; i++) {
        json_t *o = json_object();

        put(o, "verdict", c->rounds[i].verdict);
        put(o, "reason", c->rounds[i].reason);
        put_int(o, "duration_ms", c->rounds[i].duration_ms);
        put(o, "log", c->rounds[i].log);
        json_array_append_new(list, o);
    }
    return list;
}

void result_case_seal(struct result_case *c)
{
    json_t *o, *list;
    size_t i;

    if (c->json)
        return;
    o = json_object();
    put(o, "id", c->id);
    put(o, "title", c->title);
    put(o, "verdict", c->verdict);
    put(o, "reason", c->reason);
    put_int(o, "rev", c->rev);
    list = json_array();
    for (i = 0; i < c->requirement_count; i++)
        json_array_append_new(list, text(c->requirements[i]));
    json_object_set_new(o, "requirements", list);
    list = json_array();
    for (i = 0; i < c->assert_count; i++)
        json_array_append_new(list, assert_json(&c->asserts[i]));
    json_object_set_new(o, "asserts", list);
    put_int(o, "duration_ms", c->duration_ms);
    put(o, "log", c->log);
    put_bool(o, "lagged", c->lagged);
    put_bool(o, "silent", c->silent);
    put_int(o, "attempts", c->attempts);
    if (c->round_count > 0)
        json_object_set_new(o, "rounds", rounds_json(c));
    c->json = json_dumps(o, JSON_COMPACT);
    json_decref(o);
}

static json_t *peer_json(const struct result *r)
{
    json_t *o = json_object();

    put(o, "name", r->peer_name);
    put(o, "version", r->peer_version);
    if (r->peer_command)
        put(o, "command", r->peer_command);
    if (r->peer_url)
        put(o, "url", r->peer_url);
    return o;
}

static json_t *options_json(const struct result *r)
{
    json_t *o = json_object();

    put_int(o, "jobs", r->options.jobs);
    json_object_set_new(o, "timeout_factor",
                        json_real(r->options.timeout_factor));
    put_int(o, "seed", r->options.seed);
    put_int(o, "min", r->options.min);
    put_int(o, "repeat", r->options.repeat);
    if (r->options.shards > 0) {
        put_int(o, "shard", r->options.shard);
        put_int(o, "shards", r->options.shards);
    }
    put_bool(o, "strict", r->options.strict);
    put_bool(o, "fail_fast", r->options.fail_fast);
    return o;
}

static json_t *summary_json(const struct result *r)
{
    json_t *o = json_object();
    int i;

    for (i = 0; i < COUNT_KINDS; i++)
        put_int(o, result_count_name((enum result_count)i),
                (int64_t)result_count(r, (enum result_count)i));
    put_int(o, "total", (int64_t)r->case_count);
    put_int(o, "judged", (int64_t)result_judged(r));
    return o;
}

static json_t *requirements_json(const struct result *r)
{
    json_t *o = json_object();
    size_t i;

    for (i = 0; i < r->requirement_count; i++) {
        const struct result_requirement *q = &r->requirements[i];
        json_t *row = json_object();

        put(row, "section", q->section);
        put(row, "level", q->level);
        put(row, "text", q->text);
        json_object_set_new(o, q->id, row);
    }
    return o;
}

static json_t *head_json(const struct result *r)
{
    json_t *o = json_object();

    put_int(o, "format", RESULT_FORMAT);
    put(o, "boshspec", r->version);
    put(o, "suite", r->suite_hash);
    put(o, "started", r->started);
    put(o, "role", r->role);
    json_object_set_new(o, "peer", peer_json(r));
    json_object_set_new(o, "options", options_json(r));
    put_int(o, "selected", (int64_t)r->selected);
    put_bool(o, "finished", r->finished);
    put_bool(o, "interrupted", r->interrupted);
    json_object_set_new(o, "summary", summary_json(r));
    put_int(o, "wall_ms", r->wall_ms);
    put_int(o, "slowest_ms", r->slowest_ms);
    put(o, "slowest", r->slowest);
    json_object_set_new(o, "requirements", requirements_json(r));
    return o;
}

char *result_json(const struct result *r)
{
    json_t *head = head_json(r);
    char *start = json_dumps(head, JSON_COMPACT);
    struct buf out = BUF_INIT;
    size_t i;

    json_decref(head);
    buf_add(&out, start, strlen(start) - 1); /* without its last brace */
    free(start);
    buf_adds(&out, ",\n\"cases\":[");
    for (i = 0; i < r->case_count; i++) {
        buf_adds(&out, i ? ",\n" : "\n");
        buf_adds(&out, r->cases[i].json);
    }
    buf_adds(&out, "\n]}\n");
    return buf_take(&out);
}

static int write_file(const char *path, const char *data, struct err *e)
{
    FILE *f = fopen(path, "we");
    bool good;

    if (!f)
        return err_set(e, "%s: %s", path, strerror(errno));
    good = fputs(data, f) >= 0;
    if (fclose(f) != 0 || !good)
        return err_set(e, "%s: %s", path, strerror(errno));
    return 0;
}

int result_save(const struct result *r, const char *path, struct err *e)
{
    char *partial = mem_printf("%s.tmp", path);
    char *data = result_json(r);
    int rc = write_file(partial, data, e);

    if (rc == 0 && rename(partial, path) < 0)
        rc = err_set(e, "%s: %s", path, strerror(errno));
    if (rc < 0)
        unlink(partial);
    free(partial);
    free(data);
    return rc;
}

/* ------------------------------------------------------------- from JSON */

static char *get(const json_t *o, const char *name)
{
    return mem_dup(json_string_value(json_object_get(o, name)));
}

static int64_t get_int(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

static bool get_bool(const json_t *o, const char *name)
{
    return json_is_true(json_object_get(o, name));
}

static void load_assert(const json_t *o, struct result_assert *a)
{
    const json_t *list = json_object_get(o, "exchanges");
    size_t i;

    a->id = get(o, "id");
    a->requirement = get(o, "requirement");
    a->verdict = get(o, "verdict");
    a->says = get(o, "says");
    a->expected = get(o, "expected");
    a->got = get(o, "got");
    a->reason = get(o, "reason");
    a->baseline = get(o, "baseline");
    a->line = (int)get_int(o, "line");
    for (i = 0; i < json_array_size(list); i++) {
        const json_t *from = json_array_get(list, i);
        struct result_exchange *x = result_assert_exchange(a);

        x->n = (unsigned)get_int(from, "n");
        x->t_ms = get_int(from, "t_ms");
        x->kind = get(from, "kind");
        x->rid = get(from, "rid");
        x->first_line = get(from, "first_line");
        x->answer = get(from, "answer");
    }
}

static void load_rounds(const json_t *list, struct result_case *c)
{
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        const json_t *from = json_array_get(list, i);
        struct result_round *round = result_case_round(c);

        round->verdict = get(from, "verdict");
        round->reason = get(from, "reason");
        round->duration_ms = get_int(from, "duration_ms");
        round->log = get(from, "log");
    }
}

static void load_case(const json_t *o, struct result_case *c)
{
    const json_t *list = json_object_get(o, "requirements");
    size_t i, n = json_array_size(list);

    c->id = get(o, "id");
    c->title = get(o, "title");
    c->verdict = get(o, "verdict");
    c->reason = get(o, "reason");
    c->rev = (unsigned)get_int(o, "rev");
    c->requirements = mem_alloc((n + 1) * sizeof(char *));
    for (i = 0; i < n; i++) {
        const char *id = json_string_value(json_array_get(list, i));

        if (id)
            c->requirements[c->requirement_count++] = mem_dup(id);
    }
    list = json_object_get(o, "asserts");
    for (i = 0; i < json_array_size(list); i++)
        load_assert(json_array_get(list, i), result_case_assert(c));
    c->duration_ms = get_int(o, "duration_ms");
    c->log = get(o, "log");
    c->lagged = get_bool(o, "lagged");
    c->silent = get_bool(o, "silent");
    c->attempts = (unsigned)get_int(o, "attempts");
    load_rounds(json_object_get(o, "rounds"), c);
}

#define MAX_SHARDS 1000

/* What makes no sense is no shard: the numbers are used as sizes. */
static void load_shard(const json_t *options, struct result *r)
{
    int64_t shard = get_int(options, "shard"), of = get_int(options, "shards");

    if (of < 1 || of > RESULT_MAX_SHARDS || shard < 1 || shard > of)
        return;
    r->options.shard = shard;
    r->options.shards = of;
}

static void load_head(const json_t *o, struct result *r)
{
    const json_t *peer = json_object_get(o, "peer");
    const json_t *options = json_object_get(o, "options");
    json_t *rows = json_object_get(o, "requirements"), *row;
    const char *id;

    r->version = get(o, "boshspec");
    r->suite_hash = get(o, "suite");
    r->started = get(o, "started");
    r->role = get(o, "role");
    r->peer_name = get(peer, "name");
    r->peer_version = get(peer, "version");
    r->peer_command = get(peer, "command");
    r->peer_url = get(peer, "url");
    r->options.jobs = get_int(options, "jobs");
    r->options.timeout_factor =
        json_number_value(json_object_get(options, "timeout_factor"));
    r->options.seed = get_int(options, "seed");
    r->options.min = get_int(options, "min");
    r->options.repeat = get_int(options, "repeat");
    load_shard(options, r);
    r->options.strict = get_bool(options, "strict");
    r->options.fail_fast = get_bool(options, "fail_fast");
    r->selected = (size_t)get_int(o, "selected");
    r->finished = get_bool(o, "finished");
    r->interrupted = get_bool(o, "interrupted");
    r->wall_ms = get_int(o, "wall_ms");
    r->slowest_ms = get_int(o, "slowest_ms");
    r->slowest = get(o, "slowest");
    json_object_foreach(rows, id, row)
    {
        char *section = get(row, "section"), *level = get(row, "level");
        char *words = get(row, "text");

        result_add_requirement(r, id, section, level, words);
        free(section);
        free(level);
        free(words);
    }
}

static int load_cases(const json_t *o, struct result *r, const char *path,
                      struct err *e)
{
    const json_t *list = json_object_get(o, "cases");
    size_t i;

    if (!json_is_array(list))
        return err_set(e, "%s: no result of boshspec: it has no 'cases'", path);
    for (i = 0; i < json_array_size(list); i++) {
        struct result_case c = {0};

        load_case(json_array_get(list, i), &c);
        if (!c.id || !c.verdict || result_count_of(c.verdict) == COUNT_KINDS) {
            result_case_release(&c);
            return err_set(e,
                           "%s: case %zu has no 'id', or no verdict that "
                           "is known",
                           path, i + 1);
        }
        result_add(r, &c);
    }
    return 0;
}

int result_load(const char *path, struct result *r, struct err *e)
{
    json_error_t je;
    json_t *o = json_load_file(path, 0, &je);
    int rc;

    result_init(r);
    if (!o && access(path, R_OK) < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    if (!o)
        return err_set_at(e, path, je.line > 0 ? je.line : 0, "%s", je.text);
    if (get_int(o, "format") != RESULT_FORMAT)
        rc = err_set(e, "%s: no result of boshspec in format %d", path,
                     RESULT_FORMAT);
    else
        rc = load_cases(o, r, path, e);
    if (rc == 0)
        load_head(o, r);
    else
        result_release(r);
    json_decref(o);
    return rc;
}
