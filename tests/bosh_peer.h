/*
 * A session under test, with the answers written by hand and the clock moved
 * by hand. Shared by the suites of libbosh; it knows no manager.
 */
#ifndef TESTS_BOSH_PEER_H
#define TESTS_BOSH_PEER_H

#include <stdlib.h>

#include "check.h"
#include "client-under-test/bosh.h"
#include "common/buf.h"

#define NS_BODY "xmlns='http://jabber.org/protocol/httpbind'"
#define NS_STREAM "xmlns:stream='http://etherx.jabber.org/streams'"
#define NS_CLIENT "xmlns='jabber:client'"

#define EMPTY "<body " NS_BODY "/>"
#define END "<body " NS_BODY " type='terminate'/>"
#define RECOVERABLE "<body " NS_BODY " type='error'/>"

/* What the random callback below makes of it. */
#define FIRST_RID UINT64_C(0x1111111111112)

#define MECHANISMS(list)                                                       \
    "<stream:features><mechanisms "                                            \
    "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" list                           \
    "</mechanisms></stream:features>"
#define MECHANISM(name) "<mechanism>" name "</mechanism>"

#define CREATED(attrs, payload)                                                \
    "<body " NS_BODY " " NS_STREAM " sid='s1' ver='1.11' " attrs ">" payload   \
    "</body>"
#define USUAL "wait='60' hold='1' requests='2' inactivity='60' maxpause='120'"

#define SUCCESS                                                                \
    "<body " NS_BODY "><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"    \
    "</body>"
#define BIND_FEATURES                                                          \
    "<body " NS_BODY " " NS_STREAM "><stream:features>"                        \
    "<bind "                                                                   \
    "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features></body>"
#define BOUND                                                                  \
    "<body " NS_BODY "><iq " NS_CLIENT " type='result' id='bind'>"             \
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"                          \
    "<jid>ann@example.org/r1</jid></bind></iq></body>"

#define MESSAGE(id) "<message id='" id "'><body>x</body></message>"
#define WITH(id) "<body " NS_BODY "><message " NS_CLIENT " id='" id "'/></body>"
#define LOGGED_IN(attrs) CREATED(attrs, MECHANISMS(MECHANISM("ANONYMOUS")))

static inline void peer_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0x11, len);
}

struct peer {
    struct bosh *s;
    int64_t now;
    uint64_t id; /* of the latest request */
    uint64_t rid;
    int attempt;
    const char *coding;
    struct buf body; /* its bytes */
    struct buf seen; /* statuses and ids of stanzas, by spaces */
};

static inline void peer_init(struct peer *p, const struct bosh_options *o)
{
    struct bosh_options options;

    memset(p, 0, sizeof *p);
    bosh_options_init(&options);
    if (o)
        options = *o;
    options.random.fill = peer_random;
    p->s = bosh_new(&options);
    p->now = 1000000;
}

static inline void peer_release(struct peer *p)
{
    bosh_free(p->s);
    buf_release(&p->body);
    buf_release(&p->seen);
}

/* Is a request due by now? It becomes the latest one. */
static inline bool peer_next(struct peer *p)
{
    struct bosh_request req;

    if (!bosh_next_request(p->s, p->now, &req))
        return false;
    p->id = req.id;
    p->rid = req.rid;
    p->attempt = req.attempt;
    p->coding = req.coding;
    buf_clear(&p->body);
    buf_add(&p->body, req.body, req.len);
    return true;
}

static inline bool peer_sent(const struct peer *p, const char *text)
{
    return strstr(buf_str(&p->body), text) != NULL;
}

static inline void peer_answer_to(struct peer *p, uint64_t id, const char *text)
{
    bosh_answer(p->s, p->now, id, 200, "text/xml; charset=utf-8", text,
                strlen(text));
}

static inline void peer_answer(struct peer *p, const char *text)
{
    peer_answer_to(p, p->id, text);
}

/* The latest request gets an HTTP status and a proxy's page. */
static inline void peer_status(struct peer *p, int status)
{
    bosh_answer(p->s, p->now, p->id, status, "text/html", "<html/>", 7);
}

/* Statuses, conditions after a colon, and the ids of stanzas since the last
 * call, by spaces; #1 behind those of another stream. Borrowed until the next
 * call. */
static inline const char *peer_seen(struct peer *p)
{
    struct bosh_event ev;

    buf_clear(&p->seen);
    while (bosh_next_event(p->s, &ev)) {
        if (p->seen.len)
            buf_addc(&p->seen, ' ');
        if (ev.kind == BOSH_EVENT_STATUS) {
            buf_adds(&p->seen, bosh_status_name(ev.status));
            if (ev.condition)
                buf_printf(&p->seen, ":%s", ev.condition);
        } else if (ev.kind == BOSH_EVENT_DRAINED) {
            buf_adds(&p->seen, "drained");
        } else {
            const char *id = strstr(ev.xml, "id=\"");

            buf_printf(&p->seen, "<%.*s>", id ? (int)strcspn(id + 4, "\"") : 0,
                       id ? id + 4 : "");
        }
        if (ev.stream)
            buf_printf(&p->seen, "#%d", ev.stream);
    }
    return buf_str(&p->seen);
}

static inline int peer_aborts(struct peer *p)
{
    int count = 0;
    uint64_t id;

    while (bosh_next_abort(p->s, &id))
        count++;
    return count;
}

/* Answer each of these in turn; NULL ends the list. */
static inline void peer_exchange(struct peer *p, const char *const *answers)
{
    for (; *answers; answers++) {
        CHECK(peer_next(p));
        peer_answer(p, *answers);
    }
}

/* Log in with ANONYMOUS; attrs of the creation response. No poll yet. */
static inline void peer_log_in_with(struct peer *p, const char *created)
{
    const char *const answers[] = {created, SUCCESS, BIND_FEATURES, BOUND,
                                   NULL};

    CHECK_INT(bosh_connect(p->s, p->now, "example.org", NULL), 0);
    peer_exchange(p, answers);
    CHECK_STR(peer_seen(p), "connecting authenticating connected");
}

static inline void peer_log_in(struct peer *p)
{
    peer_log_in_with(p, CREATED(USUAL, MECHANISMS(MECHANISM("ANONYMOUS"))));
}

static inline int peer_send(struct peer *p, const char *xml)
{
    return bosh_send(p->s, xml, strlen(xml));
}

/* A suite as a list. */
struct peer_test {
    const char *name;
    CU_TestFunc run;
};

static inline int peer_suite(const char *name, const struct peer_test *tests,
                             size_t count)
{
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);

    for (size_t i = 0; suite && i < count; i++) {
        if (!CU_add_test(suite, tests[i].name, tests[i].run))
            return -1;
    }
    return suite ? 0 : -1;
}

#define PEER_COUNT(list) (sizeof(list) / sizeof(list)[0])

#endif
