/*
 * A play in the server role for tests: its steps are made by hand, and what
 * goes over its stage is kept. The server is the test, or the mock.
 */
#ifndef TESTS_PLAYRIG_H
#define TESTS_PLAYRIG_H

#include "harness/play_parts.h"

#define NS "xmlns='http://jabber.org/protocol/httpbind'"
#define CREATED(more)                                                          \
    "<body " NS " sid='S' ver='1.11' wait='10' hold='1' requests='2' " more
#define FEATURES_SASL(mechanisms)                                              \
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"        \
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" mechanisms         \
    "</mechanisms></stream:features>"
#define PLAIN "<mechanism>PLAIN</mechanism>"
#define FEATURES_BIND(more)                                                    \
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"        \
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" more                    \
    "</stream:features>"
#define SUCCESS "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
#define BODY(payload) "<body " NS ">" payload "</body>"
#define EMPTY "<body " NS "/>"

#define MAX_SENT 600

#define BOUND                                                                  \
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"                          \
    "<jid>alice@localhost/x</jid></bind>"

/* A play, its stage, and what went over it. */
struct playrig {
    struct testcase tc;
    struct step steps[8];
    struct play_setting setting;
    struct play *play;
    int64_t now_ms;
    uint64_t chance;
    struct mock *mock; /* answers, or NULL: the test does */
    struct sent {
        char *bytes; /* the HTTP request */
        size_t len;
        char *entity;
        char conn[16];
        size_t pieces;
        bool answered;
        bool held;
    } sent[MAX_SENT]; /* by exchange number */
    unsigned count;
    unsigned aborted;
    enum delivery_end aborted_how;
    struct buf log;
};

void playrig_chance_bytes(void *ctx, void *out, size_t len);
void playrig_init(struct playrig *r);
struct step *playrig_step(struct playrig *r, enum step_kind kind);
struct avt *playrig_avt(const char *text);
void playrig_attr(struct step *st, const char *name, const char *value);
void playrig_header(struct step *st, const char *name, const char *value);
struct step *playrig_login(struct playrig *r, const char *as);
struct step *playrig_request(struct playrig *r, const char *as,
                             const char *session, const char *payload);
struct step *playrig_await(struct playrig *r, const char *expr, int64_t ms);
void playrig_start(struct playrig *r);
void playrig_release(struct playrig *r);
void playrig_answer_http(struct playrig *r, int status, const char *type,
                         const char *entity);
void playrig_answer(struct playrig *r, const char *entity);
void playrig_close(struct playrig *r);
void playrig_pass(struct playrig *r, int64_t ms);
const char *playrig_last(const struct playrig *r);
bool playrig_last_has(const struct playrig *r, const char *text);
char *playrig_attr_of(const struct playrig *r, unsigned x, const char *name);
uint64_t playrig_rid_of(const struct playrig *r, unsigned x);
void playrig_hand_login_to_bind(struct playrig *r, const char *features);
void playrig_answer_iq(struct playrig *r, const char *type, const char *inside);
void playrig_hand_login(struct playrig *r);
void playrig_drain(struct playrig *r, const char *expr, int64_t ms);

#endif
