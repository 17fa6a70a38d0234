/* RELAX NG schemas: see schema.h. */
#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/relaxng.h>
#include <libxml/xmlschemastypes.h>

#include "common/xml.h"

#define NS_RNG "http://relaxng.org/ns/structure/1.0"

struct schema {
    xmlDocPtr grammar;
    xmlRelaxNGPtr compiled;
};

struct first_error {
    int line;
    char text[512];
};

static void keep_first(void *ctx, xmlErrorPtr error)
{
    struct first_error *first = ctx;
    const char *text = error->message ? error->message : "not valid";
    size_t len = strcspn(text, "\r\n");

    if (first->text[0])
        return;
    if (len >= sizeof first->text)
        len = sizeof first->text - 1;
    memcpy(first->text, text, len);
    first->text[len] = '\0';
    first->line = error->line;
}

/* Copy the definitions of another grammar in place of its <include/>. We do
 * it, because libxml2 would have to fetch a file, and may not. */
static int resolve_include(xmlNodePtr include, const char *dir, struct err *e)
{
    const char *href = xml_attr(include, NULL, "href");
    char *path = mem_printf("%s/%s", dir, href ? href : "");
    xmlDocPtr doc = xml_parse_file(path, e);
    xmlNodePtr define;

    free(path);
    if (!doc)
        return -1;
    define = xml_child(xmlDocGetRootElement(doc), NS_RNG, "define");
    for (; define; define = xml_next(define)) {
        xmlNodePtr copy = xmlDocCopyNode(define, include->doc, 1);

        xmlAddPrevSibling(include, copy);
        xmlSetProp(copy, (const xmlChar *)"datatypeLibrary",
                   (const xmlChar *)"http://www.w3.org/2001/XMLSchema-"
                                    "datatypes");
    }
    xmlFreeDoc(doc);
    xmlUnlinkNode(include);
    xmlFreeNode(include);
    return 0;
}

static int resolve_includes(xmlDocPtr grammar, const char *dir, struct err *e)
{
    xmlNodePtr root = xmlDocGetRootElement(grammar);
    xmlNodePtr include;

    while ((include = xml_child(root, NS_RNG, "include"))) {
        if (resolve_include(include, dir, e) != 0)
            return -1;
    }
    return 0;
}

static int compile(struct schema *s, const char *path, struct err *e)
{
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewDocParserCtxt(s->grammar);
    struct first_error first = {0, ""};

    if (!parser)
        return err_set(e, "%s: cannot be compiled", path);
    xmlRelaxNGSetParserStructuredErrors(parser, keep_first, &first);
    s->compiled = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    if (!s->compiled)
        return err_set_at(e, path, first.line, "%s", first.text);
    return 0;
}

struct schema *schema_load(const char *dir, const char *file, struct err *e)
{
    struct schema *s = mem_alloc(sizeof *s);
    char *path = mem_printf("%s/%s", dir, file);

    xmlSchemaInitTypes();
    s->grammar = xml_parse_file(path, e);
    if (!s->grammar || resolve_includes(s->grammar, dir, e) != 0 ||
        compile(s, path, e) != 0) {
        schema_free(s);
        s = NULL;
    }
    free(path);
    return s;
}

void schema_free(struct schema *s)
{
    if (!s)
        return;
    xmlRelaxNGFree(s->compiled);
    xmlFreeDoc(s->grammar);
    free(s);
}

int schema_check(const struct schema *s, xmlDocPtr doc, const char *path,
                 struct err *e)
{
    xmlRelaxNGValidCtxtPtr valid = xmlRelaxNGNewValidCtxt(s->compiled);
    struct first_error first = {0, ""};
    int bad;

    if (!valid)
        return err_set(e, "%s: cannot be checked", path);
    xmlRelaxNGSetValidStructuredErrors(valid, keep_first, &first);
    bad = xmlRelaxNGValidateDoc(valid, doc);
    xmlRelaxNGFreeValidCtxt(valid);
    if (!bad)
        return 0;
    if (schema_explain(s->grammar, doc, path, e) != 0)
        return -1;
    return err_set_at(e, path, first.line, "%s", first.text);
}
