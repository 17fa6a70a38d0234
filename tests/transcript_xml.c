/* XML of a transcript: see transcript_xml.h. */
#include "tests/transcript_xml.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

/* ---- Captures -------------------------------------------------------------
 */

void captures_release(struct captures *c)
{
    for (int i = 0; i < c->count; i++) {
        free(c->list[i].name);
        free(c->list[i].value);
    }
    c->count = 0;
}

static const char *find(const struct captures *c, const char *name, size_t len)
{
    for (int i = 0; i < c->count; i++) {
        if (strlen(c->list[i].name) == len &&
            strncmp(c->list[i].name, name, len) == 0)
            return c->list[i].value;
    }
    return NULL;
}

/* The name in text's first ${name}; NULL: there is none. */
static const char *name_in(const char *text, size_t *len)
{
    const char *start = strstr(text, "${");
    const char *end = start ? strchr(start, '}') : NULL;

    if (!end)
        return NULL;
    *len = (size_t)(end - start) - 2;
    return start + 2;
}

int captures_fill(struct buf *out, const char *text, const struct captures *c,
                  struct err *e)
{
    const char *name, *value;
    size_t len;

    while ((name = name_in(text, &len)) != NULL) {
        value = find(c, name, len);
        if (!value)
            return err_set(e, "nothing was seen yet for '%.*s'", (int)len,
                           name);
        buf_add(out, text, (size_t)(name - text) - 2);
        buf_adds(out, value);
        text = name + len + 1;
    }
    buf_adds(out, text);
    return 0;
}

static int capture(struct captures *c, const char *name, size_t name_len,
                   const char *value, size_t len, struct err *e)
{
    const char *before = find(c, name, name_len);

    if (len == 0)
        return err_set(e, "there is nothing for '%.*s'", (int)name_len, name);
    if (before)
        return strlen(before) == len && strncmp(before, value, len) == 0
                   ? 0
                   : err_set(e, "'%.*s' was '%s' and is '%.*s'", (int)name_len,
                             name, before, (int)len, value);
    if (c->count == CAPTURES_MAX)
        return err_set(e, "too many names in braces");
    c->list[c->count].name = mem_dupn(name, name_len);
    c->list[c->count++].value = mem_dupn(value, len);
    return 0;
}

/* One line of the canonical form against another; want may have one name. */
static int match(const char *want, const char *got, struct captures *c,
                 struct err *e)
{
    size_t len = strlen(got), name_len = 0, head, tail_len;
    const char *name = name_in(want, &name_len);
    const char *tail;

    if (!name)
        return strcmp(want, got) == 0
                   ? 0
                   : err_set(e, "wants %s, got %s", want, got);
    head = (size_t)(name - want) - 2;
    tail = name + name_len + 1;
    tail_len = strlen(tail);
    if (len < head + tail_len || strncmp(want, got, head) != 0 ||
        strcmp(tail, got + len - tail_len) != 0)
        return err_set(e, "wants %s, got %s", want, got);
    return capture(c, name, name_len, got + head, len - head - tail_len, e);
}

/* ---- Canonical form -------------------------------------------------------
 *
 * A line for each start, attribute, text and end: <NS NAME, @NS NAME=VALUE,
 * "TEXT and /. Attributes are sorted, white space is escaped.
 */

static const char *ns_of(const xmlNs *ns)
{
    return ns ? (const char *)ns->href : "";
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_relative(const xmlNode *node, const xmlAttr *a)
{
    const char *name = (const char *)a->name;

    if (!xml_is(node, XML_NS_HTTPBIND, "body") || a->ns)
        return false;
    /* In the creation, ack is 1. */
    return strcmp(name, "rid") == 0 ||
           (strcmp(name, "ack") == 0 && xml_attr(node, NULL, "sid"));
}

static char *attribute(const xmlNode *node, const xmlAttr *a, uint64_t offset)
{
    struct buf line = BUF_INIT;
    xmlChar *value = xmlNodeListGetString(node->doc, a->children, 1);
    const char *text = value ? (const char *)value : "";

    buf_printf(&line, "@%s %s=", ns_of(a->ns), (const char *)a->name);
    if (is_relative(node, a))
        buf_printf(&line, "%" PRIu64,
                   (uint64_t)strtoull(text, NULL, 10) - offset);
    else
        buf_add_xml(&line, text, strlen(text));
    xmlFree(value);
    return buf_take(&line);
}

static void write_attributes(struct buf *out, const xmlNode *node,
                             uint64_t offset)
{
    char *lines[XML_MAX_ATTRS];
    size_t count = 0;

    for (const xmlAttr *a = node->properties; a; a = a->next)
        lines[count++] = attribute(node, a, offset);
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s\n", lines[i]);
        free(lines[i]);
    }
}

static void write_text(struct buf *out, const xmlNode *node)
{
    const char *text = (const char *)node->content;
    bool sasl = strcmp(ns_of(node->parent->ns), XML_NS_SASL) == 0;

    if (xmlIsBlankNode(node))
        return;
    buf_addc(out, '"');
    for (; *text; text++) {
        if (!sasl || !isspace((unsigned char)*text))
            buf_add_xml(out, text, 1);
    }
    buf_addc(out, '\n');
}

static void write_element(struct buf *out, const xmlNode *node, uint64_t offset)
{
    buf_printf(out, "<%s %s\n", ns_of(node->ns), (const char *)node->name);
    write_attributes(out, node, offset);
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            write_element(out, child, offset);
        else if (child->type == XML_TEXT_NODE)
            write_text(out, child);
    }
    buf_adds(out, "/\n");
}

static int write_canonical(struct buf *out, const char *text, uint64_t offset,
                           struct err *e)
{
    xmlDocPtr doc = xml_parse(text, strlen(text), NULL, e);

    if (!doc)
        return -1;
    write_element(out, xmlDocGetRootElement(doc), offset);
    xmlFreeDoc(doc);
    return 0;
}

int transcript_compare(const char *want, const char *got, uint64_t offset,
                       struct captures *c, struct err *e)
{
    struct buf wanted = BUF_INIT, made = BUF_INIT;
    char *rest_wanted = NULL, *rest_made = NULL;
    int rc = -1;

    if (write_canonical(&wanted, want, 0, e) ||
        write_canonical(&made, got, offset, e))
        goto out;
    rc = 0;
    for (char *a = strtok_r(wanted.data, "\n", &rest_wanted),
              *b = strtok_r(made.data, "\n", &rest_made);
         rc == 0 && (a || b); a = strtok_r(NULL, "\n", &rest_wanted),
              b = strtok_r(NULL, "\n", &rest_made))
        rc = match(a ? a : "nothing more", b ? b : "nothing more", c, e);
out:
    buf_release(&wanted);
    buf_release(&made);
    return rc;
}
