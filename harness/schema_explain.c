/*
 * Where a document leaves its grammar, in one line that says what is allowed.
 *
 * Beside each element go the shapes that it may have. The shape with the
 * fewest faults is what the author had in mind, and its first fault is what
 * is told. A fault in the value of an attribute that tells shapes apart
 * (verb=) weighs more than one elsewhere.
 */
#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "nearest.h"
#include "schema_shape.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_UNKNOWN_ATTRIBUTE,
    FAULT_VALUE,
    FAULT_NO_ATTRIBUTE,
    FAULT_UNKNOWN_ELEMENT,
    FAULT_ORDER,
    FAULT_TWICE,
    FAULT_NO_ELEMENT,
    FAULT_STRAY_TEXT,
    FAULT_TEXT,
};

/* How one shape judges an element. */
struct opinion {
    const struct shape *shape;
    unsigned weight;      /* of all faults */
    enum fault_kind kind; /* of the first fault */
    const xmlAttr *attr;
    const struct shape_attr *want;
    const xmlNode *child;
    const struct shape_slot *slot;
};

struct explain {
    const char *path;
    const char *uri; /* of our vocabulary; other elements are free */
    struct err *e;
};

static int line_of(const xmlNode *node)
{
    return (int)xmlGetLineNo(node);
}

static const char *attr_text(const xmlAttr *attr)
{
    return attr->children && attr->children->content
               ? (const char *)attr->children->content
               : "";
}

/* -------------------------------------------------------------- opinions */

static void note(struct opinion *o, enum fault_kind kind, unsigned weight)
{
    o->weight += weight;
    if (o->kind == FAULT_NONE)
        o->kind = kind;
}

static const struct shape_attr *wanted(const struct shape *shape,
                                       const char *name)
{
    for (size_t i = 0; i < shape->attr_count; i++) {
        if (strcmp(shape_attr_name(&shape->attrs[i]), name) == 0)
            return &shape->attrs[i];
    }
    return NULL;
}

/* Another shape would take this value: then it is this shape that is wrong. */
static bool other_allows(const struct shapes *shapes, const char *name,
                         const char *value)
{
    for (size_t i = 0; i < shapes->count; i++) {
        const struct shape_attr *want = wanted(&shapes->items[i], name);

        if (want && shape_allows(want->pattern, value))
            return true;
    }
    return false;
}

static void look_at_attrs(struct opinion *o, const struct shapes *shapes,
                          const xmlNode *node)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        const char *name = (const char *)a->name;
        const struct shape_attr *want = a->ns ? NULL : wanted(o->shape, name);
        const struct opinion before = *o;

        if (!want)
            note(o, FAULT_UNKNOWN_ATTRIBUTE, 2);
        else if (!shape_allows(want->pattern, attr_text(a)))
            note(o, FAULT_VALUE,
                 other_allows(shapes, name, attr_text(a)) ? 8 : 1);
        if (before.kind == FAULT_NONE && o->kind != FAULT_NONE) {
            o->attr = a;
            o->want = want;
        }
    }
    for (size_t i = 0; i < o->shape->attr_count; i++) {
        const struct shape_attr *want = &o->shape->attrs[i];

        if (!want->required || xml_attr(node, NULL, shape_attr_name(want)))
            continue;
        if (o->kind == FAULT_NONE)
            o->want = want;
        note(o, FAULT_NO_ATTRIBUTE, 1);
    }
}

static bool slot_takes(const struct shape_slot *slot, const xmlNode *node)
{
    for (size_t i = 0; i < slot->element_count; i++) {
        if (shape_takes(slot->elements[i], node))
            return true;
    }
    return false;
}

/* The first slot from..to that takes the node; to when none does. */
static size_t find_slot(const struct shape *shape, size_t from, size_t to,
                        const xmlNode *node)
{
    while (from < to && !slot_takes(&shape->slots[from], node))
        from++;
    return from;
}

static void child_fault(struct opinion *o, enum fault_kind kind,
                        const xmlNode *child, const struct shape_slot *slot)
{
    if (o->kind == FAULT_NONE) {
        o->child = child;
        o->slot = slot;
    }
    note(o, kind, 1);
}

/* Slots from..to stay empty: may they? */
static void skip_slots(struct opinion *o, size_t from, size_t to,
                       const xmlNode *next)
{
    for (; from < to; from++) {
        if (o->shape->slots[from].required)
            child_fault(o, FAULT_NO_ELEMENT, next, &o->shape->slots[from]);
    }
}

