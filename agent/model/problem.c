/* Problems: everything that was found wrong with an input, errors and warnings together. */
#include "model/problem.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

static void add(struct problems *problems, bool warning, const struct error *error)
{
    if (!warning)
        problems->errors++;
    if (problems->count >= PROBLEMS_MAX)
        return;
    problems->items = memory_grow(problems->items, problems->count, sizeof *problems->items);
    problems->items[problems->count++] = (struct problem){.warning = warning, .error = *error};
}

void problems_add_error(struct problems *problems, const struct error *error)
{
    add(problems, false, error);
}

void problems_add_warning(struct problems *problems, const struct error *error)
{
    add(problems, true, error);
}

void problems_clear(struct problems *problems)
{
    if (!problems)
        return;
    free(problems->items);
    *problems = (struct problems){0};
}

json_t *problems_to_json(const struct problems *problems)
{
    json_t *list = memory_need(json_array());

    for (size_t i = 0; i < problems->count; i++) {
        const struct error *error = &problems->items[i].error;
        json_t *object = memory_need(json_object());

        json_put_text(object, "severity", problems->items[i].warning ? "warning" : "error");
        json_put_text(object, "part", error->where);
        if (error->line)
            json_put_number(object, "line", error->line);
        if (error->column)
            json_put_number(object, "column", error->column);
        json_put_text(object, "message", error->message);
        json_put_text(object, "hint", error->hint);
        json_add(list, object);
    }
    return list;
}
