/* One step on the specimen journal: see lint_path_parts.h. */
#include "lint_path_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "expr.h"
#include "nearest.h"

/* What path selects on the specimen; NULL when it cannot be evaluated. */
static xmlXPathObjectPtr select_nodes(struct journal *specimen,
                                      const char *path)
{
    struct err e = {""};
    struct expr *ex = expr_new(path, "", 0, &e);
    xmlXPathObjectPtr value = ex ? expr_eval(ex, specimen, NULL, &e) : NULL;

    expr_free(ex);
    return value;
}

/* -1 when it cannot be told. */
static int count_nodes(struct journal *specimen, const char *path)
{
    xmlXPathObjectPtr value = select_nodes(specimen, path);
    int count = -1;

    if (value && value->type == XPATH_NODESET)
        count = value->nodesetval ? value->nodesetval->nodeNr : 0;
    xmlXPathFreeObject(value);
    return count;
}

/* ------------------------------------------------------------- where to go */

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The specimen holds each thing once, so that it has no brothers: they are
 * looked for below the parent, or anywhere. */
static char *path_of(const struct lint_step *s)
{
    const char *slash = s->deep ? "//" : "/";

    if (is(s->axis, "child"))
        return mem_printf("%s%s%s", s->base, slash, s->test);
    if (is(s->axis, "attribute"))
        return mem_printf("%s%s@%s", s->base, slash, s->test);
    if (starts(s->axis, "preceding-sibling") ||
        starts(s->axis, "following-sibling"))
        return mem_printf("%s/../%s", s->base, s->test);
    if (is(s->axis, "preceding") || is(s->axis, "following"))
        return mem_printf("//%s", s->test);
    return mem_printf("%s%s%s::%s", s->base, slash, s->axis, s->test);
}

/* A payload's element stands in a <body/>, in a session's up and down, or is
 * what the driver handed over. */
static bool hosts_payloads(struct journal *specimen, const char *base)
{
    char *path = mem_printf("(%s)[self::b:body or self::up or self::down or "
                            "self::ev or self::do]",
                            base);
    bool hosts = count_nodes(specimen, path) > 0;

    free(path);
    return hosts;
}

static bool in_payload_vocabulary(const char *test)
{
    const char *colon = strchr(test, ':');

    return colon && !starts(test, "b:");
}

/* Does it lead into somebody's payload, or to prefixes that the peer chose? */
static bool into_payload(struct journal *specimen, const struct lint_step *s)
{
    bool down = is(s->axis, "child") || starts(s->axis, "descendant");

    if (is(s->axis, "namespace"))
        return true;
    if (!down || !s->base[0])
        return down && in_payload_vocabulary(s->test);
    if (in_payload_vocabulary(s->test))
        return s->deep || starts(s->axis, "descendant") ||
               hosts_payloads(specimen, s->base);
    return (is(s->test, "*") || is(s->test, "node()") ||
            is(s->test, "text()")) &&
           hosts_payloads(specimen, s->base);
}

/* ----------------------------------------------------------------- wording */

static const char *prefix_of(const xmlNode *node)
{
    static const struct {
        const char *uri, *prefix;
    } known[] = {
        {XML_NS_HTTPBIND, "b:"},      {XML_NS_CLIENT, "c:"},
        {XML_NS_STREAM, "stream:"},   {XML_NS_SASL, "sasl:"},
        {XML_NS_BIND, "bind:"},       {XML_NS_XBOSH, "xbosh:"},
        {XML_NS_SESSION, "session:"}, {XML_NS_PING, "ping:"},
        {XML_NS_ROSTER, "roster:"},
    };

    for (size_t i = 0; node->ns && i < sizeof known / sizeof known[0]; i++) {
        if (is((const char *)node->ns->href, known[i].uri))
            return known[i].prefix;
    }
    return node->ns && node->ns->prefix &&
                   is((const char *)node->ns->prefix, "xml")
               ? "xml:"
               : "";
}

static bool in_list(const struct buf *list, const char *word)
{
    size_t len = strlen(word);
    const char *p = buf_str(list);

    while ((p = strstr(p, word))) {
        if ((p == list->data || p[-1] == ' ') &&
            (p[len] == ' ' || p[len] == '\0'))
            return true;
        p += len;
    }
    return false;
}

/* What there is in place of the name: "@kind @rid"; the nearest to it goes
 * to guess, which is yours. */
