/* From events to facts: a hand-written log for each derived fact. */
#include <stdlib.h>

#include <libxml/xpathInternals.h>

#include "check.h"
#include "journal_maker.h"
#include "common/xml.h"
#include "suites.h"

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' "
#define SID "sid='abc' "
#define EMPTY "<body xmlns='http://jabber.org/protocol/httpbind'/>"
#define MESSAGE(id) "<message xmlns='jabber:client' id='" id "'/>"
#define WITH(id) BODY ">" MESSAGE(id) "</body>"
#define TERMINATE BODY "type='terminate' condition='system-shutdown'/>"

static void request(struct maker *m, int64_t t, unsigned x, const char *rid,
                    const char *inside)
{
    char *body = mem_printf(BODY SID "rid='%s'>%s</body>", rid, inside);

    maker_request(m, t, x, x, body);
    free(body);
}

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

static void test_missing_rids(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    MAKER_STR(&m, "string($s/@rids-missing)", "");
    request(&m, 10, 2, "104", "");
    MAKER_STR(&m, "string($s/@rids-missing)", "101 102 103");
    request(&m, 20, 3, "102", "");
    MAKER_STR(&m, "string($s/@rids-missing)", "101 103");
    MAKER_STR(&m, "string($s/@rid)", "104");
    request(&m, 30, 4, "101", "");
    request(&m, 30, 5, "101", "");
    MAKER_STR(&m, "string($s/@rids-missing)", "103");
    journal_finish(m.journal, 1010);
    MAKER_STR(&m, "string($s/@missing-ms)", "1000");
    maker_release(&m);
}

static void test_rids_beyond_2_to_the_53(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 1, 2, "9007199254740993", "");
    request(&m, 2, 3, "9007199254740992", "");
    request(&m, 3, 4, "123456789012345678901234567890", "");
    request(&m, 4, 5, "123456789012345678901234567889", "");
    MAKER_STR(&m, "string($s/@rid)", "123456789012345678901234567890");
    MAKER_STR(&m, "bs:join($x/@copy, '')", "11111");
    MAKER_STR(&m, "contains($s/@rids-missing, '9007199254740992')", "false");
    maker_release(&m);
}

/* Many holes are counted up to a limit, and a rid that is none is no rid. */
static void test_wild_rids_do_no_harm(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 1, 2, "-5", "");
    request(&m, 2, 3, "x", "");
    request(&m, 3, 4, "99999999999999999", "");
    request(&m, 4, 5, "0", "");
    MAKER_STR(&m, "string-length($s/@rids-missing) > 300", "true");
    MAKER_STR(&m, "string($x[2]/@copy)", "");
    MAKER_STR(&m, "string($x[2]/@session)", "1");
    maker_release(&m);
}

static void test_open_counts(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    maker_forward(&m, 10, 2);
    request(&m, 20, 3, "102", "");
    maker_forward(&m, 20, 3);
    MAKER_STR(&m, "bs:join($x/@open-client, ' ')", "1 1 2");
    MAKER_STR(&m, "bs:join($x/@open-manager, ' ')", "1 2");
    MAKER_STR(&m, "bs:join($x/@open-limit, ' ')", "2 2");
    MAKER_STR(&m, "$s/@open", "2");
    MAKER_STR(&m, "count($s/@idle-since)", "0");
    /* A copy is no new rid; a terminate may be one more. */
    request(&m, 30, 4, "102", "");
    MAKER_STR(&m, "$x[4]/@open-client", "2");
    maker_request(&m, 40, 5, 5, BODY SID "rid='103' type='terminate'/>");
    MAKER_STR(&m, "$x[5]/@open-client", "3");
    MAKER_STR(&m, "$x[5]/@open-limit", "3");
    maker_release(&m);
}

