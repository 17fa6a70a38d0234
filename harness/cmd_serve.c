/* boshspec serve: the mock on its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "cmd.h"
#include "common/buf.h"
#include "mockserver/http_mhd.h"
#include "mockserver/mock.h"
#include "signals.h"

#define MAX_ACCOUNTS 64
#define MECHANISMS "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN ANONYMOUS"

enum {
    KEY_LISTEN = 0x300,
    KEY_WAIT,
    KEY_HOLD,
    KEY_REQUESTS,
    KEY_INACTIVITY,
    KEY_POLLING,
    KEY_MAXPAUSE,
    KEY_DOMAIN,
    KEY_ACCOUNT,
    KEY_MECHANISMS,
    KEY_STREAMS,
};

struct options {
    struct mock_options mock;
    char *host;
    int port;
    struct mock_account accounts[MAX_ACCOUNTS];
    size_t account_count;
};

static const struct argp_option option_list[] = {
    {"listen", KEY_LISTEN, "ADDR:PORT", 0,
     "Where (default: 127.0.0.1:5280; port 0: any that is free)", 0},
    {"domain", KEY_DOMAIN, "NAME", 0, "The XMPP domain (default: localhost)",
     0},
    {"account", KEY_ACCOUNT, "JID:FILE", 0,
     "An account in place of alice, bob, carol and dave, whose password is "
     "'secret'; its own is the file's first line. May be repeated",
     0},
    {"mechanisms", KEY_MECHANISMS, "WORDS", 0,
     "SASL mechanisms, in order: " MECHANISMS, 0},
    {"wait", KEY_WAIT, "S", 0, "Longest wait that is granted (60)", 1},
    {"hold", KEY_HOLD, "N", 0, "Most requests that are held (as asked)", 1},
    {"requests", KEY_REQUESTS, "N", 0,
     "Requests allowed at once (hold + 1; 0: no limit)", 1},
    {"inactivity", KEY_INACTIVITY, "S", 0, "Longest silence (30)", 1},
    {"polling", KEY_POLLING, "S", 0, "Shortest polling interval (5)", 1},
    {"maxpause", KEY_MAXPAUSE, "S", 0, "Longest pause (120)", 1},
    {"streams", KEY_STREAMS, NULL, 0,
     "A session may have several streams, XEP-0124 section 16", 1},
    {0},
};

static void add_account(struct options *o, const char *arg,
                        struct argp_state *state)
{
    const char *colon = strrchr(arg, ':');
    struct mock_account *a = &o->accounts[o->account_count];
    struct err e = {""};

    if (o->account_count == MAX_ACCOUNTS)
        argp_error(state, "more than %d accounts", MAX_ACCOUNTS);
    if (!colon || colon == arg || !colon[1])
        argp_error(state, "--account '%s': JID:FILE is wanted", arg);
    a->password = cmd_password(colon + 1, &e);
    if (!a->password)
        argp_error(state, "--account: %s", e.text);
    a->user = mem_dupn(arg, strcspn(arg, "@:"));
    o->account_count++;
    o->mock.accounts = o->accounts;
    o->mock.account_count = o->account_count;
    o->mock.any_user_password = NULL;
}

static void set_listen(struct options *o, const char *arg,
                       struct argp_state *state)
{
    const char *colon = strrchr(arg, ':');

    if (!colon)
        argp_error(state, "--listen '%s': ADDR:PORT is wanted", arg);
    free(o->host);
    o->host = mem_dupn(arg, (size_t)(colon - arg));
    o->port = (int)cmd_number(state, "--listen", colon + 1, 0, 65535);
}

static bool is_one_of(const char *word, size_t len, const char *words)
{
    while (*words) {
        size_t n = strcspn(words, " ");

        if (n == len && strncmp(words, word, n) == 0)
            return true;
        words += n + strspn(words + n, " ");
    }
    return false;
}

static void set_mechanisms(struct options *o, const char *arg,
                           struct argp_state *state)
{
    const char *at = arg;

    do {
        size_t n = strcspn(at, " ");

        if (!is_one_of(at, n, MECHANISMS))
            argp_error(state, "--mechanisms '%.*s': allowed are %s", (int)n, at,
                       MECHANISMS);
        at += n + strspn(at + n, " ");
    } while (*at);
    o->mock.mechanisms = arg;
    o->mock.anonymous = is_one_of("ANONYMOUS", strlen("ANONYMOUS"), arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_LISTEN:
        set_listen(o, arg, state);
        return 0;
    case KEY_DOMAIN:
        o->mock.domain = arg;
        return 0;
    case KEY_ACCOUNT:
        add_account(o, arg, state);
        return 0;
    case KEY_MECHANISMS:
        set_mechanisms(o, arg, state);
        return 0;
    case KEY_WAIT:
        o->mock.wait_s = (int)cmd_number(state, "--wait", arg, 0, 65535);
        return 0;
    case KEY_HOLD:
        o->mock.hold = (int)cmd_number(state, "--hold", arg, 0, 255);
        return 0;
    case KEY_REQUESTS:
        o->mock.requests = (int)cmd_number(state, "--requests", arg, 0, 255);
        return 0;
    case KEY_INACTIVITY:
        o->mock.inactivity_s =
            (int)cmd_number(state, "--inactivity", arg, 0, 65535);
        return 0;
    case KEY_POLLING:
        o->mock.polling_s = (int)cmd_number(state, "--polling", arg, 0, 65535);
        return 0;
    case KEY_MAXPAUSE:
        o->mock.maxpause_s =
            (int)cmd_number(state, "--maxpause", arg, 0, 65535);
        return 0;
    case KEY_STREAMS:
        o->mock.streams = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is one word too many", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    option_list,
    parse,
    NULL,
    "A well-behaved XMPP server behind a well-behaved BOSH connection "
    "manager, until it is interrupted.",
    NULL,
    NULL,
    NULL};

/* ------------------------------------------------------------- serving */

struct serving {
    uv_loop_t loop;
    struct signals signals;
    struct http_mhd *front;
};

static void on_signal(uv_signal_t *handle, int signum)
{
    struct serving *s = handle->data;

    (void)signum;
    signals_close(&s->signals);
    http_mhd_free(s->front, NULL, NULL);
}

static int serve(struct options *o, struct err *e)
{
    struct mock *mock = mock_new(&o->mock);
    struct serving s;
    int port = -1;

    uv_loop_init(&s.loop);
    s.front = http_mhd_new(&s.loop, mock, e);
    if (s.front)
        port = http_mhd_listen(s.front, o->host, o->port, e);
    if (port >= 0) {
        signals_start(&s.signals, &s.loop, on_signal, &s);
        printf("listening on http://%s:%d%s\n", o->host, port,
               o->mock.path ? o->mock.path : "/");
        fflush(stdout);
    } else if (s.front) {
        http_mhd_free(s.front, NULL, NULL);
    }
    uv_run(&s.loop, UV_RUN_DEFAULT);
    uv_loop_close(&s.loop);
    mock_free(mock);
    return port >= 0 ? 0 : -1;
}

int cmd_serve(int argc, char **argv)
{
    struct options o = {.mock = mock_options_default(), .port = 5280};
    struct err e = {""};
    int status;
    size_t i;

    o.mock.accept = "gzip,deflate";
    o.host = mem_dup("127.0.0.1");
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    status = serve(&o, &e) < 0 ? cmd_fail(EXIT_USAGE, &e) : 0;
    for (i = 0; i < o.account_count; i++) {
        free((char *)(uintptr_t)o.accounts[i].user);
        free((char *)(uintptr_t)o.accounts[i].password);
    }
    free(o.host);
    return status;
}
