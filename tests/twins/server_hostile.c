/* Server twins: what becomes of them, and of their other clients, when
 * somebody means harm. They know an attack by what the cases under
 * cases/server/hostile send. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "server_shim.h"
#include "twins.h"

#include <string.h>

#include "entity.h"

/* More than any case makes that means no harm. */
#define MANY 40
#define LARGE 900000
#define LONG_HEAD 60000

typedef bool is_attack(struct server_shim *ss, const struct server_arrival *a);

static bool has(const struct server_arrival *a, const char *text)
{
    return memmem(a->bytes, a->len, text, strlen(text)) != NULL;
}

static bool says(const struct server_request *r, const char *text)
{
    return strstr(buf_str(&r->body), text) != NULL;
}

/* ---- what is an attack ---- */

static bool entities(struct server_shim *ss, const struct server_arrival *a)
{
    (void)ss;
    return has(a, "<!ENTITY") || has(a, "<!DOCTYPE");
}

static bool depth(struct server_shim *ss, const struct server_arrival *a)
{
    (void)ss;
    return has(a, "<d><d><d>");
}

static bool size(struct server_shim *ss, const struct server_arrival *a)
{
    (void)ss;
    return a->len > LARGE;
}

static bool attributes(struct server_shim *ss, const struct server_arrival *a)
{
    (void)ss;
    return has(a, " many='' many=''") || has(a, "long='0123456789");
}

/* What is packed may have any bytes. */
static bool odd_bytes(struct server_shim *ss, const struct server_arrival *a)
{
    (void)ss;
    return !has(a, "Content-Encoding") &&
           (memchr(a->bytes, '\0', a->len) || memchr(a->bytes, 0xff, a->len));
}

static bool long_head(struct server_shim *ss, const struct server_arrival *a)
{
    const char *end = memmem(a->bytes, a->len, "\r\n\r\n", 4);

    (void)ss;
    return (end ? (size_t)(end - a->bytes) : a->len) > LONG_HEAD;
}

static bool idleness(struct server_shim *ss, const struct server_arrival *a)
{
    struct shim_memory *memory = server_shim_memory(ss);

    if (!a->whole)
        memory->count++;
    return !a->whole && memory->count > MANY;
}

/* Counted in token. Those of a case that means no harm, and makes many, have
 * an xml:lang. */
static bool creations(struct server_shim *ss, const struct server_arrival *a)
{
    struct shim_memory *memory = server_shim_memory(ss);
    bool creation =
        has(a, "<body") && !has(a, " sid=") && !has(a, " xml:lang=");

    if (creation)
        memory->token++;
    return creation && memory->token > MANY;
}

/* Each is asked, since some count. */
static bool any(struct server_shim *ss, const struct server_arrival *a)
{
    static is_attack *const kinds[] = {entities,   depth,     size,
                                       attributes, odd_bytes, long_head,
                                       idleness,   creations};
    bool found = false;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        found |= kinds[i](ss, a);
    return found;
}

/* ---- what becomes of the server ---- */

static enum server_course die(struct server_shim *ss, bool now)
{
    struct shim_memory *memory = server_shim_memory(ss);

    memory->flag |= now;
    return memory->flag ? COURSE_NEVER : COURSE_IN_TURN;
}

#define DIES_OF(what)                                                          \
    static enum server_course die_of_##what(struct server_shim *ss,            \
                                            int64_t now_ms,                    \
                                            const struct server_arrival *a)    \
    {                                                                          \
        (void)now_ms;                                                          \
        return die(ss, what(ss, a));                                           \
    }

DIES_OF(entities)
DIES_OF(depth)
DIES_OF(size)
DIES_OF(attributes)
DIES_OF(odd_bytes)
DIES_OF(long_head)
DIES_OF(idleness)
DIES_OF(creations)

/* It is there again at once, and has forgotten everybody. */
static enum server_course restart(struct server_shim *ss, int64_t now_ms,
                                  const struct server_arrival *a)
{
    (void)now_ms;
    if (!any(ss, a))
        return COURSE_IN_TURN;
    for (struct server_session *s = server_shim_newest(ss); s; s = s->next)
        s->flag = true;
    return COURSE_HANGS_UP;
}

/* Answer with a status, or where there is none by ending the session. False,
 * for a hook to return. */
static bool refuse(struct server_shim *ss, const struct server_request *r,
                   int status, const char *condition)
{
    struct buf body = BUF_INIT;

    if (condition) {
        entity_empty(&body, "terminate");
        entity_set(&body, "condition", condition);
    }
    server_shim_answer(ss, r->now_ms, r->token, status, &body);
    buf_release(&body);
    return false;
}

static bool know_no_old(struct server_shim *ss, struct server_request *r)
{
    return !r->session || !r->session->flag ||
           refuse(ss, r, 200, "item-not-found");
}

/* For good. */
static enum server_course remember(struct server_shim *ss, int64_t now_ms,
                                   const struct server_arrival *a)
{
    (void)now_ms;
    server_shim_memory(ss)->flag |= any(ss, a);
    return COURSE_IN_TURN;
}

static bool take_nobody_new(struct server_shim *ss, struct server_request *r)
{
    return !r->creation || !server_shim_memory(ss)->flag;
}

static bool let_the_first_wait(struct server_shim *ss, struct server_request *r)
{
    struct shim_memory *memory = server_shim_memory(ss);

    if (!r->creation || !memory->flag)
        return true;
    memory->flag = false;
    return false;
}

/* ---- those in the right ---- */

