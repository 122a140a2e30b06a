/* Which failures are worth another attempt; see retry.h. */
#include <support/retry.h>

#include <support/curl_late.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { MS_PER_S = 1000, DOUBLINGS_MAX = 16 };

int retry_wait_ms(unsigned n)
{
    unsigned doublings = n > DOUBLINGS_MAX ? DOUBLINGS_MAX : n - (n > 0);
    unsigned most = (unsigned)RETRY_FIRST_MS << doublings;
    unsigned random = 0;

    if (most > RETRY_WAIT_MAX_MS)
        most = RETRY_WAIT_MAX_MS;
    /* Without random numbers (never, after boot) it waits half of it. */
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = most / 2;
    return (int)(random % (most + 1));
}

int retry_after_ms(const struct http_answer *answer)
{
    const char *text = http_header(answer, "Retry-After");
    char *end;
    long long seconds;

    if (!text || !*text)
        return 0;
    seconds = strtoll(text, &end, 10);
    if (*end) {
        time_t when = curl_getdate(text, NULL);

        seconds = when > 0 ? (long long)difftime(when, time(NULL)) : 0;
    }
    if (seconds <= 0)
        return 0;
    return (int)(seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * MS_PER_S;
}

bool retry_is_unreachable(int result)
{
    return result == -EHOSTUNREACH || result == -ENETUNREACH;
}

bool retry_is_transient(const struct http_answer *answer)
{
    if (answer->result < 0)
        return retry_is_unreachable(answer->result) || answer->result == -ECONNREFUSED ||
               answer->result == -ETIMEDOUT || answer->result == -ECONNRESET;
    switch (answer->status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return false;
    }
}

int retry_again_ms(const struct http_answer *answer, unsigned attempts)
{
    bool waits_for_network =
        attempts > 1 && answer->result < 0 && retry_is_unreachable(answer->result);
    unsigned n = answer->attempts;
    int wait, asked = retry_after_ms(answer);

    if (n >= attempts && !waits_for_network)
        return -1;
    if (waits_for_network && answer->elapsed_ms >= RETRY_NETWORK_S * MS_PER_S)
        return -1;
    /* Looking whether the network is there costs nothing: often. */
    wait = retry_wait_ms(waits_for_network && n > 2 ? 2 : n);
    return wait > asked ? wait : asked;
}

int retry_next_ms(const struct http_answer *answer, unsigned attempts)
{
    return retry_is_transient(answer) ? retry_again_ms(answer, attempts) : -1;
}
