/*
 * The stage on sockets, client role: the client under test in a driver
 * process, the wire as a relay, the mock behind it.
 */
#include "stage_parts.h"

#include <stdlib.h>
#include <string.h>

#include "certs.h"
#include "common/buf.h"
#include "mockserver/http_mhd.h"
#include "mockserver/mock.h"
#include "virtual.h"

#define HOST "127.0.0.1"

/* ------------------------------------------------ what the player wants */

static void do_forward(void *stage, unsigned x)
{
    wire_forward(((struct stage_sockets *)stage)->wire, x);
}

static void do_deliver(void *stage, unsigned x, const struct delivery *plan)
{
    wire_deliver(((struct stage_sockets *)stage)->wire, x, plan);
}

static void do_ignore(void *stage, unsigned x)
{
    wire_ignore(((struct stage_sockets *)stage)->wire, x);
}

static void do_cut(void *stage, unsigned conn, enum delivery_end how)
{
    wire_cut(((struct stage_sockets *)stage)->wire, conn, how);
}

static void do_poke(void *stage)
{
    http_mhd_changed(((struct stage_sockets *)stage)->front);
}

static void do_certificate(void *stage, const char *kind)
{
    struct stage_sockets *st = stage;
    struct err e = {""};

    if (wire_identify(st->wire, certs_identity(st->world->certs, kind), &e) < 0)
        stage_failed(st, stage_now(st), e.text);
}

static void restart_process(struct stage_sockets *st, unsigned client);

static void do_verb(void *stage, const struct verb *v)
{
    struct stage_sockets *st = stage;
    struct stage_client *c;

    if (v->client >= st->client_count)
        return;
    if (st->world->driver != DRIVER_LINE) {
        stage_told_verb(st, v);
        return;
    }
    c = &st->clients[v->client];
    if (strcmp(v->name, "restart-process") == 0) {
        restart_process(st, v->client);
        return;
    }
    if (!c->session)
        return; /* it is lost, and the play is told so */
    st->unanswered++;
    if (strcmp(v->name, "connect") == 0 || strcmp(v->name, "attach") == 0 ||
        strcmp(v->name, "restore") == 0) {
        c->active = true;
        c->streams = 1;
    }
    driver_session_verb(c->session, v,
                        strcmp(v->name, "restore") == 0 ? c->state : NULL);
}

static const struct stage_ops client_ops = {
    .forward = do_forward,
    .deliver = do_deliver,
    .ignore = do_ignore,
    .cut = do_cut,
    .verb = do_verb,
    .poke = do_poke,
    .certificate = do_certificate,
};

/* ------------------------------------------------ what the wire tells */

static void on_opened(void *ctx, int64_t now_ms, unsigned conn)
{
    struct stage_sockets *st = ctx;

    st->conns++;
    if (st->play)
        play_opened(st->play, now_ms, conn);
    stage_turn(st);
}

static void on_closed(void *ctx, int64_t now_ms, unsigned conn,
                      enum delivery_end how, bool by_us)
{
    struct stage_sockets *st = ctx;

    if (st->play)
        play_closed(st->play, now_ms, conn, how, by_us);
    stage_turn(st);
}

static void on_secured(void *ctx, int64_t now_ms, unsigned conn,
                       enum wire_secure how, const char *problem)
{
    static const char *const words[] = {[WIRE_SECURE] = "yes",
                                        [WIRE_IN_CLEAR] = "no",
                                        [WIRE_INSECURE] = "failed"};
    struct stage_sockets *st = ctx;

    if (st->play)
        play_secured(st->play, now_ms, conn, words[how], problem);
    stage_turn(st);
}

static void on_head(void *ctx, int64_t now_ms, unsigned x, unsigned conn,
                    const char *bytes, size_t len)
{
    struct stage_sockets *st = ctx;

    if (st->play)
        play_head(st->play, now_ms, x, conn, bytes, len);
    stage_turn(st);
}

static void on_request(void *ctx, int64_t now_ms, int64_t begun_ms, unsigned x,
                       unsigned conn, const char *bytes, size_t len,
                       enum wire_part arrived, const char *problem)
{
    struct stage_sockets *st = ctx;

