/* common/: buf, err, xml, delivery. */
#include <stdlib.h>

#include "check.h"
#include "common/buf.h"
#include "common/delivery.h"
#include "common/err.h"
#include "common/xml.h"
#include "suites.h"

static void test_buf_is_always_a_string(void)
{
    struct buf b = BUF_INIT;
    char *taken;

    CHECK_STR(buf_str(&b), "");
    buf_adds(&b, "abc");
    buf_printf(&b, "%d-%s", 12, "x");
    CHECK_STR(buf_str(&b), "abc12-x");
    buf_shift(&b, 3);
    CHECK_STR(buf_str(&b), "12-x");
    buf_shift(&b, 99);
    CHECK_INT(b.len, 0);
    taken = buf_take(&b);
    CHECK_STR(taken, "");
    free(taken);
}

static void test_escapes_what_one_line_of_xml_cannot_hold(void)
{
    struct buf b = BUF_INIT;

    buf_add_xml(&b, "a<&>\"'\r\n\tb", 10);
    CHECK_STR(buf_str(&b), "a&lt;&amp;&gt;&quot;&#39;&#13;&#10;&#9;b");
    buf_release(&b);
}

static void test_the_first_message_stays(void)
{
    struct err e = {""};

    CHECK_INT(err_set_at(&e, "a.xml", 7, "bad '%s'", "thing"), -1);
    err_set(&e, "a consequence");
    CHECK_STR(e.text, "a.xml:7: bad 'thing'");
}

