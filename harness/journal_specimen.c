/*
 * The specimen journal: each element and each attribute that journal.h lists,
 * once. boshspec lint follows expressions on it; test_journal.c holds real
 * journals against it, so that the two stay one.
 */
#include "journal_parts.h"

#include <stdlib.h>
#include <string.h>

struct element {
    const char *both; /* "name=value name=value": in both roles */
    const char *client;
    const char *server;
};

static const struct element of_journal = {
    "version=1 case=client/a/b rev=1 peer=peer seed=1 started=0 partial=0 "
    "fault=refuse t1=9000",
    "attached=abc url=http://localhost/", ""};

static const struct element of_x = {
    "n=1 conn=1 seq0=1 t0=0 seq1=3 t1=5 method=POST kind=payload rid=100 "
    "rid-form=plain "
    "sid=abc sid-known=yes session=1 copy=2 copy-of=1 first=1 copies=2 "
    "same=yes "
    "empty=no payloads=1 arrived=whole delivered=whole by=manager fault= "
    "rule=r closed=fin closed-by=peer problem=none open-client=1 open-limit=2 "
    "open-manager=1 since-poll=2000 polling-ms=2000 after-end=100",
    "forwarded=1 answered=4 delivered-t=6 abandoned=rst",
    "sent=1 took=10 wait-ms=60000 early-by=1 surplus=id"};

static const struct element of_message = {
    "version=1.1 body-id=1 length=10 content-type=text/xml media=text/xml "
    "charset=utf-8 content-encoding=gzip chunked=yes problem=none "
    "coding=gzip decoded-length=20 undecoded=none "
    "malformed=yes extra=1 "
    "error=none comment=yes pi=yes doctype=yes bom=yes text=yes "
    "encoding=utf-8",
    "", ""};
static const struct element of_req = {"method=POST target=/", "", ""};
static const struct element of_res = {"status=200 reason=OK by=manager", "",
                                      "replay=same"};

static const struct element of_session = {
    "n=1 sid=abc create=1 jid=a@b/c wait=60 hold=1 requests=2 inactivity=60 "
    "polling=5 maxpause=120 ver=1.11 ack=100 accept=gzip asked-wait=60 "
    "asked-hold=1 asked-ver=1.11 asked-content=text/xml polls=yes rid=101 "
    "rids-missing= missing-ms=1 open=0 idle-since=5 ended=9 ended-t=9 "
    "ended-by=client condition=item-not-found stream=a terminate-delivered=10 "
    "terminate-delivered-t=10",
    "", ""};

static const struct element of_gap = {
    "session=1 t0=1 t1=2 ms=1 limit=60000 by=request x=1 clean=yes", "", ""};
static const struct element of_conn = {
    "n=1 seq=1 t=0 closed=fin closed-by=peer t1=9", "tls=yes problem=none", ""};
static const struct element of_ev = {
    "seq=1 t=1 n=1 client=0 stream=1 kind=status value=connected "
    "condition=none "
    "text=words",
    "", ""};
static const struct element of_do = {
    "seq=1 t=1 client=0 verb=connect stream=1 result=ok reason=none", "", ""};
static const struct element of_lag = {"t0=1 t1=2 ms=1", "", ""};
static const struct element of_step = {
    "seq=1 t=1 line=1 what=await outcome=done", "", ""};
static const struct element of_end = {"seq=1 t=1 how=done because=words line=1",
                                      "", ""};
static const struct element of_health = {"", "",
                                         "seq=1 t=1 x=1 alive=yes alone=yes"};

/* All that a <body/> may have: XEP-0124 §22, and XEP-0206 §9. */
static const char body[] =
    "<body xmlns='" XML_NS_HTTPBIND "' xmlns:xbosh='" XML_NS_XBOSH "' "
    "accept='' ack='' authid='' charsets='' condition='' content='' from='' "
    "hold='' inactivity='' key='' maxpause='' newkey='' pause='' polling='' "
    "report='' requests='' rid='' route='' secure='' sid='' stream='' time='' "
    "to='' type='' ver='' wait='' xml:lang='' xbosh:version='' "
    "xbosh:restart='' xbosh:restartlogic=''><uri/>"
    "<message xmlns='" XML_NS_CLIENT "' id='' type=''/></body>";

