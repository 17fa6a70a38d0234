/*
 * Twins: peers with one fault each that a real implementation has had, and
 * peers that are unusual but in the right. Each is a shim around a good core
 * (harness/peer.h). Cases name them: caught by which assert, or spared.
 */
#ifndef TESTS_TWINS_TWINS_H
#define TESTS_TWINS_TWINS_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/journal.h"
#include "harness/peer.h"

enum twin_kind {
    TWIN_FAULTY,
    TWIN_RIGHT,     /* must be spared */
    TWIN_UNADVISED, /* in the right, but against a XEP's advice: WARN is due */
};

struct client_twin {
    const char *name; /* "delivers-on-arrival" */
    enum twin_kind kind;
    const char *what; /* one line for a person */
    struct client_peer *(*make)(void);
};

struct server_twin {
    const char *name;
    enum twin_kind kind;
    const char *what;
    struct server_peer *(*make)(void);
};

/* ---- the good peers, which twins are wrapped around ---- */

/* libbosh's session core. Yours; ends with ops->free(). tweak may change its
 * options, and be NULL. */
struct bosh_options;
struct client_peer *peer_libbosh(void (*tweak)(struct bosh_options *o));

/* The mock's core. options: NULL for the defaults of the self-test. */
struct server_peer *peer_mock(const struct mock_options *options);

/* By name, or NULL. */
const struct client_twin *twin_client(const char *name);
const struct server_twin *twin_server(const char *name);
bool twin_known(enum role role, const char *name);
/* TWIN_FAULTY for a name that is not known. */
enum twin_kind twin_kind_of(enum role role, const char *name);
/* The name of a role's i-th twin; NULL behind the last. */
const char *twin_name(enum role role, size_t i);

/* All of them; count through *count. */
const struct client_twin *twin_clients(size_t *count);
const struct server_twin *twin_servers(size_t *count);

#endif
