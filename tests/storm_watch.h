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

struct watch {
    struct bosh *s;
    int max_open;
    size_t queue_max;
    bool keys;
    struct err *e;
    struct storm_sights *sights;

    bool alive;     /* between connect or attach, and DISCONNECTED */
    bool fresh;     /* no event yet */
    bool created;   /* by connect: the first request has no sid */
    bool logged_in; /* CONNECTED or ATTACHED came */
    bool refused;   /* BOSH_E_FULL, and DRAINED has not come */
    uint64_t last_id;
    uint64_t last_stanza;
    char key[WATCH_KEY_LEN + 1];    /* the next one must hash to; "": any */
    struct watch_request *requests; /* by rid */
    size_t count;
};

void watch_release(struct watch *w);

/* A session has begun, by bosh_connect() or else by bosh_attach(). */
void watch_begin(struct watch *w, bool created);
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
