/* How each server twin is made; the tables are in twins.c. */
#ifndef TESTS_TWINS_SERVER_TWINS_H
#define TESTS_TWINS_SERVER_TWINS_H

#include "server_shim.h"

/* A twin called ident: its hooks, and how one is made. */
#define TWIN(ident, ...)                                                       \
    static const struct server_hooks ident##_hooks = {__VA_ARGS__};            \
    struct server_peer *ident(void)                                            \
    {                                                                          \
        return server_shim_new(&ident##_hooks);                                \
    }

/* server_creation.c */
struct server_peer *twin_grants_more_wait(void);
struct server_peer *twin_grants_more_hold(void);
struct server_peer *twin_requests_equal_hold(void);
struct server_peer *twin_forgets_requests_attribute(void);
struct server_peer *twin_creates_without_wait(void);
struct server_peer *twin_says_sid_every_time(void);
struct server_peer *twin_says_requests_in_words(void);
struct server_peer *twin_allows_no_requests(void);
struct server_peer *twin_grants_negative_hold(void);
struct server_peer *twin_speaks_a_later_version(void);
struct server_peer *twin_grants_less(void);
struct server_peer *twin_creates_without_sid(void);

/* server_ending.c */
struct server_peer *twin_terminate_is_an_error(void);
struct server_peer *twin_terminate_takes_its_time(void);
struct server_peer *twin_terminate_is_another_request(void);
struct server_peer *twin_terminate_hangs(void);
struct server_peer *twin_terminate_answered_with_nothing(void);
struct server_peer *twin_terminate_forgets_the_held(void);
struct server_peer *twin_sid_survives_terminate(void);
struct server_peer *twin_drops_the_last_words(void);
struct server_peer *twin_terminate_on_the_request_itself(void);
struct server_peer *twin_terminate_on_all(void);

/* server_order.c */
struct server_peer *twin_processes_on_arrival(void);
struct server_peer *twin_answers_before_the_gap_closes(void);
struct server_peer *twin_window_of_one(void);
struct server_peer *twin_forgets_the_parked(void);
struct server_peer *twin_lets_go_with_http_500(void);
struct server_peer *twin_answers_in_arrival_order(void);
struct server_peer *twin_holds_too_many(void);
struct server_peer *twin_answers_the_newest(void);
struct server_peer *twin_keeps_up(void);
struct server_peer *twin_two_stanzas_in_one_answer(void);

/* server_repeats.c */
struct server_peer *twin_leaves_the_old_copy_open(void);
struct server_peer *twin_no_replay_buffer(void);
struct server_peer *twin_replay_buffer_of_one(void);
struct server_peer *twin_acknowledges_in_replays(void);
struct server_peer *twin_replay_made_anew(void);
struct server_peer *twin_runs_a_repeat_again(void);
struct server_peer *twin_replay_moves_the_rid(void);
struct server_peer *twin_data_to_the_old_copy(void);
struct server_peer *twin_ignores_the_copy(void);
struct server_peer *twin_answers_both_copies(void);

/* server_time.c */
struct server_peer *twin_unknown_sid_after_a_while(void);
struct server_peer *twin_unknown_sid_ends_another_session(void);
struct server_peer *twin_never_lets_polls_go(void);
struct server_peer *twin_expires_early(void);
struct server_peer *twin_never_expires(void);
struct server_peer *twin_expired_is_http_500(void);
struct server_peer *twin_unknown_sid_hangs(void);
struct server_peer *twin_unknown_sid_opens_a_session(void);
struct server_peer *twin_expires_some_seconds_late(void);
struct server_peer *twin_legacy_http_codes(void);
struct server_peer *twin_holds_beyond_wait(void);

/* server_bytes.c */
struct server_peer *twin_answers_with_comments(void);
struct server_peer *twin_answers_with_instructions(void);
struct server_peer *twin_answers_with_a_doctype(void);
struct server_peer *twin_answers_ill_formed(void);
struct server_peer *twin_answers_nothing_at_all(void);
struct server_peer *twin_invents_payload(void);
struct server_peer *twin_answers_text_html(void);
struct server_peer *twin_says_two_lengths(void);
struct server_peer *twin_answers_iqs_twice(void);
struct server_peer *twin_invents_conditions(void);
struct server_peer *twin_condition_as_http_code(void);

/* server_spelling.c */
struct server_peer *twin_leaves_out_the_namespace(void);
struct server_peer *twin_writes_at_length(void);
struct server_peer *twin_writes_a_declaration(void);
struct server_peer *twin_ends_replays_with_a_newline(void);
struct server_peer *twin_spells_its_type_otherwise(void);
struct server_peer *twin_allows_every_origin(void);

/* server_habits.c */
struct server_peer *twin_grants_one_request(void);
struct server_peer *twin_grants_five_requests(void);
struct server_peer *twin_grants_sixty_requests(void);
struct server_peer *twin_grants_no_hold(void);
struct server_peer *twin_grants_no_wait(void);
struct server_peer *twin_waits_one_second(void);
struct server_peer *twin_waits_two_seconds(void);
struct server_peer *twin_sets_no_limits(void);
struct server_peer *twin_has_little_patience(void);
struct server_peer *twin_polls_every_half_minute(void);
struct server_peer *twin_polls_every_quarter_minute(void);
struct server_peer *twin_counts_to_the_letter(void);
struct server_peer *twin_has_features_next(void);
struct server_peer *twin_has_features_when_polled(void);
struct server_peer *twin_does_not_offer_restarts(void);
struct server_peer *twin_is_slow(void);
struct server_peer *twin_holds_the_creation(void);
struct server_peer *twin_answers_at_once(void);
struct server_peer *twin_polls_and_answers_at_once(void);
struct server_peer *twin_brings_messages_later(void);
struct server_peer *twin_greets_its_users(void);
struct server_peer *twin_plain_body_for_the_old_copy(void);
struct server_peer *twin_unknown_sid_is_http_400(void);

#endif
