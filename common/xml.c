/* The only door to libxml2: see xml.h. */
#include "xml.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

/* Bytes go to the parser in pieces of this size, so that a document that is
 * to be refused is refused before all of it was read. */
#define PIECE_LEN 65536

struct parse {
    xmlParserCtxtPtr ctxt;
    struct xml_facts facts;
    size_t depth;
    size_t nodes;
    char first_error[512];
    int first_line;
    bool refused;
};

static void keep_first(struct parse *p, int line, const char *text)
{
    size_t len;

    if (p->first_error[0])
        return;
    len = strcspn(text, "\r\n");
    if (len >= sizeof p->first_error)
        len = sizeof p->first_error - 1;
    memcpy(p->first_error, text, len);
    p->first_error[len] = '\0';
    p->first_line = line;
}

static void refuse(struct parse *p, const char *text)
{
    keep_first(p, xmlSAX2GetLineNumber(p->ctxt), text);
    p->refused = true;
    xmlStopParser(p->ctxt);
}

static void on_error(void *user, xmlErrorPtr error)
{
    xmlParserCtxtPtr ctxt = user;
    struct parse *p = ctxt->_private;

    if (error->level >= XML_ERR_ERROR)
        keep_first(p, error->line, error->message ? error->message : "error");
}

/* What libxml2's converters find they tell without a context: to the thread's
 * listeners, or on stderr. The application's are put aside meanwhile. */
struct listeners {
    xmlStructuredErrorFunc structured;
    void *structured_ctx;
    xmlGenericErrorFunc generic;
    void *generic_ctx;
};

static void hear_structured(void *user, xmlErrorPtr error)
{
    (void)user;
    (void)error;
}

static void hear_generic(void *user, const char *fmt, ...)
{
    (void)user;
    (void)fmt;
}

static struct listeners silence(void)
{
    struct listeners before = {xmlStructuredError, xmlStructuredErrorContext,
                               xmlGenericError, xmlGenericErrorContext};

    xmlSetStructuredErrorFunc(NULL, hear_structured);
    xmlSetGenericErrorFunc(NULL, hear_generic);
    return before;
}

static void listen_again(const struct listeners *before)
{
    xmlSetStructuredErrorFunc(before->structured_ctx, before->structured);
    xmlSetGenericErrorFunc(before->generic_ctx, before->generic);
}

static void on_subset(void *user, const xmlChar *name, const xmlChar *id,
                      const xmlChar *system)
{
    xmlParserCtxtPtr ctxt = user;
    struct parse *p = ctxt->_private;

    (void)name;
    (void)id;
    (void)system;
    p->facts.doctype = true;
    refuse(p, "a document type declaration is not allowed");
}

static void on_comment(void *user, const xmlChar *text)
{
    xmlParserCtxtPtr ctxt = user;
    struct parse *p = ctxt->_private;

    p->facts.comment = true;
    xmlSAX2Comment(user, text);
}

static void on_pi(void *user, const xmlChar *target, const xmlChar *data)
{
    xmlParserCtxtPtr ctxt = user;
    struct parse *p = ctxt->_private;

    p->facts.pi = true;
    xmlSAX2ProcessingInstruction(user, target, data);
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri, int ns_count, const xmlChar **ns,
                     int attr_count, int defaulted, const xmlChar **attrs)
{
    xmlParserCtxtPtr ctxt = user;
    struct parse *p = ctxt->_private;

    if (++p->depth > p->facts.depth)
        p->facts.depth = p->depth;
    if (p->depth > XML_MAX_DEPTH) {
        refuse(p, "elements are nested too deeply");
        return;
    }
    if (++p->nodes > XML_MAX_NODES) {
        refuse(p, "there are too many elements");
        return;
    }
    xmlSAX2StartElementNs(user, name, prefix, uri, ns_count, ns, attr_count,
                          defaulted, attrs);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix,
                   const xmlChar *uri)
{
    xmlParserCtxtPtr ctxt = user;
    struct parse *p = ctxt->_private;

    if (p->depth)
        p->depth--;
    xmlSAX2EndElementNs(user, name, prefix, uri);
}

/* A context that calls our handlers; NULL when there is no memory. */
static xmlParserCtxtPtr new_context(struct parse *p, const char *path)
{
    xmlParserCtxtPtr ctxt = xmlCreatePushParserCtxt(NULL, NULL, NULL, 0, path);

    if (!ctxt)
        return NULL;
    /* HUGE: text may be longer than 10 MB. What libxml2 would else look after,
     * depth and number, on_start() and count_attributes() do. */
    xmlCtxtUseOptions(ctxt, XML_PARSE_NONET | XML_PARSE_BIG_LINES |
                                XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                XML_PARSE_HUGE);
    ctxt->_private = p;
    ctxt->linenumbers = 1;
    ctxt->keepBlanks = 1;
    ctxt->sax->ignorableWhitespace = xmlSAX2Characters;
    ctxt->sax->serror = on_error;
    ctxt->sax->internalSubset = on_subset;
    ctxt->sax->comment = on_comment;
    ctxt->sax->processingInstruction = on_pi;
    ctxt->sax->startElementNs = on_start;
    ctxt->sax->endElementNs = on_end;
    p->ctxt = ctxt;
    return ctxt;
}

