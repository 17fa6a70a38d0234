/* A server that is not there any more: whose fault, and what of the others. */
#include <string.h>

#include "check.h"
#include "clirig.h"
#include "harness/judge.h"
#include "journal_maker.h"
#include "suites.h"

/* ------------------------------------------------------ one play */

/* What happened to the second of two exchanges, and what was found then. */
struct end {
    const char *name;
    bool opened;       /* it had a connection */
    const char *fault; /* of ours, or NULL */
    const char *alive, *alone;
    bool lost, gone;
    const char *because; /* of ERROR; NULL: it is judged */
};

static void tell(struct maker *m, const struct end *e)
{
    maker_event(m, 0, "open", NULL, "conn", "1", NULL);
    maker_session(m, 0, "");
    if (e->opened)
        maker_event(m, 1000, "open", NULL, "conn", "2", NULL);
    maker_request(m, 1000, 2, 2,
                  "<body xmlns='http://jabber.org/protocol/httpbind' "
                  "sid='abc' rid='101'/>");
    if (e->fault)
        maker_event(m, 1100, "fault", NULL, "x", "2", "name", e->fault, NULL);
    maker_event(m, 1200, "res", NULL, "x", "2", "came", "none", "problem",
                "closed without an answer", NULL);
    maker_event(m, 2000, "end", NULL, "how", "done", NULL);
    if (e->alive)
        maker_event(m, 3000, "health", NULL, "x", "3", "alive", e->alive,
                    "alone", e->alone, NULL);
}

#define OTHERS                                                                 \
    "the server went away while this case and others were played: -j 1 tells " \
    "which of them did it"

static void test_a_play_says_whether_the_server_was_there(void)
{
    static const struct end table[] = {
        {"lost, and there", true, NULL, "yes", "no", true, false, NULL},
        {"given up by us", true, "abort-rst", NULL, NULL, false, false, NULL},
        {"gone, and alone", true, NULL, "no", "yes", true, true, NULL},
        {"gone, with others", true, NULL, "no", "no", true, true, OTHERS},
        {"away for a while, alone", false, NULL, "yes", "yes", true, true,
         NULL},
        {"away for a while, with others", false, NULL, "yes", "no", true, true,
         OTHERS},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct testcase tc = {.role = ROLE_SERVER};
        struct judge_context ctx = {.end = PLAY_DONE};
        struct judgement out;
        struct maker m;

        maker_init(&m, ROLE_SERVER);
        tell(&m, &table[i]);
        judge_case(&tc, m.journal, &ctx, &out);
        CHECK_ROW(out.lost == table[i].lost, table[i].name);
        CHECK_ROW(out.gone == table[i].gone, table[i].name);
        CHECK_ROW((out.verdict == VERDICT_ERROR) == (table[i].because != NULL),
                  table[i].name);
        if (table[i].because)
            CHECK_STR(out.reason, table[i].because);
        judgement_release(&out);
        maker_release(&m);
    }
}

/* Nobody who never met it has brought it down. */
static void test_a_server_that_was_never_met(void)
{
    struct testcase tc = {.role = ROLE_SERVER};
    struct judge_context ctx = {.end = PLAY_STOPPED};
    struct judgement out;
    struct maker m;

    maker_init(&m, ROLE_SERVER);
    maker_event(&m, 0, "req", NULL, "x", "1", "conn", "1", NULL);
    maker_event(&m, 1, "res", NULL, "x", "1", "came", "none", "problem",
                "connection refused", NULL);
    maker_event(&m, 2, "health", NULL, "x", "2", "alive", "no", "alone", "yes",
                NULL);
    judge_case(&tc, m.journal, &ctx, &out);
    CHECK_STR(out.reason, "the server is gone, and was so before");
    CHECK_INT(out.verdict, VERDICT_ERROR);
    judgement_release(&out);
    maker_release(&m);
}

/* ------------------------------------------------------ a whole run */

/* Our own mock, killed after a second and a half. */
#define RUN(options)                                                           \
    "rm -f $D/url; $P serve --listen=127.0.0.1:0 > $D/url & M=$!; until_so "   \
    "grep -q listening $D/url; U=$(sed 's/listening on //' $D/url); "          \
    "echo secret > $D/pw; (sleep 1.5; kill -9 $M) & "                          \
    "$P server -o $D/run --domain=localhost --url=$U "                         \
    "--account=alice@localhost:$D/pw --account=bob@localhost:$D/pw " options   \
    " --timeout-factor=0.2 server/http/half-closed server/hold/data-at-once "  \
    "server/hold/answered-within-wait; S=$?; wait; exit $S"

static void test_alone_the_guilty_one_is_known(void)
{
    struct buf out = BUF_INIT;

    CHECK_INT(clirig_sh(&out, RUN("-j 1")), 1);
    CHECK_ROW(strstr(buf_str(&out), "0 pass, 1 fail, 2 error"), buf_str(&out));
    CHECK_ROW(strstr(buf_str(&out), "invariant/server-survives"),
              buf_str(&out));
    CHECK_ROW(strstr(buf_str(&out), "the server is gone"), buf_str(&out));
    buf_release(&out);
}

static void test_side_by_side_nobody_is_blamed(void)
{
    clirig_expect(1, "-j 1 tells", RUN(""));
}

int suite_outage(void)
{
    CU_pSuite suite = CU_add_suite("outage", clirig_begin, clirig_end);

    if (!suite ||
        !CU_ADD_TEST(suite, test_a_play_says_whether_the_server_was_there) ||
        !CU_ADD_TEST(suite, test_a_server_that_was_never_met) ||
        !CU_ADD_TEST(suite, test_alone_the_guilty_one_is_known) ||
        !CU_ADD_TEST(suite, test_side_by_side_nobody_is_blamed))
        return -1;
    return 0;
}
