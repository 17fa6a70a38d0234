/*
 * Values of bosh-client's options. One that is not good ends the program, by
 * argp_error(). option is what the person wrote, such as "--for".
 */
#ifndef CLIENT_TOOL_VALUES_H
#define CLIENT_TOOL_VALUES_H

#include <argp.h>
#include <stdint.h>

#include "asked.h"
#include "common/buf.h"

/* Seconds, perhaps with a fraction. */
int64_t tool_value_ms(struct argp_state *state, const char *option,
                      const char *text);

int tool_value_count(struct argp_state *state, const char *option,
                     const char *text);

/* A file that can be read: path. Better now than as a connection that fails. */
const char *tool_value_path(struct argp_state *state, const char *option,
                            const char *path);

/* An address without a password: url. Everybody sees a command line. */
const char *tool_value_url(struct argp_state *state, const char *option,
                           const char *url);

/* The same, or the first line of @FILE, which may have one. Yours: wipe and
 * free with tool_wipe(). */
char *tool_value_secret_url(struct argp_state *state, const char *option,
                            const char *arg);

/*
 * One more line, or the lines of @FILE, for asked.c's option of that name.
 *
 * lines  those that were given before; must live as long as a
 * like   what a line looks like, for the message
 */
struct tool_list {
    const char *name; /* "headers" or "cookies" */
    const char *like;
    struct buf *lines;
};
void tool_value_list(struct argp_state *state, const char *option,
                     const char *arg, const struct tool_list *list,
                     struct asked *a);

#endif
