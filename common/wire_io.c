/* One socket of the wire layer under the loop: see wire_internal.h. */
#include "wire_internal.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_CHUNK (64 * 1024)
#define READS_AT_ONCE 16 /* before others get their turn */

const char *wire_errno_words(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "connection refused";
    case ECONNRESET:
    case EPIPE:
        return "reset by peer";
    case ETIMEDOUT:
        return "timed out";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "unreachable";
    default:
        return strerror(error);
    }
}

bool wire_errno_is_ours(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS ||
           error == ENOMEM;
}

static void io_event(uv_poll_t *poll, int status, int events);

static void io_update(struct wire_io *io)
{
    int events = 0;

    if (io->fd < 0)
        return;
    if (io->connecting)
        events = UV_WRITABLE;
    else if (!io->secured)
        events = io->wait_write ? UV_WRITABLE : UV_READABLE;
    else {
        if (!io->ended)
            events |= io->paused ? UV_DISCONNECT : UV_READABLE;
        if (io->out.len || (io->want_fin && !io->fin_sent))
            events |= UV_WRITABLE;
    }
    if (events == io->events)
        return;
    io->events = events;
    if (events)
        uv_poll_start(&io->poll, events, io_event);
    else
        uv_poll_stop(&io->poll);
}

static void io_ended(struct wire_io *io, enum delivery_end how,
                     const char *problem)
{
    if (io->ended)
        return;
    io->ended = true;
    if (how == DELIVERY_RST)
        buf_clear(&io->out);
    io->ops->ended(io, how, problem);
}

static void io_broke(struct wire_io *io, int error, const struct err *e)
{
    io_ended(io, DELIVERY_RST,
             e && e->text[0] ? e->text : wire_errno_words(error));
}

static ssize_t io_send(struct wire_io *io, struct err *e)
{
    ssize_t n;

    if (io->tls)
        return wire_tls_send(io->tls, io->out.data, io->out.len, e);
    n = send(io->fd, io->out.data, io->out.len, MSG_NOSIGNAL);
    if (n > 0)
        io->sent += (uint64_t)n;
    return n;
}

static void io_send_fin(struct wire_io *io)
{
    if (io->tls && io->secured)
        wire_tls_bye(io->tls);
    if (shutdown(io->fd, SHUT_WR) == 0)
        io->sent++; /* it takes a sequence number, SIOCOUTQ counts it */
    io->fin_sent = true;
}

/* Write what the kernel takes. True when all is written. An error is told
 * from io_event() only, which it wakes. */
static bool io_flush(struct wire_io *io, bool tell)
{
    struct err e = {""};

    while (io->out.len) {
        ssize_t n = io_send(io, &e);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0) {
            if (tell)
                io_broke(io, errno, &e);
            return false;
        }
        buf_shift(&io->out, (size_t)n);
    }
    if (io->want_fin && !io->fin_sent)
        io_send_fin(io);
    return true;
}

static void io_read(struct wire_io *io)
{
    char *data = mem_alloc(READ_CHUNK);

    for (int i = 0; i < READS_AT_ONCE; i++) {
        struct err e = {""};
        ssize_t n;

        if (io->fd < 0 || io->paused || io->ended)
            break;
        n = io->tls ? wire_tls_recv(io->tls, data, READ_CHUNK, &e)
                    : recv(io->fd, data, READ_CHUNK, 0);
        if (n > 0) {
            io->ops->bytes(io, data, (size_t)n);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n == 0)
            io_ended(io, DELIVERY_FIN, NULL);
        else
            io_broke(io, errno, &e);
    }
    free(data);
}

