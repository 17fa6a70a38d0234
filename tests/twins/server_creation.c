/* Server twins: how sessions are made, XEP-0124 §7; more of what is granted is
 * in server_negotiation.c. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

static void scale(struct server_answer *a, const char *name, uint64_t by,
                  uint64_t plus)
{
    if (a->creation)
        entity_set_number(&a->body, name,
                          entity_number(&a->body, name) * by + plus);
}

static bool more_wait(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    scale(a, "wait", 2, 1);
    return true;
}

static bool more_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    scale(a, "hold", 1, 2);
    scale(a, "requests", 1, 2);
    return true;
}

static bool no_room_beside_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation) {
        entity_set(&a->body, "hold", "2");
        entity_set(&a->body, "requests", "2");
    }
    return true;
}

static bool forget_requests(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "requests", NULL);
    return true;
}

static bool forget_wait(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "wait", NULL);
    return true;
}

static bool forget_sid(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "sid", NULL);
    return true;
}

static bool sid_everywhere(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation && a->status == 200 && a->body.len)
        entity_set(&a->body, "sid", a->session->sid);
    return true;
}

static bool say(struct server_answer *a, const char *name, const char *value)
{
    if (a->creation)
        entity_set(&a->body, name, value);
    return true;
}

static bool requests_in_words(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "requests", "many");
}

static bool no_requests(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "requests", "0");
}

static bool negative_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "hold", "-1");
}

static bool later_version(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "ver", "1.100");
}

static void grant_little(struct mock_options *o)
{
    o->wait_s = 7;
    o->hold = 1;
    o->requests = 2;
}

static bool has(const struct buf *body, const char *name)
{
    char *value = entity_attr(body, name);

    free(value);
    return value != NULL;
}

static bool answer(struct server_shim *ss, const struct server_request *r,
                   int status, const char *condition)
{
    struct buf body = BUF_INIT;

    if (condition) {
        entity_empty(&body, "terminate");
        entity_set(&body, "condition", condition);
    }
    server_shim_answer(ss, r->now_ms, r->token, status, &body);
    buf_release(&body);
    return false;
}

/* ---- a creation that comes again; carry is the answer to the first ---- */

static bool retry_of(const struct server_shim *ss,
                     const struct server_request *r)
{
    const struct server_session *s = server_shim_newest(ss);

    return s && r->creation && r->rid == s->first;
}

static bool note_creation(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        buf_adds(&a->session->carry, buf_str(&a->body));
    return true;
}

static bool give_the_first(struct server_shim *ss, struct server_request *r)
{
    if (!retry_of(ss, r))
        return true;
    server_shim_answer(ss, r->now_ms, r->token, 200,
                       &server_shim_newest(ss)->carry);
    return false;
}

static bool refuse_retry(struct server_shim *ss, struct server_request *r)
{
    return !retry_of(ss, r) || answer(ss, r, 200, "policy-violation");
}

static bool keep_one_session(struct server_shim *ss, struct server_request *r)
{
    const struct server_session *s = server_shim_newest(ss);
    struct buf bye = BUF_INIT;

    if (!s || !r->creation)
        return true;
    entity_empty(&bye, "terminate");
    entity_set(&bye, "sid", s->sid);
    entity_set_number(&bye, "rid", s->low + 1);
    server_shim_inject(ss, r->now_ms, &bye);
    buf_release(&bye);
    return true;
}

static bool find_by_rid(struct server_shim *ss, struct server_request *r)
{
    const struct server_session *s = server_shim_newest(ss);

    if (s && r->creation && r->rid == s->low + 1)
        entity_set(&r->body, "sid", s->sid);
    return true;
}

/* ---- sids and names ---- */

static bool same_sid(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "sid", "deadbeefdeadbeefdeadbeefdeadbeef");
}

/* Big endian, as the sids of our core show it. */
static void count_up(void *arg, void *out, size_t len)
{
    static unsigned long long count;
    unsigned char *bytes = out;

    (void)arg;
    count++;
    for (size_t i = 0; i < len; i++)
        bytes[len - 1 - i] =
            i < sizeof count ? (unsigned char)(count >> (8 * i)) : 0;
}

static void count_sids(struct mock_options *o)
{
    o->random = count_up;
}

static void name_streams(struct mock_options *o)
{
    o->streams = true;
}

static bool same_name(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return say(a, "stream", "stream-1");
}

