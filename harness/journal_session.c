/*
 * What a session's exchanges say together: see journal_parts.h. XEP-0124
 * §7 (negotiation), §10 (inactivity), §11 (overactivity), §12 (polling),
 * §13 (ends), §14 (rids).
 */
#include "journal_parts.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/c14n.h>

struct journal_session *session_find(const struct journal *j, const char *sid)
{
    return xmlHashLookup(j->sids, (const xmlChar *)sid);
}

void session_free(struct journal_session *s)
{
    for (size_t i = 0; i < s->rid_count; i++)
        rid_free(s->rids[i]);
    xmlHashFree(s->asked, NULL);
    xmlHashFree(s->answered, NULL);
    free(s->rids);
    free(s->pending);
    journal_streams_release(s);
    free(s->sid);
    free(s);
}

static long long number_of(const xmlNode *node, const char *name,
                           long long otherwise)
{
    const char *text = xml_attr(node, NULL, name);

    return facts_is_number(text) && strlen(text) < 10 ? strtoll(text, NULL, 10)
                                                      : otherwise;
}

static bool is_type(const xmlNode *body, const char *type)
{
    const char *have = xml_attr(body, NULL, "type");

    return have && strcmp(have, type) == 0;
}

/* An end of the whole session: with stream= only that stream ends, unless it
 * was the last, §16.6. */
static bool is_end(const struct journal_x *x, const xmlNode *body)
{
    return is_type(body, "terminate") &&
           (!xml_attr(body, NULL, "stream") || x->ends_last);
}

static long long status_of(const xmlNode *message)
{
    return number_of(message, "status", 0);
}

/* A BOSH answer that stands: no error page, no request to come again. */
static bool is_good(const xmlNode *message)
{
    const xmlNode *body = facts_body(message);

    return body && status_of(message) == 200 && !is_type(body, "error");
}

/* -------------------------------------------------------- open and silent */

/* How many rids are pending, each counted once: a count marks those it saw. */
static size_t distinct(const struct journal *j, struct journal_session *s,
                       bool without_answer)
{
    unsigned mark = ++s->marks;
    size_t count = 0;

    for (size_t i = 0; i < s->pending_count; i++) {
        const struct journal_x *x = journal_x_of(j, s->pending[i]);

        if (without_answer && x->res)
            continue;
        count += !x->rid || x->rid->mark != mark;
        if (x->rid)
            x->rid->mark = mark;
    }
    return count;
}

static void now_silent(const struct journal *j, struct journal_session *s,
                       int64_t t)
{
    journal_put_number(s->node, "open", (long long)distinct(j, s, false));
    if (s->pending_count || s->idle_since >= 0 || s->ended)
        return;
    s->idle_since = t;
    journal_put_number(s->node, "idle-since", t);
}

/* The silence since idle_since is over. x: the request that ended it; NULL:
 * the play did. */
static void add_gap(struct journal *j, struct journal_session *s,
                    const struct journal_x *x, int64_t t)
{
    int64_t limit = s->pause_ms >= 0 ? s->pause_ms : s->inactivity_ms;
    bool clean = !s->broken && !s->unknown && !j->hush && !j->partial &&
                 j->upset_t < s->idle_since;
    xmlNodePtr gap;

    if (s->idle_since < 0)
        return;
    gap = journal_top(j, "gap");
    journal_put_number(gap, "session", s->n);
    journal_put_number(gap, "t0", s->idle_since);
    journal_put_number(gap, "t1", t);
    journal_put_number(gap, "ms", t - s->idle_since);
    if (limit >= 0)
        journal_put_number(gap, "limit", limit);
    journal_put(gap, "by", x ? "request" : "end");
    if (x)
        journal_put_number(gap, "x", x->n);
    journal_put(gap, "clean", clean ? "yes" : "no");
    s->idle_since = -1;
    journal_drop(s->node, "idle-since");
}

