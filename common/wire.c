/* A wire, its connections and exchanges: what both uses share. See wire.h
 * and wire_internal.h. */
#include "wire_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

void wire_handle_opened(struct wire *w)
{
    w->handles++;
}

void wire_handle_closed(struct wire *w)
{
    if (--w->handles > 0)
        return;
    if (w->done)
        w->done(w->done_ctx);
    free(w);
}

static void handle_closed(uv_handle_t *handle)
{
    wire_handle_closed(handle->data);
}

/* ---- exchanges ---- */

struct exchange *wire_x_new(struct conn *c)
{
    struct exchange *x = mem_alloc(sizeof *x);
    struct exchange **last = &c->first;

    x->id = ++c->wire->last_x;
    x->begun_ms = clock_now_ms();
    x->conn = c;
    x->keep_alive = true;
    x->next = c->wire->exchanges;
    c->wire->exchanges = x;
    while (*last)
        last = &(*last)->next_on;
    *last = x;
    return x;
}

struct exchange *wire_x_find(struct wire *w, unsigned id)
{
    for (struct exchange *x = w->exchanges; x; x = x->next)
        if (x->id == id)
            return x->over ? NULL : x;
    return NULL;
}

void wire_x_unlink(struct exchange *x)
{
    struct exchange **at;

    if (!x->conn)
        return;
    for (at = &x->conn->first; *at != x; at = &(*at)->next_on)
        ;
    *at = x->next_on;
    x->next_on = NULL;
    if (x->conn->reading == x)
        x->conn->reading = NULL;
    x->conn = NULL;
}

static void x_free(struct exchange *x)
{
    wire_x_unlink(x);
    if (x->inside)
        x->inside->x = NULL;
    delivery_release(&x->plan);
    buf_release(&x->request);
    free(x);
}

/* Free what is over, and the oldest of too many that were abandoned: the
 * list begins with the newest. */
static void reap(struct wire *w, bool all)
{
    struct exchange **at = &w->exchanges;
    size_t orphans = 0;

    while (*at) {
        struct exchange *x = *at;
        bool orphan = !x->conn && !x->inside;

        if (orphan && !x->over && ++orphans > WIRE_MAX_ORPHANS)
            x->over = true;
        if (all || (x->over && !x->conn && !x->inside)) {
            *at = x->next;
            x_free(x);
        } else {
            at = &x->next;
        }
    }
}

/* ---- connections ---- */

struct conn *wire_conn_find(struct wire *w, unsigned id)
{
    for (struct conn *c = w->conns; c; c = c->next)
        if (c->id == id)
            return c->gone ? NULL : c;
    return NULL;
}

static void conn_timer(uv_timer_t *timer)
{
    struct conn *c = timer->data;

    if (c->wire->torn || c->gone)
        return;
    wire_dirty(c);
}

struct conn *wire_conn_new(struct wire *w, bool relay)
{
    struct conn *c = mem_alloc(sizeof *c);

    c->wire = w;
    c->id = ++w->last_conn;
    c->relay = relay;
    http_framer_init(&c->framer, relay ? HTTP_REQUEST : HTTP_RESPONSE);
    uv_timer_init(w->loop, &c->timer);
    c->timer.data = c;
    wire_handle_opened(w);
    c->next = w->conns;
    w->conns = c;
    w->conn_count++;
    return c;
}

