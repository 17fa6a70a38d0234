/* The result as plain text: see text.h. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shown.h"

#define WIDTH 80
#define SHOWN_BYTES 600 /* of a value; the log has the rest */

struct text_style text_style_for(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    struct text_style st = {false, WIDTH};
    struct winsize size;

    if (!isatty(fd))
        return st;
    st.color = !(no_color && no_color[0]);
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
        size.ws_col < WIDTH)
        st.width = size.ws_col < 40 ? 40 : size.ws_col;
    return st;
}

/* ------------------------------------------------------------- words */

static size_t columns(const char *s, size_t len)
{
    size_t i, n = 0;

    for (i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    return n;
}

/* Bytes of s that fill so many columns. */
static size_t bytes_of(const char *s, size_t len, size_t cols)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (((unsigned char)s[i] & 0xc0) == 0x80)
            continue;
        if (cols-- == 0)
            break;
    }
    return i;
}

static void new_line(struct buf *out, unsigned indent)
{
    buf_printf(out, "\n%*s", (int)indent, "");
}

void text_wrap(struct buf *out, const struct text_style *st, unsigned indent,
               const char *words)
{
    size_t room = st->width > indent + 20 ? st->width - indent : 20;
    size_t used = 0;

    while (*words) {
        size_t len, cols;

        words += strspn(words, " \n\t\r");
        len = strcspn(words, " \n\t\r");
        if (len == 0)
            break;
        cols = columns(words, len);
        if (used > 0 && used + 1 + cols > room) {
            new_line(out, indent);
            used = 0;
        }
        if (used > 0) {
            buf_addc(out, ' ');
            used++;
        }
        while (cols > room) { /* one long word */
            size_t part = bytes_of(words, len, room);

            buf_add(out, words, part);
            new_line(out, indent);
            words += part;
            len -= part;
            cols = columns(words, len);
        }
        buf_add(out, words, len);
        used += cols;
        words += len;
    }
}

static const char *color_of(const char *verdict)
{
    switch (result_count_of(verdict)) {
    case COUNT_PASS:
    case COUNT_XFAIL:
        return "\033[32m";
    case COUNT_FAIL:
    case COUNT_XPASS:
    case COUNT_FLAKY:
        return "\033[31m";
    case COUNT_WARN:
        return "\033[33m";
    case COUNT_ERROR:
        return "\033[35m";
    case COUNT_NA:
    case COUNT_KINDS:
        break;
    }
    return "\033[2m";
}

static void add_verdict(struct buf *out, const struct text_style *st,
                        const char *verdict)
{
    char word[8];
    size_t i;

    for (i = 0; verdict[i] && i + 1 < sizeof word; i++)
        word[i] = (char)(verdict[i] >= 'a' && verdict[i] <= 'z'
                             ? verdict[i] - 'a' + 'A'
                             : verdict[i]);
    word[i] = '\0';
    buf_printf(out, "%s%-5s%s", st->color ? color_of(verdict) : "", word,
               st->color ? "\033[0m" : "");
}

static void add_seconds(struct buf *out, int64_t ms)
{
    buf_printf(out, "%lld.%lld s", (long long)(ms / 1000),
               (long long)(ms % 1000 / 100));
}

/* "    expected  " and its value. */
static void add_field(struct buf *out, const struct text_style *st,
                      const char *name, const char *value)
{
    struct buf shown = BUF_INIT;

    if (!value)
        return;
    shown_line(&shown, value, SHOWN_BYTES);
    buf_printf(out, "    %-9s ", name);
    text_wrap(out, st, 14, buf_str(&shown));
    buf_addc(out, '\n');
    buf_release(&shown);
}

/* Why it is NA or ERROR, on a line of its own. */
static void add_reason(struct buf *out, const struct text_style *st,
                       unsigned indent, const char *reason)
{
    struct buf shown = BUF_INIT;

    if (!reason || !reason[0])
        return;
    shown_line(&shown, reason, SHOWN_BYTES);
    buf_printf(out, "%*s", (int)indent, "");
    text_wrap(out, st, indent, buf_str(&shown));
    buf_addc(out, '\n');
    buf_release(&shown);
}

