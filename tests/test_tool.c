/*
 * bosh-client as a tool for people, as a whole: each command against our mock
 * on the loopback, each exit status, and what is said of it.
 */
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "clirig.h"
#include "common/buf.h"

int suite_tool(void);

/* The mock, with its pid in M and its URL in U; two who log in, as a and b. */
#define SERVE                                                                  \
    "unset BOSH_PASSWORD; rm -f $D/url; echo secret > $D/pw; "                 \
    "rm -f $D/url; $P serve --listen=127.0.0.1:0 > $D/url & M=$!; until_so "   \
    "grep -q "                                                                 \
    "listening $D/url; U=$(sed 's/listening on //' $D/url); "                  \
    "a=\"--url=$U --jid=alice@localhost/a --password-file=$D/pw\"; "           \
    "b=\"--url=$U --jid=bob@localhost/b --password-file=$D/pw\"; "             \
    "C=$B/bosh-client; "
#define STOP_SERVING "S=$?; kill $M; wait $M; exit $S"

/* Bob listens, with his pid in L; what he hears goes to $D/heard. */
#define LISTEN(options)                                                        \
    "rm -f $D/heard $D/errors; $C $b listen " options                          \
    " > $D/heard 2> $D/errors & L=$!; until_so grep -q 'listening as' "        \
    "$D/errors; "

static void expect(int status, const char *words, const char *command)
{
    char *whole = mem_printf(SERVE "%s; " STOP_SERVING, command);

    clirig_expect(status, words, whole);
    free(whole);
}

/* ---- The commands
 * ------------------------------------------------------------
 */

static void test_a_text_arrives_as_it_was_sent(void)
{
    expect(0, "alike",
           LISTEN("--count=2") "T=$(printf "
                               "'<b>&amp;\\t\"x\" \\047 \\303\\274\\342\\202"
                               "\\254\\360\\237\\230\\200 --')\n"
                               "$C $a send bob@localhost \"$T\" && "
                               "printf '%s\\n' \"$T\" | $C send $a "
                               "bob@localhost/b - && wait $L || exit 9\n"
                               "for i in 1 2; do echo \"alice@localhost/a: "
                               "$T\"; done > $D/wanted\n"
                               "sed 's/^..:..:.. //' $D/heard | "
                               "cmp - $D/wanted && echo alike");
}

static void test_lines_and_control_characters_stay_in_one_line(void)
{
    expect(0, "alice@localhost/a: one\\ntwo\\n\\x9b",
           LISTEN("--count=1") "printf 'one\\ntwo\\n\\302\\233\\n' | "
                               "$C $a send bob@localhost - && wait $L && "
                               "cat $D/heard");
    expect(0, "1 <body>one&#10;two</body>",
           LISTEN("--xml --count=1") "printf 'one\\ntwo' | $C $a send "
                                     "bob@localhost - && wait $L && "
                                     "echo $(grep -c '^<message' $D/heard) "
                                     "$(grep -o '<body.*/body>' $D/heard)");
}

static void test_listen_ends_politely_when_it_is_told_to(void)
{
    expect(0, "type='terminate'",
           LISTEN("--trace") "kill -TERM $L; wait $L || exit; "
                             "tail -n 1 $D/errors | grep -q 'disconnected$' "
                             "&& grep -o \"type='terminate'\" $D/errors");
    expect(0, "over", LISTEN("--for=0.2") "wait $L && echo over");
}

static void test_a_ping_is_answered_by_server_and_listener(void)
{
    expect(0, "localhost: answer 3 in ",
           "$C ping $a --count=3 --interval=0.01");
    expect(0, "bob@localhost/b: answer 1 in ",
           LISTEN("") "$C $a ping bob@localhost/b; S=$?; kill $L; wait $L; "
                      "(exit $S)");
    expect(0, "localhost: answer 1 in ", "$C ping --url=$U --jid=localhost");
}

/* XEP-0199 §4: who does not know it says so, and is there all the same. */
static void test_an_error_is_an_answer_to_a_ping(void)
{
    expect(0, " ms: service-unavailable", "$C ping nobody@localhost/x $a");
    expect(0, " ms: remote-server-not-found", "$C ping elsewhere.example $a");
}

