/* Server twins: what is granted and refused at a creation, and the words for
 * it. */
#include "server_shim.h"
#include "twins.h"

const struct twin twins_server_negotiation[] = {
    {0},
};
