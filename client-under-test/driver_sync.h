/*
 * Blocking calls, for programs without a loop of their own: the seed's sync.
 *
 * They turn the driver until what was asked for has come about, and can be
 * mixed with its other calls at any time, on the same session. Events go to
 * its hook as ever; no hook may call these. Other sessions of the driver go
 * on meanwhile.
 *
 * max_ms  so long at most; negative: as long as it takes, which the session's
 *         own limits bound
 *
 * Each returns 0; a BOSH_E_* of the verb; or -1 where the session ended or
 * the time was up first: bosh_last_error() and bosh_ended() say more.
 */
#ifndef CLIENT_DRIVER_SYNC_H
#define CLIENT_DRIVER_SYNC_H

#include "driver_curl.h"

/* bosh_connect(), until logged in. */
int driver_connect(struct driver *d, struct bosh *s, const char *jid,
                   const char *password, int64_t max_ms);

/* Until all that was queued has been sent and the manager has answered. */
int driver_settle(struct driver *d, struct bosh *s, int64_t max_ms);

/* bosh_send(), and then driver_settle(). */
int driver_send(struct driver *d, struct bosh *s, const char *xml, size_t len,
                int64_t max_ms);

/* bosh_disconnect(), until the session is over. */
int driver_disconnect(struct driver *d, struct bosh *s, const char *reason,
                      int64_t max_ms);

#endif
