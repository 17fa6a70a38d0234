/* Secrets are taken out before anything is written: see redact.h. */
#include "redact.h"

#include <stdbool.h>
#include <string.h>

/* The name of a start tag, past a prefix. */
static const char *tag_name(const char *tag, const char *end, size_t *len)
{
    const char *name = tag;
    const char *p = tag;

    for (; p < end && !strchr(" \t\r\n/", *p); p++) {
        if (*p == ':')
            name = p + 1;
    }
    *len = (size_t)(p - name);
    return name;
}

/* SASL's elements, RFC 6120 §6.4, and those of jabber:iq:auth. What SCRAM says
 * lets everybody try passwords at home. */
static bool holds_secret(const char *tag, const char *end)
{
    static const char *const names[] = {"auth",    "challenge", "response",
                                        "success", "password",  "digest"};
    size_t len;
    const char *name = tag_name(tag, end, &len);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == len && memcmp(name, names[i], len) == 0)
            return true;
    }
    return false;
}

/* A chunk may end in the midst of it: its frame stays, that the message can be
 * read. */
static void blank(char *p, const char *end)
{
    while (p < end) {
        if (*p == '\r' && end - p > 2) {
            char *frame = memchr(p + 2, '\n', (size_t)(end - p - 2));

            p = frame ? frame : p;
        } else {
            *p = 'x';
        }
        p++;
    }
}

void redact(char *data, size_t len)
{
    char *end = data + len;
    char *tag = memchr(data, '<', len);

    while (tag) {
        char *close = memchr(tag, '>', (size_t)(end - tag));
        char *next;

        if (!close)
            return;
        next = memchr(close, '<', (size_t)(end - close));
        if (close[-1] != '/' && holds_secret(tag + 1, close))
            blank(close + 1, next ? next : end);
        tag = next;
    }
}
