/* A twin over real sockets: see twin.h. */
#include "twin.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/coding.h"
#include "common/http.h"
#include "common/wire.h"
#include "common/xml.h"
#include "tests/twins/client_shim.h"
#include "tests/twins/twins.h"

#define MAX_LINE (2u << 20)

/* A client object of the twin, and where it talks to. */
struct client {
    json_int_t session;
    struct client_peer *peer;
    struct wire_target target;
    char *host, *path, *host_header, *ca;
    unsigned aimed; /* how often: connections are not used for another URL */
};

/* One transmission. */
struct sent {
    unsigned x; /* the wire's number; 0: over */
    unsigned slot;
    struct client *client;
    uint64_t id;
};

static struct {
    uv_loop_t loop;
    uv_pipe_t input;
    uv_timer_t timer;
    struct wire *wire;
    const struct twin *twin;
    struct client **clients;
    size_t client_count;
    struct sent *sent;
    size_t sent_count;
    struct buf line;
    bool quitting;
} self;

/* ------------------------------------------------------------- clients */

static struct client *client_of(json_int_t session)
{
    struct client *c;

    for (size_t i = 0; i < self.client_count; i++)
        if (self.clients[i]->session == session)
            return self.clients[i];
    c = mem_alloc(sizeof *c);
    memset(c, 0, sizeof *c);
    c->session = session;
    c->peer = twin_client_peer(self.twin);
    self.clients =
        mem_grow(self.clients, (self.client_count + 1) * sizeof *self.clients);
    self.clients[self.client_count++] = c;
    return c;
}

static void free_client(struct client *c)
{
    c->peer->ops->free(c->peer);
    free(c->host);
    free(c->path);
    free(c->host_header);
    free(c->ca);
    free(c);
}

/* A part of a URL, yours; NULL when there is none. */
static char *part_of(CURLU *u, CURLUPart part)
{
    char *text = NULL, *copy = NULL;

    if (curl_url_get(u, part, &text, 0) == CURLUE_OK)
        copy = mem_dup(text);
    curl_free(text);
    return copy;
}

static const struct client_hooks *habits(void)
{
    static const struct client_hooks none;

    return self.twin ? self.twin->client : &none;
}

static void aim(struct client *c, const char *url, const char *ca)
{
    CURLU *u = curl_url();
    char *scheme, *port;

    if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK) {
        curl_url_cleanup(u);
        return;
    }
    free(c->host);
    free(c->path);
    free(c->host_header);
    free(c->ca);
    c->host = part_of(u, CURLUPART_HOST);
    c->path = part_of(u, CURLUPART_PATH);
    c->ca = ca ? mem_dup(ca) : NULL;
    scheme = part_of(u, CURLUPART_SCHEME);
    port = part_of(u, CURLUPART_PORT);
    c->target = (struct wire_target){
        .host = c->host,
        .tls = scheme && strcmp(scheme, "https") == 0 && !habits()->drops_the_s,
        .insecure = habits()->trusts_all,
        .ca_file = c->ca,
    };
    c->aimed++;
    c->target.port = port ? atoi(port) : c->target.tls ? 443 : 80;
    c->host_header = mem_printf("%s:%d", c->host, c->target.port);
    free(scheme);
    free(port);
    curl_url_cleanup(u);
}

/* ------------------------------------------------------------- requests */

static bool slot_busy(unsigned slot)
{
    for (size_t i = 0; i < self.sent_count; i++)
        if (self.sent[i].x && self.sent[i].slot == slot)
            return true;
    return false;
}

/* Connections are used again, never by two requests at once; each client has
 * its own. */
static unsigned free_slot(const struct client *c)
{
    unsigned slot = (unsigned)c->session * 1000;

    while (slot_busy(slot))
        slot++;
    return slot;
}

static void write_request(struct buf *out, const struct client *c,
                          const struct peer_request *r)
{
    const struct http_header headers[] = {
        {"Host", c->host_header},
        {"Content-Type", "text/xml; charset=utf-8"},
        {"Accept-Encoding", "gzip, deflate"},
        {"Content-Encoding", r->coding},
    };
    struct buf packed = BUF_INIT;

    if (r->http) {
        buf_add(out, r->http, r->http_len);
    } else if (r->coding) {
        coding_encode(&packed, coding_of(r->coding), r->body, r->len);
        http_write_request(out, "POST", c->path, 1, headers, 4,
                           buf_str(&packed), packed.len);
    } else {
        http_write_request(out, "POST", c->path, 1, headers, 3, r->body,
                           r->len);
    }
    buf_release(&packed);
}

