/*
 * Reads a request <body/>: bytes to checked attributes and payloads.
 *
 * Knows no session and no time. Written apart from the client's body.c on
 * purpose: nothing here may be shared with the client under test.
 */
#ifndef MOCKSERVER_REQUEST_H
#define MOCKSERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "common/err.h"

#define REQUEST_RID_MAX UINT64_C(9007199254740991) /* 2^53 - 1, §14.1 */

/* Strings are borrowed from doc; NULL where the attribute is absent. */
struct request {
    xmlDocPtr doc;
    xmlNodePtr body;

    uint64_t rid; /* 0: absent */
    const char *sid;
    const char *to;
    const char *from;
    const char *lang;
    const char *content;
    const char *route;
    const char *stream; /* §16 */
    const char *key;
    const char *newkey;
    const char *xmpp_version;
    int ver_major; /* -1: no ver, a legacy client (§17.1) */
    int ver_minor;
    int wait_s;   /* -1: absent */
    int hold;     /* -1: absent */
    int pause_s;  /* -1: absent */
    uint64_t ack; /* 0: absent */
    bool terminate;
    bool restart; /* xmpp:restart is true, XEP-0206 §5 */
    size_t payload_count;
};

/*
 * Read one HTTP entity.
 *
 * r  filled in on 0, release with request_release(); untouched content needs
 *    no release on -1
 *
 * Returns 0, or -1 when this is no acceptable <body/>: not well-formed, DTD,
 * comment or processing instruction (§6), another root, text among the
 * payloads, too many payloads, an attribute whose value is none (§22). e then
 * says what; it may be NULL.
 *
 * Source: XEP-0124 §6, §7.1, §14.1, §22
 */
int request_read(struct request *r, const char *bytes, size_t len,
                 struct err *e);

/* A zeroed or released one is fine. */
void request_release(struct request *r);

/* Payloads in document order: the first, or NULL; then xml_next(). */
xmlNodePtr request_first_payload(const struct request *r);

/* Nothing but a poll: no payload, no restart, pause or terminate (§11). */
bool request_is_empty(const struct request *r);

/* Digits to a number of 1 to 2^53 - 1. Returns 0, or -1. */
int request_parse_rid(const char *text, uint64_t *out);

/* "major.minor" (§7.1). Returns 0, or -1. */
int request_parse_ver(const char *text, int *major, int *minor);

#endif
