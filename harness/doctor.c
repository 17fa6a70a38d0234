/* What a first contact says to a person: see doctor.h. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/xml.h"
#include "raw_answer.h"

/* ------------------------------------------------------------- advice */

/* The first that is found in what came. */
static const struct {
    const char *found, *advice;
} advices[] = {
    {"connection refused",
     "nothing listens there: is the server started, is the port right?"},
    {"no address for", "is the name spelled right?"},
    {"certificate issuer is unknown",
     "give the authority's certificate by --ca=FILE, or look away with "
     "--insecure"},
    {"certificates of", "is that file there, and is it PEM?"},
    {"certificate", "its certificate is not for this name, or out of date: "
                    "--insecure looks away"},
    {"TLS:", "does that port speak TLS at all?"},
    {"reset by peer", "does that port want https?"},
    {"does it speak TLS there", "it does not answer in TLS: is it http://?"},
    {"no answer", "something listens and says nothing: a firewall, a port "
                  "that wants TLS, or another protocol"},
    {"404", "a web server, but no BOSH there: /http-bind, /http-bind/ and "
            "/bosh are usual paths"},
    {"301", "it sends us elsewhere: give the address that it wants"},
    {"302", "it sends us elsewhere: give the address that it wants"},
    {"405", "that path takes no POST: it is no BOSH manager's"},
    {"501", "that server takes no POST: it is no BOSH manager"},
    {"502", "a proxy answers that does not reach the manager behind it"},
    {"503", "a proxy answers that does not reach the manager behind it"},
    {"not XML", "a web server, but no BOSH manager at that path"},
    {"host-unknown", "is that a domain that it serves?"},
    {"improper-addressing", "is that a domain that it serves?"},
    {"internal-server-error",
     "some servers say so for a domain that they do not serve; its log knows"},
    {"not-authorized", "is the password right, and does the account exist?"},
    {"encryption-required", "it wants TLS before a login: try the https URL"},
    {"no mechanism", "of SCRAM-SHA-256, SCRAM-SHA-1 and PLAIN none is allowed "
                     "there; some servers allow PLAIN over https only"},
    {"never connected", "does the program start, and connect to the address "
                        "that it is given?"},
    {"hello", "what it prints on its standard output must be JSON lines: see "
              "docs/drivers.md"},
};

void doctor_says(FILE *out, const char *word, const char *text)
{
    size_t i;

    fprintf(out, "%-5s %s\n", word, text);
    if (strcmp(word, "ok") == 0)
        return;
    for (i = 0; i < sizeof advices / sizeof *advices; i++) {
        if (strstr(text, advices[i].found)) {
            fprintf(out, "      %s\n", advices[i].advice);
            return;
        }
    }
}

static void say(FILE *out, const char *word, char *text)
{
    doctor_says(out, word, text);
    free(text);
}

/* ------------------------------------------------------------- a server */

static const char *words_of(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

/* "wait 5, hold 1, ..." */
static char *granted(const xmlNode *s)
{
    static const char *const names[] = {
        "wait", "hold", "requests", "polling", "maxpause", "inactivity", "ver"};
    struct buf text = BUF_INIT;
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = xml_attr(s, NULL, names[i]);

        buf_printf(&text, "%s%s%s%s", i ? ", " : "", value ? "" : "no ",
                   names[i], value ? " " : "");
        buf_adds(&text, words_of(value, ""));
    }
    return buf_take(&text);
}

static const xmlNode *session_at(const struct journal *j, size_t i)
{
    const xmlNode *s = xml_child(journal_root(j), NULL, "s");

    while (s && i-- > 0) {
        s = xml_next(s);
        while (s && !xml_is(s, NULL, "s"))
            s = xml_next(s);
    }
    return s;
}

/* Is the answer one that a BOSH manager may have given? */
static bool tell_answer(const struct doctor_server *d,
                        const struct raw_answer *a, FILE *out)
{
    char *came = raw_answer_words(a);

    if (a->status == 200 && !a->body &&
        !(a->content_type && strcasestr(a->content_type, "xml"))) {
        free(came);
        came = mem_printf("HTTP 200, not XML but %s",
                          words_of(a->content_type, "without a type"));
    }
    if (!a->status)
        say(out, "STOP",
            mem_printf("%s: %s%s", d->url, came,
                       d->tls && !a->problem ? ": does it speak TLS there?"
                                             : ""));
    else if (a->body)
        say(out, "ok",
            mem_printf("%s answers: HTTP %d, a BOSH body", d->url, a->status));
    else
        say(out, "STOP", mem_printf("%s answers: %s", d->url, came));
    free(came);
    return a->body != NULL;
}

