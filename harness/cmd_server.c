/* boshspec server: certify a connection manager. */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "cmd.h"
#include "common/buf.h"

#define MAX_ACCOUNTS 16

enum {
    KEY_URL = 0x300,
    KEY_DOMAIN,
    KEY_ACCOUNT,
    KEY_ANONYMOUS,
    KEY_CA,
    KEY_INSECURE,
    KEY_SESSIONS,
    KEY_HOSTILE,
    KEY_MAX_WAIT,
};

#define SESSIONS 5 /* servers limit them */
#define MAX_WAIT_S 86400

struct options {
    struct cmd_run run;
    const char *url;
    char *host, *path, *host_header;
    struct account accounts[MAX_ACCOUNTS];
    size_t account_count;
    bool has_user; /* the URL has one, or a password */
};

static const struct argp_option option_list[] = {
    {"url", KEY_URL, "URL", 0, "Of the connection manager", 0},
    {"domain", KEY_DOMAIN, "NAME", 0, "The XMPP domain to log in to", 0},
    {"account", KEY_ACCOUNT, "JID:FILE", 0,
     "An account; its password is the file's first line. May be repeated", 0},
    {"anonymous", KEY_ANONYMOUS, NULL, 0, "Anonymous login is allowed", 0},
    {"ca", KEY_CA, "FILE", 0, "Trust these certificates (PEM)", 0},
    {"insecure", KEY_INSECURE, NULL, 0, "Do not verify certificates", 0},
    {"sessions", KEY_SESSIONS, "N", 0,
     "At most N sessions of one account at once (default: 5; 0: no limit)", 0},
    {"max-wait", KEY_MAX_WAIT, "S", 0,
     "Cases that would wait longer than S seconds for the server's own "
     "limits, such as its 'inactivity', are NA (default: 0, none are)",
     0},
    {"hostile", KEY_HOSTILE, NULL, 0,
     "Also cases that may harm the server: floods, bombs", 0},
    {0},
};

static void add_account(struct options *o, const char *arg,
                        struct argp_state *state)
{
    const char *at = strchr(arg, '@');
    const char *colon = strchr(at ? at : arg, ':');
    struct account *a = &o->accounts[o->account_count];
    struct err e = {""};

    if (o->account_count == MAX_ACCOUNTS)
        argp_error(state, "more than %d accounts", MAX_ACCOUNTS);
    if (!at || !colon || at == arg || !colon[1])
        argp_error(state,
                   "--account '%s': JID:FILE is wanted, such as "
                   "alice@example.org:alice.password",
                   arg);
    a->password = cmd_password(colon + 1, &e);
    if (!a->password)
        argp_error(state, "--account: %s", e.text);
    a->jid = mem_dupn(arg, (size_t)(colon - arg));
    o->account_count++;
}

static char *part(CURLU *u, CURLUPart what)
{
    char *value = NULL, *copy;

    if (curl_url_get(u, what, &value, 0) != CURLUE_OK)
        return NULL;
    copy = mem_dup(value);
    curl_free(value);
    return copy;
}

static bool has_part(CURLU *u, CURLUPart what)
{
    char *text = part(u, what);

    free(text);
    return text != NULL;
}

