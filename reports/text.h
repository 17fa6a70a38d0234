/*
 * The result for a person, as plain text: 80 columns, colour only where it is
 * wanted. Writes to buffers; where they go is the caller's business.
 *
 * A peer's bytes are shown, never obeyed: control characters are written as
 * \xNN.
 */
#ifndef REPORTS_TEXT_H
#define REPORTS_TEXT_H

#include "common/buf.h"
#include "result.h"

struct text_style {
    bool color;
    unsigned width; /* columns; at least 40 */
};

/* Colour on a terminal unless NO_COLOR is set (no-color.org); its width, 80
 * at most. fd: where the text will go. */
struct text_style text_style_for(int fd);

/* One line for a case that has ended; an NA's or ERROR's reason below it. */
void text_case(struct buf *out, const struct text_style *st,
               const struct result_case *c);

/* One line for each of its asserts, and why it is NA or ERROR. */
void text_asserts(struct buf *out, const struct text_style *st,
                  const struct result_case *c);

/* Why a case is not PASS: each assert that failed, with its requirement, what
 * was expected, what came, the guilty exchange, and where the log is.
 * dir: the result's folder, "" when its logs' paths are whole. Nothing for
 * PASS, NA and XFAIL. */
void text_why(struct buf *out, const struct text_style *st,
              const struct result *r, const struct result_case *c,
              const char *dir);

/* "8 at 2.115 s: poll rid=42, POST /http-bind -> 200 OK". A peer's bytes are
 * in it as they were. */
void text_exchange(struct buf *out, const struct result_exchange *x);

/* All failures (when each case is ERROR for one reason, that alone), then the
 * counts, then the times. */
void text_summary(struct buf *out, const struct text_style *st,
                  const struct result *r, const char *dir);

/* "12 of 40 done, 9 running, some 14 s left": for one line of a terminal,
 * without a newline. left_ms: -1, not known. */
void text_progress(struct buf *out, const struct text_style *st, size_t done,
                   size_t total, size_t running, int64_t left_ms);

/* Words, broken at width; every line but the first begins with indent
 * spaces, and the first stands at column indent already. */
void text_wrap(struct buf *out, const struct text_style *st, unsigned indent,
               const char *words);

#endif
