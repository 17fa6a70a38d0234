/* Client twins: content codings of requests, XEP-0124 §5, §7.2. */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/coding.h"
#include "common/http.h"
#include "entity.h"

/* cs->text: what the manager accepts; cs->flag: it has said so. */
static bool note_accept(struct client_shim *cs, struct shim_answer *a)
{
    char *sid = entity_attr(&a->body, "sid");
    char *accept = entity_attr(&a->body, "accept");

    if (sid) {
        cs->flag = accept != NULL;
        buf_clear(&cs->text);
        buf_adds(&cs->text, accept ? accept : "");
    }
    free(sid);
    free(accept);
    return true;
}

/* Not in a creation: a new manager may accept something else. */
static bool accepts(const struct client_shim *cs, enum coding coding)
{
    return cs->sid && coding_listed(buf_str(&cs->text), coding);
}

/* ---- in the right ---- */

static bool code_what_it_may(struct client_shim *cs, struct shim_request *r)
{
    r->coding = accepts(cs, CODING_GZIP) ? "gzip" : NULL;
    return true;
}

static bool code_in_deflate(struct client_shim *cs, struct shim_request *r)
{
    r->coding = accepts(cs, CODING_DEFLATE) ? "deflate" : NULL;
    return true;
}

static bool shout(struct client_shim *cs, struct shim_request *r)
{
    r->coding = accepts(cs, CODING_GZIP) ? "X-GZIP" : NULL;
    return true;
}

static bool repeat_plain(struct client_shim *cs, struct shim_request *r)
{
    r->coding = accepts(cs, CODING_GZIP) && r->attempt == 1 ? "gzip" : NULL;
    return true;
}

/* ---- in the wrong ---- */

static bool code_the_creation(struct client_shim *cs, struct shim_request *r)
{
    r->coding = !cs->sid || accepts(cs, CODING_GZIP) ? "gzip" : NULL;
    return true;
}

static bool code_always(struct client_shim *cs, struct shim_request *r)
{
    r->coding = cs->online ? "gzip" : NULL;
    return true;
}

/* It asks whether the attribute is there, and not what it says. */
static bool code_if_anything(struct client_shim *cs, struct shim_request *r)
{
    r->coding = cs->online && cs->flag ? "gzip" : NULL;
    return true;
}

/* The whole message, with the coding's name as it is given. */
static void write_called(struct shim_request *r, const char *name,
                         const char *entity, size_t len)
{
    const struct http_header headers[] = {
        {"Host", "localhost"},
        {"Content-Type", "text/xml; charset=utf-8"},
        {"Content-Encoding", name},
    };

    http_write_request(&r->http, "POST", "/http-bind", 1, headers, 3, entity,
                       len);
}

static bool call_it_gzip(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online && accepts(cs, CODING_GZIP))
        write_called(r, "gzip", buf_str(&r->body), r->body.len);
    return true;
}

/* Packed in place, and once more when it is sent again. */
static bool pack_repeats_twice(struct client_shim *cs, struct shim_request *r)
{
    struct buf packed = BUF_INIT;

    r->coding = accepts(cs, CODING_GZIP) ? "gzip" : NULL;
    if (r->coding && r->attempt > 1) {
        coding_encode(&packed, CODING_GZIP, buf_str(&r->body), r->body.len);
        buf_clear(&r->body);
        buf_add(&r->body, packed.data, packed.len);
    }
    buf_release(&packed);
    return true;
}

/* Whatever stands before the first comma. */
static bool name_the_first(struct client_shim *cs, struct shim_request *r)
{
    struct buf packed = BUF_INIT;
    char *name;

    if (!cs->online || !cs->flag)
        return true;
    name = mem_dupn(buf_str(&cs->text), strcspn(buf_str(&cs->text), ","));
    coding_encode(&packed, CODING_GZIP, buf_str(&r->body), r->body.len);
    write_called(r, name, packed.data, packed.len);
    buf_release(&packed);
    free(name);
    return true;
}

const struct twin twins_client_codings[] = {
    {"codes-what-it-may", TWIN_RIGHT,
     "sends all in gzip from where the manager accepts that",
     CLIENT(.request = code_what_it_may, .answer = note_accept)},
    {"codes-in-deflate", TWIN_RIGHT,
     "sends all in deflate from where the manager accepts that",
     CLIENT(.request = code_in_deflate, .answer = note_accept)},
    {"codes-in-capitals", TWIN_RIGHT,
     "calls gzip X-GZIP, where the manager accepts it",
     CLIENT(.request = shout, .answer = note_accept)},
    {"codes-no-repeats", TWIN_RIGHT,
     "sends in gzip where it may, but repeats as they are",
     CLIENT(.request = repeat_plain, .answer = note_accept)},
    {"codes-its-creation", TWIN_FAULTY,
     "sends the creation in gzip, and all that follows where it may",
     CLIENT(.request = code_the_creation, .answer = note_accept)},
    {"codes-always", TWIN_FAULTY, "sends in gzip once it is logged in",
     CLIENT(.request = code_always)},
    {"codes-if-anything-is-accepted", TWIN_FAULTY,
     "sends in gzip where the manager accepts any coding at all",
     CLIENT(.request = code_if_anything, .answer = note_accept)},
    {"calls-plain-text-gzip", TWIN_FAULTY,
     "says that it is gzip and packs nothing",
     CLIENT(.request = call_it_gzip, .answer = note_accept)},
    {"packs-repeats-twice", TWIN_FAULTY, "packs what it repeats once more",
     CLIENT(.request = pack_repeats_twice, .answer = note_accept)},
    {"names-the-first-coding", TWIN_FAULTY,
     "calls its gzip what stands before the first comma of accept",
     CLIENT(.request = name_the_first, .answer = note_accept)},
    {0},
};
