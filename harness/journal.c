/*
 * The journal's tree, its variables and its plain events: see journal.h. What
 * happens to exchanges is in journal_x.c.
 */
#include "journal_parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xpathInternals.h>

#include "expr.h"

const char *role_name(enum role role)
{
    return role == ROLE_CLIENT ? "client" : "server";
}

static const char *const portions[] = {"unknown", "none", "part", "whole"};

const char *portion_name(enum portion p)
{
    return portions[p];
}

enum portion portion_of(const char *word)
{
    for (size_t i = 0; word && i < sizeof portions / sizeof portions[0]; i++) {
        if (strcmp(portions[i], word) == 0)
            return (enum portion)i;
    }
    return PORTION_UNKNOWN;
}

void *journal_room(void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return array;
    *cap = *cap ? 2 * *cap : 16;
    return mem_grow(array, *cap * size);
}

/* ----------------------------------------------------------------- nodes */

void journal_put(xmlNodePtr node, const char *name, const char *value)
{
    struct buf plain = BUF_INIT;

    if (xmlCheckUTF8((const xmlChar *)value)) {
        xml_set(node, name, value);
        return;
    }
    /* A peer's bytes that are no text: the log has them, the tree has not. */
    for (; *value; value++)
        buf_addc(&plain, (unsigned char)*value < 0x80 ? *value : '?');
    xml_set(node, name, buf_str(&plain));
    buf_release(&plain);
}

void journal_put_number(xmlNodePtr node, const char *name, long long value)
{
    xml_setf(node, name, "%lld", value);
}

void journal_drop(xmlNodePtr node, const char *name)
{
    xmlUnsetProp(node, (const xmlChar *)name);
}

/*
 * Document order. XPath sorts node-sets, and libxml2 finds the order of two
 * siblings by walking from one to the other, unless their elements carry the
 * numbers that xmlXPathOrderDocElems() gives, negative, in content. The tree
 * grows at its end and inside its last elements only, so numbers are given as
 * elements come: the child of the root in the upper half, what is below it in
 * the lower. Elements without a number are still sorted right, only slowly.
 */
#define TOP_SHIFT 32

static void set_order(xmlNodePtr node, unsigned long number)
{
#if UINTPTR_MAX > 0xFFFFFFFFUL
    node->content = (xmlChar *)(-(intptr_t)number);
#else
    (void)node;
    (void)number;
#endif
}

xmlNodePtr journal_top(struct journal *j, const char *name)
{
    xmlNodePtr node = xmlNewChild(j->root, NULL, (const xmlChar *)name, NULL);

    set_order(node, ++j->tops << (TOP_SHIFT % (8 * sizeof(long))));
    return node;
}

unsigned long journal_order(const xmlNode *top, xmlNodePtr node,
                            unsigned long from)
{
    unsigned long base = (unsigned long)-(intptr_t)top->content;

    if (node->type == XML_ELEMENT_NODE)
        set_order(node, base + from++);
    for (xmlNodePtr n = node->children; n; n = n->next) {
        if (n->type == XML_ELEMENT_NODE)
            from = journal_order(top, n, from);
    }
    return from;
}

struct journal_x *journal_x_of(const struct journal *j, long long n)
{
    return n > 0 && (unsigned long long)n < j->x_cap ? j->xs[n] : NULL;
}

/* --------------------------------------------------------------- lifetime */

static xmlXPathObjectPtr look_up(void *user, const xmlChar *name,
                                 const xmlChar *ns)
{
    return ns ? NULL : journal_variable(user, (const char *)name);
}

struct journal *journal_new(enum role role)
{
    struct journal *j = mem_alloc(sizeof *j);

    j->role = role;
    j->upset_t = -1;
    j->doc = xmlNewDoc((const xmlChar *)"1.0");
    j->root = xmlNewDocNode(j->doc, NULL, (const xmlChar *)"journal", NULL);
    xmlDocSetRootElement(j->doc, j->root);
    xml_set(j->root, "role", role_name(role));
    xml_set(j->root, "partial", "0");
    j->sids = xmlHashCreate(16);
    j->bodies = xmlHashCreate(64);
    j->creations = xmlHashCreate(16);
    j->xpath = xmlXPathNewContext(j->doc);
    xmlXPathContextSetCache(j->xpath, 1, -1, 0);
    expr_register_namespaces(j->xpath);
    expr_register_functions(j->xpath);
    xmlXPathRegisterVariableLookup(j->xpath, look_up, j);
    return j;
}

