/* Client twins: entities that are no <body/>, or one with more in it than
 * XEP-0124 §6 allows. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

/* ---- what is no body ---- */

static bool is_body(const struct buf *b)
{
    xmlDocPtr doc = xml_parse(buf_str(b), b->len, NULL, NULL);
    bool good =
        doc && xml_is(xmlDocGetRootElement(doc), XML_NS_HTTPBIND, "body");

    xmlFreeDoc(doc);
    return good;
}

static bool is_no_body(const struct client_shim *cs,
                       const struct shim_answer *a)
{
    return cs->online && a->status == 200 && !is_body(&a->body);
}

static bool take_for_empty(struct client_shim *cs, struct shim_answer *a)
{
    if (is_no_body(cs, a))
        entity_empty(&a->body, NULL);
    return true;
}

static bool stop(struct client_shim *cs, struct shim_answer *a)
{
    if (is_no_body(cs, a))
        client_shim_end(cs);
    return true;
}

static bool report_and_go_on(struct client_shim *cs, struct shim_answer *a)
{
    if (is_no_body(cs, a))
        client_shim_say(cs, "error", NULL);
    return take_for_empty(cs, a);
}

static bool report_and_end(struct client_shim *cs, struct shim_answer *a)
{
    if (!is_no_body(cs, a))
        return true;
    client_shim_end(cs);
    client_shim_say(cs, "error", NULL);
    return false;
}

/* ---- reading more into it than there is ---- */

/* The first message as it stands, with the namespace that it should have. */
static bool find_message(const struct buf *b, struct buf *out)
{
    static const char end_tag[] = "</message>";
    const char *from = strstr(buf_str(b), "<message");
    const char *to = from ? strstr(from, end_tag) : NULL;

    if (to)
        buf_add(out, from, (size_t)(to - from) + sizeof end_tag - 1);
    return to != NULL;
}

/* What a parser that mends does: whatever looks like a stanza is one. */
static bool mend(struct client_shim *cs, struct shim_answer *a)
{
    struct buf message = BUF_INIT;

    if (is_no_body(cs, a) && find_message(&a->body, &message)) {
        entity_empty(&a->body, NULL);
        entity_put_payload(&a->body, &message);
    }
    buf_release(&message);
    return true;
}

/* ---- payloads ---- */

/* Something but stanzas and what login needs. */
static bool is_mixed(const struct client_shim *cs, const struct shim_answer *a)
{
    return cs->online && strstr(buf_str(&a->body), "<news ");
}

static bool drop_mixed(struct client_shim *cs, struct shim_answer *a)
{
    if (is_mixed(cs, a))
        entity_empty(&a->body, NULL);
    return true;
}

static bool stop_at_mixed(struct client_shim *cs, struct shim_answer *a)
{
    if (is_mixed(cs, a))
        client_shim_end(cs);
    return true;
}

const struct twin twins_client_answers[] = {
    {"takes-rubbish-for-an-answer", TWIN_FAULTY,
     "goes on after what is no body as if the answer had been empty",
     CLIENT(.answer = take_for_empty)},
    {"hangs-at-rubbish", TWIN_FAULTY,
     "does and says nothing more after what is no body",
     CLIENT(.answer = stop)},
    {"reports-rubbish-and-goes-on", TWIN_RIGHT,
     "says that an answer was no body, and goes on without it",
     CLIENT(.answer = report_and_go_on)},
    {"reports-rubbish-and-ends", TWIN_RIGHT,
     "says that an answer was no body, and does nothing more",
     CLIENT(.answer = report_and_end)},
    {"mends-bodies", TWIN_FAULTY, "hands over stanzas from what is no body",
     CLIENT(.answer = mend)},
    {"drops-mixed-bodies", TWIN_FAULTY,
     "reads nothing of an answer with a payload that it does not know",
     CLIENT(.answer = drop_mixed)},
    {"stops-at-mixed-bodies", TWIN_FAULTY,
     "does and says nothing more after a payload that it does not know",
     CLIENT(.answer = stop_at_mixed)},
    {0},
};
