/* Limits of time: see times.h. */
#include "times.h"

/* Without a wait to go by (polling sessions) an answer may take so long. */
#define POLLING_TIMEOUT_MS 10000

/* The part of the manager's inactivity after which we do not stay silent. */
#define INACTIVITY_NUMERATOR 4
#define INACTIVITY_DENOMINATOR 5

struct window_limits times_limits(const struct bosh *s)
{
    double wait_ms = s->wait_s > 0 ? s->wait_s * 1000.0 : POLLING_TIMEOUT_MS;
    struct window_limits limits = {0, 0};

    if (s->options.timeout > 0)
        limits.primary_ms = (int64_t)(wait_ms * s->options.timeout + 0.5);
    if (s->options.secondary_timeout > 0) {
        limits.secondary_ms =
            (int64_t)(wait_ms * s->options.secondary_timeout + 0.5);
        if (limits.secondary_ms < s->options.secondary_min_ms)
            limits.secondary_ms = s->options.secondary_min_ms;
    }
    return limits;
}

/* How long the manager keeps a session that is silent; -1: for ever. */
static int64_t inactivity_ms(const struct bosh *s)
{
    /* A pause that we end is the manager's until it has heard of that. */
    if (s->granted_s > 0)
        return s->granted_s * INT64_C(1000);
    /* 0 cannot be kept by anybody. */
    return s->inactivity_s > 0 ? s->inactivity_s * INT64_C(1000) : -1;
}

int64_t times_wake_ms(const struct bosh *s)
{
    int64_t limit = inactivity_ms(s);

    if (limit < 0)
        return BOSH_NEVER;
    return s->quiet_ms + limit * INACTIVITY_NUMERATOR / INACTIVITY_DENOMINATOR;
}

int64_t times_silence_ms(const struct bosh *s)
{
    int64_t limit = inactivity_ms(s);

    if (!s->sid || limit < 0 || window_on_wire(&s->window) > 0)
        return BOSH_NEVER;
    return s->quiet_ms + limit + 1;
}

int64_t times_back_off_ms(const struct bosh *s, int attempts)
{
    int64_t delay = (int64_t)attempts * attempts * attempts * 1000;
    int64_t longest = times_limits(s).primary_ms;
    int64_t limit = inactivity_ms(s);

    if (!s->options.back_off || attempts < 2)
        return 0;
    if (longest > 0 && delay > longest)
        delay = longest;
    limit = limit * INACTIVITY_NUMERATOR / INACTIVITY_DENOMINATOR;
    return limit > 0 && delay > limit ? limit : delay;
}
