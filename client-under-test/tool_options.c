/* The command line of bosh-client as a tool: see tool.h. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "tool_values.h"

/* ---- Options of the session -----------------------------------------------
 */

enum { KEY_SESSION = 0x1000 };

/* Names are those of the driver protocol (asked.c), "no-" in front turns one
 * off; the argument's name is what is wanted of it. */
static const struct argp_option session_list[] = {
    {"wait", KEY_SESSION, "0..65535", 0,
     "Seconds that the manager may hold a request (60); 0 asks for a polling "
     "session",
     3},
    {"hold", KEY_SESSION + 1, "0..255", 0,
     "Requests that it may hold (1); 0 asks for a polling session", 3},
    {"route", KEY_SESSION + 2, "xmpp:HOST:PORT", 0,
     "The server that the manager is to connect to", 3},
    {"lang", KEY_SESSION + 3, "TAG", 0, "Our language (en)", 3},
    {"content", KEY_SESSION + 4, "TYPE", 0,
     "Content type that answers are to have; '' leaves it out", 3},
    {"mechanisms", KEY_SESSION + 5, "WORDS", 0,
     "SASL mechanisms that are allowed, by spaces (all that we have)", 3},
    {"ack", KEY_SESSION + 6, NULL, 0, "Acknowledge answers", 3},
    {"keys", KEY_SESSION + 7, "2..10000", OPTION_ARG_OPTIONAL,
     "Prove each request by a key; so many in a sequence (a random number)", 3},
    {"max-open", KEY_SESSION + 8, "1..255", 0,
     "Requests at once, if the manager lets us (2)", 3},
    {"max-errors", KEY_SESSION + 9, "0..1000", 0,
     "Errors in a row that end the session (5); 0: never", 3},
    {"no-back-off", KEY_SESSION + 10, NULL, 0,
     "Repeat at once, however often it went wrong", 3},
    {"timeout", KEY_SESSION + 11, "0..1000", 0,
     "Give a request up after so many times wait (1.1); 0: never", 3},
    {"secondary-timeout", KEY_SESSION + 12, "0..1000", 0,
     "The same, once a later one was answered (0.1)", 3},
    {"secondary-min-ms", KEY_SESSION + 13, "0..3600000", 0,
     "But not before so many ms (1000)", 3},
    {"disconnect-ms", KEY_SESSION + 14, "0..3600000", 0,
     "Milliseconds that leaving may take (3000)", 3},
    {"with-credentials", KEY_SESSION + 15, NULL, 0,
     "Keep the manager's cookies, and send them back", 4},
    {"compress", KEY_SESSION + 16, NULL, 0,
     "Requests as gzip, if the manager accepts it", 4},
    {0},
};

static const struct argp_option *find_option(const struct argp_option *list,
                                             int key)
{
    for (; list->name; list++) {
        if (list->key == key)
            return list;
    }
    return NULL;
}

static error_t parse_session(int key, char *arg, struct argp_state *state)
{
    const struct argp_option *option = find_option(session_list, key);
    struct tool_options *o = state->input;
    const char *value = arg ? arg : "true";
    const char *name;

    if (!option)
        return ARGP_ERR_UNKNOWN;
    name = option->name;
    if (strncmp(name, "no-", 3) == 0) {
        name += 3;
        value = "false";
    }
    if (asked_set(&o->asked, name, value, NULL))
        argp_error(state, "--%s '%s': %s is wanted", option->name, value,
                   option->arg);
    return 0;
}

static const struct argp session_argp = {
    session_list, parse_session, NULL, NULL, NULL, NULL, NULL};

/* ---- The others -------------------------------------------------------------
 */

