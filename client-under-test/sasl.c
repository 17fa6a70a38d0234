/* SASL, RFC 6120 §6: see sasl.h. */
#include "sasl.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

/* Half a second's work on a machine of today, in which nothing else is done. */
#define SCRAM_ITERATIONS_MAX 1000000

struct sasl {
    char *node; /* NULL: a bare domain */
    char *domain;
    char *password; /* these two NULL for none */
    char *token;
    bool certificate;
    char *allowed; /* NULL: all */
    const struct mechanism *chosen;
    Gsasl *gsasl;
    Gsasl_session *session; /* NULL for what we do by hand */
    bool complete;          /* GNU SASL has all that it wants */
};

enum needs { NEEDS_NOTHING, NEEDS_PASSWORD, NEEDS_TOKEN, NEEDS_CERTIFICATE };

static void write_external(const struct sasl *x, struct buf *out);
static void write_bearer(const struct sasl *x, struct buf *out);

/* Strongest first. */
static const struct mechanism {
    const char *name;
    enum needs needs;
    /* Its only message, where that is all there is to it; NULL: GNU SASL. */
    void (*write)(const struct sasl *x, struct buf *out);
} MECHANISMS[] = {
    {"EXTERNAL", NEEDS_CERTIFICATE, write_external},
    {"OAUTHBEARER", NEEDS_TOKEN, write_bearer},
    {"SCRAM-SHA-512", NEEDS_PASSWORD, NULL},
    {"SCRAM-SHA-256", NEEDS_PASSWORD, NULL},
    {"SCRAM-SHA-1", NEEDS_PASSWORD, NULL},
    {"PLAIN", NEEDS_PASSWORD, NULL},
    {"ANONYMOUS", NEEDS_NOTHING, NULL},
};
#define MECHANISM_COUNT (sizeof MECHANISMS / sizeof MECHANISMS[0])

static char *dup_if_any(const char *text)
{
    return text && *text ? mem_dup(text) : NULL;
}

static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

struct sasl *sasl_new(const char *node, const char *domain,
                      const struct sasl_proofs *proofs, const char *mechanisms,
                      struct err *e)
{
    struct sasl *x = mem_alloc(sizeof *x);

    x->node = mem_dup(node);
    x->domain = mem_dup(domain);
    x->password = dup_if_any(proofs->password);
    x->token = dup_if_any(proofs->token);
    x->certificate = proofs->certificate;
    x->allowed = mem_dup(mechanisms);
    if (gsasl_init(&x->gsasl) == GSASL_OK)
        return x;
    err_set(e, "GNU SASL cannot be started");
    sasl_free(x);
    return NULL;
}

void sasl_free(struct sasl *x)
{
    if (!x)
        return;
    if (x->session)
        gsasl_finish(x->session);
    if (x->gsasl)
        gsasl_done(x->gsasl);
    forget(x->password);
    forget(x->token);
    free(x->node);
    free(x->domain);
    free(x->allowed);
    free(x);
}

const char *sasl_mechanism(const struct sasl *x)
{
    return x->chosen ? x->chosen->name : NULL;
}

bool sasl_is_by_certificate(const struct sasl *x)
{
    return x->chosen && x->chosen->needs == NEEDS_CERTIFICATE;
}

static char *bare_jid(const struct sasl *x)
{
    return x->node ? mem_printf("%s@%s", x->node, x->domain) : NULL;
}

/* ---- Which mechanism ------------------------------------------------------
 */

static bool is_word_of(const char *words, const char *word)
{
    size_t len = strlen(word);

    while (*words) {
        size_t word_len = strcspn(words, " ");

        if (word_len == len && strncmp(words, word, len) == 0)
            return true;
        words += word_len;
        words += strspn(words, " ");
    }
    return false;
}

static bool is_offered(const xmlNode *features, const char *name)
{
    const xmlNode *list = xml_child(features, XML_NS_SASL, "mechanisms");
    const xmlNode *m;

    for (m = xml_child(list, XML_NS_SASL, "mechanism"); m; m = xml_next(m)) {
        char *text = xml_text(m);
        bool same = strcmp(text, name) == 0;

        free(text);
        if (same)
            return true;
    }
    return false;
}

