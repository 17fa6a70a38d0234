/* What the subcommands share: see cmd.h. */
#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/buf.h"

#define MAX_PASSWORD 1024 /* bytes, with its newline */

int cmd_fail(int status, const struct err *e)
{
    fprintf(stderr, "boshspec: %s\n", e->text);
    return status;
}

/* ------------------------------------------------------------- words */

void cmd_words_add(struct cmd_words *w, const char *word)
{
    w->items = mem_grow(w->items, (w->count + 1) * sizeof *w->items);
    w->items[w->count++] = word;
}

void cmd_words_release(struct cmd_words *w)
{
    free(w->items);
    memset(w, 0, sizeof *w);
}

long cmd_number(struct argp_state *state, const char *what, const char *text,
                long min, long max)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno || !*text || *end || n < min || n > max)
        argp_error(state, "%s '%s': a number from %ld to %ld is wanted", what,
                   text, min, max);
    return n;
}

char *cmd_password(const char *path, struct err *e)
{
    char line[MAX_PASSWORD];
    FILE *f = fopen(path, "re");
    char *password = NULL;

    if (!f) {
        err_set(e, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (fgets(line, sizeof line, f))
        line[strcspn(line, "\r\n")] = '\0';
    else
        line[0] = '\0';
    if (line[0])
        password = mem_dup(line);
    else
        err_set(e, "%s: no password in its first line", path);
    explicit_bzero(line, sizeof line);
    fclose(f);
    return password;
}

/* ------------------------------------------------------------- places */

char *cmd_bin_dir(void)
{
    const char *given = getenv("BOSHSPEC_BINDIR");
    char path[PATH_MAX];
    ssize_t len;
    char *slash;

    if (given && given[0])
        return mem_dup(given);
    len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len < 0)
        return mem_dup(".");
    path[len] = '\0';
    slash = strrchr(path, '/');
    return slash ? mem_dupn(path, (size_t)(slash - path)) : mem_dup(".");
}

static char *find_cases(void)
{
    static const char *const places[] = {"../cases", "../share/boshspec/cases"};
    const char *given = getenv("BOSHSPEC_CASES");
    char *bin = cmd_bin_dir();
    char *real = given && given[0] ? mem_dup(given) : NULL;

    for (size_t i = 0; !real && i < sizeof places / sizeof *places; i++) {
        char *beside = mem_printf("%s/%s", bin, places[i]);

        real = realpath(beside, NULL);
        free(beside);
    }
    free(bin);
    return real ? real : mem_dup(BOSHSPEC_DATADIR "/cases");
}

int cmd_knowledge(struct knowledge *k, const char *dir, struct err *e)
{
    char *found = dir ? mem_dup(dir) : find_cases();
    int rc = knowledge_load(k, found, e);

    free(found);
    return rc;
}

/* ------------------------------------------------------------- SELECT */

enum { KEY_TAG = 0x100, KEY_EXCLUDE, KEY_CASES };

static const struct argp_option select_options[] = {
    {"tag", KEY_TAG, "TAG", 0, "Only cases with this tag (or another --tag)",
     1},
    {"exclude", KEY_EXCLUDE, "SELECT", 0, "Leave these out", 1},
    {"cases", KEY_CASES, "DIR", 0,
     "Cases from this folder, and no others; 'bundled' names those that come "
     "with boshspec. May be repeated",
     1},
    {0},
};

static error_t parse_select(int key, char *arg, struct argp_state *state)
{
    struct cmd_run *c = state->input;

    switch (key) {
    case KEY_TAG:
        cmd_words_add(&c->tags, arg);
        return 0;
    case KEY_EXCLUDE:
        cmd_words_add(&c->excludes, arg);
        return 0;
    case KEY_CASES:
        cmd_words_add(&c->dirs, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp cmd_select_argp = {select_options, parse_select, NULL, NULL,
                                     NULL,           NULL,         NULL};

/* ------------------------------------------------------------- RUN */

enum {
    KEY_FACTOR = 0x200,
    KEY_SEED,
    KEY_FAIL_FAST,
    KEY_MIN,
    KEY_STRICT,
    KEY_REPEAT,
    KEY_SHARD,
    KEY_FAILED_IN,
    KEY_BASELINE,
    KEY_WRITE_BASELINE,
    KEY_DEBUG,
};

static const struct argp_option run_option_list[] = {
    {"output", 'o', "DIR", 0,
     "Result and logs go here (default: boshspec-out/ROLE-PEER)", 2},
    {"jobs", 'j', "N", 0, "So many cases at a time; 0, the default: all", 2},
    {"timeout-factor", KEY_FACTOR, "F", 0,
     "Wait F times as long for what must come (default: 1)", 2},
    {"seed", KEY_SEED, "N", 0, "Where random numbers start", 2},
    {"fail-fast", KEY_FAIL_FAST, NULL, 0, "Stop at the first failure", 2},
    {"repeat", KEY_REPEAT, "N", 0,
     "Play each case N times; FLAKY where its verdicts differ", 2},
    {"shard", KEY_SHARD, "I/N", 0,
     "Of what is selected, only the I-th of N parts", 2},
    {"failed-in", KEY_FAILED_IN, "RESULT.json", 0,
     "Of what is selected, only what was not as expected there", 2},
    {"min", KEY_MIN, "N", 0,
     "Fail (status 4) when fewer cases could be judged (default: 1; with "
     "--shard: 0)",
     2},
    {"strict", KEY_STRICT, NULL, 0, "A warning counts as a failure", 2},
    {"baseline", KEY_BASELINE, "FILE", 0,
     "What is known to fail: XFAIL where it does, XPASS where it does not", 2},
    {"write-baseline", KEY_WRITE_BASELINE, "FILE", 0,
     "Write a baseline of what fails; its reasons are yours to fill in", 2},
    {"debug", KEY_DEBUG, NULL, 0,
     "Show every event of the one case that is selected, as it happens", 2},
    {"quiet", 'q', NULL, 0, "Only the summary", 2},
    {"verbose", 'v', NULL, 0, "Every assert of every case", 2},
    {0},
};

static double factor(struct argp_state *state, const char *text)
{
    char *end;
    double f = strtod(text, &end);

    if (!*text || *end || !(f >= 0.1 && f <= 100))
        argp_error(state,
                   "--timeout-factor '%s': a number from 0.1 to 100 is "
                   "wanted",
                   text);
    return f;
}

static void parse_shard(struct cmd_run *c, char *text, struct argp_state *state)
{
    char *slash = strchr(text, '/');

    if (!slash) {
        argp_error(state, "--shard '%s': I/N is wanted, such as 2/5", text);
        return; /* argp_error() does not */
    }
    *slash = '\0';
    c->shards = (unsigned)cmd_number(state, "--shard: N", slash + 1, 1,
                                     RESULT_MAX_SHARDS);
    c->shard = (unsigned)cmd_number(state, "--shard: I", text, 1, c->shards);
    *slash = '/';
}

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
    struct cmd_run *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->reports;
        return 0;
    case 'o':
        c->out = arg;
        return 0;
    case 'j':
        c->run.jobs = (unsigned)cmd_number(state, "-j", arg, 0, 10000);
        return 0;
    case KEY_FACTOR:
        c->run.timeout_factor = factor(state, arg);
        return 0;
    case KEY_SEED:
        c->run.seed = (uint64_t)cmd_number(state, "--seed", arg, 0, LONG_MAX);
        return 0;
    case KEY_FAIL_FAST:
        c->run.fail_fast = true;
        return 0;
    case KEY_MIN:
        c->min = cmd_number(state, "--min", arg, 0, 1000000);
        return 0;
    case KEY_STRICT:
        c->strict = true;
        return 0;
    case KEY_REPEAT:
        c->run.repeat = (unsigned)cmd_number(state, "--repeat", arg, 1, 10000);
        return 0;
    case KEY_SHARD:
        parse_shard(c, arg, state);
        return 0;
    case KEY_FAILED_IN:
        c->failed_in = arg;
        return 0;
    case KEY_BASELINE:
        c->baseline_path = arg;
        return 0;
    case KEY_WRITE_BASELINE:
        c->write_baseline_path = arg;
        return 0;
    case KEY_DEBUG:
        c->run.debug = true;
        return 0;
    case 'q':
        c->run.quiet = true;
        return 0;
    case 'v':
        c->run.verbose = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child run_children[] = {
    {&cmd_reports_argp, 0, "Reports beside result.json", 3},
    {0},
};

const struct argp cmd_run_argp = {run_option_list, parse_run, NULL, NULL,
                                  run_children,    NULL,      NULL};

void cmd_run_init(struct cmd_run *c, enum role role)
{
    memset(c, 0, sizeof *c);
    c->min = -1;
    c->run.role = role;
    c->run.timeout_factor = 1.0;
    c->run.repeat = 1;
    if (getrandom(&c->run.seed, sizeof c->run.seed, 0) < 0)
        c->run.seed = (uint64_t)getpid();
    c->run.seed &= 0x7fffffff;
}

void cmd_run_release(struct cmd_run *c)
{
    cmd_words_release(&c->words);
    cmd_words_release(&c->tags);
    cmd_words_release(&c->excludes);
    cmd_words_release(&c->dirs);
    cmd_reports_release(&c->reports);
    baseline_release(&c->baseline);
}
