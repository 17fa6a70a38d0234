/* Runs of the program as a whole: see clirig.h. */
#include "clirig.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char *bin; /* where the test program is */
static char *program;
static char *dir;

const char *clirig_dir(void)
{
    return dir;
}

static const char HELPERS[] =
    "until_so() { for i in $(seq 400); do \"$@\" 2>/dev/null && return; "
    "sleep 0.05; done; false; }; "
    "has_ended() { ! kill -0 $1; }; "
    "gone() { test -s $1 && until_so has_ended $(cat $1) && echo gone; }; "
    "orphan() { until_so test -s $D/pid; kill -KILL $1; wait $1; "
    "gone $D/pid; }; ";

int clirig_sh(struct buf *out, const char *command)
{
    char *line = mem_printf("exec 2>&1; export P='%s' D='%s' B='%s'; %s%s",
                            program, dir, bin, HELPERS, command);
    char chunk[4096];
    size_t got;
    FILE *f;
    int status;

    fflush(stdout);
    f = popen(line, "re");
    while (f && (got = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(out, chunk, got);
    status = f ? pclose(f) : -1;
    free(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void clirig_expect(int status, const char *words, const char *command)
{
    struct buf out = BUF_INIT;
    int got = clirig_sh(&out, command);
    bool there = strstr(buf_str(&out), words) != NULL;

    CHECK_INT(got, status);
    CHECK_ROW(there, command);
    if (got != status || !there)
        printf("\n%s\nprinted:\n%s\n", command, buf_str(&out));
    buf_release(&out);
}

int clirig_begin(void)
{
    const char *given = getenv("BOSHSPEC");
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    dir = mem_dup("/tmp/boshspec-run-XXXXXX");
    if (len < 0 || !mkdtemp(dir))
        return -1;
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    bin = mem_dup(self);
    program = given ? mem_dup(given) : mem_printf("%s/boshspec", self);
    return access(program, X_OK);
}

int clirig_end(void)
{
    struct buf out = BUF_INIT;

    clirig_sh(&out, "rm -rf \"$D\"");
    buf_release(&out);
    free(bin);
    free(program);
    free(dir);
    return 0;
}
