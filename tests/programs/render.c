/*
 * Renders templates as the agent does, for the tests that lay another renderer beside it.
 *
 *     render            reads lines of JSON, {"template":...,"variables":{...}}, answers each with
 *                       {"text":...} or {"error":...,"line":...,"column":...,"hint":...}
 *     render --names    answers with {"names":[...]} instead
 */
#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/template.h"

static json_t *failure(const struct error *error)
{
    json_t *answer = memory_need(json_object());

    json_put_text(answer, "error", error->message);
    json_put_number(answer, "line", error->line);
    json_put_number(answer, "column", error->column);
    json_put_text(answer, "hint", error->hint);
    return answer;
}

static json_t *answer_to(const json_t *request, bool wants_names)
{
    const json_t *text = json_object_get(request, "template");
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);
    struct error error = ERROR_INIT;
    json_t *answer = NULL, *names = NULL;
    int result;

    result = wants_names
                 ? template_names(json_string_value(text), json_string_length(text), &names, &error)
                 : template_render(json_string_value(text), json_string_length(text),
                                   json_object_get(request, "variables"), &out, &error);
    if (result < 0)
        return failure(&error);
    answer = memory_need(json_object());
    if (wants_names)
        json_put(answer, "names", names);
    else
        json_put(answer, "text", json_lossy_string(buffer_text(&out), out.size));
    return answer;
}

int main(int argc, char **argv)
{
    AUTO_FREE char *line = NULL;
    size_t capacity = 0;
    ssize_t size;

    while ((size = getline(&line, &capacity, stdin)) > 0) {
        struct error error = ERROR_INIT;
        AUTO_JSON json_t *request = json_parse(line, (size_t)size, "request", &error);
        AUTO_JSON json_t *answer = NULL;
        AUTO_FREE char *text = NULL;

        if (!json_is_string(json_object_get(request, "template"))) {
            fprintf(stderr, "not a request: %s\n", error.message);
            return 2;
        }
        answer = answer_to(request, argc > 1 && strcmp(argv[1], "--names") == 0);
        text = json_one_line(answer);
        if (printf("%s\n", text) < 0 || fflush(stdout) != 0)
            return 1;
    }
    return 0;
}
