/*
 * Handles and variables: who binds them, before they are used; and every
 * expression on its way to lint_path.c. See lint_parts.h.
 *
 * Steps are walked in order. A name is known from the step that binds it on;
 * what stands inside a repeat or a together is known in all of it, since the
 * step may come round again or run at the same time.
 */
#include "lint_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "nearest.h"

enum name_kind { NAME_NODES, NAME_EXCHANGE, NAME_SESSION, NAME_VALUE };

struct name {
    const char *name; /* borrowed from the case */
    enum name_kind kind;
    char *path; /* what it stands for; NULL: no nodes, or not known */
    int line;
    bool bound;   /* the walk has come past the step that binds it */
    bool visible; /* bound elsewhere in the block that is being walked */
    bool hidden;  /* an index, outside its repeat */
};

struct names {
    struct lint *l;
    struct name *list;
    size_t count;
    const char *it; /* path of $it; NULL with has_it: not known */
    bool has_it;
    const char *context; /* path of "." */
    int line;
    const char *act; /* the handle that the act at hand is done to */
    bool s_stands;   /* $s is all sessions, unless a step names it */
};

/* ---------------------------------------------------------- standing names */

static const struct {
    const char *name;
    const char *path;
    bool may_be_named;
} standing[] = {
    {"x", LINT_PATH_X, false},
    {"ev", LINT_PATH_EV, false},
    {"journal", LINT_PATH_ROOT, false},
    {"s", LINT_PATH_S, true},
};
#define STANDING_COUNT (sizeof standing / sizeof standing[0])

static const char *standing_path(const struct names *n, const char *name)
{
    for (size_t i = 0; i < STANDING_COUNT; i++) {
        if (standing[i].may_be_named && !n->s_stands)
            continue;
        if (strcmp(standing[i].name, name) == 0)
            return standing[i].path;
    }
    return NULL;
}

/* ----------------------------------------------------------------- binding */

static struct name *find(const struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->list[i].name, name) == 0)
            return &n->list[i];
    }
    return NULL;
}

static const char *kind_words(enum name_kind kind)
{
    switch (kind) {
    case NAME_NODES:
        return "what an await found";
    case NAME_EXCHANGE:
        return "an exchange";
    case NAME_SESSION:
        return "a session";
    case NAME_VALUE:
        return "a value";
    }
    return "";
}

/* Exchanges may be named by several steps, a value or a session by one kind
 * of step only. */
static bool kinds_agree(enum name_kind a, enum name_kind b)
{
    bool nodes_a = a == NAME_NODES || a == NAME_EXCHANGE;
    bool nodes_b = b == NAME_NODES || b == NAME_EXCHANGE;

    return a == b || (nodes_a && nodes_b);
}

/* A second step that gives the name: its nodes join the others. */
static void join_path(struct name *known, char *path)
{
    char *both = NULL;

    if (known->path && path && strcmp(known->path, path) == 0) {
        free(path);
        return;
    }
    if (known->path && path)
        both = mem_printf("%s | %s", known->path, path);
    free(known->path);
    free(path);
    known->path = both;
}

static struct name *announce(struct names *n, const char *name,
                             enum name_kind kind, int line)
{
    struct name *known = name ? find(n, name) : NULL;

    if (!name || known)
        return known;
    n->list = mem_grow(n->list, (n->count + 1) * sizeof *n->list);
    known = &n->list[n->count++];
    memset(known, 0, sizeof *known);
    known->name = name;
    known->kind = kind;
    known->line = line;
    return known;
}

/* The step that gives the name has been reached. Takes path over. */
static void bind(struct names *n, const char *name, enum name_kind kind,
                 char *path, int line)
{
    struct name *known = announce(n, name, kind, line);

    if (!known) {
        free(path);
        return;
    }
    if (standing_path(n, name) || strcmp(name, "it") == 0)
        lint_say(n->l, line,
                 "'%s' is a standing variable, and cannot be "
                 "given to something else: those are x ev s it "
                 "journal",
                 name);
    if (!kinds_agree(known->kind, kind))
        lint_say(n->l, line, "'%s' is %s here, and %s at line %d", name,
                 kind_words(kind), kind_words(known->kind), known->line);
    if (known->bound) {
        join_path(known, path);
    } else {
        free(known->path);
        known->path = path;
    }
    known->bound = true;
    known->hidden = false;
}

/* ---------------------------------------------------------------- variables */

static bool is_seen(const struct name *known)
{
    return (known->bound || known->visible) && !known->hidden;
}

