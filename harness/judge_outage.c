/*
 * Was the server there all the time? When it was not, the play that made it
 * fall is guilty, and every other one that was on at the time has nothing to
 * say. See judge_parts.h.
 */
#include "judge_parts.h"

#include <string.h>

#include "common/xml.h"

static const xmlNode *find(const xmlNode *n, const char *name, const char *attr,
                           const char *value)
{
    for (; n; n = n->next) {
        const char *got =
            xml_is(n, NULL, name) ? xml_attr(n, NULL, attr) : NULL;

        if (got && (!value || strcmp(got, value) == 0))
            return n;
    }
    return NULL;
}

static const xmlNode *next_lost(const xmlNode *n)
{
    while ((n = find(n, "x", "problem", NULL)) != NULL) {
        const char *fault = xml_attr(n, NULL, "fault");

        if (!fault || !*fault)
            return n;
        n = n->next;
    }
    return NULL;
}

/* An exchange for which there never was a connection, or NULL. */
static const xmlNode *unreached(const xmlNode *first)
{
    const xmlNode *x;

    for (x = next_lost(first); x; x = next_lost(x->next)) {
        const char *conn = xml_attr(x, NULL, "conn");

        if (!conn || !find(first, "conn", "n", conn))
            return x;
    }
    return NULL;
}

char *judge_outage(struct journal *j, struct judgement *out)
{
    const xmlNode *first = journal_root(j)->children;
    const xmlNode *health = find(first, "health", "alive", NULL);

    out->lost = next_lost(first) != NULL;
    out->gone = health && (strcmp(xml_attr(health, NULL, "alive"), "no") == 0 ||
                           unreached(first));
    if (!out->gone)
        return NULL;
    if (!find(first, "conn", "n", NULL))
        return mem_dup("the server is gone, and was so before");
    if (strcmp(xml_attr(health, NULL, "alone"), "yes") != 0)
        return mem_dup("the server went away while this case and others were "
                       "played: -j 1 tells which of them did it");
    return NULL;
}
