/*
 * The program as a whole: each exit status, what it prints, what it leaves
 * behind. It is the boshspec beside this test program, or $BOSHSPEC.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "clirig.h"
#include "common/buf.h"
#include "reports/result.h"

int suite_cli(void);

#define FAST "client/order/swapped-responses"
#define SLOW "client/errors/success-resets-the-count"

static bool has(const struct buf *out, const char *words)
{
    return strstr(buf_str(out), words) != NULL;
}

/* ---- for commands ---- */

/* The mock, with its pid in M and its URL in U. */
#define SERVE                                                                  \
    "rm -f $D/url; $P serve --listen=127.0.0.1:0 > $D/url & M=$!; until_so "   \
    "grep -q "                                                                 \
    "listening $D/url; U=$(sed 's/listening on //' $D/url); "
#define STOP_SERVING "S=$?; kill $M; wait $M; exit $S"
#define ACCOUNTS                                                               \
    "--domain=localhost --account=alice@localhost:$D/pw "                      \
    "--account=bob@localhost:$D/pw "

static bool load(const char *name, struct result *r)
{
    char *path = mem_printf("%s/%s/result.json", clirig_dir(), name);
    struct err e = {""};
    int rc = result_load(path, r, &e);

    CHECK_STR(e.text, "");
    free(path);
    return rc == 0;
}

/* ------------------------------------------------------------- status */

static void test_status_0_all_as_expected(void)
{
    struct result r;

    clirig_expect(0, "1 pass, 0 fail",
                  "$P client --strict -o $D/pass --seed=7 " FAST);
    if (load("pass", &r)) {
        CHECK(r.finished && !r.interrupted);
        CHECK_INT(r.case_count, 1);
        CHECK_STR(r.peer_name, "bosh-client");
        CHECK_INT(r.options.seed, 7);
        CHECK_STR(r.cases[0].verdict, "pass");
        CHECK_STR(r.cases[0].log, "cases/" FAST ".log");
        result_release(&r);
    }
}

/* A case whose assert asks for what nobody does. */
static void write_failing_case(void)
{
    struct buf out = BUF_INIT;

    CHECK_INT(clirig_sh(&out,
                        "mkdir $D/mine; C=$($P show " FAST
                        " | sed -n 's/^file *//p');"
                        "sed \"s|'one two three'</is>|'three two one'</is>|\""
                        " \"$C\" > $D/mine/failing.xml"),
              0);
    CHECK_STR(buf_str(&out), "");
    buf_release(&out);
}

static void test_status_1_a_failure_and_all_about_it(void)
{
    struct buf out = BUF_INIT;

    write_failing_case();
    CHECK_INT(clirig_sh(&out, "$P client -o $D/fail $D/mine/failing.xml"), 1);
    CHECK(has(&out, "x124-client-process-order, XEP-0124 14.2"));
    CHECK(has(&out, "'three two one'"));
    CHECK(has(&out, "one two three"));
    CHECK(has(&out, "/fail/cases/failing.log"));
    buf_release(&out);
}

static void test_status_2_bad_options_and_cases(void)
{
    clirig_expect(2, "unrecognized option", "$P client --no-such-option");
    clirig_expect(2, "unknown command", "$P certify");
    clirig_expect(2, "which command", "$P");
    clirig_expect(2, "a number from 0.1 to 100",
                  "$P client --timeout-factor=x");
    clirig_expect(2, "line, url or manual is wanted",
                  "$P client --driver=carrier-pigeon");
    clirig_expect(2, "--url is wanted", "$P server --domain=x");
    clirig_expect(2, "an http or https URL",
                  "$P server --domain=x --url=gopher://x/");
    clirig_expect(2, "JID:FILE is wanted",
                  "$P server --domain=x --url=http://x/ --account=alice");
    clirig_expect(2, "without a user or a password",
                  "$P server --domain=x --url=http://a:b@x/");
    clirig_expect(2, "no password in its first line",
                  "echo > $D/pw; $P server --domain=x --url=http://x/ "
                  "--account=a@x:$D/pw");
    clirig_expect(2, "no folder can be made there",
                  "echo > $D/file; $P client -o $D/file " FAST);
    clirig_expect(2, "not all could be printed", "$P list > /dev/full");
    clirig_expect(2, "bad.xml:",
                  "echo '<case' > $D/bad.xml; $P client -o $D/bad $D/bad.xml");
    clirig_expect(2, "bad.xml:", "$P lint $D/bad.xml");
    clirig_expect(2, "", "$P client -o /proc/nowhere " FAST);
    clirig_expect(2, "/no/file.xml: No such file", "$P client /no/file.xml");
    clirig_expect(2, "0 cases, 1 finding", "$P lint /no/file.xml");
    clirig_expect(2, "/no/folder: No such file", "$P judge /no/folder");
    clirig_expect(2, "allowed are SCRAM-SHA-256",
                  "$P serve --mechanisms='PLAIN FOO'");
}

