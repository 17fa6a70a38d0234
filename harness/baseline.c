/* Reads a baseline and holds it to the cases: see baseline.h. */
#include "baseline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/xml.h"

#define MAX_FILE (16 << 20) /* bytes */

static const char *const members[] = {"case", "assert", "requirement",
                                      "reason"};
#define MEMBERS (sizeof members / sizeof *members)

void baseline_release(struct baseline *b)
{
    size_t i;

    for (i = 0; i < b->count; i++) {
        free(b->entries[i].case_id);
        free(b->entries[i].assert_id);
        free(b->entries[i].requirement);
        free(b->entries[i].reason);
    }
    free(b->entries);
    free(b->path);
    memset(b, 0, sizeof *b);
}

/* ------------------------------------------------------------- entries */

static bool is_blank(const char *s)
{
    return !s || s[strspn(s, " \t\r\n")] == '\0';
}

static bool same_pin(const struct baseline_entry *a,
                     const struct baseline_entry *b)
{
    return strcmp(a->case_id, b->case_id) == 0 &&
           strcmp(a->assert_id, b->assert_id) == 0;
}

/* values: as members, NULL where there is none. */
static int add(struct baseline *b, const char *const *values, int line,
               struct err *e)
{
    struct baseline_entry *n;
    size_t i;

    for (i = 0; i < MEMBERS; i++)
        if (is_blank(values[i]))
            return err_set_at(e, b->path, line, "an entry without a '%s'%s",
                              members[i],
                              strcmp(members[i], "reason") == 0
                                  ? ": say why it is known to fail"
                                  : "");
    b->entries = mem_grow(b->entries, (b->count + 1) * sizeof *b->entries);
    n = &b->entries[b->count++];
    n->case_id = mem_dup(values[0]);
    n->assert_id = mem_dup(values[1]);
    n->requirement = mem_dup(values[2]);
    n->reason = mem_dup(values[3]);
    n->line = line;
    for (i = 0; i + 1 < b->count; i++)
        if (same_pin(&b->entries[i], n))
            return err_set_at(e, b->path, line,
                              "assert '%s' of '%s' is in line %d already",
                              n->assert_id, n->case_id, b->entries[i].line);
    return 0;
}

static int member_of(const char *name)
{
    size_t i;

    for (i = 0; i < MEMBERS; i++)
        if (strcmp(members[i], name) == 0)
            return (int)i;
    return -1;
}

/* ------------------------------------------------------------- XML */

static int read_known(struct baseline *b, const xmlNode *node, struct err *e)
{
    const char *values[MEMBERS] = {NULL};
    const xmlAttr *a;

    for (a = node->properties; a; a = a->next) {
        int i = a->ns ? -1 : member_of((const char *)a->name);

        if (i < 0)
            return err_set_at(e, b->path, node->line,
                              "attribute '%s' is not known here", a->name);
        values[i] = xml_attr(node, NULL, members[i]);
    }
    return add(b, values, node->line, e);
}

static int read_xml(struct baseline *b, struct err *e)
{
    xmlDocPtr doc = xml_parse_file(b->path, e);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL, *node;
    int rc = doc ? 0 : -1;

    if (root && !xml_is(root, BASELINE_NS, "baseline"))
        rc = err_set_at(e, b->path, root->line,
                        "the root is no <baseline xmlns=\"%s\">", BASELINE_NS);
    for (node = rc == 0 ? xml_child(root, NULL, NULL) : NULL; node && rc == 0;
         node = xml_next(node))
        rc = xml_is(node, BASELINE_NS, "known")
                 ? read_known(b, node, e)
                 : err_set_at(e, b->path, node->line,
                              "<%s> is not known here; <known> is", node->name);
    xmlFreeDoc(doc);
    return rc;
}

/* ------------------------------------------------------------- JSON */

/* Where the n-th object of the list begins, which jansson does not say: it is
 * inside of one object and one list. */
static int line_of(const char *text, size_t n)
{
    int line = 1, depth = 0;
    bool quoted = false;

    for (; *text; text++) {
        if (*text == '\n')
            line++;
        else if (quoted && *text == '\\' && text[1])
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*text == '}' || *text == ']')
            depth--;
        else if ((*text == '{' || *text == '[') && ++depth == 3 && n-- == 0)
            return line;
    }
    return 0;
}

static int read_object(struct baseline *b, json_t *o, int line, struct err *e)
{
    const char *values[MEMBERS] = {NULL}, *name;
    json_t *value;

    if (!json_is_object(o))
        return err_set_at(e, b->path, line, "an entry that is no object");
    json_object_foreach(o, name, value)
    {
        int i = member_of(name);

        if (i < 0)
            return err_set_at(e, b->path, line, "'%s' is not known here", name);
        values[i] = json_string_value(value);
    }
    return add(b, values, line, e);
}

