/* Logging in to Prosody: TLS, mechanisms, and what goes wrong. */
#include <stdlib.h>

#include "peers.h"
#include "tests/check.h"

/* One attempt, whatever comes of it; t is left to look at. */
static int attempt(struct talker *t, struct bosh_driver *d,
                   const struct bosh_options *o, const char *jid,
                   const char *password)
{
    talker_init(t, d, o);
    return bosh_driver_connect(d, t->s, jid, password, PATIENCE_MS);
}

static void let_go(struct talker *t)
{
    struct bosh_driver *d = t->d;

    talker_release(t);
    bosh_driver_free(d);
}

/* Over TLS, without a second try; ca_file may be NULL. */
static int attempt_tls(struct talker *t, const char *url, const char *ca_file)
{
    char *password = server_password(peers_server(), "ALICE");
    struct bosh_options o;
    int rc;

    peers_options(&o);
    o.url = url;
    o.ca_file = ca_file;
    o.max_errors = 1;
    rc = attempt(t, bosh_driver_new(), &o, "alice@localhost/tls", password);
    free(password);
    return rc;
}

static void test_a_certificate_of_its_authority_is_good(void)
{
    const char *ca_file = server_value(peers_server(), "CA_FILE");
    struct talker t;

    CHECK_INT(
        attempt_tls(&t, server_value(peers_server(), "HTTPS_URL"), ca_file), 0);
    CHECK_INT(talker_say(&t, bosh_jid(t.s), "to myself"), 0);
    CHECK_INT(talker_listen(&t, 1, PATIENCE_MS), 1);
    peers_log_out(&t);
    CHECK_STR(buf_str(&t.seen), "connecting authenticating connected "
                                "disconnecting disconnected");
    let_go(&t);
}

static void check_refused_by_us(struct talker *t, const char *reason)
{
    CHECK_STR(buf_str(&t->seen), "connecting conntimeout disconnected");
    CHECK_ROW(strcasestr(bosh_last_error(t->s), reason), bosh_last_error(t->s));
}

static void test_an_unknown_authority_is_refused(void)
{
    struct talker t;

    CHECK_INT(attempt_tls(&t, server_value(peers_server(), "HTTPS_URL"), NULL),
              -1);
    check_refused_by_us(&t, "certificate");
    let_go(&t);
}

/* libcurl itself resolves all below localhost to the loopback. */
static void test_a_certificate_for_another_name_is_refused(void)
{
    struct talker t;

    CHECK_INT(attempt_tls(&t, server_value(peers_server(), "HTTPS_WRONG_URL"),
                          server_value(peers_server(), "CA_FILE")),
              -1);
    check_refused_by_us(&t, "elsewhere.localhost");
    let_go(&t);
}

static void test_an_authority_that_is_no_file_is_said(void)
{
    struct talker t;

    CHECK_INT(attempt_tls(&t, server_value(peers_server(), "HTTPS_URL"),
                          "/nonexistent/ca.pem"),
              -1);
    check_refused_by_us(&t, "CA");
    let_go(&t);
}

/* ---- Who, and how ---------------------------------------------------------
 */

static void test_a_wrong_password_is_not_authorized(void)
{
    static const char *const mechanisms[] = {"SCRAM-SHA-256", "SCRAM-SHA-1",
                                             "PLAIN", NULL};
    struct bosh_options o;

    peers_options(&o);
    for (size_t i = 0; i < 4; i++) {
        struct talker t;

        o.mechanisms = mechanisms[i];
        CHECK_INT(attempt(&t, bosh_driver_new(), &o, "alice@localhost",
                          "white rabbit"),
                  -1);
        talker_wait_end(&t, PATIENCE_MS);
        CHECK_STR(buf_str(&t.seen), "connecting authenticating authfail "
                                    "disconnecting disconnected");
        CHECK_STR(t.condition, "not-authorized");
        let_go(&t);
    }
}

static void test_nobody_of_that_name_is_not_authorized(void)
{
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    CHECK_INT(attempt(&t, bosh_driver_new(), &o, "dodo@localhost", "builder"),
              -1);
    talker_wait_end(&t, PATIENCE_MS);
    CHECK_STR(buf_str(&t.seen), "connecting authenticating authfail "
                                "disconnecting disconnected");
    CHECK_STR(t.condition, "not-authorized");
    let_go(&t);
}

/* XEP-0124 §17.2 has host-unknown for it; Prosody 0.12 says
 * improper-addressing. */
static void test_an_unknown_host_is_connfail(void)
{
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    CHECK_INT(attempt(&t, bosh_driver_new(), &o, "alice@example.org", "x"), -1);
    CHECK_STR(buf_str(&t.seen), "connecting connfail disconnected");
    CHECK_ROW(t.condition && (strcmp(t.condition, "host-unknown") == 0 ||
                              strcmp(t.condition, "improper-addressing") == 0),
              t.condition ? t.condition : "(none)");
    CHECK(strstr(bosh_last_error(t.s), t.condition ? t.condition : "?"));
    let_go(&t);
}

