/*
 * A session as text, to be taken up by another process: the seed's keepalive.
 *
 * What is kept is what bosh_attach() needs, and the requests that are open: the
 * other process sends them again (XEP-0124 §14.3), so that it does not matter
 * whether they, or their answers, were lost with this one. Where it is kept is
 * the affair of options.store; bosh_store_file() is one. Pure.
 */
#ifndef CLIENT_STORE_H
#define CLIENT_STORE_H

#include "session.h"

/* Keep the session as it stands, if it is logged in and there is a place. A
 * place that fails is told to the application, once. */
void store_keep(struct bosh *s);

/* Answers have come since, and the application has seen what they brought:
 * keep it anew. Is that so? */
void store_refresh(struct bosh *s);
bool store_is_stale(const struct bosh *s);

/* The session is over: nothing is to be kept any more. */
void store_forget(struct bosh *s);

/* What was kept. */
struct stored {
    struct bosh_attach known; /* strings are borrowed from doc */
    struct bosh_known_stream *more;
    xmlDocPtr doc;
};

void store_release(struct stored *stored);

/*
 * Read it. Release with store_release().
 *
 * jid  whose it must be, with or without resource; NULL: anybody's
 *
 * Returns 0; -1 with e set and nothing to free: damaged, incomplete, or
 * somebody else's.
 */
int store_read(struct stored *out, const char *data, const char *jid,
               struct err *e);

/* The session was attached to just now: what was open is to be sent again. */
void store_resume(struct bosh *s, const struct stored *stored, int64_t now_ms);

#endif
