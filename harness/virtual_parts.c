/* What both virtual stages share: see virtual_parts.h. */
#include "virtual_parts.h"

#include <string.h>

#include "common/buf.h"
#include "common/clock.h"

/* A play that takes longer than this, or goes round more often, will not end
 * by itself. */
#define MAX_PLAY_MS (6 * 3600 * 1000)
#define MAX_ROUNDS 400000

/* One thing happens, or time jumps to where something can. Returns why that
 * is not so any more, or NULL. */
static const char *go_on(const struct virtual_world *w, unsigned *rounds)
{
    int64_t next;

    if (++*rounds > MAX_ROUNDS || *w->now_ms - VIRTUAL_EPOCH_MS > MAX_PLAY_MS)
        return "the play did not come to an end";
    if (w->round(w->stage))
        return NULL;
    next = w->next_moment(w->stage);
    if (next == CLOCK_NEVER)
        return "nothing would ever happen again";
    if (next > *w->now_ms)
        *w->now_ms = next;
    w->tick(w->stage);
    return NULL;
}

int64_t virtual_run(const struct virtual_world *w)
{
    const char *why = NULL;
    unsigned rounds = 0;
    int64_t over_ms;

    play_start(w->play, *w->now_ms);
    while (!play_over(w->play) && !why)
        why = go_on(w, &rounds);
    if (why)
        play_abort(w->play, *w->now_ms, PLAY_ERROR, why);
    over_ms = *w->now_ms;
    play_sign_off(w->play, over_ms);
    while (!play_signed_off(w->play) && !why)
        why = go_on(w, &rounds);
    play_finish(w->play, *w->now_ms);
    return over_ms;
}

void virtual_take(struct play *p, int64_t over_ms, struct virtual_result *out)
{
    out->end = play_how(p);
    out->because = mem_dup(play_because(p));
    out->line = play_line(p);
    out->took_ms = over_ms - VIRTUAL_EPOCH_MS;
    out->journal = play_take_journal(p);
}

uint64_t virtual_random(void *ctx)
{
    uint64_t *state = ctx;

    *state ^= *state << 13; /* xorshift */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

bool virtual_to_mock(const char *bytes, size_t len, struct http_message *m,
                     struct mock_header *headers, struct mock_request *req)
{
    size_t used;

    memset(req, 0, sizeof *req);
    if (http_read(HTTP_REQUEST, bytes, len, false, false, m, &used, NULL) !=
        HTTP_WHOLE)
        return false;
    for (size_t i = 0; i < m->header_count; i++) {
        headers[i].name = m->headers[i].name;
        headers[i].value = m->headers[i].value;
    }
    req->method = m->method;
    req->path = m->target;
    req->headers = headers;
    req->header_count = m->header_count;
    req->body = buf_str(&m->body);
    req->body_len = m->body.len;
    return true;
}

void virtual_from_mock(struct buf *out, const struct mock_answer *a)
{
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t count = 0;

    for (; count < a->header_count && count < HTTP_MAX_HEADERS; count++) {
        headers[count].name = a->headers[count].name;
        headers[count].value = a->headers[count].value;
    }
    http_write_response(out, a->status, a->reason, headers, count, a->body,
                        a->body_len);
}

void virtual_release(struct virtual_result *r)
{
    journal_free(r->journal);
    free(r->because);
    memset(r, 0, sizeof *r);
}