static void post(struct client *c, const struct peer_request *r)
{
    struct delivery plan;
    struct buf bytes = BUF_INIT;
    struct sent *s;
    char conn[32];

    if (!c->host)
        return; /* it was told nothing */
    write_request(&bytes, c, r);
    delivery_init(&plan);
    delivery_add(&plan, 0, buf_str(&bytes), bytes.len);
    self.sent = mem_grow(self.sent, (self.sent_count + 1) * sizeof *self.sent);
    s = &self.sent[self.sent_count++];
    *s = (struct sent){.slot = free_slot(c), .client = c, .id = r->id};
    snprintf(conn, sizeof conn, "%u %u", s->slot, c->aimed);
    s->x = wire_request(self.wire, &c->target, conn, &plan);
    delivery_release(&plan);
    buf_release(&bytes);
}

static void give_up(const struct client *c, uint64_t id)
{
    for (size_t i = 0; i < self.sent_count; i++) {
        struct sent *s = &self.sent[i];

        if (!s->x || s->client != c || s->id != id)
            continue;
        wire_abort(self.wire, s->x, DELIVERY_FIN);
        s->x = 0;
    }
}

static bool serve(struct client *c, int64_t now_ms)
{
    const struct client_peer_ops *ops = c->peer->ops;
    struct peer_request r;
    struct said said;
    bool any = false;
    uint64_t id;

    for (; ops->next_abort(c->peer, &id); any = true)
        give_up(c, id);
    for (; ops->next_request(c->peer, now_ms, &r); any = true)
        post(c, &r);
    for (; ops->next_event(c->peer, &said); any = true)
        say_event(c->session, &said);
    return any;
}

static void on_timer(uv_timer_t *timer);

