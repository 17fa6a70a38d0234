/*
 * A session's rids in order, and its payloads, each once: see
 * journal_parts.h. rids are decimal strings: they pass 2^53.
 */
#include "journal_parts.h"

#include <stdlib.h>
#include <string.h>

#include "expr.h"

/* Longer rids than this many digits are compared, but not counted. */
#define COUNTABLE_DIGITS 19

void rid_free(struct journal_rid *r)
{
    free(r->text);
    free(r);
}

size_t rids_index(const struct journal_session *s, const char *rid, bool *hit)
{
    size_t low = 0, high = s->rid_count;

    *hit = false;
    /* Nearly always it is the newest. */
    if (high && expr_rid_cmp(s->rids[high - 1]->text, rid) < 0)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = expr_rid_cmp(s->rids[middle]->text, rid);

        if (order == 0) {
            *hit = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool countable(const char *rid, unsigned long long *number)
{
    if (strlen(rid) > COUNTABLE_DIGITS)
        return false;
    *number = strtoull(rid, NULL, 10);
    return true;
}

bool rids_is_foreign(const struct journal *j, const struct journal_session *s,
                     const struct journal_rid *r)
{
    const struct journal_x *creation = journal_x_of(j, s->create);

    return creation && creation->rid &&
           expr_rid_cmp(r->text, creation->rid->text) < 0;
}

bool rids_missing_below(const struct journal_session *s, const char *rid)
{
    unsigned long long number;

    return s->missing_count > 0 && countable(rid, &number) &&
           s->missing[0] < number;
}

void rids_print_missing(struct journal_session *s)
{
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < s->missing_count; i++)
        buf_printf(&text, i ? " %llu" : "%llu", s->missing[i]);
    journal_put(s->node, "rids-missing", buf_str(&text));
    buf_release(&text);
}

/* A rid above the highest leaves out what is between. */
static void miss(struct journal_session *s, const char *highest,
                 const char *rid, int64_t t)
{
    unsigned long long from, to;
    bool any = false;

    if (!countable(highest, &from) || !countable(rid, &to))
        return;
    for (from++; from < to && s->missing_count < MISSING_MAX; from++) {
        s->missing_t[s->missing_count] = t;
        s->missing[s->missing_count++] = from;
        any = true;
    }
    if (any)
        rids_print_missing(s);
}

/* A rid below the highest came late. */
static void fill(struct journal_session *s, const char *rid, int64_t t)
{
    unsigned long long number;
    size_t i = 0;

    s->filled_t = t;
    if (!countable(rid, &number))
        return;
    while (i < s->missing_count && s->missing[i] != number)
        i++;
    if (i == s->missing_count)
        return;
    s->missing_count--;
    memmove(s->missing + i, s->missing + i + 1,
            (s->missing_count - i) * sizeof *s->missing);
    memmove(s->missing_t + i, s->missing_t + i + 1,
            (s->missing_count - i) * sizeof *s->missing_t);
    rids_print_missing(s);
}

struct journal_rid *rids_add(struct journal_session *s,
                             const struct journal_x *x, const char *rid)
{
    struct journal_rid *r;
    bool hit;
    size_t at = rids_index(s, rid, &hit);

    if (hit) {
        s->rids[at]->copies++;
        return s->rids[at];
    }
    JOURNAL_ROOM(s->rids, s->rid_count, s->rid_cap);
    if (at == s->rid_count) {
        if (s->rid_count)
            miss(s, s->rids[at - 1]->text, rid, x->t0);
        journal_put(s->node, "rid", rid);
    } else if (at > 0) {
        fill(s, rid, x->t0);
    }
    memmove(s->rids + at + 1, s->rids + at,
            (s->rid_count - at) * sizeof(struct journal_rid *));
    r = mem_alloc(sizeof *r);
    r->text = mem_dup(rid);
    r->first = x->n;
    r->copies = 1;
    s->rids[at] = r;
    s->rid_count++;
    return r;
}

struct journal_rid *rids_before(const struct journal_session *s,
                                const struct journal_rid *r)
{
    unsigned long long number, before;
    bool hit;
    size_t at = rids_index(s, r->text, &hit);

    if (!hit || at == 0 || !countable(r->text, &number) ||
        !countable(s->rids[at - 1]->text, &before) || before + 1 != number)
        return NULL;
    return s->rids[at - 1];
}

struct journal_rid *rids_after(const struct journal_session *s,
                               const struct journal_rid *r)
{
    bool hit;
    size_t at = rids_index(s, r->text, &hit);
    struct journal_rid *next =
        hit && at + 1 < s->rid_count ? s->rids[at + 1] : NULL;

    return next && rids_before(s, next) == r ? next : NULL;
}

/* ---------------------------------------------------------------- payloads */

/* The first payload of a later rid, before which r's belong; NULL: the end. */
static xmlNodePtr next_payload(const struct journal_session *s,
                               const struct journal_rid *r, bool down)
{
    bool hit;

    for (size_t i = rids_index(s, r->text, &hit) + 1; i < s->rid_count; i++) {
        xmlNodePtr first = down ? s->rids[i]->down_first : s->rids[i]->up_first;

        if (first)
            return first;
    }
    return NULL;
}

/* Copies body's elements into list. Returns the first, or NULL. */
/* Old implementations leave out xmlns='jabber:client', and their stanzas are
 * in BOSH's namespace by mistake (XEP-0206 §2, note): they are stanzas all the
 * same. */
static void mend_namespace(xmlNodePtr stanza, xmlNodePtr node, xmlNsPtr client)
{
    if (node->type != XML_ELEMENT_NODE || !node->ns ||
        strcmp((const char *)node->ns->href, XML_NS_HTTPBIND) != 0)
        return;
    if (!client)
        client = xmlNewNs(stanza, (const xmlChar *)XML_NS_CLIENT, NULL);
    if (!client) /* the default namespace is declared on it already */
        client = xmlNewNs(stanza, (const xmlChar *)XML_NS_CLIENT,
                          (const xmlChar *)"c");
    node->ns = client;
    for (xmlNodePtr n = node->children; n; n = n->next)
        mend_namespace(stanza, n, client);
}

static bool is_stanza(const xmlNode *n)
{
    const char *name = (const char *)n->name;

    return strcmp(name, "message") == 0 || strcmp(name, "presence") == 0 ||
           strcmp(name, "iq") == 0;
}

static xmlNodePtr take(struct journal *j, struct journal_session *s,
                       const struct journal_rid *r, const xmlNode *body,
                       bool down)
{
    xmlNodePtr before = next_payload(s, r, down);
    xmlNodePtr list = down ? s->down : s->up;
    unsigned long *count = down ? &s->down_nodes : &s->up_nodes;
    xmlNodePtr first = NULL;

    for (xmlNodePtr n = xml_child(body, NULL, NULL); n; n = xml_next(n)) {
        xmlNodePtr copy = xmlDocCopyNode(n, j->doc, 1);

        if (is_stanza(copy))
            mend_namespace(copy, copy, NULL);
        if (before) {
            xmlAddPrevSibling(before, copy);
        } else {
            xmlAddChild(list, copy);
            *count = journal_order(s->node, copy, *count);
        }
        if (!first)
            first = copy;
    }
    return first;
}

/* How often an id of an iq was seen in table; counts it when add. */
static uintptr_t count_id(xmlHashTablePtr table, const char *id, bool add)
{
    uintptr_t have = (uintptr_t)xmlHashLookup(table, (const xmlChar *)id);

    if (add) {
        have++;
        xmlHashUpdateEntry(table, (const xmlChar *)id, (void *)have, NULL);
    }
    return have;
}

static bool is_iq(const xmlNode *n, bool answer)
{
    const char *type = xml_attr(n, NULL, "type");
    bool is_answer =
        type && (strcmp(type, "result") == 0 || strcmp(type, "error") == 0);

    return strcmp((const char *)n->name, "iq") == 0 && type &&
           xml_attr(n, NULL, "id") && is_answer == answer;
}

void rids_take_up(struct journal *j, struct journal_session *s,
                  struct journal_x *x)
{
    const xmlNode *body = facts_body(x->req);

    if (!x->rid || x->rid->up_done || !body)
        return;
    x->rid->up_done = true;
    x->rid->up_first = take(j, s, x->rid, body, false);
    for (xmlNodePtr n = xml_child(body, NULL, NULL); n; n = xml_next(n)) {
        if (is_iq(n, false))
            count_id(s->asked, xml_attr(n, NULL, "id"), true);
    }
}

/* Answers to iqs beyond those that were asked: the manager gave a payload
 * twice, under two rids. */
static void find_surplus(struct journal_session *s, struct journal_x *x,
                         const xmlNode *body)
{
    struct buf ids = BUF_INIT;

    if (s->streams_asked)
        return; /* each stream answers what is for all, §16.4 */
    for (xmlNodePtr n = xml_child(body, NULL, NULL); n; n = xml_next(n)) {
        const char *id = xml_attr(n, NULL, "id");
        uintptr_t asked, answered;

        if (!is_iq(n, true))
            continue;
        asked = count_id(s->asked, id, false);
        answered = count_id(s->answered, id, true);
        if (asked && answered > asked)
            buf_printf(&ids, ids.len ? " %s" : "%s", id);
    }
    if (ids.len)
        journal_put(x->node, "surplus", buf_str(&ids));
    buf_release(&ids);
}

/* The full JID that resource binding gave (RFC 6120 §7.6). */
static void find_jid(struct journal_session *s, const xmlNode *body)
{
    for (xmlNodePtr n = xml_child(body, NULL, "iq"); n; n = xml_next(n)) {
        xmlNodePtr jid =
            xml_child(xml_child(n, XML_NS_BIND, "bind"), XML_NS_BIND, "jid");

        if (jid) {
            char *text = xml_text(jid);

            journal_put(s->node, "jid", text);
            s->has_jid = true;
            free(text);
        }
    }
}

void rids_take_down(struct journal *j, struct journal_session *s,
                    struct journal_x *x, const xmlNode *body)
{
    if (!x->rid || x->rid->down_done || !xml_child(body, NULL, NULL))
        return;
    x->rid->down_done = true;
    x->rid->down_first = take(j, s, x->rid, body, true);
    if (!s->has_jid)
        find_jid(s, body);
    find_surplus(s, x, body);
}
