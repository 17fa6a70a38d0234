/* Text with {expressions} in it: see expr.h. */
#include "expr.h"

#include <stdlib.h>
#include <string.h>

struct avt_part {
    char *literal;     /* or */
    struct expr *expr; /* this */
};

struct avt {
    struct avt_part *parts;
    size_t count;
};

static void add_part(struct avt *a, char *literal, struct expr *ex)
{
    a->parts = mem_grow(a->parts, (a->count + 1) * sizeof *a->parts);
    a->parts[a->count].literal = literal;
    a->parts[a->count].expr = ex;
    a->count++;
}

/* The brace that ends the expression at p, past string literals; or NULL. */
static const char *closing(const char *p)
{
    for (; *p && *p != '}'; p++) {
        if (*p == '"' || *p == '\'') {
            p = strchr(p + 1, *p);
            if (!p)
                return NULL;
        }
    }
    return *p ? p : NULL;
}

/* The expression behind the brace at p. Returns what follows it, or NULL. */
static const char *add_expr(struct avt *a, const char *p, const char *path,
                            int line, struct err *e)
{
    const char *end = closing(p + 1);
    struct expr *ex;
    char *inner;

    if (!end) {
        err_set_at(e, path, line,
                   "'%s' has no closing brace; a literal brace "
                   "is written twice",
                   p);
        return NULL;
    }
    inner = mem_dupn(p + 1, (size_t)(end - p - 1));
    ex = expr_new(inner, path, line, e);
    free(inner);
    if (!ex)
        return NULL;
    add_part(a, NULL, ex);
    return end + 1;
}

static int split(struct avt *a, const char *text, const char *path, int line,
                 struct err *e)
{
    struct buf literal = BUF_INIT;
    const char *p = text;

    while (p && *p) {
        if ((*p == '{' || *p == '}') && p[1] == *p) {
            buf_addc(&literal, *p);
            p += 2;
        } else if (*p == '{') {
            if (literal.len)
                add_part(a, buf_take(&literal), NULL);
            p = add_expr(a, p, path, line, e);
        } else if (*p == '}') {
            err_set_at(e, path, line,
                       "'%s' has a lone '}'; a literal brace is written twice",
                       text);
            p = NULL;
        } else {
            buf_addc(&literal, *p++);
        }
    }
    if (p && literal.len)
        add_part(a, buf_take(&literal), NULL);
    buf_release(&literal);
    return p ? 0 : -1;
}

struct avt *avt_new(const char *text, const char *path, int line, struct err *e)
{
    struct avt *a = mem_alloc(sizeof *a);

    if (split(a, text, path ? path : "text", line, e) != 0) {
        avt_free(a);
        return NULL;
    }
    return a;
}

void avt_free(struct avt *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++) {
        free(a->parts[i].literal);
        expr_free(a->parts[i].expr);
    }
    free(a->parts);
    free(a);
}

size_t avt_count(const struct avt *a)
{
    size_t count = 0;

    for (size_t i = 0; i < a->count; i++)
        count += a->parts[i].expr != NULL;
    return count;
}

const struct expr *avt_expr(const struct avt *a, size_t i)
{
    for (size_t part = 0; part < a->count; part++) {
        if (a->parts[part].expr && i-- == 0)
            return a->parts[part].expr;
    }
    return NULL;
}

static int eval_part(const struct expr *ex, struct journal *j, bool as_xml,
                     struct buf *out, struct err *e)
{
    struct err own = {""};
    char *text = expr_string(ex, j, NULL, &own);
    bool bad = own.text[0] || strcmp(text, "NaN") == 0;

    if (own.text[0])
        err_set(e, "%s", own.text);
    else if (bad)
        err_set_at(e, expr_path(ex), expr_line(ex), "'{%s}' gives no number",
                   expr_text(ex));
    else if (as_xml)
        buf_add_xml(out, text, strlen(text));
    else
        buf_adds(out, text);
    free(text);
    return bad ? -1 : 0;
}

static char *eval(const struct avt *a, struct journal *j, bool as_xml,
                  struct err *e)
{
    struct buf out = BUF_INIT;

    if (!a)
        return NULL;
    for (size_t i = 0; i < a->count; i++) {
        if (a->parts[i].literal) {
            buf_adds(&out, a->parts[i].literal);
        } else if (eval_part(a->parts[i].expr, j, as_xml, &out, e) != 0) {
            buf_release(&out);
            return NULL;
        }
    }
    return buf_take(&out);
}

char *avt_eval(const struct avt *a, struct journal *j, struct err *e)
{
    return eval(a, j, false, e);
}

char *avt_eval_xml(const struct avt *a, struct journal *j, struct err *e)
{
    return eval(a, j, true, e);
}
