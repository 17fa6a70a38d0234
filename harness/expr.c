/* Expressions: see expr.h. The bs: functions are in expr_functions.c. */
#include "expr.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xpathInternals.h>

#include "common/xml.h"
#include "journal.h"

struct expr {
    char *text;
    char *path;
    int line;
    xmlXPathCompExprPtr compiled;
    char **variables; /* NULL-terminated */
    size_t variable_count;
};

/* ------------------------------------------------------------- compiling */

static const struct {
    const char *prefix;
    const char *uri;
} namespaces[] = {
    {"b", XML_NS_HTTPBIND},      {"c", XML_NS_CLIENT},
    {"stream", XML_NS_STREAM},   {"sasl", XML_NS_SASL},
    {"bind", XML_NS_BIND},       {"xbosh", XML_NS_XBOSH},
    {"session", XML_NS_SESSION}, {"ping", XML_NS_PING},
    {"roster", XML_NS_ROSTER},   {"bs", EXPR_NS_FUNCTIONS},
};
#define NAMESPACE_COUNT (sizeof namespaces / sizeof namespaces[0])

void expr_register_namespaces(xmlXPathContextPtr ctxt)
{
    for (size_t i = 0; i < NAMESPACE_COUNT; i++)
        xmlXPathRegisterNs(ctxt, (const xmlChar *)namespaces[i].prefix,
                           (const xmlChar *)namespaces[i].uri);
}

static bool known_prefix(const char *name, size_t len)
{
    if (len == 3 && memcmp(name, "xml", 3) == 0)
        return true;
    for (size_t i = 0; i < NAMESPACE_COUNT; i++) {
        if (strlen(namespaces[i].prefix) == len &&
            memcmp(namespaces[i].prefix, name, len) == 0)
            return true;
    }
    return false;
}

static bool in_list(const char *const *list, const char *name, size_t len)
{
    for (; *list; list++) {
        if (strlen(*list) == len && memcmp(*list, name, len) == 0)
            return true;
    }
    return false;
}

