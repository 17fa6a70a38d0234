/*
 * Runs every CUnit suite, or those whose names are given, or with "but" before
 * the names all others; and counts. A file descriptor that is left open fails
 * the run.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
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

/* CUnit counts one run at a time. */
struct tally {
    unsigned passed, failed;
};

static void take_counts(struct tally *sum)
{
    sum->failed += CU_get_number_of_tests_failed();
    sum->passed +=
        CU_get_number_of_tests_run() - CU_get_number_of_tests_failed();
}

static int check_names(int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (CU_get_suite(names[i]))
            continue;
        fprintf(stderr, "no suite '%s'\n", names[i]);
        return -1;
    }
    return 0;
}

static bool is_named(const char *suite, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], suite) == 0)
            return true;
    }
    return false;
}

/* Those that are named, or (named: false) all others. */
static void run(bool named, int count, char **names, struct tally *sum)
{
    CU_pSuite suite;

    for (suite = CU_get_registry()->pSuite; suite; suite = suite->pNext) {
        if (is_named(suite->pName, count, names) != named)
            continue;
        CU_basic_run_suite(suite);
        take_counts(sum);
    }
}

int main(int argc, char **argv)
{
    bool but = argc > 1 && strcmp(argv[1], "but") == 0;
    int count = argc - 1 - but;
    char **names = argv + 1 + but;
    struct tally sum = {0, 0};
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
    CU_basic_set_mode(CU_BRM_VERBOSE);
    if (check_names(count, names))
        return 2;
    run(!but && count > 0, count, names, &sum);
    CU_cleanup_registry();
    if (open_fds() != before) {
        printf("file descriptors left open: %d before, %d after\n", before,
               open_fds());
        sum.failed++;
    }
    xml_cleanup();
    printf("%u passed, %u failed\n", sum.passed, sum.failed);
    return sum.failed ? 1 : 0;
}
