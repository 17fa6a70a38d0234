/*
 * An exchange's way through the events of the log: see journal_parts.h.
 *
 * Client role: req, then forward or lost, answer, res, delivered; abandoned
 * and the close of its connection end it early. Server role: req, sent, res.
 */
#include "journal_parts.h"

#include <stdlib.h>
#include <string.h>

static void put_portion(const struct journal_x *x, const char *name,
                        enum portion p)
{
    journal_put(x->node, name, portion_name(p));
}

static void make_room(struct journal *j, size_t n)
{
    size_t cap = j->x_cap ? j->x_cap : 64;

    if (n < j->x_cap)
        return;
    while (cap <= n)
        cap *= 2;
    j->xs = mem_grow(j->xs, cap * sizeof(struct journal_x *));
    memset(j->xs + j->x_cap, 0, (cap - j->x_cap) * sizeof(struct journal_x *));
    j->x_cap = cap;
}

/* Exchanges are numbered from 1 as they begin; this keeps a broken log from
 * asking for all our memory. */
#define X_MAX (16 * 1024 * 1024)

static struct journal_x *add_x(struct journal *j, long long n)
{
    struct journal_x *x;

    if (n < 1 || n > X_MAX || journal_x_of(j, n))
        return NULL;
    make_room(j, (size_t)n);
    x = mem_alloc(sizeof *x);
    x->n = (unsigned)n;
    x->t1 = x->sent = -1;
    x->node = journal_top(j, "x");
    journal_put_number(x->node, "n", n);
    journal_put_number(x->node, "first", n);
    j->xs[n] = x;
    JOURNAL_ROOM(j->x_nodes, j->x_count, j->x_node_cap);
    j->x_nodes[j->x_count++] = x->node;
    JOURNAL_ROOM(j->open, j->open_count, j->open_cap);
    j->open[j->open_count++] = x->n;
    return x;
}

static void no_longer_open(struct journal *j, const struct journal_x *x)
{
    for (size_t i = 0; i < j->open_count; i++) {
        if (j->open[i] == x->n) {
            j->open[i] = j->open[--j->open_count];
            return;
        }
    }
}

/* Creations have no sid to tell repeats by: the same rid and the same bytes
 * are one (A42 of the requirement summary: each may get a session). */
static void number_creation(struct journal *j, struct journal_x *x)
{
    const char *rid = xml_attr(x->node, NULL, "rid");
    char *key;
    uintptr_t first;

    journal_put(x->node, "copy", "1");
    if (!rid || !x->request_body)
        return;
    key = mem_printf("%s %u", rid, x->request_body);
    first = (uintptr_t)xmlHashLookup(j->creations, (const xmlChar *)key);
    if (!first) {
        xmlHashAddEntry(j->creations, (const xmlChar *)key,
                        (void *)(uintptr_t)x->n);
    } else {
        xmlNodePtr node = journal_x(j, (unsigned)first);
        const char *copies = xml_attr(node, NULL, "copies");
        long count = copies ? strtol(copies, NULL, 10) : 1;

        journal_put_number(node, "copies", ++count);
        journal_put_number(x->node, "copy", count);
        journal_put_number(x->node, "copy-of", (long long)first);
        journal_put_number(x->node, "first", (long long)first);
        journal_put(x->node, "same", "yes");
    }
    free(key);
}

/* Whose request is it? */
static void place(struct journal *j, struct journal_x *x)
{
    const char *sid = xml_attr(x->node, NULL, "sid");
    const char *attached = xml_attr(j->root, NULL, "attached");
    struct journal_session *s = NULL;

    if (x->kind == KIND_CREATE) {
        number_creation(j, x);
        journal_put(x->node, "open-client", "1");
        return;
    }
    if (!sid || x->kind == KIND_OTHER || x->kind == KIND_OPTIONS)
        return;
    s = session_find(j, sid);
    journal_put(x->node, "sid-known",
                s || (attached && strcmp(attached, sid) == 0) ? "yes" : "no");
    if (s)
        session_request(j, s, x);
}

