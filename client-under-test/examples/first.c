/* Log in, send one message, log out. The exit status says how far it came:
 * 0 the manager has the message, 1 no login, 2 used wrongly, 3 not sent. */
#include <bosh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int give_up(int status, const char *what, const char *why)
{
    fprintf(stderr, "first: %s: %s\n", what, *why ? why : "no answer in time");
    return status;
}

int main(int argc, char **argv)
{
    struct bosh_options o;
    struct bosh_driver *d = bosh_driver_new();
    struct bosh *s;
    char xml[8192];

    if (argc != 5 || !getenv("XMPP_PASSWORD"))
        return give_up(2, "usage", "XMPP_PASSWORD=... first URL JID TO TEXT");
    bosh_options_init(&o);
    o.url = argv[1];
    s = bosh_new(&o);
    if (bosh_driver_add(d, s, (struct bosh_hook){NULL, NULL}))
        return give_up(2, argv[1], bosh_driver_last_error(d));
    if (bosh_driver_connect(d, s, argv[2], getenv("XMPP_PASSWORD"), 30000))
        return give_up(1, "no login", bosh_last_error(s));
    snprintf(xml, sizeof xml, "<message to='%s' type='chat'><body>%s</body>"
             "</message>", bosh_escape(argv[3]), bosh_escape(argv[4]));
    if (bosh_driver_send(d, s, xml, strlen(xml), 30000))
        return give_up(3, "not sent", bosh_last_error(s));
    bosh_driver_disconnect(d, s, NULL, 5000);
    bosh_driver_free(d);
    bosh_free(s);
    return 0;
}
