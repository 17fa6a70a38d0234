/* What may be shown to a person: see tool_text.h. */
#include "tool_text.h"

#include <string.h>

#define HIDDEN "[hidden]"
#define CDATA "<![CDATA["
#define CDATA_END "]]>"

/* ---- Control characters ----------------------------------------------------
 */

/* C1, which terminals obey as well: U+0080 to U+009F, in UTF-8. */
static bool is_c1(const char *p, const char *end)
{
    return end - p > 1 && (unsigned char)p[0] == 0xc2 &&
           (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

void tool_text_clean(struct buf *out, const char *text, size_t len, bool lines)
{
    const char *end = text + len;

    for (; text < end; text++) {
        if (is_c1(text, end))
            buf_printf(out, "\\x%02x", (unsigned char)*++text);
        else if (*text == '\n' && !lines)
            buf_adds(out, "\\n");
        else if (*text != '\n' && is_control(*text))
            buf_printf(out, "\\x%02x", (unsigned char)*text);
        else
            buf_addc(out, *text);
    }
}

/* ---- XML in one line ------------------------------------------------------
 */

/* A section that begins at xml as plain text. Returns what is behind it. */
static const char *add_cdata(struct buf *out, const char *xml, const char *end)
{
    const char *text = xml + strlen(CDATA);
    const char *close =
        memmem(text, (size_t)(end - text), CDATA_END, strlen(CDATA_END));

    if (!close)
        return xml;
    buf_add_xml(out, text, (size_t)(close - text));
    return close + strlen(CDATA_END);
}

static bool starts(const char *p, const char *end, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(end - p) >= len && memcmp(p, word, len) == 0;
}

void tool_text_xml(struct buf *out, const char *xml, size_t len)
{
    const char *end = xml + len;

    while (xml < end) {
        const char *at = xml;

        if (starts(xml, end, CDATA))
            at = add_cdata(out, xml, end);
        if (at != xml) {
            xml = at;
            continue;
        }
        if (is_c1(xml, end))
            buf_printf(out, "&#x%02x;", (unsigned char)*++xml);
        else if (is_control(*xml))
            buf_printf(out, "&#%d;", *xml);
        else
            buf_addc(out, *xml);
        xml++;
    }
}

/* ---- Secrets ----------------------------------------------------------------
 */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is this word one of words, which are separated by spaces? */
static bool is_one_of(const char *word, size_t len, const char *words)
{
    while (*words) {
        size_t n = strcspn(words, " ");

        if (n == len && memcmp(word, words, n) == 0)
            return true;
        words += n + strspn(words + n, " ");
    }
    return false;
}

/* The attribute whose value's opening quote is at quote: a secret? */
static bool is_secret_value(const char *tag, const char *quote)
{
    const char *name_end = quote;
    const char *name;

    while (name_end > tag && (is_space(name_end[-1]) || name_end[-1] == '='))
        name_end--;
    name = name_end;
    while (name > tag && !is_space(name[-1]) && name[-1] != '"' &&
           name[-1] != '\'')
        name--;
    return is_one_of(name, (size_t)(name_end - name), "key newkey");
}

/* A value with its quotes. Returns what is behind it. A '<' ends it: what is
 * not well-formed must not carry a secret past us. */
static const char *hide_value(struct buf *out, const char *tag,
                              const char *quote, const char *end)
{
    const char *close = quote + 1;

    while (close < end && *close != *quote && *close != '<')
        close++;
    if (is_secret_value(tag, quote)) {
        buf_addc(out, *quote);
        buf_adds(out, HIDDEN);
    } else {
        buf_add(out, quote, (size_t)(close - quote));
    }
    if (close == end || *close == '<')
        return close;
    buf_addc(out, *close);
    return close + 1;
}

/* From the '<' at tag to behind its '>'. Returns what is behind it. */
static const char *hide_in_tag(struct buf *out, const char *tag,
                               const char *end)
{
    const char *p = tag + 1;

    buf_addc(out, '<');
    while (p < end && *p != '<') {
        if (*p == '"' || *p == '\'') {
            p = hide_value(out, tag, p, end);
            continue;
        }
        buf_addc(out, *p);
        if (*p++ == '>')
            break;
    }
    return p;
}

/* The name in the tag, with its prefix. */
static size_t name_len(const char *tag, const char *end)
{
    const char *p = tag + 1;

    while (p < end && !is_space(*p) && !strchr("/><", *p))
        p++;
    return (size_t)(p - tag) - 1;
}

static bool is_secret(const char *name, size_t len)
{
    const char *colon = memchr(name, ':', len);

    if (colon) {
        len -= (size_t)(colon - name) + 1;
        name = colon + 1;
    }
    return is_one_of(name, len, "auth challenge response success password");
}

/* Where the element's end tag begins; the end when there is none. */
static const char *find_close(const char *p, const char *end, const char *name,
                              size_t len)
{
    while (p < end && (p = memmem(p, (size_t)(end - p), "</", 2)) != NULL) {
        if ((size_t)(end - p) >= len + 2 && memcmp(p + 2, name, len) == 0)
            return p;
        p += 2;
    }
    return end;
}

/* The tag at '<', and the text behind it where that is a secret. Returns what
 * is behind both. */
static const char *hide_from_tag(struct buf *out, const char *tag,
                                 const char *end)
{
    size_t len = name_len(tag, end);
    const char *inside = hide_in_tag(out, tag, end);
    const char *close;

    if (!is_secret(tag + 1, len) || (inside[-1] == '>' && inside[-2] == '/'))
        return inside;
    close = find_close(inside, end, tag + 1, len);
    if (close > inside)
        buf_adds(out, HIDDEN);
    return close;
}

void tool_text_hide(struct buf *out, const char *data, size_t len)
{
    const char *end = data + len;

    while (data < end) {
        const char *tag = memchr(data, '<', (size_t)(end - data));

        if (!tag)
            tag = end;
        buf_add(out, data, (size_t)(tag - data));
        data = tag < end ? hide_from_tag(out, tag, end) : end;
    }
}
