/*
 * Alice in a process of her own, with her session kept in a file, who dies at
 * a moment that a test chooses. What she hears she reports at once.
 */
#ifndef TESTS_PEERS_MORTAL_H
#define TESTS_PEERS_MORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"

#define LAST_WORDS "last words"
#define FOR_YOU "for you"

/* When: while she says LAST_WORDS or hears FOR_YOU, or as her killer likes. */
enum moment {
    SHE_LEAVES,   /* _exit() when told to, saying nothing */
    AT_REST,      /* killed from outside */
    QUEUED,       /* bosh_send() has returned */
    NOT_KEPT_YET, /* the request is made, the store has not been called */
    KEPT,         /* the store has the request */
    MADE,         /* the driver takes the request */
    HANDED_OVER,  /* libcurl has it */
    ANSWERED,     /* an answer has come, and nobody has looked into it */
    HEARD,        /* the application has been told */
};

struct mortal {
    pid_t pid;
    int orders;  /* to her */
    int reports; /* from her */
    char *dir;
    char *store;      /* path of the file in it; outlives her */
    struct buf heard; /* what she reported, a line each */
};

/*
 * Until she is logged in.
 *
 * max_open  the option
 * to        whom she speaks to
 *
 * False: it did not work.
 */
bool mortal_begin(struct mortal *m, enum moment moment, int max_open,
                  const char *to);

/* Now say it: QUEUED to HANDED_OVER. Or leave: SHE_LEAVES. */
void mortal_order(struct mortal *m);

/* From now on she says "c 0", "c 1", ... without end. */
void mortal_chatter(struct mortal *m);

void mortal_kill(struct mortal *m);

/* Until she is gone; then m->heard is whole. */
void mortal_mourn(struct mortal *m);

/* Her file too. */
void mortal_release(struct mortal *m);

#endif
