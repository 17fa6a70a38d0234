/* Client twins: the request that creates the session, and spelling. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "client-under-test/bosh.h"
#include "common/xml.h"
#include "entity.h"

static bool creates(const struct shim_request *r)
{
    char *sid = entity_attr(&r->body, "sid");
    bool without = sid == NULL;

    free(sid);
    return without;
}

static bool leave_out(struct shim_request *r, const char *name)
{
    if (creates(r))
        entity_set(&r->body, name, NULL);
    return true;
}

static bool without_to(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return leave_out(r, "to");
}

static bool without_lang(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return leave_out(r, "xml:lang");
}

static bool without_version(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return leave_out(r, "xmpp:version");
}

static bool with_empty_sid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (creates(r))
        entity_set(&r->body, "sid", "");
    return true;
}

/* cs->text: the sid of the last session. */
static bool with_old_sid(struct client_shim *cs, struct shim_request *r)
{
    if (creates(r) && cs->text.len) {
        entity_set(&r->body, "sid", buf_str(&cs->text));
    } else if (cs->sid) {
        buf_clear(&cs->text);
        buf_adds(&cs->text, cs->sid);
    }
    return true;
}

static bool say_it_again(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (!creates(r)) {
        entity_set(&r->body, "hold", "1");
        entity_set(&r->body, "wait", "60");
    }
    return true;
}

static bool set_at_creation(struct shim_request *r, const char *name,
                            const char *value)
{
    if (creates(r))
        entity_set(&r->body, name, value);
    return true;
}

static bool to_a_jid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "to", "alice@localhost");
}

static bool version_one(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "ver", "1");
}

static bool wait_a_day(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "wait", "86400");
}

static bool type_a_request(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && !entity_has(&r->body, "type", "terminate"))
        entity_set(&r->body, "type", "get");
    return true;
}

static bool without_route(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return leave_out(r, "route");
}

static bool route_without_protocol(struct client_shim *cs,
                                   struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "route", "localhost:5222");
}

static bool route_without_port(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "route", "xmpp:localhost");
}

static bool two_holds(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "hold", "2");
}

static bool no_hold(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "hold", "0");
}

static bool no_wait(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return set_at_creation(r, "wait", "0");
}

/* ---- where the rids begin, XEP-0124 §14.1 and §19.3 ---- */

/* cs->rid: where the core began; cs->rid2: where the twin did. */
static bool move_rids(struct client_shim *cs, struct shim_request *r,
                      uint64_t begin)
{
    if (creates(r) && r->attempt == 1) {
        cs->rid = r->rid;
        cs->rid2 = begin;
    }
    entity_set_number(&r->body, "rid", r->rid - cs->rid + cs->rid2);
    return true;
}

#define SMALL 1000
#define THE_SAME UINT64_C(3141592653)

static bool begin_small(struct client_shim *cs, struct shim_request *r)
{
    return move_rids(cs, r, 1 + r->rid % SMALL);
}

static bool begin_the_same(struct client_shim *cs, struct shim_request *r)
{
    return move_rids(cs, r, THE_SAME);
}

/* cs->count: the last rid that went out. */
static bool begin_behind_the_last(struct client_shim *cs,
                                  struct shim_request *r)
{
    uint64_t next = cs->count ? (uint64_t)cs->count + 1 : r->rid;

    move_rids(cs, r, next);
    cs->count = (long)(r->rid - cs->rid + cs->rid2);
    return true;
}

/* ---- a second attempt, §7.1 ---- */

static bool try_with_empty_sid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (creates(r) && r->attempt > 1)
        entity_set(&r->body, "sid", "");
    return true;
}

#define APART 1000

/* A new rid for the second attempt, and all that follows as if it were the
 * first. */
static bool keep_the_lost_rid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (creates(r) && r->attempt > 1)
        entity_set_number(&r->body, "rid", r->rid + APART);
    return true;
}

/* ---- what the manager grants, §7.2 ---- */

#define HOLD_ASKED 3

static void ask_for_many_holds(struct bosh_options *o)
{
    o->max_open = HOLD_ASKED + 1;
}