    if (st->play)
        play_request(st->play, now_ms, begun_ms, x, conn, bytes, len,
                     stage_part(arrived), problem);
    stage_turn(st);
}

/* The manager may wish to close without an answer (§19.1): the client's
 * connection does then. Anything else is a failure of ours, and the client is
 * not to be judged by it. */
static void no_answer(struct stage_sockets *st, int64_t now_ms, unsigned x,
                      const char *problem)
{
    struct delivery nothing;

    if (!problem && !http_mhd_hung_up(st->front))
        problem = "the manager's HTTP side closed without an answer";
    if (problem) {
        stage_failed(st, now_ms, problem);
        return;
    }
    delivery_init(&nothing);
    nothing.end = DELIVERY_FIN;
    wire_deliver(st->wire, x, &nothing);
    delivery_release(&nothing);
}

static void on_response(void *ctx, int64_t now_ms, unsigned x,
                        const char *bytes, size_t len, enum wire_part came,
                        const char *problem)
{
    struct stage_sockets *st = ctx;

    if (came != WIRE_WHOLE)
        no_answer(st, now_ms, x, problem);
    else if (st->play)
        play_answer(st->play, now_ms, x, bytes, len);
    stage_turn(st);
}

static void on_delivered(void *ctx, int64_t now_ms, unsigned x,
                         enum wire_part how)
{
    struct stage_sockets *st = ctx;

    if (st->play)
        play_delivered(st->play, now_ms, x, stage_part(how));
    stage_turn(st);
}

static void on_abandoned(void *ctx, int64_t now_ms, unsigned x,
                         enum delivery_end how)
{
    struct stage_sockets *st = ctx;

    if (st->play)
        play_abandoned(st->play, now_ms, x, how);
    stage_turn(st);
}

/* ------------------------------------------------ what the driver tells */

static bool is_an_end(const char *status)
{
    static const char *const ends[] = {"disconnected", "connfail", "authfail",
                                       "conntimeout"};
    size_t i;

    for (i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(status, ends[i]) == 0)
            return true;
    return false;
}

static void on_result(void *ctx, int64_t now_ms, unsigned client,
                      const char *verb, const char *result, const char *reason,
                      const char *state)
{
    struct stage_sockets *st = ctx;

    if (state) {
        free(st->clients[client].state);
        st->clients[client].state = mem_dup(state);
    }
    if (st->phase == STAGE_PLAYING)
        st->unanswered--;
    if (strcmp(result, "ok") != 0)
        st->verb_refused = true;
    if (st->phase == STAGE_PLAYING)
        play_verb_result(st->play, now_ms, client, verb, result, reason);
    stage_turn(st);
}

/* A client is over when all its streams are. */
static void note_stream(struct stage_client *c, const struct said *said)
{
    uint64_t bit = said->stream < 64 ? UINT64_C(1) << said->stream : 0;

    if (is_an_end(said->value))
        c->streams &= ~bit;
    else if (said->stream)
        c->streams |= bit;
    if (is_an_end(said->value) && !c->streams)
        c->active = false;
}

/* Once the steps have settled, what is said is about the sign-off, which was
 * our wish and is no fact of the case. */
static void on_said(void *ctx, int64_t now_ms, const struct said *said)
{
    struct stage_sockets *st = ctx;

    if (said->value && strcmp(said->kind, "status") == 0)
        note_stream(&st->clients[said->client], said);
    if (st->phase == STAGE_PLAYING || st->phase == STAGE_SETTLING)
        play_said(st->play, now_ms, said);
    stage_turn(st);
}

static void on_late(void *ctx, int64_t now_ms, int64_t late_ms)
{
    stage_sockets_lag(ctx, now_ms, late_ms);
}

/* All sessions of the stage are in one process: one is lost, all are. */
static void on_lost(void *ctx, int64_t now_ms, const char *why)
{
    struct stage_sockets *st = ctx;
    unsigned i;

    /* the driver frees them, and calls this for each */
    for (i = 0; i < st->client_count; i++) {
        st->clients[i].active = false;
        st->clients[i].session = NULL;
    }
    st->driver_lost = st->driver_lost || st->phase == STAGE_PLAYING;
    play_abort(st->play, now_ms, PLAY_ERROR, why);
    stage_turn(st);
}

