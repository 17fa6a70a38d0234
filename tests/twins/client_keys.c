/* Client twins: key sequences, XEP-0124 §15. */
#include "client_shim.h"
#include "twins.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "entity.h"

static bool opens(const struct shim_request *r)
{
    char *sid = entity_attr(&r->body, "sid");
    bool none = !sid;

    free(sid);
    return none;
}

static bool leave_all_out(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    entity_set(&r->body, "newkey", NULL);
    entity_set(&r->body, "key", NULL);
    return true;
}

static bool leave_keys_out(struct client_shim *cs, struct shim_request *r)
{
    if (cs->online)
        entity_set(&r->body, "key", NULL);
    return true;
}

static bool leave_old_out(struct client_shim *cs, struct shim_request *r)
{
    char *newkey = entity_attr(&r->body, "newkey");

    (void)cs;
    if (newkey && !opens(r))
        entity_set(&r->body, "key", NULL);
    free(newkey);
    return true;
}

static bool halve_newkey(struct client_shim *cs, struct shim_request *r)
{
    char *newkey = entity_attr(&r->body, "newkey");

    (void)cs;
    if (newkey) {
        newkey[strlen(newkey) / 2] = '\0';
        entity_set(&r->body, "newkey", newkey);
    }
    free(newkey);
    return true;
}

static void capitals(struct buf *body, const char *name)
{
    char *value = entity_attr(body, name);

    for (char *c = value; c && *c; c++)
        *c = (char)toupper((unsigned char)*c);
    if (value)
        entity_set(body, name, value);
    free(value);
}

/* The next key is compared with it, and case does not count there. */
static bool write_newkey_large(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    capitals(&r->body, "newkey");
    return true;
}

/* A key is hashed as it was written: these have other hashes. */
static bool write_key_large(struct client_shim *cs, struct shim_request *r)
{
    (void)cs;
    capitals(&r->body, "key");
    return true;
}

/* cs->text: the key of the newest request. */
static void note_key(struct client_shim *cs, const struct shim_request *r)
{
    char *key = entity_attr(&r->body, "key");

    if (key) {
        buf_clear(&cs->text);
        buf_adds(&cs->text, key);
    }
    free(key);
}

static bool use_twice(struct client_shim *cs, struct shim_request *r)
{
    if (r->attempt > 1)
        return true;
    if (cs->online && cs->text.len && cs->count++ == 0)
        entity_set(&r->body, "key", buf_str(&cs->text));
    else
        note_key(cs, r);
    return true;
}

static bool use_another(struct client_shim *cs, struct shim_request *r)
{
    char *key = entity_attr(&r->body, "key");

    if (key && r->attempt > 1) {
        key[0] = key[0] == 'f' ? '0' : 'f';
        entity_set(&r->body, "key", key);
    }
    free(key);
    (void)cs;
    return true;
}

const struct twin twins_client_keys[] = {
    {"announces-no-keys", TWIN_FAULTY, "uses no keys though it was told to",
     CLIENT(.request = leave_all_out)},
    {"leaves-keys-out", TWIN_FAULTY, "sends no more keys once it is logged in",
     CLIENT(.request = leave_keys_out)},
    {"changes-without-the-old-key", TWIN_FAULTY,
     "announces a new sequence without the last key of the old one",
     CLIENT(.request = leave_old_out)},
    {"announces-half-a-key", TWIN_FAULTY,
     "cuts off the newkey after twenty digits",
     CLIENT(.request = halve_newkey)},
    {"writes-newkeys-in-capitals", TWIN_RIGHT,
     "writes a newkey with capital letters",
     CLIENT(.request = write_newkey_large)},
    {"hashes-in-capitals", TWIN_FAULTY,
     "writes keys with other letters than those it hashes",
     CLIENT(.request = write_key_large)},
    {"uses-a-key-twice", TWIN_FAULTY, "uses a key for two requests",
     CLIENT(.request = use_twice)},
    {"takes-a-fresh-key-for-a-repeat", TWIN_FAULTY,
     "gives a request that it sends again another key",
     CLIENT(.request = use_another)},
    {0},
};
