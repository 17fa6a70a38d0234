/* How we treat a server that is not ours: what is played at all, with how
 * many sessions of an account, and for how long. */
#include <string.h>

#include "check.h"
#include "harness/run_parts.h"
#include "playrig.h"

int suite_manners(void);

/* ------------------------------------------------------ what is played */

static void elapse(struct playrig *r, int64_t ms)
{
    struct step *st = playrig_step(r, STEP_ELAPSE);

    st->within.ms = ms;
    st->until.ms = -1;
}

static void test_what_may_harm_is_played_only_if_allowed(void)
{
    for (int allowed = 0; allowed < 2; allowed++) {
        char *tags[] = {(char *)"xml", (char *)"hostile"};
        struct playrig r;

        playrig_init(&r);
        r.tc.tags = tags;
        r.tc.tag_count = 2;
        r.setting.hostile = allowed;
        elapse(&r, 100);
        playrig_start(&r);
        CHECK(play_over(r.play) == !allowed);
        if (!allowed) {
            CHECK_INT(play_how(r.play), PLAY_NA);
            CHECK_STR(play_because(r.play),
                      "it may harm the server: give --hostile");
        }
        playrig_release(&r);
    }
}

static void test_no_more_time_passes_than_we_may_wait(void)
{
    static const struct {
        int64_t wants_ms, most_ms;
        const char *because;
    } rows[] = {
        {60000, 0, ""},
        {30000, 30000, ""},
        {30001, 30000, "it would have to wait for 31 s, --max-wait is 30"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct playrig r;

        playrig_init(&r);
        r.setting.max_wait_ms = rows[i].most_ms;
        elapse(&r, rows[i].wants_ms);
        playrig_start(&r);
        CHECK_STR(play_because(r.play), rows[i].because);
        CHECK(play_over(r.play) == (rows[i].because[0] != '\0'));
        playrig_release(&r);
    }
}

static void test_accounts_are_counted_from_the_one_that_is_first(void)
{
    static const char *const users[] = {"alice", "bob", "carol"};
    const struct account accounts[] = {
        {"alice@localhost", "a"}, {"bob@localhost", "b"}, {"carol@h", "c"}};

    for (size_t first = 0; first < 3; first++) {
        const char *wanted = users[(first + 1) % 3];
        struct playrig r;

        playrig_init(&r);
        r.setting.accounts = accounts;
        r.setting.account_count = 3;
        r.setting.first_account = first;
        playrig_login(&r, "s")->account = 2;
        playrig_start(&r);
        playrig_answer(&r, CREATED(">") FEATURES_SASL(PLAIN) "</body>");
        playrig_answer(&r, BODY(SUCCESS));
        CHECK_ROW(r.count == 3, wanted);
        /* base64 of "\0user\0password" */
        CHECK_ROW(strstr(r.sent[2].entity, first == 0 ? ">AGJvYgBi<"
                                           : first == 1
                                               ? ">AGNhcm9sAGM=<"
                                               : ">AGFsaWNlAGE=<") != NULL,
                  wanted);
        playrig_release(&r);
    }
}

/* ------------------------------------------------------ how many at once */

/* Play cases that take these numbers of sessions of their accounts, until one
 * may not start; which one is that? */
static size_t first_refused(struct run *run, struct item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        items[i].run = run;
        items[i].logs_in = items[i].logins[0] + items[i].logins[1] > 0;
        if (!queue_may_start(run, &items[i]))
            return i;
        queue_began(run, &items[i]);
    }
    return n;
}

static void test_cases_take_the_account_with_least_to_do(void)
{
    struct run_options o = {.account_count = 2, .sessions = 3};
    struct run run = {.options = &o};
    struct item items[] = {{.logins = {2}},
                           {.logins = {2}},
                           {.logins = {1, 1}},
                           {.logins = {1}},
                           {.logins = {0}}};

    CHECK_INT(first_refused(&run, items, 5), 3);
    CHECK_INT(items[0].first_account, 0);
    CHECK_INT(items[1].first_account, 1);
    CHECK_INT(run.logins[0], 3);
    CHECK_INT(run.logins[1], 3);
    queue_ended(&run, &items[1]);
    CHECK(queue_may_start(&run, &items[3]));
    CHECK_INT(items[3].first_account, 1);
}

static void test_a_case_that_wants_many_gets_an_account_to_itself(void)
{
    struct run_options o = {.account_count = 1, .sessions = 5};
    struct run run = {.options = &o};
    struct item items[] = {{.logins = {7}}, {.logins = {1}}};

    CHECK_INT(first_refused(&run, items, 2), 1);
}

static void test_without_a_limit_all_may_start(void)
{
    struct run_options o = {.account_count = 1, .sessions = 0};
    struct run run = {.options = &o};
    struct item items[] = {{.logins = {7}}, {.logins = {9}}, {.logins = {9}}};

    CHECK_INT(first_refused(&run, items, 3), 3);
}

int suite_manners(void)
{
    CU_pSuite suite = CU_add_suite("manners", NULL, NULL);

    if (!suite ||
        !CU_ADD_TEST(suite, test_what_may_harm_is_played_only_if_allowed) ||
        !CU_ADD_TEST(suite, test_no_more_time_passes_than_we_may_wait) ||
        !CU_ADD_TEST(suite,
                     test_accounts_are_counted_from_the_one_that_is_first) ||
        !CU_ADD_TEST(suite, test_cases_take_the_account_with_least_to_do) ||
        !CU_ADD_TEST(suite,
                     test_a_case_that_wants_many_gets_an_account_to_itself) ||
        !CU_ADD_TEST(suite, test_without_a_limit_all_may_start))
        return -1;
    return 0;
}
