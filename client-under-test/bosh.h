/*
 * libbosh: XMPP over BOSH (XEP-0124, XEP-0206), client side.
 *
 * This header is the whole API: the session, and at the end a driver for it.
 *
 * A session does no I/O and knows no clock: it is told what happened and when,
 * and says what to send, what to give up and what to tell the application. Any
 * event loop, or a clock moved by hand, can drive it; the driver does it with
 * libcurl. The loop is always the same:
 *
 *     while (bosh_next_abort(s, &id))
 *         ...give up that transmission, read nothing more from it
 *     while (bosh_next_event(s, &ev))
 *         ...tell the application
 *     while (bosh_next_request(s, now, &req))
 *         ...POST req.body; later bosh_answer() or bosh_fail() with req.id
 *     ...again, while there was an event or a request
 *     ...sleep until bosh_deadline_ms(s), an answer, or a call; bosh_tick()
 *
 * Times are monotonic milliseconds, int64_t, and must not go back. Sessions
 * are independent; one session belongs to one thread at a time. Memory that
 * cannot be had ends the process.
 *
 * Nothing is set for the process as a whole, and nothing written to its
 * streams: no signal, locale, environment, or default of libxml2. SIGPIPE is
 * not raised by libcurl from 7.88 on; with an older one whose TLS is OpenSSL's,
 * ignore that signal. A program with threads calls xmlInitParser() before it
 * starts them, and with a libcurl older than 7.84 curl_global_init().
 */
#ifndef BOSH_H
#define BOSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BOSH_LIB_VERSION "0.1.0"

/* The newest BOSH that this library speaks, XEP-0124 §7.1 `ver`. */
#define BOSH_PROTOCOL_VERSION "1.11"

#define BOSH_NEVER INT64_MAX                    /* "no deadline" */
#define BOSH_RID_MAX UINT64_C(9007199254740991) /* 2^53 - 1, §14.1 */

/* Sizes that a session never goes past. */
#define BOSH_BODY_MAX (16u << 20) /* bytes of an answer; more is a failure */
#define BOSH_QUEUE_MAX                                                         \
    (16u << 20) /* bytes of stanzas not yet sent; options                      \
                 * may set less */

/* What a call returns when it did not do as asked. Nothing has changed then;
 * bosh_last_error() says why. */
enum bosh_error {
    BOSH_E_STATE = -1, /* not now: see the state table in session.c */
    BOSH_E_ARG = -2,   /* not like this: bad JID, ill-formed XML, ... */
    BOSH_E_FULL = -3   /* the queue is; BOSH_EVENT_DRAINED says when it is
                        * not any more */
};

enum bosh_status {
    BOSH_ERROR,          /* something of ours went wrong */
    BOSH_CONNECTING,     /* bosh_connect() has begun */
    BOSH_CONNFAIL,       /* the manager or the server ended it; condition */
    BOSH_AUTHENTICATING, /* a SASL mechanism was chosen */
    BOSH_AUTHFAIL,       /* SASL, binding or session establishment failed */
    BOSH_CONNECTED,      /* logged in; bosh_jid() is the full JID */
    BOSH_DISCONNECTED,   /* over, always the last status of a stream, and of
                          * a session */
    BOSH_DISCONNECTING,  /* bosh_disconnect(), or a failed login, ends it */
    BOSH_ATTACHED,       /* bosh_attach() took up a session */
    BOSH_REDIRECT,       /* see-other-uri: detail is the address, and going
                          * there is the application's affair; the session
                          * is over */
    BOSH_CONNTIMEOUT,    /* too many errors in a row, or no answer to the end */
    BOSH_BINDREQUIRED    /* explicit_bind is set: call bosh_bind() */
};

/* "connected" and so on; never NULL. */
const char *bosh_status_name(enum bosh_status status);

/*
 * Multipliers of the negotiated wait, taken over by bosh_options_init() into
 * sessions made later: a request is given up after 1.1 x wait, or 0.1 x wait
 * after a later one was answered. These two are the library's only globals.
 */
