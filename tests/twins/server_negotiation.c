/* Server twins: what a creation is granted and told, XEP-0124 §7.2. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

/* What the request did not say, in the answer's own words. */
#define UNASKED "59"

/* ---- small things ---- */

static bool has(const struct buf *body, const char *name)
{
    char *value = entity_attr(body, name);

    free(value);
    return value != NULL;
}

static bool refuse(struct server_shim *ss, const struct server_request *r,
                   const char *condition)
{
    struct buf body = BUF_INIT;

    entity_empty(&body, "terminate");
    entity_set(&body, "condition", condition);
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    buf_release(&body);
    return false;
}

/* "5" becomes "5.0". */
static bool write_as_decimal(struct server_answer *a, const char *name)
{
    struct buf text = BUF_INIT;
    char *value = a->creation ? entity_attr(&a->body, name) : NULL;

    if (value) {
        buf_printf(&text, "%s.0", value);
        entity_set(&a->body, name, buf_str(&text));
    }
    buf_release(&text);
    free(value);
    return true;
}

/* ---- wait ---- */

static bool own_wait(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "wait", "30");
    return true;
}

static bool a_second_at_least(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && entity_has(&a->body, "wait", "0"))
        entity_set(&a->body, "wait", "1");
    return true;
}

static bool mark_unasked(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->creation && !has(&r->body, "wait"))
        entity_set(&r->body, "wait", UNASKED);
    return true;
}

static bool forget_unasked(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && entity_has(&a->body, "wait", UNASKED))
        entity_set(&a->body, "wait", NULL);
    return true;
}

static bool decimal_wait(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return write_as_decimal(a, "wait");
}

static bool want_a_wait(struct server_shim *ss, struct server_request *r)
{
    return !r->creation || has(&r->body, "wait") ||
           refuse(ss, r, "bad-request");
}

static bool refuse_polling(struct server_shim *ss, struct server_request *r)
{
    if (r->creation && (entity_has(&r->body, "wait", "0") ||
                        entity_has(&r->body, "hold", "0")))
        return refuse(ss, r, "policy-violation");
    return true;
}

/* ---- hold ---- */

static bool one_at_least(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && entity_has(&a->body, "hold", "0")) {
        entity_set(&a->body, "hold", "1");
        entity_set(&a->body, "requests", "2");
    }
    return true;
}

static bool decimal_hold(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return write_as_decimal(a, "hold");
}

/* As many requests as the client can have wanted. */
static bool lower_hold_alone(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && entity_number(&a->body, "hold") > 1)
        entity_set(&a->body, "hold", "1");
    return true;
}

/* ---- ver ---- */

static bool one_version(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "ver", "1.11");
    return true;
}

/* 1.11 is below 1.5, 1.6 and 1.9 then. */
static bool compare_decimals(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && (entity_has(&a->body, "ver", "1.5") ||
                        entity_has(&a->body, "ver", "1.6") ||
                        entity_has(&a->body, "ver", "1.9")))
        entity_set(&a->body, "ver", "1.11");
    return true;
}

static void version_1_6(struct mock_options *o)
{
    o->ver = "1.6";
}

static bool read_decimals(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->creation && entity_has(&r->body, "ver", "1.10"))
        entity_set(&r->body, "ver", "1.1");
    return true;
}

/* ---- what else is announced ---- */

static void say_otherwise(struct mock_options *o,
                          const struct mock_attribute *one)
{
    o->creation = one;
    o->creation_count = 1;
}

static void no_hold_said(struct mock_options *o)
{
    static const struct mock_attribute none = {"hold", NULL};

    say_otherwise(o, &none);
}

static void no_inactivity_said(struct mock_options *o)
{
    static const struct mock_attribute none = {"inactivity", NULL};

    say_otherwise(o, &none);
}

static void no_from(struct mock_options *o)
{
    static const struct mock_attribute none = {"from", NULL};

    say_otherwise(o, &none);
}

static void from_elsewhere(struct mock_options *o)
{
    static const struct mock_attribute other = {"from", "elsewhere.example"};

    say_otherwise(o, &other);
}

static void odd_charsets(struct mock_options *o)
{
    static const struct mock_attribute odd = {"charsets",
                                              "ISO-8859-1, (any other)"};

    say_otherwise(o, &odd);
}

