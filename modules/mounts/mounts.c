/*
 * mounts: disks, file systems, swap and what is mounted where, at every boot before anything is
 * written: partition tables, file systems, volumes, mounts, swap, in this order.
 *
 * Each item stands for itself: a volume that is not there costs its item, never the boot.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>
#include <support/tree.h>

#include "disk.h"
#include "list.h"
#include "setup.h"
#include "swap.h"
#include "volume.h"

#include <mounts.schema.h>

enum { ITEMS_MAX = 256 };

static void report(struct outcome *outcome, const struct bootlace_host *host, const char *name,
                   int result, const char *why)
{
    if (result >= 0 && why)
        host->log(host, BOOTLACE_INFO, "%s: %s", name, why);
    outcome_item(outcome, host, name, result, -1, why);
}

static void set_up_disks(const struct device_names *names, const json_t *disks,
                         struct outcome *outcome)
{
    const char *name;
    json_t *item;

    json_object_foreach((json_t *)disks, name, item)
    {
        const char *why = NULL;
        int result = disk_set_up(names, name, item, &why);

        report(outcome, names->host, name, result, why);
    }
}

static void make_filesystems(const struct device_names *names, const json_t *list,
                             struct outcome *outcome)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *device = json_string_value(json_object_get(item, "device")), *why = NULL;
        int result = setup_filesystem(names, item, &why);

        report(outcome, names->host, device ? device : "an item without device", result, why);
    }
}

static void bring_volumes(const struct device_names *names, const json_t *list,
                          struct outcome *outcome)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        struct volume volume;
        const char *why = NULL;
        int result = volume_read(names->host, item, &volume, &why);

        names->host->progress(names->host, (double)i / (double)json_array_size(list),
                              volume_name(&volume));
        if (result == 0)
            result = volume_bring(names, &volume, &why);
        report(outcome, names->host, volume_name(&volume), result, why);
    }
}

static void mount_list(const struct device_names *names, const json_t *settings,
                       struct outcome *outcome)
{
    const json_t *list = json_object_get(settings, "mounts"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *why = NULL;
        int result =
            list_mount(names, item, json_object_get(settings, "mount_default_fields"), &why);

        report(outcome, names->host, list_name(item), result, why);
    }
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    struct device_names names = {.host = host};
    const json_t *settings, *swap;
    struct input given;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    settings = given.settings;
    if (!tree_is_running(host))
        return host->fail(host, ENOTSUP, "an image has no devices: this is left to the machine");
    if (json_object_size(json_object_get(settings, "disk_setup")) > ITEMS_MAX ||
        json_array_size(json_object_get(settings, "fs_setup")) > ITEMS_MAX ||
        json_array_size(json_object_get(settings, "volumes")) > ITEMS_MAX ||
        json_array_size(json_object_get(settings, "mounts")) > ITEMS_MAX)
        return host->fail(host, E2BIG, "there are more than %d disks, volumes or mounts",
                          ITEMS_MAX);
    names.aliases = json_object_get(settings, "device_aliases");
    set_up_disks(&names, json_object_get(settings, "disk_setup"), &outcome);
    make_filesystems(&names, json_object_get(settings, "fs_setup"), &outcome);
    bring_volumes(&names, json_object_get(settings, "volumes"), &outcome);
    mount_list(&names, settings, &outcome);
    swap = json_object_get(settings, "swap");
    if (json_is_object(swap)) {
        const char *why = NULL;

        result = swap_take(host, swap, &why);
        report(&outcome, host, "swap", result, why);
    }
    return outcome_end(&outcome, host, "disks and mounts");
}

static const char *const keys[] = {"disk_setup",           "fs_setup", "volumes",        "mounts",
                                   "mount_default_fields", "swap",     "device_aliases", NULL};
static const char *const metadata[] = {"instance-id", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "mounts",
    .version = BOOTLACE_VERSION,
    .summary = "attaches and mounts volumes, makes file systems and swap where there is nothing",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 120,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_NO_LIMIT,
    .run = run,
};
