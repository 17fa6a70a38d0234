/* The relay's outer side: accept, requests in, what becomes of them. See
 * wire_internal.h. */
#include "wire_internal.h"

#include <string.h>

#include "clock.h"

/* Bytes of whole requests that are kept on one connection. */
#define MAX_KEPT (2 * (size_t)WIRE_MAX_BODY)

/* ---- requests in ---- */

static void read_facts(struct exchange *x, const char *bytes, size_t len)
{
    struct http_message m;
    size_t used;

    http_read(HTTP_REQUEST, bytes, len, false, false, &m, &used, NULL);
    x->no_body = strcmp(m.method, "HEAD") == 0;
    x->keep_alive = m.keep_alive;
    x->want_100 = m.minor >= 1 && http_header_has(&m, "Expect", "100-continue");
    http_message_release(&m);
}

static void tell_request(struct conn *c, struct exchange *x,
                         enum wire_part arrived, const char *problem)
{
    struct wire *w = c->wire;

    x->reading = false;
    c->reading = NULL;
    x->want_100 = false;
    if (!w->dead && w->sink.request)
        w->sink.request(w->sink.ctx, clock_now_ms(), x->begun_ms, x->id, c->id,
                        buf_str(&x->request), x->request.len, arrived, problem);
}

static void take_request(struct conn *c, size_t used)
{
    struct exchange *x = c->reading;

    read_facts(x, c->in.data, used);
    buf_add(&x->request, c->in.data, used);
    buf_shift(&c->in, used);
    tell_request(c, x, WIRE_WHOLE, NULL);
}

static void take_garbage(struct conn *c, const char *problem)
{
    struct exchange *x = c->reading;

    c->bad = true;
    x->keep_alive = false;
    buf_add(&x->request, c->in.data, c->in.len);
    buf_clear(&c->in);
    tell_request(c, x, WIRE_PART, problem);
}

static void take_head(struct conn *c)
{
    struct exchange *x = c->reading;
    struct wire *w = c->wire;

    if (x->head_told)
        return;
    x->head_told = true;
    read_facts(x, c->in.data, c->framer.head_len);
    x->want_100 = x->want_100 && c->in.len == c->framer.head_len;
    if (x->want_100)
        wire_dirty(c);
    if (!w->dead && w->sink.head)
        w->sink.head(w->sink.ctx, clock_now_ms(), x->id, c->id, c->in.data,
                     c->framer.head_len);
}

/* Whether the client has sent as much ahead as we keep. */
static bool is_full(const struct conn *c)
{
    size_t count = 0;
    size_t kept = 0;

    for (const struct exchange *x = c->first; x; x = x->next_on) {
        count++;
        kept += x->request.len;
    }
    return !c->reading && (count >= WIRE_MAX_PIPELINED || kept > MAX_KEPT);
}

/* Some clients send an empty line after a body. */
static bool at_start(struct conn *c)
{
    size_t blank = strspn(buf_str(&c->in), "\r\n");

    if (blank)
        buf_shift(&c->in, blank);
    return c->in.len > 0;
}

/* A client that sends more than any manager takes: no more is kept of it. */
static void refuse_big(struct conn *c)
{
    struct err e = {""};

    err_set(&e, "body beyond the limit of %d bytes", WIRE_MAX_BODY);
    take_garbage(c, e.text);
    c->cut = true;
    c->cut_how = DELIVERY_FIN;
    wire_dirty(c);
}

/* Asked while the request is not whole: one in chunks may get past by as much
 * as is read at once. */
static bool is_too_big(const struct conn *c)
{
    return c->framer.body_len + c->framer.body_left > WIRE_MAX_BODY;
}

static void look_for_requests(struct conn *c)
{
    while (!c->wire->dead && !c->bad && !c->finishing && c->in.len) {
        struct err e = {""};
        enum http_progress got;
        size_t used;

        if (!c->reading) {
            if (is_full(c) || !at_start(c))
                return;
            c->reading = wire_x_new(c);
            c->reading->reading = true;
        }
        got = http_framer_look(&c->framer, c->in.data, c->in.len, false, &used,
                               &e);
        if (got == HTTP_WHOLE)
            take_request(c, used);
        else if (got == HTTP_BAD)
            take_garbage(c, e.text);
        else if (got == HTTP_HEAD)
            take_head(c);
        if (got == HTTP_HEAD && is_too_big(c))
            refuse_big(c);
        if (got == HTTP_HEAD || got == HTTP_MORE)
            return;
    }
}

static void relay_bytes(struct wire_io *io, const char *data, size_t len)
{
    struct conn *c = io->owner;

    if (c->lingering || c->finishing || c->bad || c->wire->dead)
        return;
    wire_out_check(c); /* what it acknowledges comes first */
    buf_add(&c->in, data, len);
    look_for_requests(c);
    wire_io_pause(io, c->deaf || is_full(c));
}

void wire_relay_work(struct conn *c)
{
    wire_inside_work(c);
    wire_out_work(c);
    if (c->gone || c->lingering || c->wire->dead)
        return;
    wire_out_check(c);
    if (!c->deaf)
        look_for_requests(c);
    wire_io_pause(c->io, c->deaf || (!c->finishing && is_full(c)));
}

