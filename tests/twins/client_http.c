/* Client twins: HTTP's statuses, headers and framing, XEP-0124 §5, §17.1. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client-under-test/bosh.h"
#include "entity.h"

static void take_for_empty(struct shim_answer *a)
{
    a->status = 200;
    entity_empty(&a->body, NULL);
}

/* ---- statuses ---- */

static bool is_server_error(const struct shim_answer *a)
{
    return a->status >= 500;
}

static bool is_redirect(const struct shim_answer *a)
{
    return a->status >= 300 && a->status < 400;
}

/* The three codes of §17.1. */
static bool is_legacy_code(const struct shim_answer *a)
{
    return a->status == 400 || a->status == 403 || a->status == 404;
}

static bool stop_at_5xx(struct client_shim *cs, struct shim_answer *a)
{
    if (is_server_error(a))
        client_shim_end(cs);
    return true;
}

/* A creation that fails leaves it in no state from which it goes anywhere. */
static bool stop_at_failed_creation(struct client_shim *cs, int64_t now_ms,
                                    uint64_t id, uint64_t rid)
{
    (void)now_ms;
    (void)id;
    (void)rid;
    if (!cs->sid)
        client_shim_end(cs);
    return true;
}

static bool take_5xx_for_answer(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && is_server_error(a))
        take_for_empty(a);
    return true;
}

static bool go_on_after_4xx(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->status >= 400 && a->status < 500)
        take_for_empty(a);
    return true;
}

static bool repeat_after_4xx(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->status >= 400 && a->status < 500)
        a->status = 503; /* the core repeats what met that */
    return true;
}

/* cs->flag: the manager has said which version it speaks. */
static bool note_ver(struct client_shim *cs, const struct shim_answer *a)
{
    if (!cs->online && a->status == 200 && entity_number(&a->body, "wait")) {
        char *ver = entity_attr(&a->body, "ver");

        cs->flag = ver != NULL;
        free(ver);
    }
    return cs->flag;
}

static bool repeat_if_ver(struct client_shim *cs, struct shim_answer *a)
{
    return !note_ver(cs, a) || repeat_after_4xx(cs, a);
}

/* It believes that the request was dealt with, as §17.1 lets it: the session
 * lives. It says so, since that request is lost. */
static bool go_on_if_ver(struct client_shim *cs, struct shim_answer *a)
{
    if (note_ver(cs, a) && cs->online && is_legacy_code(a)) {
        client_shim_say(cs, "error", NULL);
        take_for_empty(a);
    }
    return true;
}

static bool hang_at_redirect(struct client_shim *cs, struct shim_answer *a)
{
    if (is_redirect(a))
        client_shim_end(cs);
    return true;
}

static bool take_redirect_for_answer(struct client_shim *cs,
                                     struct shim_answer *a)
{
    if (cs->online && is_redirect(a))
        take_for_empty(a);
    return true;
}

/* ---- counting, and waiting between attempts ---- */

static void for_ever_at_once(struct bosh_options *o)
{
    o->max_errors = 0;
    o->back_off = false;
}

static void many_errors(struct bosh_options *o)
{
    o->max_errors = 0;
}

/* Five errors of one request; rid: the lower of two, rid2: the higher, whose
 * errors are counted in thousands. */
static bool count_by_request(struct client_shim *cs, struct shim_answer *a)
{
    if (!cs->online || !is_server_error(a))
        return true;
    if (!cs->rid || cs->rid == a->rid)
        cs->rid = a->rid;
    else
        cs->rid2 = a->rid;
    cs->count += cs->rid == a->rid ? 1 : 1000;
    if (cs->count % 1000 < 5 && cs->count / 1000 < 5)
        return true;
    client_shim_end(cs);
    client_shim_say(cs, "conntimeout", NULL);
    client_shim_say(cs, "disconnected", NULL);
    return false;
}

