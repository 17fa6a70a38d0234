/* The virtual stage, client role: see virtual.h. */
#include "virtual_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/coding.h"
#include "common/wire.h"
#include "virtual_queue.h"

#define MAX_CLIENTS 8

/* Of SCRAM's hash. Here nobody attacks a password, and thousands of logins
 * would spend most of their time on it. */
#define FEW_ITERATIONS 16
#define BIG_SHOWN 4096 /* bytes of a request that is too big */

enum { ARRIVES, TO_MANAGER, ANSWERED, FAILED, CUT, REPLY };

/* One exchange of a virtual client. */
struct exchange {
    unsigned x;
    unsigned conn;
    unsigned client;
    uint64_t id; /* the client's name for the transmission */
    bool open;   /* the client awaits an answer */
    bool held;   /* the manager has it and has not answered */
    char *request;
    size_t len;
};

struct stage {
    struct play *play;
    struct mock *mock;
    client_maker make;
    void *make_ctx;
    struct client_peer *clients[MAX_CLIENTS];
    struct exchange *exchanges; /* index x - 1 */
    size_t exchange_count;
    unsigned conn_count;
    int64_t now_ms;
    struct happenings queue;
};

static struct exchange *exchange(struct stage *s, unsigned x)
{
    return x && x <= s->exchange_count ? &s->exchanges[x - 1] : NULL;
}

/* ---- what the player asks for ---- */

static void do_forward(void *stage, unsigned x)
{
    struct stage *s = stage;

    happenings_add(&s->queue, s->now_ms, TO_MANAGER, x);
}

/* Go through a plan: when does the client have a whole answer, or know that
 * it will not get one? */
static void do_deliver(void *stage, unsigned x, const struct delivery *plan)
{
    struct stage *s = stage;
    struct buf bytes = BUF_INIT;
    enum http_progress got = HTTP_MORE;
    struct http_message m;
    int64_t at_ms = s->now_ms + VIRTUAL_TRAVEL_MS;
    struct happening *h = NULL;
    size_t used = 0;
    size_t i = 0;
    unsigned pieces = 0;
    bool ends = plan->end == DELIVERY_FIN || plan->end == DELIVERY_RST ||
                plan->end == DELIVERY_HALF;

    for (; i < plan->piece_count && got < HTTP_WHOLE; i++) {
        pieces += plan->pieces[i].after_ms > 0;
        at_ms += plan->pieces[i].after_ms;
        buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
        got = http_read(HTTP_RESPONSE, buf_str(&bytes), bytes.len, false, false,
                        &m, &used, NULL);
        http_message_release(&m);
    }
    if (got < HTTP_WHOLE && ends) {
        at_ms += plan->end_after_ms;
        got = plan->end == DELIVERY_RST
                  ? HTTP_BAD
                  : http_read(HTTP_RESPONSE, buf_str(&bytes), bytes.len, false,
                              true, &m, &used, NULL);
        if (plan->end != DELIVERY_RST)
            http_message_release(&m);
        if (got != HTTP_WHOLE)
            got = HTTP_BAD;
    }
    if (got == HTTP_WHOLE) {
        h = happenings_add(&s->queue, at_ms, ANSWERED, x);
        for (; i < plan->piece_count; i++)
            buf_add(&bytes, plan->pieces[i].bytes, plan->pieces[i].len);
        h->bytes = mem_dupn(buf_str(&bytes), bytes.len);
        h->len = bytes.len;
        h->pieces = pieces;
    } else if (got == HTTP_BAD) {
        h = happenings_add(&s->queue, at_ms, FAILED, x);
        h->flag = bytes.len > 0;
        h->why = "the answer was cut short";
    }
    buf_release(&bytes);
}

static void do_ignore(void *stage, unsigned x)
{
    (void)stage; /* nothing will ever happen to it */
    (void)x;
}

static void do_cut(void *stage, unsigned conn, enum delivery_end how)
{
    struct stage *s = stage;
    struct happening *h =
        happenings_add(&s->queue, s->now_ms + VIRTUAL_TRAVEL_MS, CUT, 0);

    h->conn = conn;
    h->how = how;
}

static void do_poke(void *stage)
{
    (void)stage; /* every round asks the mock for answers */
}

