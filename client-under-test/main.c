/*
 * bosh-client: libbosh as a program.
 *
 * With a command it is a tool for people: tool.h. Without a word it is a
 * driver program: reads one JSON object a line from stdin, writes one a line
 * to stdout; the protocol is docs/drivers.md. One process takes any number of
 * sessions. The end of stdin ends it.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bosh.h"
#include "common/buf.h"
#include "common/xml.h"
#include "driver_verbs.h"
#include "tool_main.h"

/* The longest line that is read; a longer one is skipped and reported. */
#define LINE_MAX_LEN (BOSH_QUEUE_MAX + 65536)

const char *argp_program_version = "bosh-client " BOSH_LIB_VERSION;

struct input {
    struct verbs *verbs;
    struct buf line;
    bool skipping; /* the rest of a line that is too long */
};

static void take_line(struct input *in, const char *line, size_t len)
{
    if (in->skipping)
        in->skipping = false;
    else if (len > 0)
        driver_verbs_line(in->verbs, line, len);
}

static void take_bytes(struct input *in, const char *data, size_t len)
{
    const char *newline;

    while ((newline = memchr(data, '\n', len)) != NULL) {
        size_t part = (size_t)(newline - data);

        buf_add(&in->line, data, part);
        take_line(in, buf_str(&in->line), in->line.len);
        buf_clear(&in->line);
        data += part + 1;
        len -= part + 1;
    }
    if (in->skipping)
        return;
    buf_add(&in->line, data, len);
    if (in->line.len > LINE_MAX_LEN) {
        driver_verbs_error(in->verbs, "the line is too long");
        buf_clear(&in->line);
        in->skipping = true;
    }
}

static void on_stdin(void *ctx)
{
    struct input *in = ctx;
    char data[65536];
    ssize_t got = read(STDIN_FILENO, data, sizeof data);

    if (got > 0)
        take_bytes(in, data, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        driver_verbs_quit(in->verbs);
}

static int drive(void)
{
    struct bosh_driver *driver = bosh_driver_new();
    struct input in = {0};
    int rc = 0;

    if (!driver) {
        perror("bosh-client");
        return 1;
    }
    in.verbs = driver_verbs_new(driver);
    bosh_driver_watch(driver, STDIN_FILENO, on_stdin, &in);
    while (rc == 0 && !driver_verbs_done(in.verbs))
        rc = bosh_driver_turn(driver, -1);
    if (rc)
        perror("bosh-client");
    driver_verbs_free(in.verbs);
    bosh_driver_free(driver);
    buf_release(&in.line);
    return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
    int status;

    signal(SIGPIPE, SIG_IGN);
    xml_init();
    status = argc > 1 ? tool_main(argc, argv) : drive();
    xml_cleanup();
    return status;
}
