/*
 * The state table, its actions, and the order in which answers are handed
 * over: see session.h.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "store.h"
#include "tap.h"

/* Head-room for 2^52 requests below BOSH_RID_MAX, XEP-0124 §14.1. */
#define RID_RANGE_MASK ((UINT64_C(1) << 52) - 1)

/* How long answers below an early terminate may still come. */
#define EARLY_END_MS 1000

static void status(struct bosh *s, enum bosh_status what, const char *condition,
                   const char *detail)
{
    events_add_status(&s->events, what, condition, detail);
}

bool session_is_over(const struct bosh *s)
{
    return s->state == SESSION_IDLE || s->state == SESSION_DEAD;
}

static void drop(char **text)
{
    free(*text);
    *text = NULL;
}

void session_forget(struct bosh *s)
{
    window_clear(&s->window);
    login_free(s->login);
    s->login = NULL;
    drop(&s->sid);
    drop(&s->stream_error);
    drop(&s->other_uri);
    buf_clear(&s->queue);
    buf_clear(&s->next);
    s->keys = (struct keys){.next = 0};
    s->wait_s = s->options.wait_s;
    s->hold = s->options.hold;
    s->requests = s->inactivity_s = s->polling_s = s->maxpause_s = -1;
    s->errors = s->hasty = s->pause_s = 0;
    s->acks = s->restart = s->pause_unsent = s->end_sent = s->over = false;
    s->held_back = s->needs_session = s->send_refused = false;
    s->end_by_ms = s->close_by_ms = s->quiet_ms = s->poll_from_ms = 0;
}

static void end(struct bosh *s, const char *condition, const char *detail)
{
    store_forget(s); /* which may have to say that it failed */
    status(s, BOSH_DISCONNECTED, condition, detail);
    session_forget(s);
    s->state = SESSION_DEAD;
}

static uint64_t random_rid(const struct bosh *s)
{
    uint64_t value = 0;

    s->options.random.fill(s->options.random.ctx, &value, sizeof value);
    return (value & RID_RANGE_MASK) + 1;
}

/* ---- Verbs ------------------------------------------------------------- */

static int on_connect(struct bosh *s, const struct happening *h)
{
    struct login_proofs proofs = {
        .password = h->password,
        .token = s->options.token,
        .certificate = s->options.cert_file != NULL,
    };
    struct login *login =
        login_new(h->text, &proofs, s->options.mechanisms, &s->error);

    if (!login)
        return BOSH_E_ARG;
    session_forget(s);
    drop(&s->jid);
    s->login = login;
    s->jid = mem_dup(h->text);
    s->rid = random_rid(s);
    s->state = SESSION_CREATING;
    flow_create(s, h->now_ms);
    status(s, BOSH_CONNECTING, NULL, NULL);
    return 0;
}

static int on_attach(struct bosh *s, const struct happening *h)
{
    const struct bosh_attach *known = h->known;
    struct keys keys = {.next = 0};

    if (!known->jid || !known->sid || !*known->sid || known->rid == 0 ||
        known->rid > BOSH_RID_MAX) {
        err_set(&s->error, "a session needs jid, sid and rid");
        return BOSH_E_ARG;
    }
    if (known->keys && keys_read(&keys, known->keys)) {
        err_set(&s->error, "these are no keys");
        return BOSH_E_ARG;
    }
    session_forget(s);
    drop(&s->jid);
    s->keys = keys;
    s->jid = mem_dup(known->jid);
    s->sid = mem_dup(known->sid);
    s->rid = known->rid;
    if (known->wait_s >= 0)
        s->wait_s = known->wait_s;
    if (known->hold >= 0)
        s->hold = known->hold;
    s->requests = known->requests;
    s->inactivity_s = known->inactivity_s;
    s->polling_s = known->polling_s;
    s->maxpause_s = known->maxpause_s > 0 ? known->maxpause_s : -1;
    s->quiet_ms = h->now_ms;
    s->state = SESSION_ONLINE;
    status(s, BOSH_ATTACHED, NULL, NULL);
    store_keep(s);
    return 0;
}

static int refuse_send(struct bosh *s)
{
    err_set(&s->error, "the queue is full");
    s->send_refused = s->queue.len > 0;
    return BOSH_E_FULL;
}

static int on_send(struct bosh *s, const struct happening *h)
{
    size_t before = s->queue.len;

    /* Too long as it is: not worth reading. */
    if (h->len > s->options.queue_max || before > s->options.queue_max - h->len)
        return refuse_send(s);
    if (body_write_stanzas(&s->queue, h->text, h->len, &s->error))
        return BOSH_E_ARG;
    if (s->queue.len <= s->options.queue_max)
        return 0;
    /* Declaring namespaces has made it longer. */
    buf_cut(&s->queue, before);
    return refuse_send(s);
}

