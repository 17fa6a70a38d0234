/* Stanzas as the server writes them: see stanza.h. */
#include "stanza.h"

#include <string.h>

#include "common/xml.h"

#define NS_DISCO_INFO "http://jabber.org/protocol/disco#info"
#define NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"

bool stanza_is_named(const xmlNode *node, const char *name)
{
    return xml_is(node, XML_NS_CLIENT, name) ||
           xml_is(node, XML_NS_HTTPBIND, name);
}

bool stanza_is(const xmlNode *node)
{
    return stanza_is_named(node, "message") || stanza_is_named(node, "iq") ||
           stanza_is_named(node, "presence");
}

const char *stanza_type(const xmlNode *node)
{
    const char *type = xml_attr(node, NULL, "type");

    return type ? type : "";
}

static void renamespace(xmlNodePtr node, xmlNsPtr ns)
{
    if (node->type != XML_ELEMENT_NODE)
        return;
    if (node->ns && strcmp((const char *)node->ns->href, XML_NS_HTTPBIND) == 0)
        node->ns = ns;
    for (xmlNodePtr child = node->children; child; child = child->next)
        renamespace(child, ns);
}

/* A default namespace that the node itself declares, or NULL. */
static xmlNsPtr own_default(const xmlNode *node)
{
    for (xmlNsPtr ns = node->nsDef; ns; ns = ns->next) {
        if (!ns->prefix)
            return ns;
    }
    return NULL;
}

void stanza_normalize(xmlNodePtr node)
{
    xmlNsPtr own = own_default(node);

    if (!node->ns || strcmp((const char *)node->ns->href, XML_NS_HTTPBIND) != 0)
        return;
    if (own && own == node->ns) { /* all below that use it change with it */
        xmlFree((xmlChar *)own->href);
        own->href = xmlStrdup((const xmlChar *)XML_NS_CLIENT);
        return;
    }
    own = xmlNewNs(node, (const xmlChar *)XML_NS_CLIENT,
                   own ? (const xmlChar *)"client" : NULL);
    if (own)
        renamespace(node, own);
}

static void add_attr(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addc(out, ' ');
    buf_adds(out, name);
    buf_adds(out, "='");
    buf_add_xml(out, value, strlen(value));
    buf_addc(out, '\'');
}

static void add_start(struct buf *out, const char *name, const char *type,
                      const char *id, const char *from, const char *to)
{
    buf_addc(out, '<');
    buf_adds(out, name);
    buf_adds(out, " xmlns='" XML_NS_CLIENT "'");
    add_attr(out, "type", type);
    add_attr(out, "id", id);
    add_attr(out, "from", from);
    add_attr(out, "to", to);
}

void stanza_result(struct buf *out, const xmlNode *iq, const char *from,
                   const char *to, const char *payload)
{
    add_start(out, "iq", "result", xml_attr(iq, NULL, "id"), from, to);
    if (!payload) {
        buf_adds(out, "/>");
        return;
    }
    buf_addc(out, '>');
    buf_adds(out, payload);
    buf_adds(out, "</iq>");
}

static bool may_be_answered(const xmlNode *stanza)
{
    const char *type = stanza_type(stanza);

    if (strcmp(type, "error") == 0)
        return false;
    return !stanza_is_named(stanza, "iq") || strcmp(type, "result") != 0;
}

void stanza_error(struct buf *out, const xmlNode *stanza, const char *to,
                  const char *type, const char *condition)
{
    if (!may_be_answered(stanza))
        return;
    add_start(out, (const char *)stanza->name, "error",
              xml_attr(stanza, NULL, "id"), xml_attr(stanza, NULL, "to"), to);
    buf_printf(out,
               "><error type='%s'><%s xmlns='" STANZA_NS_ERRORS
               "'/></error></%s>",
               type, condition, (const char *)stanza->name);
}

void stanza_forward(struct buf *out, xmlNodePtr stanza, const char *from,
                    const char *to)
{
    stanza_normalize(stanza);
    xml_set(stanza, "from", from);
    if (to)
        xml_set(stanza, "to", to);
    xml_write(out, stanza);
}

/* What the server knows to answer. */
static const struct {
    const char *type; /* of the iq */
    const char *ns;
    const char *name;
    const char *result;    /* XML; NULL: an empty result */
    const char *condition; /* an error instead; NULL: none */
} known[] = {
    {"set", XML_NS_SESSION, "session", NULL, NULL},
    {"get", XML_NS_PING, "ping", NULL, NULL},
    {"get", XML_NS_ROSTER, "query", "<query xmlns='" XML_NS_ROSTER "'/>", NULL},
    {"set", XML_NS_ROSTER, "query", NULL, "feature-not-implemented"},
    {"get", NS_DISCO_INFO, "query",
     "<query xmlns='" NS_DISCO_INFO "'>"
     "<identity category='server' type='im' name='boshspec mock'/>"
     "<feature var='" NS_DISCO_INFO "'/><feature var='" NS_DISCO_ITEMS "'/>"
     "<feature var='" XML_NS_PING "'/></query>",
     NULL},
    {"get", NS_DISCO_ITEMS, "query", "<query xmlns='" NS_DISCO_ITEMS "'/>",
     NULL},
};

void stanza_answer_iq(struct buf *out, const xmlNode *iq, const char *jid)
{
    const char *type = stanza_type(iq);
    const xmlNode *child = xml_child(iq, NULL, NULL);

    if (strcmp(type, "get") != 0 && strcmp(type, "set") != 0) {
        if (strcmp(type, "result") != 0)
            stanza_error(out, iq, jid, "modify", "bad-request");
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].type, type) != 0 ||
            !xml_is(child, known[i].ns, known[i].name))
            continue;
        if (known[i].condition)
            stanza_error(out, iq, jid, "cancel", known[i].condition);
        else
            stanza_result(out, iq, xml_attr(iq, NULL, "to"), jid,
                          known[i].result);
        return;
    }
    stanza_error(out, iq, jid, "cancel", "service-unavailable");
}
