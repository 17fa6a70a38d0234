/*
 * libbosh as an application's author gets it: installed elsewhere, found by
 * pkg-config, linked shared and static; and the programs that docs/libbosh.md
 * shows, compiled like that and run against our mock.
 */
#include "check.h"
#include "clirig.h"

int suite_library(void);

/* For commands: our make, which is not the one that may run us; where it was
 * installed; and how others find it there. */
#define MAKE "env -u MAKEFLAGS -u MAKELEVEL make -s " TEST_MAKE_ARGS " "
#define HERE "I=$D/usr; "
#define WITH_LIBRARY                                                           \
    HERE "CC='" TEST_CC "'; export PKG_CONFIG_PATH=$I/lib/pkgconfig "          \
         "LD_LIBRARY_PATH=$I/lib; "

/* As docs/libbosh.md says. */
#define SHARED "$(pkg-config --cflags --libs bosh libxml-2.0)"
#define STATIC                                                                 \
    "-Wl,--as-needed -l:libbosh.a "                                            \
    "$(pkg-config --cflags --libs --static bosh) "                             \
    "$(pkg-config --cflags libxml-2.0)"

static int begin(void)
{
    struct buf out = BUF_INIT;
    int rc = clirig_begin();

    if (rc == 0)
        rc = clirig_sh(&out, HERE MAKE "install PREFIX=$I");
    if (rc)
        printf("%s\n", buf_str(&out));
    buf_release(&out);
    return rc;
}

/* ---- What is installed ------------------------------------------------------
 */

static void test_all_is_in_its_place(void)
{
    clirig_expect(0,
                  "bin/bosh-client bin/boshspec include/bosh.h lib/libbosh.a "
                  "lib/libbosh.so lib/libbosh.so.0 lib/libbosh.so.0.",
                  HERE "cd $I; echo $(find bin include lib ! -type d | sort)");
    clirig_expect(0, "libbosh.so.0\n", HERE "readlink $I/lib/libbosh.so");
    clirig_expect(0, "[libbosh.so.0]\n",
                  HERE "readelf -d $I/lib/libbosh.so | grep SONAME");
    clirig_expect(0, "versions agree",
                  HERE "V=$(sed -n 's/.*LIB_VERSION \"\\(.*\\)\"/\\1/p' "
                       "$I/include/bosh.h); test -n \"$V\" -a -f "
                       "$I/lib/libbosh.so.$V && grep -qx \"Version: $V\" "
                       "$I/lib/pkgconfig/bosh.pc && echo versions agree");
}

static void test_nothing_leads_back_to_where_it_was_built(void)
{
    clirig_expect(1, "", HERE "grep -rlF \"$PWD\" $I/lib $I/include");
    clirig_expect(1, "",
                  HERE "readelf -d $I/lib/libbosh.so $I/bin/* | "
                       "grep -E 'R(UN)?PATH'");
}

#define STAGED "DESTDIR=$D/stage PREFIX=/opt/bosh LIBDIR=/opt/bosh/lib/here"

static void test_it_can_be_staged_and_is_taken_away_again(void)
{
    clirig_expect(0, "libdir=${prefix}/lib/here\n",
                  MAKE "install " STAGED " && "
                       "cat $D/stage/opt/bosh/lib/here/pkgconfig/bosh.pc");
    clirig_expect(0, "left: .\n",
                  MAKE "uninstall " STAGED " && "
                       "echo \"left: $(find $D/stage ! -type d).\"");
}

/* ---- What it exports ------------------------------------------------------
 */

#define DECLARED                                                               \
    "grep -oE 'bosh_[a-z0-9_]+\\(|double bosh_[a-z_]+' $I/include/bosh.h | "   \
    "sed 's/(//; s/.* //' | sort -u > $D/declared; "

static void test_it_exports_what_its_header_declares_and_nothing_else(void)
{
    clirig_expect(0, "the same\n",
                  HERE DECLARED
                  "nm -D --defined-only $I/lib/libbosh.so | "
                  "awk '$2 != \"A\" { sub(/@.*/, \"\", $3); print $3 }' | sort "
                  "| diff $D/declared - && echo the same");
    clirig_expect(0, "the same\n",
                  HERE DECLARED "nm -g --defined-only $I/lib/libbosh.a | "
                                "awk 'NF == 3 { print $3 }' | sort | "
                                "diff $D/declared - && echo the same");
}

/* What would be the whole process's: its streams, signals, environment, end,
 * and how libxml2 behaves for others. Its error listeners are the thread's, and
 * put aside for a parse; stranger.c has them back. */
