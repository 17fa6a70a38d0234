/* Every suite of the unit tests, one a module; each registers itself. */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <stddef.h>

int suite_common(void);
int suite_http(void);
int suite_coding(void);
int suite_manager_codings(void);
int suite_log_events(void);
int suite_wire(void);
int suite_request(void);
int suite_manager(void);
int suite_manager_streams(void);
int suite_backend(void);
int suite_http_mhd(void);
int suite_body(void);
int suite_window(void);
int suite_login(void);
int suite_session(void);
int suite_session_odd(void);
int suite_states(void);
int suite_streams(void);
int suite_taps(void);
int suite_store(void);
int suite_flow(void);
int suite_codings(void);
int suite_acks(void);
int suite_keys(void);
int suite_storm(void);
int suite_scenarios(void);
int suite_verbs(void);
int suite_transcripts(void);
int suite_driver_add(void);
int suite_driver_curl(void);
int suite_library(void);
int suite_load(void);
int suite_proxy(void);
int suite_tool_text(void);
int suite_case_xml(void);
int suite_lint(void);
int suite_expr(void);
int suite_journal(void);
int suite_judge(void);
int suite_client_invariants(void);
int suite_manager_invariants(void);
int suite_faults(void);
int suite_play_client(void);
int suite_play_login(void);
int suite_play_server(void);
int suite_driver(void);
int suite_driver_pool(void);
int suite_driver_runs(void);
int suite_redact(void);
int suite_certs(void);
int suite_select(void);
int suite_result(void);
int suite_text(void);
int suite_live(void);
int suite_rounds(void);
int suite_manners(void);
int suite_outage(void);
int suite_baseline(void);
int suite_reports(void);
int suite_cases(void);
int suite_cli(void);
int suite_tool(void);
int suite_docs(void);
int suite_coverage(void);

/* One a line, so that two changes do not meet. */
/* clang-format off */
static int (*const suites[])(void) = {
    suite_common,
    suite_http,
    suite_coding,
    suite_log_events,
    suite_wire,
    suite_request,
    suite_manager,
    suite_manager_codings,
    suite_manager_streams,
    suite_backend,
    suite_http_mhd,
    suite_body,
    suite_window,
    suite_login,
    suite_session,
    suite_session_odd,
    suite_states,
    suite_streams,
    suite_taps,
    suite_store,
    suite_flow,
    suite_codings,
    suite_acks,
    suite_keys,
    suite_storm,
    suite_scenarios,
    suite_verbs,
    suite_transcripts,
    suite_driver_add,
    suite_driver_curl,
    suite_library,
    suite_load,
    suite_proxy,
    suite_tool_text,
    suite_case_xml,
    suite_lint,
    suite_expr,
    suite_journal,
    suite_judge,
    suite_client_invariants,
    suite_manager_invariants,
    suite_faults,
    suite_play_client,
    suite_play_login,
    suite_play_server,
    suite_driver,
    suite_driver_pool,
    suite_driver_runs,
    suite_redact,
    suite_certs,
    suite_select,
    suite_result,
    suite_text,
    suite_live,
    suite_rounds,
    suite_manners,
    suite_outage,
    suite_baseline,
    suite_reports,
    suite_cases,
    suite_docs,
    suite_coverage,
    suite_cli,
    suite_tool,
    NULL,
};
/* clang-format on */

#endif
