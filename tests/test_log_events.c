/* The event log: what is written is read back, however it was cut off. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "suites.h"

#include "common/log_events.h"

/* Writes ev, reads the line, compares all. */
static void round_trip(const struct event *ev, const char *row)
{
    struct buf line = BUF_INIT, again = BUF_INIT;
    struct err e = {""};
    struct event back;

    event_write(&line, ev);
    CHECK_ROW(memchr(line.data, '\n', line.len) == line.data + line.len - 1,
              row);
    CHECK_ROW(event_read(line.data, line.len, &back, &e) == 1, row);
    CHECK_ROW(strcmp(back.name, ev->name) == 0, row);
    CHECK_ROW(back.seq == ev->seq && back.t_ms == ev->t_ms, row);
    CHECK_ROW(back.attr_count == ev->attr_count, row);
    CHECK_ROW(back.data_len == ev->data_len, row);
    CHECK_ROW(!ev->data_len || memcmp(back.data, ev->data, ev->data_len) == 0,
              row);
    event_write(&again, &back);
    CHECK_ROW(again.len == line.len &&
                  memcmp(again.data, line.data, line.len) == 0,
              row);
    event_release(&back);
    buf_release(&line);
    buf_release(&again);
}

static void test_any_bytes_survive_the_log(void)
{
    static const struct {
        const char *row, *data;
        size_t len;
    } rows[] = {
        {"http", "POST / HTTP/1.1\r\nHost: a\r\n\r\n<body a='1'/>", 41},
        {"markup", "]]></req><x y=\"&amp;\"/>\t", 24},
        {"spaces at the ends", "  \r\n", 4},
        {"nul", "a\0b", 3},
        {"control", "\x01\x1f", 2},
        {"not utf-8", "\xff\xfe\x80", 3},
        {"overlong", "\xc0\x80", 2},
        {"surrogate", "\xed\xa0\x80", 3},
        {"not a character", "\xef\xbf\xbf", 3},
        {"cut character", "ab\xe2\x82", 4},
        {"four octets", "\xf0\x9f\x98\x80", 4},
        {"base64 of one", "\x00", 1},
        {"base64 of two", "\x00\x01", 2},
        {"base64 of four", "\x00\x01\x02\xff", 4},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct event ev;

        event_init(&ev, "req");
        ev.seq = i + 1;
        ev.t_ms = -5;
        event_set(&ev, "x", "1");
        ev.data = rows[i].data;
        ev.data_len = rows[i].len;
        round_trip(&ev, rows[i].row);
        event_release(&ev);
    }
}

static void test_values_are_escaped(void)
{
    struct buf line = BUF_INIT;
    struct err e = {""};
    struct event ev, back;

    event_init(&ev, "end");
    event_set(&ev, "because", "it's \"5 < 6\" & so\n\ton");
    event_set(&ev, "how", "bad \x01 byte \xff");
    event_write(&line, &ev);
    CHECK_INT(event_read(line.data, line.len, &back, &e), 1);
    CHECK_STR(event_get(&back, "because"), "it's \"5 < 6\" & so\n\ton");
    CHECK_STR(event_get(&back, "how"), "bad \xEF\xBF\xBD byte \xEF\xBF\xBD");
    event_release(&ev);
    event_release(&back);
    buf_release(&line);
}

static void test_a_value_can_be_set_again(void)
{
    struct event ev;

    event_init(&ev, "name");
    event_set(&ev, "as", "a");
    event_setf(&ev, "x", "%d", 7);
    event_set(&ev, "as", "a much longer name than there was before");
    event_set(&ev, "nothing", NULL);
    CHECK_INT(ev.attr_count, 2);
    CHECK_STR(event_get(&ev, "as"), "a much longer name than there was before");
    CHECK_INT(event_int(&ev, "x", -1), 7);
    CHECK_INT(event_int(&ev, "as", -1), -1);
    CHECK_INT(event_int(&ev, "gone", -2), -2);
    event_release(&ev);
}

