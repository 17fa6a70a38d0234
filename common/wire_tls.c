/* TLS of the wire layer, by GnuTLS: see wire_internal.h. */
#include "wire_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/* Sessions go on using what another identity has taken the place of. */
struct wire_tls_creds {
    gnutls_certificate_credentials_t cred;
    unsigned refs;
};

struct wire_tls {
    gnutls_session_t session;
    gnutls_certificate_credentials_t own; /* a client's */
    struct wire_tls_creds *creds;         /* a server's */
    int fd;
    uint64_t *sent;
};

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text,
                            (unsigned)strlen(text)};
}

struct wire_tls_creds *wire_tls_creds_new(const struct wire_identity *identity,
                                          struct err *e)
{
    struct wire_tls_creds *creds = mem_alloc(sizeof *creds);
    gnutls_datum_t cert = datum(identity->cert);
    gnutls_datum_t key = datum(identity->key);
    int rc = gnutls_certificate_allocate_credentials(&creds->cred);

    creds->refs = 1;
    if (rc >= 0)
        rc = gnutls_certificate_set_x509_key_mem(creds->cred, &cert, &key,
                                                 GNUTLS_X509_FMT_PEM);
    if (rc < 0) {
        err_set(e, "certificate and key: %s", gnutls_strerror(rc));
        wire_tls_creds_free(creds);
        return NULL;
    }
    return creds;
}

void wire_tls_creds_free(struct wire_tls_creds *creds)
{
    if (!creds || --creds->refs > 0)
        return;
    if (creds->cred)
        gnutls_certificate_free_credentials(creds->cred);
    free(creds);
}

static bool is_address(const char *host)
{
    unsigned char out[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, out) == 1 ||
           inet_pton(AF_INET6, host, out) == 1;
}

static int tls_setup(struct wire_tls *tls, unsigned flags)
{
    int rc = gnutls_init(&tls->session, flags | GNUTLS_NONBLOCK);

    if (rc < 0)
        return rc;
    return gnutls_set_default_priority(tls->session);
}

struct wire_tls *wire_tls_server(struct wire_tls_creds *creds)
{
    struct wire_tls *tls = mem_alloc(sizeof *tls);

    if (tls_setup(tls, GNUTLS_SERVER) < 0 ||
        gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE,
                               creds->cred) < 0) {
        wire_tls_free(tls);
        return NULL;
    }
    tls->creds = creds;
    creds->refs++;
    return tls;
}

static int client_trust(struct wire_tls *tls, const struct wire_target *t,
                        struct err *e)
{
    int rc = gnutls_certificate_allocate_credentials(&tls->own);

    if (rc >= 0 && !t->insecure)
        rc = t->ca_file ? gnutls_certificate_set_x509_trust_file(
                              tls->own, t->ca_file, GNUTLS_X509_FMT_PEM)
                        : gnutls_certificate_set_x509_system_trust(tls->own);
    if (rc < 0)
        return err_set(e, "TLS: certificates of '%s': %s",
                       t->ca_file ? t->ca_file : "the system",
                       gnutls_strerror(rc));
    return 0;
}

static int client_names(struct wire_tls *tls, const struct wire_target *t)
{
    const char *name = t->sni ? t->sni : t->host;
    int rc =
        gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->own);

    if (rc >= 0 && *name && !is_address(name))
        rc = gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, name,
                                    strlen(name));
    if (!t->insecure)
        gnutls_session_set_verify_cert(tls->session, name, 0);
    return rc;
}

struct wire_tls *wire_tls_client(const struct wire_target *target,
                                 struct err *e)
{
    struct wire_tls *tls = mem_alloc(sizeof *tls);
    int rc = tls_setup(tls, GNUTLS_CLIENT);

    if (rc >= 0 && client_trust(tls, target, e) < 0)
        goto fail;
    if (rc >= 0)
        rc = client_names(tls, target);
    if (rc >= 0)
        return tls;
    err_set(e, "TLS: %s", gnutls_strerror(rc));
fail:
    wire_tls_free(tls);
    return NULL;
}

