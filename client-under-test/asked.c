/* Options of a session in the driver protocol: see asked.h. */
#include "asked.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

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

static int set_max_errors(struct asked *a, const char *value)
{
    double number = 0;

    if (read_double(&number, value))
        return -1;
    a->options.max_errors = (int)number;
    return 0;
}

static int set_back_off(struct asked *a, const char *value)
{
    bool yes = strcmp(value, "true") == 0;

    if (!yes && strcmp(value, "false") != 0)
        return -1;
    a->options.back_off = yes;
    return 0;
}

static int set_mechanisms(struct asked *a, const char *value)
{
    a->options.mechanisms = value;
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

/* "Name: value" lines. */
static int set_headers(struct asked *a, const char *value)
{
    size_t count = 0;
    char *rest;
    char *line;

    free(a->header_text);
    a->header_text = mem_dup(value);
    for (line = strtok_r(a->header_text, "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (count == ASKED_HEADERS_MAX || !strchr(line, ':'))
            return -1;
        a->headers[count++] = line;
    }
    a->headers[count] = NULL;
    a->options.headers = a->headers;
    return 0;
}

static const struct option {
    const char *name;
    int (*set)(struct asked *a, const char *value);
} OPTIONS[] = {
    {"timeout", set_timeout},       {"secondary-timeout", set_secondary},
    {"max-errors", set_max_errors}, {"back-off", set_back_off},
    {"mechanisms", set_mechanisms}, {"lang", set_lang},
    {"content", set_content},       {"headers", set_headers},
};
#define OPTION_COUNT (sizeof OPTIONS / sizeof OPTIONS[0])

static int set_option(struct asked *a, const char *name, const json_t *value,
                      struct err *e)
{
    const char *text = json_string_value(value);

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(OPTIONS[i].name, name) != 0)
            continue;
        if (!text || OPTIONS[i].set(a, text))
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

int asked_read(struct asked *out, const json_t *line, struct err *e)
{
    json_t *options = json_object_get(line, "options");
    const char *name;
    json_t *value;

    memset(out, 0, sizeof *out);
    bosh_options_init(&out->options);
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
        if (set_option(out, name, value, e))
            return -1;
    }
    return 0;
}

void asked_release(struct asked *a)
{
    free(a->header_text);
    a->header_text = NULL;
}

json_t *asked_option_names(void)
{
    json_t *names = json_array();

    for (size_t i = 0; i < OPTION_COUNT; i++)
        json_array_append_new(names, json_string(OPTIONS[i].name));
    return names;
}