/* What lint finds, by whatever command; a folder would be a run's. */
static void refused(const char *command, const char *file, const char *words)
{
    char *line = mem_printf("$P %s tests/data/bad-%s.xml; S=$?; "
                            "test ! -e $D/never && exit $S",
                            command, file);
    char *want = mem_printf("tests/data/bad-%s.xml:%s", file, words);

    clirig_expect(2, want, line);
    free(line);
    free(want);
}

#define SERVER_NEVER "server -o $D/never --url=http://127.0.0.1:1/ --domain=x"

static void test_what_lint_refuses_is_not_played(void)
{
    static const struct {
        const char *file, *words;
    } rows[] = {
        {"requirement", "4: requirement 'x124-client-proces-order'"},
        {"twin", "5: no client twin is called 'delivers-on-arival'"},
        {"by", "5: by='ordre' names no assert"},
        {"never-element", "16: 'rse' never matches"},
        {"unbound", "15: no step binds $M"},
        {"assert-twice", "17: assert 'order' is there twice"},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        refused("client -o $D/never", rows[i].file, rows[i].words);
        refused("selftest", rows[i].file, rows[i].words);
    }
    refused(SERVER_NEVER, "no-session", "9: no step binds $t");
    clirig_expect(2, "two/x.xml:1: the case in ",
                  "mkdir $D/one $D/two; for d in one two; do cp "
                  "tests/data/good-client.xml $D/$d/x.xml; done; "
                  "$P client -o $D/never --cases=$D/one --cases=$D/two; S=$?; "
                  "test ! -e $D/never && exit $S");
}

static void test_status_3_a_peer_that_cannot_be_tested(void)
{
    clirig_expect(
        3, "the driver ended with status 9; it wrote: no such luck",
        "$P client -o $D/dead --exec='echo no such luck >&2; exit 9'");
    clirig_expect(3, "is no JSON: 'Hello'",
                  "$P client -o $D/chatty --exec='echo Hello; cat' " FAST);
}

/* One line on stderr, one block, and nothing was played. */
static void test_status_3_a_server_that_cannot_be_tested(void)
{
    struct result r;
    size_t i;

    clirig_expect(
        3, "boshspec: cannot test http://127.0.0.1:1/: connection refused",
        "echo x > $D/pw; $P server -o $D/nobody " ACCOUNTS
        "--url=http://127.0.0.1:1/ 2>&1 >/dev/null");
    if (load("nobody", &r)) {
        CHECK(r.case_count > 1 && r.case_count == r.selected);
        for (i = 0; i < r.case_count; i++) {
            CHECK_STR(r.cases[i].verdict, "error");
            CHECK_STR(r.cases[i].reason, "cannot test http://127.0.0.1:1/: "
                                         "connection refused");
            CHECK_STR(r.cases[i].log, "probe.log");
        }
        result_release(&r);
    }
    clirig_expect(
        3, "no address for 'nowhere.invalid'",
        "$P server -o $D/nobody --domain=x --url=http://nowhere.invalid/");
    clirig_expect(3, "x: 404 Not Found",
                  SERVE "$P server -o $D/nobody --domain=x "
                        "--url=${U}x; " STOP_SERVING);
    clirig_expect(3, "cases, all alike",
                  SERVE "$P server -o $D/nobody --domain=x "
                        "--url=$U; " STOP_SERVING);
    clirig_expect(
        3,
        "boshspec: the manager makes no session for domain 'x': host-unknown\n",
        SERVE "$P server -o $D/nobody --domain=x --url=$U; " STOP_SERVING);
    clirig_expect(
        3, "boshspec: cannot log in as 'alice@localhost': login failed: SASL",
        "echo wrong > $D/pw; " SERVE "$P server -o $D/nobody " ACCOUNTS
        "--url=$U; " STOP_SERVING);
}

