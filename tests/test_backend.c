/* The small XMPP server behind the manager: SASL (RFC 6120 §6), binding (§7),
 * stanzas (§8, §10). */
#include "mockserver/backend.h"

#include <stdlib.h>
#include <string.h>

#include <gsasl.h>

#include "common/buf.h"
#include "common/xml.h"
#include "tests/check.h"

int suite_backend(void);

#define SASL "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
#define CLIENT "xmlns='jabber:client'"
#define BIND "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"

/* A client's end of a stream. */
struct peer {
    struct backend_stream *stream;
    struct buf got;   /* since the last send_xml() to anybody */
    struct buf error; /* a stream error */
    int bound;
};

static struct backend *server;
static struct mock_options options;
static struct peer peers[3];

static void on_deliver(void *owner, const char *xml, size_t len)
{
    struct peer *p = owner;

    buf_add(&p->got, xml, len);
}

static void on_stream_error(void *owner, const char *xml, size_t len)
{
    struct peer *p = owner;

    buf_add(&p->error, xml, len);
}

static void on_bound(void *owner)
{
    struct peer *p = owner;

    p->bound++;
}

static const struct backend_events events = {on_deliver, on_stream_error,
                                             on_bound};

static void no_chance(void *arg, void *out, size_t len)
{
    static unsigned char n;
    unsigned char *p = out;

    (void)arg;
    for (size_t i = 0; i < len; i++)
        p[i] = n++;
}

static void begin(void)
{
    if (!options.random) {
        options = mock_options_default();
        options.random = no_chance;
    }
    server = backend_new(&options, &events);
    for (size_t i = 0; i < 3; i++)
        peers[i].stream = backend_open(server, &peers[i]);
}

static void finish(void)
{
    for (size_t i = 0; i < 3; i++) {
        backend_close(peers[i].stream);
        buf_release(&peers[i].got);
        buf_release(&peers[i].error);
    }
    memset(peers, 0, sizeof peers);
    backend_free(server);
    memset(&options, 0, sizeof options);
}

