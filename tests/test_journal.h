/* What the two files of the journal's suite share. */
#ifndef TESTS_TEST_JOURNAL_H
#define TESTS_TEST_JOURNAL_H

#include <stdlib.h>

#include "check.h"
#include "journal_maker.h"

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' "
#define SID "sid='abc' "
#define EMPTY "<body xmlns='http://jabber.org/protocol/httpbind'/>"
#define MESSAGE(id) "<message xmlns='jabber:client' id='" id "'/>"
#define WITH(id) BODY ">" MESSAGE(id) "</body>"
#define TERMINATE BODY "type='terminate' condition='system-shutdown'/>"

/* A request of session abc, on a connection of its own. */
static inline void request(struct maker *m, int64_t t, unsigned x,
                           const char *rid, const char *inside)
{
    char *body = mem_printf(BODY SID "rid='%s'>%s</body>", rid, inside);

    maker_request(m, t, x, x, body);
    free(body);
}

/* What a session's exchanges say together: 0, or -1. */
int add_journal_session_tests(CU_pSuite suite);

#endif