static void test_a_doctor_says_how_far_it_came(void)
{
    clirig_expect(0, "ok    alice@localhost is logged in: alice@localhost/",
                  "echo secret > $D/pw; " SERVE
                  "$P doctor server -o $D/doctor " ACCOUNTS
                  "--url=$U; " STOP_SERVING);
    clirig_expect(
        3, "STOP  no session for domain 'x': host-unknown\n      is",
        SERVE
        "$P doctor server -o $D/doctor --domain=x --url=$U; " STOP_SERVING);
    clirig_expect(3, "nothing listens there",
                  "$P doctor server -o $D/doctor --domain=x "
                  "--url=http://127.0.0.1:1/");
    clirig_expect(0, "ok    it ends its session by a terminate",
                  "$P doctor client -o $D/doctor");
    clirig_expect(3, "must be JSON lines",
                  "$P doctor client -o $D/doctor --exec=cat");
    clirig_expect(2, "doctor of whom?", "$P doctor nobody");
}

static void test_cases_without_an_account_are_spoken_of(void)
{
    clirig_expect(4,
                  "boshspec: 1 case needs an account: give --account=JID:FILE",
                  SERVE "$P server -o $D/alone --domain=localhost --url=$U "
                        "server/order/requests-out-of-order; " STOP_SERVING);
}

/* It is willing, but does nothing. */
#define IDLER                                                                  \
    "n=0; while read -r l; do n=$((n+1)); case $n in 1) echo "                 \
    "\"{\\\"id\\\":1,\\\"result\\\":\\\"ok\\\",\\\"protocol\\\":1,"            \
    "\\\"name\\\":\\\"idler\\\",\\\"verbs\\\":[\\\"connect\\\","               \
    "\\\"send\\\"],\\\"events\\\":[\\\"status\\\",\\\"stanza\\\"]}\";; "       \
    "2) echo \"{\\\"id\\\":2,\\\"result\\\":\\\"unsupported\\\"}\";; *) "      \
    "case $l in *quit*) exit;; esac; "                                         \
    "echo \"{\\\"id\\\":$n,\\\"result\\\":\\\"ok\\\"}\";; esac; done\n"

static void write_idler(void)
{
    char *path = mem_printf("%s/idler.sh", clirig_dir());
    FILE *f = fopen(path, "we");

    CHECK(f != NULL && fputs(IDLER, f) >= 0);
    if (f)
        fclose(f);
    free(path);
}

static void test_a_client_that_never_connects_is_an_error(void)
{
    write_idler();
    clirig_expect(3, "the client never connected",
                  "$P client -o $D/idle --timeout-factor=0.1 "
                  "--exec=\"sh $D/idler.sh\" " FAST);
}

static void test_status_4_too_few(void)
{
    clirig_expect(4, "'client/no/such' selects no case",
                  "$P client client/no/such");
    clirig_expect(4, "--tag=no-such-tag selects no case",
                  "$P client --tag=no-such-tag");
    clirig_expect(4, "'no-such' selects no case", "$P selftest no-such");
    clirig_expect(4, "1 pass, 0 fail", "$P client -o $D/few --min=2 " FAST);
    clirig_expect(4, "1 case could be judged, --min wants 2",
                  "$P report --min=2 $D/few/result.json");
}

static void test_status_5_a_fault_of_our_own(void)
{
    clirig_expect(5, "a fault in boshspec itself",
                  SERVE "kill -ABRT $M; wait $M");
}

/* ------------------------------------------------------------- ends */

/* A run of a slow case and a fast one, in $D/NAME, that gets a signal as soon
 * as the fast one is done. We may run under nohup, whose children would stay
 * deaf to SIGHUP, as they should. */
