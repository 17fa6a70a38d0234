/*
 * Holds our own XML files to their RELAX NG schemas, and says what is wrong.
 *
 * libxml2 knows whether a document is valid, but its messages name neither
 * the attribute nor what is allowed. So when it says no, schema_explain.c
 * walks the .rng itself beside the document until the two part.
 */
#ifndef HARNESS_SCHEMA_H
#define HARNESS_SCHEMA_H

#include <libxml/tree.h>

#include "common/err.h"

struct schema;

/*
 * Load dir/file. An <include href=".."/> is looked for in dir; what it
 * includes must not include again.
 *
 * Returns NULL with e set. Free with schema_free(). Call before threads
 * start; schema_check() may then be called from several.
 */
struct schema *schema_load(const char *dir, const char *file, struct err *e);
void schema_free(struct schema *s);

/* Returns 0, or -1 with e: one line, path:line: message. */
int schema_check(const struct schema *s, xmlDocPtr doc, const char *path,
                 struct err *e);

/*
 * schema_explain.c: the first place where doc leaves the grammar.
 *
 * grammar  the .rng's document, includes resolved
 *
 * Returns -1 with e set, or 0 when it finds nothing.
 */
int schema_explain(xmlDocPtr grammar, xmlDocPtr doc, const char *path,
                   struct err *e);

#endif
