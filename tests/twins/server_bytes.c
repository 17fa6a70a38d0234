/* Server twins: what XML, XEP-0124 §6, and HTTP, §5, are made of. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "entity.h"

/* An answer of a session that has begun, and that carries a <body/>. */
static bool is_later(const struct server_answer *a)
{
    return a->call && a->status == 200 && a->body.len;
}

static void put_inside(struct server_answer *a, const char *text)
{
    struct buf inside = BUF_INIT;

    if (is_later(a)) {
        buf_adds(&inside, text);
        entity_put_payload(&a->body, &inside);
    }
    buf_release(&inside);
}

static bool write_comment(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    put_inside(a, "<!-- one more -->");
    return true;
}

static bool write_instruction(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    put_inside(a, "<?robot come?>");
    return true;
}

static bool write_doctype(struct server_shim *ss, struct server_answer *a)
{
    static const char doctype[] = "<!DOCTYPE body>";
    struct buf out = BUF_INIT;

    (void)ss;
    if (!is_later(a))
        return true;
    buf_adds(&out, doctype);
    buf_add(&out, a->body.data, a->body.len);
    buf_release(&a->body);
    a->body = out;
    return true;
}

/* A stanza that is cut off in the middle of its end tag. */
static bool cut_off(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_later(a) && strstr(a->body.data, "<message"))
        a->body.data[--a->body.len] = '\0';
    return true;
}

static bool say_nothing(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_later(a) && !entity_has_payload(&a->body))
        buf_clear(&a->body);
    return true;
}

static bool say_html(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (*a->content_type)
        a->content_type = "text/html";
    return true;
}

static bool say_two_lengths(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_later(a))
        a->two_lengths = true;
    return true;
}

static bool answer_twice(struct server_shim *ss, struct server_answer *a)
{
    struct buf payload = BUF_INIT;

    (void)ss;
    if (is_later(a) && strstr(a->body.data, "<iq")) {
        entity_take_payload(&a->body, &payload);
        entity_put_payload(&a->body, &payload);
        entity_put_payload(&a->body, &payload);
    }
    buf_release(&payload);
    return true;
}

static bool invent_payload(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (is_later(a) && !entity_has_payload(&a->body))
        put_inside(a, "<nothing xmlns='urn:nothing'/>");
    return true;
}

/* ---- conditions, §17 ---- */

static bool invent_condition(struct server_shim *ss, struct server_answer *a)
{
    char *condition = entity_attr(&a->body, "condition");

    (void)ss;
    if (condition)
        entity_set(&a->body, "condition", "session-not-there");
    free(condition);
    return true;
}

static bool say_by_status(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->status == 200 &&
        entity_has(&a->body, "condition", "item-not-found")) {
        a->status = 404;
        a->content_type = "text/plain";
        buf_clear(&a->body);
        buf_adds(&a->body, "no such session");
    }
    return true;
}

/* It takes the whole server with it. */
static enum server_course fall_over(struct server_shim *ss, int64_t now_ms,
                                    const struct server_arrival *a)
{
    struct shim_memory *m = server_shim_memory(ss);

    (void)now_ms;
    m->flag |= memmem(a->bytes, a->len, "<!DOCTYPE", 9) != NULL;
    return m->flag ? COURSE_HANGS_UP : COURSE_IN_TURN;
}

const struct twin twins_server_bytes[] = {
    {"answers-with-comments", TWIN_FAULTY, "has a comment in every answer",
     SERVER(.answer = write_comment)},
    {"answers-with-instructions", TWIN_FAULTY,
     "has a processing instruction in every answer",
     SERVER(.answer = write_instruction)},
    {"answers-with-a-doctype", TWIN_FAULTY,
     "has a document type before every answer",
     SERVER(.answer = write_doctype)},
    {"answers-ill-formed", TWIN_FAULTY,
     "cuts the last byte off when it brings a message",
     SERVER(.answer = cut_off)},
    {"answers-nothing-at-all", TWIN_FAULTY,
     "has not a byte where an empty body should be",
     SERVER(.answer = say_nothing)},
    {"invents-payload", TWIN_FAULTY,
     "has an element where an empty body should be",
     SERVER(.answer = invent_payload)},
    {"answers-text-html", TWIN_FAULTY, "says that its answers are text/html",
     SERVER(.answer = say_html)},
    {"falls-over-a-doctype", TWIN_FAULTY,
     "answers nobody any more once it has seen a document type",
     SERVER(.arrives = fall_over)},
    {"says-two-lengths", TWIN_FAULTY,
     "has two Content-Length headers that differ",
     SERVER(.answer = say_two_lengths)},
    {"answers-iqs-twice", TWIN_FAULTY, "brings every iq twice",
     SERVER(.answer = answer_twice)},
    {"invents-conditions", TWIN_FAULTY,
     "says session-not-there for every condition",
     SERVER(.answer = invent_condition)},
    {"condition-as-http-code", TWIN_FAULTY,
     "says HTTP 404 for item-not-found to everybody",
     SERVER(.answer = say_by_status)},
    {0},
};
