/* The driver protocol: see driver_verbs.h. */
#include "driver_verbs.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "bosh.h"
#include "common/buf.h"

#define PROTOCOL 1

struct session {
    struct session *next;
    struct verbs *verbs;
    long long number;
    struct bosh *bosh;
};

struct verbs {
    struct bosh_driver *driver;
    struct session *sessions;
    bool done;
};

/* ---- Out --------------------------------------------------------------------
 */

static void put(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);

    if (text)
        puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

/* With `key` only where there is a value. */
static void set_text(json_t *object, const char *key, const char *value)
{
    if (value && *value)
        json_object_set_new(object, key, json_string(value));
}

static json_t *reply_to(const json_t *line, const char *result,
                        const char *reason)
{
    json_t *reply = json_object();
    json_t *id = json_object_get(line, "id");

    json_object_set(reply, "id", id ? id : json_null());
    set_text(reply, "result", result);
    set_text(reply, "reason", reason);
    return reply;
}

static void ok(const json_t *line)
{
    put(reply_to(line, "ok", NULL));
}

static void refuse(const json_t *line, const char *reason)
{
    put(reply_to(line, "error", reason));
}

void driver_verbs_error(struct verbs *v, const char *reason)
{
    (void)v;
    put(json_pack("{s:s, s:s}", "event", "error", "reason", reason));
}

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    struct session *session = ctx;
    json_t *line;

    (void)s;
    if (event->kind == BOSH_EVENT_DRAINED)
        return; /* the protocol has no word for it */
    line = json_object();
    json_object_set_new(line, "session", json_integer(session->number));
    if (event->stream)
        json_object_set_new(line, "stream", json_integer(event->stream));
    if (event->kind == BOSH_EVENT_STATUS) {
        set_text(line, "event", "status");
        set_text(line, "status", bosh_status_name(event->status));
        set_text(line, "condition", event->condition);
        set_text(line, "detail", event->detail);
    } else {
        set_text(line, "event", "stanza");
        json_object_set_new(line, "xml",
                            json_stringn(event->xml, event->xml_len));
    }
    put(line);
}

/* ---- Sessions ---------------------------------------------------------------
 */

static struct session *find(const struct verbs *v, long long number)
{
    struct session *s = v->sessions;

    while (s && s->number != number)
        s = s->next;
    return s;
}

static void forget(struct verbs *v, struct session *session)
{
    struct session **at = &v->sessions;

    while (*at && *at != session)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = session->next;
    bosh_driver_remove(v->driver, session->bosh);
    bosh_free(session->bosh);
    free(session);
}

struct verbs *driver_verbs_new(struct bosh_driver *driver)
{
    struct verbs *v = mem_alloc(sizeof *v);

    v->driver = driver;
    return v;
}

void driver_verbs_free(struct verbs *v)
{
    if (!v)
        return;
    while (v->sessions)
        forget(v, v->sessions);
    free(v);
}

void driver_verbs_quit(struct verbs *v)
{
    v->done = true;
}

bool driver_verbs_done(const struct verbs *v)
{
    return v->done;
}

/* ---- Verbs ------------------------------------------------------------------
 */

/* A new session under that number; an older one that is over makes room. NULL
 * when the reply has been given. */
static struct session *open_session(struct verbs *v, const json_t *line)
{
    long long number = asked_number(line, "session", 0);
    struct session *session = find(v, number);
    struct bosh_hook hook = {.event = on_event};
    struct asked asked;
    struct err e = {""};

    if (session && !bosh_ended(session->bosh)) {
        refuse(line, "the session is alive");
        return NULL;
    }
    if (asked_read(&asked, line, &e)) {
        asked_release(&asked);
        refuse(line, e.text);
        return NULL;
    }
    if (session)
        forget(v, session);
    session = mem_alloc(sizeof *session);
    session->verbs = v;
    session->number = number;
    session->bosh = bosh_new(&asked.options);
    session->next = v->sessions;
    v->sessions = session;
    asked_release(&asked);
    hook.ctx = session;
    if (bosh_driver_add(v->driver, session->bosh, hook)) {
        forget(v, session);
        refuse(line, bosh_driver_last_error(v->driver));
        return NULL;
    }
    return session;
}

/* Reply as the library says, then let it act. */
static void settle(struct verbs *v, const json_t *line, struct session *session,
                   int rc)
{
    if (rc)
        refuse(line, bosh_last_error(session->bosh));
    else
        ok(line);
    bosh_driver_pump(v->driver, session->bosh);
}

