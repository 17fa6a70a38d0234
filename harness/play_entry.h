/*
 * Creations and logins as steps of a play: each is a thread's step that sends
 * a request, waits for its answer, and goes on. Pure.
 */
#ifndef HARNESS_PLAY_ENTRY_H
#define HARNESS_PLAY_ENTRY_H

#include "play_sessions.h"

/* One creation exchange; through when it is answered, however, or overdue. */
enum went entry_create(struct play *p, struct thread *th, const struct step *st,
                       int64_t now_ms);

/* A session, logged in, with nothing left open. What goes wrong on the way
 * ends the play as ERROR: "login failed: <what>: <condition>". */
enum went entry_login(struct play *p, struct thread *th, const struct step *st,
                      int64_t now_ms);

/* The widest-accepted creation request. body is initialised.
 * Source: XEP-0124 §7.1, XEP-0206 §3 */
void entry_plain_creation(const struct play *p, struct raw_body *body);
/* Put a step's attributes on a <body/>. False when the play has ended. */
bool entry_set_attrs(struct play *p, int64_t now_ms, struct raw_body *body,
                     const struct named_avt *attrs, size_t count, int line);

#endif
