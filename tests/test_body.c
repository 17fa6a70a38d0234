/* What the client writes into a <body/>, and reads out of one. */
#include "check.h"

#include <stdlib.h>

#include "client-under-test/body.h"
#include "client-under-test/bosh.h"

int suite_body(void);

#define NS_BODY "xmlns='http://jabber.org/protocol/httpbind'"

static void test_creation_has_the_attributes_of_the_xep(void)
{
    struct body_creation c = {.rid = 4711,
                              .to = "example.org",
                              .wait_s = 60,
                              .hold = 1,
                              .lang = "en",
                              .route = "xmpp:example.org:5222",
                              .content = "text/xml; charset=utf-8"};
    struct buf out = BUF_INIT;

    body_write_creation(&out, &c);
    CHECK_STR(buf_str(&out),
              "<body content='text/xml; charset=utf-8' hold='1' rid='4711' "
              "route='xmpp:example.org:5222' to='example.org' ver='1.11' "
              "wait='60' xml:lang='en' " NS_BODY
              " xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>");
    buf_release(&out);
}

static void check_request(const struct body_request *r, const char *want)
{
    struct buf out = BUF_INIT;

    body_write(&out, r);
    CHECK_STR(buf_str(&out), want);
    buf_release(&out);
}

static void test_later_requests_have_only_what_they_need(void)
{
    struct body_request poll = {.rid = 5, .sid = "a'b"};
    struct body_request payload = {
        .rid = 6, .sid = "s", .payload = "<m xmlns='x'/>", .payload_len = 14};
    struct body_request pause = {.rid = 7, .sid = "s", .pause_s = 60};
    struct body_request end = {.rid = 8, .sid = "s", .terminate = true};
    struct body_request restart = {
        .rid = 9, .sid = "s", .restart_to = "example.org", .lang = "en"};

    check_request(&poll, "<body rid='5' sid='a&#39;b' " NS_BODY "/>");
    check_request(&payload,
                  "<body rid='6' sid='s' " NS_BODY "><m xmlns='x'/></body>");
    check_request(&pause, "<body pause='60' rid='7' sid='s' " NS_BODY "/>");
    check_request(&end, "<body rid='8' sid='s' type='terminate' " NS_BODY "/>");
    check_request(
        &restart,
        "<body rid='9' sid='s' to='example.org' xml:lang='en' " NS_BODY
        " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>");
}

static void test_numbers_are_read_and_bad_ones_are_missing(void)
{
    static const char TEXT[] =
        "<b:body xmlns:b='http://jabber.org/protocol/httpbind' sid='x' "
        "wait='60' hold='-1' requests='2x' inactivity='65536' polling='' "
        "maxpause='0' secure='true' type='terminate' condition='other-request'"
        "/>";
    struct body *b = body_read(TEXT, sizeof TEXT - 1, NULL);

    CHECK(b != NULL);
    if (!b)
        return;
    CHECK_STR(b->sid, "x");
    CHECK_INT(b->wait_s, 60);
    CHECK_INT(b->hold, -1);
    CHECK_INT(b->requests, -1);
    CHECK_INT(b->inactivity_s, -1);
    CHECK_INT(b->polling_s, -1);
    CHECK_INT(b->maxpause_s, 0);
    CHECK(body_terminates(b) && !body_is_error(b) && !body_has_payload(b));
    CHECK_STR(b->condition, "other-request");
    body_free(b);
}

