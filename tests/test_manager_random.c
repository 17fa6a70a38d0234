/* The manager under clients that do anything at all: whatever comes, every
 * request is answered once and no more, in rid order, and nothing crashes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "mockserver/mock.h"
#include "tests/check.h"

int suite_manager_random(void);

#define NS "xmlns='http://jabber.org/protocol/httpbind'"
#define SESSIONS 4
#define STEPS 2000
#define SEEDS 8

struct play {
    struct mock *mock;
    int64_t now_ms;
    uint32_t chance;
    uint64_t token;
    char sid[SESSIONS][33];
    char stream[SESSIONS][33];      /* the last one that it was told of */
    uint64_t rid[SESSIONS];         /* a guess at the next one */
    uint64_t answered[SESSIONS];    /* highest, in this session */
    unsigned char state[STEPS + 2]; /* by token: 0 open, 1 answered, 2 gone */
};

static uint32_t roll(struct play *p, uint32_t sides)
{
    p->chance = p->chance * 1664525u + 1013904223u;
    return (p->chance >> 8) % sides;
}

static void chance_bytes(void *arg, void *out, size_t len)
{
    struct play *p = arg;

    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = (unsigned char)roll(p, 256);
}

static int session_of(const struct play *p, const char *sid)
{
    for (int i = 0; i < SESSIONS; i++) {
        if (*sid && strcmp(p->sid[i], sid) == 0)
            return i;
    }
    return -1;
}

/* Refusals and the error for an older copy are out of order by their nature. */
static void check_order(struct play *p, const struct mock_answer *a)
{
    int i = session_of(p, a->sid);

    if (i < 0 || a->replay || strstr(a->body, " type='") || a->status != 200)
        return;
    CHECK(a->rid > p->answered[i]);
    p->answered[i] = a->rid;
}

static void note_stream(struct play *p, const struct mock_answer *a)
{
    const char *at = strstr(a->body, " stream='");
    int i = session_of(p, a->sid);

    if (i >= 0 && at)
        snprintf(p->stream[i], sizeof p->stream[i], "%.32s",
                 at + strlen(" stream='"));
}

static void collect(struct play *p)
{
    struct mock_answer a;

    while (mock_next_answer(p->mock, p->now_ms, &a)) {
        CHECK(a.token <= p->token && p->state[a.token] == 0);
        p->state[a.token] = 1;
        check_order(p, &a);
        note_stream(p, &a);
    }
}

static void post(struct play *p, const char *body)
{
    struct mock_request req = {.method = "POST",
                               .path = "/http-bind",
                               .body = body,
                               .body_len = strlen(body)};

    mock_request(p->mock, p->now_ms, &req, ++p->token);
}

static void create(struct play *p, int i)
{
    struct mock_answer a;
    char body[256];

    p->rid[i] = 100 + roll(p, 100);
    snprintf(body, sizeof body,
             "<body rid='%" PRIu64 "' to='localhost' wait='%u' hold='%u' %s %s "
             "%s " NS "/>",
             p->rid[i]++, roll(p, 30), roll(p, 4), roll(p, 2) ? "ack='1'" : "",
             roll(p, 4) ? "" : "newkey='x'", roll(p, 4) ? "ver='1.6'" : "");
    post(p, body);
    CHECK_INT(mock_next_answer(p->mock, p->now_ms, &a), 1);
    p->state[a.token] = 1;
    snprintf(p->sid[i], sizeof p->sid[i], "%s", a.sid);
    p->answered[i] = a.rid;
    collect(p);
}

static const char *pick_payload(struct play *p)
{
    static const char *const some[] = {
        "",
        "",
        "",
        "",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
        "mechanism='ANONYMOUS'/>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
        "mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>",
        "<iq xmlns='jabber:client' type='set' id='b'><bind "
        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource>"
        "</bind></iq>",
        "<message xmlns='jabber:client' to='alice@localhost'/>",
        "<message xmlns='jabber:client' to='echo@localhost'/>",
        "<message to='alice@localhost/r'/>",
        "<iq xmlns='jabber:client' type='get'/>",
        "<x xmlns='u'/>",
        "text",
        "<!-- c -->",
    };

    return some[roll(p, sizeof some / sizeof some[0])];
}

