/* bootlace inspect: what the user-data was found to be. */
#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/sha256.h"
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

/* The digest tells whether what runs there is what somebody has here. */
static json_t *part_shown(const struct part *part)
{
    char digest[SHA256_TEXT_MAX];
    json_t *object = part_to_json(part);

    json_put_text(object, "sha256", sha256_text(part->bytes, part->size, digest));
    return object;
}

/* The merged settings, without what schemas call secret. */
static json_t *shown(const struct launch *launch)
{
    return launch->options->show_secrets ? memory_need(json_deep_copy(launch->user.config))
                                         : settings_shown(&launch->user, &launch->schemas);
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
            json_add(parts, part_shown(&launch.user.parts.items[i]));
        json_put(object, "parts", parts);
        json_put(object, "config", shown(&launch));
        json_put(object, "problems", problems_to_json(&launch.plan.problems, launch_file(&launch)));
        show_json(object);
    } else {
        print_text(&launch);
    }
    return problems_exit_code(&launch.plan.problems);
}
