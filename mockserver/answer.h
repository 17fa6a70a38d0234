/*
 * Answers: how a response <body/> is written, and the box in which HTTP
 * answers wait to be taken. Knows no session.
 */
#ifndef MOCKSERVER_ANSWER_H
#define MOCKSERVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#include "mock.h"

#define ANSWER_SID_LEN 32
#define ANSWER_HEADERS_MAX 8

/* Bytes with several holders: the outbox and the replay buffer. */
struct answer_bytes {
    int refs;
    size_t len;
    char data[];
};

/* One reference, yours; drop it with answer_bytes_drop(), which takes NULL. */
struct answer_bytes *answer_bytes_new(const char *data, size_t len);
struct answer_bytes *answer_bytes_keep(struct answer_bytes *b);
void answer_bytes_drop(struct answer_bytes *b);

/* What stands in a response <body/>; zeroed: the empty body. */
struct answer_parts {
    const char *type;      /* terminate, error; NULL: none */
    const char *condition; /* §17.2; NULL: none */
    uint64_t ack;          /* §9.1; 0: none */
    uint64_t report;       /* §9.2; 0: none */
    int64_t report_age_ms; /* with report: the time attribute */
    const char *stream;    /* §16.4; NULL: none is named */
    const char *extra;     /* attributes as written, each with a space before
                              it; NULL: none */
    const char *payload;   /* whole elements, not escaped; a string */
    size_t payload_len;
    const char *payload2; /* after it; NULL: nothing */
    size_t payload2_len;
};

/* Append the element. The prefix stream is declared on it when a payload uses
 * it (XEP-0206 §2). */
void answer_write(struct buf *out, const struct answer_parts *parts);

/* Append name='value', with a space before it and the value escaped. */
void answer_add_attr(struct buf *out, const char *name, const char *value);

/* One HTTP answer that waits to be taken. */
struct answer {
    uint64_t token;
    int status;
    const char *reason; /* of static life */
    char content_type[MOCK_MAX_CONTENT + 1];
    struct answer_bytes *body;
    char sid[ANSWER_SID_LEN + 1];
    uint64_t rid;
    bool replay;
    bool cors;
    char *allow_headers; /* a preflight's; ours, freed with it */
    bool allow;          /* send Allow: of a 405 */
    const char *codings; /* send Accept-Encoding: of a 415; of static life;
                            NULL: do not */
};

struct answer_box {
    struct answer *items;
    size_t first;
    size_t count;
    size_t cap;
    struct answer taken; /* lent to the caller */
    struct mock_header headers[ANSWER_HEADERS_MAX];
};

void answer_box_release(struct answer_box *box);

/* A zeroed place at the end, to be filled in; valid until the next add. */
struct answer *answer_box_add(struct answer_box *box);

/* As mock_next_answer(). */
int answer_box_take(struct answer_box *box, struct mock_answer *out);

#endif
