/* A suite from SELECT to the exit status: see cmd.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"
#include "common/log.h"
#include "outcome.h"

/* ------------------------------------------------------------- places */

static char *default_dir(const struct cmd_run *c, const char *peer)
{
    char *dir = mem_printf("boshspec-out/%s-%s", role_name(c->run.role), peer);
    char *at = strchr(dir, '/') + 1;

    for (; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
            *at = '-';
    return dir;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int cmd_make_dir(const char *dir, struct err *e)
{
    char *copy = mem_dup(dir);
    char *slash = copy;
    int rc = 0;

    while (slash && rc == 0) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(copy, 0755) < 0 && (errno != EEXIST || !is_folder(copy)))
            rc = err_set(e, "%s: no folder can be made there: %s", copy,
                         strerror(errno));
        if (slash)
            *slash = '/';
    }
    free(copy);
    return rc;
}

/* ------------------------------------------------------------- asides */

/* The most accounts that the case needs. */
static unsigned accounts_of(const struct testcase *tc)
{
    unsigned most = 0;
    size_t i;

    for (i = 0; i < tc->needs_count; i++)
        if (tc->needs[i].accounts > most)
            most = tc->needs[i].accounts;
    return most;
}

/* A suite that is mostly NA for want of a password is easily overlooked. */
static void ask_for_accounts(const struct selection *sel, size_t given)
{
    unsigned most = 0;
    size_t n = 0, i;

    for (i = 0; i < sel->count; i++) {
        unsigned wanted = accounts_of(sel->cases[i]);

        n += wanted > given;
        most = wanted > most ? wanted : most;
    }
    if (n > 0 && given == 0)
        fprintf(stderr,
                "boshspec: %zu case%s an account: give --account=JID:FILE\n", n,
                n == 1 ? " needs" : "s need");
    else if (n > 0)
        fprintf(stderr,
                "boshspec: %zu case%s more accounts, up to %u: give "
                "--account=JID:FILE for each\n",
                n, n == 1 ? " needs" : "s need", most);
}

void cmd_too_few(const struct result *r)
{
    size_t n = result_judged(r);

    fprintf(stderr, "boshspec: %zu case%s could be judged, --min wants %lld\n",
            n, n == 1 ? "" : "s", (long long)r->options.min);
}

static void explain(const struct cmd_run *c, const struct selection *sel,
                    const struct result *r, int status)
{
    const char *reason = result_one_reason(r);

    if (status == EXIT_UNTESTABLE)
        fprintf(stderr, "boshspec: %s\n",
                reason ? reason : "nothing ever came from the peer");
    else if (status == EXIT_TOO_FEW)
        cmd_too_few(r);
    if (status != EXIT_UNTESTABLE && c->run.role == ROLE_SERVER &&
        !r->interrupted)
        ask_for_accounts(sel, c->run.account_count);
}

/* ------------------------------------------------------------- narrowing */

static bool failed_there(void *ctx, const struct testcase *tc)
{
    const struct result *r = ctx;
    size_t i;

    for (i = 0; i < r->case_count; i++) {
        const char *verdict = r->cases[i].verdict;

        if (strcmp(r->cases[i].id, tc->id) == 0)
            return strcmp(verdict, "pass") != 0 && strcmp(verdict, "na") != 0 &&
                   strcmp(verdict, "xfail") != 0;
    }
    return false;
}

/* Leave what was not as expected in another run. */
static int keep_failed(const struct cmd_run *c, struct selection *sel)
{
    struct result r;
    struct err e = {""};
    int status = 0;

    if (result_load(c->failed_in, &r, &e) < 0)
        return cmd_fail(EXIT_USAGE, &e);
    selection_keep(sel, failed_there, &r);
    if (r.role && strcmp(r.role, role_name(c->run.role)) != 0) {
        err_set(&e, "%s: a result of the %s role", c->failed_in, r.role);
        status = cmd_fail(EXIT_USAGE, &e);
    } else if (sel->count == 0) {
        err_set(&e, "%s: of the cases that are selected, none failed there",
                c->failed_in);
        status = cmd_fail(EXIT_TOO_FEW, &e);
    }
    result_release(&r);
    return status;
}

static bool in_shard(void *ctx, const struct testcase *tc)
{
    const struct cmd_run *c = ctx;

    return select_in_shard(tc->id, c->shard, c->shards);
}

/* More shards than cases are nobody's fault: the others have them. */
static void keep_shard(struct cmd_run *c, struct selection *sel)
{
    size_t all = sel->count;

    if (c->shards == 0)
        return;
    selection_keep(sel, in_shard, c);
    if (sel->count == 0)
        fprintf(stderr,
                "boshspec: shard %u/%u holds none of the %zu case%s that are "
                "selected\n",
                c->shard, c->shards, all, all == 1 ? "" : "s");
}

/* Two plays at once are not to be read. */
static int check_debug(const struct cmd_run *c, const struct selection *sel)
{
    struct err e = {""};

    if (!c->run.debug || sel->count == 1)
        return 0;
    err_set(&e, "--debug shows one case, but %zu are selected", sel->count);
    return cmd_fail(EXIT_USAGE, &e);
}