static int io_error(const struct wire_io *io)
{
    int error = 0;
    socklen_t len = sizeof error;

    getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

/* A relay with TLS also takes what comes in clear, so that a client that sends
 * it is seen to. True when it is known which of the two it is. */
static bool io_looked(struct wire_io *io)
{
    unsigned char byte;
    ssize_t n;

    if (!io->look)
        return true;
    n = recv(io->fd, &byte, 1, MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n < 0)
        io_broke(io, errno, NULL);
    else if (n == 0)
        io_ended(io, DELIVERY_FIN, NULL);
    if (n <= 0)
        return false;
    io->look = false;
    if (!wire_tls_begins(byte)) {
        wire_tls_free(io->tls);
        io->tls = NULL;
    }
    return true;
}

static void io_secure(struct wire_io *io)
{
    struct err e = {""};
    bool write = false;
    int rc;

    if (!io_looked(io))
        return;
    rc = io->tls ? wire_tls_handshake(io->tls, &write, &e) : 1;

    if (rc < 0) {
        io_ended(io, DELIVERY_RST, e.text);
        return;
    }
    if (rc == 0) {
        io->wait_write = write;
        return;
    }
    io->secured = true;
    io->ops->connected(io);
}

static void io_connected(struct wire_io *io)
{
    int error = io_error(io);

    if (error) {
        io_broke(io, error, NULL);
        return;
    }
    io->connecting = false;
    io_secure(io);
}

static void io_event(uv_poll_t *poll, int status, int events)
{
    struct wire_io *io = poll->data;

    if (status < 0) { /* libuv has stopped watching: an error is pending */
        io->events = 0;
        events = UV_READABLE;
    }
    if (io->connecting)
        io_connected(io);
    else if (!io->secured)
        io_secure(io);
    else {
        if ((events & UV_WRITABLE) && io_flush(io, true) && io->fd >= 0)
            io->ops->drained(io);
        if (io->fd >= 0 && (events & UV_READABLE) && !io->paused)
            io_read(io);
        if (io->fd >= 0 && !io->ended && io->paused &&
            (status < 0 || (events & UV_DISCONNECT))) {
            int error = io_error(io);

            io_ended(io, error ? DELIVERY_RST : DELIVERY_FIN,
                     error ? wire_errno_words(error) : NULL);
        }
    }
    io_update(io);
}

struct wire_io *wire_io_new(struct wire *w, int fd,
                            const struct wire_io_ops *ops, void *owner)
{
    struct wire_io *io = mem_alloc(sizeof *io);
    int one = 1;

    io->wire = w;
    io->ops = ops;
    io->owner = owner;
    io->fd = fd;
    io->poll.data = io;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (uv_poll_init(w->loop, &io->poll, fd) < 0) {
        close(fd);
        free(io);
        return NULL;
    }
    wire_handle_opened(w);
    return io;
}

void wire_io_start(struct wire_io *io, bool connecting, struct wire_tls *tls)
{
    io->connecting = connecting;
    io->tls = tls;
    io->secured = !connecting && !tls;
    io->look = !connecting && tls;
    if (tls)
        wire_tls_attach(tls, io->fd, &io->sent);
    io_update(io);
}

void wire_io_write(struct wire_io *io, const char *data, size_t len)
{
    if (io->fd < 0 || io->fin_sent || io->want_fin)
        return;
    buf_add(&io->out, data, len);
    if (io->secured)
        io_flush(io, false);
    io_update(io);
}

void wire_io_cork(struct wire_io *io, bool on)
{
    int value = on;

    if (io->fd >= 0)
        setsockopt(io->fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

void wire_io_fin(struct wire_io *io)
{
    if (io->fd < 0 || io->connecting)
        return;
    io->want_fin = true;
    if (io->secured)
        io_flush(io, false);
    else if (!io->fin_sent)
        io_send_fin(io);
    io_update(io);
}

void wire_io_pause(struct wire_io *io, bool pause)
{
    io->paused = pause;
    io_update(io);
}

static void io_free(uv_handle_t *poll)
{
    struct wire_io *io = poll->data;
    struct wire *w = io->wire;

    buf_release(&io->out);
    free(io);
    wire_handle_closed(w);
}

/* What is unread would turn our FIN into a RST. */
static void io_read_off(struct wire_io *io)
{
    char data[4096];

    for (int i = 0; i < 64; i++)
        if (recv(io->fd, data, sizeof data, MSG_DONTWAIT) <= 0)
            break;
}

void wire_io_close(struct wire_io *io, bool reset)
{
    if (!io || io->fd < 0)
        return;
    uv_poll_stop(&io->poll);
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};

        setsockopt(io->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    } else {
        if (io->tls && io->secured && !io->fin_sent)
            wire_tls_bye(io->tls);
        io_read_off(io);
    }
    wire_tls_free(io->tls);
    io->tls = NULL;
    close(io->fd);
    io->fd = -1;
    uv_close((uv_handle_t *)&io->poll, io_free);
}

uint64_t wire_io_acked(const struct wire_io *io)
{
    int queued = 0;

    if (io->fd < 0 || ioctl(io->fd, SIOCOUTQ, &queued) < 0 || queued < 0)
        return 0;
    return (uint64_t)queued > io->sent ? 0 : io->sent - (uint64_t)queued;
}
