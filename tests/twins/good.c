/* The good peers under a virtual clock: see twins.h. */
#include "twins.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client-under-test/asked.h"
#include "client-under-test/bosh.h"

/* ---- libbosh's session core as a client ---- */

struct libbosh_peer {
    struct client_peer base;
    void (*tweak)(struct bosh_options *o);
    struct bosh *session; /* NULL until the first connect or attach */
    struct bosh *old;     /* the one before: its last event is still borrowed */
    char *saved_jid, *saved_sid;
    uint64_t saved_rid;
    char *saved_keys;
    struct err error; /* of the options of this verb */
};

static struct libbosh_peer *libbosh(struct client_peer *cp)
{
    return (struct libbosh_peer *)cp;
}

static const char *arg(const struct verb *v, const char *name)
{
    for (size_t i = 0; i < v->arg_count; i++) {
        if (strcmp(v->args[i].name, name) == 0)
            return v->args[i].value;
    }
    return NULL;
}

static int number(const struct verb *v, const char *name)
{
    return arg(v, name) ? atoi(arg(v, name)) : 0;
}

/* As bosh-client does it. Returns 0, or -1 when an option does not fit. */
static int set_all(struct asked *a, const struct verb *v, struct err *e)
{
    if (arg(v, "wait"))
        a->options.wait_s = atoi(arg(v, "wait"));
    if (arg(v, "hold"))
        a->options.hold = atoi(arg(v, "hold"));
    a->options.route = arg(v, "route");
    for (size_t i = 0; i < v->option_count; i++) {
        if (asked_set(a, v->options[i].name, v->options[i].value, e))
            return -1;
    }
    return 0;
}

/* Returns 0, or -1 with lp->error set. */
static int new_session(struct libbosh_peer *lp, const struct verb *v)
{
    struct asked a;
    int rc;

    asked_init(&a);
    rc = set_all(&a, v, &lp->error);
    if (rc == 0) {
        if (lp->tweak)
            lp->tweak(&a.options);
        bosh_free(lp->old);
        lp->old = lp->session;
        lp->session = bosh_new(&a.options);
    }
    asked_release(&a);
    return rc;
}

static const char *said_of(struct libbosh_peer *lp, int result,
                           struct buf *reason)
{
    if (result >= 0)
        return "ok";
    if (lp->error.text[0])
        buf_adds(reason, lp->error.text);
    else
        buf_adds(reason,
                 lp->session ? bosh_last_error(lp->session) : "no session");
    return "error";
}

static int attach(struct libbosh_peer *lp, int64_t now_ms, const struct verb *v)
{
    struct bosh_attach known = {.wait_s = -1,
                                .hold = -1,
                                .requests = -1,
                                .inactivity_s = -1,
                                .polling_s = -1,
                                .maxpause_s = -1};

    if (new_session(lp, v))
        return -1;
    known.jid = arg(v, "jid");
    known.sid = arg(v, "sid");
    known.rid = arg(v, "rid") ? strtoull(arg(v, "rid"), NULL, 10) : 0;
    return bosh_attach(lp->session, now_ms, &known);
}

static void save(struct libbosh_peer *lp)
{
    free(lp->saved_jid);
    free(lp->saved_sid);
    free(lp->saved_keys);
    lp->saved_keys = mem_dup(bosh_keys(lp->session));
    lp->saved_jid = mem_dup(bosh_jid(lp->session));
    lp->saved_sid = mem_dup(bosh_sid(lp->session));
    lp->saved_rid = bosh_rid(lp->session);
}

static bool same_bare_jid(const char *a, const char *b)
{
    size_t len = strcspn(a, "/");

    return strcspn(b, "/") == len && strncmp(a, b, len) == 0;
}