/* A converter that gives up leaves the document well-formed, and cut short. */
static void feed_piece(struct parse *p, const char *data, size_t len, bool last)
{
    if (xmlParseChunk(p->ctxt, data, (int)len, last) ==
            XML_ERR_INVALID_ENCODING &&
        !p->refused)
        refuse(p, "the bytes are not in the encoding that they claim");
}

static void feed(struct parse *p, const char *data, size_t len)
{
    struct listeners listeners = silence();
    size_t done = 0;

    while (done < len && !p->refused) {
        size_t piece = len - done < PIECE_LEN ? len - done : PIECE_LEN;

        feed_piece(p, data + done, piece, false);
        done += piece;
    }
    if (!p->refused)
        feed_piece(p, NULL, 0, true);
    listen_again(&listeners);
}

static xmlDocPtr finish(struct parse *p)
{
    xmlDocPtr doc = p->ctxt->myDoc;

    p->ctxt->myDoc = NULL;
    /* Where libxml2 stops for another reason than an ill-formed document, it
     * leaves wellFormed and half a document. */
    if (!p->ctxt->wellFormed || p->ctxt->disableSAX || p->refused || !doc ||
        !xmlDocGetRootElement(doc)) {
        keep_first(p, 1, "no XML document");
        xmlFreeDoc(doc);
        doc = NULL;
    } else if (!p->ctxt->nsWellFormed) {
        keep_first(p, 1, "a namespace prefix is not declared");
        xmlFreeDoc(doc);
        doc = NULL;
    }
    if (p->ctxt->encoding)
        strncpy(p->facts.encoding, (const char *)p->ctxt->encoding,
                sizeof p->facts.encoding - 1);
    if (!doc)
        p->facts.error_line = p->first_line;
    xmlFreeParserCtxt(p->ctxt);
    return doc;
}

static bool starts_with_bom(const char *data, size_t len)
{
    return (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) ||
           (len >= 2 && (memcmp(data, "\xFE\xFF", 2) == 0 ||
                         memcmp(data, "\xFF\xFE", 2) == 0));
}

/* Behind a comment, CDATA section or processing instruction that begins at
 * p; p itself when none does. */
static const char *skip_markup(const char *p, const char *end)
{
    static const struct {
        const char *open, *close;
    } kinds[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i].open);
        const char *close;

        if ((size_t)(end - p) < len || memcmp(p, kinds[i].open, len) != 0)
            continue;
        close = memmem(p + len, (size_t)(end - p) - len, kinds[i].close,
                       strlen(kinds[i].close));
        return close ? close + strlen(kinds[i].close) : end;
    }
    return p;
}

/* The '=' outside of quotes in the start tag at p; *after: behind the tag. */
static size_t count_attributes(const char *p, const char *end,
                               const char **after)
{
    size_t count = 0;
    char quote = 0;

    for (; p < end && (quote || *p != '>'); p++) {
        if (quote)
            quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else
            count += *p == '=';
    }
    *after = p;
    return count;
}

/* Does one start tag have more attributes than we let libxml2 see? */
static bool has_too_many_attributes(const char *data, size_t len)
{
    const char *end = data + len;
    const char *p = data;

    while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        const char *behind = skip_markup(p, end);

        if (behind == p && count_attributes(p, end, &behind) > XML_MAX_ATTRS)
            return true;
        p = behind;
    }
    return false;
}

static xmlDocPtr parse(const char *data, size_t len, const char *path,
                       struct xml_facts *facts, struct parse *p)
{
    xmlDocPtr doc;

    memset(p, 0, sizeof *p);
    p->facts.bom = starts_with_bom(data, len);
    if (!new_context(p, path))
        return NULL;
    if (has_too_many_attributes(data, len))
        refuse(p, "a start tag has too many attributes");
    feed(p, data, len);
    doc = finish(p);
    if (facts)
        *facts = p->facts;
    return doc;
}

xmlDocPtr xml_parse(const char *data, size_t len, struct xml_facts *facts,
                    struct err *e)
{
    struct parse p;
    xmlDocPtr doc = parse(data, len, NULL, facts, &p);

    if (!doc)
        err_set(e, "line %d: %s", p.first_line, p.first_error);
    return doc;
}

