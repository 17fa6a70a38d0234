/* boshspec judge: the logs of a run, judged again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"
#include "common/log_events.h"
#include "outcome.h"
#include "reports/text.h"

struct options {
    struct cmd_run run; /* its SELECT; words[0] is the run's folder */
    const char *out;
    bool strict;
};

static const struct argp_option option_list[] = {
    {"output", 'o', "FILE", 0, "Write the new result.json here", 0},
    {"strict", 's', NULL, 0, "A warning counts as a failure", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'o':
        o->out = arg;
        return 0;
    case 's':
        o->strict = true;
        return 0;
    case ARGP_KEY_ARG:
        cmd_words_add(&o->run.words, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which run? The folder with its result.json");
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->run;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&cmd_select_argp, 0, "Which cases", 1},
    {0},
};

static const struct argp argp = {
    option_list,
    parse,
    "DIR [SELECT...]",
    "Judges the logs of a run again, with the cases as they are now; nothing "
    "is played.",
    children,
    NULL,
    NULL};

/* ------------------------------------------------------------- one log */

/* What a log says of itself, and the journal that it makes. */
struct reading {
    enum role role;
    struct journal *journal;
    bool has_status, has_stanza;
    unsigned rev;
    bool ended;
    enum play_end how;
    char *because;
    int64_t last_ms, end_ms;
};

static bool has_word(const char *words, const char *word)
{
    return words && strstr(words, word) != NULL;
}

static void take_end(struct reading *r, const struct event *ev)
{
    const char *how = event_get(ev, "how");

    r->ended = true;
    r->end_ms = ev->t_ms;
    r->because = mem_dup(event_get(ev, "because"));
    r->how = !how                          ? PLAY_ERROR
             : strcmp(how, "done") == 0    ? PLAY_DONE
             : strcmp(how, "stopped") == 0 ? PLAY_STOPPED
             : strcmp(how, "na") == 0      ? PLAY_NA
                                           : PLAY_ERROR;
}

static void take(void *ctx, const struct event *ev)
{
    struct reading *r = ctx;
    const char *reports = event_get(ev, "reports");

    if (strcmp(ev->name, "log") == 0) {
        r->rev = (unsigned)event_int(ev, "rev", 0);
        r->has_status = has_word(reports, "status");
        r->has_stanza = has_word(reports, "stanza");
    } else if (strcmp(ev->name, "end") == 0 && !r->ended) {
        take_end(r, ev);
    }
    r->last_ms = ev->t_ms;
    journal_add(r->journal, ev);
}

static void judge_log(const struct knowledge *k, const struct testcase *tc,
                      const char *path, struct result_case *out, struct err *e)
{
    struct reading r = {.role = tc->role, .how = PLAY_ERROR};
    struct event_sink sink = {&r, take};
    struct judgement jt;
    int cut;

    r.journal = journal_new(tc->role);
    if (event_read_file(path, &sink, &cut, e) < 0) {
        outcome_error(tc, e->text, out);
    } else {
        struct judge_context ctx = {
            .knowledge = k,
            .end = r.ended ? r.how : PLAY_ERROR,
            .because = r.ended ? r.because : "the log has no end",
            .has_status = r.has_status,
            .has_stanza = r.has_stanza,
        };

        journal_finish(r.journal, r.last_ms);
        judge_case(tc, r.journal, &ctx, &jt);
        outcome_case(tc, r.journal, &jt, out);
        judgement_release(&jt);
    }
    if (r.rev && r.rev != tc->rev)
        fprintf(stderr, "boshspec: %s: played as rev %u, judged as rev %u\n",
                tc->id, r.rev, tc->rev);
    out->duration_ms = r.ended ? r.end_ms : r.last_ms;
    out->attempts = 1;
    journal_free(r.journal);
    free(r.because);
}

/* ------------------------------------------------------------- the run */

/* Start from what the run wrote, but for its cases. */
static void begin_result(const char *dir, struct result *r)
{
    char *path = mem_printf("%s/result.json", dir);
    struct err e = {""};
    size_t i;

    if (result_load(path, r, &e) < 0)
        result_init(r);
    for (i = 0; i < r->case_count; i++)
        result_case_release(&r->cases[i]);
    r->case_count = 0;
    free(r->version);
    r->version = mem_dup(BOSHSPEC_VERSION);
    free(r->suite_hash);
    r->suite_hash = NULL;
    r->wall_ms = r->slowest_ms = 0;
    free(r->slowest);
    r->slowest = NULL;
    r->finished = true;
    r->interrupted = false;
    free(path);
}

static char *log_path(const char *dir, const struct testcase *tc)
{
    return mem_printf("%s/cases/%s.log", dir, tc->id);
}

/* Leave the cases that the run has a log of. */
static void keep_played(struct selection *sel, const char *dir)
{
    size_t kept = 0, i;

    for (i = 0; i < sel->count; i++) {
        char *path = log_path(dir, sel->cases[i]);

        if (access(path, R_OK) == 0)
            sel->cases[kept++] = sel->cases[i];
        else
            testcase_free(sel->cases[i]);
        free(path);
    }
    sel->count = kept;
}

static void judge_all(const struct knowledge *k, const struct selection *sel,
                      const char *dir, struct result *r)
{
    struct text_style st = text_style_for(STDOUT_FILENO);
    struct buf text = BUF_INIT;
    size_t i;

    for (i = 0; i < sel->count; i++) {
        const struct testcase *tc = sel->cases[i];
        struct result_case c = {0};
        char *path = log_path(dir, tc);
        struct err e = {""};

        judge_log(k, tc, path, &c, &e);
        c.log = mem_dup(path + strlen(dir) + 1);
        outcome_requirements(k, &c, r);
        if (!r->role)
            r->role = mem_dup(role_name(tc->role));
        text_case(&text, &st, &c);
        result_add(r, &c);
        free(path);
    }
    r->selected = r->case_count;
    r->suite_hash = outcome_suite_hash(k, sel->cases, sel->count);
    text_summary(&text, &st, r, dir);
    fputs(buf_str(&text), stdout);
    buf_release(&text);
}

static int judge(struct options *o, const struct knowledge *k,
                 const struct selection *sel, struct err *e)
{
    const char *dir = o->run.words.items[0];
    struct result r;
    int status;

    begin_result(dir, &r);
    r.options.strict = o->strict || r.options.strict;
    judge_all(k, sel, dir, &r);
    status = outcome_status(&r);
    if (o->out && result_save(&r, o->out, e) < 0)
        status = cmd_fail(EXIT_USAGE, e);
    result_release(&r);
    return status;
}

static int check_folder(const char *dir, struct err *e)
{
    struct stat st;

    if (stat(dir, &st) < 0)
        return err_set(e, "%s: %s", dir, strerror(errno));
    return S_ISDIR(st.st_mode) ? 0
                               : err_set(e, "%s: not the folder of a run", dir);
}

/* Load, lint and judge what the run has played. */
static int judge_run(struct options *o, const struct select_options *wanted)
{
    const char *dir = o->run.words.items[0];
    struct cmd_cases cases = {0};
    struct err e = {""};
    int status;

    if (check_folder(dir, &e) < 0)
        return cmd_fail(EXIT_USAGE, &e);
    status = cmd_cases_load(&cases, NULL, wanted);
    keep_played(&cases.selection, dir);
    if (status == 0 && cases.selection.count == 0) {
        err_set(&e, "%s: no log of a case that is known", dir);
        status = cmd_fail(EXIT_TOO_FEW, &e);
    }
    if (status == 0)
        status = cmd_cases_lint(&cases);
    if (status == 0)
        status = judge(o, &cases.knowledge, &cases.selection, &e);
    cmd_cases_release(&cases);
    return status;
}

int cmd_judge(int argc, char **argv)
{
    struct options o = {.out = NULL};
    struct select_options wanted;
    int status;

    cmd_run_init(&o.run, ROLE_CLIENT);
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    wanted = cmd_select_options(&o.run);
    wanted.words++; /* the first is the folder */
    wanted.word_count--;
    wanted.any_role = true;
    status = judge_run(&o, &wanted);
    cmd_run_release(&o.run);
    return status;
}
