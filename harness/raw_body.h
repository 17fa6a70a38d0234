/*
 * Requests as bytes for the raw client: a <body/> from attributes and
 * payload, the HTTP around it, and what such an entity says. Shares nothing
 * with libbosh; whatever a case asks for is written, right or wrong. Pure.
 */
#ifndef HARNESS_RAW_BODY_H
#define HARNESS_RAW_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/coding.h"
#include "common/http.h"

#ifndef BOSHSPEC_VERSION
#define BOSHSPEC_VERSION "0.1.0"
#endif

/* The attributes of a <body/>, in the order in which they will stand. */
struct raw_body {
    struct raw_attr {
        char *name;
        char *value;
    } * attrs;
    size_t count;
};

/* Empty but for xmlns. */
void raw_body_init(struct raw_body *b);
void raw_body_release(struct raw_body *b);

/* Set an attribute, in place of an earlier one of that name; copied. A NULL
 * value changes nothing. Values are escaped when they are written, names are
 * taken as they are. A prefix "xmpp:" needs no declaration.
 * Source: XEP-0124 §22, XEP-0206 §8 */
void raw_body_set(struct raw_body *b, const char *name, const char *value);
/* Take an attribute out, if it is there. */
void raw_body_drop(struct raw_body *b, const char *name);

/* Append <body ...>payload</body>; payload may be NULL or "". */
void raw_body_write(struct buf *out, const struct raw_body *b,
                    const char *payload, size_t payload_len);

/* An HTTP request; everything is borrowed for the call. */
struct raw_request {
    const char *method; /* NULL: POST */
    const char *target;
    const char *host;   /* of the Host header */
    int minor;          /* HTTP/1.<minor> */
    unsigned chunks;    /* so many, RFC 9112 §7.1; 0: a Content-Length */
    enum coding coding; /* what the entity is packed in */
    /* The case's own: each replaces ours of that name; an empty value leaves
     * ours out. */
    const struct http_header *headers;
    size_t header_count;
    const char *entity;
    size_t entity_len;
};

/* Append the request, with Host, User-Agent, Content-Type (when there is an
 * entity), Content-Encoding (when it is packed), and Content-Length or
 * Transfer-Encoding. Source: XEP-0124 §5, RFC 9112 §3 */
void raw_request_write(struct buf *out, const struct raw_request *r);

/* What an entity of ours says, as far as it is XML. */
struct raw_facts {
    bool is_body;
    char *sid;    /* NULL: none; freed by raw_facts_release() */
    uint64_t rid; /* 0: none, or no number that fits */
    bool terminate;
    bool empty; /* a poll: a sid, no payload, type, pause or restart */
};
void raw_facts_read(struct raw_facts *f, const char *entity, size_t len);
void raw_facts_release(struct raw_facts *f);

/* Decimal digits to a number; 0 when it is none, or too large. */
uint64_t raw_rid(const char *text);

#endif
