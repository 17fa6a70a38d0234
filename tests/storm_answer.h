/*
 * A storm's answers: what a good manager would say to a request, something put
 * together out of what the XEPs know, or either with bytes spoiled.
 */
#ifndef TESTS_STORM_ANSWER_H
#define TESTS_STORM_ANSWER_H

#include <stdbool.h>

#include "common/buf.h"
#include "mockserver/saslserver.h"
#include "tests/storm_fuel.h"

/* The password of everybody. */
#define STORM_PASSWORD "pencil"

/* A manager as far as it has to remember something. */
struct storm_manager {
    struct mock_options options;
    struct saslserver *sasl;
    struct saslserver_exchange *exchange;
    int streams; /* that it has named */
};

void storm_manager_init(struct storm_manager *m);
void storm_manager_release(struct storm_manager *m);

/* What a good manager says to request, a NUL-terminated <body/>. */
void storm_answer_good(struct buf *out, struct storm_manager *m,
                       const char *request, struct fuel *f);

/* A body of attributes and payloads that need not fit together; rid is a
 * number for `report` and `ack`. */
void storm_answer_built(struct buf *out, uint64_t rid, struct fuel *f);

/* Cut, overwrite, insert or double some of it. */
void storm_spoil(struct buf *text, struct fuel *f);

#endif
