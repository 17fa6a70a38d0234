/* libFuzzer: a stored session that somebody damaged, through bosh_restore().
 * What is taken up keeps within bosh.h, and can be stored again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client-under-test/bosh.h"
#include "common/buf.h"
#include "fuzz.h"

struct place {
    char *text;
    int saves;
};

static int save(void *ctx, const char *text)
{
    struct place *place = ctx;

    free(place->text);
    place->text = mem_dup(text);
    place->saves++;
    return 0;
}

static char *load(void *ctx)
{
    struct place *place = ctx;

    return mem_dup(place->text);
}

static struct bosh *new_session(struct place *place)
{
    struct bosh_options o;

    bosh_options_init(&o);
    o.store = (struct bosh_store){save, load, place};
    return bosh_new(&o);
}

/* Stored again by the attaching itself: it must be read again the same. */
static void check_stored_again(struct bosh *s, struct place *place)
{
    struct bosh *other = new_session(place);

    if (bosh_restore(other, 0, bosh_jid(s)) || bosh_rid(other) != bosh_rid(s) ||
        strcmp(bosh_sid(other), bosh_sid(s)) != 0 ||
        bosh_open_count(other) != bosh_open_count(s))
        abort();
    bosh_free(other);
}

static void check_restored(struct bosh *s, struct place *place)
{
    struct bosh_request req;
    uint64_t rid = bosh_rid(s) - (uint64_t)bosh_open_count(s);

    if (rid == 0 || bosh_rid(s) > BOSH_RID_MAX || !*bosh_sid(s) ||
        place->saves == 0)
        abort();
    check_stored_again(s, place);
    while (bosh_next_request(s, 0, &req)) {
        if (req.rid != rid++)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct place place = {mem_dupn((const char *)data, size), 0};
    struct bosh *s = new_session(&place);

    if (bosh_restore(s, 0, NULL) == 0)
        check_restored(s, &place);
    else if (!*bosh_last_error(s) || !bosh_ended(s))
        abort();
    bosh_free(s);
    free(place.text);
    return 0;
}