/* The last of those whose answer must come before this one's. */
static unsigned open_on(const struct journal *j, unsigned conn)
{
    unsigned last = 0;

    for (size_t i = 0; conn && i < j->open_count; i++) {
        const struct journal_x *x = journal_x_of(j, j->open[i]);

        if (x->conn == conn && x->n > last)
            last = x->n;
    }
    return last;
}

static void on_req(struct journal *j, const struct event *ev)
{
    unsigned conn = (unsigned)event_int(ev, "conn", 0);
    unsigned behind = open_on(j, conn);
    struct journal_x *x = add_x(j, event_int(ev, "x", 0));

    if (!x)
        return;
    x->conn = conn;
    x->behind = behind;
    x->seq0 = ev->seq;
    x->t0 = event_int(ev, "begun", ev->t_ms);
    x->seen = portion_of(event_get(ev, "arrived"));
    if (x->conn)
        journal_put_number(x->node, "conn", x->conn);
    journal_put_number(x->node, "seq0", (long long)x->seq0);
    journal_put_number(x->node, "t0", x->t0);
    journal_put(x->node, "fault", "");
    if (x->seen == PORTION_PART) {
        x->arrived = PORTION_PART;
        journal_put_number(j->root, "partial", ++j->partial);
    }
    put_portion(x, "arrived", x->arrived);
    put_portion(x, "delivered", x->delivered);
    facts_request(j, x, ev->data, ev->data_len, event_get(ev, "problem"));
    place(j, x);
    if (j->role == ROLE_SERVER && x->session && x->seen != PORTION_PART)
        session_forwarded(x->session, x);
}

static void on_forward(struct journal *j, struct journal_x *x,
                       const struct event *ev)
{
    (void)j;
    x->arrived = PORTION_WHOLE;
    put_portion(x, "arrived", x->arrived);
    journal_put_number(x->node, "forwarded", ev->t_ms);
    if (x->session)
        session_forwarded(x->session, x);
}

static void on_lost(struct journal *j, struct journal_x *x,
                    const struct event *ev)
{
    (void)j;
    (void)ev;
    if (x->arrived == PORTION_PART)
        return;
    x->arrived = PORTION_NONE;
    put_portion(x, "arrived", x->arrived);
}

static void on_sent(struct journal *j, struct journal_x *x,
                    const struct event *ev)
{
    (void)j;
    x->sent = ev->t_ms;
    journal_put_number(x->node, "sent", x->sent);
}

/* Client role. Whatever becomes of it, the manager believes it answered. */
static void on_answer(struct journal *j, struct journal_x *x,
                      const struct event *ev)
{
    if (x->answer || x->res)
        return;
    x->answer = facts_response(j, x, "answer", ev->data, ev->data_len, NULL,
                               &x->answer_body);
    journal_put_number(x->node, "answered", ev->t_ms);
    session_answered(j, x, x->answer, ev);
}

static void take_as_res(struct journal *j, struct journal_x *x,
                        const struct event *ev)
{
    const char *same = event_get(ev, "same");

    if (same && strcmp(same, "yes") == 0 && x->answer) {
        x->res = x->answer;
        x->answer = NULL;
        xmlNodeSetName(x->res, (const xmlChar *)"res");
        journal_order(x->node, x->res, ORDER_RES);
        return;
    }
    x->res = facts_response(j, x, "res", ev->data, ev->data_len,
                            event_get(ev, "problem"), &x->answer_body);
}

