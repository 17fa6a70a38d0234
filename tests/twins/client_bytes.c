/* Client twins: what XML, XEP-0124 §6, and HTTP, §5, are made of. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/http.h"
#include "common/xml.h"
#include "entity.h"

/* ---- XML ---- */

static bool forget_to_escape(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    entity_replace(&r->body, "&amp;", "&");
    return true;
}

static bool without_namespace(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    entity_set(&r->body, "xmlns", NULL);
    return true;
}

static void put_inside(struct client_shim *cs, struct shim_request *r,
                       const char *text)
{
    struct buf inside = BUF_INIT;

    if (cs->online) {
        buf_adds(&inside, text);
        entity_put_payload(&r->body, &inside);
    }
    buf_release(&inside);
}

static bool write_comment(struct client_shim *cs, struct shim_request *r)
{
    put_inside(cs, r, "<!-- one more -->");
    return true;
}

static bool write_between(struct client_shim *cs, struct shim_request *r)
{
    put_inside(cs, r, "and then:");
    return true;
}

static bool declare_latin_1(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    entity_replace(&r->body, "<body",
                   "<?xml version='1.0' encoding='iso-8859-1'?><body");
    return true;
}

static bool write_instruction(struct client_shim *cs, struct shim_request *r)
{
    put_inside(cs, r, "<?robot come?>");
    return true;
}

static bool write_doctype(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online)
        entity_replace(&r->body, "<body", "<!DOCTYPE body><body");
    return true;
}

static bool write_entity(struct client_shim *cs, struct shim_request *r)
{
    static const char presence[] =
        "<presence xmlns='" XML_NS_CLIENT "'><status>a&nbsp;b</status>"
        "</presence>";

    put_inside(cs, r, presence);
    return true;
}

static bool forget_to_declare(struct client_shim *cs, struct shim_request *r)
{
    put_inside(cs, r, "<c:presence/>");
    return true;
}

/* ---- HTTP ---- */

static const struct http_header host = {"Host", "localhost"};
static const struct http_header type = {"Content-Type",
                                        "text/xml; charset=utf-8"};

static void write_post(struct shim_request *r, const char *method,
                       const struct http_header *a, const struct http_header *b)
{
    const struct http_header headers[] = {*a, *b};

    http_write_request(&r->http, method, "/http-bind", 1, headers, 2,
                       buf_str(&r->body), r->body.len);
}

static bool leave_out_host(struct client_shim *cs, struct shim_request *r)
{
    static const struct http_header agent = {"User-Agent", "twin"};

    (void)cs;
    write_post(r, "POST", &agent, &type);
    return true;
}

static bool say_json(struct client_shim *cs, struct shim_request *r)
{
    static const struct http_header json = {"Content-Type", "application/json"};

    (void)cs;
    write_post(r, "POST", &host, &json);
    return true;
}

static bool put_body(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online)
        write_post(r, "PUT", &host, &type);
    return true;
}

static bool post_plain(struct client_shim *cs, struct shim_request *r)
{
    static const struct http_header plain = {"Content-Type", "text/plain"};

    (void)cs;
    write_post(r, "POST", &host, &plain);
    return true;
}

/* A media type where a coding belongs, as a client in the field has it. */
static bool code_unasked(struct client_shim *cs, struct shim_request *r)
{
    static const struct http_header coding = {"Content-Encoding", "text/xml"};

    if (cs->online)
        write_post(r, "POST", &host, &coding);
    return true;
}

/* The bytes that begin a character of UTF-8. */
static size_t characters(const struct buf *body)
{
    size_t count = 0;

    for (size_t i = 0; i < body->len; i++)
        count += ((unsigned char)body->data[i] & 0xC0) != 0x80;
    return count;
}

static bool count_characters(struct client_shim *cs, struct shim_request *r)
{
    char *number = mem_printf("%zu", characters(&r->body));
    struct http_header length = {"Content-Length", number};

    (void)cs;
    write_post(r, "POST", &host, &length);
    free(number);
    return true;
}

