/* A storm's answers: see storm_answer.h. */
#include "tests/storm_answer.h"

#include <inttypes.h>
#include <string.h>

#include "common/xml.h"
#include "tests/bosh_peer.h"

#define NS_SASL "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
#define NS_BIND "xmlns='urn:ietf:params:xml:ns:xmpp-bind'"
#define NS_SESSION "xmlns='urn:ietf:params:xml:ns:xmpp-session'"
#define NS_STANZAS "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
#define NS_STREAMS "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"

/* SCRAM's work for a password: as little as there can be. */
#define ITERATIONS 1

#define NESTED_MAX 300

static void no_chance(void *arg, void *out, size_t len)
{
    (void)arg;
    memset(out, 0x5a, len);
}

void storm_manager_init(struct storm_manager *m)
{
    memset(m, 0, sizeof *m);
    m->options = mock_options_default();
    m->options.any_user_password = STORM_PASSWORD;
    m->options.scram_iterations = ITERATIONS;
    m->options.random = no_chance;
    m->sasl = saslserver_new(&m->options);
}

void storm_manager_release(struct storm_manager *m)
{
    saslserver_end(m->exchange);
    saslserver_free(m->sasl);
}

/* ---- As it should be ------------------------------------------------------
 */

static void open_body(struct buf *out, const char *attrs)
{
    buf_printf(out, "<body " NS_BODY " " NS_STREAM "%s>", attrs);
}

static void offer(struct buf *out, struct fuel *f)
{
    static const char *const MECHS[] = {
        "PLAIN</mechanism><mechanism>ANONYMOUS",
        "SCRAM-SHA-1",
        "EXTERNAL</mechanism><mechanism>OAUTHBEARER",
        "SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1",
    };

    buf_printf(out,
               "<stream:features><mechanisms " NS_SASL "><mechanism>%s"
               "</mechanism></mechanisms></stream:features></body>",
               FUEL_PICK(f, MECHS));
}

static void create(struct buf *out, struct storm_manager *m, struct fuel *f)
{
    static const char *const LIMITS[] = {
        " wait='60' hold='1' requests='2' inactivity='60' maxpause='120'",
        " wait='1' hold='1' requests='2' inactivity='1'",
        " wait='5' hold='2' requests='3' inactivity='30' polling='5'",
        " wait='0' hold='0' requests='1' polling='1' inactivity='9'",
        " wait='60' hold='1'",
        " wait='2' hold='1' requests='5' maxpause='9' ack='1'",
        " wait='60' hold='1' requests='2' maxpause='9' stream='n0'",
        " wait='60' hold='1' requests='2' polling='5' stream='n0'",
        " wait='60' hold='1' requests='2' accept='deflate,gzip'",
    };

    open_body(out, " sid='s1' ver='1.11'");
    out->len--; /* '>' */
    buf_adds(out, FUEL_PICK(f, LIMITS));
    m->streams = 1;
    if (fuel_seldom(f, 8)) {
        buf_adds(out, "/>"); /* features come later */
        return;
    }
    buf_addc(out, '>');
    offer(out, f);
}

/* What stands between two marks of text; out is cleared first. */
static bool between(struct buf *out, const char *text, const char *before,
                    const char *after)
{
    const char *from = strstr(text, before);
    const char *to = from ? strstr(from + strlen(before), after) : NULL;

    buf_clear(out);
    if (!to)
        return false;
    from += strlen(before);
    buf_add(out, from, (size_t)(to - from));
    return true;
}

/* The answer to a request that is of one stream is, too. */
static void open_same(struct buf *out, const char *request)
{
    struct buf name = BUF_INIT;
    char attr[80] = "";

    if (between(&name, request, " stream='", "'"))
        snprintf(attr, sizeof attr, " stream='%s'", buf_str(&name));
    open_body(out, attr);
    buf_release(&name);
}

static void sasl_step(struct buf *out, struct storm_manager *m,
                      const char *request, const char *data)
{
    struct buf text = BUF_INIT;
    const char *condition = "not-authorized";
    enum saslserver_result result = SASLSERVER_FAILURE;

    if (m->exchange)
        result = saslserver_step(m->exchange, data, &text, &condition);
    open_same(out, request);
    switch (result) {
    case SASLSERVER_CHALLENGE:
        buf_printf(out, "<challenge " NS_SASL ">%s</challenge>",
                   buf_str(&text));
        break;
    case SASLSERVER_SUCCESS:
        buf_printf(out, "<success " NS_SASL ">%s</success>", buf_str(&text));
        break;
    case SASLSERVER_FAILURE:
        buf_printf(out, "<failure " NS_SASL "><%s/></failure>", condition);
        break;
    }
    buf_adds(out, "</body>");
    buf_release(&text);
}

