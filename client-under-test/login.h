/*
 * XMPP's login over BOSH: which mechanism, what its elements say, binding.
 *
 * XEP-0206 §4 and §5, RFC 6120 §6 and §7. Reads and writes elements; when
 * which is sent is the session's matter. SASL itself is GNU SASL's. Pure.
 */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/xml.h"

struct login;

/* What the user can show; NULL or "" for what there is not. With none of
 * these, only ANONYMOUS is possible. */
struct login_proofs {
    const char *password;
    const char *token; /* of OAuth 2.0, RFC 7628 */
    bool certificate;  /* HTTPS shows it, XEP-0206 §5 */
};

/*
 * For one attempt to log in.
 *
 * jid         user@domain[/resource] or domain[/resource]
 * proofs      copied
 * mechanisms  allowed ones, by spaces; NULL: all
 *
 * Returns it, free with login_free(); NULL with e set for a bad JID.
 */
struct login *login_new(const char *jid, const struct login_proofs *proofs,
                        const char *mechanisms, struct err *e);
void login_free(struct login *l);

/* Borrowed until login_free(). */
const char *login_domain(const struct login *l);
const char *login_resource(const struct login *l);  /* NULL: none asked for */
const char *login_mechanism(const struct login *l); /* NULL: none chosen */

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

/*
 * Choose the strongest mechanism that features offer and that we can use, and
 * append its <auth/>. Returns 0, or -1 with e set when there is none.
 */
int login_begin(struct login *l, const xmlNode *features, struct buf *out,
                struct err *e);

/* Append the <response/> to a challenge; -1 with e set when the server's
 * proof or message is wrong. */
int login_step(struct login *l, const xmlNode *challenge, struct buf *out,
               struct err *e);

/* Was the success earned: has the server proved itself, where the mechanism
 * makes it do so? Returns 0, or -1 with e set. */
int login_finish(struct login *l, const xmlNode *success, struct err *e);

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
