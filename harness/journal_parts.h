/*
 * What the files of the journal share: journal.c (events in, variables out),
 * journal_facts.c (what one exchange's bytes say), journal_x.c (an exchange's
 * way through the events), journal_session.c (what a session's exchanges say
 * together), journal_streams.c (its streams, where it may have several).
 * Nothing here is for others.
 */
#ifndef HARNESS_JOURNAL_PARTS_H
#define HARNESS_JOURNAL_PARTS_H

#include <libxml/hash.h>

#include "common/xml.h"
#include "journal.h"

/* How much of something came through. */
enum portion { PORTION_UNKNOWN, PORTION_NONE, PORTION_PART, PORTION_WHOLE };
enum portion portion_of(const char *word); /* NULL: unknown */
const char *portion_name(enum portion p);

/* What a request is for; the first that fits, in this order (docs in
 * journal.h). */
enum kind {
    KIND_OTHER,
    KIND_OPTIONS,
    KIND_TERMINATE,
    KIND_PAUSE,
    KIND_RESTART,
    KIND_CREATE,
    KIND_PAYLOAD,
    KIND_POLL,
    /* only where the manager named the session's first stream, §16 */
    KIND_ADD_STREAM,
    KIND_CLOSE_STREAM,
};

struct journal_x {
    unsigned n;
    unsigned conn;
    unsigned behind; /* an open one on its connection when it began; 0: none */
    xmlNodePtr node;
    xmlNodePtr req;
    xmlNodePtr answer; /* what the manager answered, until it is the res */
    xmlNodePtr res;
    enum kind kind;
    enum portion seen; /* client role: of the request, at the wire */
    enum portion arrived;
    enum portion delivered;
    int64_t t0, t1;
    int64_t sent; /* server role: all of it is written; -1: not yet */
    uint64_t seq0, seq1;
    bool dead;    /* its connection ended, or the client gave it up */
    bool faulted; /* something of ours was done to it */
    unsigned request_body, answer_body; /* equality classes; 0: none */
    struct journal_session *session;    /* or NULL */
    struct journal_rid *rid;            /* its row there, or NULL */
    bool pending;   /* in its session's list of what is open */
    bool polls_on;  /* a poll after a poll whose answer we do not know to be
                       delivered yet: an ACK may take its time */
    bool ends_last; /* its answer closes the last stream, by name */
};

/* A stream, by the name that the manager gave it. */
struct journal_stream {
    char *name;
    bool closed; /* somebody said so */
};

/* One rid of a session, and what became of it. */
struct journal_rid {
    char *text;
    unsigned first;  /* exchange */
    unsigned copies; /* 1: only the first */
    bool up_done, down_done;
    bool known;  /* an answer was delivered whole */
    bool broken; /* nothing open, nothing delivered */
    bool manager_has, manager_answered;
    unsigned answer_body; /* of the good answer; 0: none yet */
    unsigned answer_copy; /* which copy got it */
    unsigned answer_x;    /* in which exchange */
    unsigned mark;        /* the last count that saw it */
    uint64_t answered_seq;
    int64_t answered_t;
    xmlNodePtr up_first, down_first; /* its first payload in up and down */
};

/* Rids below the highest that never came are counted up to this many. */
#define MISSING_MAX 100

