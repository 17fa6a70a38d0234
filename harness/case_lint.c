/* Everything that can be found wrong without playing: see case_xml.h. */
#include "case_xml.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "lint_parts.h"
#include "nearest.h"

void lint_say(struct lint *l, int line, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    buf_printf(&text, "%s:%d: ", l->path, line);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    l->findings++;
    l->say(l->ctx, buf_str(&text));
    buf_release(&text);
}

/* ----------------------------------------------------------- requirements */

static const struct requirement *find_requirement(struct lint *l,
                                                  const struct catalogue *c,
                                                  const char *id, int line)
{
    const struct requirement *row = catalogue_find(c, id);
    struct nearest near = nearest_to(id);

    if (row)
        return row;
    for (size_t i = 0; i < c->count; i++)
        nearest_offer(&near, c->rows[i].id);
    if (near.best)
        lint_say(l, line,
                 "requirement '%s' is not in the catalogue (did you "
                 "mean '%s'?)",
                 id, near.best);
    else
        lint_say(l, line,
                 "requirement '%s' is not in the catalogue, "
                 "requirements.xml",
                 id);
    return NULL;
}

static void check_subject(struct lint *l, const struct requirement *row,
                          int line)
{
    const char *bound = l->role == ROLE_CLIENT ? "client" : "cm";

    if (strcmp(row->subject, "both") != 0 && strcmp(row->subject, bound) != 0)
        lint_say(l, line,
                 "requirement '%s' binds the other side, '%s': a "
                 "%s case judges '%s' or 'both'",
                 row->id, row->subject, role_name(l->role), bound);
}

/* How much a miss weighs: 3 FAIL, 2 WARN, 1 INFO. */
static int weight_of(const struct requirement *row)
{
    if (strcmp(row->breaks, "interop") == 0)
        return 3;
    return strcmp(row->breaks, "advice") == 0 ? 2 : 1;
}

static void check_level(struct lint *l, const struct assertion *a,
                        const struct requirement *row)
{
    static const int weights[] = {0, 2, 1, 2};
    static const char *const names[] = {"", "SHOULD", "MAY", "PRACTICE"};

    if (weights[a->level] > weight_of(row))
        lint_say(l, a->line,
                 "level='%s' on '%s' weighs more than the "
                 "catalogue's '%s' for '%s': it may only be "
                 "lowered",
                 names[a->level], a->id, row->breaks, a->req);
}

static bool covers(const struct testcase *tc, const char *req)
{
    for (size_t i = 0; i < tc->cover_count; i++) {
        if (strcmp(tc->covers[i], req) == 0)
            return true;
    }
    return false;
}

/* A misspelt <covers> was told already; what follows from it is not. */
static bool all_known(const struct catalogue *c, const struct testcase *tc)
{
    for (size_t i = 0; i < tc->cover_count; i++) {
        if (!catalogue_find(c, tc->covers[i]))
            return false;
    }
    return true;
}

static void check_assert_req(struct lint *l, const struct catalogue *c,
                             const struct testcase *tc,
                             const struct assertion *a)
{
    const struct requirement *row = catalogue_find(c, a->req);

    if (!covers(tc, a->req)) {
        row = find_requirement(l, c, a->req, a->line);
        if (row && all_known(c, tc))
            lint_say(l, a->line,
                     "assert '%s' is about '%s', which no "
                     "<covers> names",
                     a->id, a->req);
    }
    if (row)
        check_level(l, a, row);
}

static bool is_judged(const struct testcase *tc, const char *req)
{
    for (size_t i = 0; i < tc->assert_count; i++) {
        if (strcmp(tc->asserts[i].req, req) == 0)
            return true;
    }
    return false;
}

static void check_requirements(struct lint *l, const struct catalogue *c,
                               const struct testcase *tc)
{
    for (size_t i = 0; i < tc->cover_count; i++) {
        const struct requirement *row =
            find_requirement(l, c, tc->covers[i], tc->cover_lines[i]);

        if (row)
            check_subject(l, row, tc->cover_lines[i]);
        if (row && !is_judged(tc, tc->covers[i]))
            lint_say(l, tc->cover_lines[i],
                     "no assert is about '%s', which "
                     "the case says it covers",
                     tc->covers[i]);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(tc->covers[k], tc->covers[i]) == 0)
                lint_say(l, tc->cover_lines[i], "'%s' is covered twice",
                         tc->covers[i]);
        }
    }
    for (size_t i = 0; i < tc->assert_count; i++)
        check_assert_req(l, c, tc, &tc->asserts[i]);
}

/* ------------------------------------------------------ asserts and twins */

static void check_assert_ids(struct lint *l, const struct testcase *tc)
{
    for (size_t i = 0; i < tc->assert_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(tc->asserts[i].id, tc->asserts[k].id) == 0)
                lint_say(l, tc->asserts[i].line,
                         "assert '%s' is there "
                         "twice, first at line %d",
                         tc->asserts[i].id, tc->asserts[k].line);
        }
    }
}

