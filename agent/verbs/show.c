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

void show_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        char text[ERROR_TEXT_MAX];

        printf("%s: %s\n", problems->items[i].warning ? "warning" : "error",
               error_text(&problems->items[i].error, text, sizeof text));
    }
}
