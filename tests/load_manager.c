/* See load_manager.h. */
#include "load_manager.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "common/http.h"
#include "mockserver/http_mhd.h"
#include "mockserver/mock.h"

#define HOST "127.0.0.1"
#define EVERY 10
#define FIRST_MAX 65536

/* A relay takes WIRE_MAX_CONNS connections: two a session, and those that are
 * on their way out. */
#define SESSIONS_A_RELAY 50

struct relay {
    struct load_manager *manager;
    struct wire *wire;
    int port;
    unsigned char *faults; /* by exchange */
    size_t fault_cap;
};

struct load_manager {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t stop;
    struct mock *mock;
    struct http_mhd *front;
    struct relay *relays;
    size_t relay_count;
    struct load_setup setup;
    unsigned *exchanges; /* by session */
    size_t harmed;
    struct load_tally tally;
};

/* ---- Harm ----------------------------------------------------------------
 */

/* The kinds take turns; sessions do not all suffer at the same place. */
static enum load_fault next_fault(struct load_manager *m, size_t session)
{
    m->tally.exchanges++;
    if (!m->setup.harm || (++m->exchanges[session] + session) % EVERY != 0)
        return LOAD_NONE;
    return (enum load_fault)(1 + m->harmed++ % (LOAD_FAULT_COUNT - 1));
}

static void note_fault(struct relay *r, unsigned x, enum load_fault fault)
{
    if (x >= r->fault_cap) {
        size_t cap = 2 * (size_t)x + 64;

        r->faults = mem_grow(r->faults, cap);
        memset(r->faults + r->fault_cap, 0, cap - r->fault_cap);
        r->fault_cap = cap;
    }
    r->faults[x] = (unsigned char)fault;
    r->manager->tally.faults[fault]++;
}

/* In place of an answer, or of its rest. */
static void deliver(struct relay *r, unsigned x, const char *bytes, size_t len,
                    enum delivery_end end)
{
    struct delivery plan;

    delivery_init(&plan);
    if (len)
        delivery_add(&plan, 0, bytes, len);
    plan.end = end;
    wire_deliver(r->wire, x, &plan);
    delivery_release(&plan);
}

static void deliver_503(struct relay *r, unsigned x)
{
    struct buf out = BUF_INIT;

    http_write_response(&out, 503, NULL, NULL, 0, NULL, 0);
    deliver(r, x, out.data, out.len, DELIVERY_KEEP);
    buf_release(&out);
}

static void treat_request(struct relay *r, unsigned x, enum load_fault fault)
{
    switch (fault) {
    case LOAD_FIN_EARLY:
        deliver(r, x, NULL, 0, DELIVERY_FIN);
        return;
    case LOAD_RST_EARLY:
        deliver(r, x, NULL, 0, DELIVERY_RST);
        return;
    case LOAD_503_EARLY:
        deliver_503(r, x);
        return;
    case LOAD_NONE:
    case LOAD_FIN_LATE:
    case LOAD_RST_LATE:
    case LOAD_503_LATE:
    case LOAD_FAULT_COUNT:
        break;
    }
    wire_forward(r->wire, x);
}

static void treat_answer(struct relay *r, unsigned x, const char *bytes,
                         size_t len)
{
    switch ((enum load_fault)r->faults[x]) {
    case LOAD_FIN_LATE:
        deliver(r, x, bytes, len - len / 4, DELIVERY_FIN);
        return;
    case LOAD_RST_LATE:
        deliver(r, x, NULL, 0, DELIVERY_RST);
        return;
    case LOAD_503_LATE:
        deliver_503(r, x);
        return;
    case LOAD_NONE:
    case LOAD_FIN_EARLY:
    case LOAD_RST_EARLY:
    case LOAD_503_EARLY:
    case LOAD_FAULT_COUNT:
        break;
    }
    deliver(r, x, bytes, len, DELIVERY_KEEP);
}

/* ---- What the wires tell ---------------------------------------------------
 */

/* Its target is a path, or as a proxy gets it. There is a NUL behind. */
static size_t session_of(const struct load_manager *m, const char *bytes)
{
    const char *at;

    if (strncmp(bytes, "POST ", 5) != 0)
        return m->setup.sessions;
    at = bytes + 5;
    if (strncmp(at, "http://", 7) == 0)
        at += 7 + strcspn(at + 7, "/ ");
    return strtoul(at + 1, NULL, 10);
}

static void on_request(void *ctx, int64_t now_ms, int64_t begun_ms, unsigned x,
                       unsigned conn, const char *bytes, size_t len,
                       enum wire_part arrived, const char *problem)
{
    struct relay *r = ctx;
    struct load_manager *m = r->manager;
    size_t session;

