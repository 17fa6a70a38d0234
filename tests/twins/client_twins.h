/* The hooks of all client twins, by file; twins.c makes the table of them. */
#ifndef TESTS_TWINS_CLIENT_TWINS_H
#define TESTS_TWINS_CLIENT_TWINS_H

#include "client_shim.h"
#include "twins.h"

/* A twin called ident: its hooks, and how one is made. */
#define TWIN(ident, ...)                                                       \
    static const struct client_hooks ident##_hooks = {__VA_ARGS__};            \
    static struct client_peer *ident(void)                                     \
    {                                                                          \
        return client_shim_new(&ident##_hooks);                                \
    }

/* Each ends with a row whose name is NULL. */
extern const struct client_twin client_creation_twins[];
extern const struct client_twin client_ending_twins[];
extern const struct client_twin client_error_twins[];
extern const struct client_twin client_order_twins[];
extern const struct client_twin client_repeat_twins[];

#endif
