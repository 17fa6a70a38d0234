/* Server twins: HTTP around the bodies, XEP-0124 §5: connections, methods,
 * versions, and what requests are made of. What is in answers' headers is in
 * server_headers.c. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "entity.h"

static const char *header(const struct mock_request *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++) {
        if (strcasecmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    }
    return NULL;
}

static bool is(const struct mock_request *req, const char *method)
{
    return strcmp(req->method, method) == 0;
}

/* Answer with a status and nothing else. False, for a hook to return. */
static bool say(struct server_shim *ss, int64_t now_ms, uint64_t token,
                int status)
{
    struct buf nothing = BUF_INIT;

    server_shim_answer(ss, now_ms, token, status, &nothing);
    return false;
}

static bool refuse(struct server_shim *ss, int64_t now_ms, uint64_t token)
{
    struct buf body = BUF_INIT;

    entity_empty(&body, "terminate");
    entity_set(&body, "condition", "item-not-found");
    server_shim_answer(ss, now_ms, token, 200, &body);
    buf_release(&body);
    return false;
}

/* Hand so many bytes of it to the core as a POST. */
static bool pass(struct server_shim *ss, int64_t now_ms,
                 const struct mock_request *req, size_t len, uint64_t token)
{
    struct server_request r = {.now_ms = now_ms, .token = token};

    buf_add(&r.body, req->body, len);
    server_shim_pass(ss, &r);
    buf_release(&r.body);
    return false;
}

static void drop_payload(struct buf *body)
{
    struct buf payload = BUF_INIT;

    entity_take_payload(body, &payload);
    buf_release(&payload);
}

/* ---- HTTP/1.0; it is served as soon as it arrives ---- */

static enum server_course note_version(struct server_shim *ss, int64_t now_ms,
                                       const struct server_arrival *a)
{
    const char *end = memchr(a->bytes, '\r', a->len);

    (void)now_ms;
    server_shim_memory(ss)->flag =
        end && end - a->bytes > 8 && memcmp(end - 8, "HTTP/1.0", 8) == 0;
    return COURSE_IN_TURN;
}

static enum server_course leave_open(struct server_shim *ss, int64_t now_ms,
                                     const struct server_arrival *a)
{
    note_version(ss, now_ms, a);
    return server_shim_memory(ss)->flag ? COURSE_STAYS : COURSE_IN_TURN;
}

static bool refuse_old(struct server_shim *ss, int64_t now_ms,
                       const struct mock_request *req, uint64_t token)
{
    (void)req;
    return !server_shim_memory(ss)->flag || say(ss, now_ms, token, 505);
}

static bool note_old(struct server_shim *ss, int64_t now_ms,
                     const struct mock_request *req, uint64_t token)
{
    (void)now_ms;
    (void)req;
    if (server_shim_memory(ss)->flag)
        server_shim_memory(ss)->token = token;
    return true;
}

static void cut_in_two(struct server_answer *a)
{
    struct buf out = BUF_INIT;
    size_t half = a->body.len / 2;

    if (!half)
        return;
    buf_printf(&out, "%zx\r\n", half);
    buf_add(&out, a->body.data, half);
    buf_printf(&out, "\r\n%zx\r\n", a->body.len - half);
    buf_add(&out, a->body.data + half, a->body.len - half);
    buf_adds(&out, "\r\n0\r\n\r\n");
    buf_release(&a->body);
    a->body = out;
    server_answer_header(a, "Transfer-Encoding", "chunked");
}

static bool chunk_for_old(struct server_shim *ss, struct server_answer *a)
{
    if (a->token == server_shim_memory(ss)->token)
        cut_in_two(a);
    return true;
}

static bool chunk_for_new(struct server_shim *ss, struct server_answer *a)
{
    if (a->token != server_shim_memory(ss)->token)
        cut_in_two(a);
    return true;
}

static bool want_host(struct server_shim *ss, int64_t now_ms,
                      const struct mock_request *req, uint64_t token)
{
    return header(req, "Host") || say(ss, now_ms, token, 400);
}

/* ---- connections ---- */

static bool say_close(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    server_answer_header(a, "Connection", "close");
    return true;
}

static enum server_course close_in_silence(struct server_shim *ss,
                                           int64_t now_ms,
                                           const struct server_arrival *a)
{
    (void)ss;
    (void)now_ms;
    (void)a;
    return COURSE_CLOSES;
}

static enum server_course note_connection(struct server_shim *ss,
                                          int64_t now_ms,
                                          const struct server_arrival *a)
{
    (void)now_ms;
    server_shim_memory(ss)->count = a->conn;
    return COURSE_IN_TURN;
}