/* One element from this client; returns what came to it. */
static const char *send_xml(struct peer *p, const char *xml)
{
    xmlDocPtr doc = xml_parse(xml, strlen(xml), NULL, NULL);

    CHECK(doc != NULL);
    for (size_t i = 0; i < 3; i++)
        buf_clear(&peers[i].got);
    if (doc)
        backend_receive(p->stream, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    return buf_str(&p->got);
}

static bool has(const struct peer *p, const char *text)
{
    return strstr(buf_str(&p->got), text) != NULL;
}

static void add_base64(struct buf *out, const char *data, size_t len)
{
    char *coded = NULL;

    gsasl_base64_to(data, len, &coded, NULL);
    buf_adds(out, coded);
    gsasl_free(coded);
}

static const char *send_plain(struct peer *p, const char *data, size_t len)
{
    struct buf xml = BUF_INIT;
    const char *got;

    buf_adds(&xml, "<auth " SASL " mechanism='PLAIN'>");
    add_base64(&xml, data, len);
    buf_adds(&xml, "</auth>");
    got = send_xml(p, xml.data);
    buf_release(&xml);
    return got;
}

/* data is a literal with its NULs */
#define PLAIN(p, data) send_plain((p), (data), sizeof(data) - 1)

static void log_in(struct peer *p, const char *user, const char *resource)
{
    struct buf plain = BUF_INIT;
    struct buf xml = BUF_INIT;

    buf_addc(&plain, '\0');
    buf_adds(&plain, user);
    buf_addc(&plain, '\0');
    buf_adds(&plain, "secret");
    send_plain(p, plain.data, plain.len);
    CHECK(has(p, "<success "));
    backend_restart(p->stream);
    CHECK(has(p, "<bind "));
    buf_printf(&xml,
               "<iq " CLIENT " type='set' id='b'>" BIND
               "<resource>%s</resource></bind></iq>",
               resource);
    send_xml(p, xml.data);
    CHECK(has(p, "type='result'"));
    buf_release(&xml);
    buf_release(&plain);
}

/* ----------------------------------------------------------------- login */

static void test_mechanisms_are_offered_in_order(void)
{
    options = mock_options_default();
    options.random = no_chance;
    options.mechanisms = "X-ODD PLAIN";
    options.anonymous = false;
    begin();
    CHECK(has(&peers[0],
              "<stream:features><mechanisms " SASL ">"
              "<mechanism>X-ODD</mechanism><mechanism>PLAIN</mechanism>"
              "</mechanisms></stream:features>"));
    send_xml(&peers[0], "<auth " SASL " mechanism='ANONYMOUS'/>");
    CHECK(has(&peers[0], "<invalid-mechanism/>"));
    send_xml(&peers[0], "<auth " SASL " mechanism='X-ODD'>=</auth>");
    CHECK(has(&peers[0], "<invalid-mechanism/>"));
    finish();
}

static void test_other_features_and_no_prefix_if_asked(void)
{
    options = mock_options_default();
    options.random = no_chance;
    options.mechanisms = "PLAIN";
    options.anonymous = false;
    options.offers = "starttls compression";
    options.other_prefixes = true;
    begin();
    CHECK(has(&peers[0],
              "<features xmlns='http://etherx.jabber.org/streams'>"
              "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
              "<compression xmlns='http://jabber.org/features/compress'>"
              "<method>zlib</method></compression><mechanisms " SASL ">"
              "<mechanism>PLAIN</mechanism></mechanisms></features>"));
    finish();
}

static void test_plain_takes_the_right_password_only(void)
{
    begin();
    PLAIN(&peers[0], "\0alice\0wrong");
    CHECK(has(&peers[0], "<failure " SASL "><not-authorized/></failure>"));
    PLAIN(&peers[0], "\0nobody\0secret");
    CHECK(has(&peers[0], "<not-authorized/>"));
    PLAIN(&peers[0], "bob@localhost\0alice\0secret");
    CHECK(has(&peers[0], "<invalid-authzid/>"));
    PLAIN(&peers[0], "alice@localhost\0alice\0secret");
    CHECK_STR(buf_str(&peers[0].got), "<success " SASL "/>");
    CHECK_STR(backend_jid(peers[0].stream), "");
    PLAIN(&peers[1], "\0bob\0secret");
    CHECK(has(&peers[1], "<success "));
    CHECK_INT(peers[0].error.len, 0);
    finish();
}

static void test_plain_without_initial_response_is_asked_for_it(void)
{
    begin();
    CHECK_STR(send_xml(&peers[0], "<auth " SASL " mechanism='PLAIN'/>"),
              "<challenge " SASL "/>");
    CHECK_STR(send_xml(&peers[0],
                       "<response " SASL ">AGFsaWNlAHNlY3JldA==</response>"),
              "<success " SASL "/>");
    finish();
}

static void test_any_user_may_be_let_in(void)
{
    options = mock_options_default();
    options.random = no_chance;
    options.any_user_password = "open";
    begin();
    PLAIN(&peers[0], "\0zoe\0open");
    CHECK(has(&peers[0], "<success "));
    PLAIN(&peers[1], "\0alice\0open");
    CHECK(has(&peers[1], "<not-authorized/>"));
    finish();
}

static void test_what_is_no_login_is_refused(void)
{
    begin();
    send_xml(&peers[0], "<auth " SASL " mechanism='PLAIN'>!!</auth>");
    CHECK(has(&peers[0], "<incorrect-encoding/>"));
    send_xml(&peers[0], "<auth " SASL ">AAAA</auth>");
    CHECK(has(&peers[0], "<invalid-mechanism/>"));
    send_xml(&peers[0], "<response " SASL ">AAAA</response>");
    CHECK(has(&peers[0], "<malformed-request/>"));
    send_xml(&peers[0], "<auth " SASL " mechanism='SCRAM-SHA-1'/>");
    send_xml(&peers[0], "<abort " SASL "/>");
    CHECK(has(&peers[0], "<aborted/>"));
    finish();
}

static void test_guessing_ends_the_stream(void)
{
    begin();
    for (int i = 0; i < MOCK_MAX_LOGIN_ATTEMPTS; i++) {
        CHECK_INT(peers[0].error.len, 0);
        PLAIN(&peers[0], "\0alice\0wrong");
    }
    CHECK(strstr(buf_str(&peers[0].error), "policy-violation") != NULL);
    finish();
}

/* GNU SASL's client side, step by step. */
static void scram(struct peer *p, Gsasl_session *client, const char *mechanism)
{
    struct buf xml = BUF_INIT;
    char *data = NULL;
    int rc = gsasl_step64(client, "", &data);

    buf_printf(&xml, "<auth " SASL " mechanism='%s'>%s</auth>", mechanism,
               data);
    gsasl_free(data);
    while (rc == GSASL_NEEDS_MORE) {
        const char *got = send_xml(p, xml.data);
        const char *text = strchr(got, '>');
        char *challenge;

        buf_clear(&xml);
        if (!text || strncmp(got, "<failure", 8) == 0)
            break;
        challenge = mem_dupn(text + 1, strcspn(text + 1, "<"));
        data = NULL;
        rc = gsasl_step64(client, challenge, &data);
        free(challenge);
        buf_printf(&xml, "<response " SASL ">%s</response>", data ? data : "");
        gsasl_free(data);
    }
    buf_release(&xml);
}

static void try_scram(struct peer *p, const char *mechanism, const char *user,
                      const char *password)
{
    Gsasl_session *client = NULL;
    Gsasl *gsasl = NULL;

    CHECK_INT(gsasl_init(&gsasl), GSASL_OK);
    CHECK_INT(gsasl_client_start(gsasl, mechanism, &client), GSASL_OK);
    gsasl_property_set(client, GSASL_AUTHID, user);
    gsasl_property_set(client, GSASL_PASSWORD, password);
    scram(p, client, mechanism);
    gsasl_finish(client);
    gsasl_done(gsasl);
}

static void test_scram_takes_the_right_password_only(void)
{
    static const char *const rows[] = {"SCRAM-SHA-1", "SCRAM-SHA-256"};

    for (size_t i = 0; i < 2; i++) {
        begin();
        try_scram(&peers[0], rows[i], "alice", "wrong");
        CHECK_ROW(has(&peers[0], "<not-authorized/>"), rows[i]);
        try_scram(&peers[0], rows[i], "nobody", "secret");
        CHECK_ROW(has(&peers[0], "<not-authorized/>"), rows[i]);
        try_scram(&peers[0], rows[i], "alice", "secret");
        CHECK_ROW(has(&peers[0], "<success "), rows[i]);
        CHECK_ROW(!has(&peers[0], "<success " SASL "/>"), rows[i]);
        try_scram(&peers[1], rows[i], "alice", "secret");
        CHECK_ROW(has(&peers[1], "<success "), rows[i]);
        finish();
    }
}

static void test_anonymous_gets_a_name(void)
{
    begin();
    send_xml(&peers[0], "<auth " SASL " mechanism='ANONYMOUS'>=</auth>");
    CHECK(has(&peers[0], "<success "));
    backend_restart(peers[0].stream);
    send_xml(&peers[0],
             "<iq " CLIENT " type='set' id='b'>" BIND "</bind></iq>");
    CHECK(strstr(backend_jid(peers[0].stream), "@localhost/") != NULL);
    finish();
}

static void test_stanza_before_login_ends_the_stream(void)
{
    begin();
    send_xml(&peers[0], "<message " CLIENT " to='echo@localhost'/>");
    CHECK(strstr(buf_str(&peers[0].error), "<stream:error><not-authorized ") !=
          NULL);
    CHECK_STR(send_xml(&peers[0], "<auth " SASL " mechanism='ANONYMOUS'/>"),
              "");
    finish();
}

/* --------------------------------------------------------------- binding */

static void test_resource_is_bound_or_generated(void)
{
    begin();
    log_in(&peers[0], "alice", "a&amp;b");
    CHECK_STR(backend_jid(peers[0].stream), "alice@localhost/a&b");
    CHECK(has(&peers[0], "<jid>alice@localhost/a&amp;b</jid>"));
    CHECK_INT(peers[0].bound, 1);
    log_in(&peers[1], "alice", "");
    CHECK(strlen(backend_jid(peers[1].stream)) > strlen("alice@localhost/"));
    finish();
}

static void test_newcomer_takes_the_resource(void)
{
    begin();
    log_in(&peers[0], "alice", "desk");
    log_in(&peers[1], "alice", "desk");
    CHECK(strstr(buf_str(&peers[0].error), "<conflict ") != NULL);
    CHECK_STR(backend_jid(peers[0].stream), "");
    CHECK_STR(backend_jid(peers[1].stream), "alice@localhost/desk");
    finish();
}

static void test_conflict_can_be_refused(void)
{
    options = mock_options_default();
    options.random = no_chance;
    options.refuse_conflict = true;
    begin();
    log_in(&peers[0], "alice", "desk");
    PLAIN(&peers[1], "\0alice\0secret");
    backend_restart(peers[1].stream);
    send_xml(&peers[1], "<iq " CLIENT " type='set' id='b'>" BIND
                        "<resource>desk</resource></bind></iq>");
    CHECK(has(&peers[1], "<conflict "));
    CHECK(has(&peers[1], "type='error'"));
    CHECK_STR(backend_jid(peers[0].stream), "alice@localhost/desk");
    finish();
}

static void test_restart_lets_the_resource_go(void)
{
    begin();
    log_in(&peers[0], "alice", "desk");
    backend_restart(peers[0].stream);
    CHECK_STR(backend_jid(peers[0].stream), "");
    CHECK(!backend_is_bound(peers[0].stream));
    finish();
}

/* --------------------------------------------------------------- stanzas */

static void test_server_answers_what_it_knows(void)
{
    static const struct {
        const char *iq, *want;
    } rows[] = {
        {"<iq " CLIENT " type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
         "<iq xmlns='jabber:client' type='result' id='1' "
         "to='alice@localhost/r'/>"},
        {"<iq " CLIENT " type='get' id='1' to='localhost'>"
         "<ping xmlns='urn:xmpp:ping'/></iq>",
         "<iq xmlns='jabber:client' type='result' id='1' from='localhost' "
         "to='alice@localhost/r'/>"},
        {"<iq " CLIENT " type='set' id='1'>"
         "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
         "type='result'"},
        {"<iq " CLIENT " type='get' id='1'><query xmlns='jabber:iq:roster'/>"
         "</iq>",
         "<query xmlns='jabber:iq:roster'/>"},
        {"<iq " CLIENT " type='set' id='1'><query xmlns='jabber:iq:roster'/>"
         "</iq>",
         "<feature-not-implemented "},
        {"<iq " CLIENT " type='get' id='1' to='localhost'><query "
         "xmlns='http://jabber.org/protocol/disco#info'/></iq>",
         "<identity "},
        {"<iq " CLIENT " type='get' id='1'><x xmlns='u'/></iq>",
         "<service-unavailable "},
        {"<iq " CLIENT " type='odd' id='1'/>", "<bad-request "},
        {"<iq " CLIENT " type='get' id='1' to='bob@localhost/x'>"
         "<ping xmlns='urn:xmpp:ping'/></iq>",
         "<service-unavailable "},
        {"<iq " CLIENT " type='get' id='1' to='far.example'>"
         "<ping xmlns='urn:xmpp:ping'/></iq>",
         "<remote-server-not-found "},
        {"<message " CLIENT " id='1' to='bob@localhost'/>",
         "<service-unavailable "},
        {"<message " CLIENT " id='1' to='a@far.example'/>",
         "<remote-server-not-found "},
    };

    begin();
    log_in(&peers[0], "alice", "r");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = send_xml(&peers[0], rows[i].iq);

        CHECK_ROW(strstr(got, rows[i].want) != NULL, rows[i].iq);
        CHECK_ROW(strstr(got, "id='1'") != NULL, rows[i].iq);
    }
    CHECK_INT(peers[0].error.len, 0);
    finish();
}

