/* Programs that are only told where to go: see driver_program.h. */
#include "driver_program.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

/* How often we look whether the rest of a group has ended. */
#define LOOK_EVERY_MS 50
/* What cannot be killed is not waited for. */
#define KILL_MS 1000

extern char **environ;

enum ending { RUNNING, TERMINATED, KILLED };

struct program {
    uv_loop_t *loop;
    struct program_sink sink;
    struct driver_watch *watch;
    uv_process_t process;
    uv_pipe_t out;
    uv_timer_t timer;
    unsigned handles; /* not closed yet */
    bool spawned;     /* process is a handle */
    int pid;          /* and process group; 0: not started */
    int quit_ms;
    bool exited; /* its first process */
    bool over;   /* the whole group */
    bool left;   /* nobody asks any more */
    enum ending ending;
    int64_t ending_ms;
    int64_t exit_status;
    int exit_signal;
    char *output_path;
    int output_fd;
    size_t output_len;
    char words[200]; /* the last line that it wrote */
};

/* ------------------------------------------------------------- the end */

static void handle_closed(uv_handle_t *handle)
{
    struct program *p = handle->data;

    if (--p->handles > 0)
        return;
    if (p->sink.gone)
        p->sink.gone(p->sink.ctx);
    if (p->output_fd >= 0)
        close(p->output_fd);
    free(p->output_path);
    free(p);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, handle_closed);
}

static void close_all(struct program *p)
{
    if (p->pid > 0)
        driver_watch_remove(p->watch, p->pid);
    close_handle(&p->out);
    close_handle(&p->timer);
    if (p->spawned)
        close_handle(&p->process);
}

static char *how_it_ended(const struct program *p)
{
    const char *comma = p->words[0] ? "; it wrote: " : "";
    int sig = p->exit_signal;

    if (!sig && p->exit_status > 128 && p->exit_status < 128 + NSIG)
        sig = (int)p->exit_status - 128; /* as a shell says it */
    if (sig)
        return mem_printf("crashed: %s%s%s", strsignal(sig), comma, p->words);
    return mem_printf("ended with status %d%s%s", (int)p->exit_status, comma,
                      p->words);
}

static void tell_over(struct program *p)
{
    char *how = how_it_ended(p);

    p->over = true;
    if (!p->left && p->sink.ended)
        p->sink.ended(p->sink.ctx, how);
    free(how);
    if (p->left)
        close_all(p);
}

/* Does this process run, in that group? /proc/PID/stat has, after the name in
 * brackets: state, parent, group. */
static bool runs_in_group(const char *pid, int group)
{
    char *path = mem_printf("/proc/%s/stat", pid);
    FILE *f = fopen(path, "re");
    char line[512];
    char *at = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    char state = 'X';
    int parent, of = 0;

    if (f)
        fclose(f);
    free(path);
    if (!at || sscanf(at + 1, " %c %d %d", &state, &parent, &of) != 3)
        return false;
    return of == group && state != 'Z' && state != 'X';
}

/* Is anything of the group there? Its number is not used again before the
 * last one is gone. The dead count until somebody has taken note of them, and
 * not everything that is process 1 does so. */
static bool group_lives(const struct program *p)
{
    struct dirent *entry;
    bool lives = false;
    DIR *dir;

    if (kill(-p->pid, 0) < 0)
        return errno == EPERM;
    dir = opendir("/proc");
    if (!dir)
        return true;
    while (!lives && (entry = readdir(dir)))
        lives = isdigit((unsigned char)entry->d_name[0]) &&
                runs_in_group(entry->d_name, p->pid);
    closedir(dir);
    return lives;
}

static void on_timer(uv_timer_t *timer);

static void look_again(struct program *p)
{
    uv_timer_start(&p->timer, on_timer, LOOK_EVERY_MS, 0);
}

static void signal_group(struct program *p, enum ending stage)
{
    int sig = stage == TERMINATED ? SIGTERM : SIGKILL;

    p->ending = stage;
    p->ending_ms =
        clock_now_ms() + (stage == TERMINATED ? p->quit_ms : KILL_MS);
    if (kill(-p->pid, sig) < 0 && !p->exited)
        kill(p->pid, sig); /* setsid not reached yet */
    look_again(p);
}

static void on_timer(uv_timer_t *timer)
{
    struct program *p = timer->data;
    bool due = clock_now_ms() >= p->ending_ms;

    if (p->over)
        return;
    if (p->exited && (!group_lives(p) || (p->ending == KILLED && due)))
        tell_over(p);
    else if (p->ending == TERMINATED && due)
        signal_group(p, KILLED);
    else if (p->exited || p->ending != RUNNING)
        look_again(p);
}

static void on_exit_status(uv_process_t *process, int64_t status, int sig)
{
    struct program *p = process->data;

    p->exited = true;
    p->exit_status = status;
    p->exit_signal = sig;
    look_again(p); /* not at once: its last words come first */
}

