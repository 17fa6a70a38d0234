/* Login: mechanisms with a real server side of GNU SASL, binding, failures. */
#include <gsasl.h>
#include <stdlib.h>

#include "bosh_peer.h"

int suite_login(void);

#define NS_SASL "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
#define ALL                                                                    \
    MECHANISM("PLAIN")                                                         \
    MECHANISM("X-OTHER")                                                       \
    MECHANISM("SCRAM-SHA-1") MECHANISM("SCRAM-SHA-256") MECHANISM("ANONYMOUS")

/* ---- A server's side
 * --------------------------------------------------------- */

struct server {
    Gsasl *gsasl;
    Gsasl_session *session;
    struct buf out; /* the next answer */
};

static int server_property(Gsasl *ctx, Gsasl_session *session,
                           Gsasl_property what)
{
    (void)ctx;
    if (what == GSASL_PASSWORD)
        return gsasl_property_set(session, what, "sesame");
    return GSASL_NO_CALLBACK;
}

static void server_init(struct server *v, const char *mechanism)
{
    memset(v, 0, sizeof *v);
    CHECK_INT(gsasl_init(&v->gsasl), GSASL_OK);
    gsasl_callback_set(v->gsasl, server_property);
    CHECK_INT(gsasl_server_start(v->gsasl, mechanism, &v->session), GSASL_OK);
}

static void server_release(struct server *v)
{
    gsasl_finish(v->session);
    gsasl_done(v->gsasl);
    buf_release(&v->out);
}

/* The text of the first payload of a request, yours. */
static char *payload_text(const char *body)
{
    const char *end = strstr(body, "</auth>");
    const char *start;

    if (!end)
        end = strstr(body, "</response>");
    if (!end)
        return mem_dup("");
    for (start = end; start[-1] != '>';)
        start--;
    return mem_dupn(start, (size_t)(end - start));
}

/* Answer what the client sent last. */
static void server_step(struct server *v, struct peer *p)
{
    char *in = payload_text(buf_str(&p->body));
    char *out = NULL;
    int rc = gsasl_step64(v->session, in, &out);

    buf_clear(&v->out);
    if (rc == GSASL_OK)
        buf_printf(&v->out, "<body %s><success %s>%s</success></body>", NS_BODY,
                   NS_SASL, out ? out : "");
    else if (rc == GSASL_NEEDS_MORE)
        buf_printf(&v->out, "<body %s><challenge %s>%s</challenge></body>",
                   NS_BODY, NS_SASL, out ? out : "");
    else
        buf_printf(&v->out,
                   "<body %s><failure %s><not-authorized/><text>no</text>"
                   "</failure></body>",
                   NS_BODY, NS_SASL);
    peer_answer(p, buf_str(&v->out));
    gsasl_free(out);
    free(in);
}

static void connect_with(struct peer *p, const char *password,
                         const char *created)
{
    CHECK_INT(bosh_connect(p->s, p->now, "ann@example.org/r1", password), 0);
    CHECK(peer_next(p));
    peer_answer(p, created);
    CHECK(peer_next(p));
}

static void finish_login(struct peer *p)
{
    const char *const answers[] = {BIND_FEATURES, BOUND, NULL};

    peer_exchange(p, answers);
    CHECK_STR(peer_seen(p), "connecting authenticating connected");
    CHECK_STR(bosh_jid(p->s), "ann@example.org/r1");
}

static void log_in(const char *mechanism, const char *offered, int steps)
{
    struct server v;
    struct peer p;

    server_init(&v, mechanism);
    peer_init(&p, NULL);
    connect_with(&p, "sesame", offered);
    CHECK_ROW(peer_sent(&p, mechanism), mechanism);
    for (int i = 0; i < steps; i++) {
        server_step(&v, &p);
        if (i + 1 < steps)
            CHECK(peer_next(&p));
    }
    finish_login(&p);
    peer_release(&p);
    server_release(&v);
}

static void test_the_strongest_mechanism_is_chosen(void)
{
    log_in("SCRAM-SHA-256", CREATED(USUAL, MECHANISMS(ALL)), 2);
}

static void test_scram_sha_1_logs_in(void)
{
    log_in(
        "SCRAM-SHA-1",
        CREATED(USUAL, MECHANISMS(MECHANISM("PLAIN") MECHANISM("SCRAM-SHA-1"))),
        2);
}