/* To that of the first request with its sid. */
static bool tie(struct server_shim *ss, struct server_request *r)
{
    uint64_t conn = server_shim_memory(ss)->count;

    if (!r->session)
        return true;
    if (!r->session->count)
        r->session->count = conn;
    return r->session->count == conn || refuse(ss, r->now_ms, r->token);
}

static enum server_course take_once(struct server_shim *ss, int64_t now_ms,
                                    const struct server_arrival *a)
{
    bool again = server_shim_memory(ss)->count == a->conn;

    note_connection(ss, now_ms, a);
    return again ? COURSE_NEVER : COURSE_IN_TURN;
}

static bool set_cookie(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        server_answer_header(a, "Set-Cookie", "node=7; Path=/");
    return true;
}

static bool want_cookie(struct server_shim *ss, struct server_request *r)
{
    return !r->session || header(r->http, "Cookie") ||
           refuse(ss, r->now_ms, r->token);
}

/* ---- half-closed ones ---- */

static void end_session(struct server_shim *ss, int64_t now_ms, uint64_t token)
{
    struct server_session *s = NULL;

    (void)now_ms;
    if (server_shim_call(ss, token, &s))
        s->flag = true;
}

static bool know_no_ended(struct server_shim *ss, struct server_request *r)
{
    return !r->session || !r->session->flag || refuse(ss, r->now_ms, r->token);
}

static void note_half_closed(struct server_shim *ss, int64_t now_ms,
                             uint64_t token)
{
    (void)now_ms;
    server_shim_memory(ss)->token = token;
}

static bool lose_its_payload(struct server_shim *ss, struct server_answer *a)
{
    if (a->token == server_shim_memory(ss)->token)
        drop_payload(&a->body);
    return true;
}

/* ---- several requests at once ---- */

static enum server_course drop_behind(struct server_shim *ss, int64_t now_ms,
                                      const struct server_arrival *a)
{
    (void)ss;
    (void)now_ms;
    return a->behind ? COURSE_NEVER : COURSE_IN_TURN;
}

static enum server_course take_at_once(struct server_shim *ss, int64_t now_ms,
                                       const struct server_arrival *a)
{
    (void)ss;
    (void)now_ms;
    return a->behind ? COURSE_AT_ONCE : COURSE_IN_TURN;
}

/* As a server does that hands them to workers: one is slower. */
static bool take_time_for_three(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && entity_has(&a->body, "wait", "3"))
        a->due_ms += 800;
    return true;
}

static enum server_course note_behind(struct server_shim *ss, int64_t now_ms,
                                      const struct server_arrival *a)
{
    (void)now_ms;
    server_shim_memory(ss)->flag = a->behind;
    return COURSE_IN_TURN;
}

static bool lose_payload(struct server_shim *ss, struct server_request *r)
{
    if (server_shim_memory(ss)->flag)
        drop_payload(&r->body);
    return true;
}

/* ---- headers of requests ---- */

static const char *unknown_header(const struct mock_request *req)
{
    for (size_t i = 0; i < req->header_count; i++) {
        if (strncasecmp(req->headers[i].name, "X-", 2) == 0)
            return req->headers[i].value;
    }
    return NULL;
}

static bool refuse_unknown(struct server_shim *ss, int64_t now_ms,
                           const struct mock_request *req, uint64_t token)
{
    return !unknown_header(req) || say(ss, now_ms, token, 403);
}

static bool refuse_long(struct server_shim *ss, int64_t now_ms,
                        const struct mock_request *req, uint64_t token)
{
    const char *value = unknown_header(req);

    return !value || strlen(value) < 512 || say(ss, now_ms, token, 431);
}

static bool note_unknown(struct server_shim *ss, int64_t now_ms,
                         const struct mock_request *req, uint64_t token)
{
    (void)now_ms;
    if (unknown_header(req))
        server_shim_memory(ss)->token = token;
    return true;
}

static bool call_it_text(struct server_shim *ss, struct server_answer *a)
{
    if (a->token == server_shim_memory(ss)->token)
        a->content_type = "text/plain; charset=utf-8";
    return true;
}

static bool mind_type(struct server_shim *ss, int64_t now_ms,
                      const struct mock_request *req, uint64_t token)
{
    const char *type = header(req, "Content-Type");

    return !is(req, "POST") || (type && strncmp(type, "text/xml", 8) == 0) ||
           say(ss, now_ms, token, 415);
}

/* ---- methods ---- */

