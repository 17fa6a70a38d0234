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

/* What was kept. */
struct stored {
    struct bosh_attach known; /* strings are borrowed from doc */
    struct bosh_known_stream more[BOSH_STREAMS_MAX];
    xmlDocPtr doc; /* yours, free with xmlFreeDoc() */
};

/*
 * Read it.
 *
 * jid  whose it must be, with or without resource; NULL: anybody's
 *
 * Returns 0; -1 with e set and nothing to free: damaged, incomplete, or
 * somebody else's.
 */
int store_read(struct stored *out, const char *data, const char *jid,
               struct err *e);

#endif
