/*
 * Secrets are taken out before anything is written: what SASL exchanges (RFC
 * 6120 §6.4), of any mechanism, and passwords and digests of the old
 * jabber:iq:auth. Lengths stay, so that messages stay whole. Pure.
 */
#ifndef HARNESS_REDACT_H
#define HARNESS_REDACT_H

#include <stddef.h>

/* In place: each byte of a secret becomes 'x'. */
void redact(char *data, size_t len);

#endif
