/*
 * How a fault is done to an answer: from an action and the answer's bytes to
 * a plan of delivery. Pure; nothing here knows BOSH, only HTTP's framing.
 */
#ifndef HARNESS_FAULTS_H
#define HARNESS_FAULTS_H

#include "case.h"
#include "common/delivery.h"
#include "common/http.h"

enum delivery_end faults_cut_end(enum cut_how how);

/* Does this action take effect on the way of the answer, so that the request
 * is handed to the manager first? */
bool faults_on_answer(const struct action *a);

/* Is what the client gets less than a whole answer? */
bool faults_damage(const struct action *a);

/* One word or two for the log: "lose-response", "cut-request rst". */
const char *faults_name(const struct action *a);

/* What the action's expressions came to. */
struct fault_values {
    int64_t every_ms; /* a->every, for a drip */
    /* a->reply's headers, for BYTES of kind HEADER and ATTRIBUTE; borrowed for
     * the call */
    const struct http_header *headers;
    size_t header_count;
};

/*
 * The plan for an answer under a CUT (from response-headers on) or BYTES
 * action; a NULL: as it is.
 *
 * values  used only for the actions that have them
 * plan    yours, delivery_release()
 *
 * Returns 0, or -1 with e set when the answer is no HTTP message.
 */
int faults_plan(const struct action *a, const char *answer, size_t len,
                const struct fault_values *values, struct delivery *plan,
                struct err *e);

#endif