static void test_it_calls_nothing_that_is_the_process_s(void)
{
    clirig_expect(
        1, "",
        HERE
        "nm -D -u $I/lib/libbosh.so | sed 's/.* U //; s/@.*//; "
        "s/^__\\(.*\\)_chk$/\\1/' > $D/calls; "
        "grep -qx curl_easy_init $D/calls || exit 99; grep -E "
        "'^(stdout|stderr|v?f?printf|f?puts|f?putc|putchar|perror|"
        "signal|sigaction|sigprocmask|pthread_sigmask|alarm|fork|_?exit|"
        "getenv|secure_getenv|setenv|putenv|unsetenv|setlocale|chdir|"
        "umask|s?rand|s?random|xmlSet.*Loader|"
        "xmlCleanup.*|xmlKeepBlanksDefault|xmlSubstitute.*Default)$' $D/calls");
}

/* ---- Applications ---------------------------------------------------------
 */

static void test_its_header_stands_alone(void)
{
    clirig_expect(
        0, "",
        WITH_LIBRARY
        "echo '#include <bosh.h>' > $D/alone.c; $CC -std=c99 -pedantic "
        "-Wall -Wextra -Werror -fsyntax-only $D/alone.c "
        "$(pkg-config --cflags bosh)");
    clirig_expect(
        0, "",
        WITH_LIBRARY
        "command -v c++ > /dev/null || exit 0; echo '#include <bosh.h>'"
        " > $D/alone.cc; c++ -std=c++11 -pedantic -Wall -Wextra "
        "-Werror -fsyntax-only $D/alone.cc "
        "$(pkg-config --cflags bosh)");
}

static void test_an_application_does_not_meet_its_inside(void)
{
    clirig_expect(0, "stranger: at ease\n",
                  WITH_LIBRARY
                  "$CC -o $D/shared tests/apps/stranger.c " SHARED
                  " && readelf -d $D/shared | grep -q libbosh.so.0 && "
                  "$D/shared");
    clirig_expect(0, "stranger: at ease\n",
                  WITH_LIBRARY
                  "$CC -o $D/static tests/apps/stranger.c " STATIC
                  " && ! readelf -d $D/static | grep libbosh && $D/static");
}

/* ---- The examples ---------------------------------------------------------
 */

#define EXAMPLES "client-under-test/examples/"
#define COMPILED(name)                                                         \
    WITH_LIBRARY "test -x $D/" name                                            \
                 " || $CC -Wall -Wextra -Werror -o $D/" name " " EXAMPLES name \
                 ".c " SHARED " || exit 99; "

/* The mock, with its pid in M and its URL in U; whose password is 'secret'. */
#define SERVE                                                                  \
    "rm -f $D/url; $P serve --listen=127.0.0.1:0 > $D/url & M=$!; until_so "   \
    "grep -q "                                                                 \
    "listening $D/url; U=$(sed 's/listening on //' $D/url); "                  \
    "export XMPP_PASSWORD=secret; "
#define STOP_SERVING "S=$?; kill $M; wait $M; exit $S"

static void test_the_first_program_says_how_far_it_came(void)
{
    clirig_expect(
        0, "",
        COMPILED("first") SERVE
        "$D/first $U alice@localhost bob@localhost 'a < b'; " STOP_SERVING);
    clirig_expect(1, "first: login failed: not-authorized\n",
                  COMPILED("first") SERVE
                  "XMPP_PASSWORD=wrong "
                  "$D/first $U alice@localhost bob@localhost x; " STOP_SERVING);
    clirig_expect(1, "first: 2 errors in a row, the last: ",
                  COMPILED("first") "$D/first http://127.0.0.1:1/ a@b c@d x");
    clirig_expect(1, "first: ",
                  COMPILED("first") SERVE
                  "$D/first $U alice@localhost bob@localhost $(printf "
                  "'\\001');" STOP_SERVING);
    clirig_expect(1, "first: 'ws://h/' is a WebSocket's address",
                  COMPILED("first") "$D/first ws://h/ a@b c@d x");
    clirig_expect(1, "first: there is no URL", COMPILED("first") "$D/first");
}

/* The bot with its pid in E and what it says in $D/says; and alice, to whom
 * orders go by `tell ID REST`, and whose events are in $D/alice. */
#define ECHO                                                                   \
    "rm -f $D/says; $D/echo $U bob@localhost/e 2> $D/says & E=$!; "            \
    "until_so grep -q 'echo: connected' $D/says; "