static void free_names(struct journal *j)
{
    for (size_t i = 0; i < j->name_count; i++) {
        free(j->names[i].name);
        free(j->names[i].items);
        xmlXPathFreeObject(j->names[i].value);
    }
    free(j->names);
}

void journal_free(struct journal *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->x_cap; i++)
        free(j->xs[i]);
    for (size_t i = 0; i < j->session_count; i++)
        session_free(j->sessions[i]);
    free_names(j);
    free(j->xs);
    free(j->sessions);
    free(j->open);
    free(j->cut);
    free(j->x_nodes);
    free(j->conns);
    free(j->ev_nodes);
    free(j->lags);
    xmlHashFree(j->sids, NULL);
    xmlHashFree(j->bodies, NULL);
    xmlHashFree(j->creations, NULL);
    xmlXPathFreeContext(j->xpath);
    xmlFreeDoc(j->doc);
    free(j);
}

xmlDocPtr journal_doc(const struct journal *j)
{
    return j->doc;
}

xmlNodePtr journal_root(const struct journal *j)
{
    return j->root;
}

xmlNodePtr journal_x(const struct journal *j, unsigned n)
{
    struct journal_x *x = journal_x_of(j, n);

    return x ? x->node : NULL;
}

xmlXPathContextPtr journal_xpath(struct journal *j)
{
    return j->xpath;
}

void journal_set_it(struct journal *j, xmlNodePtr node)
{
    j->it = node;
}

int64_t journal_lag(const struct journal *j, int64_t t0, int64_t t1)
{
    int64_t sum = 0;

    for (size_t i = 0; i < j->lag_count; i++) {
        if (j->lags[i].t0 <= t1 && j->lags[i].t1 >= t0)
            sum += j->lags[i].ms;
    }
    return sum;
}

int64_t journal_worst_lag(const struct journal *j)
{
    int64_t worst = 0;

    for (size_t i = 0; i < j->lag_count; i++)
        worst = j->lags[i].ms > worst ? j->lags[i].ms : worst;
    return worst;
}

/* -------------------------------------------------------------- variables */

static struct journal_name *find_name(const struct journal *j, const char *name)
{
    for (size_t i = 0; i < j->name_count; i++) {
        if (strcmp(j->names[i].name, name) == 0)
            return &j->names[i];
    }
    return NULL;
}

static struct journal_name *name_of(struct journal *j, const char *name)
{
    struct journal_name *found = find_name(j, name);

    if (found)
        return found;
    JOURNAL_ROOM(j->names, j->name_count, j->name_cap);
    found = &j->names[j->name_count++];
    memset(found, 0, sizeof *found);
    found->name = mem_dup(name);
    return found;
}

static xmlXPathObjectPtr nodes_of(xmlNodePtr *nodes, size_t count)
{
    xmlXPathObjectPtr value = xmlXPathNewNodeSet(NULL);

    for (size_t i = 0; i < count; i++)
        xmlXPathNodeSetAddUnique(value->nodesetval, nodes[i]);
    return value;
}

static xmlNodePtr named_node(const struct journal *j,
                             const struct journal_name *name, size_t i)
{
    unsigned n = name->items[i].n;

    switch (name->items[i].kind) {
    case NAMES_X:
        return journal_x(j, n);
    case NAMES_EV:
        return n && n <= j->ev_count ? j->ev_nodes[n - 1] : NULL;
    case NAMES_SESSION:
        for (size_t s = 0; s < j->session_count; s++) {
            if (j->sessions[s]->create == n)
                return j->sessions[s]->node;
        }
        return NULL;
    }
    return NULL;
}