static bool is_usable(const struct sasl *x, const struct mechanism *m)
{
    bool have_password = x->node && x->password;
    bool have_token = x->node && x->token;

    if (x->allowed && !is_word_of(x->allowed, m->name))
        return false;
    if (!m->write && !gsasl_client_support_p(x->gsasl, m->name))
        return false;
    switch (m->needs) {
    case NEEDS_NOTHING:
        /* Who says who he is does not want to be nobody, unless he says so. */
        return !have_password && !have_token && !x->certificate &&
               (!x->node || x->allowed);
    case NEEDS_PASSWORD:
        return have_password;
    case NEEDS_TOKEN:
        return have_token;
    case NEEDS_CERTIFICATE:
        return x->certificate;
    }
    return false;
}

static const struct mechanism *choose(const struct sasl *x,
                                      const xmlNode *features)
{
    for (size_t i = 0; i < MECHANISM_COUNT; i++) {
        const struct mechanism *m = &MECHANISMS[i];

        if (is_usable(x, m) && is_offered(features, m->name))
            return m;
    }
    return NULL;
}

/* ---- Mechanisms of one message, by hand ------------------------------------
 */

/* As base64; "=" stands for nothing at all, RFC 6120 §6.4.2. */
static void add_base64(struct buf *out, const struct buf *data)
{
    char *text = NULL;

    if (data->len == 0) {
        buf_addc(out, '=');
        return;
    }
    if (gsasl_base64_to(data->data, data->len, &text, NULL) != GSASL_OK)
        abort(); /* no memory */
    buf_adds(out, text);
    gsasl_free(text);
}

/* XEP-0178 §3: who we want to be; the certificate says whether we may. */
static void write_external(const struct sasl *x, struct buf *out)
{
    char *jid = bare_jid(x);

    if (jid)
        buf_adds(out, jid);
    free(jid);
}

/* A name in a GS2 header, RFC 5801 §4. */
static void add_gs2_name(struct buf *out, const char *name)
{
    for (; *name; name++) {
        if (*name == ',')
            buf_adds(out, "=2C");
        else if (*name == '=')
            buf_adds(out, "=3D");
        else
            buf_addc(out, *name);
    }
}

/* RFC 7628 §3.1; host and port may be left out. */
static void write_bearer(const struct sasl *x, struct buf *out)
{
    char *jid = bare_jid(x);

    buf_adds(out, "n,a=");
    add_gs2_name(out, jid);
    buf_printf(out, ",\001auth=Bearer %s\001\001", x->token);
    free(jid);
}

static void begin_by_hand(struct sasl *x, struct buf *out)
{
    struct buf message = BUF_INIT;

    x->chosen->write(x, &message);
    buf_printf(out, "<auth xmlns='%s' mechanism='%s'>", XML_NS_SASL,
               x->chosen->name);
    add_base64(out, &message);
    buf_adds(out, "</auth>");
    x->complete = true;
    if (message.data)
        explicit_bzero(message.data, message.len);
    buf_release(&message);
}

/* RFC 7628 §3.2.3: a challenge is a refusal, and 0x01 says that it was read.
 * EXTERNAL knows no challenge but the empty one, to which we have said all. */
static void answer_by_hand(const struct sasl *x, struct buf *out)
{
    const char *text = x->chosen->needs == NEEDS_TOKEN ? "AQ==" : "=";

    buf_printf(out, "<response xmlns='%s'>%s</response>", XML_NS_SASL, text);
}

/* ---- The others ------------------------------------------------------------
 */

/* SCRAM lets the server choose how often the password is hashed, RFC 5802
 * §5.1; GNU SASL would do so for hours. */