/* Carol is a driver program that answers no iq. */
static void test_status_6_no_answer_in_time(void)
{
    expect(6, "carol@localhost/c: no answer to ping 1 within 0.3 s",
           "mkfifo $D/in.$$; $C < $D/in.$$ > $D/out.$$ & L=$!; "
           "exec 5> $D/in.$$; echo \"{\\\"id\\\":1,\\\"verb\\\":\\\"connect\\\""
           ",\\\"session\\\":1,\\\"url\\\":\\\"$U\\\",\\\"jid\\\":"
           "\\\"carol@localhost/c\\\",\\\"password\\\":\\\"secret\\\"}\" >&5; "
           "until_so grep -q '\"connected\"' $D/out.$$; "
           "$C ping carol@localhost/c $a --answer-time=0.3; S=$?; "
           "exec 5>&-; wait $L; (exit $S)");
}

static void test_send_xml_prints_what_comes_of_it(void)
{
    expect(0, "type=\"result\" id=\"i1\"",
           "echo \"<message to='bob@localhost'/><iq type='get' id='i1'>"
           "<query xmlns='jabber:iq:roster'/></iq>\" | $C send-xml $a");
    expect(2, "stdin: line ", "echo '<iq' | $C send-xml $a");
    expect(2, "cannot be sent: ", "echo 'text' | $C send-xml $a");
}

static void test_status_7_the_message_came_back(void)
{
    expect(7, "nobody@localhost: the message came back: service-unavailable",
           "$C $a send nobody@localhost x");
}

/* ---- Failures ---------------------------------------------------------------
 */

static void test_status_1_nobody_reads_stdout(void)
{
    expect(1, "stdout cannot be written",
           "exec 5>&1; { $C ping $a --count=0 --interval=0.01 2>&5; "
           "echo $? > $D/status; } | head -n 1; exit_status=$(cat $D/status); "
           "(exit $exit_status)");
}

static void test_status_2_bad_options(void)
{
    clirig_expect(2, "unknown command 'fly'", "$B/bosh-client fly");
    clirig_expect(2, "which command?", "$B/bosh-client --url=http://x/");
    clirig_expect(2, "send wants: TO TEXT", "$B/bosh-client send bob@h");
    clirig_expect(2, "'z' is one word too many", "$B/bosh-client ping y z");
    clirig_expect(2, "--url is wanted", "$B/bosh-client listen");
    clirig_expect(2, "--jid is wanted", "$B/bosh-client listen --url=http://x");
    clirig_expect(2, "--wait 'x': 0..65535 is wanted",
                  "$B/bosh-client listen --wait=x");
    clirig_expect(2, "--keys '1': 2..10000 is wanted",
                  "$B/bosh-client listen --keys=1");
    clirig_expect(2, "--for 'x': seconds are wanted",
                  "$B/bosh-client listen --for=x");
    clirig_expect(2, "--count '-1': a number is wanted",
                  "$B/bosh-client listen --count=-1");
    clirig_expect(2, "--xml is for: listen",
                  "$B/bosh-client ping --xml --url=http://x --jid=x");
    clirig_expect(2, "--keep is for --store",
                  "$B/bosh-client ping --keep --url=http://x --jid=x");
    clirig_expect(2, "--resource: --jid has one already",
                  "$B/bosh-client ping --url=http://x --jid=a@x/y "
                  "--resource=z");
    clirig_expect(2, "is a WebSocket's address",
                  "$B/bosh-client ping --url=ws://x/ --jid=x");
    clirig_expect(
        2, "--jid: '@x' is not a JID",
        "BOSH_PASSWORD=x $B/bosh-client ping --url=http://x --jid=@x");
    clirig_expect(2, "--header: at most 32 lines like 'Name: value'",
                  "$B/bosh-client ping --header=x");
    clirig_expect(2, "--ca '/no/file': No such file or directory",
                  "$B/bosh-client ping --ca=/no/file");
}

