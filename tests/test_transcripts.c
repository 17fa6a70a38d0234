/* Byte transcripts from the XEPs' examples, tests/data/transcripts; and that
 * a transcript that says otherwise fails, with its line. */
#include "bosh_peer.h"

#include <glob.h>

#include "common/xml.h"
#include "transcript.h"

int suite_transcripts(void);

/* A file as text, yours; NULL when it cannot be read. */
static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rbe");
    struct buf text = BUF_INIT;
    char piece[4096];
    size_t got;

    if (!f)
        return NULL;
    while ((got = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&text, piece, got);
    fclose(f);
    return buf_take(&text);
}

static void for_each_transcript(void (*check)(const char *path,
                                              const char *text))
{
    glob_t found;

    CHECK_INT(glob("tests/data/transcripts/*.txt", 0, NULL, &found), 0);
    CHECK(found.gl_pathc >= 16);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = read_text(found.gl_pathv[i]);

        CHECK_ROW(text, found.gl_pathv[i]);
        if (text)
            check(found.gl_pathv[i], text);
        free(text);
    }
    globfree(&found);
}

static void check_spoken(const char *path, const char *text)
{
    struct err e = {""};

    CHECK_ROW(transcript_play(path, text, &e) == 0, e.text);
}

static void test_the_examples_of_the_xeps_are_spoken_word_for_word(void)
{
    for_each_transcript(check_spoken);
}

/* What the client says and what the application is told; not what the manager
 * says, nor remarks. inside: of such a step, from line to line. */
static bool must_count(const char *line, bool *inside)
{
    if (*line == '#' || *line == '\n')
        return *inside = false;
    if (strchr("CX!", *line))
        *inside = true;
    else if (*line != '<' && *line != ' ')
        *inside = false;
    return *inside;
}

static void check_each_line(const char *path, const char *text)
{
    bool inside = false;
    int number = 0;

    for (const char *line = text; *line;) {
        const char *next = line + strcspn(line, "\n") + 1;
        struct buf without = BUF_INIT;
        struct err e = {""};
        char row[120];

        snprintf(row, sizeof row, "%s, without line %d", path, ++number);
        buf_add(&without, text, (size_t)(line - text));
        buf_adds(&without, next);
        if (must_count(line, &inside))
            CHECK_ROW(transcript_play(path, buf_str(&without), &e) == -1, row);
        buf_release(&without);
        line = next;
    }
}

static void test_every_line_of_them_counts(void)
{
    for_each_transcript(check_each_line);
}

/* ---- What is wrong is told ------------------------------------------------
 */

#define ATTACH "> verb: attach jid=a@b/c sid=s rid=7\n"
#define ATTACHED ATTACH "! attached\n"
#define POLL "C 1\n<body rid='7' sid='s' " NS_BODY "/>\n\n"

static void test_a_difference_is_told_with_its_line(void)
{
    static const struct {
        const char *text, *error;
    } ROWS[] = {
        {"", "t:1: nothing is called"},
        {"hello", "t:1: 'hello' is no step"},
        {"# remark\n\n> verb: dance now", "t:3: there is no verb 'dance now'"},
        {"> option: colour=red", "t:1: there is no option 'colour'"},
        {"> option: ack", "t:1: an option is NAME=VALUE"},
        {ATTACH "> option: ack=1", "t:2: options come before the first verb"},
        {"> verb: attach jid=a@b/c", "t:1: a session needs jid, sid and rid"},
        {ATTACH, "t:2: transmission 1 comes before this: <body rid='7' "
                 "sid='s' " NS_BODY "/>"},
        {ATTACH POLL, "t:5: before this it tells: attached"},
        {ATTACH "! connected", "t:2: it tells: attached"},
        {ATTACHED "! attached", "t:3: the application is told nothing"},
        {ATTACHED "C 1", "t:3: there is no XML below this line"},
        {ATTACHED "C 2", "t:3: there is no transmission '2'"},
        {ATTACHED POLL "F 1\nC 1", "t:7: transmissions are counted in their "
                                   "order"},
        {ATTACHED "C 1\n<body rid='7' " NS_BODY "/>",
         "t:3: wants /, got @ sid=s"},
        {ATTACHED "C 1\n<body rid='7' sid='t' " NS_BODY "/>",
         "t:3: wants @ sid=t, got @ sid=s"},
        {ATTACHED "C 1\n<body rid='7' sid='s' a='${b}' " NS_BODY "/>",
         "t:3: wants @ a=${b}, got @ rid=7"},
        {ATTACHED "C 1\n<body rid='7' sid='s'/>",
         "t:3: wants < body, got <" XML_NS_HTTPBIND " body"},
        {ATTACHED POLL "X 1", "t:6: that one is not given up"},
        {ATTACHED POLL "> time: 66000\nC 2 repeats 1",
         "t:7: before this it gives up transmission 1"},
        {ATTACHED POLL "S 1\n<body a='${b}' " NS_BODY "/>",
         "t:6: nothing was seen yet for 'b'"},
        {ATTACHED POLL "> verb: pause 500", "t:6: a pause may last 1 to 120 s"},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct err e = {""};

        CHECK_INT(transcript_play("t", ROWS[i].text, &e), -1);
        CHECK_STR(e.text, ROWS[i].error);
    }
}

static void test_what_does_not_count_makes_no_difference(void)
{
    static const char TEXT[] = ATTACHED
        "C 1\n<body\nsid=\"s\"   rid='1007' xmlns='" XML_NS_HTTPBIND
        "'>\n</body>\n\n"
        "S 1\n<body xmlns='" XML_NS_HTTPBIND "'><message xmlns='jabber:client'"
        " id='x'/></body>\n\n"
        "! stanza\n<c:message xmlns:c='jabber:client' id='${x}'/>\n\n"
        "C 2\n<body rid='1008' sid='${s}' xmlns='" XML_NS_HTTPBIND "'/>\n\n"
        "> verb: send <presence id='x'/>\n"
        "C 3\n<body rid='1009' sid='${s}' xmlns='" XML_NS_HTTPBIND "'>"
        " <presence xmlns='jabber:client' id='${x}'/></body>\n";
    struct err e = {""};

    CHECK_INT(transcript_play("t", TEXT, &e), 0);
    CHECK_STR(e.text, "");
}

static const struct peer_test TESTS[] = {
    {"the examples of the XEPs are spoken word for word",
     test_the_examples_of_the_xeps_are_spoken_word_for_word},
    {"every line of them counts", test_every_line_of_them_counts},
    {"a difference is told with its line",
     test_a_difference_is_told_with_its_line},
    {"what does not count makes no difference",
     test_what_does_not_count_makes_no_difference},
};

int suite_transcripts(void)
{
    return peer_suite("transcripts", TESTS, PEER_COUNT(TESTS));
}
