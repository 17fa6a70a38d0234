/* Many cases side by side: see run.h. */
#include "run_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certs.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define BATCH 8           /* cases that start together, */
#define BATCH_EVERY_MS 40 /* lest a hundred logins be one long pause */
#define LAG_EVERY_MS 10
#define LAG_WORTH_MS 20 /* less says nothing */
#define SAVE_EVERY_MS 250
#define MAX_ATTEMPTS 2
#define OUTAGE_LOSSES 3 /* plays that lose an answer, each within */
#define LOSSES_WITHIN_MS 300

int64_t run_now(const struct run *run)
{
    (void)run;
    return clock_now_ms();
}

/* ------------------------------------------------------------- the end */

static void close_timer(uv_timer_t *timer)
{
    if (!uv_is_closing((uv_handle_t *)timer))
        uv_close((uv_handle_t *)timer, NULL);
}

static void close_timers(void *ctx)
{
    struct run *run = ctx;

    close_timer(&run->start_timer);
    close_timer(&run->lag_timer);
    close_timer(&run->save_timer);
}

bool run_quiet(const struct run *run)
{
    return run->running == 0 && !run->judging && !run->to_judge;
}

/* Nothing is left to do: let the loop end. */
static void close_if_done(struct run *run)
{
    if (run->closing || !run_quiet(run) ||
        (!run->stopping && run->done < run->item_count))
        return;
    run->closing = true;
    if (run->pool)
        driver_pool_free(run->pool, close_timers, run);
    else
        close_timers(run);
}

void run_end_plays(struct run *run, const char *because)
{
    size_t i;

    for (i = 0; i < run->item_count; i++)
        if (run->items[i].stage)
            stage_sockets_abort(run->items[i].stage, because);
}

/* Play no more; what runs is ended and not judged. */
static void stop(struct run *run, const char *because)
{
    run->stopping = true;
    if (run->probe_stage)
        stage_sockets_abort(run->probe_stage, because);
    run_end_plays(run, because);
    close_if_done(run);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct run *run = handle->data;

    (void)signum;
    if (run->result->interrupted) { /* the second: somebody is in a hurry */
        run->given_up = true;
        uv_stop(&run->loop);
        return;
    }
    run->result->interrupted = true;
    if (!run->stopping)
        stop(run, "interrupted");
}

/* ------------------------------------------------------------- verdicts */

void run_start_later(struct run *run, int64_t after_ms)
{
    if (!run->closing && !uv_is_active((uv_handle_t *)&run->start_timer))
        uv_timer_start(&run->start_timer, run->start_timer.timer_cb,
                       (uint64_t)after_ms, 0);
}

/* The only one to be played against the server. */
static bool is_alone(const struct item *it)
{
    return it->alone || it->run->options->jobs == 1;
}

/* Somebody saw the server gone while this was played; or it lost an answer, as
 * all do that are played when one of them brings a server down which is started
 * again at once. */
static bool met_an_outage(const struct item *it)
{
    return it->run->options->role == ROLE_SERVER && !is_alone(it) &&
           it->judgement.verdict != VERDICT_PASS &&
           (it->judgement.lost || it->run->lost_ms >= it->started_ms);
}

static bool again(struct item *it)
{
    if (it->attempts >= MAX_ATTEMPTS)
        return false;
    if (met_an_outage(it)) { /* whose doing it is can be told alone */
        it->alone |= it->judgement.gone || it->judgement.lost;
        return true;
    }
    if (it->driver_lost) {
        it->own = true;
        return true;
    }
    if (it->judgement.lagged) {
        it->alone = true;
        return true;
    }
    return false;
}

static void name_peer(struct run *run)
{
    struct result *r = run->result;

    if (!run->pool || r->peer_name || !driver_pool_peer_name(run->pool)[0])
        return;
    r->peer_name = mem_dup(driver_pool_peer_name(run->pool));
    r->peer_version = mem_dup(driver_pool_peer_version(run->pool));
}

/* The verdict is the result's now. */
static void hand_over(struct run *run, struct item *it)
{
    it->state = ITEM_DONE;
    run->done++;
    run->dirty = true;
    result_add(run->result, &it->verdict);
}

