/*
 * A case as data: what to play, and what must then hold.
 *
 * Read by case_xml.c from cases/<id>.xml; everything here belongs to the
 * struct testcase and is freed with it. In code it is a testcase: case is a C
 * word.
 */
#ifndef HARNESS_CASE_H
#define HARNESS_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "expr.h"
#include "journal.h"
#include "mockserver/mock.h"

/* A duration: whole milliseconds, or an expression that gives them. */
struct duration {
    int64_t ms;        /* when expr is NULL; -1: not given */
    struct expr *expr; /* or NULL */
};

/* Why a step ends the play when it does not succeed. GO_ON: it does not, and
 * that is AWAIT's alone. */
enum otherwise { ELSE_STOP, ELSE_NA, ELSE_ERROR, ELSE_GO_ON };

/* Stanzas, or a whole <body/>, as bytes with {expressions} in them; white
 * space between elements is left out. */
struct payload {
    struct avt *text; /* NULL: none */
};

/* Raw bytes: times repetitions of data. */
struct raw {
    char *data; /* NULL: none */
    size_t len;
    struct avt *text; /* in a request, in place of data; or NULL */
    unsigned times;
};

/* How far a login goes. */
enum login_part { LOGIN_TO_THE_END, LOGIN_BEFORE_AUTH, LOGIN_BEFORE_RESTART };

#define REPLY_MAX_HEADERS 16

/* What a stranger in front of the manager answers. */
struct http_reply {
    int status;
    char *reason; /* NULL: the usual one */
    struct {
        char *name;
        struct avt *value;
    } headers[REPLY_MAX_HEADERS];
    size_t header_count;
    struct payload body; /* a <body/>, or nothing */
    struct raw raw;      /* or raw bytes as the entity */
};

enum fault_part { PART_REQUEST, PART_RESPONSE };
enum cut_when {
    CUT_ACCEPT,
    CUT_REQUEST_HEADERS,
    CUT_REQUEST,
    CUT_BEFORE_RESPONSE,
    CUT_RESPONSE_HEADERS,
    CUT_RESPONSE_BODY,
    CUT_AFTER_RESPONSE,
    CUT_NEXT_REQUEST,
};
enum cut_how { CUT_FIN, CUT_RST, CUT_HALF };
enum bytes_kind {
    BYTES_TRUNCATE,
    BYTES_DRIP,
    BYTES_LENGTH_SHORT,
    BYTES_LENGTH_LONG,
    BYTES_BAD_CHUNK,
    BYTES_GARBAGE_BEFORE,
    BYTES_GARBAGE_AFTER,
    BYTES_TWICE,
    BYTES_GZIP,
    BYTES_NO_XML,
    BYTES_BOM,
    BYTES_LATIN_1,
    /* from here on the entity in another shape, entity.h */
    BYTES_EMPTY,
    BYTES_ILL_FORMED,
    BYTES_WRONG_NAMESPACE,
    BYTES_NO_NAMESPACE,
    BYTES_OTHER_ROOT,
    BYTES_TEXT,
    BYTES_COMMENT,
    BYTES_INSTRUCTION,
    BYTES_DOCTYPE,
    BYTES_ENTITY,
    BYTES_ENTITY_BOMB,
    BYTES_DEEP,
    BYTES_HUGE,
    BYTES_TWO_BODIES,
    BYTES_UTF_16,
    /* and HTTP's part of it */
    BYTES_CHUNKED,
    BYTES_DEFLATE,
    BYTES_HEADER,
    BYTES_ATTRIBUTE, /* of the <body/> */
};

enum action_kind {
    ACTION_PASS,
    ACTION_RESPOND, /* in a rule; "answer" as an act on an exchange */
    ACTION_LOSE,
    ACTION_DELAY,
    ACTION_CUT,
    ACTION_BYTES,
    ACTION_TERMINATE,
    ACTION_RECOVERABLE,
    ACTION_WITHHOLD, /* the last two only as acts on an exchange */
    ACTION_RELEASE,
};

