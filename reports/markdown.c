/* The result as Markdown: see markdown.h. */
#include "markdown.h"

#include <stdlib.h>
#include <string.h>

#include "shown.h"
#include "text.h"

#define MAX_VALUE 200  /* bytes of a value in the table */
#define MAX_ROWS 200   /* of the table */
#define MAX_FOLDED 100 /* failures in full */
#define MAX_BYTES (700 * 1024)

/* ------------------------------------------------------------- escapes */

/* Our own words: every character that Markdown gives a meaning is escaped. */
static void add_words(struct buf *out, const char *words)
{
    struct buf shown = BUF_INIT;
    const char *s;

    shown_line(&shown, words ? words : "", MAX_VALUE);
    for (s = buf_str(&shown); *s; s++) {
        if (*s == '<')
            buf_adds(out, "&lt;");
        else if (*s == '&')
            buf_adds(out, "&amp;");
        else if (*s == '@')
            buf_adds(out, "&#64;");
        else if (strchr("\\`*_{}[]()#+!|~>$", *s))
            buf_printf(out, "\\%c", *s);
        else
            buf_addc(out, *s);
    }
    buf_release(&shown);
}

/* The longest run of backticks: a fence must be longer. */
static int ticks(const char *s)
{
    int most = 0, n = 0;

    for (; *s; s++) {
        n = *s == '`' ? n + 1 : 0;
        most = n > most ? n : most;
    }
    return most;
}

static void add_fence(struct buf *out, int n)
{
    while (n-- > 0)
        buf_addc(out, '`');
}

/* A code span, which may stand in a table: '|' ends a cell even in code. */
static void add_code(struct buf *out, const char *value)
{
    struct buf shown = BUF_INIT;
    const char *s;
    int fence;

    shown_line(&shown, value, MAX_VALUE);
    fence = ticks(buf_str(&shown)) + 1;
    add_fence(out, fence);
    buf_addc(out, ' '); /* one blank at each end is taken off again */
    for (s = buf_str(&shown); *s; s++) {
        if (*s == '|' && s > shown.data && s[-1] == '\\')
            buf_adds(out, "\\x7c"); /* two backslashes escape each other */
        else if (*s == '|')
            buf_adds(out, "\\|");
        else
            buf_addc(out, *s);
    }
    buf_addc(out, ' ');
    add_fence(out, fence);
    buf_release(&shown);
}

/* ------------------------------------------------------------- the head */

static void add_peer(struct buf *out, const struct result *r)
{
    const char *name = r->peer_name      ? r->peer_name
                       : r->peer_command ? r->peer_command
                                         : r->peer_url;
    char *whole;

    if (!name)
        return;
    whole = mem_printf("%s%s%s", name, r->peer_version ? " " : "",
                       r->peer_version ? r->peer_version : "");
    buf_adds(out, " of ");
    add_code(out, whole);
    free(whole);
}

static void add_counts(struct buf *out, const struct result *r)
{
    struct buf heads = BUF_INIT, rules = BUF_INIT, numbers = BUF_INIT;
    int i;

    for (i = 0; i < COUNT_KINDS; i++) {
        size_t n = result_count(r, (enum result_count)i);

        if (n == 0 && i != COUNT_PASS && i != COUNT_FAIL)
            continue;
        buf_printf(&heads, "| %s ", result_count_name((enum result_count)i));
        buf_adds(&rules, "|--:");
        buf_printf(&numbers, "| %zu ", n);
    }
    buf_printf(out, "%s|\n%s|\n%s|\n\n", buf_str(&heads), buf_str(&rules),
               buf_str(&numbers));
    buf_release(&heads);
    buf_release(&rules);
    buf_release(&numbers);
}

static void add_head(struct buf *out, const struct result *r)
{
    buf_printf(out, "## boshspec: %s suite", r->role ? r->role : "");
    add_peer(out, r);
    buf_adds(out, "\n\n");
    if (!r->finished)
        buf_printf(out, "**%s: %zu of %zu cases done**\n\n",
                   result_unfinished(r), r->case_count, r->selected);
    add_counts(out, r);
    buf_printf(out, "%zu case%s", r->case_count, r->case_count == 1 ? "" : "s");
    if (r->wall_ms > 0)
        buf_printf(out, " in %lld.%lld s", (long long)(r->wall_ms / 1000),
                   (long long)(r->wall_ms % 1000 / 100));
    if (r->options.strict && result_count(r, COUNT_WARN) > 0)
        buf_adds(out, "; with --strict a warning counts as a failure");
    buf_adds(out, "\n\n");
}