static int read_file(const char *path, struct buf *out, struct err *e)
{
    FILE *f = fopen(path, "rb");
    char piece[16384];
    size_t got;
    int bad;

    if (!f)
        return err_set(e, "%s: cannot be opened", path);
    while ((got = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(out, piece, got);
    bad = ferror(f);
    fclose(f);
    return bad ? err_set(e, "%s: cannot be read", path) : 0;
}

xmlDocPtr xml_parse_file(const char *path, struct err *e)
{
    struct buf bytes = BUF_INIT;
    xmlDocPtr doc = NULL;
    struct parse p;

    if (read_file(path, &bytes, e) == 0) {
        doc = parse(buf_str(&bytes), bytes.len, path, NULL, &p);
        if (!doc)
            err_set_at(e, path, p.first_line, "%s", p.first_error);
    }
    buf_release(&bytes);
    return doc;
}

bool xml_is(const xmlNode *node, const char *ns, const char *name)
{
    if (!node || node->type != XML_ELEMENT_NODE ||
        strcmp((const char *)node->name, name) != 0)
        return false;
    if (!ns)
        return node->ns == NULL;
    return node->ns && strcmp((const char *)node->ns->href, ns) == 0;
}

static bool fits(const xmlNode *node, const char *ns, const char *name)
{
    if (node->type != XML_ELEMENT_NODE)
        return false;
    if (name && strcmp((const char *)node->name, name) != 0)
        return false;
    return !ns || (node->ns && strcmp((const char *)node->ns->href, ns) == 0);
}

xmlNodePtr xml_child(const xmlNode *node, const char *ns, const char *name)
{
    xmlNodePtr child;

    if (!node)
        return NULL;
    for (child = node->children; child; child = child->next) {
        if (fits(child, ns, name))
            return child;
    }
    return NULL;
}

xmlNodePtr xml_next(const xmlNode *node)
{
    xmlNodePtr next;

    for (next = node->next; next; next = next->next) {
        if (next->type == XML_ELEMENT_NODE)
            return next;
    }
    return NULL;
}

const char *xml_attr(const xmlNode *node, const char *ns, const char *name)
{
    const xmlAttr *attr;

    if (!node || node->type != XML_ELEMENT_NODE)
        return NULL;
    for (attr = node->properties; attr; attr = attr->next) {
        bool same_ns =
            ns ? attr->ns && strcmp((const char *)attr->ns->href, ns) == 0
               : attr->ns == NULL;

        if (same_ns && strcmp((const char *)attr->name, name) == 0)
            return attr->children && attr->children->content
                       ? (const char *)attr->children->content
                       : "";
    }
    return NULL;
}

char *xml_text(const xmlNode *node)
{
    xmlChar *text = xmlNodeGetContent(node);
    char *copy = mem_dup(text ? (const char *)text : "");

    xmlFree(text);
    return copy;
}

static bool is_declared_within(const xmlNode *root, const xmlNode *node,
                               const xmlNs *ns)
{
    if (!ns || xmlStrEqual(ns->href, XML_XML_NAMESPACE))
        return true;
    for (;; node = node->parent) {
        for (const xmlNs *def = node->nsDef; def; def = def->next) {
            if (def == ns)
                return true;
        }
        if (node == root)
            return false;
    }
}

static bool declares_its_own(const xmlNode *root, const xmlNode *node)
{
    if (node->type != XML_ELEMENT_NODE)
        return true;
    if (!is_declared_within(root, node, node->ns))
        return false;
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        if (!is_declared_within(root, node, a->ns))
            return false;
    }
    return true;
}

/* The next in the order of the document; NULL behind root's last. */
static const xmlNode *next_within(const xmlNode *root, const xmlNode *node)
{
    if (node->type == XML_ELEMENT_NODE && node->children)
        return node->children;
    while (node != root && !node->next)
        node = node->parent;
    return node == root ? NULL : node->next;
}

/* Is every namespace in it declared in it? */
static bool stands_alone(const xmlNode *root)
{
    const xmlNode *node = root;

    while (node && declares_its_own(root, node))
        node = next_within(root, node);
    return !node;
}

static void dump(struct buf *out, xmlNodePtr node)
{
    xmlBufferPtr text = xmlBufferCreate();

    xmlNodeDump(text, NULL, node, 0, 0);
    buf_add(out, xmlBufferContent(text), (size_t)xmlBufferLength(text));
    xmlBufferFree(text);
}

/* A copy declares what it takes from outside; it is not needed often. */
void xml_write(struct buf *out, const xmlNode *node)
{
    xmlDocPtr doc;

    if (stands_alone(node)) {
        dump(out, (xmlNodePtr)node);
        return;
    }
    doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlDocSetRootElement(doc, xmlDocCopyNode((xmlNodePtr)node, doc, 1));
    dump(out, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
}

void xml_set(xmlNodePtr node, const char *name, const char *value)
{
    xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

void xml_setf(xmlNodePtr node, const char *name, const char *fmt, ...)
{
    struct buf value = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&value, fmt, ap);
    va_end(ap);
    xml_set(node, name, buf_str(&value));
    buf_release(&value);
}