static void patient(struct bosh_options *o)
{
    o->timeout = 0;
    o->secondary_timeout = 0;
}

#define LONG_MS 20000 /* beside the eight seconds of its own */

static bool wait_long(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && r->attempt > 2)
        r->due_ms = r->now_ms + LONG_MS;
    return true;
}

#define PAUSE_MS 2000

static bool wait_at_first(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && r->attempt == 2)
        r->due_ms = r->now_ms + PAUSE_MS;
    return true;
}

/* ---- headers ---- */

static const struct http_message *http_of(const struct shim_answer *a)
{
    return a->message ? a->message->http : NULL;
}

static bool has_foreign_header(const struct http_message *m)
{
    for (size_t i = 0; m && i < m->header_count; i++) {
        if (strncasecmp(m->headers[i].name, "X-", 2) == 0)
            return true;
    }
    return false;
}

/* Not a success to it, and no reason to say anything. */
static bool stop_at_foreign_header(struct client_shim *cs,
                                   struct shim_answer *a)
{
    if (cs->online && has_foreign_header(http_of(a)))
        client_shim_end(cs);
    return true;
}

static bool drop_at_foreign_header(struct client_shim *cs,
                                   struct shim_answer *a)
{
    if (cs->online && has_foreign_header(http_of(a)))
        take_for_empty(a);
    return true;
}

static bool insist_on_xml(struct client_shim *cs, struct shim_answer *a)
{
    const struct http_message *m = http_of(a);
    const char *type = m ? http_header(m, "Content-Type") : NULL;

    if (cs->online && m && a->status == 200 && (!type || !strstr(type, "xml")))
        a->status = 502;
    return true;
}

static bool insist_in_silence(struct client_shim *cs, struct shim_answer *a)
{
    const struct http_message *m = http_of(a);
    const char *type = m ? http_header(m, "Content-Type") : NULL;

    if (cs->online && m && (!type || !strstr(type, "xml")))
        take_for_empty(a);
    return true;
}

static bool stop_at_close(struct client_shim *cs, struct shim_answer *a)
{
    const struct http_message *m = http_of(a);

    if (cs->online && m && http_header_has(m, "Connection", "close"))
        client_shim_end(cs);
    return true;
}

/* ---- framing ---- */

static bool stop_at_chunks(struct client_shim *cs, struct shim_answer *a)
{
    if (http_of(a) && http_of(a)->chunked)
        client_shim_end(cs);
    return true;
}

static bool drop_chunks(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && http_of(a) && http_of(a)->chunked)
        take_for_empty(a);
    return true;
}

static bool drop_coded(struct client_shim *cs, struct shim_answer *a)
{
    const struct http_message *m = http_of(a);

    if (cs->online && m && http_header(m, "Content-Encoding"))
        take_for_empty(a);
    return true;
}

static bool read_first_piece(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->message && a->message->pieces > 1)
        take_for_empty(a);
    return true;
}

static bool stop_at_pieces(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->message && a->message->pieces > 1)
        client_shim_end(cs);
    return true;
}

/* What is left over is the next answer to it. */
static bool read_leftovers(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;
    struct buf body = BUF_INIT;

    if (cs->online && a->message && a->message->after_len) {
        buf_add(&body, buf_str(&a->body), a->body.len);
        entity_take_payload(&body, &payload);
        client_shim_say_stanzas(cs, &payload);
    }
    buf_release(&payload);
    buf_release(&body);
    return true;
}

static bool stop_at_leftovers(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->message && a->message->after_len)
        client_shim_end(cs);
    return true;
}