static void look_at_children(struct opinion *o, const xmlNode *node)
{
    const struct shape *shape = o->shape;
    const xmlNode *child = xml_child(node, NULL, NULL);
    size_t at = 0; /* the slot to fill next */

    for (; child; child = xml_next(child)) {
        size_t found = find_slot(shape, at, shape->slot_count, child);

        if (found == shape->slot_count) {
            size_t behind = find_slot(shape, 0, at, child);

            if (behind == at)
                child_fault(o, FAULT_UNKNOWN_ELEMENT, child, NULL);
            else if (behind + 1 == at)
                child_fault(o, FAULT_TWICE, child, NULL);
            else
                child_fault(o, FAULT_ORDER, child, NULL);
            continue;
        }
        skip_slots(o, at, found, child);
        at = found + 1;
        if (shape->slots[found].many) {
            while (xml_next(child) &&
                   slot_takes(&shape->slots[found], xml_next(child)))
                child = xml_next(child);
        }
    }
    skip_slots(o, at, shape->slot_count, NULL);
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* Its own text, without that of its children. */
static char *own_text(const xmlNode *node)
{
    struct buf text = BUF_INIT;

    for (const xmlNode *child = node->children; child; child = child->next) {
        if ((child->type == XML_TEXT_NODE ||
             child->type == XML_CDATA_SECTION_NODE) &&
            child->content)
            buf_adds(&text, (const char *)child->content);
    }
    return buf_take(&text);
}

static void look_at_text(struct opinion *o, const xmlNode *node)
{
    char *text = own_text(node);

    if (!o->shape->text) {
        if (!is_blank(text))
            note(o, FAULT_STRAY_TEXT, 1);
    } else if (!shape_allows(o->shape->text, text)) {
        note(o, FAULT_TEXT, 1);
    }
    free(text);
}

static struct opinion opinion_of(const struct shape *shape,
                                 const struct shapes *shapes,
                                 const xmlNode *node)
{
    struct opinion o = {.shape = shape};

    look_at_attrs(&o, shapes, node);
    look_at_children(&o, node);
    look_at_text(&o, node);
    return o;
}

/* The best of all shapes; the first of those that are equally good. */
static struct opinion best_opinion(const struct shapes *shapes,
                                   const xmlNode *node)
{
    struct opinion best = opinion_of(&shapes->items[0], shapes, node);

    for (size_t i = 1; i < shapes->count; i++) {
        struct opinion o = opinion_of(&shapes->items[i], shapes, node);

        if (o.weight < best.weight)
            best = o;
    }
    return best;
}

/* --------------------------------------------------------------- wording */

static void add_word(struct buf *list, struct nearest *near, const char *word)
{
    size_t len = strlen(word);
    const char *p = buf_str(list);

    /* each word once */
    while ((p = strstr(p, word))) {
        bool starts = p == list->data || p[-1] == ' ';

        if (starts && (p[len] == ' ' || p[len] == '\0'))
            return;
        p += len;
    }
    buf_printf(list, "%s%s", list->len ? " " : "", word);
    if (near)
        nearest_offer(near, word);
}

/* ", did you mean 'x'?" while near still points into living memory. */
static void add_guess(struct buf *out, const struct nearest *near)
{
    if (near->best)
        buf_printf(out, " (did you mean '%s'?)", near->best);
}

static void tell(const struct explain *x, int line, const struct buf *text)
{
    err_set_at(x->e, x->path, line, "%s", buf_str(text));
}

/* The i-th shape is about as good as the one that was chosen: then what it
 * allows is told as well. */
static bool as_good(const struct shapes *shapes, size_t i, const xmlNode *node,
                    const struct opinion *o)
{
    return opinion_of(&shapes->items[i], shapes, node).weight <= o->weight + 2;
}

static void tell_unknown_attribute(const struct explain *x, const xmlNode *node,
                                   const struct opinion *o,
                                   const struct shapes *shapes)
{
    struct nearest near = nearest_to((const char *)o->attr->name);
    struct buf list = BUF_INIT;
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < shapes->count; i++) {
        const struct shape *shape = &shapes->items[i];

        if (!as_good(shapes, i, node, o))
            continue;
        for (size_t k = 0; k < shape->attr_count; k++)
            add_word(&list, &near, shape_attr_name(&shape->attrs[k]));
    }
    buf_printf(&text, "unknown attribute '%s' on '%s'",
               (const char *)o->attr->name, (const char *)node->name);
    add_guess(&text, &near);
    buf_printf(&text, list.len ? ": allowed are %s" : ": it has none",
               buf_str(&list));
    tell(x, line_of(node), &text);
    buf_release(&list);
    buf_release(&text);
}

