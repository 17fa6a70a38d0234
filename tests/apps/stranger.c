/*
 * An application that has never heard of libbosh's inside: functions of its
 * own with the names of ours, settings of its own for libxml2 and SIGPIPE. A
 * session of a few bytes by hand, and nothing of that is touched or used.
 */
#include <bosh.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINE(name)                                                             \
    int name(void);                                                            \
    int name(void)                                                             \
    {                                                                          \
        abort();                                                               \
    }

MINE(body_read)
MINE(buf_add)
MINE(clock_now_ms)
MINE(err_set)
MINE(events_take)
MINE(flow_answer)
MINE(login_begin)
MINE(mem_alloc)
MINE(session_happen)
MINE(window_add)
MINE(xml_parse)

static xmlParserInputPtr no_entities(const char *url, const char *id,
                                     xmlParserCtxtPtr ctxt)
{
    (void)url;
    (void)id;
    (void)ctxt;
    abort();
}

/* What goes wrong with a manager's bytes is no news for them. */
static void no_news(void *ctx, xmlErrorPtr error)
{
    (void)ctx;
    (void)error;
    abort();
}

static void no_words(void *ctx, const char *format, ...)
{
    (void)ctx;
    (void)format;
    abort();
}

static const char DAMAGED[] =
    "<?xml version='1.0' encoding='EUC-JP'?><body>\xff\xd8</body>";
static const char ANSWER[] =
    "<body xmlns='http://jabber.org/protocol/httpbind'>"
    "<message xmlns='jabber:client'><body> </body></message></body>";

/* The blank is the message's, whatever the application likes; and one answer
 * is no XML at all. */
static int exchange(struct bosh *s)
{
    struct bosh_attach known = {
        .jid = "ann@example.org/r", .sid = "s1", .rid = 7};
    struct bosh_request req;
    struct bosh_event event;

    if (bosh_attach(s, 0, &known) || !bosh_next_request(s, 0, &req))
        return 1;
    bosh_answer(s, 1, req.id, 200, NULL, DAMAGED, sizeof DAMAGED - 1);
    if (!bosh_next_request(s, 1, &req) || req.attempt != 2)
        return 8;
    bosh_answer(s, 1, req.id, 200, NULL, ANSWER, sizeof ANSWER - 1);
    if (!bosh_next_event(s, &event) || event.status != BOSH_ATTACHED)
        return 2;
    if (!bosh_next_event(s, &event) || event.kind != BOSH_EVENT_STANZA)
        return 3;
    return strstr(event.xml, "<body> </body>") ? 0 : 4;
}

int main(void)
{
    struct bosh_options options;
    struct bosh_driver *d = bosh_driver_new();
    struct sigaction on_pipe;
    struct bosh *s;
    int rc;

    signal(SIGPIPE, SIG_DFL);
    xmlKeepBlanksDefault(0);
    xmlSetExternalEntityLoader(no_entities);
    xmlSetStructuredErrorFunc(&rc, no_news);
    xmlSetGenericErrorFunc(&rc, no_words);
    bosh_default_timeout = 2;
    bosh_options_init(&options);
    s = bosh_new(&options);
    rc = exchange(s);
    bosh_free(s);
    bosh_driver_free(d);
    sigaction(SIGPIPE, NULL, &on_pipe);
    if (options.timeout != 2)
        rc = 5;
    else if (xmlGetExternalEntityLoader() != no_entities)
        rc = 6;
    else if (xmlStructuredError != no_news ||
             xmlStructuredErrorContext != &rc || xmlGenericError != no_words ||
             xmlGenericErrorContext != &rc)
        rc = 9;
    else if (on_pipe.sa_handler != SIG_DFL)
        rc = 7;
    printf(rc ? "stranger: %d\n" : "stranger: at ease\n", rc);
    return rc;
}
