/*
 * aws_call: calls AWS's services by support/aws.h, with a host of the test's own.
 *
 * The first line of standard input is an object of metadata: path to text, or to a list of texts,
 * of which each question takes one, and the last stays. Each further line is a call: kind "query"
 * (service, action, parameters), "json" (service, operation, input), "plain" (all of struct
 * aws_request; its body is body, or comes from a source; its answer goes to a sink where sink is
 * true), or "sleep" (seconds). Plain calls with a number `times` are begun together.
 *
 * Standard output has a line a call: result, status, code, message, why, attempts, body, output;
 * at the end one with region, log (a list of lines) and asked (the metadata's paths).
 */
#include "spec.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

enum { CALLS_MAX = 64 };

static json_t *metadata, *answered, *asked, *logged;

static const char *answer_metadata(const struct bootlace_host *host, const char *path)
{
    json_t *item = json_object_get(metadata, path);

    (void)host;
    json_array_append_new(asked, json_string(path));
    if (!json_is_array(item))
        return json_string_value(item);
    /* Those that were taken live as long as this program. */
    if (json_array_size(item) > 1) {
        json_array_append(answered, json_array_get(item, 0));
        json_array_remove(item, 0);
        return json_string_value(json_array_get(answered, json_array_size(answered) - 1));
    }
    return json_string_value(json_array_get(item, 0));
}

__attribute__((format(printf, 3, 4))) static void
take_log(const struct bootlace_host *host, enum bootlace_level level, const char *format, ...)
{
    va_list arguments;
    char line[1024];

    (void)host, (void)level;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    json_array_append_new(logged, json_string(line));
}

static void show(const struct aws_answer *answer, json_t *output)
{
    json_t *shown = json_object();

    json_object_set_new(shown, "result", json_integer(answer->result));
    json_object_set_new(shown, "status", json_integer(answer->http.status));
    json_object_set_new(shown, "attempts", json_integer(answer->http.attempts));
    spec_put_text(shown, "code", answer->code);
    spec_put_text(shown, "message", answer->message);
    spec_put_text(shown, "why", answer->why);
    spec_put_text(shown, "body", text_string(&answer->http.body));
    if (output)
        json_object_set_new(shown, "output", output);
    spec_print(shown);
}

/* A sink that remembers nothing of an attempt that was begun anew. */
static int take(void *context, uint64_t offset, const char *bytes, size_t size)
{
    struct text *taken = context;

    if (offset == 0)
        taken->size = 0;
    if (offset != taken->size)
        return -EINVAL;
    text_add(taken, bytes, size);
    return 0;
}

static ssize_t give(void *context, uint64_t offset, char *bytes, size_t room)
{
    const char *all = context;
    size_t left = strlen(all) - (size_t)offset, size = left < room ? left : room;

    memcpy(bytes, all + offset, size);
    return (ssize_t)size;
}

static struct aws_request request_of(const json_t *call)
{
    const char *body = spec_text(call, "body");
    struct aws_request request = {.service = spec_service(call),
                                  .operation = spec_text(call, "operation"),
                                  .method = spec_text(call, "method"),
                                  .path = spec_text(call, "path"),
                                  .query = spec_pairs(call, "query"),
                                  .headers = spec_pairs(call, "headers"),
                                  .bucket = spec_text(call, "bucket"),
                                  .region = spec_text(call, "region"),
                                  .endpoint = spec_text(call, "endpoint"),
                                  .anonymous = spec_flag(call, "anonymous"),
                                  .attempts = spec_number(call, "attempts"),
                                  .body_sha256 = spec_text(call, "sha256")};

    if (spec_flag(call, "source")) {
        request.source = give;
        request.context = (void *)body;
        request.source_size = strlen(body);
    } else {
        request.body = body;
        request.body_size = body ? strlen(body) : 0;
    }
    return request;
}

static void call_plainly(struct aws *aws, const json_t *call)
{
    unsigned times = spec_number(call, "times");
    struct aws_request requests[CALLS_MAX];
    struct aws_answer answers[CALLS_MAX] = {0};
    struct text taken[CALLS_MAX] = {0};

    times = times == 0 ? 1 : times > CALLS_MAX ? CALLS_MAX : times;
    for (unsigned i = 0; i < times; i++) {
        requests[i] = request_of(call);
        if (spec_flag(call, "sink")) {
            requests[i].sink = take;
            requests[i].context = &taken[i];
        }
        aws_start(aws, &requests[i], &answers[i], NULL, NULL);
    }
    aws_run(aws, -1);
    for (unsigned i = 0; i < times; i++) {
        if (requests[i].sink && answers[i].result == 0)
            text_add(&answers[i].http.body, text_string(&taken[i]), taken[i].size);
        show(&answers[i], NULL);
        aws_answer_clear(&answers[i]);
        free(taken[i].bytes);
    }
}

static void do_call(struct aws *aws, const json_t *call)
{
    const char *kind = spec_text(call, "kind");
    struct aws_answer answer = {0};
    json_t *output = NULL;

    if (strcmp(kind, "sleep") == 0)
        sleep(spec_number(call, "seconds"));
    else if (strcmp(kind, "plain") == 0)
        call_plainly(aws, call);
    else if (strcmp(kind, "query") == 0)
        aws_query_call(aws, spec_service(call), spec_text(call, "action"),
                       spec_pairs(call, "parameters"), &answer);
    else
        aws_json_call(aws, spec_service(call), spec_text(call, "operation"),
                      json_object_get(call, "input"), &output, &answer);
    if (strcmp(kind, "query") == 0 || strcmp(kind, "json") == 0)
        show(&answer, output);
    aws_answer_clear(&answer);
}

int main(void)
{
    const struct bootlace_host host = {
        .size = sizeof host, .root = "/", .log = take_log, .metadata = answer_metadata};
    struct aws *aws = aws_new(&host, NULL);
    json_t *call, *end;

    answered = json_array();
    asked = json_array();
    logged = json_array();
    metadata = spec_next();
    while ((call = spec_next())) {
        do_call(aws, call);
        json_decref(call);
    }
    end = json_object();
    spec_put_text(end, "region", aws_region(aws) ? aws_region(aws) : "");
    json_object_set_new(end, "log", logged);
    json_object_set_new(end, "asked", asked);
    spec_print(end);
    aws_free(aws);
    return 0;
}
