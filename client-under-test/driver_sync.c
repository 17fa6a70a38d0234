/* Blocking calls: see bosh.h. */
#include "bosh.h"

#include "driver_curl.h"
#include "session.h"

/* Turn until it holds, or the session is over. Returns 0, or -1. */
static int turn_until(struct bosh_driver *d, struct bosh *s,
                      bool (*holds)(const struct bosh *s), int64_t max_ms)
{
    int64_t end_ms = BOSH_NEVER;
    int64_t start_ms = bosh_driver_now_ms();

    if (max_ms >= 0 && max_ms < BOSH_NEVER - start_ms)
        end_ms = start_ms + max_ms;
    bosh_driver_pump(d, s);
    while (!holds(s)) {
        int64_t now_ms = bosh_driver_now_ms();

        if (bosh_ended(s) || now_ms >= end_ms)
            return -1;
        if (bosh_driver_turn(d, end_ms == BOSH_NEVER ? -1 : end_ms - now_ms))
            return -1;
    }
    return 0;
}

int bosh_driver_connect(struct bosh_driver *d, struct bosh *s, const char *jid,
                        const char *password, int64_t max_ms)
{
    int rc;

    if (!driver_has(d, s))
        return BOSH_E_ARG;
    rc = bosh_connect(s, bosh_driver_now_ms(), jid, password);
    return rc ? rc : turn_until(d, s, bosh_connected, max_ms);
}

int bosh_driver_settle(struct bosh_driver *d, struct bosh *s, int64_t max_ms)
{
    bool alive = !bosh_ended(s);
    int rc;

    if (!driver_has(d, s))
        return BOSH_E_ARG;
    if (alive)
        bosh_flush(s);
    rc = turn_until(d, s, bosh_settled, max_ms);
    /* A session that ends has nothing to send any more, but did not send it. */
    return alive && bosh_ended(s) ? -1 : rc;
}

int bosh_driver_send(struct bosh_driver *d, struct bosh *s, const char *xml,
                     size_t len, int64_t max_ms)
{
    int rc;

    if (!driver_has(d, s))
        return BOSH_E_ARG;
    rc = bosh_send(s, xml, len);
    return rc ? rc : bosh_driver_settle(d, s, max_ms);
}

int bosh_driver_disconnect(struct bosh_driver *d, struct bosh *s,
                           const char *reason, int64_t max_ms)
{
    int rc;

    if (!driver_has(d, s))
        return BOSH_E_ARG;
    rc = bosh_disconnect(s, bosh_driver_now_ms(), reason);
    if (rc == 0)
        rc = turn_until(d, s, bosh_ended, max_ms);
    /* bosh_last_error() may be about a verb that the hook has called since. */
    return rc == 0 && *s->why.text ? -1 : rc;
}
