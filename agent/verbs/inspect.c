/* bootlace inspect: what the user-data was found to be. */
#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "verbs/launch.h"
#include "verbs/settings_check.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

static void print_text(const struct launch *launch)
{
    for (size_t i = 0; i < launch->user.parts.count; i++) {
        const struct part *part = &launch->user.parts.items[i];

        printf("%-14s %-24s %7zu bytes  %-12s line %u%s%s%s\n", part->name, part->type, part->size,
               part_frequency_name(part->frequency), part->line, part->detach ? "  detach" : "",
               part->arguments ? "  arguments: " : "", part->arguments ? part->arguments : "");
    }
    if (!launch->user.parts.count && !launch->plan.problems.count)
        puts("no user-data");
    show_problems(&launch->plan.problems);
}

/* The merged settings, without what schemas call secret. */
static json_t *shown(const struct launch *launch)
{
    struct error error = ERROR_INIT;
    json_t *config = NULL;

    if (launch->options->show_secrets)
        return memory_need(json_deep_copy(launch->user.config));
    config = settings_shown(&launch->user, &launch->registry, &error);
    if (!config)
        log_error_object(&error);
    return config ? config : memory_need(json_object());
}

int verb_inspect(const struct options *options)
{
    AUTO_LAUNCH struct launch launch = {.record = RECORD_INIT};
    struct error error = ERROR_INIT;

    if (options->show_secrets && geteuid() != 0) {
        error_set(&error, ERROR_USAGE, "--show-secrets is for root");
        log_error_object(&error);
        return error_exit_code(&error);
    }
    if (launch_open(&launch, options, false, &error) < 0 || launch_modules(&launch, &error) < 0 ||
        launch_identify(&launch, &error) < 0 || launch_read(&launch, &error) < 0 ||
        launch_parts(&launch, &error) < 0) {
        log_error_object(&error);
        return error_exit_code(&error);
    }
    if (options->json) {
        AUTO_JSON json_t *object = memory_need(json_object());
        json_t *parts = memory_need(json_array());

        for (size_t i = 0; i < launch.user.parts.count; i++)
            json_add(parts, part_to_json(&launch.user.parts.items[i]));
        json_put(object, "parts", parts);
        json_put(object, "config", shown(&launch));
        json_put(object, "problems", problems_to_json(&launch.plan.problems));
        show_json(object);
    } else {
        print_text(&launch);
    }
    return launch.plan.problems.errors ? ERROR_INPUT : 0;
}
