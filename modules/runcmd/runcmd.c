/*
 * runcmd: the user's commands, once for each instance, after packages and scripts.
 *
 * The list is cloud-init's; how it is run, and where that is more than cloud-init does, is told in
 * support/commands.h.
 */
#include <bootlace/module.h>
#include <support/commands.h>
#include <support/executable.h>

#include <runcmd.schema.h>

static int run(const struct bootlace_host *host, const char *input)
{
    return commands_run(host, input, "runcmd");
}

static const char *const keys[] = {"runcmd", "runcmd_stop_on_error", NULL};

static const char *const metadata[] = EXECUTABLE_METADATA;

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "runcmd",
    .version = BOOTLACE_VERSION,
    .summary = "runs commands once for each instance",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 950,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
