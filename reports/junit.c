/* The result as JUnit XML: see junit.h. */
#include "junit.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#include "shown.h"
#include "text.h"

#define MAX_MESSAGE 1000 /* bytes; the text below it has more */

/* ------------------------------------------------------------- XML */

static const xmlChar *x(const char *s)
{
    return (const xmlChar *)s;
}

static void start(xmlTextWriterPtr w, const char *name)
{
    xmlTextWriterStartElement(w, x(name));
}

static void end(xmlTextWriterPtr w)
{
    xmlTextWriterEndElement(w);
}

/* What XML cannot hold is shown as in all other reports. */
static void attr(xmlTextWriterPtr w, const char *name, const char *value)
{
    struct buf shown = BUF_INIT;

    shown_line(&shown, value ? value : "", MAX_MESSAGE);
    xmlTextWriterWriteAttribute(w, x(name), x(buf_str(&shown)));
    buf_release(&shown);
}

static void attr_count(xmlTextWriterPtr w, const char *name, size_t n)
{
    xmlTextWriterWriteFormatAttribute(w, x(name), "%zu", n);
}

static void attr_seconds(xmlTextWriterPtr w, int64_t ms)
{
    xmlTextWriterWriteFormatAttribute(w, x("time"), "%lld.%03lld",
                                      (long long)(ms / 1000),
                                      (long long)(ms % 1000));
}

static void text(xmlTextWriterPtr w, const char *value)
{
    struct buf shown = BUF_INIT;

    shown_text(&shown, value, strlen(value));
    xmlTextWriterWriteString(w, x(buf_str(&shown)));
    buf_release(&shown);
}

static void property(xmlTextWriterPtr w, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    start(w, "property");
    attr(w, "name", name);
    attr(w, "value", value);
    end(w);
}

/* ------------------------------------------------------------- one case */

/* What becomes of it in JUnit's four words. */
enum outcome { PASSED, FAILED, ERRED, SKIPPED };

static enum outcome outcome_of(const struct result *r,
                               const struct result_case *c)
{
    enum result_count kind = result_count_of(c->verdict);

    if (kind == COUNT_NA || kind == COUNT_XFAIL)
        return SKIPPED;
    if (kind == COUNT_ERROR)
        return ERRED;
    return result_is_failure(r, c) ? FAILED : PASSED;
}

/* "client/order/x": classname client.order, name x. Dots of a folder's own
 * would make folders. */
static void write_name(xmlTextWriterPtr w, const char *id)
{
    const char *slash = strrchr(id, '/');
    char *folders = slash ? mem_dupn(id, (size_t)(slash - id)) : mem_dup("");
    char *at;

    for (at = folders; *at; at++)
        *at = *at == '.' ? '_' : *at == '/' ? '.' : *at;
    attr(w, "classname", *folders ? folders : "cases");
    attr(w, "name", slash ? slash + 1 : id);
    free(folders);
}

static void write_properties(xmlTextWriterPtr w, const struct result *r,
                             const struct result_case *c)
{
    size_t i;

    if (c->requirement_count == 0)
        return;
    start(w, "properties");
    for (i = 0; i < c->requirement_count; i++) {
        const struct result_requirement *q =
            result_find_requirement(r, c->requirements[i]);

        property(w, "requirement", c->requirements[i]);
        property(w, "section", q ? q->section : NULL);
    }
    end(w);
}

static const struct result_assert *first_miss(const struct result_case *c)
{
    size_t i;

    for (i = 0; i < c->assert_count; i++)
        if (result_assert_matters(c, &c->asserts[i]))
            return &c->asserts[i];
    return NULL;
}

/* The line that a list of failures shows. Yours. */
static char *message(const struct result_case *c)
{
    const struct result_assert *a = first_miss(c);

    if (c->reason && *c->reason)
        return mem_dup(c->reason);
    if (!a)
        return mem_dup(c->title);
    return mem_printf("%s: %s", a->id, a->says ? a->says : "");
}

/* All that there is to say, as on a terminal. */
static void write_why(xmlTextWriterPtr w, const struct result *r,
                      const struct result_case *c, const char *dir)
{
    static const struct text_style plain = {false, 80};
    struct buf why = BUF_INIT;

    text_why(&why, &plain, r, c, dir);
    text(w, buf_str(&why));
    buf_release(&why);
}