static xmlXPathObjectPtr named(const struct journal *j,
                               const struct journal_name *name)
{
    xmlXPathObjectPtr value;

    if (name->value)
        return xmlXPathObjectCopy(name->value);
    value = xmlXPathNewNodeSet(NULL);
    for (size_t i = 0; i < name->count; i++) {
        xmlNodePtr node = named_node(j, name, i);

        if (node)
            xmlXPathNodeSetAdd(value->nodesetval, node);
    }
    return value;
}

xmlXPathObjectPtr journal_variable(struct journal *j, const char *name)
{
    const struct journal_name *bound;
    xmlXPathObjectPtr value;

    if (strcmp(name, "x") == 0)
        return nodes_of(j->x_nodes, j->x_count);
    if (strcmp(name, "ev") == 0)
        return nodes_of(j->ev_nodes, j->ev_count);
    if (strcmp(name, "it") == 0)
        return nodes_of(&j->it, j->it != NULL);
    if (strcmp(name, "journal") == 0)
        return nodes_of(&j->root, 1);
    bound = j->nameless ? NULL : find_name(j, name);
    if (bound)
        return named(j, bound);
    value = xmlXPathNewNodeSet(NULL);
    for (size_t i = 0; i < j->session_count && strcmp(name, "s") == 0; i++)
        xmlXPathNodeSetAddUnique(value->nodesetval, j->sessions[i]->node);
    return value;
}

void journal_hide_names(struct journal *j, bool hide)
{
    j->nameless = hide;
}

static void on_name(struct journal *j, const struct event *ev)
{
    static const struct {
        const char *attr;
        int kind;
    } kinds[] = {{"x", NAMES_X}, {"ev", NAMES_EV}, {"session", NAMES_SESSION}};
    const char *as = event_get(ev, "as");

    for (size_t i = 0; as && i < sizeof kinds / sizeof kinds[0]; i++) {
        long long n = event_int(ev, kinds[i].attr, 0);
        struct journal_name *name;

        if (n <= 0)
            continue;
        name = name_of(j, as);
        xmlXPathFreeObject(name->value);
        name->value = NULL;
        JOURNAL_ROOM(name->items, name->count, name->cap);
        name->items[name->count].kind = kinds[i].kind;
        name->items[name->count].n = (unsigned)n;
        name->count++;
    }
}

static void on_let(struct journal *j, const struct event *ev)
{
    const char *as = event_get(ev, "name");
    const char *type = event_get(ev, "type");
    const char *text = event_get(ev, "value");
    struct journal_name *name;

    if (!as || !type)
        return;
    text = text ? text : "";
    name = name_of(j, as);
    xmlXPathFreeObject(name->value);
    if (strcmp(type, "number") == 0)
        name->value =
            xmlXPathNewFloat(xmlXPathCastStringToNumber((const xmlChar *)text));
    else if (strcmp(type, "boolean") == 0)
        name->value = xmlXPathNewBoolean(strcmp(text, "true") == 0);
    else
        name->value = xmlXPathNewCString(text);
}

/* ----------------------------------------------------------- plain events */

static void copy_attrs(xmlNodePtr node, const struct event *ev)
{
    for (size_t i = 0; i < ev->attr_count; i++)
        journal_put(node, ev->attrs[i].name, ev->attrs[i].value);
}

/* An event as an element of its own, with its XML, if it has any, inside. */
static xmlNodePtr plain(struct journal *j, const struct event *ev)
{
    xmlNodePtr node = journal_top(j, ev->name);
    struct buf wrapped = BUF_INIT;
    xmlDocPtr doc = NULL;

    journal_put_number(node, "seq", (long long)ev->seq);
    journal_put_number(node, "t", ev->t_ms);
    copy_attrs(node, ev);
    if (ev->data) {
        buf_adds(&wrapped, "<x>");
        buf_add(&wrapped, ev->data, ev->data_len);
        buf_adds(&wrapped, "</x>");
        doc = xml_parse(buf_str(&wrapped), wrapped.len, NULL, NULL);
        buf_release(&wrapped);
    }
    if (doc) {
        xmlNodePtr child = xmlDocGetRootElement(doc)->children;

        for (; child; child = child->next)
            xmlAddChild(node, xmlDocCopyNode(child, j->doc, 1));
        xmlFreeDoc(doc);
    } else if (ev->data) {
        char *text = mem_dupn(ev->data, ev->data_len);

        journal_put(node, "text", text);
        free(text);
    }
    journal_order(node, node, 0);
    return node;
}

