/* From events to facts: a hand-written log for each derived fact. */
#include <stdlib.h>

#include <libxml/xpathInternals.h>

#include "check.h"
#include "test_journal.h"
#include "common/xml.h"
#include "suites.h"

static void test_creation_makes_a_session(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    MAKER_STR(&m, "count($s)", "0");
    maker_session(&m, 10, "polling='5' maxpause='120' ack='100'");
    MAKER_STR(&m, "count($s)", "1");
    MAKER_STR(&m, "bs:join($s/@n | $s/@sid | $s/@create, ' ')", "1 1 abc");
    MAKER_STR(&m,
              "bs:join($s/@wait | $s/@hold | $s/@requests | $s/@inactivity | "
              "$s/@polling | $s/@maxpause | $s/@ver | $s/@ack, ' ')",
              "60 1 2 60 5 120 1.11 100");
    MAKER_STR(&m, "string($s/@asked-wait)", "60");
    MAKER_STR(&m, "string($s/@rid)", "100");
    MAKER_STR(&m, "string($s/@idle-since)", "10");
    MAKER_STR(&m, "string($s/@open)", "0");
    MAKER_STR(&m, "string($x/@session)", "1");
    MAKER_STR(&m, "string($s/@polls)", "");
    maker_release(&m);
}

static void test_kinds(void)
{
    static const struct {
        const char *body, *kind, *empty;
    } rows[] = {
        {BODY "rid='1' to='a'/>", "create", "yes"},
        {BODY "rid='1' sid=''/>", "create", "yes"},
        {BODY SID "rid='1'/>", "poll", "yes"},
        {BODY SID "rid='1'>" MESSAGE("a") "</body>", "payload", "no"},
        {BODY SID "rid='1' pause='5'/>", "pause", "yes"},
        {BODY SID "rid='1' type='terminate'>" MESSAGE("a") "</body>",
         "terminate", "no"},
        {BODY SID "rid='1' xmlns:x='urn:xmpp:xbosh' x:restart='true'/>",
         "restart", "yes"},
        {BODY SID "rid='1' restart='true'/>", "poll", "yes"},
        {"<body/>", "other", ""},
        {"not xml", "other", ""},
        {"", "other", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct maker m;

        maker_init(&m, ROLE_CLIENT);
        maker_request(&m, 0, 1, 1, rows[i].body);
        CHECK_STR(maker_eval(&m, "string($x/@kind)"), rows[i].kind);
        CHECK_STR(maker_eval(&m, "string($x/@empty)"), rows[i].empty);
        maker_release(&m);
    }
}

static void test_an_options_request_is_no_bosh(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_event(&m, 0, "req", "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n", "x", "1",
                "conn", "1", "arrived", "whole", NULL);
    MAKER_STR(&m, "string($x/@kind)", "options");
    MAKER_STR(&m, "string($x/@method)", "OPTIONS");
    MAKER_STR(&m, "string($x/req/@target)", "/");
    maker_release(&m);
}

static void test_what_the_bytes_say(void)
{
    static const struct {
        const char *body, *expr, *want;
    } rows[] = {
        {"<a><b></a>", "starts-with($x/req/@error, 'line 1: ')", "true"},
        {BODY "rid='1'><!--c--></body>", "string($x/req/@comment)", "yes"},
        {BODY "rid='1'><?p i?></body>", "string($x/req/@pi)", "yes"},
        {"<!DOCTYPE a>" EMPTY, "string($x/req/@doctype)", "yes"},
        {"\xEF\xBB\xBF" EMPTY, "string($x/req/@bom)", "yes"},
        {BODY ">words</body>", "string($x/req/@text)", "yes"},
        {BODY "> \n </body>", "string($x/req/@text)", ""},
        {"<?xml version='1.0' encoding='utf-8'?>" EMPTY,
         "string($x/req/@encoding)", "utf-8"},
        {EMPTY, "string($x/req/@length)", "51"},
        {EMPTY, "string($x/req/@body-id)", "1"},
        {EMPTY, "string($x/req/@version)", "1.1"},
        {EMPTY, "string($x/req/@media)", "text/xml"},
        {EMPTY, "string($x/req/@charset)", "utf-8"},
        {EMPTY, "string($x/req/header[@name='Host']/@value)", "localhost"},
        {EMPTY, "count($x/req/b:body)", "1"},
        {EMPTY, "count($x/req/@problem)", "0"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct maker m;

        maker_init(&m, ROLE_CLIENT);
        maker_request(&m, 0, 1, 1, rows[i].body);
        CHECK_STR(maker_eval(&m, rows[i].expr), rows[i].want);
        maker_release(&m);
    }
}

static void test_codings_are_undone(void)
{
    static const struct {
        const char *name;
        enum coding coding;
        const char *says;
    } rows[] = {
        {"gzip", CODING_GZIP, "gzip 90  1"},
        {"X-Gzip", CODING_GZIP, "gzip 90  1"},
        {"deflate", CODING_DEFLATE, "deflate 90  1"},
        {"gzip", CODING_DEFLATE, "gzip  damaged gzip 0"},
        {"deflate", CODING_NONE, "deflate  damaged deflate 0"},
        {"identity", CODING_NONE, "   1"},
        {"text/xml", CODING_NONE, "   1"},
        {"br", CODING_NONE, "   1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct maker m;

        maker_init(&m, ROLE_CLIENT);
        maker_session(&m, 0, "");
        maker_request(&m, 1, 2, 2,
                      BODY "rid='101' sid='abc'> one and one </body>");
        maker_coded(&m, 2, 3, rows[i].name, rows[i].coding,
                    BODY "rid='101' sid='abc'> one and one </body>");
        MAKER_STR(&m, "string($x[3]/req/@content-encoding)", rows[i].name);
        MAKER_STR(&m,
                  "concat($x[3]/req/@coding, ' ', $x[3]/req/@decoded-length, "
                  "' ', $x[3]/req/@undecoded, ' ', count($x[3]/req/b:body))",
                  rows[i].says);
        MAKER_STR(&m, "$x[3]/@copy-of = 2 and $x[3]/@same = 'yes'",
                  strchr(rows[i].says, '1') ? "true" : "false");
        maker_release(&m);
    }
}

static void test_http_problems_are_kept(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_event(&m, 0, "req", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                "x", "1", "conn", "1", "arrived", "part", NULL);
    MAKER_STR(&m, "$x/@arrived", "part");
    MAKER_STR(&m, "string($x/req/@problem) != ''", "true");
    MAKER_STR(&m, "string($journal/@partial)", "1");
    maker_event(&m, 0, "req", "POST /\xff HTTP/1.1\r\nX: \xfe\r\n\r\n", "x",
                "2", "conn", "1", "arrived", "whole", "problem", "bad header",
                NULL);
    MAKER_STR(&m, "string($x[2]/req/@problem)", "bad header");
    maker_release(&m);
}

static void test_order_numbers_and_times(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");      /* events 1 to 5 */
    request(&m, 20, 2, "101", ""); /* 6 */
    MAKER_STR(&m, "$x[2]/@seq0", "6");
    MAKER_STR(&m, "$x[2]/@t0", "20");
    MAKER_STR(&m, "$x[2]/@arrived", "unknown");
    maker_forward(&m, 21, 2);
    MAKER_STR(&m, "$x[2]/@arrived", "whole");
    MAKER_STR(&m, "$x[2]/@forwarded", "21");
    maker_answer(&m, 30, 2, WITH("a"));
    /* Withheld: the manager answered, and the client has nothing. */
    MAKER_STR(&m, "$x[2]/@answered", "30");
    MAKER_STR(&m, "count($x[2]/res) + count($x[2]/@t1)", "0");
    MAKER_STR(&m, "count($x[2]/answer/b:body/c:message)", "1");
    maker_put(&m, 40, 2);
    MAKER_STR(&m, "count($x[2]/answer)", "0");
    MAKER_STR(&m, "$x[2]/res/b:body/c:message/@id", "a");
    MAKER_STR(&m, "$x[2]/@t1", "40");
    MAKER_STR(&m, "$x[2]/@seq1", "9");
    MAKER_STR(&m, "$x[2]/@by", "manager");
    MAKER_STR(&m, "$x[2]/@delivered", "unknown");
    maker_delivered(&m, 41, 2, "whole");
    MAKER_STR(&m, "$x[2]/@delivered", "whole");
    MAKER_STR(&m, "$x[2]/@delivered-t", "41");
    maker_release(&m);
}

static void test_a_strangers_answer_is_between(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 20, 2, "101", "");
    maker_event(&m, 20, "fault", NULL, "x", "2", "rule", "bad", "name",
                "respond", NULL);
    maker_event(&m, 20, "fault", NULL, "x", "2", "rule", "bad", "name", "delay",
                NULL);
    maker_event(&m, 21, "lost", NULL, "x", "2", NULL);
    maker_event(&m, 22, "res", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
                "x", "2", "by", "between", NULL);
    maker_delivered(&m, 23, 2, "whole");
    MAKER_STR(&m, "$x[2]/@arrived", "none");
    MAKER_STR(&m, "$x[2]/@by", "between");
    MAKER_STR(&m, "$x[2]/res/@status", "503");
    MAKER_STR(&m, "$x[2]/@fault", "respond delay");
    MAKER_STR(&m, "$x[2]/@rule", "bad bad");
    /* The rid is still to be answered, but nothing is open. */
    MAKER_STR(&m, "$s/@open", "0");
    MAKER_STR(&m, "$s/@idle-since", "23");
    maker_release(&m);
}

static void test_bodies_have_classes(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 1, 2, "101", "");
    request(&m, 2, 3, "101", "");
    request(&m, 3, 4, "101", " ");
    MAKER_STR(&m, "$x[2]/req/@body-id = $x[3]/req/@body-id", "true");
    MAKER_STR(&m, "$x[2]/req/@body-id = $x[4]/req/@body-id", "false");
    MAKER_STR(&m, "bs:join($x/@copy, ' ')", "1 1 2 3");
    MAKER_STR(&m, "bs:join($x/@copy-of, ' ')", "2 2");
    MAKER_STR(&m, "bs:join($x/@same, ' ')", "yes no");
    MAKER_STR(&m, "string($x[2]/@copies)", "3");
    maker_release(&m);
}

static void test_creations_are_copies_by_rid_and_bytes(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_request(&m, 0, 1, 1, BODY "rid='7' to='a'/>");
    maker_request(&m, 1, 2, 2, BODY "rid='7' to='a'/>");
    maker_request(&m, 2, 3, 3, BODY "rid='7' to='b'/>");
    MAKER_STR(&m, "bs:join($x/@copy, ' ')", "1 2 1");
    MAKER_STR(&m, "string($x[2]/@copy-of)", "1");
    maker_release(&m);
}

static void test_sids_are_known_or_not(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 1, 2, "101", "");
    maker_request(&m, 2, 3, 1, BODY "sid='other' rid='1'/>");
    MAKER_STR(&m, "bs:join($x/@sid-known, ' ')", "yes no");
    MAKER_STR(&m, "string($x[3]/@session)", "");
    maker_event(&m, 3, "do", NULL, "client", "0", "verb", "attach", "sid",
                "other", NULL);
    maker_request(&m, 4, 4, 1, BODY "sid='other' rid='2'/>");
    MAKER_STR(&m, "string($x[4]/@sid-known)", "yes");
    maker_release(&m);
}

