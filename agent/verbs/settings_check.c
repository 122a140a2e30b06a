/* The merged settings of a launch held against the modules' schemas; see settings_check.h. */
#include "verbs/settings_check.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema.h"
#include "config/template.h"

/* Keys that are no module's: how a part is merged is said in the part and gone when it is. */
static const char core_schema[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"merge_how\":{\"description\":\"How this part is merged over those before it.\","
    "\"type\":[\"string\",\"array\"]},"
    "\"merge_type\":{\"description\":\"The same as merge_how.\",\"type\":[\"string\",\"array\"]}}}";

/* A module that describes its settings by no schema takes them as they are. */
static json_t *any_value(const struct description *module)
{
    const json_t *keys = json_object_get(module->object, "keys"), *key;
    json_t *schema = memory_need(json_object()), *properties = memory_need(json_object());
    size_t i;

    json_put_text(schema, "type", "object");
    json_put(schema, "properties", properties);
    json_array_foreach(keys, i, key) json_put(properties, json_string_value(key), json_true());
    return schema;
}

json_t *settings_schema(const struct registry *registry, struct error *error)
{
    AUTO_FREE struct schema_source *sources = memory_zeroed(registry->count + 1, sizeof *sources);
    AUTO_JSON json_t *core = memory_need(json_loads(core_schema, 0, NULL));
    AUTO_JSON json_t *made = memory_need(json_array());
    size_t count = 0;

    sources[count++] = (struct schema_source){.name = "bootlace", .schema = core};
    for (size_t i = 0; i < registry->count; i++) {
        const struct description *module = &registry->modules[i];
        json_t *schema = json_object_get(module->object, "schema");

        if (!json_is_object(schema)) {
            schema = any_value(module);
            json_add(made, schema);
        }
        sources[count++] = (struct schema_source){.name = module->name, .schema = schema};
    }
    return schema_compose(sources, count, error);
}

static struct schema *compile(const struct registry *registry, json_t **document,
                              struct error *error)
{
    *document = settings_schema(registry, error);
    return *document ? schema_compile(*document, "the modules' schemas", error) : NULL;
}

static json_t *render_text(void *context, const char *text, const char *key, struct error *error)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);

    (void)key;
    if (parts_render(text, strlen(text), context, &out, error) < 0)
        return NULL;
    return json_lossy_string(buffer_text(&out), out.size);
}

int settings_check(struct parts_result *result, const struct registry *registry,
                   const struct parts_setup *setup, struct problems *problems, struct error *error)
{
    AUTO_JSON json_t *document = NULL;
    AUTO_SCHEMA struct schema *schema = NULL;
    struct error problem = ERROR_INIT;

    if (!json_object_size(result->config))
        return 0;
    schema = compile(registry, &document, error);
    if (!schema)
        return -1;
    if (schema_check(schema, result->config, NULL, &result->positions, schema_report_problem,
                     problems) > 0)
        return 0;
    if (schema_render_all(schema, result->config, &result->positions, render_text,
                          (void *)(uintptr_t)setup, &problem) < 0)
        problems_add_error(problems, &problem);
    return 0;
}

json_t *settings_shown(const struct parts_result *result, const struct registry *registry,
                       struct error *error)
{
    AUTO_JSON json_t *document = NULL;
    AUTO_SCHEMA struct schema *schema = compile(registry, &document, error);

    return schema ? schema_redact(schema, result->config) : NULL;
}
