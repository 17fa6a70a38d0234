/* Server twins: polling sessions and overactivity. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_polling[] = {
    {0},
};
