/* A case's steps, and what is done to exchanges: see reader.h. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

static int line_of(const xmlNode *node)
{
    return (int)xmlGetLineNo(node);
}

static bool named(const xmlNode *node, const char *name)
{
    return strcmp((const char *)node->name, name) == 0;
}

/* ------------------------------------------------- lists of named values */

/* The attributes that are there, of those in names. */
static void read_attrs(struct reader *r, const xmlNode *node, struct step *st,
                       const char *const *names)
{
    for (; *names; names++) {
        struct avt *value = reader_avt_attr(r, node, *names);
        struct named_avt *attr;

        if (!value)
            continue;
        attr = READER_ADD(st->attrs, st->attr_count);
        attr->name = mem_dup(*names);
        attr->value = value;
    }
}

/* All children of that name: <option name="n">value</option>. */
static void read_named(struct reader *r, const xmlNode *parent,
                       const char *name, struct named_avt **list, size_t *count)
{
    const xmlNode *child = xml_child(parent, XML_NS_CASE, NULL);

    for (; child; child = xml_next(child)) {
        struct named_avt *item;
        char *text;

        if (!xml_is(child, XML_NS_CASE, name))
            continue;
        item = READER_ADD(*list, *count);
        item->name = reader_attr(child, "name");
        if (reader_is(child, "remove", "yes"))
            continue;
        text = reader_words(child);
        item->value = avt_new(text, r->path, line_of(child), &r->err);
        free(text);
    }
}

/* --------------------------------------------------------------- actions */

static const char *const part_words[] = {"request", "response", NULL};
static const char *const how_words[] = {"fin", "rst", "half-close", NULL};
static const char *const when_words[] = {
    "accept",          "request-headers",  "request",
    "before-response", "response-headers", "response-body",
    "after-response",  "next-request",     NULL};
static const char *const bytes_words[] = {
    "truncate",      "drip",        "length-short",
    "length-long",   "bad-chunk",   "garbage-before",
    "garbage-after", "twice",       "gzip",
    "no-xml",        "bom",         "latin-1",
    "empty",         "ill-formed",  "wrong-namespace",
    "no-namespace",  "other-root",  "text",
    "comment",       "instruction", "doctype",
    "entity",        "entity-bomb", "deep",
    "huge",          "two-bodies",  "utf-16",
    "chunked",       "deflate",     "header",
    "attribute",     NULL};

static const struct {
    const char *name;
    enum action_kind kind;
} action_names[] = {
    {"pass", ACTION_PASS},
    {"respond", ACTION_RESPOND},
    {"answer", ACTION_RESPOND},
    {"lose", ACTION_LOSE},
    {"delay", ACTION_DELAY},
    {"cut", ACTION_CUT},
    {"bytes", ACTION_BYTES},
    {"terminate", ACTION_TERMINATE},
    {"recoverable", ACTION_RECOVERABLE},
    {"withhold", ACTION_WITHHOLD},
    {"release", ACTION_RELEASE},
};
#define ACTION_NAME_COUNT (sizeof action_names / sizeof action_names[0])

static bool is_action(const xmlNode *node)
{
    for (size_t i = 0; i < ACTION_NAME_COUNT; i++) {
        if (named(node, action_names[i].name))
            return true;
    }
    return false;
}

static enum action_kind action_kind_of(const xmlNode *node)
{
    for (size_t i = 0; i < ACTION_NAME_COUNT; i++) {
        if (named(node, action_names[i].name))
            return action_names[i].kind;
    }
    return ACTION_PASS;
}

static void read_headers(struct reader *r, const xmlNode *node,
                         struct http_reply *reply)
{
    struct named_avt *headers = NULL;
    size_t count = 0;

    read_named(r, node, "header", &headers, &count);
    if (count > REPLY_MAX_HEADERS)
        err_set_at(&r->err, r->path, line_of(node),
                   "more than %d headers in one answer", REPLY_MAX_HEADERS);
    for (size_t i = 0; i < count; i++) {
        if (i < REPLY_MAX_HEADERS) {
            reply->headers[i].name = headers[i].name;
            reply->headers[i].value = headers[i].value;
            reply->header_count++;
        } else {
            free(headers[i].name);
            avt_free(headers[i].value);
        }
    }
    free(headers);
}