extern double bosh_default_timeout;           /* 1.1 */
extern double bosh_default_secondary_timeout; /* 0.1 */

/* XMPP streams of one session, XEP-0124 §16: by number, from 0. */
#define BOSH_ALL_STREAMS (-1)
#define BOSH_STREAMS_MAX 32 /* open at once */

/* Fill out with len unpredictable bytes. */
struct bosh_random {
    void (*fill)(void *ctx, void *out, size_t len);
    void *ctx;
};

/*
 * Where a logged-in session is kept, so that another process can take it up by
 * bosh_restore(): the seed's keepalive. bosh_store_file() is one. What is
 * kept lets anybody act as the user: keep it where only its owner can read.
 */
struct bosh_store {
    /* Keep text in place of what was kept before; NULL: forget that. Called
     * before each new request, and when the session is over, from
     * within the function that brought it about. Returns 0, or -1. */
    int (*save)(void *ctx, const char *text);
    /* What is kept, to be freed by free(); NULL: nothing. */
    char *(*load)(void *ctx);
    void *ctx;
};

/*
 * What goes over the wire, for a log. Any may be NULL; text is borrowed for
 * the call, and no verb may be called in it. Logins are shown as they are,
 * passwords with them.
 */
struct bosh_taps {
    /* Each transmission, repeats too; each entity that came with HTTP 200, in
     * the order of arrival and whatever it holds. */
    void (*raw_output)(void *ctx, const char *data, size_t len);
    void (*raw_input)(void *ctx, const char *data, size_t len);
    /* Each request once; each answer that was good, in the order of the rids:
     * the <body/>, or with strip each payload by itself. */
    void (*xml_output)(void *ctx, const char *xml, size_t len);
    void (*xml_input)(void *ctx, const char *xml, size_t len);
    bool strip;
    void *ctx;
};

/* Set all by bosh_options_init(), then change what should differ. Strings are
 * copied by bosh_new(); a number beyond its bounds becomes the nearest one in
 * them. */
struct bosh_options {
    /* For the driver; the session only keeps them. */
    const char *url;            /* http:, https:, or relative */
    const char *base_url;       /* what url is relative to; or NULL */
    const char *const *headers; /* "Name: value", ends with NULL; or NULL. A
                                 * Content-Type replaces the library's */
    const char *proxy;          /* http://, https://, socks4://, socks4a://,
                                 * socks5:// or socks5h:// with host and port,
                                 * perhaps user and password (of them, "@" is
                                 * "%40"); an https: manager is reached by
                                 * CONNECT; socks4a and socks5h resolve its
                                 * name themselves; NULL: none */
    const char *ca_file;        /* PEM, for manager and proxy; NULL: the
                                 * system's */
    const char *cert_file;      /* our own, PEM; NULL: none */
    const char *key_file;       /* its key, PEM; NULL: in cert_file */

    /* Cookies. Both empty: none is sent, and none is kept. */
    const char *const *cookies; /* "name=value; domain=..; path=..;
                                 * expires=..", all but the first may be
                                 * missing; ends with NULL; or NULL */
    bool with_credentials;      /* keep the manager's, and send them back;
                                 * false: they are forgotten */

    /* Asked for at creation, XEP-0124 §7.1. */
    int wait_s;          /* 60; 0 to 65535, 0 asks for a polling session */
    int hold;            /* 1; 0 to 255, 0 asks for a polling session */
    const char *lang;    /* "en" */
    const char *route;   /* "xmpp:host:port", or NULL */
    const char *content; /* "text/xml; charset=utf-8"; NULL leaves it out */

    /* Parts of XEP-0124 that are off unless asked for. */
    bool ack;       /* tell the manager which answers came, §9.2; only in a
                     * session that we created */
    bool keys;      /* prove each request by a key, §15 */
    int keys_count; /* keys in a sequence; 0: chosen at random; else 2 to
                     * 10000 */
    bool compress;  /* requests as gzip, if the manager's `accept` has it;
                     * not the short ones, nor when attached or restored, and
                     * no more once HTTP 415 has refused it. How short a
                     * request gets tells an eavesdropper something, TLS or
                     * not, where others can choose parts of its text */

