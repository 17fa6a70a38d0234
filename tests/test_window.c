/* Requests in flight: order, repeats, time-outs. */
#include "check.h"

#include <stdlib.h>

#include "client-under-test/bosh.h"
#include "client-under-test/window.h"

int suite_window(void);

static struct exchange *add(struct window *w, uint64_t rid)
{
    return window_add(w, rid, EXCHANGE_POLL, mem_dup("<x/>"), 4, 0);
}

static struct body *empty_body(void)
{
    static const char TEXT[] =
        "<body xmlns='http://jabber.org/protocol/httpbind'/>";

    return body_read(TEXT, sizeof TEXT - 1, NULL);
}

/* The rid that is taken next; 0 for none. */
static uint64_t take(struct window *w, bool skip)
{
    struct exchange *x = window_take(w, skip);
    uint64_t rid = x ? x->rid : 0;

    exchange_free(x);
    return rid;
}

static void test_answers_are_taken_in_the_order_of_their_rids(void)
{
    struct window w = {0};
    struct exchange *a = add(&w, 10);
    struct exchange *b = add(&w, 11);
    struct exchange *c = add(&w, 12);

    window_sent(a, 1, 0);
    window_sent(b, 2, 0);
    window_sent(c, 3, 0);
    window_answer(&w, c, empty_body(), 5);
    CHECK_INT(take(&w, false), 0);
    window_answer(&w, a, empty_body(), 6);
    CHECK_INT(take(&w, false), 10);
    CHECK_INT(take(&w, false), 0);
    CHECK_INT(window_unanswered(&w), 1);
    window_answer(&w, b, empty_body(), 7);
    CHECK_INT(take(&w, false), 11);
    CHECK_INT(take(&w, false), 12);
    CHECK_INT(take(&w, false), 0);
    window_release(&w);
}

static void test_skipping_gives_up_what_was_not_answered(void)
{
    struct window w = {0};
    struct exchange *a = add(&w, 10);
    struct exchange *b = add(&w, 11);
    uint64_t id = 0;

    window_sent(a, 1, 0);
    window_sent(b, 2, 0);
    CHECK_INT(take(&w, true), 0);
    window_answer(&w, b, empty_body(), 5);
    CHECK_INT(take(&w, true), 11);
    CHECK_INT(window_next_abort(&w, &id), 1);
    CHECK_INT(id, 1);
    CHECK_INT(window_next_abort(&w, &id), 0);
    window_release(&w);
}

static void test_a_repeat_keeps_rid_and_bytes_and_gets_a_new_id(void)
{
    struct window w = {0};
    struct exchange *x = add(&w, 10);
    const char *bytes = x->bytes;
    uint64_t id = 0;

    CHECK(window_due(&w, 0) == x);
    window_sent(x, 1, 0);
    CHECK(window_due(&w, 100) == NULL);
    window_again(&w, x, 50);
    CHECK_INT(window_next_abort(&w, &id), 1);
    CHECK_INT(id, 1);
    CHECK(window_due(&w, 49) == NULL);
    CHECK(window_due(&w, 50) == x);
    window_sent(x, 2, 50);
    CHECK(x->bytes == bytes && x->rid == 10 && x->attempts == 2);
    CHECK(window_find(&w, 1) == NULL);
    CHECK(window_find(&w, 2) == x);
    window_release(&w);
}

static void test_hurry_makes_what_backs_off_due(void)
{
    struct window w = {0};
    struct exchange *x = add(&w, 10);

    window_again(&w, x, 5000);
    CHECK(window_due(&w, 10) == NULL);
    window_hurry(&w, 10);
    CHECK(window_due(&w, 10) == x);
    window_release(&w);
}

static void test_primary_limit_counts_from_the_latest_sending(void)
{
    struct window_limits limits = {.primary_ms = 66000, .secondary_ms = 6000};
    struct window w = {0};
    struct exchange *x = add(&w, 10);

    CHECK_INT(window_deadline(&w, &limits), 0);
    window_sent(x, 1, 1000);
    CHECK_INT(window_deadline(&w, &limits), 67000);
    CHECK(window_expired(&w, 66999, &limits) == NULL);
    CHECK(window_expired(&w, 67000, &limits) == x);
    window_again(&w, x, 67000);
    window_sent(x, 2, 67500);
    CHECK_INT(window_expiry(x, &limits), 133500);
    window_release(&w);
}

static void test_secondary_limit_begins_when_a_later_one_is_answered(void)
{
    struct window_limits limits = {.primary_ms = 66000, .secondary_ms = 6000};
    struct window w = {0};
    struct exchange *x = add(&w, 10);
    struct exchange *later = add(&w, 11);

    window_sent(x, 1, 0);
    window_sent(later, 2, 1000);
    window_answer(&w, later, empty_body(), 2000);
    CHECK_INT(window_expiry(x, &limits), 8000);
    window_again(&w, x, 8000);
    window_sent(x, 3, 8000);
    CHECK_INT(window_expiry(x, &limits), 8000 + 12000);
    for (int i = 0; i < 40; i++)
        window_sent(x, 4, 8000);
    CHECK_INT(window_expiry(x, &limits), 8000 + 66000);
    window_release(&w);
}

static void test_limits_of_nothing_never_expire(void)
{
    struct window_limits limits = {0, 0};
    struct window w = {0};
    struct exchange *x = add(&w, 10);

    window_sent(x, 1, 0);
    CHECK(window_expiry(x, &limits) == BOSH_NEVER);
    CHECK(window_deadline(&w, &limits) == BOSH_NEVER);
    window_release(&w);
}

static void test_clearing_aborts_only_what_is_on_the_wire(void)
{
    struct window w = {0};
    struct exchange *x = add(&w, 10);
    uint64_t id = 0;

    add(&w, 11);
    window_sent(x, 7, 0);
    CHECK_INT(window_on_wire(&w), 1);
    CHECK_INT(window_unanswered(&w), 2);
    window_clear(&w);
    CHECK_INT(window_next_abort(&w, &id), 1);
    CHECK_INT(id, 7);
    CHECK_INT(window_next_abort(&w, &id), 0);
    window_release(&w);
}

int suite_window(void)
{
    CU_pSuite suite = CU_add_suite("window", NULL, NULL);

    if (!suite ||
        !CU_add_test(suite, "answers are taken in the order of their rids",
                     test_answers_are_taken_in_the_order_of_their_rids) ||
        !CU_add_test(suite, "skipping gives up what was not answered",
                     test_skipping_gives_up_what_was_not_answered) ||
        !CU_add_test(suite, "a repeat keeps rid and bytes and gets a new id",
                     test_a_repeat_keeps_rid_and_bytes_and_gets_a_new_id) ||
        !CU_add_test(suite, "hurry makes what backs off due",
                     test_hurry_makes_what_backs_off_due) ||
        !CU_add_test(suite, "primary limit counts from the latest sending",
                     test_primary_limit_counts_from_the_latest_sending) ||
        !CU_add_test(
            suite, "secondary limit begins when a later is answered",
            test_secondary_limit_begins_when_a_later_one_is_answered) ||
        !CU_add_test(suite, "limits of nothing never expire",
                     test_limits_of_nothing_never_expire) ||
        !CU_add_test(suite, "clearing aborts only what is on the wire",
                     test_clearing_aborts_only_what_is_on_the_wire))
        return -1;
    return 0;
}
