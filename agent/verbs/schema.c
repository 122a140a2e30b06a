/* bootlace schema: one JSON Schema document of all keys, for editors. */
#include "base/banned.h"
#include "base/log.h"
#include "verbs/schemas.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

int verb_schema(const struct options *options)
{
    AUTO_REGISTRY struct registry registry = {0};
    AUTO_SCHEMAS struct schemas schemas = {0};
    struct error error = ERROR_INIT;

    (void)options;
    if (registry_scan(&registry, NULL, NULL, false, &error) < 0 ||
        schemas_make(&schemas, &registry, NULL, &error) < 0) {
        log_error_object(&error);
        return error_exit_code(&error);
    }
    schemas_log_left_out(&registry, 0);
    show_json(schemas.document);
    return 0;
}
