/* One schema document of all modules' schemas, for the checks here and for editors. */
#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema.h"

static int refuse(const struct schema_source *source, const char *key, const char *what,
                  struct error *error)
{
    return error_set(error, ERROR_INPUT, "the schema of module %s: %s %s", source->name, key, what);
}

/* "#/$defs/x" as "#/$defs/NAME.x". */
static void rename_reference(json_t *schema, const char *name)
{
    static const char prefix[] = "#/$defs/";
    const char *reference = json_text_of(schema, "$ref", "");
    AUTO_FREE char *renamed = NULL;

    if (strncmp(reference, prefix, sizeof prefix - 1) != 0)
        return;
    renamed = memory_format("%s%s.%s", prefix, name, reference + sizeof prefix - 1);
    json_put_text(schema, "$ref", renamed);
}

/*
 * Renames every reference of a schema and of those within it; not what looks like one in default,
 * examples, enum or const. Deeper than the compiler goes it need not go.
 */
static void rename_references(json_t *schema, const char *name, unsigned depth)
{
    static const char *const singles[] = {"items", "additionalProperties"};
    static const char *const lists[] = {"oneOf", "anyOf", "allOf"};
    static const char *const objects[] = {"properties", "patternProperties"};
    const char *key;
    size_t index;
    json_t *child;

    if (depth > SCHEMA_DEPTH_MAX * 2 || !json_is_object(schema))
        return;
    rename_reference(schema, name);
    for (size_t i = 0; i < ARRAY_SIZE(singles); i++)
        rename_references(json_object_get(schema, singles[i]), name, depth + 1);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        json_array_foreach(json_object_get(schema, lists[i]), index, child)
            rename_references(child, name, depth + 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        json_object_foreach(json_object_get(schema, objects[i]), key, child)
            rename_references(child, name, depth + 1);
    }
}

static int check_top(const struct schema_source *source, struct error *error)
{
    static const char *const allowed[] = {
        "type",    "properties", "$defs",   "additionalProperties", "title", "description",
        "$schema", "$id",        "$comment"};
    const char *key;
    json_t *value;

    if (!json_is_object(source->schema) ||
        strcmp(json_text_of(source->schema, "type", "object"), "object") != 0)
        return refuse(source, "it", "describes no object", error);
    json_object_foreach(source->schema, key, value)
    {
        bool known = false;

        for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
            known |= strcmp(key, allowed[i]) == 0;
        if (!known)
            return refuse(source, key, "cannot stand at the top, for other modules' keys are there",
                          error);
        if (strcmp(key, "additionalProperties") == 0 && !json_is_false(value))
            return refuse(source, key, "can be false only", error);
        if ((strcmp(key, "properties") == 0 || strcmp(key, "$defs") == 0) && !json_is_object(value))
            return refuse(source, key, "is no object", error);
    }
    return 0;
}

static int add_source(const struct schema_source *source, json_t *properties, json_t *definitions,
                      struct error *error)
{
    AUTO_JSON json_t *copy = memory_need(json_deep_copy(source->schema));
    const char *key;
    json_t *schema;

    json_object_foreach(json_object_get(copy, "properties"), key, schema)
    {
        if (json_object_get(properties, key))
            return refuse(source, key, "is described by another module, too", error);
        rename_references(schema, source->name, 0);
        json_put(properties, key, json_incref(schema));
    }
    json_object_foreach(json_object_get(copy, "$defs"), key, schema)
    {
        AUTO_FREE char *name = memory_format("%s.%s", source->name, key);

        rename_references(schema, source->name, 0);
        json_put(definitions, name, json_incref(schema));
    }
    return 0;
}

json_t *schema_compose(const struct schema_source *sources, size_t count, size_t *culprit,
                       struct error *error)
{
    AUTO_JSON json_t *document = memory_need(json_object());
    AUTO_JSON json_t *types = memory_need(json_pack("[ss]", "object", "null"));
    json_t *properties = memory_need(json_object()), *definitions = memory_need(json_object());

    json_put_text(document, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_put_text(document, "title", "cloud-config as bootlace understands it");
    json_put(document, "type", json_incref(types));
    json_put(document, "properties", properties);
    json_put_flag(document, "additionalProperties", false);
    json_put(document, "$defs", definitions);
    for (size_t i = 0; i < count; i++) {
        if (check_top(&sources[i], error) < 0 ||
            add_source(&sources[i], properties, definitions, error) < 0) {
            *culprit = i;
            return NULL;
        }
    }
    return TAKE_POINTER(document);
}
