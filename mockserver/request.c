/* Reads a request <body/>: see request.h. */
#include "request.h"

#include <string.h>

#include "common/xml.h"
#include "mock.h"

#define XML_NS_XML "http://www.w3.org/XML/1998/namespace"

#define UNSIGNED_SHORT 65535
#define UNSIGNED_BYTE 255
#define VERSION_PART 9999

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* An unsigned decimal as XML Schema writes it: white space around, perhaps a
 * plus sign. Returns 0, or -1 when it is none or above max. */
static int parse_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    while (is_space(*text))
        text++;
    if (*text == '+')
        text++;
    if (*text < '0' || *text > '9')
        return -1;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (n > (max - digit) / 10)
            return -1;
        n = n * 10 + digit;
    }
    while (is_space(*text))
        text++;
    if (*text)
        return -1;
    *out = n;
    return 0;
}

int request_parse_rid(const char *text, uint64_t *out)
{
    uint64_t rid;

    if (parse_number(text, REQUEST_RID_MAX, &rid) < 0 || rid == 0)
        return -1;
    *out = rid;
    return 0;
}

/* One part of a version; moves on past it. */
static int version_part(const char **text, int *out)
{
    int n = 0;

    if (**text < '0' || **text > '9')
        return -1;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        n = n * 10 + (**text - '0');
        if (n > VERSION_PART)
            return -1;
    }
    *out = n;
    return 0;
}

/* Major and minor are two integers, not one decimal: 1.10 is above 1.9. */
int request_parse_ver(const char *text, int *major, int *minor)
{
    int a, b;

    if (version_part(&text, &a) < 0 || *text++ != '.' ||
        version_part(&text, &b) < 0 || *text)
        return -1;
    *major = a;
    *minor = b;
    return 0;
}

/* An optional numeric attribute; -1 stays where it is absent. */
static int read_number(const xmlNode *body, const char *name, int max, int *out,
                       struct err *e)
{
    const char *text = xml_attr(body, NULL, name);
    uint64_t n;

    if (!text)
        return 0;
    if (parse_number(text, (uint64_t)max, &n) < 0)
        return err_set(e, "'%s' is not a number of 0 to %d", name, max);
    *out = (int)n;
    return 0;
}

static int read_rid(const xmlNode *body, const char *name, uint64_t *out,
                    struct err *e)
{
    const char *text = xml_attr(body, NULL, name);

    if (text && request_parse_rid(text, out) < 0)
        return err_set(e, "'%s' is not a request ID", name);
    return 0;
}

static int read_ver(struct request *r, struct err *e)
{
    const char *text = xml_attr(r->body, NULL, "ver");

    r->ver_major = r->ver_minor = -1;
    if (text && request_parse_ver(text, &r->ver_major, &r->ver_minor) < 0)
        return err_set(e, "'ver' is not major.minor");
    return 0;
}

static bool is_true(const char *text)
{
    return text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

static void read_strings(struct request *r)
{
    const xmlNode *body = r->body;
    const char *type = xml_attr(body, NULL, "type");

    r->sid = xml_attr(body, NULL, "sid");
    r->to = xml_attr(body, NULL, "to");
    r->from = xml_attr(body, NULL, "from");
    r->lang = xml_attr(body, XML_NS_XML, "lang");
    r->content = xml_attr(body, NULL, "content");
    r->route = xml_attr(body, NULL, "route");
    r->stream = xml_attr(body, NULL, "stream");
    r->key = xml_attr(body, NULL, "key");
    r->newkey = xml_attr(body, NULL, "newkey");
    r->xmpp_version = xml_attr(body, XML_NS_XBOSH, "version");
    r->restart = is_true(xml_attr(body, XML_NS_XBOSH, "restart"));
    r->terminate = type && strcmp(type, "terminate") == 0;
}

static int read_numbers(struct request *r, struct err *e)
{
    r->wait_s = r->hold = r->pause_s = -1;
    if (read_rid(r->body, "rid", &r->rid, e) < 0 ||
        read_number(r->body, "wait", UNSIGNED_SHORT, &r->wait_s, e) < 0 ||
        read_number(r->body, "hold", UNSIGNED_BYTE, &r->hold, e) < 0 ||
        read_number(r->body, "pause", UNSIGNED_SHORT, &r->pause_s, e) < 0)
        return -1;
    /* ack='0' says no at creation; nothing forbids it, §9 */
    if (xml_attr(r->body, NULL, "ack") &&
        strcmp(xml_attr(r->body, NULL, "ack"), "0") != 0 &&
        read_rid(r->body, "ack", &r->ack, e) < 0)
        return -1;
    return read_ver(r, e);
}

static bool is_blank(const xmlChar *text)
{
    while (text && *text) {
        if (!is_space((char)*text++))
            return false;
    }
    return true;
}

/* Only whole elements may stand in the body; white space is let through. */
static int read_payloads(struct request *r, struct err *e)
{
    for (xmlNodePtr n = r->body->children; n; n = n->next) {
        if (n->type == XML_ELEMENT_NODE) {
            if (++r->payload_count > MOCK_MAX_PAYLOADS)
                return err_set(e, "more than %d payloads", MOCK_MAX_PAYLOADS);
        } else if (n->type == XML_ENTITY_REF_NODE || !is_blank(n->content)) {
            return err_set(e, "text between the payloads");
        }
    }
    return 0;
}

static int read_body(struct request *r, const struct xml_facts *facts,
                     struct err *e)
{
    if (facts->doctype || facts->comment || facts->pi)
        return err_set(e, "a comment, processing instruction or DTD");
    r->body = xmlDocGetRootElement(r->doc);
    if (!xml_is(r->body, XML_NS_HTTPBIND, "body"))
        return err_set(e, "the root is not a BOSH 'body'");
    read_strings(r);
    if (read_numbers(r, e) < 0)
        return -1;
    return read_payloads(r, e);
}

int request_read(struct request *r, const char *bytes, size_t len,
                 struct err *e)
{
    struct request made = {0};
    struct xml_facts facts;

    if (len > MOCK_MAX_BODY)
        return err_set(e, "more than %u bytes", MOCK_MAX_BODY);
    made.doc = xml_parse(bytes, len, &facts, e);
    if (!made.doc)
        return -1;
    if (read_body(&made, &facts, e) < 0) {
        request_release(&made);
        return -1;
    }
    *r = made;
    return 0;
}

void request_release(struct request *r)
{
    xmlFreeDoc(r->doc);
    memset(r, 0, sizeof *r);
}

xmlNodePtr request_first_payload(const struct request *r)
{
    return xml_child(r->body, NULL, NULL);
}

bool request_is_empty(const struct request *r)
{
    return r->payload_count == 0 && !r->restart && !r->terminate &&
           r->pause_s < 0;
}
