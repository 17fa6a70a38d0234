/*
 * harness/play_client.c: what each action does to an exchange. A small case is
 * played against libbosh's core in virtual time; what the journal then says is
 * held to an expression.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "common/buf.h"
#include "harness/case_xml.h"
#include "harness/virtual.h"
#include "suites.h"
#include "twins/twins.h"

static struct knowledge knowledge;

static const char before[] =
    "<case xmlns='urn:boshspec:case:1' role='client'><title>t</title>"
    "<why>w</why><covers req='x124-client-resend-identical'/>"
    "<caught twin='edits-the-resend' by='a'/>"
    "<manager wait='10' inactivity='60'/><play><do verb='connect' wait='10'/>"
    "<await event='connected' within='10s' else='error' because='no login'/>";
static const char after[] =
    "</play><judge><assert id='a' req='x124-client-resend-identical' "
    "says='s'><test>$x</test></assert></judge></case>";

static struct client_peer *make(void *ctx)
{
    (void)ctx;
    return peer_libbosh(NULL);
}

/* Read a case from text; NULL when it is not accepted. */
static struct testcase *read_case(const char *steps)
{
    char path[] = "/tmp/boshspec-case-XXXXXX";
    struct testcase *tc = NULL;
    struct err e = {""};
    FILE *f = fdopen(mkstemp(path), "w");

    fprintf(f, "%s%s%s", before, steps, after);
    fclose(f);
    if (case_read(&knowledge, path, "test/play", &tc, &e) < 0)
        fprintf(stderr, "%s\n", e.text);
    unlink(path);
    return tc;
}

/* Play these steps; what must then be true, and how the play must end. */
static void play(const char *name, const char *steps, const char *holds,
                 enum play_end end)
{
    struct testcase *tc = read_case(steps);
    struct virtual_result r = {0};
    struct err e = {""};
    struct expr *ex;

    CHECK_ROW(tc != NULL, name);
    if (!tc)
        return;
    virtual_play_client(tc, make, NULL, NULL, &r);
    CHECK_ROW(r.end == end, name);
    if (r.end != end)
        fprintf(stderr, "%s: %s (line %d)\n", name, r.because, r.line);
    ex = expr_new(holds, "test", 1, &e);
    CHECK_ROW(ex && expr_true(ex, r.journal, NULL, &e), name);
    expr_free(ex);
    virtual_release(&r);
    testcase_free(tc);
}

/* A rule on the next poll, and something to wait for. */
static void rule(const char *name, const char *action, const char *until,
                 const char *holds)
{
    char *steps = mem_printf("<on rule='r'><match>@kind = 'poll'</match>%s"
                             "</on><await within='90s'>%s</await>",
                             action, until);

    play(name, steps, holds, PLAY_DONE);
    free(steps);
}

