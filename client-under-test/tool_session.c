/* The session of one command, from login to leaving: see tool.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"
#include "tool_text.h"

/* ---- How it went ------------------------------------------------------------
 */

void tool_done(struct tool *t)
{
    t->done = true;
    t->due_ms = BOSH_NEVER;
}

void tool_fail(struct tool *t, int status, const char *fmt, ...)
{
    struct buf words = BUF_INIT;
    struct buf line = BUF_INIT;
    va_list ap;

    if (t->done)
        return;
    va_start(ap, fmt);
    buf_vprintf(&words, fmt, ap);
    va_end(ap);
    tool_text_clean(&line, buf_str(&words), words.len, false);
    fprintf(stderr, "bosh-client: %s\n", buf_str(&line));
    buf_release(&words);
    buf_release(&line);
    t->status = status;
    tool_done(t);
}

/* ---- Events -----------------------------------------------------------------
 */

/* The session is over, or soon will be, and nobody of us wanted it. */
static void fail_session(struct tool *t, const struct bosh_event *ev)
{
    const char *url = t->options->asked.options.url;
    const char *condition = ev->condition ? ev->condition : "";
    const char *detail = ev->detail ? ev->detail : "";
    const char *sign = *condition && *detail ? ", " : "";

    if (!*condition && !*detail)
        condition = "no reason was given";
    if (ev->status == BOSH_AUTHFAIL)
        tool_fail(t, TOOL_REFUSED, "%s: login as %s failed: %s%s%s", url,
                  t->jid, condition, sign, detail);
    else if (ev->status == BOSH_REDIRECT)
        tool_fail(t, TOOL_NO_SESSION,
                  "%s: the manager sends us elsewhere: --url='%s'", url,
                  detail);
    else if (t->online)
        tool_fail(t, TOOL_ENDED, "%s: the session ended: %s%s%s", url,
                  condition, sign, detail);
    else
        tool_fail(t, TOOL_NO_SESSION, "%s: no session: %s%s%s", url, condition,
                  sign, detail);
}

/* A stored session that the manager has forgotten: begin a new one. */
static bool is_forgotten(const struct tool *t, const struct bosh_event *ev)
{
    return t->restored && ev->condition &&
           strcmp(ev->condition, "item-not-found") == 0;
}

static void on_end(struct tool *t, const struct bosh_event *ev)
{
    if (!t->leaving && !is_forgotten(t, ev))
        fail_session(t, ev);
}

static void on_online(struct tool *t)
{
    t->online = true;
    t->due_ms = BOSH_NEVER;
    if (t->options->command->online)
        t->options->command->online(t);
}

static void on_status(struct tool *t, const struct bosh_event *ev)
{
    tool_trace_status(&t->trace, ev);
    switch (ev->status) {
    case BOSH_CONNECTED:
    case BOSH_ATTACHED:
        on_online(t);
        break;
    case BOSH_ERROR:
    case BOSH_CONNFAIL:
    case BOSH_AUTHFAIL:
    case BOSH_CONNTIMEOUT:
    case BOSH_REDIRECT:
    case BOSH_DISCONNECTED:
        on_end(t, ev);
        break;
    case BOSH_CONNECTING:
    case BOSH_AUTHENTICATING:
    case BOSH_DISCONNECTING:
    case BOSH_BINDREQUIRED: /* we never ask for that */
        break;
    }
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, " %s='", name);
    buf_add_xml(out, value, strlen(value));
    buf_addc(out, '\'');
}

/* RFC 6120 §8.2.3: each iq of type get or set must be answered. XEP-0199. */
static void answer_iq(struct tool *t, const xmlNode *iq)
{
    const char *type = xml_attr(iq, NULL, "type");
    bool get = type && strcmp(type, "get") == 0;
    bool known = get && xml_child(iq, XML_NS_PING, "ping");
    struct buf out = BUF_INIT;

    if (!get && !(type && strcmp(type, "set") == 0))
        return;
    buf_printf(&out, "<iq type='%s'", known ? "result" : "error");
    add_attribute(&out, "id", xml_attr(iq, NULL, "id"));
    add_attribute(&out, "to", xml_attr(iq, NULL, "from"));
    buf_adds(&out, known ? "/>"
                         : "><error type='cancel'><service-unavailable "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                           "</error></iq>");
    if (!t->leaving)
        bosh_send(t->bosh, buf_str(&out), out.len); /* or it is over anyway */
    buf_release(&out);
}

