/*
 * One message for a person.
 *
 * Worded without a capital and without a full stop, the subject in 'quotes'.
 * One line: control characters become question marks.
 * The first message stays: later ones on the same struct are ignored, since
 * what went wrong first explains the rest.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

struct err {
    char text[1024]; /* "" while nothing went wrong */
};

/* Set the message unless one is there. Returns -1, for `return err_set(...)`.
 * e may be NULL. */
int err_set(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, with path:line: in front; line 0 leaves the line out. */
int err_set_at(struct err *e, const char *path, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
