/*
 * Driver processes: what is done with those that behave, and with those that
 * do not. The drivers are shell scripts of a few lines.
 */
#include <dirent.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "check.h"
#include "common/buf.h"
#include "common/clock.h"
#include "driver_scripts.h"
#include "harness/driver.h"

int suite_driver(void);

struct seen {
    uv_loop_t loop;
    struct driver *driver;
    struct driver_session *session;
    bool ready, lost, gone, session_lost;
    char why[512];
    struct buf said; /* "status:connected stanza:<m/> ..." */
    struct buf results;
    struct verb verb; /* given as soon as it is ready, when it has a name */
    bool stop_after_result;
    int pid;
    int64_t late_ms;
    bool asks_late; /* at each thing said: what does it owe? */
    int verb_ms;    /* 0: 700 */
};

static void on_result(void *ctx, int64_t now_ms, unsigned client,
                      const char *verb, const char *result, const char *reason,
                      const char *state)
{
    struct seen *s = ctx;

    (void)now_ms;
    buf_printf(&s->results, "%u:%s:%s:%s:%s ", client, verb, result,
               reason ? reason : "-", state ? state : "-");
    if (s->stop_after_result)
        driver_stop(s->driver);
}

static void on_said(void *ctx, int64_t now_ms, const struct said *said)
{
    struct seen *s = ctx;

    (void)now_ms;
    buf_printf(&s->said, "%s:%s ", said->kind,
               said->value ? said->value : said->text);
    if (s->asks_late)
        driver_session_own_up(s->session);
}

static void on_late(void *ctx, int64_t now_ms, int64_t late_ms)
{
    struct seen *s = ctx;

    (void)now_ms;
    s->late_ms = late_ms;
    driver_stop(s->driver);
}

static void on_session_lost(void *ctx, int64_t now_ms, const char *why)
{
    struct seen *s = ctx;

    (void)now_ms;
    (void)why;
    s->session_lost = true;
    s->session = NULL;
}

static void on_ready(void *ctx)
{
    struct seen *s = ctx;
    struct driver_session_sink sink = {s, on_result, on_said, on_late,
                                       on_session_lost};

    s->ready = true;
    s->session = driver_session_open(s->driver, &sink, 3);
    if (s->verb.name)
        driver_session_verb(s->session, &s->verb, NULL);
}

static void on_lost(void *ctx, const char *why)
{
    struct seen *s = ctx;

    s->lost = true;
    snprintf(s->why, sizeof s->why, "%s", why);
}

static void on_gone(void *ctx)
{
    struct seen *s = ctx;

    s->gone = true;
    s->driver = NULL;
}

/* Run a script until its process is gone; s says what happened. */
static void play(struct seen *s, const char *script)
{
    char sh[] = "/bin/sh", c[] = "-c", *copy = mem_dup(script);
    char *argv[] = {sh, c, copy, NULL};
    struct driver_options o = driver_options_default();
    struct driver_sink sink = {s, on_ready, on_lost, on_gone};
    struct err e = {""};

    o.argv = argv;
    o.hello_ms = 1500;
    o.verb_ms = s->verb_ms ? s->verb_ms : 700;
    o.quit_ms = 300;
    uv_loop_init(&s->loop);
    s->driver = driver_start(&s->loop, &o, &sink, &e);
    CHECK_STR(e.text, "");
    if (s->driver) {
        s->pid = driver_pid(s->driver);
        uv_run(&s->loop, UV_RUN_DEFAULT);
    }
    CHECK(s->gone && s->lost);
    CHECK_INT(uv_loop_close(&s->loop), 0);
    free(copy);
}

/* Is a process of that group left that is not dead? Orphans are reaped by
 * somebody else, in his own time. */
