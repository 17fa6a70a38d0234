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

struct client_hooks;
struct server_hooks;

/* Each file of twins has a table of them, which ends with a zeroed row; a new
 * file is named in twins.c. */
struct twin {
    const char *name; /* "delivers-on-arrival" */
    enum twin_kind kind;
    const char *what;                  /* one line for a person */
    const struct client_hooks *client; /* CLIENT(...) of client_shim.h */
    const struct server_hooks *server; /* SERVER(...) of server_shim.h */
};

extern const struct twin twins_client_acks[];
extern const struct twin twins_client_answers[];
extern const struct twin twins_client_attach[];
extern const struct twin twins_client_bytes[];
extern const struct twin twins_client_codings[];
extern const struct twin twins_client_creation[];
extern const struct twin twins_client_ending[];
extern const struct twin twins_client_ends[];
extern const struct twin twins_client_errors[];
extern const struct twin twins_client_flow[];
extern const struct twin twins_client_habits[];
extern const struct twin twins_client_http[];
extern const struct twin twins_client_keys[];
extern const struct twin twins_client_login[];
extern const struct twin twins_client_loss[];
extern const struct twin twins_client_numbers[];
extern const struct twin twins_client_order[];
extern const struct twin twins_client_pause[];
extern const struct twin twins_client_repeats[];
extern const struct twin twins_client_streams[];
extern const struct twin twins_client_timing[];
extern const struct twin twins_client_tls[];
extern const struct twin twins_server_bytes[];
extern const struct twin twins_server_creation[];
extern const struct twin twins_server_ending[];
extern const struct twin twins_server_errors[];
extern const struct twin twins_server_flow[];
extern const struct twin twins_server_habits[];
extern const struct twin twins_server_http[];
extern const struct twin twins_server_headers[];
extern const struct twin twins_server_hostile[];
extern const struct twin twins_server_idle[];
extern const struct twin twins_server_keys[];
extern const struct twin twins_server_login[];
extern const struct twin twins_server_loss[];
extern const struct twin twins_server_negotiation[];
extern const struct twin twins_server_order[];
extern const struct twin twins_server_polling[];
extern const struct twin twins_server_repeats[];
extern const struct twin twins_server_spelling[];
extern const struct twin twins_server_streams[];
extern const struct twin twins_server_talk[];
extern const struct twin twins_server_time[];
extern const struct twin twins_server_xml[];

/* ---- the good peers, which twins are wrapped around ---- */

/* libbosh's session core. Yours; ends with ops->free(). tweak may change its
 * options, and be NULL. */
struct bosh_options;
struct client_peer *peer_libbosh(void (*tweak)(struct bosh_options *o));

/* The mock's core. options: NULL for the defaults of the self-test. */
struct server_peer *peer_mock(const struct mock_options *options);
/* What it is like where nothing else is said: it undoes gzip and deflate. */
struct mock_options peer_mock_options(void);

/* By name, or NULL. */
const struct twin *twin_find(enum role role, const char *name);
/* A role's i-th twin; NULL behind the last. */
const struct twin *twin_at(enum role role, size_t i);

/* Its name, for lint. */
const char *twin_name(enum role role, size_t i);

/* The peer; twin NULL: the good one. Yours; ends with ops->free(). */
struct client_peer *twin_client_peer(const struct twin *twin);
struct server_peer *twin_server_peer(const struct twin *twin);

#endif