/* ------------------------------------------------------ names and the rest */

static void test_connections_and_their_tls(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_event(&m, 1, "open", NULL, "conn", "1", NULL);
    maker_event(&m, 2, "tls", NULL, "conn", "1", "how", "failed", "problem",
                "alert", NULL);
    maker_event(&m, 3, "close", NULL, "conn", "1", "how", "rst", "by", "peer",
                NULL);
    maker_event(&m, 4, "open", NULL, "conn", "2", NULL);
    maker_event(&m, 5, "tls", NULL, "conn", "2", "how", "yes", NULL);
    maker_event(&m, 6, "close", NULL, "conn", "2", "how", "half-close", "by",
                "us", NULL);
    MAKER_STR(&m, "string($journal/conn[1]/@tls)", "failed");
    MAKER_STR(&m, "string($journal/conn[1]/@problem)", "alert");
    MAKER_STR(&m, "concat(//conn[1]/@closed, //conn[1]/@closed-by)", "rstpeer");
    MAKER_STR(&m, "string($journal/conn[1]/@t1)", "3");
    MAKER_STR(&m, "count($journal/conn[@n = 2][@tls = 'yes'][not(@closed)])",
              "1");
    maker_release(&m);
    maker_init(&m, ROLE_SERVER);
    maker_event(&m, 1, "open", NULL, "conn", "1", NULL);
    MAKER_STR(&m, "count($journal/conn[@n = 1][not(@closed)])", "1");
    maker_event(&m, 2, "close", NULL, "conn", "1", "how", "fin", "by", "peer",
                NULL);
    MAKER_STR(&m, "concat(//conn/@n, //conn/@closed, //conn/@closed-by)",
              "1finpeer");
    maker_release(&m);
}

