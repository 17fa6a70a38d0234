/* Somebody who talks through a session: see talker.h. */
#include "talker.h"

#include <stdlib.h>
#include <string.h>

#include "common/xml.h"

static void keep_text(struct talker *t, char *text)
{
    t->texts = mem_grow(t->texts, (t->count + 1) * sizeof *t->texts);
    t->texts[t->count++] = text;
}

static void on_stanza(struct talker *t, const struct bosh_event *event)
{
    xmlDocPtr doc = xml_parse(event->xml, event->xml_len, NULL, NULL);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    const xmlNode *body = NULL;

    if (root && xml_is(root, XML_NS_CLIENT, "message"))
        body = xml_child(root, XML_NS_CLIENT, "body");
    if (body) {
        keep_text(t, xml_text(body));
        if (t->heard)
            t->heard(t, xml_attr(root, NULL, "from"), t->texts[t->count - 1]);
    } else {
        t->strays++;
    }
    xmlFreeDoc(doc);
}

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    struct talker *t = ctx;

    (void)s;
    switch (event->kind) {
    case BOSH_EVENT_STATUS:
        buf_printf(&t->seen, "%s%s", t->seen.len ? " " : "",
                   bosh_status_name(event->status));
        if (event->condition && !t->condition)
            t->condition = mem_dup(event->condition);
        break;
    case BOSH_EVENT_STANZA:
        on_stanza(t, event);
        break;
    case BOSH_EVENT_DRAINED:
        t->drained++;
        break;
    }
}

void talker_init(struct talker *t, struct bosh_driver *d,
                 const struct bosh_options *o)
{
    memset(t, 0, sizeof *t);
    t->d = d;
    t->s = bosh_new(o);
    if (bosh_driver_add(d, t->s, (struct bosh_hook){on_event, t}))
        abort(); /* the server's script gave no address */
}

void talker_forget(struct talker *t)
{
    buf_release(&t->seen);
    free(t->condition);
    t->condition = NULL;
    for (size_t i = 0; i < t->count; i++)
        free(t->texts[i]);
    free(t->texts);
    t->texts = NULL;
    t->count = t->strays = t->drained = 0;
}

void talker_forget_last(struct talker *t)
{
    if (t->count)
        free(t->texts[--t->count]);
}

void talker_release(struct talker *t)
{
    bosh_driver_remove(t->d, t->s);
    bosh_free(t->s);
    talker_forget(t);
}

int talker_say(struct talker *t, const char *to, const char *text)
{
    struct buf xml = BUF_INIT;
    int rc;

    buf_adds(&xml, "<message type='chat' to='");
    buf_add_xml(&xml, to, strlen(to));
    buf_adds(&xml, "'><body>");
    buf_add_xml(&xml, text, strlen(text));
    buf_adds(&xml, "</body></message>");
    rc = bosh_send(t->s, xml.data, xml.len);
    bosh_driver_pump(t->d, t->s);
    buf_release(&xml);
    return rc;
}

bool talk_until(struct bosh_driver *d, bool (*holds)(const void *ctx),
                const void *ctx, int64_t max_ms)
{
    int64_t end_ms = bosh_driver_now_ms() + max_ms;

    while (!holds(ctx)) {
        int64_t now_ms = bosh_driver_now_ms();

        if (now_ms >= end_ms || bosh_driver_turn(d, end_ms - now_ms))
            return false;
    }
    return true;
}

struct wanted {
    const struct talker *t;
    size_t count;
};

static bool has_heard(const void *ctx)
{
    const struct wanted *w = ctx;

    return w->t->count >= w->count || bosh_ended(w->t->s);
}

size_t talker_listen(struct talker *t, size_t count, int64_t max_ms)
{
    struct wanted w = {t, count};

    talk_until(t->d, has_heard, &w, max_ms);
    return t->count;
}

static bool is_over(const void *ctx)
{
    return bosh_ended(ctx);
}

bool talker_wait_end(struct talker *t, int64_t max_ms)
{
    return talk_until(t->d, is_over, t->s, max_ms);
}

static bool never(const void *ctx)
{
    (void)ctx;
    return false;
}

void talk_for(struct bosh_driver *d, int64_t ms)
{
    talk_until(d, never, NULL, ms);
}
