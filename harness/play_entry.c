/* Creations and logins as steps of a play: see play_entry.h. */
#include "play_entry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "play_sending.h"
#include "play_login.h"

/* What we ask for where a case does not say. */
#define DEFAULT_WAIT "60"
#define DEFAULT_HOLD "1"
#define DEFAULT_VER "1.11"
/* How much longer than 'wait' an answer may take before a login gives up. */
#define PATIENCE_MS 10000
/* Rids begin below this, so that none reaches 2^53, XEP-0124 §14.1. */
#define FIRST_RID_BELOW (UINT64_C(1) << 52)

/* A login or a creation on its way: a thread's extra. */
/* Requests in one login, polls apart; a server that asks for more will ask for
 * ever. */
#define LOGIN_MAX_ORDERS 20
#define SLOW_LOGIN_MS 400

struct entry {
    struct play_login *login;    /* NULL: only the creation */
    struct raw_session *session; /* borrowed from the play_server */
    unsigned x;                  /* awaits its answer; 0: none */
    bool named;
    int64_t limit_ms;
    /* what the login wants next, while it may not be sent yet */
    bool ordered;
    enum login_wants wants;
    const char *stanzas;
    unsigned orders; /* so far */
};

static uint64_t random64(const struct play *p)
{
    return p->setting->random(p->setting->random_ctx);
}

/* ---- creation: what login and create have in common ---- */

bool entry_set_attrs(struct play *p, int64_t now_ms, struct raw_body *body,
                     const struct named_avt *attrs, size_t count, int line)
{
    struct err e = {""};

    for (size_t i = 0; i < count; i++) {
        const char *name = attrs[i].name;
        char *value;

        if (strcmp(name, "method") == 0 || strcmp(name, "path") == 0 ||
            strcmp(name, "resource") == 0)
            continue; /* not of the <body/> */
        if (!attrs[i].value) {
            raw_body_drop(body, name);
            continue;
        }
        value = avt_eval(attrs[i].value, p->journal, &e);
        if (!value) {
            play_end_broken(p, now_ms, line, &e);
            return false;
        }
        raw_body_set(body, name, value);
        free(value);
    }
    return true;
}

void entry_plain_creation(const struct play *p, struct raw_body *body)
{
    char rid[24];

    snprintf(rid, sizeof rid, "%" PRIu64,
             1 + random64(p) % (FIRST_RID_BELOW - 1));
    raw_body_set(body, "content", "text/xml; charset=utf-8");
    raw_body_set(body, "hold", DEFAULT_HOLD);
    raw_body_set(body, "rid", rid);
    raw_body_set(body, "to", p->setting->domain);
    raw_body_set(body, "ver", DEFAULT_VER);
    raw_body_set(body, "wait", DEFAULT_WAIT);
    raw_body_set(body, "xml:lang", "en");
    raw_body_set(body, "xmpp:version", "1.0");
}

/* The plain one, and what the step changes in it. */
static bool creation_body(struct play *p, int64_t now_ms, const struct step *st,
                          struct raw_body *body)
{
    entry_plain_creation(p, body);
    return entry_set_attrs(p, now_ms, body, st->attrs, st->attr_count,
                           st->line) &&
           entry_set_attrs(p, now_ms, body, st->body_attrs, st->body_attr_count,
                           st->line);
}

static int64_t asked_wait_ms(const struct raw_body *body)
{
    for (size_t i = 0; i < body->count; i++) {
        if (strcmp(body->attrs[i].name, "wait") == 0)
            return (int64_t)(raw_rid(body->attrs[i].value) % 65536) * 1000;
    }
    return 0;
}

static void entry_free(void *extra)
{
    struct entry *en = extra;

    play_login_free(en->login);
    free(en);
}

/* Until when the part of the login that begins now must be through. Features
 * may come on the second answer, each up to 'wait' late. */
static void set_limit(const struct play *p, struct entry *en, int64_t now_ms)
{
    const struct raw_session *s = en->session;
    int64_t ms = 2 * s->wait_ms + PATIENCE_MS;

    if (s->polls && s->polling_ms > 0)
        ms += 3 * s->polling_ms;
    en->limit_ms = now_ms + (int64_t)((double)ms * p->setting->timeout_factor);
}

