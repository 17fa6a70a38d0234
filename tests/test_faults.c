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

static struct buf planned(const struct action *a, struct delivery *plan)
{
    struct buf bytes = BUF_INIT;
    struct err e = {""};

    CHECK_INT(faults_plan(a, answer, ANSWER_LEN, 10, plan, &e), 0);
    for (size_t i = 0; i < plan->piece_count; i++)
        buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
    return bytes;
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
    struct err e = {""};

    CHECK_INT(faults_plan(&a, "nonsense", 8, 0, &plan, &e), -1);
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
                   CU_ADD_TEST(s, test_a_drip_takes_its_time) &&
                   CU_ADD_TEST(s, test_what_is_no_answer_is_an_error)
               ? 0
               : -1;
}