static void test_errors_results_and_presence_draw_no_answer(void)
{
    static const char *const rows[] = {
        "<iq " CLIENT " type='result' id='1'/>",
        "<iq " CLIENT " type='error' id='1'/>",
        "<iq " CLIENT " type='result' id='1' to='bob@localhost/x'/>",
        "<message " CLIENT " type='error' to='echo@localhost'/>",
        "<message " CLIENT " type='error' to='bob@localhost'/>",
        "<presence " CLIENT "/>",
    };

    begin();
    log_in(&peers[0], "alice", "r");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(*send_xml(&peers[0], rows[i]) == '\0', rows[i]);
    finish();
}

static void test_echo_keeps_id_type_and_content(void)
{
    const char *got;

    begin();
    log_in(&peers[0], "alice", "r");
    got = send_xml(&peers[0], "<message " CLIENT " to='echo@localhost' id='m1' "
                              "type='chat'><body>\xc3\xa9 &lt;&amp;</body>"
                              "<x xmlns='u'><body/></x></message>");
    CHECK(strstr(got, "from=\"echo@localhost\"") != NULL);
    CHECK(strstr(got, "to=\"alice@localhost/r\"") != NULL);
    CHECK(strstr(got, "id=\"m1\"") != NULL);
    CHECK(strstr(got, "type=\"chat\"") != NULL);
    CHECK(strstr(got, "<body>\xc3\xa9 &lt;&amp;</body>") != NULL);
    CHECK(strstr(got, "<x xmlns=\"u\"><body/></x>") != NULL);
    finish();
}

