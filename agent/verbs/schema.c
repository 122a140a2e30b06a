/* bootlace schema: one JSON Schema document of all keys, for editors. */
#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "verbs/settings_check.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

int verb_schema(const struct options *options)
{
    AUTO_REGISTRY struct registry registry = {0};
    AUTO_JSON json_t *document = NULL;
    struct error error = ERROR_INIT;

    (void)options;
    if (registry_scan(&registry, NULL, NULL, false, &error) == 0)
        document = settings_schema(&registry, &error);
    if (!document) {
        log_error_object(&error);
        return error_exit_code(&error);
    }
    show_json(document);
    return 0;
}
