/*
 * Small hand-made journals, each with the one rule of cases/invariants.xml
 * that it breaks: it must be convicted, and nothing else. Those that only look
 * guilty must be spared.
 */
#ifndef TESTS_STORY_H
#define TESTS_STORY_H

#include <stddef.h>
#include <stdint.h>

#include "harness/journal.h"
#include "harness/judge.h"

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' "
#define SID "sid='abc' "
#define EMPTY BODY "/>"
#define IQ(type) "<iq xmlns='jabber:client' type='" type "' id='i'/>"

/* One step of a small journal: what happens at t. */
struct beat {
    enum {
        END,
        REQ,    /* exchange x, with this body */
        ANS,    /* it is answered with this body, and all is delivered */
        ASKED,  /* raw bytes, as the request */
        CAME,   /* raw bytes, as the answer */
        LOST,   /* answered, but the answer is lost, and the connection */
        FAULT,  /* a fault of ours */
        TOLD,   /* the client was given this verb */
        GIVEN,  /* the client was given this message to send */
        SAID,   /* the application got this message */
        BEHIND, /* a request on the connection of the one before */
        OURS,   /* we end the connection of a request */
        PACKED, /* a request, in gzip and called so */
        CALLED, /* the same without being packed */
    } what;
    int64_t t;
    unsigned x;
    const char *text;
};

struct story {
    const char *name;
    enum role role;
    const char *granted; /* in the creation's answer, besides the usual */
    struct beat beats[10];
    int64_t end;
    const char *guilty; /* the invariant; NULL: all are innocent */
    enum verdict verdict;
};

#define GUILTY(id) 90000, id, VERDICT_FAIL
#define WARNED(id) 90000, id, VERDICT_WARN
#define INNOCENT 90000, NULL, VERDICT_PASS

/* Play each, and judge it by all invariants. */
void story_judge_all(const struct story *stories, size_t count);

#endif
