/* What both virtual stages share. */
#ifndef HARNESS_VIRTUAL_PARTS_H
#define HARNESS_VIRTUAL_PARTS_H

#include "common/http.h"
#include "virtual.h"

#define VIRTUAL_EPOCH_MS 1000000 /* where virtual time begins */
#define VIRTUAL_TRAVEL_MS 1

/* A stage to the loop: each does what can be done at the moment. */
struct virtual_world {
    struct play *play;
    void *stage;
    int64_t *now_ms;
    bool (*round)(void *stage); /* false: nothing could happen */
    int64_t (*next_moment)(void *stage);
    void (*tick)(void *stage);
};

/* Start the play, go on until it is over, and sign off; time jumps. Returns
 * when it was over. */
int64_t virtual_run(const struct virtual_world *w);

/* Take the result out of the play, which was over then. */
void virtual_take(struct play *p, int64_t over_ms, struct virtual_result *out);

/* The same numbers every time. ctx: a uint64_t that is not 0. */
uint64_t virtual_random(void *ctx);
#define VIRTUAL_SEED 88172645463325252u

/* A request's bytes as the mock wants them. Borrows from m and headers
 * (HTTP_MAX_HEADERS of them); release m in any case. False: not whole. */
bool virtual_to_mock(const char *bytes, size_t len, struct http_message *m,
                     struct mock_header *headers, struct mock_request *req);

/* The mock's answer as bytes, appended. */
void virtual_from_mock(struct buf *out, const struct mock_answer *a);

#endif