/* ------------------------------------------------------------- one case */

void text_case(struct buf *out, const struct text_style *st,
               const struct result_case *c)
{
    struct buf time = BUF_INIT;
    size_t room;

    add_seconds(&time, c->duration_ms);
    room = st->width - 7 - time.len;
    add_verdict(out, st, c->verdict);
    buf_printf(out, " %-*s %s\n", (int)room, c->id, buf_str(&time));
    buf_release(&time);
    add_reason(out, st, 6, c->reason);
}

/* "FAIL  order: the application sees ..." */
static void add_sentence(struct buf *out, const struct text_style *st,
                         unsigned indent, const struct result_assert *a)
{
    char *words = mem_printf("%s: %s", a->id, a->says ? a->says : "");

    buf_printf(out, "%*s", (int)indent, "");
    add_verdict(out, st, a->verdict);
    buf_addc(out, ' ');
    text_wrap(out, st, indent + 6, words);
    buf_addc(out, '\n');
    free(words);
}

void text_asserts(struct buf *out, const struct text_style *st,
                  const struct result_case *c)
{
    size_t i;

    for (i = 0; i < c->assert_count; i++) {
        add_sentence(out, st, 6, &c->asserts[i]);
        add_reason(out, st, 12, c->asserts[i].reason);
    }
}

static void add_requirement(struct buf *out, const struct text_style *st,
                            const struct result *r, const char *id)
{
    const struct result_requirement *q = result_find_requirement(r, id);
    char *head;

    if (!q) {
        add_field(out, st, "rule", id);
        return;
    }
    head = mem_printf("%s, %s, %s", id, q->section, q->level);
    add_field(out, st, "rule", head);
    add_field(out, st, "", q->text);
    free(head);
}

void text_exchange(struct buf *out, const struct result_exchange *x)
{
    buf_printf(out, "%u at %lld.%03lld s: ", x->n, (long long)(x->t_ms / 1000),
               (long long)(x->t_ms % 1000));
    if (x->kind)
        buf_printf(out, "%s", x->kind);
    if (x->rid)
        buf_printf(out, " rid=%s", x->rid);
    buf_printf(out, "%s%s -> %s", x->kind || x->rid ? ", " : "",
               x->first_line ? x->first_line : "no request",
               x->answer ? x->answer : "no answer");
}

static void add_exchange(struct buf *out, const struct text_style *st,
                         const struct result_exchange *x)
{
    struct buf words = BUF_INIT;

    text_exchange(&words, x);
    add_field(out, st, "exchange", buf_str(&words));
    buf_release(&words);
}

static void add_assert(struct buf *out, const struct text_style *st,
                       const struct result *r, const struct result_assert *a)
{
    size_t i;

    add_sentence(out, st, 2, a);
    add_requirement(out, st, r, a->requirement);
    add_field(out, st, "expected", a->expected);
    add_field(out, st, "got", a->got);
    add_field(out, st, "because", a->reason);
    for (i = 0; i < a->exchange_count && i < 3; i++)
        add_exchange(out, st, &a->exchanges[i]);
    if (a->exchange_count > 3)
        buf_printf(out, "              and %zu more\n", a->exchange_count - 3);
}

/* In one piece, whatever its length. */
static void add_log(struct buf *out, const char *name, const char *dir,
                    const char *log)
{
    buf_printf(out, "    %-9s %s%s%s\n", name, dir, *dir ? "/" : "", log);
}

void text_why(struct buf *out, const struct text_style *st,
              const struct result *r, const struct result_case *c,
              const char *dir)
{
    size_t i;

    if (strcmp(c->verdict, "pass") == 0 || strcmp(c->verdict, "na") == 0 ||
        strcmp(c->verdict, "xfail") == 0)
        return;
    add_verdict(out, st, c->verdict);
    buf_printf(out, " %s\n      ", c->id);
    text_wrap(out, st, 6, c->title ? c->title : "");
    buf_addc(out, '\n');
    if (c->reason && c->reason[0])
        add_field(out, st, "because", c->reason);
    for (i = 0; i < c->assert_count; i++)
        if (result_assert_matters(c, &c->asserts[i]))
            add_assert(out, st, r, &c->asserts[i]);
    if (c->log)
        add_log(out, "log", dir, c->log);
    buf_addc(out, '\n');
}

