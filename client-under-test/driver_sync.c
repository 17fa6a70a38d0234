/* Blocking calls: see driver_sync.h. */
#include "driver_sync.h"

/* Turn until it holds, or the session is over. Returns 0, or -1. */
static int turn_until(struct driver *d, struct bosh *s,
                      bool (*holds)(const struct bosh *s), int64_t max_ms)
{
    int64_t end_ms = max_ms < 0 ? BOSH_NEVER : driver_now_ms() + max_ms;

    driver_pump(d, s);
    while (!holds(s)) {
        int64_t now_ms = driver_now_ms();

        if (bosh_ended(s) || now_ms >= end_ms)
            return -1;
        if (driver_turn(d, end_ms == BOSH_NEVER ? -1 : end_ms - now_ms))
            return -1;
    }
    return 0;
}

int driver_connect(struct driver *d, struct bosh *s, const char *jid,
                   const char *password, int64_t max_ms)
{
    int rc = bosh_connect(s, driver_now_ms(), jid, password);

    return rc ? rc : turn_until(d, s, bosh_connected, max_ms);
}

int driver_settle(struct driver *d, struct bosh *s, int64_t max_ms)
{
    return turn_until(d, s, bosh_settled, max_ms);
}

int driver_send(struct driver *d, struct bosh *s, const char *xml, size_t len,
                int64_t max_ms)
{
    int rc = bosh_send(s, xml, len);

    return rc ? rc : driver_settle(d, s, max_ms);
}

int driver_disconnect(struct driver *d, struct bosh *s, const char *reason,
                      int64_t max_ms)
{
    int rc = bosh_disconnect(s, driver_now_ms(), reason);

    return rc ? rc : turn_until(d, s, bosh_ended, max_ms);
}
