/* XMPP's login over BOSH: see login.h. */
#include "login.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#define BIND_ID "bind"
#define SESSION_ID "session"

/* Half a second's work on a machine of today, in which nothing else is done. */
#define SCRAM_ITERATIONS_MAX 1000000

#define NS_STANZAS "urn:ietf:params:xml:ns:xmpp-stanzas"

struct login {
    char *node; /* NULL: a bare domain */
    char *domain;
    char *resource;
    char *password; /* these two NULL for none */
    char *token;
    bool certificate;
    char *allowed; /* NULL: all */
    const struct mechanism *chosen;
    Gsasl *gsasl;
    Gsasl_session *sasl; /* NULL for what we do by hand */
    bool complete;       /* GNU SASL has all that it wants */
};

enum needs { NEEDS_NOTHING, NEEDS_PASSWORD, NEEDS_TOKEN, NEEDS_CERTIFICATE };

static void write_external(const struct login *l, struct buf *out);
static void write_bearer(const struct login *l, struct buf *out);

/* Strongest first. */
static const struct mechanism {
    const char *name;
    enum needs needs;
    /* Its only message, where that is all there is to it; NULL: GNU SASL. */
    void (*write)(const struct login *l, struct buf *out);
} MECHANISMS[] = {
    {"EXTERNAL", NEEDS_CERTIFICATE, write_external},
    {"OAUTHBEARER", NEEDS_TOKEN, write_bearer},
    {"SCRAM-SHA-512", NEEDS_PASSWORD, NULL},
    {"SCRAM-SHA-256", NEEDS_PASSWORD, NULL},
    {"SCRAM-SHA-1", NEEDS_PASSWORD, NULL},
    {"PLAIN", NEEDS_PASSWORD, NULL},
    {"ANONYMOUS", NEEDS_NOTHING, NULL},
};
#define MECHANISM_COUNT (sizeof MECHANISMS / sizeof MECHANISMS[0])

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

static char *dup_if_any(const char *text)
{
    return text && *text ? mem_dup(text) : NULL;
}

struct login *login_new(const char *jid, const struct login_proofs *proofs,
                        const char *mechanisms, struct err *e)
{
    const char *start = domain_start(jid);
    struct login *l = mem_alloc(sizeof *l);

    l->domain = login_jid_domain(jid);
    l->resource = login_jid_resource(jid);
    l->password = dup_if_any(proofs->password);
    l->token = dup_if_any(proofs->token);
    l->certificate = proofs->certificate;
    l->allowed = mem_dup(mechanisms);
    if (start != jid)
        l->node = mem_dupn(jid, (size_t)(start - jid) - 1);
    if (!l->domain || (l->node && !*l->node)) {
        err_set(e, "'%s' is not a JID", jid);
        login_free(l);
        return NULL;
    }
    if (gsasl_init(&l->gsasl) != GSASL_OK) {
        err_set(e, "GNU SASL cannot be started");
        login_free(l);
        return NULL;
    }
    return l;
}

