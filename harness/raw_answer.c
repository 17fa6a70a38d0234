/* An answer to the raw client: see raw_answer.h. */
#include "raw_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/xml.h"

/* x/@delivered, in the server role, is how much of the answer came. */
static bool came_whole(const xmlNode *x)
{
    const char *how = xml_attr(x, NULL, "delivered");

    return !how || (strcmp(how, "part") != 0 && strcmp(how, "none") != 0);
}

static const char *header_value(const xmlNode *res, const char *name)
{
    for (xmlNodePtr n = xml_child(res, NULL, "header"); n; n = xml_next(n)) {
        const char *got = xml_attr(n, NULL, "name");

        if (got && strcasecmp(got, name) == 0)
            return xml_attr(n, NULL, "value");
    }
    return NULL;
}

struct raw_answer raw_answer_read(struct journal *j, unsigned x)
{
    xmlNodePtr node = j ? journal_x(j, x) : NULL;
    xmlNodePtr res = node ? xml_child(node, NULL, "res") : NULL;
    const char *status = res ? xml_attr(res, NULL, "status") : NULL;
    struct raw_answer a = {0};

    if (!res) {
        a.problem = node ? xml_attr(node, NULL, "problem") : NULL;
        return a;
    }
    a.status = status ? atoi(status) : 0;
    a.whole = a.status > 0 && came_whole(node);
    a.content_type = header_value(res, "Content-Type");
    a.problem = xml_attr(res, NULL, "problem");
    a.body = xml_child(res, XML_NS_HTTPBIND, "body");
    if (a.body) {
        a.type = xml_attr(a.body, NULL, "type");
        a.condition = xml_attr(a.body, NULL, "condition");
    }
    return a;
}

static bool type_is(const struct raw_answer *a, const char *type)
{
    return a->type && strcmp(a->type, type) == 0;
}

bool raw_answer_good(const struct raw_answer *a)
{
    return a->whole && a->status == 200 && a->body &&
           !type_is(a, "terminate") && !type_is(a, "error");
}

bool raw_answer_ends(const struct raw_answer *a, bool legacy)
{
    if (!a->whole)
        return false;
    if (a->body && type_is(a, "terminate"))
        return true;
    return legacy && (a->status == 400 || a->status == 403 || a->status == 404);
}

const char *raw_condition(const xmlNode *error)
{
    for (xmlNodePtr n = xml_child(error, NULL, NULL); n; n = xml_next(n)) {
        if (strcmp((const char *)n->name, "text") != 0)
            return (const char *)n->name;
    }
    return NULL;
}

/* A <body/> that is no good answer. */
static char *body_words(const struct raw_answer *a)
{
    const xmlNode *error = xml_child(a->body, XML_NS_STREAM, "error");
    const char *inner = error ? raw_condition(error) : NULL;
    const char *outer = a->condition ? a->condition : a->type;

    return inner ? mem_printf("%s: %s", outer, inner) : mem_dup(outer);
}

char *raw_answer_words(const struct raw_answer *a)
{
    const char *type = a->content_type ? a->content_type : "no Content-Type";

    if (!a->status)
        return mem_dup(a->problem ? a->problem : "no answer");
    if (!a->whole)
        return mem_printf("HTTP %d, cut off", a->status);
    if (a->status != 200)
        return mem_printf("HTTP %d (%s)", a->status, type);
    if (!a->body)
        return mem_printf("HTTP 200 without a <body/> (%s)", type);
    return a->type ? body_words(a) : mem_dup("an ordinary answer");
}

bool raw_is_limit(const char *condition)
{
    static const char *const limits[] = {
        "policy-violation",
        "temporary-auth-failure",
        "conflict",
        "resource-constraint",
    };

    for (size_t i = 0; condition && i < sizeof limits / sizeof *limits; i++) {
        if (strcmp(condition, limits[i]) == 0)
            return true;
    }
    return false;
}
