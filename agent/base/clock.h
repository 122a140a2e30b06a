/* Time: RFC 3339 in UTC for records, a monotonic clock for durations and limits. */
#ifndef BOOTLACE_BASE_CLOCK_H
#define BOOTLACE_BASE_CLOCK_H

#include <stdint.h>

enum { CLOCK_TEXT_MAX = 32 };

/* Milliseconds since boot, suspended time not counted. */
int64_t clock_milliseconds(void);

/* The wall clock as 2026-11-22T10:00:00.123Z (RFC 3339, section 5.6); returns text. */
char *clock_text(char text[static CLOCK_TEXT_MAX]);

/* Sleeps for so many milliseconds, signals notwithstanding. */
void clock_sleep(int64_t milliseconds);

#endif
