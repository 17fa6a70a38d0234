/*
 * The small XMPP server behind the manager: streams, login, binding, and
 * stanzas between its own users.
 *
 * Knows no HTTP, no <body/>, no rid. Elements go in, XML goes out through the
 * events, at once, while the call that causes it is still running; an event
 * must not call back into the backend.
 */
#ifndef MOCKSERVER_BACKEND_H
#define MOCKSERVER_BACKEND_H

#include <stddef.h>

#include <libxml/tree.h>

#include "mock.h"

struct backend;
struct backend_stream;

struct backend_events {
    /* One element for the owner's client, with its namespaces; stream
     * features use the prefix "stream". */
    void (*deliver)(void *owner, const char *xml, size_t len);
    /* The stream is over because of this <stream:error/>. It must still be
     * closed with backend_close(). */
    void (*stream_error)(void *owner, const char *xml, size_t len);
    /* A resource was bound; backend_jid() tells which. */
    void (*bound)(void *owner);
};

/* options must outlive it, options->random must be set. Yours, free with
 * backend_free() after all its streams are closed. */
struct backend *backend_new(const struct mock_options *options,
                            const struct backend_events *events);
void backend_free(struct backend *b);

/* A new stream; its first features are delivered during the call. Never NULL.
 * End it with backend_close(). */
struct backend_stream *backend_open(struct backend *b, void *owner);
void backend_close(struct backend_stream *s);

/* The client restarts the stream (XEP-0206 §5): a bound resource is let go,
 * who is logged in stays so, new features are delivered. */
void backend_restart(struct backend_stream *s);

/* An element from the client; changed in the course. Ignored once the stream
 * is over. */
void backend_receive(struct backend_stream *s, xmlNodePtr element);

/* The full JID, or "" when none is bound. Borrowed until the stream is
 * changed. */
const char *backend_jid(const struct backend_stream *s);

/* Its login is through, and the restart that must follow is not. */
bool backend_awaits_restart(const struct backend_stream *s);

/* May this client still poll as it likes, since its login is not complete? */
bool backend_is_bound(const struct backend_stream *s);

#endif