void run_refuse(struct run *run, const char *reason, const char *log)
{
    size_t i;

    for (i = 0; i < run->item_count; i++) {
        struct item *it = &run->items[i];

        if (it->state == ITEM_DONE)
            continue;
        outcome_error(it->tc, reason, &it->verdict);
        it->verdict.log = mem_dup(log);
        hand_over(run, it);
    }
}

static int64_t longest_ms(const struct result_case *c)
{
    int64_t ms = c->duration_ms;
    size_t i;

    for (i = 0; i < c->round_count; i++)
        if (c->rounds[i].duration_ms > ms)
            ms = c->rounds[i].duration_ms;
    return ms;
}

static void count(struct run *run, struct item *it)
{
    struct result *r = run->result;
    bool failed;

    name_peer(run);
    if (longest_ms(&it->verdict) > r->slowest_ms || !r->slowest) {
        r->slowest_ms = longest_ms(&it->verdict);
        free(r->slowest);
        r->slowest = mem_dup(it->tc->id);
    }
    outcome_requirements(run->knowledge, &it->verdict, r);
    hand_over(run, it);
    failed = result_is_failure(r, &r->cases[r->case_count - 1]);
    screen_case(run, &r->cases[r->case_count - 1]);
    if (run->options->fail_fast && failed && !run->stopping)
        stop(run, "another case failed");
}

void run_go_on(struct run *run)
{
    run_start_later(run, 0);
    close_if_done(run);
}

/* The log of the round that is played. Yours. */
static char *log_of(const struct item *it)
{
    size_t round = it->worst.round_count + 1;

    return round == 1 ? mem_printf("cases/%s.log", it->tc->id)
                      : mem_printf("cases/%s.%zu.log", it->tc->id, round);
}

static void end_round(struct run *run, struct item *it)
{
    it->verdict.duration_ms = it->took_ms;
    it->verdict.attempts = it->attempts;
    it->verdict.log = log_of(it);
    if (run->options->baseline)
        baseline_apply(run->options->baseline, &it->verdict);
    if (rounds_add(it)) {
        count(run, it);
        return;
    }
    it->state = ITEM_QUEUED;
    it->attempts = 0;
    it->own = false;
    it->alone = it->apart;
}

void run_judged(struct item *it)
{
    struct run *run = it->run;

    if (it->judgement.gone)
        probe_lost(run, it, is_alone(it));
    if (!run->stopping && again(it))
        it->state = ITEM_QUEUED;
    else
        end_round(run, it);
    run_judge_release(it);
    run_go_on(run);
}

/* ------------------------------------------------------------- one play */

static void tell_lag(struct run *run, int64_t now_ms, int64_t late_ms)
{
    size_t i;

    if (late_ms < LAG_WORTH_MS)
        return;
    for (i = 0; i < run->item_count; i++)
        if (run->items[i].stage)
            stage_sockets_lag(run->items[i].stage, now_ms, late_ms);
}

static void on_played(void *ctx, const struct stage_outcome *o)
{
    struct item *it = ctx;
    struct run *run = it->run;

    if (run->options->watch.played)
        run->options->watch.played(run->options->watch.ctx, o);
    it->journal = o->journal;
    it->because = mem_dup(o->because);
    it->took_ms = o->took_ms;
    it->driver_lost = o->driver_lost;
    it->judge = (struct judge_context){
        .knowledge = run->knowledge,
        .end = o->end,
        .because = it->because,
        .has_status = o->has_status,
        .has_stanza = o->has_stanza,
    };
    if (run->stopping) {
        it->state = ITEM_QUEUED; /* for ever: it was not judged */
        run_judge_release(it);
        return;
    }
    run_judge(it);
}

static void on_gone(void *ctx)
{
    struct item *it = ctx;
    struct run *run = it->run;

    it->stage = NULL;
    run->running--;
    queue_ended(run, it);
    run_go_on(run);
}

/* Several plays lose an answer at the same time: that is the server. */
static void on_lost(void *ctx)
{
    struct item *it = ctx;
    struct run *run = it->run;
    int64_t now_ms = run_now(run);

    if (now_ms - run->losses_ms > LOSSES_WITHIN_MS)
        run->losses = 0;
    run->losses_ms = now_ms;
    if (++run->losses >= OUTAGE_LOSSES || run->losses == run->running)
        run->lost_ms = now_ms;
}