    /* Login, XEP-0206 and RFC 6120. */
    const char *mechanisms; /* allowed ones, by spaces; NULL: all we have:
                             * EXTERNAL where there is a cert_file,
                             * OAUTHBEARER where there is a token,
                             * SCRAM-SHA-512 (if GNU SASL has it), -256 and -1,
                             * PLAIN, ANONYMOUS; which a JID with a user gets
                             * only where it is named here */
    const char *token;      /* of OAuth 2.0, RFC 7628; or NULL */
    bool explicit_bind;     /* wait for bosh_bind() */

    /* When to give up and when to try again. */
    double timeout;           /* x wait; 0 or less: never */
    double secondary_timeout; /* x wait; 0 or less: never */
    int64_t secondary_min_ms; /* 1000: for small waits */
    int max_errors;           /* 5 in a row end the session; 0: never */
    bool back_off;            /* true: later repeats wait longer and longer */
    int64_t disconnect_ms;    /* 3000: how long our terminate may take */
    int max_open;             /* 2: requests at once, if the manager lets us; 1
                               * to 255 */
    size_t queue_max;         /* BOSH_QUEUE_MAX: bytes of stanzas not yet sent
                               * beyond which bosh_send() says BOSH_E_FULL;
                               * what is longer by itself never fits */

    struct bosh_store store; /* all NULL: nothing is kept */
    struct bosh_taps taps;   /* all NULL: nobody listens */

    struct bosh_random random; /* the system's by default */
};

/* Defaults as in the comments above. */
void bosh_options_init(struct bosh_options *options);

struct bosh;

/*
 * A session that does nothing yet.
 *
 * options  copied, strings too; NULL for the defaults
 *
 * Never NULL; free with bosh_free().
 */
struct bosh *bosh_new(const struct bosh_options *options);

/* Nothing goes on the wire: bosh_disconnect() first to leave politely. NULL is
 * fine. Whatever the driver still has open is the driver's to close. */
void bosh_free(struct bosh *s);

/* The session's copy of its options. Borrowed until bosh_free(). */
const struct bosh_options *bosh_get_options(const struct bosh *s);

/* ---- What the application asks for ---------------------------------- */

/*
 * Create a session and log in.
 *
 * jid       user@domain, user@domain/resource, or domain for ANONYMOUS
 * password  NULL or "" for ANONYMOUS, or if a token or certificate will do
 *
 * A session that has ended may be connected again, with a new rid.
 *
 * Returns 0; BOSH_E_STATE while a session is alive; BOSH_E_ARG for a bad JID.
 *
 * Source: XEP-0124 §7, XEP-0206 §3 to §5
 */
int bosh_connect(struct bosh *s, int64_t now_ms, const char *jid,
                 const char *password);

/* A stream beside the first one, §16. */
struct bosh_known_stream {
    const char *name; /* the manager's for it */
    const char *jid;  /* full JID; NULL: it is closed */
};

/* A session that lives at the manager already, for bosh_attach(). */
struct bosh_attach {
    const char *jid; /* full JID */
    const char *sid;
    uint64_t rid;     /* of the next request */
    int wait_s;       /* as negotiated; negative: not known, the options' */
    int hold;         /* the same */
    int requests;     /* the same; negative: no limit known */
    int inactivity_s; /* negative: not known */
    int polling_s;    /* negative: not known */
    int maxpause_s;   /* negative: no pause is allowed */
    const char *keys; /* as bosh_keys() gave it; NULL: none are in use */

    /* Streams. All 0 where the manager names none. */
    const char *stream;                   /* its name for the first one */
    bool stream_closed;                   /* that one is closed */
    const struct bosh_known_stream *more; /* numbered from 1 */
    size_t more_count;
};

/*
 * Go on with a session that was created elsewhere: another process, another
 * program. BOSH_ATTACHED follows at once, then a poll.
 *
 * Returns 0; BOSH_E_STATE while a session is alive; BOSH_E_ARG when known, jid
 * or sid is missing, rid is not 1 to BOSH_RID_MAX, keys are none, or no stream
 * is open.
 */