/* Send the creation request. False when the play has ended. */
static bool begin_entry(struct play *p, struct thread *th,
                        const struct step *st, int64_t now_ms)
{
    struct buf entity = BUF_INIT;
    struct sending how;
    struct raw_body body;
    struct entry *en;
    bool ok;

    raw_body_init(&body);
    ok = sending_read(p, now_ms, st, &how) &&
         creation_body(p, now_ms, st, &body);
    if (ok) {
        en = mem_alloc(sizeof *en);
        th->extra = en;
        th->extra_free = entry_free;
        raw_body_write(&entity, &body, NULL, 0);
        en->x = sessions_send(p, now_ms, &how, entity.data, entity.len);
        play_name_x(p, now_ms, st->exchange, en->x);
        en->session = sessions_exchange(p->server, en->x)->session;
    }
    if (ok && !en->session) { /* <attribute name="sid"> made it another thing */
        play_end_at(p, now_ms, PLAY_ERROR, "this creates no session", st->line);
        ok = false;
    } else if (ok) {
        en->session->handle = mem_dup(st->as);
        en->session->wait_ms = asked_wait_ms(&body);
        set_limit(p, en, now_ms);
    }
    buf_release(&entity);
    sending_release(&how);
    raw_body_release(&body);
    return ok;
}

static void name_session(struct play *p, int64_t now_ms, struct entry *en,
                         const char *as)
{
    struct event ev;

    if (en->named || !as)
        return;
    en->named = true;
    event_init(&ev, "name");
    event_set(&ev, "as", as);
    event_setf(&ev, "session", "%u", en->session->creation);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}

/* An answer that is none is a fact like any other: what the creation brought
 * is the judge's. */
enum went entry_create(struct play *p, struct thread *th, const struct step *st,
                       int64_t now_ms)
{
    struct entry *en;

    if (!th->extra && !begin_entry(p, th, st, now_ms))
        return WENT_OVER;
    en = th->extra;
    if (sessions_open(p->server, en->x) && now_ms < en->limit_ms) {
        th->deadline_ms = en->limit_ms;
        return WENT_WAIT;
    }
    name_session(p, now_ms, en, st->as);
    return WENT_ON;
}

/* ---- login ---- */

static enum went login_failed(struct play *p, int64_t now_ms,
                              const struct step *st,
                              const struct play_login *login,
                              const char *instead)
{
    char *because;
    enum went went;

    if (instead)
        because =
            mem_printf("login failed: %s: %s", play_login_what(login), instead);
    else
        because = mem_printf(
            "%slogin failed: %s",
            play_login_limited(login) ? "the server limits us: " : "",
            play_login_because(login));
    went = play_end_at(p, now_ms, PLAY_ERROR, because, st->line);
    free(because);
    return went;
}

static const struct account *account_of(const struct play *p, unsigned number)
{
    const struct play_setting *set = p->setting;

    return &set->accounts[(set->first_account + number - 1) %
                          set->account_count];
}

static bool new_login(struct play *p, int64_t now_ms, const struct step *st,
                      struct entry *en)
{
    struct play_login_options options = {.random = random64(p),
                                         .secure = p->setting->tls};
    char *resource = play_attr(p, now_ms, st, "resource");

    if (p->over)
        return false;
    if (!resource)
        resource = mem_printf("boshspec-%08" PRIx32, (uint32_t)random64(p));
    if (st->account) { /* 0: anonymously */
        const struct account *a = account_of(p, st->account);

        options.jid = a->jid;
        options.password = a->password;
    }
    options.resource = resource;
    en->login = play_login_new(&options);
    free(resource);
    return true;
}

static bool begin_login(struct play *p, struct thread *th,
                        const struct step *st, int64_t now_ms)
{
    if (st->account > p->setting->account_count) {
        char *because = mem_printf("login with account %u, %zu given",
                                   st->account, p->setting->account_count);

        play_end_at(p, now_ms, PLAY_ERROR, because, st->line);
        free(because);
        return false;
    }
    return begin_entry(p, th, st, now_ms) &&
           new_login(p, now_ms, st, th->extra);
}