enum {
    KEY_URL = 0x2000,
    KEY_JID,
    KEY_PASSWORD_FILE,
    KEY_TOKEN_FILE,
    KEY_SECRET,
    KEY_RESOURCE,
    KEY_TRACE,
    KEY_LOGIN_TIME,
    KEY_ANSWER_TIME,
    KEY_COUNT,
    KEY_INTERVAL,
    KEY_FOR,
    KEY_XML,
    KEY_STORE,
    KEY_KEEP,
    KEY_CA,
    KEY_CERT,
    KEY_KEY,
    KEY_PROXY,
    KEY_HEADER,
    KEY_COOKIE,
};

static const struct argp_option option_list[] = {
    {"url", KEY_URL, "URL", 0,
     "Of the BOSH manager, such as "
     "https://example.org/http-bind; must be given",
     1},
    {"jid", KEY_JID, "JID", 0,
     "user@domain, user@domain/resource, or domain for an anonymous login; "
     "must be given",
     1},
    {"password-file", KEY_PASSWORD_FILE, "FILE", 0,
     "The password is its first line. Without it $BOSH_PASSWORD is, or it is "
     "asked for at the terminal",
     1},
    {"token-file", KEY_TOKEN_FILE, "FILE", 0,
     "An OAuth 2.0 token in place of a password", 1},
    /* Else they would be short for the two above. */
    {"password", KEY_SECRET, "SECRET", OPTION_HIDDEN, NULL, 1},
    {"token", KEY_SECRET, "SECRET", OPTION_HIDDEN, NULL, 1},
    {"resource", KEY_RESOURCE, "NAME", 0, "To be bound (the server chooses)",
     1},
    {"trace", KEY_TRACE, NULL, 0,
     "Show on stderr what goes over the wire, secrets hidden", 1},
    {"quiet", 'q', NULL, 0, "Nothing on stderr but failures", 1},
    {"login-time", KEY_LOGIN_TIME, "SECONDS", 0,
     "Give up when not logged in by then (30)", 1},
    {"count", KEY_COUNT, "N", 0,
     "listen: end after N messages (0: never); ping: so many (1; 0: until "
     "interrupted)",
     2},
    {"for", KEY_FOR, "SECONDS", 0,
     "listen: end after so long; send-xml: show for so long what comes", 2},
    {"xml", KEY_XML, NULL, 0, "listen: stanzas as they are", 2},
    {"interval", KEY_INTERVAL, "SECONDS", 0, "ping: from one to the next (1)",
     2},
    {"answer-time", KEY_ANSWER_TIME, "SECONDS", 0,
     "send, send-xml, ping: wait so long for an answer (10)", 2},
    {"ca", KEY_CA, "FILE", 0, "Certificates to trust, PEM (the system's)", 4},
    {"cert", KEY_CERT, "FILE", 0, "Our own certificate, PEM", 4},
    {"key", KEY_KEY, "FILE", 0, "Its key, PEM (in --cert's file)", 4},
    {"proxy", KEY_PROXY, "URL|@FILE", 0,
     "http, https, socks4, socks4a, socks5 or socks5h; with a password only "
     "from a file",
     4},
    {"header", KEY_HEADER, "LINE|@FILE", 0,
     "'Name: value' to go along, or a file of such lines; repeatable", 4},
    {"cookie", KEY_COOKIE, "LINE|@FILE", 0,
     "'name=value; path=...' to go along, or a file of such lines; repeatable",
     4},
    {"store", KEY_STORE, "FILE", 0,
     "Take up the session that is kept there, if there is one; keep ours there "
     "while it lives",
     5},
    {"keep", KEY_KEEP, NULL, 0,
     "With --store: leave the session alive at the end", 5},
    {0},
};

/* Options that only some commands have. */
static const struct {
    const char *option;
    const char *commands;
} BELONGS[] = {
    {"count", "listen ping"},
    {"for", "listen send-xml"},
    {"xml", "listen"},
    {"interval", "ping"},
    {"answer-time", "send send-xml ping"},
};

struct parsing {
    struct tool_options *o;
    const char *limited[sizeof BELONGS / sizeof BELONGS[0]]; /* that came */
    size_t limited_count;
};

