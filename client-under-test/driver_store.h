/*
 * A file that keeps a session: readable for its owner only, and replaced as a
 * whole, so that a crash leaves the old text or the new one.
 */
#ifndef CLIENT_DRIVER_STORE_H
#define CLIENT_DRIVER_STORE_H

#include "bosh.h"

/* For options.store. path is borrowed for as long as a session uses it; the
 * folder must exist. */
struct bosh_store driver_store(const char *path);

#endif
