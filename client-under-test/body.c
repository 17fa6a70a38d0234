/* The <body/> element, client side: see body.h. */
#include "body.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bosh.h"
#include "common/coding.h"

/* Schema of XEP-0124 §22: wait, inactivity, polling and maxpause are
 * unsignedShort, hold and requests unsignedByte. */
#define SHORT_MAX 65535
#define BYTE_MAX 255

static void attr(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, " %s='", name);
    buf_add_xml(out, value, strlen(value));
    buf_addc(out, '\'');
}

void body_write_creation(struct buf *out, const struct body_creation *c)
{
    buf_adds(out, "<body");
    if (c->ack)
        attr(out, "ack", "1");
    if (c->content)
        attr(out, "content", c->content);
    buf_printf(out, " hold='%d'", c->hold);
    if (c->newkey)
        attr(out, "newkey", c->newkey);
    buf_printf(out, " rid='%" PRIu64 "'", c->rid);
    if (c->route)
        attr(out, "route", c->route);
    attr(out, "to", c->to);
    attr(out, "ver", BOSH_PROTOCOL_VERSION);
    buf_printf(out, " wait='%d'", c->wait_s);
    attr(out, "xml:lang", c->lang);
    attr(out, "xmlns", XML_NS_HTTPBIND);
    attr(out, "xmlns:xmpp", XML_NS_XBOSH);
    buf_adds(out, " xmpp:version='1.0'/>");
}

void body_write(struct buf *out, const struct body_request *r)
{
    const char *to = r->open_to ? r->open_to : r->restart_to;

    buf_adds(out, "<body");
    if (r->ack > 0)
        buf_printf(out, " ack='%" PRIu64 "'", r->ack);
    if (r->from)
        attr(out, "from", r->from);
    if (r->key)
        attr(out, "key", r->key);
    if (r->newkey)
        attr(out, "newkey", r->newkey);
    if (r->pause_s > 0)
        buf_printf(out, " pause='%d'", r->pause_s);
    buf_printf(out, " rid='%" PRIu64 "'", r->rid);
    if (r->route)
        attr(out, "route", r->route);
    attr(out, "sid", r->sid);
    if (r->stream)
        attr(out, "stream", r->stream);
    if (to)
        attr(out, "to", to);
    if (r->terminate)
        attr(out, "type", "terminate");
    if (to)
        attr(out, "xml:lang", r->lang);
    attr(out, "xmlns", XML_NS_HTTPBIND);
    if (to)
        attr(out, "xmlns:xmpp", XML_NS_XBOSH);
    if (r->restart_to)
        attr(out, "xmpp:restart", "true");
    if (r->open_to)
        attr(out, "xmpp:version", "1.0");
    if (r->payload_len == 0) {
        buf_adds(out, "/>");
        return;
    }
    buf_addc(out, '>');
    buf_add(out, r->payload, r->payload_len);
    buf_adds(out, "</body>");
}

/* An attribute as a whole number of 0 to max, else -1. */
static int64_t number(const xmlNode *root, const char *name, int64_t max)
{
    const char *text = xml_attr(root, NULL, name);
    int64_t value = 0;

    if (!text || !*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > max / 10)
            return -1;
        value = value * 10 + (*text - '0');
        if (value > max)
            return -1;
    }
    return value;
}

static int small(const xmlNode *root, const char *name, int max)
{
    return (int)number(root, name, max);
}

/* XEP-0124 §9.2. */
static void read_report(struct body *b)
{
    int64_t report = number(b->root, "report", (int64_t)BOSH_RID_MAX);
    int64_t time_ms = number(b->root, "time", INT32_MAX);

    b->report = report > 0 ? (uint64_t)report : 0;
    b->time_ms = time_ms > 0 ? time_ms : 0;
}

static void read_attrs(struct body *b)
{
    b->type = xml_attr(b->root, NULL, "type");
    b->condition = xml_attr(b->root, NULL, "condition");
    b->sid = xml_attr(b->root, NULL, "sid");
    if (b->sid && !*b->sid)
        b->sid = NULL;
    b->stream = xml_attr(b->root, NULL, "stream");
    b->wait_s = small(b->root, "wait", SHORT_MAX);
    b->hold = small(b->root, "hold", BYTE_MAX);
    b->requests = small(b->root, "requests", BYTE_MAX);
    b->inactivity_s = small(b->root, "inactivity", SHORT_MAX);
    b->polling_s = small(b->root, "polling", SHORT_MAX);
    b->maxpause_s = small(b->root, "maxpause", SHORT_MAX);
    b->takes_gzip =
        coding_listed(xml_attr(b->root, NULL, "accept"), CODING_GZIP);
    read_report(b);
}

