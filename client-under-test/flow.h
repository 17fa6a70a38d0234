/*
 * What a session sends, and when: new requests, repeats, time-outs.
 *
 * XEP-0124 §10 to §14. The state table (session.c) says what a session is;
 * this file says what follows for the wire. Nothing here is stored that could
 * be computed from the window and the clock. Pure.
 */
#ifndef CLIENT_FLOW_H
#define CLIENT_FLOW_H

#include "session.h"

/* The next transmission: see bosh_next_request(). */
int flow_next_request(struct bosh *s, int64_t now_ms, struct bosh_request *req);

/* An answer was handed over: when may the next empty request go? §11, §12. */
void flow_note_answer(struct bosh *s, const struct exchange *x, int64_t now_ms);

/* See bosh_answer() and bosh_fail(). */
void flow_answer(struct bosh *s, int64_t now_ms, uint64_t id, int http_status,
                 const char *data, size_t len);
void flow_fail(struct bosh *s, int64_t now_ms, uint64_t id, const char *reason);

/* See bosh_tick() and bosh_deadline_ms(). */
void flow_tick(struct bosh *s, int64_t now_ms);
int64_t flow_deadline(const struct bosh *s);

#endif
