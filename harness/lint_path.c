/*
 * Finds location paths that can never select anything: see lint_path.h.
 *
 * A reader by recursive descent. The expression is known to parse, so where
 * it meets something that it does not know it gives up without a word. Paths
 * are strings of XPath, since they have to be evaluated anyway; NULL stands
 * for "not known", and nothing is said about what follows from it.
 */
#include "lint_path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/xml.h"
#include "lint_path_parts.h"

struct reading {
    const struct lint_paths *w;
    const char *text; /* the whole expression, for messages */
    const char *p;
    bool lost;        /* something not known: say nothing more */
    unsigned printing; /* inside so many string() and concat() */
    unsigned depth;
};

/* One operand: nodes, a literal, or something else. */
struct operand {
    char *path;    /* NULL: not nodes, or not known */
    char *literal; /* or NULL */
};

static void operand_release(struct operand *o)
{
    free(o->path);
    free(o->literal);
}

/* ------------------------------------------------------------- characters */

static void skip_space(struct reading *r)
{
    while (isspace((unsigned char)*r->p))
        r->p++;
}

static bool take(struct reading *r, const char *token)
{
    size_t len = strlen(token);

    skip_space(r);
    if (strncmp(r->p, token, len) != 0)
        return false;
    r->p += len;
    return true;
}

static bool is_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_part(char c)
{
    return is_start(c) || isdigit((unsigned char)c) || c == '-' || c == '.';
}

/* "x", "b:body" or "b:*"; a "::" is not part of it. Yours, or NULL. */
static char *take_name(struct reading *r)
{
    const char *start;

    skip_space(r);
    start = r->p;
    if (!is_start(*start))
        return NULL;
    while (is_part(*r->p))
        r->p++;
    if (r->p[0] == ':' && r->p[1] == '*') {
        r->p += 2;
    } else if (r->p[0] == ':' && is_start(r->p[1])) {
        r->p++;
        while (is_part(*r->p))
            r->p++;
    }
    return mem_dupn(start, (size_t)(r->p - start));
}

static char *take_literal(struct reading *r)
{
    char quote = *r->p++;
    const char *start = r->p;
    const char *end = strchr(start, quote);

    if (!end) {
        r->lost = true;
        return NULL;
    }
    r->p = end + 1;
    return mem_dupn(start, (size_t)(end - start));
}

static void say(struct reading *r, const char *message)
{
    if (!r->lost)
        r->w->say(r->w->ctx, message);
}

/* ------------------------------------------------------------------ steps */

static char *read_expression(struct reading *r, const char *context);

static bool is_node_type(const char *name)
{
    return strcmp(name, "node") == 0 || strcmp(name, "text") == 0 ||
           strcmp(name, "comment") == 0 ||
           strcmp(name, "processing-instruction") == 0;
}

/* The predicates behind nodes; path is what "." is inside them. */
static void read_predicates(struct reading *r, const char *path)
{
    while (!r->lost && take(r, "[")) {
        free(read_expression(r, path));
        if (!take(r, "]"))
            r->lost = true;
    }
}

/* "name", "*", "b:*" or "node()"; yours, or NULL. */
static char *read_node_test(struct reading *r)
{
    char *name;

    if (take(r, "*"))
        return mem_dup("*");
    name = take_name(r);
    if (name && is_node_type(name) && take(r, "(")) {
        char *call = mem_printf("%s()", name);

        free(name);
        if (!take(r, ")")) { /* processing-instruction('x') */
            free(call);
            call = NULL;
            r->lost = true;
        }
        return call;
    }
    return name;
}

/* "child" and the like before "::"; yours, or NULL when the step is written
 * without one. */
static char *read_axis(struct reading *r)
{
    const char *before = r->p;
    char *name = take_name(r);

    if (name && take(r, "::"))
        return name;
    free(name);
    r->p = before;
    return NULL;
}

