/* libbosh through proxies, to our mock: each kind, with and without a user and
 * a password, and proxies that will not. */
#include "bosh_peer.h"

#include <unistd.h>

#include "harness/certs.h"
#include "load_manager.h"
#include "proxy.h"

int suite_proxy(void);

#define TIME_OUT_MS 10000
#define LOGIN "us%20er:pa%40ss"
#define LOGIN_PLAIN "us er:pa@ss"
#define LOGIN_BASIC "dXMgZXI6cGFAc3M="
#define HELLO                                                                  \
    "<message to='echo@localhost' type='chat'><body>hello</body></message>"
#define SPOKE                                                                  \
    " connecting authenticating connected hello disconnecting disconnected"

/* ---- A session, and all that stands behind it -----------------------------
 */

struct talk {
    struct proxy_setup setup;
    struct proxy *proxy;
    struct load_manager *manager;
    struct load_tally tally;
    struct bosh_options options;
    struct bosh_driver *driver;
    struct bosh *session;
    int port; /* the manager's */
    char *url;
    char *proxy_url;
    struct buf told; /* statuses and stanzas, by spaces */
    struct buf log;  /* the proxy's */
};

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    struct talk *t = ctx;

    if (event->kind == BOSH_EVENT_STANZA)
        buf_adds(&t->told, strstr(event->xml, "hello") ? " hello" : " ?");
    if (event->kind == BOSH_EVENT_STANZA)
        bosh_disconnect(s, bosh_driver_now_ms(), NULL);
    if (event->kind != BOSH_EVENT_STATUS)
        return;
    buf_printf(&t->told, " %s", bosh_status_name(event->status));
    if (event->status == BOSH_CONNECTED)
        CHECK_INT(bosh_send(s, HELLO, strlen(HELLO)), 0);
}

static void talk_init(struct talk *t)
{
    memset(t, 0, sizeof *t);
    bosh_options_init(&t->options);
    t->options.mechanisms = "ANONYMOUS";
    t->options.back_off = false;
}

/* host: the manager's, with its scheme; identity: its own, or NULL. */
static void talk_start(struct talk *t, const char *host,
                       const struct wire_identity *identity)
{
    const struct load_setup behind = {.sessions = 1, .identity = identity};
    struct err e = {""};

    t->manager = load_manager_start(&behind, &e);
    CHECK_ROW(t->manager != NULL, e.text);
    t->proxy = proxy_start(&t->setup);
    t->port = load_manager_port(t->manager, 0);
    t->url = mem_printf("%s:%d/0", host, t->port);
    t->options.url = t->url;
}

/* kind: a scheme; login: with an @ behind it, or "". */
static void talk_by(struct talk *t, const char *kind, const char *login)
{
    t->proxy_url =
        mem_printf("%s://%s127.0.0.1:%d", kind, login, proxy_port(t->proxy));
    t->options.proxy = t->proxy_url;
}

/* Until the session is over. */
static void talk_run(struct talk *t)
{
    int64_t until = bosh_driver_now_ms() + TIME_OUT_MS;

    t->driver = bosh_driver_new();
    t->session = bosh_new(&t->options);
    CHECK_INT(
        bosh_driver_add(t->driver, t->session, (struct bosh_hook){on_event, t}),
        0);
    CHECK_INT(bosh_connect(t->session, bosh_driver_now_ms(), "localhost", NULL),
              0);
    while (!bosh_ended(t->session) && bosh_driver_now_ms() < until)
        bosh_driver_turn(t->driver, 100);
    CHECK(bosh_ended(t->session));
    bosh_driver_turn(t->driver, 0); /* hands over the last event */
}

static void talk_stop(struct talk *t)
{
    bosh_driver_free(t->driver);
    proxy_stop(t->proxy, &t->log);
    load_manager_stop(t->manager, &t->tally);
    CHECK_STR(t->tally.problem.text, "");
}

static void talk_release(struct talk *t)
{
    bosh_free(t->session);
    free(t->url);
    free(t->proxy_url);
    buf_release(&t->told);
    buf_release(&t->log);
    buf_release(&t->tally.first);
}

/* The manager was told nothing of the proxy's user, nor of the proxy. */
static void check_secrets(const struct talk *t, const char *row)
{
    const char *requests = buf_str(&t->tally.first);

    CHECK_ROW(t->tally.exchanges > 4 && t->tally.first.len > 0, row);
    CHECK_ROW(strcasestr(requests, "proxy") == NULL, row);
    CHECK_ROW(strstr(requests, LOGIN_BASIC) == NULL, row);
    CHECK_ROW(strncmp(requests, "POST /0 HTTP/1.1\r\n", 18) == 0, row);
}

/* ---- Each kind -------------------------------------------------------------
 */

