/* The small XMPP server: see backend.h. */
#include "backend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

#include "keytable.h"
#include "saslserver.h"
#include "stanza.h"

#define NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define NS_COMPRESSION "http://jabber.org/features/compress"
#define NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define ECHO_USER "echo"
#define RESOURCE_MAX 1023 /* bytes, RFC 6122 §2.4 */
#define RANDOM_NAME_LEN 8 /* bytes of chance in a generated name */

enum stage {
    STAGE_NEW,           /* SASL is offered, RFC 6120 §6 */
    STAGE_AUTHENTICATED, /* success was sent, a restart is due, §6.4.6 */
    STAGE_RESTARTED,     /* binding is offered, §7 */
    STAGE_BOUND,
    STAGE_OVER, /* a stream error was sent, §4.9 */
};

struct backend_stream {
    struct backend *backend;
    void *owner;
    enum stage stage;
    struct saslserver_exchange *sasl; /* NULL: none under way */
    int failed_logins;
    char *user; /* local part; NULL before login */
    char *bare; /* user@domain */
    char *jid;  /* full; NULL while not bound */
    /* streams of one bare JID, newest first; only while bound */
    struct backend_stream *older;
    struct backend_stream *newer;
};

struct backend {
    const struct mock_options *options;
    const struct backend_events *events;
    struct saslserver *sasl;
    struct keytable by_jid;  /* full JID to stream */
    struct keytable by_bare; /* bare JID to its newest stream */
};

/* ------------------------------------------------------------- lifecycle */

struct backend *backend_new(const struct mock_options *options,
                            const struct backend_events *events)
{
    struct backend *b = mem_alloc(sizeof *b);
    uint64_t seed;

    options->random(options->random_arg, &seed, sizeof seed);
    b->options = options;
    b->events = events;
    b->sasl = saslserver_new(options);
    keytable_init(&b->by_jid, seed);
    keytable_init(&b->by_bare, seed);
    return b;
}

void backend_free(struct backend *b)
{
    if (!b)
        return;
    assert(b->by_jid.count == 0);
    keytable_release(&b->by_jid);
    keytable_release(&b->by_bare);
    saslserver_free(b->sasl);
    free(b);
}

static void deliver(struct backend_stream *s, struct buf *xml)
{
    if (xml->len)
        s->backend->events->deliver(s->owner, xml->data, xml->len);
    buf_clear(xml);
}

static void fail_stream(struct backend_stream *s, const char *condition)
{
    struct buf xml = BUF_INIT;

    if (s->stage == STAGE_OVER)
        return;
    s->stage = STAGE_OVER;
    buf_printf(
        &xml, "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/></stream:error>",
        condition);
    s->backend->events->stream_error(s->owner, xml.data, xml.len);
    buf_release(&xml);
}

static void add_mechanism(struct buf *out, const char *name, size_t len)
{
    buf_adds(out, "<mechanism>");
    buf_add_xml(out, name, len);
    buf_adds(out, "</mechanism>");
}

static void add_mechanisms(struct buf *out, const struct mock_options *o)
{
    const char *list = o->mechanisms;
    bool has_anonymous = !o->anonymous;

    buf_adds(out, "<mechanisms xmlns='" XML_NS_SASL "'>");
    for (;;) {
        size_t len;

        list += strspn(list, " ");
        len = strcspn(list, " ");
        if (!len)
            break;
        add_mechanism(out, list, len);
        if (len == strlen("ANONYMOUS") && memcmp(list, "ANONYMOUS", len) == 0)
            has_anonymous = true;
        list += len;
    }
    if (!has_anonymous)
        add_mechanism(out, "ANONYMOUS", strlen("ANONYMOUS"));
    buf_adds(out, "</mechanisms>");
}