/* ---- verbs: carried out at once, reported by the loop ---- */

static void do_verb(void *stage, const struct verb *v)
{
    struct stage *s = stage;
    struct buf reason = BUF_INIT;
    const char *result = "error";
    struct happening *h;

    if (v->client < MAX_CLIENTS) {
        if (!s->clients[v->client])
            s->clients[v->client] = s->make(s->make_ctx);
        result = s->clients[v->client]->ops->verb(s->clients[v->client],
                                                  s->now_ms, v, &reason);
    }
    /* x holds the client's number here */
    h = happenings_add(&s->queue, s->now_ms, REPLY, v->client);
    h->bytes =
        mem_printf("%s%c%s%c%s", v->name, '\n', result, '\n', buf_str(&reason));
    buf_release(&reason);
}

static void tell_reply(struct stage *s, const struct happening *h)
{
    char *result = strchr(h->bytes, '\n');
    char *reason;

    *result++ = '\0';
    reason = strchr(result, '\n');
    *reason++ = '\0';
    play_verb_result(s->play, s->now_ms, h->x, h->bytes, result,
                     *reason ? reason : NULL);
}

static const struct stage_ops client_ops = {
    .forward = do_forward,
    .deliver = do_deliver,
    .ignore = do_ignore,
    .cut = do_cut,
    .verb = do_verb,
    .poke = do_poke,
};

/* ---- the world ---- */

static bool conn_busy(const struct stage *s, unsigned conn)
{
    for (size_t i = 0; i < s->exchange_count; i++) {
        if (s->exchanges[i].open && s->exchanges[i].conn == conn)
            return true;
    }
    return false;
}

/* A connection that has nothing open, as an HTTP stack would choose it. */
static unsigned free_conn(struct stage *s)
{
    for (unsigned conn = 1; conn <= s->conn_count; conn++) {
        if (!conn_busy(s, conn))
            return conn;
    }
    s->conn_count++;
    play_opened(s->play, s->now_ms, s->conn_count);
    return s->conn_count;
}

/* One that has something open; a free one when none has. */
static unsigned busy_conn(struct stage *s, unsigned client)
{
    for (size_t i = s->exchange_count; i > 0; i--) {
        const struct exchange *ex = &s->exchanges[i - 1];

        if (ex->open && ex->client == client)
            return ex->conn;
    }
    return free_conn(s);
}

/* As an HTTP stack would put it on the wire. */
static void write_request(struct buf *out, const struct peer_request *r)
{
    const struct http_header headers[] = {
        {"Host", "localhost"},
        {"Content-Type", "text/xml; charset=utf-8"},
        {"Content-Encoding", r->coding},
    };
    struct buf packed = BUF_INIT;

    if (r->http) {
        buf_add(out, r->http, r->http_len);
    } else if (r->coding) {
        coding_encode(&packed, coding_of(r->coding), r->body, r->len);
        http_write_request(out, "POST", "/http-bind", 1, headers, 3,
                           buf_str(&packed), packed.len);
    } else {
        http_write_request(out, "POST", "/http-bind", 1, headers, 2, r->body,
                           r->len);
    }
    buf_release(&packed);
}

static void take_request(struct stage *s, unsigned client,
                         const struct peer_request *r)
{
    unsigned conn = r->pipelined ? busy_conn(s, client) : free_conn(s);
    struct buf bytes = BUF_INIT;
    struct exchange *ex;

    write_request(&bytes, r);
    s->exchanges =
        mem_grow(s->exchanges, (s->exchange_count + 1) * sizeof *s->exchanges);
    ex = &s->exchanges[s->exchange_count++];
    memset(ex, 0, sizeof *ex);
    ex->x = (unsigned)s->exchange_count;
    ex->conn = conn;
    ex->client = client;
    ex->id = r->id;
    ex->open = true;
    ex->len = bytes.len;
    ex->request = buf_take(&bytes);
    happenings_add(&s->queue, s->now_ms + VIRTUAL_TRAVEL_MS, ARRIVES, ex->x);
}

