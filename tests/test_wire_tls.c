/* The wire layer's TLS: as a client against itself as a relay. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "wire_fixture.h"

int suite_wire_tls(void);

struct pem {
    char file[64]; /* the certificate, for those that trust it */
    struct wire_identity identity;
};

static char *text_of(gnutls_datum_t *pem)
{
    char *text = mem_dupn((const char *)pem->data, pem->size);

    gnutls_free(pem->data);
    return text;
}

static void write_file(char *path, size_t size, const char *text)
{
    const char *dir = getenv("TMPDIR");
    int fd;

    snprintf(path, size, "%.30s/wire-test-XXXXXX", dir ? dir : "/tmp");
    fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_INT(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* A certificate of its own for "localhost". */
static void make_pem(struct pem *pem)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
    gnutls_datum_t text;

    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(
        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
        0);
    gnutls_x509_crt_init(&cert);
    gnutls_x509_crt_set_version(cert, 3);
    gnutls_x509_crt_set_serial(cert, "\x01", 1);
    gnutls_x509_crt_set_activation_time(cert, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(cert, time(NULL) + 3600);
    gnutls_x509_crt_set_dn(cert, "CN=localhost", NULL);
    gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, "localhost",
                                         9, GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_key(cert, key);
    CHECK(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0) >= 0);
    gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &text);
    pem->identity.cert = text_of(&text);
    write_file(pem->file, sizeof pem->file, pem->identity.cert);
    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text);
    pem->identity.key = text_of(&text);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_privkey_deinit(key);
}

static void remove_pem(const struct pem *pem)
{
    unlink(pem->file);
    free(pem->identity.cert);
    free(pem->identity.key);
}

/* One request over TLS; its exchange is 1, the relay's is 2. */
static void ask_secure(struct fx *f, const struct pem *pem,
                       struct wire_target target, struct buf *body)
{
    struct err e = {""};
    struct delivery plan;
    struct buf request = BUF_INIT;

    fx_start_tls(f, &pem->identity);
    target.host = "127.0.0.1";
    target.port = f->port;
    target.tls = true;
    http_write_request(&request, "POST", "/", 1, NULL, 0, buf_str(body),
                       body->len);
    delivery_init(&plan);
    delivery_add(&plan, 0, request.data, request.len);
    wire_request(f->wire, &target, NULL, &plan);
    delivery_release(&plan);
    buf_release(&request);
    CHECK_ROW(e.text[0] == 0, e.text);
}

static void test_tls_both_ways(void)
{
    struct pem pem;
    struct fx f;
    struct buf body = BUF_INIT;

    make_pem(&pem);
    for (int i = 0; i < 300000; i++)
        buf_addc(&body, 'b');
    ask_secure(&f, &pem,
               (struct wire_target){.ca_file = pem.file, .sni = "localhost"},
               &body);
    CHECK(fx_news(&f, "response 1 whole"));
    CHECK(fx_news(&f, "secured 2 yes"));
    CHECK(strstr(buf_str(&f.response), "answer 1") != NULL);
    CHECK(fx_news(&f, "delivered 2 whole"));
    CHECK_INT(f.inside_last.len > 300000, 1);
    fx_stop(&f);
    ask_secure(&f, &pem, (struct wire_target){.insecure = true}, &body);
    CHECK(fx_news(&f, "response 1 whole"));
    fx_stop(&f);
    buf_release(&body);
    remove_pem(&pem);
}

