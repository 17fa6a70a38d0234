/* The virtual stage, server role: see virtual.h. */
#include "virtual_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "virtual_queue.h"

enum { SENT, ARRIVES, ANSWERED, ENDED };

/* One exchange of the raw client. On a named connection a request is served
 * when those before it have been answered. */
struct exchange {
    unsigned x;
    unsigned conn;
    bool open;    /* the player awaits news of it */
    bool arrived; /* whole, and waiting for its turn or served */
    bool served;  /* the server has it */
    bool held;    /* and has not answered */
    char *request;
    size_t len;
};

struct connection {
    char *name;
    unsigned conn;
};

struct stage {
    struct play *play;
    struct server_peer *server;
    struct exchange *exchanges; /* index x - 1 */
    size_t exchange_count;
    struct connection *connections; /* the named ones */
    size_t connection_count;
    unsigned conn_count;
    int64_t now_ms;
    struct happenings queue;
};

static struct exchange *exchange(struct stage *s, unsigned x)
{
    return x && x <= s->exchange_count ? &s->exchanges[x - 1] : NULL;
}

static unsigned conn_of(struct stage *s, const char *name)
{
    struct connection *c;

    if (!name || !*name)
        return ++s->conn_count;
    for (size_t i = 0; i < s->connection_count; i++) {
        if (strcmp(s->connections[i].name, name) == 0)
            return s->connections[i].conn;
    }
    s->connections = mem_grow(s->connections, (s->connection_count + 1) *
                                                  sizeof *s->connections);
    c = &s->connections[s->connection_count++];
    c->name = mem_dup(name);
    c->conn = ++s->conn_count;
    return c->conn;
}

static struct exchange *new_exchange(struct stage *s, unsigned conn)
{
    struct exchange *ex;

    s->exchanges =
        mem_grow(s->exchanges, (s->exchange_count + 1) * sizeof *s->exchanges);
    ex = &s->exchanges[s->exchange_count++];
    memset(ex, 0, sizeof *ex);
    ex->x = (unsigned)s->exchange_count;
    ex->conn = conn;
    ex->open = true;
    return ex;
}

/* ---- what the player asks for ---- */

static unsigned do_request(void *stage, const char *conn,
                           const struct delivery *plan)
{
    struct stage *s = stage;
    struct exchange *ex = new_exchange(s, conn_of(s, conn));
    int64_t at_ms = s->now_ms + VIRTUAL_TRAVEL_MS;
    struct buf bytes = BUF_INIT;
    struct http_message m;
    size_t used;

    for (size_t i = 0; i < plan->piece_count; i++) {
        at_ms += plan->pieces[i].after_ms;
        buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
    }
    happenings_add(&s->queue, at_ms - VIRTUAL_TRAVEL_MS, SENT, ex->x);
    if (http_read(HTTP_REQUEST, buf_str(&bytes), bytes.len, false, false, &m,
                  &used, NULL) == HTTP_WHOLE)
        happenings_add(&s->queue, at_ms, ARRIVES, ex->x);
    else if (plan->end == DELIVERY_FIN || plan->end == DELIVERY_RST)
        happenings_add(&s->queue, at_ms + plan->end_after_ms, ENDED, ex->x)
            ->why = "we closed the connection";
    http_message_release(&m);
    ex->len = bytes.len;
    ex->request = buf_take(&bytes);
    return ex->x;
}

static void do_abort(void *stage, unsigned x, enum delivery_end how)
{
    struct stage *s = stage;
    struct exchange *ex = exchange(s, x);

    if (!ex || !ex->open || how == DELIVERY_HALF)
        return; /* a server may answer a half-closed connection */
    if (ex->held)
        s->server->ops->gone(s->server, s->now_ms, ex->x);
    happenings_add(&s->queue, s->now_ms, ENDED, x)->why =
        "we closed the connection";
}

static const struct stage_ops server_ops = {
    .request = do_request,
    .abort = do_abort,
};

/* ---- the world ---- */

static void serve(struct stage *s, struct exchange *ex)
{
    struct mock_header headers[HTTP_MAX_HEADERS];
    struct mock_request req;
    struct http_message m;

    ex->served = true;
    if (virtual_to_mock(ex->request, ex->len, &m, headers, &req)) {
        ex->held = true;
        s->server->ops->request(s->server, s->now_ms, &req, ex->x);
    }
    http_message_release(&m);
}

