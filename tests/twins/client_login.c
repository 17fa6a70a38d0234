/* Client twins: SASL, the restart, features: XEP-0206 §2 to §5. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "client-under-test/bosh.h"
#include "common/xml.h"
#include "entity.h"

/* ---- the restart, §5 ---- */

static bool is_restart(const struct shim_request *r)
{
    return entity_has(&r->body, "xmpp:restart", "true");
}

static bool forget_restart(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r)) {
        entity_set(&r->body, "xmpp:restart", NULL);
        entity_set(&r->body, "to", NULL);
        entity_set(&r->body, "xml:lang", NULL);
    }
    return true;
}

static bool restart_unqualified(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r)) {
        entity_set(&r->body, "xmpp:restart", NULL);
        entity_set(&r->body, "restart", "true");
    }
    return true;
}

static bool restart_with_yes(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r))
        entity_set(&r->body, "xmpp:restart", "yes");
    return true;
}

static bool restart_without_to(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r))
        entity_set(&r->body, "to", NULL);
    return true;
}

static bool restart_without_lang(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r))
        entity_set(&r->body, "xml:lang", NULL);
    return true;
}

static void put(struct shim_request *r, const char *xml)
{
    struct buf payload = BUF_INIT;

    buf_adds(&payload, xml);
    entity_put_payload(&r->body, &payload);
    buf_release(&payload);
}

static bool restart_with_stanza(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r))
        put(r, "<message xmlns='" XML_NS_CLIENT "' to='echo@localhost' "
               "id='early'><body>hello</body></message>");
    return true;
}

static bool open_stream(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r))
        put(r, "<stream:stream to='localhost' version='1.0' "
               "xmlns:stream='" XML_NS_STREAM "'/>");
    return true;
}

static bool restart_as_creation(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (is_restart(r)) {
        entity_set(&r->body, "wait", "60");
        entity_set(&r->body, "hold", "1");
        entity_set(&r->body, "ver", "1.6");
    }
    return true;
}

#define JUMP 7

/* cs->rid: how far it has jumped. */
static bool restart_skips(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid)
        cs->rid = 0;
    if (is_restart(r))
        cs->rid = JUMP;
    entity_set_number(&r->body, "rid", r->rid + cs->rid);
    return true;
}

/* cs->flag: the manager has said that it knows restarts. */
static bool note_restartlogic(struct client_shim *cs, struct shim_answer *a)
{
    if (entity_number(&a->body, "wait"))
        cs->flag = entity_has(&a->body, "xmpp:restartlogic", "true");
    return true;
}

static bool restart_if_told(struct client_shim *cs, struct shim_request *r)
{
    return cs->flag || !is_restart(r);
}

/* ---- features, §4 ---- */

/* cs->flag: they have come. */
static bool note_features(struct client_shim *cs, struct shim_answer *a)
{
    if (strstr(buf_str(&a->body), "<mechanisms"))
        cs->flag = true;
    return true;
}

static bool wait_for_features(struct client_shim *cs, struct shim_request *r)
{
    char *sid = entity_attr(&r->body, "sid");
    bool creates = sid == NULL;

    free(sid);
    return cs->flag || creates;
}

static bool ask_for_features_once(struct client_shim *cs,
                                  struct shim_request *r)
{
    return wait_for_features(cs, r) || cs->count++ == 0;
}

#define AUTH_PLAIN                                                             \
    "<auth xmlns='" XML_NS_SASL "' mechanism='PLAIN'>AGFsaWNlAHNlY3JldA=="     \
    "</auth>"

static bool guess_mechanism(struct client_shim *cs, struct shim_request *r)
{
    if (!wait_for_features(cs, r) && r->attempt == 1 && cs->count++ == 0)
        put(r, AUTH_PLAIN);
    return true;
}

#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define COMPRESS                                                               \
    "<compress xmlns='http://jabber.org/protocol/compress'>"                   \
    "<method>zlib</method></compress>"

/* cs->flag: the feature was seen. What is asked for comes in place of the
 * login. */
static bool ask_instead(struct client_shim *cs, struct shim_request *r,
                        const char *xml)
{
    struct buf auth = BUF_INIT;

    if (cs->flag && entity_has_child(&r->body, "auth")) {
        entity_take_payload(&r->body, &auth);
        put(r, xml);
    }
    buf_release(&auth);
    return true;
}

static bool note_starttls(struct client_shim *cs, struct shim_answer *a)
{
    if (strstr(buf_str(&a->body), "<starttls"))
        cs->flag = true;
    return true;
}

static bool ask_for_tls(struct client_shim *cs, struct shim_request *r)
{
    return ask_instead(cs, r, STARTTLS);
}

static bool note_compression(struct client_shim *cs, struct shim_answer *a)
{
    if (strstr(buf_str(&a->body), "<compression"))
        cs->flag = true;
    return true;
}

static bool ask_for_compression(struct client_shim *cs, struct shim_request *r)
{
    return ask_instead(cs, r, COMPRESS);
}