static void test_gzip_is_found_in_accept(void)
{
    static const struct {
        const char *attr;
        bool gzip;
    } rows[] = {
        {"", false},
        {"accept=''", false},
        {"accept='gzip'", true},
        {"accept='deflate,gzip'", true},
        {"accept=', GZip ,,'", true},
        {"accept='x-gzip;q=0.5'", true},
        {"accept='gzip;q=0'", false},
        {"accept='deflate'", false},
        {"accept='gzipped, *'", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = mem_printf("<body " NS_BODY " %s/>", rows[i].attr);
        struct body *b = body_read(text, strlen(text), NULL);

        CHECK_ROW(b && b->takes_gzip == rows[i].gzip, rows[i].attr);
        body_free(b);
        free(text);
    }
}

static void test_what_is_no_bosh_body_is_refused(void)
{
    static const char *const ROWS[] = {
        "",
        " ",
        "hello",
        "<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>",
        "<body/>",
        "<body xmlns='jabber:client'/>",
        "<BODY " NS_BODY "/>",
        "<body " NS_BODY ">",
        "<body " NS_BODY "/><body " NS_BODY "/>",
        "<body " NS_BODY "><a:b/></body>",
        "<body " NS_BODY ">&nbsp;</body>",
        "<!DOCTYPE body><body " NS_BODY "/>",
        "<!DOCTYPE b [<!ENTITY e 'x'>]><body " NS_BODY ">&e;</body>",
        "<body " NS_BODY " rid='\xff'/>",
        "<body " NS_BODY "></body",
        "<body " NS_BODY ">text</body>",
        "<body " NS_BODY "><m xmlns='jabber:client'/>text</body>",
        "<body " NS_BODY "><![CDATA[x]]></body>",
        "<body " NS_BODY "><!-- x --></body>",
        "<!-- x --><body " NS_BODY "/>",
        "<body " NS_BODY "><m xmlns='jabber:client'><!-- x --></m></body>",
        "<body " NS_BODY "><?x y?></body>",
        "<body " NS_BODY "/><?x y?>",
        "<!DOCTYPE b SYSTEM 'http://127.0.0.1:1/x.dtd'><body " NS_BODY "/>",
        "<body " NS_BODY "/>garbage",
        "garbage<body " NS_BODY "/>",
        "\xff\xfe<",
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct err e = {""};
        struct body *b = body_read(ROWS[i], strlen(ROWS[i]), &e);

        CHECK_ROW(b == NULL, ROWS[i]);
        CHECK_ROW(e.text[0] != '\0', ROWS[i]);
        body_free(b);
    }
}

static void test_harmless_spellings_are_taken(void)
{
    static const char *const ROWS[] = {
        "<?xml version='1.0' encoding='utf-8'?><body " NS_BODY "/>",
        "\xef\xbb\xbf<body " NS_BODY "/>",
        "<body " NS_BODY "> \n\t </body>\n",
        "<body " NS_BODY " xmlns:v='urn:v' v:new='1' other='2'/>",
        "<x:body xmlns:x='http://jabber.org/protocol/httpbind'></x:body>",
        "<?xml version='1.0' encoding='iso-8859-1'?><body " NS_BODY
        " a='\xe9'/>",
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct body *b = body_read(ROWS[i], strlen(ROWS[i]), NULL);

        CHECK_ROW(b != NULL, ROWS[i]);
        body_free(b);
    }
}

/* Nine levels of ten: a gigabyte, if anything were expanded. */
static void test_a_billion_laughs_cost_nothing(void)
{
    struct buf text = BUF_INIT;
    struct err e = {""};

    buf_adds(&text, "<!DOCTYPE body [<!ENTITY l0 'lol'>");
    for (int i = 1; i < 10; i++) {
        buf_printf(&text, "<!ENTITY l%d '", i);
        for (int j = 0; j < 10; j++)
            buf_printf(&text, "&l%d;", i - 1);
        buf_adds(&text, "'>");
    }
    buf_adds(&text, "]><body " NS_BODY " condition='&l9;'>&l9;</body>");
    CHECK(body_read(text.data, text.len, &e) == NULL);
    CHECK(strstr(e.text, "document type") != NULL);
    buf_release(&text);
}

static void test_a_bottomless_body_is_refused(void)
{
    struct buf text = BUF_INIT;
    struct body *b;

    buf_adds(&text, "<body " NS_BODY ">");
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "<a>");
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "</a>");
    buf_adds(&text, "</body>");
    b = body_read(text.data, text.len, NULL);
    CHECK(b == NULL);
    body_free(b);
    buf_release(&text);
}

static void test_a_body_above_the_limit_is_refused(void)
{
    struct buf text = BUF_INIT;
    char *blank = mem_alloc(BOSH_BODY_MAX);
    struct body *b;

    memset(blank, ' ', BOSH_BODY_MAX);
    buf_adds(&text, "<body " NS_BODY ">");
    buf_add(&text, blank, BOSH_BODY_MAX);
    buf_adds(&text, "</body>");
    b = body_read(text.data, text.len, NULL);
    CHECK(b == NULL);
    body_free(b);
    free(blank);
    buf_release(&text);
}

