/*
 * Growing bytes.
 *
 * For text and for wire data alike: the length counts, and one NUL byte, not
 * counted, always follows, so that data can be read as a string. Memory that
 * cannot be had ends the process: no caller could do better.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL until the first byte; use buf_str() for a string */
    size_t len;
    size_t cap;
};

#define BUF_INIT                                                               \
    {                                                                          \
        NULL, 0, 0                                                             \
    }

void buf_release(struct buf *b);
void buf_clear(struct buf *b);

/* The bytes as a string; "" when there are none. Borrowed until b changes. */
const char *buf_str(const struct buf *b);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

/* Text with & < > " ' as XML references; CR, LF and TAB as numbers, so that
 * it can stand in an attribute and in one line. */
void buf_add_xml(struct buf *b, const char *data, size_t len);

/* Take len bytes off the front. */
void buf_shift(struct buf *b, size_t len);

/* The bytes, yours, free with free(); b is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

/* malloc and friends that end the process when there is no memory. */
void *mem_alloc(size_t size); /* zeroed */
void *mem_grow(void *p, size_t size);
char *mem_dup(const char *s); /* NULL stays NULL */
char *mem_dupn(const char *data, size_t len);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
