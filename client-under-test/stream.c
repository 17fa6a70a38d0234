/* The streams of a session, their table and its actions: see stream.h. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "session.h"

static void status(struct bosh *s, const struct stream *st,
                   enum bosh_status what, const char *condition,
                   const char *detail)
{
    events_add_status(&s->events, st->number, what, condition, detail);
}

static void drop(char **text)
{
    free(*text);
    *text = NULL;
}

/* ---- The list -------------------------------------------------------------
 */

struct stream *stream_new(struct bosh *s)
{
    struct stream *st = mem_alloc(sizeof *st);
    struct stream **end = &s->streams;

    st->state = STREAM_CLOSED;
    for (; *end; end = &(*end)->next)
        st->number++;
    *end = st;
    return st;
}

/* All but number, state and jid. */
static void clear(struct stream *st)
{
    login_free(st->login);
    st->login = NULL;
    drop(&st->name);
    drop(&st->route);
    drop(&st->error);
    buf_clear(&st->out);
    st->open_unsent = st->restart = st->close_unsent = false;
    st->needs_session = false;
}

static void stream_free(struct stream *st)
{
    clear(st);
    buf_release(&st->out);
    free(st->jid);
    free(st);
}

void streams_clear(struct bosh *s)
{
    while (s->streams->next) {
        struct stream *st = s->streams->next;

        s->streams->next = st->next;
        stream_free(st);
    }
    clear(s->streams);
    s->streams->state = STREAM_CLOSED;
}

void streams_release(struct bosh *s)
{
    streams_clear(s);
    stream_free(s->streams);
    s->streams = NULL;
}

static struct login *start_login(const struct bosh *s, const char *jid,
                                 const char *password, const char *token,
                                 struct err *e)
{
    struct sasl_proofs proofs = {
        .password = password,
        .token = token,
        .certificate = s->options.cert_file != NULL,
    };

    return login_new(jid, &proofs, s->options.mechanisms, e);
}

static void begin(struct stream *st, const char *jid, struct login *login)
{
    clear(st);
    st->login = login;
    free(st->jid);
    st->jid = mem_dup(jid);
    st->state = STREAM_OPENING;
}

int stream_begin(struct bosh *s, const char *jid, const char *password)
{
    struct login *login =
        start_login(s, jid, password, s->options.token, &s->error);

    if (!login)
        return -1;
    begin(s->streams, jid, login);
    return 0;
}

struct stream *stream_add(struct bosh *s, const char *jid, const char *password)
{
    struct login *login = start_login(s, jid, password, NULL, &s->error);
    struct stream *st;

    if (!login)
        return NULL;
    st = stream_new(s);
    begin(st, jid, login);
    st->open_unsent = true;
    return st;
}

struct stream *stream_at(const struct bosh *s, int number)
{
    struct stream *st = s->streams;

    while (st && st->number != number)
        st = st->next;
    return st;
}

struct stream *stream_named(const struct bosh *s, const char *name)
{
    struct stream *st = s->streams;

    while (st && !(st->name && strcmp(st->name, name) == 0))
        st = st->next;
    return st;
}

struct stream *stream_awaited(const struct bosh *s)
{
    struct stream *st = s->streams;

    while (st && !(st->state == STREAM_OPENING && !st->open_unsent))
        st = st->next;
    return st;
}

bool stream_is_open(const struct stream *st)
{
    return st->state != STREAM_CLOSED;
}

bool stream_is_logging_in(const struct stream *st)
{
    return st->state < STREAM_ONLINE;
}

int streams_open(const struct bosh *s)
{
    const struct stream *st;
    int count = 0;

    for (st = s->streams; st; st = st->next)
        count += stream_is_open(st);
    return count;
}

bool streams_are_several(const struct bosh *s)
{
    return s->streams->next != NULL;
}

bool streams_log_in(const struct bosh *s)
{
    const struct stream *st = s->streams;

    while (st && !stream_is_logging_in(st))
        st = st->next;
    return st != NULL;
}

bool streams_speak(const struct bosh *s)
{
    const struct stream *st = s->streams;

    while (st && !(st->open_unsent || st->restart || st->out.len > 0 ||
                   st->close_unsent))
        st = st->next;
    return st != NULL;
}

bool streams_are_online(const struct bosh *s)
{
    const struct stream *st = s->streams;

    while (st && st->state != STREAM_ONLINE)
        st = st->next;
    return st != NULL && !streams_log_in(s);
}