/* Who resolves the name shows in what the proxy is asked for. */
struct kind {
    const char *scheme;
    const char *host;  /* the manager's */
    const char *asked; /* of the proxy, for each connection or request */
};

static const struct kind KINDS[] = {
    {"http", "http://manager.invalid", "http manager.invalid"},
    {"http", "https://localhost", "connect localhost"},
    {"socks4", "http://127.0.0.1", "socks4 127.0.0.1"},
    {"socks4a", "http://manager.invalid", "socks4 manager.invalid"},
    {"socks4a", "https://localhost", "socks4 localhost"},
    {"socks5", "http://127.0.0.1", "socks5 127.0.0.1"},
    {"socks5", "https://127.0.0.1", "socks5 127.0.0.1"},
    {"socks5h", "http://manager.invalid", "socks5 manager.invalid"},
    {"socks5h", "https://localhost", "socks5 localhost"},
};

static char dir[] = "/tmp/bosh-proxy-XXXXXX";
static struct certs *certs;

static const struct wire_identity *identity_of(const struct kind *k)
{
    return strncmp(k->host, "https:", 6) == 0 ? certs_identity(certs, "good")
                                              : NULL;
}

/* SOCKS 4 knows a user only. */
static const char *login_of(const struct kind *k)
{
    return strncmp(k->scheme, "socks4", 6) == 0 ? "us er" : LOGIN_PLAIN;
}

/* Every line of the log is this one, and there is one at least. */
static void check_log(const struct talk *t, const struct kind *k,
                      const char *login)
{
    char *line = mem_printf("%s:%d %s\n", k->asked, t->port, login);
    const char *at = buf_str(&t->log);

    while (*at && strncmp(at, line, strlen(line)) == 0)
        at += strlen(line);
    CHECK_ROW(t->log.len > 0, k->asked);
    CHECK_STR(at, "");
    free(line);
}

static void play_kind(const struct kind *k, bool login)
{
    struct talk t;

    talk_init(&t);
    if (login)
        t.setup.login = login_of(k);
    t.options.ca_file = certs_ca_file(certs);
    talk_start(&t, k->host, identity_of(k));
    talk_by(&t, k->scheme, login ? LOGIN "@" : "");
    talk_run(&t);
    talk_stop(&t);
    CHECK_STR(buf_str(&t.told), SPOKE);
    CHECK_STR(bosh_last_error(t.session), "");
    check_log(&t, k, login ? t.setup.login : "-");
    check_secrets(&t, k->asked);
    talk_release(&t);
}

static void test_each_kind_of_proxy_leads_to_the_manager(void)
{
    for (size_t i = 0; i < PEER_COUNT(KINDS); i++)
        play_kind(&KINDS[i], false);
}

static void test_user_and_password_are_for_the_proxy_alone(void)
{
    for (size_t i = 0; i < PEER_COUNT(KINDS); i++)
        play_kind(&KINDS[i], true);
}

/* The mock's relay takes what a proxy is sent: it is the proxy. */
static void test_a_proxy_may_speak_tls(void)
{
    struct talk t;

    for (int known = 0; known < 2; known++) {
        talk_init(&t);
        t.options.ca_file = known ? certs_ca_file(certs) : NULL;
        t.options.max_errors = 1;
        talk_start(&t, "http://manager.invalid", certs_identity(certs, "good"));
        t.proxy_url = mem_printf("https://localhost:%d", t.port);
        t.options.proxy = t.proxy_url;
        talk_run(&t);
        talk_stop(&t);
        CHECK_STR(buf_str(&t.told), known ? SPOKE
                                          : " connecting conntimeout "
                                            "disconnected");
        CHECK(known || strstr(bosh_last_error(t.session), "certificate"));
        CHECK(!known || strstr(buf_str(&t.tally.first), "POST http://manager"));
        talk_release(&t);
    }
}

/* ---- TLS through them ------------------------------------------------------
 */

static void test_the_manager_behind_a_proxy_must_prove_who_it_is(void)
{
    static const char *const FALSE_ONES[] = {"expired", "wrong-name",
                                             "unknown-ca"};
    struct talk t;

    for (size_t i = 0; i < 2 * PEER_COUNT(FALSE_ONES); i++) {
        talk_init(&t);
        t.options.ca_file = certs_ca_file(certs);
        t.options.max_errors = 1;
        talk_start(&t, "https://localhost",
                   certs_identity(certs, FALSE_ONES[i / 2]));
        talk_by(&t, i % 2 ? "socks5h" : "http", "");
        talk_run(&t);
        talk_stop(&t);
        CHECK_STR(buf_str(&t.told), " connecting conntimeout disconnected");
        CHECK_ROW(strstr(bosh_last_error(t.session), "certificate") != NULL,
                  bosh_last_error(t.session));
        CHECK_ROW(!strstr(bosh_last_error(t.session), "the proxy"),
                  bosh_last_error(t.session));
        CHECK_INT(t.tally.exchanges, 0);
        talk_release(&t);
    }
}

