/*
 * SASL, client side: which mechanism, and its elements.
 *
 * RFC 6120 §6. The mechanisms are GNU SASL's, but for those of one message.
 * Knows no session. Pure.
 */
#ifndef CLIENT_SASL_H
#define CLIENT_SASL_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/xml.h"

struct sasl;

/* What the user can show; NULL or "" for what there is not. With none of
 * these, only ANONYMOUS is possible. */
struct sasl_proofs {
    const char *password;
    const char *token; /* of OAuth 2.0, RFC 7628 */
    bool certificate;  /* HTTPS shows it, XEP-0206 §5 */
};

/*
 * For one attempt.
 *
 * node        of the JID; NULL: a bare domain
 * mechanisms  allowed ones, by spaces; NULL: all
 *
 * All is copied. Returns it, free with sasl_free(); NULL with e set when GNU
 * SASL cannot be started.
 */
struct sasl *sasl_new(const char *node, const char *domain,
                      const struct sasl_proofs *proofs, const char *mechanisms,
                      struct err *e);
void sasl_free(struct sasl *x);

/* NULL: none is chosen. */
const char *sasl_mechanism(const struct sasl *x);
bool sasl_is_by_certificate(const struct sasl *x);

/*
 * Choose the strongest mechanism that features offer and that we can use, and
 * append its <auth/>. Returns 0, or -1 with e set when there is none.
 */
int sasl_begin(struct sasl *x, const xmlNode *features, struct buf *out,
               struct err *e);

/* Append the <response/> to a challenge; -1 with e set when the server's
 * proof or message is wrong. */
int sasl_step(struct sasl *x, const xmlNode *challenge, struct buf *out,
              struct err *e);

/* Was the success earned: has the server proved itself, where the mechanism
 * makes it do so? Returns 0, or -1 with e set. */
int sasl_finish(struct sasl *x, const xmlNode *success, struct err *e);

#endif
