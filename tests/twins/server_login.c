/* Server twins: features, SASL, restarts and binding, XEP-0206 §3 to §6. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

#define LATE_MS 7000
#define RESTART "xmpp:restart"

/* ---- features ---- */

static bool has_features(const struct server_answer *a)
{
    return strstr(buf_str(&a->body), "<stream:features") != NULL;
}

static bool say_nothing(struct server_shim *ss, struct server_answer *a)
{
    struct buf dropped = BUF_INIT;

    (void)ss;
    if (has_features(a))
        entity_take_payload(&a->body, &dropped);
    buf_release(&dropped);
    return true;
}

static bool use_another_namespace(struct server_shim *ss,
                                  struct server_answer *a)
{
    (void)ss;
    if (has_features(a))
        entity_replace(&a->body, XML_NS_STREAM, "urn:boshspec:streams");
    return true;
}

/* The declaration goes from the body to its child. */
static bool declare_no_prefix(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (!has_features(a) && !strstr(buf_str(&a->body), "<stream:error"))
        return true;
    entity_set(&a->body, "xmlns:stream", NULL);
    entity_replace(&a->body, "<stream:features",
                   "<stream:features xmlns:stream='" XML_NS_STREAM "'");
    entity_replace(&a->body, "<stream:error",
                   "<stream:error xmlns:stream='" XML_NS_STREAM "'");
    return true;
}

static void offer_tls(struct mock_options *o)
{
    o->offers = "starttls";
}

static void offer_compression(struct mock_options *o)
{
    o->offers = "compression";
}

static bool say_no_version(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_set(&a->body, "xmpp:version", NULL);
    return true;
}

/* ---- restarts; session->flag: there was one ---- */

static bool note_restart(struct server_shim *ss, struct server_request *r)
{
    char *restart = r->session ? entity_attr(&r->body, RESTART) : NULL;

    (void)ss;
    if (restart)
        r->session->flag = true;
    free(restart);
    return true;
}

static bool restart_in_silence(struct server_shim *ss, struct server_answer *a)
{
    return !a->session || !a->session->flag || say_nothing(ss, a);
}

static bool restart_late(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && a->session->flag && has_features(a))
        a->due_ms = a->now_ms + LATE_MS;
    return true;
}

static bool restart_for_true(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && entity_has(&r->body, RESTART, "1"))
        entity_set(&r->body, RESTART, NULL);
    return true;
}

static bool restart_for_all(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && entity_has(&r->body, RESTART, "false"))
        entity_set(&r->body, RESTART, "true");
    return true;
}

static bool bind_half(struct server_shim *ss, struct server_answer *a)
{
    char *at = strstr((char *)(uintptr_t)buf_str(&a->body), "<jid>");
    char *slash = at ? strchr(at + strlen("<jid>"), '/') : NULL;
    char *end = at ? strstr(at, "</jid>") : NULL;

    (void)ss;
    if (slash && end && slash < end && slash[-1] != '<')
        *slash = '.';
    return true;
}

/* ---- SASL ---- */

static bool has_failure(const struct server_answer *a)
{
    return strstr(buf_str(&a->body), "<failure") != NULL;
}

static bool end_at_failure(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (has_failure(a)) {
        entity_set(&a->body, "type", "terminate");
        entity_set(&a->body, "condition", "undefined-condition");
    }
    return true;
}

static bool fail_elsewhere(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (has_failure(a))
        entity_replace(&a->body, XML_NS_SASL, "urn:boshspec:sasl");
    return true;
}

static bool fail_in_silence(struct server_shim *ss, struct server_answer *a)
{
    struct buf dropped = BUF_INIT;

    (void)ss;
    if (has_failure(a))
        entity_take_payload(&a->body, &dropped);
    buf_release(&dropped);
    return true;
}

const struct twin twins_server_login[] = {
    {"never-says-what-it-offers", TWIN_FAULTY, "sends no features",
     SERVER(.answer = say_nothing)},
    {"features-in-another-namespace", TWIN_FAULTY,
     "has its features in a namespace of its own",
     SERVER(.answer = use_another_namespace)},
    {"declares-no-prefix", TWIN_FAULTY,
     "declares the streams prefix in the child and not in the body",
     SERVER(.answer = declare_no_prefix)},
    {"offers-tls", TWIN_FAULTY, "offers TLS inside of the stream",
     SERVER(.options = offer_tls)},
    {"offers-compression", TWIN_FAULTY, "offers compression of the stream",
     SERVER(.options = offer_compression)},
    {"says-no-version", TWIN_FAULTY, "never says the version of XMPP",
     SERVER(.answer = say_no_version)},
    {"restarts-without-features", TWIN_FAULTY,
     "sends no features after a restart",
     SERVER(.request = note_restart, .answer = restart_in_silence)},
    {"restarts-late", TWIN_FAULTY,
     "sends the features after a restart seven seconds late",
     SERVER(.request = note_restart, .answer = restart_late)},
    {"restarts-only-for-true", TWIN_FAULTY,
     "does not restart a stream for restart='1'",
     SERVER(.request = restart_for_true)},
    {"restarts-for-false", TWIN_FAULTY, "restarts a stream for restart='false'",
     SERVER(.request = restart_for_all)},
    {"binds-half-a-jid", TWIN_FAULTY, "says a JID without a resource",
     SERVER(.answer = bind_half)},
    {"ends-at-a-failure", TWIN_FAULTY, "ends the session when a login fails",
     SERVER(.answer = end_at_failure)},
    {"failure-in-another-namespace", TWIN_FAULTY,
     "has failures in a namespace of its own",
     SERVER(.answer = fail_elsewhere)},
    {"says-nothing-of-a-failure", TWIN_FAULTY,
     "does not say that a login has failed", SERVER(.answer = fail_in_silence)},
    {0},
};