/* Any request ends a pause: XEP-0124 §10. */
static int on_send_paused(struct bosh *s, const struct happening *h)
{
    int rc = on_send(s, h);

    if (rc == 0)
        s->state = SESSION_ONLINE;
    return rc;
}

static int on_bind(struct bosh *s, const struct happening *h)
{
    login_write_bind(&s->next, h->text);
    s->state = SESSION_BINDING;
    return 0;
}

/* Nothing to end at the manager, as far as we know. */
static int on_disconnect_early(struct bosh *s, const struct happening *h)
{
    status(s, BOSH_DISCONNECTING, h->text, NULL);
    end(s, NULL, NULL);
    return 0;
}

static void close_session(struct bosh *s, int64_t now_ms, const char *reason)
{
    status(s, BOSH_DISCONNECTING, reason, NULL);
    s->state = SESSION_CLOSING;
    s->close_by_ms = now_ms + s->options.disconnect_ms;
    s->restart = s->pause_unsent = false;
    buf_clear(&s->next);
}

/* Login is not done: nothing that was queued may go out. */
static int on_disconnect_login(struct bosh *s, const struct happening *h)
{
    buf_clear(&s->queue);
    close_session(s, h->now_ms, h->text);
    return 0;
}

static int on_disconnect(struct bosh *s, const struct happening *h)
{
    buf_adds(&s->queue,
             "<presence xmlns='" XML_NS_CLIENT "' type='unavailable'/>");
    close_session(s, h->now_ms, h->text);
    return 0;
}

static int on_pause(struct bosh *s, const struct happening *h)
{
    if (s->maxpause_s < 0) {
        err_set(&s->error, "the manager allows no pause");
        return BOSH_E_ARG;
    }
    if (h->number <= 0 || h->number > s->maxpause_s) {
        err_set(&s->error, "a pause may last 1 to %d s", s->maxpause_s);
        return BOSH_E_ARG;
    }
    s->pause_s = h->number;
    s->pause_unsent = true;
    s->state = SESSION_PAUSED;
    return 0;
}

static int on_pause_local(struct bosh *s, const struct happening *h)
{
    (void)h;
    s->held_back = true;
    return 0;
}

static int on_resume(struct bosh *s, const struct happening *h)
{
    (void)h;
    s->held_back = false;
    s->pause_unsent = false;
    if (s->state == SESSION_PAUSED)
        s->state = SESSION_ONLINE;
    return 0;
}

static int on_flush(struct bosh *s, const struct happening *h)
{
    (void)h;
    window_hurry(&s->window, 0);
    s->poll_from_ms = 0;
    return 0;
}

static int on_reset(struct bosh *s, const struct happening *h)
{
    (void)h;
    store_forget(s);
    session_forget(s);
    events_clear(&s->events);
    drop(&s->jid);
    s->rid = random_rid(s);
    s->state = SESSION_IDLE;
    return 0;
}

/* ---- Creation and login ------------------------------------------------ */

static int on_created(struct bosh *s, const struct happening *h)
{
    const struct body *b = h->body;

    if (!b->sid) {
        err_set(&s->error, "the manager gave no sid");
        status(s, BOSH_CONNFAIL, NULL, s->error.text);
        end(s, NULL, s->error.text);
        return 0;
    }
    s->sid = mem_dup(b->sid);
    if (b->wait_s >= 0)
        s->wait_s = b->wait_s;
    if (b->hold >= 0)
        s->hold = b->hold;
    s->requests = b->requests;
    s->inactivity_s = b->inactivity_s;
    s->polling_s = b->polling_s;
    s->maxpause_s = b->maxpause_s;
    s->state = SESSION_FEATURES;
    return 0;
}

static int fail_login(struct bosh *s, const struct happening *h,
                      const char *condition, const char *detail)
{
    status(s, BOSH_AUTHFAIL, condition, detail);
    return on_disconnect_login(
        s, &(struct happening){.now_ms = h->now_ms, .text = condition});
}

static int on_mechanisms(struct bosh *s, const struct happening *h)
{
    struct err e = {""};

    if (login_begin(s->login, h->element, &s->next, &e))
        return fail_login(s, h, "invalid-mechanism", e.text);
    s->state = SESSION_SASL;
    status(s, BOSH_AUTHENTICATING, NULL, login_mechanism(s->login));
    return 0;
}

