/* Transcripts: see transcript.h. */
#include "tests/transcript.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bosh_peer.h"
#include "client-under-test/keys.h"
#include "common/xml.h"
#include "tests/transcript_xml.h"

/* A transmission, or what the application was told. */
struct made {
    char *text;
    uint64_t id;
    int stream;                   /* of a stanza */
    bool given_up, seen, told_up; /* told_up: the transcript says so too */
};

struct list {
    struct made *items;
    size_t count;
    size_t checked; /* so many of them are in the transcript */
};

struct play {
    const char *path;
    char *rest; /* of the text */
    int line;   /* of the step */
    int next_line;
    struct err *e;
    struct bosh_options options;
    char *option_texts[8];
    size_t option_count;
    struct bosh *s; /* NULL before the first verb */
    int64_t now;
    bool asked; /* nothing was called since the last turn */
    struct list sent, told;
    struct captures captures;
    uint64_t offset;
    bool have_offset;
    char key[KEYS_HEX_LEN + 1]; /* that the next one hashes to */
    char *xml;                  /* of the step, NULL: none */
};

static int fail(struct play *p, const char *message)
{
    return err_set_at(p->e, p->path, p->line, "%s", message);
}

/* ---- What the session does ------------------------------------------------
 */

static struct made *add(struct list *l, char *text)
{
    l->items = mem_grow(l->items, (l->count + 1) * sizeof *l->items);
    l->items[l->count] = (struct made){.text = text};
    return &l->items[l->count++];
}

static void list_release(struct list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i].text);
    free(l->items);
}

static void note_aborts(struct play *p)
{
    uint64_t id;

    while (bosh_next_abort(p->s, &id)) {
        for (size_t i = 0; i < p->sent.count; i++)
            p->sent.items[i].given_up |= p->sent.items[i].id == id;
    }
}

/* text, taken, and #1 behind it for another stream than the first. */
static char *with_stream(char *text, int stream)
{
    char *both = stream ? mem_printf("%s#%d", text, stream) : mem_dup(text);

    free(text);
    return both;
}

static void note_events(struct play *p)
{
    struct bosh_event ev;
    char *text;

    while (bosh_next_event(p->s, &ev)) {
        switch (ev.kind) {
        case BOSH_EVENT_STATUS:
            text = mem_printf("%s%s%s", bosh_status_name(ev.status),
                              ev.condition ? ":" : "",
                              ev.condition ? ev.condition : "");
            add(&p->told, with_stream(text, ev.stream));
            break;
        case BOSH_EVENT_STANZA:
            add(&p->told, mem_dup(ev.xml))->stream = ev.stream;
            break;
        case BOSH_EVENT_DRAINED:
            add(&p->told, mem_dup("drained"));
            break;
        }
    }
}

/* One turn of the application's loop. */
static void turn(struct play *p)
{
    struct bosh_request req;

    p->asked = true;
    if (!p->s)
        return;
    note_aborts(p);
    while (bosh_next_request(p->s, p->now, &req))
        add(&p->sent, mem_dupn(req.body, req.len))->id = req.id;
    note_aborts(p);
    note_events(p);
}

/* Before anything else happens, all of it must be in the transcript. */
static int check_all_seen(struct play *p)
{
    if (p->sent.checked < p->sent.count)
        return err_set_at(
            p->e, p->path, p->line, "transmission %zu comes before this: %s",
            p->sent.checked + 1, p->sent.items[p->sent.checked].text);
    if (p->told.checked < p->told.count)
        return err_set_at(p->e, p->path, p->line, "before this it tells: %s",
                          p->told.items[p->told.checked].text);
    for (size_t i = 0; i < p->sent.count; i++) {
        if (p->sent.items[i].given_up && !p->sent.items[i].told_up)
            return err_set_at(p->e, p->path, p->line,
                              "before this it gives up transmission %zu",
                              i + 1);
    }
    return 0;
}

/* ---- C, X, ! --------------------------------------------------------------
 */

static int check_key(struct play *p, const xmlNode *body)
{
    const char *key = xml_attr(body, NULL, "key");
    const char *newkey = xml_attr(body, NULL, "newkey");
    char hash[KEYS_HEX_LEN + 1];

    if (key && p->key[0]) {
        keys_hash(key, strlen(key), hash);
        if (strcmp(hash, p->key) != 0)
            return fail(p, "the key does not hash to the one before");
    }
    if (newkey || key)
        snprintf(p->key, sizeof p->key, "%s", newkey ? newkey : key);
    return 0;
}

