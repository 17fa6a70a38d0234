/* A strict reader of TAP 14: see tap_reader.h. */
#include "tap_reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "reports/shown.h"

struct reader {
    const char *at;
    size_t line;
    struct err *e;
};

static int bad(struct reader *r, const char *what)
{
    return err_set(r->e, "%zu: %s", r->line, what);
}

/* Every character is harmless, but for the line's end. */
static int check_bytes(struct reader *r, const char *line, size_t len)
{
    size_t i = 0;

    while (i < len) {
        uint32_t c = 0;
        size_t n = shown_char(line + i, len - i, &c);

        if (n == 0 || !shown_harmless(c))
            return bad(r, "a character that must not stand there");
        i += n;
    }
    return 0;
}

/* The next line, without its end. Yours; NULL at the end or when bad. */
static char *next(struct reader *r)
{
    const char *end = strchr(r->at, '\n');
    char *line;

    if (!*r->at)
        return NULL;
    r->line++;
    if (!end) {
        bad(r, "a line without an end");
        return NULL;
    }
    if (check_bytes(r, r->at, (size_t)(end - r->at)) < 0)
        return NULL;
    line = mem_dupn(r->at, (size_t)(end - r->at));
    r->at = end + 1;
    return line;
}

static char *peek(struct reader *r)
{
    struct reader copy = *r;
    struct err quiet = {""};

    copy.e = &quiet;
    return next(&copy);
}

/* ------------------------------------------------------------- points */

/* Up to an unescaped '#' or the end; \# and \\ are the only escapes. */
static char *words(struct reader *r, const char **at)
{
    struct buf out = BUF_INIT;
    const char *s = *at;

    for (; *s && *s != '#'; s++) {
        if (*s == '\\' && s[1] != '\\' && s[1] != '#') {
            bad(r, "a backslash that escapes nothing");
            break;
        }
        if (*s == '\\')
            s++;
        buf_addc(&out, *s);
    }
    while (*s == '#' && out.len > 0 && out.data[out.len - 1] == ' ')
        out.data[--out.len] = '\0';
    *at = s;
    return buf_take(&out);
}

static int read_directive(struct reader *r, const char *s, struct tap_point *p)
{
    if (strncmp(s, "# SKIP ", 7) != 0 && strncmp(s, "# TODO ", 7) != 0)
        return bad(r, "a directive that is none");
    p->directive = mem_dupn(s + 2, 4);
    s += 7;
    p->reason = words(r, &s);
    return *s ? bad(r, "a second directive") : 0;
}

static int read_point(struct reader *r, const char *s, size_t number,
                      struct tap_point *p)
{
    char *prefix = mem_printf("ok %zu - ", number);
    size_t n = strlen(prefix);
    int rc = 0;

    p->ok = strncmp(s, "not ", 4) != 0;
    s += p->ok ? 0 : 4;
    if (strncmp(s, prefix, n) != 0)
        rc = bad(r, "no test point, or its number is wrong");
    free(prefix);
    if (rc < 0)
        return -1;
    s += n;
    p->words = words(r, &s);
    return *s ? read_directive(r, s, p) : 0;
}

/* ------------------------------------------------------------- YAML */

/* Does a quoted scalar end where the line ends? */
static bool is_scalar(const char *s)
{
    if (*s != '"')
        return *s && s[strspn(s, "0123456789")] == '\0';
    for (s++; *s && *s != '"'; s++)
        if (*s == '\\' && !strchr("\"\\ntr", *++s))
            return false;
    return *s == '"' && !s[1];
}

static bool is_yaml(const char *line)
{
    const char *s = line + strspn(line, " ");

    if (strncmp(s, "- ", 2) == 0)
        s += 2;
    if (*s == '"')
        return is_scalar(s);
    if (!islower((unsigned char)*s))
        return false;
    s += strspn(s, "abcdefghijklmnopqrstuvwxyz_");
    return *s == ':' && (!s[1] || (s[1] == ' ' && is_scalar(s + 2)));
}

