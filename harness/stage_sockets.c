/* The stage on sockets, what both roles share: see stage_sockets.h. */
#include "stage_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "redact.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define SETTLE_MS 250    /* a pipe and a socket have no common order */
#define SIGN_OFF_MS 3000 /* for a driver to leave */
#define HURRY_MS 200     /* the same when the run is being stopped */
#define SPARE_MS 20000   /* of a play beyond the sum of its waits */

int64_t stage_now(const struct stage_sockets *st)
{
    (void)st;
    return clock_now_ms();
}

enum play_part stage_part(enum wire_part part)
{
    switch (part) {
    case WIRE_NONE:
        return PLAY_NONE;
    case WIRE_PART:
        return PLAY_PART;
    case WIRE_WHOLE:
        return PLAY_WHOLE;
    case WIRE_UNKNOWN:
        break;
    }
    return PLAY_UNKNOWN;
}

/* No case goes on longer, whatever its steps want. */
#define PLAY_MAX_MS (60 * 60 * 1000)

int64_t stage_sockets_bound_ms(const struct testcase *tc, double factor)
{
    return (int64_t)((double)tc->worst_ms * factor) + SPARE_MS;
}

/* ------------------------------------------------------------- the log */

/* The log's first line also says what only the run knows. */
static void make_head(const struct stage_sockets *st, const struct event *ev,
                      struct event *head)
{
    size_t i;

    event_init(head, "log");
    head->seq = ev->seq;
    head->t_ms = ev->t_ms;
    for (i = 0; i < ev->attr_count; i++)
        event_set(head, ev->attrs[i].name, event_get(ev, ev->attrs[i].name));
    event_set(head, "peer", st->peer ? st->peer : st->world->peer);
    event_setf(head, "seed", "%llu", (unsigned long long)st->world->seed);
    event_set(head, "started", st->world->started);
    event_setf(head, "reports", "%s%s%s", st->has_status ? "status" : "",
               st->has_status && st->has_stanza ? " " : "",
               st->has_stanza ? "stanza" : "");
}

static void write_event(struct stage_sockets *st, const struct event *ev)
{
    struct buf line = BUF_INIT;

    if (st->world->seen.add)
        st->world->seen.add(st->world->seen.ctx, ev);
    if (!st->log)
        return;
    event_write(&line, ev);
    if (fwrite(line.data, 1, line.len, st->log) != line.len ||
        fflush(st->log) != 0) {
        log_line(LOG_ERROR, "stage", "%s: %s", st->log_path, strerror(errno));
        fclose(st->log);
        st->log = NULL;
    }
    buf_release(&line);
}

/* A real server's passwords do not go into files; the mock's are no secret. */
static void write_redacted(struct stage_sockets *st, const struct event *ev)
{
    struct event copy = *ev;
    char *data = mem_dupn(ev->data, ev->data_len);

    redact(data, ev->data_len);
    copy.data = data;
    write_event(st, &copy);
    free(data);
}

static void log_event(void *ctx, const struct event *ev)
{
    struct stage_sockets *st = ctx;

    if (strcmp(ev->name, "log") == 0) {
        struct event head;

        make_head(st, ev, &head);
        write_event(st, &head);
        event_release(&head);
    } else if (ev->data && st->tc->role == ROLE_SERVER) {
        write_redacted(st, ev);
    } else {
        write_event(st, ev);
    }
}

