/*
 * The only door to libxml2.
 *
 * Nothing is ever fetched, no DTD is loaded, no entity but the five of XML is
 * expanded, and the first error is the one that is kept: libxml2's later
 * messages are often consequences. What the process has set for all of
 * libxml2 (blanks, entities, loaders) changes nothing. Safe from several
 * threads once xml_init(), or xmlInitParser(), has returned.
 */
#ifndef COMMON_XML_H
#define COMMON_XML_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "buf.h"
#include "err.h"

#define XML_NS_HTTPBIND "http://jabber.org/protocol/httpbind"
#define XML_NS_XBOSH "urn:xmpp:xbosh"
#define XML_NS_STREAM "http://etherx.jabber.org/streams"
#define XML_NS_CLIENT "jabber:client"
#define XML_NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define XML_NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define XML_NS_SESSION "urn:ietf:params:xml:ns:xmpp-session"
#define XML_NS_PING "urn:xmpp:ping"
#define XML_NS_ROSTER "jabber:iq:roster"
#define XML_NS_CASE "urn:boshspec:case:1"

/* For programs, not for libbosh: these set what all of libxml2 goes by in the
 * process. Once, before any thread starts; and once at the end. */
void xml_init(void);
void xml_cleanup(void);

/* What a peer's entity holds besides elements, attributes and text: XEP-0124
 * §6 forbids these. Filled in as far as the parser came. */
struct xml_facts {
    bool doctype; /* also: the parse is given up, nothing is expanded */
    bool comment;
    bool pi; /* an XML declaration is none */
    bool bom;
    char encoding[32]; /* as declared; "" when it was not */
    int error_line;    /* of the first error; 0 for none */
    size_t depth;      /* deepest element */
};

/* The most that a peer may nest, write into one start tag (libxml2 compares
 * every attribute with every other) and put into one document, before the
 * parse is refused. */
#define XML_MAX_DEPTH 256
#define XML_MAX_ATTRS 256
#define XML_MAX_NODES 200000

/*
 * Parse a peer's bytes.
 *
 * facts  may be NULL
 * e      may be NULL; the first error, with its line
 *
 * Returns the document, yours, free with xmlFreeDoc(); NULL when it is not
 * well-formed, has a DOCTYPE, or goes beyond one of the limits above.
 */
xmlDocPtr xml_parse(const char *data, size_t len, struct xml_facts *facts,
                    struct err *e);

/* Parse one of our own files, keeping line numbers. Messages read
 * path:line: ... Returns as xml_parse(). */
xmlDocPtr xml_parse_file(const char *path, struct err *e);

/* Is it this element? ns may be NULL for no namespace. */
bool xml_is(const xmlNode *node, const char *ns, const char *name);

/* First child element of that name, or NULL. name NULL: any. ns NULL: any. */
xmlNodePtr xml_child(const xmlNode *node, const char *ns, const char *name);
/* Next sibling element; NULL at the end. */
xmlNodePtr xml_next(const xmlNode *node);

/* An attribute's value, or NULL. ns NULL: unqualified. Borrowed until the
 * attribute or the tree changes. Our documents hold no entities, so that a
 * value is always one text node. */
const char *xml_attr(const xmlNode *node, const char *ns, const char *name);

/* The text inside, yours, free with free(); "" when there is none. */
char *xml_text(const xmlNode *node);

/* The element as it must be written inside another document: namespaces that
 * it inherits are declared on it. Appended to out. */
void xml_write(struct buf *out, const xmlNode *node);

/* A new attribute or element by C strings; values are escaped as needed. */
void xml_set(xmlNodePtr node, const char *name, const char *value);
void xml_setf(xmlNodePtr node, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