static bool tell_session(const struct doctor_server *d, const struct journal *j,
                         const struct raw_answer *a, FILE *out)
{
    const xmlNode *s = session_at(j, 0);
    const char *sid = s ? xml_attr(s, NULL, "sid") : NULL;
    char *words = sid ? granted(s) : raw_answer_words(a);

    if (sid)
        say(out, "ok",
            mem_printf("a session for domain '%s': %s", d->domain, words));
    else
        say(out, "STOP",
            mem_printf("no session for domain '%s': %s", d->domain, words));
    free(words);
    return sid != NULL;
}

/* The lines of the logins are the numbers of the accounts. */
static bool tell_logins(const struct doctor_server *d,
                        const struct stage_outcome *o, FILE *out)
{
    size_t i;

    for (i = 0; i < d->account_count; i++) {
        const xmlNode *s = session_at(o->journal, i);
        const char *jid = s ? xml_attr(s, NULL, "jid") : NULL;

        if (o->end != PLAY_DONE && (size_t)o->line == i + 1) {
            say(out, "STOP",
                mem_printf("%s: %s", d->accounts[i].jid, o->because));
            return false;
        }
        say(out, "ok",
            mem_printf("%s is logged in: %s", d->accounts[i].jid,
                       words_of(jid, "without a resource")));
    }
    return true;
}

bool doctor_server(const struct doctor_server *d, const struct stage_outcome *o,
                   FILE *out)
{
    struct raw_answer first = raw_answer_read(o->journal, 1);

    if (!tell_answer(d, &first, out) ||
        !tell_session(d, o->journal, &first, out) || !tell_logins(d, o, out))
        return false;
    if (d->account_count == 0)
        doctor_says(out, "ok",
                    "no account was given: most cases want one or two, by "
                    "--account=JID:FILE");
    else if (d->account_count == 1)
        doctor_says(out, "ok",
                    "one account was given: a few cases want a second");
    doctor_says(out, "ok",
                "it can be certified: `boshspec server' with the "
                "same options");
    return true;
}

/* ------------------------------------------------------------- a client */

static unsigned count_kind(const struct journal *j, const char *kind)
{
    const xmlNode *x = xml_child(journal_root(j), NULL, "x");
    unsigned n = 0;

    for (; x; x = xml_next(x)) {
        const char *is =
            xml_is(x, NULL, "x") ? xml_attr(x, NULL, "kind") : NULL;

        n += is && strcmp(is, kind) == 0;
    }
    return n;
}

static bool was_said(const struct journal *j, const char *status)
{
    const xmlNode *ev = xml_child(journal_root(j), NULL, "ev");

    for (; ev; ev = xml_next(ev)) {
        const char *value =
            xml_is(ev, NULL, "ev") ? xml_attr(ev, NULL, "value") : NULL;

        if (value && strcmp(value, status) == 0)
            return true;
    }
    return false;
}

/* Each step of a login, and what its absence may mean. */
static bool tell_login(const struct journal *j, FILE *out)
{
    const xmlNode *s = session_at(j, 0);

    if (!count_kind(j, "create")) {
        doctor_says(out, "STOP",
                    "no creation request came: is what it sends a <body/> "
                    "without a sid?");
        return false;
    }
    doctor_says(out, "ok", "it creates a session");
    if (!count_kind(j, "payload") || !count_kind(j, "restart")) {
        doctor_says(out, "STOP",
                    count_kind(j, "payload")
                        ? "it sends SASL, but no restart: the login failed, or "
                          "it does not restart its stream (XEP-0206 5)"
                        : "it sends nothing after the creation: does it read "
                          "the features and begin SASL?");
        return false;
    }
    doctor_says(out, "ok", "it logs in and restarts its stream");
    if (!s || !xml_attr(s, NULL, "jid")) {
        doctor_says(out, "STOP", "it binds no resource after the restart");
        return false;
    }
    say(out, "ok", mem_printf("it is %s", xml_attr(s, NULL, "jid")));
    return true;
}

bool doctor_client(const struct stage_outcome *o, FILE *out)
{
    const struct journal *j = o->journal;

    if (o->driver_lost || (j && !count_kind(j, "create") && o->because[0])) {
        doctor_says(out, "STOP", o->because);
        return false;
    }
    if (!j || !tell_login(j, out))
        return false;
    if (o->has_status && !was_said(j, "connected")) {
        doctor_says(out, "STOP", "the driver does not say 'connected'");
        return false;
    }
    if (o->has_status)
        doctor_says(out, "ok", "the driver says that it is connected");
    doctor_says(out, count_kind(j, "terminate") ? "ok" : "note",
                count_kind(j, "terminate")
                    ? "it ends its session by a terminate"
                    : "no terminate came: it does not end its session");
    doctor_says(out, "ok",
                "it can be certified: `boshspec client' with the "
                "same options");
    return true;
}
