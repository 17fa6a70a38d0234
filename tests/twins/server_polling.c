/* Server twins: polling sessions and too much activity, XEP-0124 §11, §12.
 * count is when the last request of a kind came. */
#include "server_shim.h"
#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "entity.h"

#define SOON_MS 1000
#define PATIENCE_MS 12000

/* ---- what is granted ---- */

static void name_no_interval(struct mock_options *o)
{
    o->polling_s = -1;
}

static void one_request(struct mock_options *o)
{
    o->requests = 1;
}

static void count_to_the_letter(struct mock_options *o)
{
    o->literal_overactivity = true;
}

static bool name_an_interval(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation)
        entity_set(&a->body, "polling", "5");
    return true;
}

static bool is_polling(const struct buf *creation)
{
    return entity_has(creation, "wait", "0") ||
           entity_has(creation, "hold", "0");
}

static bool be_as_impatient(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && is_polling(&a->body))
        entity_set(&a->body, "inactivity", "30");
    return true;
}

static bool be_hardly_patient(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    if (a->creation && is_polling(&a->body))
        entity_set(&a->body, "inactivity", "31");
    return true;
}

/* ---- what is minded ---- */

static bool end_by_policy(struct server_shim *ss,
                          const struct server_request *r)
{
    struct buf body = BUF_INIT;

    entity_empty(&body, "terminate");
    entity_set(&body, "condition", "policy-violation");
    server_shim_answer(ss, r->now_ms, r->token, 200, &body);
    buf_release(&body);
    return false;
}

/* Does it come within ms of the last such request? */
static bool comes_within(const struct server_request *r, int64_t ms)
{
    struct server_session *s = r->session;
    bool within = s->count && r->now_ms - (int64_t)s->count < ms;

    s->count = (uint64_t)r->now_ms;
    return within;
}

static bool is_poll(const struct server_request *r)
{
    return r->session && !r->repeat && !r->terminate && !r->pause &&
           !entity_has_payload(&r->body) &&
           !strstr(buf_str(&r->body), "restart");
}

static bool mind_polls(struct server_shim *ss, struct server_request *r)
{
    return !is_poll(r) || !comes_within(r, PATIENCE_MS) || end_by_policy(ss, r);
}

static bool mind_fast_polls(struct server_shim *ss, struct server_request *r)
{
    return !is_poll(r) || !comes_within(r, SOON_MS) || end_by_policy(ss, r);
}

static bool mind_repeats(struct server_shim *ss, struct server_request *r)
{
    if (!r->session || !r->repeat || entity_has_payload(&r->body))
        return true;
    return end_by_policy(ss, r);
}

static bool mind_payloads(struct server_shim *ss, struct server_request *r)
{
    const char *body = buf_str(&r->body);

    if (!r->session || r->repeat)
        return true;
    if (strstr(body, "UNKNOWN")) /* a login that is none, right after a poll */
        return end_by_policy(ss, r);
    return !strstr(body, "urn:xmpp:ping") || !comes_within(r, SOON_MS) ||
           end_by_policy(ss, r);
}

static bool call_it(struct server_answer *a, const char *condition)
{
    if (entity_has(&a->body, "condition", "policy-violation"))
        entity_set(&a->body, "condition", condition);
    return true;
}

static bool call_it_not_found(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return call_it(a, "item-not-found");
}

static bool call_it_internal(struct server_shim *ss, struct server_answer *a)
{
    (void)ss;
    return call_it(a, "internal-server-error");
}

const struct twin twins_server_polling[] = {
    {"names-no-interval", TWIN_UNADVISED, "does not say how often one may poll",
     SERVER(.options = name_no_interval)},
    {"bears-any-polling", TWIN_FAULTY,
     "says how often one may poll, and does not mind",
     SERVER(.options = name_no_interval, .answer = name_an_interval)},
    {"limits-polls-in-secret", TWIN_FAULTY,
     "does not say how often one may poll, and minds",
     SERVER(.options = name_no_interval, .request = mind_fast_polls)},
    {"calls-fast-polls-not-found", TWIN_FAULTY,
     "ends a session that polls too often by item-not-found",
     SERVER(.answer = call_it_not_found)},
    {"minds-patient-polls", TWIN_FAULTY,
     "minds polls that are as far apart as it has said",
     SERVER(.request = mind_polls)},
    {"minds-repeated-polls", TWIN_FAULTY,
     "takes the repeat of a poll for a poll too many",
     SERVER(.request = mind_repeats)},
    {"minds-frequent-payloads", TWIN_FAULTY,
     "takes what a user says for polls, when it comes fast",
     SERVER(.request = mind_payloads)},
    {"is-as-impatient-with-polls", TWIN_FAULTY,
     "gives polling sessions the inactivity of all others",
     SERVER(.answer = be_as_impatient)},
    {"is-hardly-more-patient", TWIN_FAULTY,
     "gives polling sessions one second more of inactivity",
     SERVER(.answer = be_hardly_patient)},
    {"forces-polling", TWIN_FAULTY,
     "grants one request, and so makes everybody poll",
     SERVER(.options = one_request)},
    {"calls-overactivity-internal", TWIN_FAULTY,
     "counts to the letter, and calls the end its own fault",
     SERVER(.options = count_to_the_letter, .answer = call_it_internal)},
    {0},
};
