/* From patterns to shapes: see schema_shape.h. */
#include "schema_shape.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

#define NS_RNG "http://relaxng.org/ns/structure/1.0"

static bool is(const xmlNode *node, const char *name)
{
    return xml_is(node, NS_RNG, name);
}

static const xmlNode *first(const xmlNode *node)
{
    return xml_child(node, NS_RNG, NULL);
}

static const xmlNode *define_of(const xmlNode *ref)
{
    const xmlNode *root = xmlDocGetRootElement(ref->doc);
    const char *name = xml_attr(ref, NULL, "name");
    const xmlNode *child = first(root);

    for (; child; child = xml_next(child)) {
        if (is(child, "define") &&
            strcmp(xml_attr(child, NULL, "name"), name) == 0)
            return child;
    }
    return NULL;
}

/* What a ref stands for, when that is a single pattern. */
static const xmlNode *resolve(const xmlNode *pattern)
{
    while (pattern && is(pattern, "ref")) {
        const xmlNode *inside = first(define_of(pattern));

        if (!inside || xml_next(inside))
            return pattern;
        pattern = inside;
    }
    return pattern;
}

const xmlNode *shape_start(xmlDocPtr grammar)
{
    const xmlNode *root = xmlDocGetRootElement(grammar);

    return resolve(first(xml_child(root, NS_RNG, "start")));
}

/* -------------------------------------------------------------- expanding */

static struct shape *add_shape(struct shapes *list)
{
    list->items =
        mem_grow(list->items, (list->count + 1) * sizeof *list->items);
    memset(&list->items[list->count], 0, sizeof *list->items);
    return &list->items[list->count++];
}

static void append(struct shapes *list, const struct shapes *more)
{
    for (size_t i = 0; i < more->count; i++)
        *add_shape(list) = more->items[i];
}

void shapes_release(struct shapes *s)
{
    free(s->items);
    s->items = NULL;
    s->count = 0;
}

static void expand(const xmlNode *pattern, struct shapes *list);

static void expand_children(const xmlNode *pattern, struct shapes *list)
{
    for (const xmlNode *p = first(pattern); p; p = xml_next(p))
        expand(p, list);
}

static void put_attr(struct shapes *list, const xmlNode *pattern, bool required)
{
    for (size_t i = 0; i < list->count; i++) {
        struct shape *s = &list->items[i];

        if (s->attr_count < SHAPE_MAX_ATTRS) {
            s->attrs[s->attr_count].pattern = pattern;
            s->attrs[s->attr_count++].required = required;
        }
    }
}

static void put_slot(struct shapes *list, const struct shape_slot *slot)
{
    for (size_t i = 0; i < list->count; i++) {
        struct shape *s = &list->items[i];

        if (s->slot_count < SHAPE_MAX_SLOTS)
            s->slots[s->slot_count++] = *slot;
    }
}

/* Every element that can stand in a repeated pattern. */
static void collect(const xmlNode *pattern, struct shape_slot *slot)
{
    const xmlNode *p = first(pattern);

    for (; p; p = xml_next(p)) {
        if (is(p, "element")) {
            if (slot->element_count < SHAPE_MAX_ELEMENTS)
                slot->elements[slot->element_count++] = p;
        } else if (is(p, "ref")) {
            collect(define_of(p), slot);
        } else {
            collect(p, slot);
        }
    }
}

static void expand_many(const xmlNode *pattern, struct shapes *list)
{
    struct shape_slot slot = {.many = true,
                              .required = is(pattern, "oneOrMore")};

    collect(pattern, &slot);
    put_slot(list, &slot);
}

static void expand_choice(const xmlNode *pattern, struct shapes *list)
{
    struct shapes all = {NULL, 0};

    for (const xmlNode *p = first(pattern); p; p = xml_next(p)) {
        struct shapes one = {NULL, 0};

        append(&one, list);
        expand(p, &one);
        append(&all, &one);
        shapes_release(&one);
    }
    shapes_release(list);
    *list = all;
}

static void expand_optional(const xmlNode *pattern, struct shapes *list)
{
    const xmlNode *p = resolve(first(pattern));
    struct shapes with = {NULL, 0};

    if (is(p, "attribute")) {
        put_attr(list, p, false);
        return;
    }
    if (is(p, "element")) {
        struct shape_slot slot = {{p}, 1, false, false};

        put_slot(list, &slot);
        return;
    }
    append(&with, list);
    expand_children(pattern, &with);
    append(list, &with);
    shapes_release(&with);
}

static void expand(const xmlNode *p, struct shapes *list)
{
    if (is(p, "attribute")) {
        put_attr(list, p, true);
    } else if (is(p, "element")) {
        struct shape_slot slot = {{p}, 1, true, false};

        put_slot(list, &slot);
    } else if (is(p, "ref")) {
        expand_children(define_of(p), list);
    } else if (is(p, "optional")) {
        expand_optional(p, list);
    } else if (is(p, "choice")) {
        expand_choice(p, list);
    } else if (is(p, "zeroOrMore") || is(p, "oneOrMore")) {
        expand_many(p, list);
    } else if (is(p, "group") || is(p, "interleave")) {
        expand_children(p, list);
    } else if (is(p, "data") || is(p, "value") || is(p, "text")) {
        for (size_t i = 0; i < list->count; i++)
            list->items[i].text = p;
    }
}

void shapes_of(const xmlNode *element, struct shapes *out)
{
    struct shapes own = {NULL, 0};

    add_shape(&own);
    expand_children(element, &own);
    append(out, &own);
    shapes_release(&own);
}

/* ------------------------------------------------------------------ names */

static const char *node_uri(const xmlNode *node)
{
    return node->ns && node->ns->href ? (const char *)node->ns->href : "";
}

/* The ns= that a pattern is under. */
static const char *pattern_uri(const xmlNode *pattern)
{
    for (; pattern && pattern->type == XML_ELEMENT_NODE;
         pattern = pattern->parent) {
        const char *ns = xml_attr(pattern, NULL, "ns");

        if (ns)
            return ns;
    }
    return "";
}

static bool excepted(const xmlNode *any, const xmlNode *node)
{
    const xmlNode *except = xml_child(any, NS_RNG, "except");
    const xmlNode *p = first(except);

    for (; p; p = xml_next(p)) {
        if (strcmp(pattern_uri(p), node_uri(node)) == 0)
            return true;
    }
    return false;
}

bool shape_takes(const xmlNode *element, const xmlNode *node)
{
    const char *name = xml_attr(element, NULL, "name");
    const xmlNode *any = xml_child(element, NS_RNG, "anyName");
    const xmlNode *one = xml_child(element, NS_RNG, "name");

    if (name)
        return strcmp(name, (const char *)node->name) == 0 &&
               strcmp(pattern_uri(element), node_uri(node)) == 0;
    if (any)
        return !excepted(any, node);
    if (one && one->children)
        return strcmp((const char *)one->children->content,
                      (const char *)node->name) == 0 &&
               strcmp(pattern_uri(one), node_uri(node)) == 0;
    return false;
}

void shape_print_name(const xmlNode *element, struct buf *out)
{
    const char *name = xml_attr(element, NULL, "name");
    const xmlNode *one = xml_child(element, NS_RNG, "name");

    if (name)
        buf_adds(out, name);
    else if (one && one->children)
        buf_printf(out, "<%s xmlns='%s'>", (const char *)one->children->content,
                   pattern_uri(one));
    else
        buf_adds(out, "elements with an xmlns of their own");
}

const char *shape_attr_name(const struct shape_attr *attr)
{
    return xml_attr(attr->pattern, NULL, "name");
}
