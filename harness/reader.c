/* Attributes, expressions, durations, payloads: see reader.h. */
#include "reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/base64.h>

/* ---------------------------------------------------------------- simple */

char *reader_attr(const xmlNode *node, const char *name)
{
    return mem_dup(xml_attr(node, NULL, name));
}

char *reader_words(const xmlNode *node)
{
    char *text = xml_text(node);
    char *start = text;
    size_t len;
    char *words;

    while (isspace((unsigned char)*start))
        start++;
    len = strlen(start);
    while (len && isspace((unsigned char)start[len - 1]))
        len--;
    words = mem_dupn(start, len);
    free(text);
    return words;
}

bool reader_is(const xmlNode *node, const char *name, const char *value)
{
    const char *got = xml_attr(node, NULL, name);

    return got && strcmp(got, value) == 0;
}

int64_t reader_number(const xmlNode *node, const char *name, int64_t otherwise)
{
    const char *text = xml_attr(node, NULL, name);

    return text ? strtoll(text, NULL, 10) : otherwise;
}

int reader_word(const xmlNode *node, const char *name, const char *const *words,
                int otherwise)
{
    for (int i = 0; words[i]; i++) {
        if (reader_is(node, name, words[i]))
            return i;
    }
    return otherwise;
}

/* ----------------------------------------------------------- expressions */

static int line_of(const xmlNode *node)
{
    return (int)xmlGetLineNo(node);
}

struct expr *reader_expr_attr(struct reader *r, const xmlNode *node,
                              const char *name)
{
    const char *text = xml_attr(node, NULL, name);

    return text ? expr_new(text, r->path, line_of(node), &r->err) : NULL;
}

struct expr *reader_expr(struct reader *r, const xmlNode *node)
{
    char *text = reader_words(node);
    struct expr *ex = expr_new(text, r->path, line_of(node), &r->err);

    free(text);
    return ex;
}

struct avt *reader_avt_attr(struct reader *r, const xmlNode *node,
                            const char *name)
{
    const char *text = xml_attr(node, NULL, name);

    return text ? avt_new(text, r->path, line_of(node), &r->err) : NULL;
}

static struct expr *expr_in_braces(struct reader *r, const xmlNode *node,
                                   const char *text)
{
    size_t len = strlen(text);
    struct expr *ex;
    char *inside;

    if (text[len - 1] != '}') {
        err_set_at(&r->err, r->path, line_of(node), "'%s' has no closing brace",
                   text);
        return NULL;
    }
    inside = mem_dupn(text + 1, len - 2);
    ex = expr_new(inside, r->path, line_of(node), &r->err);
    free(inside);
    return ex;
}

struct duration reader_duration(struct reader *r, const xmlNode *node,
                                const char *name)
{
    const char *text = xml_attr(node, NULL, name);
    struct duration d = {-1, NULL};
    char *unit;

    if (!text)
        return d;
    if (text[0] == '{') {
        d.expr = expr_in_braces(r, node, text);
        return d;
    }
    d.ms = strtoll(text, &unit, 10);
    if (strcmp(unit, "s") == 0)
        d.ms *= 1000;
    return d;
}

/* -------------------------------------------------------------- payloads */

/*
 * Text as it stands between tags or quotes, with what XML reserves escaped.
 * Expressions are left as they are: their < and ' are XPath's.
 */
static void add_text(struct buf *out, const char *text)
{
    char quote = '\0';
    bool inside = false;

    for (; *text; text++) {
        if (!inside && (text[0] == '{' || text[0] == '}') &&
            text[1] == text[0]) {
            buf_add(out, text++, 2);
            continue;
        }
        if (inside) {
            if (quote)
                quote = *text == quote ? '\0' : quote;
            else if (*text == '\'' || *text == '"')
                quote = *text;
            else if (*text == '}')
                inside = false;
            buf_addc(out, *text);
            continue;
        }
        inside = *text == '{';
        if (*text == '\n' || *text == '\t')
            buf_addc(out, *text);
        else
            buf_add_xml(out, text, 1);
    }
}

