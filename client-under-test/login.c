/* XMPP's login over BOSH: see login.h. */
#include "login.h"

#include <stdlib.h>
#include <string.h>

#define BIND_ID "bind"
#define SESSION_ID "session"

#define NS_STANZAS "urn:ietf:params:xml:ns:xmpp-stanzas"

struct login {
    char *node; /* NULL: a bare domain */
    char *domain;
    char *resource;
    struct sasl *sasl;
};

static const char *domain_start(const char *jid)
{
    size_t bare_len = strcspn(jid, "/");
    const char *at = memchr(jid, '@', bare_len);

    return at ? at + 1 : jid;
}

char *login_jid_domain(const char *jid)
{
    const char *start = domain_start(jid);
    size_t len = strcspn(start, "/");

    return len ? mem_dupn(start, len) : NULL;
}

char *login_jid_resource(const char *jid)
{
    const char *slash = strchr(jid, '/');

    return slash && slash[1] ? mem_dup(slash + 1) : NULL;
}

struct login *login_new(const char *jid, const struct sasl_proofs *proofs,
                        const char *mechanisms, struct err *e)
{
    const char *start = domain_start(jid);
    struct login *l = mem_alloc(sizeof *l);

    l->domain = login_jid_domain(jid);
    l->resource = login_jid_resource(jid);
    if (start != jid)
        l->node = mem_dupn(jid, (size_t)(start - jid) - 1);
    if (!l->domain || (l->node && !*l->node))
        err_set(e, "'%s' is not a JID", jid);
    else
        l->sasl = sasl_new(l->node, l->domain, proofs, mechanisms, e);
    if (l->sasl)
        return l;
    login_free(l);
    return NULL;
}

void login_free(struct login *l)
{
    if (!l)
        return;
    sasl_free(l->sasl);
    free(l->node);
    free(l->domain);
    free(l->resource);
    free(l);
}

const char *login_domain(const struct login *l)
{
    return l->domain;
}

const char *login_resource(const struct login *l)
{
    return l->resource;
}

struct sasl *login_sasl(const struct login *l)
{
    return l->sasl;
}

char *login_restart_from(const struct login *l)
{
    return l->node && sasl_is_by_certificate(l->sasl)
               ? mem_printf("%s@%s", l->node, l->domain)
               : NULL;
}

static bool is_our_reply(const xmlNode *iq)
{
    return login_is_bind_reply(iq) || login_is_session_reply(iq);
}

enum login_kind login_kind_of(const xmlNode *element)
{
    if (xml_is(element, XML_NS_STREAM, "features"))
        return LOGIN_FEATURES;
    if (xml_is(element, XML_NS_STREAM, "error"))
        return LOGIN_STREAM_ERROR;
    if (xml_is(element, XML_NS_SASL, "challenge"))
        return LOGIN_CHALLENGE;
    if (xml_is(element, XML_NS_SASL, "success"))
        return LOGIN_SUCCESS;
    if (xml_is(element, XML_NS_SASL, "failure"))
        return LOGIN_FAILURE;
    return is_our_reply(element) ? LOGIN_REPLY : LOGIN_OTHER;
}

/* ---- Binding ---------------------------------------------------------------
 */

bool login_offers_bind(const xmlNode *features)
{
    return xml_child(features, XML_NS_BIND, "bind") != NULL;
}

bool login_needs_session(const xmlNode *features)
{
    const xmlNode *session = xml_child(features, XML_NS_SESSION, "session");

    return session && !xml_child(session, NULL, "optional");
}

void login_write_bind(struct buf *out, const char *resource)
{
    buf_printf(out, "<iq xmlns='%s' type='set' id='%s'><bind xmlns='%s'",
               XML_NS_CLIENT, BIND_ID, XML_NS_BIND);
    if (resource && *resource) {
        buf_adds(out, "><resource>");
        buf_add_xml(out, resource, strlen(resource));
        buf_adds(out, "</resource></bind></iq>");
    } else {
        buf_adds(out, "/></iq>");
    }
}

void login_write_session(struct buf *out)
{
    buf_printf(out,
               "<iq xmlns='%s' type='set' id='%s'><session xmlns='%s'/></iq>",
               XML_NS_CLIENT, SESSION_ID, XML_NS_SESSION);
}

/* Old managers leave stanzas in BOSH's namespace: XEP-0206 §2, note. */
static bool is_reply(const xmlNode *iq, const char *id)
{
    const char *type = xml_attr(iq, NULL, "type");
    const char *got = xml_attr(iq, NULL, "id");

    return (xml_is(iq, XML_NS_CLIENT, "iq") ||
            xml_is(iq, XML_NS_HTTPBIND, "iq")) &&
           got && strcmp(got, id) == 0 && type &&
           (strcmp(type, "result") == 0 || strcmp(type, "error") == 0);
}

bool login_is_bind_reply(const xmlNode *iq)
{
    return is_reply(iq, BIND_ID);
}

bool login_is_session_reply(const xmlNode *iq)
{
    return is_reply(iq, SESSION_ID);
}

bool login_is_result(const xmlNode *iq)
{
    const char *type = xml_attr(iq, NULL, "type");

    return type && strcmp(type, "result") == 0;
}

char *login_bound_jid(const xmlNode *iq)
{
    const xmlNode *bind = xml_child(iq, XML_NS_BIND, "bind");
    const xmlNode *jid = xml_child(bind, XML_NS_BIND, "jid");
    char *text = jid ? xml_text(jid) : NULL;

    if (text && !*text) {
        free(text);
        text = NULL;
    }
    return text;
}

/* The first child that is a condition and not its explanation. */
static const char *condition_in(const xmlNode *element, const char *ns)
{
    const xmlNode *child;

    for (child = xml_child(element, ns, NULL); child; child = xml_next(child)) {
        const char *name = (const char *)child->name;

        if (xml_is(child, ns, name) && strcmp(name, "text") != 0)
            return name;
    }
    return NULL;
}

const char *login_condition(const xmlNode *element)
{
    if (xml_is(element, XML_NS_SASL, "failure"))
        return condition_in(element, XML_NS_SASL);
    if (xml_is(element, XML_NS_STREAM, "error"))
        return condition_in(element, "urn:ietf:params:xml:ns:xmpp-streams");
    return condition_in(xml_child(element, NULL, "error"), NS_STANZAS);
}
