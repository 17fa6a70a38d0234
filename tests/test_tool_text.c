/* What bosh-client shows to a person: nothing that moves the cursor, nothing
 * that lets a reader act as the user. */
#include "client-under-test/tool_text.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "common/xml.h"

int suite_tool_text(void);

struct row {
    const char *in;
    const char *out;
};

/* Each row, and each cut off after every byte, in memory of just that size. */
static void check_rows(const struct row *rows, size_t count,
                       void (*show)(struct buf *out, const char *in,
                                    size_t len))
{
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].in);

        buf_clear(&out);
        show(&out, rows[i].in, len);
        CHECK_STR(buf_str(&out), rows[i].out);
        for (size_t part = 0; part < len; part++) {
            char *cut = malloc(part ? part : 1);

            memcpy(cut, rows[i].in, part);
            buf_clear(&out);
            show(&out, cut, part);
            CHECK_ROW(strstr(buf_str(&out), "SECRET") == NULL, rows[i].in);
            free(cut);
        }
    }
    buf_release(&out);
}

static void clean(struct buf *out, const char *in, size_t len)
{
    tool_text_clean(out, in, len, false);
}

static void test_control_characters_are_seen_and_not_obeyed(void)
{
    static const struct row rows[] = {
        {"", ""},
        {"plain & <text>\t\"'", "plain & <text>\t\"'"},
        {"a\nb\r\nc", "a\\nb\\x0d\\nc"},
        {"\033[2J\a\x7f", "\\x1b[2J\\x07\\x7f"},
        {"C1 \xc2\x9b 2J", "C1 \\x9b 2J"},
        {"\xc3\xbc \xe2\x82\xac \xc2\xa0 \xf0\x9f\x98\x80",
         "\xc3\xbc \xe2\x82\xac \xc2\xa0 \xf0\x9f\x98\x80"},
    };

    check_rows(rows, sizeof rows / sizeof rows[0], clean);
}

static void test_lines_are_left_where_they_may_be(void)
{
    struct buf out = BUF_INIT;

    tool_text_clean(&out, "a\nb\r", 4, true);
    CHECK_STR(buf_str(&out), "a\nb\\x0d");
    buf_release(&out);
}

static void test_xml_in_one_line_says_the_same(void)
{
    static const struct row rows[] = {
        {"<a>x</a>", "<a>x</a>"},
        {"<a>x\ny</a>", "<a>x&#10;y</a>"},
        {"<a>\xc2\x9b\x7f</a>", "<a>&#x9b;&#127;</a>"},
        {"<a><![CDATA[1 < 2\n&]]>!</a>", "<a>1 &lt; 2&#10;&amp;!</a>"},
        {"<a><![CDATA[no end", "<a><![CDATA[no end"},
    };

    check_rows(rows, sizeof rows / sizeof rows[0], tool_text_xml);
}

static void test_what_lets_a_reader_act_as_the_user_is_hidden(void)
{
    static const struct row rows[] = {
        {"<body rid='1'><auth xmlns='s' mechanism='PLAIN'>SECRET</auth></body>",
         "<body rid='1'><auth xmlns='s' mechanism='PLAIN'>[hidden]</auth>"
         "</body>"},
        {"<challenge>SECRET</challenge><response>SECRET</response>",
         "<challenge>[hidden]</challenge><response>[hidden]</response>"},
        {"<s:success xmlns:s='x'>SECRET</s:success>",
         "<s:success xmlns:s='x'>[hidden]</s:success>"},
        {"<success\n>SECRET", "<success\n>[hidden]"},
        {"<auth><![CDATA[SECRET]]></auth>", "<auth>[hidden]</auth>"},
        {"<auth>SE<!-- -->CRET</auth>", "<auth>[hidden]</auth>"},
        {"<query><password>SECRET</password></query>",
         "<query><password>[hidden]</password></query>"},
        {"<body key='SECRET' newkey=\"SECRET\" rid='1'/>",
         "<body key='[hidden]' newkey=\"[hidden]\" rid='1'/>"},
        {"<body a='>'key = 'SECRET'/>", "<body a='>'key = '[hidden]'/>"},
        {"<body a='it\"s' key='SECRET'>", "<body a='it\"s' key='[hidden]'>"},
    };

    check_rows(rows, sizeof rows / sizeof rows[0], tool_text_hide);
}

static void test_what_is_not_well_formed_carries_no_secret_past_us(void)
{
    static const struct row rows[] = {
        {"<a b='><auth>SECRET</auth>", "<a b='><auth>[hidden]</auth>"},
        {"<auth <auth>SECRET</auth>", "<auth [hidden]</auth>"},
        {"<auth>SECRET</other>SECRET", "<auth>[hidden]"},
        {"<auth/>text", "<auth/>text"},
        {"<", "<"},
        {"", ""},
    };

    check_rows(rows, sizeof rows / sizeof rows[0], tool_text_hide);
}

static void test_all_else_is_left_as_it_is(void)
{
    static const struct row rows[] = {
        {"<body sid='s'><message><body>auth &lt;auth></body></message></body>",
         "<body sid='s'><message><body>auth &lt;auth></body></message></body>"},
        {"<authority>x</authority>", "<authority>x</authority>"},
        {"<a monkey='x' keys='y'/>", "<a monkey='x' keys='y'/>"},
        {"<success/>", "<success/>"},
        {"<success></success>", "<success></success>"},
        {"no XML at all", "no XML at all"},
    };

    check_rows(rows, sizeof rows / sizeof rows[0], tool_text_hide);
}

int suite_tool_text(void)
{
    CU_pSuite s = CU_add_suite("tool_text", NULL, NULL);

    if (!s ||
        !CU_ADD_TEST(s, test_control_characters_are_seen_and_not_obeyed) ||
        !CU_ADD_TEST(s, test_lines_are_left_where_they_may_be) ||
        !CU_ADD_TEST(s, test_xml_in_one_line_says_the_same) ||
        !CU_ADD_TEST(s, test_what_lets_a_reader_act_as_the_user_is_hidden) ||
        !CU_ADD_TEST(s,
                     test_what_is_not_well_formed_carries_no_secret_past_us) ||
        !CU_ADD_TEST(s, test_all_else_is_left_as_it_is))
        return -1;
    return 0;
}
