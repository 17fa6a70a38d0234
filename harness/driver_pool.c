/* Which process plays which case: see driver_pool.h. */
#include "driver_pool.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "driver_watch.h"

struct member {
    struct member *next;
    struct driver_pool *pool;
    struct driver *driver;
    int pid;       /* and process group */
    bool own;      /* it serves one case */
    bool starting; /* hello is not answered yet */
    bool lost;
    unsigned leased; /* sessions */
};

struct driver_lease {
    struct driver_pool *pool;
    struct member *member; /* NULL: lost */
    struct driver_lease *next;
    unsigned sessions;
};

/* Somebody waits for room. */
struct wish {
    struct wish *next;
    unsigned sessions;
    bool own;
    bool again;              /* its play has begun: it is served first */
    struct member *starting; /* own: the process that is being started */
    driver_pool_fn fn;
    void *ctx;
};

struct driver_pool {
    uv_loop_t *loop;
    const struct driver_options *options;
    char *dir;
    struct member *members;
    struct driver_lease *leases;
    struct wish *wishes, **wishes_end;
    uv_timer_t timer;
    struct driver_watch *watch;
    unsigned started;
    char *peer_name, *peer_version;
    char *why_not;     /* the last start that failed; until one succeeds */
    unsigned failures; /* of starts, in a row */
    bool ending;
    void (*done)(void *ctx);
    void *done_ctx;
};

static void on_timer(uv_timer_t *timer);

static void look_soon(struct driver_pool *p)
{
    if (!p->ending)
        uv_timer_start(&p->timer, on_timer, 0, 0);
}

/* ------------------------------------------------------------- processes */

static void on_ready(void *ctx)
{
    struct member *m = ctx;
    struct driver_pool *p = m->pool;
    const struct driver_hello *hello = driver_hello(m->driver);

    m->starting = false;
    free(p->why_not);
    p->why_not = NULL;
    p->failures = 0;
    if (!p->peer_name) {
        p->peer_name = mem_dup(hello->name);
        p->peer_version = mem_dup(hello->version);
    }
    look_soon(p);
}

static void on_lost(void *ctx, const char *why)
{
    struct member *m = ctx;
    struct driver_pool *p = m->pool;
    struct driver_lease *l;

    if (m->starting && why[0]) {
        free(p->why_not);
        p->why_not = mem_dup(why);
        p->failures++;
    }
    for (l = p->leases; l; l = l->next)
        if (l->member == m)
            l->member = NULL;
    m->lost = true;
    look_soon(p);
}

static void timer_closed(uv_handle_t *handle)
{
    struct driver_pool *p = handle->data;

    driver_watch_free(p->watch);
    if (p->done)
        p->done(p->done_ctx);
    free(p->dir);
    free(p->peer_name);
    free(p->peer_version);
    free(p->why_not);
    free(p);
}

static void close_when_empty(struct driver_pool *p)
{
    if (p->ending && !p->members)
        uv_close((uv_handle_t *)&p->timer, timer_closed);
}

static void on_gone(void *ctx)
{
    struct member *m = ctx;
    struct driver_pool *p = m->pool;
    struct member **at;
    struct wish *w;

    for (w = p->wishes; w; w = w->next)
        if (w->starting == m)
            w->starting = NULL;
    for (at = &p->members; *at != m; at = &(*at)->next)
        ;
    *at = m->next;
    driver_watch_remove(p->watch, m->pid);
    free(m);
    look_soon(p);
    close_when_empty(p);
}

static struct member *start(struct driver_pool *p, bool own, struct err *e)
{
    struct member *m = mem_alloc(sizeof *m);
    struct driver_sink sink = {m, on_ready, on_lost, on_gone};
    struct driver_options o = *p->options;
    char *path = mem_printf("%s/driver-%u.stderr", p->dir, ++p->started);

    o.stderr_path = path;
    o.salt += p->started * 40503u;
    m->pool = p;
    m->own = own;
    m->starting = true;
    m->driver = driver_start(p->loop, &o, &sink, e);
    free(path);
    if (!m->driver) {
        free(m);
        return NULL;
    }
    m->pid = driver_pid(m->driver);
    driver_watch_add(p->watch, m->pid);
    m->next = p->members;
    p->members = m;
    return m;
}

/* May one more be started now? */
static bool has_place(const struct driver_pool *p, const struct wish *w)
{
    const struct member *m;
    size_t all = 0, starting = 0;

    for (m = p->members; m; m = m->next) {
        all += !m->lost;
        starting += !m->lost && m->starting;
    }
    return w->again || (all < DRIVER_POOL_MAX_PROCESSES &&
                        starting < DRIVER_POOL_MAX_STARTING);
}

static bool has_given_up(const struct driver_pool *p)
{
    return p->failures >= (p->peer_name ? DRIVER_POOL_FAILURES_LATER
                                        : DRIVER_POOL_FAILURES_FIRST);
}

/* ------------------------------------------------------------- wishes */

static void answer(struct driver_pool *p, struct wish **at, struct member *m,
                   enum driver_grant grant, const char *why)
{
    struct wish *w = *at;
    struct driver_lease *l = NULL;

    *at = w->next;
    if (!w->next)
        p->wishes_end = at;
    if (m) {
        l = mem_alloc(sizeof *l);
        l->pool = p;
        l->member = m;
        l->sessions = w->sessions;
        l->next = p->leases;
        p->leases = l;
        m->leased += w->sessions;
    }
    w->fn(w->ctx, grant, l, why);
    free(w);
}