/* The words that any shape allows for the attribute. */
static bool collect_words(const struct shapes *shapes, const char *name,
                          struct buf *list)
{
    bool only = true;

    for (size_t i = 0; i < shapes->count; i++) {
        const struct shape_attr *want = wanted(&shapes->items[i], name);
        struct buf words = BUF_INIT;
        char *save = NULL;

        if (!want)
            continue;
        only = shape_print_words(want->pattern, &words) && only;
        if (words.len) {
            for (char *w = strtok_r(words.data, " ", &save); w;
                 w = strtok_r(NULL, " ", &save))
                add_word(list, NULL, w);
        }
        buf_release(&words);
    }
    return only;
}

static void tell_value(const struct explain *x, const xmlNode *node,
                       const struct opinion *o, const struct shapes *shapes)
{
    const char *name = (const char *)o->attr->name;
    struct buf list = BUF_INIT;
    struct buf text = BUF_INIT;

    buf_printf(&text, "%s='%s' on '%s'", name, attr_text(o->attr),
               (const char *)node->name);
    if (collect_words(shapes, name, &list)) {
        buf_printf(&text, ": allowed are %s", buf_str(&list));
    } else {
        buf_adds(&text, " must be ");
        shape_print_hint(o->want->pattern, &text);
    }
    tell(x, line_of(node), &text);
    buf_release(&list);
    buf_release(&text);
}

static void tell_no_attribute(const struct explain *x, const xmlNode *node,
                              const struct opinion *o,
                              const struct shapes *shapes)
{
    const char *name = shape_attr_name(o->want);
    struct buf text = BUF_INIT;
    struct buf list = BUF_INIT;

    buf_printf(&text,
               "'%s' needs the attribute '%s': ", (const char *)node->name,
               name);
    if (collect_words(shapes, name, &list))
        buf_printf(&text, "one of %s", buf_str(&list));
    else
        shape_print_hint(o->want->pattern, &text);
    tell(x, line_of(node), &text);
    buf_release(&list);
    buf_release(&text);
}

static void collect_elements(const struct shape *shape, struct buf *list,
                             struct nearest *near)
{
    for (size_t i = 0; i < shape->slot_count; i++) {
        for (size_t k = 0; k < shape->slots[i].element_count; k++) {
            struct buf name = BUF_INIT;

            shape_print_name(shape->slots[i].elements[k], &name);
            add_word(list, NULL, buf_str(&name));
            /* a name that lives as long as the grammar */
            if (near && xml_attr(shape->slots[i].elements[k], NULL, "name"))
                nearest_offer(
                    near, xml_attr(shape->slots[i].elements[k], NULL, "name"));
            buf_release(&name);
        }
    }
}

static void tell_child(const struct explain *x, const xmlNode *node,
                       const struct opinion *o, const struct shapes *shapes)
{
    const char *name = (const char *)o->child->name;
    const char *parent = (const char *)node->name;
    struct nearest near = nearest_to(name);
    struct buf list = BUF_INIT;
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < shapes->count; i++) {
        if (as_good(shapes, i, node, o))
            collect_elements(&shapes->items[i], &list, &near);
    }
    if (o->kind == FAULT_TWICE) {
        buf_printf(&text,
                   "'%s' may stand only once in '%s', and its parts "
                   "are %s",
                   name, parent, buf_str(&list));
    } else if (o->kind == FAULT_ORDER) {
        buf_printf(&text, "'%s' is out of place in '%s': the order is %s", name,
                   parent, buf_str(&list));
    } else {
        buf_printf(&text, "unknown element '%s' in '%s'", name, parent);
        if (strcmp(name, near.best ? near.best : "") != 0)
            add_guess(&text, &near);
        buf_printf(&text, list.len ? ": allowed are %s" : ": it has none",
                   buf_str(&list));
    }
    tell(x, line_of(o->child), &text);
    buf_release(&list);
    buf_release(&text);
}