static const char *pick_attributes(struct play *p)
{
    static const char *const some[] = {
        "type='terminate'", "pause='10'",
        "pause='999'",      "ack='101'",
        "key='x'",          "b:restart='true' xmlns:b='urn:xmpp:xbosh'",
        "to='localhost'",   "stream='unheard-of'"};
    uint32_t n = roll(p, 24);

    return n < sizeof some / sizeof some[0] ? some[n] : "";
}

static void send_something(struct play *p, int i)
{
    uint64_t rid = p->rid[i];
    char body[1024];
    uint32_t how = roll(p, 10);
    bool stream = roll(p, 2);

    if (how < 6)
        p->rid[i]++;
    else if (how < 9)
        rid += (uint64_t)roll(p, 6) - 3;
    else
        rid = roll(p, 1000);
    snprintf(body, sizeof body,
             "<body rid='%" PRIu64 "' sid='%s' %s%s%s %s " NS ">%s</body>", rid,
             p->sid[i], stream ? "stream='" : "", stream ? p->stream[i] : "",
             stream ? "'" : "", pick_attributes(p), pick_payload(p));
    post(p, body);
}

static void interfere(struct play *p, int i)
{
    static const char push[] = "<message xmlns='jabber:client'/>";
    uint64_t token = p->token - roll(p, 8);

    switch (roll(p, 8)) {
    case 6:
        mock_push_stream(p->mock, p->now_ms, p->sid[i], roll(p, 3), push,
                         strlen(push));
        break;
    case 7:
        if (!roll(p, 4))
            mock_override_stream(p->mock, p->sid[i], NULL, roll(p, 3),
                                 "internal-server-error", NULL, 0);
        else if (!roll(p, 4))
            mock_end_stream(p->mock, p->now_ms, p->sid[i], roll(p, 3), NULL,
                            push, strlen(push));
        break;
    case 0:
        mock_push(p->mock, p->now_ms, p->sid[i], push, strlen(push));
        break;
    case 1:
        mock_override(p->mock, p->sid[i], NULL,
                      roll(p, 8) ? MOCK_RECOVERABLE : MOCK_TERMINATE,
                      "system-shutdown", push, strlen(push));
        break;
    case 2:
        if (!roll(p, 8))
            mock_end_session(p->mock, p->now_ms, p->sid[i], NULL, NULL, 0);
        break;
    case 3:
        if (token <= p->token && !p->state[token]) {
            mock_gone(p->mock, p->now_ms, token);
            p->state[token] = 2;
        }
        break;
    default:
        p->now_ms += roll(p, 4) ? roll(p, 3000) : roll(p, 60000);
        mock_tick(p->mock, p->now_ms);
        break;
    }
}

static bool is_over(const struct play *p, int i)
{
    struct mock_session_info info = {0};

    for (const char *at = NULL; mock_next_session(p->mock, at, &info);
         at = info.sid) {
        if (strcmp(info.sid, p->sid[i]) == 0)
            return info.state == MOCK_SESSION_GONE;
    }
    return true;
}

/* Time runs out for all that is held. */
static void run_dry(struct play *p)
{
    int64_t next;

    while ((next = mock_deadline_ms(p->mock)) != CLOCK_NEVER) {
        p->now_ms = next > p->now_ms ? next : p->now_ms;
        mock_tick(p->mock, p->now_ms);
        collect(p);
    }
}

static void play(uint32_t seed)
{
    struct mock_options o = mock_options_default();
    struct play *p = calloc(1, sizeof *p);

    p->chance = seed;
    o.random = chance_bytes;
    o.random_arg = p;
    o.literal_overactivity = seed % 2;
    o.streams = seed / 2 % 2;
    o.features = (enum mock_features)(seed % 3);
    p->mock = mock_new(&o);
    while (p->token < STEPS) {
        int i = (int)roll(p, SESSIONS);

        if (is_over(p, i))
            create(p, i);
        else if (roll(p, 3))
            send_something(p, i);
        else
            interfere(p, i);
        collect(p);
    }
    run_dry(p);
    for (uint64_t token = 1; token <= p->token; token++)
        CHECK(p->state[token] != 0);
    mock_free(p->mock);
    free(p);
}

static void test_every_request_is_answered_once(void)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++)
        play(seed);
}

int suite_manager_random(void)
{
    CU_pSuite suite = CU_add_suite("manager random", NULL, NULL);

    if (!suite || !CU_ADD_TEST(suite, test_every_request_is_answered_once))
        return -1;
    return 0;
}