static void test_a_path_without_a_manager_is_connfail(void)
{
    char *url = mem_printf("%s-elsewhere", server_value(peers_server(), "URL"));
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    o.url = url;
    CHECK_INT(attempt(&t, bosh_driver_new(), &o, "alice@localhost", "x"), -1);
    CHECK_STR(buf_str(&t.seen), "connecting connfail disconnected");
    CHECK_STR(t.condition, "item-not-found");
    CHECK(strstr(bosh_last_error(t.s), "404"));
    let_go(&t);
    free(url);
}

static void test_anonymous_gets_a_name(void)
{
    const char *domain = server_value(peers_server(), "ANONYMOUS_DOMAIN");
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    CHECK_INT(attempt(&t, bosh_driver_new(), &o, domain, NULL), 0);
    CHECK(bosh_jid(t.s) && strchr(bosh_jid(t.s), '@') &&
          strstr(bosh_jid(t.s), domain));
    CHECK_INT(talker_say(&t, bosh_jid(t.s), "who am I?"), 0);
    CHECK_INT(talker_listen(&t, 1, PATIENCE_MS), 1);
    peers_log_out(&t);
    let_go(&t);
}

/* Reads the mechanism off the wire, where Prosody has to agree with it. */
static void note_auth(void *ctx, const char *xml, size_t len)
{
    const char *at = memmem(xml, len, "mechanism=", 10);

    if (at) {
        at += 11;
        buf_add(ctx, at, strcspn(at, "'\""));
    }
}

static void test_each_mechanism_when_it_is_the_only_one(void)
{
    static const char *const mechanisms[] = {"SCRAM-SHA-256", "SCRAM-SHA-1",
                                             "PLAIN", NULL};
    char *password = server_password(peers_server(), "ALICE");
    struct bosh_options o;

    peers_options(&o);
    for (size_t i = 0; i < 4; i++) {
        struct buf used = BUF_INIT;
        struct talker t;

        o.mechanisms = mechanisms[i];
        o.taps = (struct bosh_taps){.xml_output = note_auth, .ctx = &used};
        CHECK_INT(
            attempt(&t, bosh_driver_new(), &o, "alice@localhost/m", password),
            0);
        /* The strongest that both have, if we may choose. */
        CHECK_STR(buf_str(&used),
                  mechanisms[i] ? mechanisms[i] : "SCRAM-SHA-256");
        CHECK_STR(bosh_jid(t.s), "alice@localhost/m");
        peers_log_out(&t);
        let_go(&t);
        buf_release(&used);
    }
    free(password);
}

static void test_no_mechanism_in_common_is_authfail(void)
{
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    o.mechanisms = "ANONYMOUS";
    CHECK_INT(attempt(&t, bosh_driver_new(), &o, "alice@localhost", "x"), -1);
    talker_wait_end(&t, PATIENCE_MS);
    CHECK_STR(buf_str(&t.seen),
              "connecting authfail disconnecting disconnected");
    CHECK_STR(t.condition, "invalid-mechanism");
    let_go(&t);
}

static bool wants_bind(const void *ctx)
{
    const struct talker *t = ctx;

    return strstr(buf_str(&t->seen), "bindrequired") || bosh_ended(t->s);
}

static bool is_in(const void *ctx)
{
    return bosh_connected(ctx) || bosh_ended(ctx);
}

static void test_the_application_may_bind_itself(void)
{
    char *password = server_password(peers_server(), "BOB");
    struct bosh_options o;
    struct talker t;

    peers_options(&o);
    o.explicit_bind = true;
    talker_init(&t, bosh_driver_new(), &o);
    CHECK_INT(
        bosh_connect(t.s, bosh_driver_now_ms(), "bob@localhost", password), 0);
    bosh_driver_pump(t.d, t.s);
    CHECK(talk_until(t.d, wants_bind, &t, PATIENCE_MS));
    CHECK_INT(bosh_bind(t.s, "his own \xE2\x9C\x93"), 0);
    CHECK(talk_until(t.d, is_in, t.s, PATIENCE_MS));
    CHECK_STR(bosh_jid(t.s), "bob@localhost/his own \xE2\x9C\x93");
    peers_log_out(&t);
    let_go(&t);
    free(password);
}

static CU_TestInfo TESTS[] = {
    {"a certificate of its authority is good",
     test_a_certificate_of_its_authority_is_good},
    {"an unknown authority is refused", test_an_unknown_authority_is_refused},
    {"a certificate for another name is refused",
     test_a_certificate_for_another_name_is_refused},
    {"an authority that is no file is said",
     test_an_authority_that_is_no_file_is_said},
    {"a wrong password is not authorized",
     test_a_wrong_password_is_not_authorized},
    {"nobody of that name is not authorized",
     test_nobody_of_that_name_is_not_authorized},
    {"an unknown host is connfail", test_an_unknown_host_is_connfail},
    {"a path without a manager is connfail",
     test_a_path_without_a_manager_is_connfail},
    {"anonymous gets a name", test_anonymous_gets_a_name},
    {"each mechanism when it is the only one",
     test_each_mechanism_when_it_is_the_only_one},
    {"no mechanism in common is authfail",
     test_no_mechanism_in_common_is_authfail},
    {"the application may bind itself", test_the_application_may_bind_itself},
    CU_TEST_INFO_NULL,
};

int suite_login(void)
{
    return peers_suite("login", TESTS);
}
