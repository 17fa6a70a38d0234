/* Server twins: what is lost, repeated and reordered. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_loss[] = {
    {0},
};
