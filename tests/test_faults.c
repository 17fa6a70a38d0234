/* harness/faults.c: from an action and an answer's bytes to a plan. */
#include "check.h"
#include "common/buf.h"
#include "common/http.h"
#include "harness/faults.h"
#include "suites.h"

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
                             "Content-Length: 12\r\n\r\n<b>\xC3\xA9 12</b>";
#define ANSWER_LEN (sizeof answer - 1)
#define HEAD_LEN (ANSWER_LEN - 12)

static struct buf planned_for(const struct action *a, const char *answered,
                              struct delivery *plan)
{
    static const struct http_header headers[] = {{"content-type", "text/plain"},
                                                 {"Set-Cookie", "a=1"},
                                                 {"Set-Cookie", "b=2"}};
    struct fault_values values = {10, headers, 3};
    struct buf bytes = BUF_INIT;
    struct err e = {""};

    CHECK_INT(faults_plan(a, answered, strlen(answered), &values, plan, &e), 0);
    for (size_t i = 0; i < plan->piece_count; i++)
        buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
    return bytes;
}

static struct buf planned(const struct action *a, struct delivery *plan)
{
    return planned_for(a, answer, plan);
}

static enum http_progress read_all(const struct buf *b, bool eof,
                                   struct http_message *m)
{
    size_t used;

    return http_read(HTTP_RESPONSE, buf_str(b), b->len, false, eof, m, &used,
                     NULL);
}

static void test_without_an_action_the_bytes_stay(void)
{
    struct delivery plan;
    struct buf b = planned(NULL, &plan);

    CHECK_INT(b.len, ANSWER_LEN);
    CHECK_INT(plan.end, DELIVERY_KEEP);
    buf_release(&b);
    delivery_release(&plan);
}

