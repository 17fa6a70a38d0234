#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client-under-test/bosh.h"

static struct bosh_driver *loop;
static struct bosh *sessions[100000]; /* by number: each is used once */

static void put(json_t *line)
{
    printf("%s\n", json_dumps(line, JSON_COMPACT));
    fflush(stdout); /* boshspec waits for each line */
}

static void on_event(void *ctx, struct bosh *s, const struct bosh_event *e)
{
    int n = (int)((struct bosh **)ctx - sessions);

    (void)s;
    if (e->kind == BOSH_EVENT_STATUS)
        put(json_pack("{ss si ss ss*}", "event", "status", "session", n,
                      "status", bosh_status_name(e->status), "condition",
                      e->condition));
    else
        put(json_pack("{ss si ss%}", "event", "stanza", "session", n, "xml",
                      e->xml, e->xml_len));
}

static const char *obey(const char *verb, int n, json_t *order)
{
    const char *jid = "", *password = NULL, *xml = "";
    struct bosh_options o;

    bosh_options_init(&o);
    json_unpack(order, "{s?s s?s s?s s?s s?i}", "url", &o.url, "jid", &jid,
                "password", &password, "xml", &xml, "wait", &o.wait_s);
    if (strcmp(verb, "connect") == 0) {
        sessions[n] = bosh_new(&o);
        bosh_driver_add(loop, sessions[n],
                        (struct bosh_hook){on_event, &sessions[n]});
        bosh_connect(sessions[n], bosh_driver_now_ms(), jid, password);
    } else if (strcmp(verb, "send") == 0)
        bosh_send(sessions[n], xml, strlen(xml));
    else if (strcmp(verb, "disconnect") == 0)
        bosh_disconnect(sessions[n], bosh_driver_now_ms(), NULL);
    else
        return strcmp(verb, "ping") == 0 ? "ok" : "unsupported";
    bosh_driver_pump(loop, sessions[n]);
    return "ok";
}

static void on_line(void *ctx)
{
    static char line[2 << 20];
    const char *verb = "quit"; /* as is the end of stdin */
    int id = 0, n = 0;
    json_t *order =
        fgets(line, sizeof line, stdin) ? json_loads(line, 0, NULL) : NULL;

    (void)ctx;
    json_unpack(order, "{si ss s?i}", "id", &id, "verb", &verb, "session", &n);
    if (strcmp(verb, "quit") == 0)
        exit(0);
    put(strcmp(verb, "hello") == 0
            ? json_pack("{si ss si ss s[sss] s[ss]}", "id", id, "result", "ok",
                        "protocol", 1, "name", "minimal", "verbs", "connect",
                        "send", "disconnect", "events", "status", "stanza")
            : json_pack("{si ss}", "id", id, "result", obey(verb, n, order)));
}

int main(void)
{
    setvbuf(stdin, NULL, _IONBF, 0); /* a line at a time, nothing ahead */
    loop = bosh_driver_new();
    bosh_driver_watch(loop, 0, on_line, NULL);
    while (bosh_driver_turn(loop, -1) == 0)
        ;
}