#define SIGNALLED(name, sig)                                                   \
    "env --default-signal=HUP $P client --tap=- -o $D/" name " " SLOW " " FAST \
    " & R=$!; until_so grep -q '\"id\":\"" FAST "\"' $D/" name                 \
    "/result.json; kill -" sig " $R; wait $R"

static void test_a_killed_run_leaves_what_it_had(void)
{
    struct buf out = BUF_INIT;
    struct result r;

    CHECK_INT(clirig_sh(&out, SIGNALLED("killed", "KILL")), 137);
    if (load("killed", &r)) {
        CHECK(!r.finished);
        CHECK(r.case_count < r.selected);
        result_release(&r);
    }
    buf_clear(&out);
    CHECK_INT(clirig_sh(&out, "head -n 1 $D/killed/cases/client/errors/*.log"),
              0);
    CHECK(has(&out, "<log seq=\"1\""));
    buf_clear(&out);
    CHECK_INT(clirig_sh(&out, "$P judge $D/killed " FAST), 0);
    buf_release(&out);
}

/* Not even one that does not mind the end of its stdin. */
static void test_a_killed_run_leaves_no_driver(void)
{
    clirig_expect(
        0, "gone\n",
        "$P client -o $D/orphan --exec='echo $$ > $D/pid; exec sleep 60' " FAST
        " & orphan $!");
}

static void interrupted(const char *name, const char *command)
{
    struct buf out = BUF_INIT;
    struct result r;

    CHECK_INT(clirig_sh(&out, command), 1);
    CHECK_ROW(has(&out, "interrupted: 1 of "), name);
    CHECK_ROW(has(&out, "Bail out! interrupted"), name);
    if (load(name, &r)) {
        CHECK(r.interrupted && !r.finished);
        CHECK_INT(r.case_count, 1);
        result_release(&r);
    }
    buf_release(&out);
}

static void test_an_interrupted_run_says_so(void)
{
    interrupted("int", SIGNALLED("int", "INT"));
    interrupted("hup", SIGNALLED("hup", "HUP"));
}

/* The bundled client, but a process that is told wait=60 crashes. */
static void test_a_crash_costs_the_case_that_causes_it(void)
{
    struct result r;
    size_t i;

    clirig_expect(
        1, "the driver crashed: Segmentation fault",
        "cat > $D/crash.sh <<'EOF'\n"
        "mkfifo $D/crash.$$; $B/bosh-client < $D/crash.$$ &\n"
        "exec 3> $D/crash.$$; rm $D/crash.$$\n"
        "while read -r l; do case $l in *'\"wait\":60'*) kill -9 $!; kill "
        "-SEGV $$;; esac; printf '%s\\n' \"$l\" >&3; done\n"
        "EOF\n"
        "$P client -o $D/crash --exec=\"sh $D/crash.sh\" " FAST
        " client/timeouts/secondary");
    if (load("crash", &r)) {
        for (i = 0; i < r.case_count; i++) {
            bool guilty = strcmp(r.cases[i].id, FAST) == 0;

            CHECK_STR(r.cases[i].verdict, guilty ? "error" : "pass");
            CHECK_INT(r.cases[i].attempts, 2);
        }
        CHECK_INT(r.case_count, 2);
        result_release(&r);
    }
}

/* ------------------------------------------------------------- the rest */

static void test_our_own_server_passes(void)
{
    clirig_expect(0, "1 pass, 0 fail",
                  "echo secret > $D/pw; " SERVE
                  "$P server -o $D/server --url=$U " ACCOUNTS
                  "server/order/requests-out-of-order; " STOP_SERVING);
}

static void test_stored_logs_are_judged_alike(void)
{
    clirig_expect(0, "1 pass, 0 fail", "$P judge $D/pass -o $D/again.json");
    clirig_expect(1, "0 pass, 1 fail",
                  "$P judge $D/fail --cases=$D/mine failing");
    clirig_expect(4, "no log of a case that is known", "$P judge $D");
}