/* Half a second to connect is no fault of what then answers. */
static void test_a_connection_that_was_long_in_coming(void)
{
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_request(&m, 100, 1, 1, BODY "rid='1'/>");
    maker_request(&m, 100, 2, 2, BODY "rid='2'/>");
    maker_event(&m, 500, "open", NULL, "conn", "1", NULL);
    CHECK_INT(journal_worst_lag(m.journal), 0);
    maker_event(&m, 1120, "open", NULL, "conn", "2", NULL);
    CHECK_INT(journal_worst_lag(m.journal), 1020);
    CHECK_INT(journal_lag(m.journal, 0, 99), 0);
    MAKER_STR(&m, "concat(//lag/@t0, ' ', //lag/@t1, ' ', //lag/@ms)",
              "100 1120 1020");
    maker_release(&m);
}

static void test_names(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_event(&m, 0, "name", NULL, "as", "login", "session", "1", NULL);
    MAKER_STR(&m, "count($login)", "0");
    maker_session(&m, 0, "");
    MAKER_STR(&m, "string($login/@sid)", "abc");
    request(&m, 10, 2, "101", "");
    request(&m, 11, 3, "102", "");
    maker_event(&m, 12, "name", NULL, "as", "N", "x", "2", NULL);
    maker_event(&m, 12, "name", NULL, "as", "N", "x", "3", NULL);
    MAKER_STR(&m, "bs:join($N/@rid, ' ')", "101 102");
    MAKER_STR(&m, "$N[last()]/@rid - $N[1]/@rid", "1");
    maker_event(&m, 13, "let", NULL, "name", "q", "type", "number", "value",
                "9007199254740991", NULL);
    maker_event(&m, 13, "let", NULL, "name", "b", "type", "boolean", "value",
                "false", NULL);
    maker_event(&m, 13, "let", NULL, "name", "t", "type", "string", "value",
                "a b", NULL);
    MAKER_STR(&m, "$q", "9007199254740991");
    MAKER_STR(&m, "not($b)", "true");
    MAKER_STR(&m, "concat($t, '!')", "a b!");
    maker_event(&m, 14, "let", NULL, "name", "q", "type", "number", "value",
                "5", NULL);
    MAKER_STR(&m, "$q", "5");
    maker_event(&m, 15, "name", NULL, "as", "s", "session", "7", NULL);
    MAKER_STR(&m, "count($s)", "0");
    maker_release(&m);
}