/* The server was late with somebody, perhaps since we ask too much of it: so
 * it was with all, and that is not what their bounds are about. */
static void on_slow(void *ctx, int64_t now_ms, int64_t ms)
{
    struct item *it = ctx;
    struct run *run = it->run;
    int64_t from_ms = now_ms - ms;

    if (from_ms < run->slow_ms)
        from_ms = run->slow_ms; /* that was told already */
    run->slow_ms = now_ms;
    tell_lag(run, now_ms, now_ms - from_ms);
}

static void start(struct run *run, struct item *it)
{
    struct stage_sink sink = {it, on_lost, on_slow, on_played, on_gone};
    char *log = log_of(it);
    char *path = mem_printf("%s/%s", run->options->dir, log);
    struct stage_order order = {
        .tc = it->tc,
        .own_process = it->own,
        .first_account = it->first_account,
        .alone = is_alone(it),
        .log_path = path,
    };
    struct err e = {""};

    it->state = ITEM_RUNNING;
    it->attempts++;
    it->started_ms = run_now(run);
    it->stage = stage_sockets_start(&run->world, &order, &sink, &e);
    free(path);
    free(log);
    if (!it->stage) {
        it->driver_lost = false;
        it->took_ms = 0;
        it->because = mem_dup(e.text);
        run_judge(it);
        return;
    }
    run->running++;
    queue_began(run, it);
}

/* ------------------------------------------------------------- the queue */

static void on_start(uv_timer_t *timer)
{
    struct run *run = timer->data;
    struct item *alone = queue_next_alone(run);
    unsigned started = 0;
    size_t i;

    if (run->probe_stage || probe_again(run)) {
        close_if_done(run);
        return;
    }
    if (alone)
        start(run, alone);
    for (i = 0; i < run->item_count && !alone && started < BATCH; i++)
        if (queue_may_start(run, &run->items[i])) {
            start(run, &run->items[i]);
            started++;
        }
    if (started == BATCH && !run->closing)
        uv_timer_start(timer, on_start, BATCH_EVERY_MS, 0);
    close_if_done(run);
}

/* ------------------------------------------------------------- lag */

static void on_lag(uv_timer_t *timer)
{
    struct run *run = timer->data;
    int64_t now_ms = run_now(run);
    int64_t late_ms = now_ms - run->lag_ms - LAG_EVERY_MS;

    run->lag_ms = now_ms;
    tell_lag(run, now_ms, late_ms);
}

static void on_save(uv_timer_t *timer)
{
    screen_tick(timer->data);
}

/* ------------------------------------------------------------- the run */

static void begin_loop(struct run *run)
{
    uv_loop_init(&run->loop);
    uv_timer_init(&run->loop, &run->start_timer);
    uv_timer_init(&run->loop, &run->lag_timer);
    uv_timer_init(&run->loop, &run->save_timer);
    run->start_timer.data = run->lag_timer.data = run->save_timer.data = run;
    signals_start(&run->signals, &run->loop, on_signal, run);
    signals_unref(&run->signals); /* caught until the result is written */
    run->begun_ms = run->lag_ms = run_now(run);
    uv_timer_start(&run->start_timer, on_start, 0, 0);
    uv_timer_start(&run->lag_timer, on_lag, LAG_EVERY_MS, LAG_EVERY_MS);
    uv_timer_start(&run->save_timer, on_save, SAVE_EVERY_MS, SAVE_EVERY_MS);
}

static void fill_world(struct run *run)
{
    const struct run_options *o = run->options;

    run->world = (struct stage_world){
        .loop = &run->loop,
        .timeout_factor = o->timeout_factor,
        .seed = o->seed,
        .peer = o->url ? o->url : o->command,
        .started = run->result->started,
        .seen = {run, o->debug ? screen_event : NULL},
        .driver = o->driver,
        .pool = run->pool,
        .certs = run->certs,
        .argv = o->driver_argv,
        .watch = run->watch,
        .patience_ms = o->patience_ms,
        .dir = o->dir,
        .target = {.host = o->host,
                   .port = o->port,
                   .tls = o->tls,
                   .insecure = o->insecure,
                   .ca_file = o->ca_file},
        .host_header = o->host_header,
        .path = o->path,
        .domain = o->domain,
        .accounts = o->accounts,
        .account_count = o->account_count,
        .anonymous = o->anonymous,
        .hostile = o->hostile,
        .max_wait_ms = o->max_wait_ms,
    };
}