static bool has_assert(const struct testcase *tc, const char *id)
{
    for (size_t i = 0; i < tc->assert_count; i++) {
        if (strcmp(tc->asserts[i].id, id) == 0)
            return true;
    }
    return false;
}

static void check_by(struct lint *l, const struct testcase *tc,
                     const struct twin_ref *twin)
{
    struct buf list = BUF_INIT;

    if (has_assert(tc, twin->by))
        return;
    for (size_t i = 0; i < tc->assert_count; i++)
        buf_printf(&list, " %s", tc->asserts[i].id);
    lint_say(l, twin->line, "by='%s' names no assert of this case: it has%s",
             twin->by, buf_str(&list));
    buf_release(&list);
}

static void check_twin(struct lint *l, const struct twin_ref *ref,
                       const char *(*twin)(enum role role, size_t i))
{
    struct nearest near = nearest_to(ref->twin);
    const char *name;

    for (size_t i = 0; twin && (name = twin(l->role, i)); i++) {
        if (strcmp(name, ref->twin) == 0)
            return;
        nearest_offer(&near, name);
    }
    if (twin)
        lint_say(l, ref->line,
                 "no %s twin is called '%s'%s%s%s: `boshspec selftest "
                 "--list-twins' lists them",
                 role_name(l->role), ref->twin,
                 near.best ? " (did you mean '" : "",
                 near.best ? near.best : "", near.best ? "'?)" : "");
}

static void check_twins(struct lint *l, const struct testcase *tc,
                        const char *(*twin)(enum role role, size_t i))
{
    for (size_t i = 0; i < tc->caught_count; i++) {
        const struct twin_ref *ref = &tc->caught[i];

        check_by(l, tc, ref);
        check_twin(l, ref, twin);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(tc->caught[k].twin, ref->twin) == 0)
                lint_say(l, ref->line, "twin '%s' is there twice", ref->twin);
        }
    }
    for (size_t i = 0; i < tc->spares_count; i++)
        check_twin(l, &tc->spares[i], twin);
}

/* -------------------------------------------------------------------- rules */

struct rules {
    const char **names;
    int *lines;
    size_t count;
};

static void check_off(struct lint *l, const struct rules *rules,
                      const struct step *st)
{
    struct buf list = BUF_INIT;

    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->names[i], st->name) == 0) {
            buf_release(&list);
            return;
        }
        buf_printf(&list, " %s", rules->names[i]);
    }
    lint_say(l, st->line, "no rule '%s' is standing here: there are%s",
             st->name, rules->count ? buf_str(&list) : " none");
    buf_release(&list);
}

static void check_on(struct lint *l, struct rules *rules, const struct step *st)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->names[i], st->name) == 0)
            lint_say(l, st->line,
                     "rule '%s' is there twice, first at line "
                     "%d",
                     st->name, rules->lines[i]);
    }
    rules->names =
        mem_grow(rules->names, (rules->count + 1) * sizeof *rules->names);
    rules->lines =
        mem_grow(rules->lines, (rules->count + 1) * sizeof *rules->lines);
    rules->names[rules->count] = st->name;
    rules->lines[rules->count++] = st->line;
}

static void check_rules(struct lint *l, struct rules *rules,
                        const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].kind == STEP_OFF)
            check_off(l, rules, &steps[i]);
        if (steps[i].kind == STEP_ON)
            check_on(l, rules, &steps[i]);
        check_rules(l, rules, steps[i].steps, steps[i].step_count);
    }
}

/* ------------------------------------------------------------------- answers
 */

/* HTTP's framing is kept right where a case changes headers; other kinds are
 * there to break it. */
static void check_framing(struct lint *l, const struct action *a)
{
    static const char *const framing[] = {"Content-Length",
                                          "Transfer-Encoding"};

    for (size_t i = 0; i < a->reply.header_count; i++) {
        for (size_t k = 0; k < 2; k++) {
            if (strcasecmp(a->reply.headers[i].name, framing[k]) == 0)
                lint_say(l, a->line,
                         "header '%s' of kind='header' would break the "
                         "framing: length-short, length-long, bad-chunk and "
                         "chunked are for that",
                         framing[k]);
        }
    }
}

static void check_actions(struct lint *l, const struct step *steps,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < steps[i].action_count; k++) {
            const struct action *a = &steps[i].actions[k];

            if (a->kind == ACTION_BYTES)
                check_framing(l, a);
        }
        check_actions(l, steps[i].steps, steps[i].step_count);
    }
}

static void check_certificates(struct lint *l, const struct testcase *tc,
                               const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].kind == STEP_CERTIFICATE && !testcase_has_tls(tc))
            lint_say(l, steps[i].line,
                     "there is no certificate: 'manager' must have tls='good' "
                     "or another kind");
        check_certificates(l, tc, steps[i].steps, steps[i].step_count);
    }
}

static void check_removed(struct lint *l, const char *name, int line)
{
    static const char *const usual[] = {
        "sid",     "wait",     "requests",     "hold",
        "polling", "maxpause", "inactivity",   "ver",
        "ack",     "from",     "xmpp:version", "xmpp:restartlogic",
        "authid"};
    struct nearest near = nearest_to(name);

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (strcmp(usual[i], name) == 0)
            return;
        nearest_offer(&near, usual[i]);
    }
    lint_say(l, line,
             "our manager sends no attribute '%s' that could be removed%s%s%s",
             name, near.best ? " (did you mean '" : "",
             near.best ? near.best : "", near.best ? "'?)" : "");
}

