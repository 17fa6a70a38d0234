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
    bool lost;         /* something not known: say nothing more */
    unsigned printing; /* inside so many string() and concat() */
    unsigned counting; /* inside so many number(), sum() and the like */
    unsigned depth;
    bool spoilt; /* a rid, and it was told */
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
    /* which namespaces are declared where, the specimen does not show */
    path = r->lost || !base || strcmp(step.axis, "namespace") == 0
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

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

static void read_arguments(struct reading *r, const char *name,
                           const char *context)
{
    static const char *const printers[] = {"string", "concat", NULL};
    static const char *const counters[] = {
        "number", "sum", "floor", "round", "ceiling", "bs:min", "bs:max", NULL};
    unsigned printing = r->printing, counting = r->counting;

    if (strcmp(name, "bs:int") == 0)
        r->printing = r->counting = 0;
    r->printing += is_one_of(name, printers);
    r->counting += is_one_of(name, counters);
    if (!take(r, ")")) {
        do
            free(read_expression(r, context));
        while (!r->lost && take(r, ","));
        if (!take(r, ")"))
            r->lost = true;
    }
    r->printing = printing;
    r->counting = counting;
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

static bool ends(const char *text, const char *with)
{
    size_t len = text ? strlen(text) : 0;

    return len >= strlen(with) && strcmp(text + len - strlen(with), with) == 0;
}

static void tell_spoilt(struct reading *r)
{
    char *message;

    if (r->spoilt)
        return;
    r->spoilt = true;
    message =
        mem_printf("string() and concat() spoil the number of a long rid in "
                   "'%s': print an attribute as it is, or a number by bs:int()",
                   r->text);

    say(r, message);
    free(message);
}

/* Inside string() or concat(): an attribute's own text is safe; a rid that
 * was made a number, by let or by counting with it, is not. */
static void check_printing(struct reading *r, const struct operand *o,
                           bool counted)
{
    if (r->printing && (ends(o->path, "/@rid)") ||
                        ((counted || r->counting) && ends(o->path, "/@rid"))))
        tell_spoilt(r);
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
    check_printing(r, &o, false);
    return o;
}

/* ------------------------------------------------------------ expressions */

enum op_kind { OP_NONE, OP_UNION, OP_EQUAL, OP_COUNT, OP_OTHER };

static enum op_kind read_operator(struct reading *r)
{
    static const struct {
        const char *sign;
        enum op_kind op;
    } signs[] = {
        {"|", OP_UNION},  {"=", OP_EQUAL}, {"!=", OP_EQUAL}, {"<=", OP_OTHER},
        {">=", OP_OTHER}, {"<", OP_OTHER}, {">", OP_OTHER},  {"+", OP_COUNT},
        {"-", OP_COUNT},  {"*", OP_COUNT},
    };
    static const char *const words[] = {"and", "or", NULL};
    static const char *const counters[] = {"div", "mod", NULL};
    const char *before;
    enum op_kind op;
    char *name;

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (take(r, signs[i].sign))
            return signs[i].op;
    }
    before = r->p;
    name = take_name(r);
    op = !name                       ? OP_NONE
         : is_one_of(name, words)    ? OP_OTHER
         : is_one_of(name, counters) ? OP_COUNT
                                     : OP_NONE;
    if (op == OP_NONE)
        r->p = before;
    free(name);
    return op;
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
    enum op_kind op = OP_NONE;
    char *path = NULL;
    bool first = true, nodes = true;

    if (++r->depth > MAX_DEPTH)
        r->lost = true;
    while (!r->lost) {
        struct operand o = read_operand(r, context);

        if (op == OP_EQUAL)
            check_equal(r, &last, &o);
        if (op == OP_COUNT) {
            check_printing(r, &last, true);
            check_printing(r, &o, true);
        }
        nodes = nodes && (op == OP_NONE || op == OP_UNION);
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
