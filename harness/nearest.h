/*
 * "Did you mean": the word of a list that is nearest to a mistyped one. Pure.
 */
#ifndef HARNESS_NEAREST_H
#define HARNESS_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word; /* the mistyped one, borrowed */
    const char *best; /* NULL: nothing is near enough; borrowed */
    size_t distance;
};

struct nearest nearest_to(const char *word);
/* candidate stays borrowed while the struct is looked at. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
