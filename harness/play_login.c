/* The well-behaved login of the raw client: see play_login.h. */
#include "play_login.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/xml.h"
#include "sasl_client.h"

enum at {
    AT_CREATION,
    AT_FEATURES,
    AT_SASL,
    AT_RESTART, /* until the features of the new stream */
    AT_BIND,
    AT_SESSION,
    AT_END,
    AT_FAILURE,
};

struct play_login {
    char *user; /* NULL: anonymously */
    char *password;
    char *resource;
    uint64_t random;
    bool secure;

    enum at at;
    bool stanzas_due; /* in out */
    bool restart_due;
    struct buf out;

    /* the latest features */
    bool features;
    bool offers_bind;
    bool wants_session; /* offered, and not said to be optional */
    struct buf mechanisms;

    unsigned tried; /* for sasl_client_pick() */
    const char *mechanism;
    struct sasl_client *sasl;
    char iq_id[32];

    char *because;
    bool limited;
};

struct play_login *play_login_new(const struct play_login_options *o)
{
    struct play_login *l = mem_alloc(sizeof *l);

    if (o->jid) {
        l->user = mem_dupn(o->jid, strcspn(o->jid, "@/"));
        l->password = mem_dup(o->password ? o->password : "");
    }
    l->resource = mem_dup(o->resource ? o->resource : "");
    l->random = o->random;
    l->secure = o->secure;
    return l;
}

void play_login_free(struct play_login *l)
{
    if (!l)
        return;
    sasl_client_free(l->sasl);
    buf_release(&l->out);
    buf_release(&l->mechanisms);
    free(l->user);
    free(l->password);
    free(l->resource);
    free(l->because);
    free(l);
}

static const char *what_of(enum at at)
{
    switch (at) {
    case AT_CREATION:
        return "session creation";
    case AT_FEATURES:
        return "stream features";
    case AT_SASL:
        return "SASL";
    case AT_RESTART:
        return "stream restart";
    case AT_BIND:
        return "resource binding";
    case AT_SESSION:
        return "session establishment";
    case AT_END:
    case AT_FAILURE:
        break;
    }
    return "login";
}

const char *play_login_what(const struct play_login *l)
{
    return what_of(l->at);
}

static void fail(struct play_login *l, const char *came)
{
    if (l->at == AT_FAILURE)
        return;
    if (l->at == AT_SASL && l->mechanism)
        l->because = mem_printf("SASL %s: %s", l->mechanism, came);
    else
        l->because = mem_printf("%s: %s", what_of(l->at), came);
    l->limited |= raw_is_limit(came);
    l->at = AT_FAILURE;
}

/* ---- what we send ---- */

static void send_sasl(struct play_login *l, const char *element,
                      const char *attrs, const char *text)
{
    buf_clear(&l->out);
    buf_printf(&l->out, "<%s xmlns='" XML_NS_SASL "'%s", element, attrs);
    if (*text)
        buf_printf(&l->out, ">%s</%s>", text, element);
    else
        buf_adds(&l->out, "/>");
    l->stanzas_due = true;
}

/* Who refuses a proof does not get the password in clear, on a way where others
 * may listen. Source: RFC 6120 §13.9.4 */
static bool gives_away(const struct play_login *l, const char *mechanism)
{
    return !l->secure && strcmp(mechanism, "PLAIN") == 0;
}

/* Begin with the strongest mechanism that was not tried yet. */
static void start_sasl(struct play_login *l, const char *refused)
{
    char *initial = NULL;
    char *attrs;

    l->at = AT_SASL;
    sasl_client_free(l->sasl);
    l->sasl = NULL;
    if (!l->mechanisms.len) {
        fail(l, "no mechanisms offered");
        return;
    }
    for (;;) {
        const char *next = sasl_client_pick(buf_str(&l->mechanisms),
                                            l->user != NULL, &l->tried);

        if (!next || (refused && gives_away(l, next))) {
            fail(l, refused ? refused : "no mechanism of ours is offered");
            return;
        }
        l->mechanism = next;
        l->sasl = sasl_client_new(next, l->user, l->password);
        if (l->sasl && sasl_client_step(l->sasl, "", &initial) == 0)
            break;
        sasl_client_free(l->sasl);
        l->sasl = NULL;
    }
    attrs = mem_printf(" mechanism='%s'", l->mechanism);
    /* "=" is an initial response without a byte, RFC 6120 §6.4.2 */
    send_sasl(l, "auth", attrs, *initial ? initial : "=");
    free(attrs);
    free(initial);
}

