/* Several results made into one: see merge.h. */
#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

void merge_init(struct merge *m)
{
    memset(m, 0, sizeof *m);
    result_init(&m->result);
}

void merge_release(struct merge *m)
{
    result_release(&m->result);
    free(m->there);
    memset(m, 0, sizeof *m);
}

/* ------------------------------------------------------------- alike? */

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A shard without a case never heard who its peer is. */
static bool same_if_known(const char *a, const char *b)
{
    return !a || !b || strcmp(a, b) == 0;
}

static const char *or_none(const char *s)
{
    return s ? s : "(none)";
}

static int check_same(const char *what, const char *a, const char *b,
                      const char *path, struct err *e)
{
    if (same(a, b))
        return 0;
    return err_set(e, "%s: another %s than those before it: '%s', not '%s'",
                   path, what, or_none(b), or_none(a));
}

static int check_peer(const struct result *a, const struct result *b,
                      const char *path, struct err *e)
{
    if (check_same("command of the client", a->peer_command, b->peer_command,
                   path, e) < 0 ||
        check_same("URL of the server", a->peer_url, b->peer_url, path, e) < 0)
        return -1;
    if (!same_if_known(a->peer_name, b->peer_name))
        return check_same("peer", a->peer_name, b->peer_name, path, e);
    if (!same_if_known(a->peer_version, b->peer_version))
        return check_same("version of the peer", a->peer_version,
                          b->peer_version, path, e);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first id that is in both, or NULL. */
static const char *shared_case(const struct result *a, const struct result *b)
{
    const char **ids = mem_alloc((a->case_count + 1) * sizeof(char *));
    const char *found = NULL;
    size_t i;

    for (i = 0; i < a->case_count; i++)
        ids[i] = a->cases[i].id;
    qsort(ids, a->case_count, sizeof(char *), by_id);
    for (i = 0; i < b->case_count && !found; i++)
        if (bsearch(&b->cases[i].id, ids, a->case_count, sizeof(char *), by_id))
            found = b->cases[i].id;
    free(ids);
    return found;
}

static int check(const struct merge *m, const struct result *from,
                 const char *path, struct err *e)
{
    const struct result *r = &m->result;
    const char *both;

    if (check_same("role", r->role, from->role, path, e) < 0 ||
        check_same("version of boshspec", r->version, from->version, path, e) <
            0 ||
        check_same("suite of cases", r->suite_hash, from->suite_hash, path, e) <
            0 ||
        check_peer(r, from, path, e) < 0)
        return -1;
    if (r->options.strict != from->options.strict)
        return err_set(
            e,
            "%s: --strict is on here, or in those before it, but not in "
            "both",
            path);
    if (m->of != from->options.shards)
        return err_set(e, "%s: one of %lld shards, those before it of %lld",
                       path, (long long)from->options.shards, (long long)m->of);
    both = shared_case(r, from);
    return both ? err_set(e, "%s: case '%s' is in another result too", path,
                          both)
                : 0;
}

/* ------------------------------------------------------------- adding */

static void move(char **log, const char *dir)
{
    char *path = *log ? mem_printf("%s/%s", dir, *log) : NULL;

    free(*log);
    *log = path;
}

static void move_logs(struct result *r, const char *dir)
{
    size_t i, j;

    for (i = 0; i < r->case_count && *dir; i++) {
        struct result_case *c = &r->cases[i];

        move(&c->log, dir);
        for (j = 0; j < c->round_count; j++)
            move(&c->rounds[j].log, dir);
        result_case_reseal(c);
    }
}

static void fill(char **to, char **from)
{
    if (*to)
        return;
    *to = *from;
    *from = NULL;
}

static void add_times(struct result *r, struct result *from)
{
    if (from->wall_ms > r->wall_ms)
        r->wall_ms = from->wall_ms;
    if (from->slowest && (!r->slowest || from->slowest_ms > r->slowest_ms)) {
        r->slowest_ms = from->slowest_ms;
        free(r->slowest);
        r->slowest = mem_dup(from->slowest);
    }
    if (from->started &&
        (!r->started || strcmp(from->started, r->started) < 0)) {
        free(r->started);
        r->started = mem_dup(from->started);
    }
}

static void add_all(struct result *r, struct result *from)
{
    size_t i;

    for (i = 0; i < from->case_count; i++)
        result_add(r, &from->cases[i]);
    for (i = 0; i < from->requirement_count; i++) {
        const struct result_requirement *q = &from->requirements[i];

        result_add_requirement(r, q->id, q->section, q->level, q->text);
    }
    fill(&r->peer_name, &from->peer_name);
    fill(&r->peer_version, &from->peer_version);
    add_times(r, from);
    r->selected += from->selected;
    r->finished = r->finished && from->finished;
    r->interrupted = r->interrupted || from->interrupted;
    r->options.fail_fast = r->options.fail_fast || from->options.fail_fast;
    r->options.min += from->options.min;
}

int merge_add(struct merge *m, struct result *from, const char *path,
              const char *dir, struct err *e)
{
    int64_t shard = from->options.shard;

    if (m->count > 0 && check(m, from, path, e) < 0)
        return -1;
    move_logs(from, dir);
    if (m->count == 0) {
        m->of = from->options.shards;
        m->there = mem_alloc((size_t)m->of + 1);
        m->result = *from;
        result_init(from);
    } else {
        add_all(&m->result, from);
    }
    m->count++;
    if (shard > 0 && shard <= m->of)
        m->there[shard] = true;
    return 0;
}

int merge_complete(struct merge *m, struct err *e)
{
    int64_t i;

    m->result.options.shard = m->result.options.shards = 0;
    for (i = 1; i <= m->of; i++)
        if (!m->there[i]) {
            m->result.finished = false;
            return err_set(e, "shard %lld/%lld is missing", (long long)i,
                           (long long)m->of);
        }
    return 0;
}
