/* What a session has to tell its application: see events.h. */
#include "events.h"

#include <stdlib.h>

#include "common/buf.h"

struct event_item {
    struct event_item *next;
    struct bosh_event event;
    char *condition;
    char *detail;
    char *xml;
};

static void item_free(struct event_item *item)
{
    if (!item)
        return;
    free(item->condition);
    free(item->detail);
    free(item->xml);
    free(item);
}

void events_clear(struct events *e)
{
    while (e->first) {
        struct event_item *item = e->first;

        e->first = item->next;
        item_free(item);
    }
    e->last = NULL;
}

void events_release(struct events *e)
{
    events_clear(e);
    item_free(e->taken);
    e->taken = NULL;
}

static struct event_item *add(struct events *e, enum bosh_event_kind kind)
{
    struct event_item *item = mem_alloc(sizeof *item);

    item->event.kind = kind;
    if (e->last)
        e->last->next = item;
    else
        e->first = item;
    e->last = item;
    return item;
}

void events_add_status(struct events *e, int stream, enum bosh_status status,
                       const char *condition, const char *detail)
{
    struct event_item *item = add(e, BOSH_EVENT_STATUS);

    item->condition = mem_dup(condition);
    item->detail = mem_dup(detail);
    item->event.stream = stream;
    item->event.status = status;
    item->event.condition = item->condition;
    item->event.detail = item->detail;
}

void events_add_drained(struct events *e)
{
    add(e, BOSH_EVENT_DRAINED);
}

void events_add_stanza(struct events *e, int stream, uint64_t rid, char *xml,
                       size_t len)
{
    struct event_item *item = add(e, BOSH_EVENT_STANZA);

    item->xml = xml;
    item->event.xml = xml;
    item->event.xml_len = len;
    item->event.rid = rid;
    item->event.stream = stream;
}

int events_take(struct events *e, struct bosh_event *out)
{
    struct event_item *item = e->first;

    item_free(e->taken);
    e->taken = item;
    if (!item)
        return 0;
    e->first = item->next;
    if (!e->first)
        e->last = NULL;
    *out = item->event;
    return 1;
}
