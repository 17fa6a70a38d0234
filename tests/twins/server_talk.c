/* Server twins: stanzas, their errors and those of the stream. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

static bool brings(const struct server_answer *a, const char *text)
{
    return strstr(buf_str(&a->body), text) != NULL;
}

static void drop_payload(struct server_answer *a)
{
    struct buf dropped = BUF_INIT;

    entity_take_payload(&a->body, &dropped);
    buf_release(&dropped);
}

/* ---- errors of stanzas ---- */

static bool end_at_error(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (brings(a, "<iq") && brings(a, "type='error'")) {
        entity_set(&a->body, "type", "terminate");
        entity_set(&a->body, "condition", "undefined-condition");
    }
    return true;
}

static bool swallow_error(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (brings(a, "<iq") && brings(a, "type='error'"))
        drop_payload(a);
    return true;
}

/* flag: the presence that is bounced was sent. */
static bool note_presence(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (r->session && strstr(buf_str(&r->body), "<presence") &&
        strstr(buf_str(&r->body), "\"p\""))
        r->session->flag = true;
    return true;
}

static bool bounce_presence(struct server_shim *ss, struct server_answer *a)
{
    struct buf error = BUF_INIT;

    (void)ss;
    if (a->call && a->session->flag) {
        a->session->flag = false;
        buf_adds(&error,
                 "<presence xmlns='" XML_NS_CLIENT "' type='error' id='p'/>");
        entity_put_payload(&a->body, &error);
    }
    buf_release(&error);
    return true;
}

/* ---- errors of the stream ---- */

static bool is_stream_error(const struct server_answer *a)
{
    return brings(a, "<stream:error");
}

static bool forget_condition(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_stream_error(a))
        entity_set(&a->body, "condition", NULL);
    return true;
}

static bool go_on_after(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_stream_error(a)) {
        entity_set(&a->body, "type", NULL);
        entity_set(&a->body, "condition", NULL);
    }
    return true;
}

static bool forget_prefix(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_stream_error(a)) {
        entity_set(&a->body, "xmlns:stream", NULL);
        entity_replace(&a->body, "<stream:error",
                       "<stream:error xmlns:stream='" XML_NS_STREAM "'");
    }
    return true;
}

static bool unwrap(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_stream_error(a))
        drop_payload(a);
    return true;
}

/* ---- what is passed on ---- */

/* Only the first element is left of what a request brings. */
static bool pass_first(struct server_shim *ss, struct server_request *r)
{
    const char *body = buf_str(&r->body);
    const char *first = strstr(body, "</message>");
    const char *end = first ? strstr(body, "</body>") : NULL;
    struct buf out = BUF_INIT;

    (void)ss;
    if (!r->session || !first || !strstr(first + 1, "<message"))
        return true;
    while (end && strstr(end + 1, "</body>"))
        end = strstr(end + 1, "</body>");
    buf_add(&out, body, (size_t)(first - body) + strlen("</message>"));
    buf_adds(&out, end ? end : "</body>");
    buf_clear(&r->body);
    buf_add(&r->body, buf_str(&out), out.len);
    buf_release(&out);
    return true;
}

static bool choke(struct server_shim *ss, struct server_request *r)
{
    struct buf body = BUF_INIT;

    if (!r->session || !strstr(buf_str(&r->body), ">\n"))
        return true;
    entity_empty(&body, "terminate");
    entity_set(&body, "condition", "bad-request");
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    buf_release(&body);
    return false;
}

static bool lose_namespace(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_replace(&a->body, "urn:boshspec:y", "urn:boshspec:x");
    return true;
}

const struct twin twins_server_talk[] = {
    {"ends-at-stanza-errors", TWIN_FAULTY,
     "ends the session when a stanza is answered by an error",
     SERVER(.answer = end_at_error)},
    {"swallows-stanza-errors", TWIN_FAULTY, "does not bring errors of stanzas",
     SERVER(.answer = swallow_error)},
    {"lets-askers-wait", TWIN_FAULTY, "does not say that somebody is not there",
     SERVER(.answer = swallow_error)},
    {"bounces-presence", TWIN_FAULTY,
     "sends presence back that nobody is there for",
     SERVER(.request = note_presence, .answer = bounce_presence)},
    {"stream-error-without-condition", TWIN_FAULTY,
     "has no condition where it brings a stream error",
     SERVER(.answer = forget_condition)},
    {"stream-error-goes-on", TWIN_FAULTY,
     "brings a stream error as if the session went on",
     SERVER(.answer = go_on_after)},
    {"stream-error-without-prefix", TWIN_FAULTY,
     "declares the prefix of a stream error in the child",
     SERVER(.answer = forget_prefix)},
    {"stream-error-unwrapped", TWIN_FAULTY,
     "says remote-stream-error, and not which", SERVER(.answer = unwrap)},
    {"passes-on-the-first-only", TWIN_FAULTY,
     "passes on the first of a request's messages",
     SERVER(.request = pass_first)},
    {"chokes-on-white-space", TWIN_FAULTY,
     "refuses white space between stanzas", SERVER(.request = choke)},
    {"loses-namespaces", TWIN_FAULTY,
     "brings what is inside a stanza in its parent's namespace",
     SERVER(.answer = lose_namespace)},
    {0},
};
