/*
 * libbosh against bare libcurl: requests a second of 1 to 100 sessions, and
 * what a session costs in memory. The two take turns, so that a machine that
 * is busy with other things slows both.
 */
#include "bench.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "client-under-test/bosh.h"
#include "common/buf.h"
#include "common/xml.h"

#define ROUNDS 7 /* odd: the one in the middle counts */
#define ROUND_MS 400

struct crowd {
    struct bosh_driver *driver;
    struct bosh **sessions;
    size_t count;
    size_t answers;
};

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    struct crowd *crowd = ctx;

    if (event->kind != BOSH_EVENT_STANZA)
        return;
    crowd->answers++;
    bosh_send(s, BENCH_MESSAGE, strlen(BENCH_MESSAGE));
}

static void attach(struct crowd *crowd, struct bosh *s, const char *url)
{
    struct bench_session session;
    struct bosh_attach known = {.jid = "bench@localhost/1",
                                .wait_s = 60,
                                .hold = 1,
                                .requests = 2,
                                .inactivity_s = 30,
                                .polling_s = -1,
                                .maxpause_s = -1};

    bench_log_in(url, &session);
    known.sid = session.sid;
    known.rid = session.rid;
    bosh_driver_add(crowd->driver, s, (struct bosh_hook){on_event, crowd});
    bosh_attach(s, bosh_driver_now_ms(), &known);
    bosh_send(s, BENCH_MESSAGE, strlen(BENCH_MESSAGE));
}

static void crowd_start(struct crowd *crowd, size_t count, const char *url)
{
    struct bosh_options o;

    memset(crowd, 0, sizeof *crowd);
    bosh_options_init(&o);
    o.url = url;
    crowd->driver = bosh_driver_new();
    crowd->sessions = mem_alloc(count * sizeof *crowd->sessions);
    crowd->count = count;
    for (size_t i = 0; i < count; i++) {
        crowd->sessions[i] = bosh_new(&o);
        attach(crowd, crowd->sessions[i], url);
    }
}

static void crowd_stop(struct crowd *crowd)
{
    bosh_driver_free(crowd->driver);
    for (size_t i = 0; i < crowd->count; i++)
        bosh_free(crowd->sessions[i]);
    free(crowd->sessions);
}

double bench_libbosh(const char *url, size_t count, int64_t ms)
{
    struct crowd crowd;
    int64_t begun;

    crowd_start(&crowd, count, url);
    begun = bosh_driver_now_ms();
    while (bosh_driver_now_ms() < begun + ms)
        bosh_driver_turn(crowd.driver, 1000);
    ms = bosh_driver_now_ms() - begun;
    crowd_stop(&crowd);
    return (double)crowd.answers * 1000 / (double)ms;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double middle(double *numbers)
{
    qsort(numbers, ROUNDS, sizeof *numbers, by_size);
    return numbers[ROUNDS / 2];
}

static void compare(const char *url, size_t count)
{
    double ours[ROUNDS];
    double bare[ROUNDS];
    double share[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = bench_libcurl(url, count, ROUND_MS);
        ours[i] = bench_libbosh(url, count, ROUND_MS);
        share[i] = bare[i] > 0 ? 100 * ours[i] / bare[i] : 0;
    }
    printf("%6zu sessions: libbosh %6.0f, bare libcurl %6.0f requests/s: "
           "%.0f %%\n",
           count, middle(ours), middle(bare), middle(share));
    fflush(stdout);
}

static void weigh(const char *url, size_t count)
{
    struct crowd crowd;
    size_t before = mallinfo2().uordblks;

    crowd_start(&crowd, count, url);
    while (crowd.answers < 2 * count)
        bosh_driver_turn(crowd.driver, 1000);
    printf("%6zu sessions: %zu KiB of heap each, libcurl's included\n", count,
           (mallinfo2().uordblks - before) / count / 1024);
    crowd_stop(&crowd);
}

static int run(enum bench_kind kind, const char *name)
{
    static const size_t COUNTS[] = {1, 10, 100};
    struct bench_server *s = bench_server_start(kind);
    char *url;

    if (!s) {
        fputs("no socket for the server\n", stderr);
        return 1;
    }
    printf("%s:\n", name);
    url = bench_server_url(s);
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
        compare(url, COUNTS[i]);
    if (kind == BENCH_NOTHING) /* whose own memory does not grow */
        weigh(url, 100);
    free(url);
    bench_server_stop(s);
    return 0;
}

int main(void)
{
    int rc;

    xml_init();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    rc = run(BENCH_MOCK, "against our mock") ||
         run(BENCH_NOTHING, "against a server that costs nothing");
    curl_global_cleanup();
    return rc;
}