static void give_up(struct stage *s, unsigned client, uint64_t id)
{
    for (size_t i = 0; i < s->exchange_count; i++) {
        struct exchange *ex = &s->exchanges[i];

        if (!ex->open || ex->client != client || ex->id != id)
            continue;
        ex->open = false;
        if (ex->held)
            mock_gone(s->mock, s->now_ms, ex->x);
        play_abandoned(s->play, s->now_ms, ex->x, DELIVERY_FIN);
        return;
    }
}

/* Take what a client has to say. True when there was something. */
static bool serve_client(struct stage *s, unsigned n)
{
    struct client_peer *cp = s->clients[n];
    struct peer_request r;
    struct said said;
    bool any = false;
    uint64_t id;

    while (cp->ops->next_abort(cp, &id)) {
        give_up(s, n, id);
        any = true;
    }
    while (cp->ops->next_request(cp, s->now_ms, &r)) {
        take_request(s, n, &r);
        any = true;
    }
    while (cp->ops->next_event(cp, &said)) {
        said.client = n;
        play_said(s->play, s->now_ms, &said);
        any = true;
    }
    return any;
}

static void to_manager(struct stage *s, struct exchange *ex)
{
    struct mock_header headers[HTTP_MAX_HEADERS];
    struct mock_request req;
    struct http_message m;

    if (virtual_to_mock(ex->request, ex->len, &m, headers, &req)) {
        ex->held = true;
        mock_request(s->mock, s->now_ms, &req, ex->x);
        if (!ex->open) /* given up before it got here */
            mock_gone(s->mock, s->now_ms, ex->x);
    }
    http_message_release(&m);
}

static bool take_answers(struct stage *s)
{
    struct mock_answer a;
    bool any = false;

    while (mock_next_answer(s->mock, s->now_ms, &a)) {
        struct exchange *ex = exchange(s, (unsigned)a.token);
        struct buf bytes = BUF_INIT;

        any = true;
        if (!ex)
            continue;
        ex->held = false;
        virtual_from_mock(&bytes, &a);
        play_answer(s->play, s->now_ms, ex->x, buf_str(&bytes), bytes.len);
        buf_release(&bytes);
    }
    return any;
}

static void tell_answer(struct stage *s, struct exchange *ex,
                        const struct happening *h)
{
    struct client_peer *cp = s->clients[ex->client];
    struct http_message m;
    size_t used = h->len;

    if (!ex->open)
        return;
    ex->open = false;
    play_delivered(s->play, s->now_ms, ex->x, PLAY_WHOLE);
    if (http_read(HTTP_RESPONSE, h->bytes, h->len, false, true, &m, &used,
                  NULL) == HTTP_WHOLE) {
        struct peer_message message = {&m, h->pieces, h->bytes + used,
                                       h->len - used};

        if (cp->ops->message)
            cp->ops->message(cp, &message);
        cp->ops->answer(cp, s->now_ms, ex->id, m.status,
                        http_header(&m, "Content-Type"), buf_str(&m.body),
                        m.body.len);
    }
    http_message_release(&m);
}

static void tell_failure(struct stage *s, struct exchange *ex, bool part,
                         const char *why)
{
    struct client_peer *cp = s->clients[ex->client];

    if (!ex->open)
        return;
    ex->open = false;
    if (ex->held)
        mock_gone(s->mock, s->now_ms, ex->x);
    if (part)
        play_delivered(s->play, s->now_ms, ex->x, PLAY_PART);
    cp->ops->fail(cp, s->now_ms, ex->id, why);
}

static void tell_cut(struct stage *s, const struct happening *h)
{
    for (size_t i = 0; i < s->exchange_count; i++) {
        if (s->exchanges[i].conn == h->conn)
            tell_failure(s, &s->exchanges[i], false, "connection closed");
    }
    play_closed(s->play, s->now_ms, h->conn, h->how, true);
}

/* Nothing is pipelined here: what is left over belongs to no request. */
static const char *problem_of(const struct exchange *ex)
{
    struct http_message m;
    size_t used = ex->len;

    http_read(HTTP_REQUEST, ex->request, ex->len, false, false, &m, &used,
              NULL);
    http_message_release(&m);
    return used < ex->len ? "there are bytes after its end" : NULL;
}