static void start_iq(struct play_login *l, const char *kind)
{
    snprintf(l->iq_id, sizeof l->iq_id, "%s-%08" PRIx32, kind,
             (uint32_t)l->random);
    buf_clear(&l->out);
    buf_printf(&l->out, "<iq xmlns='" XML_NS_CLIENT "' type='set' id='%s'>",
               l->iq_id);
    l->stanzas_due = true;
}

static void start_bind(struct play_login *l)
{
    l->at = AT_BIND;
    if (!l->offers_bind) {
        fail(l, "not offered");
        return;
    }
    start_iq(l, "bind");
    buf_adds(&l->out, "<bind xmlns='" XML_NS_BIND "'>");
    if (l->resource[0]) {
        buf_adds(&l->out, "<resource>");
        buf_add_xml(&l->out, l->resource, strlen(l->resource));
        buf_adds(&l->out, "</resource>");
    }
    buf_adds(&l->out, "</bind></iq>");
}

static void start_session(struct play_login *l)
{
    l->at = AT_SESSION;
    start_iq(l, "session");
    buf_adds(&l->out, "<session xmlns='" XML_NS_SESSION "'/></iq>");
}

/* ---- what came ---- */

static void note_features(struct play_login *l, const xmlNode *features)
{
    const xmlNode *list = xml_child(features, XML_NS_SASL, "mechanisms");
    const xmlNode *session = xml_child(features, XML_NS_SESSION, "session");

    l->features = true;
    l->offers_bind = xml_child(features, XML_NS_BIND, "bind") != NULL;
    l->wants_session =
        session && !xml_child(session, XML_NS_SESSION, "optional");
    buf_clear(&l->mechanisms);
    for (xmlNodePtr n = list ? xml_child(list, XML_NS_SASL, "mechanism") : NULL;
         n; n = xml_next(n)) {
        char *name = xml_text(n);

        if (*name)
            buf_printf(&l->mechanisms, "%s%s", l->mechanisms.len ? " " : "",
                       name);
        free(name);
    }
}

/* The text of an element without the white space that a server may have put
 * around the base64. Yours. */
static char *base64_text(const xmlNode *node)
{
    char *text = xml_text(node);
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (!strchr(" \t\r\n", *from))
            *to++ = *from;
    }
    *to = '\0';
    if (strcmp(text, "=") == 0)
        *text = '\0';
    return text;
}

static void take_challenge(struct play_login *l, const xmlNode *node)
{
    char *in = base64_text(node);
    char *reply = NULL;

    if (sasl_client_step(l->sasl, in, &reply) == 0)
        send_sasl(l, "response", "", reply);
    else
        fail(l, "the server's challenge is wrong");
    free(in);
    free(reply);
}

static void take_success(struct play_login *l, const xmlNode *node)
{
    char *in = base64_text(node);
    char *reply = NULL;

    /* A success without the server's signature is let pass: the login is a
     * means here, what it owes to SASL is no case's subject. */
    if (*in && !sasl_client_done(l->sasl) &&
        sasl_client_step(l->sasl, in, &reply) != 0) {
        fail(l, "the server's signature is wrong");
    } else {
        l->at = AT_RESTART;
        l->restart_due = true;
        l->features = false; /* of the stream before */
    }
    free(in);
    free(reply);
}

