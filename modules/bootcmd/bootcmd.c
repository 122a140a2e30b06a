/*
 * bootcmd: the user's commands, at every boot, before anything else but boothooks.
 *
 * The list is cloud-init's; how it is run, and where that is more than cloud-init does, is told in
 * support/commands.h.
 */
#include <bootlace/module.h>
#include <support/commands.h>
#include <support/executable.h>

#include <bootcmd.schema.h>

static int run(const struct bootlace_host *host, const char *input)
{
    return commands_run(host, input, "bootcmd");
}

static const char *const keys[] = {"bootcmd", "bootcmd_stop_on_error", NULL};

static const char *const metadata[] = EXECUTABLE_METADATA;

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "bootcmd",
    .version = BOOTLACE_VERSION,
    .summary = "runs commands at every boot",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 100,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