static void test_an_answer_on_its_way_counts_as_seen(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    maker_forward(&m, 10, 2);
    maker_answer(&m, 11, 2, EMPTY);
    request(&m, 12, 3, "102", "");
    MAKER_STR(&m, "$x[3]/@open-client", "2");
    maker_put(&m, 13, 2);
    request(&m, 14, 4, "103", "");
    MAKER_STR(&m, "$x[4]/@open-client", "2");
    MAKER_STR(&m, "$s/@open", "3");
    maker_delivered(&m, 15, 2, "whole");
    MAKER_STR(&m, "$s/@open", "2");
    /* One that lost its answer is open till its connection dies. */
    maker_forward(&m, 16, 3);
    maker_answer(&m, 16, 3, EMPTY);
    maker_delivered(&m, 16, 3, "none");
    request(&m, 17, 5, "104", "");
    MAKER_STR(&m, "$x[5]/@open-client", "3");
    maker_event(&m, 18, "close", NULL, "conn", "3", "how", "rst", "by", "us",
                NULL);
    request(&m, 19, 6, "105", "");
    MAKER_STR(&m, "$x[6]/@open-client", "3");
    MAKER_STR(&m, "bs:join($x[3]/@closed | $x[3]/@closed-by, ' ')", "us rst");
    maker_release(&m);
}

static void test_the_dead_are_not_open(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    request(&m, 10, 3, "102", "");
    maker_event(&m, 20, "close", NULL, "conn", "2", "how", "half-close", "by",
                "peer", NULL);
    MAKER_STR(&m, "$s/@open", "2");
    maker_event(&m, 30, "abandoned", NULL, "x", "2", "how", "fin", NULL);
    MAKER_STR(&m, "$x[2]/@abandoned", "fin");
    MAKER_STR(&m, "$s/@open", "1");
    maker_event(&m, 31, "close", NULL, "conn", "3", "how", "fin", "by", "peer",
                NULL);
    MAKER_STR(&m, "$s/@open", "0");
    MAKER_STR(&m, "$s/@idle-since", "31");
    maker_release(&m);
}

/* An answer to one copy answers the rid. */
static void test_an_answered_copy_closes_all(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    request(&m, 20, 3, "101", "");
    MAKER_STR(&m, "$s/@open", "1");
    maker_exchange_end(&m, 30, 3, EMPTY);
    MAKER_STR(&m, "$s/@open", "0");
    MAKER_STR(&m, "$s/@idle-since", "30");
    maker_release(&m);
}

static void test_gaps(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 100, "maxpause='120'");
    request(&m, 5100, 2, "101", "");
    MAKER_STR(&m,
              "bs:join(/journal/gap/@session | /journal/gap/@t0 | "
              "/journal/gap/@t1 | /journal/gap/@ms | /journal/gap/@limit | "
              "/journal/gap/@by | /journal/gap/@x | /journal/gap/@clean, ' ')",
              "1 100 5100 5000 60000 request 2 yes");
    maker_exchange_end(&m, 6000, 2, EMPTY);
    maker_request(&m, 6500, 3, 1, BODY SID "rid='102' pause='90'/>");
    maker_exchange_end(&m, 7000, 3, EMPTY);
    request(&m, 80000, 4, "103", "");
    MAKER_STR(&m, "/journal/gap[3]/@limit", "90000");
    MAKER_STR(&m, "/journal/gap[3]/@ms", "73000");
    maker_exchange_end(&m, 80000, 4, EMPTY);
    journal_finish(m.journal, 90000);
    journal_finish(m.journal, 95000);
    MAKER_STR(&m, "count(/journal/gap)", "4");
    MAKER_STR(&m, "/journal/gap[4]/@by", "end");
    MAKER_STR(&m, "/journal/gap[4]/@limit", "60000");
    maker_release(&m);
}