static int read_block(struct reader *r, struct tap_point *p)
{
    char *line = peek(r);
    bool has = line && strcmp(line, "  ---") == 0, open = has;
    int rc = 0;

    free(line);
    if (!has)
        return 0;
    free(next(r));
    while (rc == 0 && open && (line = next(r)) != NULL) {
        open = strcmp(line, "  ...") != 0;
        if (open && (strncmp(line, "  ", 2) != 0 || !is_yaml(line + 2)))
            rc = bad(r, "no line of a YAML block");
        else if (open)
            buf_printf(&p->yaml, "%s\n", line + 2);
        free(line);
    }
    return rc == 0 && open ? bad(r, "a block without an end") : rc;
}

static char *unquoted(const char *s, size_t len)
{
    struct buf out = BUF_INIT;
    size_t i;

    if (len == 0 || *s != '"')
        return mem_dupn(s, len);
    for (i = 1; i + 1 < len; i++) {
        char c = s[i];

        if (c == '\\') {
            c = s[++i];
            c = (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c);
        }
        buf_addc(&out, c);
    }
    return buf_take(&out);
}

char *tap_value(const struct tap_point *p, const char *key, size_t n)
{
    const char *line = buf_str(&p->yaml);
    size_t len = strlen(key);

    while (*line) {
        const char *end = strchr(line, '\n');
        const char *s = line + strspn(line, " -");

        if (strncmp(s, key, len) == 0 && strncmp(s + len, ": ", 2) == 0 &&
            n-- == 0)
            return unquoted(s + len + 2, (size_t)(end - s) - len - 2);
        line = end + 1;
    }
    return NULL;
}

/* ------------------------------------------------------------- the whole */

static int read_head(struct reader *r, struct tap *out)
{
    char *version = next(r), *plan = next(r), *end = NULL;
    int rc = 0;

    if (!version || strcmp(version, "TAP version 14") != 0)
        rc = bad(r, "the version is not 14");
    else if (!plan || strncmp(plan, "1..", 3) != 0 || !isdigit(plan[3]))
        rc = bad(r, "no plan");
    else
        out->planned = strtoul(plan + 3, &end, 10);
    if (rc == 0 && *end &&
        (out->planned > 0 || strncmp(end, " # SKIP ", 8) != 0))
        rc = bad(r, "a plan and something else");
    free(version);
    free(plan);
    return rc;
}

static int add_point(struct reader *r, const char *line, struct tap *out)
{
    struct tap_point *p;

    out->points = mem_grow(out->points, (out->count + 1) * sizeof *out->points);
    p = &out->points[out->count++];
    memset(p, 0, sizeof *p);
    if (read_point(r, line, out->count, p) < 0)
        return -1;
    return read_block(r, p);
}

int tap_read(const char *text, struct tap *out, struct err *e)
{
    struct reader r = {text, 0, e};
    char *line;
    int rc;

    memset(out, 0, sizeof *out);
    rc = read_head(&r, out);
    while (rc == 0 && (line = next(&r)) != NULL) {
        if (out->bailed_out)
            rc = bad(&r, "something after the end");
        else if (strncmp(line, "Bail out! ", 10) == 0)
            out->bailed_out = true;
        else
            rc = add_point(&r, line, out);
        free(line);
    }
    if (rc == 0 && *r.at)
        rc = -1;
    if (rc == 0 && !out->bailed_out && out->count != out->planned)
        rc = bad(&r, "not as many points as planned");
    return rc;
}

void tap_release(struct tap *t)
{
    size_t i;

    for (i = 0; i < t->count; i++) {
        free(t->points[i].words);
        free(t->points[i].directive);
        free(t->points[i].reason);
        buf_release(&t->points[i].yaml);
    }
    free(t->points);
    memset(t, 0, sizeof *t);
}
