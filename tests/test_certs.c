/* harness/certs.c: what GnuTLS itself says of the certificates of a run. */
#include <stdlib.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "check.h"
#include "common/buf.h"
#include "harness/certs.h"
#include "suites.h"

static char dir[] = "/tmp/boshspec-certs-XXXXXX";
static struct certs *certs;

static int set_up(void)
{
    struct err e = {""};

    certs = mkdtemp(dir) ? certs_new(dir, &e) : NULL;
    if (!certs)
        fprintf(stderr, "%s\n", e.text);
    return certs ? 0 : -1;
}

static int tear_down(void)
{
    int rc = unlink(certs_ca_file(certs));

    certs_free(certs);
    return rc < 0 ? rc : rmdir(dir);
}

/* How a client finds it that trusts the file and asked for this host. */
static unsigned verified(const char *kind, const char *host)
{
    const struct wire_identity *id = certs_identity(certs, kind);
    gnutls_datum_t pem = {(unsigned char *)id->cert,
                          (unsigned)strlen(id->cert)};
    gnutls_x509_trust_list_t list;
    gnutls_x509_crt_t cert;
    gnutls_typed_vdata_st asked[] = {
        {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)(uintptr_t)host, 0},
        {GNUTLS_DT_KEY_PURPOSE_OID,
         (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER, 0}};
    unsigned status = 0;

    gnutls_x509_trust_list_init(&list, 0);
    CHECK_INT(gnutls_x509_trust_list_add_trust_file(
                  list, certs_ca_file(certs), NULL, GNUTLS_X509_FMT_PEM, 0, 0),
              1);
    gnutls_x509_crt_init(&cert);
    CHECK_INT(gnutls_x509_crt_import(cert, &pem, GNUTLS_X509_FMT_PEM), 0);
    CHECK(gnutls_x509_trust_list_verify_crt2(list, &cert, 1, asked, 2, 0,
                                             &status, NULL) >= 0);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_trust_list_deinit(list, 1);
    return status;
}

static void test_each_certificate_has_its_one_fault(void)
{
    CHECK_INT(verified("good", "127.0.0.1"), 0);
    CHECK_INT(verified("good", "localhost"), 0);
    CHECK(verified("good", "elsewhere.example") & GNUTLS_CERT_UNEXPECTED_OWNER);
    CHECK_INT(verified("expired", "127.0.0.1"),
              GNUTLS_CERT_INVALID | GNUTLS_CERT_EXPIRED);
    CHECK_INT(verified("wrong-name", "127.0.0.1"),
              GNUTLS_CERT_INVALID | GNUTLS_CERT_UNEXPECTED_OWNER);
    CHECK_INT(verified("wrong-name", "elsewhere.example"), 0);
    CHECK_INT(verified("unknown-ca", "127.0.0.1"),
              GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_NOT_FOUND);
}

static void test_a_kind_that_is_not_there_is_none(void)
{
    CHECK(certs_identity(certs, "no") == NULL);
    CHECK(certs_ca_file(certs)[0] == '/');
}

static void test_a_folder_that_is_not_there_is_told(void)
{
    struct err e = {""};

    CHECK(certs_new("/no/such/folder", &e) == NULL);
    CHECK(strncmp(e.text, "/no/such/folder/ca.pem: ", 24) == 0);
}

int suite_certs(void)
{
    CU_pSuite s = CU_add_suite("certs", set_up, tear_down);

    return s && CU_ADD_TEST(s, test_each_certificate_has_its_one_fault) &&
                   CU_ADD_TEST(s, test_a_kind_that_is_not_there_is_none) &&
                   CU_ADD_TEST(s, test_a_folder_that_is_not_there_is_told)
               ? 0
               : -1;
}
