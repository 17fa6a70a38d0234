/* Client twins: sessions that they take up, by attach or from what was saved.
 */
#include "client_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "entity.h"

static const char *arg(const struct verb *v, const char *name)
{
    for (size_t i = 0; i < v->arg_count; i++) {
        if (strcmp(v->args[i].name, name) == 0)
            return v->args[i].value;
    }
    return NULL;
}

static bool is(const struct verb *v, const char *name)
{
    return strcmp(v->name, name) == 0;
}

static bool is_restore(const struct verb *v)
{
    return is(v, "restore");
}

static void core(struct client_shim *cs, int64_t now_ms, const struct verb *v)
{
    struct buf reason = BUF_INIT;

    cs->inner->ops->verb(cs->inner, now_ms, v, &reason);
    buf_release(&reason);
}

/* Attach where the session is, with that rid. */
static void take_up(struct client_shim *cs, int64_t now_ms, const char *sid,
                    uint64_t rid)
{
    char *text = mem_printf("%llu", (unsigned long long)rid);
    struct verb v = {
        .name = "attach",
        .args = {{"jid", cs->jid}, {"sid", sid}, {"rid", text}},
        .arg_count = 3,
    };

    core(cs, now_ms, &v);
    free(text);
}

static bool attach_late(struct client_shim *cs, int64_t now_ms,
                        const struct verb *v)
{
    if (!is(v, "attach") || !arg(v, "sid") || !arg(v, "rid"))
        return true;
    take_up(cs, now_ms, arg(v, "sid"), strtoull(arg(v, "rid"), NULL, 10) + 1);
    return false;
}

static bool restore_late(struct client_shim *cs, int64_t now_ms,
                         const struct verb *v)
{
    if (!is_restore(v))
        return true;
    take_up(cs, now_ms, cs->sid, cs->top_rid + 2);
    return false;
}

/* cs->rid: of the newest request that had something in it. */
static bool note_payload(struct client_shim *cs, struct shim_request *r)
{
    if (entity_has_payload(&r->body))
        cs->rid = r->rid;
    return true;
}

static bool restore_old(struct client_shim *cs, int64_t now_ms,
                        const struct verb *v)
{
    if (!is_restore(v))
        return true;
    take_up(cs, now_ms, cs->sid, cs->rid);
    return false;
}

static bool log_in(struct client_shim *cs, int64_t now_ms, const struct verb *v)
{
    if (!is(v, "attach") && !is_restore(v))
        return true;
    client_shim_core_verb(cs, now_ms, "connect");
    return false;
}

static bool restore_for_all(struct client_shim *cs, int64_t now_ms,
                            const struct verb *v)
{
    struct verb anybody = {.name = v->name};

    if (!is_restore(v))
        return true;
    core(cs, now_ms, &anybody);
    return false;
}

const struct twin twins_client_attach[] = {
    {"attaches-one-rid-late", TWIN_FAULTY,
     "begins with the rid after the one that it was given",
     CLIENT(.verb = attach_late)},
    {"restores-one-rid-late", TWIN_FAULTY,
     "leaves out a rid when it takes up what was saved",
     CLIENT(.verb = restore_late)},
    {"restores-an-old-rid", TWIN_FAULTY,
     "has saved its rid before its last message",
     CLIENT(.request = note_payload, .verb = restore_old)},
    {"logs-in-instead", TWIN_FAULTY,
     "makes a new session when it shall take up an old one",
     CLIENT(.verb = log_in)},
    {"restores-for-anybody", TWIN_FAULTY,
     "takes up a saved session whoever asks for it",
     CLIENT(.verb = restore_for_all)},
    {0},
};
