/* The signals that end us: see signals.h. */
#include "signals.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>

static bool is_ignored(int signum)
{
    struct sigaction now;

    return sigaction(signum, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void watch(struct signals *s, uv_loop_t *loop, int signum,
                  uv_signal_cb fn, void *data)
{
    uv_signal_t *handle = &s->handles[s->count++];

    uv_signal_init(loop, handle);
    handle->data = data;
    uv_signal_start(handle, fn, signum);
}

void signals_start(struct signals *s, uv_loop_t *loop, uv_signal_cb fn,
                   void *data)
{
    memset(s, 0, sizeof *s);
    watch(s, loop, SIGINT, fn, data);
    watch(s, loop, SIGTERM, fn, data);
    if (!is_ignored(SIGHUP))
        watch(s, loop, SIGHUP, fn, data);
}

void signals_unref(struct signals *s)
{
    for (int i = 0; i < s->count; i++)
        uv_unref((uv_handle_t *)&s->handles[i]);
}

void signals_close(struct signals *s)
{
    for (int i = 0; i < s->count; i++)
        if (!uv_is_closing((uv_handle_t *)&s->handles[i]))
            uv_close((uv_handle_t *)&s->handles[i], NULL);
}

void signals_ignore(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}