/* Over HTTP both are the business of HTTP, XEP-0206 §2 and §4. */
static void add_other_features(struct buf *out, const struct mock_options *o)
{
    const char *offers = o->offers ? o->offers : "";

    if (strstr(offers, "starttls"))
        buf_adds(out, "<starttls xmlns='" NS_TLS "'/>");
    if (strstr(offers, "compression"))
        buf_adds(out, "<compression xmlns='" NS_COMPRESSION "'>"
                      "<method>zlib</method></compression>");
}

static void send_features(struct backend_stream *s)
{
    bool bare = s->backend->options->other_prefixes;
    struct buf xml = BUF_INIT;

    buf_adds(&xml, bare ? "<features xmlns='" XML_NS_STREAM "'>"
                        : "<stream:features>");
    if (!s->user)
        add_other_features(&xml, s->backend->options);
    if (s->user)
        buf_adds(&xml,
                 "<bind xmlns='" XML_NS_BIND "'/>"
                 "<session xmlns='" XML_NS_SESSION "'><optional/></session>");
    else
        add_mechanisms(&xml, s->backend->options);
    buf_adds(&xml, bare ? "</features>" : "</stream:features>");
    deliver(s, &xml);
    buf_release(&xml);
}

struct backend_stream *backend_open(struct backend *b, void *owner)
{
    struct backend_stream *s = mem_alloc(sizeof *s);

    s->backend = b;
    s->owner = owner;
    send_features(s);
    return s;
}

/* ------------------------------------------------------------- resources */

static struct backend_stream *by_jid(const struct backend *b, const char *jid)
{
    return keytable_get(&b->by_jid, jid, strlen(jid));
}

static struct backend_stream *by_bare(const struct backend *b, const char *jid)
{
    return keytable_get(&b->by_bare, jid, strlen(jid));
}

static void unbind(struct backend_stream *s)
{
    struct backend *b = s->backend;

    if (!s->jid)
        return;
    keytable_remove(&b->by_jid, s->jid, strlen(s->jid));
    if (s->older)
        s->older->newer = s->newer;
    if (s->newer)
        s->newer->older = s->older;
    else if (s->older) /* the key must live as long as its stream */
        keytable_put(&b->by_bare, s->older->bare, strlen(s->older->bare),
                     s->older);
    else
        keytable_remove(&b->by_bare, s->bare, strlen(s->bare));
    s->older = s->newer = NULL;
    free(s->jid);
    s->jid = NULL;
}

static void bind_jid(struct backend_stream *s, char *jid)
{
    struct backend *b = s->backend;

    s->jid = jid;
    s->older = by_bare(b, s->bare);
    if (s->older)
        s->older->newer = s;
    keytable_put(&b->by_jid, jid, strlen(jid), s);
    keytable_put(&b->by_bare, s->bare, strlen(s->bare), s);
    s->stage = STAGE_BOUND;
    b->events->bound(s->owner);
}

void backend_close(struct backend_stream *s)
{
    if (!s)
        return;
    unbind(s);
    saslserver_end(s->sasl);
    free(s->user);
    free(s->bare);
    free(s);
}

void backend_restart(struct backend_stream *s)
{
    if (s->stage == STAGE_OVER)
        return;
    unbind(s);
    saslserver_end(s->sasl);
    s->sasl = NULL;
    s->stage = s->user ? STAGE_RESTARTED : STAGE_NEW;
    send_features(s);
}

const char *backend_jid(const struct backend_stream *s)
{
    return s && s->jid ? s->jid : "";
}

bool backend_awaits_restart(const struct backend_stream *s)
{
    return s->stage == STAGE_AUTHENTICATED;
}

bool backend_is_bound(const struct backend_stream *s)
{
    return s->stage == STAGE_BOUND;
}

