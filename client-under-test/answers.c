/* Answers, in the order of their rids: see answers.h. */
#include "answers.h"

#include <stdlib.h>

#include "flow.h"
#include "tap.h"

/* How long answers below an early terminate may still come. */
#define EARLY_END_MS 1000

static enum stream_event event_of(const xmlNode *element)
{
    switch (login_kind_of(element)) {
    case LOGIN_FEATURES:
        return ON_FEATURES;
    case LOGIN_CHALLENGE:
        return ON_CHALLENGE;
    case LOGIN_SUCCESS:
        return ON_SUCCESS;
    case LOGIN_FAILURE:
        return ON_FAILURE;
    case LOGIN_STREAM_ERROR:
        return ON_STREAM_ERROR;
    case LOGIN_REPLY:
        return ON_REPLY;
    case LOGIN_OTHER:
        break;
    }
    return ON_STANZA;
}

static void take_payload(struct bosh *s, struct stream *st,
                         const struct happening *h)
{
    if (xml_is(h->element, XML_NS_HTTPBIND, "uri")) {
        free(s->other_uri);
        s->other_uri = xml_text(h->element);
        return;
    }
    stream_happen(s, st, event_of(h->element), h);
}

/* §16.3: the answer to our request for a stream names it; or the first that
 * brings something for it, if that was answered with another stream's. */
static struct stream *open_awaited(struct bosh *s, const struct exchange *x,
                                   const struct happening *h)
{
    struct stream *st = stream_awaited(s);

    if (!st || (x->kind != EXCHANGE_OPEN && !body_has_payload(x->answer)))
        return NULL;
    stream_happen(s, st, ON_OPENED, h);
    return st;
}

/* It was asked for by a process that is gone: nobody wants it any more. */
static struct stream *disowned(struct bosh *s, const char *name)
{
    struct stream *st = stream_new(s);

    st->name = mem_dup(name);
    return st;
}

/* §16.6: with a stream's name the session lives on. */
static bool ends_session(const struct bosh *s, const struct body *b)
{
    return body_terminates(b) && !(b->stream && streams_are_several(s));
}

/* Whose answer is it? §16.4: without a name, or where there are none, the
 * first stream's, as is one that brings nothing. NULL: nobody's. */
static struct stream *stream_of(struct bosh *s, const struct exchange *x,
                                const struct happening *h)
{
    const struct body *b = x->answer;
    struct stream *st;

    if (!b->stream || !s->streams->name)
        return s->streams;
    st = stream_named(s, b->stream);
    if (!st)
        st = open_awaited(s, x, h);
    if (!st && !body_has_payload(b) &&
        (!body_terminates(b) || ends_session(s, b)))
        st = s->streams;
    if (!st && x->kind == EXCHANGE_OPEN)
        st = disowned(s, b->stream);
    return st;
}

/* What the answer means for the request itself. */
static void take_end(struct bosh *s, const struct exchange *x,
                     struct stream *st, const struct happening *h)
{
    if (ends_session(s, x->answer)) {
        session_happen(s, ON_TERMINATED, h);
        return;
    }
    if (x->kind == EXCHANGE_TERMINATE)
        session_happen(s, ON_END_ANSWERED, h);
    else if (body_terminates(x->answer))
        stream_happen(s, st, ON_STREAM_ENDED, h);
    st = stream_at(s, x->stream); /* which the session's end has freed */
    if (st && x->kind == EXCHANGE_OPEN)
        stream_happen(s, st, ON_OPEN_ANSWERED, h);
    if (st && x->kind == EXCHANGE_CLOSE)
        stream_happen(s, st, ON_CLOSE_ANSWERED, h);
    if (!session_is_over(s) && streams_open(s) == 0)
        session_happen(s, ON_ALL_CLOSED, h);
}

static void take_answer(struct bosh *s, const struct exchange *x,
                        int64_t now_ms)
{
    struct happening h = {.now_ms = now_ms, .rid = x->rid, .body = x->answer};
    struct stream *st;
    xmlNodePtr next;

    tap_xml_input(&s->options.taps, x->answer);
    if (x->kind == EXCHANGE_CREATE && !body_terminates(x->answer))
        session_happen(s, ON_CREATED, &h);
    st = stream_of(s, x, &h);
    if (!st) {
        flow_note_answer(s, x, now_ms);
        session_happen(s, ON_UNKNOWN_STREAM, &h);
        if (x->kind == EXCHANGE_TERMINATE) /* whatever it says */
            session_happen(s, ON_END_ANSWERED, &h);
        return;
    }
    h.stream = st;
    for (h.element = xml_child(x->answer->root, NULL, NULL); h.element;
         h.element = next) {
        next = xml_next(h.element);
        take_payload(s, st, &h);
    }
    flow_note_answer(s, x, now_ms);
    take_end(s, x, st, &h);
}

/* An early terminate: nothing new may be sent, but answers below it may still
 * be on their way. */
static void note_early_end(struct bosh *s, int64_t now_ms)
{
    const struct exchange *x = s->window.first;

    while (x && !(x->answer && ends_session(s, x->answer)))
        x = x->next;
    if (!x)
        s->end_by_ms = 0;
    else if (s->end_by_ms == 0)
        s->end_by_ms = now_ms + EARLY_END_MS;
}

void answers_take(struct bosh *s, int64_t now_ms, bool skip)
{
    struct exchange *x;

    while ((x = window_take(&s->window, skip)) != NULL) {
        take_answer(s, x, now_ms);
        exchange_free(x);
        s->store_stale = true;
    }
    note_early_end(s, now_ms);
}
