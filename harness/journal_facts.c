/* What the bytes of one request or response say: see journal_parts.h. */
#include "journal_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "common/coding.h"
#include "common/http.h"

const char *facts_kind_name(enum kind kind)
{
    switch (kind) {
    case KIND_OTHER:
        return "other";
    case KIND_OPTIONS:
        return "options";
    case KIND_TERMINATE:
        return "terminate";
    case KIND_PAUSE:
        return "pause";
    case KIND_RESTART:
        return "restart";
    case KIND_CREATE:
        return "create";
    case KIND_PAYLOAD:
        return "payload";
    case KIND_POLL:
        return "poll";
    case KIND_ADD_STREAM:
        return "add-stream";
    case KIND_CLOSE_STREAM:
        return "close-stream";
    }
    return "";
}

bool facts_is_number(const char *text)
{
    return text && *text && !text[strspn(text, "0123456789")];
}

xmlNodePtr facts_body(const xmlNode *message)
{
    return message ? xml_child(message, XML_NS_HTTPBIND, "body") : NULL;
}

size_t facts_payloads(const xmlNode *body)
{
    size_t count = 0;

    for (xmlNodePtr n = xml_child(body, NULL, NULL); n; n = xml_next(n))
        count++;
    return count;
}

/* Entities with the same bytes, once decoded, have the same number, from 1. */
static unsigned body_class(struct journal *j, const struct buf *body)
{
    static const char digits[] = "0123456789abcdef";
    char key[2 * SHA256_DIGEST_SIZE + 1];
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx ctx;
    void *found;

    sha256_init(&ctx);
    sha256_update(&ctx, body->len, (const uint8_t *)buf_str(body));
    sha256_digest(&ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        key[2 * i] = digits[digest[i] >> 4];
        key[2 * i + 1] = digits[digest[i] & 15];
    }
    key[sizeof key - 1] = '\0';
    found = xmlHashLookup(j->bodies, (const xmlChar *)key);
    if (!found) {
        found = (void *)(uintptr_t)++j->body_count;
        xmlHashAddEntry(j->bodies, (const xmlChar *)key, found);
    }
    return (unsigned)(uintptr_t)found;
}

/* "text/xml" and "utf-8" of a Content-Type, in small letters. */
static void put_media(xmlNodePtr node, const char *value)
{
    struct buf low = BUF_INIT;
    char *charset;

    for (; *value; value++) {
        if (!isspace((unsigned char)*value) && *value != '"')
            buf_addc(&low, (char)tolower((unsigned char)*value));
    }
    charset = strstr(buf_str(&low), ";charset=");
    if (charset) {
        charset += strlen(";charset=");
        charset[strcspn(charset, ";")] = '\0';
        journal_put(node, "charset", charset);
    }
    if (low.len) {
        low.data[strcspn(low.data, ";")] = '\0';
        journal_put(node, "media", low.data);
    }
    buf_release(&low);
}

static void put_headers(xmlNodePtr node, const struct http_message *m)
{
    const char *type = http_header(m, "Content-Type");
    const char *encoding = http_header(m, "Content-Encoding");

    if (type) {
        journal_put(node, "content-type", type);
        put_media(node, type);
    }
    if (encoding)
        journal_put(node, "content-encoding", encoding);
    if (m->chunked)
        journal_put(node, "chunked", "yes");
    for (size_t i = 0; i < m->header_count; i++) {
        xmlNodePtr h = xmlNewChild(node, NULL, (const xmlChar *)"header", NULL);

        journal_put(h, "name", m->headers[i].name);
        journal_put(h, "value", m->headers[i].value);
    }
}

static void put_xml_facts(xmlNodePtr node, const struct xml_facts *facts)
{
    if (facts->comment)
        journal_put(node, "comment", "yes");
    if (facts->pi)
        journal_put(node, "pi", "yes");
    if (facts->doctype)
        journal_put(node, "doctype", "yes");
    if (facts->bom)
        journal_put(node, "bom", "yes");
    if (facts->encoding[0])
        journal_put(node, "encoding", facts->encoding);
}

