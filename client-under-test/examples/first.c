/* Log in, send one message, log out: XMPP_PASSWORD=... first URL JID TO TEXT.
 * Exit status: 0 it was taken, 1 no login, 2 used wrongly, 3 not sent. */
#include <bosh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(int status, const char *what, const char *why)
{
    fprintf(stderr, "first: %s: %s\n", what, *why ? why : "it took too long");
    return status;
}

static int run(struct bosh_driver *d, struct bosh *s, char **argv)
{
    char *to = bosh_escape(argv[3]), *text = bosh_escape(argv[4]), xml[32768];

    snprintf(xml, sizeof xml,
             "<message to='%s' type='chat'><body>%s</body></message>", to,
             text);
    free(to);
    free(text);
    if (bosh_driver_add(d, s, (struct bosh_hook){NULL, NULL}))
        return failed(2, "no address", bosh_driver_last_error(d));
    if (bosh_driver_connect(d, s, argv[2], getenv("XMPP_PASSWORD"), 30000))
        return failed(1, "no login", bosh_last_error(s));
    if (bosh_send(s, xml, strlen(xml)) || /* goes along with the farewell */
        bosh_driver_disconnect(d, s, NULL, 10000))
        return failed(3, "not sent", bosh_last_error(s));
    return 0;
}

int main(int argc, char **argv)
{
    struct bosh_options options;
    struct bosh_driver *d;
    struct bosh *s;
    int status;

    if (argc != 5)
        return failed(2, "usage", "XMPP_PASSWORD=... first URL JID TO TEXT");
    bosh_options_init(&options);
    options.url = argv[1];
    options.max_errors = 2; /* who waits wants to know soon */
    d = bosh_driver_new();
    s = bosh_new(&options);
    status = run(d, s, argv);
    bosh_driver_free(d);
    bosh_free(s);
    return status;
}
