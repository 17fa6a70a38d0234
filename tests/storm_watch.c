/* Who watches a session in a storm: see storm_watch.h. */
#include "tests/storm_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <nettle/sha1.h>

#include "common/xml.h"

/* More in one turn is a loop without end. */
#define REQUESTS_A_TURN 64
#define EVENTS_A_TURN 5000

/* Closing a stream adds our presence to a queue that may be full. */
#define PRESENCE_LEN 64

#define RULE(w, cond, ...)                                                     \
    do {                                                                       \
        if (!(cond))                                                           \
            err_set((w)->e, __VA_ARGS__);                                      \
    } while (0)

static void drop_requests(struct watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->requests[i].bytes);
    free(w->requests);
    w->requests = NULL;
    w->count = 0;
}

static void drop_streams(struct watch *w)
{
    free(w->streams);
    w->streams = NULL;
    w->stream_count = 0;
}

void watch_release(struct watch *w)
{
    drop_requests(w);
    drop_streams(w);
}

/* ---- What is on the wire --------------------------------------------------
 */

static struct watch_request *find_id(struct watch *w, uint64_t id)
{
    for (size_t i = w->count; i-- > 0;) {
        if (w->requests[i].id == id)
            return &w->requests[i];
    }
    return NULL;
}

static struct watch_request *find_rid(struct watch *w, uint64_t rid)
{
    for (size_t i = w->count; i-- > 0;) {
        if (w->requests[i].rid == rid)
            return &w->requests[i];
    }
    return NULL;
}

static int count_on_wire(const struct watch *w)
{
    int count = 0;

    for (size_t i = 0; i < w->count; i++)
        count += w->requests[i].on_wire;
    return count;
}

struct watch_request *watch_on_wire(struct watch *w, unsigned n)
{
    int count = count_on_wire(w);
    int skip = count ? (int)(n % (unsigned)count) : 0;

    for (size_t i = 0; i < w->count; i++) {
        if (w->requests[i].on_wire && skip-- == 0)
            return &w->requests[i];
    }
    return NULL;
}

void watch_answered(struct watch *w, uint64_t id, bool good)
{
    struct watch_request *r = find_id(w, id);

    if (!r || !r->on_wire)
        return;
    r->on_wire = false;
    r->done = good;
}

void watch_aborts(struct watch *w)
{
    uint64_t id;

    while (bosh_next_abort(w->s, &id)) {
        struct watch_request *r = find_id(w, id);

        RULE(w, r && r->on_wire, "%" PRIu64 " is given up, and is not open",
             id);
        if (r)
            r->on_wire = false;
    }
    RULE(w, !bosh_ended(w->s) || count_on_wire(w) == 0,
         "the session is over, and a request is still open");
}

/* ---- Sessions -------------------------------------------------------------
 */

void watch_add_stream(struct watch *w, bool open, bool fresh)
{
    w->streams = mem_grow(w->streams,
                          ((size_t)w->stream_count + 1) * sizeof *w->streams);
    w->streams[w->stream_count++] =
        (struct watch_stream){.open = open, .fresh = fresh};
}

void watch_close_first(struct watch *w)
{
    w->streams[0].open = false;
}

void watch_begin(struct watch *w, bool created)
{
    watch_aborts(w);
    RULE(w, !w->alive, "a session began before the last one was over");
    drop_requests(w);
    drop_streams(w);
    watch_add_stream(w, true, true);
    w->alive = true;
    w->created = created;
    w->refused = false;
    w->first_rid = created ? 0 : bosh_rid(w->s);
    w->last_stanza = 0;
    w->key[0] = '\0';
    w->sights->sessions++;
}

void watch_new_process(struct watch *w, struct bosh *s)
{
    drop_requests(w);
    drop_streams(w);
    w->s = s;
    w->last_id = 0;
    w->alive = w->refused = false;
}

void watch_forget(struct watch *w)
{
    watch_aborts(w);
    w->alive = w->refused = false;
    drop_streams(w);
    RULE(w, bosh_ended(w->s) && bosh_queue_len(w->s) == 0 && !bosh_sid(w->s),
         "a reset left something behind");
}

/* ---- Requests -------------------------------------------------------------
 */

