/*
 * The <body/> element, client side: what we write and what we read.
 *
 * XEP-0124 §6 to §8, XEP-0206 §2 to §5. Knows nothing of sessions, rids in
 * flight or time. Pure.
 */
#ifndef CLIENT_BODY_H
#define CLIENT_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/xml.h"

/* What a creation request asks for; strings are borrowed. XEP-0124 §7.1. */
struct body_creation {
    uint64_t rid;
    const char *to;
    int wait_s;
    int hold;
    const char *lang;
    const char *route;   /* NULL: none */
    const char *content; /* NULL: none */
    const char *newkey;  /* XEP-0124 §15; NULL: no keys */
    bool ack;            /* we shall acknowledge answers, §9.2 */
};

/* Append the creation request: no sid, no payload. */
void body_write_creation(struct buf *out, const struct body_creation *c);

/* Any later request; strings are borrowed. */
struct body_request {
    uint64_t rid;
    const char *sid;
    uint64_t ack;        /* XEP-0124 §9.2; 0: left out */
    const char *key;     /* XEP-0124 §15; NULL: none */
    const char *newkey;  /* of the sequence after; NULL: none */
    bool terminate;      /* XEP-0124 §13 */
    int pause_s;         /* XEP-0124 §10; 0: none */
    const char *stream;  /* XEP-0124 §16; NULL: not named */
    const char *open_to; /* §16.3: another stream is asked for; NULL: none */
    const char *route;   /* of that; NULL: none */
    const char *restart_to; /* XEP-0206 §5; NULL: no restart */
    const char *from;       /* of a restart after EXTERNAL; NULL: none */
    const char *lang;       /* of a restart, or of another stream */
    const char *payload;    /* elements, namespaces declared; may be NULL */
    size_t payload_len;
};

/* Append it. */
void body_write(struct buf *out, const struct body_request *r);

/* An answer. Strings are borrowed from doc; a number that is missing, is not
 * a number or does not fit is -1. */
struct body {
    xmlDocPtr doc;
    xmlNodePtr root;
    const char *type; /* "terminate", "error", or NULL */
    const char *condition;
    const char *sid;
    const char *stream;
    int wait_s;
    int hold;
    int requests;
    int inactivity_s;
    int polling_s;
    int maxpause_s;
    uint64_t report; /* the rid that the manager misses our word for, §9.2;
                      * 0: none */
    int64_t time_ms; /* how long ago it answered that; 0 if not given */
    bool takes_gzip; /* `accept` has it, §7.2 */
};

/*
 * Read an answer.
 *
 * Returns it, yours, free with body_free(); NULL when this is no BOSH body:
 * not well-formed, too long or too deep, another root element; or it has what
 * §6 forbids: a DOCTYPE, comment, processing instruction, or text between the
 * payloads. Nothing is expanded but XML's own five entities.
 */
struct body *body_read(const char *data, size_t len, struct err *e);

void body_free(struct body *b);

bool body_terminates(const struct body *b);
bool body_is_error(const struct body *b); /* recoverable, §17.3 */

/* Has it a payload? */
bool body_has_payload(const struct body *b);

/* Append a payload as text of its own. A stanza in BOSH's namespace, as old
 * managers send it, becomes one of jabber:client (XEP-0206 §2, note). */
void body_write_payload(struct buf *out, xmlNodePtr payload);

/*
 * Append an application's stanzas in the form in which they go out: each with
 * its namespaces declared, nothing between them.
 *
 * Returns 0, or -1 with e set and out unchanged.
 */
int body_write_stanzas(struct buf *out, const char *xml, size_t len,
                       struct err *e);

#endif
