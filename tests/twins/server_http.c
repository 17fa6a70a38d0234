/* Server twins: HTTP around the bodies. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_http[] = {
    {0},
};
