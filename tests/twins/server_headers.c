/* Server twins: what answers are packed in, written in and headed by: codings
 * and UTF-8, XEP-0124 §5 and §7.2, and the headers that browsers ask for. */
#include "server_shim.h"
#include "twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/coding.h"
#include "entity.h"

#define ALLOW_ORIGIN "Access-Control-Allow-Origin"

static const char *header(const struct mock_request *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++) {
        if (strcasecmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    }
    return NULL;
}

/* ---- codings; the core answers creations at once ---- */

static void pack(struct server_answer *a)
{
    struct buf out = BUF_INIT;

    coding_encode(&out, CODING_GZIP, buf_str(&a->body), a->body.len);
    buf_release(&a->body);
    a->body = out;
}

static bool pack_all(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (!a->creation)
        return true;
    pack(a);
    server_answer_header(a, "Content-Encoding", "gzip");
    return true;
}

static bool pack_noted(struct server_shim *ss, struct server_answer *a)
{
    return !server_shim_memory(ss)->flag || pack_all(ss, a);
}

static bool pack_in_secret(struct server_shim *ss, struct server_answer *a)
{
    if (a->creation && server_shim_memory(ss)->flag)
        pack(a);
    return true;
}

static bool note_word(struct server_shim *ss, int64_t now_ms,
                      const struct mock_request *req, uint64_t token)
{
    const char *offered = header(req, "Accept-Encoding");

    (void)now_ms;
    (void)token;
    server_shim_memory(ss)->flag = offered && strstr(offered, "gzip");
    return true;
}

static bool note_offer(struct server_shim *ss, int64_t now_ms,
                       const struct mock_request *req, uint64_t token)
{
    (void)now_ms;
    (void)token;
    server_shim_memory(ss)->flag =
        coding_listed(header(req, "Accept-Encoding"), CODING_GZIP);
    return true;
}

/* ---- letters ---- */

static bool lose_beyond(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_replace(&a->body, "\xf0\x9f\x98\x80", "?");
    return true;
}

static bool compose(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_replace(&a->body, "e\xcc\x81", "\xc3\xa9");
    return true;
}

static bool write_latin(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_replace(&a->body, "\xc3\xa9", "\xe9");
    return true;
}

static bool write_reference(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_replace(&a->body, "\xf0\x9f\x98\x80", "&#x1F600;");
    return true;
}

static bool count_letters(struct server_shim *ss, struct server_answer *a)
{
    char text[24];
    size_t n = 0;

    (void)ss;
    for (size_t i = 0; i < a->body.len; i++)
        n += ((unsigned char)a->body.data[i] & 0xc0) != 0x80;
    snprintf(text, sizeof text, "%zu", n);
    if (n < a->body.len)
        server_answer_header(a, "Content-Length", text);
    return true;
}

/* ---- origins ---- */

static void allow_none(struct mock_options *o)
{
    o->cors = false;
}

static bool name_twice(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    server_answer_add_header(a, ALLOW_ORIGIN, "*");
    return true;
}

static bool name_in_success(struct server_shim *ss, struct server_answer *a)
{
    char *condition = entity_attr(&a->body, "condition");

    (void)ss;
    if (condition || a->status != 200)
        server_answer_header(a, ALLOW_ORIGIN, NULL);
    free(condition);
    return true;
}

static bool allow_credentials(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    server_answer_header(a, "Access-Control-Allow-Credentials", "true");
    return true;
}

/* There is but one in our cases. */
static bool echo(struct server_shim *ss, struct server_answer *a)
{
    server_answer_header(a, ALLOW_ORIGIN, "https://app.example");
    server_answer_header(a, "Vary", "Origin");
    return allow_credentials(ss, a);
}

static bool is_preflight(const struct mock_request *req)
{
    return strcmp(req->method, "OPTIONS") == 0;
}

static bool keep_preflight(struct server_shim *ss, int64_t now_ms,
                           const struct mock_request *req, uint64_t token)
{
    (void)ss;
    (void)now_ms;
    (void)token;
    return !is_preflight(req);
}

static bool note_preflight(struct server_shim *ss, int64_t now_ms,
                           const struct mock_request *req, uint64_t token)
{
    (void)now_ms;
    if (is_preflight(req))
        server_shim_memory(ss)->token = token;
    return true;
}

