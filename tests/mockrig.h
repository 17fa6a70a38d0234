/*
 * A mock under a clock moved by hand: requests written out, answers collected.
 */
#ifndef TESTS_MOCKRIG_H
#define TESTS_MOCKRIG_H

#include <stdbool.h>
#include <stdint.h>

#include "mockserver/mock.h"

#define RIG_MAX_ANSWERS 512
#define RIG_NS "xmlns='http://jabber.org/protocol/httpbind'"
#define RIG_XBOSH "xmlns:xmpp='urn:xmpp:xbosh'"

struct rig_answer {
    uint64_t token;
    int64_t at_ms;
    int status;
    bool replay;
    char *content_type;
    char *headers; /* "Name: value\n" each */
    char *body;
};

struct rig {
    struct mock *mock;
    int64_t now_ms;
    uint64_t chance;
    bool tls;
    uint64_t last_token;
    struct rig_answer answers[RIG_MAX_ANSWERS];
    int answer_count;
    char sid[64];
    uint64_t rid; /* of the last request that rig_send() wrote */
};

/* The options' random callback is set. */
void rig_init(struct rig *r, struct mock_options options);
void rig_release(struct rig *r);

/* An HTTP request; returns its token. Answers are collected at once. */
uint64_t rig_http(struct rig *r, const char *method, const char *path,
                  const char *header, const char *value, const char *body);
/* A POST of these bytes, which the header says are in that coding. */
uint64_t rig_coded(struct rig *r, const char *coding, const char *bytes,
                   size_t len);
/* A POST of this body. */
uint64_t rig_post(struct rig *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A session is created with these attributes besides rid, to, ver; r->sid and
 * r->rid are set. Returns the creation's body. */
const char *rig_create(struct rig *r, const char *attributes);
/* The next request of the session: attributes, payload. */
uint64_t rig_send(struct rig *r, const char *attributes, const char *payload);
/* The same with a rid of one's own. */
uint64_t rig_send_rid(struct rig *r, uint64_t rid, const char *attributes,
                      const char *payload);

/* Create with PLAIN as this user, restart, bind; resource may be NULL. */
void rig_login(struct rig *r, const char *user, const char *attributes,
               const char *resource);

/* Time passes, deadline by deadline. */
void rig_pass(struct rig *r, int64_t ms);

/* NULL while it is unanswered. The last one when there were several. */
const struct rig_answer *rig_answer(const struct rig *r, uint64_t token);
/* "" while unanswered. */
const char *rig_body(const struct rig *r, uint64_t token);
bool rig_has(const struct rig *r, uint64_t token, const char *text);
/* How often text occurs in all answers. */
int rig_count(const struct rig *r, const char *text);

#endif
