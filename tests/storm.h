/*
 * A session of libbosh in a storm: calls, answers and times that bytes choose,
 * and the rules of bosh.h checked after each. Played by the fuzz target
 * fuzz_session and, with bytes of its own making, by the suite "storm".
 *
 * By the public API only: no sockets, no clock, nothing of the library's
 * inside.
 */
#ifndef TESTS_STORM_H
#define TESTS_STORM_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* What one storm came to see: so that a suite can tell whether its bytes lead
 * anywhere. */
struct storm_sights {
    long sessions; /* connect, attach or restore that was taken */
    long logins;   /* CONNECTED */
    long endings;  /* DISCONNECTED */
    long requests; /* transmissions */
    long repeats;  /* of these, not the first of their request */
    long stanzas;
    long refusals; /* calls that returned BOSH_E_* */
};

/* Play all of data. sights are added to. Returns 0, or -1 with e set: a rule
 * of bosh.h was broken. */
int storm_run(const uint8_t *data, size_t size, struct storm_sights *sights,
              struct err *e);

#endif