int bosh_attach(struct bosh *s, int64_t now_ms,
                const struct bosh_attach *known);

/*
 * Go on with the session that options.store keeps, as bosh_attach() does. The
 * requests that were open when it was kept are sent again, with their old rids:
 * neither what the other process was sending is lost, nor the answers that it
 * did not live to see. Lost are stanzas in its queue; what an answer brought
 * just before it died may come twice.
 *
 * jid  whose it must be, with or without resource; NULL: anybody's
 *
 * Returns 0; BOSH_E_STATE while a session is alive; BOSH_E_ARG when nothing is
 * stored, or it is damaged, or somebody else's: bosh_last_error() says which.
 */
int bosh_restore(struct bosh *s, int64_t now_ms, const char *jid);

/*
 * Queue stanzas. What is queued when the next request is made goes out in it,
 * in order; during login it waits for BOSH_CONNECTED.
 *
 * xml, len  one or more elements; those without a namespace get
 *           jabber:client. Copied.
 *
 * Returns 0; BOSH_E_STATE; BOSH_E_FULL; BOSH_E_ARG when the text is not
 * well-formed, or holds text between elements, comments, processing
 * instructions, or elements of BOSH's own namespace (XEP-0124 §6).
 */
int bosh_send(struct bosh *s, const char *xml, size_t len);

/*
 * Text as it must be written in a stanza, between tags or in an attribute:
 * & < > " ' and line ends as references. Bytes that no XML can hold stay, and
 * bosh_send() refuses them.
 *
 * Yours, free with free().
 */
char *bosh_escape(const char *text);

/* Answer to BOSH_BINDREQUIRED. resource: NULL or "" lets the server choose.
 * Returns 0 or BOSH_E_STATE. */
int bosh_bind(struct bosh *s, const char *resource);

/*
 * End the session politely: queued stanzas and, once logged in, unavailable
 * presence go along. BOSH_DISCONNECTED follows at the answer, or after
 * options.disconnect_ms. Before the manager has answered at all there is
 * nothing to end, and BOSH_DISCONNECTED follows at once.
 *
 * reason  handed back as the condition of BOSH_DISCONNECTING; may be NULL
 *
 * Returns 0 or BOSH_E_STATE.
 *
 * Source: XEP-0124 §13
 */
int bosh_disconnect(struct bosh *s, int64_t now_ms, const char *reason);

/*
 * More XMPP streams in the same session, each with an account of its own, if
 * the manager offers that. The session's first stream is number 0, the one
 * that bosh_send() and bosh_bind() speak of; events say whose they are. Each
 * goes through the statuses of a login by itself, and ends with
 * BOSH_DISCONNECTED; statuses of the session as a whole are told as stream 0's,
 * even when that one is closed.
 *
 * Source: XEP-0124 §16
 */

/* Did the manager name the first stream? Then more can be added. */
bool bosh_streams_offered(const struct bosh *s);

/*
 * Open another one, and log in.
 *
 * jid, password  as for bosh_connect()
 * route          as in the options; or NULL
 *
 * Returns its number, 1 or more; BOSH_E_STATE before the session is logged in,
 * or where the manager offers none; BOSH_E_ARG for a bad JID; BOSH_E_FULL when
 * BOSH_STREAMS_MAX are open.
 *
 * Source: XEP-0124 §16.3
 */
int bosh_stream_add(struct bosh *s, const char *jid, const char *password,
                    const char *route);

/*
 * bosh_send() on one of them. With BOSH_ALL_STREAMS the manager gives the
 * stanzas to all streams that are open when it goes out, which is not before
 * all of them are logged in. The order of what is sent on one stream, and to
 * all, is kept.
 *
 * Returns as bosh_send(); BOSH_E_STATE also when there is no such stream.
 *
 * Source: XEP-0124 §16.4
 */
int bosh_stream_send(struct bosh *s, int stream, const char *xml, size_t len);