static void check_payload(const char *body, const char *want)
{
    struct body *b = body_read(body, strlen(body), NULL);
    struct buf out = BUF_INIT;

    CHECK_ROW(b != NULL, body);
    if (b)
        body_write_payload(&out, xml_child(b->root, NULL, NULL));
    CHECK_STR(buf_str(&out), want);
    buf_release(&out);
    body_free(b);
}

static void test_a_payload_declares_what_it_inherits(void)
{
    check_payload("<body " NS_BODY " xmlns:q='urn:q'><q:m a='1'><q:n/></q:m>"
                  "</body>",
                  "<q:m xmlns:q=\"urn:q\" a=\"1\"><q:n/></q:m>");
    check_payload("<b:body xmlns:b='http://jabber.org/protocol/httpbind' "
                  "xmlns='jabber:client'><message><body>\xc3\xa9 &lt;</body>"
                  "</message></b:body>",
                  "<message xmlns=\"jabber:client\"><body>\xc3\xa9 &lt;</body>"
                  "</message>");
}

static void test_a_stanza_in_bosh_namespace_becomes_a_client_one(void)
{
    check_payload("<body " NS_BODY "><message><body>x</body><y xmlns='urn:y'/>"
                  "</message></body>",
                  "<message xmlns=\"jabber:client\"><body>x</body>"
                  "<y xmlns=\"urn:y\"/></message>");
}

static void check_stanzas(const char *xml, const char *want)
{
    struct buf out = BUF_INIT;
    int rc = body_write_stanzas(&out, xml, strlen(xml), NULL);

    CHECK_ROW(rc == (want ? 0 : -1), xml);
    CHECK_STR(buf_str(&out), want ? want : "");
    buf_release(&out);
}

static void test_stanzas_get_the_namespace_of_clients(void)
{
    check_stanzas("<presence/>", "<presence xmlns=\"jabber:client\"/>");
    check_stanzas(" <message to='a'><x xmlns=''/></message>\n<iq xmlns='u'/> ",
                  "<message xmlns=\"jabber:client\" to=\"a\">"
                  "<x xmlns=\"\"/></message><iq xmlns=\"u\"/>");
}

static void test_what_may_not_stand_in_a_body_is_not_sent(void)
{
    static const char *const ROWS[] = {
        "",
        "  ",
        "text",
        "<a>",
        "<a/>text<b/>",
        "<a><!-- comment --></a>",
        "<a><?pi?></a>",
        "<!DOCTYPE a><a/>",
        "<a>&e;</a>",
        "<p:a/>",
        "<m " NS_BODY "/>",
        "</stanzas><stanzas>",
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        check_stanzas(ROWS[i], NULL);
}

int suite_body(void)
{
    CU_pSuite suite = CU_add_suite("body", NULL, NULL);

    if (!suite ||
        !CU_add_test(suite, "creation has the attributes of the XEP",
                     test_creation_has_the_attributes_of_the_xep) ||
        !CU_add_test(suite, "later requests have only what they need",
                     test_later_requests_have_only_what_they_need) ||
        !CU_add_test(suite, "numbers are read and bad ones are missing",
                     test_numbers_are_read_and_bad_ones_are_missing) ||
        !CU_add_test(suite, "gzip is found in accept",
                     test_gzip_is_found_in_accept) ||
        !CU_add_test(suite, "what is no BOSH body is refused",
                     test_what_is_no_bosh_body_is_refused) ||
        !CU_add_test(suite, "harmless spellings are taken",
                     test_harmless_spellings_are_taken) ||
        !CU_add_test(suite, "a billion laughs cost nothing",
                     test_a_billion_laughs_cost_nothing) ||
        !CU_add_test(suite, "a bottomless body is refused",
                     test_a_bottomless_body_is_refused) ||
        !CU_add_test(suite, "a body above the limit is refused",
                     test_a_body_above_the_limit_is_refused) ||
        !CU_add_test(suite, "a payload declares what it inherits",
                     test_a_payload_declares_what_it_inherits) ||
        !CU_add_test(suite, "a stanza in BOSH's namespace becomes a client one",
                     test_a_stanza_in_bosh_namespace_becomes_a_client_one) ||
        !CU_add_test(suite, "stanzas get the namespace of clients",
                     test_stanzas_get_the_namespace_of_clients) ||
        !CU_add_test(suite, "what may not stand in a body is not sent",
                     test_what_may_not_stand_in_a_body_is_not_sent))
        return -1;
    return 0;
}
