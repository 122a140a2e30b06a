/* A volume; see volume.h. */
#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <support/input.h>
#include <support/text.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "filesystem.h"
#include "growth.h"
#include "place.h"
#include "state.h"

enum { RIGHTS_WORDS_MAX = 256 };

static const char default_type[] = "ext4";
static const char default_options[] = "defaults,nofail";

static int refuse(const char **why, const char *words)
{
    *why = words;
    return -EINVAL;
}

static int check(struct volume *volume, const char **why)
{
    bool swap = volume->filesystem && strcmp(volume->filesystem, "swap") == 0;

    if (!volume->device && !volume->attach)
        return refuse(why, "it has neither device nor attach");
    if (volume->attach && (!volume->device || strncmp(volume->device, "/dev/", 5) != 0))
        return refuse(why, "attach needs device, the name that EC2 gives to it: /dev/sdf");
    if (swap && volume->mount)
        return refuse(why, "swap is mounted nowhere");
    if (volume->mount && !place_is_target(volume->mount))
        return refuse(why, "mount is no absolute path without . and ..");
    return 0;
}

int volume_read(const struct bootlace_host *host, const json_t *item, struct volume *volume,
                const char **why)
{
    static char words[RIGHTS_WORDS_MAX];
    const json_t *wait = json_object_get(item, "wait");
    int result;

    *volume = (struct volume){.options = default_options, .wait_s = VOLUME_WAIT_S, .grow = true};
    *why = "its settings are none";
    if (input_text(host, item, "attach", &volume->attach) < 0 ||
        input_text(host, item, "device", &volume->device) < 0 ||
        input_text(host, item, "mount", &volume->mount) < 0 ||
        input_text(host, item, "filesystem", &volume->filesystem) < 0 ||
        input_text(host, item, "label", &volume->label) < 0 ||
        input_text(host, item, "options", &volume->options) < 0 ||
        input_flag(host, item, "grow", &volume->grow) < 0 ||
        input_flag(host, item, "overwrite", &volume->overwrite) < 0)
        return -EINVAL;
    if (wait && (!json_is_integer(wait) || json_integer_value(wait) < 0 ||
                 json_integer_value(wait) > DEVICE_WAIT_MAX_S))
        return refuse(why, "wait is no number of seconds up to 3600");
    if (wait)
        volume->wait_s = (unsigned)json_integer_value(wait);
    *words = '\0';
    result = rights_read(host, item, "mode", &volume->rights, words, sizeof words);
    *why = words;
    return result < 0 ? result : check(volume, why);
}

const char *volume_name(const struct volume *volume)
{
    return volume->mount    ? volume->mount
           : volume->attach ? volume->attach
           : volume->device ? volume->device
                            : "an item without device";
}

/* The words of what was done, one after another. */
static void tell(const char **told, const char *words)
{
    *told = *told ? text_format("%s, %s", *told, words) : words;
}

/* A disk with one partition is meant to be that. */
static int look(char **device, struct content *content, const char **why)
{
    int result = content_read(*device, content, why);

    if (result < 0 || *content->type || content->partitions != 1)
        return result;
    *device = device_partition(*device, 1);
    return content_read(*device, content, why);
}

static bool is_wanted(const struct volume *volume, const struct content *content)
{
    bool swap = volume->filesystem && strcmp(volume->filesystem, "swap") == 0;

    if (swap)
        return strcmp(content->type, "swap") == 0;
    return strcmp(content->usage, "filesystem") == 0 &&
           (!volume->filesystem || strcmp(content->type, volume->filesystem) == 0);
}

/* Makes the file system where there is none. 1, 0, or a negative errno and *why. */
static int provide(const struct bootlace_host *host, const struct volume *volume,
                   const char *device, struct content *content, const char **why)
{
    const char *name = volume_name(volume);
    bool made = state_is_made(host, name, content->uuid);
    const struct filesystem_wish wish = {
        .type = volume->filesystem ? volume->filesystem : default_type, .label = volume->label};
    int result;

    if (is_wanted(volume, content) && (made || !volume->overwrite))
        return 0;
    if (!content->blank && (!volume->overwrite || made)) {
        *why = text_format("%s has %s%s%s%s; nothing is overwritten without overwrite: true",
                           device, content_text(content), volume->filesystem ? ", not " : "",
                           volume->filesystem ? volume->filesystem : "",
                           volume->filesystem ? " as asked" : "");
        return -EEXIST;
    }
    result = filesystem_make(host, device, &wish, why);
    if (result < 0 || host->dry_run)
        return result;
    result = content_read(device, content, why);
    if (result < 0)
        return result;
    state_made(host, name, content->uuid);
    state_filled(host, content->uuid, content->size);
    return 1;
}