static int on_challenge(struct bosh *s, const struct happening *h)
{
    struct err e = {""};

    if (login_step(s->login, h->element, &s->next, &e))
        return fail_login(s, h, NULL, e.text);
    return 0;
}

static int on_success(struct bosh *s, const struct happening *h)
{
    struct err e = {""};

    if (login_finish(s->login, h->element, &e))
        return fail_login(s, h, NULL, e.text);
    s->restart = true;
    s->state = SESSION_RESTARTED;
    return 0;
}

static int on_failure(struct bosh *s, const struct happening *h)
{
    return fail_login(s, h, login_condition(h->element), NULL);
}

static int on_features(struct bosh *s, const struct happening *h)
{
    if (!login_offers_bind(h->element))
        return fail_login(s, h, NULL, "the server offers no binding");
    s->needs_session = login_needs_session(h->element);
    if (s->options.explicit_bind) {
        s->state = SESSION_UNBOUND;
        status(s, BOSH_BINDREQUIRED, NULL, NULL);
        return 0;
    }
    login_write_bind(&s->next, login_resource(s->login));
    s->state = SESSION_BINDING;
    return 0;
}

static int go_online(struct bosh *s)
{
    s->state = SESSION_ONLINE;
    status(s, BOSH_CONNECTED, NULL, NULL);
    store_keep(s);
    return 0;
}

static int on_bind_reply(struct bosh *s, const struct happening *h)
{
    char *jid = login_bound_jid(h->element);

    if (!login_is_bind_reply(h->element))
        return 0;
    if (!login_is_result(h->element)) {
        free(jid);
        return fail_login(s, h, login_condition(h->element),
                          "the resource was not bound");
    }
    if (jid) {
        free(s->jid);
        s->jid = jid;
    }
    if (!s->needs_session)
        return go_online(s);
    login_write_session(&s->next);
    s->state = SESSION_STARTING;
    return 0;
}

static int on_session_reply(struct bosh *s, const struct happening *h)
{
    if (!login_is_session_reply(h->element))
        return 0;
    if (!login_is_result(h->element))
        return fail_login(s, h, login_condition(h->element),
                          "the session was not established");
    return go_online(s);
}

/* ---- What comes later --------------------------------------------------- */

static int on_stanza(struct bosh *s, const struct happening *h)
{
    struct buf xml = BUF_INIT;
    size_t len;

    body_write_payload(&xml, h->element);
    len = xml.len;
    events_add_stanza(&s->events, h->rid, buf_take(&xml), len);
    return 0;
}

static int on_stream_error(struct bosh *s, const struct happening *h)
{
    drop(&s->stream_error);
    s->stream_error = mem_dup(login_condition(h->element));
    return 0;
}

static int on_terminated(struct bosh *s, const struct happening *h)
{
    char *condition = mem_dup(h->body->condition);
    const char *detail = s->other_uri ? s->other_uri : s->stream_error;

    err_set(&s->error, "the manager ended the session: %s%s%s",
            condition ? condition : "no condition", detail ? ", " : "",
            detail ? detail : "");
    status(s, s->other_uri ? BOSH_REDIRECT : BOSH_CONNFAIL, condition, detail);
    end(s, condition, detail);
    free(condition);
    return 0;
}

/* The oldest request gets type='terminate', ours an empty body: §13. */
static int on_terminated_closing(struct bosh *s, const struct happening *h)
{
    char *condition;

    if (!h->body->condition && s->end_sent &&
        window_unanswered(&s->window) > 0) {
        s->over = true;
        return 0;
    }
    condition = mem_dup(h->body->condition);
    end(s, condition, s->stream_error);
    free(condition);
    return 0;
}

static int on_end_answered(struct bosh *s, const struct happening *h)
{
    (void)h;
    end(s, NULL, NULL);
    return 0;
}

/* XEP-0124 §17.1: what a legacy manager's codes stand for. */
static const char *condition_of(int http_status)
{
    switch (http_status) {
    case 400:
        return "bad-request";
    case 403:
        return "policy-violation";
    case 404:
        return "item-not-found";
    }
    return NULL;
}

static int on_refused(struct bosh *s, const struct happening *h)
{
    const char *condition = condition_of(h->number);

    err_set(&s->error, "the manager answered HTTP %d", h->number);
    status(s, BOSH_CONNFAIL, condition, s->error.text);
    end(s, condition, s->error.text);
    return 0;
}

static int on_refused_closing(struct bosh *s, const struct happening *h)
{
    end(s, condition_of(h->number), NULL);
    return 0;
}