static void put_words(xmlNodePtr node, const char *words)
{
    while (*words) {
        size_t len = strcspn(words, " ");
        char *word = mem_dupn(words, len);
        char *value = strchr(word, '=');

        *value++ = '\0';
        journal_put(node, word, value);
        free(word);
        words += len;
        words += strspn(words, " ");
    }
}

static void fill(const struct journal *j, xmlNodePtr node,
                 const struct element *e)
{
    put_words(node, e->both);
    put_words(node, j->role == ROLE_CLIENT ? e->client : e->server);
}

static void add_xml(struct journal *j, xmlNodePtr node, const char *text)
{
    xmlDocPtr doc = xml_parse(text, strlen(text), NULL, NULL);

    xmlAddChild(node, xmlDocCopyNode(xmlDocGetRootElement(doc), j->doc, 1));
    xmlFreeDoc(doc);
}

static void add_message(struct journal *j, xmlNodePtr x, const char *name,
                        const struct element *e)
{
    xmlNodePtr node = xmlNewChild(x, NULL, (const xmlChar *)name, NULL);
    xmlNodePtr header;

    fill(j, node, e);
    fill(j, node, &of_message);
    header = xmlNewChild(node, NULL, (const xmlChar *)"header", NULL);
    put_words(header, "name=Host value=localhost");
    add_xml(j, node, body);
}

static xmlNodePtr add(struct journal *j, const char *name,
                      const struct element *e)
{
    xmlNodePtr node = journal_top(j, name);

    fill(j, node, e);
    return node;
}

static void add_exchange(struct journal *j)
{
    xmlNodePtr node = add(j, "x", &of_x);

    add_message(j, node, "req", &of_req);
    if (j->role == ROLE_CLIENT)
        add_message(j, node, "answer", &of_res);
    add_message(j, node, "res", &of_res);
    JOURNAL_ROOM(j->x_nodes, j->x_count, j->x_node_cap);
    j->x_nodes[j->x_count++] = node;
}

/* A session that only stands for its node, so that $s is bound as ever. */
static void add_session(struct journal *j)
{
    static const char stanza[] =
        "<message xmlns='" XML_NS_CLIENT "' id='' type=''/>";
    struct journal_session *s = mem_alloc(sizeof *s);

    s->node = add(j, "s", &of_session);
    s->create = 1;
    s->up = xmlNewChild(s->node, NULL, (const xmlChar *)"up", NULL);
    s->down = xmlNewChild(s->node, NULL, (const xmlChar *)"down", NULL);
    add_xml(j, s->up, stanza);
    add_xml(j, s->down, stanza);
    JOURNAL_ROOM(j->sessions, j->session_count, j->session_cap);
    j->sessions[j->session_count++] = s;
}

struct journal *journal_specimen(enum role role)
{
    static const char stanza[] =
        "<message xmlns='" XML_NS_CLIENT "' id='' type=''/>";
    struct journal *j = journal_new(role);
    xmlNodePtr node;

    fill(j, j->root, &of_journal);
    add_exchange(j);
    add_session(j);
    add(j, "conn", &of_conn);
    node = add(j, "ev", &of_ev);
    add_xml(j, node, stanza);
    JOURNAL_ROOM(j->ev_nodes, j->ev_count, j->ev_cap);
    j->ev_nodes[j->ev_count++] = node;
    node = add(j, "do", &of_do);
    add_xml(j, node, stanza);
    add(j, "gap", &of_gap);
    add(j, "lag", &of_lag);
    add(j, "step", &of_step);
    add(j, "end", &of_end);
    if (role == ROLE_SERVER)
        add(j, "health", &of_health);
    return j;
}