static bool group_lives(int pgid)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    bool found = false;

    while (dir && (entry = readdir(dir)) != NULL) {
        char path[300], state;
        int pid, parent, group;
        FILE *f;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        f = entry->d_name[0] >= '0' && entry->d_name[0] <= '9'
                ? fopen(path, "re")
                : NULL;
        if (!f)
            continue;
        found = found || (fscanf(f, "%d (%*[^)]) %c %d %d", &pid, &state,
                                 &parent, &group) == 4 &&
                          group == pgid && state != 'Z' && state != 'X');
        fclose(f);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* SIGKILL is certain, but not instant. */
static bool group_is_gone(int pgid)
{
    int tries;

    for (tries = 0; tries < 100 && group_lives(pgid); tries++)
        usleep(10000);
    return tries < 100;
}

static void end(struct seen *s)
{
    buf_release(&s->said);
    buf_release(&s->results);
}

static void test_good_driver_is_asked_and_believed(void)
{
    struct seen s = {.verb = {.name = "connect"}, .stop_after_result = true};

    play(&s, GREET("0") "read -r l; case $l in *'\"session\":1'*) echo "
                        "'{\"id\":3,\"result\":\"ok\"}';; esac;" IDLE);
    CHECK(s.ready && s.session_lost);
    CHECK_STR(buf_str(&s.results), "3:connect:ok:-:- ");
    CHECK_STR(s.why, "");
    end(&s);
}

static void test_events_are_handed_over_before_the_end(void)
{
    struct seen s = {.pid = 0};

    play(
        &s,
        GREET("0") "echo '{\"event\":\"status\",\"session\":1,\"status\":"
                   "\"connected\"}'; echo '{\"event\":\"stanza\",\"session\":1,"
                   "\"xml\":\"<m/>\"}'; echo "
                   "'{\"event\":\"stanza\",\"session\":1,"
                   "\"xml\":\"<n/>\"}'; exit 3");
    CHECK_STR(buf_str(&s.said), "status:connected stanza:<m/> stanza:<n/> ");
    CHECK_STR(s.why, "the driver ended with status 3");
    end(&s);
}

static void test_state_and_reason_come_back(void)
{
    struct seen s = {.verb = {.name = "save"}, .stop_after_result = true};

    play(&s, GREET("0") "read -r l; echo '{\"id\":3,\"result\":\"error\","
                        "\"reason\":\"no\",\"state\":{\"rid\":\"7\"}}';" IDLE);
    CHECK_STR(buf_str(&s.results), "3:save:error:no:{\"rid\":\"7\"} ");
    end(&s);
}

/* Each of these is broken in its own way, and is told so. */
static const struct {
    const char *row;
    const char *script;
    const char *why;
} broken[] = {
    {"garbage", GREET("0") "echo hello there; " IDLE,
     "driver broken: line 3 of its stdout is no JSON: 'hello there'"},
    {"no object", GREET("0") "echo '[1]'; " IDLE,
     "driver broken: line 3 of its stdout is no object: '[1]'"},
    {"neither", GREET("0") "echo '{}'; " IDLE,
     "driver broken: line 3 of its stdout is neither answer nor event: '{}'"},
    {"not asked", GREET("0") "echo '{\"id\":77,\"result\":\"ok\"}'; " IDLE,
     "driver broken: an answer to id 77, which was not asked"},
    {"answers twice",
     GREET("0") "echo '{\"id\":2,\"result\":\"unsupported\"}'; " IDLE,
     "driver broken: an answer to id 2, which was not asked"},
    {"binary", GREET("0") "printf '\\377\\000\\001\\n'; " IDLE,
     "driver broken: line 3 of its stdout is no JSON: '?"
     "?"
     "?'"},
    {"unknown session",
     GREET("0") "echo '{\"event\":\"status\",\"session\":99,"
                "\"status\":\"connected\"}'; " IDLE,
     "driver broken: event 'status' of session 99, which there never was"},
    {"no result", GREET("0") "read -r l; echo '{\"id\":3}'; " IDLE,
     "driver broken: 'ping' answered with 'no result'"},
    {"unknown event",
     GREET("0") "echo '{\"event\":\"joy\",\"session\":1}'; " IDLE,
     "driver broken: unknown event 'joy'"},
    {"event without session",
     GREET("0") "echo '{\"event\":\"status\","
                "\"status\":\"connected\"}'; " IDLE,
     "driver broken: event 'status' without 'session'"},
    {"stanza without xml",
     GREET("0") "echo '{\"event\":\"stanza\","
                "\"session\":1}'; " IDLE,
     "driver broken: event 'stanza' without 'xml'"},
    {"yes to everything",
     "n=0; while read -r l; do n=$((n+1)); echo "
     "\"{\\\"id\\\":$n,\\\"result\\\":\\\"ok\\\",\\\"protocol\\\":1,"
     "\\\"name\\\":\\\"x\\\",\\\"verbs\\\":[\\\"connect\\\"]}\"; done",
     "driver broken: it answers 'ok' to a verb that does not exist"},
    {"old protocol",
     "read -r l; echo '{\"id\":1,\"result\":\"ok\","
     "\"protocol\":9,\"name\":\"x\",\"verbs\":[]}'; " IDLE,
     "the driver speaks protocol 9, not 1"},
    {"no name",
     "read -r l; echo '{\"id\":1,\"result\":\"ok\","
     "\"protocol\":1,\"verbs\":[]}'; " IDLE,
     "driver broken: hello without 'name' or 'verbs'"},
    {"no verbs",
     "read -r l; echo '{\"id\":1,\"result\":\"ok\","
     "\"protocol\":1,\"name\":\"x\"}'; " IDLE,
     "driver broken: hello without 'name' or 'verbs'"},
    {"cannot connect",
     "read -r l; echo '{\"id\":1,\"result\":\"ok\","
     "\"protocol\":1,\"name\":\"x\",\"verbs\":[\"send\"]}'; " IDLE,
     "driver broken: hello without the verb 'connect'"},
    {"refuses hello",
     "read -r l; echo '{\"id\":1,\"result\":\"error\"}'; " IDLE,
     "the driver refuses hello: 'error'"},
    {"hello too late",
     "sleep 3; read -r l; echo '{\"id\":1,\"result\":\"ok\","
     "\"protocol\":1,\"name\":\"x\",\"verbs\":[\"connect\"]}'; " IDLE,
     "the driver did not answer 'hello' within 1 s"},
    {"deaf to the second question",
     "read -r l; echo '{\"id\":1,\"result\":\"ok\",\"protocol\":1,"
     "\"name\":\"x\",\"verbs\":[\"connect\"]}'; exec sleep 60",
     "the driver did not answer 'x-0000' within 1 s"},
    {"closes its stdout", GREET("0") "exec 1>&-; exec sleep 60",
     "driver broken: it closed its stdout"},
    {"dies at once", "echo boom >&2; exit 7",
     "the driver ended with status 7; it wrote: boom"},
    {"crashes", "kill -SEGV $$", "the driver crashed: Segmentation fault"},
    {"deaf", "exec sleep 60", "the driver did not answer 'hello' within 1 s"},
    {"deaf and stubborn", "trap '' TERM; while :; do sleep 1; done",
     "the driver did not answer 'hello' within 1 s"},
    {"floods",
     GREET("0") "yes '{\"event\":\"error\",\"session\":1,"
                "\"reason\":\"x\"}'; " IDLE,
     "driver broken: more than 20000 lines in a second"},
    {"endless line", GREET("0") "head -c 2000000 /dev/zero | tr '\\0' x; " IDLE,
     "driver broken: a line of more than 1114112 bytes"},
};

static void test_broken_drivers_are_told_so_and_reaped(void)
{
    size_t i;

    for (i = 0; i < sizeof broken / sizeof *broken; i++) {
        /* none of them answers a ping: it must not come to that */
        struct seen s = {.verb_ms = 3000};
        int64_t begun_ms = clock_now_ms();

        play(&s, broken[i].script);
        CHECK_ROW(strcmp(s.why, broken[i].why) == 0, broken[i].row);
        CHECK_STR(s.why, broken[i].why);
        CHECK_ROW(clock_now_ms() - begun_ms < 4000, broken[i].row);
        CHECK_ROW(group_is_gone(s.pid), broken[i].row);
        end(&s);
    }
}

static void test_unanswered_verb_ends_the_process(void)
{
    struct seen s = {.verb = {.name = "send"}};

    play(&s, GREET("0") "sleep 30");
    CHECK_STR(s.why, "the driver did not answer 'send' within 0 s");
    CHECK(s.session_lost);
    end(&s);
}

static void test_silence_at_ping_ends_the_process(void)
{
    struct seen s = {.verb_ms = 500};

    play(&s, GREET("0") "exec sleep 30");
    CHECK_STR(s.why, "the driver did not answer 'ping' within 0 s");
    CHECK(s.session_lost);
    CHECK(group_is_gone(s.pid));
    end(&s);
}

static void test_what_is_on_stderr_is_drained(void)
{
    struct seen s = {.verb = {.name = "connect"},
                     .stop_after_result = true,
                     .verb_ms = 5000};

    play(&s, GREET("0") "read -r l; head -c 8000000 /dev/zero >&2; echo "
                        "'{\"id\":3,\"result\":\"ok\"}';" IDLE);
    CHECK_STR(buf_str(&s.results), "3:connect:ok:-:- ");
    end(&s);
}

static void test_a_driver_that_does_not_read_is_ended(void)
{
    struct seen s = {.verb = {.name = "send"}};
    char *big = mem_alloc(DRIVER_MAX_UNREAD + (2u << 20));

    memset(big, 'x', DRIVER_MAX_UNREAD + (2u << 20) - 1);
    s.verb.args[0].name = "xml";
    s.verb.args[0].value = big;
    s.verb.arg_count = 1;
    play(&s, GREET("0") "exec sleep 30");
    CHECK_STR(s.why, "the driver does not read: 16777216 bytes wait for it");
    free(big);
    end(&s);
}

static void test_children_of_a_driver_go_with_it(void)
{
    struct seen s = {.pid = 0};

    play(&s, GREET("0") "sleep 300 & exit 0");
    CHECK(group_is_gone(s.pid));
    end(&s);
}

static void test_slow_answer_to_ping_is_lag(void)
{
    struct seen s = {.pid = 0};

    play(&s, GREET("0") "read -r l; sleep 0.1; echo "
                        "'{\"id\":3,\"result\":\"ok\"}';" IDLE);
    CHECK(s.late_ms >= 90 && s.late_ms < 600);
    end(&s);
}

static void test_a_ping_that_is_owed_is_lag(void)
{
    struct seen s = {.asks_late = true};

    play(&s, GREET("0") "read -r l; sleep 0.1; echo "
                        "'{\"event\":\"status\",\"session\":1,"
                        "\"status\":\"connected\"}';" IDLE);
    CHECK(s.late_ms >= 90 && s.late_ms < 600);
    end(&s);
}

static void test_missing_program_is_said(void)
{
    char nothing[] = "/nonexistent/driver";
    char *argv[] = {nothing, NULL};
    struct driver_options o = driver_options_default();
    struct driver_sink sink = {NULL, NULL, NULL, NULL};
    struct err e = {""};
    uv_loop_t loop;

    o.argv = argv;
    uv_loop_init(&loop);
    CHECK(driver_start(&loop, &o, &sink, &e) == NULL);
    CHECK_STR(e.text, "cannot start '/nonexistent/driver': no such file or "
                      "directory");
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

int suite_driver(void)
{
    CU_pSuite s = CU_add_suite("driver", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_good_driver_is_asked_and_believed) ||
        !CU_ADD_TEST(s, test_events_are_handed_over_before_the_end) ||
        !CU_ADD_TEST(s, test_state_and_reason_come_back) ||
        !CU_ADD_TEST(s, test_broken_drivers_are_told_so_and_reaped) ||
        !CU_ADD_TEST(s, test_unanswered_verb_ends_the_process) ||
        !CU_ADD_TEST(s, test_silence_at_ping_ends_the_process) ||
        !CU_ADD_TEST(s, test_what_is_on_stderr_is_drained) ||
        !CU_ADD_TEST(s, test_a_driver_that_does_not_read_is_ended) ||
        !CU_ADD_TEST(s, test_children_of_a_driver_go_with_it) ||
        !CU_ADD_TEST(s, test_slow_answer_to_ping_is_lag) ||
        !CU_ADD_TEST(s, test_a_ping_that_is_owed_is_lag) ||
        !CU_ADD_TEST(s, test_missing_program_is_said))
        return -1;
    return 0;
}
