/* A peer's bytes, made harmless: see shown.h. */
#include "shown.h"

#include <string.h>

size_t shown_char(const char *s, size_t len, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    size_t n, i;

    if (len == 0)
        return 0;
    n = u[0] < 0x80             ? 1
        : (u[0] & 0xe0) == 0xc0 ? 2
        : (u[0] & 0xf0) == 0xe0 ? 3
        : (u[0] & 0xf8) == 0xf0 ? 4
                                : 0;
    if (n == 0 || n > len)
        return 0;
    *c = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));
    for (i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (u[i] & 0x3f);
    }
    if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
        return 0;
    return n;
}

bool shown_harmless(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return false;
    if (c == 0xfffe || c == 0xffff || c == 0xfeff)
        return false;
    /* line ends of other kinds, and what turns the reading direction */
    return c != 0x2028 && c != 0x2029 && !(c >= 0x202a && c <= 0x202e) &&
           !(c >= 0x2066 && c <= 0x2069);
}

static bool is_space(uint32_t c)
{
    return c == '\n' || c == '\t' || c == '\r';
}

static void add_byte(struct buf *out, char c)
{
    buf_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
}

/* The character at s, or one byte of what is none. Returns its length. */
static size_t add_char(struct buf *out, const char *s, size_t len,
                       bool keep_space)
{
    uint32_t c = 0;
    size_t n = shown_char(s, len, &c), i;

    if (n == 0) {
        add_byte(out, *s);
        return 1;
    }
    if (is_space(c) && (keep_space || c != '\r'))
        buf_addc(out, keep_space ? *s : ' ');
    else if (c < 0xa0 && !shown_harmless(c))
        buf_printf(out, "\\x%02x", (unsigned)c);
    else if (!shown_harmless(c))
        for (i = 0; i < n; i++)
            add_byte(out, s[i]);
    else
        buf_add(out, s, n);
    return n;
}

static void add(struct buf *out, const char *s, size_t max, bool keep_space)
{
    size_t len = strlen(s), i = 0;

    while (i < len && i < max)
        i += add_char(out, s + i, len - i, keep_space);
    if (i < len)
        buf_printf(out, "... (%zu bytes)", len);
}

void shown_line(struct buf *out, const char *s, size_t max)
{
    add(out, s, max, false);
}

void shown_text(struct buf *out, const char *s, size_t max)
{
    add(out, s, max, true);
}
