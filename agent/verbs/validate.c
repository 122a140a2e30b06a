/*
 * bootlace validate: every problem of files of user-data, whatever they are and wherever they will
 * run. Nobody is asked, so a template's metadata is not there: it is checked as a template.
 */
#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "source/source.h"
#include "verbs/settings_check.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

#include <fcntl.h>

/* Every item is there, as far as a file can tell. */
static int any_item(void *context, const char *path, struct buffer *out, struct error *error)
{
    (void)context, (void)path, (void)error;
    buffer_clear(out);
    return buffer_append_text(out, "value") ? 1 : 0;
}

/* A part that no module here takes is an error, as in a plan. */
static void refuse_parts(const struct parts_result *result, const struct registry *registry,
                         struct problems *problems)
{
    for (size_t i = 0; i < result->parts.count; i++) {
        const struct part *part = &result->parts.items[i];
        struct error error = ERROR_INIT;
        bool taken = part->merged;

        for (size_t j = 0; j < registry->count; j++)
            taken = taken || description_has_type(&registry->modules[j], part->type);
        if (taken)
            continue;
        error_set(&error, ERROR_INPUT, "no module here takes %s", part->type);
        error_at(&error, part->name, part->line, 0);
        problems_add_error(problems, &error);
    }
}

static int validate(const char *path, struct registry *registry, struct problems *problems,
                    struct error *error)
{
    AUTO_SCHEMAS struct schemas schemas = {0};
    const struct parts_setup setup = {.item = any_item, .instance_id = "i-0", .source = "file"};
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    struct parts_result result = {0};
    bool standard_input = strcmp(path, "-") == 0;
    int got = file_read(AT_FDCWD, standard_input ? "/dev/stdin" : path, &bytes, error);

    if (got == 0)
        return error_set(error, ERROR_INPUT, "there is no file %s", path);
    if (got > 0)
        got = parts_read(buffer_text(&bytes), bytes.size, &setup, &result, problems, error);
    if (got == 0)
        got = settings_check(&result, &schemas, registry, &setup, problems, error);
    if (got == 0) {
        settings_need_packages(&result, registry, true, problems);
        refuse_parts(&result, registry, problems);
    }
    parts_result_clear(&result);
    return got;
}

static void add_all(json_t *list, const char *path, const struct problems *problems)
{
    AUTO_JSON json_t *objects = problems_to_json(problems, path);
    json_t *object;
    size_t i;

    json_array_foreach(objects, i, object) json_add(list, json_incref(object));
}

static void print_all(const char *path, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        char text[ERROR_TEXT_MAX];

        printf("%s: %s: %s\n", path, problems->items[i].warning ? "warning" : "error",
               error_text(&problems->items[i].error, text, sizeof text));
    }
}

int verb_validate(const struct options *options)
{
    AUTO_REGISTRY struct registry registry = {0};
    AUTO_JSON json_t *object = memory_need(json_object());
    json_t *list = memory_need(json_array());
    struct error error = ERROR_INIT;
    int result = 0;

    json_put(object, "problems", list);
    if (!options->operand_count) {
        error_set(&error, ERROR_USAGE, "a file is missing");
        result = ERROR_USAGE;
    } else if (registry_scan(&registry, NULL, NULL, false, &error) < 0) {
        result = error_exit_code(&error);
    }
    for (size_t i = 0; !error.kind && i < options->operand_count; i++) {
        AUTO_PROBLEMS struct problems problems = {0};
        const char *path = options->operands[i];

        if (validate(path, &registry, &problems, &error) < 0)
            result = error_exit_code(&error);
        else if (problems.errors || (options->strict && problems.count))
            result = ERROR_INPUT;
        add_all(list, path, &problems);
        if (!options->json)
            print_all(path, &problems);
    }
    schemas_log_left_out(&registry, 0);
    if (error.kind)
        log_error_object(&error);
    else if (options->json)
        show_json(object);
    return result;
}
