/* The manager's own copy of its options, with what was left open filled in. */
#ifndef MOCKSERVER_OPTIONS_H
#define MOCKSERVER_OPTIONS_H

#include "mock.h"

struct options {
    struct mock_options set; /* all strings ours; random is set */
    int ver_major;           /* -1: legacy */
    int ver_minor;
};

void options_copy(struct options *out, const struct mock_options *from);
void options_release(struct options *o);

/* Lower-case hex digits of 'bytes' unpredictable bytes, NUL-terminated. */
void options_random_hex(const struct options *o, char *out, size_t bytes);

#endif
