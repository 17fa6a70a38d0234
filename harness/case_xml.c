/* Reads a case's head and its asserts: see case_xml.h and reader.h. */
#include "case_xml.h"

#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "schema.h"

static int line_of(const xmlNode *node)
{
    return (int)xmlGetLineNo(node);
}

/* ----------------------------------------------------------------- asserts */

static void read_bound(struct reader *r, const xmlNode *node, struct bound *out)
{
    out->expr = reader_expr(r, node);
    out->clock = reader_is(node, "clock", "ms");
}

static void read_is(struct reader *r, const xmlNode *node,
                    struct assertion *out)
{
    if (out->is_count == ASSERT_MAX_IS) {
        err_set_at(&r->err, r->path, line_of(node),
                   "more than %d 'is' in one assert", ASSERT_MAX_IS);
        return;
    }
    out->is[out->is_count++] = reader_expr(r, node);
}

static void read_assert_child(struct reader *r, const xmlNode *node,
                              struct assertion *out)
{
    const char *name = (const char *)node->name;

    if (strcmp(name, "test") == 0)
        out->test = reader_expr(r, node);
    else if (strcmp(name, "got") == 0)
        out->got = reader_expr(r, node);
    else if (strcmp(name, "is") == 0)
        read_is(r, node, out);
    else if (strcmp(name, "is-not") == 0)
        out->is_not = reader_expr(r, node);
    else if (strcmp(name, "at-least") == 0)
        read_bound(r, node, &out->at_least);
    else if (strcmp(name, "at-most") == 0)
        read_bound(r, node, &out->at_most);
    else if (strcmp(name, "show") == 0)
        out->show = reader_expr(r, node);
}

void case_assertion_read(struct reader *r, const xmlNode *node,
                         struct assertion *out)
{
    static const char *const levels[] = {"", "SHOULD", "MAY", "PRACTICE", NULL};
    static const char *const needs[] = {"", "status", "stanza", NULL};
    const xmlNode *child = xml_child(node, NULL, NULL);

    out->line = line_of(node);
    out->id = reader_attr(node, "id");
    out->req = reader_attr(node, "req");
    out->says = reader_attr(node, "says");
    out->level =
        (enum level)reader_word(node, "level", levels, LEVEL_CATALOGUE);
    out->calm_ms = reader_number(node, "calm", -1);
    out->needs =
        (enum assert_needs)reader_word(node, "needs", needs, NEEDS_NOTHING);
    out->each = reader_expr_attr(r, node, "each");
    for (; child; child = xml_next(child))
        read_assert_child(r, child, out);
}

/* -------------------------------------------------------------------- head */

static void read_needs(const xmlNode *node, struct needs *out)
{
    out->line = line_of(node);
    out->verb = reader_attr(node, "verb");
    out->event = reader_attr(node, "event");
    out->own_process = reader_is(node, "process", "own");
    out->accounts = (unsigned)reader_number(node, "accounts", 0);
    out->anonymous = reader_is(node, "anonymous", "yes");
    out->tls = reader_is(node, "tls", "yes");
    out->option = reader_attr(node, "option");
}

static void read_twin(const xmlNode *node, struct twin_ref *out)
{
    out->line = line_of(node);
    out->twin = reader_attr(node, "twin");
    out->by = reader_attr(node, "by");
}

static void read_covers(const xmlNode *node, struct testcase *tc)
{
    size_t lines = tc->cover_count;
    char **id = READER_ADD(tc->covers, tc->cover_count);
    int *line = READER_ADD(tc->cover_lines, lines);

    *id = reader_attr(node, "req");
    *line = line_of(node);
}

static int read_limit(const xmlNode *node, const char *name)
{
    if (reader_is(node, name, "none"))
        return GRANT_NONE;
    return (int)reader_number(node, name, -1);
}

static int read_yes_no(const xmlNode *node, const char *name)
{
    static const char *const words[] = {"no", "yes", NULL};

    return reader_word(node, name, words, -1);
}

static struct manager_grant grant_default(void)
{
    return (struct manager_grant){
        .wait_s = -1,
        .hold = -1,
        .requests = -1,
        .inactivity_s = -1,
        .polling_s = -1,
        .maxpause_s = -1,
        .ack = -1,
        .keys = -1,
        .restartlogic = -1,
        .anonymous = -1,
        .streams = -1,
        .overactivity_literal = -1,
        .report_ms = -1,
        .empty_at_percent = -1,
    };
}

static void read_attributes(const xmlNode *node, struct manager_grant *g)
{
    const xmlNode *child = xml_child(node, XML_NS_CASE, "attribute");

    for (; child; child = xml_next(child)) {
        size_t lines = g->attribute_count;
        struct mock_attribute *one =
            READER_ADD(g->attributes, g->attribute_count);
        int *line = READER_ADD(g->attribute_lines, lines);

        *line = line_of(child);
        one->name = reader_attr(child, "name");
        if (!reader_is(child, "remove", "yes"))
            one->value = reader_words(child);
    }
}

static void read_manager(struct reader *r, const xmlNode *node,
                         struct manager_grant *g)
{
    static const char *const overactivity[] = {"usual", "literal", NULL};