/* Each prefix of a line is either nothing or a cut-off one, never an error. */
static void test_a_line_cut_anywhere_is_no_event(void)
{
    static const char *const names[] = {"open", "req"};
    struct err e = {""};

    for (size_t n = 0; n < 2; n++) {
        struct buf line = BUF_INIT;
        struct event ev, back;

        event_init(&ev, names[n]);
        event_set(&ev, "rule", "a > b");
        if (n == 1) {
            ev.data = "<x/> </x>";
            ev.data_len = 9;
        }
        event_write(&line, &ev);
        for (size_t len = 0; len + 1 < line.len; len++) {
            CHECK_INT(event_read(line.data, len, &back, &e), 0);
            event_release(&back);
        }
        event_release(&ev);
        buf_release(&line);
    }
}

static void test_what_is_no_event_is_refused(void)
{
    static const char *const rows[] = {
        "words",
        "<unknown seq=\"1\" t=\"0\"/>",
        "<req seq=\"1\" t=\"0\" x=/>",
        "<req xmlns=\"urn:x\" seq=\"1\" t=\"0\"/>",
        "<req seq=\"1\" t=\"0\" enc=\"base64\">**</req>",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {""};
        struct event back;

        CHECK_ROW(event_read(rows[i], strlen(rows[i]), &back, &e) == -1,
                  rows[i]);
        CHECK_ROW(e.text[0] != '\0', rows[i]);
        event_release(&back);
    }
}

static void count_one(void *ctx, const struct event *ev)
{
    (void)ev;
    ++*(int *)ctx;
}

/* Writes text to a file of its own, reads it. */
static int read_text(const char *text, int *count, int *cut, struct err *e)
{
    char path[] = "/tmp/boshspec-log-XXXXXX";
    struct event_sink sink = {count, count_one};
    int fd = mkstemp(path);
    int result;

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    *count = 0;
    result = event_read_file(path, &sink, cut, e);
    unlink(path);
    return result;
}

static void test_a_file_cut_off_is_read_up_to_there(void)
{
    struct err e = {""};
    int count, cut;

    CHECK_INT(
        read_text("<log seq=\"1\" t=\"0\"/>\n\n<open seq=\"2\" t=\"0\"/>\n",
                  &count, &cut, &e),
        0);
    CHECK_INT(count, 2);
    CHECK_INT(cut, 0);
    CHECK_INT(read_text("<log seq=\"1\" t=\"0\"/>\n<open seq=\"2\" t", &count,
                        &cut, &e),
              0);
    CHECK_INT(count, 1);
    CHECK_INT(cut, 1);
    CHECK_INT(read_text("<log seq=\"1\" t=\"0\"/>\nwords\n", &count, &cut, &e),
              -1);
    CHECK(strstr(e.text, ":2: ") != NULL);
}

static void test_a_file_that_is_not_there_is_said(void)
{
    struct event_sink sink = {NULL, count_one};
    struct err e = {""};
    int cut;

    CHECK_INT(event_read_file("/nowhere/at/all", &sink, &cut, &e), -1);
    CHECK_STR(e.text, "/nowhere/at/all: cannot be opened");
}

int suite_log_events(void)
{
    CU_pSuite suite = CU_add_suite("log_events", NULL, NULL);

    if (!suite)
        return -1;
    CU_add_test(suite, "any bytes survive the log",
                test_any_bytes_survive_the_log);
    CU_add_test(suite, "values are escaped", test_values_are_escaped);
    CU_add_test(suite, "a value can be set again",
                test_a_value_can_be_set_again);
    CU_add_test(suite, "a line cut anywhere is no event",
                test_a_line_cut_anywhere_is_no_event);
    CU_add_test(suite, "what is no event is refused",
                test_what_is_no_event_is_refused);
    CU_add_test(suite, "a file cut off is read up to there",
                test_a_file_cut_off_is_read_up_to_there);
    CU_add_test(suite, "a file that is not there is said",
                test_a_file_that_is_not_there_is_said);
    return 0;
}