static void test_damage_leaves_no_whole_message(void)
{
    static const struct {
        const char *name;
        struct action a;
    } rows[] = {
        {"truncate", {.kind = ACTION_BYTES, .bytes = BYTES_TRUNCATE, .at = -1}},
        {"length-long",
         {.kind = ACTION_BYTES, .bytes = BYTES_LENGTH_LONG, .at = -1}},
        {"bad-chunk",
         {.kind = ACTION_BYTES, .bytes = BYTES_BAD_CHUNK, .at = -1}},
        {"garbage-before",
         {.kind = ACTION_BYTES, .bytes = BYTES_GARBAGE_BEFORE, .at = -1}},
        {"rst in the head",
         {.kind = ACTION_CUT,
          .how = CUT_RST,
          .when = CUT_RESPONSE_HEADERS,
          .after_bytes = -1}},
        {"fin in the body",
         {.kind = ACTION_CUT,
          .how = CUT_FIN,
          .when = CUT_RESPONSE_BODY,
          .after_bytes = 3}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct delivery plan;
        struct buf b = planned(&rows[i].a, &plan);
        struct http_message m;

        CHECK_ROW(read_all(&b, true, &m) != HTTP_WHOLE, rows[i].name);
        CHECK_ROW(faults_damage(&rows[i].a), rows[i].name);
        http_message_release(&m);
        buf_release(&b);
        delivery_release(&plan);
    }
}

static void test_a_cut_keeps_as_many_bytes_as_it_says(void)
{
    struct action a = {.kind = ACTION_CUT,
                       .how = CUT_RST,
                       .when = CUT_RESPONSE_BODY,
                       .after_bytes = 5};
    struct delivery plan;
    struct buf b = planned(&a, &plan);

    CHECK_INT(b.len, HEAD_LEN + 5);
    CHECK_INT(plan.end, DELIVERY_RST);
    buf_release(&b);
    delivery_release(&plan);
}

static void test_other_codings_are_honest_messages(void)
{
    static const struct {
        enum bytes_kind kind;
        const char *name, *header, *value;
    } rows[] = {
        {BYTES_GZIP, "gzip", "Content-Encoding", "gzip"},
        {BYTES_DEFLATE, "deflate", "Content-Encoding", "deflate"},
        {BYTES_LATIN_1, "latin-1", "Content-Type",
         "text/xml; charset=iso-8859-1"},
        {BYTES_NO_XML, "no-xml", "Content-Type", "text/html"},
        {BYTES_BOM, "bom", "Content-Type", "text/xml"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct action a = {
            .kind = ACTION_BYTES, .bytes = rows[i].kind, .at = -1};
        struct delivery plan;
        struct buf b = planned(&a, &plan);
        struct http_message m;
        const char *value;

        CHECK_ROW(read_all(&b, false, &m) == HTTP_WHOLE, rows[i].name);
        value = http_header(&m, rows[i].header);
        CHECK_ROW(value && strcmp(value, rows[i].value) == 0, rows[i].name);
        if (rows[i].kind == BYTES_LATIN_1)
            CHECK_ROW(strstr(buf_str(&m.body), "\xE9 12") != NULL,
                      rows[i].name);
        http_message_release(&m);
        buf_release(&b);
        delivery_release(&plan);
    }
}

#define NS "http://jabber.org/protocol/httpbind"
#define ROOT "<body xmlns='" NS "' sid='a>b'"
#define PING "<ping xmlns='urn:p'/>"

static const char full[] = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
                           "Content-Length: 88\r\n\r\n" ROOT ">" PING "</body>";
static const char hollow[] = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
                             "Content-Length: 61\r\n\r\n" ROOT "/>";

/* The entity that an answer becomes; HTTP's framing must be right. */
static struct http_message shaped(enum bytes_kind kind, const char *answered)
{
    struct action a = {
        .kind = ACTION_BYTES, .bytes = kind, .at = -1, .size = 40};
    struct delivery plan;
    struct buf b = planned_for(&a, answered, &plan);
    struct http_message m;

    CHECK_ROW(read_all(&b, false, &m) == HTTP_WHOLE, faults_name(&a));
    CHECK_INT(plan.end, DELIVERY_KEEP);
    CHECK(!faults_damage(&a));
    buf_release(&b);
    delivery_release(&plan);
    return m;
}

static void test_an_entity_takes_other_shapes(void)
{
    static const struct {
        enum bytes_kind kind;
        const char *full, *hollow; /* how it begins */
        const char *end;           /* how the full one ends */
    } rows[] = {
        {BYTES_EMPTY, "", "", ""},
        {BYTES_ILL_FORMED, ROOT ">" PING "</body", ROOT "/", "</body"},
        {BYTES_WRONG_NAMESPACE,
         "<body xmlns='urn:boshspec:not-httpbind' sid='a>b'>" PING "</body>",
         "<body xmlns='urn:boshspec:not-httpbind' sid='a>b'></body>",
         "</body>"},
        {BYTES_NO_NAMESPACE, "<body sid='a>b'>" PING "</body>",
         "<body sid='a>b'></body>", "</body>"},
        {BYTES_OTHER_ROOT, "<envelope xmlns='" NS "' sid='a>b'>" PING,
         "<envelope xmlns='" NS "' sid='a>b'></envelope>", "</envelope>"},
        {BYTES_TEXT, ROOT ">text between the stanzas" PING,
         ROOT ">text between the stanzas</body>", "</body>"},
        {BYTES_COMMENT, ROOT "><!-- a comment -->" PING,
         ROOT "><!-- a comment --></body>", "</body>"},
        {BYTES_INSTRUCTION, ROOT "><?boshspec an instruction?>" PING,
         ROOT "><?boshspec an instruction?></body>", "</body>"},
        {BYTES_DOCTYPE, "<!DOCTYPE body [<!ELEMENT body ANY>]>" ROOT ">" PING,
         "<!DOCTYPE body [<!ELEMENT body ANY>]>" ROOT "></body>", "</body>"},
        {BYTES_ENTITY,
         "<!DOCTYPE body [<!ENTITY word \"expanded\">]>" ROOT
         "><message xmlns='jabber:client' type='chat' "
         "from='localhost' id='entity'><body>&word;</body>"
         "</message>" PING,
         "<!DOCTYPE body [", "</body>"},
        {BYTES_ENTITY_BOMB,
         "<!DOCTYPE body [<!ENTITY e0 \"expand\">"
         "<!ENTITY e1 \"&e0;&e0;",
         "<!DOCTYPE body [<!ENTITY e0", "&e9;</body></message>" PING "</body>"},
        {BYTES_DEEP,
         ROOT "><message xmlns='jabber:client' type='chat' "
              "from='localhost' id='deep'><d><d>",
         ROOT "><message", "</d></d></message>" PING "</body>"},
        {BYTES_HUGE,
         ROOT "><message xmlns='jabber:client' type='chat' "
              "from='localhost' id='huge'><body>0123456789abcdef"
              "0123456789abcdef01234567</body></message>" PING,
         ROOT "><message", "</body>"},
        {BYTES_TWO_BODIES, ROOT ">" PING "</body>" ROOT ">" PING "</body>",
         ROOT "/>" ROOT "/>", "</body>"},
        {BYTES_CHUNKED, ROOT ">" PING "</body>", ROOT "/>", "</body>"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_message f = shaped(rows[i].kind, full);
        struct http_message h = shaped(rows[i].kind, hollow);
        size_t end = strlen(rows[i].end);

        CHECK_ROW(
            strncmp(buf_str(&f.body), rows[i].full, strlen(rows[i].full)) == 0,
            buf_str(&f.body));
        CHECK_ROW(strncmp(buf_str(&h.body), rows[i].hollow,
                          strlen(rows[i].hollow)) == 0,
                  buf_str(&h.body));
        CHECK_ROW(
            f.body.len >= end &&
                strcmp(buf_str(&f.body) + f.body.len - end, rows[i].end) == 0,
            buf_str(&f.body));
        CHECK(f.chunked == (rows[i].kind == BYTES_CHUNKED));
        http_message_release(&f);
        http_message_release(&h);
    }
}

static void test_an_answer_without_a_body_keeps_its_entity(void)
{
    static const char none[] = "HTTP/1.1 404 Not Found\r\n"
                               "Content-Length: 0\r\n\r\n";

    for (int kind = BYTES_EMPTY; kind <= BYTES_CHUNKED; kind++) {
        struct http_message m = shaped((enum bytes_kind)kind, none);

        CHECK_INT(m.status, 404);
        CHECK(m.body.len == 0 || kind == BYTES_UTF_16);
        http_message_release(&m);
    }
}

static void test_utf_16_is_declared_and_whole(void)
{
    struct action a = {.kind = ACTION_BYTES, .bytes = BYTES_UTF_16, .at = -1};
    struct delivery plan;
    struct buf b = planned(&a, &plan);
    struct http_message m;

    CHECK_INT(read_all(&b, false, &m), HTTP_WHOLE);
    CHECK_STR(http_header(&m, "Content-Type"), "text/xml; charset=utf-16");
    CHECK(memcmp(buf_str(&m.body), "\xFE\xFF\0<\0?\0x", 8) == 0);
    CHECK(memmem(buf_str(&m.body), m.body.len, "\0<\0b\0>\0\xE9\0 ", 10) !=
          NULL);
    http_message_release(&m);
    buf_release(&b);
    delivery_release(&plan);
}

static void test_headers_take_the_place_of_those_of_their_name(void)
{
    struct http_message m = shaped(BYTES_HEADER, full);
    int cookies = 0;

    CHECK_STR(http_header(&m, "Content-Type"), "text/plain");
    for (size_t i = 0; i < m.header_count; i++)
        cookies += strcmp(m.headers[i].name, "Set-Cookie") == 0;
    CHECK_INT(cookies, 2);
    CHECK_INT(m.header_count, 4);
    CHECK(strstr(buf_str(&m.body), PING) != NULL);
    http_message_release(&m);
}

/* values.headers is what an attribute's action comes to. */
static void attribute_becomes(const char *answered, const char *name,
                              const char *value, const char *want)
{
    struct action a = {
        .kind = ACTION_BYTES, .bytes = BYTES_ATTRIBUTE, .at = -1};
    struct http_header set = {name, value};
    struct fault_values values = {.headers = &set, .header_count = 1};
    struct http_message m;
    struct delivery plan;
    struct err e = {""};
    struct buf b = BUF_INIT;

    CHECK_INT(faults_plan(&a, answered, strlen(answered), &values, &plan, &e),
              0);
    buf_add(&b, plan.pieces[0].bytes, plan.pieces[0].len);
    CHECK_ROW(read_all(&b, false, &m) == HTTP_WHOLE, want);
    CHECK_STR(buf_str(&m.body), want);
    http_message_release(&m);
    buf_release(&b);
    delivery_release(&plan);
}

static void test_an_attribute_is_changed_added_or_left_out(void)
{
    attribute_becomes(full, "sid", "it's",
                      "<body xmlns='" NS "' sid='it&#39;s'>" PING "</body>");
    attribute_becomes(full, "sid", "", "<body xmlns='" NS "'>" PING "</body>");
    attribute_becomes(full, "stream", "s", ROOT " stream='s'>" PING "</body>");
    attribute_becomes(full, "id", "", ROOT ">" PING "</body>");
    attribute_becomes(hollow, "stream", "s", ROOT " stream='s'/>");
    attribute_becomes(hollow, "sid", "", "<body xmlns='" NS "'/>");
}

static void test_a_drip_takes_its_time(void)
{
    struct action a = {.kind = ACTION_BYTES, .bytes = BYTES_DRIP, .at = -1};
    struct delivery plan;
    struct buf b = planned(&a, &plan);

    CHECK_INT(b.len, ANSWER_LEN);
    CHECK(plan.piece_count > 1);
    CHECK_INT(plan.pieces[1].after_ms, 10);
    buf_release(&b);
    delivery_release(&plan);
}

static void test_what_is_no_answer_is_an_error(void)
{
    struct action a = {.kind = ACTION_BYTES, .bytes = BYTES_TWICE, .at = -1};
    struct delivery plan;
    struct fault_values values = {0};
    struct err e = {""};

    CHECK_INT(faults_plan(&a, "nonsense", 8, &values, &plan, &e), -1);
    CHECK(e.text[0] != '\0');
    delivery_release(&plan);
}

int suite_faults(void)
{
    CU_pSuite s = CU_add_suite("faults", NULL, NULL);

    return s && CU_ADD_TEST(s, test_without_an_action_the_bytes_stay) &&
                   CU_ADD_TEST(s, test_damage_leaves_no_whole_message) &&
                   CU_ADD_TEST(s, test_a_cut_keeps_as_many_bytes_as_it_says) &&
                   CU_ADD_TEST(s, test_other_codings_are_honest_messages) &&
                   CU_ADD_TEST(s, test_an_entity_takes_other_shapes) &&
                   CU_ADD_TEST(
                       s, test_an_answer_without_a_body_keeps_its_entity) &&
                   CU_ADD_TEST(s, test_utf_16_is_declared_and_whole) &&
                   CU_ADD_TEST(
                       s, test_headers_take_the_place_of_those_of_their_name) &&
                   CU_ADD_TEST(
                       s, test_an_attribute_is_changed_added_or_left_out) &&
                   CU_ADD_TEST(s, test_a_drip_takes_its_time) &&
                   CU_ADD_TEST(s, test_what_is_no_answer_is_an_error)
               ? 0
               : -1;
}