/* Take the URL apart. false: it is none for us. */
static bool split_url(struct options *o)
{
    CURLU *u = curl_url();
    char *scheme, *port, *query, *value = NULL;
    bool good = u && curl_url_set(u, CURLUPART_URL, o->url, 0) == CURLUE_OK;

    if (good && curl_url_get(u, CURLUPART_PORT, &value, CURLU_DEFAULT_PORT) ==
                    CURLUE_OK)
        o->run.run.port = (int)strtol(value, NULL, 10);
    curl_free(value);
    scheme = good ? part(u, CURLUPART_SCHEME) : NULL;
    port = good ? part(u, CURLUPART_PORT) : NULL;
    query = good ? part(u, CURLUPART_QUERY) : NULL;
    o->host = good ? part(u, CURLUPART_HOST) : NULL;
    o->path = good ? part(u, CURLUPART_PATH) : NULL;
    o->has_user = good && has_part(u, CURLUPART_USER);
    good = scheme && o->host && o->path && o->run.run.port > 0 &&
           (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (good) {
        o->run.run.tls = strcmp(scheme, "https") == 0;
        o->host_header =
            mem_printf("%s%s%s", o->host, port ? ":" : "", port ? port : "");
        if (query) {
            char *whole = mem_printf("%s?%s", o->path, query);

            free(o->path);
            o->path = whole;
        }
        if (o->host[0] == '[') { /* an IPv6 address */
            o->host[strlen(o->host) - 1] = '\0';
            memmove(o->host, o->host + 1, strlen(o->host));
        }
    }
    curl_url_cleanup(u);
    free(scheme);
    free(port);
    free(query);
    return good;
}

static void check(struct options *o, struct argp_state *state)
{
    if (!o->url)
        argp_error(state, "--url is wanted");
    if (!o->run.run.domain)
        argp_error(state, "--domain is wanted");
    if (!split_url(o))
        argp_error(state, "--url '%s': an http or https URL is wanted", o->url);
    if (o->has_user)
        argp_error(state, "--url: without a user or a password, which would "
                          "be in each log");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_URL:
        o->url = arg;
        return 0;
    case KEY_DOMAIN:
        o->run.run.domain = arg;
        return 0;
    case KEY_ACCOUNT:
        add_account(o, arg, state);
        return 0;
    case KEY_ANONYMOUS:
        o->run.run.anonymous = true;
        return 0;
    case KEY_CA:
        o->run.run.ca_file = arg;
        return 0;
    case KEY_INSECURE:
        o->run.run.insecure = true;
        return 0;
    case KEY_SESSIONS:
        o->run.run.sessions =
            (unsigned)cmd_number(state, "--sessions", arg, 0, 10000);
        return 0;
    case KEY_HOSTILE:
        o->run.run.hostile = true;
        return 0;
    case KEY_MAX_WAIT:
        o->run.run.max_wait_ms =
            1000 * cmd_number(state, "--max-wait", arg, 0, MAX_WAIT_S);
        return 0;
    case ARGP_KEY_ARG:
        cmd_words_add(&o->run.words, arg);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->run;
        state->child_inputs[1] = &o->run;
        return 0;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&cmd_select_argp, 0, "Which cases", 1},
    {&cmd_run_argp, 0, "The run", 2},
    {0},
};

static const struct argp argp = {
    option_list,
    parse,
    "[SELECT...]",
    "Plays cases against a connection manager, as a client that does what "
    "each case wants, and judges what the manager did.",
    children,
    NULL,
    NULL};

static void release(struct options *o)
{
    size_t i;

    for (i = 0; i < o->account_count; i++) {
        free((char *)(uintptr_t)o->accounts[i].jid);
        free((char *)(uintptr_t)o->accounts[i].password);
    }
    free(o->host);
    free(o->path);
    free(o->host_header);
    cmd_run_release(&o->run);
}

static void parse_all(struct options *o, int argc, char **argv)
{
    cmd_run_init(&o->run, ROLE_SERVER);
    o->run.run.sessions = SESSIONS;
    argp_parse(&argp, argc, argv, 0, NULL, o);
    o->run.run.url = o->url;
    o->run.run.host = o->host;
    o->run.run.path = o->path;
    o->run.run.host_header = o->host_header;
    o->run.run.accounts = o->accounts;
    o->run.run.account_count = o->account_count;
}

int cmd_server(int argc, char **argv)
{
    struct options o = {.url = NULL};
    int status;

    parse_all(&o, argc, argv);
    status = cmd_run_suite(&o.run, o.host_header);
    release(&o);
    return status;
}

int cmd_doctor_server(int argc, char **argv)
{
    struct options o = {.url = NULL};
    int status;

    parse_all(&o, argc, argv);
    status = cmd_run_doctor(&o.run, NULL);
    release(&o);
    return status;
}
