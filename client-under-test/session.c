/* The state table of a session and its actions: see session.h. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "outgoing.h"
#include "store.h"

/* Head-room for 2^52 requests below BOSH_RID_MAX, XEP-0124 §14.1. */
#define RID_RANGE_MASK ((UINT64_C(1) << 52) - 1)

/* Statuses of the session as a whole are its first stream's. */
static void status(struct bosh *s, enum bosh_status what, const char *condition,
                   const char *detail)
{
    events_add_status(&s->events, 0, what, condition, detail);
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

struct err *session_why(struct bosh *s)
{
    if (s->error_is_verbs)
        s->error = (struct err){""};
    s->error_is_verbs = false;
    return &s->error;
}

void session_forget(struct bosh *s)
{
    window_clear(&s->window);
    streams_clear(s);
    drop(&s->sid);
    drop(&s->other_uri);
    queue_clear(&s->queue);
    s->keys = (struct keys){.next = 0};
    s->wait_s = s->options.wait_s;
    s->hold = s->options.hold;
    s->requests = s->inactivity_s = s->polling_s = s->maxpause_s = -1;
    s->errors = s->hasty = s->pause_s = 0;
    s->acks = s->pause_unsent = s->end_sent = s->over = false;
    s->hurry = s->takes_gzip = s->held_back = s->send_refused = false;
    s->end_by_ms = s->close_by_ms = s->quiet_ms = s->poll_from_ms = 0;
}

/* Each open stream is told, the first at last. */
static void end(struct bosh *s, const char *condition, const char *detail)
{
    const struct stream *st;

    s->failed = !s->error_is_verbs && *s->error.text;
    store_forget(s); /* which may have to say that it failed */
    for (st = s->streams->next; st; st = st->next) {
        if (stream_is_open(st))
            events_add_status(&s->events, st->number, BOSH_DISCONNECTED,
                              condition, detail);
    }
    if (stream_is_open(s->streams))
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

/* ---- How it begins --------------------------------------------------------
 */

static int on_connect(struct bosh *s, const struct happening *h)
{
    session_forget(s);
    if (stream_begin(s, h->text, h->password))
        return BOSH_E_ARG;
    s->rid = random_rid(s);
    s->state = SESSION_CREATING;
    outgoing_create(s, h->now_ms);
    status(s, BOSH_CONNECTING, NULL, NULL);
    return 0;
}

static int check_known(struct bosh *s, const struct bosh_attach *known,
                       struct keys *keys)
{
    if (!known->jid || !known->sid || !*known->sid || known->rid == 0 ||
        known->rid > BOSH_RID_MAX) {
        err_set(&s->error, "a session needs jid, sid and rid");
        return BOSH_E_ARG;
    }
    for (size_t i = 0; i < known->more_count; i++) {
        if (!known->stream || !known->more[i].name) {
            err_set(&s->error, "streams need names");
            return BOSH_E_ARG;
        }
    }
    if (known->keys && keys_read(keys, known->keys)) {
        err_set(&s->error, "these are no keys");
        return BOSH_E_ARG;
    }
    return 0;
}

static void take_stream(struct stream *st, const char *name, const char *jid)
{
    st->name = mem_dup(name);
    free(st->jid);
    st->jid = mem_dup(jid);
    st->state = jid ? STREAM_ONLINE : STREAM_CLOSED;
}

static void take_numbers(struct bosh *s, const struct bosh_attach *known)
{
    s->rid = known->rid;
    if (known->wait_s >= 0)
        s->wait_s = known->wait_s;
    if (known->hold >= 0)
        s->hold = known->hold;
    s->requests = known->requests;
    s->inactivity_s = known->inactivity_s;
    s->polling_s = known->polling_s;
    s->maxpause_s = known->maxpause_s > 0 ? known->maxpause_s : -1;
}

static int on_attach(struct bosh *s, const struct happening *h)
{
    const struct bosh_attach *known = h->known;
    struct keys keys = {.next = 0};

    if (check_known(s, known, &keys))
        return BOSH_E_ARG;
    session_forget(s);
    s->keys = keys;
    s->sid = mem_dup(known->sid);
    take_numbers(s, known);
    take_stream(s->streams, known->stream, known->jid);
    if (known->stream_closed)
        s->streams->state = STREAM_CLOSED;
    for (size_t i = 0; i < known->more_count; i++)
        take_stream(stream_new(s), known->more[i].name, known->more[i].jid);
    s->quiet_ms = h->now_ms;
    s->state = SESSION_ONLINE;
    status(s, BOSH_ATTACHED, NULL, NULL);
    store_keep(s);
    return 0;
}

static int on_created(struct bosh *s, const struct happening *h)
{
    const struct body *b = h->body;

    if (!b->sid) {
        err_set(session_why(s), "the manager gave no sid");
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
    s->takes_gzip = b->takes_gzip;
    s->state = SESSION_LOGIN;
    stream_happen(s, s->streams, ON_OPENED, h);
    return 0;
}

static int on_logged_in(struct bosh *s, const struct happening *h)
{
    (void)h;
    if (s->state == SESSION_LOGIN)
        s->state = SESSION_ONLINE;
    store_keep(s);
    return 0;
}

/* ---- Verbs ----------------------------------------------------------------
 */

/* §16.3. Returns the new stream's number. */
static int on_add(struct bosh *s, const struct happening *h)
{
    struct stream *st;

    if (!s->streams->name) {
        err_set(&s->error, "the manager offers no further streams");
        return BOSH_E_STATE;
    }
    if (streams_open(s) >= BOSH_STREAMS_MAX) {
        err_set(&s->error, "a session has no more than %d streams",
                BOSH_STREAMS_MAX);
        return BOSH_E_FULL;
    }
    st = stream_add(s, h->text, h->password);
    if (!st)
        return BOSH_E_ARG;
    st->route = mem_dup(h->route);
    if (s->state == SESSION_PAUSED)
        s->state = SESSION_ONLINE;
    events_add_status(&s->events, st->number, BOSH_CONNECTING, NULL, NULL);
    return st->number;
}

/* Nothing to end at the manager, as far as we know. */
static int on_disconnect_early(struct bosh *s, const struct happening *h)
{
    status(s, BOSH_DISCONNECTING, h->text, NULL);
    end(s, NULL, NULL);
    return 0;
}

static int close_session(struct bosh *s, const struct happening *h)
{
    status(s, BOSH_DISCONNECTING, h->text, NULL);
    streams_close(s);
    s->state = SESSION_CLOSING;
    s->close_by_ms = h->now_ms + s->options.disconnect_ms;
    s->pause_unsent = false;
    return 0;
}

/* Login is not done: nothing that was queued may go out. */
static int on_disconnect_login(struct bosh *s, const struct happening *h)
{
    queue_clear(&s->queue);
    return close_session(s, h);
}

/* Unavailable presence goes along, for all streams if none would choke on it:
 * a stream at its login must not get stanzas. */
static int on_disconnect(struct bosh *s, const struct happening *h)
{
    static const char PRESENCE[] =
        "<presence xmlns='" XML_NS_CLIENT "' type='unavailable'/>";
    int stream = streams_are_several(s) ? BOSH_ALL_STREAMS : 0;

    if (!streams_log_in(s))
        queue_add(&s->queue, stream, PRESENCE, sizeof PRESENCE - 1);
    return close_session(s, h);
}

static int on_pause(struct bosh *s, const struct happening *h)
{
    if (streams_log_in(s)) {
        err_set(&s->error, "a stream is still at its login");
        return BOSH_E_STATE;
    }
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
    s->hurry = true;
    return 0;
}

static int on_reset(struct bosh *s, const struct happening *h)
{
    (void)h;
    store_forget(s);
    session_forget(s);
    events_clear(&s->events);
    drop(&s->streams->jid);
    s->rid = random_rid(s);
    s->state = SESSION_IDLE;
    return 0;
}

/* ---- How it ends -----------------------------------------------------------
 */

/* §16.4. Payloads for a stream that is not ours: something has gone wrong that
 * cannot be mended. */
static int on_unknown_stream(struct bosh *s, const struct happening *h)
{
    err_set(session_why(s), "the manager named a stream that is not open");
    status(s, BOSH_ERROR, NULL, s->error.text);
    return session_happen(s, ON_DISCONNECT,
                          &(struct happening){.now_ms = h->now_ms});
}

static int on_terminated(struct bosh *s, const struct happening *h)
{
    char *condition = mem_dup(h->body->condition);
    char *detail = mem_dup(s->other_uri ? s->other_uri : h->stream->error);

    err_set(session_why(s), "the manager ended the session: %s%s%s",
            condition ? condition : "no condition", detail ? ", " : "",
            detail ? detail : "");
    status(s, s->other_uri ? BOSH_REDIRECT : BOSH_CONNFAIL, condition, detail);
    end(s, condition, detail);
    free(condition);
    free(detail);
    return 0;
}

/* The oldest request gets type='terminate', ours an empty body: §13. */
static int on_terminated_closing(struct bosh *s, const struct happening *h)
{
    char *condition;

    /* What has failed already is not repeated, nor waited for. */
    if (!h->body->condition && s->end_sent && window_on_wire(&s->window) > 0) {
        s->over = true;
        return 0;
    }
    condition = mem_dup(h->body->condition);
    if (condition)
        err_set(session_why(s), "the manager ended the session: %s", condition);
    end(s, condition, h->stream->error);
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

/* Without its user and password. */
static const char *proxy_host(const struct bosh *s)
{
    const char *proxy = s->options.proxy ? s->options.proxy : "in between";
    const char *user = strrchr(proxy, '@');
    const char *scheme = strstr(proxy, "://");

    if (user)
        return user + 1;
    return scheme ? scheme + strlen("://") : proxy;
}

static int on_refused(struct bosh *s, const struct happening *h)
{
    const char *condition = condition_of(h->number);

    if (h->number == 407) /* RFC 9110 §15.5.8: no manager's */
        err_set(session_why(s),
                "the proxy %s wants a user and a password, or other ones",
                proxy_host(s));
    else
        err_set(session_why(s), "the manager answered HTTP %d", h->number);
    status(s, BOSH_CONNFAIL, condition, s->error.text);
    end(s, condition, s->error.text);
    return 0;
}

static int on_refused_closing(struct bosh *s, const struct happening *h)
{
    err_set(session_why(s), "the manager answered HTTP %d", h->number);
    end(s, condition_of(h->number), NULL);
    return 0;
}

static int on_too_many(struct bosh *s, const struct happening *h)
{
    char *detail = mem_printf("%d errors in a row, the last: %s", s->errors,
                              h->text ? h->text : "not known");

    err_set(session_why(s), "%s", detail);
    status(s, BOSH_CONNTIMEOUT, NULL, detail);
    end(s, NULL, detail);
    free(detail);
    return 0;
}

static int on_silence(struct bosh *s, const struct happening *h)
{
    (void)h;
    err_set(session_why(s), "no request was open for longer than the manager "
                            "keeps a session");
    end(s, "item-not-found", s->error.text);
    return 0;
}

/* XEP-0124 §14.1 forbids to go on. */
static int on_rids_spent(struct bosh *s, const struct happening *h)
{
    (void)h;
    err_set(session_why(s), "the request numbers are used up");
    end(s, NULL, s->error.text);
    return 0;
}

static int on_close_late(struct bosh *s, const struct happening *h)
{
    static const char WHY[] = "no answer to our terminate";

    (void)h;
    if (!s->over) {
        err_set(session_why(s), WHY);
        status(s, BOSH_CONNTIMEOUT, NULL, WHY);
    }
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
    [ON_UNKNOWN_STREAM] = on_unknown_stream, [ON_TERMINATED] = on_terminated,  \
    [ON_REFUSED] = on_refused, [ON_TOO_MANY] = on_too_many,                    \
    [ON_SILENCE] = on_silence, [ON_RIDS_SPENT] = on_rids_spent,                \
    [ON_RESET] = on_reset

/* Verbs of a session that is logged in. */
#define VERBS                                                                  \
    [ON_ADD] = on_add, [ON_DISCONNECT] = on_disconnect, [ON_PAUSE] = on_pause, \
    [ON_PAUSE_LOCAL] = on_pause_local, [ON_RESUME] = on_resume,                \
    [ON_FLUSH] = on_flush, [ON_LOGGED_IN] = on_logged_in

static const struct row TABLE[SESSION_STATE_COUNT] = {
    [SESSION_IDLE] = {{
        [ON_CONNECT] = on_connect,
        [ON_ATTACH] = on_attach,
        [ON_RESET] = on_reset,
    }},
    /* XEP-0124 §7: no sid, so nothing that could be ended or go silent. */
    [SESSION_CREATING] = {{
        [ON_DISCONNECT] = on_disconnect_early,
        [ON_FLUSH] = on_flush,
        [ON_RESET] = on_reset,
        [ON_CREATED] = on_created,
        [ON_TERMINATED] = on_terminated,
        [ON_REFUSED] = on_refused,
        [ON_TOO_MANY] = on_too_many,
    }},
    /* XEP-0206 §4 and §5. */
    [SESSION_LOGIN] = {{
        [ON_DISCONNECT] = on_disconnect_login,
        [ON_FLUSH] = on_flush,
        [ON_LOGGED_IN] = on_logged_in,
        ENDS,
    }},
    /* XEP-0124 §8. */
    [SESSION_ONLINE] = {{VERBS, ENDS}},
    /* XEP-0124 §10. */
    [SESSION_PAUSED] = {{VERBS, ENDS}},
    /* XEP-0124 §13: what was on its way is still handed over. */
    [SESSION_CLOSING] = {{
        [ON_RESET] = on_reset,
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

const char *session_state_name(const struct bosh *s)
{
    static const char *const NAMES[SESSION_STATE_COUNT] = {
        [SESSION_IDLE] = "idle",       [SESSION_CREATING] = "creating",
        [SESSION_ONLINE] = "online",   [SESSION_PAUSED] = "paused",
        [SESSION_CLOSING] = "closing", [SESSION_DEAD] = "dead",
    };

    return s->state == SESSION_LOGIN ? stream_state_name(s->streams->state)
                                     : NAMES[s->state];
}