static void on_stanza(struct tool *t, const struct bosh_event *ev)
{
    xmlDocPtr doc = xml_parse(ev->xml, ev->xml_len, NULL, NULL);
    xmlNodePtr stanza = doc ? xmlDocGetRootElement(doc) : NULL;

    t->restored = false; /* it is alive */
    if (stanza && xml_is(stanza, XML_NS_CLIENT, "iq"))
        answer_iq(t, stanza);
    if (stanza)
        t->options->command->stanza(t, stanza, ev);
    xmlFreeDoc(doc);
}

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *ev)
{
    struct tool *t = ctx;

    (void)s;
    switch (ev->kind) {
    case BOSH_EVENT_STATUS:
        on_status(t, ev);
        break;
    case BOSH_EVENT_STANZA:
        on_stanza(t, ev);
        break;
    case BOSH_EVENT_DRAINED:
        break;
    }
}

/* ---- The store --------------------------------------------------------------
 */

/* A session that cannot be kept is worth a word, but no end. */
static int save(void *ctx, const char *text)
{
    struct tool *t = ctx;
    int rc = t->file.save(t->file.ctx, text);

    if (rc && !t->store_failed)
        fprintf(stderr, "bosh-client: --store '%s': %s\n",
                t->options->store_file, strerror(errno));
    t->store_failed = rc != 0;
    return rc;
}

static char *load(void *ctx)
{
    struct tool *t = ctx;

    return t->file.load(t->file.ctx);
}

static void use_store(struct tool *t, struct bosh_options *options)
{
    if (!t->options->store_file)
        return;
    t->file = bosh_store_file(t->options->store_file);
    options->store = (struct bosh_store){save, load, t};
}

/* ---- Beginning ----------------------------------------------------------- */

static void begin_command(struct tool *t)
{
    if (!t->done && t->options->command->begin)
        t->options->command->begin(t);
}

static void connect_session(struct tool *t)
{
    struct err e = {""};
    char *password = NULL;
    int rc = tool_password(t->options, t->signals, &password, &e);

    if (rc > 0) {
        t->status = 128 + rc;
        tool_done(t);
    } else if (rc < 0) {
        tool_fail(t, TOOL_USAGE, "%s", e.text);
    } else if (bosh_connect(t->bosh, bosh_driver_now_ms(), t->jid, password)) {
        tool_fail(t, TOOL_USAGE, "--jid: %s", bosh_last_error(t->bosh));
    }
    tool_wipe(password);
    t->restored = t->online = t->awaited = false;
    t->sent = t->answered = 0;
    if (!t->done)
        t->due_ms = bosh_driver_now_ms() + t->options->login_ms;
    begin_command(t);
}

/* False: there is none, and a new one may be kept in its place. */
static bool restore_session(struct tool *t)
{
    const char *path = t->options->store_file;

    if (!path)
        return false;
    if (bosh_restore(t->bosh, bosh_driver_now_ms(), t->jid) == 0) {
        t->restored = true;
        begin_command(t);
        return true;
    }
    if (access(path, F_OK) != 0)
        return false;
    tool_fail(t, TOOL_USAGE, "--store '%s' is there, but not for us: %s", path,
              bosh_last_error(t->bosh));
    return true;
}

/* ---- Turning ----------------------------------------------------------------
 */

static void on_signal(void *ctx)
{
    struct tool *t = ctx;
    int signum = tool_signals_take(t->signals);

    if (signum == 0)
        return;
    if (t->done) { /* the second: leaving takes too long */
        t->leaving = false;
        return;
    }
    if (!t->options->command->until_signal || !t->online)
        t->status = 128 + signum;
    tool_done(t);
}

/* A person waits: until there is a session, nothing is repeated slowly. */
static void hurry(struct tool *t)
{
    if (bosh_ended(t->bosh) || bosh_sid(t->bosh) || bosh_errors(t->bosh) == 0)
        return;
    bosh_flush(t->bosh);
    bosh_driver_pump(t->driver, t->bosh);
}

