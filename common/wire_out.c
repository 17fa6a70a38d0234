/* Carrying out plans towards a client: pieces, ends, acknowledgements. See
 * wire_internal.h. */
#include "wire_internal.h"

#include "clock.h"

#define ACKS_MAX_MS 10

static struct exchange *next_unfinished(struct conn *c)
{
    struct exchange *x = c->first;

    while (x && x->finished)
        x = x->next_on;
    return x;
}

static void tell_delivered(struct exchange *x, struct wire *w,
                           enum wire_part how)
{
    x->told = true;
    if (!w->dead && w->sink.delivered)
        w->sink.delivered(w->sink.ctx, clock_now_ms(), x->id, how);
}

/* Off the queue, if nothing more is to come of it. */
static void settle(struct exchange *x)
{
    if (!x->finished || !x->told || x->reading)
        return;
    x->over = true;
    if (x->conn->io->paused || x->next_on) /* there is room again */
        wire_dirty(x->conn);
    wire_x_unlink(x);
}

bool wire_out_pieces(struct conn *c, struct exchange *x)
{
    while (x->piece < x->plan.piece_count) {
        const struct delivery_piece *p = &x->plan.pieces[x->piece];
        int64_t now_ms = clock_now_ms();

        if (now_ms < x->due_ms) {
            wire_conn_timer(c, x->due_ms);
            return false;
        }
        if (c->io->out.len)
            return false; /* until it is drained */
        if (x->piece == 0)
            x->from = c->io->sent;
        wire_io_write(c->io, p->bytes, p->len);
        x->piece++;
        x->due_ms =
            now_ms + (x->piece < x->plan.piece_count ? p[1].after_ms
                                                     : x->plan.end_after_ms);
    }
    if (c->io->out.len)
        return false;
    if (!x->written) {
        x->written = true;
        x->until = c->io->sent;
        c->wire->acks_ms = 1;
    }
    return true;
}

static void carry_out_end(struct conn *c, struct exchange *x)
{
    switch (x->plan.end) {
    case DELIVERY_KEEP:
        if (x->plan_closes || !x->keep_alive)
            wire_out_end(c, DELIVERY_FIN, false);
        break;
    case DELIVERY_FIN:
    case DELIVERY_RST:
        wire_out_end(c, x->plan.end, false);
        break;
    case DELIVERY_HALF:
        c->half = true;
        wire_io_fin(c->io);
        break;
    case DELIVERY_HANG:
        c->mute = true;
        break;
    }
}

static void send_100(struct conn *c, struct exchange *x)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    x->want_100 = false;
    if (x->reading && !c->io->out.len)
        wire_io_write(c->io, line, sizeof line - 1);
}

void wire_out_work(struct conn *c)
{
    struct exchange *x;

    while (!c->finishing && (x = next_unfinished(c)) != NULL) {
        bool blocked = c->mute || c->half;

        if (!x->planned || x->ignored) {
            if (x->want_100 && !x->ignored && !blocked)
                send_100(c, x);
            break;
        }
        if (blocked) { /* these bytes will never leave */
            x->finished = true;
            if (!x->told)
                tell_delivered(x, c->wire, WIRE_NONE);
            settle(x);
            continue;
        }
        if (!wire_out_pieces(c, x))
            break;
        if (clock_now_ms() < x->due_ms) {
            wire_conn_timer(c, x->due_ms);
            break;
        }
        x->finished = true;
        carry_out_end(c, x);
    }
}

bool wire_out_check(struct conn *c)
{
    uint64_t acked = 0;
    bool asked = false;
    struct exchange *next;

    for (struct exchange *x = c->first; x && !c->wire->dead; x = next) {
        next = x->next_on;
        if (!x->written)
            break;
        if (!x->told) {
            if (!asked)
                acked = wire_io_acked(c->io);
            asked = true;
            if (acked < x->until)
                break;
            tell_delivered(x, c->wire, x->whole);
        }
        settle(x);
    }
    for (struct exchange *x = c->first; x; x = x->next_on)
        if (x->written && !x->told)
            return true;
    return false;
}

/* One connection's turn: true while it must be looked at again. */
static bool watch(struct conn *c)
{
    bool outstanding;

    if (!c->relay || c->gone || c->lingering || !c->io)
        return false;
    outstanding = wire_out_check(c);
    if (!c->finishing || c->wire->dead)
        return outstanding;
    if (outstanding &&
        (c->end_how != DELIVERY_RST || clock_now_ms() < c->patience_ms))
        return true;
    if (c->end_how == DELIVERY_FIN && !c->io->fin_sent)
        return true;
    wire_conn_end(c, c->end_how, true, NULL);
    return false;
}

static void acks_asked(uv_timer_t *timer)
{
    struct wire *w = timer->data;

    w->acks_ms = w->acks_ms * 2 < ACKS_MAX_MS ? w->acks_ms * 2 : ACKS_MAX_MS;
    wire_kick(w);
}

void wire_out_watch(struct wire *w)
{
    bool outstanding = false;

    for (struct conn *c = w->conns; c && !w->dead; c = c->next)
        if (watch(c))
            outstanding = true;
    if (!outstanding || w->dead)
        return;
    if (w->acks_ms < 1)
        w->acks_ms = 1;
    if (!uv_is_active((uv_handle_t *)&w->acks)) {
        uv_update_time(w->loop);
        uv_timer_start(&w->acks, acks_asked, (uint64_t)w->acks_ms, 0);
    }
}

/* at_once: a RST does not wait for acknowledgements. */
void wire_out_end(struct conn *c, enum delivery_end how, bool at_once)
{
    if (how == DELIVERY_RST && at_once) {
        wire_out_check(c);
        wire_conn_end(c, how, true, NULL);
        return;
    }
    c->finishing = true;
    c->end_how = how;
    c->patience_ms = clock_now_ms() + WIRE_RESET_PATIENCE_MS;
    wire_io_pause(c->io, c->deaf);
    if (how == DELIVERY_FIN)
        wire_io_fin(c->io);
}
