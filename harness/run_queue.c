/* Which case starts next: see run_parts.h. */
#include "run_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

/* Which of our accounts is the case's i-th when its first is our shift-th. */
static size_t account_of(const struct run *run, size_t i, size_t shift)
{
    return (i + shift) % run->options->account_count;
}

/* How many sessions the busiest of its accounts would have; 0: too many. An
 * account is not burdened with more than servers allow, unless a single case
 * wants more. */
static unsigned burden(const struct run *run, const struct item *it,
                       size_t shift)
{
    unsigned most = 0, limit = run->options->sessions;
    size_t i;

    for (i = 0; i < run->options->account_count; i++) {
        unsigned others = run->logins[account_of(run, i, shift)];

        if (it->logins[i] == 0)
            continue;
        if (limit > 0 && others > 0 && others + it->logins[i] > limit)
            return 0;
        if (others + it->logins[i] > most)
            most = others + it->logins[i];
    }
    return most;
}

/* To the case its accounts are alike: take those that have least to do. */
static bool choose_accounts(const struct run *run, struct item *it)
{
    unsigned least = 0;
    size_t shift;

    if (!it->logs_in)
        return true;
    for (shift = 0; shift < run->options->account_count; shift++) {
        unsigned n = burden(run, it, shift);

        if (n > 0 && (least == 0 || n < least)) {
            least = n;
            it->first_account = shift;
        }
    }
    return least > 0;
}

bool queue_may_start(const struct run *run, struct item *it)
{
    if (run->stopping || it->state != ITEM_QUEUED || it->stage ||
        (run->options->jobs > 0 && run->running >= run->options->jobs))
        return false;
    return !it->alone && choose_accounts(run, it);
}

void queue_began(struct run *run, const struct item *it)
{
    size_t i;

    for (i = 0; it->logs_in && i < run->options->account_count; i++)
        run->logins[account_of(run, i, it->first_account)] += it->logins[i];
}

void queue_ended(struct run *run, const struct item *it)
{
    size_t i;

    for (i = 0; it->logs_in && i < run->options->account_count; i++)
        run->logins[account_of(run, i, it->first_account)] -= it->logins[i];
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

/* Account 0 is nobody's: such a session is anonymous. */
static void count_logins(const struct step *steps, size_t n, unsigned *logins)
{
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned account = steps[i].account;

        if (steps[i].kind == STEP_LOGIN && account > 0 &&
            account <= RUN_MAX_ACCOUNTS)
            logins[account - 1]++;
        count_logins(steps[i].steps, steps[i].step_count, logins);
    }
}

/* What its sessions take of our accounts. Cases that may harm the server are
 * played at the end, with nobody beside them. */
static void burden_of(const struct run *run, struct item *it)
{
    const struct run_options *o = run->options;
    size_t i;

    if (it->tc->role != ROLE_SERVER)
        return;
    it->alone = it->apart = o->hostile && testcase_has_tag(it->tc, "hostile");
    count_logins(it->tc->steps, it->tc->step_count, it->logins);
    for (i = 0; i < o->account_count; i++)
        it->logs_in |= it->logins[i] > 0;
}

static int longest_first(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->tc->usual_ms != y->tc->usual_ms)
        return x->tc->usual_ms < y->tc->usual_ms ? 1 : -1;
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
        burden_of(run, it);
    }
    if (sel->count > 0)
        qsort(run->items, sel->count, sizeof *run->items, longest_first);
}