/* ---- Proxies that will not -------------------------------------------------
 */

#define REFUSED " connecting connfail disconnected"
#define GIVEN_UP " connecting conntimeout disconnected"
#define FIVE "5 errors in a row, the last: "

struct refusal {
    enum proxy_mood mood;
    const char *wants; /* the login; NULL: none */
    const char *scheme;
    const char *host;
    const char *login;
    const char *told;
    const char *why; /* how bosh_last_error() begins; "%s": the proxy, which
                      * is then named */
};

static const struct refusal REFUSALS[] = {
    /* a password is not tried again */
    {PROXY_SERVES, LOGIN_PLAIN, "http", "http://manager.invalid", "me:wrong@",
     REFUSED, "the proxy %s wants a user and a password, or other ones"},
    {PROXY_SERVES, LOGIN_PLAIN, "http", "https://localhost", "me:wrong@",
     REFUSED, "the proxy %s wants a user and a password, or other ones"},
    {PROXY_SERVES, LOGIN_PLAIN, "socks5h", "https://localhost", "me:wrong@",
     REFUSED, "the proxy %s wants a user and a password, or other ones"},
    {PROXY_SERVES, LOGIN_PLAIN, "http", "http://manager.invalid", "", REFUSED,
     "the proxy %s wants a user and a password, or other ones"},
    {PROXY_SERVES, LOGIN_PLAIN, "http", "https://localhost", "", REFUSED,
     "the proxy %s wants a user and a password, or other ones"},
    {PROXY_SERVES, LOGIN_PLAIN, "socks5h", "https://localhost", "", REFUSED,
     "the proxy %s wants a user and a password, or other ones"},
    /* SOCKS 4 does not say what it minds */
    {PROXY_SERVES, LOGIN_PLAIN, "socks4a", "https://localhost", "me@", GIVEN_UP,
     FIVE "the proxy %s: "},
    {PROXY_REFUSES, NULL, "http", "https://localhost", "", GIVEN_UP,
     FIVE "the proxy %s: "},
    {PROXY_REFUSES, NULL, "socks4a", "https://localhost", "", GIVEN_UP,
     FIVE "the proxy %s: "},
    {PROXY_REFUSES, NULL, "socks5h", "https://localhost", "", GIVEN_UP,
     FIVE "the proxy %s: "},
    {PROXY_CLOSES, NULL, "http", "http://manager.invalid", "", GIVEN_UP, FIVE},
    {PROXY_CLOSES, NULL, "http", "https://localhost", "", GIVEN_UP,
     FIVE "the proxy %s: "},
    {PROXY_CLOSES, NULL, "socks4a", "https://localhost", "", GIVEN_UP,
     FIVE "the proxy %s: "},
    {PROXY_CLOSES, NULL, "socks5h", "https://localhost", "", GIVEN_UP,
     FIVE "the proxy %s: "},
    {PROXY_HANGS, NULL, "http", "http://manager.invalid", "", GIVEN_UP,
     FIVE "no answer in time"},
    {PROXY_HANGS, NULL, "http", "https://localhost", "", GIVEN_UP,
     FIVE "no answer in time"},
    {PROXY_HANGS, NULL, "socks5h", "https://localhost", "", GIVEN_UP,
     FIVE "no answer in time"},
};

static void check_why(const struct talk *t, const char *why)
{
    const char *at = strstr(why, "%s");
    size_t before = at ? (size_t)(at - why) : strlen(why);
    char *want = at ? mem_printf("%.*s127.0.0.1:%d%s", (int)before, why,
                                 proxy_port(t->proxy), at + 2)
                    : mem_dup(why);
    const char *got = bosh_last_error(t->session);

    CHECK_ROW(strncmp(got, want, strlen(want)) == 0, got);
    CHECK_ROW(!strstr(got, "wrong") && !strchr(got, '@'), got);
    free(want);
}

static void play_refusal(const struct refusal *r)
{
    struct talk t;

    talk_init(&t);
    t.setup = (struct proxy_setup){r->mood, r->wants};
    t.options.ca_file = certs_ca_file(certs);
    t.options.wait_s = 1;
    t.options.timeout = r->mood == PROXY_HANGS ? 0.1 : 5;
    talk_start(&t, r->host,
               strncmp(r->host, "https:", 6) == 0
                   ? certs_identity(certs, "good")
                   : NULL);
    talk_by(&t, r->scheme, r->login);
    talk_run(&t);
    check_why(&t, r->why);
    CHECK_STR(buf_str(&t.told), r->told);
    talk_stop(&t);
    CHECK_INT(t.tally.exchanges, 0);
    talk_release(&t);
}