/* Our client has all that will come: what is known in the server role. */
static void came(struct journal *j, struct journal_x *x, enum portion how,
                 const struct event *ev)
{
    x->delivered = how;
    put_portion(x, "delivered", how);
    if (how == PORTION_NONE) {
        x->dead = true;
        session_gave_up(j, x, ev->t_ms);
        return;
    }
    if (x->arrived == PORTION_UNKNOWN) {
        x->arrived = PORTION_WHOLE;
        put_portion(x, "arrived", x->arrived);
    }
    session_answered(j, x, x->res, ev);
    if (how == PORTION_WHOLE) {
        session_delivered(j, x, ev);
    } else {
        x->dead = true;
        session_gave_up(j, x, ev->t_ms);
    }
}

static void on_res(struct journal *j, struct journal_x *x,
                   const struct event *ev)
{
    const char *by = event_get(ev, "by");
    const char *problem = event_get(ev, "problem");
    enum portion how = portion_of(event_get(ev, "came"));

    if (x->res)
        return;
    if (j->role == ROLE_SERVER)
        no_longer_open(j, x);
    if (j->role == ROLE_SERVER && how == PORTION_NONE) {
        if (problem)
            journal_put(x->node, "problem", problem);
        JOURNAL_ROOM(j->cut, j->cut_count, j->cut_cap);
        j->cut[j->cut_count++] = x->n;
        came(j, x, how, ev);
        return;
    }
    x->seq1 = ev->seq;
    x->t1 = ev->t_ms;
    journal_put_number(x->node, "seq1", (long long)x->seq1);
    journal_put_number(x->node, "t1", x->t1);
    take_as_res(j, x, ev);
    by = by ? by : "manager";
    journal_put(x->node, "by", by);
    journal_put(x->res, "by", by);
    if (j->role == ROLE_SERVER)
        came(j, x, how == PORTION_UNKNOWN ? PORTION_WHOLE : how, ev);
    else if (!x->session && strcmp(by, "between") == 0)
        session_answered(j, x, x->res, ev);
}

static void on_delivered(struct journal *j, struct journal_x *x,
                         const struct event *ev)
{
    enum portion how = portion_of(event_get(ev, "how"));

    x->delivered = how;
    put_portion(x, "delivered", how);
    if (how == PORTION_WHOLE || how == PORTION_UNKNOWN)
        no_longer_open(j, x);
    if (how == PORTION_WHOLE) {
        journal_put_number(x->node, "delivered-t", ev->t_ms);
        session_delivered(j, x, ev);
    } else if (how == PORTION_UNKNOWN) {
        session_gave_up(j, x, ev->t_ms);
    }
}

static void end_early(struct journal *j, struct journal_x *x, int64_t t,
                      const char *attr, const char *how)
{
    if (x->dead)
        return;
    journal_put(x->node, attr, how ? how : "yes");
    x->dead = true;
    no_longer_open(j, x);
    if (x->delivered != PORTION_WHOLE)
        session_gave_up(j, x, t);
}

static void on_abandoned(struct journal *j, struct journal_x *x,
                         const struct event *ev)
{
    end_early(j, x, ev->t_ms, "abandoned", event_get(ev, "how"));
}

static void add_word(xmlNodePtr node, const char *name, const char *word)
{
    const char *have = xml_attr(node, NULL, name);
    struct buf words = BUF_INIT;

    if (have && *have)
        buf_printf(&words, "%s ", have);
    buf_adds(&words, word);
    journal_put(node, name, buf_str(&words));
    buf_release(&words);
}

static void on_fault(struct journal *j, struct journal_x *x,
                     const struct event *ev)
{
    const char *name = event_get(ev, "name");
    const char *rule = event_get(ev, "rule");

    (void)j;
    x->faulted = true;
    add_word(x->node, "fault", name ? name : "fault");
    if (rule)
        add_word(x->node, "rule", rule);
}

