/* Time that passes; see moment.h. */
#include "moment.h"

#include <time.h>

enum { NS_PER_MS = 1000000 };

int64_t moment_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MOMENT_MS_PER_S + now.tv_nsec / NS_PER_MS;
}

void moment_wait(int ms)
{
    const struct timespec pause = {.tv_sec = ms / MOMENT_MS_PER_S,
                                   .tv_nsec = (long)(ms % MOMENT_MS_PER_S) * NS_PER_MS};

    nanosleep(&pause, NULL);
}