/* Once, and the core knows nothing of it. */
static bool send_megabytes(struct client_shim *cs, struct shim_request *r)
{
    struct buf body = BUF_INIT, message = BUF_INIT;
    int i;

    if (!cs->online || cs->flag)
        return true;
    cs->flag = true;
    buf_adds(&message, "<message xmlns='jabber:client'><body>");
    for (i = 0; i < 3 * 1024 * 32; i++)
        buf_adds(&message, "0123456789abcdef0123456789abcdef");
    buf_adds(&message, "</body></message>");
    buf_add(&body, r->body.data, r->body.len);
    entity_put_payload(&body, &message);
    client_shim_send(cs, r->due_ms, r->rid, &body);
    buf_release(&body);
    buf_release(&message);
    return true;
}

static bool send_chunks(struct client_shim *cs, struct shim_request *r)
{
    static const struct http_header chunked = {"Transfer-Encoding", "chunked"};
    struct buf chunks = BUF_INIT;
    struct buf body = r->body;

    if (!cs->online)
        return true;
    buf_printf(&chunks, "%zx\r\n", body.len);
    buf_add(&chunks, body.data, body.len);
    buf_adds(&chunks, "\r\n0\r\n\r\n");
    r->body = chunks;
    write_post(r, "POST", &host, &chunked);
    r->body = body;
    buf_release(&chunks);
    return true;
}

const struct twin twins_client_bytes[] = {
    {"forgets-to-escape", TWIN_FAULTY, "writes & for &amp;",
     CLIENT(.request = forget_to_escape)},
    {"body-without-namespace", TWIN_FAULTY, "leaves its bodies in no namespace",
     CLIENT(.request = without_namespace)},
    {"writes-comments", TWIN_FAULTY, "has a comment in every body",
     CLIENT(.request = write_comment)},
    {"writes-between-stanzas", TWIN_FAULTY, "has text before its stanzas",
     CLIENT(.request = write_between)},
    {"declares-latin-1", TWIN_FAULTY, "says that it writes ISO 8859-1",
     CLIENT(.request = declare_latin_1)},
    {"says-it-sends-json", TWIN_FAULTY,
     "says that its requests are application/json",
     CLIENT(.request = say_json)},
    {"writes-instructions", TWIN_FAULTY,
     "has a processing instruction in every body",
     CLIENT(.request = write_instruction)},
    {"writes-a-doctype", TWIN_FAULTY, "has a document type before every body",
     CLIENT(.request = write_doctype)},
    {"writes-entities", TWIN_FAULTY, "writes &nbsp;",
     CLIENT(.request = write_entity)},
    {"forgets-to-declare", TWIN_FAULTY, "uses a prefix that is not declared",
     CLIENT(.request = forget_to_declare)},
    {"posts-text-plain", TWIN_RIGHT, "calls what it sends text/plain",
     CLIENT(.request = post_plain)},
    {"codes-unasked", TWIN_UNADVISED,
     "writes a media type into Content-Encoding once it is logged in",
     CLIENT(.request = code_unasked)},
    {"leaves-out-host", TWIN_FAULTY, "sends no Host",
     CLIENT(.request = leave_out_host)},
    {"puts-its-bodies", TWIN_FAULTY, "uses PUT once it is logged in",
     CLIENT(.request = put_body)},
    {"counts-characters", TWIN_FAULTY,
     "counts characters for Content-Length, not bytes",
     CLIENT(.request = count_characters)},
    {"sends-megabytes", TWIN_FAULTY,
     "sends a message of three megabytes once it is logged in",
     CLIENT(.request = send_megabytes)},
    {"sends-in-chunks", TWIN_FAULTY, "sends in chunks once it is logged in",
     CLIENT(.request = send_chunks)},
    {0},
};