static void test_a_proxy_that_will_not_is_named(void)
{
    for (size_t i = 0; i < PEER_COUNT(REFUSALS); i++)
        play_refusal(&REFUSALS[i]);
}

static void test_a_proxy_that_is_not_there_is_named(void)
{
    struct talk t;

    talk_init(&t);
    talk_start(&t, "http://127.0.0.1", NULL);
    t.options.proxy = "socks5://127.0.0.1:1";
    talk_run(&t);
    talk_stop(&t);
    CHECK_STR(buf_str(&t.told), GIVEN_UP);
    CHECK(strstr(bosh_last_error(t.session), FIVE "the proxy 127.0.0.1:1: "));
    CHECK_INT(t.log.len, 0);
    talk_release(&t);
}

static void test_an_address_that_is_no_proxys_is_refused(void)
{
    static const char *const ROWS[] = {
        "ftp://127.0.0.1:21",     "127.0.0.1:3128", "http://",
        "socks://127.0.0.1:1080", "http://host",    "http://host:70000"};
    struct bosh_driver *d = bosh_driver_new();

    for (size_t i = 0; i < PEER_COUNT(ROWS); i++) {
        struct bosh_options o;
        struct bosh *s;

        bosh_options_init(&o);
        o.url = "http://127.0.0.1:1/";
        o.proxy = ROWS[i];
        s = bosh_new(&o);
        CHECK_ROW(bosh_driver_add(d, s, (struct bosh_hook){on_event, NULL}) ==
                      -1,
                  ROWS[i]);
        CHECK_ROW(strstr(bosh_driver_last_error(d), "the proxy must begin") !=
                      NULL,
                  ROWS[i]);
        bosh_free(s);
    }
    bosh_driver_free(d);
}

/* ---- The environment -------------------------------------------------------
 */

static const char *const VARIABLES[] = {"http_proxy",  "HTTP_PROXY",
                                        "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",   "ALL_PROXY"};

static void set_environment(const char *proxy, const char *none)
{
    for (size_t i = 0; i < PEER_COUNT(VARIABLES); i++)
        setenv(VARIABLES[i], proxy, 1);
    setenv("no_proxy", none, 1);
    setenv("NO_PROXY", none, 1);
}

static void clear_environment(void)
{
    for (size_t i = 0; i < PEER_COUNT(VARIABLES); i++)
        unsetenv(VARIABLES[i]);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
}

/* Neither does it lead to a proxy, nor around one. */
static void test_the_environment_has_no_say(void)
{
    struct talk t;

    for (int through = 0; through < 2; through++) {
        talk_init(&t);
        talk_start(&t, "http://127.0.0.1", NULL);
        set_environment(through ? "" : "http://127.0.0.1:1",
                        through ? "*" : "");
        if (through)
            talk_by(&t, "http", "");
        talk_run(&t);
        clear_environment();
        talk_stop(&t);
        CHECK_STR(buf_str(&t.told), SPOKE);
        CHECK((t.log.len > 0) == through);
        talk_release(&t);
    }
}

static const struct peer_test TESTS[] = {
    {"each kind of proxy leads to the manager",
     test_each_kind_of_proxy_leads_to_the_manager},
    {"user and password are for the proxy alone",
     test_user_and_password_are_for_the_proxy_alone},
    {"a proxy may speak TLS", test_a_proxy_may_speak_tls},
    {"the manager behind a proxy must prove who it is",
     test_the_manager_behind_a_proxy_must_prove_who_it_is},
    {"a proxy that will not is named", test_a_proxy_that_will_not_is_named},
    {"a proxy that is not there is named",
     test_a_proxy_that_is_not_there_is_named},
    {"an address that is no proxy's is refused",
     test_an_address_that_is_no_proxys_is_refused},
    {"the environment has no say", test_the_environment_has_no_say},
};

static int set_up(void)
{
    struct err e = {""};

    certs = mkdtemp(dir) ? certs_new(dir, &e) : NULL;
    return certs ? 0 : -1;
}

static int tear_down(void)
{
    int rc = unlink(certs_ca_file(certs));

    certs_free(certs);
    return rc < 0 ? rc : rmdir(dir);
}

int suite_proxy(void)
{
    CU_pSuite suite = CU_add_suite("proxy", set_up, tear_down);

    for (size_t i = 0; suite && i < PEER_COUNT(TESTS); i++) {
        if (!CU_add_test(suite, TESTS[i].name, TESTS[i].run))
            return -1;
    }
    return suite ? 0 : -1;
}
