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

/* Stored again by the attaching itself: it must be read again the same. */
static void check_restored(struct bosh *s, const struct place *place)
{
    uint64_t rid = bosh_rid(s);
    char *jid = mem_dup(bosh_jid(s));
    char *sid = mem_dup(bosh_sid(s));

    if (rid == 0 || rid > BOSH_RID_MAX || !*sid || place->saves != 1)
        abort();
    bosh_free(s);
    s = bosh_new(&(struct bosh_options){
        .lang = "en", .store = {save, load, (void *)(uintptr_t)place}});
    if (bosh_restore(s, 0, jid) || bosh_rid(s) != rid ||
        strcmp(bosh_sid(s), sid) != 0)
        abort();
    bosh_free(s);
    free(jid);
    free(sid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct place place = {mem_dupn((const char *)data, size), 0};
    struct bosh_options o;
    struct bosh *s;

    bosh_options_init(&o);
    o.store = (struct bosh_store){save, load, &place};
    s = bosh_new(&o);
    if (bosh_restore(s, 0, NULL) == 0) {
        check_restored(s, &place);
    } else {
        if (!*bosh_last_error(s) || !bosh_ended(s))
            abort();
        bosh_free(s);
    }
    free(place.text);
    return 0;
}
