/* The bytes that a storm lives on; when they are used up, all zeroes. */
#ifndef TESTS_STORM_FUEL_H
#define TESTS_STORM_FUEL_H

#include <stddef.h>
#include <stdint.h>

struct fuel {
    const uint8_t *data;
    size_t left;
};

static inline uint8_t fuel_byte(struct fuel *f)
{
    if (f->left == 0)
        return 0;
    f->left--;
    return *f->data++;
}

/* 0 to n - 1; n is at most 256. */
static inline unsigned fuel_below(struct fuel *f, unsigned n)
{
    return fuel_byte(f) % n;
}

/* One time in n. */
static inline int fuel_seldom(struct fuel *f, unsigned n)
{
    return fuel_byte(f) % n == n - 1;
}

static inline uint64_t fuel_number(struct fuel *f)
{
    uint64_t value = 0;

    for (unsigned i = fuel_below(f, 9); i > 0; i--)
        value = value << 8 | fuel_byte(f);
    return value;
}

/* Up to max bytes as they are. Borrowed from the input. */
static inline const char *fuel_bytes(struct fuel *f, size_t max, size_t *len)
{
    const char *start = (const char *)f->data;

    *len = fuel_byte(f);
    if (*len > max)
        *len = max;
    if (*len > f->left)
        *len = f->left;
    start = *len ? (const char *)f->data : "";
    f->data += *len;
    f->left -= *len;
    return start;
}

/* One of a list of strings. */
#define FUEL_PICK(f, list)                                                     \
    ((list)[fuel_below((f), sizeof(list) / sizeof(list)[0])])

#endif
