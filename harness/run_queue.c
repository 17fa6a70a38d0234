/* Which case starts next: see run_parts.h. */
#include "run_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

#define SESSIONS_PER_ACCOUNT 5 /* servers limit them */

/* An account is not burdened with more sessions than servers allow, unless a
 * single case wants more. */
static bool fits_accounts(const struct run *run, const struct item *it)
{
    size_t i;

    for (i = 0; i < RUN_MAX_ACCOUNTS; i++)
        if (it->logins[i] > 0 && run->logins[i] > 0 &&
            run->logins[i] + it->logins[i] > SESSIONS_PER_ACCOUNT)
            return false;
    return true;
}

bool queue_may_start(const struct run *run, const struct item *it)
{
    if (run->stopping || it->state != ITEM_QUEUED || it->stage ||
        (run->options->jobs > 0 && run->running >= run->options->jobs))
        return false;
    return !it->alone && fits_accounts(run, it);
}

struct item *queue_next_alone(struct run *run)
{
    struct item *found = NULL;
    size_t i;

    if (run->stopping || !run_quiet(run))
        return NULL;
    for (i = 0; i < run->item_count; i++) {
        if (run->items[i].state != ITEM_QUEUED)
            continue;
        if (!run->items[i].alone)
            return NULL;
        found = found ? found : &run->items[i];
    }
    return found;
}

static void count_logins(const struct step *steps, size_t n, unsigned *logins)
{
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned account = steps[i].account > 0 ? steps[i].account : 1;

        if (steps[i].kind == STEP_LOGIN && account <= RUN_MAX_ACCOUNTS)
            logins[account - 1]++;
        count_logins(steps[i].steps, steps[i].step_count, logins);
    }
}

static int longest_first(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->tc->worst_ms != y->tc->worst_ms)
        return x->tc->worst_ms < y->tc->worst_ms ? 1 : -1;
    return strcmp(x->tc->id, y->tc->id);
}

void queue_fill(struct run *run, const struct selection *sel)
{
    size_t i;

    run->item_count = sel->count;
    run->items = mem_alloc((sel->count + 1) * sizeof *run->items);
    for (i = 0; i < sel->count; i++) {
        struct item *it = &run->items[i];

        it->run = run;
        it->tc = sel->cases[i];
        if (it->tc->role == ROLE_SERVER && !run->options->anonymous)
            count_logins(it->tc->steps, it->tc->step_count, it->logins);
    }
    if (sel->count > 0)
        qsort(run->items, sel->count, sizeof *run->items, longest_first);
}