static bool has_room(const struct member *m, unsigned sessions)
{
    unsigned limit;

    if (m->lost || m->starting)
        return false;
    limit = driver_hello(m->driver)->sessions;
    return limit == 0 || m->leased + sessions <= limit;
}

/* The process for a wish: one that is there, or NULL with *waits set when one
 * is about to be. */
static struct member *find_member(struct driver_pool *p, const struct wish *w,
                                  bool *waits)
{
    struct member *m;

    *waits = false;
    if (w->own) {
        *waits = w->starting != NULL && w->starting->starting;
        return w->starting && !w->starting->starting && !w->starting->lost
                   ? w->starting
                   : NULL;
    }
    for (m = p->members; m; m = m->next) {
        if (!m->own && has_room(m, w->sessions))
            return m;
        *waits = *waits || (!m->own && m->starting && !m->lost);
    }
    return NULL;
}

/* Does one process take so many at all? True while that is not known. */
static bool can_ever(const struct driver_pool *p, unsigned sessions)
{
    const struct member *m;

    for (m = p->members; m; m = m->next)
        if (!m->lost && !m->starting) {
            unsigned limit = driver_hello(m->driver)->sessions;

            return limit == 0 || sessions <= limit;
        }
    return true;
}

/* Serve one wish. Returns false when it has to wait. */
static bool serve(struct driver_pool *p, struct wish **at)
{
    struct wish *w = *at;
    struct err e = {""};
    bool waits;
    struct member *m = find_member(p, w, &waits);

    if (m && has_room(m, w->sessions)) {
        answer(p, at, m, DRIVER_GRANTED, "");
        return true;
    }
    if (waits)
        return false;
    if (has_given_up(p)) {
        answer(p, at, NULL, DRIVER_NONE, p->why_not);
        return true;
    }
    if (!can_ever(p, w->sessions)) {
        answer(p, at, NULL, DRIVER_TOO_FEW,
               "the driver does not run so many sessions in one process");
        return true;
    }
    if (!has_place(p, w))
        return false;
    m = start(p, w->own, &e);
    if (!m) {
        answer(p, at, NULL, DRIVER_NONE, e.text);
        return true;
    }
    if (w->own)
        w->starting = m;
    return false;
}

static void on_timer(uv_timer_t *timer)
{
    struct driver_pool *p = timer->data;
    struct wish **at = &p->wishes;

    /* A served wish may bring new ones: they stand at the end. */
    while (!p->ending && *at)
        if (!serve(p, at))
            at = &(*at)->next;
}

/* ------------------------------------------------------------- the API */

struct driver_pool *driver_pool_new(uv_loop_t *loop,
                                    const struct driver_options *options,
                                    const char *dir)
{
    struct driver_pool *p = mem_alloc(sizeof *p);

    p->loop = loop;
    p->options = options;
    p->dir = mem_dup(dir);
    p->watch = driver_watch_new();
    p->wishes_end = &p->wishes;
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    return p;
}

void driver_pool_free(struct driver_pool *p, void (*done)(void *ctx), void *ctx)
{
    struct member *m;

    p->ending = true;
    p->done = done;
    p->done_ctx = ctx;
    uv_timer_stop(&p->timer);
    while (p->wishes) {
        struct wish *w = p->wishes;

        p->wishes = w->next;
        free(w);
    }
    p->wishes_end = &p->wishes;
    for (m = p->members; m; m = m->next)
        driver_stop(m->driver);
    close_when_empty(p);
}

int driver_pool_warm(struct driver_pool *p, struct err *e)
{
    return start(p, false, e) ? 0 : -1;
}

void driver_pool_lease(struct driver_pool *p, unsigned sessions, bool own,
                       driver_pool_fn fn, void *ctx)
{
    struct wish *w = mem_alloc(sizeof *w);

    w->sessions = sessions;
    w->own = own;
    w->fn = fn;
    w->ctx = ctx;
    *p->wishes_end = w;
    p->wishes_end = &w->next;
    look_soon(p);
}

void driver_pool_lease_again(struct driver_pool *p, unsigned sessions,
                             driver_pool_fn fn, void *ctx)
{
    struct wish *w = mem_alloc(sizeof *w);

    w->sessions = sessions;
    w->own = true;
    w->again = true;
    w->fn = fn;
    w->ctx = ctx;
    w->next = p->wishes;
    p->wishes = w;
    if (!w->next)
        p->wishes_end = &w->next;
    look_soon(p);
}

void driver_pool_forget(struct driver_pool *p, const void *ctx)
{
    struct wish **at = &p->wishes;

    while (*at) {
        struct wish *w = *at;

        if (w->ctx != ctx) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        if (!w->next)
            p->wishes_end = at;
        if (w->starting && !w->starting->lost)
            driver_stop(w->starting->driver);
        free(w);
    }
}

struct driver *driver_lease_driver(const struct driver_lease *l)
{
    return l && l->member ? l->member->driver : NULL;
}

void driver_lease_free(struct driver_lease *l)
{
    struct driver_lease **at;

    if (!l)
        return;
    for (at = &l->pool->leases; *at != l; at = &(*at)->next)
        ;
    *at = l->next;
    if (l->member) {
        l->member->leased -= l->sessions;
        if (l->member->own)
            driver_stop(l->member->driver);
    }
    look_soon(l->pool);
    free(l);
}

const char *driver_pool_peer_name(const struct driver_pool *p)
{
    return p->peer_name ? p->peer_name : "";
}

const char *driver_pool_peer_version(const struct driver_pool *p)
{
    return p->peer_version ? p->peer_version : "";
}
