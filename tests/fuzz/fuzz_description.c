/* What a module prints when it is asked to describe itself. */
#include "fuzz.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *object = json_parse((const char *)data, size, "fuzz", &error);
    struct description description = {0};

    if (!object) {
        MUST(error.kind == ERROR_INPUT && *error.message);
        return 0;
    }
    if (description_parse(&description, object, "/modules/x", false, &error) < 0) {
        MUST(error.kind == ERROR_INPUT && *error.message);
        return 0;
    }
    MUST(file_name_is_plain(description.name, DESCRIPTION_NAME_MAX));
    MUST(description.order >= 0 && description.order <= 1000);
    MUST(description_frequency_name(description.frequency));
    description_has_type(&description, "text/x-shellscript");
    description_has_key(&description, "runcmd");
    description_text(&description, "summary");
    description_clear(&description);
    return 0;
}
