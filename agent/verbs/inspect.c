/* bootlace inspect: what the user-data was found to be. */
#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "verbs/launch.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

static void print_text(const struct launch *launch)
{
    for (size_t i = 0; i < launch->parts.count; i++) {
        const struct part *part = &launch->parts.items[i];

        printf("%-14s %-24s %7zu bytes  %-12s line %u%s%s%s\n", part->name, part->type, part->size,
               part_frequency_name(part->frequency), part->line, part->detach ? "  detach" : "",
               part->arguments ? "  arguments: " : "", part->arguments ? part->arguments : "");
    }
    if (!launch->parts.count && !launch->plan.problems.count)
        puts("no user-data");
    show_problems(&launch->plan.problems);
}

int verb_inspect(const struct options *options)
{
    AUTO_LAUNCH struct launch launch = {.record = RECORD_INIT};
    struct error error = ERROR_INIT;

    if (launch_open(&launch, options, false, &error) < 0 || launch_modules(&launch, &error) < 0 ||
        launch_identify(&launch, &error) < 0 || launch_read(&launch, &error) < 0) {
        log_error_object(&error);
        return error_exit_code(&error);
    }
    launch_classify(&launch);
    if (options->json) {
        AUTO_JSON json_t *object = memory_need(json_object());
        json_t *parts = memory_need(json_array());

        for (size_t i = 0; i < launch.parts.count; i++)
            json_add(parts, part_to_json(&launch.parts.items[i]));
        json_put(object, "parts", parts);
        json_put(object, "problems", problems_to_json(&launch.plan.problems));
        show_json(object);
    } else {
        print_text(&launch);
    }
    return launch.plan.problems.errors ? ERROR_INPUT : 0;
}
