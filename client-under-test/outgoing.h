/*
 * New requests: when one may be made, and what it says. One stream's payloads
 * each, XEP-0124 §16.4; never more than the manager allows, §11, §12. Pure.
 */
#ifndef CLIENT_OUTGOING_H
#define CLIENT_OUTGOING_H

#include "session.h"

/* Make the creation request, due now. XEP-0124 §7.1. */
void outgoing_create(struct bosh *s, int64_t now_ms);

/* When a new request may be made; 0: now; BOSH_NEVER: not before something
 * else has changed. */
int64_t outgoing_next_ms(const struct bosh *s);

/* Make it if that is by now: it is due in the window then. */
void outgoing_make(struct bosh *s, int64_t now_ms);

/* See bosh_window(). */
int outgoing_window(const struct bosh *s);

#endif
