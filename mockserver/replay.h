/*
 * The replay buffer: the last answers of a session, to be given again byte
 * for byte when their request comes once more.
 *
 * Source: XEP-0124 §9.2, §14.3
 */
#ifndef MOCKSERVER_REPLAY_H
#define MOCKSERVER_REPLAY_H

#include "answer.h"

struct replay_item {
    uint64_t rid;
    int64_t sent_ms;
    bool pause; /* kept, but does not count as one of the depth */
    int repeats;
    struct answer_bytes *body;
};

struct replay {
    struct replay_item *items; /* by rising rid */
    size_t count;
    size_t cap;
    size_t depth; /* answers to keep at least */
};

/* depth  'requests' of the session; 0 when there is no such limit */
void replay_init(struct replay *r, size_t depth);
void replay_release(struct replay *r);

/*
 * Keep an answer; its rid is above all that are kept. Takes a reference of
 * its own.
 *
 * acked  what the client acknowledged; those above are kept beyond the depth,
 *        at most MOCK_MAX_REPLAY. UINT64_MAX: the client does not acknowledge.
 */
void replay_add(struct replay *r, uint64_t rid, int64_t sent_ms, bool pause,
                struct answer_bytes *body, uint64_t acked);

/* The kept answer, borrowed until the next replay_add(); NULL: not there. */
struct replay_item *replay_find(struct replay *r, uint64_t rid);

#endif