/* Let every client do what it wants, and find out when the next one does. */
static void go_on(void)
{
    int64_t now_ms = clock_now_ms(), first = CLOCK_NEVER, at;
    bool any = true;

    while (any) {
        any = false;
        for (size_t i = 0; i < self.client_count; i++)
            any |= serve(self.clients[i], now_ms);
    }
    for (size_t i = 0; i < self.client_count; i++) {
        at = self.clients[i]->peer->ops->deadline_ms(self.clients[i]->peer);
        first = at < first ? at : first;
    }
    if (self.quitting || first == CLOCK_NEVER)
        uv_timer_stop(&self.timer);
    else
        uv_timer_start(&self.timer, on_timer,
                       first > now_ms ? (uint64_t)(first - now_ms) : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    int64_t now_ms = clock_now_ms();

    (void)timer;
    for (size_t i = 0; i < self.client_count; i++)
        self.clients[i]->peer->ops->tick(self.clients[i]->peer, now_ms);
    go_on();
}

/* ------------------------------------------------------------- the wire */

/* Undo gzip or deflate. False when it is neither. */
static bool decode(struct buf *body, const char *name)
{
    enum coding coding = coding_of(name);
    struct buf plain = BUF_INIT;
    bool good;

    if (coding == CODING_NONE || coding == CODING_OTHER)
        return coding == CODING_NONE;
    good = coding_decode(&plain, coding, buf_str(body), body->len,
                         HTTP_MAX_BODY, NULL) == 0;
    buf_release(body);
    *body = plain;
    return good;
}

/* To its core a redirect is an error, after which it asks once more: there. */
static void follow(struct client *c, const struct http_message *m)
{
    const char *url = http_header(m, "Location");

    if (habits()->follows_to_http && url && m->status >= 300 && m->status < 400)
        aim(c, url, NULL);
}

static void tell(struct client *c, int64_t now_ms, uint64_t id,
                 const char *bytes, size_t len)
{
    struct client_peer *peer = c->peer;
    struct http_message m;
    struct peer_message message = {.http = &m};
    size_t used;
    bool good = http_read(HTTP_RESPONSE, bytes, len, false, true, &m, &used,
                          NULL) == HTTP_WHOLE;

    if (good)
        follow(c, &m);
    if (good && http_header(&m, "Content-Encoding"))
        good = decode(&m.body, http_header(&m, "Content-Encoding"));
    if (good && peer->ops->message)
        peer->ops->message(peer, &message);
    if (good)
        peer->ops->answer(peer, now_ms, id, m.status,
                          http_header(&m, "Content-Type"), buf_str(&m.body),
                          m.body.len);
    else
        peer->ops->fail(peer, now_ms, id, "no answer that can be read");
    http_message_release(&m);
}

static void on_response(void *ctx, int64_t now_ms, unsigned x,
                        const char *bytes, size_t len, enum wire_part came,
                        const char *problem)
{
    (void)ctx;
    for (size_t i = 0; i < self.sent_count; i++) {
        struct sent s = self.sent[i];
        struct client_peer *peer = s.client->peer;

        if (s.x != x)
            continue;
        self.sent[i] = self.sent[--self.sent_count];
        if (came == WIRE_WHOLE)
            tell(s.client, now_ms, s.id, bytes, len);
        else
            peer->ops->fail(peer, now_ms, s.id,
                            problem ? problem : "cut short");
        break;
    }
    go_on();
}

static void on_sent(void *ctx, int64_t now_ms, unsigned x)
{
    (void)ctx;
    (void)now_ms;
    (void)x;
}

static void on_opened(void *ctx, int64_t now_ms, unsigned conn)
{
    (void)ctx;
    (void)now_ms;
    (void)conn;
}

static void on_closed(void *ctx, int64_t now_ms, unsigned conn,
                      enum delivery_end how, bool by_us)
{
    (void)ctx;
    (void)now_ms;
    (void)conn;
    (void)how;
    (void)by_us;
}

static void on_failed(void *ctx, int64_t now_ms, const char *problem)
{
    (void)ctx;
    (void)now_ms;
    fprintf(stderr, "twin-client: %s\n", problem);
}

/* ------------------------------------------------------------- orders */

static void quit(void)
{
    if (self.quitting)
        return;
    self.quitting = true;
    uv_close((uv_handle_t *)&self.input, NULL);
    uv_close((uv_handle_t *)&self.timer, NULL);
    wire_free(self.wire, NULL, NULL);
}

static void obey(struct order *o)
{
    struct client *c = client_of(o->session);
    struct buf reason = BUF_INIT;
    const char *url = NULL, *ca = NULL, *result;

    for (size_t i = 0; i < o->verb.arg_count; i++) {
        if (strcmp(o->verb.args[i].name, "url") == 0)
            url = o->verb.args[i].value;
        if (strcmp(o->verb.args[i].name, "ca") == 0)
            ca = o->verb.args[i].value;
    }
    if (url)
        aim(c, url, ca);
    o->verb.client = 0;
    result = c->peer->ops->verb(c->peer, clock_now_ms(), &o->verb, &reason);
    say_result(o->id, result, buf_str(&reason));
    buf_release(&reason);
}

static void take_line(const char *line)
{
    struct order o;

    if (order_read(line, &o) < 0)
        return;
    if (strcmp(o.name, "hello") == 0) {
        say_hello(o.id, self.twin ? self.twin->name : "good");
    } else if (strcmp(o.name, "ping") == 0) {
        say_result(o.id, "ok", NULL);
    } else if (strcmp(o.name, "quit") == 0) {
        say_result(o.id, "ok", NULL);
        quit();
    } else if (!verb_known(o.name)) {
        say_result(o.id, "unsupported", NULL);
    } else {
        obey(&o);
    }
    order_release(&o);
    if (!self.quitting)
        go_on();
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    static char room[65536];

    (void)handle;
    (void)size;
    *out = uv_buf_init(room, sizeof room);
}

static void on_input(uv_stream_t *stream, ssize_t got, const uv_buf_t *b)
{
    const char *newline;

    (void)stream;
    if (got < 0) {
        quit();
        return;
    }
    buf_add(&self.line, b->base, (size_t)got);
    while (!self.quitting &&
           (newline = strchr(buf_str(&self.line), '\n')) != NULL) {
        size_t len = (size_t)(newline - buf_str(&self.line));
        char *line = mem_dupn(buf_str(&self.line), len);

        buf_shift(&self.line, len + 1);
        take_line(line);
        free(line);
    }
    if (self.line.len > MAX_LINE)
        quit();
}

/* ------------------------------------------------------------- the program */

static void begin(void)
{
    static const struct wire_sink sink = {
        .opened = on_opened,
        .closed = on_closed,
        .response = on_response,
        .sent = on_sent,
        .failed = on_failed,
    };

    signal(SIGPIPE, SIG_IGN);
    xml_init();
    uv_loop_init(&self.loop);
    uv_timer_init(&self.loop, &self.timer);
    uv_pipe_init(&self.loop, &self.input, 0);
    uv_pipe_open(&self.input, STDIN_FILENO);
    uv_read_start((uv_stream_t *)&self.input, on_room, on_input);
    self.wire = wire_new(&self.loop, &sink);
}

static void end(void)
{
    uv_loop_close(&self.loop);
    for (size_t i = 0; i < self.client_count; i++)
        free_client(self.clients[i]);
    free(self.clients);
    free(self.sent);
    buf_release(&self.line);
    xml_cleanup();
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: twin-client NAME|good\n");
        return 2;
    }
    self.twin = twin_find(ROLE_CLIENT, argv[1]);
    if (!self.twin && strcmp(argv[1], "good") != 0) {
        fprintf(stderr, "twin-client: no client twin '%s'\n", argv[1]);
        return 2;
    }
    begin();
    uv_run(&self.loop, UV_RUN_DEFAULT);
    end();
    return 0;
}
