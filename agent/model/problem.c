/* Problems: everything that was found wrong with an input, errors and warnings together. */
#include "model/problem.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"

void problems_add_about(struct problems *problems, bool warning, const char *key,
                        const struct error *error)
{
    struct problem *problem;

    if (!warning)
        problems->errors++;
    if (problems->count >= PROBLEMS_MAX)
        return;
    problems->items = memory_grow(problems->items, problems->count, sizeof *problems->items);
    problem = &problems->items[problems->count++];
    *problem = (struct problem){.warning = warning, .error = *error};
    snprintf(problem->key, sizeof problem->key, "%s", key);
}

void problems_add_error(struct problems *problems, const struct error *error)
{
    problems_add_about(problems, false, "", error);
}

void problems_add_warning(struct problems *problems, const struct error *error)
{
    problems_add_about(problems, true, "", error);
}

void problems_clear(struct problems *problems)
{
    if (!problems)
        return;
    free(problems->items);
    *problems = (struct problems){0};
}

int problems_exit_code(const struct problems *problems)
{
    int code = problems->errors ? ERROR_INPUT : 0;

    for (size_t i = 0; i < problems->count; i++) {
        if (problems->items[i].warning)
            continue;
        if (problems->items[i].error.kind != ERROR_SOURCE)
            return ERROR_INPUT;
        code = ERROR_SOURCE;
    }
    return code;
}

json_t *problems_to_json(const struct problems *problems, const char *file)
{
    json_t *list = memory_need(json_array());

    for (size_t i = 0; i < problems->count; i++) {
        const struct error *error = &problems->items[i].error;
        const char *image = paths_get(PATHS_ETC);
        bool of_image = strncmp(error->where, image, strlen(image)) == 0;
        json_t *object = memory_need(json_object());

        json_put_text(object, "severity", problems->items[i].warning ? "warning" : "error");
        json_put_text(object, "file", of_image ? error->where : file);
        json_put_text(object, "part", of_image ? "" : error->where);
        if (error->line)
            json_put_number(object, "line", error->line);
        if (error->column)
            json_put_number(object, "column", error->column);
        if (*problems->items[i].key)
            json_put_text(object, "key", problems->items[i].key);
        json_put_text(object, "message", error->message);
        json_put_text(object, "hint", error->hint);
        json_add(list, object);
    }
    return list;
}