static void usual_charsets(struct mock_options *o)
{
    static const struct mock_attribute usual = {"charsets",
                                                "ISO_8859-1 ISO-2022-JP"};

    say_otherwise(o, &usual);
}

static bool from_later(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "from", NULL);
    else if (a->call && a->status == 200 && a->body.len &&
             (a->replay ? a->session->rid == a->rid : !a->session->rid)) {
        a->session->rid = a->rid; /* a repeat of it says so, too */
        entity_set(&a->body, "from", "localhost");
    }
    return true;
}

static bool limits_everywhere(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation && a->status == 200 && a->body.len) {
        entity_set(&a->body, "inactivity", "30");
        entity_set(&a->body, "polling", "5");
    }
    return true;
}

/* ---- content ---- */

#define USUAL_TYPE "text/xml; charset=utf-8"
#define TWO_HEADERS "text/x-two-headers"

static bool ignore_content(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    a->content_type = USUAL_TYPE;
    return true;
}

static bool forget_content(struct server_shim *ss, struct server_answer *a)
{
    if (!a->creation)
        ignore_content(ss, a);
    return true;
}

static bool refuse_content(struct server_shim *ss, struct server_request *r)
{
    char *content = r->creation ? entity_attr(&r->body, "content") : NULL;
    bool fine = !content || strncmp(content, "text/xml", 8) == 0;

    free(content);
    return fine || refuse(ss, r, "bad-request");
}

/* Our core would not take what another manager copies. */
static bool smuggle_content(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->creation && strstr(buf_str(&r->body), "X-Boshspec"))
        entity_set(&r->body, "content", TWO_HEADERS);
    return true;
}

static bool copy_content(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (strcmp(a->content_type, TWO_HEADERS) == 0)
        a->content_type = USUAL_TYPE "\r\nX-Boshspec: 1";
    return true;
}

/* ---- features, XEP-0206 §4 ---- */

static bool has_features(const struct server_answer *a)
{
    return a->session && strstr(buf_str(&a->body), "<stream:features");
}

static bool drop_features(struct server_shim *ss, struct server_answer *a)
{
    struct buf features = BUF_INIT;

    (void)ss;
    if (has_features(a))
        entity_take_payload(&a->body, &features);
    buf_release(&features);
    return true;
}

/* With the next answer, which is held for most of 'wait'. */
static bool delay_features(struct server_shim *ss, struct server_answer *a)
{
    struct server_session *s = a->session;

    (void)ss;
    if (a->creation && has_features(a)) {
        entity_take_payload(&a->body, &s->carry);
    } else if (s && s->carry.len && a->status == 200) {
        entity_put_payload(&a->body, &s->carry);
        buf_clear(&s->carry);
    }
    return true;
}

static bool own_features(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (has_features(a)) {
        entity_replace(&a->body, "<stream:features",
                       "<features xmlns='urn:example:own'");
        entity_replace(&a->body, "</stream:features", "</features");
    }
    return true;
}

static bool declare_inside(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (has_features(a)) {
        entity_set(&a->body, "xmlns:stream", NULL);
        entity_replace(&a->body, "<stream:features",
                       "<stream:features"
                       " xmlns:stream='http://etherx.jabber.org/streams'");
    }
    return true;
}

static void no_version(struct mock_options *o)
{
    static const struct mock_attribute none = {"xmpp:version", NULL};

    say_otherwise(o, &none);
}

static void version_later(struct mock_options *o)
{
    no_version(o);
    o->features = MOCK_FEATURES_NEXT;
}

static bool version_with_features(struct server_shim *ss,
                                  struct server_answer *a)
{
    (void)ss;
    if (has_features(a) && !a->creation) {
        entity_set(&a->body, "xmlns:xmpp", "urn:xmpp:xbosh");
        entity_set(&a->body, "xmpp:version", "1.0");
    }
    return true;
}

