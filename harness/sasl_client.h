/*
 * One SASL negotiation from the client's side, by GNU SASL. Knows no XML and
 * no BOSH. Pure.
 */
#ifndef HARNESS_SASL_CLIENT_H
#define HARNESS_SASL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* How many mechanisms we speak. */
#define SASL_CLIENT_MECHANISMS 4

/*
 * The strongest mechanism that is offered and not tried yet.
 *
 * offered   names, space separated
 * password  is there an account? Without one only ANONYMOUS will do
 * tried     a bit for each; the chosen one's is set
 *
 * Returns a literal, or NULL when there is none left.
 * Source: RFC 6120 §6.3.3
 */
const char *sasl_client_pick(const char *offered, bool password,
                             unsigned *tried);

struct sasl_client;

/* Begin. user is the JID's local part; both strings are borrowed for the
 * call and NULL for ANONYMOUS. Yours, free with sasl_client_free(); NULL when
 * GNU SASL cannot. */
struct sasl_client *sasl_client_new(const char *mechanism, const char *user,
                                    const char *password);
void sasl_client_free(struct sasl_client *sc);

/*
 * The next message. in is the server's, base64 ("" for the first one).
 *
 * Returns 0 with *out, base64, yours, free with free(), "" for an empty one;
 * -1 when the server's message is wrong (its signature does not fit, ...).
 */
int sasl_client_step(struct sasl_client *sc, const char *in, char **out);

/* Did the mechanism come to its end, server's signature included? */
bool sasl_client_done(const struct sasl_client *sc);

#endif
