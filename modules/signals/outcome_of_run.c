/* What the run has come to so far; see outcome_of_run.h. */
#include "outcome_of_run.h"

#include <jansson.h>
#include <string.h>
#include <support/text.h>
#include <support/tree.h>

bool run_went_well(const struct bootlace_host *host, const char **failed)
{
    struct text text = {0};
    json_t *status = NULL, *step;
    size_t i;

    *failed = NULL;
    if (tree_read(host, "/run/bootlace/status.json", &text, NULL) == 0)
        status = json_loads(text_string(&text), 0, NULL);
    json_array_foreach(json_object_get(status, "steps"), i, step)
    {
        const char *state = json_string_value(json_object_get(step, "status"));
        const char *name = json_string_value(json_object_get(step, "name"));

        if (!*failed && state && name &&
            (strcmp(state, "failed") == 0 || strcmp(state, "cut off") == 0))
            *failed = text_format("%s", name);
    }
    json_decref(status);
    return !*failed;
}
