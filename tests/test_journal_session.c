/* From events to facts: what a session's exchanges say together. */
#include "test_journal.h"

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

#define STREAM(name) "stream='" name "'"

/* A session with two streams: exchange 2 asked for the second. */
static void two_streams(struct maker *m)
{
    maker_init(m, ROLE_CLIENT);
    maker_session(m, 0, STREAM("s1"));
    maker_request(m, 10, 2, 2, BODY SID "rid='101' to='localhost'/>");
    maker_exchange_end(m, 10, 2, BODY STREAM("s2") " from='localhost'/>");
}

static void test_requests_about_streams_have_kinds_of_their_own(void)
{
    struct maker m;

    two_streams(&m);
    MAKER_STR(&m, "string($s/@stream)", "s1");
    request(&m, 20, 3, "102", "");
    maker_exchange_end(&m, 20, 3, EMPTY);
    maker_request(&m, 30, 4, 4,
                  BODY SID "rid='103' type='terminate' " STREAM("s2") "/>");
    maker_request(&m, 31, 5, 5,
                  BODY SID "rid='103' type='terminate' " STREAM("s2") "/>");
    MAKER_STR(&m, "bs:join($x[@n > 1]/@kind, ' ')",
              "add-stream poll close-stream close-stream");
    MAKER_STR(&m, "$x[4]/@open-limit", "3");
    MAKER_STR(&m, "count($s/@ended)", "0");
    maker_release(&m);
}

static void test_where_none_are_named_a_poll_is_a_poll(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, "");
    maker_request(&m, 10, 2, 2, BODY SID "rid='101' to='localhost'/>");
    maker_exchange_end(&m, 10, 2, EMPTY);
    maker_request(&m, 20, 3, 3,
                  BODY SID "rid='102' type='terminate' " STREAM("s1") "/>");
    MAKER_STR(&m, "bs:join($x[@n > 1]/@kind, ' ')", "poll terminate");
    MAKER_STR(&m, "string($s/@ended-by)", "client");
    maker_release(&m);
}

static void test_the_last_stream_ends_the_session(void)
{
    struct maker m;

    two_streams(&m);
    request(&m, 20, 3, "102", "");
    maker_exchange_end(&m, 20, 3, BODY "type='terminate' " STREAM("s1") "/>");
    MAKER_STR(&m, "count($s/@ended)", "0");
    request(&m, 30, 4, "103", "");
    maker_exchange_end(&m, 30, 4, BODY "type='terminate' " STREAM("s2") "/>");
    MAKER_STR(&m, "string($s/@ended-by)", "manager");
    MAKER_STR(&m, "$s/@terminate-delivered-t", "30");
    maker_release(&m);
    two_streams(&m);
    request(&m, 20, 3, "102", "");
    maker_exchange_end(&m, 20, 3, BODY "type='terminate' " STREAM("s1") "/>");
    maker_request(&m, 30, 4, 4,
                  BODY SID "rid='103' type='terminate' " STREAM("s2") "/>");
    MAKER_STR(&m, "string($s/@ended-by)", "client");
    MAKER_STR(&m, "string($x[4]/@kind)", "terminate");
    maker_release(&m);
}

