/*
 * Client twins in the right: habits that are seen in the field, and that no
 * case may take for a fault.
 */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

/* ---- what applications send by themselves ---- */

static bool is_status(const struct said *said, const char *status)
{
    return said->value && strcmp(said->value, status) == 0;
}

static bool send_presence(struct client_shim *cs, struct said *said)
{
    if (is_status(said, "connected"))
        client_shim_core_send(cs, 0, "<presence xmlns='" XML_NS_CLIENT "'/>");
    return true;
}

#define RECEIPTS "urn:xmpp:receipts"

/* For whatever is a message, but for receipts. */
static bool send_receipt(struct client_shim *cs, struct said *said)
{
    char *receipt;

    if (!said->text || !strstr(said->text, "<message") ||
        strstr(said->text, RECEIPTS))
        return true;
    receipt = mem_printf("<message xmlns='" XML_NS_CLIENT "' id='rc%ld' "
                         "to='echo@localhost'>"
                         "<received xmlns='" RECEIPTS "'/></message>",
                         ++cs->count);
    client_shim_core_send(cs, 0, receipt);
    free(receipt);
    return true;
}

/* ---- a busy process ---- */

#define READ_MS 1500
#define BEGUN_MS 600

/* With a name it ends one stream of several, XEP-0124 §16.6. */
static bool ends_session(const struct shim_answer *a)
{
    char *stream = entity_attr(&a->body, "stream");
    bool named = stream != NULL;

    free(stream);
    return entity_has(&a->body, "type", "terminate") && !named;
}

/* It reads late. Before it has read of the end, it has begun a request, where
 * it may have a second one open. */
static bool read_late(struct client_shim *cs, struct shim_answer *a)
{
    struct buf poll = BUF_INIT;

    if (entity_number(&a->body, "requests"))
        cs->flag = entity_number(&a->body, "requests") == 1;
    if (!cs->online)
        return true;
    a->due_ms = a->now_ms + READ_MS;
    if (ends_session(a) && a->rid == cs->top_rid && !cs->flag &&
        cs->count++ == 0) {
        entity_empty(&poll, NULL);
        entity_set_number(&poll, "rid", cs->top_rid + 1);
        entity_set(&poll, "sid", cs->sid);
        client_shim_send(cs, a->now_ms + BEGUN_MS, cs->top_rid + 1, &poll);
    }
    buf_release(&poll);
    return true;
}

/* ---- what HTTP stacks do by themselves ---- */

#define SOON_MS 50

/* A creation comes twice, and may get two sessions. */
static bool create_twice(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid && r->attempt == 1)
        client_shim_send(cs, r->now_ms + SOON_MS, r->rid, &r->body);
    return true;
}

/* An HTTP library that sent it once more by itself, and was answered that. */
static bool create_before(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid && r->attempt == 1) {
        client_shim_send(cs, r->now_ms, r->rid, &r->body);
        r->due_ms = r->now_ms + SOON_MS;
    }
    return true;
}

/* Asks for a challenge first, with nothing in it, as NTLM does. */
static bool probe(struct client_shim *cs, struct shim_request *r)
{
    struct buf nothing = BUF_INIT;

    if (!cs->sid && r->attempt == 1)
        client_shim_send(cs, r->now_ms, r->rid, &nothing);
    return true;
}

const struct twin twins_client_habits[] = {
    {"sends-presence", TWIN_RIGHT, "sends presence as soon as it is logged in",
     CLIENT(.event = send_presence)},
    {"sends-receipts", TWIN_RIGHT, "sends a receipt for every message",
     CLIENT(.event = send_receipt)},
    {"reads-late", TWIN_RIGHT,
     "reads each answer a second and a half late, and begins a request then",
     CLIENT(.answer = read_late)},
    {"creates-twice", TWIN_RIGHT,
     "sends its creation twice, and uses one session",
     CLIENT(.request = create_twice)},
    {"creates-twice-and-uses-the-second", TWIN_RIGHT,
     "sends its creation twice, and uses the session of the second",
     CLIENT(.request = create_before)},
    {"probes-first", TWIN_RIGHT, "sends an empty request before its creation",
     CLIENT(.request = probe)},
    {0},
};
