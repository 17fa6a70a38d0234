/* One message for a person: see err.h. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One line for a terminal, whatever a peer put into the words that it gave. */
static void tame(struct err *e)
{
    for (char *p = e->text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    }
}

int err_set(struct err *e, const char *fmt, ...)
{
    va_list ap;

    if (!e || e->text[0])
        return -1;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    tame(e);
    return -1;
}

int err_set_at(struct err *e, const char *path, int line, const char *fmt, ...)
{
    va_list ap;
    int used;

    if (!e || e->text[0])
        return -1;
    if (line > 0)
        used = snprintf(e->text, sizeof e->text, "%s:%d: ", path, line);
    else
        used = snprintf(e->text, sizeof e->text, "%s: ", path);
    if (used < 0 || (size_t)used >= sizeof e->text)
        return -1;
    va_start(ap, fmt);
    vsnprintf(e->text + used, sizeof e->text - (size_t)used, fmt, ap);
    va_end(ap);
    tame(e);
    return -1;
}
