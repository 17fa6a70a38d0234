/* Reading a request <body/>: XEP-0124 §6, §7.1, §14.1, §22. */
#include "mockserver/request.h"

#include <string.h>

#include "common/buf.h"
#include "common/xml.h"
#include "mockserver/mock.h"
#include "tests/check.h"

int suite_request(void);

#define NS "xmlns='http://jabber.org/protocol/httpbind'"

static int read_text(struct request *r, const char *text)
{
    return request_read(r, text, strlen(text), NULL);
}

static void test_creation_request_is_read(void)
{
    struct request r;

    CHECK_INT(read_text(&r, "<?xml version='1.0'?><body rid='9007199254740991' "
                            "to='a.example' ver='1.10' wait='60' hold='1' "
                            "ack='1' content='text/html' xml:lang='de' "
                            "newkey='ab' xmpp:version='1.0' "
                            "xmlns:xmpp='urn:xmpp:xbosh' " NS "/>\n"),
              0);
    CHECK(r.rid == REQUEST_RID_MAX);
    CHECK_STR(r.to, "a.example");
    CHECK_INT(r.ver_major, 1);
    CHECK_INT(r.ver_minor, 10);
    CHECK_INT(r.wait_s, 60);
    CHECK_INT(r.hold, 1);
    CHECK(r.ack == 1);
    CHECK_STR(r.content, "text/html");
    CHECK_STR(r.lang, "de");
    CHECK_STR(r.newkey, "ab");
    CHECK_STR(r.xmpp_version, "1.0");
    CHECK(r.sid == NULL);
    CHECK_INT(r.pause_s, -1);
    CHECK(request_is_empty(&r));
    request_release(&r);
}

static void test_absent_attributes_are_told_from_zero(void)
{
    struct request r;

    CHECK_INT(read_text(&r, "<body wait='0' ack='0' " NS "/>"), 0);
    CHECK(r.rid == 0);
    CHECK_INT(r.wait_s, 0);
    CHECK_INT(r.hold, -1);
    CHECK_INT(r.ver_major, -1);
    CHECK(r.ack == 0);
    request_release(&r);
}

static void test_any_prefix_will_do(void)
{
    struct request r;

    CHECK_INT(
        read_text(&r, "<b:body rid='5' x:restart='1' xmlns:b='" XML_NS_HTTPBIND
                      "' xmlns:x='" XML_NS_XBOSH "'/>"),
        0);
    CHECK(r.rid == 5);
    CHECK(r.restart);
    request_release(&r);
}

static void test_look_alikes_mean_nothing(void)
{
    struct request r;

    CHECK_INT(read_text(&r, "<b:body b:rid='5' restart='true' x:foo='1' "
                            "secure='true' type='other' xmlns:x='urn:x' "
                            "xmlns:b='" XML_NS_HTTPBIND "'/>"),
              0);
    CHECK(r.rid == 0);
    CHECK(!r.restart);
    CHECK(!r.terminate);
    request_release(&r);
}

static void test_payloads_keep_document_order(void)
{
    struct request r;
    xmlNodePtr n;

    CHECK_INT(read_text(&r, "<body rid='1' sid='s' " NS ">\n <a xmlns='u'/>\n\t"
                            "<b xmlns='u'/>\n</body>"),
              0);
    CHECK_INT(r.payload_count, 2);
    CHECK(!request_is_empty(&r));
    n = request_first_payload(&r);
    CHECK(xml_is(n, "u", "a"));
    n = xml_next(n);
    CHECK(xml_is(n, "u", "b"));
    CHECK(xml_next(n) == NULL);
    request_release(&r);
}

static void test_special_requests_are_not_empty(void)
{
    static const char *const rows[] = {
        "<body rid='1' pause='0' " NS "/>",
        "<body rid='1' type='terminate' " NS "/>",
        "<body rid='1' p:restart='true' xmlns:p='" XML_NS_XBOSH "' " NS "/>",
        "<body rid='1' " NS "><a xmlns='u'/></body>",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request r;

        CHECK_ROW(read_text(&r, rows[i]) == 0, rows[i]);
        CHECK_ROW(!request_is_empty(&r), rows[i]);
        request_release(&r);
    }
}

