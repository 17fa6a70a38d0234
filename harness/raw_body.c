/* Requests as bytes for the raw client: see raw_body.h. */
#include "raw_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/xml.h"

void raw_body_init(struct raw_body *b)
{
    b->attrs = NULL;
    b->count = 0;
    raw_body_set(b, "xmlns", XML_NS_HTTPBIND);
}

void raw_body_release(struct raw_body *b)
{
    for (size_t i = 0; i < b->count; i++) {
        free(b->attrs[i].name);
        free(b->attrs[i].value);
    }
    free(b->attrs);
    b->attrs = NULL;
    b->count = 0;
}

void raw_body_set(struct raw_body *b, const char *name, const char *value)
{
    if (!value)
        return;
    for (size_t i = 0; i < b->count; i++) {
        if (strcmp(b->attrs[i].name, name) == 0) {
            char *copy = mem_dup(value);

            free(b->attrs[i].value);
            b->attrs[i].value = copy;
            return;
        }
    }
    b->attrs = mem_grow(b->attrs, (b->count + 1) * sizeof *b->attrs);
    b->attrs[b->count].name = mem_dup(name);
    b->attrs[b->count].value = mem_dup(value);
    b->count++;
}

void raw_body_drop(struct raw_body *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++) {
        if (strcmp(b->attrs[i].name, name) != 0)
            continue;
        free(b->attrs[i].name);
        free(b->attrs[i].value);
        b->count--;
        memmove(&b->attrs[i], &b->attrs[i + 1],
                (b->count - i) * sizeof *b->attrs);
        return;
    }
}

static bool needs_xmpp(const struct raw_body *b)
{
    bool used = false;

    for (size_t i = 0; i < b->count; i++) {
        if (strcmp(b->attrs[i].name, "xmlns:xmpp") == 0)
            return false;
        used |= strncmp(b->attrs[i].name, "xmpp:", 5) == 0;
    }
    return used;
}

void raw_body_write(struct buf *out, const struct raw_body *b,
                    const char *payload, size_t payload_len)
{
    buf_adds(out, "<body");
    for (size_t i = 0; i < b->count; i++) {
        const struct raw_attr *a = &b->attrs[i];

        buf_printf(out, " %s='", a->name);
        buf_add_xml(out, a->value, strlen(a->value));
        buf_addc(out, '\'');
    }
    if (needs_xmpp(b))
        buf_adds(out, " xmlns:xmpp='" XML_NS_XBOSH "'");
    if (!payload || !payload_len) {
        buf_adds(out, "/>");
        return;
    }
    buf_addc(out, '>');
    buf_add(out, payload, payload_len);
    buf_adds(out, "</body>");
}

/* ---- HTTP ---- */

/* In chunks of about the same size, and the one that ends them. */
static void write_chunks(struct buf *out, const char *data, size_t len,
                         unsigned chunks)
{
    size_t step = (len + chunks - 1) / chunks;

    for (size_t at = 0; at < len; at += step) {
        size_t size = len - at < step ? len - at : step;

        buf_printf(out, "%zx\r\n", size);
        buf_add(out, data + at, size);
        buf_adds(out, "\r\n");
    }
    buf_adds(out, "0\r\n\r\n");
}

/* The entity as it goes over the wire. */
static void pack(struct buf *out, const struct raw_request *r)
{
    struct buf packed = BUF_INIT;

    if (r->coding == CODING_GZIP || r->coding == CODING_DEFLATE)
        coding_encode(&packed, r->coding, r->entity, r->entity_len);
    else if (r->entity_len)
        buf_add(&packed, r->entity, r->entity_len);
    if (r->chunks)
        write_chunks(out, buf_str(&packed), packed.len, r->chunks);
    else
        buf_add(out, buf_str(&packed), packed.len);
    buf_release(&packed);
}

static void write_header(struct buf *out, const char *name, const char *value)
{
    if (value && *value)
        buf_printf(out, "%s: %s\r\n", name, value);
}

/* Ours, unless the case has one of that name. */
static void write_own(struct buf *out, const struct raw_request *r,
                      const char *name, const char *value)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0)
            return;
    }
    write_header(out, name, value);
}

void raw_request_write(struct buf *out, const struct raw_request *r)
{
    const char *method = r->method ? r->method : "POST";
    struct buf entity = BUF_INIT;
    char len[24] = "";

    pack(&entity, r);
    if (!r->chunks && (entity.len || strcmp(method, "POST") == 0))
        snprintf(len, sizeof len, "%zu", entity.len);
    buf_printf(out, "%s %s HTTP/1.%d\r\n", method, r->target, r->minor);
    write_own(out, r, "Host", r->host);
    write_own(out, r, "User-Agent", "boshspec/" BOSHSPEC_VERSION);
    write_own(out, r, "Content-Type",
              r->entity_len ? "text/xml; charset=utf-8" : NULL);
    write_own(out, r, "Content-Encoding", coding_name(r->coding));
    for (size_t i = 0; i < r->header_count; i++)
        write_header(out, r->headers[i].name, r->headers[i].value);
    write_own(out, r, "Transfer-Encoding", r->chunks ? "chunked" : NULL);
    write_own(out, r, "Content-Length", len);
    buf_adds(out, "\r\n");
    buf_add(out, buf_str(&entity), entity.len);
    buf_release(&entity);
}

/* ---- reading our own ---- */

uint64_t raw_rid(const char *text)
{
    uint64_t n = 0;

    if (!text || !*text)
        return 0;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (*text < '0' || *text > '9' || n > (UINT64_MAX - digit) / 10)
            return 0;
        n = n * 10 + digit;
    }
    return n;
}

void raw_facts_read(struct raw_facts *f, const char *entity, size_t len)
{
    xmlDocPtr doc = len ? xml_parse(entity, len, NULL, NULL) : NULL;
    xmlNodePtr body = doc ? xmlDocGetRootElement(doc) : NULL;
    const char *type;

    memset(f, 0, sizeof *f);
    if (body && xml_is(body, XML_NS_HTTPBIND, "body")) {
        type = xml_attr(body, NULL, "type");
        f->is_body = true;
        f->sid = mem_dup(xml_attr(body, NULL, "sid"));
        f->rid = raw_rid(xml_attr(body, NULL, "rid"));
        f->terminate = type && strcmp(type, "terminate") == 0;
        f->empty = f->sid && !type && !xml_child(body, NULL, NULL) &&
                   !xml_attr(body, NULL, "pause") &&
                   !xml_attr(body, XML_NS_XBOSH, "restart");
    }
    xmlFreeDoc(doc);
}

void raw_facts_release(struct raw_facts *f)
{
    free(f->sid);
    memset(f, 0, sizeof *f);
}