/* What is done to an exchange. */
struct action {
    enum action_kind kind;
    char *as;             /* handle for the exchanges it was done to, or NULL */
    unsigned times;       /* in a rule; 0: for ever */
    enum fault_part part; /* LOSE, DELAY */
    struct duration by;   /* DELAY */
    enum cut_how how;     /* CUT */
    enum cut_when when;
    int64_t after_bytes;   /* CUT; -1: not given */
    enum bytes_kind bytes; /* BYTES */
    int64_t at;            /* -1: not given */
    struct duration every;
    size_t size;             /* BYTES of kind HUGE */
    struct http_reply reply; /* RESPOND; of it BYTES of kind HEADER has its
                                headers, and ATTRIBUTE one that stands for an
                                attribute: "" leaves it out */
    char *condition;         /* TERMINATE, or NULL */
    int stream;              /* TERMINATE: that one only; -1: the session */
    struct payload payload;  /* TERMINATE */
    int line;
};

enum step_kind {
    /* both roles */
    STEP_LET,
    STEP_REQUIRE,
    STEP_AWAIT,
    STEP_ELAPSE,
    STEP_SILENCE,
    STEP_REPEAT,
    STEP_WHEN,
    STEP_TOGETHER,
    STEP_IN_ORDER,
    /* client role */
    STEP_DO,
    STEP_PUSH,
    STEP_ON,
    STEP_OFF,
    STEP_ACT, /* an action on an exchange held by name */
    STEP_CERTIFICATE,
    /* server role */
    STEP_LOGIN,
    STEP_CREATE,
    STEP_KEEP_POLLING,
    STEP_DRAIN,
    STEP_REQUEST,
    STEP_RESEND,
    STEP_ABORT,
};

/* One named attribute whose value may hold {expressions}. */
struct named_avt {
    char *name;
    struct avt *value; /* NULL, in body_attrs: it is left out */
};

struct step {
    enum step_kind kind;
    int line;

    /* named things; which are used depends on kind */
    char *name;      /* LET: the variable; ON, OFF: the rule; DO: the verb;
                        AWAIT: the status of event=, or NULL;
                        ACT: the handle that of= names;
                        CERTIFICATE: its kind */
    char *as;        /* AWAIT, LOGIN, CREATE, REQUEST, RESEND: handle or NULL */
    char *exchange;  /* LOGIN, CREATE: handle of the creation, or NULL */
    char *client;    /* DO, PUSH, AWAIT with event=: which client, or NULL */
    unsigned stream; /* PUSH, AWAIT with event=: which of its streams */
    char *session;   /* AWAIT, DRAIN, KEEP_POLLING, REQUEST: handle or NULL */

    struct expr *expr;      /* LET REQUIRE AWAIT SILENCE DRAIN; ON: the match */
    struct duration within; /* AWAIT, DRAIN, SILENCE (for=), ELAPSE (for=) */
    struct duration until;  /* ELAPSE */
    enum otherwise otherwise;
    char *because;

    struct named_avt *attrs; /* DO: jid password wait hold route sid rid
                                reason, stream, for (pause, in seconds);
                                LOGIN, CREATE: wait hold rid ver ack resource;
                                REQUEST: method path rid pause ack */
    size_t attr_count;
    struct named_avt *options; /* DO connect: <option name=..>; REQUEST:
                                  <header name=..> */
    size_t option_count;
    struct named_avt *body_attrs; /* LOGIN, CREATE, REQUEST with session=:
                                     <attribute name=..>, set on <body/> in
                                     place of what would stand there;
                                     "xmpp:..." is in urn:xmpp:xbosh */
    size_t body_attr_count;
    struct payload payload; /* DO send, PUSH, REQUEST: stanzas */

    /* ON: its actions, in order; ACT: exactly one */
    struct action *actions;
    size_t action_count;
    bool optional;  /* ON: it may never match */
    struct avt *of; /* ACT, RESEND, ABORT: one {expression}, avt_expr(of, 0),
                       whose last exchange is meant; ACT: "{$N}" */

    /* REPEAT, WHEN, TOGETHER, IN_ORDER */
    struct step *steps;
    size_t step_count;
    struct avt *times; /* REPEAT */
    char *index;       /* REPEAT, or NULL */

    /* REQUEST, RESEND */
    char *conn;          /* or NULL */
    bool restart;        /* restart="yes" */
    bool terminate;      /* type="terminate" */
    struct payload body; /* a whole <body/> written by the case */
    struct raw *raws;    /* or raw bytes as the entity, in pieces */
    size_t raw_count;
    int http_minor;               /* 1 unless http="1.0" */
    unsigned chunks;              /* of the entity; 0: not in chunks */
    char *encoding;               /* what it is packed in, or NULL */
    bool whole;                   /* raws are all that goes out */
    struct duration entity_after; /* the head */
    struct duration send_every;
    int64_t stop_after_bytes; /* -1: not given */

