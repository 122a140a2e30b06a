/* Time: RFC 3339 in UTC for records, a monotonic clock for durations and limits. */
#include "base/clock.h"

#include "base/banned.h"

#include <errno.h>

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };

int64_t clock_milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

char *clock_text(char text[static CLOCK_TEXT_MAX])
{
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    /* Not strftime: it reads the time zone's file first. */
    snprintf(text, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
             (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100,
             (unsigned)utc.tm_sec % 100, (unsigned)(now.tv_nsec / NS_PER_MS) % 1000);
    return text;
}

void clock_sleep(int64_t milliseconds)
{
    struct timespec left = {.tv_sec = milliseconds / MS_PER_S,
                            .tv_nsec = milliseconds % MS_PER_S * NS_PER_MS};

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        continue;
}
