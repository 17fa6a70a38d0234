/*
 * Where HTTP messages end, and what is in them: see http.h.
 *
 * One machine (advance) walks the bytes of a message for both the framer and
 * the reader, so that they cannot disagree about where it ends.
 */
#include "http.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MAX_CHUNK_LINE 4096
/* Chunk framing must not grow a message without end. */
#define MAX_MESSAGE (HTTP_MAX_HEAD + 2 * (size_t)HTTP_MAX_BODY)

enum frame_state {
    IN_HEAD,
    IN_LENGTH,
    IN_REST, /* to the end of the stream */
    IN_CHUNK_LINE,
    IN_CHUNK,
    IN_CHUNK_END,
    IN_TRAILER,
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One Content-Length value, or several equal ones (§6.3). */
static int read_length(const char *s, bool *have, size_t *len, struct err *e)
{
    do {
        size_t n = 0;
        size_t digits;

        s += strspn(s, " \t");
        digits = strspn(s, "0123456789");
        if (digits == 0)
            return err_set(e, "Content-Length '%.40s' is no number", s);
        for (size_t i = 0; i < digits; i++) {
            n = n * 10 + (size_t)(s[i] - '0');
            if (n > SIZE_MAX / 16)
                return err_set(e, "Content-Length '%.40s' is too big", s);
        }
        s += digits;
        s += strspn(s, " \t");
        if (*s && *s != ',')
            return err_set(e, "Content-Length is no number");
        if (*have && *len != n)
            return err_set(e, "two different Content-Lengths");
        *have = true;
        *len = n;
    } while (*s++ == ',');
    return 0;
}

/* The final coding must be chunked for its end to be seen (§6.3). */
static bool ends_chunked(const struct http_message *m, bool *coded)
{
    const char *last = NULL;
    const char *comma;

    for (size_t i = 0; i < m->header_count; i++)
        if (strcasecmp(m->headers[i].name, "Transfer-Encoding") == 0)
            last = m->headers[i].value;
    *coded = last != NULL;
    if (!last)
        return false;
    comma = strrchr(last, ',');
    if (comma)
        last = comma + 1;
    last += strspn(last, " \t");
    return strcasecmp(last, "chunked") == 0;
}

static int choose_length(struct http_framer *f, bool have, size_t len,
                         struct err *e)
{
    if (!have && f->kind == HTTP_RESPONSE) {
        f->state = IN_REST;
        f->until_eof = true;
        return 0;
    }
    if (len > HTTP_MAX_BODY)
        return err_set(e, "a body of %zu bytes: more than %d", len,
                       HTTP_MAX_BODY);
    f->state = IN_LENGTH;
    f->body_left = len;
    return 0;
}

/* How the body is framed: §6.3. */
static int choose_body(struct http_framer *f, struct http_message *m,
                       struct err *e)
{
    bool have = false;
    bool coded;
    size_t len = 0;