static int restore(struct libbosh_peer *lp, int64_t now_ms,
                   const struct verb *v)
{
    const char *jid = arg(v, "jid");
    struct bosh_attach known = {.jid = lp->saved_jid,
                                .sid = lp->saved_sid,
                                .rid = lp->saved_rid,
                                .keys = lp->saved_keys,
                                .wait_s = -1,
                                .hold = -1,
                                .requests = -1,
                                .inactivity_s = -1,
                                .polling_s = -1,
                                .maxpause_s = -1};

    if (!known.jid || (jid && !same_bare_jid(jid, known.jid)))
        return err_set(&lp->error, "no session of that user was saved");
    if (new_session(lp, v))
        return -1;
    return bosh_attach(lp->session, now_ms, &known);
}

static const char *libbosh_verb(struct client_peer *cp, int64_t now_ms,
                                const struct verb *v, struct buf *reason)
{
    struct libbosh_peer *lp = libbosh(cp);
    const char *xml = arg(v, "xml");
    int done;

    lp->error = (struct err){""};
    if (strcmp(v->name, "connect") == 0) {
        done = new_session(lp, v);
        if (done == 0)
            done = bosh_connect(lp->session, now_ms, arg(v, "jid"),
                                arg(v, "password"));
    } else if (strcmp(v->name, "attach") == 0) {
        done = attach(lp, now_ms, v);
    } else if (strcmp(v->name, "restore") == 0) {
        done = restore(lp, now_ms, v);
    } else if (!lp->session) {
        done = -1;
    } else if (strcmp(v->name, "send") == 0) {
        done = bosh_stream_send(lp->session, number(v, "stream"),
                                xml ? xml : "", xml ? strlen(xml) : 0);
    } else if (strcmp(v->name, "add-stream") == 0) {
        done = bosh_stream_add(lp->session, arg(v, "jid"), arg(v, "password"),
                               arg(v, "route"));
    } else if (strcmp(v->name, "close-stream") == 0) {
        done = bosh_stream_close(lp->session, now_ms, number(v, "stream"),
                                 arg(v, "reason"));
    } else if (strcmp(v->name, "disconnect") == 0) {
        done = bosh_disconnect(lp->session, now_ms, arg(v, "reason"));
    } else if (strcmp(v->name, "pause") == 0) {
        done = arg(v, "seconds")
                   ? bosh_pause(lp->session, atoi(arg(v, "seconds")))
                   : bosh_pause_local(lp->session);
    } else if (strcmp(v->name, "resume") == 0) {
        done = bosh_resume(lp->session);
    } else if (strcmp(v->name, "flush") == 0) {
        done = bosh_flush(lp->session);
    } else if (strcmp(v->name, "reset") == 0 ||
               strcmp(v->name, "restart-process") == 0) {
        /* a process that ends does so without a word */
        done = bosh_reset(lp->session);
    } else if (strcmp(v->name, "bind") == 0) {
        done = bosh_bind(lp->session, arg(v, "resource"));
    } else if (strcmp(v->name, "save") == 0) {
        save(lp);
        done = 0;
    } else {
        return "unsupported";
    }
    return said_of(lp, done, reason);
}

static int libbosh_next_request(struct client_peer *cp, int64_t now_ms,
                                struct peer_request *out)
{
    struct libbosh_peer *lp = libbosh(cp);
    struct bosh_request r;

    if (!lp->session || !bosh_next_request(lp->session, now_ms, &r))
        return 0;
    out->id = r.id;
    out->rid = r.rid;
    out->attempt = r.attempt;
    out->body = r.body;
    out->len = r.len;
    out->coding = r.coding;
    out->http = NULL;
    out->http_len = 0;
    out->pipelined = false;
    return 1;
}

static int libbosh_next_abort(struct client_peer *cp, uint64_t *id)
{
    struct libbosh_peer *lp = libbosh(cp);

    return lp->session ? bosh_next_abort(lp->session, id) : 0;
}

static void libbosh_answer(struct client_peer *cp, int64_t now_ms, uint64_t id,
                           int status, const char *content_type,
                           const char *body, size_t len)
{
    bosh_answer(libbosh(cp)->session, now_ms, id, status, content_type, body,
                len);
}

static void libbosh_fail(struct client_peer *cp, int64_t now_ms, uint64_t id,
                         const char *reason)
{
    bosh_fail(libbosh(cp)->session, now_ms, id, reason);
}