static bool has_element(const xmlNode *node)
{
    return xml_child(node, NULL, NULL) != NULL;
}

static bool is_blank(const xmlNode *text)
{
    const char *p = (const char *)text->content;

    return !p || p[strspn(p, " \t\r\n")] == '\0';
}

static void add_declaration(struct buf *out, const xmlNs *ns)
{
    const char *href = ns->href ? (const char *)ns->href : "";

    buf_printf(out, " xmlns%s%s=\"", ns->prefix ? ":" : "",
               ns->prefix ? (const char *)ns->prefix : "");
    buf_add_xml(out, href, strlen(href));
    buf_addc(out, '"');
}

/* Is ns declared by an element from node up to, and with, top? */
static bool declared_inside(const xmlNode *node, const xmlNode *top,
                            const xmlNs *ns)
{
    for (;; node = node->parent) {
        for (const xmlNs *def = node->nsDef; def; def = def->next) {
            if (def == ns)
                return true;
        }
        if (node == top)
            return false;
    }
}

/* Namespaces used somewhere in the tree but declared above it, each once. */
static void collect_inherited(const xmlNode *node, const xmlNode *top,
                              const xmlNs **list, size_t *count, size_t max)
{
    const xmlNs *used = node->ns;
    const xmlAttr *attr = node->properties;

    for (;;) {
        bool known =
            !used || !used->href || !used->href[0] ||
            declared_inside(node, top, used) ||
            (used->prefix && strcmp((const char *)used->prefix, "xml") == 0);

        for (size_t i = 0; !known && i < *count; i++)
            known = list[i] == used;
        if (!known && *count < max)
            list[(*count)++] = used;
        if (!attr)
            break;
        used = attr->ns;
        attr = attr->next;
    }
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            collect_inherited(child, top, list, count, max);
    }
}

static void add_name(struct buf *out, const xmlNs *ns, const xmlChar *name)
{
    if (ns && ns->prefix)
        buf_printf(out, "%s:", (const char *)ns->prefix);
    buf_adds(out, (const char *)name);
}

#define MAX_INHERITED 16

static void add_declarations(struct buf *out, const xmlNode *node,
                             const xmlNode *top)
{
    const xmlNs *inherited[MAX_INHERITED];
    size_t count = 0;

    for (const xmlNs *ns = node->nsDef; ns; ns = ns->next)
        add_declaration(out, ns);
    if (node != top)
        return;
    collect_inherited(node, top, inherited, &count, MAX_INHERITED);
    for (size_t i = 0; i < count; i++)
        add_declaration(out, inherited[i]);
}

static void add_element(struct buf *out, const xmlNode *node,
                        const xmlNode *top);

/* White space between elements is for the case's reader and is not sent; in
 * an element without children it is text. Comments are for the reader too. */
static void add_content(struct buf *out, const xmlNode *node,
                        const xmlNode *top)
{
    bool mixed = has_element(node);

    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            add_element(out, child, top);
        else if (child->type == XML_TEXT_NODE ||
                 child->type == XML_CDATA_SECTION_NODE) {
            if (!mixed || !is_blank(child))
                add_text(out, (const char *)child->content);
        }
    }
}

static void add_attributes(struct buf *out, const xmlNode *node)
{
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        buf_addc(out, ' ');
        add_name(out, attr->ns, attr->name);
        buf_adds(out, "=\"");
        if (attr->children && attr->children->content)
            add_text(out, (const char *)attr->children->content);
        buf_addc(out, '"');
    }
}

static void add_element(struct buf *out, const xmlNode *node,
                        const xmlNode *top)
{
    struct buf content = BUF_INIT;

    buf_addc(out, '<');
    add_name(out, node->ns, node->name);
    add_declarations(out, node, top);
    add_attributes(out, node);
    add_content(&content, node, top);
    if (content.len) {
        buf_addc(out, '>');
        buf_add(out, content.data, content.len);
        buf_adds(out, "</");
        add_name(out, node->ns, node->name);
        buf_addc(out, '>');
    } else {
        buf_adds(out, "/>");
    }
    buf_release(&content);
}