static void sasl_begin(struct buf *out, struct storm_manager *m,
                       const char *request)
{
    struct buf name = BUF_INIT;
    struct buf data = BUF_INIT;
    bool have_data;

    between(&name, request, "mechanism='", "'");
    have_data = between(&data, request, "'>", "</auth>");
    saslserver_end(m->exchange);
    m->exchange = saslserver_begin(m->sasl, buf_str(&name));
    if (m->exchange) {
        /* The auth element's text is the last thing before its end. */
        const char *start = have_data ? strrchr(buf_str(&data), '>') : NULL;

        sasl_step(out, m, request,
                  start       ? start + 1
                  : have_data ? data.data
                              : NULL);
    } else {
        open_same(out, request);
        buf_adds(out, "<success " NS_SASL "/></body>");
    }
    buf_release(&name);
    buf_release(&data);
}

static void sasl_go_on(struct buf *out, struct storm_manager *m,
                       const char *request)
{
    struct buf data = BUF_INIT;
    bool some = between(&data, request, "xmpp-sasl'>", "</response>");

    sasl_step(out, m, request, some ? data.data : "=");
    buf_release(&data);
}

static void features(struct buf *out, const char *request, struct fuel *f)
{
    static const char *const REST[] = {
        "",
        "",
        "",
        "<session " NS_SESSION "/>",
        "<session " NS_SESSION "><optional/></session>",
    };

    open_same(out, request);
    buf_printf(out,
               "<stream:features><bind " NS_BIND "/>%s</stream:features>"
               "</body>",
               FUEL_PICK(f, REST));
}

static void reply(struct buf *out, const char *request, const char *id,
                  const char *inside)
{
    open_same(out, request);
    buf_printf(out, "<iq " NS_CLIENT " type='result' id='%s'>%s</iq></body>",
               id, inside);
}

/* §16.3. */
static void open_stream(struct buf *out, struct storm_manager *m,
                        struct fuel *f)
{
    char attr[40];

    snprintf(attr, sizeof attr, " stream='n%d'", m->streams++);
    open_body(out, attr);
    offer(out, f);
}

static void close_stream(struct buf *out, const char *request)
{
    open_same(out, request);
    out->len--; /* '>' */
    buf_adds(out, " type='terminate'/>");
}

static void traffic(struct buf *out, const struct storm_manager *m,
                    struct fuel *f)
{
    unsigned count = fuel_below(f, 4);
    char attr[40] = "";

    if (m->streams > 1)
        snprintf(attr, sizeof attr, " stream='n%d'", fuel_byte(f) % m->streams);
    open_body(out, attr);
    for (unsigned i = 0; i < count; i++)
        buf_printf(out,
                   "<message " NS_CLIENT " id='m%u'><body>%u</body></message>",
                   i, i);
    buf_adds(out, "</body>");
}

void storm_answer_good(struct buf *out, struct storm_manager *m,
                       const char *request, struct fuel *f)
{
    if (!strstr(request, " sid='"))
        create(out, m, f);
    else if (strstr(request, "<auth "))
        sasl_begin(out, m, request);
    else if (strstr(request, "<response "))
        sasl_go_on(out, m, request);
    else if (strstr(request, "xmpp:restart="))
        features(out, request, f);
    else if (strstr(request, "<bind "))
        reply(out, request, "bind",
              "<bind " NS_BIND "><jid>ann@example.org/r</jid></bind>");
    else if (strstr(request, "<session "))
        reply(out, request, "session", "");
    else if (strstr(request, "type='terminate'"))
        close_stream(out, request);
    else if (strstr(request, " to='"))
        open_stream(out, m, f);
    else
        traffic(out, m, f);
}

/* ---- As it comes ----------------------------------------------------------
 */

static const char *const ATTRS[] = {
    " sid='s1'",
    " sid='s&#10;2'",
    " sid=''",
    " wait='60'",
    " wait='1'",
    " wait='0'",
    " wait='65536'",
    " hold='1'",
    " hold='0'",
    " hold='-1'",
    " requests='2'",
    " requests='1'",
    " requests='0'",
    " requests='255'",
    " inactivity='1'",
    " inactivity='0'",
    " inactivity='65535'",
    " polling='0'",
    " polling='5'",
    " maxpause='0'",
    " maxpause='65535'",
    " ver='1.6'",
    " ver='0'",
    " type='terminate'",
    " type='terminate'",
    " type='error'",
    " type='other'",
    " condition='item-not-found'",
    " condition='see-other-uri'",
    " condition='remote-stream-error'",
    " condition='&#10;'",
    " condition=''",
    " time='0'",
    " time='65535'",
    " time='9999999999'",
    " stream='n0'",
    " stream='n1'",
    " stream='n2'",
    " stream=''",
    " from='example.org'",
    " accept='gzip,deflate'",
    " charsets='ISO_8859-1'",
    " authid='a'",
    " secure='true'",
    " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restartlogic='true'",
    " xml:lang='en'",
    " key='0'",
};

