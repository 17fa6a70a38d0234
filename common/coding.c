/* HTTP's content codings: see coding.h. */
#include "coding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

#define BLANKS " \t\r\n"
#define PIECE 16384 /* bytes that are decoded at a time */

/* zlib's words for the two formats. */
#define BITS_DEFLATE MAX_WBITS
#define BITS_GZIP (MAX_WBITS + 16)

/* ---- names ---- */

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static enum coding named(const char *text, size_t len)
{
    if (len == 0 || is_word(text, len, "identity"))
        return CODING_NONE;
    if (is_word(text, len, "gzip") || is_word(text, len, "x-gzip"))
        return CODING_GZIP;
    if (is_word(text, len, "deflate"))
        return CODING_DEFLATE;
    return CODING_OTHER;
}

static size_t without_blanks(const char *text, size_t len)
{
    while (len > 0 && strchr(BLANKS, text[len - 1]))
        len--;
    return len;
}

enum coding coding_of(const char *name)
{
    name += strspn(name, BLANKS);
    return named(name, without_blanks(name, strlen(name)));
}

const char *coding_name(enum coding coding)
{
    switch (coding) {
    case CODING_GZIP:
        return "gzip";
    case CODING_DEFLATE:
        return "deflate";
    case CODING_NONE:
    case CODING_OTHER:
        break;
    }
    return "";
}

/* Is this ";q=0", however it is spelled? */
static bool is_refusal(const char *weight, size_t len)
{
    const char *end = weight + len;

    while (weight < end && strchr("; \t\r\n", *weight))
        weight++;
    if (end - weight < 3 || strncasecmp(weight, "q=", 2) != 0)
        return false;
    for (weight += 2; weight < end; weight++) {
        if (*weight >= '1' && *weight <= '9')
            return false;
    }
    return true;
}

bool coding_listed(const char *list, enum coding coding)
{
    size_t len;

    for (; list && *list; list += len + (list[len] == ',')) {
        const char *item = list + strspn(list, BLANKS);
        size_t word;

        len = strcspn(list, ",");
        if (item >= list + len)
            continue;
        word = strcspn(item, ",;");
        if (named(item, without_blanks(item, word)) == coding)
            return !is_refusal(item + word, (size_t)(list + len - item) - word);
    }
    return false;
}

/* ---- bytes ---- */

static int bits_of(enum coding coding)
{
    return coding == CODING_GZIP ? BITS_GZIP : BITS_DEFLATE;
}

void coding_encode(struct buf *out, enum coding coding, const char *data,
                   size_t len)
{
    z_stream z = {0};
    uLong room;
    char *packed;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits_of(coding), 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        abort(); /* no memory */
    room = deflateBound(&z, len);
    packed = mem_alloc(room);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)packed;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    buf_add(out, packed, z.total_out);
    deflateEnd(&z);
    free(packed);
}

/* Up to the end of what z has, or of max bytes. A file of gzip may have
 * several members, RFC 1952 §2.2. */
static int inflate_all(z_stream *z, enum coding coding, struct buf *out,
                       size_t max)
{
    char piece[PIECE];
    int rc = Z_OK;

    while (rc == Z_OK) {
        size_t len;

        z->next_out = (Bytef *)piece;
        z->avail_out = sizeof piece;
        rc = inflate(z, Z_NO_FLUSH);
        len = sizeof piece - z->avail_out;
        if (len > max - out->len)
            return CODING_E_TOO_LONG;
        buf_add(out, piece, len);
        if (rc == Z_STREAM_END && z->avail_in > 0 && coding == CODING_GZIP)
            rc = inflateReset(z);
    }
    return rc == Z_STREAM_END && z->avail_in == 0 ? 0 : CODING_E_DAMAGED;
}

int coding_decode(struct buf *out, enum coding coding, const char *data,
                  size_t len, size_t max, struct err *e)
{
    struct buf plain = BUF_INIT;
    z_stream z = {0};
    int rc;

    if (inflateInit2(&z, bits_of(coding)) != Z_OK)
        abort(); /* no memory */
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    rc = inflate_all(&z, coding, &plain, max);
    inflateEnd(&z);
    if (rc == 0)
        buf_add(out, buf_str(&plain), plain.len);
    else if (rc == CODING_E_TOO_LONG)
        err_set(e, "%s of more than %zu bytes", coding_name(coding), max);
    else
        err_set(e, "damaged %s", coding_name(coding));
    buf_release(&plain);
    return rc;
}
