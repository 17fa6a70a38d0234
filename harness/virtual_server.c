/* The virtual stage, server role: see virtual.h. */
#include "virtual_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "virtual_queue.h"

enum { SENT, ARRIVES, ANSWERED, ENDED, CLOSED };

/* One exchange of the raw client. */
struct exchange {
    unsigned x;
    unsigned conn;
    bool open;    /* the player awaits news of it */
    bool arrived; /* whole, and waiting for its turn or served */
    bool served;  /* the server has it */
    bool held;    /* and has not answered */
    bool head;    /* a HEAD request: its answer has no entity */
    enum server_course course;
    unsigned pieces;
    char *request;
    size_t len;
};

struct connection {
    char *name; /* NULL: for one exchange */
    bool opened;
    bool closing; /* the next request of that name goes on another */
    bool closed;
};

struct stage {
    struct play *play;
    struct server_peer *server;
    struct exchange *exchanges; /* index x - 1 */
    size_t exchange_count;
    struct connection *conns; /* index conn - 1 */
    size_t conn_count;
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

    for (size_t i = s->conn_count; name && *name && i > 0; i--) {
        c = &s->conns[i - 1];
        if (c->name && !c->closing && strcmp(c->name, name) == 0)
            return (unsigned)i;
    }
    s->conns = mem_grow(s->conns, (s->conn_count + 1) * sizeof *s->conns);
    c = &s->conns[s->conn_count++];
    memset(c, 0, sizeof *c);
    if (name && *name)
        c->name = mem_dup(name);
    return (unsigned)s->conn_count;
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

/* The oldest on a connection whose answer is awaited. */
static struct exchange *first_on(struct stage *s, unsigned conn)
{
    for (size_t i = 0; i < s->exchange_count; i++) {
        if (s->exchanges[i].conn == conn && s->exchanges[i].open)
            return &s->exchanges[i];
    }
    return NULL;
}

/* Nothing more goes over it; what is open on it gets no answer. */
static void end_connection(struct stage *s, unsigned conn, bool by_us,
                           enum delivery_end how)
{
    struct happening *h;