const struct twin twins_server_negotiation[] = {
    {"grants-its-own-wait", TWIN_FAULTY,
     "grants half a minute of wait, whatever is asked for",
     SERVER(.answer = own_wait)},
    {"grants-a-second-at-least", TWIN_FAULTY,
     "grants one second of wait where none is asked for",
     SERVER(.answer = a_second_at_least)},
    {"forgets-wait-unasked", TWIN_FAULTY,
     "says no 'wait' to a client that asked for none",
     SERVER(.request = mark_unasked, .answer = forget_unasked)},
    {"writes-wait-as-decimal", TWIN_FAULTY, "says wait='5.0'",
     SERVER(.answer = decimal_wait)},
    {"wants-a-wait", TWIN_RIGHT, "makes no session for a client without 'wait'",
     SERVER(.request = want_a_wait)},
    {"refuses-polling", TWIN_RIGHT, "makes no session that would have to poll",
     SERVER(.request = refuse_polling)},
    {"holds-one-at-least", TWIN_FAULTY, "says hold='1' where 0 is asked for",
     SERVER(.answer = one_at_least)},
    {"writes-hold-as-decimal", TWIN_FAULTY, "says hold='1.0'",
     SERVER(.answer = decimal_hold)},
    {"lowers-hold-alone", TWIN_RIGHT,
     "lowers 'hold', and grants as many requests as went with what was asked",
     SERVER(.answer = lower_hold_alone)},
    {"has-one-version-only", TWIN_FAULTY, "says ver='1.11' to everybody",
     SERVER(.answer = one_version)},
    {"compares-versions-as-decimals", TWIN_FAULTY, "takes 1.9 to be above 1.11",
     SERVER(.answer = compare_decimals)},
    {"reads-versions-as-decimals", TWIN_FAULTY, "takes 1.10 for 1.1",
     SERVER(.options = version_1_6, .request = read_decimals)},
    {"speaks-version-1-6", TWIN_RIGHT, "knows version 1.6, and none above it",
     SERVER(.options = version_1_6)},
    {"keeps-hold-to-itself", TWIN_FAULTY, "does not say how many it holds",
     SERVER(.options = no_hold_said)},
    {"keeps-inactivity-to-itself", TWIN_FAULTY,
     "does not say how long a session may be silent",
     SERVER(.options = no_inactivity_said)},
    {"does-not-say-from", TWIN_FAULTY, "never says which server it is",
     SERVER(.options = no_from)},
    {"comes-from-elsewhere", TWIN_FAULTY, "says the name of another server",
     SERVER(.options = from_elsewhere)},
    {"says-from-later", TWIN_RIGHT,
     "says which server it is with its second answer",
     SERVER(.answer = from_later)},
    {"lists-charsets-with-commas", TWIN_FAULTY,
     "has commas and brackets in 'charsets'", SERVER(.options = odd_charsets)},
    {"lists-charsets", TWIN_RIGHT, "lists charsets that it can convert",
     SERVER(.options = usual_charsets)},
    {"says-limits-every-time", TWIN_FAULTY,
     "has 'inactivity' and 'polling' in every answer",
     SERVER(.answer = limits_everywhere)},
    {"ignores-content", TWIN_FAULTY,
     "answers text/xml, whatever type was asked for",
     SERVER(.answer = ignore_content)},
    {"forgets-content", TWIN_FAULTY,
     "answers the creation alone with the type that was asked for",
     SERVER(.answer = forget_content)},
    {"refuses-content", TWIN_RIGHT,
     "makes no session where a type other than text/xml is asked for",
     SERVER(.request = refuse_content)},
    {"copies-content-into-headers", TWIN_FAULTY,
     "copies 'content' into a header with its line breaks",
     SERVER(.request = smuggle_content, .answer = copy_content)},
    {"has-no-features", TWIN_FAULTY, "never says the features of the stream",
     SERVER(.answer = drop_features)},
    {"has-features-late", TWIN_FAULTY,
     "says the features of the stream only when a poll has been held",
     SERVER(.answer = delay_features)},
    {"has-features-of-its-own", TWIN_FAULTY,
     "has the features in a namespace of its own",
     SERVER(.answer = own_features)},
    {"declares-stream-inside", TWIN_FAULTY,
     "declares the prefix of the features on them, not on the body",
     SERVER(.answer = declare_inside)},
    {"keeps-its-version", TWIN_FAULTY, "never says the version of XMPP",
     SERVER(.options = no_version)},
    {"says-its-version-with-the-features", TWIN_RIGHT,
     "says the version of XMPP in its second answer, with the features",
     SERVER(.options = version_later, .answer = version_with_features)},
    {0},
};