/* ------------------------------------------------------------- the run */

static void add_counts(struct buf *out, const struct text_style *st,
                       const struct result *r)
{
    bool first = true;
    int i;

    for (i = 0; i < COUNT_KINDS; i++) {
        size_t n = result_count(r, (enum result_count)i);
        const char *name = result_count_name((enum result_count)i);

        if (n == 0 && i != COUNT_PASS && i != COUNT_FAIL)
            continue;
        buf_printf(out, "%s%s%zu %s%s", first ? "" : ", ",
                   st->color && n ? color_of(name) : "", n, name,
                   st->color && n ? "\033[0m" : "");
        first = false;
    }
    buf_addc(out, '\n');
}

static bool is_error_for(const struct result_case *c, const char *reason)
{
    return strcmp(c->verdict, "error") == 0 && c->reason &&
           strcmp(c->reason, reason) == 0;
}

/* Many cases that are ERROR for one reason: it is said once, with the first of
 * them. Returns whether c is one of those. */
#define MANY 3
static bool add_many(struct buf *out, const struct text_style *st,
                     const struct result *r, const struct result_case *c,
                     const char *dir)
{
    const struct result_case *first = NULL;
    size_t many = 0, i;

    for (i = 0; c->reason && i < r->case_count; i++)
        if (is_error_for(&r->cases[i], c->reason)) {
            first = first ? first : &r->cases[i];
            many++;
        }
    if (!is_error_for(c, c->reason ? c->reason : "") ||
        (many < MANY && !(many > 1 && result_one_reason(r))))
        return false;
    if (c != first)
        return true;
    add_verdict(out, st, "error");
    buf_printf(out, " %zu cases, all alike\n", many);
    add_field(out, st, "because", c->reason);
    if (c->log)
        add_log(out, "first log", dir, c->log);
    buf_addc(out, '\n');
    return true;
}

/* Everything that is not as it should be. */
static void add_troubles(struct buf *out, const struct text_style *st,
                         const struct result *r, const char *dir)
{
    size_t i;

    for (i = 0; i < r->case_count; i++)
        if (!add_many(out, st, r, &r->cases[i], dir))
            text_why(out, st, r, &r->cases[i], dir);
}

/* A run that was judged once more took no time. */
static void add_times(struct buf *out, const struct result *r)
{
    buf_printf(out, "%s suite: %zu case%s", r->role ? r->role : "",
               r->case_count, r->case_count == 1 ? "" : "s");
    if (r->wall_ms > 0) {
        buf_adds(out, " in ");
        add_seconds(out, r->wall_ms);
    }
    if (r->slowest) {
        buf_printf(out, "\nslowest: %s ", r->slowest);
        add_seconds(out, r->slowest_ms);
    }
    buf_addc(out, '\n');
}

void text_summary(struct buf *out, const struct text_style *st,
                  const struct result *r, const char *dir)
{
    buf_addc(out, '\n');
    add_troubles(out, st, r, dir);
    if (!r->finished)
        buf_printf(out, "%s: %zu of %zu cases done\n", result_unfinished(r),
                   r->case_count, r->selected);
    add_counts(out, st, r);
    if (r->options.strict && result_count(r, COUNT_WARN) > 0)
        buf_adds(out, "with --strict a warning counts as a failure\n");
    add_times(out, r);
}

void text_progress(struct buf *out, const struct text_style *st, size_t done,
                   size_t total, size_t running, int64_t left_ms)
{
    size_t start = out->len;

    buf_printf(out, "%zu of %zu done, %zu running", done, total, running);
    if (left_ms >= 0)
        buf_printf(out, ", at most %lld s left",
                   (long long)((left_ms + 999) / 1000));
    if (out->len - start >= st->width) {
        out->len = start + st->width - 1;
        out->data[out->len] = '\0';
    }
}
