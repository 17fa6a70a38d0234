/*
 * Texts that are hard to carry: every plane of Unicode, marks that combine,
 * right to left, what XML escapes, white space at the ends.
 */
#ifndef TESTS_PEERS_PHRASES_H
#define TESTS_PEERS_PHRASES_H

#include <stddef.h>

/* The i-th phrase of who, numbered so that none is like another. Yours. */
char *phrase(const char *who, size_t i);

/* So many bytes of text, of one to four bytes a character. Yours. */
char *phrase_long(size_t len);

#endif
