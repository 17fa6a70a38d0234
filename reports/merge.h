/*
 * Several results made into one: the shards of a run.
 *
 * They belong together when they asked the same questions of the same peer:
 * version, suite hash, role, peer and --strict are alike, and no case is in
 * two of them. Pure.
 */
#ifndef REPORTS_MERGE_H
#define REPORTS_MERGE_H

#include "result.h"

struct merge {
    struct result result;
    size_t count; /* results in it */
    int64_t of;   /* shards that there are; 0: they are none */
    bool *there;  /* which of them, from 1 */
};

void merge_init(struct merge *m);
void merge_release(struct merge *m);

/*
 * Add one.
 *
 * from  moved from when it is added; release it either way
 * path  of from, for messages
 * dir   its folder: each case's log becomes dir/log; "" leaves them
 *
 * Counts add up, the longest time counts (shards run beside each other), and
 * the whole has finished when each part has. 0, or -1 with e: they do not
 * belong together, and m is as before.
 */
int merge_add(struct merge *m, struct result *from, const char *path,
              const char *dir, struct err *e);

/* Of the shards, is each there? 0, or -1 with e, which names one that is not;
 * the result is then unfinished. */
int merge_complete(struct merge *m, struct err *e);

#endif
