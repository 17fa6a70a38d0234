/*
 * What the player can do to the world. Two stages stand behind it: sockets
 * (stage_sockets.c) and a virtual clock (stage_virtual.c); the player can't
 * tell them apart.
 *
 * No function calls the player back before it has returned.
 */
#ifndef HARNESS_STAGE_H
#define HARNESS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/delivery.h"

/* One order to the client under test, in the words of docs/drivers.md.
 * Strings are borrowed for the call. */
struct verb {
    unsigned client;  /* 0 is the first; a driver session each */
    const char *name; /* "connect", "send", ... */
    struct {
        const char *name; /* "jid", "password", "wait", "xml", ... */
        const char *value;
    } args[16];
    size_t arg_count;
    struct {
        const char *name;
        const char *value;
    } options[16];
    size_t option_count;
};

/* What the client under test said. Strings are borrowed for the call. */
struct said {
    unsigned client;
    unsigned stream;       /* of the client, 0: the first; XEP-0124 §16 */
    const char *kind;      /* "status", "stanza", "error" */
    const char *value;     /* status: "connected", ...; else NULL */
    const char *condition; /* or NULL */
    const char *text;      /* stanza: its XML; error: the reason; or NULL */
};

struct stage_ops {
    /* ---- client role ---- */
    /* Hand request x to the manager. */
    void (*forward)(void *stage, unsigned x);
    /* Bytes to the client as x's answer, by plan (copied by the stage). */
    void (*deliver)(void *stage, unsigned x, const struct delivery *plan);
    /* x is never answered; its connection stays open and silent. */
    void (*ignore)(void *stage, unsigned x);
    /* End a connection, whatever is open on it. */
    void (*cut)(void *stage, unsigned conn, enum delivery_end how);
    /* Give the driver a verb; play_verb_result() comes later. */
    void (*verb)(void *stage, const struct verb *verb);
    /* The mock was told something by mock_...(): it may have answers now. */
    void (*poke)(void *stage);
    /* From here on the manager presents this certificate: certs_identity().
     * Only where it speaks TLS. */
    void (*certificate)(void *stage, const char *kind);

    /* ---- server role ---- */
    /* Send a request; returns its exchange number. conn: see
     * wire_request(). */
    unsigned (*request)(void *stage, const char *conn,
                        const struct delivery *plan);
    /* The connection that x is on; 0: none any more. NULL: not known. */
    unsigned (*conn)(void *stage, unsigned x);
    /* Give exchange x up. */
    void (*abort)(void *stage, unsigned x, enum delivery_end how);
};

#endif