/* XEP-0124 §6 knows none of these, so a body that has one is not the
 * manager's, or was damaged on its way. Blank text is harmless. */
static const char *what_is_wrong(xmlNodePtr root, const struct xml_facts *facts)
{
    const xmlNode *node;

    if (!xml_is(root, XML_NS_HTTPBIND, "body"))
        return "the answer is not a BOSH body";
    if (facts->comment)
        return "there is a comment in the answer";
    if (facts->pi)
        return "there is a processing instruction in the answer";
    for (node = root->children; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE && !xmlIsBlankNode(node))
            return "there is text between the payloads";
    }
    return NULL;
}

struct body *body_read(const char *data, size_t len, struct err *e)
{
    struct err why = {""};
    struct xml_facts facts;
    const char *wrong;
    struct body *b;
    xmlDocPtr doc;

    if (len == 0 || len > BOSH_BODY_MAX) {
        err_set(e, len ? "the answer is too long" : "the answer is empty");
        return NULL;
    }
    doc = xml_parse(data, len, &facts, &why);
    if (!doc) {
        err_set(e, "the answer is not well-formed: %s", why.text);
        return NULL;
    }
    wrong = what_is_wrong(xmlDocGetRootElement(doc), &facts);
    if (wrong) {
        err_set(e, "%s", wrong);
        xmlFreeDoc(doc);
        return NULL;
    }
    b = mem_alloc(sizeof *b);
    b->doc = doc;
    b->root = xmlDocGetRootElement(doc);
    read_attrs(b);
    return b;
}

void body_free(struct body *b)
{
    if (!b)
        return;
    xmlFreeDoc(b->doc);
    free(b);
}

bool body_terminates(const struct body *b)
{
    return b->type && strcmp(b->type, "terminate") == 0;
}

bool body_is_error(const struct body *b)
{
    return b->type && strcmp(b->type, "error") == 0;
}

bool body_has_payload(const struct body *b)
{
    return xml_child(b->root, NULL, NULL) != NULL;
}

/* Put node and what is below it from BOSH's namespace into ns. No recursion:
 * how deep it goes is the peer's choice. */
static void move_to(xmlNodePtr top, xmlNsPtr ns)
{
    xmlNodePtr node = top;

    while (node) {
        if (node->type == XML_ELEMENT_NODE && node->ns &&
            strcmp((const char *)node->ns->href, XML_NS_HTTPBIND) == 0)
            node->ns = ns;
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
            continue;
        }
        while (node != top && !node->next)
            node = node->parent;
        node = node == top ? NULL : node->next;
    }
}

void body_write_payload(struct buf *out, xmlNodePtr payload)
{
    if (payload->ns &&
        strcmp((const char *)payload->ns->href, XML_NS_HTTPBIND) == 0) {
        xmlNsPtr ns = xmlNewNs(payload, (const xmlChar *)XML_NS_CLIENT, NULL);

        if (ns)
            move_to(payload, ns);
    }
    xml_write(out, payload);
}

static int check_stanza(const xmlNode *node, struct err *e)
{
    if (node->type == XML_TEXT_NODE && xmlIsBlankNode(node))
        return 0;
    if (node->type != XML_ELEMENT_NODE)
        return err_set(e, "there is text between the stanzas");
    if (node->ns && strcmp((const char *)node->ns->href, XML_NS_HTTPBIND) == 0)
        return err_set(e, "'%s' is in the namespace of BOSH itself",
                       (const char *)node->name);
    return 0;
}

static int write_children(struct buf *out, const xmlNode *root, struct err *e)
{
    const xmlNode *node;

    for (node = root->children; node; node = node->next) {
        if (check_stanza(node, e))
            return -1;
    }
    if (!xml_child(root, NULL, NULL))
        return err_set(e, "there is no stanza");
    for (node = xml_child(root, NULL, NULL); node; node = xml_next(node))
        xml_write(out, node);
    return 0;
}

int body_write_stanzas(struct buf *out, const char *xml, size_t len,
                       struct err *e)
{
    struct buf wrapped = BUF_INIT;
    struct xml_facts facts;
    xmlDocPtr doc;
    int rc = -1;

    /* The default namespace of what stands alone. */
    buf_adds(&wrapped, "<stanzas xmlns='" XML_NS_CLIENT "'>");
    buf_add(&wrapped, xml, len);
    buf_adds(&wrapped, "</stanzas>");
    doc = xml_parse(wrapped.data, wrapped.len, &facts, e);
    if (doc && (facts.comment || facts.pi))
        err_set(e, "comments and processing instructions are not allowed");
    else if (doc)
        rc = write_children(out, xmlDocGetRootElement(doc), e);
    xmlFreeDoc(doc);
    buf_release(&wrapped);
    return rc;
}
