/*
 * The server's side of SASL: mechanisms, accounts, one exchange at a time.
 *
 * A thin layer over GNU SASL. Knows no XML and no BOSH; data is base64 as it
 * stands in the XMPP elements (RFC 6120 §6.4). The server nonce of SCRAM comes
 * from GNU SASL's own generator.
 */
#ifndef MOCKSERVER_SASLSERVER_H
#define MOCKSERVER_SASLSERVER_H

#include "common/buf.h"

#include "mock.h"

struct saslserver;
struct saslserver_exchange;

/* options must outlive it; options->random must be set. Yours, free with
 * saslserver_free(). */
struct saslserver *saslserver_new(const struct mock_options *options);
void saslserver_free(struct saslserver *s);

/* Is this mechanism among those that the options offer? */
bool saslserver_offers(const struct saslserver *s, const char *mechanism);

/*
 * Begin an exchange. Returns it, yours, free with saslserver_end(); NULL when
 * the mechanism is not offered or not known here.
 */
struct saslserver_exchange *saslserver_begin(struct saslserver *s,
                                             const char *mechanism);
void saslserver_end(struct saslserver_exchange *x);

enum saslserver_result {
    SASLSERVER_CHALLENGE, /* out is to be sent; more must come */
    SASLSERVER_SUCCESS,   /* out goes along when it is not empty */
    SASLSERVER_FAILURE,   /* *condition says why (RFC 6120 §6.5) */
};

/*
 * The client's next message.
 *
 * data  base64; "=" for an empty message; NULL for none (an auth element
 *       without an initial response)
 * out   base64; cleared first
 */
enum saslserver_result saslserver_step(struct saslserver_exchange *x,
                                       const char *data, struct buf *out,
                                       const char **condition);

/* After success: the local part of who logged in; NULL for an anonymous one.
 * Borrowed until saslserver_end(). */
const char *saslserver_user(struct saslserver_exchange *x);

#endif