static void do_connect(struct verbs *v, const json_t *line, struct session *old)
{
    struct session *session = open_session(v, line);

    (void)old;
    if (session)
        settle(v, line, session,
               bosh_connect(session->bosh, bosh_driver_now_ms(),
                            asked_text(line, "jid"),
                            asked_text(line, "password")));
}

/* known's numbers from an object with the names of the driver protocol. */
static void read_known(struct bosh_attach *known, const json_t *from)
{
    known->sid = asked_text(from, "sid");
    known->rid = (uint64_t)asked_number(from, "rid", 0);
    known->wait_s = (int)asked_number(from, "wait", -1);
    known->hold = (int)asked_number(from, "hold", -1);
    known->requests = (int)asked_number(from, "requests", -1);
    known->inactivity_s = (int)asked_number(from, "inactivity", -1);
    known->polling_s = (int)asked_number(from, "polling", -1);
    known->maxpause_s = (int)asked_number(from, "maxpause", -1);
    known->keys = asked_text(from, "keys");
}

static void attach(struct verbs *v, const json_t *line,
                   const struct bosh_attach *known)
{
    struct session *session = open_session(v, line);

    if (session)
        settle(v, line, session,
               bosh_attach(session->bosh, bosh_driver_now_ms(), known));
}

static void do_attach(struct verbs *v, const json_t *line, struct session *old)
{
    struct bosh_attach known = {.jid = asked_text(line, "jid")};

    (void)old;
    read_known(&known, line);
    attach(v, line, &known);
}

static bool same_bare_jid(const char *a, const char *b)
{
    size_t len = strcspn(a, "/");

    return strcspn(b, "/") == len && strncmp(a, b, len) == 0;
}

/* The stored session is taken up only for whom it was stored. */
static void do_restore(struct verbs *v, const json_t *line, struct session *old)
{
    json_t *state = json_object_get(line, "state");
    const char *jid = asked_text(line, "jid");
    struct bosh_attach known = {.jid = asked_text(state, "jid")};

    (void)old;
    read_known(&known, state);
    if (!known.jid || !known.sid || known.rid == 0)
        refuse(line, "the state holds no session");
    else if (jid && !same_bare_jid(jid, known.jid))
        refuse(line, "the state is somebody else's");
    else
        attach(v, line, &known);
}

static void do_save(struct verbs *v, const json_t *line,
                    struct session *session)
{
    struct bosh *s = session->bosh;
    json_t *reply;
    json_t *state;

    (void)v;
    if (!bosh_connected(s)) {
        refuse(line, "the session is not logged in");
        return;
    }
    reply = reply_to(line, "ok", NULL);
    state = json_pack("{s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:i}", "jid",
                      bosh_jid(s), "sid", bosh_sid(s), "rid",
                      (json_int_t)bosh_rid(s), "wait", bosh_wait_s(s), "hold",
                      bosh_hold(s), "requests", bosh_requests(s), "inactivity",
                      bosh_inactivity_s(s), "polling", bosh_polling_s(s),
                      "maxpause", bosh_maxpause_s(s));
    set_text(state, "keys", bosh_keys(s));
    json_object_set_new(reply, "state", state);
    put(reply);
}

/* What is no number of a stream is refused by the library. */
static int stream_of(const json_t *line)
{
    long long stream = asked_number(line, "stream", 0);

    return stream < -1 || stream > INT_MAX ? INT_MAX : (int)stream;
}

static void do_send(struct verbs *v, const json_t *line,
                    struct session *session)
{
    const char *xml = asked_text(line, "xml");

    if (!xml)
        refuse(line, "'xml' is missing");
    else
        settle(
            v, line, session,
            bosh_stream_send(session->bosh, stream_of(line), xml, strlen(xml)));
}

static void do_add_stream(struct verbs *v, const json_t *line,
                          struct session *session)
{
    const char *jid = asked_text(line, "jid");
    json_t *reply;
    int stream;

    if (!jid) {
        refuse(line, "'jid' is missing");
        return;
    }
    stream = bosh_stream_add(session->bosh, jid, asked_text(line, "password"),
                             asked_text(line, "route"));
    if (stream < 0) {
        refuse(line, bosh_last_error(session->bosh));
        return;
    }
    reply = reply_to(line, "ok", NULL);
    json_object_set_new(reply, "stream", json_integer(stream));
    put(reply);
    bosh_driver_pump(v->driver, session->bosh);
}

