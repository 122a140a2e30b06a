/* The merged settings of a launch held against the modules' schemas; see settings_check.h. */
#include "verbs/settings_check.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema.h"
#include "config/template.h"

/* Where a template is, by a key like "write_files[1].content". */
static void note_template(json_t *templated, const char *key)
{
    size_t length = strcspn(key, ".[");
    AUTO_FREE char *top = memory_copy_bytes(key, length);
    AUTO_FREE char *index = NULL;
    json_t *places = json_object_get(templated, top);

    if (key[length] != '[') {
        json_put_flag(templated, top, true);
        return;
    }
    if (!places) {
        places = memory_need(json_object());
        json_put(templated, top, places);
    }
    index = memory_copy_bytes(key + length + 1, strcspn(key + length + 1, "]"));
    if (json_is_object(places))
        json_put_flag(places, index, true);
}

static json_t *render_text(void *context, const char *text, const char *key, struct error *error)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);
    const struct parts_setup *setup = context;

    if (setup->templated) {
        if (strstr(text, "{{") || strstr(text, "{%"))
            note_template(setup->templated, key);
        return memory_need(json_string(text));
    }
    if (parts_render(text, strlen(text), context, &out, error) < 0)
        return NULL;
    return json_lossy_string(buffer_text(&out), out.size);
}

int settings_check(struct parts_result *result, struct schemas *schemas, struct registry *registry,
                   const struct parts_setup *setup, struct problems *problems, struct error *error)
{
    struct error problem = ERROR_INIT;

    if (!json_object_size(result->config))
        return 0;
    if (schemas_make(schemas, registry, result->config, error) < 0)
        return -1;
    if (schema_check(schemas->compiled, result->config, NULL, &result->positions,
                     schema_report_problem, problems) > 0)
        return 0;
    if (schema_render_all(schemas->compiled, result->config, &result->positions, render_text,
                          (void *)(uintptr_t)setup, &problem) < 0)
        problems_add_error(problems, &problem);
    return 0;
}

void settings_need_packages(struct parts_result *result, const struct registry *registry,
                            bool warning, struct problems *problems)
{
    const char *key;
    json_t *value;

    json_object_foreach(result->config, key, value)
    {
        for (size_t i = 0; i < registry->count; i++) {
            const struct description *module = &registry->modules[i];
            struct error error = ERROR_INIT;
            struct position place, of_value;

            if (!module->package || !description_has_key(module, key))
                continue;
            error_set(&error, ERROR_INPUT, "%.64s needs the module %s, which is not installed", key,
                      module->name);
            error_hint(&error, "install the package %s", module->package);
            if (positions_key(&result->positions, key, &place, &of_value))
                error_at(&error, place.where, place.line, place.column);
            problems_add_about(problems, warning, key, &error);
        }
    }
}

json_t *settings_shown(const struct parts_result *result, const struct schemas *schemas)
{
    if (!schemas->compiled)
        return memory_need(json_object());
    return schema_redact(schemas->compiled, result->config);
}
