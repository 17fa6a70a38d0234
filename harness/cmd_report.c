/* boshspec report: results merged, and shown in other ways. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"
#include "outcome.h"
#include "reports/merge.h"
#include "reports/text.h"

enum { KEY_JSON = 0x300, KEY_STRICT, KEY_MIN };

struct options {
    struct cmd_words files;
    struct cmd_reports reports;
    const char *json;
    bool strict, quiet;
    long min;
};

static const struct argp_option option_list[] = {
    {"json", KEY_JSON, "FILE", 0, "The result as a whole, as result.json", 0},
    {"strict", KEY_STRICT, NULL, 0, "A warning counts as a failure", 0},
    {"min", KEY_MIN, "N", 0,
     "Fail (status 4) when fewer cases were judged (default: 1)", 0},
    {"quiet", 'q', NULL, 0, "Only the summary", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_JSON:
        o->json = arg;
        return 0;
    case KEY_STRICT:
        o->strict = true;
        return 0;
    case KEY_MIN:
        o->min = cmd_number(state, "--min", arg, 0, 1000000);
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        cmd_words_add(&o->files, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which result? One result.json or more");
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->reports;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&cmd_reports_argp, 0, "Reports", 3},
    {0},
};

static const struct argp argp = {
    option_list,
    parse,
    "RESULT.json...",
    "Makes one result of the shards of a run, and reports of it.",
    children,
    NULL,
    NULL};

/* ------------------------------------------------------------- folders */

/* The folder of a file, as it was named: "" for none. Yours. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_dup("");
    return slash == path ? mem_dup("/")
                         : mem_dupn(path, (size_t)(slash - path));
}

/* Whole, with its links resolved: only then does ".." lead back. Yours. */
static char *whole(const char *folder)
{
    char *real = realpath(*folder ? folder : ".", NULL);

    return real ? real : mem_dup(folder);
}

/* The way from one folder to another. Yours; "" when they are the same. */
static char *way(const char *from, const char *to)
{
    char *a = whole(from), *b = whole(to);
    size_t i = 0, fork = 0;
    struct buf out = BUF_INIT;

    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            fork = i + 1;
    if ((!a[i] && (!b[i] || b[i] == '/')) || (!b[i] && a[i] == '/'))
        fork = i;
    for (i = fork; a[i]; i++)
        if (a[i] != '/' && (i == 0 || i == fork || a[i - 1] == '/'))
            buf_adds(&out, "../");
    buf_adds(&out, b + fork + (b[fork] == '/'));
    if (out.len > 0 && out.data[out.len - 1] == '/')
        out.data[--out.len] = '\0';
    free(a);
    free(b);
    return buf_take(&out);
}

/* ------------------------------------------------------------- the result */

/* Read and merge. far: where to find the logs from, or NULL: from here. */
static int load(const struct options *o, const char *far, struct merge *m,
                struct err *e)
{
    int rc = 0;
    size_t i;

    for (i = 0; i < o->files.count && rc == 0; i++) {
        char *near = folder_of(o->files.items[i]);
        char *dir = far ? way(far, near) : mem_dup(near);
        struct result r;

        rc = result_load(o->files.items[i], &r, e);
        if (rc == 0) {
            rc = merge_add(m, &r, o->files.items[i], dir, e);
            result_release(&r);
        }
        free(near);
        free(dir);
    }
    return rc;
}

static int save_json(const struct options *o, struct err *e)
{
    char *far = folder_of(o->json);
    struct merge m;
    struct err missing = {""};
    int rc;

    merge_init(&m);
    rc = load(o, far, &m, e);
    (void)merge_complete(&m, &missing);
    if (rc == 0)
        rc = result_save(&m.result, o->json, e);
    merge_release(&m);
    free(far);
    return rc;
}

static void print(const struct options *o, const struct result *r)
{
    FILE *f = cmd_reports_text(&o->reports);
    struct text_style st = text_style_for(fileno(f));
    struct buf text = BUF_INIT;
    size_t i;

    for (i = 0; i < r->case_count && !o->quiet; i++)
        text_case(&text, &st, &r->cases[i]);
    text_summary(&text, &st, r, "");
    fwrite(buf_str(&text), 1, text.len, f);
    fflush(f);
    buf_release(&text);
}

static int report(struct options *o, struct merge *m, struct err *e)
{
    struct err missing = {""};
    struct result *r = &m->result;
    int status;

    if (load(o, NULL, m, e) < 0 || cmd_reports_open(&o->reports, e) < 0)
        return cmd_fail(EXIT_USAGE, e);
    r->options.strict = o->strict || r->options.strict;
    r->options.min = o->min;
    if (merge_complete(m, &missing) < 0)
        cmd_fail(EXIT_FAILED, &missing);
    print(o, r);
    if (cmd_reports_write(&o->reports, r, "", e) < 0 ||
        (o->json && save_json(o, e) < 0))
        return cmd_fail(EXIT_USAGE, e);
    status = outcome_status(r);
    if (status == EXIT_TOO_FEW)
        cmd_too_few(r);
    return status;
}

int cmd_report(int argc, char **argv)
{
    struct options o = {.min = 1};
    struct merge m;
    struct err e = {""};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    merge_init(&m);
    status = report(&o, &m, &e);
    merge_release(&m);
    cmd_words_release(&o.files);
    cmd_reports_release(&o.reports);
    return status;
}
