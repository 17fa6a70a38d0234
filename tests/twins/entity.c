/* A <body/> as text: see entity.h. */
#include "entity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

#define END_TAG "</body>"

/* Behind a declaration, where there is one. */
static const char *root_of(const char *text)
{
    const char *declaration = strstr(text, "<?xml ");
    const char *end = declaration ? strstr(declaration, "?>") : NULL;

    return end ? end + strlen("?>") : text;
}

/* The start tag's end: its '/' or '>'. */
static size_t tag_end(const struct buf *body)
{
    const char *text = buf_str(body);
    const char *end = strchr(root_of(text), '>');

    if (!end)
        return body->len;
    return (size_t)(end - text) - (end > text && end[-1] == '/');
}

/* Where " name='value'" stands. False when it is not there. Our cores write
 * single quotes, cases may write double ones. */
static bool find_attr(const struct buf *body, const char *name, size_t *from,
                      size_t *value, size_t *to)
{
    const char *text = buf_str(body);
    const char *end = text + tag_end(body);
    char *start = mem_printf(" %s=", name);
    const char *at = strstr(root_of(text), start);
    const char *quote;

    *value = strlen(start) + 1;
    free(start);
    if (!at || at >= end)
        return false;
    quote = strchr(at + *value, at[*value - 1]);
    if (!quote)
        return false;
    *from = (size_t)(at - text);
    *value += *from;
    *to = (size_t)(quote - text);
    return true;
}

char *entity_attr(const struct buf *body, const char *name)
{
    size_t from, value, to;

    if (!find_attr(body, name, &from, &value, &to))
        return NULL;
    return mem_dupn(buf_str(body) + value, to - value);
}

bool entity_has(const struct buf *body, const char *name, const char *value)
{
    char *is = entity_attr(body, name);
    bool same = is && strcmp(is, value) == 0;

    free(is);
    return same;
}

uint64_t entity_number(const struct buf *body, const char *name)
{
    char *text = entity_attr(body, name);
    uint64_t number = text ? strtoull(text, NULL, 10) : 0;

    free(text);
    return number;
}

/* Replace the bytes from one place to another. */
static void splice(struct buf *body, size_t from, size_t to, const char *text)
{
    struct buf out = BUF_INIT;

    buf_add(&out, buf_str(body), from);
    buf_adds(&out, text);
    buf_add(&out, buf_str(body) + to, body->len - to);
    buf_release(body);
    *body = out;
}

void entity_set(struct buf *body, const char *name, const char *value)
{
    size_t from, at, to;

    if (find_attr(body, name, &from, &at, &to)) {
        splice(body, value ? at : from, value ? to : to + 1,
               value ? value : "");
    } else if (value) {
        char *text = mem_printf(" %s='%s'", name, value);

        splice(body, tag_end(body), tag_end(body), text);
        free(text);
    }
}

void entity_set_number(struct buf *body, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    entity_set(body, name, text);
}

/* Where the payload begins and ends; false for <body/>. */
static bool find_payload(const struct buf *body, size_t *from, size_t *to)
{
    const char *text = buf_str(body);

    *from = tag_end(body);
    if (text[*from] != '>' || body->len < strlen(END_TAG))
        return false;
    ++*from;
    *to = body->len - strlen(END_TAG);
    return strcmp(text + *to, END_TAG) == 0 && *from < *to;
}

bool entity_has_payload(const struct buf *body)
{
    size_t from, to;

    return find_payload(body, &from, &to);
}

void entity_take_payload(struct buf *body, struct buf *out)
{
    size_t from, to;

    if (!find_payload(body, &from, &to))
        return;
    buf_add(out, buf_str(body) + from, to - from);
    splice(body, from - 1, body->len, "/>");
}

void entity_put_payload(struct buf *body, const struct buf *payload)
{
    size_t at = tag_end(body);

    if (!payload->len)
        return;
    if (strstr(buf_str(payload), "<stream:"))
        entity_set(body, "xmlns:stream", XML_NS_STREAM);
    at = tag_end(body);
    if (buf_str(body)[at] == '/')
        splice(body, at, body->len, ">" END_TAG);
    splice(body, at + 1, at + 1, buf_str(payload));
}

void entity_empty(struct buf *body, const char *type)
{
    buf_clear(body);
    buf_adds(body, "<body xmlns='" XML_NS_HTTPBIND "'/>");
    if (type)
        entity_set(body, "type", type);
}

void entity_replace(struct buf *body, const char *from, const char *to)
{
    const char *at = strstr(buf_str(body), from);
    struct buf out = BUF_INIT;

    if (!at)
        return;
    buf_add(&out, buf_str(body), (size_t)(at - buf_str(body)));
    buf_adds(&out, to);
    buf_adds(&out, at + strlen(from));
    buf_release(body);
    *body = out;
}

bool entity_has_child(const struct buf *body, const char *name)
{
    xmlDocPtr doc = xml_parse(buf_str(body), body->len, NULL, NULL);
    bool has = doc && xml_child(xmlDocGetRootElement(doc), NULL, name);

    xmlFreeDoc(doc);
    return has;
}
