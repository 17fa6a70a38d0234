/*
 * What the readers of our own XML files share; nobody else includes it.
 *
 * case_xml.c    a case: its head, its asserts
 * case_steps.c  its steps, and what is done to exchanges
 * reader.c      attributes, expressions, durations, payloads
 * knowledge.c   schemas, catalogue, invariants
 *
 * Every file is held to its schema first, so that its shape needs no checking
 * here. What can still be wrong (an XPath, hex digits) goes into the reader's
 * err, of which the first counts; reading carries on, and whoever began it
 * looks at the end. Pure but for the file that is read.
 */
#ifndef HARNESS_READER_H
#define HARNESS_READER_H

#include "case_xml.h"
#include "common/xml.h"

struct reader {
    const char *path; /* for messages */
    struct err err;
};

/* ---- reader.c ---- */

/* An attribute's value, yours; NULL when it is not there. */
char *reader_attr(const xmlNode *node, const char *name);
/* The text inside without the space around it, yours. */
char *reader_words(const xmlNode *node);
/* Is the attribute there, with this value? */
bool reader_is(const xmlNode *node, const char *name, const char *value);
/* A number that its schema has checked; otherwise when it is not there. */
int64_t reader_number(const xmlNode *node, const char *name, int64_t otherwise);
/* The place of the attribute's value in words, which ends with NULL;
 * otherwise when it is not there. */
int reader_word(const xmlNode *node, const char *name, const char *const *words,
                int otherwise);

/* Yours; NULL when the attribute is not there or cannot be compiled. */
struct expr *reader_expr_attr(struct reader *r, const xmlNode *node,
                              const char *name);
/* The element's text as an expression. */
struct expr *reader_expr(struct reader *r, const xmlNode *node);
struct avt *reader_avt_attr(struct reader *r, const xmlNode *node,
                            const char *name);
/* "300ms", "5s" or "{expression}"; ms is -1 when it is not there. */
struct duration reader_duration(struct reader *r, const xmlNode *node,
                                const char *name);

/* All children that are not of our own vocabulary, as text to send. */
void reader_payload(struct reader *r, const xmlNode *parent,
                    struct payload *out);
/* The same, and httpbind's <uri/> besides, which goes with see-other-uri. */
void reader_payload_and_uri(struct reader *r, const xmlNode *parent,
                            struct payload *out);
/* Its one child <body/>, if there is one. */
void reader_body(struct reader *r, const xmlNode *parent, struct payload *out);
/* Its one child <raw/>, if there is one. */
void reader_raw(struct reader *r, const xmlNode *parent, struct raw *out);
/* All of them, in order; of these expressions="yes" makes text with
 * {expressions}. Yours: the list, and what is in it. */
void reader_raws(struct reader *r, const xmlNode *parent, struct raw **out,
                 size_t *count);

/* Add one element to a list that grows: the new one, zeroed. */
#define READER_ADD(list, count)                                                \
    ((list) = mem_grow((list), ((count) + 1) * sizeof *(list)),                \
     memset(&(list)[(count)], 0, sizeof *(list)), &(list)[(count)++])

/* ---- case_steps.c ---- */

/* The steps inside parent. */
void case_steps_read(struct reader *r, const xmlNode *parent,
                     struct step **steps, size_t *count);
/* How long they can take at most, in ms; usual: mostly do take. */
int64_t case_steps_ms(const struct step *steps, size_t count, bool usual);
/* "" or why they can be played on sockets only; a literal. */
const char *case_steps_sockets_only(const struct step *steps, size_t count);

/* ---- case_xml.c ---- */

/* What an <assert> and an <invariant> have in common. */
void case_assertion_read(struct reader *r, const xmlNode *node,
                         struct assertion *out);

#endif
