/* Ends driver processes when we cannot: see driver_watch.h. */
#include "driver_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"

#define GRACE_MS 500
#define MAX_FD 4096

struct driver_watch {
    pid_t pid;
    int to; /* a group to watch, or its negative: no more */
};

/* ---- the process: it was forked beside threads, so that nothing but
 * async-signal-safe functions may be called here ---- */

struct groups {
    int list[DRIVER_WATCH_MAX];
    int count;
};

static void note(struct groups *g, int word)
{
    int i = 0;

    if (word > 0 && g->count < DRIVER_WATCH_MAX)
        g->list[g->count++] = word;
    if (word > 0)
        return;
    while (i < g->count && g->list[i] != -word)
        i++;
    if (i < g->count)
        g->list[i] = g->list[--g->count];
}

/* Give them a while, then drop those that are gone and signal the others. */
static void press(struct groups *g, int signum)
{
    struct timespec grace = {0, GRACE_MS * 1000000L};
    int i = 0;

    if (g->count > 0)
        nanosleep(&grace, NULL);
    while (i < g->count)
        if (kill(-g->list[i], signum) < 0)
            g->list[i] = g->list[--g->count];
        else
            i++;
}

static void watch(int from)
{
    struct groups groups = {.count = 0};
    ssize_t got;
    int word, fd;

    setsid(); /* a terminal's signals are not for us */
    if (dup2(from, STDIN_FILENO) < 0)
        _exit(1);
    for (fd = STDIN_FILENO + 1; fd < MAX_FD; fd++)
        close(fd);
    do {
        got = read(STDIN_FILENO, &word, sizeof word);
        if (got == (ssize_t)sizeof word)
            note(&groups, word);
    } while (got > 0 || (got < 0 && errno == EINTR));
    press(&groups, SIGTERM);
    press(&groups, SIGKILL);
    _exit(0);
}

/* ------------------------------------------------------------- our side */

/* With all signals blocked, also later: handlers of ours have no business in
 * the child. */
static pid_t fork_quietly(int from)
{
    sigset_t all, before;
    pid_t pid;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        watch(from);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

struct driver_watch *driver_watch_new(void)
{
    struct driver_watch *w;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    pid = fork_quietly(ends[0]);
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return NULL;
    }
    w = mem_alloc(sizeof *w);
    w->pid = pid;
    w->to = ends[1];
    return w;
}

static void tell(struct driver_watch *w, int word)
{
    ssize_t written;

    if (!w || word == 0)
        return;
    do
        written = write(w->to, &word, sizeof word);
    while (written < 0 && errno == EINTR);
}

void driver_watch_add(struct driver_watch *w, int group)
{
    tell(w, group);
}

void driver_watch_remove(struct driver_watch *w, int group)
{
    tell(w, -group);
}

void driver_watch_free(struct driver_watch *w)
{
    if (!w)
        return;
    close(w->to);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(w);
}