/* ------------------------------------------------------------- the table */

static bool is_trouble(const struct result_case *c)
{
    enum result_count kind = result_count_of(c->verdict);

    return kind != COUNT_PASS && kind != COUNT_NA && kind != COUNT_XFAIL;
}

static void add_case_cells(struct buf *out, const struct result_case *c)
{
    buf_printf(out, "| %s | ", c->verdict);
    add_code(out, c->id);
    buf_adds(out, " | ");
}

static void add_assert_row(struct buf *out, const struct result *r,
                           const struct result_case *c,
                           const struct result_assert *a)
{
    const struct result_requirement *q =
        a->requirement ? result_find_requirement(r, a->requirement) : NULL;

    add_case_cells(out, c);
    add_words(out, a->says);
    buf_adds(out, " | ");
    add_words(out, q ? q->section : a->requirement);
    buf_adds(out, " | ");
    if (a->expected)
        add_code(out, a->expected);
    buf_adds(out, " | ");
    if (a->got || a->reason)
        add_code(out, a->got ? a->got : a->reason);
    buf_adds(out, " |\n");
}

static void add_row(struct buf *out, const struct result *r,
                    const struct result_case *c)
{
    bool any = false;
    size_t i;

    for (i = 0; i < c->assert_count; i++)
        if (result_assert_matters(c, &c->asserts[i])) {
            add_assert_row(out, r, c, &c->asserts[i]);
            any = true;
        }
    if (any)
        return;
    add_case_cells(out, c);
    if (c->reason && *c->reason)
        add_code(out, c->reason);
    buf_adds(out, " | | | |\n");
}

static void add_table(struct buf *out, const struct result *r)
{
    size_t rows = 0, left = 0, i;

    for (i = 0; i < r->case_count; i++) {
        if (!is_trouble(&r->cases[i]))
            continue;
        if (rows == 0)
            buf_adds(out, "| | case | what must hold | section | expected | "
                          "got |\n|---|---|---|---|---|---|\n");
        if (rows++ < MAX_ROWS && out->len < MAX_BYTES / 2)
            add_row(out, r, &r->cases[i]);
        else
            left++;
    }
    if (left > 0)
        buf_printf(out, "\n... and %zu more cases\n", left);
    if (rows > 0)
        buf_addc(out, '\n');
}

/* ------------------------------------------------------------- in full */

/* A summary holds HTML, where a backslash escapes nothing. */
static void add_html(struct buf *out, const char *words)
{
    struct buf shown = BUF_INIT;

    shown_line(&shown, words, MAX_VALUE);
    buf_add_xml(out, buf_str(&shown), shown.len);
    buf_release(&shown);
}

static void add_folded(struct buf *out, const struct result *r,
                       const struct result_case *c, const char *dir)
{
    static const struct text_style plain = {false, 80};
    struct buf why = BUF_INIT;
    int fence;

    text_why(&why, &plain, r, c, dir);
    fence = ticks(buf_str(&why)) + 1;
    fence = fence < 3 ? 3 : fence;
    buf_printf(out, "<details><summary>%s <code>", c->verdict);
    add_html(out, c->id);
    buf_adds(out, "</code></summary>\n\n");
    add_fence(out, fence);
    buf_printf(out, "text\n%s", buf_str(&why));
    add_fence(out, fence);
    buf_adds(out, "\n\n</details>\n");
    buf_release(&why);
}

void markdown_write(struct buf *out, const struct result *r, const char *dir)
{
    size_t folded = 0, start = out->len, i;

    add_head(out, r);
    add_table(out, r);
    for (i = 0; i < r->case_count; i++)
        if (is_trouble(&r->cases[i]) && folded < MAX_FOLDED &&
            out->len - start < MAX_BYTES) {
            add_folded(out, r, &r->cases[i], dir);
            folded++;
        }
}
