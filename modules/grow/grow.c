/*
 * grow: the partition and the file system of / fill a disk that was made larger, at every boot
 * where it was. Nothing ever shrinks, and a partition that another one follows is left alone.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <jansson.h>
#include <mounts/growth.h>
#include <stdio.h>
#include <string.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/program.h>
#include <support/remember.h>
#include <support/text.h>
#include <support/tree.h>

#include "disk.h"

#include <grow.schema.h>

enum { DEVICES_MAX = 64, SECTORS_PER_MIB = 2048 };

static const char module_name[] = "grow", disabled[] = "/etc/growroot-disabled";

struct wish {
    bool partitions, filesystem, background;
    const json_t *devices; /* or NULL: / alone */
};

static int read_wish(const struct bootlace_host *host, const json_t *settings, struct wish *wish)
{
    const json_t *grow = json_object_get(settings, "growpart");
    const json_t *mode = json_object_get(grow, "mode");
    const json_t *resize = json_object_get(settings, "resize_rootfs");
    const char *word = json_string_value(mode);
    bool forced = false;

    *wish = (struct wish){true, true, false, json_object_get(grow, "devices")};
    if (input_flag(host, grow, "ignore_growroot_disabled", &forced) < 0)
        return -EINVAL;
    wish->partitions = !json_is_false(mode) && !(word && strcmp(word, "off") == 0) &&
                       (forced || !tree_has(host, disabled));
    wish->background = json_is_string(resize) && strcmp(json_string_value(resize), "noblock") == 0;
    return wish->background ? 0 : input_flag(host, settings, "resize_rootfs", &wish->filesystem);
}

/* The block device of a place: a path below /dev, or a mount point. */
static int find(const char *place, struct disk_mount *mount, struct disk_partition *partition,
                const char **why)
{
    unsigned major_number, minor_number;
    int result;

    *mount = (struct disk_mount){.major_number = 0};
    if (strncmp(place, "/dev/", 5) == 0)
        snprintf(mount->source, sizeof mount->source, "%s", place);
    else if ((result = disk_read_mount(place, mount)) < 0) {
        *why = text_format("nothing is mounted at %s", place);
        return result;
    }
    result = disk_numbers(mount, &major_number, &minor_number);
    if (result == 0)
        result = disk_read(major_number, minor_number, partition);
    if (result < 0)
        *why = text_format("%s is on no block device here (%s)", place, mount->source);
    return result;
}

/* By sfdisk, or else by growpart; both move GPT's copy to the new end. */
static int grow_partition(const struct bootlace_host *host, const struct disk_partition *partition,
                          const char **why)
{
    const char *disk = text_format("/dev/%s", partition->disk);
    const char *number = text_format("%u", partition->number);
    const char *const write[] = {"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel",
                                 "-N",     number,    disk,          NULL};
    const char *const other[] = {"growpart", disk, number, NULL};
    const char *const tell[] = {"partx", "--update", "--nr", number, disk, NULL};
    struct text script = {0};
    int result;

    text_add_string(&script, ",+\n");
    result = program_change(host, write, &script, PROGRAM_LIMIT_S, why);
    if (result == -ENOENT)
        result = program_change(host, other, NULL, PROGRAM_LIMIT_S, why);
    if (result == -ENOENT)
        *why = "neither sfdisk nor growpart is installed";
    return result < 0 ? result : program_change(host, tell, NULL, PROGRAM_LIMIT_S, why);
}

static int take_partition(const struct bootlace_host *host, const char *place, const char **why)
{
    struct disk_mount mount;
    struct disk_partition partition;
    int result = find(place, &mount, &partition, why);

    if (result < 0)
        return strcmp(place, "/") == 0 ? 0 : result; /* a container's root is on none */
    *why = NULL;
    if (partition.mapped)
        *why = text_format("%s is made of other devices, which are not grown", partition.name);
    else if (partition.followed)
        *why = text_format("%s is followed by another partition", partition.name);
    if (!disk_room(&partition))
        return 0;
    *why = text_format("%s grows by %llu MiB", partition.name,
                       disk_room(&partition) / SECTORS_PER_MIB);
    host->log(host, BOOTLACE_INFO, "%s", *why);
    if (host->dry_run)
        return 1;
    result = grow_partition(host, &partition, why);
    return result < 0 ? result : 1;
}

