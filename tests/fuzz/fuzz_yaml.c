/* YAML as values: whatever is read can be written as JSON and read from that again. */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *value = yaml_parse((const char *)data, size, "fuzz", &error);

    if (!value) {
        MUST(error.kind == ERROR_INPUT && *error.message);
        return 0;
    }
    MUST(!error.kind);
    AUTO_FREE char *text = json_one_line(value);
    AUTO_JSON json_t *again = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    MUST(again);
    /* Not each value, since a float may come back as its neighbour; but their kinds. */
    MUST(json_typeof(again) == json_typeof(value));
    return 0;
}