/* Nobody knows whether it is open: the session may well go on. */
static void test_a_stream_that_was_asked_for_counts(void)
{
    struct maker m;

    maker_init(&m, ROLE_CLIENT);
    maker_session(&m, 0, STREAM("s1"));
    maker_request(&m, 10, 2, 2, BODY SID "rid='101' to='localhost'/>");
    maker_request(&m, 20, 3, 3,
                  BODY SID "rid='102' type='terminate' " STREAM("s1") "/>");
    MAKER_STR(&m, "string($x[3]/@kind)", "close-stream");
    maker_exchange_end(&m, 30, 2, WITH("m"));
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

/* Logged in with rid 101. */
static void polling_session(struct maker *m)
{
    maker_init(m, ROLE_CLIENT);
    maker_request(m, 0, 1, 1, BODY "rid='100' wait='0' hold='1'/>");
    maker_exchange_end(m, 0, 1,
                       BODY "sid='abc' wait='0' polling='5' requests='2'/>");
    request(m, 10, 2, "101", "");
    maker_exchange_end(
        m, 10, 2,
        BODY "><iq xmlns='jabber:client' type='result' id='b'><bind "
             "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind>"
             "</iq></body>");
}

static void test_polls_of_a_polling_session(void)
{
    struct maker m;

    polling_session(&m);
    MAKER_STR(&m, "$s/@polls", "yes");
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

/* On two connections the ACK of an answer may come after the next poll. */
static void test_a_poll_before_the_ack_of_the_answer_counts(void)
{
    struct maker m;

    polling_session(&m);
    request(&m, 1000, 3, "102", "");
    maker_forward(&m, 1000, 3);
    maker_answer(&m, 1001, 3, EMPTY);
    maker_put(&m, 1001, 3);
    request(&m, 1500, 4, "103", "");
    MAKER_STR(&m, "string($x[4]/@since-poll)", "");
    maker_delivered(&m, 1550, 3, "whole");
    MAKER_STR(&m, "string($x[4]/@since-poll)", "500");
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
    MAKER_STR(&m, "string($x[3]/@closed-by)", "");
    maker_event(&m, 611, "close", NULL, "conn", "3", "how", "fin", "by", "peer",
                NULL);
    MAKER_STR(&m, "concat($x[3]/@closed, ' ', $x[3]/@closed-by)", "fin peer");
    MAKER_STR(&m, "count($x[not(@n = 3)]/@closed)", "0");
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

/* A farewell of ours may be what answers a request, or ends a session. */
static void test_in_the_server_role_the_steps_end_it(void)
{
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_session(&m, 0, "");
    request(&m, 10, 2, "101", "");
    request(&m, 20, 3, "102", "");
    maker_event(&m, 30, "res", NULL, "x", "3", "came", "none", "problem",
                "closed", NULL);
    maker_event(&m, 3010, "end", NULL, "how", "done", NULL);
    maker_event(&m, 3010, "close", NULL, "conn", "3", "how", "fin", "by",
                "peer", NULL);
    request(&m, 3010, 4, "103", " type='terminate'");
    maker_exchange_end(&m, 3020, 2, WITH("b"));
    maker_event(&m, 3030, "health", NULL, "x", "5", "alive", "yes", "alone",
                "no", NULL);
    journal_finish(m.journal, 9000);
    MAKER_STR(&m, "count($x)", "3");
    MAKER_STR(&m, "count($x[2]/res) + count($s/@ended)", "0");
    MAKER_STR(&m, "$x[2]/@took", "3000");
    MAKER_STR(&m, "$x[3]/@closed-by", "peer");
    MAKER_STR(&m, "$journal/@t1", "3010");
    MAKER_STR(&m, "$journal/health/@alive", "yes");
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

/* Whether an answer to what was held then is still heard hangs on who is
 * faster. */
static void test_what_is_held_at_the_end_was_held_up_to_it(void)
{
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_session(&m, 0, "");
    request(&m, 1000, 2, "101", "");
    request(&m, 2000, 3, "102", "");
    maker_request(&m, 7000, 4, 4, BODY SID "rid='103' type='terminate'/>");
    maker_exchange_end(&m, 7900, 2, EMPTY);
    maker_exchange_end(&m, 7900, 4, EMPTY);
    journal_finish(m.journal, 90000);
    MAKER_STR(&m, "$x[2]/@took", "6000");
    MAKER_STR(&m, "$x[3]/@took", "5000");
    MAKER_STR(&m, "$x[4]/@took", "900");
    maker_release(&m);
}

/* Nobody reads a request whose connection is busy with another. */
static void test_a_request_behind_another_is_held_from_its_turn(void)
{
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_session(&m, 0, "");
    maker_request(&m, 1000, 2, 7, BODY SID "rid='101'/>");
    maker_request(&m, 1000, 3, 7, BODY SID "rid='102'/>");
    maker_exchange_end(&m, 5000, 2, EMPTY);
    maker_exchange_end(&m, 5300, 3, EMPTY);
    MAKER_STR(&m, "$x[2]/@took", "4000");
    MAKER_STR(&m, "$x[3]/@took", "300");
    maker_request(&m, 6000, 4, 7, BODY SID "rid='103'/>");
    maker_request(&m, 6000, 5, 7, BODY SID "rid='104'/>");
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

int add_journal_session_tests(CU_pSuite suite)
{
    static const struct {
        const char *name;
        CU_TestFunc run;
    } tests[] = {
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
        {"requests about streams have kinds of their own",
         test_requests_about_streams_have_kinds_of_their_own},
        {"where none are named a poll is a poll",
         test_where_none_are_named_a_poll_is_a_poll},
        {"the last stream ends the session",
         test_the_last_stream_ends_the_session},
        {"a stream that was asked for counts",
         test_a_stream_that_was_asked_for_counts},
        {"the client ends it", test_the_client_ends_it},
        {"HTTP codes end a legacy session",
         test_http_codes_end_a_legacy_session},
        {"polls of a polling session", test_polls_of_a_polling_session},
        {"a poll before the ack of the answer counts",
         test_a_poll_before_the_ack_of_the_answer_counts},
        {"what is known of a server", test_what_is_known_of_a_server},
        {"time in the manager's hands", test_time_in_the_managers_hands},
        {"what is held at the end was held up to it",
         test_what_is_held_at_the_end_was_held_up_to_it},
        {"a request behind another is held from its turn",
         test_a_request_behind_another_is_held_from_its_turn},
        {"in the server role the steps end it",
         test_in_the_server_role_the_steps_end_it},
        {"replays", test_replays},
        {"iqs answered more often than asked",
         test_iqs_answered_more_often_than_asked},
    };

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        CU_add_test(suite, tests[i].name, tests[i].run);
    return 0;
}