static void do_close_stream(struct verbs *v, const json_t *line,
                            struct session *session)
{
    settle(v, line, session,
           bosh_stream_close(session->bosh, bosh_driver_now_ms(),
                             stream_of(line), asked_text(line, "reason")));
}

static void do_disconnect(struct verbs *v, const json_t *line,
                          struct session *session)
{
    settle(v, line, session,
           bosh_disconnect(session->bosh, bosh_driver_now_ms(),
                           asked_text(line, "reason")));
}

static void do_bind(struct verbs *v, const json_t *line,
                    struct session *session)
{
    settle(v, line, session,
           bosh_stream_bind(session->bosh, stream_of(line),
                            asked_text(line, "resource")));
}

static void do_pause(struct verbs *v, const json_t *line,
                     struct session *session)
{
    int seconds = (int)asked_number(line, "seconds", 0);

    settle(v, line, session,
           json_object_get(line, "seconds") ? bosh_pause(session->bosh, seconds)
                                            : bosh_pause_local(session->bosh));
}

static void do_resume(struct verbs *v, const json_t *line,
                      struct session *session)
{
    settle(v, line, session, bosh_resume(session->bosh));
}

static void do_flush(struct verbs *v, const json_t *line,
                     struct session *session)
{
    settle(v, line, session, bosh_flush(session->bosh));
}

static void do_reset(struct verbs *v, const json_t *line,
                     struct session *session)
{
    settle(v, line, session, bosh_reset(session->bosh));
}

static void do_ping(struct verbs *v, const json_t *line,
                    struct session *session)
{
    (void)v;
    (void)session;
    ok(line);
}

static void do_quit(struct verbs *v, const json_t *line,
                    struct session *session)
{
    (void)session;
    ok(line);
    driver_verbs_quit(v);
}

static void do_hello(struct verbs *v, const json_t *line,
                     struct session *session);

static const struct verb {
    const char *name;
    void (*act)(struct verbs *v, const json_t *line, struct session *session);
    bool needs_session;
} VERBS[] = {
    {"hello", do_hello, false},
    {"connect", do_connect, false},
    {"send", do_send, true},
    {"disconnect", do_disconnect, true},
    {"pause", do_pause, true},
    {"resume", do_resume, true},
    {"flush", do_flush, true},
    {"reset", do_reset, true},
    {"attach", do_attach, false},
    {"save", do_save, true},
    {"restore", do_restore, false},
    {"ping", do_ping, false},
    {"quit", do_quit, false},
    {"bind", do_bind, true},
    {"add-stream", do_add_stream, true},
    {"close-stream", do_close_stream, true},
};
#define VERB_COUNT (sizeof VERBS / sizeof VERBS[0])

static void do_hello(struct verbs *v, const json_t *line,
                     struct session *session)
{
    json_t *reply;
    json_t *names;
    json_t *options;

    (void)v;
    (void)session;
    if (asked_number(line, "protocol", 0) != PROTOCOL) {
        refuse(line, "only protocol 1 is spoken here");
        return;
    }
    names = json_array();
    for (size_t i = 0; i < VERB_COUNT; i++)
        json_array_append_new(names, json_string(VERBS[i].name));
    options = json_array();
    for (size_t i = 0; asked_option_name(i); i++)
        json_array_append_new(options, json_string(asked_option_name(i)));
    reply = reply_to(line, "ok", NULL);
    json_object_update_new(
        reply, json_pack("{s:i, s:s, s:s, s:o, s:[s,s,s], s:o, s:i}",
                         "protocol", PROTOCOL, "name", "bosh-client", "version",
                         BOSH_LIB_VERSION, "verbs", names, "events", "status",
                         "stanza", "error", "options", options, "sessions", 0));
    put(reply);
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(VERBS[i].name, name) == 0)
            return &VERBS[i];
    }
    return NULL;
}

static void act(struct verbs *v, const json_t *line)
{
    const char *name = asked_text(line, "verb");
    const struct verb *verb = name ? find_verb(name) : NULL;
    struct session *session = find(v, asked_number(line, "session", 0));

    if (!name)
        refuse(line, "'verb' is missing");
    else if (!verb)
        put(reply_to(line, "unsupported", NULL));
    else if (verb->needs_session && !session)
        refuse(line, "there is no such session");
    else
        verb->act(v, line, session);
}

void driver_verbs_line(struct verbs *v, const char *text, size_t len)
{
    json_error_t error;
    json_t *line = json_loadb(text, len, 0, &error);

    if (json_is_object(line))
        act(v, line);
    else
        driver_verbs_error(v, "the line is not a JSON object");
    json_decref(line);
}
