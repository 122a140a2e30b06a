/* File systems that are only made; see setup.h. */
#include "setup.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/text.h>

#include "filesystem.h"
#include "state.h"

struct setup {
    const char *device, *filesystem, *label, *replace;
    const json_t *partition;
    bool overwrite;
};

static int read_setup(const struct bootlace_host *host, const json_t *item, struct setup *setup,
                      const char **why)
{
    *setup = (struct setup){.partition = json_object_get(item, "partition")};
    *why = "its settings are none";
    if (input_text(host, item, "device", &setup->device) < 0 ||
        input_text(host, item, "filesystem", &setup->filesystem) < 0 ||
        input_text(host, item, "label", &setup->label) < 0 ||
        input_text(host, item, "replace_fs", &setup->replace) < 0 ||
        input_flag(host, item, "overwrite", &setup->overwrite) < 0)
        return -EINVAL;
    *why = "it needs device and filesystem";
    return setup->device && setup->filesystem ? 0 : -EINVAL;
}

static bool is_this(const struct setup *setup, const struct content *content)
{
    return strcmp(content->type, setup->filesystem) == 0 &&
           (!setup->label || strcmp(content->label, setup->label) == 0);
}

/*
 * partition: a number; none; any: the disk or any partition of it may have the file system already;
 * auto: like that, and else the first one without any. Returns the path to look at, and sets *there
 * where it has the file system.
 */
static char *choose(const struct setup *setup, char *disk, bool *there, const char **why)
{
    const char *word = json_string_value(setup->partition);
    struct content content;
    char *free_one = NULL;
    unsigned count;

    if (json_is_integer(setup->partition))
        return device_partition(disk, (unsigned)json_integer_value(setup->partition));
    if (word && isdigit((unsigned char)*word))
        return device_partition(disk, (unsigned)strtoul(word, NULL, 10));
    if (!word || strcmp(word, "none") == 0)
        return disk;
    if (content_read(disk, &content, why) < 0)
        return NULL;
    if (is_this(setup, &content)) {
        *there = true;
        return disk;
    }
    count = content.partitions;
    for (unsigned number = 1; number <= count; number++) {
        char *path = device_partition(disk, number);

        if (content_read(path, &content, why) == 0 && is_this(setup, &content)) {
            *there = true;
            return path;
        }
        if (!free_one && content.blank)
            free_one = path;
    }
    return count && free_one ? free_one : count ? device_partition(disk, 1) : disk;
}

static int provide(const struct bootlace_host *host, const json_t *item, const struct setup *setup,
                   const char *path, const char **why)
{
    const struct filesystem_wish wish = {.type = setup->filesystem,
                                         .label = setup->label,
                                         .options = json_object_get(item, "extra_opts"),
                                         .command = json_object_get(item, "cmd")};
    struct content content;
    int result = content_read(path, &content, why);
    bool made, replaced;

    if (result < 0)
        return result;
    made = state_is_made(host, path, content.uuid);
    replaced = setup->replace && strcmp(setup->replace, content.type) == 0;
    if (is_this(setup, &content) && (made || !setup->overwrite))
        return 0;
    if (!content.blank && !replaced && (!setup->overwrite || made)) {
        *why = text_format("%s has %s; nothing is overwritten without overwrite: true", path,
                           content_text(&content));
        return -EEXIST;
    }
    result = filesystem_make(host, path, &wish, why);
    if (result < 0 || host->dry_run)
        return result;
    result = content_read(path, &content, why);
    if (result == 0)
        state_made(host, path, content.uuid);
    *why = text_format("%s: a new %s file system", path, setup->filesystem);
    return result < 0 ? result : 1;
}

int setup_filesystem(const struct device_names *names, const json_t *item, const char **why)
{
    struct setup setup;
    bool there = false;
    char *disk, *path;
    int result = read_setup(names->host, item, &setup, why);

    if (result < 0)
        return result;
    if (device_is_absent_store(names, setup.device)) {
        *why = "this instance has no such store";
        return 0;
    }
    disk = device_find(names, setup.device, NULL, DEVICE_WAIT_S, why);
    path = disk ? choose(&setup, disk, &there, why) : NULL;
    if (!path)
        return -ENODEV;
    return there ? 0 : provide(names->host, item, &setup, path, why);
}