static void list_bound(const struct names *n, struct buf *list,
                       struct nearest *near)
{
    for (size_t i = 0; i < n->count; i++) {
        if (!is_seen(&n->list[i]))
            continue;
        buf_printf(list, " $%s", n->list[i].name);
        nearest_offer(near, n->list[i].name);
    }
    for (size_t i = 0; i < STANDING_COUNT; i++) {
        if (standing_path(n, standing[i].name) && !find(n, standing[i].name))
            buf_printf(list, " $%s", standing[i].name);
    }
}

static void tell_unbound(struct names *n, const char *name)
{
    struct nearest near = nearest_to(name);
    const struct name *known = find(n, name);
    struct buf list = BUF_INIT;

    if (known && !known->hidden) {
        lint_say(n->l, n->line,
                 "$%s is used before the step at line %d "
                 "binds it",
                 name, known->line);
        return;
    }
    list_bound(n, &list, &near);
    if (n->has_it)
        buf_adds(&list, " $it");
    lint_say(n->l, n->line, "no step binds $%s%s%s%s: there are%s", name,
             near.best ? " (did you mean '$" : "", near.best ? near.best : "",
             near.best ? "'?)" : "", buf_str(&list));
    buf_release(&list);
}

static bool is_known(const struct names *n, const char *name)
{
    const struct name *known = find(n, name);

    if (strcmp(name, "it") == 0)
        return n->has_it;
    if (known && is_seen(known))
        return true;
    return standing_path(n, name) != NULL;
}

/* What lint_path.c asks for. */
static const char *path_of_variable(void *ctx, const char *name)
{
    const struct names *n = ctx;
    const struct name *known = find(n, name);

    if (strcmp(name, "it") == 0)
        return n->it;
    if (standing_path(n, name))
        return standing_path(n, name);
    return known && known->bound ? known->path : NULL;
}

static void say_path(void *ctx, const char *message)
{
    struct names *n = ctx;

    lint_say(n->l, n->line, "%s", message);
}

/* Look at one expression. Returns the path of what it selects, yours. */
static char *follow(struct names *n, const struct expr *ex)
{
    struct lint_paths w = {n->l->specimen, path_of_variable, say_path, n};
    const char *const *variables = expr_variables(ex);

    n->line = expr_line(ex);
    for (; variables && *variables; variables++) {
        if (!is_known(n, *variables))
            tell_unbound(n, *variables);
    }
    if (!n->l->specimen)
        return NULL;
    return lint_path_follow(&w, ex, n->context);
}

static void check_expr(void *ctx, const struct expr *ex)
{
    free(follow(ctx, ex));
}

static void check_one(struct names *n, const struct expr *ex)
{
    if (ex)
        check_expr(n, ex);
}

/* An act's of= is looked at as a handle, and need not be told twice. */
static void check_expr_of_step(void *ctx, const struct expr *ex)
{
    const struct names *n = ctx;
    const char *text = expr_text(ex);

    if (!n->act || text[0] != '$' || strcmp(text + 1, n->act) != 0)
        check_expr(ctx, ex);
}

/* -------------------------------------------------------------------- steps */

static void check_handle(struct names *n, const char *name, enum name_kind want,
                         int line)
{
    const struct name *known = name ? find(n, name) : NULL;

    n->line = line;
    if (!name)
        return;
    if (want == NAME_SESSION && n->l->role == ROLE_CLIENT)
        return;
    if (!is_known(n, name))
        tell_unbound(n, name);
    else if (known && !kinds_agree(known->kind, want))
        lint_say(n->l, line, "'%s' is %s, where %s is wanted", name,
                 kind_words(known->kind), kind_words(want));
}

/* For each name that the steps give: fn(n, name, kind, line). */
static void each_given(struct names *n, const struct step *steps, size_t count,
                       void (*fn)(struct names *n, const char *name,
                                  enum name_kind kind, int line))
{
    for (size_t i = 0; i < count; i++) {
        const struct step *st = &steps[i];
        bool session = st->kind == STEP_LOGIN || st->kind == STEP_CREATE;
        enum name_kind kind = st->kind == STEP_AWAIT ? NAME_NODES
                              : session              ? NAME_SESSION
                                                     : NAME_EXCHANGE;

        fn(n, st->as, kind, st->line);
        fn(n, st->exchange, NAME_EXCHANGE, st->line);
        if (st->kind == STEP_LET)
            fn(n, st->name, NAME_VALUE, st->line);
        for (size_t k = 0; k < st->action_count; k++)
            fn(n, st->actions[k].as, NAME_EXCHANGE, st->actions[k].line);
        each_given(n, st->steps, st->step_count, fn);
    }
}