static void test_messages_travel_between_sessions(void)
{
    begin();
    log_in(&peers[0], "alice", "r");
    log_in(&peers[1], "bob", "old");
    log_in(&peers[2], "bob", "new");
    send_xml(&peers[0], "<message " CLIENT " to='bob@localhost/old' id='f' "
                        "from='mallory@localhost'/>");
    CHECK(has(&peers[1], "from=\"alice@localhost/r\""));
    CHECK_INT(peers[2].got.len, 0);
    send_xml(&peers[0], "<message " CLIENT " to='bob@localhost' id='b'/>");
    CHECK_INT(peers[1].got.len, 0);
    CHECK(has(&peers[2], "id=\"b\""));
    send_xml(&peers[0], "<message " CLIENT " to='alice@localhost/r' id='me'/>");
    CHECK(has(&peers[0], "id=\"me\""));
    send_xml(&peers[0], "<message " CLIENT " id='self'/>");
    CHECK(has(&peers[0], "id=\"self\""));
    send_xml(&peers[0], "<iq " CLIENT " type='get' to='bob@localhost/old' "
                        "id='q'><x xmlns='u'/></iq>");
    CHECK(has(&peers[1], "id=\"q\""));
    backend_close(peers[2].stream);
    peers[2].stream = NULL;
    send_xml(&peers[0], "<message " CLIENT " to='bob@localhost' id='c'/>");
    CHECK(has(&peers[1], "id=\"c\""));
    finish();
}