void program_stop(struct program *p)
{
    if (!p->over && p->ending == RUNNING)
        signal_group(p, TERMINATED);
}

bool program_over(const struct program *p)
{
    return p->over;
}

void program_free(struct program *p)
{
    if (!p || p->left)
        return;
    p->left = true;
    if (p->over)
        close_all(p);
    else
        program_stop(p);
}

/* ------------------------------------------------------------- its output */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *b)
{
    (void)handle;
    *b = uv_buf_init(mem_alloc(size), (unsigned)size);
}

/* The last line that says something, for messages. */
static void keep_words(struct program *p, const char *data, size_t len)
{
    size_t start, n = 0;

    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
        len--;
    if (len == 0)
        return;
    for (start = len; start > 0 && data[start - 1] != '\n';)
        start--;
    for (; start < len && n + 1 < sizeof p->words; start++)
        if ((unsigned char)data[start] >= 0x20 && data[start] != 0x7f)
            p->words[n++] = data[start];
    p->words[n] = '\0';
}

static void keep_output(struct program *p, const char *data, size_t len)
{
    size_t room = PROGRAM_MAX_OUTPUT - p->output_len;

    if (p->output_fd < 0 && p->output_path) {
        p->output_fd = open(p->output_path,
                            O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        free(p->output_path);
        p->output_path = NULL;
    }
    len = len < room ? len : room;
    if (p->output_fd >= 0 && len > 0 && write(p->output_fd, data, len) < 0)
        len = room; /* a full disk: no more of it */
    p->output_len += len;
}

static void on_output(uv_stream_t *stream, ssize_t got, const uv_buf_t *b)
{
    struct program *p = stream->data;

    if (got > 0) {
        keep_words(p, b->base, (size_t)got);
        keep_output(p, b->base, (size_t)got);
    }
    free(b->base);
    if (got < 0)
        uv_read_stop(stream);
}

/* ------------------------------------------------------------- the start */

/* Ours without BOSHSPEC_..., and what is given. */
static char **make_env(const struct program_options *o)
{
    static const char mine[] = "BOSHSPEC_";
    size_t n = 0, used = 0, i;
    char **env;

    while (environ[n])
        n++;
    env = mem_alloc((n + PROGRAM_MAX_ENV + 1) * sizeof *env);
    for (i = 0; i < n; i++)
        if (strncmp(environ[i], mine, sizeof mine - 1) != 0)
            env[used++] = mem_dup(environ[i]);
    for (i = 0; i < PROGRAM_MAX_ENV && o->env[i].name; i++)
        if (o->env[i].value)
            env[used++] = mem_printf("%s=%s", o->env[i].name, o->env[i].value);
    return env;
}

static void init_handle(struct program *p, void *handle)
{
    ((uv_handle_t *)handle)->data = p;
    p->handles++;
}

static int spawn(struct program *p, const struct program_options *o)
{
    uv_stdio_container_t stdio[3];
    uv_process_options_t u;
    char **env = make_env(o);
    int pipe_fds[2], status, i;

    memset(&u, 0, sizeof u);
    memset(stdio, 0, sizeof stdio);
    status = uv_pipe(pipe_fds, UV_NONBLOCK_PIPE, 0);
    if (status == 0) {
        uv_pipe_open(&p->out, pipe_fds[0]);
        stdio[0].flags = UV_IGNORE;
        stdio[1].flags = stdio[2].flags = UV_INHERIT_FD;
        stdio[1].data.fd = stdio[2].data.fd = pipe_fds[1];
        u.exit_cb = on_exit_status;
        u.file = o->argv[0];
        u.args = (char **)(uintptr_t)o->argv;
        u.env = env;
        u.stdio = stdio;
        u.stdio_count = 3;
        u.flags = UV_PROCESS_DETACHED; /* its own process group */
        p->spawned = true;
        init_handle(p, &p->process);
        status = uv_spawn(p->loop, &p->process, &u);
        close(pipe_fds[1]);
    }
    for (i = 0; env[i]; i++)
        free(env[i]);
    free(env);
    return status;
}

struct program *program_start(uv_loop_t *loop, const struct program_options *o,
                              const struct program_sink *sink, struct err *e)
{
    struct program *p = mem_alloc(sizeof *p);
    int status;

    p->loop = loop;
    p->sink = *sink;
    p->watch = o->watch;
    p->quit_ms = o->quit_ms;
    p->output_path = mem_dup(o->output_path);
    p->output_fd = -1;
    uv_pipe_init(loop, &p->out, 0);
    uv_timer_init(loop, &p->timer);
    init_handle(p, &p->out);
    init_handle(p, &p->timer);
    status = spawn(p, o);
    if (status < 0) {
        err_set(e, "cannot start '%s': %s", o->argv[0], uv_strerror(status));
        close_all(p);
        return NULL;
    }
    p->pid = p->process.pid;
    driver_watch_add(p->watch, p->pid);
    uv_read_start((uv_stream_t *)&p->out, on_alloc, on_output);
    return p;
}