/* bosh_bind() on one of them. */
int bosh_stream_bind(struct bosh *s, int stream, const char *resource);

/*
 * Close one of them politely: what is queued for it and, once logged in,
 * unavailable presence go along. With the last one open this is
 * bosh_disconnect().
 *
 * Returns 0 or BOSH_E_STATE: there is no such stream, it is closed or closing,
 * or the manager has not answered yet whether it opens it.
 *
 * Source: XEP-0124 §16.5
 */
int bosh_stream_close(struct bosh *s, int64_t now_ms, int stream,
                      const char *reason);

const char *bosh_stream_jid(const struct bosh *s, int stream);  /* or NULL */
const char *bosh_stream_name(const struct bosh *s, int stream); /* or NULL */
bool bosh_stream_connected(const struct bosh *s, int stream);   /* logged in */

/*
 * Tell the manager that we shall be silent for up to so many seconds. The
 * session then sends nothing by itself until shortly before they are over.
 * A stanza or bosh_resume() ends the pause early.
 *
 * Returns 0; BOSH_E_STATE before login, of any stream; BOSH_E_ARG when seconds
 * is not positive, the manager allows no pause, or not one so long.
 *
 * Source: XEP-0124 §10
 */
int bosh_pause(struct bosh *s, int seconds);

/*
 * Hold back what is queued, and polls, until bosh_resume(): stanzas then go
 * out together. The manager is not told. One empty request still goes out
 * when the session would else die of inactivity; repeats go out as well.
 *
 * Returns 0 or BOSH_E_STATE.
 */
int bosh_pause_local(struct bosh *s);

/* End either pause. Returns 0 or BOSH_E_STATE. */
int bosh_resume(struct bosh *s);

/*
 * Do now what is waiting: a repeat that backs off, or the next poll of a
 * polling session. And have what was sent answered, by an empty request as
 * soon as the manager's `polling` allows one; it would else hold the request
 * with the stanzas for up to `wait`.
 *
 * Returns 0 or BOSH_E_STATE.
 *
 * Source: XEP-0124 §11
 */
int bosh_flush(struct bosh *s);

/* Forget the session and the queue, without a word to the manager and without
 * a status. Transmissions come back from bosh_next_abort(). */
int bosh_reset(struct bosh *s);

/* ---- How things stand ------------------------------------------------- */

uint64_t bosh_rid(const struct bosh *s);     /* of the next new request */
const char *bosh_sid(const struct bosh *s);  /* NULL without a session */
const char *bosh_jid(const struct bosh *s);  /* as bound; NULL at first */
int bosh_wait_s(const struct bosh *s);       /* as negotiated */
int bosh_hold(const struct bosh *s);         /* as negotiated */
int bosh_requests(const struct bosh *s);     /* -1: manager gave none */
int bosh_inactivity_s(const struct bosh *s); /* -1: no limit known */
int bosh_polling_s(const struct bosh *s);    /* -1: no limit known */
int bosh_window(const struct bosh *s);       /* rids that may be open at once:
                                              * `requests`, or 5 */
int bosh_maxpause_s(const struct bosh *s);   /* -1: no pause allowed */
int bosh_errors(const struct bosh *s);       /* in a row */

/* Where the key sequence stands, for bosh_attach() elsewhere: a secret. NULL
 * when none is in use. Borrowed until the next call. XEP-0124 §15 */
const char *bosh_keys(struct bosh *s);

int bosh_open_count(const struct bosh *s);   /* requests not yet answered */
bool bosh_connected(const struct bosh *s);   /* logged in or attached */
bool bosh_ended(const struct bosh *s);       /* nothing alive, or not yet */
size_t bosh_queue_len(const struct bosh *s); /* bytes not yet sent */
bool bosh_settled(const struct bosh *s);     /* all was sent and answered, but
                                              * for a poll */

/* Why the last call was refused, or why the session ended: lower case, one
 * line; "" when nothing went wrong. Borrowed until the next call. */
const char *bosh_last_error(const struct bosh *s);

/* ---- The I/O side ------------------------------------------------------ */

