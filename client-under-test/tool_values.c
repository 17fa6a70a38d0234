/* Values of bosh-client's options: see tool_values.h. */
#include "tool_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define COUNT_MAX 1000000000
#define SECONDS_MAX 31536000 /* a year */
#define LIST_MAX_LEN (1 << 20)

int64_t tool_value_ms(struct argp_state *state, const char *option,
                      const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (!*text || *end || !(seconds >= 0 && seconds <= SECONDS_MAX))
        argp_error(state, "%s '%s': seconds are wanted, 0 to %d", option, text,
                   SECONDS_MAX);
    return (int64_t)(seconds * 1000);
}

int tool_value_count(struct argp_state *state, const char *option,
                     const char *text)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno || !*text || *end || n < 0 || n > COUNT_MAX)
        argp_error(state, "%s '%s': a number is wanted, 0 to %d", option, text,
                   COUNT_MAX);
    return (int)n;
}

const char *tool_value_path(struct argp_state *state, const char *option,
                            const char *path)
{
    if (access(path, R_OK) != 0)
        argp_error(state, "%s '%s': %s", option, path, strerror(errno));
    return path;
}

const char *tool_value_url(struct argp_state *state, const char *option,
                           const char *url)
{
    const char *start = strstr(url, "//");
    const char *at;

    start = start ? start + 2 : url;
    at = memchr(start, '@', strcspn(start, "/?#"));
    if (at && memchr(start, ':', (size_t)(at - start)))
        argp_error(state, "%s: a password does not belong on a command line",
                   option);
    return url;
}

char *tool_value_secret_url(struct argp_state *state, const char *option,
                            const char *arg)
{
    struct err e = {""};
    char *line;

    if (*arg != '@')
        return mem_dup(tool_value_url(state, option, arg));
    line = tool_first_line(arg + 1, &e);
    if (!line)
        argp_error(state, "%s: %s", option, e.text);
    return line;
}

static void add_file(struct argp_state *state, const char *option,
                     const char *path, struct buf *lines)
{
    FILE *f = fopen(path, "re");
    char piece[4096];
    size_t got;

    if (!f) {
        argp_error(state, "%s '@%s': %s", option, path, strerror(errno));
        return; /* argp_error() does not */
    }
    while (lines->len < LIST_MAX_LEN &&
           (got = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(lines, piece, got);
    if (ferror(f))
        argp_error(state, "%s '@%s': %s", option, path, strerror(errno));
    fclose(f);
    explicit_bzero(piece, sizeof piece);
}

void tool_value_list(struct argp_state *state, const char *option,
                     const char *arg, const struct tool_list *list,
                     struct asked *a)
{
    if (*arg == '@')
        add_file(state, option, arg + 1, list->lines);
    else
        buf_adds(list->lines, arg);
    buf_addc(list->lines, '\n');
    if (asked_set(a, list->name, buf_str(list->lines), NULL))
        argp_error(state, "%s: at most %d lines like '%s' are wanted", option,
                   ASKED_LINES_MAX, list->like);
}
