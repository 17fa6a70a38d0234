/*
 * The well-behaved login of the raw client: what to send next, from what was
 * answered. Features, SASL, restart, resource binding, session establishment
 * where it is asked for; every part may come later than one would think.
 * Knows no exchange, no rid and no time. Pure.
 *
 * Source: XEP-0206 §4 to §6, RFC 6120 §6, §7
 */
#ifndef HARNESS_PLAY_LOGIN_H
#define HARNESS_PLAY_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "raw_answer.h"

struct play_login_options {
    const char *jid;      /* "alice@localhost"; NULL: anonymously */
    const char *password; /* NULL with jid */
    const char *resource;
    uint64_t random; /* for the ids of our stanzas */
    bool secure;     /* by TLS: a password may be said */
};

struct play_login;

/* Strings are copied. The first answer to come is the session creation's.
 * Yours, free with play_login_free(). */
struct play_login *play_login_new(const struct play_login_options *options);
void play_login_free(struct play_login *l);

/* An answer to what was sent. */
void play_login_take(struct play_login *l, const struct raw_answer *a);

enum login_wants {
    LOGIN_SEND,    /* these stanzas */
    LOGIN_RESTART, /* a stream restart, XEP-0206 §5 */
    LOGIN_POLL,    /* an empty request: what is awaited is not there yet */
    LOGIN_DONE,
    LOGIN_FAILED,
};

/* What is to be sent now that everything sent is answered. Each order is
 * given once; afterwards it is LOGIN_POLL until an answer brings more.
 * *stanzas with LOGIN_SEND: borrowed until the next call for l. */
enum login_wants play_login_next(struct play_login *l, const char **stanzas);

/* LOGIN_FAILED: "SASL SCRAM-SHA-1: not-authorized". */
const char *play_login_because(const struct play_login *l);
/* Was it a limit of the server's (policy, rate, number of sessions)? */
bool play_login_limited(const struct play_login *l);
/* What is being done, for a person: "resource binding". */
const char *play_login_what(const struct play_login *l);

#endif
