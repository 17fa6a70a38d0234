/* HTTP/1.x messages, reading a head and composing: see http.h. The framing
 * is in http_frame.c. */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool http_is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *s)
{
    while (is_blank(*s))
        s++;
    return s;
}

static void trim_end(char *s)
{
    size_t len = strlen(s);

    while (len > 0 && is_blank(s[len - 1]))
        s[--len] = '\0';
}

/* ---- the head ---- */

static int read_version(struct http_message *m, const char *s, struct err *e)
{
    if (strncmp(s, "HTTP/1.", 7) != 0 || s[7] < '0' || s[7] > '9' || s[8])
        return err_set(e, "no HTTP/1.x version in the first line: '%.40s'", s);
    m->minor = s[7] - '0';
    return 0;
}

static int read_request_line(struct http_message *m, char *s, struct err *e)
{
    char *target;
    char *version;
    size_t len = 0;

    while (http_is_token_char((unsigned char)s[len]))
        len++;
    if (len == 0 || len >= sizeof m->method || !is_blank(s[len]))
        return err_set(e, "no request line: '%.40s'", s);
    memcpy(m->method, s, len);
    target = skip_blanks(s + len);
    len = strcspn(target, " \t");
    if (len == 0 || !target[len])
        return err_set(e, "no request line: '%.40s'", s);
    version = skip_blanks(target + len);
    target[len] = '\0';
    m->target = target;
    trim_end(version);
    return read_version(m, version, e);
}

static int read_status_line(struct http_message *m, char *s, struct err *e)
{
    char *code = s + strcspn(s, " \t");

    if (!*code)
        return err_set(e, "no status line: '%.40s'", s);
    *code = '\0';
    code = skip_blanks(code + 1);
    if (strspn(code, "0123456789") != 3 || (code[3] && !is_blank(code[3])))
        return err_set(e,
                       "no status line: a status is three digits, "
                       "not '%.20s'",
                       code);
    m->status = atoi(code);
    if (m->status < 100)
        return err_set(e, "no status line: status '%.3s'", code);
    m->reason = code[3] ? skip_blanks(code + 3) : code + 3;
    trim_end(m->reason);
    return read_version(m, s, e);
}

static int read_field(enum http_kind kind, struct http_message *m, char *s,
                      struct err *e)
{
    char *colon = s;

    while (http_is_token_char((unsigned char)*colon))
        colon++;
    if (colon == s)
        return err_set(e, "no header line: '%.40s'", s);
    /* RFC 9112 §5.1: fatal in a request, to be taken out of a response. */
    if (is_blank(*colon) && kind == HTTP_RESPONSE) {
        char *blanks = colon;

        colon = skip_blanks(colon);
        if (*colon == ':')
            *blanks = '\0';
    }
    if (*colon != ':')
        return err_set(e, "no header line: '%.40s'", s);
    if (m->header_count == HTTP_MAX_HEADERS)
        return err_set(e, "more than %d headers", HTTP_MAX_HEADERS);
    *colon = '\0';
    colon = skip_blanks(colon + 1);
    trim_end(colon);
    m->headers[m->header_count].name = s;
    m->headers[m->header_count++].value = colon;
    return 0;
}

/* Cut the next line off; a folded one is joined with spaces (§5.2). */
static char *next_line(char **at)
{
    char *line = *at;
    char *nl = strchr(line, '\n');

    while (nl && is_blank(nl[1]) && nl != line && nl[-1] != '\n' &&
           !(nl[-1] == '\r' && nl - 1 == line)) {
        if (nl[-1] == '\r')
            nl[-1] = ' ';
        *nl = ' ';
        nl = strchr(nl, '\n');
    }
    if (!nl)
        return NULL;
    *at = nl + 1;
    *nl = '\0';
    if (nl > line && nl[-1] == '\r')
        nl[-1] = '\0';
    return line;
}

static int read_lines(enum http_kind kind, struct http_message *m,
                      struct err *e)
{
    char *at = m->head_copy;
    char *line;
    bool first = true;

    while ((line = next_line(&at)) != NULL) {
        int rc = 0;

        if (!*line)
            continue; /* before the first line, or the end: §2.2 */
        if (strchr(line, '\r'))
            return err_set(e, "a bare CR in the head");
        if (first && kind == HTTP_REQUEST)
            rc = read_request_line(m, line, e);
        else if (first)
            rc = read_status_line(m, line, e);
        else
            rc = read_field(kind, m, line, e);
        if (rc < 0)
            return rc;
        first = false;
    }
    return 0;
}

int http_read_head(enum http_kind kind, const char *data, size_t len,
                   struct http_message *m, struct err *e)
{
    memset(m, 0, sizeof *m);
    m->head_copy = mem_dupn(data, len);
    m->target = m->head_copy + len;
    m->reason = m->head_copy + len;
    if (read_lines(kind, m, e) < 0)
        return -1;
    m->keep_alive = m->minor >= 1
                        ? !http_header_has(m, "Connection", "close")
                        : http_header_has(m, "Connection", "keep-alive");
    return 0;
}

const char *http_header(const struct http_message *m, const char *name)
{
    for (size_t i = 0; i < m->header_count; i++)
        if (strcasecmp(m->headers[i].name, name) == 0)
            return m->headers[i].value;
    return NULL;
}

static bool list_has(const char *list, const char *word)
{
    while (*list) {
        size_t len;

        list += strspn(list, " \t,");
        len = strcspn(list, " \t,;");
        if (len == strlen(word) && strncasecmp(list, word, len) == 0)
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

bool http_header_has(const struct http_message *m, const char *name,
                     const char *word)
{
    for (size_t i = 0; i < m->header_count; i++)
        if (strcasecmp(m->headers[i].name, name) == 0 &&
            list_has(m->headers[i].value, word))
            return true;
    return false;
}

void http_message_release(struct http_message *m)
{
    free(m->head_copy);
    buf_release(&m->body);
    memset(m, 0, sizeof *m);
}

/* ---- composing ---- */

static void write_headers(struct buf *out, const struct http_header *headers,
                          size_t count, bool want_length, const char *body,
                          size_t body_len)
{
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s: %s\r\n", headers[i].name, headers[i].value);
        if (strcasecmp(headers[i].name, "Content-Length") == 0 ||
            strcasecmp(headers[i].name, "Transfer-Encoding") == 0)
            want_length = false;
    }
    if (want_length)
        buf_printf(out, "Content-Length: %zu\r\n", body_len);
    buf_adds(out, "\r\n");
    if (body_len)
        buf_add(out, body, body_len);
}

void http_write_request(struct buf *out, const char *method, const char *target,
                        int minor, const struct http_header *headers,
                        size_t header_count, const char *body, size_t body_len)
{
    buf_printf(out, "%s %s HTTP/1.%d\r\n", method, target, minor);
    write_headers(out, headers, header_count,
                  body_len > 0 || strcmp(method, "POST") == 0, body, body_len);
}

void http_write_response(struct buf *out, int status, const char *reason,
                         const struct http_header *headers, size_t header_count,
                         const char *body, size_t body_len)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status,
               reason ? reason : http_reason(status));
    write_headers(out, headers, header_count,
                  status >= 200 && (status != 204 || body_len > 0), body,
                  body_len);
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *words;
    } usual[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (usual[i].status == status)
            return usual[i].words;
    return "";
}
