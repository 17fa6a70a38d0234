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

/* ---- a body with more in it than §6 allows ---- */

static bool has_forbidden(const struct client_shim *cs,
                          const struct shim_answer *a)
{
    const char *text = buf_str(&a->body);

    return cs->online && a->status == 200 &&
           (strstr(text, "<!--") || strstr(text, "text between") ||
            (strstr(text, "<?") && strncmp(text, "<?xml", 5) != 0));
}

static bool drop_forbidden(struct client_shim *cs, struct shim_answer *a)
{
    if (has_forbidden(cs, a))
        entity_empty(&a->body, NULL);
    return true;
}

static bool stop_at_forbidden(struct client_shim *cs, struct shim_answer *a)
{
    if (has_forbidden(cs, a))
        client_shim_end(cs);
    return true;
}

static bool refuse_forbidden(struct client_shim *cs, struct shim_answer *a)
{
    if (has_forbidden(cs, a))
        a->status = 502; /* the core takes that for no answer */
    return true;
}

/* ---- encodings ---- */

/* A mark of UTF-16 or UTF-8, or another encoding that is declared. */
static bool is_encoded(const struct client_shim *cs,
                       const struct shim_answer *a)
{
    const char *text = buf_str(&a->body);

    return cs->online && a->status == 200 && a->body.len > 2 &&
           ((unsigned char)text[0] >= 0x80 || strstr(text, "encoding='ISO"));
}

/* What is no ASCII is a question mark to it, in ISO 8859-1. */
static bool guess_encoding(struct client_shim *cs, struct shim_answer *a)
{
    char *text = a->body.data;
    char *at;

    if (!is_encoded(cs, a) || !(at = strstr(text, "?>")))
        return true;
    for (char *p = text; p < text + a->body.len; p++) {
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    }
    buf_shift(&a->body, (size_t)(at + 2 - text));
    return true;
}

static bool drop_encoded(struct client_shim *cs, struct shim_answer *a)
{
    if (is_encoded(cs, a))
        entity_empty(&a->body, NULL);
    return true;
}

static bool stop_at_encoded(struct client_shim *cs, struct shim_answer *a)
{
    if (is_encoded(cs, a))
        client_shim_end(cs);
    return true;
}

static bool refuse_encoded(struct client_shim *cs, struct shim_answer *a)
{
    if (is_encoded(cs, a))
        a->status = 502; /* the core takes that for no answer */
    return true;
}

/* ---- document types ---- */

/* Takes the DTD out. What its entities stand for becomes text. */
static void take_doctype(struct buf *body, const char *text)
{
    const char *from = strstr(buf_str(body), "<!DOCTYPE");
    const char *to = from ? strstr(from, "]>") : NULL;
    struct buf out = BUF_INIT;

    if (!to)
        return;
    buf_add(&out, buf_str(body), (size_t)(from - buf_str(body)));
    for (to += 2; *to; to++) {
        if (strncmp(to, "&word;", 6) == 0 || strncmp(to, "&e9;", 4) == 0) {
            buf_adds(&out, text);
            to = strchr(to, ';');
        } else {
            buf_addc(&out, *to);
        }
    }
    buf_release(body);
    *body = out;
}

static bool bear_doctype(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->status == 200)
        take_doctype(&a->body, "");
    return true;
}

#define BLOWN 100000

/* As far as a limit of its own lets it. */
static bool blow_up(struct client_shim *cs, struct shim_answer *a)
{
    char *text;

    if (!cs->online || a->status != 200)
        return true;
    text = mem_alloc(BLOWN + 1);
    memset(text, 'x', BLOWN);
    take_doctype(&a->body, text);
    free(text);
    return true;
}

/* ---- what is too much for it ---- */

#define LARGE 20000

static bool drop_large(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->body.len > LARGE)
        entity_empty(&a->body, NULL);
    return true;
}

static bool stop_at_large(struct client_shim *cs, struct shim_answer *a)
{
    if (cs->online && a->body.len > LARGE)
        client_shim_end(cs);
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
    {"drops-forbidden-markup", TWIN_FAULTY,
     "reads nothing of a body with text, comments or instructions",
     CLIENT(.answer = drop_forbidden)},
    {"hangs-at-forbidden-markup", TWIN_FAULTY,
     "does and says nothing more after a body with what is forbidden in it",
     CLIENT(.answer = stop_at_forbidden)},
    {"refuses-forbidden-markup", TWIN_RIGHT,
     "takes a body with text, comments or instructions for no answer",
     CLIENT(.answer = refuse_forbidden)},
    {"bears-a-doctype", TWIN_RIGHT,
     "reads past a document type, and expands nothing",
     CLIENT(.answer = bear_doctype)},
    {"blows-up", TWIN_FAULTY, "expands entities for the application",
     CLIENT(.answer = blow_up)},
    {"drops-large-answers", TWIN_FAULTY, "reads nothing of a large answer",
     CLIENT(.answer = drop_large)},
    {"hangs-at-large-answers", TWIN_FAULTY,
     "does and says nothing more after a large answer",
     CLIENT(.answer = stop_at_large)},
    {"guesses-encodings", TWIN_FAULTY,
     "reads ISO 8859-1 without what is not ASCII",
     CLIENT(.answer = guess_encoding)},
    {"drops-other-encodings", TWIN_FAULTY,
     "reads nothing of what is not plain UTF-8",
     CLIENT(.answer = drop_encoded)},
    {"hangs-at-other-encodings", TWIN_FAULTY,
     "does and says nothing more after what is not plain UTF-8",
     CLIENT(.answer = stop_at_encoded)},
    {"refuses-other-encodings", TWIN_RIGHT,
     "takes what is not plain UTF-8 for no answer",
     CLIENT(.answer = refuse_encoded)},
    {0},
};
