/*
 * A conversation on the terminal, in a poll() loop of the program's own:
 * XMPP_PASSWORD=... talk URL JID TO. Each line goes to TO; what comes is
 * printed as it is. The end of input ends it. Login and farewell are blocking
 * calls on the same session. Exit status: 0 all was sent, 1 it was not, 2 used
 * wrongly.
 */
#include <bosh.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *event)
{
    (void)ctx;
    (void)s;
    if (event->kind == BOSH_EVENT_STANZA)
        printf("%.*s\n", (int)event->xml_len, event->xml);
}

/* For poll(): until the driver wants to be called again. */
static int timeout_ms(const struct bosh_driver *d)
{
    int64_t at_ms = bosh_driver_deadline_ms(d);
    int64_t left_ms = at_ms - bosh_driver_now_ms();

    if (at_ms == BOSH_NEVER)
        return -1;
    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

/* False at the end of input, or when the line cannot be sent. */
static bool send_line(struct bosh *s, const char *to)
{
    char line[4096], xml[65536];
    char *safe_to, *safe_line;

    if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, "\n")] = '\0';
    safe_to = bosh_escape(to);
    safe_line = bosh_escape(line);
    snprintf(xml, sizeof xml,
             "<message to='%s' type='chat'><body>%s</body></message>", safe_to,
             safe_line);
    free(safe_line);
    free(safe_to);
    return bosh_send(s, xml, strlen(xml)) == 0;
}

static void loop(struct bosh_driver *d, struct bosh *s, const char *to)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = bosh_driver_fd(d), .events = POLLIN}};

    while (!bosh_ended(s) && poll(fds, 2, timeout_ms(d)) >= 0) {
        if (fds[0].revents && !send_line(s, to))
            return;
        bosh_driver_turn(d, 0); /* also what was queued just now */
    }
}

static int run(struct bosh_driver *d, struct bosh *s, char **argv)
{
    if (bosh_driver_connect(d, s, argv[2], getenv("XMPP_PASSWORD"), 30000))
        return 1;
    bosh_send(s, "<presence/>", strlen("<presence/>"));
    bosh_driver_pump(d, s);
    loop(d, s, argv[3]);
    if (bosh_ended(s))
        return 1;
    return bosh_driver_disconnect(d, s, NULL, 10000) ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct bosh_options options;
    struct bosh_driver *d;
    struct bosh *s;
    int status = 2;

    if (argc != 4)
        return status;
    setvbuf(stdin, NULL, _IONBF, 0); /* no line may hide behind poll() */
    setvbuf(stdout, NULL, _IOLBF, 0);
    bosh_options_init(&options);
    options.url = argv[1];
    d = bosh_driver_new();
    s = bosh_new(&options);
    if (bosh_driver_add(d, s, (struct bosh_hook){on_event, NULL}) == 0)
        status = run(d, s, argv);
    if (status)
        fprintf(stderr, "talk: %s%s\n", bosh_driver_last_error(d),
                bosh_last_error(s));
    bosh_driver_free(d);
    bosh_free(s);
    return status;
}
