/* Secrets are taken out before anything is written: see redact.h. */
#include "redact.h"

#include <stdbool.h>
#include <string.h>

static bool starts(const char *p, const char *end, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(end - p) >= len && memcmp(p, word, len) == 0;
}

/* Does the text of this start tag hold a secret? */
static bool holds_secret(const char *tag, const char *end)
{
    const char *name = tag;

    for (const char *p = tag; p < end && *p != ' ' && *p != '\t'; p++) {
        if (*p == ':')
            name = p + 1; /* past a prefix */
    }
    if (starts(name, end, "password"))
        return true;
    return starts(name, end, "auth") &&
           memmem(tag, (size_t)(end - tag), "PLAIN", 5) != NULL;
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
        if (next && holds_secret(tag + 1, close))
            memset(close + 1, 'x', (size_t)(next - close - 1));
        tag = next;
    }
}
