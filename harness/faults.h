/*
 * How a fault is done to an answer: from an action and the answer's bytes to
 * a plan of delivery. Pure; nothing here knows BOSH, only HTTP's framing.
 */
#ifndef HARNESS_FAULTS_H
#define HARNESS_FAULTS_H

#include "case.h"
#include "common/delivery.h"

enum delivery_end faults_cut_end(enum cut_how how);

/* Does this action take effect on the way of the answer, so that the request
 * is handed to the manager first? */
bool faults_on_answer(const struct action *a);

/* Is what the client gets less than a whole answer? */
bool faults_damage(const struct action *a);

/* One word or two for the log: "lose-response", "cut-request rst". */
const char *faults_name(const struct action *a);

/*
 * The plan for an answer under a CUT (from response-headers on) or BYTES
 * action; a NULL: as it is.
 *
 * every_ms  what a->every comes to, for a drip
 * plan      yours, delivery_release()
 *
 * Returns 0, or -1 with e set when the answer is no HTTP message.
 */
int faults_plan(const struct action *a, const char *answer, size_t len,
                int64_t every_ms, struct delivery *plan, struct err *e);

#endif
