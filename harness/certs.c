/* Certificates for a run: see certs.h. */
#include "certs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "common/buf.h"

#define DAY_S (24 * 60 * 60)
#define SERIAL_LEN 12

enum { GOOD, EXPIRED, WRONG_NAME, UNKNOWN_CA, KINDS };

static const char *const kind_names[KINDS] = {"good", "expired", "wrong-name",
                                              "unknown-ca"};

/* Somebody with a key. */
struct holder {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
};

struct certs {
    struct holder ours, other; /* authorities */
    struct holder leaf;        /* the key of all managers */
    struct wire_identity identities[KINDS];
    char *ca_file;
};

static void holder_release(struct holder *h)
{
    if (h->cert)
        gnutls_x509_crt_deinit(h->cert);
    if (h->key)
        gnutls_x509_privkey_deinit(h->key);
    h->cert = NULL;
    h->key = NULL;
}

static int make_key(struct holder *h)
{
    int rc = gnutls_x509_privkey_init(&h->key);

    if (rc < 0)
        return rc;
    return gnutls_x509_privkey_generate(
        h->key, GNUTLS_PK_ECDSA,
        GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
}

/* A certificate with what all have: a number, a name, days from today, the
 * key and its digest. */
static int begin_cert(struct holder *h, const char *dn, int from_day,
                      int to_day)
{
    unsigned char serial[SERIAL_LEN] = {0};
    unsigned char id[64];
    size_t id_len = sizeof id;
    time_t now = time(NULL);
    int rc = gnutls_x509_crt_init(&h->cert);

    if (rc >= 0)
        rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] &= 0x7F; /* a positive number */
    if (rc >= 0)
        rc = gnutls_x509_crt_set_version(h->cert, 3);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_serial(h->cert, serial, sizeof serial);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_activation_time(h->cert,
                                                 now + from_day * DAY_S);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_expiration_time(h->cert, now + to_day * DAY_S);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_dn(h->cert, dn, NULL);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key(h->cert, h->key);
    if (rc >= 0)
        rc = gnutls_x509_crt_get_key_id(h->cert, 0, id, &id_len);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_subject_key_id(h->cert, id, id_len);
    return rc;
}

static int make_authority(struct holder *h, const char *dn)
{
    int rc = make_key(h);

    if (rc >= 0)
        rc = begin_cert(h, dn, -7, 30);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_basic_constraints(h->cert, 1, 0);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_usage(h->cert, GNUTLS_KEY_KEY_CERT_SIGN |
                                                        GNUTLS_KEY_CRL_SIGN);
    if (rc >= 0)
        rc = gnutls_x509_crt_sign2(h->cert, h->cert, h->key, GNUTLS_DIG_SHA256,
                                   0);
    return rc;
}

static int add_names(gnutls_x509_crt_t cert, bool wrong)
{
    static const unsigned char address[] = {127, 0, 0, 1};
    const char *name = wrong ? "elsewhere.example" : "localhost";
    int rc = gnutls_x509_crt_set_subject_alt_name(
        cert, GNUTLS_SAN_DNSNAME, name, strlen(name), GNUTLS_FSAN_APPEND);

    if (rc >= 0 && !wrong)
        rc = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS,
                                                  address, sizeof address,
                                                  GNUTLS_FSAN_APPEND);
    return rc;
}

static int sign(struct holder *h, const struct holder *by)
{
    unsigned char id[64];
    size_t id_len = sizeof id;
    int rc = gnutls_x509_crt_get_subject_key_id(by->cert, id, &id_len, NULL);

    if (rc >= 0)
        rc = gnutls_x509_crt_set_authority_key_id(h->cert, id, id_len);
    if (rc >= 0)
        rc = gnutls_x509_crt_sign2(h->cert, by->cert, by->key,
                                   GNUTLS_DIG_SHA256, 0);
    return rc;
}

