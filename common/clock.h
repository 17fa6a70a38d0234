/* Monotonic milliseconds. Only what does I/O asks; cores are told. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed moment; never goes back. */
int64_t clock_now_ms(void);

/* "No deadline" wherever one is returned. */
#define CLOCK_NEVER INT64_MAX

#endif
