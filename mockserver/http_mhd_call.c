/* One request from its head to its answer: see http_mhd.h. */
#include "http_mhd_internal.h"

#include <stdlib.h>

#include "common/clock.h"

#define MAX_HEADERS 64

/* ---- tokens ---- */

static void take_slot(struct http_mhd *h, struct call *call)
{
    size_t i;

    if (h->free_count) {
        i = h->free_slots[--h->free_count];
    } else {
        i = h->slot_count++;
        h->slots = mem_grow(h->slots, h->slot_count * sizeof *h->slots);
        h->free_slots =
            mem_grow(h->free_slots, h->slot_count * sizeof *h->free_slots);
        h->slots[i].uses = 0;
    }
    h->slots[i].call = call;
    h->slots[i].uses++;
    call->token = (uint64_t)h->slots[i].uses << 32 | i;
}

static void give_slot(struct call *call)
{
    size_t i = (size_t)(call->token & 0xffffffff);

    call->h->slots[i].call = NULL;
    call->h->free_slots[call->h->free_count++] = i;
}

static struct call *find_call(const struct http_mhd *h, uint64_t token)
{
    size_t i = (size_t)(token & 0xffffffff);

    if (i >= h->slot_count || h->slots[i].uses != token >> 32)
        return NULL;
    return h->slots[i].call;
}

/* ---- suspended requests ---- */

static void watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct http_mhd *h = w->h;

    free(w);
    http_mhd_handle_closed(h);
}

static void unwatch(struct call *call)
{
    if (!call->watch)
        return;
    call->watch->call = NULL;
    uv_poll_stop(&call->watch->poll);
    uv_close((uv_handle_t *)&call->watch->poll, watch_closed);
    call->watch = NULL;
}

static void resume(struct call *call)
{
    if (!call->suspended)
        return;
    unwatch(call);
    call->suspended = false;
    call->h->again = true;
    MHD_resume_connection(call->connection);
}

static void hung_up(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct http_mhd *h = w->h;

    (void)status;
    (void)events;
    if (!w->call)
        return;
    w->call->state = CALL_GONE;
    mock_gone(h->mock, clock_now_ms(), w->call->token);
    resume(w->call);
    http_mhd_turn(h);
}

static void suspend(struct call *call)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        call->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct watch *w = mem_alloc(sizeof *w);

    MHD_suspend_connection(call->connection);
    call->suspended = true;
    w->h = call->h;
    w->call = call;
    w->poll.data = w;
    if (!info || uv_poll_init(call->h->loop, &w->poll, info->connect_fd) < 0) {
        free(w);
        return;
    }
    call->h->handles++;
    call->watch = w;
    uv_poll_start(&w->poll, UV_DISCONNECT, hung_up);
}

/* ---- answers ---- */

static void set_answer(struct call *call, const struct mock_answer *a)
{
    call->state = CALL_ANSWERED;
    call->status = (unsigned)a->status;
    if (a->status == 0)
        return;
    /* libmicrohttpd copies, whatever the parameter's type says */
    call->response = MHD_create_response_from_buffer(
        a->body_len, (void *)(uintptr_t)a->body, MHD_RESPMEM_MUST_COPY);
    for (size_t i = 0; call->response && i < a->header_count; i++)
        MHD_add_response_header(call->response, a->headers[i].name,
                                a->headers[i].value);
}

void http_mhd_take_answers(struct http_mhd *h)
{
    struct mock_answer a;

    while (mock_next_answer(h->mock, clock_now_ms(), &a)) {
        struct call *call = find_call(h, a.token);

        if (!call || call->state != CALL_ASKED)
            continue;
        set_answer(call, &a);
        resume(call);
    }
}

static enum MHD_Result send_answer(struct call *call)
{
    enum MHD_Result rc;

    if (!call->response) {
        call->h->hang_ups += call->status == 0;
        return MHD_NO;
    }
    rc = MHD_queue_response(call->connection, call->status, call->response);
    MHD_destroy_response(call->response);
    call->response = NULL;
    return rc;
}