void wire_tls_free(struct wire_tls *tls)
{
    if (!tls)
        return;
    if (tls->session)
        gnutls_deinit(tls->session);
    if (tls->own)
        gnutls_certificate_free_credentials(tls->own);
    wire_tls_creds_free(tls->creds);
    free(tls);
}

static ssize_t tls_push(gnutls_transport_ptr_t p, const void *data, size_t len)
{
    struct wire_tls *tls = p;
    ssize_t n = send(tls->fd, data, len, MSG_NOSIGNAL);

    if (n > 0)
        *tls->sent += (uint64_t)n;
    else if (n < 0)
        gnutls_transport_set_errno(tls->session, errno);
    return n;
}

static ssize_t tls_pull(gnutls_transport_ptr_t p, void *data, size_t len)
{
    struct wire_tls *tls = p;
    ssize_t n = recv(tls->fd, data, len, 0);

    if (n < 0)
        gnutls_transport_set_errno(tls->session, errno);
    return n;
}

void wire_tls_attach(struct wire_tls *tls, int fd, uint64_t *sent)
{
    tls->fd = fd;
    tls->sent = sent;
    gnutls_transport_set_ptr(tls->session, tls);
    gnutls_transport_set_push_function(tls->session, tls_push);
    gnutls_transport_set_pull_function(tls->session, tls_pull);
}

static void certificate_problem(struct wire_tls *tls, struct err *e)
{
    gnutls_datum_t text = {NULL, 0};
    unsigned status = gnutls_session_get_verify_cert_status(tls->session);

    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509,
                                                     &text, 0) < 0) {
        err_set(e, "TLS: certificate not accepted");
        return;
    }
    while (text.size && strchr(" .", text.data[text.size - 1]))
        text.data[--text.size] = '\0';
    err_set(e, "TLS: certificate: %s", (const char *)text.data);
    gnutls_free(text.data);
}

static void tls_problem(struct wire_tls *tls, int rc, struct err *e)
{
    if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
        certificate_problem(tls, e);
    else if (rc == GNUTLS_E_PREMATURE_TERMINATION)
        err_set(e, "TLS: closed in the middle");
    else if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
        err_set(e, "TLS: alert: %s",
                gnutls_alert_get_name(gnutls_alert_get(tls->session)));
    else
        err_set(e, "TLS: %s", gnutls_strerror(rc));
}

#define CONTENT_HANDSHAKE 22

bool wire_tls_begins(unsigned char byte)
{
    return byte == CONTENT_HANDSHAKE;
}

int wire_tls_handshake(struct wire_tls *tls, bool *write, struct err *e)
{
    int rc;

    do
        rc = gnutls_handshake(tls->session);
    while (rc < 0 && rc != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(rc));
    *write = gnutls_record_get_direction(tls->session) == 1;
    if (rc == GNUTLS_E_AGAIN)
        return 0;
    if (rc >= 0)
        return 1;
    tls_problem(tls, rc, e);
    gnutls_alert_send_appropriate(tls->session, rc);
    return -1;
}

static ssize_t tls_result(struct wire_tls *tls, ssize_t rc, struct err *e)
{
    if (rc >= 0)
        return rc;
    if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED ||
        !gnutls_error_is_fatal((int)rc)) {
        errno = rc == GNUTLS_E_AGAIN ? EAGAIN : EINTR;
        return -1;
    }
    tls_problem(tls, (int)rc, e);
    errno = EPROTO;
    return -1;
}

ssize_t wire_tls_recv(struct wire_tls *tls, void *data, size_t len,
                      struct err *e)
{
    ssize_t rc = gnutls_record_recv(tls->session, data, len);

    /* A FIN without close_notify is a FIN: HTTP has its own framing. */
    if (rc == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    return tls_result(tls, rc, e);
}

ssize_t wire_tls_send(struct wire_tls *tls, const void *data, size_t len,
                      struct err *e)
{
    return tls_result(tls, gnutls_record_send(tls->session, data, len), e);
}

void wire_tls_bye(struct wire_tls *tls)
{
    gnutls_bye(tls->session, GNUTLS_SHUT_WR);
}
