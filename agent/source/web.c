/* What an address of the user's holds; see web.h. */
#include "source/web.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "source/http.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>

enum { STATUS_OK = 200, STATUS_TIMEOUT = 408, STATUS_BUSY = 429, STATUS_SERVER = 500 };

static const char file_scheme[] = "file://";

struct web {
    const struct http_transport *transport;
    void *handle;
};

struct web *web_new(void)
{
    return memory_zeroed(1, sizeof(struct web));
}

void web_free(struct web *web)
{
    if (web && web->handle)
        web->transport->close(web->handle);
    free(web);
}

static int load(struct web *web, struct error *error)
{
    if (web->handle)
        return 0;
    web->transport = http_load(error);
    if (!web->transport)
        return -1;
    web->handle = web->transport->open(HTTP_WEB);
    return web->handle ? 0 : error_set(error, ERROR_INTERNAL, "the HTTP client cannot be started");
}

/* Whether another try may end better. */
static bool is_passing(const struct http_answer *answer)
{
    switch (answer->failure) {
    case HTTP_OK:
        return answer->status == STATUS_TIMEOUT || answer->status == STATUS_BUSY ||
               answer->status >= STATUS_SERVER;
    case HTTP_NO_ROUTE:
    case HTTP_NO_NAME:
    case HTTP_REFUSED:
    case HTTP_NO_CONNECT:
    case HTTP_SILENT:
    case HTTP_CUT:
        return true;
    case HTTP_PROHIBITED:
    case HTTP_TOO_LARGE:
    case HTTP_GARBLED:
    case HTTP_UNUSABLE:
    case HTTP_FAILED:
        break;
    }
    return false;
}

static int explain(const struct http_answer *answer, unsigned attempts, const struct buffer *out,
                   struct error *error)
{
    if (answer->failure == HTTP_TOO_LARGE) {
        error_set(error, ERROR_INPUT, "it is larger than the limit of %zu bytes", out->maximum);
        return error_hint(error, "let a script fetch it");
    }
    if (answer->failure != HTTP_OK) {
        error_set(error, ERROR_SOURCE, "%s, %u time%s", answer->detail, attempts,
                  attempts == 1 ? "" : "s");
        return error_hint(error, "is there a network, and is the address right?");
    }
    if (is_passing(answer)) {
        error_set(error, ERROR_SOURCE, "the server answered with status %d, %u time%s",
                  answer->status, attempts, attempts == 1 ? "" : "s");
        return error_hint(error, "try again later");
    }
    error_set(error, ERROR_INPUT, "the server answered with status %d", answer->status);
    return error_hint(error, answer->status / 100 == 3
                                 ? "it redirects too often, or where this may not be followed"
                                 : "is the address right, and may everybody read it?");
}

/* How long to wait before the next attempt: the server's word, or twice as long as before. */
static int64_t pause_of(const struct http_answer *answer, unsigned attempt)
{
    int64_t pause = (int64_t)WEB_PAUSE_MS << (attempt - 1);

    if (answer->failure == HTTP_OK && answer->retry_after_ms > pause)
        return answer->retry_after_ms;
    return pause < WEB_PAUSE_MAX_MS ? pause : WEB_PAUSE_MAX_MS;
}

static int get_web(struct web *web, const char *url, struct buffer *out, struct error *error)
{
    int64_t end = clock_milliseconds() + WEB_WAIT_MS;
    AUTO_BUFFER struct buffer body = BUFFER_INIT(out->maximum - out->size);
    struct http_request request = {.method = "GET", .url = url};
    struct http_answer answer;

    if (load(web, error) < 0)
        return -1;
    for (unsigned attempt = 1;; attempt++) {
        int64_t left = end - clock_milliseconds(), pause;

        request.timeout_ms = left < WEB_ATTEMPT_MS ? left : WEB_ATTEMPT_MS;
        web->transport->request(web->handle, &request, &body, &answer);
        if (answer.failure == HTTP_OK && answer.status == STATUS_OK)
            break;
        pause = pause_of(&answer, attempt);
        if (!is_passing(&answer) || attempt == WEB_ATTEMPTS || clock_milliseconds() + pause >= end)
            return explain(&answer, attempt, out, error);
        clock_sleep(pause);
    }
    buffer_append(out, body.bytes, body.size);
    return 0;
}

static int get_file(const char *path, struct buffer *out, struct error *error)
{
    int got = file_read(AT_FDCWD, path, out, error);

    return got ? got < 0 ? -1 : 0 : error_set(error, ERROR_INPUT, "there is no such file");
}

int web_get(struct web *web, const char *url, struct buffer *out, struct error *error)
{
    if (strncasecmp(url, file_scheme, strlen(file_scheme)) == 0)
        return get_file(url + strlen(file_scheme), out, error);
    return get_web(web, url, out, error);
}
