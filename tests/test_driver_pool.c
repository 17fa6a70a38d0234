/* Which driver process plays which case, and who ends them when we cannot. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include "check.h"
#include "common/buf.h"
#include "driver_scripts.h"
#include "harness/driver_pool.h"
#include "harness/driver_watch.h"

int suite_driver_pool(void);

struct grants {
    struct driver_pool *pool;
    struct driver_lease *leases[4];
    enum driver_grant grants[4];
    char why[4][256];
    struct driver *drivers[4];
    size_t count, expected, granted;
    bool done;
};

static void on_pool_done(void *ctx)
{
    ((struct grants *)ctx)->done = true;
}

static void on_grant(void *ctx, enum driver_grant grant,
                     struct driver_lease *lease, const char *why)
{
    struct grants *g = ctx;
    size_t i;

    g->leases[g->count] = lease;
    g->drivers[g->count] = driver_lease_driver(lease);
    g->grants[g->count] = grant;
    snprintf(g->why[g->count++], sizeof g->why[0], "%s", why);
    if (g->count < g->expected)
        return;
    for (i = 0; i < g->count; i++)
        driver_lease_free(g->leases[i]);
    driver_pool_free(g->pool, on_pool_done, g);
}

/* Ask for some leases of one session each, the first ones of their own. */
static void lease(struct grants *g, const char *script, size_t count,
                  size_t own, unsigned sessions)
{
    char sh[] = "/bin/sh", c[] = "-c", *copy = mem_dup(script);
    char *argv[] = {sh, c, copy, NULL};
    struct driver_options o = driver_options_default();
    uv_loop_t loop;
    size_t i;

    o.argv = argv;
    o.quit_ms = 500;
    g->expected = count;
    uv_loop_init(&loop);
    g->pool = driver_pool_new(&loop, &o, "/nonexistent");
    for (i = 0; i < count; i++)
        driver_pool_lease(g->pool, sessions, i < own, on_grant, g);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(g->done);
    CHECK_INT(uv_loop_close(&loop), 0);
    free(copy);
}

static void test_one_process_for_many_sessions(void)
{
    struct grants g = {0};

    lease(&g, GREET("0") IDLE, 3, 0, 2);
    CHECK(g.drivers[0] && g.drivers[0] == g.drivers[1] &&
          g.drivers[1] == g.drivers[2]);
}

static void test_a_limit_of_sessions_makes_processes(void)
{
    struct grants g = {0};

    lease(&g, GREET("1") IDLE, 2, 0, 1);
    CHECK(g.drivers[0] && g.drivers[1] && g.drivers[0] != g.drivers[1]);
}

static void test_more_sessions_than_a_process_takes_are_refused(void)
{
    struct grants g = {0};

    lease(&g, GREET("1") IDLE, 1, 0, 2);
    CHECK_INT(g.grants[0], DRIVER_TOO_FEW);
}

static void test_a_process_of_its_own_is_shared_with_nobody(void)
{
    struct grants g = {0};

    lease(&g, GREET("0") IDLE, 3, 1, 1);
    CHECK(g.drivers[0] && g.drivers[1] && g.drivers[2]);
    CHECK(g.drivers[0] != g.drivers[1] || g.drivers[0] != g.drivers[2] ||
          g.drivers[1] != g.drivers[2]);
}

/* Gives each lease back at once. */
static void on_passing_grant(void *ctx, enum driver_grant grant,
                             struct driver_lease *l, const char *why)
{
    struct grants *g = ctx;

    (void)why;
    g->granted += grant == DRIVER_GRANTED;
    driver_lease_free(l);
    if (++g->count == g->expected)
        driver_pool_free(g->pool, on_pool_done, g);
}

static void test_more_wishes_than_processes_are_served_in_turn(void)
{
    char sh[] = "/bin/sh", c[] = "-c", script[] = GREET("1") IDLE;
    char *argv[] = {sh, c, script, NULL};
    struct driver_options o = driver_options_default();
    struct grants g = {.expected = 3 * DRIVER_POOL_MAX_PROCESSES};
    uv_loop_t loop;
    size_t i;

    o.argv = argv;
    uv_loop_init(&loop);
    g.pool = driver_pool_new(&loop, &o, "/nonexistent");
    for (i = 0; i < g.expected; i++)
        driver_pool_lease(g.pool, 1, i % 3 == 0, on_passing_grant, &g);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(g.done);
    CHECK_INT((int)g.granted, (int)g.expected);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static void test_one_failed_start_is_not_the_last(void)
{
    struct grants g = {0};
    char mark[] = "/tmp/boshspec-driver-XXXXXX";
    char *script;

    CHECK(mkdtemp(mark) != NULL);
    script =
        mem_printf("rmdir %s 2>/dev/null && exit 4; %s", mark, GREET("0") IDLE);
    lease(&g, script, 2, 0, 1);
    CHECK_INT(g.grants[0], DRIVER_GRANTED);
    CHECK_INT(g.grants[1], DRIVER_GRANTED);
    free(script);
}

static void test_no_process_is_one_answer_to_all(void)
{
    struct grants g = {0};

    lease(&g, "exit 4", 3, 0, 1);
    CHECK_INT(g.grants[0], DRIVER_NONE);
    CHECK_STR(g.why[0], "the driver ended with status 4");
    CHECK_STR(g.why[2], g.why[0]);
}

/* A process group that does nothing, and is deaf to SIGTERM if it is so
 * wanted. */
static pid_t idle_group(bool deaf)
{
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        signal(SIGTERM, deaf ? SIG_IGN : SIG_DFL);
        execl("/bin/sleep", "sleep", "60", (char *)NULL);
        _exit(127);
    }
    setpgid(pid, pid);
    return pid;
}

/* The signal that ended it; 0: none has. */
static int ended_by(pid_t pid, int options)
{
    int status = 0;

    return waitpid(pid, &status, options) == pid && WIFSIGNALED(status)
               ? WTERMSIG(status)
               : 0;
}

static void test_what_is_watched_ends_with_the_watch(void)
{
    struct driver_watch *w = driver_watch_new();
    pid_t polite = idle_group(false), deaf = idle_group(true);
    pid_t spared = idle_group(false);

    CHECK(w != NULL);
    driver_watch_add(w, polite);
    driver_watch_add(w, spared);
    driver_watch_add(w, deaf);
    driver_watch_remove(w, spared);
    driver_watch_free(w);
    CHECK_INT(ended_by(polite, 0), SIGTERM);
    CHECK_INT(ended_by(deaf, 0), SIGKILL);
    CHECK_INT(ended_by(spared, WNOHANG), 0);
    kill(spared, SIGKILL);
    CHECK_INT(ended_by(spared, 0), SIGKILL);
}

int suite_driver_pool(void)
{
    CU_pSuite s = CU_add_suite("driver-pool", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_one_process_for_many_sessions) ||
        !CU_ADD_TEST(s, test_a_limit_of_sessions_makes_processes) ||
        !CU_ADD_TEST(s, test_more_sessions_than_a_process_takes_are_refused) ||
        !CU_ADD_TEST(s, test_a_process_of_its_own_is_shared_with_nobody) ||
        !CU_ADD_TEST(s, test_more_wishes_than_processes_are_served_in_turn) ||
        !CU_ADD_TEST(s, test_one_failed_start_is_not_the_last) ||
        !CU_ADD_TEST(s, test_no_process_is_one_answer_to_all) ||
        !CU_ADD_TEST(s, test_what_is_watched_ends_with_the_watch))
        return -1;
    return 0;
}
