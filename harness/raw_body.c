/* Requests as bytes for the raw client: see raw_body.h. */
#include "raw_body.h"

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

/* Ours, unless the case has one of that name. */
static size_t own_headers(struct http_header *all, const struct raw_request *r)
{
    const struct http_header ours[] = {
        {"Host", r->host},
        {"User-Agent", "boshspec/" BOSHSPEC_VERSION},
        {"Content-Type", r->entity_len ? "text/xml; charset=utf-8" : NULL},
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        bool replaced = !ours[i].value;

        for (size_t k = 0; k < r->header_count; k++)
            replaced |= strcasecmp(r->headers[k].name, ours[i].name) == 0;
        if (!replaced)
            all[count++] = ours[i];
    }
    return count;
}

void raw_request_write(struct buf *out, const struct raw_request *r)
{
    struct http_header *all = mem_alloc((r->header_count + 3) * sizeof *all);
    size_t count = own_headers(all, r);

    for (size_t i = 0; i < r->header_count; i++) {
        if (r->headers[i].value[0])
            all[count++] = r->headers[i];
    }
    http_write_request(out, r->method ? r->method : "POST", r->target, r->minor,
                       all, count, r->entity, r->entity_len);
    free(all);
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
