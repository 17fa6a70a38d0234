/* Schemas, the requirement catalogue, the invariants: see case_xml.h. */
#include "case_xml.h"

#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "schema.h"

/* ---------------------------------------------------------------- schemas */

static void schemas_free(struct knowledge_schemas *s)
{
    if (!s)
        return;
    schema_free(s->cases);
    schema_free(s->invariants);
    schema_free(s->requirements);
    free(s);
}

static int load_schemas(struct knowledge *k, struct err *e)
{
    char *dir = mem_printf("%s/schema", k->dir);
    struct knowledge_schemas *s = mem_alloc(sizeof *s);
    int rv = -1;

    k->schemas = s;
    if ((s->cases = schema_load(dir, "case.rng", e)) &&
        (s->invariants = schema_load(dir, "invariants.rng", e)) &&
        (s->requirements = schema_load(dir, "requirements.rng", e)))
        rv = 0;
    free(dir);
    return rv;
}

/* A file that fits its schema, or NULL with e set. */
static xmlDocPtr load_checked(const char *path, const struct schema *schema,
                              struct err *e)
{
    xmlDocPtr doc = xml_parse_file(path, e);

    if (doc && schema_check(schema, doc, path, e) != 0) {
        xmlFreeDoc(doc);
        doc = NULL;
    }
    return doc;
}

/* -------------------------------------------------------------- catalogue */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct requirement *)a)->id,
                  ((const struct requirement *)b)->id);
}

static void read_requirement(const xmlNode *node, struct requirement *row)
{
    row->id = reader_attr(node, "id");
    row->section = reader_attr(node, "section");
    row->level = reader_attr(node, "level");
    row->subject = reader_attr(node, "subject");
    row->breaks = reader_attr(node, "breaks");
    row->text = reader_words(node);
    row->unjudged = reader_attr(node, "unjudged");
    row->line = (int)xmlGetLineNo(node);
}

static int load_catalogue(struct knowledge *k, struct err *e)
{
    struct catalogue *c = &k->catalogue;
    char *path = mem_printf("%s/requirements.xml", k->dir);
    xmlDocPtr doc = load_checked(path, k->schemas->requirements, e);
    const xmlNode *node;
    int rv = doc ? 0 : -1;

    node = doc ? xml_child(xmlDocGetRootElement(doc), NULL, NULL) : NULL;
    for (; node; node = xml_next(node))
        read_requirement(node, READER_ADD(c->rows, c->count));
    if (c->count)
        qsort(c->rows, c->count, sizeof *c->rows, by_id);
    for (size_t i = 1; rv == 0 && i < c->count; i++) {
        if (strcmp(c->rows[i - 1].id, c->rows[i].id) == 0)
            rv = err_set(e, "%s: requirement '%s' is there twice", path,
                         c->rows[i].id);
    }
    xmlFreeDoc(doc);
    free(path);
    return rv;
}

const struct requirement *catalogue_find(const struct catalogue *c,
                                         const char *id)
{
    struct requirement key = {.id = (char *)id};

    if (!c->count)
        return NULL;
    return bsearch(&key, c->rows, c->count, sizeof *c->rows, by_id);
}

static void catalogue_release(struct catalogue *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct requirement *row = &c->rows[i];

        free(row->id);
        free(row->section);
        free(row->level);
        free(row->subject);
        free(row->breaks);
        free(row->text);
        free(row->unjudged);
    }
    free(c->rows);
}

/* ------------------------------------------------------------- invariants */

static void read_invariant(struct reader *r, const xmlNode *node,
                           struct invariant *out)
{
    const xmlNode *child = xml_child(node, NULL, NULL);

    case_assertion_read(r, node, &out->assertion);
    out->binds = reader_is(node, "binds", "client") ? ROLE_CLIENT : ROLE_SERVER;
    for (; child; child = xml_next(child)) {
        struct twin_ref *twin;

        if (strcmp((const char *)child->name, "caught") != 0)
            continue;
        twin = READER_ADD(out->caught, out->caught_count);
        twin->twin = reader_attr(child, "twin");
        twin->line = (int)xmlGetLineNo(child);
    }
}

static int load_invariants(struct knowledge *k, struct err *e)
{
    struct invariants *list = &k->invariants;
    char *path = mem_printf("%s/invariants.xml", k->dir);
    xmlDocPtr doc = load_checked(path, k->schemas->invariants, e);
    struct reader r = {path, {""}};
    const xmlNode *node;
    int rv = doc ? 0 : -1;

    node = doc ? xml_child(xmlDocGetRootElement(doc), NULL, NULL) : NULL;
    for (; node; node = xml_next(node))
        read_invariant(&r, node, READER_ADD(list->items, list->count));
    if (r.err.text[0])
        rv = err_set(e, "%s", r.err.text);
    xmlFreeDoc(doc);
    free(path);
    return rv;
}

static void invariants_release(struct invariants *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct invariant *one = &list->items[i];

        assertion_release(&one->assertion);
        for (size_t t = 0; t < one->caught_count; t++)
            free(one->caught[t].twin);
        free(one->caught);
    }
    free(list->items);
}

/* ------------------------------------------------------------ all of them */

int knowledge_load(struct knowledge *k, const char *dir, struct err *e)
{
    memset(k, 0, sizeof *k);
    k->dir = mem_dup(dir);
    if (load_schemas(k, e) == 0 && load_catalogue(k, e) == 0 &&
        load_invariants(k, e) == 0)
        return 0;
    knowledge_release(k);
    return -1;
}

void knowledge_release(struct knowledge *k)
{
    if (!k)
        return;
    schemas_free(k->schemas);
    catalogue_release(&k->catalogue);
    invariants_release(&k->invariants);
    free(k->dir);
    memset(k, 0, sizeof *k);
}
