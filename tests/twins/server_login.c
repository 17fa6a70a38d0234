/* Server twins: SASL, restarts and binding. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_login[] = {
    {0},
};
