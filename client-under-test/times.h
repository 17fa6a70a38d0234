/*
 * How long a session may wait for what: answers, silence, repeats. Computed
 * from what was negotiated and from the options; nothing is kept. Pure.
 */
#ifndef CLIENT_TIMES_H
#define CLIENT_TIMES_H

#include "session.h"

/* How long a request may stay open. */
struct window_limits times_limits(const struct bosh *s);

/* When silence must be broken, and when it has killed the session (only with
 * nothing on the wire); BOSH_NEVER: not at all. XEP-0124 §10. */
int64_t times_wake_ms(const struct bosh *s);
int64_t times_silence_ms(const struct bosh *s);

/* Before the next repeat after so many attempts. The first is due at once,
 * then n cubed seconds, at most the primary time-out, and never so long that
 * the session dies meanwhile. */
int64_t times_back_off_ms(const struct bosh *s, int attempts);

#endif