/* The next request on a connection whose turn has come. */
static bool serve_next(struct stage *s, unsigned conn)
{
    for (size_t i = 0; i < s->exchange_count; i++) {
        struct exchange *ex = &s->exchanges[i];

        if (ex->conn != conn || !ex->open)
            continue;
        if (!ex->arrived || ex->served)
            return false;
        serve(s, ex);
        return true;
    }
    return false;
}

static bool take_answers(struct stage *s)
{
    struct mock_answer a;
    bool any = false;

    while (s->server->ops->next_answer(s->server, s->now_ms, &a)) {
        struct exchange *ex = exchange(s, (unsigned)a.token);
        struct buf bytes = BUF_INIT;
        struct happening *h;

        any = true;
        if (!ex || !ex->open)
            continue;
        ex->held = false;
        h = happenings_add(&s->queue, s->now_ms + VIRTUAL_TRAVEL_MS,
                           a.status ? ANSWERED : ENDED, ex->x);
        if (!a.status) {
            h->why = "closed without an answer";
            continue;
        }
        virtual_from_mock(&bytes, &a);
        h->len = bytes.len;
        h->bytes = buf_take(&bytes);
    }
    return any;
}

/* An answer that says it is longer than it is never gets whole. */
static enum play_part how_much(const struct happening *h)
{
    struct http_message m;
    enum http_progress got;
    size_t used;

    if (h->kind != ANSWERED)
        return PLAY_NONE;
    got = http_read(HTTP_RESPONSE, h->bytes, h->len, false, false, &m, &used,
                    NULL);
    http_message_release(&m);
    return got == HTTP_WHOLE ? PLAY_WHOLE : PLAY_PART;
}

static void tell(struct stage *s, struct exchange *ex,
                 const struct happening *h)
{
    enum play_part came = how_much(h);
    unsigned conn = ex->conn;

    if (!ex->open)
        return;
    ex->open = false;
    play_response(s->play, s->now_ms, ex->x, h->bytes, h->len, came,
                  came == PLAY_PART ? "the answer is not whole" : h->why);
    serve_next(s, conn);
}

static void happen(struct stage *s, const struct happening *h)
{
    struct exchange *ex = exchange(s, h->x);

    switch (h->kind) {
    case SENT:
        play_sent(s->play, s->now_ms, h->x);
        break;
    case ARRIVES:
        ex->arrived = true;
        serve_next(s, ex->conn);
        break;
    case ANSWERED:
    case ENDED:
        tell(s, ex, h);
        break;
    }
}

static bool round_of(void *stage)
{
    struct stage *s = stage;
    struct happening *h = happenings_take(&s->queue, s->now_ms);
    bool any = h != NULL;

    if (h)
        happen(s, h);
    happening_free(h);
    any |= take_answers(s);
    return any;
}

static int64_t next_moment(void *stage)
{
    struct stage *s = stage;
    int64_t first = play_deadline_ms(s->play);
    int64_t other = s->server->ops->deadline_ms(s->server);

    if (other < first)
        first = other;
    other = happenings_deadline(&s->queue);
    return other < first ? other : first;
}

static void tick_all(void *stage)
{
    struct stage *s = stage;

    s->server->ops->tick(s->server, s->now_ms);
    play_tick(s->play, s->now_ms);
}

static void release(struct stage *s)
{
    for (size_t i = 0; i < s->exchange_count; i++)
        free(s->exchanges[i].request);
    free(s->exchanges);
    for (size_t i = 0; i < s->connection_count; i++)
        free(s->connections[i].name);
    free(s->connections);
    happenings_release(&s->queue);
    play_free(s->play);
    s->server->ops->free(s->server);
}

void virtual_play_server(const struct testcase *tc, server_maker make,
                         void *ctx, const struct event_sink *log,
                         struct virtual_result *out)
{
    static const struct account accounts[] = {
        {"alice@localhost", "secret"},
        {"bob@localhost", "secret"},
    };
    uint64_t seed = VIRTUAL_SEED;
    struct play_setting setting = {
        .timeout_factor = 1,
        .random = virtual_random,
        .random_ctx = &seed,
        .has_status = true,
        .has_stanza = true,
        .host_header = "localhost",
        .path = "/http-bind",
        .domain = "localhost",
        .accounts = accounts,
        .account_count = 2,
        .anonymous = true,
        .hostile = true,
    };
    struct stage s = {
        .server = make(ctx),
        .now_ms = VIRTUAL_EPOCH_MS,
    };

    s.play = play_new(tc, &server_ops, &s, &setting, log);
    virtual_run(&(struct virtual_world){s.play, &s, &s.now_ms, round_of,
                                        next_moment, tick_all});
    virtual_take(s.play, s.now_ms, out);
    release(&s);
}