/* Nothing of their own is to be said any more: the session's end says it. */
void streams_close(struct bosh *s)
{
    struct stream *st;

    for (st = s->streams; st; st = st->next) {
        if (!stream_is_open(st))
            continue;
        if (stream_is_logging_in(st)) {
            /* Its server would choke on stanzas. */
            queue_drop(&s->queue, st->number);
            queue_drop(&s->queue, BOSH_ALL_STREAMS);
        }
        buf_clear(&st->out);
        st->open_unsent = st->restart = st->close_unsent = false;
        st->state = STREAM_CLOSING;
    }
}

/* ---- Its end --------------------------------------------------------------
 */

/* Is it the only one that is not closed, or being closed? Then its end is the
 * session's. */
static bool is_last(const struct bosh *s, const struct stream *st)
{
    const struct stream *other;

    for (other = s->streams; other; other = other->next) {
        if (other != st && other->state < STREAM_CLOSING)
            return false;
    }
    return stream_is_open(st);
}

static void close_now(struct bosh *s, struct stream *st, const char *condition,
                      const char *detail)
{
    status(s, st, BOSH_DISCONNECTED, condition, detail);
    queue_drop(&s->queue, st->number);
    session_note_room(s);
    login_free(st->login);
    st->login = NULL;
    buf_clear(&st->out);
    st->open_unsent = st->restart = st->close_unsent = false;
    st->state = STREAM_CLOSED;
}

/* §16.5: to be told to the manager, by itself or with all the others. */
static int leave(struct bosh *s, struct stream *st, const struct happening *h)
{
    if (is_last(s, st))
        return session_happen(s, ON_DISCONNECT, h);
    status(s, st, BOSH_DISCONNECTING, h->text, NULL);
    session_note_room(s); /* a login's end drops what waited for it */
    st->restart = false;
    buf_clear(&st->out);
    st->close_unsent = true;
    st->state = STREAM_CLOSING;
    return 0;
}

/* Login is not done: nothing that was queued may go out. */
static int on_close_login(struct bosh *s, struct stream *st,
                          const struct happening *h)
{
    queue_drop(&s->queue, st->number);
    return leave(s, st, h);
}

/* Nobody knows its name yet. */
static int on_close_opening(struct bosh *s, struct stream *st,
                            const struct happening *h)
{
    if (is_last(s, st))
        return session_happen(s, ON_DISCONNECT, h);
    if (!st->open_unsent) {
        err_set(&s->error, "the manager has not opened the stream yet");
        return BOSH_E_STATE;
    }
    status(s, st, BOSH_DISCONNECTING, h->text, NULL);
    close_now(s, st, NULL, NULL);
    return 0;
}

static int on_close(struct bosh *s, struct stream *st,
                    const struct happening *h)
{
    static const char PRESENCE[] =
        "<presence xmlns='" XML_NS_CLIENT "' type='unavailable'/>";

    if (!is_last(s, st))
        queue_add(&s->queue, st->number, PRESENCE, sizeof PRESENCE - 1);
    return leave(s, st, h);
}

static int on_ended(struct bosh *s, struct stream *st,
                    const struct happening *h)
{
    const char *condition = h->body->condition;

    status(s, st, BOSH_CONNFAIL, condition, st->error);
    if (!is_last(s, st)) {
        close_now(s, st, condition, st->error);
        return 0;
    }
    /* Nobody is there to whom more could be said. */
    queue_drop(&s->queue, st->number);
    st->state = STREAM_CLOSING;
    return session_happen(
        s, ON_DISCONNECT,
        &(struct happening){.now_ms = h->now_ms, .text = condition});
}

/* We were leaving it anyway. */
static int on_ended_closing(struct bosh *s, struct stream *st,
                            const struct happening *h)
{
    if (s->state != SESSION_CLOSING)
        close_now(s, st, h->body->condition, st->error);
    return 0;
}

static int on_close_answered(struct bosh *s, struct stream *st,
                             const struct happening *h)
{
    (void)h;
    if (s->state != SESSION_CLOSING)
        close_now(s, st, NULL, NULL);
    return 0;
}

/* ---- Login -----------------------------------------------------------------
 */

static int on_opened(struct bosh *s, struct stream *st,
                     const struct happening *h)
{
    (void)s;
    drop(&st->name);
    st->name = mem_dup(h->body->stream);
    st->state = STREAM_FEATURES;
    return 0;
}

/* An answer for another stream is no word yet about this one; an empty one
 * without a name is: the manager opens none. */
static int on_open_answered(struct bosh *s, struct stream *st,
                            const struct happening *h)
{
    const char *why = "the manager opened no stream";

    if (body_has_payload(h->body) || body_terminates(h->body))
        return 0;
    status(s, st, BOSH_CONNFAIL, NULL, why);
    close_now(s, st, NULL, why);
    return 0;
}