static void test_gaps_of_our_doing_are_not_clean(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    /* Told to be quiet. */
    maker_event(&m, 10, "do", NULL, "client", "0", "verb", "pause", NULL);
    request(&m, 100, 2, "101", "");
    MAKER_STR(&m, "/journal/gap[1]/@clean", "no");
    maker_exchange_end(&m, 110, 2, EMPTY);
    maker_event(&m, 120, "do", NULL, "client", "0", "verb", "resume", NULL);
    request(&m, 130, 3, "102", "");
    maker_exchange_end(&m, 140, 3, EMPTY);
    request(&m, 150, 4, "103", "");
    MAKER_STR(&m, "/journal/gap[3]/@clean", "yes");
    /* An answer was lost. */
    maker_forward(&m, 160, 4);
    maker_answer(&m, 160, 4, EMPTY);
    maker_delivered(&m, 160, 4, "none");
    maker_event(&m, 170, "close", NULL, "conn", "4", "how", "rst", "by", "us",
                NULL);
    request(&m, 200, 5, "103", "");
    MAKER_STR(&m, "/journal/gap[4]/@clean", "no");
    maker_exchange_end(&m, 210, 5, EMPTY);
    request(&m, 220, 6, "104", "");
    MAKER_STR(&m, "/journal/gap[5]/@clean", "yes");
    /* Nobody knows whether it arrived. */
    maker_forward(&m, 230, 6);
    maker_answer(&m, 230, 6, EMPTY);
    maker_put(&m, 230, 6);
    maker_delivered(&m, 230, 6, "unknown");
    request(&m, 240, 7, "105", "");
    MAKER_STR(&m, "/journal/gap[6]/@clean", "no");
    maker_release(&m);
}

static void test_payloads_once_each_in_rid_order(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "103", MESSAGE("u3"));
    request(&m, 11, 3, "101", MESSAGE("u1") MESSAGE("u1b"));
    request(&m, 12, 4, "102", MESSAGE("u2"));
    request(&m, 13, 5, "101", MESSAGE("u1") MESSAGE("u1b"));
    MAKER_STR(&m, "bs:join($s/up/c:message/@id, ' ')", "u1 u1b u2 u3");
    maker_forward(&m, 14, 2);
    maker_answer(&m, 14, 2, WITH("d3"));
    maker_exchange_end(&m, 15, 4, WITH("d2"));
    maker_exchange_end(&m, 16, 3, BODY "type='error'/>");
    maker_exchange_end(&m, 17, 5, WITH("d1"));
    /* As answered, though d3 never left. */
    MAKER_STR(&m, "bs:join($s/down/c:message/@id, ' ')", "d1 d2 d3");
    request(&m, 18, 6, "102", MESSAGE("u2"));
    maker_exchange_end(&m, 19, 6, WITH("again"));
    MAKER_STR(&m, "count($s/down/c:message)", "3");
    maker_release(&m);
}

static void test_the_jid_comes_from_binding(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    MAKER_STR(&m, "string($s/@jid)", "");
    maker_exchange_end(
        &m, 11, 2,
        BODY "><iq xmlns='jabber:client' type='result' id='b'><bind "
             "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind>"
             "</iq></body>");
    MAKER_STR(&m, "string($s/@jid)", "a@b/c");
    maker_release(&m);
}

static void test_the_manager_ends_it(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    maker_forward(&m, 10, 2);
    maker_answer(&m, 20, 2, TERMINATE);
    MAKER_STR(&m, "bs:join($s/@ended-by | $s/@condition, ' ')",
              "manager system-shutdown");
    MAKER_STR(&m, "$s/@ended-t", "20");
    MAKER_STR(&m, "count($s/@terminate-delivered)", "0");
    maker_put(&m, 21, 2);
    maker_delivered(&m, 30, 2, "whole");
    MAKER_STR(&m, "$s/@terminate-delivered-t", "30");
    request(&m, 25, 3, "102", "");
    request(&m, 500, 4, "103", "");
    request(&m, 600, 5, "103", "");
    MAKER_STR(&m, "bs:join($x/@after-end, ' ')", "-5 470");
    maker_release(&m);
}

static void test_one_stream_of_several_is_no_end(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    maker_exchange_end(&m, 20, 2, BODY "type='terminate' stream='s'/>");
    MAKER_STR(&m, "count($s/@ended)", "0");
    maker_release(&m);
}

static void test_the_client_ends_it(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    maker_request(&m, 10, 2, 1, BODY SID "rid='101' type='terminate'/>");
    MAKER_STR(&m, "bs:join($s/@ended-by | $s/@ended-t, ' ')", "10 client");
    maker_exchange_end(&m, 20, 2, EMPTY);
    MAKER_STR(&m, "$s/@terminate-delivered-t", "20");
    MAKER_STR(&m, "count($s/@idle-since)", "0");
    maker_release(&m);
}

