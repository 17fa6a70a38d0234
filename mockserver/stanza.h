/*
 * Stanzas as the server writes them: results, errors, routed copies, and its
 * own answers to iq requests. No state, no session.
 */
#ifndef MOCKSERVER_STANZA_H
#define MOCKSERVER_STANZA_H

#include <stdbool.h>

#include <libxml/tree.h>

#include "common/buf.h"

#define STANZA_NS_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"

/* message, presence or iq, qualified by jabber:client, or by the BOSH
 * namespace as those write it who leave xmlns out (XEP-0206 §2). */
bool stanza_is(const xmlNode *node);
bool stanza_is_named(const xmlNode *node, const char *name);

/* type attribute; "" when absent. Borrowed from node. */
const char *stanza_type(const xmlNode *node);

/* Move what inherited the BOSH namespace into jabber:client. */
void stanza_normalize(xmlNodePtr node);

/*
 * The result of an iq.
 *
 * from, to  NULL: left out
 * payload   XML; NULL: none
 */
void stanza_result(struct buf *out, const xmlNode *iq, const char *from,
                   const char *to, const char *payload);

/*
 * The error that answers a stanza; nothing when the stanza is itself an error
 * or a result, which must not be answered (RFC 6120 §8.3.1).
 *
 * to         whom it goes to
 * type       cancel, modify, auth, wait
 * condition  an element of RFC 6120 §8.3.3
 */
void stanza_error(struct buf *out, const xmlNode *stanza, const char *to,
                  const char *type, const char *condition);

/* The stanza with from and to replaced. to NULL: kept. */
void stanza_forward(struct buf *out, xmlNodePtr stanza, const char *from,
                    const char *to);

/*
 * The answer to an iq that is addressed to the server or to the account:
 * session, ping, roster, disco; an error for all else.
 *
 * jid  full JID of the sender
 */
void stanza_answer_iq(struct buf *out, const xmlNode *iq, const char *jid);

#endif