static int on_too_many(struct bosh *s, const struct happening *h)
{
    char *detail = mem_printf("%d errors in a row, the last: %s", s->errors,
                              h->text ? h->text : "not known");

    err_set(&s->error, "%s", detail);
    status(s, BOSH_CONNTIMEOUT, NULL, detail);
    end(s, NULL, detail);
    free(detail);
    return 0;
}

static int on_silence(struct bosh *s, const struct happening *h)
{
    (void)h;
    err_set(&s->error, "no request was open for longer than the manager "
                       "keeps a session");
    end(s, "item-not-found", s->error.text);
    return 0;
}

/* XEP-0124 §14.1 forbids to go on. */
static int on_rids_spent(struct bosh *s, const struct happening *h)
{
    (void)h;
    err_set(&s->error, "the request numbers are used up");
    end(s, NULL, s->error.text);
    return 0;
}

static int on_close_late(struct bosh *s, const struct happening *h)
{
    (void)h;
    if (!s->over)
        status(s, BOSH_CONNTIMEOUT, NULL, "no answer to our terminate");
    end(s, NULL, NULL);
    return 0;
}

/* ---- The table ------------------------------------------------------------
 */

struct row {
    int (*on[SESSION_EVENT_COUNT])(struct bosh *s, const struct happening *h);
};

/* How the transport may end any session that has a sid. */
#define ENDS                                                                   \
    [ON_TERMINATED] = on_terminated, [ON_REFUSED] = on_refused,                \
    [ON_TOO_MANY] = on_too_many, [ON_SILENCE] = on_silence,                    \
    [ON_STREAM_ERROR] = on_stream_error, [ON_RIDS_SPENT] = on_rids_spent,      \
    [ON_RESET] = on_reset

/* Verbs of a login that has a sid; stanzas wait for its end. */
#define LOGIN_VERBS                                                            \
    [ON_SEND] = on_send, [ON_DISCONNECT] = on_disconnect_login,                \
    [ON_FLUSH] = on_flush

static const struct row TABLE[SESSION_STATE_COUNT] = {
    [SESSION_IDLE] = {{
        [ON_CONNECT] = on_connect,
        [ON_ATTACH] = on_attach,
        [ON_RESET] = on_reset,
    }},
    /* XEP-0124 §7: no sid, so nothing that could be ended or go silent. */
    [SESSION_CREATING] = {{
        [ON_SEND] = on_send,
        [ON_DISCONNECT] = on_disconnect_early,
        [ON_FLUSH] = on_flush,
        [ON_RESET] = on_reset,
        [ON_CREATED] = on_created,
        [ON_STREAM_ERROR] = on_stream_error,
        [ON_TERMINATED] = on_terminated,
        [ON_REFUSED] = on_refused,
        [ON_TOO_MANY] = on_too_many,
    }},
    /* XEP-0206 §4: features may come with any later answer. */
    [SESSION_FEATURES] = {{
        LOGIN_VERBS,
        [ON_FEATURES] = on_mechanisms,
        ENDS,
    }},
    /* RFC 6120 §6.4. */
    [SESSION_SASL] = {{
        LOGIN_VERBS,
        [ON_CHALLENGE] = on_challenge,
        [ON_SUCCESS] = on_success,
        [ON_FAILURE] = on_failure,
        ENDS,
    }},
    /* XEP-0206 §5. */
    [SESSION_RESTARTED] = {{
        LOGIN_VERBS,
        [ON_FEATURES] = on_features,
        ENDS,
    }},
    /* RFC 6120 §7, with the application's say. */
    [SESSION_UNBOUND] = {{
        LOGIN_VERBS,
        [ON_BIND] = on_bind,
        [ON_STANZA] = on_stanza,
        ENDS,
    }},
    /* RFC 6120 §7.6. */
    [SESSION_BINDING] = {{
        LOGIN_VERBS,
        [ON_REPLY] = on_bind_reply,
        [ON_STANZA] = on_stanza,
        ENDS,
    }},
    /* RFC 3921 §3. */
    [SESSION_STARTING] = {{
        LOGIN_VERBS,
        [ON_REPLY] = on_session_reply,
        [ON_STANZA] = on_stanza,
        ENDS,
    }},
    /* XEP-0124 §8. */
    [SESSION_ONLINE] = {{
        [ON_SEND] = on_send,
        [ON_DISCONNECT] = on_disconnect,
        [ON_PAUSE] = on_pause,
        [ON_PAUSE_LOCAL] = on_pause_local,
        [ON_RESUME] = on_resume,
        [ON_FLUSH] = on_flush,
        [ON_REPLY] = on_stanza,
        [ON_STANZA] = on_stanza,
        ENDS,
    }},
    /* XEP-0124 §10. */
    [SESSION_PAUSED] = {{
        [ON_SEND] = on_send_paused,
        [ON_DISCONNECT] = on_disconnect,
        [ON_PAUSE] = on_pause,
        [ON_PAUSE_LOCAL] = on_pause_local,
        [ON_RESUME] = on_resume,
        [ON_FLUSH] = on_flush,
        [ON_REPLY] = on_stanza,
        [ON_STANZA] = on_stanza,
        ENDS,
    }},
    /* XEP-0124 §13: what was on its way is still handed over. */
    [SESSION_CLOSING] = {{
        [ON_RESET] = on_reset,
        [ON_REPLY] = on_stanza,
        [ON_STANZA] = on_stanza,
        [ON_STREAM_ERROR] = on_stream_error,
        [ON_TERMINATED] = on_terminated_closing,
        [ON_END_ANSWERED] = on_end_answered,
        [ON_REFUSED] = on_refused_closing,
        [ON_TOO_MANY] = on_too_many,
        [ON_SILENCE] = on_silence,
        [ON_CLOSE_LATE] = on_close_late,
        [ON_RIDS_SPENT] = on_rids_spent,
    }},
    [SESSION_DEAD] = {{
        [ON_CONNECT] = on_connect,
        [ON_ATTACH] = on_attach,
        [ON_RESET] = on_reset,
    }},
};

