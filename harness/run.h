/*
 * Many cases side by side on one loop, each to one verdict, under a deadline.
 *
 * The longest start first. Judging happens on a worker thread, one case at a
 * time, since 100 ms of judging would be 100 ms of lag for all who play. A
 * case whose timing our own lag may have spoiled is played once more, alone;
 * cases that lose their driver process are played once more, each in a
 * process of its own, so that a crash costs only the case that causes it.
 *
 * A server is tried before anything is played: when it cannot be reached, is
 * no connection manager, or refuses domain or password, no case is played and
 * each is ERROR for that reason.
 */
#ifndef HARNESS_RUN_H
#define HARNESS_RUN_H

#include <stdio.h>

#include "baseline.h"
#include "case_xml.h"
#include "play.h"
#include "reports/result.h"
#include "select.h"
#include "stage_sockets.h"

struct run_options {
    enum role role;
    const char *dir;       /* for result.json, logs; it exists */
    unsigned jobs;         /* 0: all side by side */
    double timeout_factor; /* 1.0 */
    uint64_t seed;
    unsigned repeat; /* plays of each case */
    bool fail_fast;
    FILE *text;                      /* for a person; NULL: for nobody */
    const struct baseline *baseline; /* or NULL */
    bool quiet;                      /* only the summary */
    bool verbose;                    /* each assert of each case */
    bool debug; /* each event as it happens; for a single case */
    /* Somebody looks at each play, the first contact with a server too. */
    struct {
        void *ctx;
        void (*played)(void *ctx, const struct stage_outcome *outcome); /* or
                                                                    NULL */
    } watch;

    /* client role */
    enum driver_kind driver;
    char *const *driver_argv; /* NULL for a person */
    const char *command;      /* the same for a person */
    int patience_ms;          /* see stage_sockets.h */

    /* server role */
    const char *url;
    const char *host; /* of the URL */
    int port;
    bool tls, insecure;
    const char *ca_file;
    const char *host_header;
    const char *path;
    const char *domain;
    const struct account *accounts;
    size_t account_count;
    bool anonymous;
    unsigned sessions;   /* of one account at once; 0: no limit */
    bool hostile;        /* cases that may harm the server, too */
    int64_t max_wait_ms; /* no case lets more time pass at once; 0: no limit */
};

/*
 * Play and judge the selected cases; lines go to o->text as they end.
 *
 * r  initialised, its options and suite_hash filled in; gets everything else.
 * It is written to dir/result.json at the start, while the run goes on, and at
 * the end, so that a run that was killed leaves what it had.
 *
 * Catches SIGINT, SIGTERM and SIGHUP meanwhile: they end the run early, and
 * r->interrupted says so. Returns 0; 1 when a second signal came while what
 * ran was being ended: the result is written, but processes and memory are
 * left, and the program must end; or -1 with e when the run could not begin
 * or its result not be written.
 */
int run_cases(const struct knowledge *k, const struct selection *sel,
              const struct run_options *o, struct result *r, struct err *e);

#endif
