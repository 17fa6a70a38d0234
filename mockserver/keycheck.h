/* Verifies key sequences, in rid order. Source: XEP-0124 §15 */
#ifndef MOCKSERVER_KEYCHECK_H
#define MOCKSERVER_KEYCHECK_H

#include <stdbool.h>

#define KEYCHECK_HEX_LEN 40 /* SHA-1 as hexadecimal text */

struct keycheck {
    char expected[KEYCHECK_HEX_LEN + 1]; /* what the next key must hash to;
                                            "": no sequence is in use */
};

/*
 * The key attributes of the next request in rid order; NULL where absent.
 * The creation request begins a sequence by its newkey.
 *
 * Returns true when they fit; the sequence has then moved on. A key without
 * a sequence is ignored.
 */
bool keycheck_pass(struct keycheck *k, const char *key, const char *newkey);

#endif