/* ------------------------------------------------------------- driver */

static bool knows_verb(void *ctx, const char *verb)
{
    struct stage_sockets *st = ctx;
    struct driver *d = driver_lease_driver(st->lease);

    if (st->world->driver != DRIVER_LINE)
        return stage_told_knows(verb);
    return strcmp(verb, "restart-process") == 0 || !d ||
           driver_knows_verb(d, verb);
}

static bool knows_option(void *ctx, const char *option)
{
    struct stage_sockets *st = ctx;
    struct driver *d = driver_lease_driver(st->lease);

    return !d || driver_knows_option(d, option);
}

static void open_sessions(struct stage_sockets *st, struct driver *d)
{
    struct driver_session_sink sink = {st, on_result, on_said, on_late,
                                       on_lost};
    unsigned i;

    for (i = 0; i < st->client_count; i++)
        st->clients[i].session = driver_session_open(d, &sink, i);
}

static void close_sessions(struct stage_sockets *st)
{
    static const struct verb reset = {.name = "reset"};
    unsigned i;

    for (i = 0; i < st->client_count; i++) {
        struct stage_client *c = &st->clients[i];
        struct driver *d = driver_lease_driver(st->lease);

        /* it must not go on knocking at a port that is no longer ours */
        if (c->session && c->active && d && driver_knows_verb(d, "reset"))
            driver_session_verb(c->session, &reset, NULL);
        driver_session_close(c->session);
        c->session = NULL;
        c->active = false;
    }
}

static void no_driver(struct stage_sockets *st, enum driver_grant grant,
                      const char *why)
{
    int64_t now_ms = stage_now(st);

    if (!st->play) { /* what it can do is not known: nothing is NA for that */
        st->has_status = true;
        st->has_stanza = true;
        stage_play(st, &client_ops);
    }
    st->no_driver = true;
    play_abort(st->play, now_ms, grant == DRIVER_TOO_FEW ? PLAY_NA : PLAY_ERROR,
               why);
    stage_turn(st);
}

static void on_lease(void *ctx, enum driver_grant grant,
                     struct driver_lease *lease, const char *why)
{
    struct stage_sockets *st = ctx;
    struct driver *d = driver_lease_driver(lease);

    st->lease = lease;
    if (!d) {
        no_driver(st, grant, why);
        return;
    }
    open_sessions(st, d);
    if (st->restarting) {
        st->restarting = false;
        play_verb_result(st->play, stage_now(st), st->restart_client,
                         "restart-process", "ok", NULL);
        stage_turn(st);
        return;
    }
    st->peer =
        mem_printf("%s %s", driver_hello(d)->name, driver_hello(d)->version);
    st->has_status = driver_knows_event(d, "status");
    st->has_stanza = driver_knows_event(d, "stanza");
    stage_play(st, &client_ops);
}

static void restart_process(struct stage_sockets *st, unsigned client)
{
    unsigned i;

    st->restarting = true;
    st->restart_client = client;
    for (i = 0; i < st->client_count; i++) {
        driver_session_close(st->clients[i].session);
        st->clients[i].session = NULL;
        st->clients[i].active = false;
    }
    driver_lease_free(st->lease);
    st->lease = NULL;
    driver_pool_lease_again(st->world->pool, st->client_count, on_lease, st);
}

/* ------------------------------------------------------------- start */

static void count_names(const struct step *steps, size_t count,
                        const char **names, unsigned *n)
{
    size_t i;
    unsigned k;

    for (i = 0; i < count; i++) {
        const char *name = steps[i].client;

        count_names(steps[i].steps, steps[i].step_count, names, n);
        for (k = 0; name && k < *n && strcmp(names[k], name) != 0; k++)
            ;
        if (name && k == *n && *n + 1 < STAGE_MAX_CLIENTS)
            names[(*n)++] = name;
    }
}

unsigned stage_sockets_clients(const struct testcase *tc)
{
    const char *names[STAGE_MAX_CLIENTS];
    unsigned n = 0;

    count_names(tc->steps, tc->step_count, names, &n);
    return n + 1; /* and the one without a name */
}

