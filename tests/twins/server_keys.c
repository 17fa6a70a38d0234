/* Server twins: acknowledgements, XEP-0124 §9, and keys, §15. */
#include "server_shim.h"
#include "twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <nettle/sha1.h>

#include "entity.h"

/* So far ahead that no window reaches it. */
#define FAR 1000000

/* ---- acknowledgements ---- */

static bool ack_one(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "ack", "1");
    return true;
}

static bool forget_acks(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation)
        entity_set(&a->body, "ack", NULL);
    return true;
}

static bool ack_itself(struct server_shim *ss, struct server_answer *a)
{
    char *ack = entity_attr(&a->body, "ack");

    (void)ss;
    if (a->session && !a->creation && !ack && !a->replay)
        entity_set_number(&a->body, "ack", a->rid);
    free(ack);
    return true;
}

static bool report_anything(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->session && !a->creation) {
        entity_set_number(&a->body, "report", a->rid - 1);
        entity_set(&a->body, "time", "5");
    }
    return true;
}

static bool report_another(struct server_shim *ss, struct server_answer *a)
{
    uint64_t report = entity_number(&a->body, "report");

    (void)ss;
    if (report)
        entity_set_number(&a->body, "report", report - 1);
    return true;
}

static bool report_seconds(struct server_shim *ss, struct server_answer *a)
{
    uint64_t time = entity_number(&a->body, "time");

    (void)ss;
    if (time)
        entity_set_number(&a->body, "time", time / 1000);
    return true;
}

static bool report_no_time(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    entity_set(&a->body, "time", NULL);
    return true;
}

/* ---- keys: looked at here, the core does not ---- */

static void look_away(struct mock_options *o)
{
    o->keys = false;
}

static void hash(const char *text, char out[41])
{
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, strlen(text), (const uint8_t *)text);
    sha1_digest(&ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* What the next key has to hash to; carry has it once there was one. */
static char *expected(const struct server_session *s)
{
    char *last = s->carry.len ? strdup(buf_str(&s->carry)) : NULL;

    return last ? last : entity_attr(&s->asked, "newkey");
}

static bool fits(const struct server_session *s, const char *key, bool exactly)
{
    char *wanted = expected(s);
    char got[41];
    bool same;

    hash(key ? key : "", got);
    same = !wanted ||
           (exactly ? strcmp(wanted, got) == 0 : strcasecmp(wanted, got) == 0);
    free(wanted);
    return same;
}

static void remember(struct server_session *s, const char *key)
{
    buf_clear(&s->carry);
    buf_adds(&s->carry, key);
}

/* The key of a request that must fit; NULL: there is none. */
static char *new_key(const struct server_request *r)
{
    return r->session && !r->repeat ? entity_attr(&r->body, "key") : NULL;
}

static void end_session(struct server_request *r)
{
    entity_set_number(&r->body, "rid", r->rid + FAR);
}

static bool refuse_all(struct server_shim *ss, struct server_request *r)
{
    char *key = new_key(r);

    (void)ss;
    if (key)
        end_session(r);
    free(key);
    return true;
}

/* Follows the chain, and where a new one is said goes on with the old. */
static bool check(struct server_request *r, bool exactly)
{
    char *key = new_key(r);
    bool good = !key || fits(r->session, key, exactly);

    if (key && good)
        remember(r->session, key);
    else if (!good)
        end_session(r);
    free(key);
    return good;
}

static bool allow_none(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    check(r, false);
    return true;
}

static bool compare_exactly(struct server_shim *ss, struct server_request *r)
{
    (void)ss;
    check(r, true);
    return true;
}

/* The core is given the request without what it says. */
static bool forgive(struct server_shim *ss, struct server_request *r)
{
    struct buf body = BUF_INIT;

    if (check(r, false))
        return true;
    entity_empty(&body, "terminate");
    entity_set(&body, "condition", "item-not-found");
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    entity_empty(&body, NULL);
    entity_set(&body, "sid", r->session->sid);
    entity_set_number(&body, "rid", r->rid);
    server_shim_inject(ss, r->now_ms, &body);
    buf_release(&body);
    return false;
}

static bool refuse_repeats(struct server_shim *ss, struct server_request *r)
{
    char *key = r->session && r->repeat ? entity_attr(&r->body, "key") : NULL;

    (void)ss;
    if (key)
        end_session(r);
    free(key);
    return true;
}

const struct twin twins_server_keys[] = {
    {"acks-one-at-creation", TWIN_FAULTY,
     "says ack='1' when it makes a session", SERVER(.answer = ack_one)},
    {"forgets-to-ack", TWIN_FAULTY,
     "announces acknowledgements, and sends none",
     SERVER(.answer = forget_acks)},
    {"acks-the-request-itself", TWIN_FAULTY,
     "acknowledges in each answer the request that it answers",
     SERVER(.answer = ack_itself)},
    {"reports-without-need", TWIN_FAULTY,
     "reports an answer as missing, always", SERVER(.answer = report_anything)},
    {"reports-the-wrong-answer", TWIN_FAULTY,
     "reports the answer before the one that is missing",
     SERVER(.answer = report_another)},
    {"reports-seconds", TWIN_FAULTY, "reports times in seconds",
     SERVER(.answer = report_seconds)},
    {"reports-without-time", TWIN_FAULTY, "reports answers without a time",
     SERVER(.answer = report_no_time)},
    {"looks-at-no-keys", TWIN_RIGHT, "does not look at keys",
     SERVER(.options = look_away)},
    {"hashes-raw-bytes", TWIN_FAULTY,
     "hashes the bytes that a key stands for, and so finds each wrong",
     SERVER(.options = look_away, .request = refuse_all)},
    {"takes-no-key-for-right", TWIN_FAULTY,
     "looks at a key only where there is one",
     SERVER(.options = look_away, .request = allow_none)},
    {"compares-keys-to-the-letter", TWIN_FAULTY,
     "takes keys in capitals for others",
     SERVER(.options = look_away, .request = compare_exactly)},
    {"forgives-a-wrong-key", TWIN_FAULTY,
     "says that a wrong key ends the session, and goes on",
     SERVER(.options = look_away, .request = forgive)},
    {"wants-a-new-key-for-a-repeat", TWIN_FAULTY,
     "takes the key of a repeat for a wrong one",
     SERVER(.request = refuse_repeats)},
    {"does-not-follow-the-change", TWIN_FAULTY,
     "goes on with the old sequence when a new one is announced",
     SERVER(.options = look_away, .request = allow_none)},
    {0},
};