static int make_folders(const char *path, struct err *e)
{
    char *copy = mem_dup(path);
    char *slash = copy;
    int rc = 0;

    while (rc == 0 && (slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            rc = err_set(e, "%s: %s", copy, strerror(errno));
        *slash = '/';
    }
    free(copy);
    return rc;
}

static int open_log(struct stage_sockets *st, struct err *e)
{
    if (make_folders(st->log_path, e) < 0)
        return -1;
    st->log = fopen(st->log_path, "we");
    if (!st->log)
        return err_set(e, "%s: %s", st->log_path, strerror(errno));
    return 0;
}

/* ------------------------------------------------------------- the play */

/* splitmix64: a play's numbers follow from the seed and the case alone. */
static uint64_t roll(void *ctx)
{
    struct stage_sockets *st = ctx;
    uint64_t z = (st->dice += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void stage_play(struct stage_sockets *st, const struct stage_ops *ops)
{
    struct event_sink log = {st, log_event};
    int64_t now_ms = stage_now(st);

    st->setting.timeout_factor = st->world->timeout_factor;
    st->setting.has_status = st->has_status;
    st->setting.has_stanza = st->has_stanza;
    st->setting.random = roll;
    st->setting.random_ctx = st;
    st->phase = STAGE_PLAYING;
    st->begun_ms = now_ms;
    st->phase_ms =
        now_ms + stage_sockets_bound_ms(st->tc, st->world->timeout_factor);
    st->play = play_new(st->tc, ops, st, &st->setting, &log);
    play_start(st->play, now_ms);
    stage_turn(st);
}

/* ------------------------------------------------------------- the end */

static void free_stage(struct stage_sockets *st)
{
    void (*gone)(void *ctx) = st->sink.gone;
    void *ctx = st->sink.ctx;

    if (st->tc->role == ROLE_CLIENT)
        stage_client_release(st);
    play_free(st->play);
    if (st->log)
        fclose(st->log);
    free(st->log_path);
    free(st);
    if (gone)
        gone(ctx);
}

void stage_closed(void *stage)
{
    struct stage_sockets *st = stage;

    if (--st->handles == 0)
        free_stage(st);
}

static void timer_closed(uv_handle_t *handle)
{
    stage_closed(handle->data);
}

static void close_everything(struct stage_sockets *st)
{
    st->phase = STAGE_CLOSING;
    if (st->tc->role == ROLE_CLIENT)
        stage_client_close(st);
    wire_free(st->wire, stage_closed, st);
    uv_close((uv_handle_t *)&st->timer, timer_closed);
}

static bool is_untouched(const struct stage_sockets *st, enum play_end end)
{
    return st->tc->role == ROLE_CLIENT && st->conns == 0 && !st->no_driver &&
           st->unanswered == 0 && !st->driver_lost && !st->verb_refused &&
           end != PLAY_NA && st->play;
}

static void tell_played(struct stage_sockets *st)
{
    struct stage_outcome o = {0};

    o.end = st->play ? play_how(st->play) : PLAY_ERROR;
    o.because = st->play ? play_because(st->play) : "not started";
    o.line = st->play ? play_line(st->play) : 0;
    if (is_untouched(st, o.end)) {
        o.end = PLAY_ERROR;
        o.because = "the client never connected";
    }
    if (st->play) {
        if (st->tc->role == ROLE_CLIENT)
            stage_client_own_up(st);
        play_finish(st->play, stage_now(st));
        o.journal = play_take_journal(st->play);
    }
    o.took_ms = st->over_ms - st->begun_ms;
    o.driver_lost = st->driver_lost;
    o.has_status = st->has_status;
    o.has_stanza = st->has_stanza;
    st->sink.played(st->sink.ctx, &o);
}

/* ------------------------------------------------------------- the clock */

static void begin_settling(struct stage_sockets *st, int64_t now_ms)
{
    bool settles = st->tc->role == ROLE_CLIENT && st->conns > 0 && !st->hurry;

    st->phase = STAGE_SETTLING;
    st->over_ms = now_ms;
    st->phase_ms = now_ms + (settles ? SETTLE_MS : 0);
}

static int64_t sign_off_bound_ms(const struct stage_sockets *st)
{
    if (st->hurry)
        return HURRY_MS;
    if (st->tc->role == ROLE_CLIENT)
        return SIGN_OFF_MS;
    /* the play has bounds of its own */
    return (int64_t)(6 * SIGN_OFF_MS * st->world->timeout_factor);
}

static void begin_sign_off(struct stage_sockets *st, int64_t now_ms)
{
    st->phase = STAGE_SIGNING_OFF;
    st->phase_ms = now_ms + sign_off_bound_ms(st);
    if (st->tc->role == ROLE_CLIENT)
        stage_client_sign_off(st);
    else
        play_sign_off(st->play, now_ms);
}

static bool signed_off(const struct stage_sockets *st)
{
    return st->tc->role == ROLE_CLIENT ? stage_client_signed_off(st)
                                       : play_signed_off(st->play);
}

static void out_of_time(struct stage_sockets *st, int64_t now_ms)
{
    char *why = mem_printf("the play did not end within %lld s",
                           (long long)(st->phase_ms - st->begun_ms) / 1000);

    play_abort(st->play, now_ms, PLAY_ERROR, why);
    free(why);
}

static void on_timer(uv_timer_t *timer)
{
    struct stage_sockets *st = timer->data;
    int64_t now_ms = stage_now(st);

    if (st->play && now_ms >= play_deadline_ms(st->play))
        play_tick(st->play, now_ms);
    stage_told_tick(st, now_ms);
    if (st->phase == STAGE_PLAYING && now_ms >= st->phase_ms)
        out_of_time(st, now_ms);
    if (st->phase == STAGE_WAITING && now_ms >= st->phase_ms) {
        st->over_ms = now_ms;
        tell_played(st);
        close_everything(st);
        return;
    }
    if (st->phase == STAGE_PLAYING && play_over(st->play))
        begin_settling(st, now_ms);
    if (st->phase == STAGE_SETTLING && now_ms >= st->phase_ms)
        begin_sign_off(st, now_ms);
    if (st->phase == STAGE_SIGNING_OFF &&
        (now_ms >= st->phase_ms || signed_off(st))) {
        tell_played(st);
        close_everything(st);
        return;
    }
    stage_turn(st);
}

/* The bound of a play was a guess: some waits are worked out while it runs. A
 * step that has a deadline of its own may have that long. */
static void extend_bound(struct stage_sockets *st, int64_t deadline_ms)
{
    int64_t most_ms = st->begun_ms + PLAY_MAX_MS;

    if (st->phase != STAGE_PLAYING || deadline_ms == CLOCK_NEVER)
        return;
    if (deadline_ms + SPARE_MS > st->phase_ms)
        st->phase_ms =
            deadline_ms + SPARE_MS < most_ms ? deadline_ms + SPARE_MS : most_ms;
}

void stage_turn(struct stage_sockets *st)
{
    int64_t now_ms = stage_now(st);
    int64_t at = st->play ? play_deadline_ms(st->play) : CLOCK_NEVER;

    if (st->phase == STAGE_CLOSING)
        return;
    extend_bound(st, at);
    if (st->phase_ms < at)
        at = st->phase_ms;
    if (stage_told_deadline(st, now_ms) < at)
        at = stage_told_deadline(st, now_ms);
    if ((st->phase == STAGE_PLAYING && play_over(st->play)) ||
        (st->phase == STAGE_SIGNING_OFF && signed_off(st)))
        at = now_ms;
    uv_timer_start(&st->timer, on_timer,
                   at > now_ms ? (uint64_t)(at - now_ms) : 0, 0);
}

/* ------------------------------------------------------------- the API */

struct stage_sockets *stage_sockets_start(const struct stage_world *w,
                                          const struct stage_order *order,
                                          const struct stage_sink *sink,
                                          struct err *e)
{
    struct stage_sockets *st = mem_alloc(sizeof *st);
    const struct testcase *tc = order->tc;
    const char *c;
    int rc;

    st->world = w;
    st->tc = tc;
    st->own_process = order->own_process;
    st->setting.first_account = order->first_account;
    st->setting.alone = order->alone;
    st->log_path = mem_dup(order->log_path);
    st->dice = w->seed;
    for (c = tc->id; *c; c++)
        st->dice = st->dice * 31 + (unsigned char)*c;
    st->begun_ms = st->over_ms = stage_now(st);
    st->phase_ms = CLOCK_NEVER; /* the pool answers, however long it takes */
    st->handles = 2;            /* the timer and the wire */
    uv_timer_init(w->loop, &st->timer);
    st->timer.data = st;
    rc = open_log(st, e);
    if (rc == 0)
        rc = tc->role == ROLE_CLIENT ? stage_client_start(st, e)
                                     : stage_server_start(st, e);
    if (rc < 0) {
        if (st->wire)
            close_everything(st); /* no sink yet: it goes in silence */
        else
            uv_close((uv_handle_t *)&st->timer, timer_closed);
        st->handles -= !st->wire;
        return NULL;
    }
    st->sink = *sink;
    stage_turn(st);
    return st;
}

void stage_sockets_abort(struct stage_sockets *st, const char *because)
{
    st->hurry = true;
    if (st->play)
        play_abort(st->play, stage_now(st), PLAY_ERROR, because);
    if (st->phase != STAGE_PLAYING)
        st->phase_ms = stage_now(st);
    stage_turn(st);
}

void stage_failed(void *stage, int64_t now_ms, const char *problem)
{
    struct stage_sockets *st = stage;

    if (st->play)
        play_abort(st->play, now_ms, PLAY_ERROR, problem);
    stage_turn(st);
}

void stage_sockets_lag(struct stage_sockets *st, int64_t now_ms,
                       int64_t late_ms)
{
    if (st->phase == STAGE_PLAYING)
        play_lag(st->play, now_ms, late_ms);
}