void login_free(struct login *l)
{
    if (!l)
        return;
    if (l->sasl)
        gsasl_finish(l->sasl);
    if (l->gsasl)
        gsasl_done(l->gsasl);
    if (l->password)
        explicit_bzero(l->password, strlen(l->password));
    if (l->token)
        explicit_bzero(l->token, strlen(l->token));
    free(l->node);
    free(l->domain);
    free(l->resource);
    free(l->password);
    free(l->token);
    free(l->allowed);
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

const char *login_mechanism(const struct login *l)
{
    return l->chosen ? l->chosen->name : NULL;
}

static char *bare_jid(const struct login *l)
{
    return l->node ? mem_printf("%s@%s", l->node, l->domain) : NULL;
}

char *login_restart_from(const struct login *l)
{
    bool external = l->chosen && l->chosen->needs == NEEDS_CERTIFICATE;

    return external ? bare_jid(l) : NULL;
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

/* ---- SASL ---------------------------------------------------------------- */

static bool is_word_of(const char *words, const char *word)
{
    size_t len = strlen(word);

    while (*words) {
        size_t word_len = strcspn(words, " ");

        if (word_len == len && strncmp(words, word, len) == 0)
            return true;
        words += word_len;
        words += strspn(words, " ");
    }
    return false;
}

static bool is_offered(const xmlNode *features, const char *name)
{
    const xmlNode *list = xml_child(features, XML_NS_SASL, "mechanisms");
    const xmlNode *m;

    for (m = xml_child(list, XML_NS_SASL, "mechanism"); m; m = xml_next(m)) {
        char *text = xml_text(m);
        bool same = strcmp(text, name) == 0;

        free(text);
        if (same)
            return true;
    }
    return false;
}

static bool is_usable(const struct login *l, const struct mechanism *m)
{
    bool have_password = l->node && l->password;
    bool have_token = l->node && l->token;

    if (l->allowed && !is_word_of(l->allowed, m->name))
        return false;
    if (!m->write && !gsasl_client_support_p(l->gsasl, m->name))
        return false;
    switch (m->needs) {
    case NEEDS_NOTHING:
        /* Who says who he is does not want to be nobody. */
        return !have_password && !have_token && !l->certificate;
    case NEEDS_PASSWORD:
        return have_password;
    case NEEDS_TOKEN:
        return have_token;
    case NEEDS_CERTIFICATE:
        return l->certificate;
    }
    return false;
}

static const struct mechanism *choose(const struct login *l,
                                      const xmlNode *features)
{
    for (size_t i = 0; i < MECHANISM_COUNT; i++) {
        const struct mechanism *m = &MECHANISMS[i];

        if (is_usable(l, m) && is_offered(features, m->name))
            return m;
    }
    return NULL;
}

/* ---- Mechanisms of one message, by hand ------------------------------------
 */

/* As base64; "=" stands for nothing at all, RFC 6120 §6.4.2. */
static void add_base64(struct buf *out, const struct buf *data)
{
    char *text = NULL;

    if (data->len == 0) {
        buf_addc(out, '=');
        return;
    }
    if (gsasl_base64_to(data->data, data->len, &text, NULL) != GSASL_OK)
        abort(); /* no memory */
    buf_adds(out, text);
    gsasl_free(text);
}

/* XEP-0178 §3: who we want to be; the certificate says whether we may. */
static void write_external(const struct login *l, struct buf *out)
{
    char *jid = bare_jid(l);

    if (jid)
        buf_adds(out, jid);
    free(jid);
}

/* A name in a GS2 header, RFC 5801 §4. */
static void add_gs2_name(struct buf *out, const char *name)
{
    for (; *name; name++) {
        if (*name == ',')
            buf_adds(out, "=2C");
        else if (*name == '=')
            buf_adds(out, "=3D");
        else
            buf_addc(out, *name);
    }
}

/* RFC 7628 §3.1; host and port may be left out. */
static void write_bearer(const struct login *l, struct buf *out)
{
    char *jid = bare_jid(l);

    buf_adds(out, "n,a=");
    add_gs2_name(out, jid);
    buf_printf(out, ",\001auth=Bearer %s\001\001", l->token);
    free(jid);
}

static void begin_by_hand(struct login *l, struct buf *out)
{
    struct buf message = BUF_INIT;

    l->chosen->write(l, &message);
    buf_printf(out, "<auth xmlns='%s' mechanism='%s'>", XML_NS_SASL,
               l->chosen->name);
    add_base64(out, &message);
    buf_adds(out, "</auth>");
    l->complete = true;
    if (message.data)
        explicit_bzero(message.data, message.len);
    buf_release(&message);
}

/* RFC 7628 §3.2.3: a challenge is a refusal, and 0x01 says that it was read.
 * EXTERNAL knows no challenge but the empty one, to which we have said all. */
static void answer_by_hand(const struct login *l, struct buf *out)
{
    const char *text = l->chosen->needs == NEEDS_TOKEN ? "AQ==" : "=";

    buf_printf(out, "<response xmlns='%s'>%s</response>", XML_NS_SASL, text);
}

/* ---- The others ------------------------------------------------------------
 */

/* One step of the mechanism: text in and out as base64, "" for nothing. */
static int step(struct login *l, const char *in, char **out, struct err *e)
{
    int rc = gsasl_step64(l->sasl, in, out);

    if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
        return err_set(e, "%s: %s", l->chosen->name, gsasl_strerror(rc));
    l->complete = rc == GSASL_OK;
    return 0;
}

static int start_mechanism(struct login *l, struct err *e)
{
    int rc = gsasl_client_start(l->gsasl, l->chosen->name, &l->sasl);
    if (rc != GSASL_OK)
        return err_set(e, "%s: %s", l->chosen->name, gsasl_strerror(rc));
    gsasl_property_set(l->sasl, GSASL_AUTHID, l->node ? l->node : "");
    gsasl_property_set(l->sasl, GSASL_PASSWORD, l->password ? l->password : "");
    gsasl_property_set(l->sasl, GSASL_ANONYMOUS_TOKEN, "");
    return 0;
}

static void end_mechanism(struct login *l)
{
    if (l->sasl)
        gsasl_finish(l->sasl);
    l->sasl = NULL;
    l->complete = false;
}

int login_begin(struct login *l, const xmlNode *features, struct buf *out,
                struct err *e)
{
    char *text = NULL;

    end_mechanism(l);
    l->chosen = choose(l, features);
    if (!l->chosen)
        return err_set(e, "no SASL mechanism is offered that can be used");
    if (l->chosen->write) {
        begin_by_hand(l, out);
        return 0;
    }
    if (start_mechanism(l, e) || step(l, NULL, &text, e))
        return -1;
    buf_printf(out, "<auth xmlns='%s' mechanism='%s'", XML_NS_SASL,
               l->chosen->name);
    if (text && *text)
        buf_printf(out, ">%s</auth>", text);
    else
        buf_adds(out, "/>");
    gsasl_free(text);
    return 0;
}

/* The base64 inside an element, yours; "=" stands for nothing at all. */
static char *sasl_text(const xmlNode *element)
{
    char *text = xml_text(element);
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

/* SCRAM lets the server choose how often the password is hashed, RFC 5802
 * §5.1; GNU SASL would do so for hours. */
static bool asks_too_much(const char *in)
{
    char *data = NULL;
    char *message;
    size_t len = 0;
    const char *count;
    bool too_much;

    if (gsasl_base64_from(in, strlen(in), &data, &len) != GSASL_OK)
        return false; /* GNU SASL will say so */
    message = mem_dupn(data, len);
    count = strstr(message, ",i=");
    too_much = count && strtoul(count + 3, NULL, 10) > SCRAM_ITERATIONS_MAX;
    free(message);
    gsasl_free(data);
    return too_much;
}

int login_step(struct login *l, const xmlNode *challenge, struct buf *out,
               struct err *e)
{
    char *in = sasl_text(challenge);
    char *text = NULL;
    int rc = -1;

    if (!l->chosen) {
        err_set(e, "a challenge came before a mechanism was chosen");
    } else if (l->chosen->write) {
        answer_by_hand(l, out);
        rc = 0;
    } else if (!l->sasl) {
        err_set(e, "a challenge came before a mechanism was chosen");
    } else if (asks_too_much(in)) {
        err_set(e, "%s: the server asks for more than %d iterations",
                l->chosen->name, SCRAM_ITERATIONS_MAX);
    } else if (step(l, in, &text, e) == 0) {
        buf_printf(out, "<response xmlns='%s'", XML_NS_SASL);
        if (text && *text)
            buf_printf(out, ">%s</response>", text);
        else
            buf_adds(out, "/>");
        rc = 0;
    }
    gsasl_free(text);
    free(in);
    return rc;
}

int login_finish(struct login *l, const xmlNode *success, struct err *e)
{
    char *in, *text = NULL;
    int rc = 0;

    if (!l->chosen)
        return err_set(e, "success came before a mechanism was chosen");
    in = sasl_text(success);
    if (*in && !l->complete)
        rc = step(l, in, &text, e);
    if (rc == 0 && !l->complete)
        rc = err_set(e, "%s: the server did not prove itself", l->chosen->name);
    gsasl_free(text);
    free(in);
    return rc;
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