static void test_plain_sends_name_and_password(void)
{
    struct peer p;

    peer_init(&p, NULL);
    connect_with(&p, "sesame", CREATED(USUAL, MECHANISMS(MECHANISM("PLAIN"))));
    /* NUL ann NUL sesame */
    CHECK(peer_sent(&p, "<auth " NS_SASL
                        " mechanism='PLAIN'>AGFubgBzZXNhbWU=</auth>"));
    peer_answer(&p, SUCCESS);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "xmpp:restart='true'") &&
          peer_sent(&p, "to='example.org'") && peer_sent(&p, "/>"));
    peer_answer(&p, BIND_FEATURES);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "<resource>r1</resource>"));
    peer_answer(&p, BOUND);
    CHECK_STR(peer_seen(&p), "connecting authenticating connected");
    peer_release(&p);
}

/* RFC 6120 §6.4.5: a failure may hold words for people. */
static void test_a_servers_words_are_handed_up(void)
{
    struct bosh_event ev;
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, LOGGED_IN(USUAL));
    CHECK_STR(peer_seen(&p), "connecting authenticating");
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY "><failure "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                    "<text>come later</text><temporary-auth-failure/>"
                    "</failure></body>");
    CHECK(bosh_next_event(p.s, &ev));
    CHECK_INT(ev.status, BOSH_AUTHFAIL);
    CHECK_STR(ev.condition, "temporary-auth-failure");
    CHECK_STR(ev.detail, "come later");
    CHECK_STR(bosh_last_error(p.s),
              "login failed: temporary-auth-failure, come later");
    peer_release(&p);
}

static void test_a_wrong_password_ends_in_authfail(void)
{
    struct server v;
    struct peer p;

    server_init(&v, "SCRAM-SHA-1");
    peer_init(&p, NULL);
    connect_with(&p, "wrong",
                 CREATED(USUAL, MECHANISMS(MECHANISM("SCRAM-SHA-1"))));
    server_step(&v, &p);
    CHECK(peer_next(&p));
    server_step(&v, &p);
    CHECK_STR(peer_seen(&p), "connecting authenticating "
                             "authfail:not-authorized "
                             "disconnecting:not-authorized");
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "type='terminate'") && !peer_sent(&p, "presence"));
    peer_answer(&p, END);
    CHECK_STR(peer_seen(&p), "disconnected");
    CHECK(bosh_ended(p.s));
    CHECK_STR(bosh_last_error(p.s), "login failed: not-authorized, no");
    peer_release(&p);
    server_release(&v);
}

static void test_a_server_without_proof_is_not_believed(void)
{
    struct server v;
    struct peer p;

    server_init(&v, "SCRAM-SHA-256");
    peer_init(&p, NULL);
    connect_with(&p, "sesame",
                 CREATED(USUAL, MECHANISMS(MECHANISM("SCRAM-SHA-256"))));
    server_step(&v, &p);
    CHECK(peer_next(&p));
    peer_answer(&p, SUCCESS); /* without v= */
    CHECK_STR(peer_seen(&p), "connecting authenticating authfail "
                             "disconnecting");
    peer_release(&p);
    server_release(&v);
}

#define ALL_AND_MORE                                                           \
    CREATED(USUAL, MECHANISMS(ALL MECHANISM("EXTERNAL") MECHANISM(             \
                       "OAUTHBEARER") MECHANISM("SCRAM-SHA-512")))

static void test_a_token_is_the_whole_message(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.token = "vF9d=";
    peer_init(&p, &o);
    connect_with(&p, NULL, ALL_AND_MORE);
    CHECK(peer_sent(&p,
                    "<auth " NS_SASL " mechanism='OAUTHBEARER'>"
                    "bixhPWFubkBleGFtcGxlLm9yZywBYXV0aD1CZWFyZXIgdkY5ZD0BAQ=="
                    "</auth>"));
    peer_answer(&p, SUCCESS);
    CHECK(peer_next(&p));
    CHECK(!peer_sent(&p, "from="));
    peer_answer(&p, BIND_FEATURES);
    CHECK(peer_next(&p));
    peer_answer(&p, BOUND);
    CHECK_STR(peer_seen(&p), "connecting authenticating connected");
    peer_release(&p);
}

/* RFC 7628 section 3.2.3. */
static void test_a_refused_token_is_acknowledged_and_fails(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.token = "old";
    peer_init(&p, &o);
    connect_with(&p, NULL, ALL_AND_MORE);
    peer_answer(&p, "<body " NS_BODY "><challenge " NS_SASL
                    ">eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=</challenge></body>");
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "<response " NS_SASL ">AQ==</response>"));
    peer_answer(&p, "<body " NS_BODY "><failure " NS_SASL
                    "><not-authorized/></failure></body>");
    CHECK_STR(peer_seen(&p), "connecting authenticating "
                             "authfail:not-authorized "
                             "disconnecting:not-authorized");
    peer_release(&p);
}