static void test_what_the_driver_said(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_event(&m, 5, "do", NULL, "client", "0", "verb", "connect", NULL);
    maker_event(&m, 6, "ev", NULL, "client", "0", "kind", "status", "value",
                "connected", NULL);
    maker_event(&m, 7, "ev", MESSAGE("a"), "client", "0", "kind", "stanza",
                NULL);
    maker_event(&m, 8, "ev", "no & xml", "client", "0", "kind", "error", NULL);
    MAKER_STR(&m, "bs:join($ev/@n | $ev/@kind, ' ')",
              "status 1 stanza 2 error 3");
    MAKER_STR(&m, "$ev[@kind='stanza']/c:message/@id", "a");
    MAKER_STR(&m, "$ev[3]/@text", "no & xml");
    MAKER_STR(&m, "/journal/do/@verb", "connect");
    maker_event(&m, 9, "name", NULL, "as", "said", "ev", "2", NULL);
    MAKER_STR(&m, "$said/@t", "7");
    maker_release(&m);
}

static void test_lag_is_looked_up_by_time(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_event(&m, 100, "lag", NULL, "from", "60", "to", "100", "ms", "40",
                NULL);
    maker_event(&m, 500, "lag", NULL, "from", "490", "to", "500", "ms", "10",
                NULL);
    CHECK_INT(journal_lag(m.journal, 0, 50), 0);
    CHECK_INT(journal_lag(m.journal, 0, 60), 40);
    CHECK_INT(journal_lag(m.journal, 100, 489), 40);
    CHECK_INT(journal_lag(m.journal, 101, 600), 10);
    CHECK_INT(journal_lag(m.journal, 60, 500), 50); /* late twice */
    MAKER_STR(&m, "sum(/journal/lag/@ms)", "50");
    maker_release(&m);
}

