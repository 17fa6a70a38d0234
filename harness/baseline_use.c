/* What a baseline makes of a result, and a result of a baseline: see
 * baseline.h. */
#include "baseline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/xml.h"

/* ------------------------------------------------------------- matching */

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static bool is_miss(const struct result_assert *a)
{
    return is(a->verdict, "fail") || is(a->verdict, "warn");
}

static bool pins(const struct baseline_entry *n, const struct result_case *c,
                 const struct result_assert *a)
{
    return strcmp(n->case_id, c->id) == 0 && is(a->id, n->assert_id) &&
           is(a->requirement, n->requirement);
}

static const struct result_assert *assert_of(const struct baseline_entry *n,
                                             const struct result_case *c)
{
    size_t i;

    for (i = 0; i < c->assert_count; i++)
        if (pins(n, c, &c->asserts[i]))
            return &c->asserts[i];
    return NULL;
}

static bool was_judged(const struct result_case *c)
{
    return !is(c->verdict, "na") && !is(c->verdict, "error");
}

/* Was the assert looked at? An invariant that holds is not listed. */
static bool entry_judged(const struct baseline_entry *n,
                         const struct result_case *c)
{
    const struct result_assert *a = assert_of(n, c);

    return was_judged(c) &&
           (!a || (!is(a->verdict, "na") && !is(a->verdict, "error")));
}

size_t baseline_unjudged(const struct baseline *b, const struct result_case *c)
{
    size_t n = 0, i;

    for (i = 0; i < b->count; i++)
        n += strcmp(b->entries[i].case_id, c->id) == 0 &&
             !entry_judged(&b->entries[i], c);
    return n;
}

/* ------------------------------------------------------------- applying */

/* What is left of a case when the pinned misses are set aside. */
struct rest {
    bool failed, warned;
    const char *erred; /* the first assert's reason */
    struct buf known;  /* the reasons, each once */
    struct buf holds;  /* the pinned asserts that hold */
};

/* The reason of the i-th assert, unless one before it has the same. */
static void add_known(struct rest *rest, const struct result_case *c, size_t i)
{
    const char *reason = c->asserts[i].baseline;
    size_t j;

    for (j = 0; j < i; j++)
        if (c->asserts[j].baseline && is(reason, c->asserts[j].baseline))
            return;
    buf_printf(&rest->known, "%s%s", rest->known.len > 0 ? "; " : "", reason);
}

static void count_misses(struct result_case *c, struct rest *rest)
{
    size_t i;

    for (i = 0; i < c->assert_count; i++) {
        const struct result_assert *a = &c->asserts[i];

        if (is(a->verdict, "error") && !rest->erred)
            rest->erred = a->reason ? a->reason : "";
        if (!is_miss(a))
            continue;
        if (a->baseline)
            add_known(rest, c, i);
        else if (is(a->verdict, "fail"))
            rest->failed = true;
        else
            rest->warned = true;
    }
}

/* Mark what the entries of this case pin. Returns how many there are. */
static size_t mark(const struct baseline *b, struct result_case *c,
                   struct rest *rest)
{
    size_t found = 0, i, j;

    for (i = 0; i < b->count; i++) {
        const struct baseline_entry *n = &b->entries[i];
        bool missed = false;

        if (strcmp(n->case_id, c->id) != 0)
            continue;
        found++;
        for (j = 0; j < c->assert_count; j++)
            if (pins(n, c, &c->asserts[j]) && is_miss(&c->asserts[j])) {
                free(c->asserts[j].baseline);
                c->asserts[j].baseline = mem_dup(n->reason);
                missed = true;
            }
        if (!missed && entry_judged(n, c))
            buf_printf(&rest->holds, "%s'%s' (%s)",
                       rest->holds.len > 0 ? ", " : "", n->assert_id,
                       n->requirement);
    }
    return found;
}

static void conclude(struct result_case *c, const char *verdict, char *reason)
{
    free(c->verdict);
    free(c->reason);
    c->verdict = mem_dup(verdict);
    c->reason = reason;
}

void baseline_apply(const struct baseline *b, struct result_case *c)
{
    struct rest rest = {0};

    if (!was_judged(c) || mark(b, c, &rest) == 0)
        return;
    count_misses(c, &rest);
    if (rest.failed)
        conclude(c, "fail", mem_dup(""));
    else if (rest.holds.len > 0)
        conclude(c, "xpass",
                 mem_printf("the baseline expects it to fail, but it holds: "
                            "%s",
                            buf_str(&rest.holds)));
    else if (rest.erred)
        conclude(c, "error", mem_dup(rest.erred));
    else if (rest.warned)
        conclude(c, "warn", mem_dup(""));
    else if (rest.known.len > 0)
        conclude(c, "xfail", mem_dup(buf_str(&rest.known)));
    buf_release(&rest.known);
    buf_release(&rest.holds);
}