static void remove_pending(const struct journal *j, struct journal_session *s,
                           const struct journal_x *x, bool all_copies)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->pending_count; i++) {
        struct journal_x *other = journal_x_of(j, s->pending[i]);

        if (other == x || (all_copies && x->rid && other->rid == x->rid))
            other->pending = false;
        else
            s->pending[kept++] = s->pending[i];
    }
    s->pending_count = kept;
}

static bool has_pending(const struct journal *j,
                        const struct journal_session *s,
                        const struct journal_rid *r)
{
    for (size_t i = 0; i < s->pending_count; i++) {
        if (journal_x_of(j, s->pending[i])->rid == r)
            return true;
    }
    return false;
}

static void set_broken(struct journal_session *s, struct journal_rid *r,
                       bool broken)
{
    if (r->broken == broken)
        return;
    r->broken = broken;
    s->broken += broken ? 1 : (size_t)-1;
}

static void add_pending(struct journal_session *s, struct journal_x *x)
{
    JOURNAL_ROOM(s->pending, s->pending_count, s->pending_cap);
    s->pending[s->pending_count++] = x->n;
    x->pending = true;
    if (x->rid)
        set_broken(s, x->rid, false);
}

/* ------------------------------------------------------------------- ends */

static void end(struct journal_session *s, const struct event *ev,
                const char *by, const char *condition)
{
    if (s->ended)
        return;
    s->ended = true;
    s->ended_t = ev->t_ms;
    journal_put_number(s->node, "ended", (long long)ev->seq);
    journal_put_number(s->node, "ended-t", ev->t_ms);
    journal_put(s->node, "ended-by", by);
    if (condition)
        journal_put(s->node, "condition", condition);
}

/* --------------------------------------------------------------- requests */

/* XEP-0124 §12: how long after the empty request before it, which brought
 * nothing, does this one come? */
static void since_poll(const struct journal *j, const struct journal_session *s,
                       struct journal_x *x)
{
    const struct journal_rid *before = rids_before(s, x->rid);
    const struct journal_x *last =
        before ? journal_x_of(j, before->first) : NULL;

    if (!last || !s->polls || !s->has_jid || s->streams_asked ||
        s->polling_ms < 0 || x->kind != KIND_POLL || last->kind != KIND_POLL ||
        before->down_done || before->copies > 1)
        return;
    x->polls_on = !before->known;
    if (x->polls_on)
        return;
    journal_put_number(x->node, "since-poll", x->t0 - last->t0);
    journal_put_number(x->node, "polling-ms", s->polling_ms);
}

static void number_copy(const struct journal *j, struct journal_x *x)
{
    const struct journal_x *first = journal_x_of(j, x->rid->first);

    journal_put_number(x->node, "copy", x->rid->copies);
    journal_put_number(x->node, "first", first->n);
    if (x->rid->copies == 1)
        return;
    journal_put_number(x->node, "copy-of", first->n);
    journal_put_number(first->node, "copies", x->rid->copies);
    if (x->request_body && first->request_body)
        journal_put(x->node, "same",
                    x->request_body == first->request_body ? "yes" : "no");
}

/* What only a first copy says. */
static void new_rid(struct journal *j, struct journal_session *s,
                    struct journal_x *x)
{
    since_poll(j, s, x);
    if (s->terminate_t >= 0)
        journal_put_number(x->node, "after-end", x->t0 - s->terminate_t);
    s->pause_ms = -1;
    if (x->kind == KIND_PAUSE) {
        long long pause = number_of(facts_body(x->req), "pause", -1);

        s->pause_ms = pause < 0 ? -1 : 1000 * pause;
        j->hush = false;
    }
    rids_take_up(j, s, x);
}

void session_request(struct journal *j, struct journal_session *s,
                     struct journal_x *x)
{
    const char *rid = xml_attr(x->node, NULL, "rid");
    bool extra;

