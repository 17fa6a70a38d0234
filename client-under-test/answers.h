/*
 * Answers are handed over in the order of their rids, XEP-0124 §14.2: to the
 * session, and to the stream that each belongs to, §16.4. Pure.
 */
#ifndef CLIENT_ANSWERS_H
#define CLIENT_ANSWERS_H

#include "session.h"

/* Hand over those whose turn it is. skip: those before them are given up for
 * lost. */
void answers_take(struct bosh *s, int64_t now_ms, bool skip);

#endif