const struct twin twins_client_http[] = {
    {"gives-up-silently", TWIN_FAULTY,
     "does and says nothing more when a server error came",
     CLIENT(.answer = stop_at_5xx)},
    {"hangs-at-a-failed-creation", TWIN_FAULTY,
     "does and says nothing more when its creation got no answer",
     CLIENT(.fail = stop_at_failed_creation)},
    {"takes-5xx-for-an-answer", TWIN_FAULTY,
     "goes on after a server error as if the answer had been empty",
     CLIENT(.answer = take_5xx_for_answer)},
    {"goes-on-after-4xx", TWIN_FAULTY,
     "goes on after a 4xx as if the answer had been empty",
     CLIENT(.answer = go_on_after_4xx)},
    {"repeats-after-4xx", TWIN_FAULTY, "repeats what met a 4xx, always",
     CLIENT(.answer = repeat_after_4xx)},
    {"repeats-after-4xx-with-ver", TWIN_RIGHT,
     "repeats what met a 4xx, where the manager stated a version",
     CLIENT(.answer = repeat_if_ver)},
    {"goes-on-after-404-with-ver", TWIN_RIGHT,
     "reports a 404 and goes on, where the manager stated a version",
     CLIENT(.answer = go_on_if_ver)},
    {"hangs-at-a-redirect", TWIN_FAULTY,
     "does and says nothing more when it was sent elsewhere",
     CLIENT(.answer = hang_at_redirect)},
    {"takes-a-redirect-for-an-answer", TWIN_FAULTY,
     "goes on after a redirect as if the answer had been empty",
     CLIENT(.answer = take_redirect_for_answer)},
    {"floods", TWIN_FAULTY, "repeats for ever, without any pause",
     CLIENT(.tweak = for_ever_at_once)},
    {"counts-errors-by-request", TWIN_FAULTY,
     "ends when one request has met five errors, whatever others met",
     CLIENT(.tweak = many_errors, .answer = count_by_request)},
    {"waits-before-the-first-repeat", TWIN_RIGHT,
     "waits two seconds before it repeats a request for the first time",
     CLIENT(.request = wait_at_first)},
    {"backs-off-for-half-a-minute", TWIN_RIGHT,
     "waits half a minute before it repeats a request for the second time",
     CLIENT(.tweak = patient, .request = wait_long)},
    {"stops-at-foreign-headers", TWIN_FAULTY,
     "does and says nothing more when an answer has a header X-...",
     CLIENT(.answer = stop_at_foreign_header)},
    {"drops-at-foreign-headers", TWIN_FAULTY,
     "does not read an answer with a header X-...",
     CLIENT(.answer = drop_at_foreign_header)},
    {"insists-on-xml", TWIN_FAULTY,
     "takes an answer for an error unless its type is XML",
     CLIENT(.answer = insist_on_xml)},
    {"reads-only-xml", TWIN_FAULTY,
     "takes an answer for empty unless its type is XML",
     CLIENT(.answer = insist_in_silence)},
    {"stops-at-a-closed-connection", TWIN_FAULTY,
     "does and says nothing more after Connection: close",
     CLIENT(.answer = stop_at_close)},
    {"stops-at-chunks", TWIN_FAULTY,
     "does and says nothing more when an answer came in chunks",
     CLIENT(.answer = stop_at_chunks)},
    {"drops-chunks", TWIN_FAULTY, "takes an answer in chunks for empty",
     CLIENT(.answer = drop_chunks)},
    {"drops-compressed", TWIN_FAULTY, "takes a compressed answer for empty",
     CLIENT(.answer = drop_coded)},
    {"reads-the-first-piece", TWIN_FAULTY,
     "takes an answer that comes in pieces for empty",
     CLIENT(.answer = read_first_piece)},
    {"hangs-at-pieces", TWIN_FAULTY,
     "does and says nothing more when an answer came in pieces",
     CLIENT(.answer = stop_at_pieces)},
    {"reads-leftovers", TWIN_FAULTY,
     "takes bytes after an answer for another answer",
     CLIENT(.answer = read_leftovers)},
    {"stops-at-leftovers", TWIN_FAULTY,
     "does and says nothing more when bytes followed an answer",
     CLIENT(.answer = stop_at_leftovers)},
    {0},
};