    x->session = s;
    journal_streams_request(j, s, x);
    extra = x->kind == KIND_PAUSE || x->kind == KIND_TERMINATE ||
            x->kind == KIND_CLOSE_STREAM;
    journal_put_number(x->node, "session", s->n);
    add_gap(j, s, x, x->t0);
    if (facts_is_number(rid)) {
        x->rid = rids_add(s, x, rid);
        number_copy(j, x);
        if (x->rid->copies == 1)
            new_rid(j, s, x);
    }
    add_pending(s, x);
    journal_put_number(x->node, "open-client", (long long)distinct(j, s, true));
    if (s->requests >= 0)
        journal_put_number(x->node, "open-limit", s->requests + extra);
    journal_put_number(s->node, "open", (long long)distinct(j, s, false));
    if (x->kind == KIND_TERMINATE) {
        struct event when = {.seq = x->seq0, .t_ms = x->t0};

        end(s, &when, "client", NULL);
    }
}

void session_forwarded(struct journal_session *s, struct journal_x *x)
{
    if (!x->rid)
        return;
    if (!x->rid->manager_has) {
        x->rid->manager_has = true;
        s->manager_open += !x->rid->manager_answered;
    }
    journal_put_number(x->node, "open-manager", (long long)s->manager_open);
}

/* ---------------------------------------------------------------- answers */

static void copy_attr(xmlNodePtr node, const char *name, const xmlNode *body,
                      const char *from)
{
    const char *value = xml_attr(body, NULL, from);

    if (value)
        journal_put(node, name, value);
}

/* What was asked and what was granted: XEP-0124 §7.1, §7.2. */
static void negotiate(struct journal_session *s, const xmlNode *asked,
                      const xmlNode *granted)
{
    static const char *const names[] = {"wait",       "hold",    "requests",
                                        "inactivity", "polling", "maxpause",
                                        "ver",        "ack",     "accept"};
    long long wait, hold;

    copy_attr(s->node, "asked-wait", asked, "wait");
    copy_attr(s->node, "asked-hold", asked, "hold");
    copy_attr(s->node, "asked-ver", asked, "ver");
    copy_attr(s->node, "asked-content", asked, "content");
    /* Not granted: what was asked is the limit all the same. */
    copy_attr(s->node, "wait", asked, "wait");
    copy_attr(s->node, "hold", asked, "hold");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        copy_attr(s->node, names[i], granted, names[i]);
    wait = number_of(s->node, "wait", -1);
    hold = number_of(s->node, "hold", -1);
    s->wait_ms = wait < 0 ? -1 : 1000 * wait;
    s->requests = (long)number_of(granted, "requests", -1);
    s->inactivity_ms = 1000 * number_of(granted, "inactivity", -1);
    s->polling_ms = 1000 * number_of(granted, "polling", -1);
    s->polls = wait == 0 || hold == 0 || s->requests == 1;
    if (s->polls)
        journal_put(s->node, "polls", "yes");
}

static struct journal_session *
session_new(struct journal *j, struct journal_x *x, const xmlNode *granted)
{
    struct journal_session *s = mem_alloc(sizeof *s);
    const char *rid = xml_attr(x->node, NULL, "rid");

    s->create = x->n;
    s->sid = mem_dup(xml_attr(granted, NULL, "sid"));
    s->filled_t = s->idle_since = s->pause_ms = s->terminate_t = -1;
    s->asked = xmlHashCreate(16);
    s->answered = xmlHashCreate(16);
    s->node = journal_top(j, "s");
    s->up = xmlNewChild(s->node, NULL, (const xmlChar *)"up", NULL);
    s->down = xmlNewChild(s->node, NULL, (const xmlChar *)"down", NULL);
    s->up_nodes = journal_order(s->node, s->up, ORDER_UP);
    s->down_nodes = journal_order(s->node, s->down, ORDER_DOWN);
    JOURNAL_ROOM(j->sessions, j->session_count, j->session_cap);
    j->sessions[j->session_count++] = s;
    s->n = (unsigned)j->session_count;
    xmlHashUpdateEntry(j->sids, (const xmlChar *)s->sid, s, NULL);
    journal_put_number(s->node, "n", s->n);
    journal_put_number(s->node, "create", s->create);
    journal_put(s->node, "sid", s->sid);
    journal_put(s->node, "rids-missing", "");
    journal_put_number(s->node, "open", 0);
    negotiate(s, facts_body(x->req), granted);
    journal_streams_begin(s, granted);
    x->session = s;
    journal_put_number(x->node, "session", s->n);
    if (facts_is_number(rid)) {
        x->rid = rids_add(s, x, rid);
        x->rid->manager_has = true;
        s->manager_open = 1;
        rids_take_up(j, s, x);
    }
    if (!x->dead) {
        add_pending(s, x);
        journal_put_number(s->node, "open", 1);
    }
    return s;
}