static const char *const PAYLOADS[] = {
    "<stream:features/>",
    "<stream:features><mechanisms " NS_SASL "><mechanism>PLAIN</mechanism>"
    "<mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>",
    "<stream:features><mechanisms " NS_SASL "><mechanism>SCRAM-SHA-1"
    "</mechanism></mechanisms><bind " NS_BIND "/></stream:features>",
    "<stream:features><bind " NS_BIND "/><session " NS_SESSION
    "/></stream:features>",
    "<challenge " NS_SASL "/>",
    "<challenge " NS_SASL ">=</challenge>",
    "<challenge " NS_SASL ">cj0xLHM9MSxpPTE=</challenge>",
    "<challenge " NS_SASL "> c j 0 x = </challenge>",
    "<success " NS_SASL "/>",
    "<success " NS_SASL ">dj0=</success>",
    "<success " NS_SASL ">&lt;</success>",
    "<failure " NS_SASL "/>",
    "<failure " NS_SASL "><text>no</text><not-authorized/></failure>",
    "<iq " NS_CLIENT " type='result' id='bind'/>",
    "<iq " NS_CLIENT " type='result' id='bind'><bind " NS_BIND
    "><jid>a@b/c</jid></bind></iq>",
    "<iq " NS_CLIENT " type='error' id='bind'><error><conflict " NS_STANZAS
    "/></error></iq>",
    "<iq type='result' id='bind'/>",
    "<iq " NS_CLIENT " type='result' id='session'/>",
    "<iq " NS_CLIENT " type='error' id='session'/>",
    "<message " NS_CLIENT " id='m'/>",
    "<message id='old'><body>x</body><x xmlns='y'><body/></x></message>",
    "<presence " NS_CLIENT "/>",
    "<stream:error><conflict " NS_STREAMS "/></stream:error>",
    "<stream:error/>",
    "<uri>https://example.org/&amp;</uri>",
    "<uri/>",
    "<a:b xmlns:a='c'/>",
    "<stream:other xml:lang='x'>&#128512;</stream:other>",
    "<a xmlns='" XML_NS_HTTPBIND "'><!-- inside --></a>",
    "<a><![CDATA[<body>]]></a>",
    " \n\t",
    /* What makes it no answer at all. */
    "text",
    "<!-- outside -->",
    "<?pi?>",
    "<undeclared:prefix/>",
    "&unknown;",
    "<open>",
};

static void nest(struct buf *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_adds(out, "<a>");
    for (unsigned i = 0; i < depth; i++)
        buf_adds(out, "</a>");
}

static void add_number(struct buf *out, uint64_t rid, struct fuel *f)
{
    static const char *const NAMES[] = {"report", "ack", "time", "rid"};
    const char *name = FUEL_PICK(f, NAMES);

    buf_printf(out, " %s='%" PRIu64 "'", name, rid - 2 + fuel_below(f, 4));
}

void storm_answer_built(struct buf *out, uint64_t rid, struct fuel *f)
{
    unsigned attrs = fuel_below(f, 6);
    unsigned payloads = fuel_below(f, 4);

    open_body(out, "");
    out->len--; /* '>' */
    for (unsigned i = 0; i < attrs; i++)
        buf_adds(out, FUEL_PICK(f, ATTRS));
    if (fuel_seldom(f, 4))
        add_number(out, rid, f);
    buf_addc(out, '>');
    for (unsigned i = 0; i < payloads; i++)
        buf_adds(out, FUEL_PICK(f, PAYLOADS));
    if (fuel_seldom(f, 16))
        nest(out, fuel_number(f) % NESTED_MAX);
    buf_adds(out, "</body>");
}

/* ---- Spoiled --------------------------------------------------------------
 */

/* data may be a part of text. */
static void insert(struct buf *text, size_t at, const char *data, size_t len)
{
    struct buf made = BUF_INIT;

    buf_add(&made, text->data, at);
    buf_add(&made, data, len);
    buf_add(&made, text->data + at, text->len - at);
    buf_release(text);
    *text = made;
}

void storm_spoil(struct buf *text, struct fuel *f)
{
    size_t at = text->len ? fuel_number(f) % text->len : 0;
    const char *data;
    size_t len;

    if (text->len == 0)
        return;
    switch (fuel_below(f, 4)) {
    case 0:
        text->len = at;
        return;
    case 1:
        data = fuel_bytes(f, text->len - at, &len);
        memcpy(text->data + at, data, len);
        return;
    case 2:
        data = fuel_bytes(f, 255, &len);
        insert(text, at, data, len);
        return;
    case 3:
        len = fuel_byte(f) % (text->len - at + 1);
        insert(text, at, text->data + at, len);
        return;
    }
}
