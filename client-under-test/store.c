/* A session as text: see store.h. */
#include "store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "1"

/* Requests that are longer together are not kept: as the seed, the other
 * process goes on with the next rid then. */
#define OPEN_KEPT_MAX (1u << 20)

/* Nobody here waits for what the other process opened or closed. */
#define NO_STREAM (-1)

static const char *const KINDS[EXCHANGE_KIND_COUNT] = {
    [EXCHANGE_CREATE] = "create",   [EXCHANGE_POLL] = "poll",
    [EXCHANGE_PAYLOAD] = "payload", [EXCHANGE_RESTART] = "restart",
    [EXCHANGE_OPEN] = "open",       [EXCHANGE_CLOSE] = "close",
    [EXCHANGE_PAUSE] = "pause",     [EXCHANGE_TERMINATE] = "terminate",
};

/* ---- Out ------------------------------------------------------------------
 */

static void text(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, " %s='", name);
    buf_add_xml(out, value, strlen(value));
    buf_addc(out, '\'');
}

/* -1 stands for what is not known, and is left out. */
static void number(struct buf *out, const char *name, int value)
{
    if (value >= 0)
        buf_printf(out, " %s='%d'", name, value);
}

/* One that is not online has no jid here: it is of no use to another process,
 * but its name must be known. */
static void write_stream(struct buf *out, const struct stream *st)
{
    if (!st->name)
        return;
    buf_adds(out, "<stream");
    text(out, "name", st->name);
    if (st->state == STREAM_ONLINE)
        text(out, "jid", st->jid);
    buf_adds(out, "/>");
}

static size_t open_len(const struct bosh *s)
{
    const struct exchange *x;
    size_t len = 0;

    for (x = s->window.first; x; x = x->next)
        len += x->len;
    return len;
}

/* An answer that waits for those before it has not been handed over either. */
static void write_open(struct buf *out, const struct bosh *s)
{
    const struct exchange *x;

    if (open_len(s) > OPEN_KEPT_MAX)
        return;
    for (x = s->window.first; x; x = x->next) {
        buf_printf(out, "<request rid='%" PRIu64 "' kind='%s'>", x->rid,
                   KINDS[x->kind]);
        buf_add_xml(out, x->bytes, x->len);
        buf_adds(out, "</request>");
    }
}

static void write_session(struct buf *out, struct bosh *s)
{
    const struct stream *st;

    buf_adds(out, "<bosh-session version='" VERSION "'");
    text(out, "jid", s->streams->jid);
    text(out, "sid", s->sid);
    buf_printf(out, " rid='%" PRIu64 "'", s->rid);
    number(out, "wait", s->wait_s);
    number(out, "hold", s->hold);
    number(out, "requests", s->requests);
    number(out, "inactivity", s->inactivity_s);
    number(out, "polling", s->polling_s);
    number(out, "maxpause", s->maxpause_s);
    text(out, "keys", bosh_keys(s));
    text(out, "stream", s->streams->name);
    if (!stream_is_open(s->streams))
        text(out, "stream-closed", "true");
    if (s->acks)
        text(out, "acks", "true");
    buf_addc(out, '>');
    for (st = s->streams->next; st; st = st->next)
        write_stream(out, st);
    write_open(out, s);
    buf_adds(out, "</bosh-session>\n");
}

static void call(struct bosh *s, const char *what)
{
    const struct bosh_store *store = &s->options.store;

    if (store->save(store->ctx, what) == 0 || s->store_failed)
        return;
    s->store_failed = true;
    events_add_status(&s->events, 0, BOSH_ERROR, NULL,
                      "the session could not be stored");
}

static bool is_kept(const struct bosh *s)
{
    return s->options.store.save && bosh_connected(s);
}

void store_keep(struct bosh *s)
{
    struct buf out = BUF_INIT;

    if (!is_kept(s))
        return;
    write_session(&out, s);
    call(s, buf_str(&out));
    s->stored = true;
    s->store_stale = false;
    explicit_bzero(out.data, out.len);
    buf_release(&out);
}

bool store_is_stale(const struct bosh *s)
{
    return s->store_stale && !s->events.first && is_kept(s);
}

void store_refresh(struct bosh *s)
{
    if (store_is_stale(s))
        store_keep(s);
}

void store_forget(struct bosh *s)
{
    if (s->stored)
        call(s, NULL);
    s->stored = false;
}

/* ---- In -------------------------------------------------------------------
 */

/* -1: not there. -2: no number, or not below 2^31. */
static int read_number(const xmlNode *root, const char *name)
{
    const char *value = xml_attr(root, NULL, name);
    char *end;
    long n;

    if (!value)
        return -1;
    n = strtol(value, &end, 10);
    return *value < '0' || *value > '9' || *end || n > INT32_MAX ? -2 : (int)n;
}