static void fill_result(struct run *run, const struct selection *sel)
{
    struct result *r = run->result;
    char started[32] = "";
    time_t now = time(NULL);
    struct tm tm;

    if (gmtime_r(&now, &tm))
        strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &tm);
    r->started = mem_dup(started);
    r->role = mem_dup(role_name(run->options->role));
    r->peer_command = mem_dup(run->options->command);
    r->peer_url = mem_dup(run->options->url);
    r->selected = sel->count;
}

static void begin_pool(struct run *run, struct driver_options *o)
{
    struct err e = {""};

    *o = driver_options_default();
    o->argv = run->options->driver_argv;
    o->hello_ms = (int)(o->hello_ms * run->options->timeout_factor);
    o->verb_ms = (int)(o->verb_ms * run->options->timeout_factor);
    o->salt = (unsigned)run->options->seed;
    run->pool = driver_pool_new(&run->loop, o, run->options->dir);
    /* when it fails, each case says so */
    (void)driver_pool_warm(run->pool, &e);
}

/* When they cannot be made, each case that needs them says so. */
static void make_certs(struct run *run, const struct selection *sel)
{
    struct err e = {""};
    bool wanted = false;

    for (size_t i = 0; i < sel->count; i++)
        wanted |= testcase_has_tls(sel->cases[i]);
    if (!wanted)
        return;
    run->certs = certs_new(run->options->dir, &e);
    if (!run->certs)
        log_line(LOG_ERROR, "run", "%s", e.text);
}

/* Rounds that were played are not lost when the run ends early. */
static void conclude_rounds(struct run *run)
{
    size_t i;

    for (i = 0; i < run->item_count; i++) {
        struct item *it = &run->items[i];

        if (it->state == ITEM_DONE || it->worst.round_count == 0 ||
            it == run->judging)
            continue;
        rounds_conclude(it);
        count(run, it);
    }
}

static void end_run(struct run *run)
{
    size_t i;

    signals_close(&run->signals);
    if (run->result->interrupted)
        signals_ignore(); /* reports are still to be written, soon */
    uv_run(&run->loop, UV_RUN_DEFAULT);
    driver_watch_free(run->watch);
    if (uv_loop_close(&run->loop) != 0)
        log_line(LOG_ERROR, "run", "the loop still has something open");
    for (i = 0; i < run->item_count; i++)
        result_case_release(&run->items[i].worst);
    free(run->items);
    live_release(&run->live);
    testcase_free(run->probe);
    free(run->lost);
    certs_free(run->certs);
    free(run->path);
}

int run_cases(const struct knowledge *k, const struct selection *sel,
              const struct run_options *o, struct result *r, struct err *e)
{
    struct run run = {.knowledge = k, .options = o, .result = r};
    struct driver_options driver;
    int rc = 0;

    run.to_judge_end = &run.to_judge;
    if (o->text) {
        run.style = text_style_for(fileno(o->text));
        run.screen = isatty(fileno(o->text)) && !o->quiet && !o->debug;
    }
    live_init(&run.live, &run.style);
    run.path = mem_printf("%s/result.json", o->dir);
    begin_loop(&run);
    if (o->role == ROLE_CLIENT && o->driver == DRIVER_LINE)
        begin_pool(&run, &driver);
    if (o->role == ROLE_CLIENT)
        make_certs(&run, sel);
    if (o->driver == DRIVER_URL)
        run.watch = driver_watch_new();
    fill_result(&run, sel);
    fill_world(&run);
    queue_fill(&run, sel);
    screen_save(&run);
    if (o->role == ROLE_SERVER)
        probe_start(&run);
    uv_run(&run.loop, UV_RUN_DEFAULT);

    r->finished = !r->interrupted && run.done == run.item_count;
    conclude_rounds(&run);
    screen_save(&run);
    screen_summary(&run);
    if (run.trouble.text[0])
        rc = err_set(e, "%s", run.trouble.text);
    if (run.given_up)
        return rc < 0 ? rc : 1;
    end_run(&run);
    return rc;
}
