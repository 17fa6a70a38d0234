/*
 * Runs against clients that are only told where to go, and against clients and
 * drivers that do harm. They are the bundled client and shell scripts.
 */
#include <stdlib.h>

#include "check.h"
#include "clirig.h"

int suite_driver_runs(void);

#define FAST "client/creation/attributes"
#define BYE "client/session/terminate-by-client"
#define END "client/session/terminate-by-manager"
#define PROGRAM "--exec=\"tests/tools/url-client $B/bosh-client\" "

/* ------------------------------------------------------------- url */

static void test_a_program_that_finds_its_url_is_certified(void)
{
    clirig_expect(0, "2 pass, 0 fail",
                  "$P client -v --strict --driver=url " PROGRAM
                  "-o $D/url " FAST " " BYE
                  " > $D/url.txt; S=$?; cat $D/url.txt; exit $S");
    clirig_expect(0, "\"connected\"", "cat $D/url/cases/" FAST ".out");
}

/* Each assert and each case for itself. */
static void test_what_only_a_driver_could_tell_is_na(void)
{
    clirig_expect(0, "the driver reports no status events",
                  "grep -A 2 'NA    told' $D/url.txt");
    clirig_expect(4, "the driver has no verb 'send'",
                  "$P client --driver=url " PROGRAM
                  "-o $D/send client/order/swapped-responses");
}

static void test_a_program_that_never_connects_is_an_error(void)
{
    static const struct {
        const char *program, *words;
    } rows[] = {
        {"echo boom >&2; exit 3", "the client never connected: the program "
                                  "ended with status 3; it wrote: boom"},
        {"kill -SEGV $$",
         "the client never connected: the program crashed: Segmentation fault"},
        {"sleep 60 & exit 0", "the client never connected within 1 s"},
        {"trap '' TERM; while :; do sleep 1; done",
         "the client never connected within 1 s"},
        {"exec yes", "the client never connected within 1 s"},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *command = mem_printf("cat > $D/p.sh <<'E'\n%s\nE\n$P client "
                                   "--driver=url --patience=1 -o $D/never "
                                   "--exec=\"exec sh $D/p.sh\" " FAST,
                                   rows[i].program);
        char *words = mem_printf("boshspec: %s", rows[i].words);

        clirig_expect(3, words, command);
        free(command);
        free(words);
    }
    clirig_expect(0, "few\n",
                  "test $(wc -c < $D/never/cases/" FAST ".out) -lt 2000000 && "
                  "echo few");
}

/* It had logged in: what it did is judged, and that it died is written. */
static void test_a_program_that_dies_later_is_a_fact_of_the_case(void)
{
    clirig_expect(
        0, "the program crashed: Killed",
        "cat > $D/dies.sh <<'E'\n"
        "tests/tools/url-client $B/bosh-client & sleep 2; kill -KILL -$$\nE\n"
        "$P client --driver=url -o $D/dies --exec=\"exec sh $D/dies.sh\" " END
        " >/dev/null && cat $D/dies/cases/" END ".log");
}

static void test_a_killed_run_leaves_no_program(void)
{
    clirig_expect(
        0, "gone\n",
        "$P client --driver=url -o $D/orphan --exec='echo $$ > $D/pid; exec "
        "sleep 60' " FAST " & orphan $!");
}

/* ------------------------------------------------------------- manual */

/* A person who reads what is asked, types it into a client, logs out when told
 * to. */
#define PERSON                                                                 \
    "cat > $D/person.sh <<'E'\n"                                               \
    "while read -r a b; do case $a in URL) export BOSHSPEC_URL=$b;; "          \
    "JID) export BOSHSPEC_JID=$b;; password) export BOSHSPEC_PASSWORD=$b; "    \
    "setsid tests/tools/url-client $B/bosh-client >/dev/null 2>&1 & p=$!;; "   \
    "Please) case $b in *out*) kill -TERM -$p;; esac;; "                       \
    "That) kill -TERM -$p;; esac; done\nE\n"                                   \
    "mkfifo $D/told; sh $D/person.sh < $D/told & "

static void test_a_client_by_hand_is_certified_without_a_terminal(void)
{
    clirig_expect(0, "2 pass, 0 fail",
                  PERSON "$P client --driver=manual --patience=20 -o $D/hand "
                         "" FAST " " BYE " </dev/null 2>$D/told");
}

static void test_a_person_who_does_not_come_is_waited_for_so_long(void)
{
    clirig_expect(3, "boshspec: the client never connected within 1 s",
                  "$P client --driver=manual --patience=1 -o $D/nobody " FAST
                  " </dev/null");
    clirig_expect(3,
                  "  JID       alice@localhost\n  password  secret\n"
                  "Please log in there within 1 s.\n",
                  "$P client --driver=manual --patience=1 -o $D/nobody " FAST
                  " </dev/null 2>&1 >/dev/null");
}

