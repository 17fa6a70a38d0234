/*
 * Server role: can the server be tested at all? See run_parts.h.
 *
 * A case of our own is played before all others: an ordinary creation, or,
 * where accounts were given, a login with each; the sessions are ended
 * politely. Only what spoils every case counts; what a server does wrong
 * beyond that is for the cases to find.
 */
#include "run_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/xml.h"
#include "raw_answer.h"

#define PROBE_LOG "probe.log"
#define PROBE_MS 15000
#define PROBE_WAIT "1" /* s */
#define PROBES_AGAIN 3
#define AGAIN_EVERY_MS 2000

/* ------------------------------------------------------------- the case */

/* The line of a login's step is the number of its account. */
static void fill_step(struct step *st, unsigned account)
{
    struct err e = {""};

    st->kind = account ? STEP_LOGIN : STEP_CREATE;
    st->line = (int)account;
    st->account = account;
    st->http_minor = 1;
    st->stop_after_bytes = -1;
    st->entity_after.ms = -1;
    st->attrs = mem_alloc(sizeof *st->attrs);
    st->attr_count = 1;
    st->attrs[0].name = mem_dup("wait");
    st->attrs[0].value = avt_new(PROBE_WAIT, NULL, 0, &e);
}

static struct testcase *make_probe(const struct run_options *o)
{
    struct testcase *tc = mem_alloc(sizeof *tc);
    size_t i;

    tc->id = mem_dup("probe");
    tc->path = mem_dup("probe");
    tc->role = ROLE_SERVER;
    tc->rev = 1;
    tc->sockets_only = "";
    tc->worst_ms = PROBE_MS;
    tc->step_count = o->account_count ? o->account_count : 1;
    tc->steps = mem_alloc(tc->step_count * sizeof *tc->steps);
    for (i = 0; i < tc->step_count; i++)
        fill_step(&tc->steps[i], o->account_count ? (unsigned)i + 1 : 0);
    return tc;
}

/* ------------------------------------------------------------- what came */

static bool is(const char *value, const char *word)
{
    return value && strcmp(value, word) == 0;
}

/* "404 Not Found" */
static char *status_line(struct journal *j)
{
    const xmlNode *res = xml_child(journal_x(j, 1), NULL, "res");
    const char *status = xml_attr(res, NULL, "status");
    const char *reason = xml_attr(res, NULL, "reason");

    return mem_printf("%s%s%s", status, reason && *reason ? " " : "",
                      reason ? reason : "");
}

/* A web server, or somebody in front who does not reach the manager. XML that
 * is wrong is for the cases to find. */
static bool is_no_manager(const struct raw_answer *a)
{
    return !a->body && (a->status != 200 || !a->content_type ||
                        !strcasestr(a->content_type, "xml"));
}

/* "404 Not Found", "200 OK, not XML but text/html" */
static char *no_manager(const struct run_options *o, struct journal *j,
                        const struct raw_answer *a)
{
    char *line = status_line(j);
    char *words;

    if (a->status != 200)
        words = mem_printf("no BOSH manager at %s: %s", o->url, line);
    else
        words = mem_printf("no BOSH manager at %s: %s, not XML but %s", o->url,
                           line, a->content_type ? a->content_type : "no type");
    free(line);
    return words;
}

/* Nothing came. Where http and https were mixed up, nobody says so. */
static char *no_answer(const struct run_options *o, const struct raw_answer *a)
{
    const char *hint = "";

    if (!a->problem && o->tls)
        hint = " (does it speak TLS there?)";
    else if (a->problem && !o->tls && strstr(a->problem, "reset by peer"))
        hint = " (does it want https?)";
    return mem_printf("cannot test %s: %s%s", o->url,
                      a->problem ? a->problem : "no answer", hint);
}

/* What is wrong with the answer to the first request, or NULL. Yours. */
static char *first_answer(const struct run_options *o, struct journal *j)
{
    struct raw_answer a = raw_answer_read(j, 1);
    char *came, *words = NULL;

    if (!a.status)
        return no_answer(o, &a);
    if (is_no_manager(&a))
        return no_manager(o, j, &a);
    if (is(a.type, "terminate")) {
        came = raw_answer_words(&a);
        words = mem_printf("the manager makes no session for domain '%s': %s",
                           o->domain, came);
        free(came);
    }
    return words;
}