#define ALICE                                                                  \
    "mkfifo $D/orders; $B/bosh-client < $D/orders > $D/alice & "               \
    "exec 3> $D/orders; rm $D/orders; "                                        \
    "tell() { echo \"{\\\"id\\\":$1,\\\"session\\\":1,$2}\" >&3; }; "          \
    "hears() { until_so grep -q \"$1\" $D/alice; }; "                          \
    "tell 1 '\"verb\":\"connect\",\"jid\":\"alice@localhost/a\","              \
    "\"password\":\"secret\",\"url\":\"'$U'\"'; hears '\"connected\"'; "
#define SAY(id, text)                                                          \
    "tell " id " '\"verb\":\"send\",\"xml\":\"<message type=\\\"chat\\\" "     \
    "to=\\\"bob@localhost/e\\\"><body>" text "</body></message>\"'; "
#define DISMISS_ALICE "exec 3>&-; wait; "

/* Once it has gone there is nobody to take a message: so it has told the
 * manager, which would keep the session for half a minute. */
static void test_the_echo_bot_answers_and_leaves_politely(void)
{
    clirig_expect(
        0, "all as it should be\n",
        COMPILED("echo") SERVE ECHO ALICE SAY(
            "2",
            "one &lt; two &amp; three") "hears 'one &lt; two &amp; three' && "
                                        "kill -TERM $E && wait $E && " SAY(
                                            "3",
                                            "four") "hears service-unavailable "
                                                    "&& "
                                                    "grep -q 'echo: "
                                                    "disconnected' $D/says && "
                                                    "echo all as it should be; "
                                                    "S=$?; "
                                                    "kill $M; " DISMISS_ALICE
                                                    "exit $S");
}

/* The bot at the other end; the input ends when the answer is there. */
static void test_talk_sends_in_a_loop_of_its_own(void)
{
    clirig_expect(
        0, "<body>one two</body>",
        COMPILED("talk") COMPILED("echo") SERVE ECHO
        "touch $D/heard; { echo 'one two'; until_so grep -q 'one two' "
        "$D/heard; } | $D/talk $U alice@localhost bob@localhost/e "
        "> $D/heard; S=$?; cat $D/heard; kill $E; wait $E; kill $M; "
        "wait $M; exit $S");
    clirig_expect(1, "talk: login failed: not-authorized\n",
                  COMPILED("talk") SERVE
                  "XMPP_PASSWORD=wrong $D/talk $U "
                  "alice@localhost bob@localhost < /dev/null; " STOP_SERVING);
}

/* A second login with its resource ends the bot's session. */
static void test_the_echo_bot_comes_back(void)
{
    clirig_expect(0, "twice\n",
                  COMPILED("first") COMPILED("echo") SERVE ECHO
                  "$D/first $U bob@localhost/e alice@localhost x; "
                  "twice() { test $(grep -c 'echo: connected' $D/says) = 2; }; "
                  "until_so twice && grep 'echo: connfail: ' $D/says && "
                  "kill -INT $E && wait $E && echo twice; " STOP_SERVING);
}

static void test_the_echo_bot_gives_up_where_it_is_refused(void)
{
    clirig_expect(
        1, "echo: authfail: not-authorized\n",
        COMPILED("echo") SERVE
        "XMPP_PASSWORD=wrong $D/echo $U bob@localhost; " STOP_SERVING);
    clirig_expect(2, "echo: no address: ",
                  COMPILED("echo") "$D/echo gopher://h/ bob@localhost");
}

int suite_library(void)
{
    CU_pSuite s = CU_add_suite("library", begin, clirig_end);

    return s && CU_ADD_TEST(s, test_all_is_in_its_place) &&
                   CU_ADD_TEST(s,
                               test_nothing_leads_back_to_where_it_was_built) &&
                   CU_ADD_TEST(s,
                               test_it_can_be_staged_and_is_taken_away_again) &&
                   CU_ADD_TEST(
                       s,
                       test_it_exports_what_its_header_declares_and_nothing_else) &&
                   CU_ADD_TEST(s,
                               test_it_calls_nothing_that_is_the_process_s) &&
                   CU_ADD_TEST(s, test_its_header_stands_alone) &&
                   CU_ADD_TEST(s,
                               test_an_application_does_not_meet_its_inside) &&
                   CU_ADD_TEST(s,
                               test_the_first_program_says_how_far_it_came) &&
                   CU_ADD_TEST(s,
                               test_the_echo_bot_answers_and_leaves_politely) &&
                   CU_ADD_TEST(s, test_talk_sends_in_a_loop_of_its_own) &&
                   CU_ADD_TEST(s, test_the_echo_bot_comes_back) &&
                   CU_ADD_TEST(s,
                               test_the_echo_bot_gives_up_where_it_is_refused)
               ? 0
               : -1;
}