static int read_list(struct baseline *b, const char *text, json_t *o,
                     struct err *e)
{
    json_t *list = json_object_get(o, "known");
    int rc = 0;
    size_t i;

    if (!json_is_array(list) || json_object_size(o) != 2 ||
        json_integer_value(json_object_get(o, "format")) != 1)
        return err_set(e, "%s: {\"format\": 1, \"known\": [...]} is wanted",
                       b->path);
    for (i = 0; i < json_array_size(list) && rc == 0; i++)
        rc = read_object(b, json_array_get(list, i), line_of(text, i), e);
    return rc;
}

static int read_json(struct baseline *b, const char *text, struct err *e)
{
    json_error_t je;
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, &je);
    int rc =
        o ? read_list(b, text, o, e)
          : err_set_at(e, b->path, je.line > 0 ? je.line : 0, "%s", je.text);

    json_decref(o);
    return rc;
}

/* ------------------------------------------------------------- the file */

static int read_file(const char *path, struct buf *out, struct err *e)
{
    FILE *f = fopen(path, "re");
    char piece[16384];
    size_t got;
    int rc = 0;

    if (!f)
        return err_set(e, "%s: %s", path, strerror(errno));
    while (rc == 0 && (got = fread(piece, 1, sizeof piece, f)) > 0) {
        buf_add(out, piece, got);
        if (out->len > MAX_FILE)
            rc = err_set(e, "%s: too big for a baseline", path);
    }
    if (rc == 0 && ferror(f))
        rc = err_set(e, "%s: %s", path, strerror(errno));
    fclose(f);
    return rc;
}

int baseline_load(const char *path, struct baseline *b, struct err *e)
{
    struct buf text = BUF_INIT;
    const char *start;
    int rc;

    memset(b, 0, sizeof *b);
    b->path = mem_dup(path);
    rc = read_file(path, &text, e);
    start = buf_str(&text);
    start += strspn(start, " \t\r\n");
    if (rc == 0 && *start == '{')
        rc = read_json(b, buf_str(&text), e);
    else if (rc == 0)
        rc = read_xml(b, e);
    buf_release(&text);
    if (rc < 0)
        baseline_release(b);
    return rc;
}

/* ------------------------------------------------------------- the cases */

static bool has_file(const struct case_files *files, const char *id)
{
    size_t i;

    for (i = 0; i < files->count; i++)
        if (strcmp(files->items[i].id, id) == 0)
            return true;
    return false;
}

static const struct testcase *selected(const struct selection *sel,
                                       const char *id)
{
    size_t i;

    for (i = 0; i < sel->count; i++)
        if (strcmp(sel->cases[i]->id, id) == 0)
            return sel->cases[i];
    return NULL;
}

/* What the assert is about, or NULL when there is none. */
static const char *requirement_of(const struct knowledge *k,
                                  const struct testcase *tc, const char *id)
{
    static const char prefix[] = "invariant/";
    size_t n = sizeof prefix - 1, i;

    for (i = 0; i < tc->assert_count; i++)
        if (strcmp(tc->asserts[i].id, id) == 0)
            return tc->asserts[i].req;
    for (i = 0; strncmp(id, prefix, n) == 0 && i < k->invariants.count; i++)
        if (strcmp(k->invariants.items[i].assertion.id, id + n) == 0)
            return k->invariants.items[i].assertion.req;
    return NULL;
}

static int check_entry(const struct baseline *b, const struct baseline_entry *n,
                       const struct knowledge *k, const struct testcase *tc,
                       struct err *e)
{
    const char *req = requirement_of(k, tc, n->assert_id);

    if (!req)
        return err_set_at(e, b->path, n->line, "case '%s' has no assert '%s'",
                          n->case_id, n->assert_id);
    if (strcmp(req, n->requirement) != 0)
        return err_set_at(e, b->path, n->line,
                          "assert '%s' of '%s' is about '%s', not '%s'",
                          n->assert_id, n->case_id, req, n->requirement);
    return 0;
}

int baseline_check(const struct baseline *b, const struct knowledge *k,
                   const struct case_files *files, const struct selection *sel,
                   struct err *e)
{
    size_t i;

    for (i = 0; i < b->count; i++) {
        const struct baseline_entry *n = &b->entries[i];
        const struct testcase *tc = selected(sel, n->case_id);

        if (!tc && !has_file(files, n->case_id))
            return err_set_at(e, b->path, n->line, "there is no case '%s'",
                              n->case_id);
        if (tc && check_entry(b, n, k, tc, e) < 0)
            return -1;
    }
    return 0;
}
