/* A play as it goes on: see live.h. */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "common/coding.h"
#include "common/http.h"
#include "common/xml.h"
#include "shown.h"

#define INDENT 12       /* of what belongs to an event */
#define MAX_LINES 30    /* of a body */
#define MAX_BYTES 3000  /* of a body */
#define MAX_VALUE 200   /* bytes of an attribute */
#define MAX_TREE 200000 /* bytes of a body that is worth a parse */
#define MAX_EXCHANGE 100000

void live_init(struct live *l, const struct text_style *style)
{
    memset(l, 0, sizeof *l);
    l->style = *style;
}

void live_release(struct live *l)
{
    size_t i;

    for (i = 0; i < l->rid_count; i++)
        free(l->rids[i]);
    free(l->rids);
    memset(l, 0, sizeof *l);
}

/* ------------------------------------------------------------- words */

/* What an event is called here, and in which colour. */
static const struct word {
    const char *name, *says, *color;
} words[] = {
    {"log", "case", ""},
    {"open", "opened", "\033[2m"},
    {"close", "closed", "\033[2m"},
    {"req", "request", "\033[36m"},
    {"sent", "sent", "\033[2m"},
    {"forward", "to manager", "\033[2m"},
    {"lost", "lost", "\033[33m"},
    {"answer", "manager's", "\033[2m"},
    {"res", "answer", "\033[36m"},
    {"delivered", "delivered", "\033[2m"},
    {"abandoned", "abandoned", "\033[33m"},
    {"fault", "fault", "\033[33m"},
    {"do", "to driver", "\033[35m"},
    {"ev", "driver", "\033[35m"},
    {"name", "handle", "\033[2m"},
    {"let", "variable", "\033[2m"},
    {"lag", "our lag", "\033[31m"},
    {"step", "step", "\033[1m"},
    {"end", "end", "\033[1m"},
    {"health", "server", "\033[2m"},
};

static struct word word_of(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].name, name) == 0)
            return words[i];
    return (struct word){name, name, ""};
}

/* Who it is about stands in a column of its own. */
static bool is_subject(const char *name)
{
    return strcmp(name, "x") == 0 || strcmp(name, "conn") == 0 ||
           strcmp(name, "client") == 0 || strcmp(name, "line") == 0;
}

