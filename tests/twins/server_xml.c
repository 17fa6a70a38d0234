/* Server twins: what it takes for XML, and what not. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_xml[] = {
    {0},
};
