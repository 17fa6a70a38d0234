/* Server twins: waits, holds and windows under load. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_flow[] = {
    {0},
};