    (void)now_ms;
    (void)begun_ms;
    if (problem)
        err_set(&m->tally.problem, "a request: %s", problem);
    if (arrived != WIRE_WHOLE)
        return; /* its connection is gone */
    session = session_of(m, bytes);
    if (session >= m->setup.sessions) {
        err_set(&m->tally.problem, "a request is nobody's");
        wire_cut(r->wire, conn, DELIVERY_RST);
        return;
    }
    if (session == 0 && m->tally.first.len < FIRST_MAX)
        buf_add(&m->tally.first, bytes, len);
    note_fault(r, x, next_fault(m, session));
    treat_request(r, x, (enum load_fault)r->faults[x]);
}

static void on_response(void *ctx, int64_t now_ms, unsigned x,
                        const char *bytes, size_t len, enum wire_part came,
                        const char *problem)
{
    struct relay *r = ctx;

    (void)now_ms;
    if (came == WIRE_WHOLE) {
        treat_answer(r, x, bytes, len);
        return;
    }
    err_set(&r->manager->tally.problem, "no answer from the mock: %s",
            problem ? problem : "it hung up");
    deliver(r, x, NULL, 0, DELIVERY_FIN);
}

static void on_failed(void *ctx, int64_t now_ms, const char *problem)
{
    struct relay *r = ctx;

    (void)now_ms;
    err_set(&r->manager->tally.problem, "a relay: %s", problem);
}

static const struct wire_sink NEWS = {
    .request = on_request, .response = on_response, .failed = on_failed};

/* ---- Beginning and end -----------------------------------------------------
 */

static void close_everything(struct load_manager *m)
{
    for (size_t i = 0; i < m->relay_count; i++)
        wire_free(m->relays[i].wire, NULL, NULL);
    http_mhd_free(m->front, NULL, NULL);
    uv_close((uv_handle_t *)&m->stop, NULL);
}

static void on_stop(uv_async_t *async)
{
    close_everything(async->data);
}

static void *run(void *ctx)
{
    struct load_manager *m = ctx;

    uv_run(&m->loop, UV_RUN_DEFAULT);
    return NULL;
}

static int start_relay(struct load_manager *m, struct relay *r, struct err *e)
{
    struct wire_sink sink = NEWS;

    sink.ctx = r;
    r->manager = m;
    r->wire = wire_new(&m->loop, &sink);
    r->port = wire_listen(r->wire, HOST, 0, m->setup.identity, http_mhd_connect,
                          m->front, e);
    return r->port < 0 ? -1 : 0;
}

static int start_relays(struct load_manager *m, struct err *e)
{
    size_t count =
        (m->setup.sessions + SESSIONS_A_RELAY - 1) / SESSIONS_A_RELAY;

    m->relays = mem_alloc(count * sizeof *m->relays);
    while (m->relay_count < count) {
        if (start_relay(m, &m->relays[m->relay_count++], e) < 0)
            return -1;
    }
    return 0;
}

static void set_up(struct load_manager *m)
{
    struct mock_options o = mock_options_default();

    o.path = NULL; /* the paths are ours */
    o.any_user_password = "secret";
    o.inactivity_s = 120; /* of a machine that is busy with other things */
    m->mock = mock_new(&o);
    uv_loop_init(&m->loop);
    uv_async_init(&m->loop, &m->stop, on_stop);
    m->stop.data = m;
    m->exchanges = mem_alloc(m->setup.sessions * sizeof *m->exchanges);
}

static void release(struct load_manager *m)
{
    uv_loop_close(&m->loop);
    mock_free(m->mock);
    for (size_t i = 0; i < m->relay_count; i++)
        free(m->relays[i].faults);
    free(m->relays);
    free(m->exchanges);
    free(m);
}

struct load_manager *load_manager_start(const struct load_setup *setup,
                                        struct err *e)
{
    struct load_manager *m = mem_alloc(sizeof *m);

    m->setup = *setup;
    set_up(m);
    m->front = http_mhd_new(&m->loop, m->mock, e);
    if (m->front && start_relays(m, e) == 0 &&
        pthread_create(&m->thread, NULL, run, m) == 0)
        return m;
    if (!e->text[0])
        err_set(e, "no thread can be had");
    close_everything(m);
    uv_run(&m->loop, UV_RUN_DEFAULT);
    release(m);
    return NULL;
}

int load_manager_port(const struct load_manager *m, size_t session)
{
    return m->relays[session / SESSIONS_A_RELAY].port;
}

char *load_manager_url(const struct load_manager *m, size_t session)
{
    return mem_printf("http://" HOST ":%d/%zu", load_manager_port(m, session),
                      session);
}

void load_manager_stop(struct load_manager *m, struct load_tally *tally)
{
    uv_async_send(&m->stop);
    pthread_join(m->thread, NULL);
    *tally = m->tally;
    release(m);
}
