/* The stage on sockets, server role: the wire as a raw client. */
#include "stage_parts.h"

/* ------------------------------------------------ what the player wants */

static unsigned do_request(void *stage, const char *conn,
                           const struct delivery *plan)
{
    struct stage_sockets *st = stage;

    return wire_request(st->wire, &st->world->target, conn, plan);
}

static void do_abort(void *stage, unsigned x, enum delivery_end how)
{
    struct stage_sockets *st = stage;

    wire_abort(st->wire, x, how);
}

static unsigned do_conn(void *stage, unsigned x)
{
    struct stage_sockets *st = stage;

    return wire_conn_of(st->wire, x);
}

static const struct stage_ops server_ops = {
    .request = do_request,
    .conn = do_conn,
    .abort = do_abort,
};

/* ------------------------------------------------ what the wire tells */

static void on_opened(void *ctx, int64_t now_ms, unsigned conn)
{
    struct stage_sockets *st = ctx;

    st->conns++;
    play_opened(st->play, now_ms, conn);
    stage_turn(st);
}

static void on_closed(void *ctx, int64_t now_ms, unsigned conn,
                      enum delivery_end how, bool by_us)
{
    struct stage_sockets *st = ctx;

    play_closed(st->play, now_ms, conn, how, by_us);
    stage_turn(st);
}

static void on_sent(void *ctx, int64_t now_ms, unsigned x)
{
    struct stage_sockets *st = ctx;

    play_sent(st->play, now_ms, x);
    stage_turn(st);
}

static void tell_lost(struct stage_sockets *st)
{
    if (st->lost || st->phase != STAGE_PLAYING || !play_lost_answer(st->play))
        return;
    st->lost = true;
    if (st->sink.lost)
        st->sink.lost(st->sink.ctx);
}

static void tell_slow(struct stage_sockets *st, int64_t now_ms)
{
    int64_t ms = play_take_slowness(st->play);

    if (ms && st->sink.slow)
        st->sink.slow(st->sink.ctx, now_ms, ms);
}

static void on_response(void *ctx, int64_t now_ms, unsigned x,
                        const char *bytes, size_t len, enum wire_part came,
                        const char *problem)
{
    struct stage_sockets *st = ctx;

    play_response(st->play, now_ms, x, bytes, len, stage_part(came), problem);
    tell_lost(st);
    tell_slow(st, now_ms);
    stage_turn(st);
}

int stage_server_start(struct stage_sockets *st, struct err *e)
{
    const struct stage_world *w = st->world;
    struct wire_sink sink = {
        .ctx = st,
        .opened = on_opened,
        .closed = on_closed,
        .sent = on_sent,
        .response = on_response,
        .failed = stage_failed,
    };

    (void)e;
    st->wire = wire_new(w->loop, &sink);
    st->has_status = st->has_stanza = true;
    st->setting.host_header = w->host_header;
    st->setting.path = w->path;
    st->setting.domain = w->domain;
    st->setting.accounts = w->accounts;
    st->setting.account_count = w->account_count;
    st->setting.anonymous = w->anonymous;
    st->setting.hostile = w->hostile;
    st->setting.max_wait_ms = w->max_wait_ms;
    st->setting.tls = w->target.tls;
    stage_play(st, &server_ops);
    return 0;
}
