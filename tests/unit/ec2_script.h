/*
 * A metadata service of a test's own: a transport that answers by a script, and a clock that only
 * moves when something sleeps or takes time. Every request must be the one that the script expects.
 */
#ifndef BOOTLACE_TESTS_EC2_SCRIPT_H
#define BOOTLACE_TESTS_EC2_SCRIPT_H

#include "source/ec2.h"
#include "source/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DOCUMENT "/latest/dynamic/instance-identity/document"
#define INSTANCE_ID "/latest/meta-data/instance-id"
#define USER_DATA "/latest/user-data"
#define TOKEN "/latest/api/token"
#define ID "i-0123456789abcdef0"
#define IDENTITY "{\"instanceId\":\"" ID "\",\"region\":\"eu-west-1\"}"
#define XHTML "<?xml version=\"1.0\"?><html><body>401 - Unauthorized</body></html>"
#define ANY_TOKEN "*"

struct exchange {
    const char *method, *path;
    const char *token; /* that must come along; NULL: none may */
    enum http_failure failure;
    int status;
    const char *body;
    size_t size;         /* of the body; 0: its length as a string */
    int64_t retry_after; /* ms; 0: no such header */
    int64_t takes;       /* ms */
};

#define PUT(status_, body_)                                                                        \
    {                                                                                              \
        .method = "PUT", .path = TOKEN, .status = (status_), .body = (body_)                       \
    }
#define PUT_FAILS(failure_, takes_)                                                                \
    {                                                                                              \
        .method = "PUT", .path = TOKEN, .failure = (failure_), .takes = (takes_)                   \
    }
#define GET(path_, token_, status_, body_)                                                         \
    {                                                                                              \
        .method = "GET", .path = (path_), .token = (token_), .status = (status_), .body = (body_)  \
    }
#define GET_FAILS(path_, token_, failure_, takes_)                                                 \
    {                                                                                              \
        .method = "GET", .path = (path_), .token = (token_), .failure = (failure_),                \
        .takes = (takes_)                                                                          \
    }

static struct script {
    const struct exchange *exchanges;
    size_t count, next;
    size_t loop; /* where it goes on after its end; count: it ends there */
    unsigned requests;
    int64_t now, slept, longest_sleep, shortest_sleep, last_timeout, longest_timeout;
    unsigned sleeps;
    char url[EC2_URL_MAX]; /* of the last request */
} script;

static int64_t script_now(void)
{
    return script.now;
}

static void script_sleep(int64_t milliseconds)
{
    script.now += milliseconds;
    script.slept += milliseconds;
    script.sleeps++;
    if (milliseconds > script.longest_sleep)
        script.longest_sleep = milliseconds;
    if (script.sleeps == 1 || milliseconds < script.shortest_sleep)
        script.shortest_sleep = milliseconds;
}

static const struct ec2_clock script_clock = {.now = script_now, .sleep = script_sleep};

static void check_headers(const struct http_request *request, const struct exchange *expected)
{
    char line[EC2_TOKEN_MAX + 64];

    if (strcmp(request->method, "PUT") == 0) {
        assert_string_equal(request->headers[0], "X-aws-ec2-metadata-token-ttl-seconds: 21600");
        assert_null(request->headers[1]);
        return;
    }
    if (!expected->token) {
        assert_null(request->headers[0]);
        return;
    }
    assert_non_null(request->headers[0]);
    assert_null(request->headers[1]);
    if (strcmp(expected->token, ANY_TOKEN) != 0) {
        snprintf(line, sizeof line, "X-aws-ec2-metadata-token: %s", expected->token);
        assert_string_equal(request->headers[0], line);
    }
}

static void script_request(void *handle, const struct http_request *request, struct buffer *out,
                           struct http_answer *answer)
{
    const struct exchange *expected;
    const char *path = strstr(request->url, "/latest/");
    size_t size;

    assert_ptr_equal(handle, &script);
    if (script.next == script.count && script.loop < script.count)
        script.next = script.loop;
    if (script.next == script.count)
        fail_msg("one request too many: %s %s", request->method, request->url);
    expected = &script.exchanges[script.next++];
    script.requests++;
    snprintf(script.url, sizeof script.url, "%s", request->url);
    assert_string_equal(request->method, expected->method);
    assert_non_null(path);
    assert_string_equal(path, expected->path);
    check_headers(request, expected);

    script.last_timeout = request->timeout_ms;
    if (request->timeout_ms > script.longest_timeout)
        script.longest_timeout = request->timeout_ms;
    script.now += expected->takes < request->timeout_ms ? expected->takes : request->timeout_ms;
    *answer =
        (struct http_answer){.failure = expected->failure,
                             .status = expected->status,
                             .retry_after_ms = expected->retry_after ? expected->retry_after : -1};
    if (expected->failure != HTTP_OK)
        snprintf(answer->detail, sizeof answer->detail, "detail of the transport");
    buffer_clear(out);
    size = expected->size || !expected->body ? expected->size : strlen(expected->body);
    /* Also an error's body: what is no answer must not be taken for one. */
    if (expected->body && !buffer_append(out, expected->body, size))
        answer->failure = HTTP_TOO_LARGE;
}

static void *script_open(enum http_use use)
{
    (void)use;
    return &script;
}

static void script_close(void *handle)
{
    assert_ptr_equal(handle, &script);
}

static const struct http_transport script_transport = {.size = sizeof(struct http_transport),
                                                       .open = script_open,
                                                       .request = script_request,
                                                       .close = script_close};

/* A host's name, so that no route to it is asked for. */
static struct settings script_settings(void)
{
    return (struct settings){
        .endpoint = "http://metadata.test:8080", .wait_ms = 10000, .timeout_ms = 1000};
}

static struct source script_source(const struct settings *settings,
                                   const struct exchange *exchanges, size_t count, size_t loop)
{
    struct source source = {.type = &source_ec2};
    struct error error = ERROR_INIT;

    script = (struct script){.exchanges = exchanges, .count = count, .loop = loop, .now = 1000000};
    assert_int_equal(
        ec2_open_with(settings, &script_transport, &script_clock, &source.state, &error), 0);
    assert_int_equal(script.requests, 0);
    return source;
}

#define SCRIPT(settings_, exchanges_)                                                              \
    script_source((settings_), (exchanges_), sizeof(exchanges_) / sizeof((exchanges_)[0]), SIZE_MAX)
#define SCRIPT_LOOP(settings_, exchanges_, loop_)                                                  \
    script_source((settings_), (exchanges_), sizeof(exchanges_) / sizeof((exchanges_)[0]), (loop_))

/* That the script was gone through to its end, and closes the source. */
static void script_end(struct source *source)
{
    assert_int_equal(script.next, script.count);
    source_close(source);
}

/* An identification that must fail; returns the error. */
static struct error script_fails(struct source *source)
{
    struct error error = ERROR_INIT;
    char id[SOURCE_ID_MAX + 1] = "";

    assert_int_equal(source_identify(source, id, &error), -1);
    assert_string_equal(id, "");
    assert_int_not_equal(error.kind, ERROR_NONE);
    return error;
}

static void script_identifies(struct source *source)
{
    struct error error = ERROR_INIT;
    char id[SOURCE_ID_MAX + 1] = "";

    if (source_identify(source, id, &error) < 0)
        fail_msg("%s", error.message);
    assert_string_equal(id, ID);
    assert_int_equal(error.kind, ERROR_NONE);
}

static void assert_says(const struct error *error, const char *words)
{
    char text[ERROR_TEXT_MAX];

    if (!strstr(error_text(error, text, sizeof text), words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

#endif
