/*
 * Certificates for a run's managers that speak TLS: an authority of our own,
 * made for one run, and what it signs, by GnuTLS. Only the authority's
 * certificate becomes a file, for drivers to trust; keys stay in memory.
 */
#ifndef HARNESS_CERTS_H
#define HARNESS_CERTS_H

#include "common/err.h"
#include "common/wire.h"

struct certs;

/*
 * Make them all.
 *
 * dir  gets the authority's certificate, ca.pem; it exists
 *
 * Returns NULL with e set when GnuTLS or the file system does not play along.
 */
struct certs *certs_new(const char *dir, struct err *e);
void certs_free(struct certs *c); /* accepts NULL */

/* An absolute path, borrowed. */
const char *certs_ca_file(const struct certs *c);

/*
 * Who a manager says that it is: "good" (127.0.0.1 and localhost), "expired"
 * (until yesterday), "wrong-name" (somebody else's), "unknown-ca" (signed by
 * an authority that is not in the file). Borrowed; NULL: no such kind.
 *
 * Source: RFC 9110 §4.3.4
 */
const struct wire_identity *certs_identity(const struct certs *c,
                                           const char *kind);

#endif
