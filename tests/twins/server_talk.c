/* Server twins: what users say to each other, and stream errors. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_talk[] = {
    {0},
};