static bool known_function(const char *name, size_t len)
{
    static const char *const of_xpath[] = {
        "last", "position", "count", "local-name", "namespace-uri", "name",
        "string", "concat", "starts-with", "contains", "substring-before",
        "substring-after", "substring", "string-length", "normalize-space",
        "translate", "boolean", "not", "true", "false", "lang", "number", "sum",
        "floor", "ceiling", "round",
        /* node tests, which look the same */
        "node", "text", "comment", "processing-instruction", NULL};

    return in_list(of_xpath, name, len) ||
           in_list(expr_function_names(), name, len);
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' ||
           (unsigned char)c >= 0x80;
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The length of a QName at p; a "::" is not part of it. */
static size_t name_len(const char *p)
{
    size_t len = 0;

    while (is_name_char(p[len]))
        len++;
    if (len && p[len] == ':' && is_name_start(p[len + 1])) {
        len++;
        while (is_name_char(p[len]))
            len++;
    }
    return len;
}

static void note_variable(struct expr *ex, const char *name, size_t len)
{
    for (size_t i = 0; i < ex->variable_count; i++) {
        if (strlen(ex->variables[i]) == len &&
            memcmp(ex->variables[i], name, len) == 0)
            return;
    }
    ex->variables = mem_grow(ex->variables,
                             (ex->variable_count + 2) * sizeof *ex->variables);
    ex->variables[ex->variable_count++] = mem_dupn(name, len);
    ex->variables[ex->variable_count] = NULL;
}

/* A name that is no variable: its prefix, and its being called, are checked. */
static int check_name(const struct expr *ex, const char *p, size_t len,
                      struct err *e)
{
    const char *colon = memchr(p, ':', len);
    const char *after = p + len;

    if (!colon && after[0] == ':' && after[1] == '*')
        colon = after;
    if (colon && !known_prefix(p, (size_t)(colon - p)))
        return err_set_at(e, ex->path, ex->line,
                          "prefix '%.*s' in '%s' is not known: allowed are "
                          "b c stream sasl bind xbosh session ping roster bs",
                          (int)(colon - p), p, ex->text);
    while (isspace((unsigned char)*after))
        after++;
    if (*after == '(' && !known_function(p, len))
        return err_set_at(e, ex->path, ex->line,
                          "function '%.*s' in '%s' is not known: allowed are "
                          "those of XPath 1.0 and %s",
                          (int)len, p, ex->text, expr_function_list());
    return 0;
}

/*
 * Walks the tokens for what libxml2 would only notice when evaluating:
 * unknown prefixes and functions; and collects the variables. XPath 1.0 §3.7:
 * after an operand a name is an operator.
 */
static int scan(struct expr *ex, struct err *e)
{
    const char *p = ex->text;
    bool operand = false; /* the token before was the end of one */

    while (*p) {
        if (*p == '"' || *p == '\'') {
            const char *end = strchr(p + 1, *p);

            p = end ? end + 1 : p + strlen(p);
            operand = true;
        } else if (*p == '$') {
            size_t len = name_len(p + 1);

            note_variable(ex, p + 1, len);
            p += 1 + len;
            operand = true;
        } else if (is_name_start(*p)) {
            size_t len = name_len(p);

            if (operand) {
                operand = false;
            } else {
                if (check_name(ex, p, len, e) != 0)
                    return -1;
                operand = true;
            }
            p += len;
        } else {
            if (isdigit((unsigned char)*p) || *p == ')' || *p == ']' ||
                *p == '.')
                operand = true;
            else if (*p == '*')
                operand = !operand;
            else if (!isspace((unsigned char)*p))
                operand = false;
            p++;
        }
    }
    return 0;
}

static void on_compile_error(void *user, xmlErrorPtr error)
{
    int *at = user;

    if (*at < 0)
        *at = error->int1;
}

static int compile(struct expr *ex, struct err *e)
{
    xmlXPathContextPtr ctxt = xmlXPathNewContext(NULL);
    size_t len = strlen(ex->text);
    int at = -1;

    ctxt->error = on_compile_error;
    ctxt->userData = &at;
    ex->compiled = xmlXPathCtxtCompile(ctxt, (const xmlChar *)ex->text);
    xmlXPathFreeContext(ctxt);
    if (ex->compiled)
        return 0;
    if (at < 0 || (size_t)at >= len)
        return err_set_at(e, ex->path, ex->line,
                          "expression '%s' does not parse: it is not complete",
                          ex->text);
    return err_set_at(e, ex->path, ex->line,
                      "expression '%s' does not parse at '%s'", ex->text,
                      ex->text + at);
}

struct expr *expr_new(const char *text, const char *path, int line,
                      struct err *e)
{
    struct expr *ex = mem_alloc(sizeof *ex);

    ex->text = mem_dup(text);
    ex->path = mem_dup(path ? path : "expression");
    ex->line = line;
    ex->variables = mem_alloc(sizeof *ex->variables);
    if (compile(ex, e) != 0 || scan(ex, e) != 0) {
        expr_free(ex);
        return NULL;
    }
    return ex;
}

void expr_free(struct expr *ex)
{
    if (!ex)
        return;
    for (size_t i = 0; i < ex->variable_count; i++)
        free(ex->variables[i]);
    free(ex->variables);
    if (ex->compiled)
        xmlXPathFreeCompExpr(ex->compiled);
    free(ex->text);
    free(ex->path);
    free(ex);
}

const char *expr_text(const struct expr *ex)
{
    return ex->text;
}

const char *expr_path(const struct expr *ex)
{
    return ex->path;
}

int expr_line(const struct expr *ex)
{
    return ex->line;
}

const char *const *expr_variables(const struct expr *ex)
{
    return (const char *const *)ex->variables;
}

/* ------------------------------------------------------------ evaluating */

static void on_eval_error(void *user, xmlErrorPtr error)
{
    int *code = user;

    if (!*code)
        *code = error->code;
}

static const char *why(int code)
{
    switch (code) {
    case XML_XPATH_INVALID_ARITY:
        return "a function has the wrong number of arguments";
    case XML_XPATH_INVALID_TYPE:
        return "a value has the wrong type";
    case XML_XPATH_INVALID_OPERAND:
        return "an operand is invalid";
    case XML_XPATH_UNKNOWN_FUNC_ERROR:
        return "a function is not known";
    case XML_XPATH_UNDEF_PREFIX_ERROR:
        return "a prefix is not known";
    default:
        return "it cannot be evaluated";
    }
}

xmlXPathObjectPtr expr_eval(const struct expr *ex, struct journal *j,
                            xmlNodePtr context, struct err *e)
{
    xmlXPathContextPtr ctxt = journal_xpath(j);
    xmlXPathObjectPtr value;
    int code = 0;

    ctxt->node = context ? context : journal_root(j);
    ctxt->doc = journal_doc(j);
    ctxt->error = on_eval_error;
    ctxt->userData = &code;
    value = xmlXPathCompiledEval(ex->compiled, ctxt);
    ctxt->error = NULL;
    ctxt->userData = NULL;
    if (!value)
        err_set_at(e, ex->path, ex->line, "expression '%s': %s", ex->text,
                   why(code));
    return value;
}

bool expr_true(const struct expr *ex, struct journal *j, xmlNodePtr context,
               struct err *e)
{
    xmlXPathObjectPtr value = expr_eval(ex, j, context, e);
    bool is = value && xmlXPathCastToBoolean(value);

    xmlXPathFreeObject(value);
    return is;
}

double expr_number(const struct expr *ex, struct journal *j, xmlNodePtr context,
                   struct err *e)
{
    xmlXPathObjectPtr value = expr_eval(ex, j, context, e);
    double number = value ? xmlXPathCastToNumber(value) : (double)NAN;

    xmlXPathFreeObject(value);
    return number;
}

void expr_print_number(struct buf *out, double number)
{
    /* Every whole double below this has at most 18 digits. */
    if (isfinite(number) && number == floor(number) && fabs(number) < 1e18)
        buf_printf(out, "%.0f", number + 0.0);
    else if (isnan(number))
        buf_adds(out, "NaN");
    else if (isinf(number))
        buf_adds(out, number > 0 ? "Infinity" : "-Infinity");
    else
        buf_printf(out, "%.15g", number);
}

/* XPath's string(), but whole numbers exactly. */
static void print_plain(struct buf *out, xmlXPathObjectPtr value)
{
    xmlChar *text;

    if (value->type == XPATH_NUMBER) {
        expr_print_number(out, value->floatval);
        return;
    }
    text = xmlXPathCastToString(value);
    buf_adds(out, text ? (const char *)text : "");
    xmlFree(text);
}

char *expr_string(const struct expr *ex, struct journal *j, xmlNodePtr context,
                  struct err *e)
{
    xmlXPathObjectPtr value = expr_eval(ex, j, context, e);
    struct buf text = BUF_INIT;

    if (value)
        print_plain(&text, value);
    xmlXPathFreeObject(value);
    return buf_take(&text);
}

/* Longer elements are cut: the log has them whole. */
#define PRINTED_ELEMENT_LEN 160

static void print_node(struct buf *out, xmlNodePtr node)
{
    struct buf text = BUF_INIT;

    if (xml_is(node, NULL, "x")) {
        buf_printf(out, "exchange %s", xml_attr(node, NULL, "n"));
    } else if (node->type == XML_ELEMENT_NODE) {
        xml_write(&text, node);
        buf_add(out, buf_str(&text),
                text.len < PRINTED_ELEMENT_LEN ? text.len
                                               : PRINTED_ELEMENT_LEN);
        if (text.len > PRINTED_ELEMENT_LEN)
            buf_adds(out, "...");
        buf_release(&text);
    } else {
        xmlChar *content = xmlXPathCastNodeToString(node);

        buf_adds(out, content ? (const char *)content : "");
        xmlFree(content);
    }
}

void value_print(struct buf *out, xmlXPathObjectPtr value)
{
    if (!value || (value->type == XPATH_NUMBER && isnan(value->floatval)) ||
        (value->type == XPATH_NODESET &&
         xmlXPathNodeSetIsEmpty(value->nodesetval))) {
        buf_adds(out, "nothing");
    } else if (value->type == XPATH_NODESET) {
        for (int i = 0; i < value->nodesetval->nodeNr; i++) {
            if (i)
                buf_addc(out, ' ');
            print_node(out, value->nodesetval->nodeTab[i]);
        }
    } else {
        print_plain(out, value);
    }
}
