/*
 * libboshmock: a scriptable BOSH connection manager and the small XMPP server
 * behind it.
 *
 * The core has no I/O: HTTP requests, time and a scripted case's wishes go in,
 * answers and facts come out. It conforms by default (XEP-0124 1.11.2,
 * XEP-0206 1.4); a case may override single exchanges. It shares no BOSH code
 * with the client under test: two readings of the XEP.
 *
 * Threads: one mock belongs to one thread at a time; two mocks share nothing.
 * Time: now_ms is monotonic milliseconds and must not go back.
 */
#ifndef MOCKSERVER_MOCK_H
#define MOCKSERVER_MOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that a peer may make us keep. */
#define MOCK_MAX_BODY (1u << 20)   /* bytes of one request */
#define MOCK_MAX_PAYLOADS 1000     /* elements in one request */
#define MOCK_MAX_SESSIONS 20000    /* live at once */
#define MOCK_MAX_GONE 1024         /* ended, still known by their sid */
#define MOCK_MAX_PARKED 64         /* requests waiting behind a gap */
#define MOCK_MAX_OPEN 64           /* requests held in one session */
#define MOCK_MAX_QUEUE (4u << 20)  /* bytes waiting for one client */
#define MOCK_MAX_REPLAY 64         /* answers kept for a client that acks */
#define MOCK_MAX_REPEATS 64        /* copies of one rid, §14.3 */
#define MOCK_MAX_CONTENT 128       /* bytes of the content attribute */
#define MOCK_MAX_LOGIN_ATTEMPTS 10 /* failed SASL attempts in one stream */
#define MOCK_MAX_STREAMS 64        /* opened in one session, §16 */
#define MOCK_MAX_FACTS 1024        /* unread; the oldest are dropped */

/* ---------------------------------------------------------------- options */

/* When the first stream features reach the client, XEP-0206 §4. */
enum mock_features {
    MOCK_FEATURES_CREATION, /* in the creation response */
    MOCK_FEATURES_NEXT,     /* at once on the first request after it */
    MOCK_FEATURES_POLLED,   /* that one is answered empty; on the second */
};

struct mock_account {
    const char *user; /* local part of the JID */
    const char *password;
};

/* An attribute of <body/>: "from", "xml:lang", "xmpp:version". */
struct mock_attribute {
    const char *name;
    const char *value; /* NULL: it is left out */
};

/* Strings and arrays are copied by mock_new(). */
struct mock_options {
    /* What is granted at most: a session never gets more than it asked for.
     * -1: as much as was asked. */
    int wait_s;
    int hold;
    int requests;     /* -1: hold + 1; 0: attribute left out, no limit */
    int inactivity_s; /* -1: attribute left out, no limit. Polling sessions
                         get twice 'polling' more, §12 */
    int polling_s;    /* -1: attribute left out, no limit */
    int maxpause_s;   /* -1: attribute left out, pauses are refused */

    const char *ver;     /* highest BOSH version; NULL: a legacy manager, which
                            sends none and speaks HTTP 400, 403, 404 (§17.1) */
    bool ack;            /* acknowledges when the client offers to, §9 */
    int report_after_ms; /* an unacknowledged answer as old as this is
                            reported, §9.2; -1: never */
    bool keys;           /* verifies key sequences, §15 */
    bool streams;        /* names streams, and opens more of them, §16 */
    bool restartlogic;   /* says xmpp:restartlogic='true', XEP-0206 §4 */
    bool literal_overactivity; /* §11 to the letter: requests are counted
                                  before the oldest is released */
    int empty_at_percent;      /* of wait: when a poll without data is
                                  answered; 1 to 100 */
    const char *content_type;  /* NULL: text/xml; charset=utf-8, or what the
                                  client's content attribute says (§7.1) */
    const char *accept;        /* codings of requests that it undoes, and says
                                  so: "gzip,deflate" (§7.2); NULL: none. Others
                                  get HTTP 415 */
    bool cors;                 /* Access-Control headers on every answer */
    const char *path;          /* of the BOSH URL; NULL: any */
    /* Of creation responses, in place of or besides the usual ones; what the
     * session is like does not change with what it is called. */
    const struct mock_attribute *creation;
    size_t creation_count;