/* One step from base; deep: behind "//". Takes base over. */
static char *read_step(struct reading *r, char *base, bool deep)
{
    struct lint_step step = {.base = base, .deep = deep, .text = r->text};
    char *axis = NULL, *test, *path, *message = NULL;

    skip_space(r);
    if (take(r, "..")) {
        path = base ? mem_printf("%s/..", base) : NULL;
        free(base);
        return path;
    }
    if (take(r, ".")) {
        return base;
    }
    if (take(r, "@"))
        axis = mem_dup("attribute");
    else
        axis = read_axis(r);
    test = read_node_test(r);
    if (!test)
        r->lost = true;
    step.axis = axis ? axis : "child";
    step.test = test;
    path = r->lost || !base
               ? NULL
               : lint_step_check(r->w->specimen, &step, &message);
    if (message)
        say(r, message);
    free(message);
    free(axis);
    free(test);
    free(base);
    return path;
}

/* Steps until the path ends. Takes base over; first: a step stands here
 * without a slash before it. */
static char *read_steps(struct reading *r, char *base, bool first)
{
    bool deep = false;

    for (;;) {
        if (!first) {
            if (take(r, "//"))
                deep = true;
            else if (take(r, "/"))
                deep = false;
            else
                return base;
        }
        first = false;
        base = read_step(r, base, deep);
        read_predicates(r, base);
        if (r->lost) {
            free(base);
            return NULL;
        }
    }
}

/* "/x/req", "//ev", or "/" alone. */
static char *read_absolute(struct reading *r)
{
    bool deep = take(r, "//");

    if (!deep) {
        take(r, "/");
        skip_space(r);
        if (!is_start(*r->p) && !strchr("@.*", *r->p))
            return mem_dup("/");
        if (!*r->p)
            return mem_dup("/");
    }
    return read_steps(r, read_step(r, mem_dup(""), deep), false);
}

/* --------------------------------------------------------------- operands */

static void read_arguments(struct reading *r, const char *name,
                           const char *context)
{
    bool prints = strcmp(name, "string") == 0 || strcmp(name, "concat") == 0;

    r->printing += prints;
    if (!take(r, ")")) {
        do
            free(read_expression(r, context));
        while (!r->lost && take(r, ","));
        if (!take(r, ")"))
            r->lost = true;
    }
    r->printing -= prints;
}

static char *variable_path(struct reading *r)
{
    char *name;
    const char *path;
    char *copy;

    r->p++;
    name = take_name(r);
    if (!name) {
        r->lost = true;
        return NULL;
    }
    path = r->w->variable(r->w->ctx, name);
    copy = path ? mem_printf("(%s)", path) : NULL;
    free(name);
    return copy;
}

/* A function call, if one stands here. */
static bool read_call(struct reading *r, const char *context)
{
    const char *before = r->p;
    char *name = take_name(r);
    bool call = name && !is_node_type(name) && take(r, "(");

    if (call)
        read_arguments(r, name, context);
    else
        r->p = before;
    free(name);
    return call;
}

static char *read_group(struct reading *r, const char *context)
{
    char *inner, *path;

    r->p++;
    inner = read_expression(r, context);
    if (!take(r, ")"))
        r->lost = true;
    path = inner ? mem_printf("(%s)", inner) : NULL;
    free(inner);
    return path;
}

/* Predicates and steps behind something that is not a step itself. */
static char *read_tail(struct reading *r, char *base)
{
    read_predicates(r, base);
    return read_steps(r, base, false);
}

static void check_printing(struct reading *r, const struct operand *o)
{
    size_t len = o->path ? strlen(o->path) : 0;

    while (len && o->path[len - 1] == ')')
        len--;
    if (r->printing && len > 5 &&
        strncmp(o->path + len - 5, "/@rid", 5) == 0) {
        char *message = mem_printf(
            "string() and concat() spoil long rids in '%s': print a rid as "
            "it is, or a number by bs:int()",
            r->text);

        say(r, message);
        free(message);
    }
}

