/*
 * The connection manager's inside: what the parts of the core share.
 *
 *   manager.c   the public calls, HTTP methods, time
 *   codings.c   a request's entity without its content coding (§5, §7.2)
 *   creation.c  a request without a sid: a new session (§7)
 *   traffic.c   a request of a session: order, repeats, limits, answers (§8
 *               to §14)
 *   multi.c     its streams: openings, who is meant, whose turn it is (§16)
 *   script.c    what a case wants and sees: pushes, overrides, facts
 *   ending.c    every way in which a session ends (§10, §13, §17)
 */
#ifndef MOCKSERVER_MANAGER_H
#define MOCKSERVER_MANAGER_H

#include "answer.h"
#include "backend.h"
#include "cmsession.h"
#include "deadlines.h"
#include "keytable.h"
#include "mock.h"
#include "options.h"

/* For urn:xmpp:xbosh, where the case wants another than xmpp. */
#define MANAGER_OTHER_PREFIX "xb"

struct fact {
    struct fact *next;
    enum mock_fact_kind kind;
    int64_t at_ms;
    char sid[ANSWER_SID_LEN + 1];
    char *jid;
    char *reason;
};

struct mock {
    struct options options;
    struct backend *backend;
    struct answer_box box;
    struct keytable by_sid;
    struct keytable by_token; /* held requests whose connection is there */
    struct deadlines deadlines;
    struct cmsession *first;
    struct cmsession *last;
    struct cmsession *dirty;
    struct cmsession *first_gone;
    struct cmsession *last_gone;
    size_t live_count;
    size_t gone_count;
    struct override *overrides;
    struct fact *facts;
    struct fact **facts_end;
    size_t fact_count;
    struct fact *fact_taken;
    struct buf scratch;
    struct buf entity; /* of the running request, without its coding */
    int64_t now_ms;    /* of the call that is running */
};

/* One request on its way through the manager; req is taken by whoever keeps
 * it, and then zeroed. */
struct arrival {
    uint64_t token;
    bool tls;
    struct request req;
};

/* Live or gone; NULL: never heard of, or forgotten. */
struct cmsession *manager_find(const struct mock *m, const char *sid);

/* Enter it in all lists; its sid is set. */
void manager_add(struct mock *m, struct cmsession *s);

/* It is GONE: only its sid stays known. */
void manager_retire(struct mock *m, struct cmsession *s);

/* Something happened that may allow an answer: it is looked at before the
 * running call returns. */
void manager_touch(struct mock *m, struct cmsession *s);

/* Elements for the client. Returns false when its queue is full. */
bool manager_queue(struct cmstream *st, const char *xml, size_t len);

/* At the end of each public call: answers what became answerable. */
void manager_finish_call(struct mock *m);

/* Content type of answers that belong to no session. */
const char *manager_content_type(const struct mock *m);

/* Put a 200 with this body into the outbox. s NULL: of no session. body: a
 * reference of its own is taken. */
struct answer *manager_answer(struct mock *m, const struct cmsession *s,
                              uint64_t token, uint64_t rid,
                              struct answer_bytes *body);

/* The same with parts that are written first. */
void manager_answer_parts(struct mock *m, const struct cmsession *s,
                          uint64_t token, uint64_t rid,
                          const struct answer_parts *parts);

/* Answer a held request, unless nobody waits for it any more. Returns the
 * body, one reference, yours. */
struct answer_bytes *manager_answer_held(struct mock *m, struct held *h,
                                         const struct answer_parts *parts);
/* From now on mock_gone() concerns this one; or no longer. */
void manager_watch(struct mock *m, struct held *h);
void manager_unwatch(struct mock *m, struct held *h);

/*
 * A request's entity without its content coding (§5, §7.2).
 *
 * body, len  of the entity: borrowed from req, or until the next call
 *
 * Returns 0; or the HTTP status that says what is wrong: 400, it is damaged;
 * 413, it would be more than MOCK_MAX_BODY; 415, that coding was not offered.
 */