/* One transmission. A request that is repeated keeps its rid and its bytes
 * and gets a new id (XEP-0124 §14.3). */
struct bosh_request {
    uint64_t id; /* of this transmission, never used twice in a session */
    uint64_t rid;
    int attempt;      /* 1 the first time; above 1 this is a repeat */
    const char *body; /* borrowed until the session gets its next answer,
                       * failure, verb or tick */
    size_t len;
    const char *coding; /* NULL, or "gzip": encode it, and say so in
                         * Content-Encoding. XEP-0124 §5, §7.2 */
};

/*
 * Take the next request that wants to go on the wire now. Each must be sent on
 * its own, beside those still open; none may wait for another's answer.
 *
 * Returns 1 with req filled in; 0 when nothing may be sent before
 * bosh_deadline_ms().
 *
 * Source: XEP-0124 §10, §11, §12, §14
 */
int bosh_next_request(struct bosh *s, int64_t now_ms, struct bosh_request *req);

/*
 * Take the next transmission that the session has given up: timed out, or the
 * session is over. Close it; what would still come of it does not matter.
 *
 * Returns 1 with *id set, or 0.
 */
int bosh_next_abort(struct bosh *s, uint64_t *id);

/*
 * A whole HTTP response came. Any order is fine: payloads are handed on in
 * the order of the rids (XEP-0124 §14.2).
 *
 * id            of the transmission; one that is not open is ignored
 * http_status   200, 404, ...
 * content_type  not looked at (XEP-0124 §5); may be NULL
 * body, len     the entity, without transfer or content coding
 */
void bosh_answer(struct bosh *s, int64_t now_ms, uint64_t id, int http_status,
                 const char *content_type, const char *body, size_t len);

/*
 * No whole response came: refused, reset, cut short, too long.
 *
 * reason  for bosh_last_error() when this ends the session; may be NULL
 */
void bosh_fail(struct bosh *s, int64_t now_ms, uint64_t id, const char *reason);

enum bosh_event_kind {
    BOSH_EVENT_STATUS,
    BOSH_EVENT_STANZA,
    BOSH_EVENT_DRAINED /* after BOSH_E_FULL: the queue has gone out */
};

struct bosh_event {
    enum bosh_event_kind kind;
    int stream; /* 0, or see bosh_stream_add() */
    enum bosh_status status;
    const char *condition; /* XEP-0124 §17.2, SASL or stanza error; or NULL */
    const char *detail;    /* stream error, address, our words; or NULL */
    const char *xml;       /* BOSH_EVENT_STANZA: namespaces declared on it */
    size_t xml_len;
    uint64_t rid; /* BOSH_EVENT_STANZA: of the request whose answer had it */
};

/* Take the next event, in order. Strings are borrowed until the next call of
 * this function, or bosh_free(). Returns 1 or 0. */
int bosh_next_event(struct bosh *s, struct bosh_event *event);

/* When bosh_tick() or bosh_next_request() should be called again at the
 * latest; BOSH_NEVER when only an answer or a verb can change something. */
int64_t bosh_deadline_ms(const struct bosh *s);

/* Let time pass: time-outs, inactivity. bosh_next_request() does it too. */
void bosh_tick(struct bosh *s, int64_t now_ms);

/* ---- A driver: sessions on libcurl ------------------------------------- */

/*
 * Any number of sessions, one thread, one loop. Each session has connections
 * of its own, kept alive between requests, so that one session's broken
 * connection is no other's. HTTP/1.1; nothing is taken from the environment,
 * such as a proxy; certificates are checked; answers may be gzip or deflate.
 *
 * Redirects: 307 and 308 are followed with the POST kept, as long as scheme,
 * host and port stay the same. All others count as failures, for they would
 * turn the POST into a GET, or show our sid to somebody else.
 */
struct bosh_driver;

/* NULL when the system has no descriptors left. Free with bosh_driver_free(),
 * which removes all sessions but does not free them. */
struct bosh_driver *bosh_driver_new(void);
void bosh_driver_free(struct bosh_driver *d);

