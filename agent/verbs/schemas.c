/* All schemas as one; see schemas.h. That of the keys that are no module's is core.schema.json. */
#include "verbs/schemas.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"

#include <core.schema.h>
/* A module that describes its settings by no schema, or is not spoken to, takes them as they are.
 */
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

/* Whether any of the module's keys is among the settings, or all modules are meant. */
static bool is_meant(const struct description *module, const json_t *settings)
{
    const json_t *key;
    size_t i;

    json_array_foreach(json_object_get(module->object, "keys"), i, key)
    {
        if (json_object_get(settings, json_string_value(key)))
            return true;
    }
    return !settings;
}

/* Reads the schemas that are needed; a module whose schema cannot be read is left out. */
static void read_schemas(struct registry *registry, const json_t *settings)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct error error = ERROR_INIT;

        if (!registry->modules[i].left_out && is_meant(&registry->modules[i], settings) &&
            registry_read_schema(registry, i, &error) < 0)
            registry_leave_out(registry, i, &error);
    }
}

/* A module's own schema, or one made for it, which is kept in the list. One that is left out
 * describes nothing. */
static json_t *schema_of(const struct description *module, json_t *made)
{
    json_t *schema = json_object_get(module->object, "schema");

    if (json_is_object(schema) && !module->left_out)
        return schema;
    schema = module->left_out ? memory_need(json_object()) : any_value(module);
    json_add(made, schema);
    return schema;
}

/* The core's comes first: of two that describe a key, the later is the culprit. */
static json_t *compose(const struct registry *registry, size_t *culprit, struct error *error)
{
    AUTO_FREE struct schema_source *sources = memory_zeroed(registry->count + 1, sizeof *sources);
    AUTO_JSON json_t *core = memory_need(json_loads(core_schema, 0, NULL));
    AUTO_JSON json_t *made = memory_need(json_array());

    sources[0] = (struct schema_source){.name = "bootlace", .schema = core};
    for (size_t i = 0; i < registry->count; i++)
        sources[i + 1] = (struct schema_source){.name = registry->modules[i].name,
                                                .schema = schema_of(&registry->modules[i], made)};
    return schema_compose(sources, registry->count + 1, culprit, error);
}

/* The first key that a module's schema describes and that is none of its own, or NULL. */
static const char *stranger_of(const struct description *module)
{
    const char *key;
    json_t *ignored;

    if (module->left_out)
        return NULL;
    json_object_foreach(json_object_get(json_object_get(module->object, "schema"), "properties"),
                        key, ignored)
    {
        if (!description_has_key(module, key))
            return key;
    }
    return NULL;
}

/* A schema cannot speak of what is another's, lest that one be found at fault. */
static void leave_out_those_with_strangers(struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        const char *key = stranger_of(&registry->modules[i]);
        struct error error = ERROR_INIT;

        if (!key)
            continue;
        error_set(&error, ERROR_INTERNAL, "its schema describes %.100s, which is no key of it",
                  key);
        registry_leave_out(registry, i, &error);
    }
}

/* Leaves out every module whose schema, by itself, is no good. Whether there were any. */
static bool leave_out_bad(struct registry *registry)
{
    bool found = false;

    for (size_t i = 0; i < registry->count; i++) {
        const struct description *module = &registry->modules[i];
        json_t *document = json_object_get(module->object, "schema");
        struct error error = ERROR_INIT;
        AUTO_SCHEMA struct schema *schema = NULL;

        if (module->left_out || !json_is_object(document))
            continue;
        schema = schema_compile(document, module->name, &error);
        if (schema)
            continue;
        registry_leave_out(registry, i, &error);
        found = true;
    }
    return found;
}

/* 1 made, 0 another try is worth it, -1 and an error. */
static int try_make(struct schemas *schemas, struct registry *registry, struct error *error)
{
    struct error problem = ERROR_INIT;
    size_t culprit = 0;

    schemas->document = compose(registry, &culprit, &problem);
    if (!schemas->document && culprit) {
        registry_leave_out(registry, culprit - 1, &problem);
        return 0;
    }
    if (schemas->document)
        schemas->compiled = schema_compile(schemas->document, "the modules' schemas", &problem);
    if (schemas->compiled)
        return 1;
    schemas_clear(schemas);
    if (leave_out_bad(registry))
        return 0;
    *error = problem;
    return -1;
}

int schemas_make(struct schemas *schemas, struct registry *registry, const json_t *settings,
                 struct error *error)
{
    int result = schemas->compiled ? 1 : 0;

    if (!result) {
        read_schemas(registry, settings);
        leave_out_those_with_strangers(registry);
    }
    while (result == 0)
        result = try_make(schemas, registry, error);
    return result < 0 ? -1 : 0;
}

void schemas_clear(struct schemas *schemas)
{
    schema_free(schemas->compiled);
    json_decref(schemas->document);
    *schemas = (struct schemas){0};
}

void schemas_log_left_out(const struct registry *registry, size_t first)
{
    for (size_t i = first; i < registry->problems.count; i++) {
        char text[ERROR_TEXT_MAX];

        log_line(LOG_LEVEL_WARNING, "module left out: %s",
                 error_text(&registry->problems.items[i].error, text, sizeof text));
    }
}
