/*
 * A proxy for tests: HTTP for http: and CONNECT, SOCKS 4, 4a and 5. The first
 * byte of a connection says which. Whatever host is asked for, 127.0.0.1 is
 * meant. One thread a connection.
 *
 * Source: RFC 9110 §9.3.6 and §11.7, RFC 1928, RFC 1929
 */
#ifndef TESTS_PROXY_H
#define TESTS_PROXY_H

#include "common/buf.h"

enum proxy_mood {
    PROXY_SERVES,
    PROXY_REFUSES, /* 403, or what SOCKS has for it */
    PROXY_HANGS,   /* takes all, and says nothing */
    PROXY_CLOSES,  /* at the first byte */
};

struct proxy_setup {
    enum proxy_mood mood;
    const char *login; /* "user:password", of SOCKS 4 "user"; NULL: anybody's */
};

struct proxy;

/* setup is borrowed until proxy_stop(). Never NULL. */
struct proxy *proxy_start(const struct proxy_setup *setup);
int proxy_port(const struct proxy *p);

/* Only after the clients have closed their connections, or soon will. What it
 * was asked is added to log, a line each: "kind host:port login". */
void proxy_stop(struct proxy *p, struct buf *log);

#endif
