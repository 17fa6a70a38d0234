/*
 * A play as it goes on, for a person: each event of the log
 * (docs/event-log.md) in a line, with what belongs to it below. Writes to
 * buffers; a peer's bytes are shown, never obeyed.
 */
#ifndef REPORTS_LIVE_H
#define REPORTS_LIVE_H

#include "common/log_events.h"
#include "text.h"

struct live {
    struct text_style style;
    char **rids; /* of each exchange, from 1; NULL: it has none */
    size_t rid_count;
};

void live_init(struct live *l, const struct text_style *style);
void live_release(struct live *l);

/*
 * Append one event:
 *
 *   0.022 s  x 6    rid 42       request    POST /http-bind HTTP/1.1
 *                                           <body rid="42" .../>
 *
 * Bodies are indented where they are XML, and clipped: the log has them
 * whole.
 */
void live_event(struct live *l, struct buf *out, const struct event *ev);

#endif