static int fail_login(struct bosh *s, struct stream *st,
                      const struct happening *h, const char *condition,
                      const char *detail)
{
    struct err *e = is_last(s, st) ? &s->why : &s->error;

    *e = (struct err){""};
    err_set(e, "login failed: %s%s%s", condition ? condition : "no condition",
            detail ? ", " : "", detail ? detail : "");
    status(s, st, BOSH_AUTHFAIL, condition, detail);
    return on_close_login(
        s, st, &(struct happening){.now_ms = h->now_ms, .text = condition});
}

static int on_mechanisms(struct bosh *s, struct stream *st,
                         const struct happening *h)
{
    struct err e = {""};

    if (sasl_begin(login_sasl(st->login), h->element, &st->out, &e))
        return fail_login(s, st, h, "invalid-mechanism", e.text);
    st->state = STREAM_SASL;
    status(s, st, BOSH_AUTHENTICATING, NULL,
           sasl_mechanism(login_sasl(st->login)));
    return 0;
}

static int on_challenge(struct bosh *s, struct stream *st,
                        const struct happening *h)
{
    struct err e = {""};

    if (sasl_step(login_sasl(st->login), h->element, &st->out, &e))
        return fail_login(s, st, h, NULL, e.text);
    return 0;
}

static int on_success(struct bosh *s, struct stream *st,
                      const struct happening *h)
{
    struct err e = {""};

    if (sasl_finish(login_sasl(st->login), h->element, &e))
        return fail_login(s, st, h, NULL, e.text);
    st->restart = true;
    st->state = STREAM_RESTARTED;
    return 0;
}

static int on_failure(struct bosh *s, struct stream *st,
                      const struct happening *h)
{
    const xmlNode *said = xml_child(h->element, XML_NS_SASL, "text");
    char *text = said ? xml_text(said) : NULL;
    int rc = fail_login(s, st, h, login_condition(h->element),
                        text && *text ? text : NULL);

    free(text);
    return rc;
}

static int on_features(struct bosh *s, struct stream *st,
                       const struct happening *h)
{
    if (!login_offers_bind(h->element))
        return fail_login(s, st, h, NULL, "the server offers no binding");
    st->needs_session = login_needs_session(h->element);
    if (s->options.explicit_bind) {
        st->state = STREAM_UNBOUND;
        status(s, st, BOSH_BINDREQUIRED, NULL, NULL);
        return 0;
    }
    login_write_bind(&st->out, login_resource(st->login));
    st->state = STREAM_BINDING;
    return 0;
}

static int on_bind(struct bosh *s, struct stream *st, const struct happening *h)
{
    (void)s;
    login_write_bind(&st->out, h->text);
    st->state = STREAM_BINDING;
    return 0;
}

static int go_online(struct bosh *s, struct stream *st)
{
    st->state = STREAM_ONLINE;
    status(s, st, BOSH_CONNECTED, NULL, NULL);
    session_happen(s, ON_LOGGED_IN, &(struct happening){0});
    return 0;
}

static int on_bind_reply(struct bosh *s, struct stream *st,
                         const struct happening *h)
{
    char *jid = login_bound_jid(h->element);

    if (!login_is_bind_reply(h->element))
        return 0;
    if (!login_is_result(h->element)) {
        free(jid);
        return fail_login(s, st, h, login_condition(h->element),
                          "the resource was not bound");
    }
    if (jid) {
        free(st->jid);
        st->jid = jid;
    }
    if (!st->needs_session)
        return go_online(s, st);
    login_write_session(&st->out);
    st->state = STREAM_STARTING;
    return 0;
}

static int on_session_reply(struct bosh *s, struct stream *st,
                            const struct happening *h)
{
    if (!login_is_session_reply(h->element))
        return 0;
    if (!login_is_result(h->element))
        return fail_login(s, st, h, login_condition(h->element),
                          "the session was not established");
    return go_online(s, st);
}

/* ---- Stanzas ---------------------------------------------------------------
 */

/* Room for it in the queue? */
static int check_room(struct bosh *s, size_t len)
{
    if (len <= s->options.queue_max &&
        s->queue.len <= s->options.queue_max - len)
        return 0;
    err_set(&s->error, "the queue is full");
    s->send_refused = s->queue.len > 0;
    return BOSH_E_FULL;
}