static void write_trouble(xmlTextWriterPtr w, const struct result *r,
                          const struct result_case *c, const char *dir)
{
    const struct result_assert *a = first_miss(c);
    enum outcome what = outcome_of(r, c);
    char *words = message(c);

    if (what == SKIPPED) {
        start(w, "skipped");
        attr(w, "message", words);
        end(w);
    } else if (what != PASSED) {
        start(w, what == FAILED ? "failure" : "error");
        attr(w, "message", words);
        attr(w, "type", a && a->requirement ? a->requirement : c->verdict);
        write_why(w, r, c, dir);
        end(w);
    }
    free(words);
}

static void write_output(xmlTextWriterPtr w, const struct result *r,
                         const struct result_case *c, const char *dir)
{
    bool warned = result_count_of(c->verdict) == COUNT_WARN;

    if (!c->log && !warned)
        return;
    start(w, "system-out");
    if (warned && outcome_of(r, c) == PASSED) {
        write_why(w, r, c, dir); /* with the log */
    } else if (c->log) {
        char *line = mem_printf("log: %s%s%s\n", dir, *dir ? "/" : "", c->log);

        text(w, line);
        free(line);
    }
    end(w);
}

static void write_case(xmlTextWriterPtr w, const struct result *r,
                       const struct result_case *c, const char *dir)
{
    start(w, "testcase");
    write_name(w, c->id);
    attr_seconds(w, c->duration_ms);
    write_properties(w, r, c);
    write_trouble(w, r, c, dir);
    write_output(w, r, c, dir);
    end(w);
}

/* ------------------------------------------------------------- the run */

static size_t count(const struct result *r, enum outcome what)
{
    size_t n = 0, i;

    for (i = 0; i < r->case_count; i++)
        n += outcome_of(r, &r->cases[i]) == what;
    return n;
}

static void write_counts(xmlTextWriterPtr w, const struct result *r)
{
    attr_count(w, "tests", r->case_count);
    attr_count(w, "failures", count(r, FAILED));
    attr_count(w, "errors", count(r, ERRED));
    attr_count(w, "skipped", count(r, SKIPPED));
    attr_seconds(w, r->wall_ms);
}

/* JUnit's times have no zone. */
static void write_timestamp(xmlTextWriterPtr w, const char *started)
{
    size_t n = started ? strlen(started) : 0;
    char *bare = mem_dupn(started ? started : "",
                          n && started[n - 1] == 'Z' ? n - 1 : n);

    if (*bare)
        attr(w, "timestamp", bare);
    free(bare);
}

static void write_run(xmlTextWriterPtr w, const struct result *r)
{
    char *seed = mem_printf("%lld", (long long)r->options.seed);

    start(w, "properties");
    property(w, "boshspec", r->version);
    property(w, "role", r->role);
    property(w, "peer", r->peer_name);
    property(w, "peer-version", r->peer_version);
    property(w, "command", r->peer_command);
    property(w, "url", r->peer_url);
    property(w, "suite", r->suite_hash);
    property(w, "seed", seed);
    if (!r->finished)
        property(w, "unfinished", result_unfinished(r));
    end(w);
    free(seed);
}

static void write_suite(xmlTextWriterPtr w, const struct result *r,
                        const char *dir)
{
    char *name = mem_printf("boshspec %s suite", r->role ? r->role : "");
    size_t i;

    start(w, "testsuites");
    attr(w, "name", "boshspec");
    write_counts(w, r);
    start(w, "testsuite");
    attr(w, "name", name);
    write_counts(w, r);
    write_timestamp(w, r->started);
    write_run(w, r);
    for (i = 0; i < r->case_count; i++)
        write_case(w, r, &r->cases[i], dir);
    end(w);
    end(w);
    free(name);
}

void junit_write(struct buf *out, const struct result *r, const char *dir)
{
    xmlBufferPtr data = xmlBufferCreate();
    xmlTextWriterPtr w = xmlNewTextWriterMemory(data, 0);

    xmlTextWriterSetIndent(w, 1);
    xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
    write_suite(w, r, dir);
    xmlTextWriterEndDocument(w);
    xmlFreeTextWriter(w);
    buf_add(out, xmlBufferContent(data), (size_t)xmlBufferLength(data));
    xmlBufferFree(data);
}