int codings_undo(struct mock *m, const struct mock_request *req,
                 const char **body, size_t *len);

/* A header's value (case of its name does not matter), or NULL. */
const char *manager_header(const struct mock_request *req, const char *name);

/* The HTTP code that stands for a condition towards legacy clients (§17.1);
 * 0: none. */
int manager_legacy_code(const char *condition, const char **reason);

/* A terminal condition, or for a legacy client its HTTP code. */
void manager_refuse(struct mock *m, const struct cmsession *s, uint64_t token,
                    uint64_t rid, bool legacy, const char *condition);

/* The first order that fits, yours; NULL: none. sid NULL: a creation. */
struct override *script_take_override(struct mock *m, const char *sid,
                                      uint64_t rid);
void script_add_fact(struct mock *m, const struct cmsession *s,
                     enum mock_fact_kind kind, const char *reason);
void script_add_bound(struct mock *m, const struct cmstream *st);
void script_release(struct mock *m);

void creation_take(struct mock *m, struct arrival *a);

void traffic_take(struct mock *m, struct cmsession *s, struct arrival *a);
/* Answer what may be answered now, and set the deadline anew. */
void traffic_answer_ready(struct mock *m, struct cmsession *s);
/* The session's deadline has come. */
void traffic_time_passed(struct mock *m, struct cmsession *s);

/* The session's first, with its first features queued. */
void multi_open_first(struct mock *m, struct cmsession *s);
/* Does a request ask for one more? Where none are named it never does. */
bool multi_is_addition(const struct cmsession *s, const struct request *req);
/* Open it; h's answer tells the name, or why there is none. */
void multi_add(struct mock *m, struct cmsession *s, struct held *h);
/* It is a terminate, and not the session that it ends. */
bool multi_closes_one(const struct cmsession *s, const struct request *req);
/* Why what it names ends the session; NULL: it does not. */
const char *multi_objection(const struct mock *m, const struct cmsession *s,
                            const struct request *req);
/* Forward a request's payloads to the server, in document order (§8): to the
 * stream it names, or else to all. */
void multi_forward(struct cmsession *s, const struct request *req);
void multi_restart(struct cmsession *s, const struct request *req);
void multi_close_one(struct cmsession *s, const struct request *req);
bool multi_all_bound(const struct cmsession *s);
/*
 * Say in the answer to h what is to be said.
 *
 * extra  an empty buffer, for as long as parts is used
 *
 * Returns whose word it is, for multi_spoken() after parts were written;
 * NULL: nobody's.
 */
struct cmstream *multi_speak(struct mock *m, struct cmsession *s,
                             const struct held *h, struct buf *extra,
                             struct answer_parts *parts);
void multi_spoken(struct mock *m, struct cmsession *s, struct cmstream *st);
/* The server's side ends it, and with the last one the session. */
void multi_server_end(struct mock *m, struct cmstream *st,
                      const char *condition, const char *xml, size_t len);

/* The client broke a rule with this request, which is in no list and is
 * taken: it gets the condition, those held other-request (§17.2). */
void ending_fatal(struct mock *m, struct cmsession *s, struct held *offender,
                  const char *condition);
/* The client said terminate in the newest open request (§13). */
void ending_by_client(struct mock *m, struct cmsession *s);
/* The server's side ends it; told at once when a request is open. Returns
 * false when it was over already. */
bool ending_by_server(struct mock *m, struct cmsession *s,
                      const char *condition, const char *xml, size_t len);
/* An order of the case, on this request, which is in no list and is taken. */
void ending_by_override(struct mock *m, struct cmsession *s, struct held *h);
/* It is ENDING and a request is open. */
void ending_tell(struct mock *m, struct cmsession *s);
void ending_by_silence(struct mock *m, struct cmsession *s);

#endif
