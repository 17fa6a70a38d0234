/* A session by hand: ANONYMOUS, as short as it gets. See bench.h. */
#include "bench.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' rid='%llu' "
#define XBOSH "xmlns:xmpp='urn:xmpp:xbosh' "

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    buf_add(ctx, data, size * count);
    return size * count;
}

/* out: the answer. */
static void post(CURL *easy, const struct buf *request, struct buf *out)
{
    buf_clear(out);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, out);
    curl_easy_perform(easy);
}

static void ask(CURL *easy, struct bench_session *s, const char *attributes,
                const char *payload, struct buf *out)
{
    struct buf request = BUF_INIT;

    buf_printf(&request, BODY, (unsigned long long)s->rid++);
    if (s->sid[0])
        buf_printf(&request, "sid='%s' ", s->sid);
    buf_printf(&request, "%s>%s</body>", attributes, payload);
    post(easy, &request, out);
    buf_release(&request);
}

static void read_sid(struct bench_session *s, const struct buf *answer)
{
    const char *at = strstr(buf_str(answer), " sid=");

    if (at)
        snprintf(s->sid, sizeof s->sid, "%.*s", (int)strcspn(at + 6, "'\""),
                 at + 6);
    else
        snprintf(s->sid, sizeof s->sid, "none");
}

void bench_log_in(const char *url, struct bench_session *session)
{
    CURL *easy = curl_easy_init();
    struct buf answer = BUF_INIT;

    memset(session, 0, sizeof *session);
    session->rid = UINT64_C(1) << 52;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    ask(easy, session,
        "to='localhost' wait='60' hold='1' ver='1.11' xml:lang='en' " XBOSH
        "xmpp:version='1.0'",
        "", &answer);
    read_sid(session, &answer);
    ask(easy, session, "",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
        "mechanism='ANONYMOUS'/>",
        &answer);
    ask(easy, session, XBOSH "xmpp:restart='true' to='localhost'", "", &answer);
    ask(easy, session, "",
        "<iq xmlns='jabber:client' type='set' id='b'>"
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        &answer);
    curl_easy_cleanup(easy);
    buf_release(&answer);
}
