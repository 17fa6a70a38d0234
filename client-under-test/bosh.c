/* The public calls: see bosh.h. Rules live in session.c and flow.c. */
#include "bosh.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "outgoing.h"
#include "session.h"
#include "store.h"

/* Longer than that, nobody waits; and nothing overflows. */
#define MULTIPLIER_MAX 1000.0
#define LIMIT_MAX_MS (INT64_C(1000) * UINT16_MAX * 1000)

double bosh_default_timeout = 1.1;
double bosh_default_secondary_timeout = 0.1;

const char *bosh_status_name(enum bosh_status status)
{
    switch (status) {
    case BOSH_ERROR:
        return "error";
    case BOSH_CONNECTING:
        return "connecting";
    case BOSH_CONNFAIL:
        return "connfail";
    case BOSH_AUTHENTICATING:
        return "authenticating";
    case BOSH_AUTHFAIL:
        return "authfail";
    case BOSH_CONNECTED:
        return "connected";
    case BOSH_DISCONNECTED:
        return "disconnected";
    case BOSH_DISCONNECTING:
        return "disconnecting";
    case BOSH_ATTACHED:
        return "attached";
    case BOSH_REDIRECT:
        return "redirect";
    case BOSH_CONNTIMEOUT:
        return "conntimeout";
    case BOSH_BINDREQUIRED:
        return "bindrequired";
    }
    return "error";
}

/* ---- Options ----------------------------------------------------------------
 */

/* GNU SASL has the system's randomness at hand. Without any, rids could be
 * guessed (XEP-0124 §19.3): better no session at all. */
static void fill_from_system(void *ctx, void *out, size_t len)
{
    (void)ctx;
    if (gsasl_random(out, len) != GSASL_OK)
        abort();
}

void bosh_options_init(struct bosh_options *options)
{
    *options = (struct bosh_options){
        .wait_s = 60,
        .hold = 1,
        .lang = "en",
        .content = "text/xml; charset=utf-8",
        .timeout = bosh_default_timeout,
        .secondary_timeout = bosh_default_secondary_timeout,
        .secondary_min_ms = 1000,
        .max_errors = 5,
        .back_off = true,
        .disconnect_ms = 3000,
        .max_open = 2,
        .queue_max = BOSH_QUEUE_MAX,
        .random = {fill_from_system, NULL},
    };
}

