/*
 * Levelled lines for a person, on stderr: "+0.123 mock held rid=12".
 *
 * Cores never log; they return facts. The level is the one global here.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* LOG_WARN at the start */

/* actor: who speaks, one word. fmt: a fact, without a newline. */
void log_line(enum log_level level, const char *actor, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