static void tell_no_element(const struct explain *x, const xmlNode *node,
                            const struct opinion *o)
{
    struct shape one = {.slot_count = 1};
    struct buf list = BUF_INIT;

    one.slots[0] = *o->slot;
    collect_elements(&one, &list, NULL);
    if (o->slot->element_count == 1)
        err_set_at(
            x->e, x->path, line_of(o->child ? o->child : node),
            "'%s' needs the element '%s'%s%s%s", (const char *)node->name,
            buf_str(&list), o->child ? " before '" : "",
            o->child ? (const char *)o->child->name : "", o->child ? "'" : "");
    else
        err_set_at(x->e, x->path, line_of(node),
                   "'%s' is empty: it needs at least one of %s",
                   (const char *)node->name, buf_str(&list));
    buf_release(&list);
}

static void tell_text(const struct explain *x, const xmlNode *node,
                      const struct opinion *o)
{
    char *text = own_text(node);
    struct buf hint = BUF_INIT;

    if (o->kind == FAULT_STRAY_TEXT) {
        collect_elements(o->shape, &hint, NULL);
        err_set_at(x->e, x->path, line_of(node),
                   "'%s' holds text: allowed %s %s", (const char *)node->name,
                   hint.len ? "are only" : "is",
                   hint.len ? buf_str(&hint) : "nothing");
    } else {
        shape_print_hint(o->shape->text, &hint);
        if (is_blank(text))
            err_set_at(x->e, x->path, line_of(node),
                       "'%s' is empty: it must be %s", (const char *)node->name,
                       buf_str(&hint));
        else
            err_set_at(x->e, x->path, line_of(node), "'%s' in '%s' must be %s",
                       text, (const char *)node->name, buf_str(&hint));
    }
    free(text);
    buf_release(&hint);
}

static int tell_fault(const struct explain *x, const xmlNode *node,
                      const struct opinion *o, const struct shapes *shapes)
{
    switch (o->kind) {
    case FAULT_NONE:
        return 0;
    case FAULT_UNKNOWN_ATTRIBUTE:
        tell_unknown_attribute(x, node, o, shapes);
        return -1;
    case FAULT_VALUE:
        tell_value(x, node, o, shapes);
        return -1;
    case FAULT_NO_ATTRIBUTE:
        tell_no_attribute(x, node, o, shapes);
        return -1;
    case FAULT_UNKNOWN_ELEMENT:
    case FAULT_ORDER:
    case FAULT_TWICE:
        tell_child(x, node, o, shapes);
        return -1;
    case FAULT_NO_ELEMENT:
        tell_no_element(x, node, o);
        return -1;
    case FAULT_STRAY_TEXT:
    case FAULT_TEXT:
        tell_text(x, node, o);
        return -1;
    }
    return 0;
}

/* --------------------------------------------------------------- walking */

static bool is_ours(const struct explain *x, const xmlNode *node)
{
    return node->ns && node->ns->href &&
           strcmp((const char *)node->ns->href, x->uri) == 0;
}

/* Every pattern in the shape that takes this child. */
static void child_shapes(const struct shape *shape, const xmlNode *child,
                         struct shapes *out)
{
    for (size_t i = 0; i < shape->slot_count; i++) {
        for (size_t k = 0; k < shape->slots[i].element_count; k++) {
            if (shape_takes(shape->slots[i].elements[k], child))
                shapes_of(shape->slots[i].elements[k], out);
        }
    }
}

static int walk(const struct explain *x, const xmlNode *node,
                const struct shapes *shapes)
{
    struct opinion o = best_opinion(shapes, node);
    const xmlNode *child;
    int rv = tell_fault(x, node, &o, shapes);

    child = xml_child(node, NULL, NULL);
    for (; rv == 0 && child; child = xml_next(child)) {
        struct shapes inner = {NULL, 0};

        if (!is_ours(x, child))
            continue;
        child_shapes(o.shape, child, &inner);
        if (inner.count)
            rv = walk(x, child, &inner);
        shapes_release(&inner);
    }
    return rv;
}

int schema_explain(xmlDocPtr grammar, xmlDocPtr doc, const char *path,
                   struct err *e)
{
    const xmlNode *root = xmlDocGetRootElement(doc);
    const xmlNode *start = shape_start(grammar);
    const char *uri = xml_attr(xmlDocGetRootElement(grammar), NULL, "ns");
    struct explain x = {path, uri ? uri : "", e};
    struct shapes shapes = {NULL, 0};
    int rv;

    if (!shape_takes(start, root))
        return err_set_at(e, path, line_of(root),
                          "the document is '%s', it must be "
                          "<%s xmlns='%s'>",
                          (const char *)root->name,
                          xml_attr(start, NULL, "name"), x.uri);
    shapes_of(start, &shapes);
    rv = walk(&x, root, &shapes);
    shapes_release(&shapes);
    return rv;
}
