/*
 * An answer to the raw client, as the journal shows it: whatever a server may
 * send, it is a fact, never an exception. Pure.
 */
#ifndef HARNESS_RAW_ANSWER_H
#define HARNESS_RAW_ANSWER_H

#include <stdbool.h>

#include <libxml/tree.h>

#include "journal.h"

/* Strings and nodes are borrowed from the journal. */
struct raw_answer {
    bool whole;               /* an HTTP response came, all of it */
    int status;               /* 0: none */
    const char *content_type; /* NULL: none */
    const char *problem;      /* what the wire says went wrong, or NULL */
    xmlNodePtr body;          /* its <body/>, or NULL */
    const char *type;         /* of the <body/>, or NULL */
    const char *condition;
};

struct raw_answer raw_answer_read(struct journal *j, unsigned x);

/* An ordinary answer: 200 with a <body/> that ends nothing and reports no
 * error. */
bool raw_answer_good(const struct raw_answer *a);

/* Does it end the session, for a client that got its creation answered with
 * 'ver' or (legacy) without? Source: XEP-0124 §17.1, §17.2 */
bool raw_answer_ends(const struct raw_answer *a, bool legacy);

/* What came in place of a good answer, in a few words, yours, free with
 * free(): "policy-violation", "HTTP 502 (text/html)", "no answer". */
char *raw_answer_words(const struct raw_answer *a);

/* A limit of the server's, by a condition's name: binding, SASL, stream or
 * stanza error. Source: XEP-0124 §17.2, RFC 6120 §4.9.3, §6.5, §8.3.3 */
bool raw_is_limit(const char *condition);

/* The defined condition inside an error or a failure element: its first child
 * that is not a text; or NULL. */
const char *raw_condition(const xmlNode *error);

#endif