static void test_a_certificate_names_its_owner_again_at_the_restart(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.cert_file = "ann.pem";
    peer_init(&p, &o);
    connect_with(&p, NULL, ALL_AND_MORE);
    CHECK(peer_sent(&p, "<auth " NS_SASL
                        " mechanism='EXTERNAL'>YW5uQGV4YW1wbGUub3Jn</auth>"));
    peer_answer(&p, SUCCESS);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, " from='ann@example.org' ") &&
          peer_sent(&p, "xmpp:restart='true'"));
    peer_release(&p);
}

static void test_late_features_are_polled_for(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "example.org", NULL), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, CREATED(USUAL, ""));
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "sid='s1'") && !peer_sent(&p, "auth"));
    peer_answer(&p, EMPTY);
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY " " NS_STREAM
                    ">" MECHANISMS(MECHANISM("ANONYMOUS")) "</body>");
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "<auth " NS_SASL " mechanism='ANONYMOUS'/>"));
    peer_answer(&p, SUCCESS);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "xmpp:restart"));
    peer_answer(&p, EMPTY); /* features come late here too */
    CHECK(peer_next(&p));
    peer_answer(&p, BIND_FEATURES);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "<bind"));
    peer_release(&p);
}

/* A password that was forgotten is no wish to be nobody. */
static void test_a_user_is_nobody_only_where_asked(void)
{
    for (int asked = 0; asked < 2; asked++) {
        struct bosh_options o;
        struct peer p;

        bosh_options_init(&o);
        o.mechanisms = asked ? "PLAIN ANONYMOUS" : NULL;
        peer_init(&p, &o);
        CHECK_INT(bosh_connect(p.s, p.now, "ann@example.org", NULL), 0);
        CHECK(peer_next(&p));
        peer_answer(&p, LOGGED_IN(USUAL));
        CHECK_STR(peer_seen(&p), asked
                                     ? "connecting authenticating"
                                     : "connecting authfail:invalid-mechanism "
                                       "disconnecting:invalid-mechanism");
        peer_release(&p);
    }
}

static void test_no_usable_mechanism_is_an_authfail(void)
{
    struct peer p;

    peer_init(&p, NULL);
    CHECK_INT(bosh_connect(p.s, p.now, "ann@example.org", "x"), 0);
    CHECK(peer_next(&p));
    peer_answer(&p, CREATED(USUAL, MECHANISMS(MECHANISM("ANONYMOUS")
                                                  MECHANISM("X-OTHER"))));
    CHECK_STR(peer_seen(&p), "connecting authfail:invalid-mechanism "
                             "disconnecting:invalid-mechanism");
    peer_release(&p);
}

static void test_allowed_mechanisms_narrow_the_choice(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.mechanisms = "EXTERNAL PLAIN";
    peer_init(&p, &o);
    connect_with(&p, "sesame", CREATED(USUAL, MECHANISMS(ALL)));
    CHECK(peer_sent(&p, "mechanism='PLAIN'"));
    peer_release(&p);
}

/* Up to the request after the features with that child. */
static void bind_with(struct peer *p, const char *session)
{
    struct buf features = BUF_INIT;

    CHECK_INT(bosh_connect(p->s, p->now, "example.org", NULL), 0);
    CHECK(peer_next(p));
    peer_answer(p, CREATED(USUAL, MECHANISMS(MECHANISM("ANONYMOUS"))));
    CHECK(peer_next(p));
    peer_answer(p, SUCCESS);
    CHECK(peer_next(p));
    buf_printf(&features,
               "<body %s %s><stream:features><bind "
               "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>%s"
               "</stream:features></body>",
               NS_BODY, NS_STREAM, session);
    peer_answer(p, buf_str(&features));
    buf_release(&features);
}

static void test_a_session_is_asked_for_when_it_must(void)
{
    static const char SESSION[] =
        "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>";
    struct peer p;

    peer_init(&p, NULL);
    bind_with(&p, SESSION);
    CHECK(peer_next(&p));
    peer_answer(&p, BOUND);
    CHECK_STR(peer_seen(&p), "connecting authenticating");
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "urn:ietf:params:xml:ns:xmpp-session"));
    peer_answer(&p, "<body " NS_BODY "><iq " NS_CLIENT
                    " type='result' id='session'/></body>");
    CHECK_STR(peer_seen(&p), "connected");
    peer_release(&p);
}