    f->until_eof = false;
    if (f->kind == HTTP_RESPONSE && (f->no_body || m->status < 200 ||
                                     m->status == 204 || m->status == 304)) {
        f->state = IN_LENGTH;
        return 0;
    }
    m->chunked = ends_chunked(m, &coded);
    for (size_t i = 0; i < m->header_count; i++)
        if (strcasecmp(m->headers[i].name, "Content-Length") == 0 &&
            read_length(m->headers[i].value, &have, &len, e) < 0)
            return -1;
    if (!coded)
        return choose_length(f, have, len, e);
    if (have && f->kind == HTTP_REQUEST)
        return err_set(e, "Content-Length beside Transfer-Encoding");
    if (m->chunked) {
        f->state = IN_CHUNK_LINE;
        return 0;
    }
    if (f->kind == HTTP_REQUEST)
        return err_set(e, "a Transfer-Encoding that does not end in chunked");
    f->state = IN_REST;
    f->until_eof = true;
    return 0;
}

/* What is surely no HTTP is known before its first line ends. */
static int check_start(enum http_kind kind, const char *s, size_t len,
                       struct err *e)
{
    if (len == 1 && *s == '\r')
        return 0; /* an empty line, cut */
    if (kind == HTTP_RESPONSE) {
        if (memcmp(s, "HTTP/", len < 5 ? len : 5) != 0)
            return err_set(e, "no status line");
        return 0;
    }
    for (size_t i = 0; i < len && !is_blank(s[i]) && s[i] != '\r'; i++)
        if (!http_is_token_char((unsigned char)s[i]) ||
            i >= sizeof((struct http_message *)0)->method)
            return err_set(e, "no request line");
    return 0;
}

/*
 * The next line from f->line_start, without its end; seen is moved behind
 * it. 1 a line, 0 not whole, -1 an error.
 */
static int frame_line(struct http_framer *f, const char *data, size_t len,
                      size_t *line_len, struct err *e)
{
    const char *from = data + f->seen;
    const char *nl = len > f->seen ? memchr(from, '\n', len - f->seen) : NULL;
    size_t end = nl ? (size_t)(nl - data) : len;

    if (end > f->seen && memchr(from, '\0', end - f->seen))
        return err_set(e, "a NUL byte in the head");
    f->seen = nl ? end + 1 : end;
    if (!nl)
        return 0;
    if (end > f->line_start && data[end - 1] == '\r')
        end--;
    *line_len = end - f->line_start;
    return 1;
}

static int frame_head(struct http_framer *f, const char *data, size_t len,
                      struct http_message *m, struct err *e)
{
    bool started = f->head_len != 0; /* a first line was seen */

    for (;;) {
        size_t line_len = 0;
        int rc = frame_line(f, data, len, &line_len, e);

        if (rc < 0)
            return -1;
        if (f->seen > HTTP_MAX_HEAD)
            return err_set(e, "a head of more than %d bytes", HTTP_MAX_HEAD);
        if (!started && (rc == 0 || line_len > 0) &&
            check_start(f->kind, data + f->line_start,
                        rc ? line_len : f->seen - f->line_start, e) < 0)
            return -1;
        if (rc == 0)
            return 0;
        f->line_start = f->seen;
        if (line_len == 0 && started)
            break;
        started = started || line_len > 0;
        f->head_len = started ? f->seen : 0;
    }
    f->head_len = f->seen;
    if (http_read_head(f->kind, data, f->head_len, m, e) < 0)
        return -1;
    f->status = m->status;
    return choose_body(f, m, e) < 0 ? -1 : 1;
}

static int frame_chunk_line(struct http_framer *f, const char *line, size_t len,
                            struct err *e)
{
    size_t size = 0;
    size_t i = 0;

    for (; i < len; i++) {
        const char *digits = "00112233445566778899aAbBcCdDeEfF";
        const char *at = line[i] ? strchr(digits, line[i]) : NULL;

        if (!at)
            break;
        size = size * 16 + (size_t)(at - digits) / 2;
        if (size > HTTP_MAX_BODY)
            return err_set(e, "a chunk of more than %d bytes", HTTP_MAX_BODY);
    }
    if (i == 0 || (i < len && line[i] != ';' && !is_blank(line[i])))
        return err_set(e, "no chunk size: '%.*s'", len < 40 ? (int)len : 40,
                       line);
    if (f->body_len + size > HTTP_MAX_BODY || f->seen > MAX_MESSAGE)
        return err_set(e, "a body of more than %d bytes", HTTP_MAX_BODY);
    f->body_left = size;
    f->state = size ? IN_CHUNK : IN_TRAILER;
    f->trailer_start = f->seen;
    return 1;
}

/* A line of chunked framing: 1 go on, 2 the message ends, 0 not whole. */
static int frame_chunk_step(struct http_framer *f, const char *data, size_t len,
                            struct err *e)
{
    size_t start = f->line_start;
    size_t line_len = 0;
    int rc = frame_line(f, data, len, &line_len, e);
    size_t looked = rc == 1 ? line_len : f->seen - start;