static void test_nonsense_is_ignored(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_event(&m, 0, "res", EMPTY, "x", "9", NULL);
    maker_event(&m, 0, "delivered", NULL, "x", "-1", NULL);
    maker_event(&m, 0, "req", NULL, "x", "0", NULL);
    maker_event(&m, 0, "req", NULL, "x", "99999999999", NULL);
    maker_event(&m, 0, "close", NULL, NULL);
    maker_event(&m, 0, "fault", NULL, "name", "refuse", NULL);
    MAKER_STR(&m, "count($x)", "0");
    MAKER_STR(&m, "$journal/@fault", "refuse");
    maker_event(&m, 0, "req", NULL, "x", "1", NULL);
    maker_event(&m, 0, "res", NULL, "x", "1", "same", "yes", NULL);
    maker_event(&m, 0, "answer", NULL, "x", "1", NULL);
    maker_event(&m, 0, "delivered", NULL, "x", "1", "how", "whole", NULL);
    MAKER_STR(&m, "count($x)", "1");
    maker_release(&m);
}

/* -------------------------------------------------------- the whole of it */

static void play_a_bit(struct maker *m)
{
    maker_session(m, 0, "polling='2' maxpause='60'");
    request(m, 10, 2, "101", MESSAGE("a"));
    maker_exchange_end(m, 20, 2, WITH("b"));
    request(m, 30, 3, "104", "");
    request(m, 40, 4, "103", "");
    maker_event(m, 41, "fault", NULL, "x", "4", "rule", "r", "name", "n", NULL);
    maker_exchange_end(m, 50, 3, EMPTY);
    request(m, 55, 5, "104", "");
    maker_exchange_end(m, 60, 5, EMPTY);
    maker_exchange_end(m, 65, 4, EMPTY);
    maker_event(m, 70, "ev", MESSAGE("b"), "client", "0", "kind", "stanza",
                NULL);
    maker_event(m, 71, "lag", NULL, "from", "0", "to", "9", "ms", "9", NULL);
    maker_request(m, 80, 6, 1, BODY SID "rid='105' type='terminate'/>");
    maker_exchange_end(m, 90, 6, TERMINATE);
    request(m, 400, 7, "106", "");
    maker_event(m, 400, "step", NULL, "line", "1", "what", "await", "outcome",
                "done", NULL);
    maker_event(m, 400, "end", NULL, "how", "done", "line", "3", NULL);
}

static char *tree_of(struct journal *j)
{
    struct buf text = BUF_INIT;

    xml_write(&text, journal_root(j));
    return buf_take(&text);
}

static void read_again(void *ctx, const struct event *ev)
{
    journal_add(ctx, ev);
}

static void test_a_log_read_again_gives_the_same_journal(void)
{
    for (int role = ROLE_CLIENT; role <= ROLE_SERVER; role++) {
        struct journal *again = journal_new((enum role)role);
        char *line, *next, *first, *second;
        struct err e = {""};
        struct event ev;
        struct maker m;

        maker_init(&m, (enum role)role);
        play_a_bit(&m);
        for (line = m.log.data; *line; line = next) {
            next = strchr(line, '\n') + 1;
            CHECK_INT(event_read(line, (size_t)(next - line), &ev, &e), 1);
            read_again(again, &ev);
            event_release(&ev);
        }
        journal_finish(m.journal, 1000);
        journal_finish(again, 1000);
        first = tree_of(m.journal);
        second = tree_of(again);
        CHECK_STR(first, second);
        free(first);
        free(second);
        journal_free(again);
        maker_release(&m);
    }
}

/* Sorting a node-set that was given backwards gives the order of the tree:
 * the numbers that make it cheap are right. */
