/* Connections: see journal_parts.h. */
#include "journal_parts.h"

#include <string.h>

#include "common/xml.h"

/* The latest are asked for most. */
static xmlNodePtr find(const struct journal *j, const char *n)
{
    for (size_t i = j->conn_count; n && i > 0; i--) {
        if (strcmp(xml_attr(j->conns[i - 1], NULL, "n"), n) == 0)
            return j->conns[i - 1];
    }
    return NULL;
}

/* What was to be sent on it waited for it that long. Half a second is no round
 * trip: a SYN was lost, as where a queue is short and many come at once. */
#define SLOW_OPEN_MS 500

static void look_how_slow(struct journal *j, const struct event *ev)
{
    unsigned conn = (unsigned)event_int(ev, "conn", 0);
    int64_t from = ev->t_ms;

    for (size_t i = 0; i < j->open_count; i++) {
        const struct journal_x *x = journal_x_of(j, j->open[i]);

        if (x->conn == conn && x->t0 < from)
            from = x->t0;
    }
    if (ev->t_ms - from >= SLOW_OPEN_MS)
        journal_add_lag(j, from, ev->t_ms, ev->t_ms - from);
}

static void on_open(struct journal *j, const struct event *ev)
{
    const char *n = event_get(ev, "conn");
    xmlNodePtr node;

    if (!n || find(j, n))
        return;
    node = journal_top(j, "conn");
    journal_put(node, "n", n);
    journal_put_number(node, "seq", (long long)ev->seq);
    journal_put_number(node, "t", ev->t_ms);
    JOURNAL_ROOM(j->conns, j->conn_count, j->conn_cap);
    j->conns[j->conn_count++] = node;
    if (j->role == ROLE_SERVER)
        look_how_slow(j, ev);
}

static void on_tls(xmlNodePtr node, const struct event *ev)
{
    const char *problem = event_get(ev, "problem");
    const char *how = event_get(ev, "how");

    journal_put(node, "tls", how ? how : "yes");
    if (problem)
        journal_put(node, "problem", problem);
}

/* Half-closed it is still there. */
static void on_close(xmlNodePtr node, const struct event *ev)
{
    const char *how = event_get(ev, "how");
    const char *by = event_get(ev, "by");

    if (how && strcmp(how, "half-close") == 0)
        return;
    journal_put(node, "closed", how ? how : "fin");
    journal_put(node, "closed-by", by ? by : "peer");
    journal_put_number(node, "t1", ev->t_ms);
}

void conn_event(struct journal *j, const struct event *ev)
{
    xmlNodePtr node;

    if (strcmp(ev->name, "open") == 0)
        on_open(j, ev);
    node = find(j, event_get(ev, "conn"));
    if (node && strcmp(ev->name, "tls") == 0)
        on_tls(node, ev);
    if (node && strcmp(ev->name, "close") == 0)
        on_close(node, ev);
}