/* Reports of a run, and again from its result. */
static void test_reports_are_written_beside_the_result(void)
{
    clirig_expect(
        0, "TAP version 14\n1..1\nok 1 - " FAST "\n",
        "$P client -o $D/views --tap=- --junit=$D/v.xml "
        "--markdown=$D/v.md " FAST " 2>$D/v.text; S=$?; "
        "grep -q '1 pass, 0 fail' $D/v.text && "
        "grep -q '<testcase ' $D/v.xml && grep -q '^## ' $D/v.md && exit $S");
    clirig_expect(0, "TAP version 14\n1..1\nok 1 - " FAST "\n",
                  "$P report $D/views/result.json --tap=- 2>/dev/null");
    clirig_expect(0, "\"log\":\"../views/cases/" FAST ".log\"",
                  "mkdir -p $D/merged; $P report -q $D/views/result.json "
                  "--json=$D/merged/r.json; cat $D/merged/r.json");
    clirig_expect(1, "TAP version 14", "$P report $D/fail/result.json --tap=-");
    clirig_expect(2, "case '" FAST "' is in another result too",
                  "$P report $D/views/result.json $D/views/result.json");
    clirig_expect(2, "another suite of cases",
                  "$P report $D/views/result.json $D/fail/result.json");
    clirig_expect(2, "no/such.json: ", "$P report no/such.json");
    clirig_expect(2, "--tap and --junit both go to '-'",
                  "$P client --tap=- --junit=- " FAST);
    clirig_expect(2, "/no/folder/x.tap: No such file",
                  "$P client -o $D/never --tap=/no/folder/x.tap " FAST);
}

#define FAILING "$D/mine/failing.xml "

/* From a failure to a run that is green but for what is new. */
static void test_a_baseline_sets_known_failures_aside(void)
{
    clirig_expect(1, "base.xml: 1 reason is to be filled in",
                  "$P client -o $D/base --write-baseline=$D/base.xml " FAILING);
    clirig_expect(2, "base.xml:3: an entry without a 'reason'",
                  "$P client -o $D/never --baseline=$D/base.xml " FAILING);
    clirig_expect(
        0, "0 pass, 0 fail, 1 xfail",
        "sed -i 's/reason=\"\"/reason=\"bug 17\"/' $D/base.xml; "
        "$P client -o $D/base --strict --baseline=$D/base.xml " FAILING);
    clirig_expect(0, "XFAIL failing",
                  "$P client -o $D/base --baseline=$D/base.xml " FAILING);
    clirig_expect(
        1,
        "the baseline expects it to fail, but it holds: 'order' "
        "(x124-client-process-order)",
        "sed -i 's|three two one|one two three|' $D/mine/failing.xml; "
        "$P client -o $D/base --baseline=$D/base.xml " FAILING
        "> $D/text; S=$?; tr -s ' \\n' ' ' < $D/text; exit $S");
    clirig_expect(0, "1 pass, 0 fail",
                  "$P client -o $D/base --baseline=$D/base.xml --cases=$D/mine "
                  "--cases=$($P show " FAST
                  " | sed -n 's|^file *\\(.*\\)/client/"
                  ".*|\\1|p') " FAST);
    clirig_expect(2, "base.xml:2: there is no case 'nowhere'",
                  "sed -i 's/case=\"[^\"]*\"/case=\"nowhere\"/; /^<?xml/d' "
                  "$D/base.xml; "
                  "$P client -o $D/never --baseline=$D/base.xml " FAST);
    clirig_expect(2, "no.xml: No such file",
                  "$P client -o $D/never --baseline=no.xml " FAST);
}

/* The bundled client, but its second session loses a message. */
static void test_a_case_whose_verdict_changes_is_flaky(void)
{
    struct result r;

    clirig_expect(1, "2 pass, 1 fail: pass fail pass",
                  "cat > $D/flaky.sh <<'EOF'\n"
                  "\"${P%/*}/bosh-client\" | "
                  "grep --line-buffered -v '\"session\":2,.*id=..two'\n"
                  "EOF\n"
                  "$P client -o $D/flaky --repeat=3 --jobs=1 "
                  "--exec=\"sh $D/flaky.sh\" " FAST);
    if (load("flaky", &r)) {
        CHECK_INT(r.case_count, 1);
        CHECK_STR(r.cases[0].verdict, "flaky");
        CHECK_INT(r.cases[0].round_count, 3);
        CHECK_STR(r.cases[0].log, "cases/" FAST ".2.log");
        CHECK_STR(r.cases[0].rounds[2].log, "cases/" FAST ".3.log");
        CHECK_INT(r.options.repeat, 3);
        result_release(&r);
    }
    clirig_expect(0, "<log ",
                  "for n in '' .2 .3; do head -n 1 $D/flaky/cases/" FAST
                  "$n.log; done");
}