static bool is_other(const struct mock_request *req)
{
    return !is(req, "POST") && !is(req, "OPTIONS");
}

static bool take_any(struct server_shim *ss, int64_t now_ms,
                     const struct mock_request *req, uint64_t token)
{
    return !is_other(req) || pass(ss, now_ms, req, req->body_len, token);
}

static bool end_by_get(struct server_shim *ss, int64_t now_ms,
                       const struct mock_request *req, uint64_t token)
{
    return !is(req, "GET") || !strstr(req->body, "terminate") ||
           pass(ss, now_ms, req, req->body_len, token);
}

static bool show_page(struct server_shim *ss, int64_t now_ms,
                      const struct mock_request *req, uint64_t token)
{
    struct buf page = BUF_INIT;

    if (!is(req, "GET"))
        return true;
    buf_adds(&page, "<html><body><p>Use a client.</p></body></html>");
    server_shim_answer(ss, now_ms, token, 200, &page);
    buf_release(&page);
    return false;
}

static enum server_course hang_up_on_others(struct server_shim *ss,
                                            int64_t now_ms,
                                            const struct server_arrival *a)
{
    (void)ss;
    (void)now_ms;
    return a->len && strchr("GHPD", a->bytes[0]) &&
                   strncmp(a->bytes, "POST ", 5) != 0
               ? COURSE_HANGS_UP
               : COURSE_IN_TURN;
}

/* ---- entities in chunks, in pieces, packed ---- */

static bool read_one_chunk(struct server_shim *ss, int64_t now_ms,
                           const struct mock_request *req, uint64_t token)
{
    return !header(req, "Transfer-Encoding") ||
           pass(ss, now_ms, req, req->body_len / 3, token);
}

static bool hang_at_chunks(struct server_shim *ss, int64_t now_ms,
                           const struct mock_request *req, uint64_t token)
{
    (void)ss;
    (void)now_ms;
    (void)token;
    return !header(req, "Transfer-Encoding");
}

static bool hang_at_later_chunks(struct server_shim *ss, int64_t now_ms,
                                 const struct mock_request *req, uint64_t token)
{
    return hang_at_chunks(ss, now_ms, req, token) ||
           !strstr(req->body, " sid=");
}

static bool want_length(struct server_shim *ss, int64_t now_ms,
                        const struct mock_request *req, uint64_t token)
{
    return !header(req, "Transfer-Encoding") || say(ss, now_ms, token, 411);
}

static enum server_course read_one_piece(struct server_shim *ss, int64_t now_ms,
                                         const struct server_arrival *a)
{
    (void)ss;
    (void)now_ms;
    return a->pieces > 1 ? COURSE_NEVER : COURSE_IN_TURN;
}

static bool undo_nothing(struct server_shim *ss, int64_t now_ms,
                         const struct mock_request *req, uint64_t token)
{
    return !header(req, "Content-Encoding") || say(ss, now_ms, token, 415);
}

static bool note_coding(struct server_shim *ss, int64_t now_ms,
                        const struct mock_request *req, uint64_t token)
{
    (void)now_ms;
    (void)token;
    server_shim_memory(ss)->flag = header(req, "Content-Encoding") != NULL;
    return true;
}

static void offer_nothing(struct mock_options *o)
{
    o->accept = NULL;
}

static void offer_loudly(struct mock_options *o)
{
    o->accept = "DEFLATE";
}