bool session_may(enum session_state state, enum session_event event)
{
    return TABLE[state].on[event] != NULL;
}

int session_happen(struct bosh *s, enum session_event event,
                   const struct happening *h)
{
    if (!session_may(s->state, event))
        return BOSH_E_STATE;
    return TABLE[s->state].on[event](s, h);
}

const char *session_state_name(enum session_state state)
{
    static const char *const NAMES[SESSION_STATE_COUNT] = {
        "idle",           "creating",  "waiting for features",
        "authenticating", "restarted", "unbound",
        "binding",        "starting",  "online",
        "paused",         "closing",   "dead",
    };

    return NAMES[state];
}

/* ---- Answers, in the order of their rids: XEP-0124 §14.2 ------------------
 */

static enum session_event event_of(const xmlNode *element)
{
    switch (login_kind_of(element)) {
    case LOGIN_FEATURES:
        return ON_FEATURES;
    case LOGIN_CHALLENGE:
        return ON_CHALLENGE;
    case LOGIN_SUCCESS:
        return ON_SUCCESS;
    case LOGIN_FAILURE:
        return ON_FAILURE;
    case LOGIN_STREAM_ERROR:
        return ON_STREAM_ERROR;
    case LOGIN_REPLY:
        return ON_REPLY;
    case LOGIN_OTHER:
        break;
    }
    return ON_STANZA;
}

static void take_payload(struct bosh *s, struct happening *h)
{
    if (xml_is(h->element, XML_NS_HTTPBIND, "uri")) {
        drop(&s->other_uri);
        s->other_uri = xml_text(h->element);
        return;
    }
    session_happen(s, event_of(h->element), h);
}

static void take_answer(struct bosh *s, const struct exchange *x,
                        int64_t now_ms)
{
    struct happening h = {.now_ms = now_ms, .rid = x->rid, .body = x->answer};
    xmlNodePtr next;

    tap_xml_input(&s->options.taps, x->answer);
    if (x->kind == EXCHANGE_CREATE && !body_terminates(x->answer))
        session_happen(s, ON_CREATED, &h);
    for (h.element = xml_child(x->answer->root, NULL, NULL); h.element;
         h.element = next) {
        next = xml_next(h.element);
        take_payload(s, &h);
    }
    flow_note_answer(s, x, now_ms);
    if (body_terminates(x->answer))
        session_happen(s, ON_TERMINATED, &h);
    else if (x->kind == EXCHANGE_TERMINATE)
        session_happen(s, ON_END_ANSWERED, &h);
}

/* An early terminate: nothing new may be sent, but answers below it may still
 * be on their way. */
static void note_early_end(struct bosh *s, int64_t now_ms)
{
    const struct exchange *x = s->window.first;

    while (x && !(x->answer && body_terminates(x->answer)))
        x = x->next;
    if (!x)
        s->end_by_ms = 0;
    else if (s->end_by_ms == 0)
        s->end_by_ms = now_ms + EARLY_END_MS;
}

void session_take_answers(struct bosh *s, int64_t now_ms, bool skip)
{
    struct exchange *x;

    while ((x = window_take(&s->window, skip)) != NULL) {
        take_answer(s, x, now_ms);
        exchange_free(x);
    }
    note_early_end(s, now_ms);
}