    if (rc < 0)
        return rc;
    /* CR may still be the line's end */
    if (f->state == IN_CHUNK_END && looked > (rc ? 0 : 1))
        return err_set(e, "no line end after a chunk");
    if (f->state == IN_CHUNK_LINE && looked > MAX_CHUNK_LINE)
        return err_set(e, "a chunk line of more than %d bytes", MAX_CHUNK_LINE);
    if (f->state == IN_TRAILER && f->seen - f->trailer_start > HTTP_MAX_HEAD)
        return err_set(e, "a trailer of more than %d bytes", HTTP_MAX_HEAD);
    if (rc == 0)
        return 0;
    f->line_start = f->seen;
    if (f->state == IN_CHUNK_LINE)
        return frame_chunk_line(f, data + start, line_len, e);
    if (f->state == IN_TRAILER)
        return line_len == 0 ? 2 : 1;
    f->state = IN_CHUNK_LINE;
    return 1;
}

/* Body bytes with a known length; where they end. */
static void frame_bytes(struct http_framer *f, const char *data, size_t len,
                        struct buf *body)
{
    size_t have = len - f->seen;
    size_t take = have < f->body_left ? have : f->body_left;

    if (body && take)
        buf_add(body, data + f->seen, take);
    f->seen += take;
    f->line_start = f->seen;
    f->body_len += take;
    f->body_left -= take;
}

static int frame_rest(struct http_framer *f, const char *data, size_t len,
                      bool eof, struct buf *body, struct err *e)
{
    f->body_left = len - f->seen;
    frame_bytes(f, data, len, body);
    if (f->body_len > HTTP_MAX_BODY)
        return err_set(e, "a body of more than %d bytes", HTTP_MAX_BODY);
    return eof ? 2 : 0;
}

/* One step: 1 go on, 2 the message is whole, 0 more bytes are needed. */
static int frame_step(struct http_framer *f, const char *data, size_t len,
                      bool eof, struct http_message *m, struct buf *body,
                      struct err *e)
{
    switch ((enum frame_state)f->state) {
    case IN_HEAD:
        return frame_head(f, data, len, m, e);
    case IN_LENGTH:
        frame_bytes(f, data, len, body);
        return f->body_left ? 0 : 2;
    case IN_REST:
        return frame_rest(f, data, len, eof, body, e);
    case IN_CHUNK:
        frame_bytes(f, data, len, body);
        if (f->body_left)
            return 0;
        f->state = IN_CHUNK_END;
        return 1;
    case IN_CHUNK_LINE:
    case IN_CHUNK_END:
    case IN_TRAILER:
        return frame_chunk_step(f, data, len, e);
    }
    return -1;
}

static enum http_progress advance(struct http_framer *f, const char *data,
                                  size_t len, bool eof, struct http_message *m,
                                  struct buf *body, size_t *used, struct err *e)
{
    struct http_framer last;
    int rc;

    do
        rc = frame_step(f, data, len, eof, m, body, e);
    while (rc == 1);
    if (rc < 0)
        return HTTP_BAD;
    if (rc == 0)
        return f->state == IN_HEAD ? HTTP_MORE : HTTP_HEAD;
    *used = f->seen;
    last = *f;
    http_framer_init(f, f->kind);
    f->status = last.status;
    f->until_eof = last.until_eof;
    f->no_body = last.no_body && last.status >= 100 && last.status < 200;
    return HTTP_WHOLE;
}

void http_framer_init(struct http_framer *f, enum http_kind kind)
{
    memset(f, 0, sizeof *f);
    f->kind = kind;
    f->state = IN_HEAD;
}

enum http_progress http_framer_look(struct http_framer *f, const char *data,
                                    size_t len, bool eof, size_t *used,
                                    struct err *e)
{
    struct http_message m = {.head_copy = NULL};
    enum http_progress got = advance(f, data, len, eof, &m, NULL, used, e);

    http_message_release(&m);
    return got;
}

enum http_progress http_read(enum http_kind kind, const char *data, size_t len,
                             bool no_body, bool eof, struct http_message *m,
                             size_t *used, struct err *e)
{
    struct http_framer f;
    struct buf body = BUF_INIT;
    enum http_progress got;

    memset(m, 0, sizeof *m);
    http_framer_init(&f, kind);
    f.no_body = no_body;
    *used = 0;
    got = advance(&f, data, len, eof, m, &body, used, e);
    m->body = body;
    if (f.until_eof)
        m->keep_alive = false;
    return got;
}