static bool wants_own_process(const struct testcase *tc)
{
    size_t i;

    for (i = 0; i < tc->needs_count; i++)
        if (tc->needs[i].own_process)
            return true;
    return false;
}

/* NULL without e: it speaks no TLS. */
static const struct wire_identity *identity_of(const struct stage_sockets *st,
                                               struct err *e)
{
    const struct certs *certs = st->world->certs;

    if (!testcase_has_tls(st->tc))
        return NULL;
    if (certs)
        return certs_identity(certs, st->tc->manager.tls);
    err_set(e, "there are no certificates");
    return NULL;
}

static int listen_for_client(struct stage_sockets *st, struct err *e)
{
    struct wire_sink sink = {
        .ctx = st,
        .opened = on_opened,
        .closed = on_closed,
        .secured = on_secured,
        .head = on_head,
        .request = on_request,
        .response = on_response,
        .delivered = on_delivered,
        .abandoned = on_abandoned,
        .failed = stage_failed,
    };
    const struct wire_identity *identity = identity_of(st, e);
    int port;

    st->wire = wire_new(st->world->loop, &sink);
    if (e->text[0])
        return -1;
    port = wire_listen(st->wire, HOST, 0, identity, http_mhd_connect, st->front,
                       e);
    if (port < 0)
        return -1;
    st->url = mem_printf("%s://" HOST ":%d/http-bind",
                         identity ? "https" : "http", port);
    if (identity) {
        st->setting.tls = true;
        st->setting.ca_file = certs_ca_file(st->world->certs);
    }
    return 0;
}

int stage_client_start(struct stage_sockets *st, struct err *e)
{
    struct mock_options options = grant_options(st->tc);

    st->mock = mock_new(&options);
    st->front = http_mhd_new(st->world->loop, st->mock, e);
    if (!st->front)
        return -1;
    st->handles++;
    if (listen_for_client(st, e) < 0)
        return -1;
    st->setting.mock = st->mock;
    st->setting.url = st->url;
    st->setting.jid = "alice@localhost";
    st->setting.password = "secret";
    st->setting.knows_verb = knows_verb;
    st->setting.knows_option = knows_option;
    st->setting.knows_ctx = st;
    st->client_count = stage_sockets_clients(st->tc);
    if (st->world->driver != DRIVER_LINE) {
        stage_told_start(st);
        stage_play(st, &client_ops);
        return 0;
    }
    driver_pool_lease(st->world->pool, st->client_count,
                      st->own_process || wants_own_process(st->tc), on_lease,
                      st);
    return 0;
}

/* ------------------------------------------------------------- the end */

void stage_client_sign_off(struct stage_sockets *st)
{
    static const struct verb leave = {.name = "disconnect"};
    struct driver *d = driver_lease_driver(st->lease);
    unsigned i;

    if (st->world->driver != DRIVER_LINE)
        stage_told_sign_off(st);
    for (i = 0; d && i < st->client_count; i++)
        if (st->clients[i].active && driver_knows_verb(d, "disconnect"))
            driver_session_verb(st->clients[i].session, &leave, NULL);
}

bool stage_client_signed_off(const struct stage_sockets *st)
{
    unsigned i;

    for (i = 0; i < st->client_count; i++)
        if (st->clients[i].active)
            return false;
    return true;
}

void stage_client_own_up(struct stage_sockets *st)
{
    if (st->world->driver == DRIVER_LINE && st->client_count)
        driver_session_own_up(st->clients[0].session);
}

void stage_client_close(struct stage_sockets *st)
{
    if (st->world->driver == DRIVER_LINE) {
        driver_pool_forget(st->world->pool, st);
        close_sessions(st);
        driver_lease_free(st->lease);
        st->lease = NULL;
    } else {
        stage_told_close(st);
    }
    if (st->front)
        http_mhd_free(st->front, stage_closed, st);
    st->front = NULL;
}

void stage_client_release(struct stage_sockets *st)
{
    unsigned i;

    stage_told_release(st);
    mock_free(st->mock);
    free(st->url);
    free(st->peer);
    for (i = 0; i < STAGE_MAX_CLIENTS; i++)
        free(st->clients[i].state);
}