static void test_bad_requests_are_refused(void)
{
    static const char *const rows[] = {
        "",
        "junk",
        "<body rid='1' " NS ">",
        "<body rid='1'/>",
        "<body rid='1' xmlns='urn:x'/>",
        "<html " NS "/>",
        "<body rid='' " NS "/>",
        "<body rid='0' " NS "/>",
        "<body rid='-1' " NS "/>",
        "<body rid='1.5' " NS "/>",
        "<body rid='1e3' " NS "/>",
        "<body rid='0x10' " NS "/>",
        "<body rid='9007199254740992' " NS "/>",
        "<body rid='99999999999999999999999999' " NS "/>",
        "<body rid='1' wait='-1' " NS "/>",
        "<body rid='1' wait='65536' " NS "/>",
        "<body rid='1' hold='256' " NS "/>",
        "<body rid='1' pause='x' " NS "/>",
        "<body rid='1' ack='x' " NS "/>",
        "<body rid='1' ver='1' " NS "/>",
        "<body rid='1' ver='1.6.1' " NS "/>",
        "<body rid='1' " NS ">text</body>",
        "<body rid='1' " NS "><a xmlns='u'/>text</body>",
        "<body rid='1' " NS "><![CDATA[text]]></body>",
        "<body rid='1' " NS "><!-- c --></body>",
        "<body rid='1' " NS "><a xmlns='u'><!-- c --></a></body>",
        "<body rid='1' " NS "><?x y?></body>",
        "<!DOCTYPE body><body rid='1' " NS "/>",
        "<!DOCTYPE b [<!ENTITY e 'x'>]><body rid='1' " NS "/>",
        "<body rid='1' " NS "><a xmlns='u'>&nbsp;</a></body>",
        "<body rid='1' " NS "><u:a/></body>",
        "<body rid='1' rid='2' " NS "/>",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request r;

        CHECK_ROW(read_text(&r, rows[i]) == -1, rows[i]);
    }
}

static void test_too_many_payloads_are_refused(void)
{
    struct buf text = BUF_INIT;
    struct request r;

    buf_adds(&text, "<body rid='1' " NS ">");
    for (int i = 0; i < MOCK_MAX_PAYLOADS; i++)
        buf_adds(&text, "<a/>");
    buf_adds(&text, "</body>");
    CHECK_INT(read_text(&r, text.data), 0);
    request_release(&r);
    buf_shift(&text, strlen("<body rid='1' " NS ">"));
    {
        struct buf more = BUF_INIT;

        buf_adds(&more, "<body rid='1' " NS "><a/>");
        buf_add(&more, text.data, text.len);
        CHECK_INT(read_text(&r, more.data), -1);
        buf_release(&more);
    }
    buf_release(&text);
}

static void test_too_large_a_body_is_refused(void)
{
    struct buf text = BUF_INIT;
    struct request r;

    buf_adds(&text, "<body rid='1' " NS ">");
    while (text.len <= MOCK_MAX_BODY)
        buf_adds(&text, "                                                ");
    buf_adds(&text, "</body>");
    CHECK_INT(read_text(&r, text.data), -1);
    buf_release(&text);
}

int suite_request(void)
{
    CU_pSuite suite = CU_add_suite("request", NULL, NULL);

    if (!suite || !CU_ADD_TEST(suite, test_creation_request_is_read) ||
        !CU_ADD_TEST(suite, test_absent_attributes_are_told_from_zero) ||
        !CU_ADD_TEST(suite, test_any_prefix_will_do) ||
        !CU_ADD_TEST(suite, test_look_alikes_mean_nothing) ||
        !CU_ADD_TEST(suite, test_payloads_keep_document_order) ||
        !CU_ADD_TEST(suite, test_special_requests_are_not_empty) ||
        !CU_ADD_TEST(suite, test_bad_requests_are_refused) ||
        !CU_ADD_TEST(suite, test_too_many_payloads_are_refused) ||
        !CU_ADD_TEST(suite, test_too_large_a_body_is_refused))
        return -1;
    return 0;
}
