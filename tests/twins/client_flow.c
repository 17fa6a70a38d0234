/* Client twins: what is sent and received, and its text: XEP-0124 §8, §10. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

#define MESSAGE_END "</message>"
#define TEXT "<body>"
#define TEXT_END "</body>"

/* ---- polls ---- */

static bool is_poll(const struct client_shim *cs, const struct shim_request *r)
{
    return cs->online && !entity_has_payload(&r->body) &&
           !entity_has(&r->body, "type", "terminate");
}

static bool never_poll(struct client_shim *cs, struct shim_request *r)
{
    return !is_poll(cs, r);
}

#define SECOND_MS 1000

/* cs->rid2: polls of its own so far; all later rids are so much higher. */
static bool poll_beside(struct client_shim *cs, struct shim_request *r)
{
    if (!cs->sid)
        cs->rid2 = 0;
    entity_set_number(&r->body, "rid", r->rid + cs->rid2);
    if (is_poll(cs, r) && r->attempt == 1) {
        struct buf poll = BUF_INIT;

        entity_empty(&poll, NULL);
        entity_set_number(&poll, "rid", r->rid + ++cs->rid2);
        entity_set(&poll, "sid", cs->sid);
        client_shim_send(cs, r->now_ms + SECOND_MS, r->rid + cs->rid2, &poll);
        buf_release(&poll);
    }
    return true;
}

/* ---- several stanzas ---- */

static bool take_first(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;
    struct buf first = BUF_INIT;
    const char *end;

    if (cs->online) {
        entity_take_payload(&a->body, &payload);
        end = strstr(buf_str(&payload), MESSAGE_END);
        buf_add(&first, buf_str(&payload),
                end ? (size_t)(end - buf_str(&payload)) + strlen(MESSAGE_END)
                    : payload.len);
        entity_put_payload(&a->body, &first);
    }
    buf_release(&payload);
    buf_release(&first);
    return true;
}

static const char *last_message(const char *text)
{
    const char *last = NULL;

    for (const char *at = text; (at = strstr(at, "<message")) != NULL; at++)
        last = at;
    return last;
}

static bool last_first(struct client_shim *cs, struct shim_answer *a)
{
    struct buf payload = BUF_INIT;
    struct buf turned = BUF_INIT;
    const char *last;

    if (cs->online) {
        entity_take_payload(&a->body, &payload);
        last = last_message(buf_str(&payload));
        if (last) {
            buf_adds(&turned, last);
            buf_add(&turned, buf_str(&payload),
                    (size_t)(last - buf_str(&payload)));
        } else {
            buf_adds(&turned, buf_str(&payload));
        }
        entity_put_payload(&a->body, &turned);
    }
    buf_release(&payload);
    buf_release(&turned);
    return true;
}

/* What a send is told to send; NULL: it is another verb. */
static const char *sent(const struct verb *v)
{
    for (size_t i = 0; strcmp(v->name, "send") == 0 && i < v->arg_count; i++) {
        if (strcmp(v->args[i].name, "xml") == 0)
            return v->args[i].value;
    }
    return NULL;
}

static bool send_twice(struct client_shim *cs, int64_t now_ms,
                       const struct verb *v)
{
    if (sent(v))
        client_shim_core_send(cs, now_ms, sent(v));
    return true;
}

/* cs->text: the first of a pair, kept back. */
static bool reverse_pairs(struct client_shim *cs, int64_t now_ms,
                          const struct verb *v)
{
    if (!sent(v))
        return true;
    if (!cs->text.len) {
        buf_adds(&cs->text, sent(v));
        return false;
    }
    client_shim_core_send(cs, now_ms, sent(v));
    client_shim_core_send(cs, now_ms, buf_str(&cs->text));
    buf_clear(&cs->text);
    return false;
}

/* ---- long texts ---- */

#define LONG 50000

