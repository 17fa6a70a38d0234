/*
 * The self-test on real sockets: a twin is a driver program (tests/twin-client)
 * and each of its cases is played as against anybody's client. Slow, since
 * time is real; for cases that cannot be played in virtual time, and to see
 * whether both worlds agree.
 */
#include "selftest_parts.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "run.h"
#include "tests/twins/twins.h"

/* What one process plays: all cells of one twin. */
struct share {
    const char *program, *dir;
    const char **twins; /* each once; NULL: the good peer */
    size_t twin_count;
};

static bool same_twin(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void note_twin(struct share *sh, const char *twin)
{
    for (size_t i = 0; i < sh->twin_count; i++)
        if (same_twin(sh->twins[i], twin))
            return;
    sh->twins = mem_grow(sh->twins, (sh->twin_count + 1) * sizeof *sh->twins);
    sh->twins[sh->twin_count++] = twin;
}

static void tell_verdict(const struct selftest_job *job, size_t index,
                         const struct result_case *c, FILE *to)
{
    struct buf faults = BUF_INIT;
    unsigned advised = 0;
    enum verdict v = VERDICT_ERROR;

    for (int i = VERDICT_PASS; i <= VERDICT_FLAKY; i++)
        if (strcasecmp(verdict_name((enum verdict)i), c->verdict) == 0)
            v = (enum verdict)i;
    buf_addc(&faults, ' ');
    for (size_t i = 0; i < c->assert_count; i++) {
        const struct result_assert *a = &c->asserts[i];

        if (strcmp(a->verdict, "fail") != 0 && strcmp(a->verdict, "warn") != 0)
            continue;
        buf_printf(&faults, "%s ", a->id);
        advised += !selftest_is_practice(job->knowledge, a->requirement);
    }
    selftest_tell(to, index, v, advised, buf_str(&faults), c->reason);
    buf_release(&faults);
}

static void tell_all(const struct selftest_job *job, const char *twin,
                     const struct result *r, FILE *to)
{
    for (size_t i = 0; i < job->st->count; i++) {
        const struct selftest_cell *cell = &job->st->cells[i];

        if (!same_twin(cell->twin, twin))
            continue;
        for (size_t c = 0; c < r->case_count; c++)
            if (strcmp(r->cases[c].id, job->cases[cell->tc]->id) == 0)
                tell_verdict(job, i, &r->cases[c], to);
    }
}

/* The cases that have a cell for this twin. */
static struct selection cases_of(const struct selftest_job *job,
                                 const char *twin)
{
    struct selection sel = {.count = 0};

    for (size_t i = 0; i < job->st->count; i++) {
        const struct selftest_cell *cell = &job->st->cells[i];
        struct testcase *tc = job->cases[cell->tc];

        if (!same_twin(cell->twin, twin) ||
            (sel.count > 0 && sel.cases[sel.count - 1] == tc))
            continue;
        sel.cases = mem_grow(sel.cases, (sel.count + 1) * sizeof *sel.cases);
        sel.cases[sel.count++] = tc;
    }
    return sel;
}

static void play_twin(const struct selftest_job *job, const char *twin,
                      FILE *to)
{
    const struct share *sh = job->ctx;
    char *name = mem_dup(twin ? twin : "good");
    char *program = mem_dup(sh->program);
    char *argv[] = {program, name, NULL};
    char *dir = mem_printf("%s/%s", sh->dir, name);
    struct selection sel = cases_of(job, twin);
    struct run_options o = {.role = ROLE_CLIENT,
                            .dir = dir,
                            .timeout_factor = 1,
                            .seed = 1,
                            .quiet = true,
                            .driver_argv = argv,
                            .command = name};
    struct result r;
    struct err e = {""};

    result_init(&r);
    r.version = mem_dup("");
    if (mkdir(dir, 0700) < 0 || run_cases(job->knowledge, &sel, &o, &r, &e) < 0)
        fprintf(stderr, "boshspec: %s: %s\n", name, e.text);
    tell_all(job, twin, &r, to);
    result_release(&r);
    free(sel.cases);
    free(dir);
    free(program);
    free(name);
}

/* In a process of its own, whose stdout is nobody's business. */
static void play_share(const struct selftest_job *job, unsigned share,
                       unsigned shares, FILE *to)
{
    const struct share *sh = job->ctx;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null >= 0)
        dup2(null, STDOUT_FILENO);
    for (size_t i = share; i < sh->twin_count; i += shares)
        play_twin(job, sh->twins[i], to);
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

int selftest_sockets(const struct knowledge *k, struct testcase *const *cases,
                     size_t count, const char *program, unsigned workers,
                     struct selftest *out, struct err *e)
{
    char dir[] = "/tmp/boshspec-selftest-XXXXXX";
    struct share sh = {.program = program, .dir = dir};
    const struct selftest_job job = {play_share, k, cases, out, &sh};
    int rc;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++)
        if (cases[i]->role == ROLE_CLIENT)
            selftest_plan(out, cases[i], i, false, false);
    for (size_t i = 0; i < out->count; i++)
        note_twin(&sh, out->cells[i].twin);
    if (!mkdtemp(dir))
        return err_set(e, "%s: no folder for the logs", dir);
    rc = selftest_work(&job, workers, e);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(sh.twins);
    return rc;
}
