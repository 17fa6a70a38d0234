/*
 * twin-client NAME: a twin as a driver program (docs/drivers.md), over real
 * sockets. With it the self-test proves the cases that cannot be played in
 * virtual time, and we learn whether both worlds agree.
 *
 * lines.c  JSON lines on stdin and stdout
 * main.c   the loop; one client_peer a session; requests over the wire layer
 */
#ifndef TESTS_TWIN_CLIENT_TWIN_H
#define TESTS_TWIN_CLIENT_TWIN_H

#include <jansson.h>
#include <stdbool.h>

#include "harness/stage.h"

/* One order, read. */
struct order {
    json_t *json; /* owns all strings in verb */
    json_int_t id;
    json_int_t session;
    const char *name;
    struct verb verb;
    char numbers[8][24]; /* arguments that came as numbers */
};

/* Read a line. 0 with out, free with order_release(); -1 when it is none. */
int order_read(const char *line, struct order *out);
void order_release(struct order *o);

bool verb_known(const char *name);

/* Write to stdout. reason may be NULL or "". */
void say_hello(json_int_t id, const char *name);
void say_result(json_int_t id, const char *result, const char *reason);
void say_event(json_int_t session, const struct said *said);

#endif
