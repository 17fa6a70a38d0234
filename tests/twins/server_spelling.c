/* Server twins that are in the right: the same XML and the same headers, in
 * another spelling than ours. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

static bool has_body(const struct server_answer *a)
{
    return a->status == 200 && a->body.len > 0;
}

/* Old managers let stanzas inherit the namespace: XEP-0206 §2, note. */
static bool inherit_namespace(struct server_shim *ss, struct server_answer *a)
{
    static const char declared[] = " xmlns='" XML_NS_CLIENT "'";
    struct buf out = BUF_INIT;
    const char *rest = buf_str(&a->body);
    const char *hit;

    (void)ss;
    while ((hit = strstr(rest, declared)) != NULL) {
        buf_add(&out, rest, (size_t)(hit - rest));
        rest = hit + sizeof declared - 1;
    }
    buf_adds(&out, rest);
    buf_release(&a->body);
    a->body = out;
    return true;
}

static void write_end_tag(struct buf *body)
{
    const char *end = body->len > 2 ? body->data + body->len - 2 : "";

    if (strcmp(end, "/>") != 0)
        return;
    body->len -= 2;
    body->data[body->len] = '\0';
    buf_adds(body, "></body>");
}

/* All that managers in the field put there and XEP-0124 does not know. */
static bool write_at_length(struct server_shim *ss, struct server_answer *a)
{
    static const struct {
        const char *name, *value;
    } extra[] = {
        {"secure", "true"},
        {"authid", "x"},
        {"window", "5"},
        {"message", "hi"},
        {"to", "alice@localhost"},
        {"xmlns:stream", XML_NS_STREAM},
        {"xmlns:xmpp", "urn:xmpp:xbosh"},
    };

    (void)ss;
    if (!has_body(a))
        return true;
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
        entity_set(&a->body, extra[i].name, extra[i].value);
    if (!entity_has_payload(&a->body))
        write_end_tag(&a->body);
    buf_adds(&a->body, "\r\n");
    return true;
}

static bool write_declaration(struct server_shim *ss, struct server_answer *a)
{
    struct buf out = BUF_INIT;

    (void)ss;
    if (!has_body(a))
        return true;
    buf_adds(&out, "\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n");
    buf_add(&out, a->body.data, a->body.len);
    buf_release(&a->body);
    a->body = out;
    return true;
}

static bool end_replay_with_newline(struct server_shim *ss,
                                    struct server_answer *a)
{
    (void)ss;
    if (a->replay)
        buf_adds(&a->body, "\n");
    return true;
}

static void spell_type(struct mock_options *o)
{
    o->content_type = "Text/XML ;charset=\"UTF-8\"";
}

static void allow_origins(struct mock_options *o)
{
    o->cors = true;
}

const struct twin twins_server_spelling[] = {
    {"leaves-out-the-namespace", TWIN_UNADVISED,
     "lets stanzas inherit the namespace of the body",
     SERVER(.answer = inherit_namespace)},
    {"writes-at-length", TWIN_RIGHT,
     "has attributes that nobody knows, end tags, and a newline behind",
     SERVER(.answer = write_at_length)},
    {"writes-a-declaration", TWIN_RIGHT,
     "begins with a byte order mark and an XML declaration",
     SERVER(.answer = write_declaration)},
    {"ends-replays-with-a-newline", TWIN_RIGHT,
     "has a newline behind an answer that it gives again",
     SERVER(.answer = end_replay_with_newline)},
    {"spells-its-type-otherwise", TWIN_RIGHT,
     "says Text/XML, and the charset in quotes", SERVER(.options = spell_type)},
    {"allows-every-origin", TWIN_RIGHT,
     "has the headers that browsers ask for in every answer",
     SERVER(.options = allow_origins)},
    {0},
};