static void test_shards_are_merged_to_what_the_whole_would_be(void)
{
    struct result r;

    clirig_expect(
        0, "done",
        "for i in 1 2 3; do $P client -o $D/shard$i --shard=$i/3 " FAST
        " client/creation || exit 9; done; echo done");
    clirig_expect(0, "holds none of the 1 case that are selected",
                  "for i in 1 2; do $P client -o $D/one$i --shard=$i/2 " FAST
                  "|| exit 9; done");
    clirig_expect(0, ", 0 fail",
                  "$P report $D/shard[123]/result.json --json=$D/whole.json");
    clirig_expect(1, "shard 1/3 is missing",
                  "$P report $D/shard[23]/result.json");
    clirig_expect(0, "same",
                  "$P client -o $D/whole " FAST " client/creation >/dev/null; "
                  "for f in whole.json whole/result.json; do "
                  "grep -o '\"suite\":\"[0-9a-f]*' $D/$f; "
                  "grep -o '^{\"id\":\"[^\"]*' $D/$f | sort; done > $D/ids; "
                  "n=$(wc -l < $D/ids); head -n $((n/2)) $D/ids > $D/ids1; "
                  "tail -n $((n/2)) $D/ids | cmp - $D/ids1 && echo same");
    if (load("shard1", &r)) {
        CHECK_INT(r.options.shard, 1);
        CHECK_INT(r.options.shards, 3);
        CHECK_INT(r.options.min, 0);
        result_release(&r);
    }
    clirig_expect(
        4, "0 pass, 0 fail",
        "for i in 1 2; do $P client -o $D/one$i --shard=$i/2 --min=1 " FAST
        "|| exit $?; done");
    clirig_expect(2, "I/N is wanted", "$P client --shard=2");
    clirig_expect(2, "--shard: I '6': a number from 1 to 5",
                  "$P client --shard=6/5");
    clirig_expect(2, "a number from 1 to 1000", "$P client --shard=1/0");
}

static void test_what_failed_is_played_again(void)
{
    clirig_expect(0, "1 pass, 0 fail",
                  "$P client -o $D/retry --failed-in=$D/crash/result.json");
    clirig_expect(4, "none failed there",
                  "$P client -o $D/never --failed-in=$D/pass/result.json");
    clirig_expect(2, "no.json: ", "$P client -o $D/never --failed-in=no.json");
    clirig_expect(2, "a result of the client role",
                  "$P server --url=http://127.0.0.1:1/ --domain=x -o $D/never "
                  "--failed-in=$D/crash/result.json");
}

/* With a driver that never says hello, and a second signal before the first
 * has had its time. */
static void test_a_second_signal_ends_it_at_once(void)
{
    struct result r;

    clirig_expect(
        1, "interrupted: 0 of 1 cases done",
        "$P client -o $D/twice --junit=$D/twice.xml --exec='trap \"\" INT "
        "TERM; echo $$ > $D/deaf; while :; do sleep 0.1; done' " FAST
        " & R=$!; until_so test -s $D/deaf; kill -INT $R; kill -INT $R; sleep "
        "0.02; kill -INT $R 2>/dev/null; wait $R; S=$?; "
        "grep -q '</testsuites>' $D/twice.xml && exit $S");
    if (load("twice", &r)) {
        CHECK(r.interrupted && !r.finished);
        result_release(&r);
    }
    clirig_expect(0, "gone\n", "gone $D/deaf");
}

