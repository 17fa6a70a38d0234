/* Levelled lines: see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "clock.h"

static enum log_level shown = LOG_WARN;
static int64_t start_ms = -1;

void log_set_level(enum log_level level)
{
    shown = level;
}

void log_line(enum log_level level, const char *actor, const char *fmt, ...)
{
    char line[2048];
    int64_t now = clock_now_ms();
    va_list ap;

    if (start_ms < 0)
        start_ms = now;
    if (level > shown)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "+%.3f %s %s\n", (double)(now - start_ms) / 1000, actor,
            line);
}
