/* The client side of the wire layer: connect, requests out, answers in. See
 * wire_internal.h. */
#include "wire_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static void connect_next(struct conn *c);

/* ---- turns ---- */

/* Requests set out in the order in which they were made: a lost SYN, which a
 * server with a short queue may cost us, must not let a later one overtake. */
static bool must_wait(const struct conn *c)
{
    for (const struct conn *o = c->wire->conns; o; o = o->next)
        if (o->id < c->id && !o->relay && !o->open && !o->gone && !o->closing)
            return true;
    return false;
}

static void wake_waiting(struct wire *w)
{
    for (struct conn *c = w->conns; c; c = c->next)
        if (!c->relay && !c->gone && !c->io && !c->resolve)
            wire_dirty(c);
}

/* ---- answers in ---- */

static void tell_response(struct conn *c, struct exchange *x, const char *bytes,
                          size_t len, enum wire_part came, const char *problem)
{
    struct wire *w = c->wire;

    if (!w->dead && w->sink.response)
        w->sink.response(w->sink.ctx, clock_now_ms(), x->id, bytes, len, came,
                         problem);
}

/* The first len bytes answer the first exchange. */
static void take_answer(struct conn *c, size_t len, bool until_eof)
{
    struct exchange *x = c->first;
    struct http_message m;
    size_t used;
    bool stays = http_read(HTTP_RESPONSE, buf_str(&c->in), len, x->no_body,
                           until_eof, &m, &used, NULL) == HTTP_WHOLE &&
                 m.keep_alive;

    http_message_release(&m);
    /* before the news: who asks again at once needs another connection */
    if (!stays || !c->name)
        c->closing = true;
    tell_response(c, x, buf_str(&c->in), len, WIRE_WHOLE, NULL);
    x->over = true;
    wire_x_unlink(x);
    buf_shift(&c->in, len);
}

/* Who said 'close' is to close it, and on a connection of the case's that is
 * waited for: whether it comes, and when, is a fact. */
static bool awaits_close(const struct conn *c)
{
    return c->name && !c->first && !c->half;
}

/* False when the connection must go: problem says why. */
static bool look_for_answers(struct conn *c, bool eof, struct err *e)
{
    while (!c->wire->dead && c->first && (c->in.len || eof)) {
        enum http_progress got;
        bool until_eof;
        size_t used;

        c->framer.no_body = c->first->no_body;
        got = http_framer_look(&c->framer, buf_str(&c->in), c->in.len, eof,
                               &used, e);
        if (got == HTTP_BAD)
            return false;
        if (got != HTTP_WHOLE)
            return true;
        until_eof = c->framer.until_eof;
        if (c->framer.status >= 200 || c->framer.status == 101)
            take_answer(c, used, until_eof);
        else
            buf_shift(&c->in, used); /* 1xx: the answer is still to come */
        if (c->closing && !eof && !awaits_close(c))
            return false;
    }
    if (c->in.len && !c->wire->dead && !c->first)
        err_set(e, "bytes that nobody asked for");
    return c->in.len == 0 || c->first;
}

static void client_bytes(struct wire_io *io, const char *data, size_t len)
{
    struct conn *c = io->owner;
    struct err e = {""};

    buf_add(&c->in, data, len);
    if (look_for_answers(c, false, &e))
        return;
    if (e.text[0] && c->first) {
        struct err no_http = {""};

        err_set(&no_http, "no HTTP: %s", e.text);
        wire_conn_end(c, DELIVERY_FIN, true, no_http.text);
        return;
    }
    /* we close it, or the server will: it said so */
    wire_conn_end(c, DELIVERY_FIN, true, "closed without an answer");
}

static void client_ended(struct wire_io *io, enum delivery_end how,
                         const char *problem)
{
    struct conn *c = io->owner;
    struct err e = {""};

    if (io->connecting && c->address_next < c->address_count) {
        wire_io_close(c->io, false);
        c->io = NULL;
        connect_next(c);
        return;
    }
    if (how == DELIVERY_FIN)
        look_for_answers(c, true, &e);
    if (e.text[0])
        wire_conn_end(c, how, false, e.text);
    else
        wire_conn_end(c, how, false,
                      problem          ? problem
                      : !c->open       ? "TLS: closed in the handshake"
                      : c->in.len == 0 ? "closed without an answer"
                                       : "closed in the middle of an answer");
}

static void client_connected(struct wire_io *io)
{
    struct conn *c = io->owner;

    c->open = true;
    if (c->wire->sink.opened && !c->wire->dead)
        c->wire->sink.opened(c->wire->sink.ctx, clock_now_ms(), c->id);
    c->told = true;
    wire_dirty(c);
    wake_waiting(c->wire);
}

