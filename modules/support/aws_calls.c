/* Calls in the query protocol and in JSON 1.1; see aws.h. */
#include <support/aws.h>

#include <support/aws_sign.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_field(struct text *form, const char *name, const char *value)
{
    if (form->size)
        text_add_string(form, "&");
    aws_encode(form, name, strlen(name), "");
    text_add_string(form, "=");
    if (value)
        aws_encode(form, value, strlen(value), "");
}

int aws_query_call(struct aws *aws, const struct aws_service *service, const char *action,
                   const struct aws_pair *parameters, struct aws_answer *answer)
{
    return aws_query_call_in(aws, service, NULL, action, parameters, answer);
}

int aws_query_call_in(struct aws *aws, const struct aws_service *service, const char *region,
                      const char *action, const struct aws_pair *parameters,
                      struct aws_answer *answer)
{
    static const struct aws_pair headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}, {NULL, NULL}};
    struct aws_request request = {.service = service,
                                  .operation = action,
                                  .method = "POST",
                                  .headers = headers,
                                  .region = region};
    struct text form = {0};
    int result;

    add_field(&form, "Action", action);
    add_field(&form, "Version", service->version);
    for (; parameters && parameters->name; parameters++)
        add_field(&form, parameters->name, parameters->value);
    request.body = form.bytes;
    request.body_size = form.size;
    result = aws_call(aws, &request, answer);
    free(form.bytes);
    return result;
}

/* The service's JSON, or words why it is none. */
static int read_output(const struct aws_service *service, const char *operation, json_t **output,
                       struct aws_answer *answer)
{
    struct text *body = &answer->http.body;
    json_error_t error;

    *output = json_loadb(text_string(body), body->size, 0, &error);
    if (*output)
        return 0;
    answer->result = -EPROTO;
    snprintf(answer->why, sizeof answer->why, "%s answered %s with what is no JSON (line %d)",
             service->name, operation, error.line);
    return answer->result;
}

int aws_json_call(struct aws *aws, const struct aws_service *service, const char *operation,
                  const json_t *input, json_t **output, struct aws_answer *answer)
{
    char *target = text_format("%s.%s", service->target, operation);
    char *body = text_need(json_dumps(input, JSON_COMPACT));
    const struct aws_pair headers[] = {
        {"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", target}, {NULL, NULL}};
    const struct aws_request request = {.service = service,
                                        .operation = operation,
                                        .method = "POST",
                                        .headers = headers,
                                        .body = body,
                                        .body_size = strlen(body)};
    int result = aws_call(aws, &request, answer);

    if (output)
        *output = NULL;
    if (result == 0 && output)
        result = read_output(service, operation, output, answer);
    free(target);
    free(body);
    return result;
}
