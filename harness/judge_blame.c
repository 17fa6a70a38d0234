/* Whose exchanges a finding is about, and our own lag: see judge_parts.h. */
#include "judge_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

/* More would not be read. */
#define BLAME_MAX 32

static void add(struct blame *b, const char *number)
{
    unsigned n = number ? (unsigned)strtoul(number, NULL, 10) : 0;

    for (size_t i = 0; i < b->count; i++) {
        if (b->exchanges[i] == n)
            return;
    }
    if (!n || b->count == BLAME_MAX)
        return;
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 8;
        b->exchanges = mem_grow(b->exchanges, b->cap * sizeof *b->exchanges);
    }
    b->exchanges[b->count++] = n;
}

/* The child of the root that holds the node; NULL for the root itself. */
static const xmlNode *top_of(const xmlNode *node)
{
    while (node && node->parent && node->parent->type == XML_ELEMENT_NODE &&
           node->parent->parent &&
           node->parent->parent->type == XML_ELEMENT_NODE)
        node = node->parent;
    if (node && node->parent && node->parent->type == XML_ELEMENT_NODE)
        return node->type == XML_ATTRIBUTE_NODE ? NULL : node;
    return NULL;
}

void blame_node(struct blame *b, const xmlNode *node)
{
    node = top_of(node);
    if (xml_is(node, NULL, "x")) {
        add(b, xml_attr(node, NULL, "n"));
    } else if (xml_is(node, NULL, "gap")) {
        add(b, xml_attr(node, NULL, "x"));
    } else if (xml_is(node, NULL, "s")) {
        add(b, xml_attr(node, NULL, "create"));
    } else if (xml_is(node, NULL, "ev")) {
        /* What the driver said came out of the exchange before it. */
        while (node && !xml_is(node, NULL, "x"))
            node = node->prev;
        add(b, node ? xml_attr(node, NULL, "n") : NULL);
    }
}

static void blame_value(struct blame *b, xmlXPathObjectPtr value)
{
    if (!value || value->type != XPATH_NODESET || !value->nodesetval)
        return;
    for (int i = 0; i < value->nodesetval->nodeNr && b->count < BLAME_MAX; i++)
        blame_node(b, value->nodesetval->nodeTab[i]);
}

void blame_expr(struct blame *b, const struct expr *ex, struct journal *j)
{
    xmlXPathObjectPtr value = ex ? expr_eval(ex, j, NULL, NULL) : NULL;

    blame_value(b, value);
    xmlXPathFreeObject(value);
}

/* Those that stand for everything say nothing about whom it was. */
static bool is_standing(const char *name)
{
    static const char *const standing[] = {"x", "ev", "s", "it", "journal"};

    for (size_t i = 0; i < sizeof standing / sizeof standing[0]; i++) {
        if (strcmp(standing[i], name) == 0)
            return true;
    }
    return false;
}

/* Every expression of an assert that says something about the exchange. */
#define PARTS_MAX (ASSERT_MAX_IS + 5)
static size_t parts_of(const struct assertion *a, const struct expr **parts)
{
    size_t count = 0;

    parts[count++] = a->test;
    parts[count++] = a->got;
    for (size_t i = 0; i < a->is_count; i++)
        parts[count++] = a->is[i];
    parts[count++] = a->is_not;
    parts[count++] = a->at_least.expr;
    parts[count++] = a->at_most.expr;
    return count;
}

void blame_handles(struct blame *b, const struct assertion *a,
                   struct journal *j)
{
    const struct expr *parts[PARTS_MAX];
    size_t count = parts_of(a, parts);

    for (size_t i = 0; i < count; i++) {
        const char *const *name = parts[i] ? expr_variables(parts[i]) : NULL;

        for (; name && *name; name++) {
            xmlXPathObjectPtr value;

            if (is_standing(*name))
                continue;
            value = journal_variable(j, *name);
            blame_value(b, value);
            xmlXPathFreeObject(value);
        }
    }
}

/* -------------------------------------------------------------------- lag */

struct interval {
    int64_t from, to; /* from > to: nothing yet */
};

static void widen(struct interval *in, const xmlNode *node)
{
    static const char *const moments[] = {"t0", "t1", "delivered-t", "answered",
                                          "t"};

    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        const char *text = xml_attr(node, NULL, moments[i]);
        int64_t t = text ? strtoll(text, NULL, 10) : 0;

        if (!text)
            continue;
        if (in->from > in->to) {
            in->from = in->to = t;
        } else {
            in->from = t < in->from ? t : in->from;
            in->to = t > in->to ? t : in->to;
        }
    }
}

int64_t blame_lag(const struct assertion *a, struct journal *j,
                  const xmlNode *it, double got)
{
    struct interval in = {1, 0};
    struct blame named = {NULL, 0, 0};

    if (it && (xml_is(it, NULL, "x") || xml_is(it, NULL, "gap") ||
               xml_is(it, NULL, "ev")))
        widen(&in, it);
    blame_handles(&named, a, j);
    for (size_t i = 0; i < named.count; i++)
        widen(&in, journal_x(j, named.exchanges[i]));
    free(named.exchanges);
    if (in.from > in.to)
        return journal_lag(j, 0, INT64_MAX);
    if (isfinite(got) && got > 0 && got < 1e15)
        in.from -= (int64_t)got;
    return journal_lag(j, in.from, in.to);
}
