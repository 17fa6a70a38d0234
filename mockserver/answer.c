/* Answers: see answer.h. */
#include "answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

#define ALLOWED_METHODS "GET, HEAD, POST, OPTIONS"
#define PREFLIGHT_AGE_S "600"

struct answer_bytes *answer_bytes_new(const char *data, size_t len)
{
    struct answer_bytes *b = mem_alloc(sizeof *b + len + 1);

    b->refs = 1;
    b->len = len;
    if (len)
        memcpy(b->data, data, len);
    return b;
}

struct answer_bytes *answer_bytes_keep(struct answer_bytes *b)
{
    b->refs++;
    return b;
}

void answer_bytes_drop(struct answer_bytes *b)
{
    if (b && --b->refs == 0)
        free(b);
}

void answer_add_attr(struct buf *out, const char *name, const char *value)
{
    buf_addc(out, ' ');
    buf_adds(out, name);
    buf_adds(out, "='");
    buf_add_xml(out, value, strlen(value));
    buf_addc(out, '\'');
}

static bool uses_stream_prefix(const char *xml, size_t len)
{
    return len && strstr(xml, "<stream:") != NULL;
}

static bool needs_stream(const struct answer_parts *p)
{
    if (p->extra && strstr(p->extra, "xmlns:stream="))
        return false;
    return uses_stream_prefix(p->payload, p->payload_len) ||
           uses_stream_prefix(p->payload2, p->payload2_len);
}

void answer_write(struct buf *out, const struct answer_parts *p)
{
    buf_adds(out, "<body xmlns='" XML_NS_HTTPBIND "'");
    if (needs_stream(p))
        buf_adds(out, " xmlns:stream='" XML_NS_STREAM "'");
    if (p->extra)
        buf_adds(out, p->extra);
    if (p->type)
        answer_add_attr(out, "type", p->type);
    if (p->condition)
        answer_add_attr(out, "condition", p->condition);
    if (p->stream)
        answer_add_attr(out, "stream", p->stream);
    if (p->ack)
        buf_printf(out, " ack='%" PRIu64 "'", p->ack);
    if (p->report)
        buf_printf(out, " report='%" PRIu64 "' time='%" PRId64 "'", p->report,
                   p->report_age_ms);
    if (!p->payload_len && !p->payload2_len) {
        buf_adds(out, "/>");
        return;
    }
    buf_addc(out, '>');
    buf_add(out, p->payload, p->payload_len);
    buf_add(out, p->payload2, p->payload2_len);
    buf_adds(out, "</body>");
}

/* ------------------------------------------------------------ the outbox */

static void release(struct answer *a)
{
    answer_bytes_drop(a->body);
    free(a->allow_headers);
    memset(a, 0, sizeof *a);
}

void answer_box_release(struct answer_box *box)
{
    for (size_t i = 0; i < box->count; i++)
        release(&box->items[(box->first + i) % box->cap]);
    release(&box->taken);
    free(box->items);
    memset(box, 0, sizeof *box);
}

static void grow(struct answer_box *box)
{
    size_t cap = box->cap ? 2 * box->cap : 8;
    struct answer *items = mem_alloc(cap * sizeof *items);

    for (size_t i = 0; i < box->count; i++)
        items[i] = box->items[(box->first + i) % box->cap];
    free(box->items);
    box->items = items;
    box->first = 0;
    box->cap = cap;
}

struct answer *answer_box_add(struct answer_box *box)
{
    struct answer *a;

    if (box->count == box->cap)
        grow(box);
    a = &box->items[(box->first + box->count++) % box->cap];
    memset(a, 0, sizeof *a);
    return a;
}

static void add_header(struct answer_box *box, size_t *count, const char *name,
                       const char *value)
{
    box->headers[*count].name = name;
    box->headers[*count].value = value;
    (*count)++;
}

/* No cookies, no credentials: any origin may read, and * says so. */
static size_t write_headers(struct answer_box *box)
{
    const struct answer *a = &box->taken;
    size_t count = 0;

    if (a->content_type[0])
        add_header(box, &count, "Content-Type", a->content_type);
    if (a->cors)
        add_header(box, &count, "Access-Control-Allow-Origin", "*");
    if (a->allow_headers) {
        add_header(box, &count, "Access-Control-Allow-Methods",
                   ALLOWED_METHODS);
        add_header(box, &count, "Access-Control-Allow-Headers",
                   a->allow_headers);
        add_header(box, &count, "Access-Control-Max-Age", PREFLIGHT_AGE_S);
    }
    if (a->allow)
        add_header(box, &count, "Allow", ALLOWED_METHODS);
    if (a->codings)
        add_header(box, &count, "Accept-Encoding", a->codings);
    return count;
}

int answer_box_take(struct answer_box *box, struct mock_answer *out)
{
    struct answer *a = &box->taken;

    release(a);
    if (!box->count)
        return 0;
    *a = box->items[box->first];
    box->first = (box->first + 1) % box->cap;
    box->count--;
    out->token = a->token;
    out->status = a->status;
    out->reason = a->reason;
    out->header_count = write_headers(box);
    out->headers = box->headers;
    out->body = a->body ? a->body->data : "";
    out->body_len = a->body ? a->body->len : 0;
    out->sid = a->sid;
    out->rid = a->rid;
    out->replay = a->replay;
    return 1;
}
