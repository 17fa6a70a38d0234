/* Journals from hand-written events: see journal_maker.h. */
#include "journal_maker.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

void maker_init(struct maker *m, enum role role)
{
    memset(m, 0, sizeof *m);
    m->journal = journal_new(role);
}

void maker_release(struct maker *m)
{
    journal_free(m->journal);
    buf_release(&m->log);
}

/* By way of its line. */
static void add(struct maker *m, struct event *ev)
{
    size_t start = m->log.len;
    struct err e = {""};
    struct event back;

    ev->seq = ++m->seq;
    event_write(&m->log, ev);
    CHECK_INT(event_read(m->log.data + start, m->log.len - start, &back, &e),
              1);
    journal_add(m->journal, &back);
    event_release(&back);
    event_release(ev);
}

void maker_event(struct maker *m, int64_t t, const char *name, const char *data,
                 ...)
{
    const char *attr;
    struct event ev;
    va_list ap;

    event_init(&ev, name);
    ev.t_ms = t;
    va_start(ap, data);
    while ((attr = va_arg(ap, const char *)))
        event_set(&ev, attr, va_arg(ap, const char *));
    va_end(ap);
    if (data) {
        ev.data = data;
        ev.data_len = strlen(data);
    }
    add(m, &ev);
}

/* An event of exchange x, with at most one attribute. */
static void of_x(struct maker *m, int64_t t, const char *name, unsigned x,
                 const char *attr, const char *value, const char *data)
{
    struct event ev;

    event_init(&ev, name);
    ev.t_ms = t;
    event_setf(&ev, "x", "%u", x);
    if (attr)
        event_set(&ev, attr, value);
    if (data) {
        ev.data = data;
        ev.data_len = strlen(data);
    }
    add(m, &ev);
}

static void request(struct maker *m, int64_t t, unsigned x, unsigned conn,
                    const char *header, const struct buf *entity)
{
    struct buf bytes = BUF_INIT;
    struct event ev;

    buf_printf(&bytes,
               "POST /bosh HTTP/1.1\r\nHost: localhost\r\n"
               "Content-Type: text/xml; charset=utf-8\r\n%s"
               "Content-Length: %zu\r\n\r\n",
               header, entity->len);
    buf_add(&bytes, buf_str(entity), entity->len);

    event_init(&ev, "req");
    ev.t_ms = t;
    event_setf(&ev, "x", "%u", x);
    event_setf(&ev, "conn", "%u", conn);
    event_setf(&ev, "begun", "%lld", (long long)t);
    event_set(&ev, "arrived", "whole");
    ev.data = bytes.data;
    ev.data_len = bytes.len;
    add(m, &ev);
    if (m->journal &&
        strcmp(maker_eval(m, "string($journal/@role)"), "server") == 0)
        of_x(m, t, "sent", x, NULL, NULL, NULL);
    buf_release(&bytes);
}

void maker_request(struct maker *m, int64_t t, unsigned x, unsigned conn,
                   const char *body)
{
    struct buf entity = BUF_INIT;

    buf_adds(&entity, body);
    request(m, t, x, conn, "", &entity);
    buf_release(&entity);
}

void maker_coded(struct maker *m, int64_t t, unsigned x, const char *name,
                 enum coding coding, const char *body)
{
    char *header = mem_printf("Content-Encoding: %s\r\n", name);
    struct buf entity = BUF_INIT;

    if (coding == CODING_GZIP || coding == CODING_DEFLATE)
        coding_encode(&entity, coding, body, strlen(body));
    else
        buf_adds(&entity, body);
    request(m, t, x, x, header, &entity);
    buf_release(&entity);
    free(header);
}

static char *response(const char *body)
{
    return mem_printf("HTTP/1.1 200 OK\r\n"
                      "Content-Type: text/xml; charset=utf-8\r\n"
                      "Content-Length: %zu\r\n\r\n%s",
                      strlen(body), body);
}

void maker_forward(struct maker *m, int64_t t, unsigned x)
{
    of_x(m, t, "forward", x, NULL, NULL, NULL);
}

void maker_answer(struct maker *m, int64_t t, unsigned x, const char *body)
{
    char *bytes = response(body);

    of_x(m, t, "answer", x, NULL, NULL, bytes);
    free(bytes);
}

void maker_put(struct maker *m, int64_t t, unsigned x)
{
    of_x(m, t, "res", x, "same", "yes", NULL);
}

void maker_delivered(struct maker *m, int64_t t, unsigned x, const char *how)
{
    of_x(m, t, "delivered", x, "how", how, NULL);
}

void maker_exchange_end(struct maker *m, int64_t t, unsigned x,
                        const char *body)
{
    if (strcmp(maker_eval(m, "string($journal/@role)"), "server") == 0) {
        char *bytes = response(body);

        of_x(m, t, "res", x, "came", "whole", bytes);
        free(bytes);
        return;
    }
    maker_forward(m, t, x);
    maker_answer(m, t, x, body);
    maker_put(m, t, x);
    maker_delivered(m, t, x, "whole");
}

void maker_session(struct maker *m, int64_t t, const char *more)
{
    char *granted = mem_printf(
        "<body xmlns='http://jabber.org/protocol/httpbind' sid='abc' "
        "wait='60' hold='1' requests='2' inactivity='60' ver='1.11' %s/>",
        more);

    maker_request(m, t, 1, 1,
                  "<body xmlns='http://jabber.org/protocol/httpbind' "
                  "rid='100' to='localhost' wait='60' hold='1' ver='1.11'/>");
    maker_exchange_end(m, t, 1, granted);
    free(granted);
}

const char *maker_eval(struct maker *m, const char *text)
{
    static char shown[4][2048];
    static unsigned next;
    char *to = shown[next++ % 4];
    struct err e = {""};
    struct expr *ex = expr_new(text, "test", 1, &e);
    char *value = ex ? expr_string(ex, m->journal, NULL, &e) : NULL;

    if (e.text[0])
        snprintf(to, sizeof shown[0], "error: %s", e.text);
    else
        snprintf(to, sizeof shown[0], "%s", value);
    free(value);
    expr_free(ex);
    return to;
}