static void client_drained(struct wire_io *io)
{
    wire_dirty(io->owner);
}

static const struct wire_io_ops client_ops = {
    .connected = client_connected,
    .bytes = client_bytes,
    .ended = client_ended,
    .drained = client_drained,
};

void wire_client_ending(struct conn *c, const char *problem)
{
    for (struct exchange *x = c->first; x && !c->wire->dead; x = x->next_on) {
        bool first = x == c->first && c->in.len > 0;

        tell_response(c, x, first ? c->in.data : "", first ? c->in.len : 0,
                      first ? WIRE_PART : WIRE_NONE,
                      problem ? problem : "closed without an answer");
        x->over = true;
    }
    if (!c->open && !c->wire->dead)
        wake_waiting(c->wire);
}

/* ---- connect ---- */

static int start_socket(struct conn *c, const struct sockaddr *address)
{
    socklen_t len = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                   : sizeof(struct sockaddr_in);
    int fd = socket(address->sa_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        if (wire_errno_is_ours(errno))
            wire_fail(c->wire, "no socket: %s", strerror(errno));
        return err_set(&c->problem, "socket: %s", strerror(errno));
    }
    if (connect(fd, address, len) < 0 && errno != EINPROGRESS) {
        err_set(&c->problem, "%s", wire_errno_words(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* Try addresses until one does not fail at once. */
static void connect_next(struct conn *c)
{
    while (c->address_next < c->address_count) {
        int fd =
            start_socket(c, (struct sockaddr *)&c->address[c->address_next++]);
        struct wire_tls *tls = NULL;

        if (fd < 0)
            continue;
        if (c->target.tls)
            tls = wire_tls_client(&c->target, &c->problem);
        if (c->target.tls && !tls) {
            close(fd);
            break;
        }
        c->io = wire_io_new(c->wire, fd, &client_ops, c);
        if (!c->io) {
            wire_tls_free(tls);
            break;
        }
        wire_io_start(c->io, true, tls);
        return;
    }
    wire_conn_end(c, DELIVERY_FIN, false,
                  c->problem.text[0] ? c->problem.text : "no connection");
}

static void add_address(struct conn *c, const struct addrinfo *found)
{
    struct sockaddr_storage *to = &c->address[c->address_count++];
    uint16_t port = htons((uint16_t)c->target.port);

    memcpy(to, found->ai_addr, found->ai_addrlen);
    if (to->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)to)->sin6_port = port;
    else
        ((struct sockaddr_in *)to)->sin_port = port;
}

struct wire_resolve {
    uv_getaddrinfo_t request;
    struct wire *wire;
    struct conn *conn; /* NULL: given up meanwhile */
};

static void resolved(uv_getaddrinfo_t *request, int status,
                     struct addrinfo *found)
{
    struct wire_resolve *r = request->data;
    struct conn *c = r->conn;
    struct wire *w = r->wire;

    for (struct addrinfo *a = found;
         c && a && c->address_count < WIRE_MAX_ADDRESSES; a = a->ai_next)
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
            add_address(c, a);
    uv_freeaddrinfo(found);
    if (c) {
        c->resolve = NULL;
        if (status < 0)
            err_set(&c->problem, "no address for '%s': %s", c->target.host,
                    uv_strerror(status));
        connect_next(c);
    }
    free(r);
    wire_handle_closed(w);
}

static void resolve(struct conn *c)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    struct wire_resolve *r;

    if (getaddrinfo(c->target.host, NULL, &hints, &found) == 0) {
        add_address(c, found);
        freeaddrinfo(found);
        connect_next(c);
        return;
    }
    hints.ai_flags = 0;
    r = mem_alloc(sizeof *r);
    r->wire = c->wire;
    r->conn = c;
    r->request.data = r;
    c->resolve = r;
    wire_handle_opened(c->wire);
    if (uv_getaddrinfo(c->wire->loop, &r->request, resolved, c->target.host,
                       NULL, &hints) < 0)
        resolved(&r->request, UV_EAI_FAIL, NULL);
}

void wire_resolve_cancel(struct conn *c)
{
    if (!c->resolve)
        return;
    c->resolve->conn = NULL;
    uv_cancel((uv_req_t *)&c->resolve->request);
    c->resolve = NULL;
}

/* ---- requests out ---- */

/* How a request's plan ends. True when the next one may go. */
static bool carry_out_end(struct conn *c, struct exchange *x)
{
    switch (x->plan.end) {
    case DELIVERY_KEEP:
        return true;
    case DELIVERY_HANG:
        c->mute = true;
        c->closing = true;
        return false;
    case DELIVERY_HALF:
        c->half = true;
        c->closing = true;
        wire_io_fin(c->io);
        return false;
    case DELIVERY_RST: /* what was sent shall get there before */
        if (wire_io_acked(c->io) < x->until &&
            clock_now_ms() < x->due_ms + WIRE_RESET_PATIENCE_MS) {
            wire_conn_timer(c, clock_now_ms() + 1);
            return false;
        }
        wire_conn_end(c, DELIVERY_RST, true, "closed by us");
        return false;
    case DELIVERY_FIN:
        wire_conn_end(c, DELIVERY_FIN, true, "closed by us");
        return false;
    }
    return false;
}

/* Send what is due of x. True when the next one may go. */
static bool send_request(struct conn *c, struct exchange *x)
{
    struct wire *w = c->wire;

    if (!wire_out_pieces(c, x))
        return false;
    if (!x->told) {
        x->told = true;
        if (w->sink.sent)
            w->sink.sent(w->sink.ctx, clock_now_ms(), x->id);
    }
    if (clock_now_ms() < x->due_ms) {
        wire_conn_timer(c, x->due_ms);
        return false;
    }
    if (w->dead || !carry_out_end(c, x))
        return false;
    x->finished = true;
    return true;
}

/* Requests that go out together go in one piece: how a peer takes them must
 * not hang on whether it has read the first when the second comes. */
static void send_requests(struct conn *c)
{
    struct exchange *x = c->first;
    struct wire_io *io = c->io;
    bool several;

    while (x && x->finished)
        x = x->next_on;
    several = x && x->next_on;
    if (several)
        wire_io_cork(io, true);
    while (x && !c->mute && !c->half && !c->gone && !c->wire->dead &&
           (x->finished || send_request(c, x)))
        x = x->next_on;
    if (several && c->io == io)
        wire_io_cork(io, false);
}

void wire_client_work(struct conn *c)
{
    if (!c->io && !c->resolve) {
        if (!must_wait(c))
            resolve(c);
        return;
    }
    if (!c->open)
        return;
    wire_io_pause(c->io, c->deaf);
    send_requests(c);
}

/* ---- wire.h ---- */

static struct conn *named(struct wire *w, const struct wire_target *t,
                          const char *name)
{
    for (struct conn *c = w->conns; c; c = c->next)
        if (!c->gone && !c->closing && !c->cut && c->name &&
            strcmp(c->name, name) == 0 && c->target.port == t->port &&
            strcmp(c->host, t->host) == 0)
            return c;
    return NULL;
}

static struct conn *client_conn_new(struct wire *w, const struct wire_target *t,
                                    const char *name)
{
    struct conn *c = wire_conn_new(w, false);

    c->name = mem_dup(name);
    c->host = mem_dup(t->host);
    c->ca_file = mem_dup(t->ca_file);
    c->sni = mem_dup(t->sni);
    c->target = *t;
    c->target.host = c->host;
    c->target.ca_file = c->ca_file;
    c->target.sni = c->sni;
    return c;
}

unsigned wire_request(struct wire *w, const struct wire_target *target,
                      const char *conn_name, const struct delivery *plan)
{
    const char *name = conn_name && *conn_name ? conn_name : NULL;
    struct conn *c = name ? named(w, target, name) : NULL;
    struct exchange *x;

    if (!c)
        c = client_conn_new(w, target, name);
    x = wire_x_new(c);
    delivery_copy(&x->plan, plan);
    x->planned = true;
    x->no_body = plan->piece_count && plan->pieces[0].len > 5 &&
                 memcmp(plan->pieces[0].bytes, "HEAD ", 5) == 0;
    x->due_ms = clock_now_ms() + (plan->piece_count ? plan->pieces[0].after_ms
                                                    : plan->end_after_ms);
    wire_dirty(c);
    return x->id;
}

unsigned wire_conn_of(struct wire *w, unsigned x_id)
{
    const struct exchange *x = wire_x_find(w, x_id);

    return x && x->conn ? x->conn->id : 0;
}

void wire_abort(struct wire *w, unsigned x_id, enum delivery_end how)
{
    struct exchange *x = wire_x_find(w, x_id);

    if (!x || !x->conn)
        return;
    wire_cut(w, x->conn->id,
             how == DELIVERY_KEEP || how == DELIVERY_HANG ? DELIVERY_FIN : how);
}
