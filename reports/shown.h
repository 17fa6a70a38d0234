/*
 * A peer's bytes, made harmless. Control characters, bytes that are no UTF-8
 * and characters that no report may hold appear as \xNN, whatever the format;
 * each format then escapes what has a meaning in it.
 */
#ifndef REPORTS_SHOWN_H
#define REPORTS_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* The character at s, of at most len bytes. Returns how many bytes it has, or
 * 0 when they are no UTF-8 (too long, cut off, a surrogate, none at all). */
size_t shown_char(const char *s, size_t len, uint32_t *c);

/* May the character stand in a text file, an XML 1.0 document and a terminal?
 * Line ends and tabs may not: they are for the caller to decide. */
bool shown_harmless(uint32_t c);

/*
 * The value in one line: line ends and tabs are blanks.
 *
 * max  bytes of it at most; what is left out is said with the whole length.
 *      Characters are not cut in two.
 */
void shown_line(struct buf *out, const char *s, size_t max);

/* The same with its line ends and tabs as they were. */
void shown_text(struct buf *out, const char *s, size_t max);

#endif
