/*
 * A session as text, to be taken up by another process: the seed's keepalive.
 *
 * What is kept is no more than bosh_attach() needs. Where it is kept is the
 * affair of options.store; bosh_store_file() is one. Pure.
 */
#ifndef CLIENT_STORE_H
#define CLIENT_STORE_H

#include "session.h"

/* Keep the session as it stands, if it is logged in and there is a place. A
 * place that fails is told to the application, once. */
void store_keep(struct bosh *s);

/* The session is over: nothing is to be kept any more. */
void store_forget(struct bosh *s);

/*
 * Read what was kept.
 *
 * known  filled in on success; its strings are borrowed from doc
 * doc    yours on success, free with xmlFreeDoc()
 * jid    whose it must be, with or without resource; NULL: anybody's
 *
 * Returns 0, or -1 with e set: damaged, incomplete, or somebody else's.
 */
int store_read(const char *data, const char *jid, struct bosh_attach *known,
               xmlDocPtr *doc, struct err *e);

#endif
