/*
 * The end of a play in the server role: every session that the case left alive
 * is ended, and where something got no answer the server is asked whether it
 * is still there. A server that is gone spoils every verdict after it, and is
 * perhaps what the case has found. Pure.
 */
#ifndef HARNESS_PLAY_SIGN_OFF_H
#define HARNESS_PLAY_SIGN_OFF_H

#include "play_sessions.h"

/* Exchange x was answered, or it is some time later: say what is to be said
 * next. No effect before play_sign_off(). */
void sign_off_answered(struct play *p, int64_t now_ms, unsigned x);
void sign_off_tick(struct play *p, int64_t now_ms);
/* When it is overdue; CLOCK_NEVER: it cannot be. */
int64_t sign_off_deadline(const struct play *p);

#endif