/* 0 for what is none: no request has it. */
static uint64_t read_rid(const xmlNode *root)
{
    const char *value = xml_attr(root, NULL, "rid");
    char *end;
    uint64_t rid;

    if (!value || *value < '0' || *value > '9')
        return 0;
    rid = strtoull(value, &end, 10);
    return *end ? 0 : rid;
}

static int read_numbers(struct bosh_attach *known, const xmlNode *root)
{
    known->rid = read_rid(root);
    known->wait_s = read_number(root, "wait");
    known->hold = read_number(root, "hold");
    known->requests = read_number(root, "requests");
    known->inactivity_s = read_number(root, "inactivity");
    known->polling_s = read_number(root, "polling");
    known->maxpause_s = read_number(root, "maxpause");
    return known->wait_s == -2 || known->hold == -2 || known->requests == -2 ||
                   known->inactivity_s == -2 || known->polling_s == -2 ||
                   known->maxpause_s == -2
               ? -1
               : 0;
}

/* The resource counts only where it was asked for. */
static bool is_whose(const char *stored, const char *jid)
{
    size_t len = strcspn(stored, "/");

    return !jid || strcmp(jid, stored) == 0 ||
           (strlen(jid) == len && strncmp(jid, stored, len) == 0);
}

/* Closed ones too: there may be any number. */
static void read_streams(struct stored *out, const xmlNode *root)
{
    struct bosh_attach *known = &out->known;
    const xmlNode *node = xml_child(root, NULL, NULL);

    for (; node; node = xml_next(node)) {
        if (!xml_is(node, NULL, "stream"))
            continue;
        out->more =
            mem_grow(out->more, (known->more_count + 1) * sizeof *out->more);
        out->more[known->more_count++] = (struct bosh_known_stream){
            .name = xml_attr(node, NULL, "name"),
            .jid = xml_attr(node, NULL, "jid"),
        };
    }
    known->more = out->more;
    known->stream = xml_attr(root, NULL, "stream");
    known->stream_closed = xml_attr(root, NULL, "stream-closed") != NULL;
}

static int check(struct stored *out, const xmlNode *root, const char *jid,
                 struct err *e)
{
    const char *version = xml_attr(root, NULL, "version");
    struct bosh_attach *known = &out->known;

    if (!xml_is(root, NULL, "bosh-session") || !version ||
        strcmp(version, VERSION) != 0 || read_numbers(known, root))
        return err_set(e, "what is stored is no session");
    known->jid = xml_attr(root, NULL, "jid");
    known->sid = xml_attr(root, NULL, "sid");
    known->keys = xml_attr(root, NULL, "keys");
    read_streams(out, root);
    if (!known->jid || !known->sid || known->rid == 0)
        return err_set(e, "the stored session lacks jid, sid or rid");
    if (!is_whose(known->jid, jid))
        return err_set(e, "the stored session is somebody else's");
    return 0;
}

int store_read(struct stored *out, const char *data, const char *jid,
               struct err *e)
{
    memset(out, 0, sizeof *out);
    out->doc = xml_parse(data, strlen(data), NULL, NULL);
    if (!out->doc)
        return err_set(e, "what is stored is no session");
    if (check(out, xmlDocGetRootElement(out->doc), jid, e) == 0)
        return 0;
    store_release(out);
    return -1;
}

void store_release(struct stored *stored)
{
    xmlFreeDoc(stored->doc);
    free(stored->more);
    memset(stored, 0, sizeof *stored);
}

static enum exchange_kind kind_named(const char *name)
{
    for (int kind = 0; name && kind < EXCHANGE_KIND_COUNT; kind++) {
        if (strcmp(KINDS[kind], name) == 0)
            return (enum exchange_kind)kind;
    }
    return EXCHANGE_PAYLOAD;
}

/* Are these the rids just below the next one, without a gap? */
static bool is_row(const xmlNode *first, uint64_t next)
{
    const xmlNode *node;
    uint64_t rid = read_rid(first);

    if (rid == 0)
        return false;
    for (node = first; node; node = xml_next(node)) {
        if (!xml_is(node, NULL, "request") || read_rid(node) != rid++)
            return false;
    }
    return rid == next;
}

void store_resume(struct bosh *s, const struct stored *stored, int64_t now_ms)
{
    const xmlNode *root = xmlDocGetRootElement(stored->doc);
    const xmlNode *node = xml_child(root, NULL, NULL);

    s->acks = xml_attr(root, NULL, "acks") != NULL;
    while (node && !xml_is(node, NULL, "request"))
        node = xml_next(node);
    if (node && !is_row(node, s->rid))
        node = NULL;
    for (; node; node = xml_next(node)) {
        char *bytes = xml_text(node);
        struct exchange *x;

        x = window_add(&s->window, read_rid(node),
                       kind_named(xml_attr(node, NULL, "kind")), bytes,
                       strlen(bytes), now_ms);
        x->stream = NO_STREAM;
        x->again = true;
    }
    store_keep(s);
}
