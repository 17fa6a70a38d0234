/*
 * The self-test: see selftest.h.
 *
 * Cells are shared out among worker processes, not threads: a twin that
 * crashes then spoils its own cells only, and cases need no locks.
 */
#include "selftest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/twins/twins.h"
#include "virtual.h"

/* ---- one cell ---- */

static struct client_peer *make_client(void *ctx)
{
    return twin_client_peer(ctx);
}

static struct server_peer *make_server(void *ctx)
{
    return twin_server_peer(ctx);
}

void selftest_play(const struct knowledge *k, const struct testcase *tc,
                   const char *twin, const struct event_sink *log,
                   struct judgement *out)
{
    struct judge_context ctx = {
        .knowledge = k, .has_status = true, .has_stanza = true};
    struct virtual_result r = {0};
    void *peer = twin ? (void *)(uintptr_t)twin_find(tc->role, twin) : NULL;

    if (tc->role == ROLE_CLIENT)
        virtual_play_client(tc, make_client, peer, log, &r);
    else
        virtual_play_server(tc, make_server, peer, log, &r);
    ctx.end = r.end;
    ctx.because = r.because;
    judge_case(tc, r.journal, &ctx, out);
    virtual_release(&r);
}

static bool finds_fault(const struct finding *f)
{
    return f->verdict == VERDICT_FAIL || f->verdict == VERDICT_WARN;
}

/* A practice is what an implementation documents, not a XEP. */
static bool is_practice(const struct knowledge *k, const char *req)
{
    const struct requirement *r = catalogue_find(&k->catalogue, req);

    return r && strcmp(r->level, "PRACTICE") == 0;
}

/* What a worker says of a cell, in one line: index, verdict, how many faults
 * are no matter of practice, faults, why. */
static void play_cell(const struct knowledge *k, struct testcase *const *cases,
                      const struct selftest_cell *cell, size_t index, FILE *to)
{
    struct judgement j;
    struct buf faults = BUF_INIT;
    unsigned advised = 0;

    selftest_play(k, cases[cell->tc], cell->twin, NULL, &j);
    buf_addc(&faults, ' ');
    for (size_t i = 0; i < j.finding_count; i++) {
        if (!finds_fault(&j.findings[i]))
            continue;
        buf_printf(&faults, "%s ", j.findings[i].id);
        advised += !is_practice(k, j.findings[i].req);
    }
    for (char *c = j.reason; c && *c; c++) {
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    }
    fprintf(to, "%zu\t%d\t%u\t%s\t%s\n", index, (int)j.verdict, advised,
            buf_str(&faults), j.reason ? j.reason : "");
    buf_release(&faults);
    judgement_release(&j);
}

/* ---- the plan ---- */

static void add_cell(struct selftest *st, size_t tc, const char *twin,
                     const char *by, enum selftest_want want)
{
    struct selftest_cell *cell;

    st->cells = mem_grow(st->cells, (st->count + 1) * sizeof *st->cells);
    cell = &st->cells[st->count++];
    memset(cell, 0, sizeof *cell);
    cell->tc = tc;
    cell->twin = twin;
    cell->by = by;
    cell->want = want;
}

static bool names_twin(const struct testcase *tc, const char *twin)
{
    for (size_t i = 0; i < tc->caught_count; i++) {
        if (strcmp(tc->caught[i].twin, twin) == 0)
            return true;
    }
    for (size_t i = 0; i < tc->spares_count; i++) {
        if (strcmp(tc->spares[i].twin, twin) == 0)
            return true;
    }
    return false;
}

/* The peers that a case does not name: those in the right must be left in
 * peace, the others are looked at when the whole matrix is wanted. */