static void test_document_order_is_the_trees(void)
{
    static const char *const sets[] = {"//x | //ev | //s | //gap | //lag",
                                       "//*", "//s/down/* | //s/up/*",
                                       "//x/req | //x/res/b:body | //x/answer"};
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    play_a_bit(&m);
    journal_finish(m.journal, 1000);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct err e = {""};
        struct expr *ex = expr_new(sets[i], "test", 1, &e);
        xmlXPathObjectPtr value = expr_eval(ex, m.journal, NULL, &e);
        xmlNodeSetPtr set = value->nodesetval;
        xmlNodeSetPtr turned = xmlXPathNodeSetCreate(NULL);

        for (int k = set->nodeNr; k > 0; k--)
            xmlXPathNodeSetAddUnique(turned, set->nodeTab[k - 1]);
        xmlXPathNodeSetSort(turned);
        xmlXPathNodeSetSort(set);
        for (int k = 0; k < set->nodeNr; k++)
            CHECK_ROW(set->nodeTab[k] == turned->nodeTab[k], sets[i]);
        for (int k = 1; k < set->nodeNr; k++)
            CHECK_ROW(xmlXPathCmpNodes(set->nodeTab[k - 1], set->nodeTab[k]) ==
                          1,
                      sets[i]);
        xmlXPathFreeNodeSet(turned);
        xmlXPathFreeObject(value);
        expr_free(ex);
    }
    maker_release(&m);
}

/* Every element and attribute of a real journal is on the specimen. */
static void compare(struct maker *specimen, const xmlNode *node)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        char *path =
            mem_printf("count(//%s[@%s]) > 0", (const char *)node->name,
                       (const char *)a->name);

        CHECK_ROW(strcmp(maker_eval(specimen, path), "true") == 0, path);
        free(path);
    }
    for (const xmlNode *n = node->children; n; n = n->next) {
        if (n->type == XML_ELEMENT_NODE && !n->ns)
            compare(specimen, n);
    }
}

static void test_the_specimen_holds_each_thing(void)
{
    for (int role = ROLE_CLIENT; role <= ROLE_SERVER; role++) {
        struct maker m,
            specimen = {journal_specimen((enum role)role), 0, BUF_INIT};

        maker_init(&m, (enum role)role);
        play_a_bit(&m);
        journal_finish(m.journal, 1000);
        compare(&specimen, journal_root(m.journal));
        MAKER_STR(&specimen, "count($x) + count($s) + count($ev)", "3");
        MAKER_STR(&specimen, "string($journal/@role)",
                  role_name((enum role)role));
        maker_release(&m);
        maker_release(&specimen);
    }
}

int suite_journal(void)
{
    static const struct {
        const char *name;
        CU_TestFunc run;
    } tests[] = {
        {"creation makes a session", test_creation_makes_a_session},
        {"kinds", test_kinds},
        {"an OPTIONS request is no BOSH", test_an_options_request_is_no_bosh},
        {"what the bytes say", test_what_the_bytes_say},
        {"codings are undone", test_codings_are_undone},
        {"HTTP problems are kept", test_http_problems_are_kept},
        {"order numbers and times", test_order_numbers_and_times},
        {"a stranger's answer is between", test_a_strangers_answer_is_between},
        {"bodies have classes", test_bodies_have_classes},
        {"creations are copies by rid and bytes",
         test_creations_are_copies_by_rid_and_bytes},
        {"sids are known or not", test_sids_are_known_or_not},
        {"connections and their TLS", test_connections_and_their_tls},
        {"a connection that was long in coming",
         test_a_connection_that_was_long_in_coming},
        {"names", test_names},
        {"what the driver said", test_what_the_driver_said},
        {"lag is looked up by time", test_lag_is_looked_up_by_time},
        {"nonsense is ignored", test_nonsense_is_ignored},
        {"a log read again gives the same journal",
         test_a_log_read_again_gives_the_same_journal},
        {"document order is the tree's", test_document_order_is_the_trees},
        {"the specimen holds each thing", test_the_specimen_holds_each_thing},
    };
    CU_pSuite suite = CU_add_suite("journal", NULL, NULL);

    if (!suite)
        return -1;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        CU_add_test(suite, tests[i].name, tests[i].run);
    return add_journal_session_tests(suite);
}