static enum server_course hang_up(struct server_shim *ss, int64_t now_ms,
                                  const struct server_arrival *a)
{
    (void)now_ms;
    return any(ss, a) ? COURSE_HANGS_UP : COURSE_IN_TURN;
}

/* A whole request is served as soon as it arrives. */
static enum server_course note(struct server_shim *ss, int64_t now_ms,
                               const struct server_arrival *a)
{
    (void)now_ms;
    server_shim_memory(ss)->flag = any(ss, a) && a->whole;
    return COURSE_IN_TURN;
}

static bool say_code(struct server_shim *ss, struct server_request *r)
{
    bool too_many = r->creation && !says(r, "<!DOCTYPE");

    if (!server_shim_memory(ss)->flag)
        return true;
    return refuse(ss, r, too_many ? 503 : 413, NULL);
}

static bool end_it(struct server_shim *ss, struct server_request *r)
{
    return !server_shim_memory(ss)->flag ||
           refuse(ss, r, 200, "policy-violation");
}

/* ---- what comes out ---- */

/* Hand it to the core with the entity's text in place of the entity. */
static bool expand(struct server_shim *ss, struct server_request *r,
                   const char *reference, const char *text)
{
    const char *end = strstr(buf_str(&r->body), "]>");
    struct buf rest = BUF_INIT;

    if (!end || !says(r, " sid="))
        return true;
    buf_adds(&rest, end + strlen("]>"));
    entity_replace(&rest, reference, text);
    server_shim_inject(ss, r->now_ms, &rest);
    server_shim_answer_empty(ss, r->now_ms, r->token, NULL);
    buf_release(&rest);
    return false;
}

static bool expand_bomb(struct server_shim *ss, struct server_request *r)
{
    return !says(r, "<!ENTITY h") ||
           expand(ss, r, "&h;", "bombbombbombbombbombbombbombbomb");
}

static bool read_file(struct server_shim *ss, struct server_request *r)
{
    return !says(r, "SYSTEM 'file:") ||
           expand(ss, r, "&x;", "PRETTY_NAME=\"Some System\"");
}

static bool take_latin_1(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    entity_replace(&r->body, "caf\xe9", "caf&#233;");
    return true;
}

static bool cut_long(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    if (says(r, "id='big'"))
        entity_replace(&r->body, "0123456789", "");
    return true;
}

static bool name_alike(struct server_shim *ss, struct server_answer *a)
{
    if (a->creation && server_shim_memory(ss)->token > MANY)
        entity_set(&a->body, "sid", "deadbeefdeadbeefdeadbeefdeadbeef");
    return true;
}

const struct twin twins_server_hostile[] = {
    {"dies-of-entities", TWIN_FAULTY,
     "serves nobody any more after a document type",
     SERVER(.arrives = die_of_entities)},
    {"dies-of-depth", TWIN_FAULTY,
     "serves nobody any more after elements deep inside each other",
     SERVER(.arrives = die_of_depth)},
    {"dies-of-size", TWIN_FAULTY,
     "serves nobody any more after a request of a megabyte",
     SERVER(.arrives = die_of_size)},
    {"dies-of-attributes", TWIN_FAULTY,
     "serves nobody any more after a long attribute, or many",
     SERVER(.arrives = die_of_attributes)},
    {"dies-of-odd-bytes", TWIN_FAULTY,
     "serves nobody any more after bytes that are no text",
     SERVER(.arrives = die_of_odd_bytes)},
    {"dies-of-long-heads", TWIN_FAULTY,
     "serves nobody any more after a head of 60 kB",
     SERVER(.arrives = die_of_long_head)},
    {"dies-of-idle-connections", TWIN_FAULTY,
     "serves nobody any more after 40 requests that do not end",
     SERVER(.arrives = die_of_idleness)},
    {"dies-of-creations", TWIN_FAULTY,
     "serves nobody any more after 40 creations",
     SERVER(.arrives = die_of_creations)},
    {"restarts-when-attacked", TWIN_FAULTY,
     "knows no session any more after any of these",
     SERVER(.arrives = restart, .request = know_no_old)},
    {"takes-nobody-new-when-attacked", TWIN_FAULTY,
     "answers no creation any more after any of these",
     SERVER(.arrives = remember, .request = take_nobody_new)},
    {"waits-for-idle-connections", TWIN_FAULTY,
     "never answers the first creation after any of these",
     SERVER(.arrives = remember, .request = let_the_first_wait)},
    {"hangs-up-when-attacked", TWIN_RIGHT,
     "closes the connection on which any of these comes",
     SERVER(.arrives = hang_up)},
    {"has-codes-when-attacked", TWIN_RIGHT,
     "says HTTP 413 or 503 to any of these",
     SERVER(.arrives = note, .request = say_code)},
    {"ends-sessions-when-attacked", TWIN_RIGHT,
     "says policy-violation to any of these",
     SERVER(.arrives = note, .request = end_it)},
    {"expands-entity-bombs", TWIN_FAULTY, "expands entities inside each other",
     SERVER(.request = expand_bomb)},
    {"reads-files", TWIN_FAULTY, "reads the file that an entity names",
     SERVER(.request = read_file)},
    {"takes-latin-1", TWIN_FAULTY, "takes what is not UTF-8 for Latin-1",
     SERVER(.request = take_latin_1)},
    {"cuts-long-texts", TWIN_FAULTY, "loses ten letters of a long text",
     SERVER(.request = cut_long)},
    {"repeats-sids-in-a-hurry", TWIN_FAULTY,
     "gives all sessions beyond the fortieth the same sid",
     SERVER(.arrives = note, .answer = name_alike)},
    {0},
};
