/* The event log's events and lines: see log_events.h. */
#include "log_events.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "xml.h"

/* Element names are pointers to these, so that an event that was read names
 * its kind as one that was made does. */
static const char *const event_names[] = {
    "log",     "open", "tls",       "close",     "req",   "sent",
    "forward", "lost", "answer",    "res",       "do",    "ev",
    "name",    "let",  "delivered", "abandoned", "fault", "lag",
    "step",    "end",  "health",    NULL};

static const char *known_name(const char *name)
{
    for (size_t i = 0; event_names[i]; i++) {
        if (strcmp(event_names[i], name) == 0)
            return event_names[i];
    }
    return NULL;
}

void event_init(struct event *ev, const char *name)
{
    memset(ev, 0, sizeof *ev);
    ev->name = name;
}

void event_release(struct event *ev)
{
    if (!ev)
        return;
    buf_release(&ev->store);
    memset(ev, 0, sizeof *ev);
}

/* The store may have moved: point into it again. It holds, for each
 * attribute, name NUL value NUL. */
static void point_again(struct event *ev)
{
    for (size_t i = 0; i < ev->attr_count; i++) {
        ev->attrs[i].name = ev->store.data + ev->offsets[i];
        ev->attrs[i].value = ev->attrs[i].name + strlen(ev->attrs[i].name) + 1;
    }
}

static size_t find(const struct event *ev, const char *name)
{
    size_t i = 0;

    while (i < ev->attr_count && strcmp(ev->attrs[i].name, name) != 0)
        i++;
    return i;
}

void event_set(struct event *ev, const char *name, const char *value)
{
    size_t i = find(ev, name);
    size_t data_at = 0;
    bool own_data;

    if (!value)
        return;
    assert(i < EVENT_MAX_ATTRS);
    own_data = ev->data && ev->store.data && ev->data >= ev->store.data &&
               ev->data < ev->store.data + ev->store.len;
    if (own_data)
        data_at = (size_t)(ev->data - ev->store.data);
    ev->offsets[i] = ev->store.len;
    buf_add(&ev->store, name, strlen(name) + 1);
    buf_add(&ev->store, value, strlen(value) + 1);
    if (i == ev->attr_count)
        ev->attr_count++;
    point_again(ev);
    if (own_data)
        ev->data = ev->store.data + data_at;
}

void event_setf(struct event *ev, const char *name, const char *fmt, ...)
{
    struct buf value = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&value, fmt, ap);
    va_end(ap);
    event_set(ev, name, buf_str(&value));
    buf_release(&value);
}

const char *event_get(const struct event *ev, const char *name)
{
    size_t i = find(ev, name);

    return i < ev->attr_count ? ev->attrs[i].value : NULL;
}

long long event_int(const struct event *ev, const char *name,
                    long long otherwise)
{
    const char *value = event_get(ev, name);
    char *end;
    long long number;

    if (!value || !*value)
        return otherwise;
    number = strtoll(value, &end, 10);
    return *end ? otherwise : number;
}

/* ---------------------------------------------------------------- writing */

/* Length of the character at p that an XML 1.0 document can hold (XML 1.0
 * §2.2) and that UTF-8 spells in its shortest form; 0: none is there. */
static size_t xml_char_len(const unsigned char *p, size_t left)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned long c = p[0];
    size_t len;

    if (c < 0x80)
        return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || len > left)
        return 0;
    c &= 0x7FU >> len;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3FU);
    }
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ||
        c == 0xFFFE || c == 0xFFFF)
        return 0;
    return len;
}

static bool survives(const char *data, size_t len)
{
    const unsigned char *p = (const unsigned char *)data;

    for (size_t i = 0, step; i < len; i += step) {
        step = xml_char_len(p + i, len - i);
        if (!step)
            return false;
    }
    return true;
}

/* A value must be readable, not exact: what XML cannot hold becomes U+FFFD. */
static void write_value(struct buf *out, const char *value)
{
    const unsigned char *p = (const unsigned char *)value;
    size_t left = strlen(value);

    while (left) {
        size_t step = xml_char_len(p, left);

        if (step)
            buf_add_xml(out, (const char *)p, step);
        else
            buf_adds(out, "\xEF\xBF\xBD");
        step += !step;
        p += step;
        left -= step;
    }
}

static void write_base64(struct buf *out, const char *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)data;

    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        unsigned long bits = (unsigned long)p[i] << 16;

        if (have > 1)
            bits |= (unsigned long)p[i + 1] << 8;
        if (have > 2)
            bits |= p[i + 2];
        buf_addc(out, digits[bits >> 18 & 63]);
        buf_addc(out, digits[bits >> 12 & 63]);
        buf_addc(out, have > 1 ? digits[bits >> 6 & 63] : '=');
        buf_addc(out, have > 2 ? digits[bits & 63] : '=');
    }
}