    /* the XMPP server behind it */
    enum mock_features features;
    const char *domain;
    const char *mechanisms; /* space separated, in the order offered; what is
                               not known here is offered all the same */
    bool anonymous;         /* ANONYMOUS is offered too */
    bool other_prefixes;    /* features in a default namespace, and the creation
                               answer's attributes of urn:xmpp:xbosh with a prefix
                               that is not xmpp: */
    const char *offers; /* space separated: "starttls", "compression"; features
                           that are no use over HTTP, XEP-0206 §4. What asks
                           for them is answered as unknown elements are. NULL:
                           none */
    const struct mock_account *accounts;
    size_t account_count;
    const char *any_user_password; /* NULL: only the accounts above may log
                                      in; else also every other user, with
                                      this password */
    int scram_iterations;
    bool refuse_conflict; /* a resource in use: true, the newcomer's bind is
                             refused; false, the older session is ended */

    /* Unpredictable bytes for sid and the like. NULL: GnuTLS's generator. */
    void (*random)(void *arg, void *out, size_t len);
    void *random_arg;
};

/* wait up to 60 s, hold as asked, requests hold + 1, inactivity 30 s, polling
 * 5 s, maxpause 120 s, ver 1.11, acks, keys verified, empty polls answered at
 * 80 % of wait, path /http-bind, domain localhost, SCRAM-SHA-256, SCRAM-SHA-1,
 * PLAIN and ANONYMOUS, users alice bob carol dave with password secret. */
struct mock_options mock_options_default(void);

/* ----------------------------------------------------------- the exchange */

struct mock_header {
    const char *name;
    const char *value;
};

/* One whole HTTP request; everything is borrowed for the call. */
struct mock_request {
    const char *method;
    const char *path; /* request target: origin or absolute form */
    const struct mock_header *headers;
    size_t header_count;
    const char *body;
    size_t body_len;
    bool tls; /* it came over an encrypted connection */
};

struct mock_answer {
    uint64_t token; /* of the request that is answered */
    int status;     /* 0: close the connection without an answer (§19.1) */
    const char *reason;
    const struct mock_header *headers; /* without Content-Length */
    size_t header_count;
    const char *body;
    size_t body_len;
    /* what a log may want to know; "" and 0 where there is none */
    const char *sid;
    uint64_t rid;
    bool replay; /* the same bytes were answered before, §14.3 */
};

struct mock;

/* Yours, free with mock_free(). Call xml_init() before. */
struct mock *mock_new(const struct mock_options *options);
/* Accepts NULL. Unanswered requests are forgotten. */
void mock_free(struct mock *m);

/*
 * A request has arrived whole.
 *
 * token  the caller's name for it, unique among the unanswered ones; comes
 *        back in its answer
 *
 * Afterwards take all of mock_next_answer(): the request's own answer may be
 * among them, or come much later.
 */
void mock_request(struct mock *m, int64_t now_ms,
                  const struct mock_request *req, uint64_t token);

/*
 * Take the next answer that is ready. Answers of one session come in rid
 * order (§14.2), but for type='error' on the older copy of a repeated request.
 *
 * Returns 1 with out filled, all its pointers borrowed until the next call of
 * any function of this mock; 0 when there is none.
 */
int mock_next_answer(struct mock *m, int64_t now_ms, struct mock_answer *out);

/* The connection of an unanswered request is gone. Its answer is still made
 * when it is due and kept for a repeat, but not handed out. Unknown tokens
 * are ignored. Source: XEP-0124 §14.3 */
void mock_gone(struct mock *m, int64_t now_ms, uint64_t token);

/* When mock_tick() has something to do; CLOCK_NEVER: not before the next
 * request. */
int64_t mock_deadline_ms(const struct mock *m);

/* Time has passed: answers empty polls, ends silent sessions. */
void mock_tick(struct mock *m, int64_t now_ms);

/* --------------------------------------------------- what a case may want */

