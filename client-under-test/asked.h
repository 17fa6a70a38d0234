/*
 * What a line of the driver protocol asks of a session: its options.
 *
 * Part of bosh-client, not of the library.
 */
#ifndef CLIENT_ASKED_H
#define CLIENT_ASKED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bosh.h"
#include "common/err.h"

#define ASKED_LINES_MAX 32

/* A list of lines, as an option gives it. */
struct asked_lines {
    const char *line[ASKED_LINES_MAX + 1]; /* ends with NULL */
    char *text;                            /* what they point into */
};

struct asked {
    struct bosh_options options;
    struct asked_lines headers;
    struct asked_lines cookies;
};

/* The defaults. Release with asked_release(). */
void asked_init(struct asked *a);

/* One option by its name. value is borrowed for as long as a lives. Returns 0,
 * or -1 with e set: there is none of that name, or the value does not fit. */
int asked_set(struct asked *a, const char *name, const char *value,
              struct err *e);

/* A text member, or NULL. Borrowed from object. */
const char *asked_text(const json_t *object, const char *key);

/* A whole number, or text that is one; else missing. */
long long asked_number(const json_t *object, const char *key,
                       long long missing);

/*
 * Fill in out from the members url, wait, hold, route, ca and options of
 * line; strings are borrowed from line.
 *
 * Returns 0, or -1 with e set: a number that does not fit, or an option that
 * does not exist. Release out with asked_release() in both cases.
 */
int asked_read(struct asked *out, const json_t *line, struct err *e);
void asked_release(struct asked *a);

/* The name of option i, in the order of the alphabet; NULL behind the last. */
const char *asked_option_name(size_t i);

#endif
