/* What the mock grants in a client case. See virtual.h. */
#include "virtual.h"

#include <string.h>

/* A case's number, where it gives one; none: what "left out" is to the mock. */
static void grant(int *option, int given, int none)
{
    if (given == GRANT_NONE)
        *option = none;
    else if (given >= 0)
        *option = given;
}

static void grant_flag(bool *option, int given)
{
    if (given >= 0)
        *option = given > 0;
}

/* A case says what it wants changed; the rest are the mock's defaults. */
struct mock_options grant_options(const struct testcase *tc)
{
    struct mock_options o = mock_options_default();
    const struct manager_grant *g = &tc->manager;

    grant(&o.wait_s, g->wait_s, -1);
    grant(&o.hold, g->hold, -1);
    grant(&o.requests, g->requests, 0);
    grant(&o.inactivity_s, g->inactivity_s, -1);
    grant(&o.polling_s, g->polling_s, -1);
    grant(&o.maxpause_s, g->maxpause_s, -1);
    grant(&o.report_after_ms, g->report_ms, -1);
    grant(&o.empty_at_percent, g->empty_at_percent, 80);
    grant_flag(&o.ack, g->ack);
    grant_flag(&o.keys, g->keys);
    grant_flag(&o.restartlogic, g->restartlogic);
    grant_flag(&o.anonymous, g->anonymous);
    grant_flag(&o.streams, g->streams);
    grant_flag(&o.literal_overactivity, g->overactivity_literal);
    if (g->ver)
        o.ver = strcmp(g->ver, "none") == 0 ? NULL : g->ver;
    if (g->content_type)
        o.content_type = g->content_type;
    if (g->mechanisms)
        o.mechanisms = g->mechanisms;
    if (g->accept)
        o.accept = g->accept;
    if (g->offers)
        o.offers = g->offers;
    if (g->prefixes)
        o.other_prefixes = strcmp(g->prefixes, "other") == 0;
    if (g->features && strcmp(g->features, "next") == 0)
        o.features = MOCK_FEATURES_NEXT;
    else if (g->features && strcmp(g->features, "polled") == 0)
        o.features = MOCK_FEATURES_POLLED;
    o.creation = g->attributes;
    o.creation_count = g->attribute_count;
    if (g->conflict)
        o.refuse_conflict = strcmp(g->conflict, "refuse") == 0;
    return o;
}