/* XEP-0124 §6: between the payloads stand no characters but white space. */
static void put_text_facts(xmlNodePtr node, const xmlNode *body)
{
    for (const xmlNode *n = body->children; n; n = n->next) {
        const char *text = (const char *)n->content;

        if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) &&
            text && text[strspn(text, " \t\r\n")]) {
            journal_put(node, "text", "yes");
            return;
        }
    }
}

static void put_entity(struct journal *j, xmlNodePtr node,
                       const struct buf *body)
{
    struct xml_facts facts;
    struct err e = {""};
    xmlDocPtr doc;

    memset(&facts, 0, sizeof facts);
    if (!body->len)
        return;
    doc = xml_parse(buf_str(body), body->len, &facts, &e);
    put_xml_facts(node, &facts);
    if (!doc) {
        journal_put(node, "error", e.text);
        return;
    }
    xmlAddChild(node, xmlDocCopyNode(xmlDocGetRootElement(doc), j->doc, 1));
    xmlFreeDoc(doc);
    if (facts_body(node))
        put_text_facts(node, facts_body(node));
}

/* Broken framing, and not only cut short. */
static bool is_malformed(enum http_kind kind, const char *data, size_t len,
                         bool no_body)
{
    struct http_message m;
    size_t used;
    bool bad =
        http_read(kind, data, len, no_body, false, &m, &used, NULL) == HTTP_BAD;

    http_message_release(&m);
    return bad;
}

/*
 * The entity as it is meant: without gzip or deflate, where it says so. plain
 * is filled in, or stays empty when there is nothing to undo.
 *
 * Returns the entity to be looked at; NULL: it could not be undone.
 */
static const struct buf *
undo_coding(xmlNodePtr node, const struct http_message *m, struct buf *plain)
{
    const char *name = http_header(m, "Content-Encoding");
    enum coding coding = name ? coding_of(name) : CODING_NONE;
    struct err e = {""};

    if (coding == CODING_NONE || coding == CODING_OTHER)
        return &m->body;
    journal_put(node, "coding", coding_name(coding));
    if (!m->body.len)
        return &m->body;
    if (coding_decode(plain, coding, buf_str(&m->body), m->body.len,
                      HTTP_MAX_BODY, &e)) {
        journal_put(node, "undecoded", e.text);
        return NULL;
    }
    journal_put_number(node, "decoded-length", (long long)plain->len);
    return plain;
}

/* Returns the class of what the entity holds: the same body in another coding,
 * or packed anew, is the same (XEP-0124 §14.3). */
static unsigned put_whole(struct journal *j, xmlNodePtr node,
                          const struct http_message *m)
{
    struct buf plain = BUF_INIT;
    const struct buf *entity;
    unsigned class;

    journal_put_number(node, "length", (long long)m->body.len);
    entity = undo_coding(node, m, &plain);
    class = body_class(j, entity ? entity : &m->body);
    journal_put_number(node, "body-id", class);
    if (entity)
        put_entity(j, node, entity);
    buf_release(&plain);
    return class;
}

/* Bytes to attributes and children. Returns the entity's class, 0 when the
 * entity is not whole. */
static unsigned put_message(struct journal *j, xmlNodePtr node,
                            enum http_kind kind, const char *data, size_t len,
                            bool no_body, const char *problem)
{
    struct err e = {""};
    struct http_message m;
    enum http_progress got;
    unsigned class = 0;
    size_t used = 0;

    memset(&m, 0, sizeof m);
    got = http_read(kind, data ? data : "", len, no_body, true, &m, &used, &e);
    if (kind == HTTP_REQUEST && m.method[0]) {
        journal_put(node, "method", m.method);
        journal_put(node, "target", m.target);
    } else if (kind == HTTP_RESPONSE && m.status) {
        journal_put_number(node, "status", m.status);
        journal_put(node, "reason", m.reason);
    }
    if (got == HTTP_HEAD || got == HTTP_WHOLE) {
        xml_setf(node, "version", "1.%d", m.minor);
        put_headers(node, &m);
    }
    if (got == HTTP_WHOLE) {
        class = put_whole(j, node, &m);
        if (used < len)
            journal_put_number(node, "extra", (long long)(len - used));
    }
    if (problem || got == HTTP_BAD)
        journal_put(node, "problem", problem ? problem : e.text);
    http_message_release(&m);
    if (got == HTTP_BAD && is_malformed(kind, data ? data : "", len, no_body))
        journal_put(node, "malformed", "yes");
    return class;
}