static const struct tool_command *find_command(const char *name)
{
    for (size_t i = 0; tool_commands[i]; i++) {
        if (strcmp(tool_commands[i]->name, name) == 0)
            return tool_commands[i];
    }
    return NULL;
}

static void take_word(struct argp_state *state, struct tool_options *o,
                      const char *word)
{
    if (!o->command) {
        o->command = find_command(word);
        if (!o->command)
            argp_error(state, "unknown command '%s'", word);
        return;
    }
    if (o->word_count == o->command->words_max) {
        argp_error(state, "'%s' is one word too many", word);
        return; /* argp_error() does not */
    }
    o->words[o->word_count++] = word;
}

static bool is_word_of(const char *words, const char *word)
{
    const char *at = strstr(words, word);
    size_t len = strlen(word);

    return at && (at == words || at[-1] == ' ') &&
           (at[len] == ' ' || at[len] == '\0');
}

static void note_limited(struct parsing *p, int key)
{
    const char *name = find_option(option_list, key)->name;

    for (size_t i = 0; i < p->limited_count; i++) {
        if (p->limited[i] == name)
            return;
    }
    p->limited[p->limited_count++] = name;
}

static void check_limited(struct argp_state *state, const struct parsing *p)
{
    for (size_t i = 0; i < p->limited_count; i++) {
        for (size_t k = 0; k < sizeof BELONGS / sizeof BELONGS[0]; k++) {
            if (strcmp(BELONGS[k].option, p->limited[i]) == 0 &&
                !is_word_of(BELONGS[k].commands, p->o->command->name))
                argp_error(state, "--%s is for: %s", p->limited[i],
                           BELONGS[k].commands);
        }
    }
}

static void check(struct argp_state *state, const struct parsing *p)
{
    const struct tool_options *o = p->o;

    if (!o->command) {
        argp_error(state, "which command?");
        return; /* argp_error() does not */
    }
    if (o->word_count < o->command->words_min)
        argp_error(state, "%s wants: %s", o->command->name, o->command->words);
    check_limited(state, p);
    if (!o->asked.options.url)
        argp_error(state, "--url is wanted");
    if (!o->jid)
        argp_error(state, "--jid is wanted");
    if (o->jid && o->resource && strchr(o->jid, '/'))
        argp_error(state, "--resource: --jid has one already");
    if (o->keep && !o->store_file)
        argp_error(state, "--keep is for --store: nobody else could go on");
}

static void parse_limited(int key, const char *arg, struct argp_state *state)
{
    struct parsing *p = state->input;
    struct tool_options *o = p->o;

    note_limited(p, key);
    if (key == KEY_COUNT)
        o->count = tool_value_count(state, "--count", arg);
    else if (key == KEY_FOR)
        o->for_ms = tool_value_ms(state, "--for", arg);
    else if (key == KEY_INTERVAL)
        o->interval_ms = tool_value_ms(state, "--interval", arg);
    else if (key == KEY_ANSWER_TIME)
        o->answer_ms = tool_value_ms(state, "--answer-time", arg);
    else
        o->xml = true;
}

static void add_to_list(int key, const char *arg, struct argp_state *state)
{
    struct tool_options *o = ((struct parsing *)state->input)->o;
    struct tool_list headers = {"headers", "Name: value", &o->headers};
    struct tool_list cookies = {"cookies", "name=value", &o->cookies};

    if (key == KEY_HEADER)
        tool_value_list(state, "--header", arg, &headers, &o->asked);
    else
        tool_value_list(state, "--cookie", arg, &cookies, &o->asked);
}

