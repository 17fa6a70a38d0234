/* send, send-xml and ping: see tool.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"
#include "tool_text.h"

#define ID_MESSAGE 0 /* pings are numbered from 1 */

/* ---- What commands have in common
 * --------------------------------------------
 */

void tool_send(struct tool *t, const char *xml, size_t len)
{
    int rc = bosh_send(t->bosh, xml, len);

    if (rc)
        tool_fail(t, rc == BOSH_E_ARG ? TOOL_USAGE : TOOL_ENDED,
                  "cannot be sent: %s", bosh_last_error(t->bosh));
}

int tool_id_of(const struct tool *t, const xmlNode *stanza)
{
    const char *id = xml_attr(stanza, NULL, "id");
    size_t len = strlen(t->stem);
    char *end;
    long number;

    if (!id || strncmp(id, t->stem, len) != 0)
        return -1;
    number = strtol(id + len, &end, 10);
    return end == id + len || *end || number < 0 || number > INT32_MAX
               ? -1
               : (int)number;
}

void tool_put(struct tool *t, struct buf *line)
{
    buf_addc(line, '\n');
    fwrite(buf_str(line), 1, line->len, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        tool_fail(t, TOOL_FAULT, "stdout cannot be written");
    buf_clear(line);
}

static bool is_type(const xmlNode *stanza, const char *name, const char *type)
{
    const char *got = xml_attr(stanza, NULL, "type");

    return xml_is(stanza, XML_NS_CLIENT, name) && got && strcmp(got, type) == 0;
}

/* The condition of a stanza error, RFC 6120 §8.3.3. */
static const char *condition_of(const xmlNode *stanza)
{
    const xmlNode *error = xml_child(stanza, NULL, "error");
    const xmlNode *child =
        xml_child(error, "urn:ietf:params:xml:ns:xmpp-stanzas", NULL);

    return child ? (const char *)child->name : "an error without a condition";
}

char *tool_server(const struct tool *t)
{
    size_t bare_len = strcspn(t->jid, "/");
    const char *at = memchr(t->jid, '@', bare_len);
    const char *start = at ? at + 1 : t->jid;

    return mem_dupn(start, bare_len - (size_t)(start - t->jid));
}

void tool_ping(struct tool *t, const char *to, int number)
{
    struct buf xml = BUF_INIT;

    buf_printf(&xml, "<iq type='get' id='%s%d' to='", t->stem, number);
    buf_add_xml(&xml, to, strlen(to));
    buf_printf(&xml, "'><ping xmlns='%s'/></iq>", XML_NS_PING);
    tool_send(t, buf_str(&xml), xml.len);
    buf_release(&xml);
}

bool tool_is_answer(const struct tool *t, const xmlNode *stanza, int number)
{
    return tool_id_of(t, stanza) == number &&
           (is_type(stanza, "iq", "result") || is_type(stanza, "iq", "error"));
}

static void start_waiting(struct tool *t)
{
    t->due_ms = bosh_driver_now_ms() + t->options->answer_ms;
}

static void fail_unanswered(struct tool *t)
{
    tool_fail(t, TOOL_NO_ANSWER, "%s: no answer within %g s",
              t->options->asked.options.url,
              (double)t->options->answer_ms / 1000);
}

/* ---- send -------------------------------------------------------------------
 */

/* Returns false when tool_fail() has said why. */
static bool read_stdin(struct tool *t, struct buf *out)
{
    struct err e = {""};
    int rc = tool_read(STDIN_FILENO, t->signals, false, out, &e);

    if (rc < 0)
        tool_fail(t, TOOL_USAGE, "stdin: %s", e.text);
    if (rc > 0) {
        t->status = 128 + rc;
        tool_done(t);
    }
    return rc == 0;
}

/* XML cannot carry every byte: better said before a login. */
static bool is_carried(struct tool *t, const char *what)
{
    struct buf whole = BUF_INIT;
    struct err e = {""};
    xmlDocPtr doc;

    buf_printf(&whole, "<x xmlns='%s'>", XML_NS_CLIENT);
    buf_add(&whole, buf_str(&t->payload), t->payload.len);
    buf_adds(&whole, "</x>");
    doc = xml_parse(buf_str(&whole), whole.len, NULL, &e);
    if (!doc)
        tool_fail(t, TOOL_USAGE, "%s: %s", what, e.text);
    buf_release(&whole);
    xmlFreeDoc(doc);
    return doc != NULL;
}

static void write_message(struct tool *t, const char *text, size_t len)
{
    const char *to = t->options->words[0];

    buf_adds(&t->payload, "<message type='chat' to='");
    buf_add_xml(&t->payload, to, strlen(to));
    buf_printf(&t->payload, "' id='%s%d'><body>", t->stem, ID_MESSAGE);
    buf_add_xml(&t->payload, text, len);
    buf_adds(&t->payload, "</body></message>");
}

static bool prepare_send(struct tool *t)
{
    const char *text = t->options->words[1];
    struct buf given = BUF_INIT;
    bool good = true;

    if (strcmp(text, "-") == 0) {
        good = read_stdin(t, &given);
        if (given.len > 0 && given.data[given.len - 1] == '\n')
            given.len--; /* the line's, not the text's */
    } else {
        buf_adds(&given, text);
    }
    if (good)
        write_message(t, buf_str(&given), given.len);
    buf_release(&given);
    return good && is_carried(t, "TEXT");
}

/*
 * The manager may hold the request with our stanzas for as long as wait. A
 * ping behind them is answered at once, and the server takes stanzas in order
 * (RFC 6120 §10.1): when its answer is here, they have been dealt with.
 */
static void begin_send(struct tool *t)
{
    char *server = tool_server(t);

    tool_send(t, buf_str(&t->payload), t->payload.len);
    if (!t->done)
        tool_ping(t, server, 1);
    free(server);
}

static void stanza_send(struct tool *t, const xmlNode *stanza,
                        const struct bosh_event *event)
{
    (void)event;
    if (tool_is_answer(t, stanza, 1))
        tool_done(t);
    else if (is_type(stanza, "message", "error") &&
             tool_id_of(t, stanza) == ID_MESSAGE)
        tool_fail(t, TOOL_CAME_BACK, "%s: the message came back: %s",
                  t->options->words[0], condition_of(stanza));
}

/* ---- send-xml ---------------------------------------------------------------
 */

static bool prepare_xml(struct tool *t)
{
    return read_stdin(t, &t->payload) && is_carried(t, "stdin");
}

static void stanza_xml(struct tool *t, const xmlNode *stanza,
                       const struct bosh_event *event)
{
    struct buf line = BUF_INIT;

    if (t->done)
        return;
    if (!tool_is_answer(t, stanza, 1)) {
        tool_text_xml(&line, event->xml, event->xml_len);
        tool_put(t, &line);
    } else if (t->options->for_ms > 0) {
        t->answered = 1;
        t->due_ms = bosh_driver_now_ms() + t->options->for_ms;
    } else {
        tool_done(t);
    }
    buf_release(&line);
}

static void due_xml(struct tool *t)
{
    if (t->answered)
        tool_done(t);
    else
        fail_unanswered(t);
}

/* ---- ping -------------------------------------------------------------------
 */

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static const char *target(const struct tool *t)
{
    return buf_str(&t->payload);
}

static bool prepare_ping(struct tool *t)
{
    char *server = tool_server(t);

    buf_adds(&t->payload, t->options->words[0] ? t->options->words[0] : server);
    free(server);
    return true;
}

static void send_ping(struct tool *t)
{
    t->sent_at_ms = now_ms();
    t->awaited = true;
    tool_ping(t, target(t), ++t->sent);
    start_waiting(t);
}

static bool was_last(const struct tool *t)
{
    int count = t->options->count < 0 ? 1 : t->options->count;

    return count > 0 && t->sent >= count;
}

/* The next one, counted from the last: or it was the last. */
static void go_on(struct tool *t)
{
    int64_t since_ms = (int64_t)(now_ms() - t->sent_at_ms);
    int64_t rest_ms = t->options->interval_ms - since_ms;

    t->awaited = false;
    if (was_last(t))
        tool_done(t);
    else
        t->due_ms = bosh_driver_now_ms() + (rest_ms > 0 ? rest_ms : 0);
}

static void stanza_ping(struct tool *t, const xmlNode *stanza,
                        const struct bosh_event *event)
{
    double took_ms = now_ms() - t->sent_at_ms;
    struct buf line = BUF_INIT;

    (void)event;
    if (!t->awaited || !tool_is_answer(t, stanza, t->sent))
        return;
    t->answered++;
    tool_text_clean(&line, target(t), t->payload.len, false);
    buf_printf(&line, ": answer %d in %.1f ms", t->sent, took_ms);
    if (is_type(stanza, "iq", "error"))
        buf_printf(&line, ": %s", condition_of(stanza));
    tool_put(t, &line);
    buf_release(&line);
    go_on(t);
}

static void due_ping(struct tool *t)
{
    if (!t->awaited) {
        send_ping(t);
        return;
    }
    fprintf(stderr, "bosh-client: %s: no answer to ping %d within %g s\n",
            target(t), t->sent, (double)t->options->answer_ms / 1000);
    go_on(t);
}

/* The one that a signal interrupted does not count. */
static void ended_ping(struct tool *t)
{
    if (t->status == TOOL_DONE && t->answered < t->sent - (t->awaited ? 1 : 0))
        t->status = TOOL_NO_ANSWER;
}

/* ---- The table ------------------------------------------------------------
 */

static const struct tool_command command_send = {
    .name = "send",
    .words = "TO TEXT",
    .what = "send a chat message; TEXT '-' is read from stdin",
    .words_min = 2,
    .words_max = 2,
    .prepare = prepare_send,
    .begin = begin_send,
    .online = start_waiting,
    .stanza = stanza_send,
    .due = fail_unanswered,
};

static const struct tool_command command_send_xml = {
    .name = "send-xml",
    .words = "",
    .what = "send the stanzas on stdin, print what comes meanwhile",
    .prepare = prepare_xml,
    .begin = begin_send,
    .online = start_waiting,
    .stanza = stanza_xml,
    .due = due_xml,
};

static const struct tool_command command_ping = {
    .name = "ping",
    .words = "[TO]",
    .what = "time an answer of the server, or of TO (XEP-0199)",
    .words_max = 1,
    .until_signal = true,
    .prepare = prepare_ping,
    .online = send_ping,
    .stanza = stanza_ping,
    .due = due_ping,
    .ended = ended_ping,
};

const struct tool_command *const tool_commands[] = {
    &command_send, &tool_listen, &command_ping, &command_send_xml, NULL};