static void read_reply(struct reader *r, const xmlNode *node,
                       struct http_reply *reply)
{
    reply->status = (int)reader_number(node, "status", 0);
    reply->reason = reader_attr(node, "reason");
    reader_body(r, node, &reply->body);
    reader_raw(r, node, &reply->raw);
    read_headers(r, node, reply);
}

/* An attribute takes the place of a header: the value "" leaves it out. */
static void read_attribute(struct reader *r, const xmlNode *node,
                           struct http_reply *reply)
{
    reply->header_count = 1;
    reply->headers[0].name = reader_attr(node, "name");
    reply->headers[0].value =
        xml_attr(node, NULL, "value")
            ? reader_avt_attr(r, node, "value")
            : avt_new("", r->path, line_of(node), &r->err);
}

static void read_action(struct reader *r, const xmlNode *node, struct action *a)
{
    a->kind = action_kind_of(node);
    a->line = line_of(node);
    a->as = reader_attr(node, "as");
    a->times = reader_is(node, "times", "ever")
                   ? 0
                   : (unsigned)reader_number(node, "times", 1);
    a->part =
        (enum fault_part)reader_word(node, "part", part_words, PART_REQUEST);
    a->by = reader_duration(r, node, "by");
    a->how = (enum cut_how)reader_word(node, "how", how_words, CUT_FIN);
    a->when = (enum cut_when)reader_word(node, "when", when_words, CUT_ACCEPT);
    a->after_bytes = reader_number(node, "after-bytes", -1);
    a->bytes =
        (enum bytes_kind)reader_word(node, "kind", bytes_words, BYTES_TRUNCATE);
    a->at = reader_number(node, "at", -1);
    a->every = reader_duration(r, node, "every");
    a->size = (size_t)reader_number(node, "size", 0);
    if (a->kind == ACTION_BYTES && a->bytes == BYTES_HEADER)
        read_headers(r, node, &a->reply);
    if (a->kind == ACTION_BYTES && a->bytes == BYTES_ATTRIBUTE)
        read_attribute(r, node, &a->reply);
    if (a->kind == ACTION_RESPOND)
        read_reply(r, node, &a->reply);
    if (a->kind == ACTION_TERMINATE) {
        a->condition = reader_attr(node, "condition");
        a->stream = (int)reader_number(node, "stream", -1);
        reader_payload_and_uri(r, node, &a->payload);
    }
}

/* --------------------------------------------------- steps of both roles */

static void read_otherwise(const xmlNode *node, struct step *st)
{
    static const char *const words[] = {"stop", "na", "error", "go-on", NULL};

    st->otherwise = (enum otherwise)reader_word(node, "else", words, ELSE_STOP);
    st->because = reader_attr(node, "because");
}

static void read_let(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_LET;
    st->name = reader_attr(node, "name");
    st->expr = reader_expr(r, node);
}

static void read_require(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_REQUIRE;
    read_otherwise(node, st);
    st->expr = reader_expr(r, node);
}

static void read_await(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_AWAIT;
    st->as = reader_attr(node, "as");
    st->name = reader_attr(node, "event");
    st->client = reader_attr(node, "client");
    st->stream = (unsigned)reader_number(node, "stream", 0);
    st->within = reader_duration(r, node, "within");
    read_otherwise(node, st);
    if (!st->name)
        st->expr = reader_expr(r, node);
}

static void read_elapse(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_ELAPSE;
    st->within = reader_duration(r, node, "for");
    st->until = reader_duration(r, node, "until");
}

static void read_silence(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_SILENCE;
    st->within = reader_duration(r, node, "for");
    read_otherwise(node, st);
    st->expr = reader_expr(r, node);
}