static void check_creation(struct lint *l, const struct manager_grant *g)
{
    for (size_t i = 0; i < g->attribute_count; i++) {
        const struct mock_attribute *one = &g->attributes[i];

        if (!one->value)
            check_removed(l, one->name, g->attribute_lines[i]);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(g->attributes[k].name, one->name) == 0)
                lint_say(l, g->attribute_lines[i],
                         "attribute '%s' of 'manager' is there twice, first "
                         "at line %d",
                         one->name, g->attribute_lines[k]);
        }
    }
}

/* ------------------------------------------------------------------ silence */

/* A step that succeeds only if the peer says something. */
static bool shows_life(const struct step *st)
{
    return (st->kind == STEP_AWAIT && st->otherwise != ELSE_GO_ON) ||
           st->kind == STEP_DRAIN || st->kind == STEP_LOGIN;
}

/* The silence for whose peer no life has been shown yet; NULL: none. */
static const struct step *unproven(const struct step *steps, size_t count,
                                   const struct step *before)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].kind == STEP_SILENCE)
            before = &steps[i];
        else if (shows_life(&steps[i]))
            before = NULL;
        before = unproven(steps[i].steps, steps[i].step_count, before);
    }
    return before;
}

static void check_silence(struct lint *l, const struct testcase *tc)
{
    const struct step *st = unproven(tc->steps, tc->step_count, NULL);

    if (st)
        lint_say(l, st->line,
                 "nothing after this silence shows that the "
                 "peer is alive: an await, a drain or a login "
                 "has to follow");
}

/* ------------------------------------------------------------------ entries */

size_t case_lint(const struct knowledge *k, const struct testcase *tc,
                 const char *(*twin)(enum role role, size_t i),
                 void (*say)(void *ctx, const char *finding), void *ctx)
{
    struct lint l = {tc->path, tc->role, journal_specimen(tc->role),
                     say,      ctx,      0};
    struct rules rules = {NULL, NULL, 0};

    check_requirements(&l, &k->catalogue, tc);
    check_twins(&l, tc, twin);
    check_assert_ids(&l, tc);
    check_rules(&l, &rules, tc->steps, tc->step_count);
    check_actions(&l, tc->steps, tc->step_count);
    check_creation(&l, &tc->manager);
    check_certificates(&l, tc, tc->steps, tc->step_count);
    check_silence(&l, tc);
    lint_names(&l, tc);
    free(rules.names);
    free(rules.lines);
    journal_free(l.specimen);
    return l.findings;
}

static void say_nothing(void *ctx, const char *finding)
{
    (void)ctx;
    (void)finding;
}

/* An invariant is judged on journals of both roles, and may speak of what is
 * only in one: it is looked at on the specimen that suits it better. */
static void lint_invariant_names(struct lint *l, const struct assertion *a)
{
    enum role role = l->role;
    size_t least = SIZE_MAX;

    for (int other = 0; other < 2 && least; other++) {
        enum role one =
            other ? (role == ROLE_CLIENT ? ROLE_SERVER : ROLE_CLIENT) : role;
        struct lint quiet = {l->path,     one,  journal_specimen(one),
                             say_nothing, NULL, 0};

        lint_names_invariant(&quiet, a);
        journal_free(quiet.specimen);
        if (quiet.findings < least) {
            least = quiet.findings;
            l->role = one;
        }
    }
    l->specimen = journal_specimen(l->role);
    lint_names_invariant(l, a);
    journal_free(l->specimen);
}

static void lint_invariant(struct lint *l, const struct knowledge *k,
                           const struct invariant *one,
                           const char *(*twin)(enum role role, size_t i))
{
    const struct assertion *a = &one->assertion;
    const struct requirement *row;

    l->role = one->binds;
    row = find_requirement(l, &k->catalogue, a->req, a->line);
    if (row) {
        check_subject(l, row, a->line);
        check_level(l, a, row);
    }
    for (size_t i = 0; i < one->caught_count; i++)
        check_twin(l, &one->caught[i], twin);
    lint_invariant_names(l, a);
}

size_t invariants_lint(const struct knowledge *k, const char *path,
                       const char *(*twin)(enum role role, size_t i),
                       void (*say)(void *ctx, const char *finding), void *ctx)
{
    struct lint l = {path, ROLE_CLIENT, NULL, say, ctx, 0};
    const struct invariants *list = &k->invariants;

    for (size_t i = 0; i < list->count; i++) {
        lint_invariant(&l, k, &list->items[i], twin);
        for (size_t n = 0; n < i; n++) {
            if (strcmp(list->items[i].assertion.id,
                       list->items[n].assertion.id) == 0)
                lint_say(&l, list->items[i].assertion.line,
                         "invariant '%s' is there twice",
                         list->items[i].assertion.id);
        }
    }
    return l.findings;
}
