/* libFuzzer: addresses, headers, cookies and a proxy as an application may
 * give them, a line each, through the driver's reading of them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client-under-test/driver_web.h"
#include "common/buf.h"
#include "fuzz.h"

#define LINES_MAX 16

/* url, base_url, proxy, another address; the rest in turn. */
struct lines {
    char *text;
    const char *line[LINES_MAX];
    size_t count;
};

static void lines_init(struct lines *l, const uint8_t *data, size_t size)
{
    char *rest;

    memset(l, 0, sizeof *l);
    l->text = mem_dupn((const char *)data, size);
    for (char *line = strtok_r(l->text, "\n", &rest);
         line && l->count < LINES_MAX; line = strtok_r(NULL, "\n", &rest))
        l->line[l->count++] = line;
}

static void use(const struct web *w, const char *other)
{
    CURL *easy = curl_easy_init();

    web_set_up(w, easy);
    if (other)
        web_is_same_origin(w, other);
    if (!web_is_same_origin(w, w->url))
        abort();
    curl_easy_cleanup(easy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *headers[LINES_MAX] = {NULL};
    const char *cookies[LINES_MAX] = {NULL};
    struct bosh_options o;
    struct err e = {""};
    struct lines l;
    struct web w;

    lines_init(&l, data, size);
    bosh_options_init(&o);
    o.url = l.line[0];
    o.base_url = l.line[1];
    o.proxy = l.line[2];
    for (size_t i = 4; i < l.count; i++)
        (i % 2 ? headers : cookies)[(i - 4) / 2] = l.line[i];
    o.headers = headers;
    o.cookies = cookies;
    if (web_init(&w, &o, &e) == 0) {
        use(&w, l.line[3]);
        web_release(&w);
    } else if (!e.text[0]) {
        abort();
    }
    free(l.text);
    return 0;
}
