/* Driver processes, the process side: see driver.h. */
#include "driver_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

/* So long a process whose end is known may have words in its pipe, and one
 * that has closed its pipe may take to end. */
#define DRAIN_MS 500

struct driver_options driver_options_default(void)
{
    struct driver_options o = {NULL};

    o.hello_ms = 20000;
    o.verb_ms = 10000;
    o.quit_ms = 2000;
    return o;
}

int64_t driver_now(const struct driver *d)
{
    (void)d;
    return clock_now_ms();
}

void driver_break(struct driver *d, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    if (d->why)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    d->why = mem_dup(text);
    driver_arm(d);
}

/* ------------------------------------------------------------- the end */

static void free_driver(struct driver *d)
{
    talk_release(d);
    buf_release(&d->line);
    free(d->stderr_path);
    free(d->why);
    if (d->stderr_fd >= 0)
        close(d->stderr_fd);
    free(d);
}

static void handle_closed(uv_handle_t *handle)
{
    struct driver *d = handle->data;

    if (--d->handles > 0)
        return;
    if (d->sink.gone)
        d->sink.gone(d->sink.ctx);
    free_driver(d);
}

static void close_all(struct driver *d)
{
    d->closing = true;
    uv_close((uv_handle_t *)&d->in, handle_closed);
    uv_close((uv_handle_t *)&d->out, handle_closed);
    uv_close((uv_handle_t *)&d->err, handle_closed);
    uv_close((uv_handle_t *)&d->timer, handle_closed);
    uv_close((uv_handle_t *)&d->process, handle_closed);
}

static void signal_group(struct driver *d, int sig)
{
    if (d->exited)
        return;
    if (kill(-d->process.pid, sig) < 0)
        kill(d->process.pid, sig); /* setsid not reached yet */
}

static void end_stage(struct driver *d, enum driver_ending stage)
{
    d->ending = stage;
    d->ending_ms = driver_now(d) + d->quit_ms;
    if (stage == ASKED_TO_QUIT)
        talk_quit(d);
    else
        signal_group(d, stage == TERMINATED ? SIGTERM : SIGKILL);
}

static void say_how_it_ended(struct driver *d)
{
    const char *words = d->words[0] ? "; it wrote: " : "";
    int sig = d->exit_signal;

    if (!sig && d->exit_status > 128 && d->exit_status < 128 + NSIG)
        sig = (int)d->exit_status - 128; /* as a shell says it */
    if (sig)
        driver_break(d, "the driver crashed: %s%s%s", strsignal(sig), words,
                     d->words);
    else
        driver_break(d, "the driver ended with status %d%s%s",
                     (int)d->exit_status, words, d->words);
}

static void tell_lost(struct driver *d)
{
    int64_t now_ms = driver_now(d);

    d->told = true;
    while (d->sessions) {
        struct driver_session *s = d->sessions;

        d->sessions = s->next;
        s->sink.lost(s->sink.ctx, now_ms, d->why);
        free(s);
    }
    d->session_count = 0;
    if (d->sink.lost)
        d->sink.lost(d->sink.ctx, d->why);
    if (d->ending == RUNNING)
        end_stage(d, TERMINATED);
}

static void on_timer(uv_timer_t *timer)
{
    struct driver *d = timer->data;
    int64_t now_ms = driver_now(d);

    if (d->exited && !d->why && (d->out_ended || now_ms >= d->drained_ms))
        say_how_it_ended(d);
    if (d->out_ended && !d->exited && now_ms >= d->drained_ms)
        driver_break(d, "driver broken: it closed its stdout");
    if (d->why && !d->told)
        tell_lost(d);
    if (d->told && d->exited) {
        close_all(d);
        return;
    }
    if (d->ending != RUNNING && d->ending != KILLED && now_ms >= d->ending_ms)
        end_stage(d, d->ending + 1);
    if (!d->why)
        talk_tick(d, now_ms);
    driver_arm(d);
}

static int64_t next_deadline(const struct driver *d)
{
    int64_t at;

    if ((d->why && !d->told) || (d->told && d->exited))
        return 0;
    if (d->exited)
        return d->out_ended ? 0 : d->drained_ms;
    at = d->why ? CLOCK_NEVER : talk_deadline(d);
    if (d->out_ended && !d->why && d->drained_ms < at)
        at = d->drained_ms;
    if (d->ending != RUNNING && d->ending != KILLED && d->ending_ms < at)
        at = d->ending_ms;
    return at;
}

