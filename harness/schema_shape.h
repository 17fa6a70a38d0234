/*
 * The shapes that an element may have, read from its pattern in a .rng. For
 * schema_explain.c.
 *
 * A choice gives one shape for each alternative, so that a shape itself has
 * no choices: attributes, children in order, text. Only the RELAX NG that our
 * schemas use is known. Patterns are nodes of the grammar, borrowed from it.
 */
#ifndef HARNESS_SCHEMA_SHAPE_H
#define HARNESS_SCHEMA_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "common/buf.h"

#define SHAPE_MAX_ATTRS 24
#define SHAPE_MAX_SLOTS 16
#define SHAPE_MAX_ELEMENTS 40

struct shape_attr {
    const xmlNode *pattern; /* <attribute name=..> */
    bool required;
};

/* A place among the children: one element of several, or many of them. */
struct shape_slot {
    const xmlNode *elements[SHAPE_MAX_ELEMENTS];
    size_t element_count;
    bool required;
    bool many;
};

struct shape {
    struct shape_attr attrs[SHAPE_MAX_ATTRS];
    size_t attr_count;
    struct shape_slot slots[SHAPE_MAX_SLOTS];
    size_t slot_count;
    const xmlNode *text; /* <data>, <value> or <text>; NULL: none */
};

struct shapes {
    struct shape *items;
    size_t count;
};

/* What the pattern <element> may look like; free with shapes_release(). Added
 * to those already in out. */
void shapes_of(const xmlNode *element, struct shapes *out);
void shapes_release(struct shapes *s);

/* The grammar's <start>: its <element>. */
const xmlNode *shape_start(xmlDocPtr grammar);

/* Does the element pattern's name class take the node? */
bool shape_takes(const xmlNode *element, const xmlNode *node);
/* A name to print: "await", "<body xmlns='...'>". */
void shape_print_name(const xmlNode *element, struct buf *out);
const char *shape_attr_name(const struct shape_attr *attr);

/* Is value one that the pattern (an <attribute>, or a text pattern) allows? */
bool shape_allows(const xmlNode *pattern, const char *value);
/* The words that the pattern enumerates, each followed by a space. Returns
 * false when it is not, or not only, an enumeration. */
bool shape_print_words(const xmlNode *pattern, struct buf *out);
/* What a value must be, for a person. */
void shape_print_hint(const xmlNode *pattern, struct buf *out);

#endif