static int grow(const struct bootlace_host *host, const struct volume *volume, const char *device,
                const struct content *content, const char **why)
{
    int result;

    if (state_fills(host, content->uuid, content->size) || host->dry_run)
        return 0;
    result = growth_fill(host, device, content->type, volume->mount, why);
    if (result == -EOPNOTSUPP) {
        host->log(host, BOOTLACE_INFO, "%s: %s", volume->mount, *why);
        result = 0;
    }
    if (result >= 0)
        state_filled(host, content->uuid, content->size);
    return result;
}

static int take_place(const struct bootlace_host *host, const struct volume *volume,
                      const char *device, const struct content *content, const char **why)
{
    bool swap = strcmp(content->type, "swap") == 0;
    bool checked = strncmp(content->type, "ext", 3) == 0;
    const struct place place = {
        .line = {.source = *content->uuid ? text_format("UUID=%s", content->uuid) : device,
                 .target = swap ? "none" : volume->mount,
                 .type = content->type,
                 .options =
                     swap && volume->options == default_options ? "sw,nofail" : volume->options,
                 .frequency = "0",
                 .pass = checked ? "2" : "0"},
        .device = device};

    return swap || volume->mount ? place_take(host, &place, why) : 0;
}

/* What is done with the device once it is there. */
static int use(const struct bootlace_host *host, const struct volume *volume, char *device,
               const char **why)
{
    const char *told = NULL;
    struct content content;
    int result = look(&device, &content, why), changed = 0;

    result = result < 0 ? result : provide(host, volume, device, &content, why);
    if (result == 1)
        tell(&told, text_format("a new %s file system", content.type));
    if (result == 1 && host->dry_run)
        return 1; /* there is nothing yet that could be mounted */
    changed |= result > 0;
    result = result < 0 ? result : take_place(host, volume, device, &content, why);
    if (result == 1)
        tell(&told, "mounted");
    changed |= result > 0;
    if (result >= 0 && volume->mount && volume->grow)
        result = grow(host, volume, device, &content, why);
    if (result == 1)
        tell(&told, "grown");
    changed |= result > 0;
    result = result < 0 || !volume->mount ? result : volume_set_rights(host, volume, false, why);
    changed |= result > 0;
    if (result < 0)
        return result;
    *why = told ? text_format("%s: %s", device, told) : NULL;
    return changed;
}

int volume_bring(const struct device_names *names, const struct volume *volume, const char **why)
{
    const struct bootlace_host *host = names->host;
    const char *name = volume->attach ? volume->attach : volume->device;
    int attached = 0, result;
    char *device;

    if (volume->attach)
        attached = attach_volume(host, volume->attach, volume->device, ATTACH_WAIT_S, why);
    if (attached < 0 || (attached && host->dry_run))
        return attached;
    device = device_find(names, name, volume->attach ? volume->device : NULL, volume->wait_s, why);
    if (!device)
        return -ENODEV;
    result = use(host, volume, device, why);
    return result < 0 ? result : attached || result;
}

int volume_set_rights(const struct bootlace_host *host, const struct volume *volume, bool late,
                      const char **why)
{
    const struct rights *rights = &volume->rights;
    struct stat info;
    int fd, result = 0;

    if (!rights->mode_given && !rights->owner_given)
        return 0;
    if (rights->owner_given && !rights->owner_is_there && !late)
        return 0; /* with a package, or with the users */
    if (rights->owner_given && !rights->owner_is_there) {
        *why = text_format("there is no %s", rights_owner_text(rights));
        return -ENOENT;
    }
    fd = open(volume->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0) {
        *why = text_format("%s cannot be opened: %s", volume->mount, strerror(errno));
        return -EIO;
    }
    if (rights->owner_given && (info.st_uid != rights->owner || info.st_gid != rights->group_id))
        result = host->dry_run || fchown(fd, rights->owner, rights->group_id) == 0 ? 1 : -errno;
    if (result >= 0 && rights->mode_given && (info.st_mode & 07777) != rights->mode)
        result = host->dry_run || fchmod(fd, rights->mode) == 0 ? 1 : -errno;
    close(fd);
    if (result < 0)
        *why =
            text_format("%s's owner or mode cannot be set: %s", volume->mount, strerror(-result));
    return result;
}
