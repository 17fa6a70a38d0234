/* XML of a transcript, compared with what a session made. */
#ifndef TESTS_TRANSCRIPT_XML_H
#define TESTS_TRANSCRIPT_XML_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define CAPTURES_MAX 16

/* What ${name} stands for. */
struct captures {
    struct {
        char *name, *value;
    } list[CAPTURES_MAX];
    int count;
};

void captures_release(struct captures *c);

/* Write text with each ${name} replaced. Returns 0, or -1 with e set. */
int captures_fill(struct buf *out, const char *text, const struct captures *c,
                  struct err *e);

/*
 * Is got what want says? Names in want that are new are captured.
 *
 * offset  the session's rids are so much above the transcript's
 *
 * Returns 0, or -1 with e set: the first difference.
 */
int transcript_compare(const char *want, const char *got, uint64_t offset,
                       struct captures *c, struct err *e);

#endif