void wire_conn_timer(struct conn *c, int64_t at_ms)
{
    int64_t in_ms = at_ms - clock_now_ms();

    uv_update_time(c->wire->loop);
    uv_timer_start(&c->timer, conn_timer, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

static void conn_free(uv_handle_t *timer)
{
    struct conn *c = timer->data;
    struct wire *w = c->wire;
    struct conn **at;

    for (at = &w->conns; *at != c; at = &(*at)->next)
        ;
    *at = c->next;
    for (at = &w->dirty; *at; at = &(*at)->next_dirty)
        if (*at == c) {
            *at = c->next_dirty;
            break;
        }
    w->conn_count--;
    buf_release(&c->in);
    wire_tls_free(c->tls);
    free(c->name);
    free(c->host);
    free(c->ca_file);
    free(c->sni);
    free(c);
    wire_handle_closed(w);
}

static void conn_let_go(struct conn *c)
{
    if (c->inside)
        wire_inside_hang_up(c->inside);
    while (c->first) {
        struct exchange *x = c->first;

        if (x->inside)
            wire_inside_hang_up(x->inside);
        wire_x_unlink(x);
    }
}

/* Let go of everything without a word. */
static void conn_drop(struct conn *c, bool reset)
{
    if (c->gone)
        return;
    c->gone = true;
    wire_io_close(c->io, reset);
    conn_let_go(c);
    wire_resolve_cancel(c);
    uv_close((uv_handle_t *)&c->timer, conn_free);
    wire_kick(c->wire);
}

void wire_conn_end(struct conn *c, enum delivery_end how, bool by_us,
                   const char *problem)
{
    struct wire *w = c->wire;
    bool told = c->relay || c->told;

    if (c->gone || w->dead)
        return;
    if (c->lingering) { /* everything was said when that began */
        conn_drop(c, how == DELIVERY_RST);
        return;
    }
    c->closing = true;
    if (c->relay)
        wire_relay_ending(c, how, by_us);
    else
        wire_client_ending(c, problem);
    if (c->relay && by_us && how == DELIVERY_FIN && !c->io->ended) {
        conn_let_go(c);
        wire_io_fin(c->io);
        c->lingering = true;
        c->patience_ms = clock_now_ms() + WIRE_LINGER_MS;
        wire_io_pause(c->io, false);
        wire_conn_timer(c, c->patience_ms);
    } else {
        conn_drop(c, how == DELIVERY_RST && by_us);
    }
    if (told && !w->dead && w->sink.closed)
        w->sink.closed(w->sink.ctx, clock_now_ms(), c->id, how, by_us);
}

/* ---- the kick ---- */

static void tear_down(struct wire *w)
{
    w->torn = true;
    wire_listener_free(w);
    for (struct conn *c = w->conns; c; c = c->next)
        conn_drop(c, false);
    wire_inside_free_all(w);
    reap(w, true);
    wire_tls_creds_free(w->creds);
    w->creds = NULL;
    uv_close((uv_handle_t *)&w->acks, handle_closed);
    uv_close((uv_handle_t *)&w->kick, handle_closed);
}

static void conn_cut(struct conn *c)
{
    switch (c->cut_how) {
    case DELIVERY_RST:
    case DELIVERY_FIN:
        if (c->relay)
            wire_out_end(c, c->cut_how, true);
        else
            wire_conn_end(c, c->cut_how, true, "given up");
        break;
    case DELIVERY_HALF:
        c->half = true;
        if (c->io)
            wire_io_fin(c->io);
        break;
    case DELIVERY_HANG:
        c->mute = true;
        break;
    case DELIVERY_KEEP:
        break;
    }
}

static void conn_work(struct conn *c)
{
    if (c->gone || c->wire->dead)
        return;
    if (c->lingering) {
        if (clock_now_ms() >= c->patience_ms)
            wire_conn_end(c, DELIVERY_FIN, true, NULL);
        else
            wire_conn_timer(c, c->patience_ms);
        return;
    }
    if (c->cut) {
        c->cut = false;
        conn_cut(c);
    }
    if (c->gone || c->lingering || c->wire->dead)
        return;
    if (c->relay)
        wire_relay_work(c);
    else
        wire_client_work(c);
}

void wire_fail(struct wire *w, const char *fmt, ...)
{
    va_list ap;

    if (w->failed)
        return;
    w->failed = true;
    va_start(ap, fmt);
    vsnprintf(w->problem.text, sizeof w->problem.text, fmt, ap);
    va_end(ap);
    wire_kick(w);
}

static void tell_failure(struct wire *w)
{
    if (w->problem.text[0] && !w->dead && w->sink.failed)
        w->sink.failed(w->sink.ctx, clock_now_ms(), w->problem.text);
    w->problem.text[0] = '\0';
}

static void kicked(uv_timer_t *timer)
{
    struct wire *w = timer->data;

    tell_failure(w);
    while (w->dirty && !w->dead) {
        struct conn *c = w->dirty;

        w->dirty = c->next_dirty;
        c->dirty = false;
        conn_work(c);
    }
    if (w->orphans_dirty && !w->dead) {
        w->orphans_dirty = false;
        wire_inside_orphans(w);
    }
    if (!w->dead)
        wire_out_watch(w);
    if (w->dead && !w->torn)
        tear_down(w);
    else if (!w->dead)
        reap(w, false);
}

void wire_kick(struct wire *w)
{
    if (!w->torn && !uv_is_active((uv_handle_t *)&w->kick))
        uv_timer_start(&w->kick, kicked, 0, 0);
}

void wire_dirty(struct conn *c)
{
    if (!c->dirty) {
        c->dirty = true;
        c->next_dirty = c->wire->dirty;
        c->wire->dirty = c;
    }
    wire_kick(c->wire);
}

/* ---- what wire.h offers to both uses ---- */

struct wire *wire_new(uv_loop_t *loop, const struct wire_sink *sink)
{
    struct wire *w = mem_alloc(sizeof *w);

    w->loop = loop;
    w->sink = *sink;
    uv_timer_init(loop, &w->kick);
    uv_timer_init(loop, &w->acks);
    w->kick.data = w;
    w->acks.data = w;
    w->handles = 2;
    return w;
}

void wire_free(struct wire *w, void (*done)(void *ctx), void *ctx)
{
    if (!w || w->dead)
        return;
    w->dead = true;
    w->done = done;
    w->done_ctx = ctx;
    wire_kick(w);
}

void wire_cut(struct wire *w, unsigned conn, enum delivery_end how)
{
    struct conn *c = wire_conn_find(w, conn);

    if (!c || c->lingering)
        return;
    c->cut = true;
    c->cut_how = how;
    wire_dirty(c);
}

void wire_deafen(struct wire *w, unsigned conn, bool deaf)
{
    struct conn *c = wire_conn_find(w, conn);

    if (!c || c->lingering)
        return;
    c->deaf = deaf;
    wire_dirty(c);
}

enum wire_part wire_plan_part(const struct delivery *plan, bool no_body,
                              bool *closes)
{
    struct buf all = BUF_INIT;
    struct http_message m;
    enum http_progress got;
    bool eof = plan->end == DELIVERY_FIN || plan->end == DELIVERY_HALF;
    bool until_eof = false;
    size_t at = 0;
    size_t used = 0;

    for (size_t i = 0; i < plan->piece_count; i++)
        buf_add(&all, plan->pieces[i].bytes, plan->pieces[i].len);
    for (;;) {
        got = http_read(HTTP_RESPONSE, buf_str(&all) + at, all.len - at,
                        no_body, eof, &m, &used, NULL);
        if (got != HTTP_WHOLE || m.status >= 200 || m.status == 101)
            break;
        at += used;
        http_message_release(&m);
    }
    /* Without a length it ends with the connection: we end it for KEEP. */
    if (got == HTTP_HEAD && plan->end == DELIVERY_KEEP) {
        http_message_release(&m);
        got = http_read(HTTP_RESPONSE, buf_str(&all) + at, all.len - at,
                        no_body, true, &m, &used, NULL);
        until_eof = got == HTTP_WHOLE;
    }
    if (closes)
        *closes = got == HTTP_WHOLE && (until_eof || !m.keep_alive);
    http_message_release(&m);
    buf_release(&all);
    if (got == HTTP_WHOLE)
        return WIRE_WHOLE;
    return delivery_len(plan) ? WIRE_PART : WIRE_NONE;
}
