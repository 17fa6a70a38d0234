/*
 * HTTP's content codings gzip and deflate (RFC 9110 §8.4.1), on whole entities
 * in memory. Knows no message and no BOSH. No I/O.
 */
#ifndef COMMON_CODING_H
#define COMMON_CODING_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

enum coding {
    CODING_NONE,    /* "identity", or no word at all */
    CODING_GZIP,    /* RFC 1952; also called x-gzip */
    CODING_DEFLATE, /* zlib's format, RFC 1950 */
    CODING_OTHER    /* one that is not known here, or several */
};

/* What a Content-Encoding means; case and blanks around do not matter. */
enum coding coding_of(const char *name);

/* "gzip", "deflate"; "" for the others. */
const char *coding_name(enum coding coding);

/*
 * Is coding in a list such as "deflate, gzip"? Empty items are nothing. A
 * weight may follow an item, as in Accept-Encoding: q=0 refuses it.
 *
 * list  may be NULL: an empty one
 */
bool coding_listed(const char *list, enum coding coding);

/* Append the entity in that coding, CODING_GZIP or CODING_DEFLATE. */
void coding_encode(struct buf *out, enum coding coding, const char *data,
                   size_t len);

enum coding_error {
    CODING_E_DAMAGED = -1, /* not that coding, cut short, or more behind it */
    CODING_E_TOO_LONG = -2 /* it would be more than max bytes */
};

/*
 * Append the entity without its coding, CODING_GZIP or CODING_DEFLATE.
 *
 * max  bytes that it may have; never more than that is made of a small bomb
 *
 * Returns 0; or a CODING_E_* with e set and out unchanged.
 */
int coding_decode(struct buf *out, enum coding coding, const char *data,
                  size_t len, size_t max, struct err *e);

#endif
