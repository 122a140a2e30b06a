/* Calls of AWS's services, from their beginning to their end; see aws.h. */
#include <support/aws.h>

#include <support/aws_client.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHERE_MAX = 256 };

struct aws *aws_new(const struct bootlace_host *host, struct http *http)
{
    struct aws *aws = text_need(calloc(1, sizeof *aws));

    aws->host = host;
    aws->http = http ? http : http_new();
    aws->owns_http = !http;
    return aws;
}

void aws_free(struct aws *aws)
{
    if (!aws)
        return;
    if (aws->owns_http)
        http_free(aws->http);
    aws_credentials_forget(&aws->credentials);
    free(aws->region);
    free(aws->own_region);
    free(aws->own_domain);
    free(aws);
}

struct http *aws_http(struct aws *aws)
{
    return aws->http;
}

void aws_answer_clear(struct aws_answer *answer)
{
    http_answer_clear(&answer->http);
    *answer = (struct aws_answer){0};
}

/* Puts it into words; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void say(struct aws_answer *answer, const char *format,
                                                      ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(answer->why, sizeof answer->why, format, arguments);
    va_end(arguments);
}

/* What was asked, where: "GetObject (bucket site, eu-west-1)". */
static void say_where(const struct aws_call *call, char where[WHERE_MAX])
{
    const struct aws_request *request = call->request;
    const struct aws_endpoint *endpoint = &call->endpoint;

    snprintf(where, WHERE_MAX, "%s%s (%s%s%s%s%s)", request->operation ? " " : "",
             request->operation ? request->operation : "", request->bucket ? "bucket " : "",
             request->bucket ? request->bucket : "", request->bucket ? ", " : "",
             endpoint->is_custom ? "at " : "",
             endpoint->is_custom ? endpoint->base
             : endpoint->region  ? endpoint->region
                                 : "no region");
}

/* Which credentials were refused is half of the answer. */
static void explain_refusal(struct aws_call *call, const char *where)
{
    struct aws_answer *answer = call->answer;
    const struct aws_credentials *credentials = &call->aws->credentials;
    const char *advice = aws_error_advice(answer->code, answer->http.status);
    const char *origin =
        credentials->key_id && !call->request->anonymous ? credentials->origin : "";
    bool by_whom = *origin && (answer->result == -EACCES || answer->result == -EKEYEXPIRED);
    char attempts[64] = "";

    if (answer->http.attempts > 1 && answer->result == -EAGAIN)
        snprintf(attempts, sizeof attempts, ", at the last of %u attempts", answer->http.attempts);
    if (*answer->code)
        say(answer, "%s refused%s%s: %s%s%s%s%s%s%s%s", call->request->service->name, where,
            attempts, answer->code, *answer->message ? ": " : "", answer->message,
            by_whom ? " (asked with " : "", by_whom ? origin : "", by_whom ? ")" : "",
            *advice ? "; " : "", advice);
    else
        say(answer, "%s refused%s%s: it answered %d %s%s%s%s%s%s", call->request->service->name,
            where, attempts, answer->http.status, http_status_words(answer->http.status),
            by_whom ? " (asked with " : "", by_whom ? origin : "", by_whom ? ")" : "",
            *advice ? "; " : "", advice);
}

static bool is_done(const struct aws_call *call)
{
    int status = call->answer->http.status;

    return ((status >= 200 && status < 300) || status == 304) && !*call->error.code;
}

/* The answer as the caller sees it. */
static void conclude(struct aws_call *call)
{
    struct aws_answer *answer = call->answer;
    char where[WHERE_MAX];

    say_where(call, where);
    if (call->failure < 0) {
        answer->result = call->failure;
        say(answer, "%s%s cannot be asked: %s", call->request->service->name, where,
            text_string(&call->why));
    } else if (answer->http.result < 0) {
        answer->result = answer->http.result;
        say(answer, "%s%s: %s", call->request->service->name, where, answer->http.why);
    } else if (!is_done(call)) {
        memcpy(answer->code, call->error.code, sizeof answer->code);
        memcpy(answer->message, call->error.message, sizeof answer->message);
        answer->result = aws_error_result(answer->code, answer->http.status);
        explain_refusal(call, where);
    }
}

/* An http_done of calls. */
static void end_call(void *context, struct http_answer *http)
{
    struct aws_call *call = context;
    struct aws_answer *answer = call->answer;
    aws_done *done = call->done;

    (void)http;
    context = call->context;
    conclude(call);
    aws_endpoint_clear(&call->endpoint);
    aws_signed_clear(&call->signed_request);
    free(call->url);
    free(call->why.bytes);
    free(call);
    if (done)
        done(context, answer);
}

void aws_start(struct aws *aws, const struct aws_request *request, struct aws_answer *answer,
               aws_done *done, void *context)
{
    struct aws_call *call = text_need(calloc(1, sizeof *call));

    *call = (struct aws_call){
        .aws = aws,
        .request = request,
        .answer = answer,
        .done = done,
        .context = context,
        .http = {.method = request->method,
                 .body = request->body,
                 .body_size = request->body_size,
                 .source = request->source,
                 .source_size = request->source_size,
                 .sink = request->sink,
                 .context = request->context,
                 .body_max = request->body_max,
                 .overall_s = request->overall_s,
                 .buffer_bytes = request->buffer_bytes,
                 .judge = aws_judge,
                 .judge_context = call},
    };
    /* Without a URL, the engine ends it at once, and conclude() says why. */
    aws_prepare(call);
    http_start(aws->http, &call->http, &answer->http, end_call, call);
}

unsigned aws_run(struct aws *aws, int limit_ms)
{
    return http_run(aws->http, limit_ms);
}

int aws_call(struct aws *aws, const struct aws_request *request, struct aws_answer *answer)
{
    aws_start(aws, request, answer, NULL, NULL);
    http_wait(aws->http, &answer->http);
    return answer->result;
}
