/* One session as the manager sees it: see cmsession.h. */
#include "cmsession.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* A request that was sent in time may be on its way: late is allowed, early
 * is not (§10). */
#define EXPIRY_GRACE_MS 500

#define NO (-1)

/* rows: the state; columns: the event, in the order of its enum. */
static const signed char next_state[][CMSESSION_EVENT_COUNT] = {
    /* §4 and §14: in use */
    [MOCK_SESSION_OPEN] = {[CMSESSION_REQUEST] = MOCK_SESSION_OPEN,
                           [CMSESSION_PAUSE] = MOCK_SESSION_PAUSED,
                           [CMSESSION_TERMINATE] = MOCK_SESSION_GONE,
                           [CMSESSION_FATAL] = MOCK_SESSION_GONE,
                           [CMSESSION_SERVER_END] = MOCK_SESSION_ENDING,
                           [CMSESSION_TOLD] = NO,
                           [CMSESSION_SILENCE] = MOCK_SESSION_GONE},
    /* §10: a pause ends with the next request */
    [MOCK_SESSION_PAUSED] = {[CMSESSION_REQUEST] = MOCK_SESSION_OPEN,
                             [CMSESSION_PAUSE] = MOCK_SESSION_PAUSED,
                             [CMSESSION_TERMINATE] = MOCK_SESSION_GONE,
                             [CMSESSION_FATAL] = MOCK_SESSION_GONE,
                             [CMSESSION_SERVER_END] = MOCK_SESSION_ENDING,
                             [CMSESSION_TOLD] = NO,
                             [CMSESSION_SILENCE] = MOCK_SESSION_GONE},
    /* §17.2: whatever the next request wants, it is told; the first reason
     * stays */
    [MOCK_SESSION_ENDING] = {[CMSESSION_REQUEST] = MOCK_SESSION_ENDING,
                             [CMSESSION_PAUSE] = MOCK_SESSION_ENDING,
                             [CMSESSION_TERMINATE] = MOCK_SESSION_ENDING,
                             [CMSESSION_FATAL] = MOCK_SESSION_GONE,
                             [CMSESSION_SERVER_END] = NO,
                             [CMSESSION_TOLD] = MOCK_SESSION_GONE,
                             [CMSESSION_SILENCE] = MOCK_SESSION_GONE},
    /* §13, §17.2: there is no such session */
    [MOCK_SESSION_GONE] = {NO, NO, NO, NO, NO, NO, NO},
};

void override_free(struct override *o)
{
    if (!o)
        return;
    free(o->sid);
    free(o->condition);
    buf_release(&o->xml);
    free(o);
}

void held_free(struct held *h)
{
    if (!h)
        return;
    request_release(&h->req);
    override_free(h->end);
    free(h);
}

void held_list_insert(struct held_list *list, struct held *h)
{
    struct held **link = &list->first;

    while (*link && (*link)->rid < h->rid)
        link = &(*link)->next;
    h->next = *link;
    *link = h;
    list->count++;
}

struct held *held_list_find(const struct held_list *list, uint64_t rid)
{
    struct held *h = list->first;

    while (h && h->rid != rid)
        h = h->next;
    return h;
}

struct held *held_list_pop(struct held_list *list)
{
    struct held *h = list->first;

    if (!h)
        return NULL;
    list->first = h->next;
    list->count--;
    h->next = NULL;
    return h;
}

struct cmsession *cmsession_new(struct mock *m)
{
    struct cmsession *s = mem_alloc(sizeof *s);

    s->mock = m;
    s->state = MOCK_SESSION_OPEN;
    return s;
}

static void free_list(struct held_list *list)
{
    struct held *h;

    while ((h = held_list_pop(list)))
        held_free(h);
}

void cmsession_strip(struct cmsession *s)
{
    free_list(&s->open);
    free_list(&s->parked);
    replay_release(&s->replay);
    cmstream_release_all(&s->streams);
    s->end_stream = NULL;
    buf_release(&s->end_xml);
    free(s->end_condition);
    s->end_condition = NULL;
}

void cmsession_free(struct cmsession *s)
{
    if (!s)
        return;
    cmsession_strip(s);
    free(s);
}

bool cmsession_move(struct cmsession *s, enum cmsession_event event)
{
    signed char to = next_state[s->state][event];

    if (to == NO)
        return false;
    s->state = (enum mock_session_state)to;
    return true;
}

uint64_t cmsession_window_end(const struct cmsession *s, bool extra)
{
    if (!s->requests)
        return REQUEST_RID_MAX;
    return s->rid + (uint64_t)s->requests + (extra ? 1 : 0);
}

static int64_t ms(int seconds)
{
    return (int64_t)seconds * 1000;
}

static int64_t soonest_due(const struct cmsession *s)
{
    int64_t at = CLOCK_NEVER;

    for (const struct held *h = s->open.first; h; h = h->next) {
        if (h->due_ms < at)
            at = h->due_ms;
    }
    return at;
}

static int64_t silence_limit_s(const struct cmsession *s)
{
    return s->state == MOCK_SESSION_PAUSED ? s->pause_s : s->inactivity_s;
}

int64_t cmsession_deadline_ms(const struct cmsession *s)
{
    int64_t limit_s = silence_limit_s(s);

    if (s->state == MOCK_SESSION_GONE)
        return CLOCK_NEVER;
    if (s->open.count)
        return soonest_due(s);
    if (limit_s < 0)
        return CLOCK_NEVER;
    /* A gap holds up what arrived: order comes before wait (§14.2). It is
     * given up when a request held all that time would be, and some. */
    if (s->parked.count)
        return s->parked.first->arrived_ms + ms(s->wait_s) + ms((int)limit_s) +
               EXPIRY_GRACE_MS;
    return s->idle_since_ms + ms((int)limit_s) + EXPIRY_GRACE_MS;
}
