/* A suite from SELECT to the exit status: see cmd.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static int make_dir(const char *dir, struct err *e)
{
    char *copy = mem_dup(dir);
    char *slash = copy;
    int rc = 0;

    while (slash && rc == 0) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            rc = err_set(e, "%s: %s", copy, strerror(errno));
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

static void explain(const struct cmd_run *c, const struct selection *sel,
                    const struct result *r, int status)
{
    const char *reason = result_one_reason(r);

    if (status == EXIT_UNTESTABLE)
        fprintf(stderr, "boshspec: %s\n",
                reason ? reason : "nothing ever came from the peer");
    else if (c->run.role == ROLE_SERVER && !r->interrupted)
        ask_for_accounts(sel, c->run.account_count);
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

static int play(struct cmd_run *c, const struct cmd_cases *cases,
                const char *peer)
{
    char *dir = c->out ? mem_dup(c->out) : default_dir(c, peer);
    struct result r;
    struct err e = {""};
    int status;

    result_init(&r);
    r.version = mem_dup(BOSHSPEC_VERSION);
    r.options.jobs = c->run.jobs;
    r.options.timeout_factor = c->run.timeout_factor;
    r.options.seed = (int64_t)c->run.seed;
    r.options.min = c->min;
    r.options.strict = c->strict;
    r.options.fail_fast = c->run.fail_fast;
    c->run.dir = dir;
    c->run.text = cmd_reports_text(&c->reports);
    if (make_dir(dir, &e) < 0 || cmd_reports_open(&c->reports, &e) < 0 ||
        run_cases(&cases->knowledge, &cases->selection, &c->run, &r, &e) < 0 ||
        cmd_reports_write(&c->reports, &r, dir, &e) < 0 ||
        write_baseline(c, &r, &e) < 0) {
        status = cmd_fail(EXIT_USAGE, &e);
    } else {
        status = outcome_status(&r);
        say_unjudged(&c->baseline, &r);
        explain(c, &cases->selection, &r, status);
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
    if (status == 0)
        status = play(c, &cases, peer);
    cmd_cases_release(&cases);
    return status;
}