static void hash_key(const char *key, char out[WATCH_KEY_LEN + 1])
{
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, strlen(key), (const uint8_t *)key);
    sha1_digest(&ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* XEP-0124 §15: each key hashes to the value before it. */
static void check_keys(struct watch *w, const xmlNode *body, bool creates)
{
    const char *key = xml_attr(body, NULL, "key");
    const char *newkey = xml_attr(body, NULL, "newkey");
    char hash[WATCH_KEY_LEN + 1];

    if (creates)
        RULE(w, !key && !newkey == !w->keys, "the creation's keys are wrong");
    else if (w->key[0] || w->keys)
        RULE(w, key || (!w->created && !w->key[0]), "a key is missing");
    if (key && w->key[0]) {
        hash_key(key, hash);
        RULE(w, strcmp(hash, w->key) == 0, "a key does not fit: %s", key);
    }
    if (key || newkey)
        snprintf(w->key, sizeof w->key, "%s", newkey ? newkey : key);
}

static bool is_extra(const xmlNode *body)
{
    const char *type = xml_attr(body, NULL, "type");

    return (type && strcmp(type, "terminate") == 0) ||
           xml_attr(body, NULL, "pause");
}

/* §11: as many as both sides allow, one more to pause or to end. */
static void check_number_open(struct watch *w, bool extra)
{
    int most = bosh_window(w->s);

    if (w->max_open < most)
        most = w->max_open;
    RULE(w, bosh_open_count(w->s) <= most + extra,
         "%d requests are open, and %d may be", bosh_open_count(w->s), most);
}

static void check_body(struct watch *w, const struct bosh_request *req)
{
    xmlDocPtr doc = xmlReadMemory(req->body, (int)req->len, NULL, NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR |
                                      XML_PARSE_NOWARNING);
    xmlNodePtr body = doc ? xmlDocGetRootElement(doc) : NULL;
    bool creates = w->created && w->count == 0;
    const char *sid = xml_attr(body, NULL, "sid");
    const char *want = bosh_sid(w->s);
    const char *rid = xml_attr(body, NULL, "rid");

    RULE(w, xml_is(body, XML_NS_HTTPBIND, "body"), "no <body/>: %.*s",
         (int)req->len, req->body);
    RULE(w, rid && strtoull(rid, NULL, 10) == req->rid,
         "the body has another rid than %" PRIu64, req->rid);
    if (creates)
        RULE(w, !sid, "the creation has a sid");
    else
        RULE(w, sid && want && strcmp(sid, want) == 0, "the sid is wrong");
    check_keys(w, body, creates);
    check_number_open(w, body && is_extra(body));
    xmlFreeDoc(doc);
}

static void on_first(struct watch *w, const struct bosh_request *req)
{
    struct watch_request *r;

    RULE(w, req->rid >= 1 && req->rid <= BOSH_RID_MAX, "no rid: %" PRIu64,
         req->rid);
    RULE(w, w->count == 0 || req->rid == w->requests[w->count - 1].rid + 1,
         "rid %" PRIu64 " does not follow the last one", req->rid);
    if (req->rid >= w->first_rid) {
        RULE(w, bosh_rid(w->s) == req->rid + 1, "bosh_rid() is not the next");
        check_body(w, req);
    }
    w->requests = mem_grow(w->requests, (w->count + 1) * sizeof *w->requests);
    r = &w->requests[w->count++];
    *r = (struct watch_request){.rid = req->rid, .len = req->len};
    r->bytes = mem_dupn(req->body, req->len);
}

static void on_repeat(struct watch *w, const struct bosh_request *req)
{
    const struct watch_request *r = find_rid(w, req->rid);

    RULE(w, r, "rid %" PRIu64 " is repeated and was never sent", req->rid);
    if (!r)
        return;
    RULE(w, !r->on_wire, "rid %" PRIu64 " is open twice", req->rid);
    RULE(w, !r->done, "rid %" PRIu64 " is repeated after its answer", req->rid);
    RULE(w, r->attempt + 1 == req->attempt, "attempt %d follows %d",
         req->attempt, r->attempt);
    RULE(w, r->len == req->len && memcmp(r->bytes, req->body, r->len) == 0,
         "rid %" PRIu64 " is repeated with other bytes", req->rid);
    w->sights->repeats++;
}

static void on_request(struct watch *w, const struct bosh_request *req)
{
    struct watch_request *r;

    w->sights->requests++;
    RULE(w, w->alive, "a request outside of a session");
    RULE(w, req->id > w->last_id, "the id was used before");
    RULE(w, !req->coding || (w->compress && strcmp(req->coding, "gzip") == 0),
         "a coding that was not asked for: %s", req->coding);
    w->last_id = req->id;
    /* What a repeat takes the place of was given up in the same call. */
    watch_aborts(w);
    if (req->attempt == 1)
        on_first(w, req);
    else
        on_repeat(w, req);
    r = find_rid(w, req->rid);
    if (!r)
        return;
    r->id = req->id;
    r->attempt = req->attempt;
    r->on_wire = true;
    RULE(w, bosh_open_count(w->s) >= count_on_wire(w), "one is not counted");
}

static void take_requests(struct watch *w, int64_t now_ms)
{
    struct bosh_request req;
    int count = 0;

    while (!w->e->text[0] && bosh_next_request(w->s, now_ms, &req)) {
        RULE(w, ++count < REQUESTS_A_TURN, "requests without end");
        on_request(w, &req);
    }
    watch_aborts(w);
    RULE(w, bosh_deadline_ms(w->s) > now_ms,
         "nothing is to be done, and the deadline was %" PRId64 " ms ago",
         now_ms - bosh_deadline_ms(w->s));
}

/* ---- Events ---------------------------------------------------------------
 */

static struct watch_stream *stream_of(struct watch *w,
                                      const struct bosh_event *ev)
{
    bool known = ev->stream >= 0 && ev->stream < w->stream_count;

    RULE(w, known, "an event of stream %d, which was never added", ev->stream);
    return known ? &w->streams[ev->stream] : NULL;
}

static void on_end(struct watch *w, struct watch_stream *st)
{
    RULE(w, st->open, "'disconnected' came twice");
    st->open = false;
    for (int i = 0; i < w->stream_count; i++) {
        if (w->streams[i].open)
            return;
    }
    w->alive = false;
    w->sights->endings++;
}

static void on_status(struct watch *w, const struct bosh_event *ev)
{
    const char *name = bosh_status_name(ev->status);
    struct watch_stream *st = stream_of(w, ev);
    enum bosh_status first =
        w->created || ev->stream > 0 ? BOSH_CONNECTING : BOSH_ATTACHED;

    if (!st)
        return;
    RULE(w, w->alive, "'%s' came outside of a session", name);
    RULE(w, st->fresh == (ev->status == first), "'%s' came at a wrong time",
         name);
    /* Those of the session as a whole are the first one's. */
    RULE(w, st->open || ev->stream == 0, "'%s' came after the end", name);
    st->fresh = false;
    if (ev->status == BOSH_CONNECTED || ev->status == BOSH_ATTACHED) {
        RULE(w, !st->logged_in, "'%s' came twice", name);
        st->logged_in = true;
        w->sights->logins += ev->status == BOSH_CONNECTED;
    }
    if (ev->status == BOSH_DISCONNECTED)
        on_end(w, st);
}

static void on_stanza(struct watch *w, const struct bosh_event *ev)
{
    const struct watch_stream *st = stream_of(w, ev);
    xmlDocPtr doc = xmlReadMemory(ev->xml, (int)ev->xml_len, NULL, NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR |
                                      XML_PARSE_NOWARNING);

    RULE(w, w->alive && st && st->open && !st->fresh,
         "a stanza came outside of a session");
    RULE(w, doc, "a stanza is no XML: %.*s", (int)ev->xml_len, ev->xml);
    RULE(w, strlen(ev->xml) == ev->xml_len, "a stanza's length is wrong");
    RULE(w, ev->rid >= w->last_stanza && find_rid(w, ev->rid),
         "a stanza of rid %" PRIu64 " came out of order", ev->rid);
    w->last_stanza = ev->rid;
    w->sights->stanzas++;
    xmlFreeDoc(doc);
}

static void take_events(struct watch *w)
{
    struct bosh_event ev;
    int count = 0;

    while (!w->e->text[0] && bosh_next_event(w->s, &ev)) {
        RULE(w, ++count < EVENTS_A_TURN, "events without end");
        switch (ev.kind) {
        case BOSH_EVENT_STATUS:
            on_status(w, &ev);
            break;
        case BOSH_EVENT_STANZA:
            on_stanza(w, &ev);
            break;
        case BOSH_EVENT_DRAINED:
            RULE(w, w->alive && w->refused, "'drained' came unasked for");
            w->refused = false;
            break;
        }
    }
}

void watch_turn(struct watch *w, int64_t now_ms)
{
    watch_aborts(w);
    take_requests(w, now_ms);
    take_events(w);
    RULE(w, w->alive != bosh_ended(w->s), "the end was not told, or too early");
    RULE(w,
         bosh_queue_len(w->s) <=
             w->queue_max + PRESENCE_LEN * ((size_t)w->stream_count + 1),
         "the queue holds %zu bytes", bosh_queue_len(w->s));
    RULE(w, !bosh_settled(w->s) || bosh_queue_len(w->s) == 0,
         "settled, with a queue");
    RULE(w, !strpbrk(bosh_last_error(w->s), "\r\n"), "an error of two lines");
}

/* ---- Calls ----------------------------------------------------------------
 */

void watch_look(const struct watch *w, struct watch_look *look)
{
    const struct bosh *s = w->s;

    memset(look, 0, sizeof *look);
    *look = (struct watch_look){
        .rid = bosh_rid(s),
        .deadline_ms = bosh_deadline_ms(s),
        .queue_len = bosh_queue_len(s),
        .numbers = {bosh_wait_s(s), bosh_hold(s), bosh_requests(s),
                    bosh_inactivity_s(s), bosh_polling_s(s), bosh_window(s),
                    bosh_maxpause_s(s), bosh_errors(s), bosh_open_count(s)},
        .connected = bosh_connected(s),
        .ended = bosh_ended(s),
        .settled = bosh_settled(s),
    };
}

static bool same_look(const struct watch_look *a, const struct watch_look *b)
{
    return a->rid == b->rid && a->deadline_ms == b->deadline_ms &&
           a->queue_len == b->queue_len &&
           memcmp(a->numbers, b->numbers, sizeof a->numbers) == 0 &&
           a->connected == b->connected && a->ended == b->ended &&
           a->settled == b->settled;
}

void watch_returned(struct watch *w, int rc, const struct watch_look *before)
{
    struct watch_look after;

    RULE(w, rc >= BOSH_E_FULL, "a call returned %d", rc);
    if (rc >= 0)
        return;
    w->sights->refusals++;
    w->refused |= rc == BOSH_E_FULL;
    watch_look(w, &after);
    RULE(w, same_look(before, &after), "a refused call changed something");
    RULE(w, *bosh_last_error(w->s), "a call was refused without a reason");
}