static bool counted_name(struct server_shim *ss, struct server_answer *a)
{
    unsigned long count = 0;

    if (!a->creation)
        return true;
    for (struct server_session *s = server_shim_newest(ss); s; s = s->next)
        count++;
    entity_set_number(&a->body, "stream", count);
    return true;
}

#define ENOUGH 12

static bool refuse_many(struct server_shim *ss, struct server_request *r)
{
    unsigned count = 0;

    for (struct server_session *s = server_shim_newest(ss); s; s = s->next)
        count++;
    return !r->creation || count < ENOUGH ||
           answer(ss, r, 200, "policy-violation");
}

/* ---- routes ---- */

static bool has_in_route(const struct server_request *r, const char *any)
{
    char *route = r->creation ? entity_attr(&r->body, "route") : NULL;
    bool found = route && strpbrk(route, any);

    free(route);
    return found;
}

static bool parse_route(struct server_shim *ss, struct server_request *r)
{
    return !has_in_route(r, "%[") || answer(ss, r, 500, NULL);
}

static bool hang_on_route(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !has_in_route(r, "%[");
}

static bool refuse_routes(struct server_shim *ss, struct server_request *r)
{
    if (r->creation && has(&r->body, "route") &&
        !entity_has(&r->body, "route", "xmpp:localhost:5222"))
        return answer(ss, r, 200, "host-unknown");
    return true;
}

/* ---- what a creation brings, and does not ---- */

static bool mind_unknown(struct server_shim *ss, struct server_request *r)
{
    return !has(&r->body, "not-known-yet") || answer(ss, r, 200, "bad-request");
}

static bool want_xmpp_version(struct server_shim *ss, struct server_request *r)
{
    return !r->creation || has(&r->body, "xmpp:version") ||
           answer(ss, r, 200, "bad-request");
}

/* ---- domains ---- */

static bool is_elsewhere(const struct server_request *r)
{
    return r->creation && entity_has(&r->body, "to", "nonexistent.invalid");
}

static bool lacks_domain(const struct server_request *r)
{
    return r->creation &&
           (!has(&r->body, "to") || entity_has(&r->body, "to", ""));
}

static bool know_all(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (is_elsewhere(r))
        entity_set(&r->body, "to", "localhost");
    return true;
}

static bool blame_itself(struct server_shim *ss, struct server_request *r)
{
    return !is_elsewhere(r) || answer(ss, r, 200, "internal-server-error");
}

static bool mind_capitals(struct server_shim *ss, struct server_request *r)
{
    if (r->creation && entity_has(&r->body, "to", "LOCALHOST"))
        return answer(ss, r, 200, "host-unknown");
    return true;
}

#define FRONT "in-front-of-the-server"

