/* Server twins: inactivity and pauses. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_idle[] = {
    {0},
};