/* What the library's driver is told about the way. */
static error_t parse_way(int key, char *arg, struct argp_state *state)
{
    struct tool_options *o = ((struct parsing *)state->input)->o;
    struct bosh_options *b = &o->asked.options;

    switch (key) {
    case KEY_URL:
        b->url = tool_value_url(state, "--url", arg);
        return 0;
    case KEY_CA:
        b->ca_file = tool_value_path(state, "--ca", arg);
        return 0;
    case KEY_CERT:
        b->cert_file = tool_value_path(state, "--cert", arg);
        return 0;
    case KEY_KEY:
        b->key_file = tool_value_path(state, "--key", arg);
        return 0;
    case KEY_PROXY:
        tool_wipe(o->proxy);
        o->proxy = tool_value_secret_url(state, "--proxy", arg);
        b->proxy = o->proxy;
        return 0;
    case KEY_HEADER:
    case KEY_COOKIE:
        add_to_list(key, arg, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct parsing *p = state->input;
    struct tool_options *o = p->o;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case KEY_JID:
        o->jid = arg;
        return 0;
    case KEY_PASSWORD_FILE:
        o->password_file = arg;
        return 0;
    case KEY_TOKEN_FILE:
        o->token_file = arg;
        return 0;
    case KEY_SECRET:
        argp_error(state, "a secret does not belong on a command line: give "
                          "--password-file or --token-file");
        return 0;
    case KEY_RESOURCE:
        o->resource = arg;
        return 0;
    case KEY_TRACE:
        o->trace = true;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case KEY_LOGIN_TIME:
        o->login_ms = tool_value_ms(state, "--login-time", arg);
        return 0;
    case KEY_STORE:
        o->store_file = arg;
        return 0;
    case KEY_KEEP:
        o->keep = true;
        return 0;
    case KEY_COUNT:
    case KEY_FOR:
    case KEY_INTERVAL:
    case KEY_ANSWER_TIME:
    case KEY_XML:
        parse_limited(key, arg, state);
        return 0;
    case ARGP_KEY_ARG:
        take_word(state, o, arg);
        return 0;
    case ARGP_KEY_END:
        check(state, p);
        return 0;
    default:
        return parse_way(key, arg, state);
    }
}

/* ---- The help ---------------------------------------------------------------
 */

static const char AFTER[] =
    "\nWithout a word on the command line it is a driver program of boshspec "
    "and\nspeaks JSON lines on stdin and stdout.\n\n"
    "Exit status: 0 done; 1 a fault of this machine, such as a closed stdout;\n"
    "2 a bad option, file or text; 3 no session: no connection, no BOSH "
    "there,\nnot let in; 4 the login was refused; 5 the session ended too "
    "early; 6 no\nanswer in time; 7 the message came back as an error; 128 + "
    "N interrupted by\nsignal N.\n";

static char *help_filter(int key, const char *text, void *input)
{
    struct buf out = BUF_INIT;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    buf_adds(&out, "Commands:\n");
    for (size_t i = 0; tool_commands[i]; i++)
        buf_printf(&out, "  %-8s %-8s %s\n", tool_commands[i]->name,
                   tool_commands[i]->words, tool_commands[i]->what);
    buf_adds(&out, AFTER);
    return buf_take(&out);
}

static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    option_list,
    parse,
    "COMMAND [WORD...]",
    "XMPP over BOSH (XEP-0124, XEP-0206) by hand. Options may stand before "
    "the command and behind it.\v",
    children,
    help_filter,
    NULL};

void tool_options_read(struct tool_options *o, int argc, char **argv)
{
    struct parsing p = {.o = o};

    memset(o, 0, sizeof *o);
    asked_init(&o->asked);
    o->count = -1;
    o->interval_ms = 1000;
    o->answer_ms = 10000;
    o->login_ms = 30000;
    argp_err_exit_status = TOOL_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &p);
}

void tool_options_release(struct tool_options *o)
{
    asked_release(&o->asked);
    buf_release(&o->headers);
    buf_release(&o->cookies);
    tool_wipe(o->proxy);
    o->proxy = NULL;
}
