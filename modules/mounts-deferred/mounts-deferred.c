/*
 * mounts-deferred: owner and mode of volumes whose owner was not there when they were mounted;
 * behind packages and users.
 *
 * It reads the same key as mounts, which has its schema.
 */
#include <bootlace/module.h>
#include <mounts/place.h>
#include <mounts/volume.h>
#include <stdlib.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/tree.h>

static void set_rights(const struct bootlace_host *host, const json_t *item,
                       struct outcome *outcome)
{
    struct volume volume;
    const char *why = NULL;
    char *source;
    int result = volume_read(host, item, &volume, &why);

    if (result < 0 || !volume.mount || !volume.rights.owner_given)
        return; /* the first pass has told */
    source = place_source(volume.mount);
    if (source) {
        result = volume_set_rights(host, &volume, true, &why);
        outcome_item(outcome, host, volume.mount, result, -1, why);
    }
    free(source);
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    struct input given;
    const json_t *item;
    size_t i;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    json_array_foreach(json_object_get(given.settings, "volumes"), i, item)
    {
        set_rights(host, item, &outcome);
    }
    return outcome_end(&outcome, host, "owners of volumes");
}

static const char *const reads[] = {"volumes", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "mounts-deferred",
    .version = BOOTLACE_VERSION,
    .summary = "gives volumes to owners that were not there yet",
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 810,
    .flags = BOOTLACE_REPEATABLE,
    .run = run,
    .reads = reads,
};