/* As the relay does: no more is read of it, and the connection ends. */
static void refuse_big(struct stage *s, const struct exchange *ex)
{
    char *problem =
        mem_printf("body beyond the limit of %d bytes", WIRE_MAX_BODY);

    play_request(s->play, s->now_ms, s->now_ms - VIRTUAL_TRAVEL_MS, ex->x,
                 ex->conn, ex->request, BIG_SHOWN, PLAY_PART, problem);
    do_cut(s, ex->conn, DELIVERY_FIN);
    free(problem);
}

static void happen(struct stage *s, const struct happening *h)
{
    struct exchange *ex = exchange(s, h->x);

    switch (h->kind) {
    case ARRIVES:
        play_head(s->play, s->now_ms, ex->x, ex->conn, ex->request, ex->len);
        if (ex->len > WIRE_MAX_BODY) {
            refuse_big(s, ex);
            break;
        }
        play_request(s->play, s->now_ms, s->now_ms - VIRTUAL_TRAVEL_MS, ex->x,
                     ex->conn, ex->request, ex->len, PLAY_WHOLE,
                     problem_of(ex));
        break;
    case TO_MANAGER:
        to_manager(s, ex);
        break;
    case ANSWERED:
        tell_answer(s, ex, h);
        break;
    case FAILED:
        tell_failure(s, ex, h->flag, h->why);
        break;
    case CUT:
        tell_cut(s, h);
        break;
    case REPLY:
        tell_reply(s, h);
        break;
    }
}

/* Everything that can happen now. False when nothing could. */
static bool round_of(void *stage)
{
    struct stage *s = stage;
    struct happening *h = happenings_take(&s->queue, s->now_ms);
    bool any = h != NULL;

    if (h)
        happen(s, h);
    happening_free(h);
    for (unsigned n = 0; n < MAX_CLIENTS; n++) {
        if (s->clients[n])
            any |= serve_client(s, n);
    }
    any |= take_answers(s);
    return any;
}

static int64_t next_moment(void *stage)
{
    struct stage *s = stage;
    int64_t first = play_deadline_ms(s->play);
    int64_t other = mock_deadline_ms(s->mock);

    if (other < first)
        first = other;
    other = happenings_deadline(&s->queue);
    if (other < first)
        first = other;
    for (unsigned n = 0; n < MAX_CLIENTS; n++) {
        if (!s->clients[n])
            continue;
        other = s->clients[n]->ops->deadline_ms(s->clients[n]);
        if (other < first)
            first = other;
    }
    return first;
}

static void tick_all(void *stage)
{
    struct stage *s = stage;

    mock_tick(s->mock, s->now_ms);
    for (unsigned n = 0; n < MAX_CLIENTS; n++) {
        if (s->clients[n])
            s->clients[n]->ops->tick(s->clients[n], s->now_ms);
    }
    play_tick(s->play, s->now_ms);
}

static void release(struct stage *s)
{
    for (unsigned n = 0; n < MAX_CLIENTS; n++) {
        if (s->clients[n])
            s->clients[n]->ops->free(s->clients[n]);
    }
    for (size_t i = 0; i < s->exchange_count; i++)
        free(s->exchanges[i].request);
    free(s->exchanges);
    happenings_release(&s->queue);
    play_free(s->play);
    mock_free(s->mock);
}

void virtual_play_client(const struct testcase *tc, client_maker make,
                         void *ctx, const struct event_sink *log,
                         struct virtual_result *out)
{
    struct mock_options options = grant_options(tc);
    uint64_t seed = VIRTUAL_SEED;
    struct play_setting setting = {
        .timeout_factor = 1,
        .random = virtual_random,
        .random_ctx = &seed,
        .url = "http://localhost/http-bind",
        .jid = "alice@localhost",
        .password = "secret",
        .has_status = true,
        .has_stanza = true,
    };
    struct stage s = {
        .make = make,
        .make_ctx = ctx,
        .now_ms = VIRTUAL_EPOCH_MS,
    };
    int64_t over_ms;

    options.scram_iterations = FEW_ITERATIONS;
    s.mock = mock_new(&options);
    setting.mock = s.mock;
    s.play = play_new(tc, &client_ops, &s, &setting, log);
    over_ms = virtual_run(&(struct virtual_world){
        s.play, &s, &s.now_ms, round_of, next_moment, tick_all});
    virtual_take(s.play, over_ms, out);
    release(&s);
}