/* What the login wants to say, in a request of its session. */
static void send_login(struct play *p, int64_t now_ms, struct entry *en)
{
    const char *stanzas = en->wants == LOGIN_SEND ? en->stanzas : "";
    struct sending how = SENDING_INIT;
    struct buf entity = BUF_INIT;
    struct raw_body body;

    raw_body_init(&body);
    sessions_address(en->session, &body);
    if (en->wants == LOGIN_RESTART) {
        raw_body_set(&body, "to", p->setting->domain);
        raw_body_set(&body, "xml:lang", "en");
        raw_body_set(&body, "xmpp:restart", "true");
    }
    raw_body_write(&entity, &body, stanzas, strlen(stanzas));
    en->x = sessions_send(p, now_ms, &how, entity.data, entity.len);
    en->ordered = false;
    buf_release(&entity);
    raw_body_release(&body);
}

/* Wait until due, but not beyond the limit. */
static enum went rest(struct thread *th, const struct entry *en, int64_t due)
{
    th->deadline_ms = due < en->limit_ms ? due : en->limit_ms;
    return WENT_WAIT;
}

/* Nothing of the login is open: the next thing. */
static enum went continue_login(struct play *p, struct thread *th,
                                const struct step *st, int64_t now_ms)
{
    struct entry *en = th->extra;
    int64_t due;

    if (!en->ordered) {
        en->wants = play_login_next(en->login, &en->stanzas);
        en->ordered = true;
        if (en->wants != LOGIN_POLL && ++en->orders > LOGIN_MAX_ORDERS)
            return login_failed(p, now_ms, st, en->login, "it has no end");
        if (en->wants != LOGIN_POLL)
            set_limit(p, en, now_ms);
    }
    if ((st->stop_before == LOGIN_BEFORE_AUTH && en->wants == LOGIN_SEND) ||
        (st->stop_before == LOGIN_BEFORE_RESTART && en->wants == LOGIN_RESTART))
        return WENT_ON; /* the rest is the case's */
    switch (en->wants) {
    case LOGIN_DONE:
        return WENT_ON;
    case LOGIN_FAILED:
        return login_failed(p, now_ms, st, en->login, NULL);
    case LOGIN_SEND:
    case LOGIN_RESTART:
    case LOGIN_POLL:
        break;
    }
    due = en->wants == LOGIN_POLL ? sessions_poll_due(en->session)
                                  : sessions_request_due(en->session);
    if (now_ms < due && now_ms < en->limit_ms)
        return rest(th, en, due);
    if (now_ms >= en->limit_ms)
        return login_failed(p, now_ms, st, en->login, "nothing came in time");
    send_login(p, now_ms, en);
    return rest(th, en, CLOCK_NEVER);
}

/* What is said in a login has its answer at once, unless the server has much
 * to do. */
static void note_slowness(struct play *p, int64_t now_ms,
                          const struct entry *en)
{
    int64_t took_ms = now_ms - en->session->last_sent_ms;

    if (took_ms >= SLOW_LOGIN_MS && took_ms > p->server->slow_ms)
        p->server->slow_ms = took_ms;
}

/* At most one request is open at a time, so that none is at the end. */
enum went entry_login(struct play *p, struct thread *th, const struct step *st,
                      int64_t now_ms)
{
    struct entry *en;

    if (!th->extra && !begin_login(p, th, st, now_ms))
        return WENT_OVER;
    en = th->extra;
    if (en->x && sessions_open(p->server, en->x)) {
        if (now_ms >= en->limit_ms)
            return login_failed(p, now_ms, st, en->login,
                                "nothing came in time");
        return rest(th, en, CLOCK_NEVER);
    }
    if (en->x) {
        struct raw_answer a = raw_answer_read(p->journal, en->x);

        if (en->x == en->session->creation)
            set_limit(p, en, now_ms); /* by the wait that was granted */
        else if (en->wants != LOGIN_POLL)
            note_slowness(p, now_ms, en);
        en->x = 0;
        name_session(p, now_ms, en, st->as);
        play_login_take(en->login, &a);
    }
    return continue_login(p, th, st, now_ms);
}
