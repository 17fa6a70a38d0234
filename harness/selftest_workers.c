/* The self-test's worker processes: see selftest_parts.h. */
#include "selftest_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"

/* One line a cell: index, verdict, how many faults are no matter of practice,
 * faults, why. */
void selftest_tell(FILE *to, size_t cell, enum verdict verdict,
                   unsigned advised, const char *faults, const char *because)
{
    char *why = mem_dup(because ? because : "");

    for (char *c = why; *c; c++) {
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    }
    fprintf(to, "%zu\t%d\t%u\t%s\t%s\n", cell, (int)verdict, advised, faults,
            why);
    fflush(to);
    free(why);
}

static void work(const struct selftest_job *job, unsigned worker,
                 unsigned workers, int fd)
{
    FILE *to = fdopen(fd, "w");

    if (to) {
        job->work(job, worker, workers, to);
        fclose(to);
    }
    _exit(0);
}

static void take_line(struct selftest *st, char *line)
{
    char *fields[5] = {line};
    struct selftest_cell *cell;
    size_t index;

    for (int i = 1; i < 5; i++) {
        fields[i] = strchr(fields[i - 1], '\t');
        if (!fields[i])
            return;
        *fields[i]++ = '\0';
    }
    index = strtoul(fields[0], NULL, 10);
    if (index >= st->count)
        return;
    cell = &st->cells[index];
    cell->played = true;
    cell->verdict = (enum verdict)atoi(fields[1]);
    cell->advised = (unsigned)strtoul(fields[2], NULL, 10);
    cell->faults = mem_dup(fields[3]);
    cell->because = mem_dup(fields[4]);
    selftest_weigh(cell);
}

/* Read what the workers say until all have closed their pipes. */
static void gather(struct selftest *st, struct pollfd *fds, struct buf *texts,
                   unsigned workers)
{
    unsigned left = workers;

    while (left) {
        if (poll(fds, workers, -1) < 0 && errno != EINTR)
            return;
        for (unsigned w = 0; w < workers; w++) {
            char piece[8192];
            ssize_t got;
            char *end;

            if (fds[w].fd < 0 || !fds[w].revents)
                continue;
            got = read(fds[w].fd, piece, sizeof piece);
            if (got <= 0) {
                close(fds[w].fd);
                fds[w].fd = -1;
                left--;
                continue;
            }
            buf_add(&texts[w], piece, (size_t)got);
            while ((end = memchr(buf_str(&texts[w]), '\n', texts[w].len))) {
                size_t len = (size_t)(end - texts[w].data);

                *end = '\0';
                take_line(st, texts[w].data);
                buf_shift(&texts[w], len + 1);
            }
        }
    }
}

int selftest_work(const struct selftest_job *job, unsigned workers,
                  struct err *e)
{
    struct pollfd *fds = mem_alloc(workers * sizeof *fds);
    struct buf *texts = mem_alloc(workers * sizeof *texts);
    pid_t *pids = mem_alloc(workers * sizeof *pids);
    int bad = 0;

    fflush(stdout);
    for (unsigned w = 0; w < workers; w++) {
        int ends[2];

        if (pipe(ends) < 0 || (pids[w] = fork()) < 0) {
            bad = err_set(e, "a worker cannot be started: %s", strerror(errno));
            workers = w;
            break;
        }
        if (pids[w] == 0) {
            for (unsigned i = 0; i < w; i++)
                close(fds[i].fd);
            close(ends[0]);
            work(job, w, workers, ends[1]);
        }
        close(ends[1]);
        fds[w].fd = ends[0];
        fds[w].events = POLLIN;
    }
    gather(job->st, fds, texts, workers);
    for (unsigned w = 0; w < workers; w++) {
        int status;

        waitpid(pids[w], &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            bad = err_set(e, "a worker of the self-test died");
        buf_release(&texts[w]);
    }
    free(fds);
    free(texts);
    free(pids);
    return bad;
}