static void announce_one(struct names *n, const char *name, enum name_kind kind,
                         int line)
{
    announce(n, name, kind, line);
}

static void show_one(struct names *n, const char *name, enum name_kind kind,
                     int line)
{
    struct name *known = name ? find(n, name) : NULL;

    (void)kind;
    (void)line;
    if (known)
        known->visible = true;
}

static void check_steps(struct names *n, const struct step *steps,
                        size_t count);

/* repeat and together: what is bound inside is known in all of it. */
static void check_block(struct names *n, const struct step *st)
{
    struct name *index;

    bind(n, st->index, NAME_VALUE, NULL, st->line);
    if (st->kind == STEP_REPEAT || st->kind == STEP_TOGETHER)
        each_given(n, st->steps, st->step_count, show_one);
    check_steps(n, st->steps, st->step_count);
    index = st->index ? find(n, st->index) : NULL;
    if (index)
        index->hidden = true;
}

/* "." in a rule's match is the exchange, as far as it has come. */
static void check_match(struct names *n, const struct step *st)
{
    const char *text = expr_text(st->expr);

    n->context = LINT_PATH_X;
    check_expr(n, st->expr);
    n->context = LINT_PATH_ROOT;
    if (strncmp(text, "res/", 4) == 0 || strcmp(text, "res") == 0)
        lint_say(n->l, expr_line(st->expr),
                 "'res' never matches in '%s': a "
                 "rule looks at a request that "
                 "has no answer yet",
                 text);
}

/* What its own expression selects is what as= names. */
static void check_named(struct names *n, const struct step *st)
{
    char *path = st->expr ? follow(n, st->expr) : NULL;

    if (st->kind == STEP_LET)
        bind(n, st->name, NAME_VALUE, path, st->line);
    else
        bind(n, st->as, NAME_NODES, path, st->line);
}

static void bind_what_it_makes(struct names *n, const struct step *st)
{
    bool session = st->kind == STEP_LOGIN || st->kind == STEP_CREATE;

    bind(n, st->as, session ? NAME_SESSION : NAME_EXCHANGE,
         mem_dup(session ? LINT_PATH_S : LINT_PATH_X), st->line);
    bind(n, st->exchange, NAME_EXCHANGE, mem_dup(LINT_PATH_X), st->line);
    for (size_t i = 0; i < st->action_count; i++)
        bind(n, st->actions[i].as, NAME_EXCHANGE, mem_dup(LINT_PATH_X),
             st->actions[i].line);
}

static void check_step(struct names *n, const struct step *st)
{
    if (st->kind == STEP_ON)
        check_match(n, st);
    n->act = st->kind == STEP_ACT ? st->name : NULL;
    check_handle(n, n->act, NAME_EXCHANGE, st->line);
    check_handle(n, st->session, NAME_SESSION, st->line);
    if (st->kind == STEP_LET || st->kind == STEP_AWAIT) {
        check_one(n, st->within.expr);
        check_named(n, st);
        return;
    }
    step_each_expr(st, check_expr_of_step, n);
    bind_what_it_makes(n, st);
    if (st->steps)
        check_block(n, st);
}

static void check_steps(struct names *n, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_step(n, &steps[i]);
}

/* ------------------------------------------------------------------ asserts */

static void check_assert(struct names *n, const struct assertion *a)
{
    char *it = a->each ? follow(n, a->each) : NULL;

    n->it = it;
    n->has_it = a->each != NULL;
    n->context = a->each ? it : LINT_PATH_ROOT;
    check_one(n, a->test);
    check_one(n, a->got);
    for (size_t i = 0; i < a->is_count; i++)
        check_one(n, a->is[i]);
    check_one(n, a->is_not);
    check_one(n, a->at_least.expr);
    check_one(n, a->at_most.expr);
    check_one(n, a->show);
    n->it = NULL;
    n->has_it = false;
    n->context = LINT_PATH_ROOT;
    free(it);
}

static void names_release(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->list[i].path);
    free(n->list);
}

void lint_names(struct lint *l, const struct testcase *tc)
{
    struct names n = {
        .l = l, .context = LINT_PATH_ROOT, .s_stands = tc->role == ROLE_CLIENT};

    each_given(&n, tc->steps, tc->step_count, announce_one);
    check_steps(&n, tc->steps, tc->step_count);
    for (size_t i = 0; i < tc->assert_count; i++)
        check_assert(&n, &tc->asserts[i]);
    names_release(&n);
}

void lint_names_invariant(struct lint *l, const struct assertion *a)
{
    struct names n = {.l = l, .context = LINT_PATH_ROOT, .s_stands = true};

    check_assert(&n, a);
    names_release(&n);
}