struct journal_session {
    unsigned n;
    unsigned create; /* exchange */
    char *sid;
    xmlNodePtr node, up, down;
    unsigned long up_nodes, down_nodes; /* for document order */
    struct journal_rid **rids;          /* sorted */
    size_t rid_count, rid_cap;
    unsigned *pending; /* exchanges open as the client knows */
    size_t pending_count, pending_cap;
    unsigned marks; /* the last count of distinct rids */
    unsigned long long missing[MISSING_MAX];
    int64_t missing_t[MISSING_MAX];
    size_t missing_count;
    int64_t filled_t;   /* when a late rid last closed a hole; -1: never */
    int64_t idle_since; /* -1: something is open */
    int64_t pause_ms;   /* the pause in force; -1: none */
    int64_t inactivity_ms, polling_ms, wait_ms; /* -1: not given */
    long requests;                              /* -1: not given */
    bool polls; /* a polling session: XEP-0124 §12 */
    bool has_jid;
    bool ended;
    int64_t ended_t;
    int64_t terminate_t; /* an end was delivered; -1: none */
    size_t manager_open; /* rids that the manager has and did not answer */
    size_t broken;       /* rids */
    size_t unknown;      /* answers that may or may not have been seen */
    struct journal_stream *streams; /* the first one first; none: not offered */
    size_t stream_count, stream_cap;
    size_t streams_asked;     /* requests for one more */
    xmlHashTablePtr asked;    /* ids of iqs sent up: how often */
    xmlHashTablePtr answered; /* ids of iqs that answer them */
};

struct journal_lag {
    int64_t t0, t1, ms;
};

/* A name that the case gave: nodes, or a value. */
struct journal_name {
    char *name;
    struct {
        enum { NAMES_X, NAMES_EV, NAMES_SESSION } kind;
        unsigned n;
    } * items;
    size_t count, cap;
    xmlXPathObjectPtr value; /* of a let; NULL: items */
};

struct journal {
    enum role role;
    xmlDocPtr doc;
    xmlNodePtr root;
    xmlXPathContextPtr xpath;
    unsigned long tops;    /* children of the root so far */
    struct journal_x **xs; /* by number; NULL where there is none */
    size_t x_cap;
    unsigned *open; /* exchanges still on their way, whatever session */
    size_t open_count, open_cap;
    unsigned *cut; /* server role: those of which no answer came, until their
                      connection is said to be closed */
    size_t cut_count, cut_cap;
    xmlNodePtr *x_nodes; /* in order of appearance */
    size_t x_count, x_node_cap;
    xmlNodePtr *conns; /* in order of appearance */
    size_t conn_count, conn_cap;
    xmlNodePtr *ev_nodes;
    size_t ev_count, ev_cap;
    struct journal_session **sessions;
    size_t session_count, session_cap;
    xmlHashTablePtr sids;      /* sid: session */
    xmlHashTablePtr bodies;    /* digest: class */
    xmlHashTablePtr creations; /* rid and class: first exchange */
    unsigned long body_count;
    struct journal_name *names;
    size_t name_count, name_cap;
    struct journal_lag *lags;
    size_t lag_count, lag_cap;
    xmlNodePtr it;
    bool nameless;    /* handles and let names are out of sight */
    bool hush;        /* the client was told to stop sending */
    int64_t upset_t;  /* last verb that may break the flow; -1: none */
    unsigned partial; /* requests of which the wire saw a part only */
    bool over; /* server role: the play has ended, only its health follows */
    int64_t over_ms;
    bool finished;
};

/* Room for one more in an array that doubles. */
void *journal_room(void *array, size_t count, size_t *cap, size_t size);
#define JOURNAL_ROOM(array, count, cap)                                        \
    ((array) = journal_room((array), (count), &(cap),                          \
                            sizeof(__typeof__((array)[0]))))

/* ---- nodes (journal.c) ---- */
void journal_put(xmlNodePtr node, const char *name, const char *value);
void journal_put_number(xmlNodePtr node, const char *name, long long value);
void journal_drop(xmlNodePtr node, const char *name);
/* A new child of the root, numbered so that document order is cheap. */
xmlNodePtr journal_top(struct journal *j, const char *name);
/* Number node and all below it in document order: top is the child of the
 * root that they are under, from the first number in it. Returns the next
 * number. */
unsigned long journal_order(const xmlNode *top, xmlNodePtr node,
                            unsigned long from);
#define ORDER_REQ 1UL
#define ORDER_ANSWER 0x40000000UL
#define ORDER_RES 0x80000000UL
#define ORDER_UP 1UL
#define ORDER_DOWN 0x80000000UL

struct journal_x *journal_x_of(const struct journal *j, long long n);