static uint64_t rid_of(const xmlNode *body)
{
    const char *rid = xml_attr(body, NULL, "rid");

    return rid ? strtoull(rid, NULL, 10) : 0;
}

/* The first one tells how far our rids are from the transcript's. */
static int look_at_first(struct play *p, const char *got)
{
    const char *want = p->xml ? p->xml : "";
    xmlDocPtr mine = xml_parse(got, strlen(got), NULL, p->e);
    xmlDocPtr wanted = xml_parse(want, strlen(want), NULL, NULL);
    int rc = mine ? 0 : -1;

    if (mine && wanted && !p->have_offset) {
        p->offset = rid_of(xmlDocGetRootElement(mine)) -
                    rid_of(xmlDocGetRootElement(wanted));
        p->have_offset = true;
    }
    if (mine)
        rc = check_key(p, xmlDocGetRootElement(mine));
    xmlFreeDoc(mine);
    xmlFreeDoc(wanted);
    return rc;
}

static int compare(struct play *p, const char *got)
{
    struct err e = {""};

    if (!p->xml)
        return fail(p, "there is no XML below this line");
    if (transcript_compare(p->xml, got, p->offset, &p->captures, &e) == 0)
        return 0;
    return fail(p, e.text);
}

/* The transmission of that number, counted from 1; NULL with e set. */
static struct made *transmission(struct play *p, const char *number)
{
    size_t n = strtoul(number, NULL, 10);

    if (n >= 1 && n <= p->sent.count)
        return &p->sent.items[n - 1];
    err_set_at(p->e, p->path, p->line, "there is no transmission '%.20s'",
               number);
    return NULL;
}

static int on_sent(struct play *p, char *words)
{
    struct made *m = transmission(p, words);
    const char *repeats = strstr(words, "repeats ");
    const struct made *of;

    if (!m)
        return -1;
    if (m != &p->sent.items[p->sent.checked])
        return fail(p, "transmissions are counted in their order");
    p->sent.checked++;
    if (!repeats)
        return look_at_first(p, m->text) ? -1 : compare(p, m->text);
    of = transmission(p, repeats + strlen("repeats "));
    if (!of)
        return -1;
    return strcmp(of->text, m->text) == 0 ? 0 : fail(p, "the bytes differ");
}

static int on_given_up(struct play *p, char *words)
{
    struct made *m = transmission(p, words);

    if (!m)
        return -1;
    m->told_up = true;
    return m->given_up ? 0 : fail(p, "that one is not given up");
}

static int stream_of(const char *words)
{
    const char *mark = strchr(words, '#');

    return mark ? atoi(mark + 1) : 0;
}

static int on_told(struct play *p, char *words)
{
    const struct made *m;

    if (p->told.checked == p->told.count)
        return fail(p, "the application is told nothing");
    m = &p->told.items[p->told.checked++];
    if (strncmp(words, "stanza", 6) == 0)
        return m->text[0] == '<' && m->stream == stream_of(words)
                   ? compare(p, m->text)
                   : fail(p, m->text);
    return strcmp(words, m->text) == 0
               ? 0
               : err_set_at(p->e, p->path, p->line, "it tells: %s", m->text);
}

/* ---- S, F, time -----------------------------------------------------------
 */

/* A number of the manager's answer that is one of our rids. */
static void move_rid(struct buf *out, const char *name, uint64_t offset)
{
    char *start = strstr(out->data, name);
    char *end = strchr(out->data, '>');
    struct buf moved = BUF_INIT;
    char *digits;
    uint64_t rid;

    if (!start || !end || start > end)
        return;
    digits = start + strlen(name);
    buf_add(&moved, out->data, (size_t)(digits - out->data));
    rid = strtoull(digits, &end, 10);
    buf_printf(&moved, "%" PRIu64, rid + offset);
    buf_adds(&moved, end);
    buf_release(out);
    *out = moved;
}

static int on_answer(struct play *p, char *words)
{
    const struct made *m = transmission(p, words);
    const char *status = strchr(words, ' ');
    struct buf body = BUF_INIT;
    struct err e = {""};

    if (!m || check_all_seen(p))
        return -1;
    if (captures_fill(&body, p->xml ? p->xml : "", &p->captures, &e)) {
        buf_release(&body);
        return fail(p, e.text);
    }
    if (body.len > 0) {
        move_rid(&body, " ack='", p->offset);
        move_rid(&body, " report='", p->offset);
    }
    bosh_answer(p->s, p->now, m->id, status ? atoi(status) : 200,
                "text/xml; charset=utf-8", buf_str(&body), body.len);
    buf_release(&body);
    turn(p);
    return 0;
}

