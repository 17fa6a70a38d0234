/* The relay's listening socket. See wire_internal.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "wire_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024
#define ACCEPTS_AT_ONCE 64
#define ACCEPT_PAUSE_MS 100 /* when there is no descriptor left */

struct wire_listener {
    struct wire *wire;
    uv_poll_t poll;
    uv_timer_t pause;
    int open; /* handles */
    int fd;   /* -1: closed */
};

static void listener_event(uv_poll_t *poll, int status, int events);

static void pause_over(uv_timer_t *timer)
{
    struct wire_listener *l = timer->data;

    if (l->fd >= 0)
        uv_poll_start(&l->poll, UV_READABLE, listener_event);
}

static void pause_accepting(struct wire_listener *l)
{
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->pause, pause_over, ACCEPT_PAUSE_MS, 0);
}

static void listener_event(uv_poll_t *poll, int status, int events)
{
    struct wire_listener *l = poll->data;
    struct wire *w = l->wire;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE && !w->dead; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && wire_errno_is_ours(errno)) {
            wire_fail(w, "a connection waits and is not accepted: %s",
                      strerror(errno));
            pause_accepting(l);
        }
        if (fd < 0)
            return;
        wire_relay_accepted(w, fd, w->conn_count >= WIRE_MAX_CONNS);
    }
}

static int port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/*
 * A socket bound to w->address. All of ours end up with SO_REUSEPORT, so that
 * one can take another's place (again: wire_refuse()); the first is bound
 * without it, since the port must be nobody else's.
 */
static int bound_socket(struct wire *w, bool again, struct err *e)
{
    int one = 1;
    int fd = socket(w->address.ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_set(e, "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (again)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&w->address, w->address_len) < 0) {
        err_set(e, "port %d: %s", port_of(&w->address), strerror(errno));
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    return fd;
}

static void listener_free(uv_handle_t *handle)
{
    struct wire_listener *l = handle->data;
    struct wire *w = l->wire;

    if (--l->open == 0)
        free(l);
    wire_handle_closed(w);
}

static void listener_close(struct wire_listener *l)
{
    uv_poll_stop(&l->poll);
    close(l->fd);
    l->fd = -1;
    uv_close((uv_handle_t *)&l->pause, listener_free);
    uv_close((uv_handle_t *)&l->poll, listener_free);
}

/* fd is taken, unless NULL is returned. */
static struct wire_listener *listener_new(struct wire *w, int fd, struct err *e)
{
    struct wire_listener *l = mem_alloc(sizeof *l);
    int rc = uv_poll_init(w->loop, &l->poll, fd);

    if (rc < 0) {
        err_set(e, "the loop does not watch it: %s", uv_strerror(rc));
        free(l);
        return NULL;
    }
    l->wire = w;
    l->fd = fd;
    uv_timer_init(w->loop, &l->pause);
    l->poll.data = l;
    l->pause.data = l;
    l->open = 2;
    wire_handle_opened(w);
    wire_handle_opened(w);
    uv_poll_start(&l->poll, UV_READABLE, listener_event);
    return l;
}

/* fd is bound to w->address; taken on success. */
static int start_listening(struct wire *w, int fd, struct err *e)
{
    if (listen(fd, BACKLOG) < 0)
        return err_set(e, "listen on port %d: %s", port_of(&w->address),
                       strerror(errno));
    w->listener = listener_new(w, fd, e);
    return w->listener ? 0 : -1;
}

void wire_listener_free(struct wire *w)
{
    if (w->listener)
        listener_close(w->listener);
    w->listener = NULL;
    if (w->reserved_fd > 0)
        close(w->reserved_fd);
    w->reserved_fd = 0;
}

static int find_address(struct wire *w, const char *host, int port,
                        struct err *e)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];
    int rc;

    snprintf(service, sizeof service, "%d", port);
    rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0)
        return err_set(e, "'%s': %s", host, gai_strerror(rc));
    memcpy(&w->address, found->ai_addr, found->ai_addrlen);
    w->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

int wire_listen(struct wire *w, const char *host, int port,
                const struct wire_identity *identity, wire_inside_fn inside,
                void *inside_ctx, struct err *e)
{
    int fd;

    if (w->listener || w->reserved_fd > 0)
        return err_set(e, "it listens already");
    if (find_address(w, host, port, e) < 0)
        return -1;
    if (identity && !w->creds) {
        w->creds = wire_tls_creds_new(identity, e);
        if (!w->creds)
            return -1;
    }
    fd = bound_socket(w, false, e);
    if (fd < 0)
        return -1;
    w->address_len = sizeof w->address;
    getsockname(fd, (struct sockaddr *)&w->address, &w->address_len);
    w->inside = inside;
    w->inside_ctx = inside_ctx;
    if (start_listening(w, fd, e) < 0) {
        close(fd);
        return -1;
    }
    return port_of(&w->address);
}

int wire_identify(struct wire *w, const struct wire_identity *identity,
                  struct err *e)
{
    struct wire_tls_creds *creds;

    if (!w->creds)
        return err_set(e, "it speaks no TLS");
    creds = wire_tls_creds_new(identity, e);
    if (!creds)
        return -1;
    wire_tls_creds_free(w->creds);
    w->creds = creds;
    return 0;
}

/* A socket that is bound but does not listen keeps the port ours, and makes
 * the kernel refuse. */
void wire_refuse(struct wire *w, bool refuse)
{
    struct err e = {""};
    int fd;

    if (w->dead || (refuse ? !w->listener : w->reserved_fd <= 0))
        return;
    if (!refuse) {
        if (start_listening(w, w->reserved_fd, &e) < 0)
            wire_fail(w, "%s", e.text);
        else
            w->reserved_fd = 0;
        return;
    }
    fd = bound_socket(w, true, &e);
    if (fd < 0) {
        wire_fail(w, "connections can't be refused: %s", e.text);
        return;
    }
    listener_close(w->listener);
    w->listener = NULL;
    w->reserved_fd = fd;
}