static const char *const *copy_list(const char *const *list)
{
    size_t count = 0;
    const char **copy;

    if (!list)
        return NULL;
    while (list[count])
        count++;
    copy = mem_alloc((count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = mem_dup(list[i]);
    return copy;
}

static void free_list(const char *const *list)
{
    if (!list)
        return;
    for (size_t i = 0; list[i]; i++)
        free((char *)(uintptr_t)list[i]);
    free((void *)(uintptr_t)list);
}

static int between(int value, int least, int most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

static void bound_options(struct bosh_options *o)
{
    o->wait_s = between(o->wait_s, 0, UINT16_MAX);
    o->hold = between(o->hold, 0, UINT8_MAX);
    o->max_open = between(o->max_open, 1, UINT8_MAX);
    if (o->keys_count != 0)
        o->keys_count = between(o->keys_count, KEYS_COUNT_MIN, KEYS_COUNT_MAX);
    if (o->queue_max > BOSH_QUEUE_MAX)
        o->queue_max = BOSH_QUEUE_MAX;
    /* Times are added to the clock's. */
    if (o->timeout > MULTIPLIER_MAX)
        o->timeout = MULTIPLIER_MAX;
    if (o->secondary_timeout > MULTIPLIER_MAX)
        o->secondary_timeout = MULTIPLIER_MAX;
    if (o->secondary_min_ms > LIMIT_MAX_MS)
        o->secondary_min_ms = LIMIT_MAX_MS;
    if (o->disconnect_ms > LIMIT_MAX_MS)
        o->disconnect_ms = LIMIT_MAX_MS;
}

static void options_copy(struct bosh_options *to,
                         const struct bosh_options *from)
{
    *to = *from;
    to->url = mem_dup(from->url);
    to->base_url = mem_dup(from->base_url);
    to->proxy = mem_dup(from->proxy);
    to->ca_file = mem_dup(from->ca_file);
    to->cert_file = mem_dup(from->cert_file);
    to->key_file = mem_dup(from->key_file);
    to->headers = copy_list(from->headers);
    to->cookies = copy_list(from->cookies);
    to->lang = mem_dup(from->lang ? from->lang : "en");
    to->route = mem_dup(from->route);
    to->content = mem_dup(from->content);
    to->mechanisms = mem_dup(from->mechanisms);
    to->token = mem_dup(from->token);
    bound_options(to);
}

static void free_text(const char *text)
{
    free((char *)(uintptr_t)text);
}

static void free_secret(const char *text)
{
    char *secret = (char *)(uintptr_t)text;

    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void options_release(struct bosh_options *o)
{
    free_text(o->url);
    free_text(o->base_url);
    free_text(o->proxy);
    free_text(o->ca_file);
    free_text(o->cert_file);
    free_text(o->key_file);
    free_list(o->headers);
    free_list(o->cookies);
    free_text(o->lang);
    free_text(o->route);
    free_text(o->content);
    free_text(o->mechanisms);
    free_secret(o->token);
}

struct bosh *bosh_new(const struct bosh_options *options)
{
    struct bosh *s = mem_alloc(sizeof *s);
    struct bosh_options defaults;

    bosh_options_init(&defaults);
    options_copy(&s->options, options ? options : &defaults);
    stream_new(s);
    session_forget(s);
    return s;
}

void bosh_free(struct bosh *s)
{
    if (!s)
        return;
    session_forget(s);
    window_release(&s->window);
    events_release(&s->events);
    streams_release(s);
    options_release(&s->options);
    free(s);
}

const struct bosh_options *bosh_get_options(const struct bosh *s)
{
    return &s->options;
}

/* ---- Verbs
 * -------------------------------------------------------------------- */

static void forget_errors(struct bosh *s)
{
    s->error = (struct err){""};
    if (s->state != SESSION_CLOSING)
        s->why = (struct err){""};
}

static int verb(struct bosh *s, enum session_event event,
                const struct happening *h)
{
    const char *state = session_state_name(s);
    int rc;

    forget_errors(s);
    rc = session_happen(s, event, h);
    if (rc == BOSH_E_STATE) /* unless the cell has said more */
        err_set(&s->error, "not possible while the session is '%s'", state);
    return rc;
}

/* The first stream's login and end are the session's, unless it was closed by
 * itself. */
static bool speaks_for_session(const struct bosh *s, const struct stream *st)
{
    return st->number == 0 && !(bosh_connected(s) && !stream_is_open(st));
}

/* The same for one of its streams. */
static int stream_verb(struct bosh *s, int stream, enum stream_event event,
                       const struct happening *h)
{
    struct stream *st = stream_at(s, stream);
    const char *state;
    bool all;
    int rc;

    forget_errors(s);
    if (!st) {
        err_set(&s->error, "there is no stream %d", stream);
        return BOSH_E_STATE;
    }
    all = speaks_for_session(s, st);
    state = all ? session_state_name(s) : stream_state_name(st->state);
    rc = stream_happen(s, st, event, h);
    if (rc == BOSH_E_STATE)
        err_set(&s->error, "not possible while the %s is '%s'",
                all ? "session" : "stream", state);
    return rc;
}

/* Any will do for what is to go to all. */
static int first_taker(const struct bosh *s)
{
    const struct stream *st = s->streams;

    while (st->next && !stream_may(st->state, ON_SEND))
        st = st->next;
    return st->number;
}

static int bad_argument(struct bosh *s, const char *what)
{
    forget_errors(s);
    err_set(&s->error, "%s is missing", what);
    return BOSH_E_ARG;
}

int bosh_connect(struct bosh *s, int64_t now_ms, const char *jid,
                 const char *password)
{
    struct happening h = {.now_ms = now_ms, .text = jid, .password = password};

    return jid ? verb(s, ON_CONNECT, &h) : bad_argument(s, "the JID");
}

int bosh_attach(struct bosh *s, int64_t now_ms, const struct bosh_attach *known)
{
    struct happening h = {.now_ms = now_ms, .known = known};

    return known ? verb(s, ON_ATTACH, &h) : bad_argument(s, "the session");
}

static int restore(struct bosh *s, int64_t now_ms, const char *text,
                   const char *jid)
{
    struct stored stored;
    struct err e = {""};
    int rc;

    if (store_read(&stored, text, jid, &e)) {
        s->error = e;
        return BOSH_E_ARG;
    }
    rc = bosh_attach(s, now_ms, &stored.known);
    if (rc == 0)
        store_resume(s, &stored, now_ms);
    store_release(&stored);
    return rc;
}

int bosh_restore(struct bosh *s, int64_t now_ms, const char *jid)
{
    const struct bosh_store *store = &s->options.store;
    char *text;
    int rc;

    forget_errors(s);
    if (!session_is_over(s)) {
        err_set(&s->error, "a session is alive already");
        return BOSH_E_STATE;
    }
    text = store->load ? store->load(store->ctx) : NULL;
    if (!text) {
        err_set(&s->error, "no session is stored");
        return BOSH_E_ARG;
    }
    rc = restore(s, now_ms, text, jid);
    explicit_bzero(text, strlen(text));
    free(text);
    return rc;
}

int bosh_send(struct bosh *s, const char *xml, size_t len)
{
    return bosh_stream_send(s, 0, xml, len);
}

int bosh_bind(struct bosh *s, const char *resource)
{
    return bosh_stream_bind(s, 0, resource);
}

int bosh_disconnect(struct bosh *s, int64_t now_ms, const char *reason)
{
    struct happening h = {.now_ms = now_ms, .text = reason};

    return verb(s, ON_DISCONNECT, &h);
}

int bosh_pause(struct bosh *s, int seconds)
{
    struct happening h = {.number = seconds};

    return verb(s, ON_PAUSE, &h);
}

int bosh_pause_local(struct bosh *s)
{
    struct happening h = {0};

    return verb(s, ON_PAUSE_LOCAL, &h);
}

int bosh_resume(struct bosh *s)
{
    struct happening h = {0};

    return verb(s, ON_RESUME, &h);
}

int bosh_flush(struct bosh *s)
{
    struct happening h = {0};

    return verb(s, ON_FLUSH, &h);
}

int bosh_reset(struct bosh *s)
{
    struct happening h = {0};

    return verb(s, ON_RESET, &h);
}

/* ---- Streams ----------------------------------------------------------- */

int bosh_stream_add(struct bosh *s, const char *jid, const char *password,
                    const char *route)
{
    struct happening h = {.text = jid, .password = password, .route = route};

    return jid ? verb(s, ON_ADD, &h) : bad_argument(s, "the JID");
}

int bosh_stream_send(struct bosh *s, int stream, const char *xml, size_t len)
{
    struct happening h = {.text = xml, .len = len, .number = stream};
    bool all = stream == BOSH_ALL_STREAMS;

    if (all && !bosh_connected(s)) {
        forget_errors(s);
        err_set(&s->error, "not possible while the session is '%s'",
                session_state_name(s));
        return BOSH_E_STATE;
    }
    return stream_verb(s, all ? first_taker(s) : stream, ON_SEND, &h);
}

int bosh_stream_bind(struct bosh *s, int stream, const char *resource)
{
    struct happening h = {.text = resource};

    return stream_verb(s, stream, ON_BIND, &h);
}

int bosh_stream_close(struct bosh *s, int64_t now_ms, int stream,
                      const char *reason)
{
    struct happening h = {.now_ms = now_ms, .text = reason};

    return stream_verb(s, stream, ON_CLOSE, &h);
}

bool bosh_streams_offered(const struct bosh *s)
{
    return s->streams->name != NULL;
}

const char *bosh_stream_jid(const struct bosh *s, int stream)
{
    const struct stream *st = stream_at(s, stream);

    return st ? st->jid : NULL;
}

const char *bosh_stream_name(const struct bosh *s, int stream)
{
    const struct stream *st = stream_at(s, stream);

    return st ? st->name : NULL;
}

bool bosh_stream_connected(const struct bosh *s, int stream)
{
    const struct stream *st = stream_at(s, stream);

    return st && st->state == STREAM_ONLINE;
}

/* ---- How things stand
 * --------------------------------------------------------- */

uint64_t bosh_rid(const struct bosh *s)
{
    return s->rid;
}

const char *bosh_sid(const struct bosh *s)
{
    return s->sid;
}

const char *bosh_jid(const struct bosh *s)
{
    return s->streams->jid;
}

int bosh_wait_s(const struct bosh *s)
{
    return s->wait_s;
}

int bosh_hold(const struct bosh *s)
{
    return s->hold;
}

int bosh_requests(const struct bosh *s)
{
    return s->requests;
}

int bosh_inactivity_s(const struct bosh *s)
{
    return s->inactivity_s;
}

int bosh_polling_s(const struct bosh *s)
{
    return s->polling_s;
}

int bosh_maxpause_s(const struct bosh *s)
{
    return s->maxpause_s;
}

int bosh_window(const struct bosh *s)
{
    return outgoing_window(s);
}

const char *bosh_keys(struct bosh *s)
{
    if (s->keys.next == 0)
        return NULL;
    keys_write(&s->keys, s->keys_text);
    return s->keys_text;
}

int bosh_errors(const struct bosh *s)
{
    return s->errors;
}

int bosh_open_count(const struct bosh *s)
{
    return window_unanswered(&s->window);
}

bool bosh_connected(const struct bosh *s)
{
    return s->state == SESSION_ONLINE || s->state == SESSION_PAUSED;
}

bool bosh_ended(const struct bosh *s)
{
    return session_is_over(s);
}

size_t bosh_queue_len(const struct bosh *s)
{
    return s->queue.len;
}

bool bosh_settled(const struct bosh *s)
{
    return s->queue.len == 0 && !s->pause_unsent && !streams_speak(s) &&
           !window_is_busy(&s->window);
}

const char *bosh_last_error(const struct bosh *s)
{
    return s->error.text[0] ? s->error.text : s->why.text;
}

/* ---- The I/O side
 * --------------------------------------------------------------- */

int bosh_next_request(struct bosh *s, int64_t now_ms, struct bosh_request *req)
{
    return flow_next_request(s, now_ms, req);
}

int bosh_next_abort(struct bosh *s, uint64_t *id)
{
    return window_next_abort(&s->window, id);
}

void bosh_answer(struct bosh *s, int64_t now_ms, uint64_t id, int http_status,
                 const char *content_type, const char *body, size_t len)
{
    (void)content_type; /* clients do not look at it: XEP-0124 §5 */
    flow_answer(s, now_ms, id, http_status, body, len);
}

void bosh_fail(struct bosh *s, int64_t now_ms, uint64_t id, const char *reason)
{
    flow_fail(s, now_ms, id, reason);
}

int bosh_next_event(struct bosh *s, struct bosh_event *event)
{
    return events_take(&s->events, event);
}

int64_t bosh_deadline_ms(const struct bosh *s)
{
    return flow_deadline(s);
}

void bosh_tick(struct bosh *s, int64_t now_ms)
{
    flow_tick(s, now_ms);
}