static void test_xml_is_refused_with_the_first_error(void)
{
    static const struct {
        const char *name, *text, *message;
    } rows[] = {
        {"not closed", "<a>\n<b></a>", "mismatch"},
        {"entity", "<a>&x;</a>", "Entity 'x' not defined"},
        {"DOCTYPE", "<!DOCTYPE a><a/>", "document type declaration"},
        {"prefix", "<p:a/>", "prefix p"},
        {"nothing", "", "line 1"},
        {"junk", "<a/>junk", "Extra content"},
        {"bytes", "<a>\xff</a>", "UTF-8"},
        {"twice", "<a b='1' b='2'/>", "redefined"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {""};
        xmlDocPtr doc = xml_parse(rows[i].text, strlen(rows[i].text), NULL, &e);

        CHECK_ROW(doc == NULL, rows[i].name);
        CHECK_ROW(strstr(e.text, rows[i].message) != NULL, rows[i].name);
        xmlFreeDoc(doc);
    }
}

static void test_xml_facts_say_what_a_body_must_not_hold(void)
{
    static const char text[] =
        "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><!-- c --><a><?p "
        "?><b><c/></b></a>";
    struct xml_facts facts;
    xmlDocPtr doc = xml_parse(text, sizeof text - 1, &facts, NULL);

    CHECK(doc != NULL);
    CHECK(facts.bom && facts.comment && facts.pi && !facts.doctype);
    CHECK_INT(facts.depth, 3);
    xmlFreeDoc(doc);
}

static void listen(void *heard, const char *fmt, ...)
{
    (void)fmt;
    ++*(int *)heard;
}

/* A program may have its own for libxml2's errors, but ours are not its. */
static void test_a_program_s_listener_stays_and_hears_nothing(void)
{
    static const char text[] =
        "<?xml version='1.0' encoding='utf-16le'?><a>\xd8\xd8</a>";
    xmlGenericErrorFunc before = xmlGenericError;
    void *before_ctx = xmlGenericErrorContext;
    int heard = 0;
    xmlDocPtr doc;

    xmlSetGenericErrorFunc(&heard, listen);
    doc = xml_parse(text, sizeof text - 1, NULL, NULL);
    CHECK(doc == NULL);
    xmlFreeDoc(doc);
    CHECK_INT(heard, 0);
    CHECK(xmlGenericError == listen && xmlGenericErrorContext == &heard);
    xmlSetGenericErrorFunc(before_ctx, before);
}

static void test_deep_xml_is_refused(void)
{
    struct buf b = BUF_INIT;
    struct xml_facts facts;

    for (int i = 0; i < 100000; i++)
        buf_adds(&b, "<a>");
    CHECK(xml_parse(buf_str(&b), b.len, &facts, NULL) == NULL);
    CHECK(facts.depth <= XML_MAX_DEPTH + 1);
    buf_release(&b);
}

/* libxml2's own limit is 10 MB, where it leaves off without a word. */
static void test_a_long_text_is_kept_whole(void)
{
    const size_t len = 12000000;
    char *text = mem_alloc(len + 1);
    struct buf b = BUF_INIT;
    xmlDocPtr doc;

    memset(text, 'x', len);
    buf_printf(&b, "<a b='%s'>%s<c/></a>", text, text);
    doc = xml_parse(buf_str(&b), b.len, NULL, NULL);
    CHECK(doc != NULL);
    if (doc) {
        const xmlNode *root = xmlDocGetRootElement(doc);
        char *kept = xml_text(root);

        CHECK_INT(strlen(kept), len);
        CHECK_INT(strlen(xml_attr(root, NULL, "b")), len);
        CHECK(xml_child(root, NULL, "c") != NULL);
        free(kept);
    }
    xmlFreeDoc(doc);
    buf_release(&b);
    free(text);
}

static void test_floods_of_attributes_and_elements_are_refused(void)
{
    struct buf b = BUF_INIT;
    struct err e = {""};

    buf_adds(&b, "<!-- it's <b ' --><a");
    for (int i = 0; i < 60000; i++)
        buf_printf(&b, " a%d=\"1\"", i);
    buf_adds(&b, "/>");
    CHECK(xml_parse(buf_str(&b), b.len, NULL, &e) == NULL);
    CHECK(strstr(e.text, "too many attributes") != NULL);
    buf_clear(&b);
    e.text[0] = '\0';
    buf_adds(&b, "<a>");
    for (int i = 0; i < XML_MAX_NODES; i++)
        buf_adds(&b, "<b/>");
    buf_adds(&b, "</a>");
    CHECK(xml_parse(buf_str(&b), b.len, NULL, &e) == NULL);
    CHECK(strstr(e.text, "too many elements") != NULL);
    buf_release(&b);
}

static void test_attributes_are_counted_a_tag_at_a_time(void)
{
    struct buf b = BUF_INIT;
    xmlDocPtr doc;

    buf_adds(&b, "<a x='1=2=3'>");
    for (int i = 0; i < 1000; i++)
        buf_adds(&b, "<b y=\"a>b\" z='='/> = = ");
    buf_adds(&b, "</a>");
    doc = xml_parse(buf_str(&b), b.len, NULL, NULL);
    CHECK(doc != NULL);
    xmlFreeDoc(doc);
    buf_release(&b);
}

static void test_a_bomb_of_entities_costs_nothing(void)
{
    static const char bomb[] =
        "<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>"
        "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><a>&c;&c;&c;</a>";
    struct xml_facts facts;

    CHECK(xml_parse(bomb, sizeof bomb - 1, &facts, NULL) == NULL);
    CHECK(facts.doctype);
}

static void test_an_element_is_written_with_its_namespaces(void)
{
    static const char text[] = "<a xmlns='u:1' xmlns:p='u:2'><p:b c='&lt;'>"
                               "<d/></p:b></a>";
    xmlDocPtr doc = xml_parse(text, sizeof text - 1, NULL, NULL);
    xmlNodePtr b = xml_child(xmlDocGetRootElement(doc), "u:2", "b");
    struct buf out = BUF_INIT;
    xmlDocPtr again;

    xml_write(&out, b);
    again = xml_parse(buf_str(&out), out.len, NULL, NULL);
    CHECK(again != NULL);
    CHECK(xml_is(xmlDocGetRootElement(again), "u:2", "b"));
    CHECK(xml_child(xmlDocGetRootElement(again), "u:1", "d") != NULL);
    CHECK_STR(xml_attr(xmlDocGetRootElement(again), NULL, "c"), "<");
    xmlFreeDoc(again);
    xmlFreeDoc(doc);
    buf_release(&out);
}

static void test_a_plan_is_copied_whole(void)
{
    struct delivery a, b;

    delivery_init(&a);
    delivery_add(&a, 0, "abc", 3);
    delivery_add(&a, 50, "d\0e", 3);
    a.end = DELIVERY_RST;
    delivery_copy(&b, &a);
    delivery_release(&a);
    CHECK_INT(delivery_len(&b), 6);
    CHECK_INT(b.pieces[1].after_ms, 50);
    CHECK_INT(b.end, DELIVERY_RST);
    delivery_release(&b);
}

int suite_common(void)
{
    CU_pSuite s = CU_add_suite("common", NULL, NULL);

    return s && CU_ADD_TEST(s, test_buf_is_always_a_string) &&
                   CU_ADD_TEST(s,
                               test_escapes_what_one_line_of_xml_cannot_hold) &&
                   CU_ADD_TEST(s, test_the_first_message_stays) &&
                   CU_ADD_TEST(s, test_xml_is_refused_with_the_first_error) &&
                   CU_ADD_TEST(s,
                               test_xml_facts_say_what_a_body_must_not_hold) &&
                   CU_ADD_TEST(
                       s, test_a_program_s_listener_stays_and_hears_nothing) &&
                   CU_ADD_TEST(s, test_deep_xml_is_refused) &&
                   CU_ADD_TEST(s, test_a_long_text_is_kept_whole) &&
                   CU_ADD_TEST(
                       s, test_floods_of_attributes_and_elements_are_refused) &&
                   CU_ADD_TEST(s,
                               test_attributes_are_counted_a_tag_at_a_time) &&
                   CU_ADD_TEST(s, test_a_bomb_of_entities_costs_nothing) &&
                   CU_ADD_TEST(
                       s, test_an_element_is_written_with_its_namespaces) &&
                   CU_ADD_TEST(s, test_a_plan_is_copied_whole)
               ? 0
               : -1;
}