void driver_arm(struct driver *d)
{
    int64_t at = next_deadline(d);
    int64_t now_ms = driver_now(d);

    if (d->closing)
        return;
    if (at == CLOCK_NEVER)
        uv_timer_stop(&d->timer);
    else
        uv_timer_start(&d->timer, on_timer,
                       at > now_ms ? (uint64_t)(at - now_ms) : 0, 0);
}

static void on_exit_status(uv_process_t *process, int64_t status, int sig)
{
    struct driver *d = process->data;

    /* Whatever it has started goes with it. */
    kill(-process->pid, SIGKILL);
    d->exited = true;
    d->exit_status = status;
    d->exit_signal = sig;
    d->drained_ms = driver_now(d) + DRAIN_MS;
    driver_arm(d);
}

void driver_stop(struct driver *d)
{
    if (d->ending != RUNNING)
        return;
    if (d->ready && !d->why && !d->exited)
        end_stage(d, ASKED_TO_QUIT);
    else
        end_stage(d, TERMINATED);
    driver_break(d, "%s", "");
}

void driver_kill(struct driver *d)
{
    if (d->ending < TERMINATED)
        end_stage(d, TERMINATED);
    driver_break(d, "%s", "");
}

/* ------------------------------------------------------------- its stdin */

struct write {
    uv_write_t req;
    char *bytes;
};

/* A failed write needs no word: the process has ended, or a verb will not be
 * answered. */
static void on_written(uv_write_t *req, int status)
{
    struct write *w = (struct write *)req;

    (void)status;
    free(w->bytes);
    free(w);
}

void driver_write(struct driver *d, char *bytes, size_t len)
{
    struct write *w = mem_alloc(sizeof *w);
    uv_buf_t b = uv_buf_init(bytes, (unsigned)len);

    w->bytes = bytes;
    w->req.data = d;
    if (uv_write(&w->req, (uv_stream_t *)&d->in, &b, 1, on_written) < 0) {
        free(w->bytes);
        free(w);
        return; /* it has ended or ends: its status says more */
    }
    if (uv_stream_get_write_queue_size((uv_stream_t *)&d->in) >
        DRIVER_MAX_UNREAD)
        driver_break(d, "the driver does not read: %u bytes wait for it",
                     DRIVER_MAX_UNREAD);
}

/* ------------------------------------------------------ stdout and stderr */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *b)
{
    (void)handle;
    *b = uv_buf_init(mem_alloc(size), (unsigned)size);
}

static bool within_limits(struct driver *d)
{
    int64_t now_ms = driver_now(d);

    if (now_ms - d->second_ms >= 1000) {
        d->second_ms = now_ms;
        d->second_lines = 0;
    }
    if (++d->second_lines > DRIVER_MAX_RATE)
        driver_break(d, "driver broken: more than %u lines in a second",
                     DRIVER_MAX_RATE);
    return !d->why;
}

static void cut_lines(struct driver *d)
{
    size_t start = 0;

    while (!d->why) {
        char *from = d->line.data + d->looked;
        char *end = memchr(from, '\n', d->line.len - d->looked);

        if (!end)
            break;
        d->line_count++;
        if (within_limits(d))
            talk_line(d, d->line.data + start,
                      (size_t)(end - d->line.data) - start);
        start = d->looked = (size_t)(end - d->line.data) + 1;
    }
    buf_shift(&d->line, start);
    d->looked = d->line.len;
    if (d->line.len > DRIVER_MAX_LINE)
        driver_break(d, "driver broken: a line of more than %u bytes",
                     DRIVER_MAX_LINE);
}

static void on_stdout(uv_stream_t *stream, ssize_t got, const uv_buf_t *b)
{
    struct driver *d = stream->data;

    if (got > 0 && !d->why) {
        d->total += (size_t)got;
        buf_add(&d->line, b->base, (size_t)got);
        cut_lines(d);
        if (d->total > DRIVER_MAX_TOTAL)
            driver_break(d, "driver broken: it wrote more than %u bytes",
                         DRIVER_MAX_TOTAL);
    }
    free(b->base);
    if (got < 0) {
        uv_read_stop(stream);
        d->out_ended = true;
        if (!d->exited) /* then its end is as good as here */
            d->drained_ms = driver_now(d) + DRAIN_MS;
    }
    driver_arm(d);
}

