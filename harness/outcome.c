/* From a judgement to the result document: see outcome.h. */
#include "outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "common/buf.h"
#include "common/xml.h"

/* ------------------------------------------------------------- one case */

/* What a person recognises an exchange by. */
static void describe(const struct journal *j, unsigned n,
                     struct result_exchange *out)
{
    const xmlNode *x = journal_x(j, n);
    const xmlNode *req = x ? xml_child(x, NULL, "req") : NULL;
    const xmlNode *res = x ? xml_child(x, NULL, "res") : NULL;
    const char *t0 = x ? xml_attr(x, NULL, "t0") : NULL;
    const char *method = req ? xml_attr(req, NULL, "method") : NULL;
    const char *target = req ? xml_attr(req, NULL, "target") : NULL;
    const char *status = res ? xml_attr(res, NULL, "status") : NULL;
    const char *reason = res ? xml_attr(res, NULL, "reason") : NULL;

    out->n = n;
    out->t_ms = t0 ? strtoll(t0, NULL, 10) : 0;
    if (x) {
        out->kind = mem_dup(xml_attr(x, NULL, "kind"));
        out->rid = mem_dup(xml_attr(x, NULL, "rid"));
    }
    if (method)
        out->first_line = mem_printf("%s %s", method, target ? target : "");
    if (status)
        out->answer = mem_printf("%s %s", status, reason ? reason : "");
}

/* Words from an XML file, in one line. Yours. */
static char *one_line(const char *words)
{
    struct buf out = BUF_INIT;

    for (; words && *words; words++) {
        bool space = strchr(" \n\t\r", *words) != NULL;

        if (!space)
            buf_addc(&out, *words);
        else if (out.len > 0 && out.data[out.len - 1] != ' ')
            buf_addc(&out, ' ');
    }
    while (out.len > 0 && out.data[out.len - 1] == ' ')
        out.data[--out.len] = '\0';
    return buf_take(&out);
}

static void copy_finding(const struct journal *j, const struct finding *f,
                         struct result_assert *out)
{
    size_t i;

    out->id = mem_dup(f->id);
    out->requirement = mem_dup(f->req);
    out->verdict = mem_dup(verdict_name(f->verdict));
    out->says = one_line(f->says);
    out->expected = mem_dup(f->expected);
    out->got = mem_dup(f->got);
    out->reason = mem_dup(f->reason);
    out->line = f->line;
    for (i = 0; i < f->exchange_count; i++)
        describe(j, f->exchanges[i], result_assert_exchange(out));
}

static void begin(const struct testcase *tc, struct result_case *out)
{
    size_t i;

    out->id = mem_dup(tc->id);
    out->title = one_line(tc->title);
    out->rev = tc->rev;
    out->requirements = mem_alloc((tc->cover_count + 1) * sizeof(char *));
    for (i = 0; i < tc->cover_count; i++)
        out->requirements[i] = mem_dup(tc->covers[i]);
    out->requirement_count = tc->cover_count;
}

/* Did the peer never send us a message? What a client does not send is an
 * exchange that does not exist. */
static bool is_silent(const struct journal *j, enum role role)
{
    const char *message = role == ROLE_CLIENT ? "req" : "res";
    const xmlNode *x = xml_child(journal_root(j), NULL, "x");

    for (; x; x = xml_next(x))
        if (xml_is(x, NULL, "x") && xml_child(x, NULL, message))
            return false;
    return true;
}

void outcome_case(const struct testcase *tc, const struct journal *j,
                  const struct judgement *jt, struct result_case *out)
{
    size_t i;

    begin(tc, out);
    out->verdict = mem_dup(verdict_name(jt->verdict));
    out->reason = mem_dup(jt->reason ? jt->reason : "");
    out->lagged = jt->lagged;
    out->silent = is_silent(j, tc->role);
    for (i = 0; i < jt->finding_count; i++)
        copy_finding(j, &jt->findings[i], result_case_assert(out));
}

void outcome_error(const struct testcase *tc, const char *reason,
                   struct result_case *out)
{
    begin(tc, out);
    out->verdict = mem_dup(verdict_name(VERDICT_ERROR));
    out->reason = mem_dup(reason);
}

static void add_row(const struct knowledge *k, const char *id, struct result *r)
{
    const struct requirement *row =
        id ? catalogue_find(&k->catalogue, id) : NULL;
    char *text;

    if (!row || result_find_requirement(r, id))
        return;
    text = one_line(row->text);
    result_add_requirement(r, row->id, row->section, row->level, text);
    free(text);
}

void outcome_requirements(const struct knowledge *k,
                          const struct result_case *c, struct result *r)
{
    size_t i;

    for (i = 0; i < c->assert_count; i++)
        add_row(k, c->asserts[i].requirement, r);
    for (i = 0; i < c->requirement_count; i++)
        add_row(k, c->requirements[i], r);
}

/* ------------------------------------------------------------- the suite */

static void hash_file(struct sha256_ctx *sha, const char *name,
                      const char *path)
{
    FILE *f = fopen(path, "re");
    uint8_t data[16384];
    size_t got;

    sha256_update(sha, strlen(name) + 1, (const uint8_t *)name);
    while (f && (got = fread(data, 1, sizeof data, f)) > 0)
        sha256_update(sha, got, data);
    if (f)
        fclose(f);
}

char *outcome_suite_hash(const struct knowledge *k,
                         struct testcase *const *cases, size_t count)
{
    static const char *const shared[] = {"requirements.xml", "invariants.xml"};
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct buf hex = BUF_INIT;
    struct sha256_ctx sha;
    size_t i;

    sha256_init(&sha);
    for (i = 0; i < sizeof shared / sizeof *shared; i++) {
        char *path = mem_printf("%s/%s", k->dir, shared[i]);

        hash_file(&sha, shared[i], path);
        free(path);
    }
    for (i = 0; i < count; i++)
        hash_file(&sha, cases[i]->id, cases[i]->path);
    sha256_digest(&sha, sizeof digest, digest);
    for (i = 0; i < sizeof digest; i++)
        buf_printf(&hex, "%02x", digest[i]);
    return buf_take(&hex);
}

/* ------------------------------------------------------------- status */

/* Every case that wanted to play is ERROR, and nothing ever came from the
 * peer, whatever each case has to say of that. */
static bool all_silent(const struct result *r)
{
    size_t erred = result_count(r, COUNT_ERROR), silent = 0, i;

    for (i = 0; i < r->case_count; i++)
        silent += r->cases[i].silent &&
                  result_count_of(r->cases[i].verdict) == COUNT_ERROR;
    return silent > 0 && silent == erred && result_judged(r) == 0;
}

/* It is the peer that could not be tested. */
static bool untestable(const struct result *r)
{
    return result_one_reason(r) || all_silent(r);
}

int outcome_status(const struct result *r)
{
    size_t min = r->options.min > 0 ? (size_t)r->options.min : 0, i;

    for (i = 0; i < r->case_count; i++)
        if (result_is_failure(r, &r->cases[i]))
            return 1;
    if (r->interrupted || !r->finished)
        return 1;
    if (untestable(r))
        return 3;
    if (result_judged(r) < min)
        return 4;
    return result_count(r, COUNT_ERROR) > 0 ? 1 : 0;
}
