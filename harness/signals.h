/*
 * The signals that end a run or the mock: SIGINT, SIGTERM, and SIGHUP unless
 * it is ignored (nohup). One loop's thread.
 */
#ifndef HARNESS_SIGNALS_H
#define HARNESS_SIGNALS_H

#include <uv.h>

#define SIGNALS_MAX 3

struct signals {
    uv_signal_t handles[SIGNALS_MAX];
    int count;
};

/* Watch them; data becomes each handle's. s must stay until the loop has
 * closed the handles. */
void signals_start(struct signals *s, uv_loop_t *loop, uv_signal_cb fn,
                   void *data);
/* The loop need not wait for them: it ends when nothing else is left. */
void signals_unref(struct signals *s);
/* Let go of them; may be called twice. */
void signals_close(struct signals *s);
/* From now on they do nothing, for a program that is about to end. */
void signals_ignore(void);

#endif