static int on_failure(struct play *p, char *words)
{
    const struct made *m = transmission(p, words);

    if (!m || check_all_seen(p))
        return -1;
    bosh_fail(p->s, p->now, m->id, "the connection was reset");
    turn(p);
    return 0;
}

static int on_time(struct play *p, char *words)
{
    if (check_all_seen(p))
        return -1;
    p->now += strtoll(words, NULL, 10);
    turn(p);
    return 0;
}

/* ---- Verbs and options ----------------------------------------------------
 */

/* The value of NAME=VALUE among words, up to a space; yours, NULL: none. */
static char *argument(const char *words, const char *name)
{
    size_t len = strlen(name);

    while (words && *words) {
        if (strncmp(words, name, len) == 0 && words[len] == '=')
            return mem_dupn(words + len + 1, strcspn(words + len + 1, " "));
        words = strchr(words, ' ');
        words += words ? strspn(words, " ") : 0;
    }
    return NULL;
}

static long long number(const char *words, const char *name, long long missing)
{
    char *text = argument(words, name);
    long long value = text ? strtoll(text, NULL, 10) : missing;

    free(text);
    return value;
}

static int do_connect(struct play *p, const char *words)
{
    char *jid = mem_dupn(words, strcspn(words, " "));
    char *password = argument(words, "password");
    int rc = bosh_connect(p->s, p->now, jid, password);

    free(jid);
    free(password);
    return rc;
}

static int do_attach(struct play *p, const char *words)
{
    char *jid = argument(words, "jid"), *sid = argument(words, "sid");
    char *keys = argument(words, "keys");
    char *stream = argument(words, "stream");
    char *name = argument(words, "more"), *more_jid = argument(words, "as");
    struct bosh_known_stream more = {.name = name, .jid = more_jid};
    struct bosh_attach known = {
        .jid = jid,
        .sid = sid,
        .keys = keys,
        .stream = stream,
        .more = &more,
        .more_count = name ? 1 : 0,
        .rid = (uint64_t)number(words, "rid", 0),
        .wait_s = (int)number(words, "wait", 60),
        .hold = (int)number(words, "hold", 1),
        .requests = (int)number(words, "requests", 2),
        .inactivity_s = (int)number(words, "inactivity", 30),
        .polling_s = (int)number(words, "polling", 5),
        .maxpause_s = (int)number(words, "maxpause", 120),
    };
    int rc = bosh_attach(p->s, p->now, &known);

    free(jid);
    free(sid);
    free(keys);
    free(stream);
    free(name);
    free(more_jid);
    return rc;
}

static int send_on(struct play *p, int stream, const char *words)
{
    const char *xml = strchr(words, '<');

    if (!xml)
        xml = p->xml ? p->xml : "";
    return bosh_stream_send(p->s, stream, xml, strlen(xml));
}

static int do_send(struct play *p, const char *words)
{
    return send_on(p, 0, words);
}

static int do_broadcast(struct play *p, const char *words)
{
    return send_on(p, BOSH_ALL_STREAMS, words);
}

static int do_send_on(struct play *p, const char *words)
{
    return send_on(p, atoi(words), words);
}

static int do_add(struct play *p, const char *words)
{
    char *jid = mem_dupn(words, strcspn(words, " "));
    char *password = argument(words, "password");
    char *route = argument(words, "route");
    int number = bosh_stream_add(p->s, jid, password, route);

    free(jid);
    free(password);
    free(route);
    return number < 0 ? number : 0;
}

static int do_close(struct play *p, const char *words)
{
    return bosh_stream_close(p->s, p->now, atoi(words), NULL);
}

static int do_bind(struct play *p, const char *words)
{
    return bosh_bind(p->s, words);
}

static int do_pause(struct play *p, const char *words)
{
    return bosh_pause(p->s, atoi(words));
}

static int do_resume(struct play *p, const char *words)
{
    (void)words;
    return bosh_resume(p->s);
}

static int do_disconnect(struct play *p, const char *words)
{
    return bosh_disconnect(p->s, p->now, *words ? words : NULL);
}

static const struct verb {
    const char *name;
    int (*call)(struct play *p, const char *words);
} VERBS[] = {
    {"connect", do_connect},
    {"attach", do_attach},
    {"send", do_send},
    {"send-on", do_send_on},
    {"broadcast", do_broadcast},
    {"add-stream", do_add},
    {"close-stream", do_close},
    {"bind", do_bind},
    {"pause", do_pause},
    {"resume", do_resume},
    {"disconnect", do_disconnect},
};