/* Where a character begins. */
static size_t boundary(const struct buf *text, size_t at)
{
    while (((unsigned char)text->data[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* Put it in place of what stands between the LONGth byte and the end of the
 * text, or just there. */
static void break_text(struct buf *xml, const char *piece, bool cut)
{
    struct buf out = BUF_INIT;
    const char *end;
    size_t at;

    if (xml->len <= LONG)
        return;
    at = boundary(xml, LONG);
    end = strstr(buf_str(xml) + at, TEXT_END);
    if (!end)
        return;
    buf_add(&out, buf_str(xml), at);
    buf_adds(&out, piece);
    buf_adds(&out, cut ? end : buf_str(xml) + at);
    buf_release(xml);
    *xml = out;
}

static bool cut_long(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    break_text(&r->body, "", true);
    return true;
}

static bool split_long(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    break_text(&r->body,
               TEXT_END MESSAGE_END "<message xmlns='" XML_NS_CLIENT
                                    "' to='echo@localhost' id='big'>" TEXT,
               false);
    return true;
}

static bool cut_received(struct client_shim *cs, struct said *said)
{
    if (said->text) {
        buf_clear(&cs->text);
        buf_adds(&cs->text, said->text);
        break_text(&cs->text, "", true);
        said->text = buf_str(&cs->text);
    }
    return true;
}

/* ---- odd characters ---- */

static bool trim_received(struct client_shim *cs, struct said *said)
{
    if (said->text) {
        buf_clear(&cs->text);
        buf_adds(&cs->text, said->text);
        while (strstr(buf_str(&cs->text), TEXT " "))
            entity_replace(&cs->text, TEXT " ", TEXT);
        said->text = buf_str(&cs->text);
    }
    return true;
}

static bool escape_twice(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    entity_replace(&r->body, "&amp;", "&amp;amp;");
    return true;
}

/* A text of 16-bit characters that was taken for UCS-2. */
static bool replace_astral(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    for (size_t i = 0; i + 4 <= r->body.len; i++) {
        if ((unsigned char)r->body.data[i] >= 0xF0)
            memcpy(r->body.data + i, "????", 4);
    }
    return true;
}

const struct twin twins_client_flow[] = {
    {"never-polls-by-itself", TWIN_FAULTY,
     "sends nothing as long as it has nothing to say",
     CLIENT(.request = never_poll)},
    {"polls-beside-its-poll", TWIN_FAULTY,
     "sends a second empty request a second after the first",
     CLIENT(.request = poll_beside)},
    {"takes-the-first-stanza-only", TWIN_FAULTY,
     "hands over one message of an answer", CLIENT(.answer = take_first)},
    {"hands-over-the-last-first", TWIN_FAULTY,
     "hands over the last message of an answer before the others",
     CLIENT(.answer = last_first)},
    {"sends-everything-twice", TWIN_FAULTY,
     "sends each stanza under two rids, or twice under one",
     CLIENT(.verb = send_twice)},
    {"sends-in-pairs-reversed", TWIN_FAULTY,
     "sends the second stanza before the first, and so on",
     CLIENT(.verb = reverse_pairs)},
    {"cuts-long-texts", TWIN_FAULTY, "cuts what it sends after 50,000 bytes",
     CLIENT(.request = cut_long)},
    {"splits-long-texts", TWIN_FAULTY, "makes two messages of one that is long",
     CLIENT(.request = split_long)},
    {"cuts-what-it-receives", TWIN_FAULTY,
     "hands over no more than 50,000 bytes", CLIENT(.event = cut_received)},
    {"trims-what-it-receives", TWIN_FAULTY,
     "takes away the spaces with which a text begins",
     CLIENT(.event = trim_received)},
    {"escapes-twice", TWIN_FAULTY, "escapes an ampersand twice",
     CLIENT(.request = escape_twice)},
    {"replaces-astral-characters", TWIN_FAULTY,
     "sends question marks for characters beyond the first 65,536",
     CLIENT(.request = replace_astral)},
    {0},
};