static void read_repeat(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_REPEAT;
    st->times = reader_avt_attr(r, node, "times");
    st->index = reader_attr(node, "index");
    case_steps_read(r, node, &st->steps, &st->step_count);
}

static void read_when(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_WHEN;
    st->expr = reader_expr_attr(r, node, "test");
    case_steps_read(r, node, &st->steps, &st->step_count);
}

static void read_together(struct reader *r, const xmlNode *node,
                          struct step *st)
{
    st->kind = STEP_TOGETHER;
    case_steps_read(r, node, &st->steps, &st->step_count);
}

static void read_in_order(struct reader *r, const xmlNode *node,
                          struct step *st)
{
    st->kind = STEP_IN_ORDER;
    case_steps_read(r, node, &st->steps, &st->step_count);
}

/* ----------------------------------------------------------- client role */

/* The driver wants a pause in seconds, a case says it as a duration. */
static void read_pause(struct reader *r, const xmlNode *node, struct step *st)
{
    struct duration d = reader_duration(r, node, "for");
    struct named_avt *attr;
    char *text;

    if (d.expr)
        text = mem_printf("{(%s) div 1000}", expr_text(d.expr));
    else if (d.ms >= 0 && d.ms % 1000 == 0)
        text = mem_printf("%lld", (long long)(d.ms / 1000));
    else if (d.ms >= 0)
        text = mem_printf("%lld.%03lld", (long long)(d.ms / 1000),
                          (long long)(d.ms % 1000));
    else
        return;
    attr = READER_ADD(st->attrs, st->attr_count);
    attr->name = mem_dup("for");
    attr->value = avt_new(text, r->path, line_of(node), &r->err);
    free(text);
    expr_free(d.expr);
}

static void read_do(struct reader *r, const xmlNode *node, struct step *st)
{
    static const char *const attrs[] = {"jid",    "password", "wait", "hold",
                                        "route",  "sid",      "rid",  "reason",
                                        "stream", NULL};

    st->kind = STEP_DO;
    st->name = reader_attr(node, "verb");
    st->client = reader_attr(node, "client");
    read_attrs(r, node, st, attrs);
    if (strcmp(st->name, "pause") == 0)
        read_pause(r, node, st);
    read_named(r, node, "option", &st->options, &st->option_count);
    if (strcmp(st->name, "send") == 0)
        reader_payload(r, node, &st->payload);
}

static void read_push(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_PUSH;
    st->client = reader_attr(node, "client");
    st->stream = (unsigned)reader_number(node, "stream", 0);
    reader_payload(r, node, &st->payload);
}

static void read_on(struct reader *r, const xmlNode *node, struct step *st)
{
    const xmlNode *child = xml_child(node, XML_NS_CASE, "match");

    st->kind = STEP_ON;
    st->name = reader_attr(node, "rule");
    st->optional = reader_is(node, "optional", "yes");
    st->expr = reader_expr(r, child);
    while ((child = xml_next(child)))
        read_action(r, child, READER_ADD(st->actions, st->action_count));
}

static void read_off(struct reader *r, const xmlNode *node, struct step *st)
{
    (void)r;
    st->kind = STEP_OFF;
    st->name = reader_attr(node, "rule");
}

static void read_certificate(struct reader *r, const xmlNode *node,
                             struct step *st)
{
    (void)r;
    st->kind = STEP_CERTIFICATE;
    st->name = reader_attr(node, "kind");
}

/* of="N" and of="{$N[2]}" alike become one expression. */
static void read_of(struct reader *r, const xmlNode *node, struct step *st)
{
    const char *of = xml_attr(node, NULL, "of");
    bool braced = of[0] == '{';
    char *text = braced ? mem_dup(of) : mem_printf("{$%s}", of);

    st->of = avt_new(text, r->path, line_of(node), &r->err);
    if (st->of && avt_count(st->of) != 1)
        err_set_at(&r->err, r->path, line_of(node),
                   "of='%s' must be one handle or one {expression}", of);
    free(text);
}

static void read_act(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_ACT;
    st->name = reader_attr(node, "of");
    read_of(r, node, st);
    read_action(r, node, READER_ADD(st->actions, st->action_count));
}

