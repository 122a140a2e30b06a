/* What a run has learned of the instance's metadata; see metadata_cache.h. */
#include "verbs/metadata_cache.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "model/metadata.h"
#include "os/machine.h"

#include <fcntl.h>

enum { PUBLIC_MODE = 0644, PRIVATE_MODE = 0600, CACHE_MAX = 16 << 20 };

void metadata_cache_publish(struct launch *launch)
{
    AUTO_FREE char *path = memory_format("%s/metadata.json", paths_get(PATHS_RUN));
    AUTO_JSON json_t *cache = memory_need(json_object());
    AUTO_FREE char *text = NULL;
    struct error error = ERROR_INIT;
    json_t *items = memory_need(json_object()), *value;
    const char *name;
    mode_t mode = PRIVATE_MODE;

    json_put_text(cache, "boot_id", launch->boot_id);
    json_put(cache, "items", items);
    /* Items are only ever added. */
    if (!launch->keep || *launch->settings.user_data ||
        launch->published == json_object_size(launch->metadata))
        return;
    launch->published = json_object_size(launch->metadata);
    json_object_foreach(launch->metadata, name, value)
    {
        if (metadata_is_public(name))
            json_put(items, name, json_incref(value));
    }
    text = json_one_line(cache);
    /* What everybody may ask of a service; what an image's file keeps to root stays root's. */
    if (launch->source.type && launch->source.type->needs_network)
        mode = PUBLIC_MODE;
    if (file_write(AT_FDCWD, path, text, strlen(text), mode, &error) < 0)
        log_error_object(&error);
}

json_t *metadata_cache_read(void)
{
    AUTO_FREE char *path = memory_format("%s/metadata.json", paths_get(PATHS_RUN));
    AUTO_JSON json_t *cache = NULL;
    struct error ignored = ERROR_INIT;
    char boot_id[MACHINE_ID_MAX];

    if (json_read_file(AT_FDCWD, path, CACHE_MAX, &cache, &ignored) <= 0 ||
        strcmp(json_text_of(cache, "boot_id", ""), machine_boot_id(boot_id)) != 0)
        return NULL;
    return json_incref(json_object_get(cache, "items"));
}