static void take_refusal(struct play_login *l, const xmlNode *node)
{
    const char *condition = raw_condition(node);

    if (!condition)
        condition = "failure without a condition";
    if (raw_is_limit(condition))
        fail(l, condition);
    else
        start_sasl(l, condition);
}

static void take_sasl(struct play_login *l, const xmlNode *node)
{
    if (l->at != AT_SASL || l->stanzas_due)
        return;
    if (xml_is(node, XML_NS_SASL, "challenge"))
        take_challenge(l, node);
    else if (xml_is(node, XML_NS_SASL, "success"))
        take_success(l, node);
    else if (xml_is(node, XML_NS_SASL, "failure"))
        take_refusal(l, node);
}

static void take_bound(struct play_login *l, const xmlNode *iq)
{
    const xmlNode *bind = xml_child(iq, XML_NS_BIND, "bind");

    if (!bind || !xml_child(bind, NULL, "jid")) {
        fail(l, "the result has no jid");
        return;
    }
    if (l->wants_session)
        start_session(l);
    else
        l->at = AT_END;
}

static void take_iq(struct play_login *l, const xmlNode *iq)
{
    const char *id = xml_attr(iq, NULL, "id");
    const char *type = xml_attr(iq, NULL, "type");
    const xmlNode *error = xml_child(iq, NULL, "error");

    if ((l->at != AT_BIND && l->at != AT_SESSION) || l->stanzas_due || !id ||
        !type || strcmp(id, l->iq_id) != 0)
        return;
    if (strcmp(type, "error") == 0) {
        const char *condition = error ? raw_condition(error) : NULL;

        fail(l, condition ? condition : "an error without a condition");
    } else if (strcmp(type, "result") == 0) {
        if (l->at == AT_BIND)
            take_bound(l, iq);
        else
            l->at = AT_END;
    }
}

static void take_payload(struct play_login *l, const xmlNode *n)
{
    if (xml_is(n, XML_NS_STREAM, "features"))
        note_features(l, n);
    else if (strcmp((const char *)n->name, "iq") == 0)
        take_iq(l, n); /* some servers leave its namespace out */
    else
        take_sasl(l, n);
}

/* Not a good answer: what came, and whether it was a limit. */
static void take_bad(struct play_login *l, const struct raw_answer *a)
{
    const xmlNode *error =
        a->body ? xml_child(a->body, XML_NS_STREAM, "error") : NULL;
    char *came = raw_answer_words(a);

    l->limited = raw_is_limit(a->condition) ||
                 (error && raw_is_limit(raw_condition(error)));
    fail(l, came);
    free(came);
}

void play_login_take(struct play_login *l, const struct raw_answer *a)
{
    if (!raw_answer_good(a)) {
        take_bad(l, a);
        return;
    }
    if (l->at == AT_CREATION && !xml_attr(a->body, NULL, "sid")) {
        fail(l, "the answer has no sid");
        return;
    }
    if (l->at == AT_CREATION)
        l->at = AT_FEATURES;
    for (xmlNodePtr n = xml_child(a->body, NULL, NULL); n; n = xml_next(n))
        take_payload(l, n);
    if (l->at == AT_FEATURES && l->features)
        start_sasl(l, NULL);
    else if (l->at == AT_RESTART && !l->restart_due && l->features)
        start_bind(l);
}

enum login_wants play_login_next(struct play_login *l, const char **stanzas)
{
    if (l->at == AT_FAILURE)
        return LOGIN_FAILED;
    if (l->at == AT_END)
        return LOGIN_DONE;
    if (l->restart_due) {
        l->restart_due = false;
        return LOGIN_RESTART;
    }
    if (!l->stanzas_due)
        return LOGIN_POLL;
    l->stanzas_due = false;
    *stanzas = buf_str(&l->out);
    return LOGIN_SEND;
}

const char *play_login_because(const struct play_login *l)
{
    return l->because ? l->because : "";
}

bool play_login_limited(const struct play_login *l)
{
    return l->limited;
}