/*
 * The XMPP server sends these elements to the client.
 *
 * sid  NULL: the live session that was created last
 * xml  complete elements with their namespaces, sent as they are
 *
 * Returns 0, or -1 when there is no such live session or its queue is full.
 */
int mock_push(struct mock *m, int64_t now_ms, const char *sid, const char *xml,
              size_t len);

/* The same on another than the session's first stream: stream is its number,
 * in the order of opening, and 0 the first. -1 also when that is not open. */
int mock_push_stream(struct mock *m, int64_t now_ms, const char *sid,
                     size_t stream, const char *xml, size_t len);

enum mock_override_kind {
    MOCK_TERMINATE,   /* the session ends when this rid's turn comes */
    MOCK_RECOVERABLE, /* type='error' at once; the rid counts as not received,
                         the session lives (§17.3) */
};

/*
 * Answer one request, the next with this sid and rid, in another way than a
 * well-behaved manager would. Used up by the first request that it fits.
 *
 * sid        NULL: any, a creation request included
 * rid        decimal digits; NULL: any
 * condition  of a MOCK_TERMINATE; NULL: none
 * xml        sent in the body after what is queued; NULL or len 0: nothing
 *
 * Returns 0, or -1 when rid is not a number.
 */
int mock_override(struct mock *m, const char *sid, const char *rid,
                  enum mock_override_kind kind, const char *condition,
                  const char *xml, size_t len);

/*
 * The manager closes one stream in its answer to one request; the session
 * lives, unless no other stream is open (§16.6).
 *
 * stream                            as in mock_push_stream()
 * sid, rid, condition, xml, len     as in mock_override()
 */
int mock_override_stream(struct mock *m, const char *sid, const char *rid,
                         size_t stream, const char *condition, const char *xml,
                         size_t len);

/*
 * End a session from the server's side: on the oldest open request, or else
 * on the next one that comes (§17.2).
 *
 * sid, condition, xml, len  as in mock_push() and mock_override()
 *
 * Returns 0, or -1 when there is no such live session.
 */
int mock_end_session(struct mock *m, int64_t now_ms, const char *sid,
                     const char *condition, const char *xml, size_t len);

/* The same to one stream; where it is the last one open, to its session.
 * Returns 0, or -1 when there is no such open stream. */
int mock_end_stream(struct mock *m, int64_t now_ms, const char *sid,
                    size_t stream, const char *condition, const char *xml,
                    size_t len);

enum mock_session_state {
    MOCK_SESSION_OPEN,
    MOCK_SESSION_PAUSED, /* §10: until the next request */
    MOCK_SESSION_ENDING, /* over; waits for a request to say so on */
    MOCK_SESSION_GONE,   /* its sid is answered with item-not-found */
};

struct mock_session_info {
    const char *sid;
    const char *jid; /* full, of the first stream that is bound; "": none is */
    enum mock_session_state state;
    uint64_t rid;   /* highest received without a gap */
    size_t open;    /* requests held unanswered */
    size_t parked;  /* requests waiting behind a gap */
    size_t queued;  /* bytes waiting for the client */
    size_t streams; /* that are open */
};

/*
 * Look at the sessions in the order of their creation.
 *
 * after  sid of the one before; NULL: the first
 *
 * Returns 1 with out filled, borrowed until the mock is changed; 0 at the
 * end, or when after is not known.
 */
int mock_next_session(const struct mock *m, const char *after,
                      struct mock_session_info *out);

/* ------------------------------------------------------------- facts out */

enum mock_fact_kind {
    MOCK_FACT_CREATED,
    MOCK_FACT_BOUND,   /* logged in and bound; jid is set */
    MOCK_FACT_ENDED,   /* reason: a condition, or "terminate" */
    MOCK_FACT_EXPIRED, /* nothing came within inactivity or pause, §10 */
};

struct mock_fact {
    enum mock_fact_kind kind;
    int64_t at_ms;
    const char *sid;
    const char *jid;    /* "" where there is none */
    const char *reason; /* "" where there is none */
};

/* Take the oldest fact not yet taken. Returns 1 with out filled, borrowed
 * until the next call; 0 when there is none. Nobody need call it. */
int mock_next_fact(struct mock *m, struct mock_fact *out);

#endif
