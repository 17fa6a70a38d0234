/*
 * Expressions: XPath 1.0 over a journal, compiled once.
 *
 * Fixed prefixes b (httpbind), c (jabber:client), stream, sasl, bind, xbosh,
 * session, ping, roster. Functions beside XPath's own: bs:join(nodes, sep),
 * bs:min(a, b, ...), bs:max(a, b, ...), bs:int(number) (a whole number
 * printed exactly), bs:rid-cmp(a, b) (-1, 0, 1 for decimal strings of any
 * size). Variables are handles, let names and the standing ones ($x $ev $s
 * $it $journal). Pure.
 */
#ifndef HARNESS_EXPR_H
#define HARNESS_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/xpath.h>

#include "common/buf.h"
#include "common/err.h"

struct expr;
struct journal;

/* Compile. path and line go into the message. Returns NULL with e set when it
 * does not parse, names an unknown prefix or an unknown function. */
struct expr *expr_new(const char *text, const char *path, int line,
                      struct err *e);
void expr_free(struct expr *ex);
const char *expr_text(const struct expr *ex);
const char *expr_path(const struct expr *ex);
int expr_line(const struct expr *ex);

/* Names of the variables it uses, in order, each once; NULL-terminated,
 * borrowed from ex. */
const char *const *expr_variables(const struct expr *ex);

enum value_type { VALUE_NODES, VALUE_STRING, VALUE_NUMBER, VALUE_BOOL };

/* Evaluate on a journal. context: the node that "." is; NULL: the journal's
 * root. Returns NULL with e set (an unbound variable is an empty node-set,
 * never an error). Free with xmlXPathFreeObject(). */
xmlXPathObjectPtr expr_eval(const struct expr *ex, struct journal *j,
                            xmlNodePtr context, struct err *e);

/* The same, turned into what is wanted. On an error: false, "" or NaN, with e
 * set. expr_string(): yours, free(); numbers are printed exactly. */
bool expr_true(const struct expr *ex, struct journal *j, xmlNodePtr context,
               struct err *e);
double expr_number(const struct expr *ex, struct journal *j, xmlNodePtr context,
                   struct err *e);
char *expr_string(const struct expr *ex, struct journal *j, xmlNodePtr context,
                  struct err *e);

/* Any result as the text a person sees; whole numbers without exponent. */
void value_print(struct buf *out, xmlXPathObjectPtr value);

/* A number's text: whole ones with all their digits, never an exponent. */
void expr_print_number(struct buf *out, double number);

/* Compare decimal strings of any length, as rids are: -1, 0, 1. */
int expr_rid_cmp(const char *a, const char *b);

/* For journal_xpath(): what an XPath context needs before it evaluates. */
#define EXPR_NS_FUNCTIONS "urn:boshspec:functions"
void expr_register_namespaces(xmlXPathContextPtr ctxt);
void expr_register_functions(xmlXPathContextPtr ctxt);
/* "bs:join", ... NULL-terminated; and all of them in one line. */
const char *const *expr_function_names(void);
const char *expr_function_list(void);

/* Text with {expressions} in it: "{$last + 2}". A literal brace is doubled. */
struct avt;
struct avt *avt_new(const char *text, const char *path, int line,
                    struct err *e);
void avt_free(struct avt *a);
/* The expressions in it, for lint: count, and the i-th, borrowed. */
size_t avt_count(const struct avt *a);
const struct expr *avt_expr(const struct avt *a, size_t i);
/* Yours, free(); NULL with e set. a NULL gives NULL without e. */
char *avt_eval(const struct avt *a, struct journal *j, struct err *e);
/* The same where the text is XML: what expressions give is escaped. */
char *avt_eval_xml(const struct avt *a, struct journal *j, struct err *e);

#endif
