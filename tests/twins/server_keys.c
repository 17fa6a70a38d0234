/* Server twins: key sequences and acknowledgements. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_keys[] = {
    {0},
};