/* ----------------------------------------------------------- server role */

/* How a request goes out. */
static void read_sending(struct reader *r, const xmlNode *node, struct step *st)
{
    st->conn = reader_attr(node, "conn");
    st->http_minor = reader_is(node, "http", "1.0") ? 0 : 1;
    st->chunks = (unsigned)reader_number(node, "chunks", 0);
    st->encoding = reader_attr(node, "encoding");
    st->entity_after = reader_duration(r, node, "entity-after");
    st->send_every = reader_duration(r, node, "send-every");
    read_named(r, node, "header", &st->options, &st->option_count);
}

static void read_creation(struct reader *r, const xmlNode *node,
                          struct step *st)
{
    static const char *const attrs[] = {"wait", "hold",     "rid", "ver",
                                        "ack",  "resource", NULL};

    st->as = reader_attr(node, "as");
    st->exchange = reader_attr(node, "exchange");
    read_attrs(r, node, st, attrs);
    read_named(r, node, "attribute", &st->body_attrs, &st->body_attr_count);
}

static const char *const login_parts[] = {"", "auth", "restart", NULL};

static void read_login(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_LOGIN;
    st->account = reader_is(node, "anonymous", "yes")
                      ? 0
                      : (unsigned)reader_number(node, "account", 1);
    st->stop_before = (enum login_part)reader_word(
        node, "stop-before", login_parts, LOGIN_TO_THE_END);
    read_creation(r, node, st);
}

static void read_create(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_CREATE;
    read_sending(r, node, st);
    read_creation(r, node, st);
}

static void read_keep_polling(struct reader *r, const xmlNode *node,
                              struct step *st)
{
    (void)r;
    st->kind = STEP_KEEP_POLLING;
    st->session = reader_attr(node, "session");
}

static void read_drain(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_DRAIN;
    st->session = reader_attr(node, "session");
    st->within = reader_duration(r, node, "within");
    read_otherwise(node, st);
    st->expr = reader_expr(r, node);
}

static void read_request(struct reader *r, const xmlNode *node, struct step *st)
{
    static const char *const attrs[] = {"method", "path", "rid",
                                        "pause",  "ack",  NULL};

    st->kind = STEP_REQUEST;
    st->as = reader_attr(node, "as");
    st->session = reader_attr(node, "session");
    read_attrs(r, node, st, attrs);
    read_sending(r, node, st);
    st->whole = reader_is(node, "whole", "yes");
    st->stop_after_bytes = reader_number(node, "stop-after-bytes", -1);
    st->terminate = reader_is(node, "type", "terminate");
    st->restart = reader_is(node, "restart", "yes");
    read_named(r, node, "attribute", &st->body_attrs, &st->body_attr_count);
    reader_payload(r, node, &st->payload);
    reader_body(r, node, &st->body);
    reader_raws(r, node, &st->raws, &st->raw_count);
}

static void read_resend(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_RESEND;
    st->as = reader_attr(node, "as");
    st->conn = reader_attr(node, "conn");
    read_of(r, node, st);
}

static void read_abort(struct reader *r, const xmlNode *node, struct step *st)
{
    st->kind = STEP_ABORT;
    st->how = (enum cut_how)reader_word(node, "how", how_words, CUT_FIN);
    read_of(r, node, st);
}

/* ------------------------------------------------------------ all of them */

static const struct {
    const char *name;
    void (*read)(struct reader *r, const xmlNode *node, struct step *st);
} readers[] = {
    {"let", read_let},
    {"require", read_require},
    {"await", read_await},
    {"elapse", read_elapse},
    {"silence", read_silence},
    {"repeat", read_repeat},
    {"when", read_when},
    {"together", read_together},
    {"in-order", read_in_order},
    {"do", read_do},
    {"push", read_push},
    {"on", read_on},
    {"certificate", read_certificate},
    {"off", read_off},
    {"login", read_login},
    {"create", read_create},
    {"keep-polling", read_keep_polling},
    {"drain", read_drain},
    {"request", read_request},
    {"resend", read_resend},
    {"abort", read_abort},
};