static void on_ev(struct journal *j, const struct event *ev)
{
    xmlNodePtr node = plain(j, ev);

    JOURNAL_ROOM(j->ev_nodes, j->ev_count, j->ev_cap);
    j->ev_nodes[j->ev_count++] = node;
    journal_put_number(node, "n", (long long)j->ev_count);
}

/* A verb may make the client fall silent, or leave what was open: gaps that
 * it touches say nothing about the client. */
static void on_do(struct journal *j, const struct event *ev)
{
    static const char *const upsetting[] = {
        "pause",  "resume", "save", "restore", "restart-process",
        "attach", "reset",  "quit", NULL};
    const char *verb = event_get(ev, "verb");

    plain(j, ev);
    if (!verb)
        return;
    for (size_t i = 0; upsetting[i]; i++) {
        if (strcmp(verb, upsetting[i]) == 0)
            j->upset_t = ev->t_ms;
    }
    if (strcmp(verb, "pause") == 0)
        j->hush = true;
    else if (strcmp(verb, "resume") == 0 || strcmp(verb, "connect") == 0)
        j->hush = false;
    if (strcmp(verb, "attach") == 0 && event_get(ev, "sid"))
        journal_put(j->root, "attached", event_get(ev, "sid"));
}

void journal_add_lag(struct journal *j, int64_t from, int64_t to, int64_t ms)
{
    struct journal_lag lag = {from, to, ms};
    xmlNodePtr node = journal_top(j, "lag");

    journal_put_number(node, "t0", lag.t0);
    journal_put_number(node, "t1", lag.t1);
    journal_put_number(node, "ms", lag.ms);
    JOURNAL_ROOM(j->lags, j->lag_count, j->lag_cap);
    j->lags[j->lag_count++] = lag;
}

static void on_lag(struct journal *j, const struct event *ev)
{
    journal_add_lag(j, event_int(ev, "from", ev->t_ms),
                    event_int(ev, "to", ev->t_ms), event_int(ev, "ms", 0));
}

void journal_add(struct journal *j, const struct event *ev)
{
    static const struct {
        const char *name;
        void (*add)(struct journal *j, const struct event *ev);
    } plain_events[] = {
        {"ev", on_ev},     {"do", on_do},   {"lag", on_lag},
        {"name", on_name}, {"let", on_let},
    };

    if (j->over && strcmp(ev->name, "close") == 0)
        x_cut(j, ev);
    if (j->over && strcmp(ev->name, "health") != 0)
        return;
    for (size_t i = 0; i < sizeof plain_events / sizeof plain_events[0]; i++) {
        if (strcmp(ev->name, plain_events[i].name) == 0) {
            plain_events[i].add(j, ev);
            return;
        }
    }
    if (strcmp(ev->name, "step") == 0 || strcmp(ev->name, "end") == 0 ||
        strcmp(ev->name, "health") == 0)
        plain(j, ev);
    else if (strcmp(ev->name, "log") == 0)
        copy_attrs(j->root, ev);
    else
        x_event(j, ev);
    if (strcmp(ev->name, "open") == 0 || strcmp(ev->name, "close") == 0 ||
        strcmp(ev->name, "tls") == 0)
        conn_event(j, ev);
    if (j->role == ROLE_SERVER && strcmp(ev->name, "end") == 0) {
        j->over = true;
        j->over_ms = ev->t_ms;
    }
}

void journal_finish(struct journal *j, int64_t now_ms)
{
    if (j->finished)
        return;
    j->finished = true;
    if (j->over)
        now_ms = j->over_ms;
    journal_put_number(j->root, "t1", now_ms);
    x_finish(j, now_ms);
    for (size_t i = 0; i < j->session_count; i++)
        session_finish(j, j->sessions[i], now_ms);
}