static void test_status_2_bad_texts_and_files(void)
{
    clirig_expect(2, "'/no/file': No such file or directory",
                  "$B/bosh-client ping --url=http://x --jid=a@x "
                  "--password-file=/no/file");
    clirig_expect(2, "'/dev/null': it is empty",
                  "$B/bosh-client ping --url=http://x --jid=a@x "
                  "--password-file=/dev/null");
    clirig_expect(2, "/blank': its first line is empty",
                  "printf '\\nsecret\\n' > $D/blank; $B/bosh-client ping "
                  "--url=http://x --jid=a@x --password-file=$D/blank");
    clirig_expect(2, "/': Is a directory",
                  "$B/bosh-client ping --url=http://x --jid=a@x "
                  "--password-file=$D/ | sed \"s|$D||\"; (exit 2)");
    clirig_expect(2, "TEXT: ",
                  "$B/bosh-client send b@x \"$(printf '\\377')\" "
                  "--url=http://x --jid=a@x");
    clirig_expect(2, "TEXT: ",
                  "$B/bosh-client send b@x \"$(printf '\\001')\" "
                  "--url=http://x --jid=a@x");
}

static void test_secrets_are_not_taken_from_the_command_line(void)
{
    clirig_expect(2, "no password: give --password-file or $BOSH_PASSWORD",
                  "unset BOSH_PASSWORD; $B/bosh-client ping --url=http://x "
                  "--jid=a@x < /dev/null");
    clirig_expect(2, "a secret does not belong on a command line",
                  "$B/bosh-client ping --password=x");
    clirig_expect(2, "--proxy: a password does not belong on a command line",
                  "$B/bosh-client ping --proxy=socks5://u:p@h:1");
    clirig_expect(2, "--url: a password does not belong on a command line",
                  "$B/bosh-client ping --url=http://u:p@h/");
}

/* A port that was somebody's a moment ago. */
static void test_status_3_nobody_is_there(void)
{
    clirig_expect(3, ": no session: 5 errors in a row, the last: ",
                  SERVE "kill $M; wait $M; $C ping $a");
}

static void test_status_3_not_the_manager_s_path(void)
{
    expect(3,
           "/elsewhere: no session: item-not-found, the manager answered "
           "HTTP 404",
           "$C ping $a --url=${U%/*}/elsewhere");
}

/* Whatever is asked, it answers with a page for people. */
static void be_a_web_server(int listener)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                               "Connection: close\r\nContent-Length: 20\r\n\r\n"
                               "<html>It works</html";
    char request[4096];

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0 || read(fd, request, sizeof request) <= 0 ||
            write(fd, page, sizeof page - 1) < 0)
            _exit(1);
        shutdown(fd, SHUT_WR);
        while (read(fd, request, sizeof request) > 0)
            ;
        close(fd);
    }
}

