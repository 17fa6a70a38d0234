/*
 * Reads cases, invariants and the requirement catalogue. Every error is one
 * line, path:line: message, and says what is allowed.
 */
#ifndef HARNESS_CASE_XML_H
#define HARNESS_CASE_XML_H

#include "case.h"

/* One row of cases/requirements.xml. */
struct requirement {
    char *id;
    char *section;  /* "XEP-0124 14.2 Forwarding", or the seed's */
    char *level;    /* MUST, SHOULD NOT, IMPLIED, PRACTICE, ... */
    char *subject;  /* client, cm, both */
    char *breaks;   /* interop, advice, record */
    char *text;     /* in our words */
    char *unjudged; /* why no case can judge it; NULL: one can */
    int line;       /* in requirements.xml, where rows stand by section */
};

struct catalogue {
    struct requirement *rows; /* sorted by id */
    size_t count;
};

/* The rules judged on every journal. */
struct invariant {
    struct assertion assertion;
    enum role binds; /* whom it binds: the client, or the manager (server) */
    struct twin_ref *caught;
    size_t caught_count;
};
struct invariants {
    struct invariant *items;
    size_t count;
};

/* Where the schemas and the knowledge are (the cases/ directory). */
struct knowledge {
    char *dir;
    struct catalogue catalogue;
    struct invariants invariants;
    struct knowledge_schemas *schemas;
};

/* Schemas, compiled. */
struct schema;
struct knowledge_schemas {
    struct schema *cases;
    struct schema *invariants;
    struct schema *requirements;
};

/* Load schemas, catalogue and invariants from dir (cases/): schema/,
 * requirements.xml and invariants.xml. Call before threads start, after
 * xml_init(). 0, or -1 with e; then there is nothing to release. */
int knowledge_load(struct knowledge *k, const char *dir, struct err *e);
/* Accepts NULL and zeroed. */
void knowledge_release(struct knowledge *k);

/* NULL when there is no such row. */
const struct requirement *catalogue_find(const struct catalogue *c,
                                         const char *id);

/*
 * Read one case. id is what it is called (its path under cases/ without
 * .xml).
 *
 * Returns 0 with *out, yours, free with testcase_free(); -1 with e:
 * "path:line: message". May be called from several threads, each with cases
 * of its own.
 */
int case_read(const struct knowledge *k, const char *path, const char *id,
              struct testcase **out, struct err *e);

/*
 * Everything that can be found wrong without playing: handles that no step
 * binds, expressions that can never match on the specimen journal, unknown
 * requirements and twins, caught by= that names no assert, a silence after
 * which nothing shows that the peer is alive, string() of a rid.
 *
 * twin  the name of a role's i-th twin, NULL behind the last; or NULL, and
 *       twins are not looked at
 * say   gets each finding: "path:line: message"; borrowed for the call
 *
 * Returns the number of findings.
 */
size_t case_lint(const struct knowledge *k, const struct testcase *tc,
                 const char *(*twin)(enum role role, size_t i),
                 void (*say)(void *ctx, const char *finding), void *ctx);

/* The same for the invariants: their requirements and expressions. path is
 * for the messages. */
size_t invariants_lint(const struct knowledge *k, const char *path,
                       const char *(*twin)(enum role role, size_t i),
                       void (*say)(void *ctx, const char *finding), void *ctx);

#endif