void event_write(struct buf *out, const struct event *ev)
{
    bool text = !ev->data || survives(ev->data, ev->data_len);

    buf_printf(out, "<%s seq=\"%llu\" t=\"%lld\"", ev->name,
               (unsigned long long)ev->seq, (long long)ev->t_ms);
    for (size_t i = 0; i < ev->attr_count; i++) {
        buf_printf(out, " %s=\"", ev->attrs[i].name);
        write_value(out, ev->attrs[i].value);
        buf_addc(out, '"');
    }
    if (!ev->data) {
        buf_adds(out, "/>\n");
        return;
    }
    buf_adds(out, text ? ">" : " enc=\"base64\">");
    if (text)
        buf_add_xml(out, ev->data, ev->data_len);
    else
        write_base64(out, ev->data, ev->data_len);
    buf_printf(out, "</%s>\n", ev->name);
}

/* ---------------------------------------------------------------- reading */

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int read_base64(struct buf *out, const char *text)
{
    unsigned long bits = 0;
    size_t have = 0;
    int digit;

    for (; (digit = base64_digit(*text)) >= 0; text++) {
        bits = bits << 6 | (unsigned long)digit;
        if (++have % 4 != 1)
            buf_addc(out, (char)(bits >> (6 - 2 * ((have - 1) % 4)) & 0xFF));
    }
    return text[strspn(text, "=")] ? -1 : 0;
}

static int read_attrs(struct event *ev, const xmlNode *node, struct err *e)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        const char *name = (const char *)a->name;
        const char *value = xml_attr(node, NULL, name);

        if (!value)
            return err_set(e, "attribute '%s' has a namespace", name);
        if (strcmp(name, "enc") == 0)
            continue;
        if (strcmp(name, "seq") == 0)
            ev->seq = strtoull(value, NULL, 10);
        else if (strcmp(name, "t") == 0)
            ev->t_ms = strtoll(value, NULL, 10);
        else if (ev->attr_count == EVENT_MAX_ATTRS)
            return err_set(e, "an event has at most %d attributes",
                           EVENT_MAX_ATTRS);
        else
            event_set(ev, name, value);
    }
    return 0;
}

static int read_data(struct event *ev, const xmlNode *node, struct err *e)
{
    const char *enc = xml_attr(node, NULL, "enc");
    size_t start = ev->store.len;
    char *text;
    int result = 0;

    if (!node->children && !enc)
        return 0;
    text = xml_text(node);
    if (enc && strcmp(enc, "base64") == 0)
        result = read_base64(&ev->store, text);
    else
        buf_adds(&ev->store, text);
    free(text);
    if (result != 0)
        return err_set(e, "the content of '%s' is not base64", ev->name);
    point_again(ev);
    ev->data = ev->store.data ? ev->store.data + start : "";
    ev->data_len = ev->store.len - start;
    return 0;
}

static int read_element(struct event *ev, const xmlNode *node, struct err *e)
{
    const char *name = known_name((const char *)node->name);

    if (!name || node->ns)
        return err_set(e, "'%s' is no event", (const char *)node->name);
    event_init(ev, name);
    if (read_attrs(ev, node, e) != 0 || read_data(ev, node, e) != 0) {
        event_release(ev);
        return -1;
    }
    return 1;
}

/* Content and values have their > escaped: these endings stand at the end of
 * a whole line and nowhere else. */
static bool is_whole(const char *line, size_t len)
{
    size_t name = 1;

    if (len >= 2 && memcmp(line + len - 2, "/>", 2) == 0)
        return true;
    while (name < len && !strchr(" >/", line[name]))
        name++;
    return len > 2 * (name + 1) && line[len - 1] == '>' &&
           memcmp(line + len - name - 2, "</", 2) == 0 &&
           memcmp(line + len - name, line + 1, name - 1) == 0;
}

int event_read(const char *line, size_t len, struct event *ev, struct err *e)
{
    xmlDocPtr doc;
    int result;

    memset(ev, 0, sizeof *ev);
    while (len && strchr(" \t\r\n", line[len - 1]))
        len--;
    if (!len)
        return 0;
    if (line[0] == '<' && !is_whole(line, len))
        return 0;
    doc = xml_parse(line, len, NULL, e);
    if (!doc)
        return -1;
    result = read_element(ev, xmlDocGetRootElement(doc), e);
    xmlFreeDoc(doc);
    return result;
}

int event_read_file(const char *path, const struct event_sink *sink, int *cut,
                    struct err *e)
{
    FILE *f = fopen(path, "rb");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int number = 0, result = 0;

    *cut = 0;
    if (!f)
        return err_set(e, "%s: cannot be opened", path);
    while (result >= 0 && (len = getline(&line, &cap, f)) > 0) {
        struct err why = {""};
        struct event ev;

        number++;
        result = event_read(line, (size_t)len, &ev, &why);
        if (result > 0)
            sink->add(sink->ctx, &ev);
        else if (result < 0)
            err_set_at(e, path, number, "%s", why.text);
        *cut = result == 0 && line[len - 1] != '\n';
        event_release(&ev);
    }
    if (result >= 0 && ferror(f))
        result = err_set(e, "%s: cannot be read", path);
    free(line);
    fclose(f);
    return result < 0 ? -1 : 0;
}