    g->wait_s = (int)reader_number(node, "wait", -1);
    g->hold = (int)reader_number(node, "hold", -1);
    g->requests = read_limit(node, "requests");
    g->inactivity_s = read_limit(node, "inactivity");
    g->polling_s = read_limit(node, "polling");
    g->maxpause_s = read_limit(node, "maxpause");
    g->ver = reader_attr(node, "ver");
    g->ack = read_yes_no(node, "ack");
    g->keys = read_yes_no(node, "keys");
    g->restartlogic = read_yes_no(node, "restartlogic");
    g->anonymous = read_yes_no(node, "anonymous");
    g->streams = read_yes_no(node, "streams");
    g->overactivity_literal =
        reader_word(node, "overactivity", overactivity, -1);
    g->report_ms = (int)reader_duration(r, node, "report-after").ms;
    g->empty_at_percent = (int)reader_number(node, "empty-at", -1);
    g->content_type = reader_attr(node, "content-type");
    g->features = reader_attr(node, "features");
    g->mechanisms = reader_attr(node, "mechanisms");
    g->accept = reader_attr(node, "accept");
    g->offers = reader_attr(node, "offers");
    g->prefixes = reader_attr(node, "prefixes");
    g->conflict = reader_attr(node, "conflict");
    g->tls = reader_attr(node, "tls");
    read_attributes(node, g);
}

static void read_judge(struct reader *r, const xmlNode *node,
                       struct testcase *tc)
{
    const xmlNode *child = xml_child(node, NULL, NULL);

    for (; child; child = xml_next(child))
        case_assertion_read(r, child,
                            READER_ADD(tc->asserts, tc->assert_count));
}

static void read_part(struct reader *r, const xmlNode *node,
                      struct testcase *tc)
{
    const char *name = (const char *)node->name;

    if (strcmp(name, "title") == 0) {
        tc->title = reader_words(node);
    } else if (strcmp(name, "why") == 0) {
        tc->why = reader_words(node);
    } else if (strcmp(name, "covers") == 0) {
        read_covers(node, tc);
    } else if (strcmp(name, "tag") == 0) {
        char **tag = READER_ADD(tc->tags, tc->tag_count);

        *tag = reader_words(node);
    } else if (strcmp(name, "origin") == 0) {
        tc->origin_url = reader_attr(node, "url");
        tc->origin_implementation = reader_attr(node, "implementation");
    } else if (strcmp(name, "needs") == 0) {
        read_needs(node, READER_ADD(tc->needs, tc->needs_count));
    } else if (strcmp(name, "caught") == 0) {
        read_twin(node, READER_ADD(tc->caught, tc->caught_count));
    } else if (strcmp(name, "spares") == 0) {
        read_twin(node, READER_ADD(tc->spares, tc->spares_count));
    } else if (strcmp(name, "manager") == 0) {
        read_manager(r, node, &tc->manager);
    } else if (strcmp(name, "play") == 0) {
        case_steps_read(r, node, &tc->steps, &tc->step_count);
    } else if (strcmp(name, "judge") == 0) {
        read_judge(r, node, tc);
    }
}

static const char *sockets_only(const struct testcase *tc)
{
    if (testcase_has_tls(tc))
        return "it is about TLS";
    for (size_t i = 0; i < tc->needs_count; i++) {
        if (tc->needs[i].tls)
            return "it is about TLS";
    }
    return case_steps_sockets_only(tc->steps, tc->step_count);
}

static struct testcase *read_case(struct reader *r, xmlDocPtr doc,
                                  const char *id)
{
    const xmlNode *root = xmlDocGetRootElement(doc);
    const xmlNode *child = xml_child(root, NULL, NULL);
    struct testcase *tc = mem_alloc(sizeof *tc);

    tc->id = mem_dup(id);
    tc->path = mem_dup(r->path);
    tc->role = reader_is(root, "role", "server") ? ROLE_SERVER : ROLE_CLIENT;
    tc->rev = (unsigned)reader_number(root, "rev", 1);
    tc->manager = grant_default();
    for (; child; child = xml_next(child))
        read_part(r, child, tc);
    tc->worst_ms = case_steps_ms(tc->steps, tc->step_count, false);
    tc->usual_ms = case_steps_ms(tc->steps, tc->step_count, true);
    tc->sockets_only = sockets_only(tc);
    return tc;
}

int case_read(const struct knowledge *k, const char *path, const char *id,
              struct testcase **out, struct err *e)
{
    struct reader r = {path, {""}};
    struct testcase *tc = NULL;
    xmlDocPtr doc = xml_parse_file(path, e);
    int rv = -1;

    if (!doc || schema_check(k->schemas->cases, doc, path, e) != 0)
        goto out;
    tc = read_case(&r, doc, id);
    if (r.err.text[0]) {
        err_set(e, "%s", r.err.text);
        goto out;
    }
    *out = tc;
    tc = NULL;
    rv = 0;
out:
    testcase_free(tc);
    xmlFreeDoc(doc);
    return rv;
}
