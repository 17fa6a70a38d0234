/* Server twins: what they take for XML, and what not, XEP-0124 §5. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

static bool says(const struct buf *body, const char *text)
{
    return strstr(buf_str(body), text) != NULL;
}

static bool answer_code(struct server_shim *ss, const struct server_request *r,
                        int status)
{
    struct buf nothing = BUF_INIT;

    server_shim_answer(ss, r->now_ms, r->token, status, &nothing);
    return false;
}

/* ---- what is not well-formed ---- */

static bool is_bad(const struct server_request *r)
{
    xmlDocPtr doc = xml_parse(buf_str(&r->body), r->body.len, NULL, NULL);
    bool bad = !doc || says(&r->body, "<!--") || says(&r->body, "&nbsp;");

    xmlFreeDoc(doc);
    return bad;
}

static bool hang_at_bad(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !is_bad(r);
}

static bool break_at_bad(struct server_shim *ss, struct server_request *r)
{
    return !is_bad(r) || answer_code(ss, r, 500);
}

static bool mend(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (says(&r->body, "<body>2</message>"))
        entity_replace(&r->body, "2</message>", "2</body></message>");
    return true;
}

/* ---- what is no body ---- */

static bool is_stranger(const struct server_request *r)
{
    xmlDocPtr doc = xml_parse(buf_str(&r->body), r->body.len, NULL, NULL);
    bool stranger =
        doc && !xml_is(xmlDocGetRootElement(doc), XML_NS_HTTPBIND, "body");

    xmlFreeDoc(doc);
    return stranger;
}

static bool hang_at_stranger(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    return !is_stranger(r);
}

static bool take_any_root(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    entity_replace(&r->body, "<envelope ", "<body ");
    entity_replace(&r->body, "xmlns='urn:x'", "xmlns='" XML_NS_HTTPBIND "'");
    return true;
}

/* ---- what has no place in XMPP: taken out for the core, put in again ---- */

#define COMMENT "<!-- secret -->"
#define INSTRUCTION "<?secret now?>"

static bool take_out(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    entity_replace(&r->body, COMMENT, "");
    entity_replace(&r->body, INSTRUCTION, "");
    entity_replace(&r->body, "</message>secret<", "</message><");
    return true;
}

static bool relay_comment(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (says(&a->body, "m1"))
        entity_replace(&a->body, "<message", COMMENT "<message");
    return true;
}

static bool relay_instruction(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (says(&a->body, "m2"))
        entity_replace(&a->body, "<message", INSTRUCTION "<message");
    return true;
}

static bool relay_text(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (says(&a->body, "m3"))
        entity_replace(&a->body, "</message>", "</message>secret");
    return true;
}

/* ---- entities and characters ---- */

static bool expand(struct server_shim *ss, struct server_request *r)
{
    const char *end = strstr(buf_str(&r->body), "]>");
    struct buf rest = BUF_INIT;

    (void)ss;
    if (!end || !says(&r->body, "<!DOCTYPE"))
        return true;
    buf_adds(&rest, end + strlen("]>"));
    entity_replace(&rest, "&word;", "expanded");
    server_shim_inject(ss, r->now_ms, &rest);
    server_shim_answer_empty(ss, r->now_ms, r->token, NULL);
    buf_release(&rest);
    return false;
}

static bool guess(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    entity_replace(&r->body, "&nbsp;", "&#160;");
    return true;
}

static bool escape_twice(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_replace(&a->body, "&amp;", "&amp;amp;");
    return true;
}

static bool keep_ascii(struct server_shim *ss, struct server_answer *a)
{
    struct buf out = BUF_INIT;

    (void)ss;
    for (size_t i = 0; i < a->body.len; i++) {
        char c = buf_str(&a->body)[i];

        if ((unsigned char)c < 0x80)
            buf_addc(&out, c);
    }
    buf_clear(&a->body);
    buf_add(&a->body, buf_str(&out), out.len);
    buf_release(&out);
    return true;
}

/* ---- spellings that are refused ---- */

static bool refuse_declared(struct server_shim *ss, struct server_request *r)
{
    return !says(&r->body, "<?xml") || answer_code(ss, r, 400);
}

static bool refuse_prefixed(struct server_shim *ss, struct server_request *r)
{
    return !says(&r->body, "<b:body") || answer_code(ss, r, 400);
}

static bool refuse_foreign(struct server_shim *ss, struct server_request *r)
{
    return !says(&r->body, "x:foo") || answer_code(ss, r, 400);
}

const struct twin twins_server_xml[] = {
    {"takes-half-for-whole", TWIN_FAULTY,
     "passes on a message whose end is missing", SERVER(.request = mend)},
    {"hangs-at-bad-xml", TWIN_FAULTY, "does not answer what it cannot read",
     SERVER(.request = hang_at_bad)},
    {"bad-xml-is-http-500", TWIN_FAULTY, "says HTTP 500 to what it cannot read",
     SERVER(.request = break_at_bad)},
    {"takes-any-root", TWIN_FAULTY,
     "takes any root element and namespace for its own",
     SERVER(.request = take_any_root)},
    {"hangs-at-strangers", TWIN_FAULTY, "does not answer what is no body",
     SERVER(.request = hang_at_stranger)},
    {"relays-comments", TWIN_FAULTY, "passes on comments",
     SERVER(.request = take_out, .answer = relay_comment)},
    {"relays-instructions", TWIN_FAULTY, "passes on processing instructions",
     SERVER(.request = take_out, .answer = relay_instruction)},
    {"relays-loose-text", TWIN_FAULTY, "passes on text between stanzas",
     SERVER(.request = take_out, .answer = relay_text)},
    {"expands-entities", TWIN_FAULTY, "expands what a document type declares",
     SERVER(.request = expand)},
    {"guesses-entities", TWIN_FAULTY, "knows the entities of HTML",
     SERVER(.request = guess)},
    {"escapes-twice", TWIN_FAULTY, "escapes ampersands once too often",
     SERVER(.answer = escape_twice)},
    {"drops-what-is-not-ascii", TWIN_FAULTY, "leaves out whatever is not ASCII",
     SERVER(.answer = keep_ascii)},
    {"drops-what-is-loose", TWIN_RIGHT,
     "drops comments, instructions and loose text, and goes on",
     SERVER(.request = take_out)},
    {"refuses-declarations", TWIN_FAULTY, "refuses XML declarations",
     SERVER(.request = refuse_declared)},
    {"refuses-prefixes", TWIN_FAULTY, "refuses a root with a prefix",
     SERVER(.request = refuse_prefixed)},
    {"refuses-foreign-attributes", TWIN_FAULTY,
     "refuses attributes of other namespaces",
     SERVER(.request = refuse_foreign)},
    {0},
};
