/* What the driver's own files know of each other; applications use bosh.h. */
#ifndef CLIENT_DRIVER_CURL_H
#define CLIENT_DRIVER_CURL_H

#include <stdbool.h>

struct bosh;
struct bosh_driver;

/* Was s added? If not, bosh_driver_last_error() says so. */
bool driver_has(struct bosh_driver *d, const struct bosh *s);

#endif