/* ---- SASL ---- */

static bool swallow_failure(struct client_shim *cs, struct said *said)
{
    (void)cs;
    return !said->value || (strcmp(said->value, "authfail") != 0 &&
                            strcmp(said->value, "disconnecting") != 0 &&
                            strcmp(said->value, "disconnected") != 0);
}

static bool end_quietly(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return !entity_has(&r->body, "type", "terminate");
}

/* SCRAM's success has a signature that is looked at. */
static void log_in_plainly(struct bosh_options *o)
{
    o->mechanisms = "PLAIN";
}

static bool take_failure_for_success(struct client_shim *cs,
                                     struct shim_answer *a)
{
    (void)cs;
    if (strstr(buf_str(&a->body), "<failure xmlns='" XML_NS_SASL "'")) {
        struct buf success = BUF_INIT;

        entity_take_payload(&a->body, &success);
        buf_clear(&success);
        buf_adds(&success, "<success xmlns='" XML_NS_SASL "'/>");
        entity_put_payload(&a->body, &success);
        buf_release(&success);
    }
    return true;
}

static bool send_beside_auth(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (entity_has_child(&r->body, "auth"))
        put(r, "<presence xmlns='" XML_NS_CLIENT "'/>");
    return true;
}

static bool auth_without_namespace(struct client_shim *cs,
                                   struct shim_request *r)
{
    (void)cs;
    entity_replace(&r->body, " xmlns='" XML_NS_SASL "'", "");
    return true;
}

static bool stanzas_without_namespace(struct client_shim *cs,
                                      struct shim_request *r)
{
    (void)cs;
    entity_replace(&r->body, " xmlns='" XML_NS_CLIENT "'", "");
    return true;
}

const struct twin twins_client_login[] = {
    {"forgets-the-restart", TWIN_FAULTY, "polls where a restart is due",
     CLIENT(.request = forget_restart)},
    {"restarts-unqualified", TWIN_FAULTY,
     "has its restart attribute in no namespace",
     CLIENT(.request = restart_unqualified)},
    {"restarts-with-other-words", TWIN_FAULTY, "says restart='yes'",
     CLIENT(.request = restart_with_yes)},
    {"restarts-without-to", TWIN_FAULTY,
     "does not say the domain in its restart",
     CLIENT(.request = restart_without_to)},
    {"restarts-without-lang", TWIN_FAULTY,
     "does not say its language in its restart",
     CLIENT(.request = restart_without_lang)},
    {"restarts-with-a-stanza", TWIN_FAULTY,
     "puts a message into its restart and forgets about it",
     CLIENT(.request = restart_with_stanza)},
    {"restarts-like-a-creation", TWIN_FAULTY,
     "says wait, hold and ver in its restart",
     CLIENT(.request = restart_as_creation)},
    {"restart-skips-rids", TWIN_FAULTY, "jumps to a higher rid for its restart",
     CLIENT(.request = restart_skips)},
    {"opens-a-stream", TWIN_FAULTY, "sends a stream tag where it restarts",
     CLIENT(.request = open_stream)},
    {"restarts-only-if-told", TWIN_FAULTY,
     "restarts only if the manager says restartlogic='true'",
     CLIENT(.request = restart_if_told, .answer = note_restartlogic)},
    {"waits-for-features", TWIN_FAULTY,
     "sends nothing as long as it has no features",
     CLIENT(.request = wait_for_features, .answer = note_features)},
    {"asks-for-features-once", TWIN_FAULTY,
     "sends one empty request for features, and no second",
     CLIENT(.request = ask_for_features_once, .answer = note_features)},
    {"guesses-its-mechanism", TWIN_FAULTY,
     "logs in with PLAIN before it knows what is offered",
     CLIENT(.request = guess_mechanism, .answer = note_features)},
    {"asks-for-tls", TWIN_FAULTY, "sends starttls when it is offered",
     CLIENT(.request = ask_for_tls, .answer = note_starttls)},
    {"asks-for-compression", TWIN_FAULTY,
     "asks for compression when it is offered",
     CLIENT(.request = ask_for_compression, .answer = note_compression)},
    {"says-nothing-of-a-wrong-password", TWIN_FAULTY,
     "keeps a failed login to itself",
     CLIENT(.request = end_quietly, .event = swallow_failure)},
    {"takes-failure-for-success", TWIN_FAULTY, "does not see a login fail",
     CLIENT(.tweak = log_in_plainly, .answer = take_failure_for_success)},
    {"sends-beside-auth", TWIN_FAULTY, "has presence in its auth request",
     CLIENT(.request = send_beside_auth)},
    {"auth-without-namespace", TWIN_FAULTY,
     "has its SASL elements in the namespace of the body",
     CLIENT(.request = auth_without_namespace)},
    {"stanzas-without-namespace", TWIN_FAULTY,
     "has its stanzas in the namespace of the body",
     CLIENT(.request = stanzas_without_namespace)},
    {0},
};