    unsigned account; /* LOGIN; 1 is the first, 0: anonymously */
    enum login_part stop_before;
    enum cut_how how; /* ABORT */
};

enum level { LEVEL_CATALOGUE, LEVEL_SHOULD, LEVEL_MAY, LEVEL_PRACTICE };

struct bound {
    struct expr *expr; /* NULL: no such bound */
    bool clock;        /* clock="ms": the lag guard watches it */
};

enum assert_needs { NEEDS_NOTHING, NEEDS_STATUS, NEEDS_STANZA };

#define ASSERT_MAX_IS 8

/* One thing that must hold; the same for cases and invariants. */
struct assertion {
    char *id;
    char *req;
    char *says;
    enum level level; /* lowered by the case, or LEVEL_CATALOGUE */
    enum assert_needs needs;
    int64_t calm_ms;   /* a miss counts only if we were never later; -1 */
    struct expr *each; /* NULL: once */
    struct expr *test; /* or got with one of the following */
    struct expr *got;
    struct expr *is[ASSERT_MAX_IS];
    size_t is_count;
    struct expr *is_not;
    struct bound at_least;
    struct bound at_most;
    struct expr *show;
    int line;
};

struct twin_ref {
    char *twin;
    char *by; /* caught: the assert's id; spares: NULL */
    int line;
};

struct needs {
    char *verb; /* one of these per entry; NULL: not this one */
    char *event;
    bool own_process;
    unsigned accounts;
    bool anonymous;
    bool tls;
    char *option; /* of the driver's connect */
    int line;
};

/* The attribute is left out of the creation response: no limit. */
#define GRANT_NONE (-2)

/* Client role: what the mock grants; -1 and NULL: its default. */
struct manager_grant {
    int wait_s, hold;
    int requests, inactivity_s, polling_s, maxpause_s; /* or GRANT_NONE */
    char *ver; /* "none": a legacy manager */
    int ack;   /* 1 yes, 0 no; so are the next five */
    int keys;  /* key sequences are verified */
    int restartlogic;
    int anonymous;            /* ANONYMOUS is offered too */
    int streams;              /* it names them, XEP-0124 §16 */
    int overactivity_literal; /* XEP-0124 §11 to the letter */
    int report_ms;            /* an unacknowledged answer as old is reported */
    int empty_at_percent;     /* of wait: when an empty poll is answered */
    char *content_type;       /* of every answer */
    char *features;           /* creation next polled */
    char *mechanisms;
    char *accept;   /* codings of requests: gzip deflate */
    char *offers;   /* starttls compression */
    char *prefixes; /* usual other */
    char *conflict; /* a resource in use: refuse replace */
    char *tls;      /* no good expired wrong-name unknown-ca */
    struct mock_attribute *attributes; /* of the creation response */
    int *attribute_lines;
    size_t attribute_count;
};

struct testcase {
    char *id;   /* "client/order/swapped-responses" */
    char *path; /* as given, for messages */
    enum role role;
    unsigned rev;
    char *title;
    char *why;
    char **covers;
    int *cover_lines;
    size_t cover_count;
    char **tags;
    size_t tag_count;
    char *origin_url;
    char *origin_implementation;
    struct needs *needs;
    size_t needs_count;
    struct twin_ref *caught;
    size_t caught_count;
    struct twin_ref *spares;
    size_t spares_count;
    struct manager_grant manager;
    struct step *steps;
    size_t step_count;
    struct assertion *asserts;
    size_t assert_count;
    /* "" or why it can only be played on sockets: byte-level faults, TLS */
    const char *sockets_only;
    int64_t worst_ms; /* the sum of its waits */
    int64_t usual_ms; /* what it comes to where nothing is in vain */
};

/* All accept NULL or zeroed. */
void testcase_free(struct testcase *tc);
void assertion_release(struct assertion *a);
void steps_free(struct step *steps, size_t count);

/* Does our manager speak TLS in it? */
bool testcase_has_tls(const struct testcase *tc);

bool testcase_has_tag(const struct testcase *tc, const char *tag);

/* The expressions of one step, in order, without those of the steps inside
 * it and without the match of a rule (STEP_ON's expr). */
void step_each_expr(const struct step *step,
                    void (*fn)(void *ctx, const struct expr *ex), void *ctx);

#endif
