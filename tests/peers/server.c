/* A server of other people: see server.h. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

#define ARGS_MAX 16
#define DEATH_MS 5000

struct server {
    pid_t script;
    FILE *in;         /* its stdin */
    FILE *out;        /* its stdout */
    struct buf lines; /* what it printed last: "KEY=VALUE", each with a NUL */
};

static void become(const char *script, const char *const *options, int in,
                   int out)
{
    char *args[ARGS_MAX] = {(char *)(uintptr_t)script};

    for (int i = 0; options[i] && i < ARGS_MAX - 2; i++)
        args[i + 1] = (char *)(uintptr_t)options[i];
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execv(script, args);
    perror(script);
    _exit(127);
}

/* Its lines up to the empty one. */
static bool read_lines(struct server *v)
{
    char line[1024];

    buf_clear(&v->lines);
    while (fgets(line, sizeof line, v->out)) {
        if (strcmp(line, "\n") == 0)
            return true;
        buf_add(&v->lines, line, strcspn(line, "\n"));
        buf_addc(&v->lines, '\0');
    }
    return false;
}

struct server *server_start(const char *script, const char *const *options)
{
    struct server *v = mem_alloc(sizeof *v);
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        abort(); /* no descriptors */
    v->script = fork();
    if (v->script == 0)
        become(script, options, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    v->in = fdopen(in[1], "w");
    v->out = fdopen(out[0], "r");
    if (v->script > 0 && read_lines(v))
        return v;
    server_stop(v);
    return NULL;
}

void server_stop(struct server *v)
{
    if (!v)
        return;
    fclose(v->in);
    while (v->script > 0 && waitpid(v->script, NULL, 0) < 0 && errno == EINTR)
        ;
    fclose(v->out);
    buf_release(&v->lines);
    free(v);
}

const char *server_value(const struct server *v, const char *key)
{
    size_t key_len = strlen(key);
    const char *line = v->lines.data;
    const char *end = line + v->lines.len;

    for (; line < end; line += strlen(line) + 1) {
        if (strncmp(line, key, key_len) == 0 && line[key_len] == '=')
            return line + key_len + 1;
    }
    return "";
}

char *server_password(const struct server *v, const char *who)
{
    char *key = mem_printf("%s_PASSWORD_FILE", who);
    FILE *f = fopen(server_value(v, key), "re");
    char text[256] = "";

    free(key);
    if (f) {
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
    }
    return mem_dup(text);
}

static pid_t pid_of(const struct server *v)
{
    return (pid_t)strtol(server_value(v, "PID"), NULL, 10);
}

void server_signal(const struct server *v, int signal)
{
    pid_t pid = pid_of(v);

    if (pid > 0)
        kill(pid, signal);
}

bool server_logged(const struct server *v, const char *a, const char *b)
{
    FILE *f = fopen(server_value(v, "LOG_FILE"), "re");
    char *line = NULL;
    size_t cap = 0;
    bool found = false;

    while (f && !found && getline(&line, &cap, f) >= 0)
        found = strstr(line, a) && strstr(line, b);
    free(line);
    if (f)
        fclose(f);
    return found;
}

/* The script is its parent, and reaps it. */
void server_kill(struct server *v)
{
    pid_t pid = pid_of(v);
    int64_t end_ms = clock_now_ms() + DEATH_MS;

    if (pid <= 0 || kill(pid, SIGKILL) != 0)
        return;
    while (kill(pid, 0) == 0 && clock_now_ms() < end_ms)
        usleep(1000);
}

bool server_start_again(struct server *v)
{
    return fputs("start\n", v->in) >= 0 && fflush(v->in) == 0 && read_lines(v);
}