static void test_tls_certificate_is_verified(void)
{
    struct pem pem;
    struct pem other;
    struct fx f;
    struct buf body = BUF_INIT;

    make_pem(&pem);
    make_pem(&other);
    ask_secure(&f, &pem,
               (struct wire_target){.ca_file = other.file, .sni = "localhost"},
               &body);
    CHECK(fx_news(&f, "response 1 none"));
    CHECK(strncmp(f.problem, "TLS: certificate: ", 18) == 0);
    CHECK(fx_news(&f, "secured 2 no"));
    CHECK(strncmp(f.problem, "TLS: alert: ", 12) == 0);
    CHECK(fx_news(&f, "closed 2 rst by peer"));
    fx_stop(&f);
    ask_secure(&f, &pem,
               (struct wire_target){.ca_file = pem.file, .sni = "elsewhere"},
               &body);
    CHECK(fx_news(&f, "response 1 none"));
    CHECK(strstr(f.problem, "name") != NULL);
    fx_stop(&f);
    ask_secure(&f, &pem, (struct wire_target){.ca_file = "/no/such/file"},
               &body);
    CHECK(fx_news(&f, "response 1 none"));
    CHECK(strncmp(f.problem, "TLS: certificates of '/no/such/file'", 36) == 0);
    fx_stop(&f);
    remove_pem(&pem);
    remove_pem(&other);
}

static void test_a_tls_port_takes_what_comes_in_clear(void)
{
    struct pem pem;
    struct fx f;
    struct fx_client plain;
    struct err e = {""};

    make_pem(&pem);
    fx_start_tls(&f, &pem.identity);
    fx_connect(&f, &plain);
    fx_post(&plain, "in the clear");
    CHECK(fx_news(&f, "secured 1 in clear"));
    CHECK(fx_news(&f, "request 1 on 1 whole"));
    fx_close(&plain);
    CHECK(fx_news(&f, "closed 1 fin by peer"));
    CHECK_INT(wire_listen(f.wire, "127.0.0.1", 0, NULL, NULL, NULL, &e), -1);
    fx_stop(&f);
    remove_pem(&pem);
}

static void test_a_handshake_may_end_in_the_middle(void)
{
    struct pem pem;
    struct fx f;
    struct fx_client c;

    make_pem(&pem);
    fx_start_tls(&f, &pem.identity);
    fx_connect(&f, &c); /* it is cut before a word */
    CHECK(fx_news(&f, "opened 1"));
    wire_cut(f.wire, 1, DELIVERY_FIN);
    CHECK(fx_gets_eof(&f, &c));
    fx_close(&c);
    fx_connect(&f, &c); /* it says nothing and goes */
    CHECK(fx_news(&f, "opened 2"));
    fx_close(&c);
    CHECK(fx_news(&f, "closed 2 fin by peer"));
    CHECK(strstr(buf_str(&f.news), "secured") == NULL);
    fx_connect(&f, &c);              /* it goes after half a hello */
    fx_send(&c, "\x16\x03\x01\x02"); /* up to a NUL */
    CHECK(fx_news(&f, "opened 3"));
    fx_close(&c);
    CHECK(fx_news(&f, "secured 3 no"));
    CHECK(fx_news(&f, "closed 3 rst by peer"));
    fx_stop(&f);
    remove_pem(&pem);
}

static void test_another_identity_is_for_later_connections(void)
{
    struct pem pem;
    struct pem other;
    struct fx f;
    struct buf body = BUF_INIT;
    struct err e = {""};

    make_pem(&pem);
    make_pem(&other);
    fx_start(&f);
    CHECK_INT(wire_identify(f.wire, &other.identity, &e), -1);
    fx_stop(&f);
    ask_secure(&f, &pem,
               (struct wire_target){.ca_file = other.file, .sni = "localhost"},
               &body);
    CHECK_INT(wire_identify(f.wire, &other.identity, &e), 0);
    CHECK(fx_news(&f, "response 1 whole"));
    fx_stop(&f);
    buf_release(&body);
    remove_pem(&pem);
    remove_pem(&other);
}

int suite_wire_tls(void)
{
    CU_pSuite s = CU_add_suite("wire TLS", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_tls_both_ways) ||
        !CU_ADD_TEST(s, test_tls_certificate_is_verified) ||
        !CU_ADD_TEST(s, test_a_tls_port_takes_what_comes_in_clear) ||
        !CU_ADD_TEST(s, test_a_handshake_may_end_in_the_middle) ||
        !CU_ADD_TEST(s, test_another_identity_is_for_later_connections))
        return -1;
    return 0;
}
