/*
 * Client twins that are careless about TLS. In virtual time there is none, and
 * they are as good as any; tests/twin-client carries their faults out.
 */
#include "client_shim.h"
#include "twins.h"

const struct twin twins_client_tls[] = {
    {"trusts-any-certificate", TWIN_FAULTY,
     "takes a manager's certificate without a look at it (on sockets)",
     CLIENT(.trusts_all = true)},
    {"drops-the-s", TWIN_FAULTY,
     "speaks http where it was given an https URL (on sockets)",
     CLIENT(.drops_the_s = true)},
    {"redirected-to-http", TWIN_FAULTY,
     "lets a redirect lead it from https to http (on sockets)",
     CLIENT(.follows_to_http = true)},
    {0},
};
