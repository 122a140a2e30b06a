/*
 * http_call: makes HTTP requests by support/http.h.
 *
 * Each line of standard input is a request: url, method, headers (a list of lines), body, attempts,
 * redirects, connect_s, stall_s, overall_s, body_max, kind ("call" or "fetch"); sink: a number of
 * bytes after which the sink gives up (0: never); give: a number of bytes that a source gives, and
 * give_up, the offset at which it fails. Requests with a number `times` are begun together, and
 * answered in one line.
 *
 * Standard output has a line a request: result, status, attempts, elapsed_ms, received, why, body,
 * headers (of those that `show` names), memory_kb (the most that this process ever had) and, from a
 * sink, taken, restarts.
 */
#include "spec.h"

#include <errno.h>
#include <support/http.h>

enum { HEADERS_MAX = 32 };

struct taken {
    uint64_t bytes, limit, restarts;
};

static int take(void *context, uint64_t offset, const char *bytes, size_t size)
{
    struct taken *taken = context;

    (void)bytes;
    if (offset == 0 && taken->bytes > 0) {
        taken->restarts++;
        taken->bytes = 0;
    }
    if (offset != taken->bytes)
        return -EINVAL;
    taken->bytes += size;
    return taken->limit && taken->bytes >= taken->limit ? -ENOSPC : 0;
}

static ssize_t give(void *context, uint64_t offset, char *bytes, size_t room)
{
    uint64_t fails_at = *(uint64_t *)context;
    size_t size = room < 1000 ? room : 1000; /* less than there is room for */

    if (fails_at && offset >= fails_at)
        return -EIO;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + (offset + i) % 26);
    return (ssize_t)size;
}

/* The kernel's high water mark of this program alone, unlike getrusage(2)'s. */
static json_int_t memory_kb(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long long found = 0;

    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "VmHWM: %lld kB", &found) == 1)
            break;
    }
    if (status)
        fclose(status);
    return found;
}

static json_t *show(const struct http_answer *answer, const json_t *request)
{
    json_t *shown = json_object(), *headers = json_object(), *name;
    size_t i;

    json_object_set_new(shown, "result", json_integer(answer->result));
    json_object_set_new(shown, "status", json_integer(answer->status));
    json_object_set_new(shown, "attempts", json_integer(answer->attempts));
    json_object_set_new(shown, "elapsed_ms", json_integer(answer->elapsed_ms));
    json_object_set_new(shown, "received", json_integer((json_int_t)answer->received));
    spec_put_text(shown, "why", answer->why);
    spec_put_text(shown, "body", text_string(&answer->body));
    json_array_foreach(json_object_get(request, "show"), i, name)
    {
        const char *value = http_header(answer, json_string_value(name));

        json_object_set_new(headers, json_string_value(name),
                            value ? json_string(value) : json_null());
    }
    json_object_set_new(shown, "headers", headers);
    json_object_set_new(shown, "memory_kb", json_integer(memory_kb()));
    return shown;
}

static struct http_request request_of(const json_t *object, const char **headers)
{
    const json_t *lines = json_object_get(object, "headers"), *line;
    const char *body = spec_text(object, "body");
    size_t i;

    json_array_foreach(lines, i, line)
    {
        if (i < HEADERS_MAX)
            headers[i] = json_string_value(line);
    }
    return (struct http_request){.method = spec_text(object, "method"),
                                 .url = spec_text(object, "url"),
                                 .headers = headers,
                                 .body = body,
                                 .body_size = body ? strlen(body) : 0,
                                 .body_max = spec_number(object, "body_max"),
                                 .connect_s = spec_number(object, "connect_s"),
                                 .stall_s = spec_number(object, "stall_s"),
                                 .overall_s = spec_number(object, "overall_s"),
                                 .redirects = spec_number(object, "redirects"),
                                 .attempts = spec_number(object, "attempts")};
}

static void do_one(struct http *http, const json_t *object)
{
    const char *headers[HEADERS_MAX + 1] = {NULL}, *kind = spec_text(object, "kind");
    struct http_request request = request_of(object, headers);
    struct taken taken = {.limit = spec_number(object, "sink")};
    uint64_t fails_at = spec_number(object, "give_up");
    struct http_answer answer = {0};
    json_t *shown;

    if (json_object_get(object, "sink")) {
        request.sink = take;
        request.context = &taken;
    }
    if (json_object_get(object, "give")) {
        request.source = give;
        request.source_size = spec_number(object, "give");
        request.context = &fails_at;
    }
    if (kind && strcmp(kind, "fetch") == 0)
        http_fetch(http, &request, &answer);
    else
        http_call(http, &request, &answer);
    shown = show(&answer, object);
    json_object_set_new(shown, "taken", json_integer((json_int_t)taken.bytes));
    json_object_set_new(shown, "restarts", json_integer((json_int_t)taken.restarts));
    spec_print(shown);
    http_answer_clear(&answer);
}

/* One of many, which begins the next when it ends. */
struct flight {
    struct http *http;
    struct http_request request;
    struct http_answer answer;
    unsigned *left;
    unsigned *good;
};

static void land(void *context, struct http_answer *answer)
{
    struct flight *flight = context;

    *flight->good += answer->result == 0 && answer->status == 200;
    http_answer_clear(answer);
    if (*flight->left > 0) {
        --*flight->left;
        http_start(flight->http, &flight->request, answer, land, flight);
    }
}

static void do_many(struct http *http, const json_t *object)
{
    const char *headers[HEADERS_MAX + 1] = {NULL};
    unsigned left = spec_number(object, "times"), good = 0, width = spec_number(object, "width");
    struct flight *flights = text_need(calloc(width, sizeof *flights));
    json_t *shown = json_object();

    for (unsigned i = 0; i < width && left > 0; i++, left--) {
        flights[i] = (struct flight){
            .http = http, .request = request_of(object, headers), .left = &left, .good = &good};
        http_start(http, &flights[i].request, &flights[i].answer, land, &flights[i]);
    }
    json_object_set_new(shown, "left", json_integer(http_run(http, -1)));
    json_object_set_new(shown, "good", json_integer(good));
    spec_print(shown);
    free(flights);
}

int main(void)
{
    struct http *http = http_new();
    json_t *object;

    while ((object = spec_next())) {
        if (json_object_get(object, "times"))
            do_many(http, object);
        else
            do_one(http, object);
        json_decref(object);
    }
    http_free(http);
    return 0;
}