/* A positiveInteger may be spelled with a sign and with zeros in front (XML
 * Schema, part 2): rid is what it means, rid-form how it is spelled. */
static void put_rid(xmlNodePtr node, const char *text)
{
    const char *digits = text + (*text == '+');
    const char *form = digits > text ? "signed" : "plain";

    if (!facts_is_number(digits) || !digits[strspn(digits, "0")]) {
        journal_put(node, "rid", text);
        journal_put(node, "rid-form", "bad");
        return;
    }
    if (*digits == '0' && digits == text)
        form = "padded";
    journal_put(node, "rid", digits + strspn(digits, "0"));
    journal_put(node, "rid-form", form);
}

static enum kind kind_of(const xmlNode *req, const xmlNode *body)
{
    const char *method = xml_attr(req, NULL, "method");
    const char *type, *sid, *restart;

    if (method && strcmp(method, "OPTIONS") == 0)
        return KIND_OPTIONS;
    if (!body)
        return KIND_OTHER;
    type = xml_attr(body, NULL, "type");
    sid = xml_attr(body, NULL, "sid");
    restart = xml_attr(body, XML_NS_XBOSH, "restart");
    if (type && strcmp(type, "terminate") == 0)
        return KIND_TERMINATE;
    if (xml_attr(body, NULL, "pause"))
        return KIND_PAUSE;
    if (restart && (strcmp(restart, "true") == 0 || strcmp(restart, "1") == 0))
        return KIND_RESTART;
    if (!sid || !*sid)
        return KIND_CREATE;
    return xml_child(body, NULL, NULL) ? KIND_PAYLOAD : KIND_POLL;
}

void facts_request(struct journal *j, struct journal_x *x, const char *data,
                   size_t len, const char *problem)
{
    const char *method;
    xmlNodePtr body;

    x->req = xmlNewChild(x->node, NULL, (const xmlChar *)"req", NULL);
    x->request_body =
        put_message(j, x->req, HTTP_REQUEST, data, len, false, problem);
    journal_order(x->node, x->req, ORDER_REQ);
    body = facts_body(x->req);
    x->kind = kind_of(x->req, body);
    method = xml_attr(x->req, NULL, "method");
    /* a case may write a body into a GET, which makes no session */
    if (j->role == ROLE_SERVER && x->kind != KIND_OPTIONS && method &&
        strcmp(method, "POST") != 0)
        x->kind = KIND_OTHER;
    if (method)
        journal_put(x->node, "method", method);
    journal_put(x->node, "kind", facts_kind_name(x->kind));
    if (!body)
        return;
    if (xml_attr(body, NULL, "rid"))
        put_rid(x->node, xml_attr(body, NULL, "rid"));
    if (xml_attr(body, NULL, "sid"))
        journal_put(x->node, "sid", xml_attr(body, NULL, "sid"));
    journal_put(x->node, "empty", xml_child(body, NULL, NULL) ? "no" : "yes");
    journal_put_number(x->node, "payloads", (long long)facts_payloads(body));
}

xmlNodePtr facts_response(struct journal *j, struct journal_x *x,
                          const char *name, const char *data, size_t len,
                          const char *problem, unsigned *body_id)
{
    xmlNodePtr node = xmlNewChild(x->node, NULL, (const xmlChar *)name, NULL);
    const char *method = xml_attr(x->node, NULL, "method");
    bool no_body = method && strcmp(method, "HEAD") == 0;

    *body_id = put_message(j, node, HTTP_RESPONSE, data, len, no_body, problem);
    journal_order(x->node, node,
                  strcmp(name, "res") == 0 ? ORDER_RES : ORDER_ANSWER);
    return node;
}