static char *text_of(gnutls_datum_t *pem)
{
    char *text = mem_dupn((const char *)pem->data, pem->size);

    gnutls_free(pem->data);
    return text;
}

static int export_pem(const struct holder *h, struct wire_identity *out)
{
    gnutls_datum_t pem;
    int rc = gnutls_x509_crt_export2(h->cert, GNUTLS_X509_FMT_PEM, &pem);

    if (rc < 0)
        return rc;
    out->cert = text_of(&pem);
    rc = gnutls_x509_privkey_export2(h->key, GNUTLS_X509_FMT_PEM, &pem);
    if (rc >= 0)
        out->key = text_of(&pem);
    return rc;
}

static int make_identity(struct certs *c, int kind)
{
    bool expired = kind == EXPIRED;
    bool wrong = kind == WRONG_NAME;
    int rc =
        begin_cert(&c->leaf, wrong ? "CN=elsewhere.example" : "CN=localhost",
                   expired ? -6 : -1, expired ? -1 : 7);

    if (rc >= 0)
        rc = gnutls_x509_crt_set_basic_constraints(c->leaf.cert, 0, -1);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_usage(c->leaf.cert,
                                           GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_purpose_oid(c->leaf.cert,
                                                 GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (rc >= 0)
        rc = add_names(c->leaf.cert, wrong);
    if (rc >= 0)
        rc = sign(&c->leaf, kind == UNKNOWN_CA ? &c->other : &c->ours);
    if (rc >= 0)
        rc = export_pem(&c->leaf, &c->identities[kind]);
    if (c->leaf.cert)
        gnutls_x509_crt_deinit(c->leaf.cert);
    c->leaf.cert = NULL;
    return rc;
}

static int make_all(struct certs *c)
{
    int rc = make_authority(&c->ours, "CN=boshspec authority of one run");

    if (rc >= 0)
        rc = make_authority(&c->other, "CN=an authority that nobody knows");
    if (rc >= 0)
        rc = make_key(&c->leaf);
    for (int kind = 0; kind < KINDS && rc >= 0; kind++)
        rc = make_identity(c, kind);
    return rc;
}

static int write_ca(struct certs *c, const char *dir, struct err *e)
{
    char *path = mem_printf("%s/ca.pem", dir);
    FILE *f = fopen(path, "we");
    gnutls_datum_t pem;
    int rc = -1;

    if (f &&
        gnutls_x509_crt_export2(c->ours.cert, GNUTLS_X509_FMT_PEM, &pem) >= 0) {
        rc = fwrite(pem.data, 1, pem.size, f) == pem.size ? 0 : -1;
        gnutls_free(pem.data);
    }
    if (f && fclose(f) != 0)
        rc = -1;
    if (rc == 0)
        c->ca_file = realpath(path, NULL);
    if (!c->ca_file)
        rc = err_set(e, "%s: %s", path, strerror(errno));
    free(path);
    return rc;
}

struct certs *certs_new(const char *dir, struct err *e)
{
    struct certs *c = mem_alloc(sizeof *c);
    int rc = make_all(c);

    if (rc < 0)
        err_set(e, "certificates: %s", gnutls_strerror(rc));
    else
        rc = write_ca(c, dir, e);
    if (rc >= 0)
        return c;
    certs_free(c);
    return NULL;
}

void certs_free(struct certs *c)
{
    if (!c)
        return;
    holder_release(&c->ours);
    holder_release(&c->other);
    holder_release(&c->leaf);
    for (int kind = 0; kind < KINDS; kind++) {
        free(c->identities[kind].cert);
        free(c->identities[kind].key);
    }
    free(c->ca_file);
    free(c);
}

const char *certs_ca_file(const struct certs *c)
{
    return c->ca_file;
}

const struct wire_identity *certs_identity(const struct certs *c,
                                           const char *kind)
{
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(kind_names[i], kind) == 0)
            return &c->identities[i];
    }
    return NULL;
}