static void test_a_key_skips_a_case(void)
{
    clirig_expect(
        4, "skipped by hand",
        "(until_so grep -q Enter: $D/screen; echo; sleep 1) | timeout 20 "
        "script -qefc \"$P client --driver=manual --patience=15 -o "
        "$D/skip " FAST "\" $D/screen");
}

static void test_options_that_do_not_go_together_are_refused(void)
{
    clirig_expect(2, "line, url or manual is wanted",
                  "$P client --driver=carrier-pigeon");
    clirig_expect(2, "--driver=url wants --exec", "$P client --driver=url");
    clirig_expect(2, "no --exec", "$P client --driver=manual --exec=x");
    clirig_expect(2, "one case at a time", "$P client --driver=manual -j2");
    clirig_expect(2, "--patience is for", "$P client --patience=3");
}

/* ------------------------------------------------------------- harm */

static void test_a_request_beyond_the_limit_is_one_failure(void)
{
    clirig_expect(1, "0 pass, 1 fail",
                  "cat > $D/big.sh <<'E'\n"
                  "h=${BOSHSPEC_URL#http://}; h=${h%/*}\n"
                  "exec 3<>/dev/tcp/${h%:*}/${h#*:}\n"
                  "printf 'POST /http-bind HTTP/1.1\\r\\nHost: x\\r\\n"
                  "Content-Length: 3000000\\r\\n\\r\\n<body' >&3; cat <&3\n"
                  "exec tests/tools/url-client $B/bosh-client\nE\n"
                  "$P client -v --driver=url -o $D/big --exec=\"exec bash "
                  "$D/big.sh\" " BYE
                  " > $D/big.txt; S=$?; cat $D/big.txt; exit $S");
    clirig_expect(0, "invariant/request-size: its requests", "cat $D/big.txt");
    clirig_expect(0, "1 FAIL\n", "echo $(grep -c '^  FAIL ' $D/big.txt) FAIL");
}

static void test_the_driver_of_the_documents_does(void)
{
    clirig_expect(0, "3 pass, 0 fail",
                  "$P client --strict --exec=$B/minimal-driver -o $D/minimal "
                  "client/order/swapped-responses " FAST " " BYE);
}

/* hello and the second question, then whatever is given. */
#define LINES(rest)                                                            \
    "cat > $D/d.sh <<'E'\nread -r l; echo '{\"id\":1,\"result\":\"ok\","       \
    "\"protocol\":1,\"name\":\"d\",\"verbs\":[\"connect\",\"disconnect\"],"    \
    "\"events\":[\"status\"]}'; read -r l; echo "                              \
    "'{\"id\":2,\"result\":\"unsupported\"}'\n" rest "\nE\n"                   \
    "$P client --timeout-factor=0.1 -o $D/harm --exec=\"sh $D/d.sh\" " FAST

static void test_a_driver_that_hangs_at_connect_is_an_error(void)
{
    clirig_expect(3, "the driver did not answer", LINES("exec sleep 60"));
}

static void test_a_driver_that_talks_of_itself_is_not_believed(void)
{
    clirig_expect(3, "the client never connected",
                  LINES("n=2; while read -r l; do n=$((n+1)); echo "
                        "\"{\\\"id\\\":$n,\\\"result\\\":\\\"ok\\\"}\"; case "
                        "$l in *'\"connect\"'*) echo '{\"event\":\"status\","
                        "\"session\":1,\"status\":\"connected\"}';; *quit*) "
                        "exit;; esac; done"));
}

int suite_driver_runs(void)
{
    CU_pSuite s = CU_add_suite("driver-runs", clirig_begin, clirig_end);

    if (!s || !CU_ADD_TEST(s, test_a_program_that_finds_its_url_is_certified) ||
        !CU_ADD_TEST(s, test_what_only_a_driver_could_tell_is_na) ||
        !CU_ADD_TEST(s, test_a_program_that_never_connects_is_an_error) ||
        !CU_ADD_TEST(s, test_a_program_that_dies_later_is_a_fact_of_the_case) ||
        !CU_ADD_TEST(s, test_a_killed_run_leaves_no_program) ||
        !CU_ADD_TEST(s,
                     test_a_client_by_hand_is_certified_without_a_terminal) ||
        !CU_ADD_TEST(s,
                     test_a_person_who_does_not_come_is_waited_for_so_long) ||
        !CU_ADD_TEST(s, test_a_key_skips_a_case) ||
        !CU_ADD_TEST(s, test_options_that_do_not_go_together_are_refused) ||
        !CU_ADD_TEST(s, test_a_request_beyond_the_limit_is_one_failure) ||
        !CU_ADD_TEST(s, test_the_driver_of_the_documents_does) ||
        !CU_ADD_TEST(s, test_a_driver_that_hangs_at_connect_is_an_error) ||
        !CU_ADD_TEST(s, test_a_driver_that_talks_of_itself_is_not_believed))
        return -1;
    return 0;
}