/* ------------------------------------------------------------- saving */

/* What is to be written, in one of the two forms. */
struct writer {
    struct buf xml;
    json_t *list;
    int open; /* reasons to be filled in */
};

static void write_attr(struct writer *w, const char *name, const char *value)
{
    buf_printf(&w->xml, " %s=\"", name);
    buf_add_xml(&w->xml, value, strlen(value));
    buf_addc(&w->xml, '"');
}

/* One line each: what is said of a line is then said of one entry. */
static void write_entry(struct writer *w, const char *case_id,
                        const char *assert_id, const char *requirement,
                        const char *reason)
{
    w->open += !*reason;
    buf_adds(&w->xml, "  <known");
    write_attr(w, "case", case_id);
    write_attr(w, "assert", assert_id);
    write_attr(w, "requirement", requirement);
    write_attr(w, "reason", reason);
    buf_adds(&w->xml, "/>\n");
    json_array_append_new(w->list, json_pack("{ss ss ss ss}", "case", case_id,
                                             "assert", assert_id, "requirement",
                                             requirement, "reason", reason));
}

static const char *known_reason(const struct baseline *old,
                                const struct result_case *c,
                                const struct result_assert *a)
{
    size_t i;

    for (i = 0; old && i < old->count; i++)
        if (pins(&old->entries[i], c, a))
            return old->entries[i].reason;
    return "";
}

static void write_misses(struct writer *w, const struct result *r,
                         const struct baseline *old)
{
    size_t i, j;

    for (i = 0; i < r->case_count; i++) {
        const struct result_case *c = &r->cases[i];

        for (j = 0; was_judged(c) && j < c->assert_count; j++) {
            const struct result_assert *a = &c->asserts[j];

            if (is_miss(a) && a->id && a->requirement)
                write_entry(w, c->id, a->id, a->requirement,
                            known_reason(old, c, a));
        }
    }
}

/* An entry stays unless this run has seen that it holds. */
static void write_unjudged(struct writer *w, const struct result *r,
                           const struct baseline *old)
{
    size_t i, j;

    for (i = 0; old && i < old->count; i++) {
        const struct baseline_entry *n = &old->entries[i];
        bool judged = false;

        for (j = 0; j < r->case_count && !judged; j++)
            judged = strcmp(r->cases[j].id, n->case_id) == 0 &&
                     entry_judged(n, &r->cases[j]);
        if (!judged)
            write_entry(w, n->case_id, n->assert_id, n->requirement, n->reason);
    }
}

static int write_file(const char *path, const char *text, struct err *e)
{
    FILE *f = fopen(path, "we");
    bool good;

    if (!f)
        return err_set(e, "%s: %s", path, strerror(errno));
    good = fputs(text, f) >= 0;
    if (fclose(f) != 0 || !good)
        return err_set(e, "%s: %s", path, strerror(errno));
    return 0;
}

static int write_json(struct writer *w, const char *path, struct err *e)
{
    json_t *o = json_pack("{si sO}", "format", 1, "known", w->list);
    char *text = json_dumps(o, JSON_INDENT(2));
    int rc = write_file(path, text, e);

    free(text);
    json_decref(o);
    return rc;
}

static int write_xml(struct writer *w, const char *path, struct err *e)
{
    char *text = mem_printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                            "<baseline xmlns=\"" BASELINE_NS "\">\n"
                            "%s</baseline>\n",
                            buf_str(&w->xml));
    int rc = write_file(path, text, e);

    free(text);
    return rc;
}

int baseline_save(const struct result *r, const struct baseline *old,
                  const char *path, struct err *e)
{
    struct writer w = {BUF_INIT, json_array(), 0};
    size_t n = strlen(path);
    bool json = n >= 5 && strcmp(path + n - 5, ".json") == 0;
    int rc;

    write_misses(&w, r, old);
    write_unjudged(&w, r, old);
    rc = json ? write_json(&w, path, e) : write_xml(&w, path, e);
    buf_release(&w.xml);
    json_decref(w.list);
    return rc < 0 ? -1 : w.open;
}
