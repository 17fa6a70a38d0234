/* How each client twin is made; the tables are in twins.c. */
#ifndef TESTS_TWINS_CLIENT_TWINS_H
#define TESTS_TWINS_CLIENT_TWINS_H

#include "client_shim.h"

/* A twin called ident: its hooks, and how one is made. */
#define TWIN(ident, ...)                                                       \
    static const struct client_hooks ident##_hooks = {__VA_ARGS__};            \
    struct client_peer *ident(void)                                            \
    {                                                                          \
        return client_shim_new(&ident##_hooks);                                \
    }

/* client_creation.c */
struct client_peer *twin_creates_without_to(void);
struct client_peer *twin_creates_without_lang(void);
struct client_peer *twin_creates_without_version(void);
struct client_peer *twin_creates_with_empty_sid(void);
struct client_peer *twin_says_wait_every_time(void);
struct client_peer *twin_extra_attributes(void);
struct client_peer *twin_odd_spelling(void);

/* client_ending.c */
struct client_peer *twin_polls_after_terminate(void);
struct client_peer *twin_drops_the_last_stanzas(void);
struct client_peer *twin_hides_the_condition(void);
struct client_peer *twin_reconnects_at_once(void);
struct client_peer *twin_terminate_without_sid(void);
struct client_peer *twin_terminate_skips_a_rid(void);
struct client_peer *twin_terminate_without_presence(void);
struct client_peer *twin_terminate_with_a_question(void);
struct client_peer *twin_polls_after_goodbye(void);
struct client_peer *twin_polls_soon_after_goodbye(void);
struct client_peer *twin_terminates_after_the_poll(void);

/* client_errors.c */
struct client_peer *twin_errors_never_reset(void);
struct client_peer *twin_quits_at_fourth_error(void);
struct client_peer *twin_ends_at_first_error(void);
struct client_peer *twin_never_gives_up(void);
struct client_peer *twin_dies_silently(void);
struct client_peer *twin_says_goodbye_after_errors(void);

/* client_order.c */
struct client_peer *twin_delivers_on_arrival(void);
struct client_peer *twin_drops_early_answer(void);
struct client_peer *twin_ignores_requests(void);
struct client_peer *twin_one_request_at_a_time(void);
struct client_peer *twin_sleeps_past_inactivity(void);
struct client_peer *twin_polls_on_a_tick(void);
struct client_peer *twin_polls_without_rest(void);
struct client_peer *twin_sends_on_a_tick(void);

/* client_repeats.c */
struct client_peer *twin_edits_the_resend(void);
struct client_peer *twin_skips_the_lost_rid(void);
struct client_peer *twin_never_resends(void);
struct client_peer *twin_primary_timeout_only(void);
struct client_peer *twin_resends_at_once(void);
struct client_peer *twin_no_back_off(void);
struct client_peer *twin_takes_failure_for_an_answer(void);
struct client_peer *twin_takes_any_200_for_an_answer(void);
struct client_peer *twin_repeats_only_the_failed_one(void);
struct client_peer *twin_ignores_type_error(void);
struct client_peer *twin_has_a_short_time_out(void);
struct client_peer *twin_has_a_long_time_out(void);
struct client_peer *twin_repeats_slowly(void);
struct client_peer *twin_reports_and_goes_on(void);
struct client_peer *twin_hangs_at_a_web_page(void);
struct client_peer *twin_makes_do_with_half(void);
struct client_peer *twin_last_in_first_out(void);

/* client_habits.c */
struct client_peer *twin_sends_presence(void);
struct client_peer *twin_sends_receipts(void);
struct client_peer *twin_reads_late(void);
struct client_peer *twin_creates_twice(void);
struct client_peer *twin_probes_first(void);

/* client_numbers.c */
struct client_peer *twin_skips_a_rid(void);
struct client_peer *twin_forgets_the_rid(void);
struct client_peer *twin_begins_near_the_limit(void);
struct client_peer *twin_invents_a_sid(void);
struct client_peer *twin_pads_its_rids(void);
struct client_peer *twin_signs_its_rids(void);
struct client_peer *twin_pauses_unasked(void);

/* client_bytes.c */
struct client_peer *twin_forgets_to_escape(void);
struct client_peer *twin_body_without_namespace(void);
struct client_peer *twin_writes_comments(void);
struct client_peer *twin_writes_instructions(void);
struct client_peer *twin_writes_a_doctype(void);
struct client_peer *twin_leaves_out_host(void);
struct client_peer *twin_puts_its_bodies(void);
struct client_peer *twin_counts_characters(void);
struct client_peer *twin_sends_in_chunks(void);

#endif
