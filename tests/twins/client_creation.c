/* Client twins: the request that creates the session, and spelling. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

static bool creates(const struct shim_request *r)
{
    char *sid = entity_attr(&r->body, "sid");
    bool without = sid == NULL;

    free(sid);
    return without;
}

static bool leave_out(struct shim_request *r, const char *name)
{
    if (creates(r))
        entity_set(&r->body, name, NULL);
    return true;
}

static bool without_to(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return leave_out(r, "to");
}

static bool without_lang(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return leave_out(r, "xml:lang");
}

static bool without_version(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    return leave_out(r, "xmpp:version");
}

static bool with_empty_sid(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (creates(r))
        entity_set(&r->body, "sid", "");
    return true;
}

static bool say_it_again(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (!creates(r)) {
        entity_set(&r->body, "hold", "1");
        entity_set(&r->body, "wait", "60");
    }
    return true;
}

/* ---- in the right ---- */

static bool add_attributes(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    if (creates(r)) {
        entity_set(&r->body, "secure", "true");
        entity_set(&r->body, "window", "5");
    }
    return true;
}

/* An XML declaration, a prefix on the root, double quotes: XEP-0124 §6 has
 * nothing against it. */
static bool spell_oddly(struct client_shim *cs, struct shim_request *r)
{
    static const char ns[] = " xmlns='" XML_NS_HTTPBIND "'";
    struct buf payload = BUF_INIT;
    struct buf out = BUF_INIT;
    char *at;

    (void)cs;
    entity_take_payload(&r->body, &payload);
    at = strstr(r->body.data, ns);
    buf_adds(&out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<b:body");
    buf_add(&out, r->body.data + strlen("<body"),
            (size_t)(at - r->body.data) - strlen("<body"));
    buf_adds(&out, " xmlns:b='" XML_NS_HTTPBIND "'");
    at += strlen(ns);
    buf_add(&out, at, strcspn(at, "/>"));
    for (char *c = out.data; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    buf_addc(&out, '>');
    buf_add(&out, buf_str(&payload), payload.len);
    buf_adds(&out, "</b:body>\n");
    buf_release(&payload);
    buf_release(&r->body);
    r->body = out;
    return true;
}

const struct twin twins_client_creation[] = {
    {"creates-without-to", TWIN_FAULTY, "does not say which domain it wants",
     CLIENT(.request = without_to)},
    {"creates-without-lang", TWIN_FAULTY, "does not say its language",
     CLIENT(.request = without_lang)},
    {"creates-without-version", TWIN_FAULTY, "does not say its version of XMPP",
     CLIENT(.request = without_version)},
    {"creates-with-empty-sid", TWIN_FAULTY,
     "has an empty sid in its first request",
     CLIENT(.request = with_empty_sid)},
    {"says-wait-every-time", TWIN_FAULTY, "has wait and hold in every request",
     CLIENT(.request = say_it_again)},
    {"extra-attributes", TWIN_RIGHT, "has attributes that nobody knows",
     CLIENT(.request = add_attributes)},
    {"odd-spelling", TWIN_RIGHT,
     "writes an XML declaration, a prefix, and double quotes",
     CLIENT(.request = spell_oddly)},
    {0},
};
