/*
 * XMPP's login over BOSH: whose it is, what its elements mean, binding.
 *
 * XEP-0206 §4 and §5, RFC 6120 §7. Reads and writes elements; when which is
 * sent is the stream's matter. Pure.
 */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/xml.h"
#include "sasl.h"

struct login;

/*
 * For one attempt to log in.
 *
 * jid         user@domain[/resource] or domain[/resource]
 * proofs      copied
 * mechanisms  allowed ones, by spaces; NULL: all
 *
 * Returns it, free with login_free(); NULL with e set for a bad JID.
 */
struct login *login_new(const char *jid, const struct sasl_proofs *proofs,
                        const char *mechanisms, struct err *e);
void login_free(struct login *l);

/* Borrowed until login_free(). */
const char *login_domain(const struct login *l);
const char *login_resource(const struct login *l); /* NULL: none asked for */
struct sasl *login_sasl(const struct login *l);

/* The JID that the restart of the stream should name, yours; NULL: it should
 * not. XEP-0206 §5, after EXTERNAL. */
char *login_restart_from(const struct login *l);

/* Domain and resource of any JID, yours; NULL when there is none. */
char *login_jid_domain(const char *jid);
char *login_jid_resource(const char *jid);

/* What an element means during login. */
enum login_kind {
    LOGIN_FEATURES,
    LOGIN_CHALLENGE,
    LOGIN_SUCCESS,
    LOGIN_FAILURE,
    LOGIN_STREAM_ERROR,
    LOGIN_REPLY, /* an iq result or error with one of our two ids */
    LOGIN_OTHER
};
enum login_kind login_kind_of(const xmlNode *element);

/* What features offer after SASL. */
bool login_offers_bind(const xmlNode *features);
/* Offered, and not marked as optional. */
bool login_needs_session(const xmlNode *features);

/* Append the binding request; resource NULL or "": the server's choice. */
void login_write_bind(struct buf *out, const char *resource);
void login_write_session(struct buf *out);

/* Is it the reply to that request, and a result? */
bool login_is_bind_reply(const xmlNode *iq);
bool login_is_session_reply(const xmlNode *iq);
bool login_is_result(const xmlNode *iq);

/* The bound JID, yours; NULL when the reply has none. */
char *login_bound_jid(const xmlNode *iq);

/* The condition inside a SASL failure, a stanza error, or a stream error;
 * NULL when there is none. Borrowed from the element. */
const char *login_condition(const xmlNode *element);

#endif
