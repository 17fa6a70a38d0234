/* The bs: functions of expressions: see expr.h. */
#include "expr.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xpathInternals.h>
#include <nettle/sha1.h>

const char *const *expr_function_names(void)
{
    static const char *const names[] = {"bs:join",   "bs:min",     "bs:max",
                                        "bs:int",    "bs:rid-cmp", "bs:sha1",
                                        "bs:spread", NULL};

    return names;
}

const char *expr_function_list(void)
{
    return "bs:join bs:min bs:max bs:int bs:rid-cmp bs:sha1 bs:spread";
}

/* Decimal strings of any length; leading zeros do not count. */
int expr_rid_cmp(const char *a, const char *b)
{
    size_t a_len, b_len;
    int order;

    a += strspn(a, "0");
    b += strspn(b, "0");
    a_len = strlen(a);
    b_len = strlen(b);
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    order = strcmp(a, b);
    return (order > 0) - (order < 0);
}

/* bs:join(nodes, separator): their string values in document order. */
static void call_join(xmlXPathParserContextPtr ctxt, int nargs)
{
    xmlXPathObjectPtr nodes;
    struct buf out = BUF_INIT;
    xmlChar *sep;

    CHECK_ARITY(2);
    sep = xmlXPathPopString(ctxt);
    if (!ctxt->value || ctxt->value->type != XPATH_NODESET) {
        xmlFree(sep);
        XP_ERROR(XPATH_INVALID_TYPE);
    }
    nodes = valuePop(ctxt);
    if (nodes->nodesetval)
        xmlXPathNodeSetSort(nodes->nodesetval);
    for (int i = 0; nodes->nodesetval && i < nodes->nodesetval->nodeNr; i++) {
        xmlChar *text = xmlXPathCastNodeToString(nodes->nodesetval->nodeTab[i]);

        if (i)
            buf_adds(&out, (const char *)sep);
        buf_adds(&out, text ? (const char *)text : "");
        xmlFree(text);
    }
    valuePush(ctxt, xmlXPathNewCString(buf_str(&out)));
    buf_release(&out);
    xmlFree(sep);
    xmlXPathFreeObject(nodes);
}

/* Takes a number into the running extreme; one that is none spoils all. */
static void take(double *best, double number, int sign)
{
    if (isnan(*best))
        return;
    if (isnan(number) || sign * number > sign * *best)
        *best = number;
}

/* Over all arguments; of a node-set every node counts. sign: 1 max, -1 min. */
static void extreme(xmlXPathParserContextPtr ctxt, int nargs, int sign)
{
    double best = -sign * (double)INFINITY;

    if (nargs < 1)
        XP_ERROR(XPATH_INVALID_ARITY);
    while (nargs-- > 0) {
        xmlXPathObjectPtr value = valuePop(ctxt);

        if (!value)
            XP_ERROR(XPATH_INVALID_OPERAND);
        if (value->type == XPATH_NODESET &&
            !xmlXPathNodeSetIsEmpty(value->nodesetval)) {
            for (int i = 0; i < value->nodesetval->nodeNr; i++)
                take(&best,
                     xmlXPathCastNodeToNumber(value->nodesetval->nodeTab[i]),
                     sign);
        } else {
            take(&best, xmlXPathCastToNumber(value), sign);
        }
        xmlXPathFreeObject(value);
    }
    valuePush(ctxt, xmlXPathNewFloat(best));
}

static void call_min(xmlXPathParserContextPtr ctxt, int nargs)
{
    extreme(ctxt, nargs, -1);
}

static void call_max(xmlXPathParserContextPtr ctxt, int nargs)
{
    extreme(ctxt, nargs, 1);
}

/* bs:int(number): its digits, where XPath's string() gives an exponent. */
static void call_int(xmlXPathParserContextPtr ctxt, int nargs)
{
    struct buf out = BUF_INIT;
    double number;

    CHECK_ARITY(1);
    number = xmlXPathPopNumber(ctxt);
    expr_print_number(&out, isfinite(number) ? trunc(number) : number);
    valuePush(ctxt, xmlXPathNewCString(buf_str(&out)));
    buf_release(&out);
}

/* bs:rid-cmp(a, b): -1, 0 or 1. */
static void call_rid_cmp(xmlXPathParserContextPtr ctxt, int nargs)
{
    xmlChar *a, *b;
    int order;

    CHECK_ARITY(2);
    b = xmlXPathPopString(ctxt);
    a = xmlXPathPopString(ctxt);
    order = a && b ? expr_rid_cmp((const char *)a, (const char *)b) : 0;
    xmlFree(a);
    xmlFree(b);
    valuePush(ctxt, xmlXPathNewFloat(order));
}

/* bs:sha1(text): in small hexadecimal digits, as a key of XEP-0124 §15.3 is
 * written. */
static void call_sha1(xmlXPathParserContextPtr ctxt, int nargs)
{
    char hex[2 * SHA1_DIGEST_SIZE + 1] = "";
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha1;
    xmlChar *text;

    CHECK_ARITY(1);
    text = xmlXPathPopString(ctxt);
    sha1_init(&sha1);
    if (text)
        sha1_update(&sha1, strlen((const char *)text), text);
    sha1_digest(&sha1, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    xmlFree(text);
    valuePush(ctxt, xmlXPathNewCString(hex));
}

/* Which bytes were seen at each place of some texts. */
struct places {
    bool (*seen)[256];
    size_t count;
};

static void places_add(struct places *p, const char *text)
{
    size_t len = strlen(text);

    if (len > p->count) {
        p->seen = mem_grow(p->seen, len * sizeof *p->seen);
        memset(p->seen + p->count, 0, (len - p->count) * sizeof *p->seen);
        p->count = len;
    }
    for (size_t i = 0; i < len; i++)
        p->seen[i][(unsigned char)text[i]] = true;
}

static double places_bits(const struct places *p)
{
    double bits = 0;

    for (size_t i = 0; i < p->count; i++) {
        int different = 0;

        for (int c = 0; c < 256; c++)
            different += p->seen[i][c];
        bits += log2(different);
    }
    return bits;
}

/* bs:spread(nodes): as if what stands at one place said nothing of another:
 * more than there is, but a counter or a clock comes to few bits all the
 * same. */
static void call_spread(xmlXPathParserContextPtr ctxt, int nargs)
{
    struct places places = {NULL, 0};
    xmlXPathObjectPtr nodes;

    CHECK_ARITY(1);
    if (!ctxt->value || ctxt->value->type != XPATH_NODESET)
        XP_ERROR(XPATH_INVALID_TYPE);
    nodes = valuePop(ctxt);
    for (int i = 0; nodes->nodesetval && i < nodes->nodesetval->nodeNr; i++) {
        xmlChar *text = xmlXPathCastNodeToString(nodes->nodesetval->nodeTab[i]);

        places_add(&places, text ? (const char *)text : "");
        xmlFree(text);
    }
    valuePush(ctxt, xmlXPathNewFloat(floor(places_bits(&places))));
    free(places.seen);
    xmlXPathFreeObject(nodes);
}

void expr_register_functions(xmlXPathContextPtr ctxt)
{
    static const struct {
        const char *name;
        xmlXPathFunction call;
    } functions[] = {
        {"join", call_join},     {"min", call_min},         {"max", call_max},
        {"int", call_int},       {"rid-cmp", call_rid_cmp}, {"sha1", call_sha1},
        {"spread", call_spread},
    };

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        xmlXPathRegisterFuncNS(ctxt, (const xmlChar *)functions[i].name,
                               (const xmlChar *)EXPR_NS_FUNCTIONS,
                               functions[i].call);
}
