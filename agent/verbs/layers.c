/* What was baked into an image and what its launch adds, as one; see layers.h. */
#include "verbs/layers.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/join.h"
#include "config/merge.h"
#include "verbs/settings_check.h"

/* What the layer that is being baked is called; NULL and an error. */
static const char *name_of(const struct launch *launch, struct error *error)
{
    const char *file = launch->settings.user_data, *slash = strrchr(file, '/');
    const char *name = launch->options->name    ? launch->options->name
                       : strcmp(file, "-") == 0 ? "stdin"
                       : slash                  ? slash + 1
                                                : file;

    if (file_name_is_plain(name, BAKED_NAME_MAX))
        return name;
    error_set(error, ERROR_USAGE, "%.100s is no name for what is baked", name);
    error_hint(error, "letters, digits, \".\", \"_\" and \"-\", at most %d; see --name",
               BAKED_NAME_MAX);
    return NULL;
}

int layers_open(struct launch *launch, struct error *error)
{
    struct merge_rules rules = {0};
    json_t *config;

    if (launch->options->bake)
        launch->templated = memory_need(json_object());
    /* A file by hand is a matter of its own: what the instance has of its image is done. */
    if (launch_file(launch) && !launch_is_image(launch))
        return 0;
    if (baked_read(&launch->baked, error) < 0)
        return -1;
    /* A bake puts together what is baked itself. */
    if (!launch->baked.config || launch->options->bake)
        return 0;
    config = memory_need(json_deep_copy(launch->baked.config));
    if (merge_rules_parse(&rules, MERGE_RULES_IMAGE, NULL, error) < 0 ||
        merge_into(&rules, config, launch->image, &launch->user.positions, error) < 0) {
        json_decref(config);
        return -1;
    }
    json_decref(launch->image);
    launch->image = config;
    return 0;
}

/* Reads bytes as one of the layers, and joins its config to that of those before it. */
static int read_one(struct launch *launch, const struct buffer *bytes, const char *label,
                    const struct parts_setup *setup, struct error *error)
{
    struct parts_setup own = *setup;
    json_t *before = launch->user.config;
    int result;

    own.label = label;
    launch->user.config = NULL;
    result = parts_read(buffer_text(bytes), bytes->size, &own, &launch->user,
                        &launch->plan.problems, error);
    if (!before)
        return result;
    if (launch->user.config)
        join_config(before, launch->user.config, &launch->user.positions);
    json_decref(launch->user.config);
    launch->user.config = before;
    return result;
}

/* A part that the user-data has as well is one: that of the user-data. */
static void drop_repeated(struct parts *parts, size_t layered)
{
    for (size_t i = layered; i-- > 0;) {
        for (size_t j = layered; j < parts->count; j++) {
            if (parts->items[i].merged || !part_is_same(&parts->items[i], &parts->items[j]))
                continue;
            parts_remove(parts, i);
            layered--;
            break;
        }
    }
}

static int read_layers(struct launch *launch, const struct parts_setup *setup, struct error *error)
{
    const char *own = NULL;

    if (launch->options->bake && launch_file(launch) && !(own = name_of(launch, error)))
        return -1;
    for (size_t i = 0; i < json_array_size(launch->baked.layers); i++) {
        AUTO_BUFFER struct buffer bytes = BUFFER_INIT(SOURCE_USER_DATA_MAX);
        const char *name = baked_layer_name(&launch->baked, i);

        if (own && strcmp(own, name) == 0) {
            log_line(LOG_LEVEL_INFO, "takes the place of the %s that was baked before", name);
            continue;
        }
        if (baked_layer(&launch->baked, i, &bytes, error) < 0 ||
            read_one(launch, &bytes, name, setup, error) < 0)
            return -1;
    }
    return 0;
}

int layers_read(struct launch *launch, const struct parts_setup *setup, struct error *error)
{
    size_t layered;

    if (read_layers(launch, setup, error) < 0)
        return -1;
    layered = launch->user.parts.count;
    if (launch->has_user_data && read_one(launch, &launch->user_data, NULL, setup, error) < 0)
        return -1;
    drop_repeated(&launch->user.parts, layered);
    if (launch->options->bake)
        launch->bake_config = launch->user.config ? memory_need(json_deep_copy(launch->user.config))
                                                  : memory_need(json_object());
    return 0;
}

void layers_warn_of_secrets(struct launch *launch)
{
    AUTO_JSON json_t *shown = settings_shown(&launch->user, &launch->schemas);
    const char *key;
    json_t *value;

    json_object_foreach(shown, key, value)
    {
        struct error warning = ERROR_INIT;

        if (!json_object_get(launch->bake_config, key) ||
            json_equal(value, json_object_get(launch->user.config, key)))
            continue;
        error_set(&warning, ERROR_INPUT, "%.100s has a secret, which will be in the image", key);
        error_hint(&warning, "leave to the user-data what is one instance's alone");
        problems_add_about(&launch->plan.problems, true, key, &warning);
    }
}

int layers_keep(struct launch *launch, struct error *error)
{
    const char *name;

    if (!launch_file(launch))
        return 0;
    name = name_of(launch, error);
    return name ? baked_save(&launch->baked, name, &launch->user_data, launch->bake_config, error)
                : -1;
}
