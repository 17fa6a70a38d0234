/* The entity of an answer in another shape: see entity.h. */
#include "entity.h"

#include <string.h>

#include "common/xml.h"

/* Where the root element's parts stand. */
struct root {
    const char *before; /* the entity's first byte */
    const char *name;   /* behind '<' */
    size_t name_len;
    const char *tag_end; /* the '>' or "/>" of the start tag */
    const char *content; /* behind the start tag */
    size_t content_len;
    bool hollow; /* "<body/>" */
    const char *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The '>' of a start tag: those in quotes do not count. */
static const char *end_of_tag(const char *p, const char *end)
{
    char quote = '\0';

    for (; p < end; p++) {
        if (quote)
            quote = *p == quote ? '\0' : quote;
        else if (*p == '\'' || *p == '"')
            quote = *p;
        else if (*p == '>')
            return p;
    }
    return NULL;
}

/* Our own manager wrote it: no comment and no DTD comes before the root. */
static bool find_root(const char *entity, size_t len, struct root *r)
{
    const char *end = entity + len;
    const char *p = memchr(entity, '<', len);
    const char *close;

    while (p && p + 1 < end && p[1] == '?')
        p = memchr(p + 1, '<', (size_t)(end - p - 1));
    if (!p || !(close = end_of_tag(p, end)))
        return false;
    r->before = entity;
    r->name = p + 1;
    for (p = r->name; p < close && !is_blank(*p) && *p != '/'; p++)
        ;
    r->name_len = (size_t)(p - r->name);
    r->hollow = close[-1] == '/';
    r->tag_end = r->hollow ? close - 1 : close;
    r->content = close + 1;
    r->end = end;
    for (p = end; p > r->content && *p != '<'; p--)
        ;
    r->content_len = r->hollow || p < r->content ? 0 : (size_t)(p - r->content);
    return r->name_len > 0;
}

/* ---- what may stand in front of the payloads ---- */

static void add_times(struct buf *out, const char *text, size_t times)
{
    while (times--)
        buf_adds(out, text);
}

static void open_message(struct buf *out, const char *id)
{
    buf_printf(out,
               "<message xmlns='" XML_NS_CLIENT "' type='chat' "
               "from='localhost' id='%s'>",
               id);
}

static void add_message(struct buf *out, const char *id, const char *text)
{
    open_message(out, id);
    buf_printf(out, "<body>%s</body></message>", text);
}

static void add_huge(struct buf *out, size_t size)
{
    static const char piece[] = "0123456789abcdef";

    open_message(out, "huge");
    buf_adds(out, "<body>");
    for (; size >= sizeof piece - 1; size -= sizeof piece - 1)
        buf_add(out, piece, sizeof piece - 1);
    buf_add(out, piece, size);
    buf_adds(out, "</body></message>");
}

static void add_deep(struct buf *out)
{
    open_message(out, "deep");
    add_times(out, "<d>", ENTITY_DEPTH);
    add_times(out, "</d>", ENTITY_DEPTH);
    buf_adds(out, "</message>");
}

/* The first thing inside the root. */
static void add_inside(struct buf *out, enum bytes_kind kind, size_t size)
{
    if (kind == BYTES_TEXT)
        buf_adds(out, "text between the stanzas");
    else if (kind == BYTES_COMMENT)
        buf_adds(out, "<!-- a comment -->");
    else if (kind == BYTES_INSTRUCTION)
        buf_adds(out, "<?boshspec an instruction?>");
    else if (kind == BYTES_ENTITY)
        add_message(out, "entity", "&word;");
    else if (kind == BYTES_ENTITY_BOMB)
        add_message(out, "entity-bomb", "&e9;");
    else if (kind == BYTES_DEEP)
        add_deep(out);
    else if (kind == BYTES_HUGE)
        add_huge(out, size);
}

/* ---- what may stand before the root ---- */

/* Ten times ten times .. one word: 30 GB when it is believed. */
static void add_bomb(struct buf *out)
{
    buf_adds(out, "<!DOCTYPE body [<!ENTITY e0 \"expand\">");
    for (int level = 1; level <= 9; level++) {
        buf_printf(out, "<!ENTITY e%d \"", level);
        for (int i = 0; i < 10; i++)
            buf_printf(out, "&e%d;", level - 1);
        buf_adds(out, "\">");
    }
    buf_adds(out, "]>");
}

static void add_doctype(struct buf *out, enum bytes_kind kind)
{
    if (kind == BYTES_DOCTYPE)
        buf_adds(out, "<!DOCTYPE body [<!ELEMENT body ANY>]>");
    else if (kind == BYTES_ENTITY)
        buf_adds(out, "<!DOCTYPE body [<!ENTITY word \"expanded\">]>");
    else if (kind == BYTES_ENTITY_BOMB)
        add_bomb(out);
}

/* ---- the root ---- */

/* Its attributes, with the xmlns changed or left out. */
static void add_attributes(struct buf *out, enum bytes_kind kind,
                           const struct root *r)
{
    static const char decl[] = " xmlns=";
    const char *from = r->name + r->name_len;
    size_t len = (size_t)(r->tag_end - from);
    const char *at = memmem(from, len, decl, sizeof decl - 1);
    const char *rest;

    if ((kind != BYTES_WRONG_NAMESPACE && kind != BYTES_NO_NAMESPACE) || !at) {
        buf_add(out, from, len);
        return;
    }
    rest = at + sizeof decl - 1;
    rest = memchr(rest + 1, *rest, (size_t)(r->tag_end - rest - 1));
    buf_add(out, from, (size_t)(at - from));
    if (kind == BYTES_WRONG_NAMESPACE)
        buf_adds(out, " xmlns='urn:boshspec:not-httpbind'");
    if (rest)
        buf_add(out, rest + 1, (size_t)(r->tag_end - rest - 1));
}

static void add_name(struct buf *out, enum bytes_kind kind,
                     const struct root *r)
{
    if (kind == BYTES_OTHER_ROOT)
        buf_adds(out, "envelope");
    else
        buf_add(out, r->name, r->name_len);
}

static void rewrite_root(struct buf *out, enum bytes_kind kind,
                         const struct root *r, size_t size)
{
    buf_add(out, r->before, (size_t)(r->name - 1 - r->before));
    add_doctype(out, kind);
    buf_addc(out, '<');
    add_name(out, kind, r);
    add_attributes(out, kind, r);
    buf_addc(out, '>');
    add_inside(out, kind, size);
    buf_add(out, r->content, r->content_len);
    buf_adds(out, "</");
    add_name(out, kind, r);
    buf_addc(out, '>');
}

/* Where it stands among the attributes, with the blank before it; NULL: it
 * does not. */
static const char *find_attribute(const struct root *r, const char *name,
                                  const char **end)
{
    size_t len = strlen(name);
    const char *p = r->name + r->name_len;

    while (p < r->tag_end) {
        const char *from = p;
        const char *quote;

        while (p < r->tag_end && is_blank(*p))
            p++;
        quote = p;
        while (quote < r->tag_end && *quote != '\'' && *quote != '"')
            quote++;
        if (quote == r->tag_end)
            return NULL;
        *end = memchr(quote + 1, *quote, (size_t)(r->tag_end - quote - 1));
        if (!*end)
            return NULL;
        ++*end;
        if (strncmp(p, name, len) == 0 && (p[len] == '=' || is_blank(p[len])))
            return from;
        p = *end;
    }
    return NULL;
}

void entity_attribute(struct buf *out, const char *entity, size_t len,
                      const char *name, const char *value)
{
    const char *end = NULL;
    const char *at;
    struct root r;

    if (!find_root(entity, len, &r)) {
        buf_add(out, entity, len);
        return;
    }
    at = find_attribute(&r, name, &end);
    if (!at)
        at = end = r.tag_end;
    buf_add(out, entity, (size_t)(at - entity));
    if (*value) {
        buf_printf(out, " %s='", name);
        buf_add_xml(out, value, strlen(value));
        buf_addc(out, '\'');
    }
    buf_add(out, end, (size_t)(entity + len - end));
}

/* ---- the bytes ---- */

static uint32_t next_char(const unsigned char **at, const unsigned char *end)
{
    static const unsigned char masks[] = {0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *s = *at;
    size_t more = *s < 0xC0 ? 0 : *s < 0xE0 ? 1 : *s < 0xF0 ? 2 : 3;
    uint32_t c = *s++ & masks[more];

    while (more-- && s < end && (*s & 0xC0) == 0x80)
        c = c << 6 | (*s++ & 0x3F);
    *at = s;
    return c;
}

static void add_unit(struct buf *out, uint32_t unit)
{
    buf_addc(out, (char)(unit >> 8));
    buf_addc(out, (char)(unit & 0xFF));
}

/* Big endian, with its mark in front and a declaration, as XML 1.0 §4.3.3
 * has it. The manager's own entities have no declaration. */
static void add_utf16(struct buf *out, const char *entity, size_t len)
{
    struct buf text = BUF_INIT;
    const unsigned char *at, *end;

    buf_adds(&text, "<?xml version='1.0' encoding='UTF-16'?>");
    buf_add(&text, entity, len);
    at = (const unsigned char *)buf_str(&text);
    end = at + text.len;
    add_unit(out, 0xFEFF);
    while (at < end) {
        uint32_t c = next_char(&at, end);

        if (c >= 0x10000) {
            add_unit(out, 0xD800 + ((c - 0x10000) >> 10));
            add_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
        } else {
            add_unit(out, c);
        }
    }
    buf_release(&text);
}

void entity_shape(struct buf *out, enum bytes_kind kind, const char *entity,
                  size_t len, size_t size)
{
    struct root r;

    if (kind == BYTES_EMPTY)
        return;
    if (kind == BYTES_ILL_FORMED) {
        buf_add(out, entity, len ? len - 1 : 0);
    } else if (kind == BYTES_UTF_16) {
        add_utf16(out, entity, len);
    } else if (!find_root(entity, len, &r)) {
        buf_add(out, entity, len);
    } else if (kind == BYTES_TWO_BODIES) {
        buf_add(out, entity, len);
        buf_add(out, r.name - 1, (size_t)(r.end - r.name + 1));
    } else {
        rewrite_root(out, kind, &r, size);
    }
}