static char *subject(const struct event *ev)
{
    static const char *const names[] = {"x", "line", "client", "conn"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (event_get(ev, names[i]))
            return mem_printf("%s %s", names[i], event_get(ev, names[i]));
    return mem_dup("");
}

/* ------------------------------------------------------------- bodies */

/* What follows the empty line; NULL when there is none. */
static const char *body_of(const struct event *ev, size_t *len)
{
    const char *end =
        ev->data ? memmem(ev->data, ev->data_len, "\r\n\r\n", 4) : NULL;

    if (!end)
        return NULL;
    *len = ev->data_len - (size_t)(end + 4 - ev->data);
    return end + 4;
}

static enum coding coding_in(const struct event *ev, size_t head_len)
{
    enum http_kind kind =
        strcmp(ev->name, "req") == 0 ? HTTP_REQUEST : HTTP_RESPONSE;
    enum coding coding = CODING_NONE;
    struct http_message m;

    http_read_head(kind, ev->data, head_len, &m, NULL);
    if (http_header(&m, "Content-Encoding"))
        coding = coding_of(http_header(&m, "Content-Encoding"));
    http_message_release(&m);
    return coding;
}

/* The same as it is meant: without gzip or deflate. False when there is none.
 */
static bool read_body(const struct event *ev, struct buf *out)
{
    size_t len = 0;
    const char *body = body_of(ev, &len);
    enum coding coding;

    if (!body)
        return false;
    coding = coding_in(ev, (size_t)(body - ev->data));
    if (coding == CODING_NONE || coding == CODING_OTHER ||
        coding_decode(out, coding, body, len, HTTP_MAX_BODY, NULL) < 0)
        buf_add(out, body, len);
    return true;
}

static bool is_http(const struct event *ev)
{
    return strcmp(ev->name, "req") == 0 || strcmp(ev->name, "res") == 0 ||
           strcmp(ev->name, "answer") == 0;
}

/* Indented, when it is XML; as it is otherwise. */
static void pretty(struct buf *out, const char *data, size_t len)
{
    xmlDocPtr doc = len < MAX_TREE ? xml_parse(data, len, NULL, NULL) : NULL;
    xmlBufferPtr text = doc ? xmlBufferCreate() : NULL;

    if (text && xmlNodeDump(text, doc, xmlDocGetRootElement(doc), 0, 1) >= 0)
        buf_add(out, xmlBufferContent(text), (size_t)xmlBufferLength(text));
    else
        buf_add(out, data, len);
    if (text)
        xmlBufferFree(text);
    xmlFreeDoc(doc);
}

/* NULs would end what is shown. */
static void show_nuls(struct buf *b)
{
    size_t i;

    for (i = 0; i < b->len; i++)
        if (b->data[i] == '\0')
            b->data[i] = '\x01';
}

static void add_body(struct buf *out, const char *data, size_t len)
{
    struct buf raw = BUF_INIT, shown = BUF_INIT;
    const char *s;
    int lines = 0;

    if (len == 0)
        return;
    pretty(&raw, data, len);
    show_nuls(&raw);
    shown_text(&shown, buf_str(&raw), MAX_BYTES);
    for (s = buf_str(&shown); *s && lines < MAX_LINES; lines++) {
        size_t n = strcspn(s, "\n"), i;

        buf_printf(out, "%*s", INDENT, "");
        for (i = 0; i < n; i++) /* a CR would write over the line */
            if (s[i] != '\r')
                buf_addc(out, s[i]);
        buf_addc(out, '\n');
        s += n + (s[n] == '\n');
    }
    if (*s)
        buf_printf(out, "%*s... (%zu bytes)\n", INDENT, "", len);
    buf_release(&raw);
    buf_release(&shown);
}

/* ------------------------------------------------------------- rids */

/* A request's rid as it was written; what is odd has none. Yours. */
static char *rid_of_body(const char *body, size_t len)
{
    const char *at = memmem(body, len, " rid=", 5);
    size_t i;

    if (!at || (size_t)(body + len - at) < 7 || !strchr("'\"", at[5]))
        return NULL;
    len -= (size_t)(at + 6 - body);
    at += 6;
    for (i = 0; i < len && at[i] >= '0' && at[i] <= '9'; i++)
        ;
    return i > 0 && i < len && i < 20 ? mem_dupn(at, i) : NULL;
}

static char *rid_in(const struct event *ev)
{
    struct buf body = BUF_INIT;
    char *rid = NULL;

    if (read_body(ev, &body))
        rid = rid_of_body(buf_str(&body), body.len);
    buf_release(&body);
    return rid;
}

static const char *rid_of(struct live *l, const struct event *ev)
{
    long long x = event_int(ev, "x", 0);

    if (x < 1 || x > MAX_EXCHANGE)
        return NULL;
    if (strcmp(ev->name, "req") == 0 && (size_t)x > l->rid_count) {
        l->rids = mem_grow(l->rids, (size_t)x * sizeof(char *));
        memset(l->rids + l->rid_count, 0,
               ((size_t)x - l->rid_count) * sizeof(char *));
        l->rid_count = (size_t)x;
    }
    if ((size_t)x > l->rid_count)
        return NULL;
    if (!l->rids[x - 1])
        l->rids[x - 1] = rid_in(ev);
    return l->rids[x - 1];
}

/* ------------------------------------------------------------- an event */

static void add_attributes(struct buf *out, const struct event *ev)
{
    size_t i;

    for (i = 0; i < ev->attr_count; i++) {
        const char *name = ev->attrs[i].name, *value = event_get(ev, name);

        if (!value || !*value || is_subject(name))
            continue;
        buf_printf(out, " %s=", name);
        shown_line(out, value, MAX_VALUE);
    }
}

static void add_first_line(struct buf *out, const struct event *ev)
{
    size_t n = 0;
    char *line;

    while (n < ev->data_len && ev->data[n] != '\r' && ev->data[n] != '\n')
        n++;
    line = mem_dupn(ev->data ? ev->data : "", n);
    buf_addc(out, ' ');
    shown_line(out, line, MAX_VALUE);
    free(line);
}

static void add_head(struct live *l, struct buf *out, const struct event *ev)
{
    struct word w = word_of(ev->name);
    const char *rid = rid_of(l, ev);
    char *who = subject(ev);

    buf_printf(out, "%4lld.%03lld s  %-8s ", (long long)(ev->t_ms / 1000),
               (long long)(ev->t_ms % 1000), who);
    if (rid)
        buf_printf(out, "rid %s ", rid);
    buf_printf(out, "%s%s%s", l->style.color ? w.color : "", w.says,
               l->style.color ? "\033[0m" : "");
    if (is_http(ev) && ev->data_len > 0)
        add_first_line(out, ev);
    add_attributes(out, ev);
    buf_addc(out, '\n');
    free(who);
}

void live_event(struct live *l, struct buf *out, const struct event *ev)
{
    bool again =
        event_get(ev, "same") && strcmp(event_get(ev, "same"), "yes") == 0;
    struct buf body = BUF_INIT;

    add_head(l, out, ev);
    if (is_http(ev))
        read_body(ev, &body);
    else if (ev->data)
        buf_add(&body, ev->data, ev->data_len);
    if (!again) /* which the manager's answer has shown */
        add_body(out, buf_str(&body), body.len);
    buf_release(&body);
}