static const struct {
    const char *name, *action, *until, *holds;
} rule_rows[] = {
    {"lose request", "<lose as='h' part='request'/>",
     "$x[@copy-of = $h/@n][@arrived = 'whole']",
     "$h[@arrived = 'none'][not(@answered)][not(res)]"},
    {"lose response", "<lose as='h' part='response'/>",
     "$x[@copy-of = $h/@n][@delivered = 'whole']",
     "$h[@arrived = 'whole'][@answered][@delivered = 'none'][not(res)]"},
    {"respond",
     "<respond as='h' status='503'><header name='Retry-After'>1</header>"
     "<raw enc='text' times='2'>later </raw></respond>",
     "$x[@copy-of = $h/@n]",
     "$h[@arrived = 'none'][res[@status = 503][@by = 'between'][@length = "
     "12]/header[@name = 'Retry-After']]"},
    {"delay request", "<delay as='h' part='request' by='1s'/>",
     "$h[@delivered = 'whole']", "$h/@forwarded - $h/@t0 >= 1000"},
    {"delay response", "<delay as='h' part='response' by='2s'/>",
     "$h[@delivered = 'whole']", "$h/@t1 - $h/@answered >= 2000"},
    {"cut request", "<cut as='h' how='rst' when='request'/>",
     "$x[@copy-of = $h/@n]", "$h[@arrived = 'none'][not(res)]"},
    {"cut before response", "<cut as='h' how='fin' when='before-response'/>",
     "$x[@copy-of = $h/@n]",
     "$h[@arrived = 'whole'][@answered][@delivered = 'none']"},
    {"cut response headers", "<cut as='h' how='rst' when='response-headers'/>",
     "$x[@copy-of = $h/@n]", "$h[@delivered = 'part']"},
    {"cut response body",
     "<cut as='h' how='fin' when='response-body' after-bytes='5'/>",
     "$x[@copy-of = $h/@n]", "$h[@delivered = 'part']"},
    {"cut after response", "<cut as='h' how='fin' when='after-response'/>",
     "$x[@rid > $h/@rid]", "$h[@delivered = 'whole']"},
    {"truncate", "<bytes as='h' kind='truncate'/>", "$x[@copy-of = $h/@n]",
     "$h[@delivered = 'part'][res]"},
    {"drip", "<bytes as='h' kind='drip' every='100ms'/>",
     "$h[@delivered = 'whole']", "$x"},
    {"html", "<bytes as='h' kind='no-xml'/>", "$x[@copy-of = $h/@n]",
     "$h[@delivered = 'whole'][not(res/b:body)]"},
    {"bom", "<bytes as='h' kind='bom'/>", "$x[@rid > $h/@rid]",
     "$h/res/@bom = 'yes'"},
    {"latin-1", "<bytes as='h' kind='latin-1'/>", "$x[@rid > $h/@rid]",
     "$h/res/@encoding = 'ISO-8859-1'"},
    {"empty", "<bytes as='h' kind='empty'/>", "$x[@copy-of = $h/@n]",
     "$h[@delivered = 'whole'][@fault = 'bytes-empty'][res/@length = 0]"
     "[answer/b:body]"},
    {"ill-formed", "<bytes as='h' kind='ill-formed'/>", "$x[@copy-of = $h/@n]",
     "$h[@delivered = 'whole'][res/@error][res/@length + 1 = "
     "answer/@length]"},
    {"two bodies", "<bytes as='h' kind='two-bodies'/>", "$x[@copy-of = $h/@n]",
     "$h[@delivered = 'whole'][res/@error]"},
    {"other root", "<bytes as='h' kind='other-root'/>", "$x[@copy-of = $h/@n]",
     "$h[@delivered = 'whole'][not(res/b:body)][answer/b:body]"},
    {"no namespace", "<bytes as='h' kind='no-namespace'/>",
     "$x[@copy-of = $h/@n]", "$h[res/*[name() = 'body']][not(res/b:body)]"},
    {"comment", "<bytes as='h' kind='comment'/>", "$h/@delivered = 'whole'",
     "$h/res[@comment = 'yes']/b:body"},
    {"instruction", "<bytes as='h' kind='instruction'/>",
     "$h/@delivered = 'whole'", "$h/res[@pi = 'yes']/b:body"},
    {"text", "<bytes as='h' kind='text'/>", "$h/@delivered = 'whole'",
     "$h/res[@text = 'yes']/b:body"},
    {"doctype", "<bytes as='h' kind='entity-bomb'/>", "$h/@delivered = 'whole'",
     "$h/res[@doctype = 'yes'][@length < 1000]"},
    {"utf-16", "<bytes as='h' kind='utf-16'/>", "$h/@delivered = 'whole'",
     "$h/res[@encoding = 'UTF-16']/b:body"},
    {"chunked", "<bytes as='h' kind='chunked'/>", "$x[@rid > $h/@rid]",
     "$h[@delivered = 'whole']/res[@chunked = 'yes']/b:body"},
    {"huge", "<bytes as='h' kind='huge' size='1000000'/>",
     "$ev/c:message[@id = 'huge']", "string-length($ev/c:message) = 1000000"},
    {"header",
     "<bytes as='h' kind='header'><header name='Content-Type'>text/plain"
     "</header><header name='X-Url'>{$journal/@url}</header></bytes>",
     "$x[@rid > $h/@rid]",
     "$h/res[@media = 'text/plain'][header[@name = 'X-Url']/@value = "
     "$journal/@url]/b:body"},
    {"redirect",
     "<respond as='h' status='307'><header name='Location'>"
     "{$journal/@url}</header></respond>",
     "$x[@copy-of = $h/@n]",
     "$h[@delivered = 'whole']/res[@status = 307]/header[@value = "
     "$journal/@url]"},
    {"see other uri",
     "<terminate as='h' condition='see-other-uri'><uri "
     "xmlns='http://jabber.org/protocol/httpbind'>{$journal/@url}</uri>"
     "</terminate>",
     "$h/@delivered = 'whole'",
     "$h/res/b:body[@condition = 'see-other-uri']/b:uri = $journal/@url"},
    {"terminate", "<terminate as='h' condition='system-shutdown'/>",
     "$ev[@value = 'disconnected']",
     "$h/res/b:body[@type = 'terminate'][@condition = 'system-shutdown']"},
    {"recoverable", "<recoverable as='h'/>", "$x[@copy-of = $h/@n]",
     "$h/res/b:body[@type = 'error'][not(@condition)]"},
    {"pass, then respond", "<pass/><respond as='h' status='500'/>",
     "$x[@copy-of = $h/@n]",
     "count($h) = 1 and $h/@rid > $s/x[1]/@rid or "
     "$h/res/@status = 500"},
};

static void test_a_rule_does_what_it_says(void)
{
    for (size_t i = 0; i < sizeof rule_rows / sizeof rule_rows[0]; i++)
        rule(rule_rows[i].name, rule_rows[i].action, rule_rows[i].until,
             rule_rows[i].holds);
}

#define HELD "<await as='N' within='5s'>$x[@kind = 'poll'][not(res)]</await>"
#define PUSH                                                                   \
    "<push><message xmlns='jabber:client' id='p'><body>1</body></message>"     \
    "</push>"

