/* What the mock grants in a client case. See virtual.h. */
#include "virtual.h"

#include <string.h>

/* A case says what it wants changed; the rest are the mock's defaults. */
struct mock_options grant_options(const struct testcase *tc)
{
    struct mock_options o = mock_options_default();
    const struct manager_grant *g = &tc->manager;

    if (g->wait_s >= 0)
        o.wait_s = g->wait_s;
    if (g->hold >= 0)
        o.hold = g->hold;
    if (g->requests >= 0)
        o.requests = g->requests;
    if (g->inactivity_s >= 0)
        o.inactivity_s = g->inactivity_s;
    if (g->polling_s >= 0)
        o.polling_s = g->polling_s;
    if (g->maxpause_s >= 0)
        o.maxpause_s = g->maxpause_s;
    if (g->ver)
        o.ver = strcmp(g->ver, "none") == 0 ? NULL : g->ver;
    if (g->ack >= 0)
        o.ack = g->ack > 0;
    if (g->mechanisms) {
        o.mechanisms = g->mechanisms;
        o.anonymous = strstr(g->mechanisms, "ANONYMOUS") != NULL;
    }
    if (g->features && strcmp(g->features, "next") == 0)
        o.features = MOCK_FEATURES_NEXT;
    else if (g->features && strcmp(g->features, "polled") == 0)
        o.features = MOCK_FEATURES_POLLED;
    return o;
}