static void test_http_codes_end_a_legacy_session(void)
{
    static const struct {
        const char *ver, *by;
    } rows[] = {{"", "manager"}, {"ver='1.6' ", ""}};

    for (size_t i = 0; i < 2; i++) {
        char *asked = mem_printf(BODY "rid='1' %s/>", rows[i].ver);
        struct maker m;

        maker_init(&m, ROLE_SERVER);
        maker_request(&m, 0, 1, 1, asked);
        maker_exchange_end(&m, 1, 1, BODY "sid='abc' wait='5' ver='1.6'/>");
        request(&m, 2, 2, "2", "");
        maker_event(&m, 3, "res",
                    "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n", "x", "2",
                    "came", "whole", NULL);
        CHECK_STR(maker_eval(&m, "string($s/@ended-by)"), rows[i].by);
        maker_release(&m);
        free(asked);
    }
}

static void test_polls_of_a_polling_session(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_request(&m, 0, 1, 1, BODY "rid='100' wait='0' hold='1'/>");
    maker_exchange_end(&m, 0, 1,
                       BODY "sid='abc' wait='0' polling='5' requests='2'/>");
    MAKER_STR(&m, "$s/@polls", "yes");
    request(&m, 10, 2, "101", "");
    maker_exchange_end(
        &m, 10, 2,
        BODY "><iq xmlns='jabber:client' type='result' id='b'><bind "
             "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind>"
             "</iq></body>");
    request(&m, 1000, 3, "102", ""); /* the one before brought something */
    maker_exchange_end(&m, 1000, 3, EMPTY);
    request(&m, 4000, 4, "103", "");
    maker_exchange_end(&m, 4000, 4, EMPTY);
    request(&m, 4100, 5, "103", ""); /* a copy */
    request(&m, 4200, 6, "104", MESSAGE("a"));
    MAKER_STR(&m, "bs:join($x/@since-poll, ' ')", "3000");
    MAKER_STR(&m, "string($x[4]/@polling-ms)", "5000");
    maker_release(&m);
}

/* ------------------------------------------------------------ server role */

static void test_what_is_known_of_a_server(void)
{
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    MAKER_STR(&m, "$x[2]/@arrived", "unknown");
    MAKER_STR(&m, "$x[2]/@sent", "10");
    MAKER_STR(&m, "$s/@open", "1");
    maker_exchange_end(&m, 500, 2, WITH("a"));
    MAKER_STR(&m, "$x[2]/@arrived", "whole");
    MAKER_STR(&m, "$x[2]/@delivered", "whole");
    MAKER_STR(&m, "$x[2]/@t1", "500");
    MAKER_STR(&m, "$x[2]/@took", "490");
    MAKER_STR(&m, "$x[2]/@wait-ms", "60000");
    MAKER_STR(&m, "$s/@idle-since", "500");
    MAKER_STR(&m, "$s/down/c:message/@id", "a");
    /* No answer, and half a one. */
    request(&m, 600, 3, "102", "");
    maker_event(&m, 610, "res", NULL, "x", "3", "came", "none", "problem",
                "closed", NULL);
    MAKER_STR(&m, "count($x[3]/res)", "0");
    MAKER_STR(&m, "bs:join($x[3]/@delivered | $x[3]/@problem, ' ')",
              "none closed");
    MAKER_STR(&m, "$s/@idle-since", "610");
    request(&m, 700, 4, "103", "");
    maker_event(&m, 710, "res",
                "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<", "x", "4",
                "came", "part", NULL);
    MAKER_STR(&m, "$x[4]/res/@status", "200");
    MAKER_STR(&m, "$x[4]/@delivered", "part");
    MAKER_STR(&m, "count($x[4]/res/@body-id)", "0");
    maker_release(&m);
}

