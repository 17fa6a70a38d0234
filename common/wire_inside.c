/* Connections to the inside: requests go in, answers come out. See
 * wire_internal.h. */
#include "wire_internal.h"

#include <stdlib.h>

#include "clock.h"

static const char nobody_inside[] =
    "nobody answers inside: no descriptor is left";

/* in is off the wire's list. */
static void inside_release(struct inside *in)
{
    if (in->conn)
        in->conn->inside = NULL;
    if (in->x)
        in->x->inside = NULL;
    wire_io_close(in->io, false);
    buf_release(&in->in);
    free(in);
}

static void inside_free(struct inside *in)
{
    struct inside **at;

    for (at = &in->wire->insides; *at != in; at = &(*at)->next)
        ;
    *at = in->next;
    inside_release(in);
}

static void tell_response(struct wire *w, struct exchange *x, const char *bytes,
                          size_t len, enum wire_part came, const char *problem)
{
    if (!w->dead && w->sink.response)
        w->sink.response(w->sink.ctx, clock_now_ms(), x->id, bytes, len, came,
                         problem);
}

static bool stays_open(const char *bytes, size_t len, bool no_body)
{
    struct http_message m;
    size_t used;
    bool stays = http_read(HTTP_RESPONSE, bytes, len, no_body, false, &m, &used,
                           NULL) == HTTP_WHOLE &&
                 m.keep_alive;

    http_message_release(&m);
    return stays;
}

/* The answer to in->x is whole: the first len bytes. May free in. */
static void answer_whole(struct inside *in, size_t len)
{
    struct exchange *x = in->x;
    struct conn *c = in->conn;
    struct wire *w = in->wire;
    struct buf bytes = BUF_INIT;
    bool stays = c && stays_open(in->in.data, len, x->no_body);

    buf_add(&bytes, in->in.data, len);
    buf_shift(&in->in, len);
    in->x = NULL;
    x->inside = NULL;
    if (!stays || in->in.len)
        inside_free(in);
    tell_response(w, x, bytes.data, bytes.len, WIRE_WHOLE, NULL);
    buf_release(&bytes);
    if (c)
        wire_dirty(c);
    else
        wire_kick(w);
}

/* The answer broke off, or is none. Frees in. problem: see wire.h. */
static void answer_broken(struct inside *in, const char *problem)
{
    struct exchange *x = in->x;
    struct wire *w = in->wire;
    struct buf bytes = in->in;

    in->in = (struct buf)BUF_INIT;
    inside_free(in);
    if (x && x->conn)
        tell_response(w, x, buf_str(&bytes), bytes.len,
                      bytes.len ? WIRE_PART : WIRE_NONE, problem);
    if (x && x->conn)
        wire_dirty(x->conn);
    buf_release(&bytes);
    wire_kick(w);
}

static void look_for_answer(struct inside *in, bool eof)
{
    for (;;) {
        struct err e = {""};
        size_t used;
        enum http_progress got = http_framer_look(&in->framer, buf_str(&in->in),
                                                  in->in.len, eof, &used, &e);

        if (got == HTTP_BAD)
            answer_broken(in, e.text);
        if (got != HTTP_WHOLE)
            return;
        if (in->framer.status >= 200 || in->framer.status == 101) {
            answer_whole(in, used);
            return;
        }
        buf_shift(&in->in, used); /* 100 Continue is our own business */
    }
}

static void inside_bytes(struct wire_io *io, const char *data, size_t len)
{
    struct inside *in = io->owner;

    if (!in->x) {
        inside_free(in);
        return;
    }
    buf_add(&in->in, data, len);
    look_for_answer(in, false);
}

static void inside_ended(struct wire_io *io, enum delivery_end how,
                         const char *problem)
{
    struct inside *in = io->owner;

    if (in->x && how == DELIVERY_FIN) {
        struct exchange *x = in->x;

        look_for_answer(in, true);
        if (!x->inside)
            return;
    }
    if (!problem && in->in.len)
        problem = "the inside closed in the middle of an answer";
    answer_broken(in, problem);
}

static void inside_quiet(struct wire_io *io)
{
    (void)io;
}

static const struct wire_io_ops inside_ops = {
    .connected = inside_quiet,
    .bytes = inside_bytes,
    .ended = inside_ended,
    .drained = inside_quiet,
};

static struct inside *inside_new(struct wire *w, struct conn *c)
{
    struct inside *in;
    int fd = w->inside ? w->inside(w->inside_ctx) : -1;

    if (fd < 0)
        return NULL;
    in = mem_alloc(sizeof *in);
    in->io = wire_io_new(w, fd, &inside_ops, in);
    if (!in->io) {
        free(in);
        return NULL;
    }
    in->wire = w;
    in->conn = c;
    if (c)
        c->inside = in;
    in->next = w->insides;
    w->insides = in;
    wire_io_start(in->io, false, NULL);
    return in;
}

static void forward_now(struct inside *in, struct exchange *x)
{
    in->x = x;
    x->inside = in;
    http_framer_init(&in->framer, HTTP_RESPONSE);
    in->framer.no_body = x->no_body;
    wire_io_write(in->io, x->request.data, x->request.len);
    buf_release(&x->request);
}

/* Whether x's connection to the inside is free: nobody waits for the answer
 * before, or that one is no longer needed in order. */
static bool inside_ready(struct conn *c)
{
    const struct exchange *before = c->inside ? c->inside->x : NULL;

    if (!before)
        return true;
    if (!before->finished && !before->ignored)
        return false;
    c->inside->conn = NULL; /* it goes on alone */
    c->inside = NULL;
    return true;
}

void wire_inside_work(struct conn *c)
{
    for (struct exchange *x = c->first; x && !c->wire->dead; x = x->next_on) {
        struct inside *in;

        if (!x->forward || x->reading)
            continue;
        if (!inside_ready(c))
            return;
        x->forward = false;
        in = c->inside ? c->inside : inside_new(c->wire, c);
        if (in)
            forward_now(in, x);
        else
            tell_response(c->wire, x, "", 0, WIRE_NONE, nobody_inside);
    }
}

void wire_inside_orphans(struct wire *w)
{
    for (struct exchange *x = w->exchanges; x && !w->dead; x = x->next) {
        struct inside *in;

        if (x->conn || x->over)
            continue;
        if (x->planned && !x->told) {
            x->told = true;
            if (w->sink.delivered)
                w->sink.delivered(w->sink.ctx, clock_now_ms(), x->id,
                                  WIRE_NONE);
        }
        if (x->forward && (in = inside_new(w, NULL)) != NULL) {
            forward_now(in, x);
            wire_inside_hang_up(in);
        } else if (x->forward) {
            wire_fail(w, "%s", nobody_inside);
        }
        x->forward = false;
        if (x->told || x->ignored)
            x->over = true;
    }
}

void wire_inside_hang_up(struct inside *in)
{
    if (!in->x) {
        inside_free(in);
        return;
    }
    if (in->conn)
        in->conn->inside = NULL;
    in->conn = NULL;
    wire_io_fin(in->io);
}

void wire_inside_free_all(struct wire *w)
{
    while (w->insides) {
        struct inside *in = w->insides;

        w->insides = in->next;
        inside_release(in);
    }
}
