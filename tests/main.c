/*
 * Runs every CUnit suite, or those whose name is given, and counts. A file
 * descriptor that is left open fails the run.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <uv.h>

#include "common/xml.h"
#include "suites.h"

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

/* libuv opens descriptors at its first loop and keeps them. */
static void warm_up_libuv(void)
{
    uv_loop_t loop;

    uv_loop_init(&loop);
    uv_loop_close(&loop);
}

static int run_all(void)
{
    CU_basic_set_mode(CU_BRM_VERBOSE);
    return CU_basic_run_tests() == CUE_SUCCESS ? 0 : -1;
}

static int run_named(int count, char **names)
{
    for (int i = 0; i < count; i++) {
        CU_pSuite suite = CU_get_suite(names[i]);

        if (!suite) {
            fprintf(stderr, "no suite '%s'\n", names[i]);
            return -1;
        }
        CU_basic_run_suite(suite);
    }
    return 0;
}

int main(int argc, char **argv)
{
    unsigned failed, passed;
    int before;

    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    xml_init();
    warm_up_libuv();
    before = open_fds();
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (size_t i = 0; suites[i]; i++) {
        if (suites[i]() < 0) {
            fprintf(stderr, "suite %zu cannot be registered\n", i);
            return 2;
        }
    }
    if ((argc > 1 ? run_named(argc - 1, argv + 1) : run_all()) < 0)
        return 2;
    failed = CU_get_number_of_tests_failed();
    passed = CU_get_number_of_tests_run() - failed;
    CU_cleanup_registry();
    if (open_fds() != before) {
        printf("file descriptors left open: %d before, %d after\n", before,
               open_fds());
        failed++;
    }
    xml_cleanup();
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
