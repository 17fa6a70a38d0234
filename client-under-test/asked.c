/* Options of a session in the driver protocol: see asked.h. */
#include "asked.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "keys.h"

const char *asked_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

long long asked_number(const json_t *object, const char *key, long long missing)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    char *end;
    long long number;

    if (json_is_integer(value))
        return json_integer_value(value);
    if (!text || !*text)
        return missing;
    number = strtoll(text, &end, 10);
    return *end ? missing : number;
}

static int read_double(double *out, const char *value)
{
    char *end;
    double number = strtod(value, &end);

    if (!*value || *end || !(number >= 0 && number <= 1000))
        return -1;
    *out = number;
    return 0;
}

static int set_timeout(struct asked *a, const char *value)
{
    return read_double(&a->options.timeout, value);
}

static int set_secondary(struct asked *a, const char *value)
{
    return read_double(&a->options.secondary_timeout, value);
}

/* A whole number in a range. */
static int read_int(int *out, const char *value, long min, long max)
{
    char *end;
    long number = strtol(value, &end, 10);

    if (!*value || *end || number < min || number > max)
        return -1;
    *out = (int)number;
    return 0;
}

static int read_bool(bool *out, const char *value)
{
    bool yes = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;

    if (!yes && strcmp(value, "false") != 0 && strcmp(value, "no") != 0)
        return -1;
    *out = yes;
    return 0;
}

static int set_secondary_min(struct asked *a, const char *value)
{
    int ms;

    if (read_int(&ms, value, 0, 3600000))
        return -1;
    a->options.secondary_min_ms = ms;
    return 0;
}

static int set_disconnect(struct asked *a, const char *value)
{
    int ms;

    if (read_int(&ms, value, 0, 3600000))
        return -1;
    a->options.disconnect_ms = ms;
    return 0;
}

static int set_max_errors(struct asked *a, const char *value)
{
    return read_int(&a->options.max_errors, value, 0, 1000);
}

static int set_max_open(struct asked *a, const char *value)
{
    return read_int(&a->options.max_open, value, 1, 255);
}

static int set_wait(struct asked *a, const char *value)
{
    return read_int(&a->options.wait_s, value, 0, 65535);
}

static int set_hold(struct asked *a, const char *value)
{
    return read_int(&a->options.hold, value, 0, 255);
}

static int set_back_off(struct asked *a, const char *value)
{
    return read_bool(&a->options.back_off, value);
}

static int set_ack(struct asked *a, const char *value)
{
    return read_bool(&a->options.ack, value);
}

static int set_compress(struct asked *a, const char *value)
{
    return read_bool(&a->options.compress, value);
}

static int set_explicit_bind(struct asked *a, const char *value)
{
    return read_bool(&a->options.explicit_bind, value);
}

/* Whether, or how many in a sequence. */
static int set_keys(struct asked *a, const char *value)
{
    if (read_bool(&a->options.keys, value) == 0)
        return 0;
    a->options.keys = true;
    return read_int(&a->options.keys_count, value, KEYS_COUNT_MIN,
                    KEYS_COUNT_MAX);
}

static int set_route(struct asked *a, const char *value)
{
    a->options.route = *value ? value : NULL;
    return 0;
}

static int set_mechanisms(struct asked *a, const char *value)
{
    a->options.mechanisms = value;
    return 0;
}

static int set_token(struct asked *a, const char *value)
{
    a->options.token = *value ? value : NULL;
    return 0;
}

static int set_lang(struct asked *a, const char *value)
{
    a->options.lang = value;
    return 0;
}

static int set_content(struct asked *a, const char *value)
{
    a->options.content = *value ? value : NULL;
    return 0;
}

/* Lines, each with that sign in it. */
static int read_lines(struct asked_lines *out, const char *value, char sign)
{
    size_t count = 0;
    char *rest;
    char *line;

    free(out->text);
    out->text = mem_dup(value);
    for (line = strtok_r(out->text, "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (count == ASKED_LINES_MAX || !strchr(line, sign))
            return -1;
        out->line[count++] = line;
    }
    out->line[count] = NULL;
    return 0;
}

static int set_headers(struct asked *a, const char *value)
{
    a->options.headers = a->headers.line;
    return read_lines(&a->headers, value, ':');
}

static int set_cookies(struct asked *a, const char *value)
{
    a->options.cookies = a->cookies.line;
    return read_lines(&a->cookies, value, '=');
}

static int set_credentials(struct asked *a, const char *value)
{
    return read_bool(&a->options.with_credentials, value);
}

static int set_proxy(struct asked *a, const char *value)
{
    a->options.proxy = *value ? value : NULL;
    return 0;
}

static const struct option {
    const char *name;
    int (*set)(struct asked *a, const char *value);
} OPTIONS[] = {
    {"ack", set_ack},
    {"back-off", set_back_off},
    {"compress", set_compress},
    {"content", set_content},
    {"cookies", set_cookies},
    {"disconnect-ms", set_disconnect},
    {"explicit-bind", set_explicit_bind},
    {"headers", set_headers},
    {"hold", set_hold},
    {"keys", set_keys},
    {"lang", set_lang},
    {"max-errors", set_max_errors},
    {"max-open", set_max_open},
    {"mechanisms", set_mechanisms},
    {"proxy", set_proxy},
    {"route", set_route},
    {"secondary-min-ms", set_secondary_min},
    {"secondary-timeout", set_secondary},
    {"timeout", set_timeout},
    {"token", set_token},
    {"wait", set_wait},
    {"with-credentials", set_credentials},
};
#define OPTION_COUNT (sizeof OPTIONS / sizeof OPTIONS[0])

int asked_set(struct asked *a, const char *name, const char *value,
              struct err *e)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(OPTIONS[i].name, name) != 0)
            continue;
        if (!value || OPTIONS[i].set(a, value))
            return err_set(e, "option '%s' has a bad value", name);
        return 0;
    }
    return err_set(e, "there is no option '%s'", name);
}

/* A number in range; the default stays where there is none. */
static int read_range(const json_t *line, const char *key, int max, int *out,
                      struct err *e)
{
    long long number;

    if (!json_object_get(line, key))
        return 0;
    number = asked_number(line, key, -1);
    if (number < 0 || number > max)
        return err_set(e, "'%s' must be 0 to %d", key, max);
    *out = (int)number;
    return 0;
}

void asked_init(struct asked *a)
{
    memset(a, 0, sizeof *a);
    bosh_options_init(&a->options);
}

int asked_read(struct asked *out, const json_t *line, struct err *e)
{
    json_t *options = json_object_get(line, "options");
    const char *name;
    json_t *value;

    asked_init(out);
    out->options.url = asked_text(line, "url");
    out->options.ca_file = asked_text(line, "ca");
    out->options.route = asked_text(line, "route");
    if (!out->options.url)
        return err_set(e, "'url' is missing");
    if (read_range(line, "wait", 65535, &out->options.wait_s, e) ||
        read_range(line, "hold", 255, &out->options.hold, e))
        return -1;
    json_object_foreach(options, name, value)
    {
        if (asked_set(out, name, json_string_value(value), e))
            return -1;
    }
    return 0;
}

void asked_release(struct asked *a)
{
    free(a->headers.text);
    free(a->cookies.text);
    a->headers.text = a->cookies.text = NULL;
}

const char *asked_option_name(size_t i)
{
    return i < OPTION_COUNT ? OPTIONS[i].name : NULL;
}