static int on_verb(struct play *p, char *words)
{
    size_t len = strcspn(words, " ");
    const char *rest = words + len + strspn(words + len, " ");

    if (p->asked && check_all_seen(p))
        return -1;
    p->asked = false;
    if (!p->s)
        p->s = bosh_new(&p->options);
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        if (strlen(VERBS[i].name) != len ||
            strncmp(VERBS[i].name, words, len) != 0)
            continue;
        return VERBS[i].call(p, rest) == 0 ? 0 : fail(p, bosh_last_error(p->s));
    }
    return err_set_at(p->e, p->path, p->line, "there is no verb '%s'", words);
}

/* A text that lives as long as the play. */
static const char *keep(struct play *p, const char *text)
{
    if (p->option_count == sizeof p->option_texts / sizeof p->option_texts[0])
        return NULL;
    return p->option_texts[p->option_count++] = mem_dup(text);
}

static int on_option(struct play *p, char *words)
{
    struct bosh_options *o = &p->options;
    char *value = strchr(words, '=');

    if (p->s)
        return fail(p, "options come before the first verb");
    if (!value)
        return fail(p, "an option is NAME=VALUE");
    *value++ = '\0';
    if (strcmp(words, "ack") == 0)
        o->ack = true;
    else if (strcmp(words, "keys") == 0)
        o->keys = (o->keys_count = atoi(value)) > 0;
    else if (strcmp(words, "max_open") == 0)
        o->max_open = atoi(value);
    else if (strcmp(words, "explicit_bind") == 0)
        o->explicit_bind = true;
    else if (strcmp(words, "route") == 0)
        o->route = keep(p, value);
    else if (strcmp(words, "mechanisms") == 0)
        o->mechanisms = keep(p, value);
    else
        return err_set_at(p->e, p->path, p->line, "there is no option '%s'",
                          words);
    return 0;
}

/* ---- Reading --------------------------------------------------------------
 */

static const struct step {
    const char *begins;
    int (*play)(struct play *p, char *words);
    bool hears; /* what the session did by then, or does to it */
} STEPS[] = {
    {"> option: ", on_option, false}, {"> verb: ", on_verb, false},
    {"> time: ", on_time, true},      {"C ", on_sent, true},
    {"X ", on_given_up, true},        {"S ", on_answer, true},
    {"F ", on_failure, true},         {"! ", on_told, true},
};

static char *read_line(struct play *p)
{
    char *line = p->rest;

    if (!line)
        return NULL;
    p->rest = strchr(line, '\n');
    if (p->rest)
        *p->rest++ = '\0';
    p->next_line++;
    return line;
}

/* The lines below a step, up to an empty one; NULL: there are none. */
static char *read_block(struct play *p)
{
    struct buf block = BUF_INIT;

    while (p->rest && (*p->rest == '<' || (block.len && *p->rest != '\n'))) {
        buf_adds(&block, read_line(p));
        buf_addc(&block, '\n');
    }
    if (block.len == 0)
        return NULL;
    block.data[--block.len] = '\0';
    return buf_take(&block);
}

static int play_step(struct play *p, char *line)
{
    int rc;

    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        size_t len = strlen(STEPS[i].begins);

        if (strncmp(line, STEPS[i].begins, len) != 0)
            continue;
        p->xml = read_block(p);
        if (STEPS[i].hears && !p->asked)
            turn(p);
        rc = STEPS[i].play(p, line + len);
        free(p->xml);
        p->xml = NULL;
        return rc;
    }
    return err_set_at(p->e, p->path, p->line, "'%.40s' is no step", line);
}

static int play_all(struct play *p)
{
    char *line;

    while ((line = read_line(p)) != NULL) {
        p->line = p->next_line;
        if (*line && *line != '#' && play_step(p, line))
            return -1;
    }
    p->line = p->next_line;
    if (!p->s)
        return fail(p, "nothing is called");
    turn(p);
    return check_all_seen(p);
}

int transcript_play(const char *path, const char *text, struct err *e)
{
    char *copy = mem_dup(text);
    struct play p = {.path = path, .rest = copy, .e = e, .now = 1000000};
    int rc;

    bosh_options_init(&p.options);
    p.asked = true;
    rc = play_all(&p);
    bosh_free(p.s);
    list_release(&p.sent);
    list_release(&p.told);
    captures_release(&p.captures);
    for (size_t i = 0; i < p.option_count; i++)
        free(p.option_texts[i]);
    free(copy);
    return rc;
}