/* ---- what bytes say (journal_facts.c) ---- */
/* Make <req>, <answer> or <res> of x from raw HTTP. */
void facts_request(struct journal *j, struct journal_x *x, const char *data,
                   size_t len, const char *problem);
xmlNodePtr facts_response(struct journal *j, struct journal_x *x,
                          const char *name, const char *data, size_t len,
                          const char *problem, unsigned *body_id);
/* The <body/> of a <req> or <res>, or NULL. */
xmlNodePtr facts_body(const xmlNode *message);
size_t facts_payloads(const xmlNode *body);
const char *facts_kind_name(enum kind kind);
bool facts_is_number(const char *text); /* digits, at least one */

/* ---- an exchange's way (journal_x.c) ---- */
void x_event(struct journal *j, const struct event *ev);
/* A connection is closed, and all is over but for those that it cut off. */
void x_cut(struct journal *j, const struct event *ev);
/* Server role: when the manager could begin to hold it: all of it was sent, no
 * lower rid was missing, and what is before it on its connection answered. */
int64_t x_begun(const struct journal *j, const struct journal_x *x);
int64_t x_took(const struct journal *j, const struct journal_x *x,
               int64_t now_ms);
void x_finish(struct journal *j, int64_t now_ms);

void journal_add_lag(struct journal *j, int64_t from, int64_t to, int64_t ms);

/* ---- connections (journal_conn.c) ---- */
/* open, tls, close. */
void conn_event(struct journal *j, const struct event *ev);

/* ---- sessions (journal_session.c) ---- */
struct journal_session *session_find(const struct journal *j, const char *sid);
/* The request is there: it belongs to s. */
void session_request(struct journal *j, struct journal_session *s,
                     struct journal_x *x);
/* The manager has it (client role) or was sent it (server role). */
void session_forwarded(struct journal_session *s, struct journal_x *x);
/* The manager answered: message is <answer> or <res>. May create one. */
void session_answered(struct journal *j, struct journal_x *x,
                      xmlNodePtr message, const struct event *ev);
/* The client has all of x's answer. */
void session_delivered(struct journal *j, struct journal_x *x,
                       const struct event *ev);
/* x is open no longer: dead, or nobody knows whether it was answered. */
void session_gave_up(struct journal *j, struct journal_x *x, int64_t t);
void session_finish(struct journal *j, struct journal_session *s, int64_t t);
void session_free(struct journal_session *s);

/* ---- its streams (journal_streams.c) ---- */
void journal_streams_begin(struct journal_session *s, const xmlNode *granted);
/* What kind of request it is where there may be several streams. */
void journal_streams_request(const struct journal *j, struct journal_session *s,
                             struct journal_x *x);
/* The manager answered; ends: with a terminate. */
void journal_streams_answered(struct journal_session *s, struct journal_x *x,
                              const xmlNode *body, bool ends);
void journal_streams_release(struct journal_session *s);

/* ---- a session's rows and payloads (journal_rids.c) ---- */
struct journal_rid *rids_add(struct journal_session *s,
                             const struct journal_x *x, const char *rid);
/* The row of the rid just before this one, or NULL. */
struct journal_rid *rids_before(const struct journal_session *s,
                                const struct journal_rid *r);
/* The one after it; NULL when it has not come. */
struct journal_rid *rids_after(const struct journal_session *s,
                               const struct journal_rid *r);
size_t rids_index(const struct journal_session *s, const char *rid, bool *hit);
bool rids_missing_below(const struct journal_session *s, const char *rid);
/* Below the creation's: nothing waits for it, and it is never its turn. */
bool rids_is_foreign(const struct journal *j, const struct journal_session *s,
                     const struct journal_rid *r);
void rids_print_missing(struct journal_session *s);
void rids_take_up(struct journal *j, struct journal_session *s,
                  struct journal_x *x);
void rids_take_down(struct journal *j, struct journal_session *s,
                    struct journal_x *x, const xmlNode *body);
void rid_free(struct journal_rid *r);

#endif
