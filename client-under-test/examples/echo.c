/*
 * A bot that sends back what it is told: XMPP_PASSWORD=... echo URL JID [CA].
 * CA is a PEM file, where the system does not know the server's authority.
 *
 * SIGTERM or SIGINT end it politely. When the session breaks it logs in again,
 * after 1 s, 2 s, 4 s, ... up to a minute, and begins anew with 1 s once one
 * has lasted that long. Exit status: 0 it was told to end, 1 the login was
 * refused, 2 it was used wrongly.
 */
#include <bosh.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000

struct bot {
    struct bosh *session;
    int signals;       /* a descriptor */
    bool quits;        /* it was told to */
    bool refused;      /* trying again is no use */
    int64_t online_ms; /* since when; 0: it is not */
    int64_t pause_ms;  /* before the next login; */
    int64_t login_ms;  /* when that is */
};

static void say(const char *what, const char *more, const char *most)
{
    fprintf(stderr, "echo: %s%s%s%s%s\n", what, more ? ": " : "",
            more ? more : "", most ? ", " : "", most ? most : "");
}

static void send_text(struct bot *bot, const char *xml)
{
    if (bosh_send(bot->session, xml, strlen(xml)))
        say("not sent", bosh_last_error(bot->session), NULL);
}

static void answer(struct bot *bot, const char *to, const char *text)
{
    static const char FORM[] = "<message type='chat' to='%s'><body>%s</body>"
                               "</message>";
    char *safe_to = bosh_escape(to), *safe_text = bosh_escape(text);
    size_t size = sizeof FORM + strlen(safe_to) + strlen(safe_text);
    char *xml = malloc(size);

    if (xml) {
        snprintf(xml, size, FORM, safe_to, safe_text);
        send_text(bot, xml);
    }
    free(xml);
    free(safe_text);
    free(safe_to);
}

static xmlNodePtr child(xmlNodePtr node, const char *name)
{
    for (node = node->children; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE &&
            strcmp((const char *)node->name, name) == 0)
            return node;
    }
    return NULL;
}

/* Chat alone: answers to errors, or to rooms, would never end. */
static void on_message(struct bot *bot, xmlNodePtr message)
{
    xmlChar *type = xmlGetNoNsProp(message, (const xmlChar *)"type");
    xmlChar *from = xmlGetNoNsProp(message, (const xmlChar *)"from");
    xmlNodePtr body = child(message, "body");
    xmlChar *text = body ? xmlNodeGetContent(body) : NULL;

    if (type && strcmp((char *)type, "chat") == 0 && from && text && *text)
        answer(bot, (char *)from, (char *)text);
    xmlFree(type);
    xmlFree(from);
    xmlFree(text);
}

static void on_stanza(struct bot *bot, const struct bosh_event *event)
{
    xmlDocPtr doc = xmlReadMemory(event->xml, (int)event->xml_len, NULL, NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR |
                                      XML_PARSE_NOWARNING);
    xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;

    if (root && strcmp((const char *)root->name, "message") == 0)
        on_message(bot, root);
    xmlFreeDoc(doc);
}

static void on_disconnected(struct bot *bot)
{
    int64_t now_ms = bosh_driver_now_ms();

    if (bot->online_ms && now_ms - bot->online_ms > PAUSE_MAX_MS)
        bot->pause_ms = PAUSE_MIN_MS;
    bot->online_ms = 0;
    bot->login_ms = now_ms + bot->pause_ms;
    if (bot->pause_ms < PAUSE_MAX_MS)
        bot->pause_ms *= 2;
}

static void on_status(struct bot *bot, const struct bosh_event *event)
{
    say(bosh_status_name(event->status), event->condition, event->detail);
    switch (event->status) {
    case BOSH_CONNECTED:
        bot->online_ms = bosh_driver_now_ms();
        send_text(bot, "<presence/>");
        break;
    case BOSH_AUTHFAIL:
    case BOSH_REDIRECT: /* whoever runs it shall decide on that */
        bot->refused = true;
        break;
    case BOSH_DISCONNECTED:
        on_disconnected(bot);
        break;
    default:
        break;
    }
}

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    (void)s;
    if (event->kind == BOSH_EVENT_STATUS)
        on_status(ctx, event);
    else if (event->kind == BOSH_EVENT_STANZA)
        on_stanza(ctx, event);
}

static void on_signal(void *ctx)
{
    struct bot *bot = ctx;
    struct signalfd_siginfo info;

    if (read(bot->signals, &info, sizeof info) != sizeof info)
        return;
    bot->quits = true;
    if (!bosh_ended(bot->session))
        bosh_disconnect(bot->session, bosh_driver_now_ms(), NULL);
}

static int signals_fd(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One turn: log in when it is time, and wait until then at most. */
static int turn(struct bot *bot, struct bosh_driver *d, const char *jid)
{
    int64_t left_ms = bot->login_ms - bosh_driver_now_ms();

    if (!bosh_ended(bot->session))
        return bosh_driver_turn(d, -1);
    if (left_ms > 0)
        return bosh_driver_turn(d, left_ms);
    if (bosh_connect(bot->session, bosh_driver_now_ms(), jid,
                     getenv("XMPP_PASSWORD"))) {
        say("no login", bosh_last_error(bot->session), NULL);
        return -1;
    }
    bosh_driver_pump(d, bot->session);
    return 0;
}

static int run(struct bot *bot, struct bosh_driver *d, const char *jid)
{
    if (bosh_driver_add(d, bot->session, (struct bosh_hook){on_event, bot})) {
        say("no address", bosh_driver_last_error(d), NULL);
        return 2;
    }
    bosh_driver_watch(d, bot->signals, on_signal, bot);
    while (!(bosh_ended(bot->session) && (bot->quits || bot->refused))) {
        if (turn(bot, d, jid))
            return 2;
    }
    return bot->refused ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct bot bot = {.pause_ms = PAUSE_MIN_MS};
    struct bosh_options options;
    struct bosh_driver *d;
    int status;

    if (argc < 3 || argc > 4) {
        say("usage", "XMPP_PASSWORD=... echo URL JID [CA]", NULL);
        return 2;
    }
    bosh_options_init(&options);
    options.url = argv[1];
    options.ca_file = argv[3];
    bot.signals = signals_fd();
    bot.session = bosh_new(&options);
    d = bosh_driver_new();
    status = run(&bot, d, argv[2]);
    bosh_driver_free(d);
    bosh_free(bot.session);
    close(bot.signals);
    return status;
}