static bool grant_what_was_asked(struct client_shim *cs, struct shim_answer *a)
{
    (void)cs;
    if (entity_number(&a->body, "requests"))
        entity_set_number(&a->body, "requests", HOLD_ASKED + 1);
    return true;
}

static bool end_with(struct client_shim *cs, const char *status)
{
    client_shim_say(cs, status, NULL);
    client_shim_say(cs, "disconnected", NULL);
    client_shim_end(cs);
    return false;
}

static bool die_of_empty_answer(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->status == 200 && !entity_has_payload(&a->body) &&
        !entity_has(&a->body, "type", "terminate"))
        return end_with(cs, "conntimeout");
    return true;
}

static bool insist_on_version(struct client_shim *cs, struct shim_answer *a)
{
    char *ver = entity_attr(&a->body, "ver");
    bool other = entity_number(&a->body, "wait") &&
                 (!ver || strcmp(ver, BOSH_PROTOCOL_VERSION) != 0);

    free(ver);
    return other ? end_with(cs, "connfail") : true;
}

static bool die_of_unknown(struct client_shim *cs, struct shim_answer *a)
{
    char *window = entity_attr(&a->body, "window");
    bool unknown = window != NULL;

    free(window);
    return unknown ? end_with(cs, "connfail") : true;
}

/* Is it features, whatever they are called, and not called as we like it? */
static bool look_for_prefix(struct client_shim *cs, struct shim_answer *a)
{
    struct buf nothing = BUF_INIT;

    (void)cs;
    if (strstr(buf_str(&a->body), "<features "))
        entity_take_payload(&a->body, &nothing);
    buf_release(&nothing);
    return true;
}

#define PATIENCE_MS 1000

/* No answer of these has features: do not ask a thousand times a second. */
static bool ask_slowly(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->online && cs->sid)
        r->due_ms = r->now_ms + PATIENCE_MS;
    return true;
}

#define READ_ON_MS 3000

/* cs->flag: 1.10 was taken for 1.1, which knows of no terminal conditions. */
static bool read_decimal(struct client_shim *cs, struct shim_answer *a)
{
    if (entity_has(&a->body, "ver", "1.10"))
        cs->flag = true;
    if (cs->flag && entity_has(&a->body, "type", "terminate")) {
        entity_set(&a->body, "type", NULL);
        entity_set(&a->body, "condition", NULL);
        cs->count++;
    }
    return true;
}

static bool go_on_slowly(struct client_shim *cs, struct shim_request *r)
{
    if (cs->count)
        r->due_ms = r->now_ms + READ_ON_MS;
    return true;
}

/* ---- in the right ---- */

static bool add_attributes(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (creates(r)) {
        entity_set(&r->body, "secure", "true");
        entity_set(&r->body, "window", "5");
    }
    return true;
}

/* An XML declaration, a prefix on the root, double quotes: XEP-0124 §6 has
 * nothing against it. */
