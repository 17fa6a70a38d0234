/*
 * What the application wants to see of the wire: options.taps. Pure.
 */
#ifndef CLIENT_TAP_H
#define CLIENT_TAP_H

#include "body.h"
#include "bosh.h"

/* Bytes on their way; a request for the first time. */
void tap_raw_output(const struct bosh_taps *t, const char *data, size_t len);
void tap_raw_input(const struct bosh_taps *t, const char *data, size_t len);
void tap_xml_output(const struct bosh_taps *t, const char *data, size_t len);

/* An answer whose turn it is. */
void tap_xml_input(const struct bosh_taps *t, const struct body *answer);

#endif
