/* The result as TAP 14: see tap.h. */
#include "tap.h"

#include <stdlib.h>

#include "shown.h"
#include "text.h"

#define MAX_VALUE 4000 /* bytes of a value; result.json has the rest */
#define MAX_EXCHANGES 5

/* ------------------------------------------------------------- escapes */

/* A description or a directive's reason: '#' begins a directive, '\' escapes.
 * Other producers' readers know no other escapes, so nothing else is. */
static void add_words(struct buf *out, const char *words)
{
    struct buf shown = BUF_INIT;
    const char *s;

    shown_line(&shown, words ? words : "", MAX_VALUE);
    for (s = buf_str(&shown); *s; s++) {
        if (*s == '#' || *s == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *s);
    }
    buf_release(&shown);
}

/* A double-quoted scalar of YAML, in one line. */
static void add_scalar(struct buf *out, const char *value)
{
    struct buf shown = BUF_INIT;
    const char *s;

    shown_text(&shown, value, MAX_VALUE);
    buf_addc(out, '"');
    for (s = buf_str(&shown); *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_printf(out, "\\%c", *s);
        else if (*s == '\n')
            buf_adds(out, "\\n");
        else if (*s == '\t')
            buf_adds(out, "\\t");
        else if (*s == '\r')
            buf_adds(out, "\\r");
        else
            buf_addc(out, *s);
    }
    buf_addc(out, '"');
    buf_release(&shown);
}

static void add_key(struct buf *out, const char *indent, const char *key,
                    const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(out, "%s%s: ", indent, key);
    add_scalar(out, value);
    buf_addc(out, '\n');
}

/* ------------------------------------------------------------- asserts */

static void add_exchanges(struct buf *out, const struct result_assert *a)
{
    size_t i;

    if (a->exchange_count > 0)
        buf_adds(out, "      exchanges:\n");
    for (i = 0; i < a->exchange_count && i < MAX_EXCHANGES; i++) {
        struct buf words = BUF_INIT;

        text_exchange(&words, &a->exchanges[i]);
        buf_adds(out, "        - ");
        add_scalar(out, buf_str(&words));
        buf_addc(out, '\n');
        buf_release(&words);
    }
}

static void add_assert(struct buf *out, const struct result *r,
                       const struct result_assert *a)
{
    static const char indent[] = "      ";
    const struct result_requirement *q =
        a->requirement ? result_find_requirement(r, a->requirement) : NULL;

    buf_adds(out, "    - id: ");
    add_scalar(out, a->id ? a->id : "");
    buf_addc(out, '\n');
    add_key(out, indent, "verdict", a->verdict);
    add_key(out, indent, "requirement", a->requirement);
    add_key(out, indent, "section", q ? q->section : NULL);
    add_key(out, indent, "level", q ? q->level : NULL);
    add_key(out, indent, "says", a->says);
    add_key(out, indent, "expected", a->expected);
    add_key(out, indent, "got", a->got);
    add_key(out, indent, "reason", a->reason);
    add_exchanges(out, a);
}

/* ------------------------------------------------------------- cases */

static void add_log(struct buf *out, const char *dir, const char *log)
{
    char *path;

    if (!log)
        return;
    path = mem_printf("%s%s%s", dir, *dir ? "/" : "", log);
    add_key(out, "  ", "log", path);
    free(path);
}

static void add_block(struct buf *out, const struct result *r,
                      const struct result_case *c, const char *dir)
{
    bool headed = false;
    size_t i;

    buf_adds(out, "  ---\n");
    add_key(out, "  ", "message", c->title);
    add_key(out, "  ", "severity", c->verdict);
    add_key(out, "  ", "reason", c->reason);
    buf_printf(out, "  duration_ms: %lld\n", (long long)c->duration_ms);
    for (i = 0; i < c->assert_count; i++) {
        if (!result_assert_matters(c, &c->asserts[i]))
            continue;
        if (!headed)
            buf_adds(out, "  asserts:\n");
        headed = true;
        add_assert(out, r, &c->asserts[i]);
    }
    add_log(out, dir, c->log);
    buf_adds(out, "  ...\n");
}

static void add_case(struct buf *out, const struct result *r, size_t i,
                     const char *dir)
{
    const struct result_case *c = &r->cases[i];
    enum result_count kind = result_count_of(c->verdict);
    const char *directive = kind == COUNT_NA      ? "SKIP"
                            : kind == COUNT_XFAIL ? "TODO"
                                                  : NULL;
    bool good =
        kind != COUNT_XFAIL && kind != COUNT_ERROR && !result_is_failure(r, c);

    buf_printf(out, "%sok %zu - ", good ? "" : "not ", i + 1);
    add_words(out, c->id);
    if (directive) {
        buf_printf(out, " # %s ", directive);
        add_words(out, c->reason);
    }
    buf_addc(out, '\n');
    if (kind != COUNT_PASS && kind != COUNT_NA)
        add_block(out, r, c, dir);
}

void tap_write(struct buf *out, const struct result *r, const char *dir)
{
    size_t planned = r->finished ? r->case_count : r->selected, i;

    if (planned < r->case_count)
        planned = r->case_count;
    buf_printf(out, "TAP version 14\n1..%zu", planned);
    buf_adds(out, planned == 0 ? " # SKIP no case was to be played\n" : "\n");
    for (i = 0; i < r->case_count; i++)
        add_case(out, r, i, dir);
    if (!r->finished)
        buf_printf(out, "Bail out! %s\n", result_unfinished(r));
}
