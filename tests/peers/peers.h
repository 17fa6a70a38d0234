/* What the suites that hold libbosh to a server of other people share. */
#ifndef TESTS_PEERS_PEERS_H
#define TESTS_PEERS_PEERS_H

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>

#include "client-under-test/bosh.h"
#include "server.h"
#include "talker.h"

/* The one that runs, for all suites. */
struct server *peers_server(void);

/* The defaults, and its address. */
void peers_options(struct bosh_options *o);

/* "alice@localhost/resource": who as in server_password(). Yours. */
char *peers_jid(const char *who, const char *resource);

/* Log in and wait for it. Returns as bosh_driver_connect(). */
int peers_log_in(struct talker *t, const char *who, const char *resource);

/* Leave and wait for it; a check fails if that is not how it ends. */
void peers_log_out(struct talker *t);

/* tests  ends with CU_TEST_INFO_NULL. Returns 0, or -1. */
int peers_suite(const char *name, CU_TestInfo *tests);

int suite_login(void);
int suite_chat(void);
int suite_modes(void);
int suite_restore(void);
int suite_crash(void);

#endif