static void test_time_in_the_managers_hands(void)
{
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_session(&m, 0, "");
    request(&m, 1000, 2, "102", ""); /* ahead of its predecessor */
    request(&m, 4000, 3, "101", "");
    maker_exchange_end(&m, 5000, 2, EMPTY);
    maker_exchange_end(&m, 5300, 3, EMPTY);
    MAKER_STR(&m, "$x[2]/@took", "1000");
    MAKER_STR(&m, "$x[3]/@took", "1300");
    MAKER_STR(&m, "$x[2]/@early-by", "300");
    MAKER_STR(&m, "count($x[3]/@early-by)", "0");
    /* Ahead of a hole it may be held for ever; else not. */
    request(&m, 6000, 4, "103", "");
    request(&m, 6000, 5, "105", "");
    journal_finish(m.journal, 90000);
    MAKER_STR(&m, "$x[4]/@took", "84000");
    MAKER_STR(&m, "count($x[5]/@took)", "0");
    maker_release(&m);
}

static void test_replays(void)
{
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    maker_exchange_end(&m, 20, 2, WITH("a"));
    request(&m, 30, 3, "101", "");
    maker_exchange_end(&m, 40, 3, WITH("a"));
    request(&m, 50, 4, "101", "");
    maker_exchange_end(&m, 60, 4, WITH("b"));
    MAKER_STR(&m, "bs:join($x/res/@replay, ' ')", "same different");
    /* Sent while the first was open: it gets the answer itself. */
    request(&m, 70, 5, "102", "");
    request(&m, 80, 6, "102", "");
    maker_exchange_end(&m, 90, 5, EMPTY);
    maker_exchange_end(&m, 100, 6, WITH("c"));
    request(&m, 110, 7, "102", "");
    maker_exchange_end(&m, 120, 7, WITH("c"));
    MAKER_STR(&m, "bs:join($x/res/@replay, ' ')", "same different same");
    MAKER_STR(&m, "bs:join($s/down/c:message/@id, ' ')", "a c");
    maker_release(&m);
}

static void test_iqs_answered_more_often_than_asked(void)
{
#define IQ(type) "<iq xmlns='jabber:client' type='" type "' id='i'/>"
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", IQ("get"));
    maker_exchange_end(&m, 20, 2, BODY ">" IQ("result") "</body>");
    request(&m, 30, 3, "102", "");
    maker_exchange_end(&m, 40, 3, BODY ">" IQ("result") "</body>");
    MAKER_STR(&m, "string($x[2]/@surplus)", "");
    MAKER_STR(&m, "string($x[3]/@surplus)", "i");
    maker_release(&m);
}

/* ------------------------------------------------------ names and the rest */

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
    CHECK_INT(journal_lag(m.journal, 100, 499), 40);
    CHECK_INT(journal_lag(m.journal, 101, 600), 10);
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
        {"HTTP problems are kept", test_http_problems_are_kept},
        {"order numbers and times", test_order_numbers_and_times},
        {"a stranger's answer is between", test_a_strangers_answer_is_between},
        {"bodies have classes", test_bodies_have_classes},
        {"creations are copies by rid and bytes",
         test_creations_are_copies_by_rid_and_bytes},
        {"sids are known or not", test_sids_are_known_or_not},
        {"missing rids", test_missing_rids},
        {"rids beyond 2 to the 53", test_rids_beyond_2_to_the_53},
        {"wild rids do no harm", test_wild_rids_do_no_harm},
        {"open counts", test_open_counts},
        {"an answer on its way counts as seen",
         test_an_answer_on_its_way_counts_as_seen},
        {"the dead are not open", test_the_dead_are_not_open},
        {"an answered copy closes all", test_an_answered_copy_closes_all},
        {"gaps", test_gaps},
        {"gaps of our doing are not clean",
         test_gaps_of_our_doing_are_not_clean},
        {"payloads once each in rid order",
         test_payloads_once_each_in_rid_order},
        {"the jid comes from binding", test_the_jid_comes_from_binding},
        {"the manager ends it", test_the_manager_ends_it},
        {"one stream of several is no end",
         test_one_stream_of_several_is_no_end},
        {"the client ends it", test_the_client_ends_it},
        {"HTTP codes end a legacy session",
         test_http_codes_end_a_legacy_session},
        {"polls of a polling session", test_polls_of_a_polling_session},
        {"what is known of a server", test_what_is_known_of_a_server},
        {"time in the manager's hands", test_time_in_the_managers_hands},
        {"replays", test_replays},
        {"iqs answered more often than asked",
         test_iqs_answered_more_often_than_asked},
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
    return 0;
}