/* Server role: how long it was held, and whether it overtook another. Only
 * exchanges that nothing was done to, and rids sent once, say so. */
static void clock_answer(struct journal *j, const struct journal_session *s,
                         struct journal_x *x, const struct event *ev)
{
    struct journal_rid *r = x->rid;
    bool hit;

    if (r->copies > 1 || x->faulted || rids_is_foreign(j, s, r))
        return;
    if (s->wait_ms >= 0 && !rids_missing_below(s, r->text)) {
        journal_put_number(x->node, "took", x_took(j, x, ev->t_ms));
        journal_put_number(x->node, "wait-ms", s->wait_ms);
    }
    for (size_t i = rids_index(s, r->text, &hit) + 1; i < s->rid_count; i++) {
        struct journal_rid *later = s->rids[i];

        if (later->answered_seq && later->copies == 1 &&
            !journal_x_of(j, later->first)->faulted)
            journal_put_number(journal_x(j, later->first), "early-by",
                               ev->t_ms - later->answered_t);
    }
}

static char *canonical(xmlNodePtr body)
{
    xmlDocPtr doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlChar *text = NULL;
    char *copy;

    xmlDocSetRootElement(doc, xmlDocCopyNode(body, doc, 1));
    if (xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 0, &text) < 0)
        text = NULL;
    copy = mem_dup((const char *)text);
    xmlFree(text);
    xmlFreeDoc(doc);
    return copy;
}

/* The same answer, however it is spelled: order of attributes, quotes, a
 * newline behind. */
static bool is_same_xml(xmlNodePtr one, xmlNodePtr other)
{
    char *a = one ? canonical(one) : NULL;
    char *b = other ? canonical(other) : NULL;
    bool same = a && b && strcmp(a, b) == 0;

    free(a);
    free(b);
    return same;
}

/* The body of an rid's good answer, or NULL. */
static xmlNodePtr answer_of(const struct journal *j,
                            const struct journal_rid *r)
{
    const struct journal_x *x = journal_x_of(j, r->answer_x);

    return x ? facts_body(x->res) : NULL;
}

/* A repeat of an rid that was answered before it was sent gets the same
 * answer, §14.3. One that was sent while the rid was open gets the answer
 * itself, and the older copy something empty. */
static void compare_replay(const struct journal *j, struct journal_x *x,
                           xmlNodePtr message, const struct event *ev)
{
    struct journal_rid *r = x->rid;
    unsigned copy = (unsigned)number_of(x->node, "copy", 1);

    if (!x->answer_body || is_type(facts_body(message), "terminate"))
        return;
    if (!r->answer_body) {
        r->answer_body = x->answer_body;
        r->answer_copy = copy;
        r->answer_x = x->n;
        r->answered_seq = ev->seq;
        r->answered_t = ev->t_ms;
    } else if (x->seq0 > r->answered_seq) {
        bool same = x->answer_body == r->answer_body ||
                    is_same_xml(facts_body(message), answer_of(j, r));

        journal_put(message, "replay", same ? "same" : "different");
    } else if (copy > r->answer_copy) {
        r->answer_body = x->answer_body;
        r->answer_x = x->n;
        r->answer_copy = copy;
    }
}

