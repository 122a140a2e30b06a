/*
 * JSON Patch: the input is a document in YAML, a line "---", and a patch of it. What comes out is a
 * mapping that can be written as JSON, and whatever is in it stands in the document or the patch,
 * or is not known.
 */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/patch.h"
#include "config/yaml.h"

static const char line[] = "\n---\n";

static void look_up_all(struct positions *positions, json_t *value, unsigned depth)
{
    struct position position;
    const char *key;
    size_t index;
    json_t *child;

    MUST(depth < 2 * (PATCH_DEPTH_MAX + YAML_DEPTH_MAX));
    json_object_foreach(value, key, child)
    {
        positions_key(positions, key, NULL, &position);
        look_up_all(positions, child, depth + 1);
    }
    json_array_foreach(value, index, child)
    {
        positions_item(positions, value, index, &position);
        look_up_all(positions, child, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *cut = memmem(text, size, line, strlen(line));
    AUTO_POSITIONS struct positions positions = {0};
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *document = NULL;
    AUTO_JSON json_t *patch = NULL;

    if (!cut)
        return 0;
    document = yaml_parse_placed(text, (size_t)(cut - text), "document", &positions, &error);
    cut += strlen(line);
    if (!json_is_object(document))
        return 0;
    patch = yaml_parse_placed(cut, size - (size_t)(cut - text), "patch", &positions, &error);
    if (!patch)
        return 0;
    if (patch_apply(&document, patch, &positions, &error) < 0) {
        MUST(error.kind != ERROR_NONE && *error.message);
        return 0;
    }
    MUST(json_is_object(document));
    look_up_all(&positions, document, 0);
    return 0;
}
