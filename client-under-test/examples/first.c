/* Send one message: XMPP_PASSWORD=... first URL JID TO TEXT */
#include <bosh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct bosh_driver *driver = bosh_driver_new();
    struct bosh_options options;
    struct bosh *session;
    char *text = bosh_escape(argc == 5 ? argv[4] : "");
    char xml[32768];
    int rc = -1;

    bosh_options_init(&options);
    options.url = argc == 5 ? argv[1] : NULL;
    options.max_errors = 2; /* who waits wants to know soon */
    session = bosh_new(&options);
    if (bosh_driver_add(driver, session, (struct bosh_hook){NULL, NULL})) {
        fprintf(stderr, "first: %s\n", bosh_driver_last_error(driver));
    } else {
        snprintf(xml, sizeof xml,
                 "<message to='%s' type='chat'><body>%s</body></message>",
                 argv[3], text);
        rc = bosh_driver_connect(driver, session, argv[2],
                                 getenv("XMPP_PASSWORD"), 30000);
        if (rc == 0)
            rc = bosh_send(session, xml, strlen(xml));
        if (rc == 0) /* what is queued goes along with the farewell */
            rc = bosh_driver_disconnect(driver, session, NULL, 10000);
        if (rc)
            fprintf(stderr, "first: %s\n", bosh_last_error(session));
    }
    bosh_driver_free(driver);
    bosh_free(session);
    free(text);
    return rc ? 1 : 0;
}