static void list_names(struct journal *specimen, const struct lint_step *s,
                       const char *sign, struct buf *list, char **guess)
{
    char *path = mem_printf(*sign ? "%s/@*" : "%s/*", s->base);
    xmlXPathObjectPtr value = select_nodes(specimen, path);
    struct nearest near = nearest_to(s->test);
    int count = value && value->nodesetval ? value->nodesetval->nodeNr : 0;

    for (int i = 0; i < count; i++) {
        const xmlNode *node = value->nodesetval->nodeTab[i];
        char *name = mem_printf("%s%s%s", sign, prefix_of(node),
                                (const char *)node->name);

        if (!in_list(list, name))
            buf_printf(list, "%s%s", list->len ? " " : "", name);
        nearest_offer(&near, name + strlen(sign));
        if (near.best == name + strlen(sign)) {
            free(*guess);
            *guess = mem_dup(near.best);
            near.best = *guess;
        }
        free(name);
    }
    xmlXPathFreeObject(value);
    free(path);
}

static char *never(struct journal *specimen, const struct lint_step *s)
{
    const char *sign = is(s->axis, "attribute") ? "@" : "";
    struct buf list = BUF_INIT;
    char *guess = NULL;
    char *message;

    list_names(specimen, s, sign, &list, &guess);
    message = mem_printf(
        "'%s%s' never matches in '%s'%s%s%s%s: %s%s", sign, s->test, s->text,
        guess ? " (did you mean '" : "", guess ? sign : "", guess ? guess : "",
        guess ? "'?)" : "", list.len ? "there are " : "there is nothing here",
        buf_str(&list));
    free(guess);
    buf_release(&list);
    return message;
}

char *lint_step_check(struct journal *specimen, const struct lint_step *step,
                      char **message)
{
    char *path;

    if (into_payload(specimen, step))
        return NULL;
    path = path_of(step);
    if (count_nodes(specimen, path) != 0)
        return path;
    free(path);
    *message = never(specimen, step);
    return NULL;
}

/* ------------------------------------------------- words of known attributes
 */

static const struct {
    const char *owner;
    const char *attr;
    const char *words;
} vocabulary[] = {
    {"x", "kind",
     "create poll payload restart pause terminate add-stream close-stream "
     "options other"},
    {"x", "arrived", "whole part none unknown"},
    {"x", "delivered", "whole part none unknown"},
    {"x", "by", "manager between"},
    {"x", "closed-by", "us peer"},
    {"x", "sid-known", "yes no"},
    {"x", "same", "yes no"},
    {"x", "empty", "yes no"},
    {"conn", "tls", "yes no failed"},
    {"conn", "closed-by", "us peer"},
    {"s", "ended-by", "client manager"},
    {"s", "polls", "yes"},
    {"gap", "by", "request end"},
    {"gap", "clean", "yes no"},
    {"ev", "kind", "status stanza error"},
    {"ev", "value",
     "connecting authenticating connected attached disconnecting disconnected "
     "connfail authfail conntimeout bindrequired redirect error"},
};
#define VOCABULARY_COUNT (sizeof vocabulary / sizeof vocabulary[0])

static const char *words_of(const char *owner, const char *attr)
{
    for (size_t i = 0; i < VOCABULARY_COUNT; i++) {
        if (is(vocabulary[i].owner, owner) && is(vocabulary[i].attr, attr))
            return vocabulary[i].words;
    }
    return NULL;
}

char *lint_word_check(struct journal *specimen, const char *path,
                      const char *word)
{
    xmlXPathObjectPtr value = select_nodes(specimen, path);
    xmlNodeSetPtr set =
        value && value->type == XPATH_NODESET ? value->nodesetval : NULL;
    struct buf words = BUF_INIT;
    const char *attr = "";
    char *message = NULL;
    bool known = set && set->nodeNr > 0;

    for (int i = 0; known && i < set->nodeNr; i++) {
        const xmlNode *node = set->nodeTab[i];
        const char *more;

        attr = (const char *)node->name;
        more = node->type == XML_ATTRIBUTE_NODE
                   ? words_of((const char *)node->parent->name, attr)
                   : NULL;
        known = more != NULL;
        if (more && !in_list(&words, more))
            buf_printf(&words, "%s%s", words.len ? " " : "", more);
    }
    if (known && !in_list(&words, word))
        message = mem_printf("@%s is never '%s': allowed are %s", attr, word,
                             buf_str(&words));
    buf_release(&words);
    xmlXPathFreeObject(value);
    return message;
}
