/*
 * A server of other people, run by a script beside this file for as long as we
 * hold its stdin. Start it before any thread.
 */
#ifndef TESTS_PEERS_SERVER_H
#define TESTS_PEERS_SERVER_H

#include <stdbool.h>

struct server;

/*
 * Start it, and wait until it answers; the script bounds that.
 *
 * script   see its head for options and for what it prints
 * options  "--name=value", the build's folder last, then NULL
 *
 * Returns NULL when it does not come up; the script has said why on stderr.
 */
struct server *server_start(const char *script, const char *const *options);

/* End it, and wait until all of it is gone. Accepts NULL. */
void server_stop(struct server *v);

/* What the script printed as KEY=VALUE. Borrowed until it is started again;
 * "" when there is no such key. */
const char *server_value(const struct server *v, const char *key);

/* The password of "ALICE" or "BOB", yours; free with free(). */
char *server_password(const struct server *v, const char *who);

/* SIGSTOP and the like. */
void server_signal(const struct server *v, int signal);

/* Has its log a line with both? */
bool server_logged(const struct server *v, const char *a, const char *b);

/* As a crash would end it: SIGKILL. Its ports are closed on return. */
void server_kill(struct server *v);

/* On the same ports, with the same users. False when it does not come up. */
bool server_start_again(struct server *v);

#endif