static unsigned long long remembered_size(const struct bootlace_host *host, const char *device)
{
    json_t *state = remember_read(host, module_name);
    const json_t *size = json_object_get(state, device);
    unsigned long long sectors = (unsigned long long)json_integer_value(size);

    json_decref(state);
    return sectors;
}

static void remember_size(const struct bootlace_host *host, const char *device,
                          unsigned long long sectors)
{
    json_t *state = text_need(json_pack("{s:I}", device, (json_int_t)sectors));

    if (remember_write(host, module_name, state) < 0)
        host->log(host, BOOTLACE_WARNING, "the size of %s cannot be remembered", device);
    json_decref(state);
}

/* Nobody waits for it; what it prints goes to the output's log. */
static int fill_in_background(const struct bootlace_host *host, const char *device,
                              const struct disk_mount *mount, const char **why)
{
    const char *const ext[] = {"resize2fs", device, NULL};
    const char *const xfs[] = {"xfs_growfs", "-d", "/", NULL};
    const char *const btrfs[] = {"btrfs", "filesystem", "resize", "max", "/", NULL};
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = strcmp(mount->type, "xfs") == 0     ? xfs
                                                     : strcmp(mount->type, "btrfs") == 0 ? btrfs
                                                                                         : ext,
                                             .effect = BOOTLACE_CHANGES,
                                             .detach = 1};
    struct bootlace_ending ending;
    int result = host->run_program(host, &program, &ending);

    if (result < 0)
        *why = text_format("%s cannot be started: %s", *program.argv, strerror(-result));
    return result < 0 ? result : 1;
}

static int take_filesystem(const struct bootlace_host *host, const struct wish *wish,
                           const char **why)
{
    struct disk_mount mount;
    struct disk_partition partition;
    const char *device;
    int result = find("/", &mount, &partition, why);

    if (result < 0)
        return 0;
    *why = NULL;
    device = text_format("/dev/%s", partition.name);
    if (host->dry_run || remembered_size(host, device) == partition.size)
        return 0;
    result = wish->background ? fill_in_background(host, device, &mount, why)
                              : growth_fill(host, device, mount.type, "/", why);
    if (result == -EOPNOTSUPP) {
        host->log(host, BOOTLACE_INFO, "/: %s", *why);
        result = 0;
    }
    if (result >= 0)
        remember_size(host, device, partition.size);
    return result;
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    struct input given;
    struct wish wish;
    const char *why = NULL;
    int result = input_read(host, input, &given);

    if (result < 0 || (result = read_wish(host, given.settings, &wish)) < 0)
        return result;
    if (!tree_is_running(host))
        return host->fail(host, ENOTSUP, "an image has no disk: this is left to the machine");
    for (size_t i = 0; wish.partitions && i < DEVICES_MAX; i++) {
        const char *place = wish.devices ? json_string_value(json_array_get(wish.devices, i))
                                         : (i == 0 ? "/" : NULL);

        if (!place)
            break;
        result = take_partition(host, place, &why);
        outcome_item(&outcome, host, text_format("partition of %s", place), result, -1, why);
    }
    if (wish.filesystem) {
        result = take_filesystem(host, &wish, &why);
        outcome_item(&outcome, host, "file system of /", result, -1, why);
    }
    return outcome_end(&outcome, host, "partitions and file systems");
}

static const char *const keys[] = {"growpart", "resize_rootfs", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = module_name,
    .version = BOOTLACE_VERSION,
    .summary = "lets partition and file system of / fill a disk that grew",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 110,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_ESSENTIAL,
    .run = run,
};