static int listen_on(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_INT(listen(fd, 8), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void test_status_3_a_web_server_that_knows_no_bosh(void)
{
    int port;
    int listener = listen_on(&port);
    pid_t pid = fork();
    char *command;

    if (pid == 0)
        be_a_web_server(listener);
    command = mem_printf("BOSH_PASSWORD=x $B/bosh-client ping --jid=a@h "
                         "--url=http://127.0.0.1:%d/",
                         port);
    clirig_expect(3,
                  "the last: the answer is not well-formed: line 1: ", command);
    free(command);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(listener);
}

/* A listener that never answers. */
static void test_status_3_no_login_in_time(void)
{
    int port;
    int listener = listen_on(&port);
    char *command = mem_printf("BOSH_PASSWORD=x $B/bosh-client ping --jid=a@h "
                               "--url=http://127.0.0.1:%d/ --login-time=0.2",
                               port);

    clirig_expect(3, "not logged in within 0.2 s", command);
    free(command);
    close(listener);
}

static void test_status_4_a_wrong_password(void)
{
    expect(4, ": login as alice@localhost/a failed: not-authorized",
           "BOSH_PASSWORD=wrong $C ping $a --password-file=$D/url");
    expect(4, "no SASL mechanism is offered that can be used",
           "$C ping $a --mechanisms=EXTERNAL");
}

static void test_status_5_the_manager_ends_the_session(void)
{
    clirig_expect(5, ": the session ended: ",
                  SERVE LISTEN("--max-errors=2") "kill $M; wait $M; wait $L; "
                                                 "S=$?; cat $D/errors; exit "
                                                 "$S");
}

static void test_a_signal_interrupts_what_is_not_done(void)
{
    clirig_expect(143, "",
                  "mkfifo $D/text; $B/bosh-client send b@x - --url=http://x "
                  "--jid=a@x < $D/text & L=$!; exec 5> $D/text; "
                  "kill -TERM $L; wait $L");
}

/* ---- Passwords
 * ---------------------------------------------------------------
 */

static void test_the_environment_may_have_the_password(void)
{
    expect(0, "localhost: answer 1",
           "BOSH_PASSWORD=secret $C ping --url=$U --jid=alice@localhost");
}

/* Reads until the words have come, or nothing will: 30 s at most. */
static bool has_come(int fd, struct buf *seen, const char *words)
{
    char piece[4096];
    ssize_t got;

    while (!strstr(buf_str(seen), words)) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        if (poll(&ready, 1, 30000) != 1 ||
            (got = read(fd, piece, sizeof piece)) <= 0)
            return false;
        buf_add(seen, piece, (size_t)got);
    }
    return true;
}

static void test_the_terminal_does_not_show_the_password(void)
{
    struct buf seen = BUF_INIT;
    int status = -1;
    int fd = -1;
    pid_t pid = forkpty(&fd, NULL, NULL, NULL);

    if (pid == 0) {
        struct buf out = BUF_INIT;

        status = clirig_sh(
            &out, "exec >/dev/tty 2>&1 </dev/tty; " SERVE
                  "$C ping --url=$U --jid=alice@localhost; " STOP_SERVING);
        _exit(status);
    }
    CHECK(has_come(fd, &seen, "Password for alice@localhost: "));
    CHECK_INT(write(fd, "secret\n", 7), 7);
    CHECK(has_come(fd, &seen, "answer 1 in"));
    CHECK(strstr(buf_str(&seen), "secret") == NULL);
    CHECK(!has_come(fd, &seen, "anything more"));
    close(fd);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    buf_release(&seen);
}

/* ---- Trace and store --------------------------------------------------------
 */

/* The base64 is that of NUL alice NUL secret. */
static void test_the_trace_shows_all_but_secrets(void)
{
    expect(0, "none",
           "$C ping $a --trace --keys=3 --mechanisms=PLAIN 2> $D/trace && "
           "grep -q '^+0[.].* > request rid=[0-9]* [0-9]* bytes$' $D/trace && "
           "grep -q '^+[0-9.]* < answer rid=[0-9]* [0-9]* bytes$' $D/trace && "
           "grep -q '^+[0-9.]* [*] connected$' $D/trace && "
           "grep -q '>.hidden.</auth>' $D/trace && "
           "grep -q \" key='.hidden.'\" $D/trace && "
           "grep -q \" newkey='.hidden.'\" $D/trace && "
           "grep -q 'urn:xmpp:ping' $D/trace || exit 9; "
           "grep -e secret -e AGFsaWNlAHNlY3JldA -e \"key='[0-9a-f]\" "
           "$D/trace || echo none");
}

static void test_scram_is_not_in_the_trace_either(void)
{
    expect(0, "4 1",
           "$C ping $a --trace 2> $D/trace > /dev/null || exit 9; "
           "echo $(grep -c '>.hidden.</' $D/trace) $(grep -c "
           "'<success[^>]*>.hidden.<' $D/trace)");
}

static void test_the_trace_tells_repeats_and_errors(void)
{
    clirig_expect(3, "! no good answer, ",
                  SERVE "kill $M; wait $M; $C ping $a --trace");
    clirig_expect(3, " bytes, again",
                  SERVE "kill $M; wait $M; $C ping $a --trace");
}

static void test_a_stored_session_is_taken_up(void)
{
    expect(0, "attached over",
           "rm -f $D/s; $C ping $a --store=$D/s --keep > /dev/null && "
           "test -s $D/s && rm $D/pw && "
           "$C ping $a --store=$D/s --trace 2> $D/trace > /dev/null && "
           "! grep -q ' connecting$' $D/trace && "
           "echo $(grep -o attached $D/trace) $(test -e $D/s || echo over)");
}

/* Which the manager has forgotten: a new one takes its place. */
static void test_a_forgotten_session_is_begun_anew(void)
{
    expect(0, "localhost: answer 1",
           "$C ping $a --store=$D/s --keep > /dev/null && "
           "sed -i \"s/sid='[^']*'/sid='x'/\" $D/s && "
           "$C ping $a --store=$D/s --keep && "
           "! grep -q \"sid='x'\" $D/s && $C ping $a --store=$D/s");
}

static void test_somebody_else_s_store_is_left_alone(void)
{
    expect(2, "is there, but not for us: the stored session is somebody else's",
           "$C ping $b --store=$D/s --keep > /dev/null && cp $D/s $D/s2 && "
           "$C ping $a --store=$D/s; S=$?; cmp $D/s $D/s2 && rm $D/s && "
           "(exit $S)");
    expect(2, "what is stored is no session",
           "echo my diary > $D/s; $C ping $a --store=$D/s; S=$?; "
           "rm $D/s; (exit $S)");
}

static void test_options_reach_the_wire(void)
{
    expect(0, "7 3 de",
           "$C ping $a --wait=7 --hold=3 --lang=de --ack --trace "
           "2>&1 | sed -n \"s/.*hold='\\(.\\)'.* wait='\\(.\\)' "
           "xml:lang='\\(..\\)'.*/\\2 \\1 \\3/p\"");
}

static void test_the_page_has_every_option(void)
{
    clirig_expect(0, "all there",
                  "for o in $($B/bosh-client --help | grep -o -e "
                  "'--[a-z][a-z-]*' | sort -u | grep -v -e --help -e --usage "
                  "-e --version); do grep -q -e \"$o[^a-z-]\" "
                  "docs/bosh-client.md || { echo \"no $o\"; exit 1; }; done; "
                  "echo all there");
    clirig_expect(0, "7 the message came back",
                  "$B/bosh-client --help | tr '\\n' ' '");
}

/* ---- The suite --------------------------------------------------------------
 */

static const CU_TestInfo tests[] = {
    {"a text arrives as it was sent", test_a_text_arrives_as_it_was_sent},
    {"lines and control characters stay in one line",
     test_lines_and_control_characters_stay_in_one_line},
    {"listen ends politely when it is told to",
     test_listen_ends_politely_when_it_is_told_to},
    {"a ping is answered by server and listener",
     test_a_ping_is_answered_by_server_and_listener},
    {"an error is an answer to a ping", test_an_error_is_an_answer_to_a_ping},
    {"status 6: no answer in time", test_status_6_no_answer_in_time},
    {"send-xml prints what comes of it", test_send_xml_prints_what_comes_of_it},
    {"status 7: the message came back", test_status_7_the_message_came_back},
    {"status 1: nobody reads stdout", test_status_1_nobody_reads_stdout},
    {"status 2: bad options", test_status_2_bad_options},
    {"status 2: bad texts and files", test_status_2_bad_texts_and_files},
    {"secrets are not taken from the command line",
     test_secrets_are_not_taken_from_the_command_line},
    {"status 3: nobody is there", test_status_3_nobody_is_there},
    {"status 3: not the manager's path", test_status_3_not_the_manager_s_path},
    {"status 3: a web server that knows no BOSH",
     test_status_3_a_web_server_that_knows_no_bosh},
    {"status 3: no login in time", test_status_3_no_login_in_time},
    {"status 4: a wrong password", test_status_4_a_wrong_password},
    {"status 5: the manager ends the session",
     test_status_5_the_manager_ends_the_session},
    {"a signal interrupts what is not done",
     test_a_signal_interrupts_what_is_not_done},
    {"the environment may have the password",
     test_the_environment_may_have_the_password},
    {"the terminal does not show the password",
     test_the_terminal_does_not_show_the_password},
    {"the trace shows all but secrets", test_the_trace_shows_all_but_secrets},
    {"SCRAM is not in the trace either", test_scram_is_not_in_the_trace_either},
    {"the trace tells repeats and errors",
     test_the_trace_tells_repeats_and_errors},
    {"a stored session is taken up", test_a_stored_session_is_taken_up},
    {"a forgotten session is begun anew",
     test_a_forgotten_session_is_begun_anew},
    {"somebody else's store is left alone",
     test_somebody_else_s_store_is_left_alone},
    {"options reach the wire", test_options_reach_the_wire},
    {"the page has every option", test_the_page_has_every_option},
};

int suite_tool(void)
{
    CU_pSuite s = CU_add_suite("tool", clirig_begin, clirig_end);

    for (size_t i = 0; s && i < sizeof tests / sizeof tests[0]; i++) {
        if (!CU_add_test(s, tests[i].pName, tests[i].pTestFunc))
            return -1;
    }
    return s ? 0 : -1;
}