/* The last line that says something, for messages. */
static void keep_words(struct driver *d, const char *data, size_t len)
{
    size_t end = len, start, n = 0;

    while (end > 0 && (data[end - 1] == '\n' || data[end - 1] == '\r'))
        end--;
    if (end == 0)
        return;
    for (start = end; start > 0 && data[start - 1] != '\n';)
        start--;
    for (; start < end && n + 1 < sizeof d->words; start++)
        if ((unsigned char)data[start] >= 0x20 && data[start] != 0x7f)
            d->words[n++] = data[start];
    d->words[n] = '\0';
}

static void keep_stderr(struct driver *d, const char *data, size_t len)
{
    size_t room = DRIVER_MAX_STDERR - d->stderr_len;

    if (d->stderr_fd < 0 && d->stderr_path) {
        d->stderr_fd = open(d->stderr_path,
                            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        free(d->stderr_path);
        d->stderr_path = NULL;
    }
    len = len < room ? len : room;
    if (d->stderr_fd >= 0 && len > 0 && write(d->stderr_fd, data, len) < 0)
        len = room; /* a full disk: no more of it */
    d->stderr_len += len;
}

static void on_stderr(uv_stream_t *stream, ssize_t got, const uv_buf_t *b)
{
    struct driver *d = stream->data;

    if (got > 0) {
        keep_words(d, b->base, (size_t)got);
        keep_stderr(d, b->base, (size_t)got);
    }
    free(b->base);
    if (got < 0)
        uv_read_stop(stream);
}

/* ------------------------------------------------------------- the start */

static void init_handle(struct driver *d, void *handle)
{
    ((uv_handle_t *)handle)->data = d;
    d->handles++;
}

static int spawn(struct driver *d, char *const *argv)
{
    uv_stdio_container_t stdio[3];
    uv_process_options_t o;

    memset(&o, 0, sizeof o);
    memset(stdio, 0, sizeof stdio);
    stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
    stdio[0].data.stream = (uv_stream_t *)&d->in;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&d->out;
    stdio[2].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[2].data.stream = (uv_stream_t *)&d->err;
    o.exit_cb = on_exit_status;
    o.file = argv[0];
    o.args = (char **)(uintptr_t)argv;
    o.stdio = stdio;
    o.stdio_count = 3;
    o.flags = UV_PROCESS_DETACHED; /* its own process group */
    return uv_spawn(d->loop, &d->process, &o);
}

struct driver *driver_start(uv_loop_t *loop, const struct driver_options *o,
                            const struct driver_sink *sink, struct err *e)
{
    struct driver *d = mem_alloc(sizeof *d);
    int status;

    d->loop = loop;
    d->hello_ms = o->hello_ms;
    d->verb_ms = o->verb_ms;
    d->quit_ms = o->quit_ms;
    d->salt = o->salt;
    d->stderr_path = mem_dup(o->stderr_path);
    d->stderr_fd = -1;
    d->asks_end = &d->asks;
    uv_pipe_init(loop, &d->in, 0);
    uv_pipe_init(loop, &d->out, 0);
    uv_pipe_init(loop, &d->err, 0);
    uv_timer_init(loop, &d->timer);
    init_handle(d, &d->in);
    init_handle(d, &d->out);
    init_handle(d, &d->err);
    init_handle(d, &d->timer);
    init_handle(d, &d->process);
    status = spawn(d, o->argv);
    if (status < 0) {
        err_set(e, "cannot start '%s': %s", o->argv[0], uv_strerror(status));
        close_all(d); /* no sink yet: it is freed in silence */
        return NULL;
    }
    d->sink = *sink;
    uv_read_start((uv_stream_t *)&d->out, on_alloc, on_stdout);
    uv_read_start((uv_stream_t *)&d->err, on_alloc, on_stderr);
    talk_hello(d);
    driver_arm(d);
    return d;
}

int driver_pid(const struct driver *d)
{
    return d->process.pid;
}

size_t driver_session_count(const struct driver *d)
{
    return d->session_count;
}
