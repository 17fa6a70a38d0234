/* A mock under a clock moved by hand: see mockrig.h. */
#include "tests/mockrig.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/base64.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/xml.h"
#include "tests/check.h"

static void chance(void *arg, void *out, size_t len)
{
    struct rig *r = arg;
    unsigned char *p = out;

    for (size_t i = 0; i < len; i++) {
        r->chance = r->chance * UINT64_C(6364136223846793005) + 1442695041;
        p[i] = (unsigned char)(r->chance >> 40);
    }
}

void rig_init(struct rig *r, struct mock_options options)
{
    memset(r, 0, sizeof *r);
    r->now_ms = 1000000;
    r->rid = 1000;
    options.random = chance;
    options.random_arg = r;
    r->mock = mock_new(&options);
}

void rig_release(struct rig *r)
{
    mock_free(r->mock);
    for (int i = 0; i < r->answer_count; i++) {
        free(r->answers[i].content_type);
        free(r->answers[i].headers);
        free(r->answers[i].body);
    }
}

/* Every body that we send must be one: well-formed, a <body/>, no text. */
static void check_body(const struct mock_answer *a)
{
    xmlDocPtr doc;

    if (a->status != 200 || !a->rid)
        return;
    doc = xml_parse(a->body, a->body_len, NULL, NULL);
    CHECK(doc != NULL);
    if (!doc)
        return;
    CHECK(xml_is(xmlDocGetRootElement(doc), XML_NS_HTTPBIND, "body"));
    xmlFreeDoc(doc);
}

static void collect(struct rig *r)
{
    struct mock_answer a;

    while (mock_next_answer(r->mock, r->now_ms, &a)) {
        struct rig_answer *kept = &r->answers[r->answer_count];
        struct buf headers = BUF_INIT;

        if (r->answer_count == RIG_MAX_ANSWERS)
            abort();
        r->answer_count++;
        kept->token = a.token;
        kept->at_ms = r->now_ms;
        kept->status = a.status;
        kept->replay = a.replay;
        for (size_t i = 0; i < a.header_count; i++) {
            buf_printf(&headers, "%s: %s\n", a.headers[i].name,
                       a.headers[i].value);
            if (strcmp(a.headers[i].name, "Content-Type") == 0)
                kept->content_type = mem_dup(a.headers[i].value);
        }
        kept->headers = buf_take(&headers);
        kept->body = mem_dupn(a.body, a.body_len);
        check_body(&a);
    }
}

static uint64_t ask(struct rig *r, struct mock_request *req)
{
    req->tls = r->tls;
    mock_request(r->mock, r->now_ms, req, ++r->last_token);
    collect(r);
    return r->last_token;
}

uint64_t rig_http(struct rig *r, const char *method, const char *path,
                  const char *header, const char *value, const char *body)
{
    struct mock_header h = {header, value};
    struct mock_request req = {.method = method,
                               .path = path,
                               .headers = &h,
                               .header_count = header ? 1 : 0,
                               .body = body,
                               .body_len = strlen(body)};

    return ask(r, &req);
}

uint64_t rig_coded(struct rig *r, const char *coding, const char *bytes,
                   size_t len)
{
    struct mock_header h = {"content-encoding", coding};
    struct mock_request req = {.method = "POST",
                               .path = "/http-bind",
                               .headers = &h,
                               .header_count = 1,
                               .body = bytes,
                               .body_len = len};

    return ask(r, &req);
}

uint64_t rig_post(struct rig *r, const char *fmt, ...)
{
    struct buf body = BUF_INIT;
    uint64_t token;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&body, fmt, ap);
    va_end(ap);
    token = rig_http(r, "POST", "/http-bind", NULL, NULL, buf_str(&body));
    buf_release(&body);
    return token;
}

const char *rig_create(struct rig *r, const char *attributes)
{
    uint64_t token = rig_post(
        r, "<body rid='%" PRIu64 "' to='localhost' ver='1.6' %s " RIG_NS "/>",
        r->rid, attributes);
    const char *sid = strstr(rig_body(r, token), "sid='");

    if (sid)
        snprintf(r->sid, sizeof r->sid, "%.*s", (int)strcspn(sid + 5, "'"),
                 sid + 5);
    return rig_body(r, token);
}

uint64_t rig_send_rid(struct rig *r, uint64_t rid, const char *attributes,
                      const char *payload)
{
    return rig_post(r,
                    "<body rid='%" PRIu64 "' sid='%s' %s " RIG_NS ">%s</body>",
                    rid, r->sid, attributes, payload);
}

uint64_t rig_send(struct rig *r, const char *attributes, const char *payload)
{
    return rig_send_rid(r, ++r->rid, attributes, payload);
}

void rig_login(struct rig *r, const char *user, const char *attributes,
               const char *resource)
{
    char plain[128], bind[512];
    char coded[BASE64_ENCODE_RAW_LENGTH(sizeof plain) + 1];
    int len = snprintf(plain, sizeof plain, "%c%s%csecret", 0, user, 0);
    uint64_t token;

    rig_create(r, attributes);
    base64_encode_raw(coded, (size_t)len, (const uint8_t *)plain);
    coded[BASE64_ENCODE_RAW_LENGTH((size_t)len)] = '\0';
    snprintf(bind, sizeof bind,
             "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
             "mechanism='PLAIN'>%s</auth>",
             coded);
    token = rig_send(r, "", bind);
    CHECK(rig_has(r, token, "<success "));
    token = rig_send(r, "xmpp:restart='true' " RIG_XBOSH, "");
    CHECK(rig_has(r, token, "<bind "));
    snprintf(bind, sizeof bind,
             "<iq xmlns='jabber:client' type='set' id='b'>"
             "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "%s%s%s</bind></iq>",
             resource ? "<resource>" : "", resource ? resource : "",
             resource ? "</resource>" : "");
    token = rig_send(r, "", bind);
    CHECK(rig_has(r, token, "<jid>"));
}

void rig_pass(struct rig *r, int64_t ms)
{
    int64_t until = r->now_ms + ms;
    int64_t next;

    while ((next = mock_deadline_ms(r->mock)) <= until) {
        if (next > r->now_ms)
            r->now_ms = next;
        mock_tick(r->mock, r->now_ms);
        collect(r);
    }
    r->now_ms = until;
    collect(r);
}

const struct rig_answer *rig_answer(const struct rig *r, uint64_t token)
{
    for (int i = r->answer_count; i-- > 0;) {
        if (r->answers[i].token == token)
            return &r->answers[i];
    }
    return NULL;
}

const char *rig_body(const struct rig *r, uint64_t token)
{
    const struct rig_answer *a = rig_answer(r, token);

    return a ? a->body : "";
}

bool rig_has(const struct rig *r, uint64_t token, const char *text)
{
    return strstr(rig_body(r, token), text) != NULL;
}

int rig_count(const struct rig *r, const char *text)
{
    int n = 0;

    for (int i = 0; i < r->answer_count; i++) {
        const char *p = r->answers[i].body;

        while ((p = strstr(p, text))) {
            n++;
            p++;
        }
    }
    return n;
}