static int libbosh_next_event(struct client_peer *cp, struct said *out)
{
    struct libbosh_peer *lp = libbosh(cp);
    struct bosh_event ev;

    do {
        if (!lp->session || !bosh_next_event(lp->session, &ev))
            return 0;
    } while (ev.kind == BOSH_EVENT_DRAINED);
    memset(out, 0, sizeof *out);
    out->stream = (unsigned)ev.stream;
    if (ev.kind == BOSH_EVENT_STANZA) {
        out->kind = "stanza";
        out->text = ev.xml;
    } else {
        out->kind = "status";
        out->value = bosh_status_name(ev.status);
        out->condition = ev.condition;
    }
    return 1;
}

static int64_t libbosh_deadline_ms(struct client_peer *cp)
{
    struct libbosh_peer *lp = libbosh(cp);

    return lp->session ? bosh_deadline_ms(lp->session) : BOSH_NEVER;
}

static void libbosh_tick(struct client_peer *cp, int64_t now_ms)
{
    struct libbosh_peer *lp = libbosh(cp);

    if (lp->session)
        bosh_tick(lp->session, now_ms);
}

static void libbosh_free(struct client_peer *cp)
{
    struct libbosh_peer *lp = libbosh(cp);

    bosh_free(lp->session);
    bosh_free(lp->old);
    free(lp->saved_jid);
    free(lp->saved_sid);
    free(lp->saved_keys);
    free(lp);
}

static const struct client_peer_ops libbosh_ops = {
    libbosh_verb,        libbosh_next_request,
    libbosh_next_abort,  libbosh_answer,
    libbosh_fail,        libbosh_next_event,
    libbosh_deadline_ms, libbosh_tick,
    libbosh_free,        NULL,
};

struct client_peer *peer_libbosh(void (*tweak)(struct bosh_options *o))
{
    struct libbosh_peer *lp = mem_alloc(sizeof *lp);

    lp->base.ops = &libbosh_ops;
    lp->tweak = tweak;
    return &lp->base;
}

/* ---- the mock's core as a server ---- */

struct mock_peer {
    struct server_peer base;
    struct mock *mock;
};

static struct mock *mock_of(struct server_peer *sp)
{
    return ((struct mock_peer *)sp)->mock;
}

static void mock_peer_request(struct server_peer *sp, int64_t now_ms,
                              const struct mock_request *req, uint64_t token)
{
    mock_request(mock_of(sp), now_ms, req, token);
}

static int mock_peer_next_answer(struct server_peer *sp, int64_t now_ms,
                                 struct mock_answer *out)
{
    return mock_next_answer(mock_of(sp), now_ms, out);
}

static void mock_peer_gone(struct server_peer *sp, int64_t now_ms,
                           uint64_t token)
{
    mock_gone(mock_of(sp), now_ms, token);
}

static int64_t mock_peer_deadline_ms(struct server_peer *sp)
{
    return mock_deadline_ms(mock_of(sp));
}

static void mock_peer_tick(struct server_peer *sp, int64_t now_ms)
{
    mock_tick(mock_of(sp), now_ms);
}

static void mock_peer_free(struct server_peer *sp)
{
    mock_free(mock_of(sp));
    free(sp);
}

static const struct server_peer_ops mock_peer_ops = {
    .request = mock_peer_request,
    .next_answer = mock_peer_next_answer,
    .gone = mock_peer_gone,
    .deadline_ms = mock_peer_deadline_ms,
    .tick = mock_peer_tick,
    .free = mock_peer_free,
};

/* Of SCRAM's hash: thousands of logins would spend most of their time on it. */
#define FEW_ITERATIONS 16

struct server_peer *peer_mock(const struct mock_options *options)
{
    struct mock_options o = options ? *options : mock_options_default();
    struct mock_peer *mp = mem_alloc(sizeof *mp);

    o.scram_iterations = FEW_ITERATIONS;
    mp->base.ops = &mock_peer_ops;
    mp->mock = mock_new(&o);
    return &mp->base;
}