static void random_name(const struct backend *b, char out[])
{
    unsigned char bytes[RANDOM_NAME_LEN];

    b->options->random(b->options->random_arg, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* ----------------------------------------------------------------- login */

static void send_sasl(struct backend_stream *s, const char *name,
                      const char *data)
{
    struct buf xml = BUF_INIT;

    if (data && *data)
        buf_printf(&xml, "<%s xmlns='" XML_NS_SASL "'>%s</%s>", name, data,
                   name);
    else
        buf_printf(&xml, "<%s xmlns='" XML_NS_SASL "'/>", name);
    deliver(s, &xml);
    buf_release(&xml);
}

/* The session survives a failed login; a guesser's does not (RFC 6120
 * §6.4.5). */
static void fail_login(struct backend_stream *s, const char *condition)
{
    struct buf xml = BUF_INIT;

    saslserver_end(s->sasl);
    s->sasl = NULL;
    buf_printf(&xml, "<failure xmlns='" XML_NS_SASL "'><%s/></failure>",
               condition);
    deliver(s, &xml);
    buf_release(&xml);
    if (++s->failed_logins >= MOCK_MAX_LOGIN_ATTEMPTS)
        fail_stream(s, "policy-violation");
}

static void log_in(struct backend_stream *s, const char *data)
{
    const char *user = saslserver_user(s->sasl);
    char name[2 * RANDOM_NAME_LEN + 1];

    random_name(s->backend, name);
    s->user = mem_dup(user ? user : name);
    s->bare = mem_printf("%s@%s", s->user, s->backend->options->domain);
    saslserver_end(s->sasl);
    s->sasl = NULL;
    s->stage = STAGE_AUTHENTICATED;
    send_sasl(s, "success", data);
}

static void step_login(struct backend_stream *s, const char *data)
{
    struct buf out = BUF_INIT;
    const char *condition = NULL;

    switch (saslserver_step(s->sasl, data, &out, &condition)) {
    case SASLSERVER_CHALLENGE:
        send_sasl(s, "challenge", buf_str(&out));
        break;
    case SASLSERVER_SUCCESS:
        log_in(s, buf_str(&out));
        break;
    case SASLSERVER_FAILURE:
        fail_login(s, condition);
        break;
    }
    buf_release(&out);
}

static void begin_login(struct backend_stream *s, const xmlNode *auth)
{
    const char *mechanism = xml_attr(auth, NULL, "mechanism");
    char *data = xml_text(auth);

    saslserver_end(s->sasl);
    s->sasl = saslserver_begin(s->backend->sasl, mechanism ? mechanism : "");
    if (!s->sasl)
        fail_login(s, "invalid-mechanism");
    else
        step_login(s, *data ? data : NULL);
    free(data);
}

static void receive_sasl(struct backend_stream *s, const xmlNode *element)
{
    if (s->stage != STAGE_NEW) {
        fail_stream(s, "policy-violation"); /* once is enough, §6.4.1 */
    } else if (xml_is(element, XML_NS_SASL, "auth")) {
        begin_login(s, element);
    } else if (xml_is(element, XML_NS_SASL, "abort")) {
        fail_login(s, "aborted");
    } else if (xml_is(element, XML_NS_SASL, "response") && s->sasl) {
        char *data = xml_text(element);

        step_login(s, data);
        free(data);
    } else {
        fail_login(s, "malformed-request");
    }
}

/* --------------------------------------------------------------- binding */

/* The resource asked for, or a generated one. Yours, free with free(). */
static char *wanted_jid(const struct backend_stream *s, const xmlNode *bind)
{
    const xmlNode *element = xml_child(bind, XML_NS_BIND, "resource");
    char generated[2 * RANDOM_NAME_LEN + 1];
    char *asked = element ? xml_text(element) : NULL;
    char *jid = NULL;

    random_name(s->backend, generated);
    if (!asked || strlen(asked) <= RESOURCE_MAX)
        jid = mem_printf("%s/%s", s->bare, asked && *asked ? asked : generated);
    free(asked);
    return jid;
}

static void send_bound(struct backend_stream *s, const xmlNode *iq)
{
    struct buf payload = BUF_INIT;
    struct buf xml = BUF_INIT;

    buf_adds(&payload, "<bind xmlns='" XML_NS_BIND "'><jid>");
    buf_add_xml(&payload, s->jid, strlen(s->jid));
    buf_adds(&payload, "</jid></bind>");
    stanza_result(&xml, iq, NULL, NULL, payload.data);
    deliver(s, &xml);
    buf_release(&xml);
    buf_release(&payload);
}

static void reply_error(struct backend_stream *s, const xmlNode *stanza,
                        const char *type, const char *condition)
{
    struct buf xml = BUF_INIT;

    stanza_error(&xml, stanza, s->jid, type, condition);
    deliver(s, &xml);
    buf_release(&xml);
}

static void bind_resource(struct backend_stream *s, const xmlNode *iq,
                          const xmlNode *bind)
{
    char *jid = wanted_jid(s, bind);
    struct backend_stream *other = jid ? by_jid(s->backend, jid) : NULL;

    if (!jid) {
        reply_error(s, iq, "modify", "bad-request");
        return;
    }
    if (other && s->backend->options->refuse_conflict) {
        reply_error(s, iq, "cancel", "conflict");
        free(jid);
        return;
    }
    if (other) { /* the newcomer wins, RFC 6120 §7.7.2.2 */
        unbind(other);
        fail_stream(other, "conflict");
    }
    bind_jid(s, jid);
    send_bound(s, iq);
}

static void receive_before_bind(struct backend_stream *s, const xmlNode *stanza)
{
    const xmlNode *bind = xml_child(stanza, XML_NS_BIND, "bind");

    if (stanza_is_named(stanza, "iq") && bind &&
        strcmp(stanza_type(stanza), "set") == 0)
        bind_resource(s, stanza, bind);
    else
        reply_error(s, stanza, "auth", "not-authorized");
}

/* --------------------------------------------------------------- routing */

enum target {
    TARGET_SERVER,  /* the domain, or the sender's own account */
    TARGET_ECHO,    /* echo@domain */
    TARGET_STREAM,  /* one of our bound streams */
    TARGET_NOBODY,  /* of this domain, and not there */
    TARGET_FOREIGN, /* of another domain */
};

static const char *domain_of(const char *jid)
{
    const char *at = strchr(jid, '@');
    const char *slash = strchr(jid, '/');

    return at && (!slash || at < slash) ? at + 1 : jid;
}

static bool is_echo(const char *jid, const char *at_domain)
{
    return at_domain == jid + strlen(ECHO_USER "@") &&
           strncmp(jid, ECHO_USER "@", strlen(ECHO_USER "@")) == 0;
}

static enum target find_target(const struct backend *b, const char *to,
                               struct backend_stream **stream)
{
    const char *domain = domain_of(to);
    size_t len = strcspn(domain, "/");

    *stream = NULL;
    if (len != strlen(b->options->domain) ||
        memcmp(domain, b->options->domain, len) != 0)
        return TARGET_FOREIGN;
    if (domain == to)
        return TARGET_SERVER;
    if (is_echo(to, domain))
        return TARGET_ECHO;
    *stream = strchr(to, '/') ? by_jid(b, to) : by_bare(b, to);
    return *stream ? TARGET_STREAM : TARGET_NOBODY;
}

static void forward(struct backend_stream *to, xmlNodePtr stanza,
                    const char *from, const char *to_jid)
{
    struct buf xml = BUF_INIT;

    stanza_forward(&xml, stanza, from, to_jid);
    deliver(to, &xml);
    buf_release(&xml);
}

static void echo(struct backend_stream *s, xmlNodePtr message)
{
    char *from = mem_dup(xml_attr(message, NULL, "to"));

    if (strcmp(stanza_type(message), "error") != 0)
        forward(s, message, from, s->jid);
    free(from);
}

/* A message without an address is for the sender's own account, RFC 6120
 * §10.3. */
static void receive_message(struct backend_stream *s, xmlNodePtr message)
{
    const char *to = xml_attr(message, NULL, "to");
    struct backend_stream *stream;

    switch (find_target(s->backend, to ? to : s->bare, &stream)) {
    case TARGET_ECHO:
        echo(s, message);
        break;
    case TARGET_STREAM:
        forward(stream, message, s->jid, to ? NULL : s->bare);
        break;
    case TARGET_SERVER:
    case TARGET_NOBODY:
        reply_error(s, message, "cancel", "service-unavailable");
        break;
    case TARGET_FOREIGN:
        reply_error(s, message, "cancel", "remote-server-not-found");
        break;
    }
}

static void answer_iq(struct backend_stream *s, const xmlNode *iq)
{
    struct buf xml = BUF_INIT;

    stanza_answer_iq(&xml, iq, s->jid);
    deliver(s, &xml);
    buf_release(&xml);
}

static void receive_iq(struct backend_stream *s, xmlNodePtr iq)
{
    const char *to = xml_attr(iq, NULL, "to");
    struct backend_stream *stream;

    if (!to || strcmp(to, s->bare) == 0) {
        answer_iq(s, iq);
        return;
    }
    switch (find_target(s->backend, to, &stream)) {
    case TARGET_SERVER:
    case TARGET_ECHO:
        answer_iq(s, iq);
        break;
    case TARGET_STREAM:
        if (strchr(to, '/'))
            forward(stream, iq, s->jid, NULL);
        else /* the server answers for a bare JID, RFC 6121 §8.5.2 */
            reply_error(s, iq, "cancel", "service-unavailable");
        break;
    case TARGET_NOBODY:
        reply_error(s, iq, "cancel", "service-unavailable");
        break;
    case TARGET_FOREIGN:
        reply_error(s, iq, "cancel", "remote-server-not-found");
        break;
    }
}

/* Presence is taken and goes nowhere: parallel sessions of one account would
 * otherwise end each other's holds. */
static void receive_stanza(struct backend_stream *s, xmlNodePtr stanza)
{
    if (s->stage == STAGE_RESTARTED)
        receive_before_bind(s, stanza);
    else if (s->stage != STAGE_BOUND)
        fail_stream(s, "not-authorized");
    else if (stanza_is_named(stanza, "message"))
        receive_message(s, stanza);
    else if (stanza_is_named(stanza, "iq"))
        receive_iq(s, stanza);
}

/* Clients try extensions that nobody offered: stream management (XEP-0198) is
 * refused, client state (XEP-0352) is not heard. Neither is worth the stream.
 */
static bool receive_extension(struct backend_stream *s, const xmlNode *element)
{
    static const char management[] = "urn:xmpp:sm:", state[] = "urn:xmpp:csi:";
    const char *ns = element->ns ? (const char *)element->ns->href : "";
    struct buf xml = BUF_INIT;

    if (strncmp(ns, state, sizeof state - 1) == 0)
        return true;
    if (strncmp(ns, management, sizeof management - 1) != 0)
        return false;
    buf_adds(&xml, "<failed xmlns='");
    buf_add_xml(&xml, ns, strlen(ns));
    buf_adds(&xml, "'><feature-not-implemented "
                   "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
    deliver(s, &xml);
    buf_release(&xml);
    return true;
}

void backend_receive(struct backend_stream *s, xmlNodePtr element)
{
    if (s->stage == STAGE_OVER)
        return;
    if (element->ns &&
        strcmp((const char *)element->ns->href, XML_NS_SASL) == 0)
        receive_sasl(s, element);
    else if (stanza_is(element))
        receive_stanza(s, element);
    else if (s->stage != STAGE_BOUND)
        fail_stream(s, "not-authorized");
    else if (!receive_extension(s, element))
        fail_stream(s, "unsupported-stanza-type");
}