static int on_send(struct bosh *s, struct stream *st, const struct happening *h)
{
    struct buf xml = BUF_INIT;

    int rc = 0;

    (void)st;
    if (check_room(s, h->len)) /* too long as it is: not worth reading */
        return BOSH_E_FULL;
    if (body_write_stanzas(&xml, h->text, h->len, &s->error))
        rc = BOSH_E_ARG;
    else if (check_room(s, xml.len)) /* with namespaces declared */
        rc = BOSH_E_FULL;
    else
        queue_add(&s->queue, h->number, xml.data, xml.len);
    buf_release(&xml);
    if (rc)
        return rc;
    session_end_pause(s); /* as any request does: XEP-0124 §10 */
    return 0;
}

static int on_stanza(struct bosh *s, struct stream *st,
                     const struct happening *h)
{
    struct buf xml = BUF_INIT;
    size_t len;

    body_write_payload(&xml, h->element);
    len = xml.len;
    events_add_stanza(&s->events, st->number, h->rid, buf_take(&xml), len);
    return 0;
}

static int on_stream_error(struct bosh *s, struct stream *st,
                           const struct happening *h)
{
    (void)s;
    drop(&st->error);
    st->error = mem_dup(login_condition(h->element));
    return 0;
}

/* ---- The table -------------------------------------------------------------
 */

struct row {
    int (*on[STREAM_EVENT_COUNT])(struct bosh *s, struct stream *st,
                                  const struct happening *h);
};

/* What may happen to any login whose stream is open; stanzas of ours wait for
 * its end. */
#define LOGIN                                                                  \
    [ON_SEND] = on_send, [ON_CLOSE] = on_close_login,                          \
    [ON_STREAM_ERROR] = on_stream_error, [ON_STREAM_ENDED] = on_ended

static const struct row TABLE[STREAM_STATE_COUNT] = {
    /* XEP-0124 §7, §16.3. */
    [STREAM_OPENING] = {{
        [ON_SEND] = on_send,
        [ON_CLOSE] = on_close_opening,
        [ON_OPENED] = on_opened,
        [ON_STREAM_ERROR] = on_stream_error,
        [ON_OPEN_ANSWERED] = on_open_answered,
    }},
    /* XEP-0206 §4: features may come with any later answer. */
    [STREAM_FEATURES] = {{
        LOGIN,
        [ON_FEATURES] = on_mechanisms,
    }},
    /* RFC 6120 §6.4. */
    [STREAM_SASL] = {{
        LOGIN,
        [ON_CHALLENGE] = on_challenge,
        [ON_SUCCESS] = on_success,
        [ON_FAILURE] = on_failure,
    }},
    /* XEP-0206 §5. */
    [STREAM_RESTARTED] = {{
        LOGIN,
        [ON_FEATURES] = on_features,
    }},
    /* RFC 6120 §7, with the application's say. */
    [STREAM_UNBOUND] = {{
        LOGIN,
        [ON_BIND] = on_bind,
        [ON_STANZA] = on_stanza,
    }},
    /* RFC 6120 §7.6. */
    [STREAM_BINDING] = {{
        LOGIN,
        [ON_REPLY] = on_bind_reply,
        [ON_STANZA] = on_stanza,
    }},
    /* RFC 3921 §3. */
    [STREAM_STARTING] = {{
        LOGIN,
        [ON_REPLY] = on_session_reply,
        [ON_STANZA] = on_stanza,
    }},
    /* XEP-0124 §8. */
    [STREAM_ONLINE] = {{
        [ON_SEND] = on_send,
        [ON_CLOSE] = on_close,
        [ON_REPLY] = on_stanza,
        [ON_STANZA] = on_stanza,
        [ON_STREAM_ERROR] = on_stream_error,
        [ON_STREAM_ENDED] = on_ended,
    }},
    /* XEP-0124 §13, §16.5: what was on its way is still handed over. */
    [STREAM_CLOSING] = {{
        [ON_REPLY] = on_stanza,
        [ON_STANZA] = on_stanza,
        [ON_STREAM_ERROR] = on_stream_error,
        [ON_STREAM_ENDED] = on_ended_closing,
        [ON_CLOSE_ANSWERED] = on_close_answered,
    }},
    /* What still comes for it is dropped, §16.4. */
    [STREAM_CLOSED] = {{NULL}},
};

bool stream_may(enum stream_state state, enum stream_event event)
{
    return TABLE[state].on[event] != NULL;
}

int stream_happen(struct bosh *s, struct stream *st, enum stream_event event,
                  const struct happening *h)
{
    if (!stream_may(st->state, event))
        return BOSH_E_STATE;
    return TABLE[st->state].on[event](s, st, h);
}

const char *stream_state_name(enum stream_state state)
{
    static const char *const NAMES[STREAM_STATE_COUNT] = {
        "opening",        "waiting for features",
        "authenticating", "restarted",
        "unbound",        "binding",
        "starting",       "online",
        "closing",        "closed",
    };

    return NAMES[state];
}