static void read_step(struct reader *r, const xmlNode *node, struct step *st)
{
    st->line = line_of(node);
    st->within.ms = st->until.ms = st->send_every.ms = -1;
    st->entity_after.ms = -1;
    st->stop_after_bytes = -1;
    st->http_minor = 1;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (named(node, readers[i].name)) {
            readers[i].read(r, node, st);
            return;
        }
    }
    if (is_action(node))
        read_act(r, node, st);
}

void case_steps_read(struct reader *r, const xmlNode *parent,
                     struct step **steps, size_t *count)
{
    const xmlNode *child = xml_child(parent, XML_NS_CASE, NULL);

    for (; child; child = xml_next(child)) {
        struct step *st = READER_ADD(*steps, *count);

        read_step(r, child, st);
    }
}

/* ----------------------------------------------------------- what follows */

/* Guesses for what is known only while playing. */
#define GUESS_WAIT_MS 20000
#define GUESS_ROUNDS 3
#define USUAL_LAPSE_MS 9000
#define USUALLY_SOONER 10

static int64_t longest_ms(const struct duration *d)
{
    if (d->expr)
        return GUESS_WAIT_MS;
    return d->ms > 0 ? d->ms : 0;
}

static int64_t rounds_of(const struct step *st)
{
    struct err e = {""};
    char *text;
    int64_t rounds = GUESS_ROUNDS;

    if (!st->times)
        return 1;
    if (avt_count(st->times) == 0) {
        text = avt_eval(st->times, NULL, &e);
        rounds = text ? strtoll(text, NULL, 10) : 1;
        free(text);
    }
    return rounds;
}

/* Of a step by itself. What is awaited mostly comes soon; a silence and a
 * lapse of time take what they take. */
static int64_t own_ms(const struct step *st, bool usual)
{
    int64_t worst = longest_ms(&st->within) + longest_ms(&st->until);

    if (!usual)
        return worst;
    if (st->kind == STEP_ELAPSE || st->kind == STEP_SILENCE)
        return worst < USUAL_LAPSE_MS ? worst : USUAL_LAPSE_MS;
    return worst / USUALLY_SOONER;
}

int64_t case_steps_ms(const struct step *steps, size_t count, bool usual)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        const struct step *st = &steps[i];

        sum += own_ms(st, usual);
        if (st->kind == STEP_TOGETHER) {
            int64_t longest = 0;

            for (size_t k = 0; k < st->step_count; k++) {
                int64_t one = case_steps_ms(&st->steps[k], 1, usual);

                longest = one > longest ? one : longest;
            }
            sum += longest;
        } else {
            sum +=
                rounds_of(st) * case_steps_ms(st->steps, st->step_count, usual);
        }
    }
    return sum;
}

/* Faults of whole messages and of an answer's bytes are played virtually; what
 * is about a TCP connection's own states, or the reading of half a message,
 * is not. */
static const char *action_sockets_only(const struct action *a)
{
    if (a->kind == ACTION_BYTES &&
        (a->bytes == BYTES_GZIP || a->bytes == BYTES_DEFLATE))
        return "it is about a compressed answer";
    if (a->kind != ACTION_CUT)
        return "";
    if (a->how == CUT_HALF)
        return "it closes half a connection";
    if (a->when == CUT_ACCEPT || a->when == CUT_REQUEST_HEADERS)
        return "it cuts a connection before the request was read";
    return "";
}

static const char *step_sockets_only(const struct step *st)
{
    const char *why = "";

    for (size_t i = 0; !why[0] && i < st->action_count; i++)
        why = action_sockets_only(&st->actions[i]);
    if (why[0])
        return why;
    return case_steps_sockets_only(st->steps, st->step_count);
}

const char *case_steps_sockets_only(const struct step *steps, size_t count)
{
    const char *why = "";

    for (size_t i = 0; !why[0] && i < count; i++)
        why = step_sockets_only(&steps[i]);
    return why;
}
