/* --tap, --junit and --markdown: see cmd.h. */
#include <errno.h>
#include <string.h>

#include "cmd.h"
#include "common/buf.h"
#include "reports/junit.h"
#include "reports/markdown.h"
#include "reports/tap.h"

enum { KEY_FIRST = 0x400 };

static const struct {
    const char *name;
    void (*write)(struct buf *out, const struct result *r, const char *dir);
} kinds[CMD_REPORT_KINDS] = {
    {"tap", tap_write},
    {"junit", junit_write},
    {"markdown", markdown_write},
};

static const struct argp_option option_list[] = {
    {"tap", KEY_FIRST, "FILE", 0, "TAP 14; '-' is stdout", 3},
    {"junit", KEY_FIRST + 1, "FILE", 0, "JUnit XML", 3},
    {"markdown", KEY_FIRST + 2, "FILE", 0, "A summary in Markdown", 3},
    {0},
};

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct cmd_reports *reports = state->input;
    int i;

    if (key < KEY_FIRST || key >= KEY_FIRST + CMD_REPORT_KINDS)
        return ARGP_ERR_UNKNOWN;
    if (!arg[0])
        argp_error(state, "--%s is empty", kinds[key - KEY_FIRST].name);
    for (i = 0; i < CMD_REPORT_KINDS; i++)
        if (i != key - KEY_FIRST && reports->paths[i] &&
            strcmp(reports->paths[i], arg) == 0)
            argp_error(state, "--%s and --%s both go to '%s'", kinds[i].name,
                       kinds[key - KEY_FIRST].name, arg);
    reports->paths[key - KEY_FIRST] = arg;
    return 0;
}

const struct argp cmd_reports_argp = {option_list, parse, NULL, NULL,
                                      NULL,        NULL,  NULL};

int cmd_reports_open(struct cmd_reports *reports, struct err *e)
{
    int i;

    for (i = 0; i < CMD_REPORT_KINDS; i++) {
        const char *path = reports->paths[i];

        if (!path)
            continue;
        reports->files[i] = is_stdout(path) ? stdout : fopen(path, "we");
        if (!reports->files[i])
            return err_set(e, "%s: %s", path, strerror(errno));
    }
    return 0;
}

FILE *cmd_reports_text(const struct cmd_reports *reports)
{
    int i;

    for (i = 0; i < CMD_REPORT_KINDS; i++)
        if (is_stdout(reports->paths[i]))
            return stderr;
    return stdout;
}

static int close_one(struct cmd_reports *reports, int i)
{
    FILE *f = reports->files[i];

    reports->files[i] = NULL;
    if (!f)
        return 0;
    return f == stdout ? fflush(f) : fclose(f);
}

static int write_one(struct cmd_reports *reports, int i, const struct buf *text,
                     struct err *e)
{
    FILE *f = reports->files[i];
    bool whole = fwrite(buf_str(text), 1, text->len, f) == text->len;
    int wrong = errno;

    if (close_one(reports, i) != 0 && whole) {
        whole = false;
        wrong = errno;
    }
    return whole ? 0 : err_set(e, "%s: %s", reports->paths[i], strerror(wrong));
}

int cmd_reports_write(struct cmd_reports *reports, const struct result *r,
                      const char *dir, struct err *e)
{
    int rc = 0, i;

    for (i = 0; i < CMD_REPORT_KINDS; i++) {
        struct buf text = BUF_INIT;

        if (!reports->files[i])
            continue;
        kinds[i].write(&text, r, dir);
        if (write_one(reports, i, &text, e) < 0)
            rc = -1;
        buf_release(&text);
    }
    return rc;
}

void cmd_reports_release(struct cmd_reports *reports)
{
    int i;

    for (i = 0; i < CMD_REPORT_KINDS; i++)
        close_one(reports, i);
}
