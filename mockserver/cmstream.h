/*
 * The XMPP streams of one session: one, and where the manager names them
 * perhaps more (§16).
 *
 * A stream has a number, which is the order of opening: 0 is the session's
 * first. One that is closed keeps number and name as long as the session
 * lives.
 */
#ifndef MOCKSERVER_CMSTREAM_H
#define MOCKSERVER_CMSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#include "backend.h"

#define CMSTREAM_NAME_LEN 32

struct cmsession;

struct cmstream {
    struct cmstream *next; /* in order of opening */
    struct cmsession *session;
    char name[CMSTREAM_NAME_LEN + 1]; /* "": the manager names none */
    bool announced;                   /* an answer told the client so */
    struct backend_stream *backend;   /* NULL: closed */

    struct buf queue; /* elements for the client */
    uint64_t turn;    /* of the queue among those of its session */
    int withheld;     /* so many answers go out before the queue does */

    bool ending;         /* closed, and an answer must still say so */
    bool by_client;      /* it was the client that closed it */
    char *end_condition; /* while ending; NULL: none */
    struct buf end_xml;
    int64_t closed_ms; /* when the client was told */
};

struct cmstreams {
    struct cmstream *first;
    size_t count; /* that were opened, closed ones too */
    uint64_t turn;
};

/* One more, at the end, without a backend. The list's. */
struct cmstream *cmstream_add(struct cmstreams *list, struct cmsession *s);

/* Closes them at the backend too. */
void cmstream_release_all(struct cmstreams *list);

/* NULL: there never was such a one. */
struct cmstream *cmstream_named(const struct cmstreams *list, const char *name);
struct cmstream *cmstream_numbered(const struct cmstreams *list, size_t number);

/* Payloads can be sent on it. */
bool cmstream_is_open(const struct cmstream *st);
size_t cmstream_open_count(const struct cmstreams *list);

/* Elements for the client. */
void cmstream_queue(struct cmstreams *list, struct cmstream *st,
                    const char *xml, size_t len);
/* Bytes that wait on all of them. */
size_t cmstream_queued_len(const struct cmstreams *list);

/* The stream that the next answer is for: one whose end is to be told, or else
 * the one whose elements wait longest. NULL: an answer would be empty. */
struct cmstream *cmstream_to_speak(const struct cmstreams *list);

/* Does one hold its elements back until an empty answer went out? */
bool cmstream_is_withholding(const struct cmstreams *list);

/* An answer goes out that is not by itself the one that announces a stream. */
void cmstream_count_answer(struct cmstreams *list);

/* It is over; the client is told with one of the next answers. xml NULL:
 * nothing. */
void cmstream_end(struct cmstream *st, const char *condition, const char *xml,
                  size_t len);
/* The client knows. */
void cmstream_close(struct cmstream *st, int64_t now_ms);

#endif
