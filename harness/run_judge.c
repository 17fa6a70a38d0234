/* From a finished play to a verdict, on a worker thread: see run_parts.h. */
#include "run_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

/* On the worker's thread. The journal is the item's alone by now; compiled
 * invariants are shared by all, hence one case at a time. */
static void work(uv_work_t *req)
{
    struct run *run = req->data;
    struct item *it = run->judging;

    judge_case(it->tc, it->journal, &it->judge, &it->judgement);
    outcome_case(it->tc, it->journal, &it->judgement, &it->verdict);
}

static void begin_next(struct run *run);

static void worked(uv_work_t *req, int status)
{
    struct run *run = req->data;
    struct item *it = run->judging;

    (void)status; /* nobody cancels */
    run->judging = NULL;
    begin_next(run);
    run_judged(it);
}

static void begin_next(struct run *run)
{
    struct item *it = run->to_judge;

    if (run->judging || !it)
        return;
    run->to_judge = it->next_to_judge;
    if (!run->to_judge)
        run->to_judge_end = &run->to_judge;
    run->judging = it;
    run->work.data = run;
    uv_queue_work(&run->loop, &run->work, work, worked);
}

void run_judge(struct item *it)
{
    struct run *run = it->run;

    if (!it->journal) {
        outcome_error(it->tc, it->because, &it->verdict);
        run_judged(it);
        return;
    }
    it->state = ITEM_JUDGING;
    it->next_to_judge = NULL;
    *run->to_judge_end = it;
    run->to_judge_end = &it->next_to_judge;
    begin_next(run);
}

void run_judge_release(struct item *it)
{
    judgement_release(&it->judgement);
    memset(&it->judgement, 0, sizeof it->judgement);
    journal_free(it->journal);
    it->journal = NULL;
    free(it->because);
    it->because = NULL;
    result_case_release(&it->verdict);
}