static enum MHD_Result refuse_big(struct call *call)
{
    static char text[] = "too big";

    call->state = CALL_ANSWERED;
    call->status = MHD_HTTP_CONTENT_TOO_LARGE;
    call->response = MHD_create_response_from_buffer(sizeof text - 1, text,
                                                     MHD_RESPMEM_PERSISTENT);
    return send_answer(call);
}

/* ---- requests ---- */

struct header_list {
    struct mock_header headers[MAX_HEADERS];
    size_t count;
};

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    struct header_list *list = cls;

    (void)kind;
    if (list->count == MAX_HEADERS)
        return MHD_NO;
    list->headers[list->count].name = name;
    list->headers[list->count++].value = value ? value : "";
    return MHD_YES;
}

static void ask_mock(struct call *call, const char *method, const char *url)
{
    struct http_mhd *h = call->h;
    struct header_list list = {.count = 0};
    struct mock_request req = {
        .method = method,
        .path = url,
        .headers = list.headers,
        .body = buf_str(&call->body),
        .body_len = call->body.len,
    };

    MHD_get_connection_values(call->connection, MHD_HEADER_KIND, add_header,
                              &list);
    req.header_count = list.count;
    call->state = CALL_ASKED;
    take_slot(h, call);
    mock_request(h->mock, clock_now_ms(), &req, call->token);
    buf_release(&call->body);
    http_mhd_take_answers(h);
}

static void collect(struct call *call, const char *data, size_t len)
{
    if (call->body.len + len > MOCK_MAX_BODY)
        call->too_big = true;
    if (call->too_big)
        buf_release(&call->body);
    else
        buf_add(&call->body, data, len);
}

static enum MHD_Result request_whole(struct call *call, const char *method,
                                     const char *url)
{
    if (call->h->freed) /* nothing may be suspended any more */
        return MHD_NO;
    if (call->state == CALL_READING && call->too_big)
        return refuse_big(call);
    if (call->state == CALL_READING)
        ask_mock(call, method, url);
    switch (call->state) {
    case CALL_READING:
    case CALL_GONE:
        return MHD_NO;
    case CALL_ASKED:
        suspend(call);
        return MHD_YES;
    case CALL_ANSWERED:
        return send_answer(call);
    }
    return MHD_NO;
}

/* MHD's handler: called with the head, with pieces of the body, with the whole
 * request, and again after it was resumed. */
enum MHD_Result http_mhd_handle(void *cls, struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *data,
                                size_t *len, void **place)
{
    struct call *call = *place;

    (void)version;
    if (!call) {
        call = mem_alloc(sizeof *call);
        call->h = cls;
        call->connection = connection;
        *place = call;
        return MHD_YES;
    }
    if (*len) {
        collect(call, data, *len);
        *len = 0;
        return MHD_YES;
    }
    return request_whole(call, method, url);
}

void http_mhd_completed(void *cls, struct MHD_Connection *connection,
                        void **place, enum MHD_RequestTerminationCode why)
{
    struct http_mhd *h = cls;
    struct call *call = *place;

    (void)connection;
    (void)why;
    if (!call)
        return;
    *place = NULL;
    unwatch(call);
    if (call->state == CALL_ASKED)
        mock_gone(h->mock, clock_now_ms(), call->token);
    if (call->token)
        give_slot(call);
    if (call->response)
        MHD_destroy_response(call->response);
    buf_release(&call->body);
    free(call);
}

void http_mhd_give_up_all(struct http_mhd *h)
{
    for (size_t i = 0; i < h->slot_count; i++) {
        struct call *call = h->slots[i].call;

        if (!call)
            continue;
        if (call->state == CALL_ASKED) {
            call->state = CALL_GONE;
            mock_gone(h->mock, clock_now_ms(), call->token);
        }
        resume(call);
    }
}