/* It makes a session by itself, and has the server's word for the next. */
static bool ask_first(struct server_shim *ss, struct server_request *r)
{
    struct buf body = BUF_INIT;

    if (!is_elsewhere(r) && !entity_has(&r->body, "sid", FRONT))
        return true;
    if (r->creation)
        buf_adds(&body,
                 "<body xmlns='http://jabber.org/protocol/httpbind' sid='" FRONT
                 "' wait='3' requests='2' hold='1' ver='1.11' polling='1'"
                 " inactivity='10'/>");
    else
        buf_adds(&body, "<body xmlns='http://jabber.org/protocol/httpbind'"
                        " xmlns:stream='http://etherx.jabber.org/streams'"
                        " type='terminate' condition='remote-stream-error'>"
                        "<stream:error><host-unknown"
                        " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                        "</stream:error></body>");
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    buf_release(&body);
    return false;
}

static bool call_it_unknown(struct server_shim *ss, struct server_request *r)
{
    return !lacks_domain(r) || answer(ss, r, 200, "host-unknown");
}

static bool break_without_domain(struct server_shim *ss,
                                 struct server_request *r)
{
    return !lacks_domain(r) || answer(ss, r, 500, NULL);
}

static bool have_a_default(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (lacks_domain(r))
        entity_set(&r->body, "to", "localhost");
    return true;
}

const struct twin twins_server_creation[] = {
    {"grants-more-wait", TWIN_FAULTY, "grants a longer wait than was asked for",
     SERVER(.answer = more_wait)},
    {"grants-more-hold", TWIN_FAULTY, "grants a larger hold than was asked for",
     SERVER(.answer = more_hold)},
    {"requests-equal-hold", TWIN_FAULTY,
     "grants as many requests as it holds, and no more",
     SERVER(.answer = no_room_beside_hold)},
    {"forgets-requests-attribute", TWIN_FAULTY,
     "does not say how many requests may be open",
     SERVER(.answer = forget_requests)},
    {"creates-without-wait", TWIN_FAULTY,
     "does not say which wait it has granted", SERVER(.answer = forget_wait)},
    {"says-sid-every-time", TWIN_FAULTY, "has the sid in every answer",
     SERVER(.answer = sid_everywhere)},
    {"repeats-its-sid", TWIN_UNADVISED, "does so, against advice only",
     SERVER(.answer = sid_everywhere)},
    {"says-requests-in-words", TWIN_FAULTY, "says requests='many'",
     SERVER(.answer = requests_in_words)},
    {"allows-no-requests", TWIN_FAULTY, "says requests='0'",
     SERVER(.answer = no_requests)},
    {"grants-negative-hold", TWIN_FAULTY, "says hold='-1'",
     SERVER(.answer = negative_hold)},
    {"speaks-a-later-version", TWIN_FAULTY,
     "says a higher 'ver' than it was asked for",
     SERVER(.answer = later_version)},
    {"grants-less", TWIN_RIGHT,
     "grants seven seconds of wait, and a hold of one",
     SERVER(.options = grant_little)},
    {"creates-without-sid", TWIN_FAULTY, "gives no sid",
     SERVER(.answer = forget_sid)},
    {"takes-a-retry-for-the-first", TWIN_FAULTY,
     "answers a creation that comes again with the same session",
     SERVER(.request = give_the_first, .answer = note_creation)},
    {"refuses-a-retry", TWIN_FAULTY, "refuses a creation that comes again",
     SERVER(.request = refuse_retry)},
    {"keeps-one-session", TWIN_FAULTY,
     "ends a session when another is to be made",
     SERVER(.request = keep_one_session)},
    {"finds-sessions-by-rid", TWIN_FAULTY,
     "takes a request without a sid for that of the session whose rid fits",
     SERVER(.request = find_by_rid)},
    {"gives-a-sid-twice", TWIN_FAULTY, "gives every session the same sid",
     SERVER(.answer = same_sid)},
    {"counts-its-sids", TWIN_FAULTY, "counts its sids",
     SERVER(.options = count_sids)},
    {"names-all-streams-alike", TWIN_FAULTY,
     "names every session's first stream alike",
     SERVER(.options = name_streams, .answer = same_name)},
    {"counts-its-streams", TWIN_FAULTY, "counts its streams",
     SERVER(.options = name_streams, .answer = counted_name)},
    {"refuses-the-thirteenth", TWIN_RIGHT,
     "makes twelve sessions and refuses all others",
     SERVER(.request = refuse_many)},
    {"parses-routes-as-uris", TWIN_FAULTY,
     "says HTTP 500 where a route is no URI", SERVER(.request = parse_route)},
    {"hangs-on-routes", TWIN_FAULTY, "never answers where a route is no URI",
     SERVER(.request = hang_on_route)},
    {"refuses-routes", TWIN_RIGHT, "follows no route but that to itself",
     SERVER(.request = refuse_routes)},
    {"minds-what-it-does-not-know", TWIN_FAULTY,
     "refuses a creation with an attribute that it does not know",
     SERVER(.request = mind_unknown)},
    {"wants-a-version-of-xmpp", TWIN_FAULTY,
     "refuses a creation without xmpp:version",
     SERVER(.request = want_xmpp_version)},
    {"knows-every-domain", TWIN_FAULTY, "serves any domain there is not",
     SERVER(.request = know_all)},
    {"unknown-domain-is-its-own-error", TWIN_FAULTY,
     "says internal-server-error where it does not know the domain",
     SERVER(.request = blame_itself)},
    {"minds-capital-letters", TWIN_RIGHT,
     "does not know its domain in capital letters",
     SERVER(.request = mind_capitals)},
    {"asks-its-server-first", TWIN_RIGHT,
     "makes a session, and passes on that the server knows no such domain",
     SERVER(.request = ask_first)},
    {"missing-domain-is-unknown", TWIN_FAULTY,
     "says host-unknown where no domain is named",
     SERVER(.request = call_it_unknown)},
    {"missing-domain-is-http-500", TWIN_FAULTY,
     "says HTTP 500 where no domain is named",
     SERVER(.request = break_without_domain)},
    {"has-a-default-domain", TWIN_RIGHT,
     "serves its only domain where none is named",
     SERVER(.request = have_a_default)},
    {0},
};