static void test_stanza_in_the_bosh_namespace_becomes_a_client_one(void)
{
    static const char *const rows[] = {
        "<message xmlns='http://jabber.org/protocol/httpbind' "
        "to='echo@localhost'><body>x</body></message>",
        "<h:message xmlns:h='http://jabber.org/protocol/httpbind' "
        "to='echo@localhost'><h:body>x</h:body></h:message>",
    };

    begin();
    log_in(&peers[0], "alice", "r");
    for (size_t i = 0; i < 2; i++) {
        const char *got = send_xml(&peers[0], rows[i]);
        xmlDocPtr doc = xml_parse(got, strlen(got), NULL, NULL);
        const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

        CHECK_ROW(xml_is(root, XML_NS_CLIENT, "message"), rows[i]);
        CHECK_ROW(root && xml_child(root, XML_NS_CLIENT, "body"), rows[i]);
        xmlFreeDoc(doc);
    }
    finish();
}

static void test_unknown_element_ends_the_stream(void)
{
    begin();
    log_in(&peers[0], "alice", "r");
    send_xml(&peers[0], "<x xmlns='u'/>");
    CHECK(strstr(buf_str(&peers[0].error), "<unsupported-stanza-type ") !=
          NULL);
    finish();
}

static void test_extensions_that_nobody_offered_end_nothing(void)
{
    begin();
    log_in(&peers[0], "alice", "r");
    CHECK(strstr(send_xml(&peers[0], "<enable xmlns='urn:xmpp:sm:3'/>"),
                 "<failed xmlns='urn:xmpp:sm:3'>") != NULL);
    CHECK_STR(send_xml(&peers[0], "<active xmlns='urn:xmpp:csi:0'/>"), "");
    CHECK_INT(peers[0].error.len, 0);
    finish();
}

int suite_backend(void)
{
    CU_pSuite suite = CU_add_suite("backend", NULL, NULL);

    if (!suite || !CU_ADD_TEST(suite, test_mechanisms_are_offered_in_order) ||
        !CU_ADD_TEST(suite, test_other_features_and_no_prefix_if_asked) ||
        !CU_ADD_TEST(suite, test_plain_takes_the_right_password_only) ||
        !CU_ADD_TEST(suite,
                     test_plain_without_initial_response_is_asked_for_it) ||
        !CU_ADD_TEST(suite, test_any_user_may_be_let_in) ||
        !CU_ADD_TEST(suite, test_what_is_no_login_is_refused) ||
        !CU_ADD_TEST(suite, test_guessing_ends_the_stream) ||
        !CU_ADD_TEST(suite, test_scram_takes_the_right_password_only) ||
        !CU_ADD_TEST(suite, test_anonymous_gets_a_name) ||
        !CU_ADD_TEST(suite, test_stanza_before_login_ends_the_stream) ||
        !CU_ADD_TEST(suite, test_resource_is_bound_or_generated) ||
        !CU_ADD_TEST(suite, test_newcomer_takes_the_resource) ||
        !CU_ADD_TEST(suite, test_conflict_can_be_refused) ||
        !CU_ADD_TEST(suite, test_restart_lets_the_resource_go) ||
        !CU_ADD_TEST(suite, test_server_answers_what_it_knows) ||
        !CU_ADD_TEST(suite, test_errors_results_and_presence_draw_no_answer) ||
        !CU_ADD_TEST(suite, test_echo_keeps_id_type_and_content) ||
        !CU_ADD_TEST(suite, test_messages_travel_between_sessions) ||
        !CU_ADD_TEST(suite,
                     test_stanza_in_the_bosh_namespace_becomes_a_client_one) ||
        !CU_ADD_TEST(suite, test_extensions_that_nobody_offered_end_nothing) ||
        !CU_ADD_TEST(suite, test_unknown_element_ends_the_stream))
        return -1;
    return 0;
}
