/* Results on standard output, in the forms that several commands share. */
#include "verbs/show.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

void show_json(const json_t *value)
{
    AUTO_FREE char *text = json_indented(value);

    puts(text);
}

void show_plan(const struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = &plan->steps.items[i];

        printf("%-5s %s (%s, %s): %s\n", step_action(step), step->name, step->module->name,
               description_frequency_name(step->frequency), step->reason);
        for (size_t j = 0; step->run && j < json_array_size(step->will); j++)
            printf("      %s\n", json_string_value(json_array_get(step->will, j)));
    }
    if (!plan->steps.count && !plan->problems.count)
        puts("nothing to do");
    show_problems(&plan->problems);
}

void show_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        char text[ERROR_TEXT_MAX];

        printf("%s: %s\n", problems->items[i].warning ? "warning" : "error",
               error_text(&problems->items[i].error, text, sizeof text));
    }
}