/* Once, until then at the latest. */
static void turn(struct tool *t, int64_t until_ms)
{
    int64_t now_ms = bosh_driver_now_ms();
    int64_t max_ms = until_ms > now_ms ? until_ms - now_ms : 0;

    if (bosh_driver_turn(t->driver, until_ms == BOSH_NEVER ? -1 : max_ms)) {
        t->leaving = false;
        tool_fail(t, TOOL_FAULT, "%s", strerror(errno));
    }
    tool_trace_errors(&t->trace);
    hurry(t);
}

static void on_due(struct tool *t)
{
    t->due_ms = BOSH_NEVER;
    if (t->online)
        t->options->command->due(t);
    else
        tool_fail(t, TOOL_NO_SESSION, "%s: not logged in within %g s, %s%d %s",
                  t->options->asked.options.url,
                  (double)t->options->login_ms / 1000,
                  bosh_sid(t->bosh) ? "" : "no BOSH session, ",
                  bosh_errors(t->bosh), "errors in a row");
}

static void turn_until_done(struct tool *t)
{
    bosh_driver_pump(t->driver, t->bosh);
    while (!t->done) {
        turn(t, t->due_ms);
        if (!t->done && bosh_ended(t->bosh) && t->restored)
            connect_session(t);
        if (!t->done && bosh_driver_now_ms() >= t->due_ms)
            on_due(t);
        bosh_driver_pump(t->driver, t->bosh);
    }
}

/* ---- Leaving ----------------------------------------------------------------
 */

/* So that it outlives us: what is on its way is fetched, and the manager is
 * asked for its longest pause, XEP-0124 §10. */
static void keep_session(struct tool *t)
{
    int64_t end_ms =
        bosh_driver_now_ms() + t->options->asked.options.disconnect_ms;
    int pause_s = bosh_maxpause_s(t->bosh);

    t->leaving = true;
    if (pause_s > 0)
        bosh_pause(t->bosh, pause_s);
    bosh_driver_pump(t->driver, t->bosh);
    while (t->leaving && !bosh_settled(t->bosh) && !bosh_ended(t->bosh) &&
           bosh_driver_now_ms() < end_ms)
        turn(t, end_ms);
}

static void end_session(struct tool *t)
{
    t->leaving = true;
    bosh_disconnect(t->bosh, bosh_driver_now_ms(), NULL);
    bosh_driver_pump(t->driver, t->bosh);
    while (t->leaving && !bosh_ended(t->bosh))
        turn(t, BOSH_NEVER); /* it ends by itself: disconnect_ms */
}

static void leave(struct tool *t)
{
    if (bosh_ended(t->bosh))
        return;
    if (t->options->keep && bosh_connected(t->bosh))
        keep_session(t);
    else
        end_session(t);
}

/* ---- The whole --------------------------------------------------------------
 */

static void make_session(struct tool *t)
{
    struct bosh_options options = t->options->asked.options;
    struct err e = {""};
    char *token = NULL;

    if (t->options->token_file) {
        token = tool_first_line(t->options->token_file, &e);
        if (!token)
            tool_fail(t, TOOL_USAGE, "--token-file: %s", e.text);
    }
    options.token = token;
    use_store(t, &options);
    if (t->options->trace)
        tool_trace_start(&t->trace, &options);
    t->bosh = bosh_new(&options);
    t->trace.bosh = t->bosh;
    tool_wipe(token);
}

void tool_session_run(struct tool *t)
{
    make_session(t);
    if (!t->done &&
        bosh_driver_add(t->driver, t->bosh, (struct bosh_hook){on_event, t}))
        tool_fail(t, TOOL_USAGE, "--url: %s",
                  bosh_driver_last_error(t->driver));
    bosh_driver_watch(t->driver, t->signals, on_signal, t);
    if (!t->done && !restore_session(t))
        connect_session(t);
    if (!t->done)
        turn_until_done(t);
    leave(t);
    if (t->options->command->ended)
        t->options->command->ended(t);
    bosh_driver_remove(t->driver, t->bosh);
    bosh_free(t->bosh);
}