const struct twin twins_server_http[] = {
    {"refuses-http10", TWIN_FAULTY, "says HTTP 505 to HTTP/1.0",
     SERVER(.arrives = note_version, .http = refuse_old)},
    {"chunks-to-http10", TWIN_FAULTY, "answers HTTP/1.0 in chunks",
     SERVER(.arrives = note_version, .http = note_old,
            .answer = chunk_for_old)},
    {"leaves-http10-open", TWIN_FAULTY,
     "leaves the connection open behind an answer to HTTP/1.0",
     SERVER(.arrives = leave_open)},
    {"wants-a-host", TWIN_UNADVISED, "says HTTP 400 where there is no Host",
     SERVER(.http = want_host)},
    {"answers-in-chunks", TWIN_UNADVISED, "answers HTTP/1.1 in two chunks",
     SERVER(.arrives = note_version, .http = note_old,
            .answer = chunk_for_new)},
    {"closes-after-every-answer", TWIN_RIGHT,
     "says that it closes the connection, and does, each time",
     SERVER(.answer = say_close)},
    {"closes-without-a-word", TWIN_UNADVISED,
     "closes the connection behind each answer, and did not say so",
     SERVER(.arrives = close_in_silence)},
    {"ties-sessions-to-connections", TWIN_FAULTY,
     "knows a session only on the connection of its first poll",
     SERVER(.arrives = note_connection, .request = tie)},
    {"answers-a-connection-once", TWIN_FAULTY,
     "never answers the second request on a connection",
     SERVER(.arrives = take_once)},
    {"wants-its-cookie", TWIN_FAULTY,
     "sets a cookie, and knows the session by it",
     SERVER(.answer = set_cookie, .request = want_cookie)},
    {"sets-a-cookie", TWIN_RIGHT, "sets a cookie, and does not need it",
     SERVER(.answer = set_cookie)},
    {"ends-with-its-connection", TWIN_FAULTY,
     "forgets a session when one of its connections is half closed",
     SERVER(.half_closed = end_session, .request = know_no_ended)},
    {"loses-what-the-half-closed-had", TWIN_FAULTY,
     "answers a half-closed connection without what was to come",
     SERVER(.half_closed = note_half_closed, .answer = lose_its_payload)},
    {"answers-no-half-closed", TWIN_RIGHT,
     "takes a half-closed connection for a lost one",
     SERVER(.half_closed = server_shim_forget)},
    {"drops-what-is-behind", TWIN_FAULTY,
     "does not see a request behind one that it holds",
     SERVER(.arrives = drop_behind)},
    {"answers-as-they-come", TWIN_FAULTY,
     "answers two requests of a connection in the order in which it is ready",
     SERVER(.arrives = take_at_once, .answer = take_time_for_three)},
    {"loses-what-is-behind", TWIN_FAULTY,
     "takes a request behind one that it holds for a poll",
     SERVER(.arrives = note_behind, .request = lose_payload)},
    {"reads-both-at-once", TWIN_RIGHT,
     "reads all requests of a connection as they come",
     SERVER(.arrives = take_at_once)},
    {"refuses-unknown-headers", TWIN_FAULTY,
     "says HTTP 403 to headers that it does not know",
     SERVER(.http = refuse_unknown)},
    {"other-type-for-unknown-headers", TWIN_FAULTY,
     "answers text/plain to headers that it does not know",
     SERVER(.http = note_unknown, .answer = call_it_text)},
    {"has-little-room-for-headers", TWIN_RIGHT,
     "says HTTP 431 to a header of 512 bytes", SERVER(.http = refuse_long)},
    {"minds-the-content-type", TWIN_FAULTY,
     "says HTTP 415 to all that is not called text/xml",
     SERVER(.http = mind_type)},
    {"takes-any-method", TWIN_FAULTY, "takes GET and others for POST",
     SERVER(.http = take_any)},
    {"ends-by-get", TWIN_FAULTY, "ends a session by GET",
     SERVER(.http = end_by_get)},
    {"has-a-page-for-get", TWIN_RIGHT, "has a page for people who come by GET",
     SERVER(.http = show_page)},
    {"hangs-up-on-other-methods", TWIN_RIGHT,
     "closes the connection when it gets a GET, HEAD, PUT or DELETE",
     SERVER(.arrives = hang_up_on_others)},
    {"reads-one-chunk", TWIN_FAULTY,
     "takes the first third of a chunked request",
     SERVER(.http = read_one_chunk)},
    {"hangs-at-chunks", TWIN_FAULTY, "never answers a chunked request",
     SERVER(.http = hang_at_chunks)},
    {"forgets-chunked-polls", TWIN_FAULTY, "never answers one that has a sid",
     SERVER(.http = hang_at_later_chunks)},
    {"wants-a-length", TWIN_RIGHT, "says HTTP 411 to a chunked request",
     SERVER(.http = want_length)},
    {"reads-one-piece", TWIN_FAULTY,
     "never answers a request that comes in several pieces",
     SERVER(.arrives = read_one_piece)},
    {"undoes-no-coding", TWIN_FAULTY,
     "says that it undoes gzip and deflate, and says HTTP 415 to them",
     SERVER(.http = undo_nothing)},
    {"loses-packed-payloads", TWIN_FAULTY, "takes a packed request for a poll",
     SERVER(.http = note_coding, .request = lose_payload)},
    {"offers-no-codings", TWIN_RIGHT, "undoes no coding of requests",
     SERVER(.options = offer_nothing)},
    {"offers-deflate-in-capitals", TWIN_RIGHT,
     "undoes deflate alone, and calls it DEFLATE",
     SERVER(.options = offer_loudly)},
    {0},
};