static bool spell_oddly(struct client_shim *cs, struct shim_request *r)
{
    static const char ns[] = " xmlns='" XML_NS_HTTPBIND "'";
    struct buf payload = BUF_INIT;
    struct buf out = BUF_INIT;
    char *at;

    (void)cs;
    entity_take_payload(&r->body, &payload);
    at = strstr(r->body.data, ns);
    buf_adds(&out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<b:body");
    buf_add(&out, r->body.data + strlen("<body"),
            (size_t)(at - r->body.data) - strlen("<body"));
    buf_adds(&out, " xmlns:b='" XML_NS_HTTPBIND "'");
    at += strlen(ns);
    buf_add(&out, at, strcspn(at, "/>"));
    for (char *c = out.data; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    buf_addc(&out, '>');
    buf_add(&out, buf_str(&payload), payload.len);
    buf_adds(&out, "</b:body>\n");
    buf_release(&payload);
    buf_release(&r->body);
    r->body = out;
    return true;
}

const struct twin twins_client_creation[] = {
    {"creates-without-to", TWIN_FAULTY, "does not say which domain it wants",
     CLIENT(.request = without_to)},
    {"creates-without-lang", TWIN_FAULTY, "does not say its language",
     CLIENT(.request = without_lang)},
    {"creates-without-version", TWIN_FAULTY, "does not say its version of XMPP",
     CLIENT(.request = without_version)},
    {"creates-with-empty-sid", TWIN_FAULTY,
     "has an empty sid in its first request",
     CLIENT(.request = with_empty_sid)},
    {"takes-the-sid-along", TWIN_FAULTY,
     "asks for its next session with the sid of the last",
     CLIENT(.request = with_old_sid)},
    {"says-wait-every-time", TWIN_FAULTY, "has wait and hold in every request",
     CLIENT(.request = say_it_again)},
    {"creates-to-a-jid", TWIN_FAULTY, "has a JID where the domain belongs",
     CLIENT(.request = to_a_jid)},
    {"says-one-for-its-version", TWIN_FAULTY, "says ver='1'",
     CLIENT(.request = version_one)},
    {"asks-for-a-day", TWIN_FAULTY, "asks for a wait of 86,400 seconds",
     CLIENT(.request = wait_a_day)},
    {"types-its-requests", TWIN_FAULTY, "says type='get' in every request",
     CLIENT(.request = type_a_request)},
    {"keeps-the-route-to-itself", TWIN_FAULTY, "leaves the route out",
     CLIENT(.request = without_route)},
    {"routes-without-protocol", TWIN_FAULTY,
     "has a route of host and port only",
     CLIENT(.request = route_without_protocol)},
    {"routes-without-port", TWIN_FAULTY, "has a route without a port",
     CLIENT(.request = route_without_port)},
    {"asks-for-two-holds", TWIN_FAULTY, "asks for two requests to be held",
     CLIENT(.request = two_holds)},
    {"asks-for-no-hold", TWIN_FAULTY, "asks for no request to be held",
     CLIENT(.request = no_hold)},
    {"asks-for-no-wait", TWIN_FAULTY, "asks to be answered at once",
     CLIENT(.request = no_wait)},
    {"dies-of-unknown-attributes", TWIN_FAULTY,
     "ends when it does not know an attribute of the first answer",
     CLIENT(.answer = die_of_unknown)},
    {"looks-for-a-prefix", TWIN_FAULTY,
     "sees no features that are not called stream:features",
     CLIENT(.request = ask_slowly, .answer = look_for_prefix)},
    {"begins-with-a-small-rid", TWIN_FAULTY, "has first rids below a thousand",
     CLIENT(.request = begin_small)},
    {"begins-with-the-same-rid", TWIN_FAULTY,
     "begins every session with the same rid",
     CLIENT(.request = begin_the_same)},
    {"goes-on-with-the-old-rid", TWIN_FAULTY,
     "begins a session with the rid behind that of the last one",
     CLIENT(.request = begin_behind_the_last)},
    {"creates-again-with-a-sid", TWIN_FAULTY,
     "has an empty sid when it asks for a session once more",
     CLIENT(.request = try_with_empty_sid)},
    {"keeps-the-lost-rid", TWIN_FAULTY,
     "asks for a session once more with another rid, and counts on from the "
     "first",
     CLIENT(.request = keep_the_lost_rid)},
    {"counts-on-what-it-asked", TWIN_FAULTY,
     "opens as many requests as it asked for, whatever was granted",
     CLIENT(.tweak = ask_for_many_holds, .answer = grant_what_was_asked)},
    {"dies-of-early-empty-answers", TWIN_FAULTY,
     "ends with the first empty answer", CLIENT(.answer = die_of_empty_answer)},
    {"insists-on-its-version", TWIN_FAULTY,
     "ends when the manager does not speak its own version",
     CLIENT(.answer = insist_on_version)},
    {"reads-versions-as-decimals", TWIN_FAULTY,
     "takes 1.10 for an older version than 1.6, which ends in HTTP codes only",
     CLIENT(.request = go_on_slowly, .answer = read_decimal)},
    {"extra-attributes", TWIN_RIGHT, "has attributes that nobody knows",
     CLIENT(.request = add_attributes)},
    {"odd-spelling", TWIN_RIGHT,
     "writes an XML declaration, a prefix, and double quotes",
     CLIENT(.request = spell_oddly)},
    {0},
};