static void test_an_exchange_held_by_name_can_be_acted_on(void)
{
    static const struct {
        const char *name, *steps, *holds;
    } rows[] = {
        {"withhold and release",
         HELD "<withhold of='N'/>" PUSH "<elapse for='2s'/><release of='N'/>"
              "<await within='5s'>$ev[@kind = 'stanza']/c:message</await>",
         "$N/@t1 - $N/@answered >= 2000"},
        {"lose the response",
         HELD "<lose of='N' part='response'/>" PUSH
              "<await within='20s'>$ev[@kind = 'stanza']/c:message</await>",
         "$N[@delivered = 'none'] and $x[@copy-of = $N/@n]"},
        {"answer in its place",
         HELD "<answer of='N' status='502'/>"
              "<await within='5s'>$x[@copy-of = $N/@n]</await>",
         "$N[@arrived = 'whole'][res[@status = 502][@by = 'between']]"},
        {"cut",
         HELD "<cut of='N' how='rst' when='request'/>"
              "<await within='5s'>$x[@copy-of = $N/@n]</await>",
         "$N[@arrived = 'whole'][@delivered = 'none']"},
        {"garble",
         HELD "<bytes of='N' kind='truncate'/>" PUSH
              "<await within='5s'>$ev[@kind = 'stanza']/c:message</await>",
         "$N[@delivered = 'part'] and count($ev/c:message) = 1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        play(rows[i].name, rows[i].steps, rows[i].holds, PLAY_DONE);
}

static void test_a_rule_that_never_matched_is_an_error(void)
{
    play("never", "<on rule='r'><match>@kind = 'pause'</match><pass/></on>",
         "$x", PLAY_ERROR);
    play("optional",
         "<on rule='r' optional='yes'><match>@kind = 'pause'</match><pass/>"
         "</on>",
         "$x", PLAY_DONE);
}

static void test_steps_end_a_play_as_they_say(void)
{
    static const struct {
        const char *name, *steps;
        enum play_end end;
    } rows[] = {
        {"await stops", "<await within='1s'>$x[@kind = 'pause']</await>",
         PLAY_STOPPED},
        {"await na",
         "<await within='1s' else='na' because='b'>$x[@kind = 'pause']"
         "</await>",
         PLAY_NA},
        {"await goes on",
         "<await as='n' within='1s' else='go-on'>$x[@kind = 'pause']</await>"
         "<await event='redirect' within='1s' else='go-on'/>"
         "<require else='error' because='b'>not($n)</require>",
         PLAY_DONE},
        {"require error",
         "<require else='error' because='b'>$x[@kind = 'pause']</require>",
         PLAY_ERROR},
        {"silence broken",
         "<silence for='20s' else='na' because='b'>$x[@kind = 'poll'][2]"
         "</silence><await within='20s'>$x</await>",
         PLAY_NA},
        {"repeat and let",
         "<let name='k'>2</let><repeat times='{$k + 1}' index='i'>" PUSH
         "<await within='5s'>count($ev/c:message) = $i</await></repeat>",
         PLAY_DONE},
        {"when, one way and the other",
         "<when test='$s'><require else='error' because='b'>$s</require></when>"
         "<when test='not($s)'><require else='error' because='b'>false()"
         "</require></when>" PUSH "<await within='5s'>$ev/c:message</await>",
         PLAY_DONE},
        {"together",
         "<together><elapse for='3s'/><in-order><elapse for='1s'/>" PUSH
         "</in-order></together><await within='1s'>$ev/c:message</await>",
         PLAY_DONE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        play(rows[i].name, rows[i].steps, "$x", rows[i].end);
}

#define ONLINE "<elapse for='500ms'/>"
#define PAUSED "<await within='5s'>$x[@kind = 'pause']</await>"

static void test_a_pause_is_asked_for_in_whole_seconds(void)
{
    play("seconds", ONLINE "<do verb='pause' for='30s'/>" PAUSED,
         "$x[@kind = 'pause']/req/b:body/@pause = 30", PLAY_DONE);
    play("rounded up", ONLINE "<do verb='pause' for='1500ms'/>" PAUSED,
         "$x[@kind = 'pause']/req/b:body/@pause = 2", PLAY_DONE);
    play("an expression",
         ONLINE "<do verb='pause' for='{3000 + 4000}'/>" PAUSED,
         "$x[@kind = 'pause']/req/b:body/@pause = 7", PLAY_DONE);
}

static int load(void)
{
    struct err e = {""};

    if (knowledge_load(&knowledge, "cases", &e) == 0)
        return 0;
    fprintf(stderr, "%s\n", e.text);
    return -1;
}

static int unload(void)
{
    knowledge_release(&knowledge);
    return 0;
}

int suite_play_client(void)
{
    CU_pSuite s = CU_add_suite("play_client", load, unload);

    return s && CU_ADD_TEST(s, test_a_rule_does_what_it_says) &&
                   CU_ADD_TEST(s,
                               test_an_exchange_held_by_name_can_be_acted_on) &&
                   CU_ADD_TEST(s, test_a_rule_that_never_matched_is_an_error) &&
                   CU_ADD_TEST(s, test_a_pause_is_asked_for_in_whole_seconds) &&
                   CU_ADD_TEST(s, test_steps_end_a_play_as_they_say)
               ? 0
               : -1;
}