/* A password that is wrong is wrong for all cases, and repeating it may get
 * the account locked. Source: RFC 6120 §6.5 */
static char *refused_account(const struct run_options *o,
                             const struct stage_outcome *outcome)
{
    static const char *const refusals[] = {
        "not-authorized",        "account-disabled",
        "invalid-authzid",       "credentials-expired",
        "host-unknown",          "host-gone",
        "malformed-request",     "mechanism-too-weak",
        "encryption-required",   "no mechanism of ours is offered",
        "no mechanisms offered",
    };
    size_t account = (size_t)outcome->line, i;

    if (outcome->end != PLAY_ERROR || account == 0 ||
        account > o->account_count)
        return NULL;
    for (i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (strstr(outcome->because, refusals[i]))
            return mem_printf("cannot log in as '%s': %s",
                              o->accounts[account - 1].jid, outcome->because);
    return NULL;
}

/* ------------------------------------------------------------- gone */

void probe_lost(struct run *run, const struct item *it, bool alone)
{
    bool first = !run->lost;

    if (!run->lost && alone)
        run->lost =
            mem_printf("the server is gone since %s was played", it->tc->id);
    else if (!run->lost)
        run->lost = mem_printf("the server is gone, %s was the first to miss "
                               "it: -j 1 tells which case does it",
                               it->tc->id);
    run->lost_ms = run_now(run);
    if (!first)
        return;
    run->probe_ms = run_now(run);
    run->probes_left = PROBES_AGAIN;
}

bool probe_again(struct run *run)
{
    int64_t rest_ms = run->probe_ms - run_now(run);

    if (!run->lost)
        return false;
    if (run->stopping || run->done == run->item_count)
        return true;
    if (run->probes_left == 0 && run_quiet(run))
        run_refuse(run, run->lost, PROBE_LOG);
    else if (run->probes_left == 0)
        return true; /* what was ended is not through */
    else if (rest_ms > 0)
        run_start_later(run, rest_ms);
    else
        probe_start(run);
    return true;
}

/* Or not yet, or never. */
static void came_back(struct run *run, bool is_there)
{
    if (is_there) {
        free(run->lost);
        run->lost = NULL;
        return;
    }
    if (run->probes_left-- == PROBES_AGAIN) {
        log_line(LOG_WARN, "run", "%s", run->lost);
        run_end_plays(run, run->lost);
    }
    run->probe_ms = run_now(run) + AGAIN_EVERY_MS;
}

/* ------------------------------------------------------------- the play */

static void on_played(void *ctx, const struct stage_outcome *outcome)
{
    struct run *run = ctx;
    const struct run_options *o = run->options;
    char *reason = NULL;

    if (o->watch.played)
        o->watch.played(o->watch.ctx, outcome);
    if (!run->stopping)
        reason = first_answer(o, outcome->journal);
    if (!run->stopping && !reason)
        reason = refused_account(o, outcome);
    if (run->lost)
        came_back(run, reason == NULL);
    else if (reason)
        run_refuse(run, reason, PROBE_LOG);
    free(reason);
    journal_free(outcome->journal);
}

static void on_gone(void *ctx)
{
    struct run *run = ctx;

    run->probe_stage = NULL;
    run->running--;
    run_go_on(run);
}

void probe_start(struct run *run)
{
    struct stage_sink sink = {run, NULL, NULL, on_played, on_gone};
    char *path = mem_printf("%s/" PROBE_LOG, run->options->dir);
    struct stage_order order = {.log_path = path};
    struct err e = {""};

    if (!run->probe)
        run->probe = make_probe(run->options);
    order.tc = run->probe;
    run->probe_stage = stage_sockets_start(&run->world, &order, &sink, &e);
    if (run->probe_stage)
        run->running++;
    else /* the cases will say so too */
        log_line(LOG_WARN, "probe", "%s", e.text);
    free(path);
}
