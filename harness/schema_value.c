/* Which values a pattern allows, and how to say it: see schema_shape.h. */
#include "schema_shape.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlregexp.h>
#include <libxml/xmlschemastypes.h>

#include "common/xml.h"

#define NS_RNG "http://relaxng.org/ns/structure/1.0"
#define NS_HINT "urn:boshspec:hint:1"
#define NS_XSD "http://www.w3.org/2001/XMLSchema"

static bool is(const xmlNode *node, const char *name)
{
    return xml_is(node, NS_RNG, name);
}

static const xmlNode *define_of(const xmlNode *ref)
{
    const xmlNode *child =
        xml_child(xmlDocGetRootElement(ref->doc), NS_RNG, "define");
    const char *name = xml_attr(ref, NULL, "name");

    for (; child; child = xml_next(child)) {
        const char *got = xml_attr(child, NULL, "name");

        if (is(child, "define") && got && strcmp(got, name) == 0)
            return child;
    }
    return NULL;
}

/* What stands for the value: past <attribute>, <ref> and <define>. NULL: any
 * text. */
static const xmlNode *value_pattern(const xmlNode *pattern)
{
    while (pattern && (is(pattern, "attribute") || is(pattern, "define") ||
                       is(pattern, "ref")))
        pattern = is(pattern, "ref") ? define_of(pattern)
                                     : xml_child(pattern, NS_RNG, NULL);
    return pattern && is(pattern, "text") ? NULL : pattern;
}

static const char *value_text(const xmlNode *value)
{
    return value->children ? (const char *)value->children->content : "''";
}

/* A token: without the space around it. */
static bool same_token(const xmlNode *value, const char *text)
{
    const char *want = value_text(value);
    size_t len;

    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    return strlen(want) == len && memcmp(want, text, len) == 0;
}

static bool fits_regexp(const char *regexp, const char *text)
{
    xmlRegexpPtr compiled = xmlRegexpCompile((const xmlChar *)regexp);
    bool fits = compiled && xmlRegexpExec(compiled, (const xmlChar *)text) == 1;

    xmlRegFreeRegexp(compiled);
    return fits;
}

static bool fits_param(const xmlNode *param, const char *text)
{
    const char *name = xml_attr(param, NULL, "name");
    char *limit = xml_text(param);
    bool fits = true;

    if (strcmp(name, "pattern") == 0)
        fits = fits_regexp(limit, text);
    else if (strcmp(name, "minLength") == 0)
        fits = strlen(text) >= strtoul(limit, NULL, 10);
    else if (strcmp(name, "minInclusive") == 0)
        fits = strtoll(text, NULL, 10) >= strtoll(limit, NULL, 10);
    else if (strcmp(name, "maxInclusive") == 0)
        fits = strtoll(text, NULL, 10) <= strtoll(limit, NULL, 10);
    free(limit);
    return fits;
}

static bool fits_data(const xmlNode *data, const char *text)
{
    const char *name = xml_attr(data, NULL, "type");
    xmlSchemaTypePtr type = xmlSchemaGetPredefinedType((const xmlChar *)name,
                                                       (const xmlChar *)NS_XSD);
    const xmlNode *param = xml_child(data, NS_RNG, "param");

    if (type &&
        xmlSchemaValidatePredefinedType(type, (const xmlChar *)text, NULL) != 0)
        return false;
    for (; param; param = xml_next(param)) {
        if (!fits_param(param, text))
            return false;
    }
    return true;
}

bool shape_allows(const xmlNode *pattern, const char *text)
{
    const xmlNode *p = value_pattern(pattern);

    if (!p)
        return true;
    if (is(p, "value"))
        return same_token(p, text);
    if (is(p, "data"))
        return fits_data(p, text);
    for (p = xml_child(p, NS_RNG, NULL); p; p = xml_next(p)) {
        if (shape_allows(p, text))
            return true;
    }
    return false;
}

bool shape_print_words(const xmlNode *pattern, struct buf *out)
{
    const xmlNode *p = value_pattern(pattern);
    bool only = true;

    if (!p || is(p, "data"))
        return false;
    if (is(p, "value")) {
        buf_printf(out, "%s ", value_text(p));
        return true;
    }
    for (p = xml_child(p, NS_RNG, NULL); p; p = xml_next(p))
        only = shape_print_words(p, out) && only;
    return only;
}

void shape_print_hint(const xmlNode *pattern, struct buf *out)
{
    const xmlNode *p = value_pattern(pattern);
    const char *hint = p ? xml_attr(p, NS_HINT, "is") : NULL;
    const xmlNode *option;

    if (!p) {
        buf_adds(out, "any text");
    } else if (is(p, "value")) {
        buf_adds(out, value_text(p));
    } else if (is(p, "data")) {
        buf_adds(out, hint ? hint : xml_attr(p, NULL, "type"));
    } else {
        for (option = xml_child(p, NS_RNG, NULL); option;
             option = xml_next(option)) {
            if (option != xml_child(p, NS_RNG, NULL))
                buf_adds(out, " or ");
            shape_print_hint(option, out);
        }
    }
}