static struct operand read_operand(struct reading *r, const char *context)
{
    struct operand o = {NULL, NULL};

    while (take(r, "-"))
        continue;
    skip_space(r);
    if (*r->p == '(')
        o.path = read_tail(r, read_group(r, context));
    else if (*r->p == '$')
        o.path = read_tail(r, variable_path(r));
    else if (*r->p == '\'' || *r->p == '"')
        o.literal = take_literal(r);
    else if (isdigit((unsigned char)*r->p) ||
             (*r->p == '.' && isdigit((unsigned char)r->p[1])))
        r->p += strspn(r->p, "0123456789.");
    else if (*r->p == '/')
        o.path = read_absolute(r);
    else if (read_call(r, context))
        o.path = read_tail(r, NULL);
    else if (is_start(*r->p) || (*r->p && strchr("@.*", *r->p)))
        o.path = read_steps(r, mem_dup(context), true);
    else
        r->lost = true;
    check_printing(r, &o);
    return o;
}

/* ------------------------------------------------------------ expressions */

enum operator { OP_NONE, OP_UNION, OP_EQUAL, OP_OTHER };

static enum operator read_operator(struct reading *r)
{
    static const char *const signs[] = {"<=", ">=", "<", ">", "+",
                                        "-",  "*",  NULL};
    static const char *const names[] = {"and", "or", "div", "mod", NULL};
    const char *before;
    char *name;

    if (take(r, "|"))
        return OP_UNION;
    if (take(r, "=") || take(r, "!="))
        return OP_EQUAL;
    for (size_t i = 0; signs[i]; i++) {
        if (take(r, signs[i]))
            return OP_OTHER;
    }
    before = r->p;
    name = take_name(r);
    for (size_t i = 0; name && names[i]; i++) {
        if (strcmp(name, names[i]) == 0) {
            free(name);
            return OP_OTHER;
        }
    }
    free(name);
    r->p = before;
    return OP_NONE;
}

/* A word that the attribute never is. */
static void check_equal(struct reading *r, const struct operand *a,
                        const struct operand *b)
{
    const struct operand *nodes = a->path ? a : b;
    const struct operand *word = a->path ? b : a;
    char *message;

    if (!nodes->path || !word->literal)
        return;
    message = lint_word_check(r->w->specimen, nodes->path, word->literal);
    if (message)
        say(r, message);
    free(message);
}

/* Union of two paths; NULL when either is not known. Takes both over. */
static char *unite(char *a, char *b)
{
    char *both = a && b ? mem_printf("%s | %s", a, b) : NULL;

    free(a);
    free(b);
    return both;
}

#define MAX_DEPTH 64

static char *read_expression(struct reading *r, const char *context)
{
    struct operand last = {NULL, NULL};
    enum operator op = OP_NONE;
    char *path = NULL;
    bool first = true, nodes = true;

    if (++r->depth > MAX_DEPTH)
        r->lost = true;
    while (!r->lost) {
        struct operand o = read_operand(r, context);

        if (op == OP_EQUAL)
            check_equal(r, &last, &o);
        if (op == OP_EQUAL || op == OP_OTHER)
            nodes = false;
        path = first ? mem_dup(o.path) : unite(path, mem_dup(o.path));
        first = false;
        operand_release(&last);
        last = o;
        op = r->lost ? OP_NONE : read_operator(r);
        if (op == OP_NONE)
            break;
    }
    operand_release(&last);
    r->depth--;
    if (!nodes || r->lost) {
        free(path);
        path = NULL;
    }
    return path;
}

char *lint_path_follow(const struct lint_paths *w, const struct expr *ex,
                       const char *context)
{
    struct reading r = {.w = w, .text = expr_text(ex), .p = expr_text(ex)};

    return read_expression(&r, context);
}
