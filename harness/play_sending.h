/*
 * How the case wants a request to be sent: its HTTP, its connection, its
 * haste. From a step to what play_sessions.h takes. Pure.
 */
#ifndef HARNESS_PLAY_SENDING_H
#define HARNESS_PLAY_SENDING_H

#include "play_sessions.h"

/* Read it out of a request or create step. False when the play has ended; how
 * must be released in any case, and not outlive st. */
bool sending_read(struct play *p, int64_t now_ms, const struct step *st,
                  struct sending *how);
void sending_release(struct sending *how);

#endif