/* ---- a connection's end ---- */

static enum wire_part part_there(const struct conn *c, const struct exchange *x)
{
    uint64_t acked = wire_io_acked(c->io);

    if (x->piece == 0)
        return WIRE_NONE;
    if (x->written && acked >= x->until)
        return x->whole;
    return acked > x->from ? WIRE_PART : WIRE_NONE;
}

/* A peer's RST may mean that it never read what its kernel had acknowledged. */
static enum wire_part part_after(const struct conn *c, const struct exchange *x,
                                 enum delivery_end how, bool by_us)
{
    if (how != DELIVERY_RST || by_us || x->piece == 0)
        return part_there(c, x);
    return WIRE_UNKNOWN;
}

static void tell_end(struct conn *c, struct exchange *x, enum delivery_end how,
                     bool by_us)
{
    struct wire *w = c->wire;

    if (x->reading) {
        buf_add(&x->request, c->in.data, c->in.len);
        tell_request(c, x, WIRE_PART, NULL);
        x->over = true;
    } else if (!x->written && !by_us && w->sink.abandoned) {
        w->sink.abandoned(w->sink.ctx, clock_now_ms(), x->id, how);
    }
    if (x->planned && !x->told) {
        x->told = true;
        if (!w->dead && w->sink.delivered)
            w->sink.delivered(w->sink.ctx, clock_now_ms(), x->id,
                              part_after(c, x, how, by_us));
    }
    if (x->told || x->ignored)
        x->over = true;
}

void wire_relay_ending(struct conn *c, enum delivery_end how, bool by_us)
{
    for (struct exchange *x = c->first; x && !c->wire->dead; x = x->next_on)
        tell_end(c, x, how, by_us);
    c->wire->orphans_dirty = true; /* what was wanted and is not yet done */
}

static void tell_secured(struct conn *c, enum wire_secure how,
                         const char *problem)
{
    const struct wire_sink *sink = &c->wire->sink;

    if (!c->wire->dead && sink->secured)
        sink->secured(sink->ctx, clock_now_ms(), c->id, how, problem);
}

static void relay_ended(struct wire_io *io, enum delivery_end how,
                        const char *problem)
{
    struct conn *c = io->owner;

    if (!io->secured && !io->look)
        tell_secured(c, WIRE_INSECURE, problem);
    if (how == DELIVERY_FIN && !c->lingering)
        wire_out_check(c);
    wire_conn_end(c, how, c->finishing && how == c->end_how, NULL);
}

static void relay_drained(struct wire_io *io)
{
    wire_dirty(io->owner);
}

/* Only with TLS: other connections are there when they are accepted. */
static void relay_connected(struct wire_io *io)
{
    tell_secured(io->owner, io->tls ? WIRE_SECURE : WIRE_IN_CLEAR, NULL);
    wire_dirty(io->owner);
}

static const struct wire_io_ops relay_ops = {
    .connected = relay_connected,
    .bytes = relay_bytes,
    .ended = relay_ended,
    .drained = relay_drained,
};

void wire_relay_accepted(struct wire *w, int fd, bool surplus)
{
    struct conn *c = wire_conn_new(w, true);
    struct wire_tls *tls = w->creds ? wire_tls_server(w->creds) : NULL;
    bool broken;

    c->io = wire_io_new(w, fd, &relay_ops, c);
    broken = !c->io || (w->creds && !tls);
    if (!broken)
        wire_io_start(c->io, false, tls);
    else
        wire_tls_free(tls);
    if (w->sink.opened)
        w->sink.opened(w->sink.ctx, clock_now_ms(), c->id);
    if (broken)
        wire_fail(w, "no memory for a connection");
    if (broken || surplus)
        wire_conn_end(c, DELIVERY_RST, true, NULL);
}

/* ---- acts ---- */

static void acted(struct exchange *x, struct wire *w)
{
    if (x->conn) {
        wire_dirty(x->conn);
        return;
    }
    w->orphans_dirty = true;
    wire_kick(w);
}

void wire_forward(struct wire *w, unsigned x_id)
{
    struct exchange *x = wire_x_find(w, x_id);

    if (!x || x->forward || x->inside || !x->request.len)
        return;
    x->forward = true;
    acted(x, w);
}

void wire_deliver(struct wire *w, unsigned x_id, const struct delivery *plan)
{
    struct exchange *x = wire_x_find(w, x_id);

    if (!x || x->planned || x->ignored)
        return;
    delivery_copy(&x->plan, plan);
    x->planned = true;
    x->whole = wire_plan_part(plan, x->no_body, &x->plan_closes);
    x->due_ms = clock_now_ms() + (plan->piece_count ? plan->pieces[0].after_ms
                                                    : plan->end_after_ms);
    acted(x, w);
}

void wire_ignore(struct wire *w, unsigned x_id)
{
    struct exchange *x = wire_x_find(w, x_id);

    if (!x || x->planned || x->ignored)
        return;
    x->ignored = true;
    acted(x, w);
}
