/*
 * Somebody who talks through a session of libbosh: notes the statuses and the
 * messages that come, and says things. It uses bosh.h only.
 */
#ifndef TESTS_PEERS_TALKER_H
#define TESTS_PEERS_TALKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client-under-test/bosh.h"
#include "common/buf.h"

/* Far beyond what anything here takes, on a machine that is busy too. */
#define PATIENCE_MS 60000

struct talker {
    struct bosh *s;
    struct bosh_driver *d; /* borrowed */
    struct buf seen;       /* names of the statuses, by spaces */
    char *condition;       /* the first that came with a status; or NULL */
    char **texts;          /* the bodies of the messages, in order */
    size_t count;
    size_t strays; /* stanzas that are no message with a body */
    size_t drained;
    /* Called with each message's body, if not NULL. */
    void (*heard)(struct talker *t, const char *from, const char *text);
    const void *ctx;
};

/* In place, so that t must not move. d  borrowed until the release */
void talker_init(struct talker *t, struct bosh_driver *d,
                 const struct bosh_options *o);
void talker_release(struct talker *t);

/* Forget statuses and messages. */
void talker_forget(struct talker *t);

/* Forget the last message. */
void talker_forget_last(struct talker *t);

/* A message with this body, without waiting. Returns as bosh_send(). */
int talker_say(struct talker *t, const char *to, const char *text);

/* Turn the driver until it holds. False when max_ms are over first. */
bool talk_until(struct bosh_driver *d, bool (*holds)(const void *ctx),
                const void *ctx, int64_t max_ms);

/* Turn until t has heard so many messages, or is over. Returns how many. */
size_t talker_listen(struct talker *t, size_t count, int64_t max_ms);

/* Turn until the session is over. */
bool talker_wait_end(struct talker *t, int64_t max_ms);

/* Turn for so long, whatever comes. */
void talk_for(struct bosh_driver *d, int64_t ms);

#endif
