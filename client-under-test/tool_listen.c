/* listen: see tool.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tool.h"
#include "tool_text.h"

#define NS_DELAY "urn:xmpp:delay"

/* Behind the ping's answer, the server has taken our presence: what is sent
 * to us from now on comes here. */
static void begin(struct tool *t)
{
    static const char presence[] = "<presence/>";
    char *server = tool_server(t);

    tool_send(t, presence, sizeof presence - 1);
    if (!t->done)
        tool_ping(t, server, 1);
    free(server);
}

static void online(struct tool *t)
{
    if (t->options->for_ms > 0)
        t->due_ms = bosh_driver_now_ms() + t->options->for_ms;
}

static void add_clean(struct buf *out, const char *text)
{
    tool_text_clean(out, text, strlen(text), false);
}

static void say_ready(const struct tool *t)
{
    struct buf jid = BUF_INIT;

    add_clean(&jid, bosh_jid(t->bosh));
    if (!t->options->quiet)
        fprintf(stderr, "bosh-client: listening as %s\n", buf_str(&jid));
    buf_release(&jid);
}

/* Now, or when it was sent where that is long ago: XEP-0203. */
static void add_time(struct buf *out, const xmlNode *stanza)
{
    const xmlNode *delay = xml_child(stanza, NS_DELAY, "delay");
    const char *stamp = delay ? xml_attr(delay, NULL, "stamp") : NULL;
    time_t now = time(NULL);
    char text[16] = "";
    struct tm tm;

    if (stamp) {
        add_clean(out, stamp);
        return;
    }
    if (localtime_r(&now, &tm))
        strftime(text, sizeof text, "%H:%M:%S", &tm);
    buf_adds(out, text);
}

/* What there is to say of a stanza without a text: its name, its type, and for
 * an iq what it is about. */
static void add_kind(struct buf *out, const xmlNode *stanza)
{
    const char *type = xml_attr(stanza, NULL, "type");
    const xmlNode *child = xml_child(stanza, NULL, NULL);

    buf_adds(out, " (");
    add_clean(out, (const char *)stanza->name);
    if (type) {
        buf_addc(out, ' ');
        add_clean(out, type);
    }
    if (child && child->ns && child->ns->href &&
        xml_is(stanza, XML_NS_CLIENT, "iq")) {
        buf_addc(out, ' ');
        add_clean(out, (const char *)child->ns->href);
    }
    buf_addc(out, ')');
}

/* `time from: body`; what has no body, or is not just a message, says what it
 * is in brackets. */
static void write_line(struct buf *out, const xmlNode *stanza,
                       const char *bound)
{
    const xmlNode *body = xml_child(stanza, XML_NS_CLIENT, "body");
    const char *from = xml_attr(stanza, NULL, "from");
    const char *type = xml_attr(stanza, NULL, "type");
    char *text = body ? xml_text(body) : NULL;

    add_time(out, stanza);
    buf_addc(out, ' ');
    add_clean(out, from ? from : bound); /* RFC 6120 §8.1.2.2: our account */
    if (!text || (type && strcmp(type, "error") == 0))
        add_kind(out, stanza);
    if (text) {
        buf_adds(out, ": ");
        add_clean(out, text);
    }
    free(text);
}

static bool is_message(const xmlNode *stanza)
{
    return xml_is(stanza, XML_NS_CLIENT, "message") &&
           xml_child(stanza, XML_NS_CLIENT, "body");
}

/* What comes while we leave after a signal is shown as well: nobody else
 * will get it. */
static void on_stanza(struct tool *t, const xmlNode *stanza,
                      const struct bosh_event *event)
{
    struct buf line = BUF_INIT;

    if (tool_is_answer(t, stanza, 1)) {
        say_ready(t);
        return;
    }
    if (t->options->count > 0 && t->answered == t->options->count)
        return;
    if (t->options->xml)
        tool_text_xml(&line, event->xml, event->xml_len);
    else
        write_line(&line, stanza, bosh_jid(t->bosh));
    tool_put(t, &line);
    buf_release(&line);
    if (is_message(stanza) && ++t->answered == t->options->count)
        tool_done(t);
}

const struct tool_command tool_listen = {
    .name = "listen",
    .words = "",
    .what = "print what comes, until SIGINT, SIGTERM, --count or --for",
    .until_signal = true,
    .begin = begin,
    .online = online,
    .stanza = on_stanza,
    .due = tool_done,
};