static bool in_namespace(const xmlNode *node, const char *uri)
{
    return node->ns && node->ns->href &&
           strcmp((const char *)node->ns->href, uri) == 0;
}

static void payload_from(struct reader *r, const xmlNode *parent,
                         struct buf *text, struct payload *out)
{
    if (text->len)
        out->text = avt_new(buf_str(text), r->path, line_of(parent), &r->err);
    buf_release(text);
}

static void read_payload(struct reader *r, const xmlNode *parent, bool uri,
                         struct payload *out)
{
    struct buf text = BUF_INIT;
    const xmlNode *child = xml_child(parent, NULL, NULL);

    for (; child; child = xml_next(child)) {
        if (in_namespace(child, XML_NS_CASE) ||
            (in_namespace(child, XML_NS_HTTPBIND) &&
             !(uri && xml_is(child, XML_NS_HTTPBIND, "uri"))))
            continue;
        add_element(&text, child, child);
    }
    payload_from(r, parent, &text, out);
}

void reader_payload(struct reader *r, const xmlNode *parent,
                    struct payload *out)
{
    read_payload(r, parent, false, out);
}

void reader_payload_and_uri(struct reader *r, const xmlNode *parent,
                            struct payload *out)
{
    read_payload(r, parent, true, out);
}

void reader_body(struct reader *r, const xmlNode *parent, struct payload *out)
{
    const xmlNode *body = xml_child(parent, XML_NS_HTTPBIND, "body");
    struct buf text = BUF_INIT;

    if (body)
        add_element(&text, body, body);
    payload_from(r, parent, &text, out);
}

/* ------------------------------------------------------------- raw bytes */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_hex(const char *text, struct buf *out)
{
    int high = -1;

    for (; *text; text++) {
        int digit = hex_digit(*text);

        if (isspace((unsigned char)*text))
            continue;
        if (digit < 0)
            return false;
        if (high < 0) {
            high = digit;
            continue;
        }
        buf_addc(out, (char)(high * 16 + digit));
        high = -1;
    }
    return high < 0;
}

static bool decode_base64(const char *text, struct buf *out)
{
    struct base64_decode_ctx ctx;
    size_t len = BASE64_DECODE_LENGTH(strlen(text));
    uint8_t *bytes = mem_alloc(len + 1);
    bool good;

    base64_decode_init(&ctx);
    good = base64_decode_update(&ctx, &len, bytes, strlen(text), text) &&
           base64_decode_final(&ctx);
    if (good)
        buf_add(out, bytes, len);
    free(bytes);
    return good;
}

static void read_raw(struct reader *r, const xmlNode *node, struct raw *out)
{
    char *text = xml_text(node);
    struct buf bytes = BUF_INIT;

    out->times = (unsigned)reader_number(node, "times", 1);
    if (reader_is(node, "expressions", "yes")) {
        out->text = avt_new(text, r->path, line_of(node), &r->err);
        free(text);
        return;
    }
    if (reader_is(node, "enc", "text"))
        buf_adds(&bytes, text);
    else if (reader_is(node, "enc", "hex") && !decode_hex(text, &bytes))
        err_set_at(&r->err, r->path, line_of(node),
                   "'raw' holds something else than pairs of hex digits");
    else if (reader_is(node, "enc", "base64") && !decode_base64(text, &bytes))
        err_set_at(&r->err, r->path, line_of(node),
                   "'raw' does not hold base64");
    free(text);
    out->len = bytes.len;
    out->data = buf_take(&bytes);
}

void reader_raw(struct reader *r, const xmlNode *parent, struct raw *out)
{
    const xmlNode *node = xml_child(parent, XML_NS_CASE, "raw");

    if (node)
        read_raw(r, node, out);
}

void reader_raws(struct reader *r, const xmlNode *parent, struct raw **out,
                 size_t *count)
{
    const xmlNode *node = xml_child(parent, XML_NS_CASE, "raw");

    for (; node; node = xml_next(node)) {
        if (xml_is(node, XML_NS_CASE, "raw"))
            read_raw(r, node, READER_ADD(*out, *count));
    }
}
