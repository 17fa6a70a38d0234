/*
 * peer-tests BUILD [SUITE...]: libbosh against Prosody, by its public calls.
 * A file descriptor that is left open fails the run.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "common/xml.h"
#include "peers.h"
#include "tests/check.h"

#define SCRIPT "tests/peers/prosody"

static struct server *running;

struct server *peers_server(void)
{
    return running;
}

void peers_options(struct bosh_options *o)
{
    bosh_options_init(o);
    o->url = server_value(running, "URL");
}

char *peers_jid(const char *who, const char *resource)
{
    char *key = mem_printf("%s_JID", who);
    char *jid = mem_printf("%s/%s", server_value(running, key), resource);

    free(key);
    return jid;
}

int peers_log_in(struct talker *t, const char *who, const char *resource)
{
    char *jid = peers_jid(who, resource);
    char *password = server_password(running, who);
    int rc = bosh_driver_connect(t->d, t->s, jid, password, PATIENCE_MS);

    free(jid);
    free(password);
    return rc;
}

void peers_log_out(struct talker *t)
{
    CHECK_INT(bosh_driver_disconnect(t->d, t->s, NULL, PATIENCE_MS), 0);
    CHECK_STR(bosh_last_error(t->s), "");
}

int peers_suite(const char *name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = {{name, NULL, NULL, NULL, NULL, tests},
                             CU_SUITE_INFO_NULL};

    return CU_register_suites(suites) == CUE_SUCCESS ? 0 : -1;
}

static int open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    if (!dir)
        return -1;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static bool add_suites(void)
{
    return suite_login() == 0 && suite_chat() == 0 && suite_modes() == 0 &&
           suite_restore() == 0 && suite_crash() == 0;
}

static unsigned passed, failed;

static void count_run(void)
{
    failed += CU_get_number_of_tests_failed();
    passed += CU_get_number_of_tests_run() - CU_get_number_of_tests_failed();
}

static void run(char **names)
{
    if (!*names) {
        CU_basic_run_tests();
        count_run();
    }
    for (; *names; names++) {
        CU_pSuite suite = CU_get_suite(*names);

        if (suite) {
            CU_basic_run_suite(suite);
            count_run();
        } else {
            fprintf(stderr, "no suite '%s'\n", *names);
            failed++;
        }
    }
}

int main(int argc, char **argv)
{
    const char *options[] = {"--entity=1048576", "--polling=0", "--log=debug",
                             argc > 1 ? argv[1] : "build", NULL};
    int before;

    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    xml_init();
    before = open_fds();
    running = server_start(SCRIPT, options);
    if (!running || CU_initialize_registry() != CUE_SUCCESS || !add_suites())
        return 2;
    printf("%s\n", server_value(running, "SOFTWARE"));
    CU_basic_set_mode(CU_BRM_VERBOSE);
    run(argc > 2 ? argv + 2 : argv + argc);
    CU_cleanup_registry();
    server_stop(running);
    if (open_fds() != before) {
        printf("file descriptors left open: %d before, %d after\n", before,
               open_fds());
        failed++;
    }
    xml_cleanup();
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
