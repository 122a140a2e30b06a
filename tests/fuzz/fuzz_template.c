/*
 * Templates: whatever the text is, rendering ends, within its limits and with text or an error; the
 * same text gives the same twice; what cannot be read has no names, and what renders has.
 */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/template.h"

static const char VARIABLES[] =
    "{\"v1\":{\"region\":\"eu-west-1\",\"local-hostname\":\"ip-10-0-0-1\",\"n\":3,\"f\":2.5,"
    "\"none\":null,\"on\":true},\"ds\":{\"meta_data\":{\"a.b\":[1,[2,{\"x\":\"y\"}]]}},"
    "\"l\":[3,1,2],\"w\":[\"b\",\"A\",\"\\u00fc\"]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);
    AUTO_BUFFER struct buffer again = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);
    struct error error = ERROR_INIT, same = ERROR_INIT, unnamed = ERROR_INIT;
    AUTO_JSON json_t *variables = json_loads(VARIABLES, 0, NULL);
    AUTO_JSON json_t *untouched = json_deep_copy(variables);
    AUTO_JSON json_t *names = NULL;
    char *text = fuzz_copy(data, size);
    int result = template_render(text, size, variables, &out, &error);

    MUST(template_render(text, size, variables, &again, &same) == result);
    MUST(memcmp(&error, &same, sizeof error) == 0);
    MUST(out.size == again.size && memcmp(buffer_text(&out), buffer_text(&again), out.size) == 0);
    MUST(json_equal(variables, untouched));
    if (result < 0)
        MUST(error.kind == ERROR_INPUT && *error.message && error.line && !out.size);
    else
        MUST(error.kind == ERROR_NONE);
    if (template_names(text, size, &names, &unnamed) < 0)
        MUST(result < 0 && unnamed.line);
    else
        MUST(json_is_array(names) && !unnamed.kind);
    fuzz_copy_free(text, size);
    return 0;
}