    if (s->conns[conn - 1].closed)
        return;
    s->conns[conn - 1].closing = s->conns[conn - 1].closed = true;
    for (size_t i = 0; i < s->exchange_count; i++) {
        struct exchange *ex = &s->exchanges[i];

        if (ex->conn != conn || !ex->open)
            continue;
        if (ex->held)
            s->server->ops->gone(s->server, s->now_ms, ex->x);
        ex->held = false;
        happenings_add(&s->queue, s->now_ms, ENDED, ex->x)->why =
            by_us ? "we closed the connection" : "closed without an answer";
    }
    h = happenings_add(&s->queue, s->now_ms, CLOSED, 0);
    h->conn = conn;
    h->flag = by_us;
    h->how = how;
}

/* ---- what the player asks for ---- */

static unsigned do_request(void *stage, const char *conn,
                           const struct delivery *plan)
{
    struct stage *s = stage;
    struct exchange *ex = new_exchange(s, conn_of(s, conn));
    int64_t at_ms = s->now_ms + VIRTUAL_TRAVEL_MS;
    struct buf bytes = BUF_INIT;

    for (size_t i = 0; i < plan->piece_count; i++) {
        at_ms += plan->pieces[i].after_ms;
        buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
    }
    happenings_add(&s->queue, at_ms - VIRTUAL_TRAVEL_MS, SENT, ex->x);
    happenings_add(&s->queue, at_ms, ARRIVES, ex->x);
    ex->pieces = (unsigned)plan->piece_count;
    ex->len = bytes.len;
    ex->request = buf_take(&bytes);
    ex->head = ex->len > 5 && memcmp(ex->request, "HEAD ", 5) == 0;
    return ex->x;
}

static unsigned do_conn(void *stage, unsigned x)
{
    const struct exchange *ex = exchange(stage, x);

    return ex ? ex->conn : 0;
}

static void do_abort(void *stage, unsigned x, enum delivery_end how)
{
    struct stage *s = stage;
    struct exchange *ex = exchange(s, x);

    if (!ex || !ex->open)
        return;
    if (how != DELIVERY_HALF) {
        end_connection(s, ex->conn, true, how);
        return;
    }
    s->conns[ex->conn - 1].closing = true;
    if (ex->held && s->server->ops->half_closed)
        s->server->ops->half_closed(s->server, s->now_ms, x);
}

static const struct stage_ops server_ops = {
    .request = do_request,
    .conn = do_conn,
    .abort = do_abort,
};

/* ---- the world ---- */

static void serve(struct stage *s, struct exchange *ex)
{
    struct mock_header headers[HTTP_MAX_HEADERS];
    struct mock_request req;
    struct http_message m;

    ex->served = true;
    if (ex->course == COURSE_HANGS_UP) {
        end_connection(s, ex->conn, false, DELIVERY_FIN);
        return;
    }
    if (virtual_to_mock(ex->request, ex->len, &m, headers, &req)) {
        ex->held = true;
        s->server->ops->request(s->server, s->now_ms, &req, ex->x);
    }
    http_message_release(&m);
}

/* The next request on a connection whose turn has come. */
static void serve_next(struct stage *s, unsigned conn)
{
    for (size_t i = 0; i < s->exchange_count; i++) {
        struct exchange *ex = &s->exchanges[i];

        if (ex->conn != conn || !ex->open || ex->course == COURSE_AT_ONCE)
            continue;
        if (ex->arrived && !ex->served)
            serve(s, ex);
        return;
    }
}

static bool is_whole(const struct exchange *ex)
{
    struct http_message m;
    size_t used;
    enum http_progress got = http_read(HTTP_REQUEST, ex->request, ex->len,
                                       false, false, &m, &used, NULL);

    http_message_release(&m);
    return got == HTTP_WHOLE;
}

static void arrive(struct stage *s, struct exchange *ex)
{
    const struct server_arrival a = {.bytes = ex->request,
                                     .len = ex->len,
                                     .whole = is_whole(ex),
                                     .conn = ex->conn,
                                     .pieces = ex->pieces,
                                     .behind = first_on(s, ex->conn) != ex};

    if (s->server->ops->arrives)
        ex->course = s->server->ops->arrives(s->server, s->now_ms, &a);
    if (!ex->open || !a.whole || ex->course == COURSE_NEVER)
        return;
    ex->arrived = true;
    if (ex->course == COURSE_AT_ONCE)
        serve(s, ex);
    else
        serve_next(s, ex->conn);
}

static void cut_entity(struct buf *bytes)
{
    char *end = strstr(buf_str(bytes), "\r\n\r\n");

    if (!end)
        return;
    bytes->len = (size_t)(end - bytes->data) + 4;
    bytes->data[bytes->len] = '\0';
}

/* Who reads a connection takes the first answer for that to the first request,
 * whatever it was meant for. */
static void answer(struct stage *s, struct exchange *ex,
                   const struct mock_answer *a)
{
    struct buf bytes = BUF_INIT;
    struct happening *h;

    if (!a->status) {
        end_connection(s, ex->conn, false, DELIVERY_FIN);
        return;
    }
    virtual_from_mock(&bytes, a);
    if (ex->head)
        cut_entity(&bytes);
    h = happenings_add(&s->queue, s->now_ms + VIRTUAL_TRAVEL_MS, ANSWERED,
                       ex->x);
    h->len = bytes.len;
    h->bytes = buf_take(&bytes);
}

static bool take_answers(struct stage *s)
{
    struct mock_answer a;
    bool any = false;

    while (s->server->ops->next_answer(s->server, s->now_ms, &a)) {
        struct exchange *ex = exchange(s, (unsigned)a.token);

        any = true;
        if (!ex || s->conns[ex->conn - 1].closed)
            continue;
        ex->held = false;
        answer(s, ex, &a);
    }
    return any;
}

/* An answer that says it is longer than it is never gets whole. Does the
 * connection stay? */
static enum play_part how_much(const struct happening *h, bool head,
                               bool *stays)
{
    struct http_message m;
    enum http_progress got;
    size_t used;

    if (h->kind != ANSWERED)
        return PLAY_NONE;
    got = http_read(HTTP_RESPONSE, h->bytes, h->len, head, false, &m, &used,
                    NULL);
    *stays = m.keep_alive;
    http_message_release(&m);
    return got == HTTP_WHOLE ? PLAY_WHOLE : PLAY_PART;
}

static bool is_http10(const struct exchange *ex)
{
    const char *version = strstr(ex->request, " HTTP/1.0\r\n");

    return version && version < strstr(ex->request, "\r\n");
}

static bool server_closes(const struct exchange *ex, bool stays)
{
    return ex->course != COURSE_STAYS &&
           (ex->course == COURSE_CLOSES || !stays || is_http10(ex));
}

/* An answer is through; its connection may be, too. */
static void after_answer(struct stage *s, unsigned conn, bool closes)
{
    const struct connection *c = &s->conns[conn - 1];

    if (c->name && closes)
        end_connection(s, conn, false, DELIVERY_FIN);
    else if (!c->name || (c->closing && !first_on(s, conn)))
        end_connection(s, conn, true, DELIVERY_FIN);
    serve_next(s, conn);
}

/* The player may send at once when it is told: what was said of the connection
 * counts already then. */
static void tell(struct stage *s, unsigned x, const struct happening *h)
{
    unsigned conn = exchange(s, x)->conn;
    struct exchange *ex =
        h->kind == ANSWERED ? first_on(s, conn) : exchange(s, x);
    bool stays = true;
    bool closes;
    enum play_part came;

    if (!ex || !ex->open)
        return;
    came = how_much(h, ex->head, &stays);
    closes = server_closes(ex, stays);
    s->conns[conn - 1].closing |= h->kind == ANSWERED && (closes || !stays);
    ex->open = false;
    play_response(s->play, s->now_ms, ex->x, h->bytes, h->len, came,
                  came == PLAY_PART ? "the answer is not whole" : h->why);
    if (h->kind == ANSWERED)
        after_answer(s, conn, closes);
}

static void sent(struct stage *s, unsigned x)
{
    unsigned conn = exchange(s, x)->conn;

    if (!s->conns[conn - 1].opened) {
        s->conns[conn - 1].opened = true;
        play_opened(s->play, s->now_ms, conn);
    }
    play_sent(s->play, s->now_ms, x);
}

static void happen(struct stage *s, const struct happening *h)
{
    switch (h->kind) {
    case SENT:
        sent(s, h->x);
        break;
    case ARRIVES:
        arrive(s, exchange(s, h->x));
        break;
    case ANSWERED:
    case ENDED:
        tell(s, h->x, h);
        break;
    case CLOSED:
        play_closed(s->play, s->now_ms, h->conn, h->how, h->flag);
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
    for (size_t i = 0; i < s->conn_count; i++)
        free(s->conns[i].name);
    free(s->conns);
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
        .alone = true,
    };
    struct stage s = {
        .server = make(ctx),
        .now_ms = VIRTUAL_EPOCH_MS,
    };
    int64_t over_ms;

    s.play = play_new(tc, &server_ops, &s, &setting, log);
    over_ms = virtual_run(&(struct virtual_world){
        s.play, &s, &s.now_ms, round_of, next_moment, tick_all});
    virtual_take(s.play, over_ms, out);
    release(&s);
}