static bool asks_too_much(const char *in)
{
    char *data = NULL;
    char *message;
    size_t len = 0;
    const char *count;
    bool too_much;

    if (gsasl_base64_from(in, strlen(in), &data, &len) != GSASL_OK)
        return false; /* GNU SASL will say so */
    message = mem_dupn(data, len);
    count = strstr(message, ",i=");
    too_much = count && strtoul(count + 3, NULL, 10) > SCRAM_ITERATIONS_MAX;
    free(message);
    gsasl_free(data);
    return too_much;
}

/* One step of the mechanism: text in and out as base64, "" for nothing. */
static int step(struct sasl *x, const char *in, char **out, struct err *e)
{
    int rc;

    if (in && asks_too_much(in))
        return err_set(e, "%s: the server asks for more than %d iterations",
                       x->chosen->name, SCRAM_ITERATIONS_MAX);
    rc = gsasl_step64(x->session, in, out);
    if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
        return err_set(e, "%s: %s", x->chosen->name, gsasl_strerror(rc));
    x->complete = rc == GSASL_OK;
    return 0;
}

static int start_mechanism(struct sasl *x, struct err *e)
{
    int rc = gsasl_client_start(x->gsasl, x->chosen->name, &x->session);
    if (rc != GSASL_OK)
        return err_set(e, "%s: %s", x->chosen->name, gsasl_strerror(rc));
    gsasl_property_set(x->session, GSASL_AUTHID, x->node ? x->node : "");
    gsasl_property_set(x->session, GSASL_PASSWORD,
                       x->password ? x->password : "");
    gsasl_property_set(x->session, GSASL_ANONYMOUS_TOKEN, "");
    return 0;
}

static void end_mechanism(struct sasl *x)
{
    if (x->session)
        gsasl_finish(x->session);
    x->session = NULL;
    x->complete = false;
}

int sasl_begin(struct sasl *x, const xmlNode *features, struct buf *out,
               struct err *e)
{
    char *text = NULL;

    end_mechanism(x);
    x->chosen = choose(x, features);
    if (!x->chosen)
        return err_set(e, "no SASL mechanism is offered that can be used");
    if (x->chosen->write) {
        begin_by_hand(x, out);
        return 0;
    }
    if (start_mechanism(x, e) || step(x, NULL, &text, e))
        return -1;
    buf_printf(out, "<auth xmlns='%s' mechanism='%s'", XML_NS_SASL,
               x->chosen->name);
    if (text && *text)
        buf_printf(out, ">%s</auth>", text);
    else
        buf_adds(out, "/>");
    gsasl_free(text);
    return 0;
}

/* The base64 inside an element, yours; "=" stands for nothing at all. */
static char *sasl_text(const xmlNode *element)
{
    char *text = xml_text(element);
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (!strchr(" \t\r\n", *from))
            *to++ = *from;
    }
    *to = '\0';
    if (strcmp(text, "=") == 0)
        *text = '\0';
    return text;
}

int sasl_step(struct sasl *x, const xmlNode *challenge, struct buf *out,
              struct err *e)
{
    char *in = sasl_text(challenge);
    char *text = NULL;
    int rc = -1;

    if (!x->chosen) {
        err_set(e, "a challenge came before a mechanism was chosen");
    } else if (x->chosen->write) {
        answer_by_hand(x, out);
        rc = 0;
    } else if (!x->session) {
        err_set(e, "a challenge came before a mechanism was chosen");
    } else if (step(x, in, &text, e) == 0) {
        buf_printf(out, "<response xmlns='%s'", XML_NS_SASL);
        if (text && *text)
            buf_printf(out, ">%s</response>", text);
        else
            buf_adds(out, "/>");
        rc = 0;
    }
    gsasl_free(text);
    free(in);
    return rc;
}

int sasl_finish(struct sasl *x, const xmlNode *success, struct err *e)
{
    char *in, *text = NULL;
    int rc = 0;

    if (!x->chosen)
        return err_set(e, "success came before a mechanism was chosen");
    in = sasl_text(success);
    if (*in && !x->complete)
        rc = step(x, in, &text, e);
    if (rc == 0 && !x->complete)
        rc = err_set(e, "%s: the server did not prove itself", x->chosen->name);
    gsasl_free(text);
    free(in);
    return rc;
}