/* Called from bosh_driver_turn() and bosh_driver_pump(). It may call verbs of
 * s, which are acted on when it has returned, and add, remove and free other
 * sessions, but neither free s nor remove it. */
struct bosh_hook {
    /* NULL: nobody wants to know. */
    void (*event)(void *ctx, struct bosh *s, const struct bosh_event *event);
    void *ctx;
};

/* Drive s: its options say where to. Borrowed until bosh_driver_remove() or
 * bosh_driver_free(). Returns 0, or -1 when its address is none for BOSH, the
 * proxy, a header or a cookie is none, or s was added before;
 * bosh_driver_last_error() says why. */
int bosh_driver_add(struct bosh_driver *d, struct bosh *s,
                    struct bosh_hook hook);

/* "" when nothing went wrong. Borrowed until the next bosh_driver_add() or
 * blocking call. */
const char *bosh_driver_last_error(const struct bosh_driver *d);

/* Stop driving s, at once and without a word; connections are closed. */
void bosh_driver_remove(struct bosh_driver *d, struct bosh *s);

/* Do what s wants right now; after each verb. In its own hook this does
 * nothing: it is done when the hook returns. */
void bosh_driver_pump(struct bosh_driver *d, struct bosh *s);

/* Also watch a descriptor: readable is called when it can be read. One only;
 * -1 ends it. */
void bosh_driver_watch(struct bosh_driver *d, int fd,
                       void (*readable)(void *ctx), void *ctx);

/* Wait until something happens, at most max_ms (negative: as long as it
 * takes), and deal with it. Returns 0, or -1 with errno set. */
int bosh_driver_turn(struct bosh_driver *d, int64_t max_ms);

/* The clock that sessions of this driver go by. */
int64_t bosh_driver_now_ms(void);

/*
 * In a loop of the application's own: when this descriptor can be read, or at
 * that time of bosh_driver_now_ms() (BOSH_NEVER: only then), whichever comes
 * first, call bosh_driver_turn(d, 0). Ask for the time again after each turn
 * and each verb.
 */
int bosh_driver_fd(const struct bosh_driver *d);
int64_t bosh_driver_deadline_ms(const struct bosh_driver *d);

/*
 * Blocking calls, for programs without a loop: the seed's sync.
 *
 * They turn the driver until what was asked for has come about, and can be
 * mixed with the other calls at any time, on a live session too. Events go to
 * its hook as ever; no hook may call these. Other sessions of the driver go on
 * meanwhile.
 *
 * max_ms  so long at most; negative: as long as it takes, which the session's
 *         own limits bound
 *
 * Each returns 0; a BOSH_E_* of the verb; BOSH_E_ARG also where s was not added
 * to d, which bosh_driver_last_error() says; or -1, which is BOSH_E_STATE too,
 * where the session ended or the time was up first. With -1, bosh_ended() false
 * and bosh_last_error() empty the time is up, and the session goes on.
 */

/* bosh_connect(), until logged in. */
int bosh_driver_connect(struct bosh_driver *d, struct bosh *s, const char *jid,
                        const char *password, int64_t max_ms);

/* Until all that was queued has been sent and the manager has answered, which
 * bosh_flush() hastens. */
int bosh_driver_settle(struct bosh_driver *d, struct bosh *s, int64_t max_ms);

/* bosh_send(), and then bosh_driver_settle(). */
int bosh_driver_send(struct bosh_driver *d, struct bosh *s, const char *xml,
                     size_t len, int64_t max_ms);

/* bosh_disconnect(), until the session is over; 0 only where the manager has
 * said so, and so has what was queued. */
int bosh_driver_disconnect(struct bosh_driver *d, struct bosh *s,
                           const char *reason, int64_t max_ms);

/*
 * For options.store: a file that keeps a session, readable for its owner only,
 * and replaced as a whole, so that a crash leaves the old text or the new one,
 * and at most one file beside it: the path with ".new" behind.
 *
 * path  borrowed for as long as a session uses it; its folder must exist
 */
struct bosh_store bosh_store_file(const char *path);

#ifdef __cplusplus
}
#endif

#endif