/* Each event as it happens, then the asserts, in both roles. */
static void test_one_case_is_watched_live(void)
{
    clirig_expect(
        0, "ok",
        "$P client --debug -o $D/live " FAST " > $D/live.txt && "
        "grep -q 'x 1 .*request POST /http-bind HTTP/1.1' $D/live.txt && "
        "grep -q '^            <body .*rid=' $D/live.txt && "
        "grep -q 'client 0 driver kind=status value=connected' "
        "$D/live.txt && grep -q 'line [0-9]* *step what=await' "
        "$D/live.txt && grep -q '^      PASS  order: ' $D/live.txt && "
        "grep -q '^1 pass, 0 fail' $D/live.txt && echo ok");
    clirig_expect(
        1, "      FAIL  order: ",
        "sed -i 's|one two three|three two one|' $D/mine/failing.xml; "
        "$P client --debug -o $D/live $D/mine/failing.xml");
    clirig_expect(0, "ok",
                  "echo secret > $D/pw; " SERVE
                  "$P server --debug -o $D/live --url=$U " ACCOUNTS
                  "server/order/requests-out-of-order > $D/live.txt && "
                  "grep -q 'x 1 .*request POST /' $D/live.txt && "
                  "! grep -q 'c2VjcmV0\\|AHNlY3JldA' $D/live.txt && echo "
                  "ok; " STOP_SERVING);
    clirig_expect(2, "--debug shows one case, but ",
                  "$P client --debug -o $D/never client/order");
}

static void test_cases_are_listed_and_shown(void)
{
    clirig_expect(0, FAST "\n", "$P list");
    clirig_expect(0, FAST "\n", "$P list 'XEP-0124 14.2'");
    clirig_expect(0, "covers    x124-client-process-order", "$P show " FAST);
    clirig_expect(2, "which case?", "$P show");
    clirig_expect(4, "selects no case", "$P show nothing/like/it");
}

static void test_help_and_version(void)
{
    clirig_expect(0, "boshspec ", "$P --version");
    clirig_expect(0, "Exit status:", "$P --help");
    clirig_expect(0, "--timeout-factor", "$P client --help");
    clirig_expect(0, "--domain", "$P server --help");
}

int suite_cli(void)
{
    CU_pSuite s = CU_add_suite("cli", clirig_begin, clirig_end);

    if (!s || !CU_ADD_TEST(s, test_status_0_all_as_expected) ||
        !CU_ADD_TEST(s, test_status_1_a_failure_and_all_about_it) ||
        !CU_ADD_TEST(s, test_status_2_bad_options_and_cases) ||
        !CU_ADD_TEST(s, test_status_3_a_peer_that_cannot_be_tested) ||
        !CU_ADD_TEST(s, test_what_lint_refuses_is_not_played) ||
        !CU_ADD_TEST(s, test_status_3_a_server_that_cannot_be_tested) ||
        !CU_ADD_TEST(s, test_a_doctor_says_how_far_it_came) ||
        !CU_ADD_TEST(s, test_cases_without_an_account_are_spoken_of) ||
        !CU_ADD_TEST(s, test_a_client_that_never_connects_is_an_error) ||
        !CU_ADD_TEST(s, test_status_4_too_few) ||
        !CU_ADD_TEST(s, test_status_5_a_fault_of_our_own) ||
        !CU_ADD_TEST(s, test_a_killed_run_leaves_what_it_had) ||
        !CU_ADD_TEST(s, test_a_killed_run_leaves_no_driver) ||
        !CU_ADD_TEST(s, test_an_interrupted_run_says_so) ||
        !CU_ADD_TEST(s, test_a_crash_costs_the_case_that_causes_it) ||
        !CU_ADD_TEST(s, test_our_own_server_passes) ||
        !CU_ADD_TEST(s, test_stored_logs_are_judged_alike) ||
        !CU_ADD_TEST(s, test_reports_are_written_beside_the_result) ||
        !CU_ADD_TEST(s, test_a_baseline_sets_known_failures_aside) ||
        !CU_ADD_TEST(s, test_a_case_whose_verdict_changes_is_flaky) ||
        !CU_ADD_TEST(s, test_shards_are_merged_to_what_the_whole_would_be) ||
        !CU_ADD_TEST(s, test_what_failed_is_played_again) ||
        !CU_ADD_TEST(s, test_a_second_signal_ends_it_at_once) ||
        !CU_ADD_TEST(s, test_one_case_is_watched_live) ||
        !CU_ADD_TEST(s, test_cases_are_listed_and_shown) ||
        !CU_ADD_TEST(s, test_help_and_version))
        return -1;
    return 0;
}