/* Who closed the connection is told behind what became of its requests. */
void x_cut(struct journal *j, const struct event *ev)
{
    unsigned conn = (unsigned)event_int(ev, "conn", 0);
    const char *how = event_get(ev, "how");
    const char *by = event_get(ev, "by");

    for (size_t i = 0; i < j->cut_count;) {
        struct journal_x *x = journal_x_of(j, j->cut[i]);

        if (x->conn != conn) {
            i++;
            continue;
        }
        journal_put(x->node, "closed-by", by ? by : "peer");
        journal_put(x->node, "closed", how ? how : "yes");
        j->cut[i] = j->cut[--j->cut_count];
    }
}

/* A connection is gone, with all that was on its way on it. Half-closed it
 * still carries answers. */
static void on_close(struct journal *j, const struct event *ev)
{
    unsigned conn = (unsigned)event_int(ev, "conn", 0);
    const char *how = event_get(ev, "how");
    const char *by = event_get(ev, "by") ? event_get(ev, "by") : "peer";
    size_t i = 0;

    if (!conn || (how && strcmp(how, "half-close") == 0))
        return;
    while (i < j->open_count) {
        struct journal_x *x = journal_x_of(j, j->open[i]);

        if (x->conn != conn) {
            i++;
            continue;
        }
        journal_put(x->node, "closed-by", by);
        end_early(j, x, ev->t_ms, "closed", how);
    }
    x_cut(j, ev);
}

void x_event(struct journal *j, const struct event *ev)
{
    static const struct {
        const char *name;
        void (*add)(struct journal *j, struct journal_x *x,
                    const struct event *ev);
    } events[] = {
        {"forward", on_forward},
        {"lost", on_lost},
        {"sent", on_sent},
        {"answer", on_answer},
        {"res", on_res},
        {"delivered", on_delivered},
        {"abandoned", on_abandoned},
        {"fault", on_fault},
    };
    struct journal_x *x;

    if (strcmp(ev->name, "req") == 0) {
        on_req(j, ev);
        return;
    }
    if (strcmp(ev->name, "close") == 0) {
        on_close(j, ev);
        return;
    }
    x = journal_x_of(j, event_int(ev, "x", 0));
    if (!x) {
        if (strcmp(ev->name, "fault") == 0) {
            const char *name = event_get(ev, "name");

            add_word(j->root, "fault", name ? name : "fault");
            j->upset_t = ev->t_ms;
        }
        return;
    }
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(ev->name, events[i].name) == 0)
            events[i].add(j, x, ev);
    }
}

int64_t x_begun(const struct journal *j, const struct journal_x *x)
{
    const struct journal_x *before = journal_x_of(j, x->behind);
    int64_t from = x->sent >= 0 ? x->sent : x->t0;

    if (x->session && x->session->filled_t > from)
        from = x->session->filled_t;
    return before && before->t1 > from ? before->t1 : from;
}

/* Once its session is over, how long it still stays open says nothing: whether
 * we hear its answer then hangs on who is faster. */
int64_t x_took(const struct journal *j, const struct journal_x *x,
               int64_t now_ms)
{
    const struct journal_session *s = x->session;
    int64_t from = x_begun(j, x);

    if (s && s->ended && s->ended_t < now_ms && s->ended_t > from)
        now_ms = s->ended_t;
    return now_ms - from;
}

/* Server role: what is still unanswered, and for how long. */
void x_finish(struct journal *j, int64_t now_ms)
{
    if (j->role != ROLE_SERVER)
        return;
    for (size_t i = 0; i < j->open_count; i++) {
        struct journal_x *x = journal_x_of(j, j->open[i]);

        if (!x->session || !x->rid || x->sent < 0 || x->rid->copies > 1 ||
            x->session->wait_ms < 0 || rids_is_foreign(j, x->session, x->rid) ||
            rids_missing_below(x->session, x->rid->text))
            continue;
        if (x->behind && journal_x_of(j, x->behind)->t1 < 0)
            continue;
        if (x->session->ended && x->session->ended_t <= x_begun(j, x))
            continue;
        journal_put_number(x->node, "took", x_took(j, x, now_ms));
        journal_put_number(x->node, "wait-ms", x->session->wait_ms);
    }
}
