/*
 * --trace: what goes over the wire, for a person, on stderr. A line that says
 * when, what, which rid and how long, then the <body/>; secrets are hidden.
 */
#ifndef CLIENT_TOOL_TRACE_H
#define CLIENT_TOOL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "bosh.h"

struct tool_trace {
    bool on;
    int64_t start_ms;
    const struct bosh *bosh; /* borrowed */
    uint64_t first_open;     /* the rid whose answer is next in order; 0: none
                              * is on its way */
    uint64_t last_sent;
    int errors;
};

/* Takes options' taps; t is borrowed for as long as the session lives. */
void tool_trace_start(struct tool_trace *t, struct bosh_options *options);

/* These do nothing unless it is on. */
void tool_trace_status(struct tool_trace *t, const struct bosh_event *ev);
/* After each turn: has something gone wrong on the way? */
void tool_trace_errors(struct tool_trace *t);

#endif