static void good_answer(struct journal *j, struct journal_session *s,
                        struct journal_x *x, xmlNodePtr message,
                        const struct event *ev)
{
    if (!x->rid->manager_answered) {
        x->rid->manager_answered = true;
        s->manager_open -= x->rid->manager_has;
        if (j->role == ROLE_SERVER && x->kind != KIND_CREATE)
            clock_answer(j, s, x, ev);
    }
    if (j->role == ROLE_SERVER)
        compare_replay(j, x, message, ev);
    rids_take_down(j, s, x, facts_body(message));
}

/* On 400, 403 and 404 a legacy session is over, §17.1. */
static bool is_legacy_end(const struct journal_session *s,
                          const xmlNode *message)
{
    long long status = status_of(message);

    return (status == 400 || status == 403 || status == 404) &&
           (!xml_attr(s->node, NULL, "ver") ||
            !xml_attr(s->node, NULL, "asked-ver"));
}

void session_answered(struct journal *j, struct journal_x *x,
                      xmlNodePtr message, const struct event *ev)
{
    const xmlNode *body = facts_body(message);
    const char *sid = body ? xml_attr(body, NULL, "sid") : NULL;

    if (!x->session && x->kind == KIND_CREATE && sid && *sid &&
        !is_type(body, "terminate"))
        session_new(j, x, body);
    if (!x->session)
        return;
    if (is_good(message) && x->rid)
        good_answer(j, x->session, x, message, ev);
    if (body && is_good(message))
        journal_streams_answered(x->session, x, body,
                                 is_type(body, "terminate"));
    if (body && is_end(x, body))
        end(x->session, ev, "manager", xml_attr(body, NULL, "condition"));
    else if (is_legacy_end(x->session, message))
        end(x->session, ev, "manager", NULL);
}

/* Now we know that the client had the answer when it polled again. */
static void poll_after(const struct journal *j, const struct journal_session *s,
                       const struct journal_rid *r)
{
    const struct journal_rid *next = rids_after(s, r);
    struct journal_x *x = next ? journal_x_of(j, next->first) : NULL;

    if (x && x->polls_on)
        since_poll(j, s, x);
}

void session_delivered(struct journal *j, struct journal_x *x,
                       const struct event *ev)
{
    struct journal_session *s = x->session;
    const xmlNode *body = facts_body(x->res);

    if (!s)
        return;
    if (!is_good(x->res)) {
        session_gave_up(j, x, ev->t_ms);
        return;
    }
    remove_pending(j, s, x, true);
    if (x->rid) {
        x->rid->known = true;
        set_broken(s, x->rid, false);
        poll_after(j, s, x->rid);
    }
    if (s->terminate_t < 0 && (is_end(x, body) || x->kind == KIND_TERMINATE)) {
        s->terminate_t = ev->t_ms;
        journal_put_number(s->node, "terminate-delivered", (long long)ev->seq);
        journal_put_number(s->node, "terminate-delivered-t", ev->t_ms);
    }
    now_silent(j, s, ev->t_ms);
}

void session_gave_up(struct journal *j, struct journal_x *x, int64_t t)
{
    struct journal_session *s = x->session;

    if (!s)
        return;
    remove_pending(j, s, x, false);
    if (x->res && x->delivered == PORTION_UNKNOWN)
        s->unknown++;
    if (x->rid && !x->rid->known && !has_pending(j, s, x->rid))
        set_broken(s, x->rid, true);
    now_silent(j, s, t);
}

void session_finish(struct journal *j, struct journal_session *s, int64_t t)
{
    int64_t since = t;

    for (size_t i = 0; i < s->missing_count; i++) {
        if (s->missing_t[i] < since)
            since = s->missing_t[i];
    }
    if (s->missing_count)
        journal_put_number(s->node, "missing-ms", t - since);
    add_gap(j, s, NULL, t);
}
