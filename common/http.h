/*
 * HTTP/1.x messages: cutting them out of a stream of bytes, reading a head,
 * composing one. Framing only (RFC 9112 §2 to §7); what the messages mean is
 * other files' business. No I/O.
 */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

/* Named limits: a peer that goes beyond is cut off, never our memory. */
#define HTTP_MAX_HEAD (64 * 1024)
#define HTTP_MAX_BODY (16 * 1024 * 1024)
#define HTTP_MAX_HEADERS 128

struct http_header {
    const char *name; /* borrowed from the message's own copy */
    const char *value;
};

/* One message, read. Owns a copy of the head, into which the strings point;
 * body bytes are decoded (chunks joined), but not un-gzipped. */
struct http_message {
    char method[32]; /* requests; "" in a response */
    char *target;    /* requests: as it stands in the request line, else "" */
    int status;      /* responses; 0 in a request */
    char *reason;    /* responses, else "" */
    int minor;       /* HTTP/1.<minor> */
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t header_count;
    char *head_copy;
    struct buf body;
    bool chunked;
    bool keep_alive; /* what version and Connection say together */
};

enum http_kind { HTTP_REQUEST, HTTP_RESPONSE };

/*
 * Read one message from raw bytes, as far as they go.
 *
 * kind      which of the two is expected
 * no_body   for responses: to a HEAD request, or 1xx/204/304
 * eof       the stream ended after these bytes (a response without length
 *           and chunks ends there)
 * m         filled in from HTTP_HEAD on; free with http_message_release()
 * used      bytes that belong to this message
 *
 * Returns HTTP_MORE (not even a head), HTTP_HEAD (head whole, body not),
 * HTTP_WHOLE, or HTTP_BAD with e set (framing broken or a limit passed; m
 * holds what could be read, or is zeroed).
 */
enum http_progress { HTTP_MORE, HTTP_HEAD, HTTP_WHOLE, HTTP_BAD };
enum http_progress http_read(enum http_kind kind, const char *data, size_t len,
                             bool no_body, bool eof, struct http_message *m,
                             size_t *used, struct err *e);

/* The head alone: data/len end with its empty line. m is filled in as far as
 * it could be read, and must be released in any case. 0, or -1 with e set. */
int http_read_head(enum http_kind kind, const char *data, size_t len,
                   struct http_message *m, struct err *e);

void http_message_release(struct http_message *m);

/* Whether c may stand in a method or a header's name (RFC 9110 §5.6.2). */
bool http_is_token_char(unsigned char c);

/* A header's value (first of that name, case does not matter), or NULL. */
const char *http_header(const struct http_message *m, const char *name);

/* Whether any header of that name has this word in its comma-separated list
 * (case does not matter), as Connection and Expect have. */
bool http_header_has(const struct http_message *m, const char *name,
                     const char *word);

/* Incremental twin of http_read() for connections: finds where messages end
 * without reading their bytes twice. */
struct http_framer {
    enum http_kind kind;
    int state;
    size_t seen;       /* bytes of the current message looked at */
    size_t line_start; /* of the line that seen is in */
    size_t head_len;   /* once the head is whole */
    size_t body_left;  /* of the body, or of the chunk */
    size_t trailer_start;
    bool no_body;    /* set by the caller before a response to HEAD; cleared
                      * after the final response */
    bool until_eof;  /* the message ends with the stream */
    size_t body_len; /* decoded, so far */
    int status;      /* of the last head (0: a request); a 1xx is a message of
                      * its own */
};
void http_framer_init(struct http_framer *f, enum http_kind kind);
/* data/len: all bytes of the current message so far. Returns as http_read();
 * on HTTP_WHOLE *used is the message's length and the framer is ready for the
 * next one. */
enum http_progress http_framer_look(struct http_framer *f, const char *data,
                                    size_t len, bool eof, size_t *used,
                                    struct err *e);

/*
 * Compose messages, appended to out. Content-Length is added from body_len
 * (responses always but 1xx and 204; requests when method is POST or there is
 * a body), unless a header named Content-Length or Transfer-Encoding is among
 * headers. reason NULL: the usual words.
 */
void http_write_request(struct buf *out, const char *method, const char *target,
                        int minor, const struct http_header *headers,
                        size_t header_count, const char *body, size_t body_len);
void http_write_response(struct buf *out, int status, const char *reason,
                         const struct http_header *headers, size_t header_count,
                         const char *body, size_t body_len);

/* The usual words for a status: "OK"; "" when there are none. */
const char *http_reason(int status);

#endif