static void plan_others(struct selftest *st, const struct testcase *tc,
                        size_t index, bool whole)
{
    const struct twin *t;

    for (size_t i = 0; (t = twin_at(tc->role, i)) != NULL; i++) {
        if (names_twin(tc, t->name) || (t->kind == TWIN_FAULTY && !whole))
            continue;
        add_cell(st, index, t->name, NULL,
                 t->kind == TWIN_FAULTY ? WANT_NOTHING : WANT_CALM);
        st->cells[st->count - 1].unadvised = t->kind == TWIN_UNADVISED;
    }
}

static void plan_case(struct selftest *st, const struct testcase *tc,
                      size_t index, bool whole)
{
    add_cell(st, index, NULL, NULL, WANT_PASS);
    for (size_t i = 0; i < tc->caught_count; i++)
        add_cell(st, index, tc->caught[i].twin, tc->caught[i].by, WANT_CAUGHT);
    for (size_t i = 0; i < tc->spares_count; i++)
        add_cell(st, index, tc->spares[i].twin, NULL, WANT_PASS);
    plan_others(st, tc, index, whole);
}

/* An invariant's twin is played in every case of its role: one will do. */
static void plan_rules(struct selftest *st, const struct knowledge *k,
                       struct testcase *const *cases, size_t count)
{
    for (size_t i = 0; i < k->invariants.count; i++) {
        const struct invariant *inv = &k->invariants.items[i];

        for (size_t t = 0; t < inv->caught_count; t++) {
            for (size_t c = 0; c < count; c++) {
                if (cases[c]->role == inv->binds && !cases[c]->sockets_only[0])
                    add_cell(st, c, inv->caught[t].twin, inv->assertion.id,
                             WANT_RULE);
            }
        }
    }
}

/* ---- workers ---- */

static void work(const struct knowledge *k, struct testcase *const *cases,
                 const struct selftest *st, unsigned worker, unsigned workers,
                 int fd)
{
    FILE *to = fdopen(fd, "w");

    for (size_t i = worker; to && i < st->count; i += workers) {
        play_cell(k, cases, &st->cells[i], i, to);
        fflush(to);
    }
    if (to)
        fclose(to);
    _exit(0);
}

static bool has_word(const char *list, const char *prefix, const char *word)
{
    char *spaced = mem_printf(" %s%s ", prefix, word);
    bool found = strstr(list, spaced) != NULL;

    free(spaced);
    return found;
}

static void weigh(struct selftest_cell *cell)
{
    switch (cell->want) {
    case WANT_PASS:
        cell->good = cell->verdict == VERDICT_PASS;
        break;
    case WANT_CAUGHT:
        cell->good =
            (cell->verdict == VERDICT_FAIL || cell->verdict == VERDICT_WARN) &&
            has_word(cell->faults, "", cell->by);
        break;
    case WANT_CALM:
        cell->good = cell->verdict != VERDICT_FAIL &&
                     cell->verdict != VERDICT_ERROR &&
                     (!cell->advised || cell->unadvised);
        break;
    case WANT_RULE:
        cell->good = has_word(cell->faults, "invariant/", cell->by);
        break;
    case WANT_NOTHING:
        cell->good = true;
        break;
    }
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
    weigh(cell);
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

static int play_all(const struct knowledge *k, struct testcase *const *cases,
                    struct selftest *st, unsigned workers, struct err *e)
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
            work(k, cases, st, w, workers, ends[1]);
        }
        close(ends[1]);
        fds[w].fd = ends[0];
        fds[w].events = POLLIN;
    }
    gather(st, fds, texts, workers);
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

int selftest_run(const struct knowledge *k, struct testcase *const *cases,
                 size_t count, bool whole, unsigned workers,
                 struct selftest *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        if (!cases[i]->sockets_only[0])
            plan_case(out, cases[i], i, whole);
    }
    plan_rules(out, k, cases, count);
    return play_all(k, cases, out, workers ? workers : 1, e);
}

void selftest_release(struct selftest *st)
{
    for (size_t i = 0; i < st->count; i++) {
        free(st->cells[i].faults);
        free(st->cells[i].because);
    }
    free(st->cells);
    memset(st, 0, sizeof *st);
}
