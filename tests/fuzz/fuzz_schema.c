/*
 * Schemas: the input is a schema in JSON, a line "---", and a value in YAML. Compiling, checking,
 * redacting and rendering end, whatever both are, and what they tell holds together.
 */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema.h"
#include "config/yaml.h"

struct tally {
    size_t errors, warnings;
};

static void tally(void *context, bool warning, const char *key, const struct error *error)
{
    struct tally *counts = context;

    MUST(error->kind == ERROR_INPUT && *error->message);
    MUST(strlen(key) < SCHEMA_KEY_MAX);
    counts->errors += !warning;
    counts->warnings += warning;
}

static json_t *render(void *context, const char *text, const char *key, struct error *error)
{
    (void)context;
    (void)error;
    MUST(*key || !*key);
    return json_string(text);
}

static void use(const struct schema *schema, json_t *value, struct positions *positions)
{
    struct tally counts = {0};
    struct error error = ERROR_INIT;
    size_t errors = schema_check(schema, value, "fuzz", positions, tally, &counts);
    AUTO_JSON json_t *redacted = schema_redact(schema, value);
    AUTO_FREE char *text = json_one_line(redacted);
    AUTO_JSON json_t *before = json_deep_copy(value);

    MUST(counts.errors <= errors);
    MUST(counts.errors == errors || counts.errors + counts.warnings >= SCHEMA_PROBLEMS_MAX);
    /* Rendering every text as it stands changes nothing. */
    MUST(schema_render_all(schema, value, positions, render, NULL, &error) == 0);
    MUST(json_equal(value, before));
}

static json_t *composed(json_t *document, struct error *error)
{
    const struct schema_source sources[] = {{"one", document}};
    size_t culprit;

    return schema_compose(sources, 1, &culprit, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char line[] = "\n---\n";
    const char *split = memmem(data, size, line, sizeof line - 1);
    size_t first = split ? (size_t)(split - (const char *)data) : size;
    size_t second = split ? first + sizeof line - 1 : size;
    struct error error = ERROR_INIT, other = ERROR_INIT;
    AUTO_JSON json_t *document = json_parse((const char *)data, first, "fuzz", &error);
    AUTO_JSON json_t *whole = document ? composed(document, &other) : NULL;
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *value =
        yaml_parse_placed((const char *)data + second, size - second, "fuzz", &positions, &other);
    AUTO_SCHEMA struct schema *schema = NULL, *whole_schema = NULL;

    if (!document)
        return 0;
    error_clear(&error);
    schema = schema_compile(document, "fuzz", &error);
    MUST(schema || (error.kind == ERROR_INPUT && *error.message));
    whole_schema = whole && schema ? schema_compile(whole, "fuzz", &error) : NULL;
    /* What compiles alone compiles as part of the whole. */
    MUST(!whole || !schema || whole_schema);
    if (schema && value)
        use(schema, value, &positions);
    if (whole_schema && value)
        use(whole_schema, value, &positions);
    return 0;
}