/* ------------------------------------------------------------- baseline */

static int load_baseline(struct cmd_run *c, const struct cmd_cases *cases,
                         const struct select_options *o, struct err *e)
{
    struct case_files files = {NULL, 0};
    int rc;

    if (!c->baseline_path)
        return 0;
    rc = baseline_load(c->baseline_path, &c->baseline, e);
    if (rc == 0)
        rc = select_known(&cases->knowledge, o, &files, e);
    if (rc == 0)
        rc = baseline_check(&c->baseline, &cases->knowledge, &files,
                            &cases->selection, e);
    case_files_release(&files);
    c->run.baseline = &c->baseline;
    return rc;
}

/* An entry that nobody looked at is neither confirmed nor refuted. */
static void say_unjudged(const struct baseline *b, const struct result *r)
{
    size_t i;

    for (i = 0; i < r->case_count; i++) {
        const struct result_case *c = &r->cases[i];
        size_t n = baseline_unjudged(b, c);

        if (n > 0)
            fprintf(stderr,
                    "boshspec: %s: %zu entr%s of '%s' not judged: the case is "
                    "%s\n",
                    b->path, n, n == 1 ? "y" : "ies", c->id, c->verdict);
    }
}

static int write_baseline(const struct cmd_run *c, const struct result *r,
                          struct err *e)
{
    const char *path = c->write_baseline_path;
    int open;

    if (!path)
        return 0;
    if (!r->finished) {
        fprintf(stderr, "boshspec: %s: not written: %s\n", path,
                result_unfinished(r));
        return 0;
    }
    open = baseline_save(r, c->run.baseline, path, e);
    if (open > 0)
        fprintf(stderr,
                "boshspec: %s: %d reason%s to be filled in before it can be "
                "used\n",
                path, open, open == 1 ? " is" : "s are");
    return open < 0 ? -1 : 0;
}

/* ------------------------------------------------------------- a suite */

static void fill_options(const struct cmd_run *c, struct result *r)
{
    r->version = mem_dup(BOSHSPEC_VERSION);
    r->options.jobs = c->run.jobs;
    r->options.timeout_factor = c->run.timeout_factor;
    r->options.seed = (int64_t)c->run.seed;
    r->options.min = c->min;
    if (c->min < 0) /* NA and ERROR alone never make a suite green; whether a
                       suite in shards is, its merged result says */
        r->options.min = c->shards > 0 ? 0 : 1;
    r->options.shard = c->shard;
    r->options.shards = c->shards;
    r->options.repeat = c->run.repeat;
    r->options.strict = c->strict;
    r->options.fail_fast = c->run.fail_fast;
}

/* The reports of a run, whatever became of it, and its exit status. */
static int conclude(struct cmd_run *c, const struct selection *sel,
                    const struct result *r, struct err *e)
{
    int status;

    if (cmd_reports_write(&c->reports, r, c->run.dir, e) < 0 ||
        write_baseline(c, r, e) < 0)
        return cmd_fail(EXIT_USAGE, e);
    say_unjudged(&c->baseline, r);
    status = outcome_status(r);
    explain(c, sel, r, status);
    return status;
}

static int play(struct cmd_run *c, struct cmd_cases *cases, const char *peer)
{
    char *dir = c->out ? mem_dup(c->out) : default_dir(c, peer);
    struct result r;
    struct err e = {""};
    int status, rc;

    result_init(&r);
    fill_options(c, &r);
    r.suite_hash = outcome_suite_hash(&cases->knowledge, cases->selection.cases,
                                      cases->selection.count);
    keep_shard(c, &cases->selection);
    c->run.dir = dir;
    c->run.text = cmd_reports_text(&c->reports);
    rc = cmd_make_dir(dir, &e);
    if (rc == 0)
        rc = cmd_reports_open(&c->reports, &e);
    if (rc == 0)
        rc = run_cases(&cases->knowledge, &cases->selection, &c->run, &r, &e);
    status = rc < 0 ? cmd_fail(EXIT_USAGE, &e)
                    : conclude(c, &cases->selection, &r, &e);
    if (rc == 1) { /* given up: things are still open and in use */
        fflush(NULL);
        _exit(status);
    }
    result_release(&r);
    free(dir);
    return status;
}

int cmd_run_suite(struct cmd_run *c, const char *peer)
{
    struct select_options o = cmd_select_options(c);
    struct cmd_cases cases;
    struct err e = {""};
    int status;

    if (c->run.verbose)
        log_set_level(LOG_INFO);
    status = cmd_cases_load(&cases, NULL, &o);
    if (status == 0)
        status = cmd_cases_lint(&cases);
    if (status == 0 && load_baseline(c, &cases, &o, &e) < 0)
        status = cmd_fail(EXIT_USAGE, &e);
    if (status == 0 && c->failed_in)
        status = keep_failed(c, &cases.selection);
    if (status == 0)
        status = check_debug(c, &cases.selection);
    if (status == 0)
        status = play(c, &cases, peer);
    cmd_cases_release(&cases);
    return status;
}
