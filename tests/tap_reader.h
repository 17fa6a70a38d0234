/*
 * A strict reader of TAP 14, as boshspec writes it: what it refuses, another
 * reader may misunderstand.
 */
#ifndef TESTS_TAP_READER_H
#define TESTS_TAP_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

struct tap_point {
    bool ok;
    char *words;     /* its description, unescaped */
    char *directive; /* "SKIP", "TODO", or NULL */
    char *reason;    /* of the directive, unescaped */
    struct buf yaml; /* the block's lines, without its indent */
};

struct tap {
    size_t planned;
    bool bailed_out;
    struct tap_point *points;
    size_t count;
};

/* 0 with *out filled in, or -1 with e (line: ...); tap_release() either
 * way. */
int tap_read(const char *text, struct tap *out, struct err *e);
void tap_release(struct tap *t);

/* The value of the n-th "key:" of a point's block, unescaped. Yours; NULL when
 * there is none. */
char *tap_value(const struct tap_point *p, const char *key, size_t n);

#endif