static bool refuse_it(struct server_shim *ss, struct server_answer *a)
{
    if (a->token == server_shim_memory(ss)->token)
        a->status = 405;
    return true;
}

static bool say_204(struct server_shim *ss, struct server_answer *a)
{
    if (a->token == server_shim_memory(ss)->token)
        a->status = 204;
    return true;
}

static bool allow_other_headers(struct server_shim *ss, struct server_answer *a)
{
    if (a->token == server_shim_memory(ss)->token)
        server_answer_header(a, "Access-Control-Allow-Headers", "x-other");
    return true;
}

static bool allow_get(struct server_shim *ss, struct server_answer *a)
{
    if (a->token == server_shim_memory(ss)->token)
        server_answer_header(a, "Access-Control-Allow-Methods", "GET, OPTIONS");
    return true;
}

static enum server_course spoil(struct server_shim *ss, int64_t now_ms,
                                const struct server_arrival *a)
{
    struct shim_memory *m = server_shim_memory(ss);

    (void)now_ms;
    if (strncmp(a->bytes, "OPTIONS ", 8) == 0) {
        m->count = a->conn;
        return COURSE_IN_TURN;
    }
    return m->count == a->conn ? COURSE_HANGS_UP : COURSE_IN_TURN;
}

const struct twin twins_server_headers[] = {
    {"packs-unasked", TWIN_FAULTY, "answers in gzip whatever was offered",
     SERVER(.answer = pack_all)},
    {"packs-in-what-was-refused", TWIN_FAULTY,
     "takes gzip;q=0 for an offer of gzip",
     SERVER(.http = note_word, .answer = pack_noted)},
    {"packs-and-says-nothing", TWIN_FAULTY,
     "answers in gzip, without a Content-Encoding",
     SERVER(.http = note_offer, .answer = pack_in_secret)},
    {"packs-what-may-be-packed", TWIN_RIGHT, "answers in gzip where it may",
     SERVER(.http = note_offer, .answer = pack_noted)},
    {"loses-letters-beyond-16-bits", TWIN_FAULTY,
     "has a question mark where it does not know a letter",
     SERVER(.answer = lose_beyond)},
    {"composes-letters", TWIN_FAULTY, "writes a letter and its accent as one",
     SERVER(.answer = compose)},
    {"answers-in-latin-1", TWIN_FAULTY, "writes a letter in Latin 1",
     SERVER(.answer = write_latin)},
    {"writes-character-references", TWIN_RIGHT,
     "writes a letter as a reference to it", SERVER(.answer = write_reference)},
    {"counts-letters", TWIN_FAULTY, "says how many letters come, not bytes",
     SERVER(.answer = count_letters)},
    {"allows-no-origins", TWIN_RIGHT, "lets no pages of other sites in",
     SERVER(.options = allow_none)},
    {"names-origins-twice", TWIN_FAULTY, "has the header for origins twice",
     SERVER(.answer = name_twice)},
    {"names-no-origin-in-errors", TWIN_FAULTY,
     "has no header for origins where it reports an error",
     SERVER(.answer = name_in_success)},
    {"allows-credentials-to-all", TWIN_FAULTY,
     "allows credentials, and every origin",
     SERVER(.answer = allow_credentials)},
    {"echoes-the-origin", TWIN_RIGHT, "allows credentials, to one origin",
     SERVER(.answer = echo)},
    {"does-not-answer-preflights", TWIN_FAULTY, "never answers OPTIONS",
     SERVER(.http = keep_preflight)},
    {"refuses-preflights", TWIN_FAULTY, "says HTTP 405 to OPTIONS",
     SERVER(.http = note_preflight, .answer = refuse_it)},
    {"answers-preflights-by-204", TWIN_RIGHT, "says HTTP 204 to OPTIONS",
     SERVER(.http = note_preflight, .answer = say_204)},
    {"allows-no-content-type", TWIN_FAULTY,
     "does not allow the header Content-Type",
     SERVER(.http = note_preflight, .answer = allow_other_headers)},
    {"allows-get-only", TWIN_FAULTY, "does not allow POST from other sites",
     SERVER(.http = note_preflight, .answer = allow_get)},
    {"preflight-spoils-its-connection", TWIN_FAULTY,
     "closes the connection of an OPTIONS request when it is used again",
     SERVER(.arrives = spoil)},
    {0},
};
