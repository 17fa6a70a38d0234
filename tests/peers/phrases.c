/* Texts that are hard to carry: see phrases.h. */
#include "phrases.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/buf.h"

#define PLANES 17

static const char *const pieces[] = {
    "plain",
    "& < > \" ' &amp; &lt; &#38; ]]> <![CDATA[x]]> <!-- x --> <?x?>",
    "\xC3\xA9 e\xCC\x81 e\xCC\x82\xCC\xA3 o\xCC\xB2\xCC\xB3\xCC\xBF\xCD\x86",
    "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD9\x85\xD8\xB1\xD8\xAD\xD8\xA8\xD8\xA7 "
    "\xE2\x80\xAEright to left\xE2\x80\xAC \xE2\x81\xA7x\xE2\x81\xA9",
    "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80 \xF0\x9F\x87\xA9\xF0\x9F\x87"
    "\xAA \xF0\x9D\x94\x98 \xF0\xA0\x80\x80",
    "  white\tspace \n\n at both ends  \n",
    "\xEF\xBB\xBF\xEF\xBF\xBD\xEF\xBF\xBC\xC2\x85\xE2\x80\xA8\xE2\x80\xA9\xC2"
    "\xA0\xC2\xAD\x7F",
    "\xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\xB7\xE0\xA4\xBF \xE1\x84\x92\xE1\x85\xA1"
    "\xE1\x86\xAB \xE0\xB8\x97\xE0\xB8\xB5\xE0\xB9\x88",
};
#define PIECE_COUNT (sizeof pieces / sizeof pieces[0])

/* RFC 3629 §3. */
static void add_char(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(out, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_addc(out, (char)(0xC0 | c >> 6));
    } else if (c < 0x10000) {
        buf_addc(out, (char)(0xE0 | c >> 12));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
    } else {
        buf_addc(out, (char)(0xF0 | c >> 18));
        buf_addc(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    buf_addc(out, (char)(0x80 | (c & 0x3F)));
}

char *phrase(const char *who, size_t i)
{
    struct buf out = BUF_INIT;

    buf_printf(&out, "%s%s %zu: ", i % 3 ? "" : " ", who, i);
    buf_adds(&out, pieces[i % PIECE_COUNT]);
    /* One of each plane: the first that no rule excludes, and near the end. */
    for (uint32_t plane = 0; plane < PLANES; plane++) {
        add_char(&out, plane << 16 | (uint32_t)(0x100 + i));
        add_char(&out, plane << 16 | 0xFFFD);
    }
    return buf_take(&out);
}

char *phrase_long(size_t len)
{
    static const uint32_t chars[] = {'a', 0xE9, 0x20AC, 0x1F600, 0x10FFFD};
    struct buf out = BUF_INIT;

    for (size_t i = 0; out.len + 4 <= len; i++)
        add_char(&out, chars[i * i % 5]);
    while (out.len < len)
        buf_addc(&out, 'z');
    return buf_take(&out);
}
