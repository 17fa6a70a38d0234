/*
 * A mock for many sessions, in a thread of its own, behind relays that can do
 * harm: every tenth exchange of each session is lost, cut or refused.
 *
 * A session's requests are told from others' by its path, "/NUMBER": ask for
 * load_manager_url(). Any user may log in with the password "secret".
 */
#ifndef TESTS_LOAD_MANAGER_H
#define TESTS_LOAD_MANAGER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/wire.h"

/* What is done to an exchange. EARLY: the manager never sees the request;
 * LATE: it has done what was asked, and its answer is lost. */
enum load_fault {
    LOAD_NONE,
    LOAD_FIN_EARLY, /* before the answer */
    LOAD_FIN_LATE,  /* in the middle of the answer */
    LOAD_RST_EARLY,
    LOAD_RST_LATE,
    LOAD_503_EARLY,
    LOAD_503_LATE,
    LOAD_FAULT_COUNT
};

struct load_manager;

struct load_setup {
    size_t sessions; /* numbered from 0 */
    bool harm;       /* false: every exchange is left alone */
    const struct wire_identity *identity; /* NULL: no TLS */
};

/* setup is borrowed for the call. NULL with e set when there are no sockets
 * for it. */
struct load_manager *load_manager_start(const struct load_setup *setup,
                                        struct err *e);

int load_manager_port(const struct load_manager *m, size_t session);
/* http: on 127.0.0.1. Yours, free with free(). */
char *load_manager_url(const struct load_manager *m, size_t session);

struct load_tally {
    size_t exchanges;
    size_t faults[LOAD_FAULT_COUNT]; /* exchanges by what was done to them */
    struct buf first;                /* of session 0's requests, the bytes */
    struct err problem;              /* ours; "" when there was none */
};

/* Ends it, whatever is open, and frees it. tally->first is yours to release.
 */
void load_manager_stop(struct load_manager *m, struct load_tally *tally);

#endif
