/*
 * Who watches a session in a storm: takes what it wants to send and to tell,
 * and holds it to the rules of bosh.h.
 */
#ifndef TESTS_STORM_WATCH_H
#define TESTS_STORM_WATCH_H

#include <stdbool.h>

#include "client-under-test/bosh.h"
#include "common/buf.h"
#include "tests/storm.h"

#define WATCH_KEY_LEN 40

/* A request of the session that is alive, or was last. */
struct watch_request {
    uint64_t rid;
    uint64_t id; /* of its latest transmission */
    int attempt;
    bool on_wire; /* taken, and neither answered nor given up */
    bool done;    /* a good answer came: it may not be sent again */
    char *bytes;
    size_t len;
};

/* A stream of that session, by its number. */
struct watch_stream {
    bool open;      /* and DISCONNECTED has not come */
    bool fresh;     /* no event yet */
    bool logged_in; /* CONNECTED or ATTACHED came */
};

struct watch {
    struct bosh *s;
    int max_open;
    size_t queue_max;
    bool keys, compress;
    struct err *e;
    struct storm_sights *sights;

    bool alive;   /* from connect or attach to the last DISCONNECTED */
    bool created; /* by connect: the first request has no sid */
    bool refused; /* BOSH_E_FULL, and DRAINED has not come */
    struct watch_stream *streams;
    int stream_count;
    uint64_t first_rid; /* those below were open when it was stored */
    uint64_t last_id;
    uint64_t last_stanza;
    char key[WATCH_KEY_LEN + 1];    /* the next one must hash to; "": any */
    struct watch_request *requests; /* by rid */
    size_t count;
};

void watch_release(struct watch *w);

/* A session has begun, by bosh_connect() or else by bosh_attach() or
 * bosh_restore(). */
void watch_begin(struct watch *w, bool created);
/* The process ended, and s is of the one that came after it. */
void watch_new_process(struct watch *w, struct bosh *s);
/* A stream more, which is open unless it was attached to as closed. */
void watch_add_stream(struct watch *w, bool open, bool fresh);
/* The first one was attached to as closed. */
void watch_close_first(struct watch *w);
/* bosh_reset(). */
void watch_forget(struct watch *w);

/* Take what the session has given up. Before each answer and failure, so that
 * who is answered is known. */
void watch_aborts(struct watch *w);

/* One turn of the application's loop: give up, send, hear. */
void watch_turn(struct watch *w, int64_t now_ms);

/* A transmission is over; good: with an answer that settles it. */
void watch_answered(struct watch *w, uint64_t id, bool good);

/* The n-th of those on the wire, modulo their number; NULL: there is none. */
struct watch_request *watch_on_wire(struct watch *w, unsigned n);

/* How the session looks from outside. */
struct watch_look {
    uint64_t rid;
    int64_t deadline_ms;
    size_t queue_len;
    int numbers[9];
    bool connected, ended, settled;
};
void watch_look(const struct watch *w, struct watch_look *look);

/* What a call returned; before: the look before it. A refused one has changed
 * nothing, and says why. */
void watch_returned(struct watch *w, int rc, const struct watch_look *before);

#endif
