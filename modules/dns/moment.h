/* Time that passes. */
#ifndef DNS_MOMENT_H
#define DNS_MOMENT_H

#include <stdint.h>

enum { MOMENT_MS_PER_S = 1000 };

/* Milliseconds since some time, whatever the clock is set to. */
int64_t moment_ms(void);

/* Waits so many milliseconds. */
void moment_wait(int ms);

#endif