static void test_an_optional_session_is_left_alone(void)
{
    struct peer p;

    peer_init(&p, NULL);
    bind_with(&p, "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'>"
                  "<optional/></session>");
    CHECK(peer_next(&p));
    peer_answer(&p, BOUND);
    CHECK_STR(peer_seen(&p), "connecting authenticating connected");
    peer_release(&p);
}

static void test_a_resource_in_conflict_is_an_authfail(void)
{
    struct peer p;

    peer_init(&p, NULL);
    bind_with(&p, "");
    CHECK(peer_next(&p));
    peer_answer(&p, "<body " NS_BODY "><iq " NS_CLIENT
                    " type='error' id='bind'><error type='cancel'><conflict "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
                    "</iq></body>");
    CHECK_STR(peer_seen(&p), "connecting authenticating authfail:conflict "
                             "disconnecting:conflict");
    peer_release(&p);
}

static void test_the_application_may_bind_itself(void)
{
    struct bosh_options o;
    struct peer p;

    bosh_options_init(&o);
    o.explicit_bind = true;
    peer_init(&p, &o);
    bind_with(&p, "");
    CHECK_STR(peer_seen(&p), "connecting authenticating bindrequired");
    CHECK_INT(bosh_bind(p.s, "a<b"), 0);
    CHECK(peer_next(&p));
    CHECK(peer_sent(&p, "<resource>a&lt;b</resource>"));
    peer_answer(&p, BOUND);
    CHECK_STR(peer_seen(&p), "connected");
    peer_release(&p);
}

static void test_bad_jids_are_refused(void)
{
    static const char *const ROWS[] = {"", "@example.org", "ann@", "ann@/r",
                                       "/r"};
    struct peer p;

    peer_init(&p, NULL);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        CHECK_ROW(bosh_connect(p.s, p.now, ROWS[i], "x") == BOSH_E_ARG,
                  ROWS[i]);
        CHECK_ROW(bosh_last_error(p.s)[0] != '\0', ROWS[i]);
    }
    CHECK(!peer_next(&p));
    peer_release(&p);
}

int suite_login(void)
{
    CU_pSuite suite = CU_add_suite("login", NULL, NULL);

    if (!suite ||
        !CU_add_test(suite, "the strongest mechanism is chosen",
                     test_the_strongest_mechanism_is_chosen) ||
        !CU_add_test(suite, "SCRAM-SHA-1 logs in", test_scram_sha_1_logs_in) ||
        !CU_add_test(suite, "PLAIN sends name and password",
                     test_plain_sends_name_and_password) ||
        !CU_add_test(suite, "a server's words are handed up",
                     test_a_servers_words_are_handed_up) ||
        !CU_add_test(suite, "a wrong password ends in authfail",
                     test_a_wrong_password_ends_in_authfail) ||
        !CU_add_test(suite, "a server without proof is not believed",
                     test_a_server_without_proof_is_not_believed) ||
        !CU_add_test(suite, "a token is the whole message",
                     test_a_token_is_the_whole_message) ||
        !CU_add_test(suite, "a refused token is acknowledged and fails",
                     test_a_refused_token_is_acknowledged_and_fails) ||
        !CU_add_test(suite,
                     "a certificate names its owner again at the restart",
                     test_a_certificate_names_its_owner_again_at_the_restart) ||
        !CU_add_test(suite, "late features are polled for",
                     test_late_features_are_polled_for) ||
        !CU_add_test(suite, "a user is nobody only where asked",
                     test_a_user_is_nobody_only_where_asked) ||
        !CU_add_test(suite, "no usable mechanism is an authfail",
                     test_no_usable_mechanism_is_an_authfail) ||
        !CU_add_test(suite, "allowed mechanisms narrow the choice",
                     test_allowed_mechanisms_narrow_the_choice) ||
        !CU_add_test(suite, "a session is asked for when it must",
                     test_a_session_is_asked_for_when_it_must) ||
        !CU_add_test(suite, "an optional session is left alone",
                     test_an_optional_session_is_left_alone) ||
        !CU_add_test(suite, "a resource in conflict is an authfail",
                     test_a_resource_in_conflict_is_an_authfail) ||
        !CU_add_test(suite, "the application may bind itself",
                     test_the_application_may_bind_itself) ||
        !CU_add_test(suite, "bad JIDs are refused", test_bad_jids_are_refused))
        return -1;
    return 0;
}
